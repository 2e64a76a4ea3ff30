//! Limits of HTTP checks: of their number, their attempts, and what is read and kept of a response.

use std::time::Duration;

/// HTTP checks of an action. Ours: they fit into its user parameters, which have 1,000 characters
/// (AWS CodePipeline user guide: Lambda action, `UserParameters`).
pub const HTTP_CHECKS: usize = 10;

/// Attempts of an HTTP check, one a job. Ours: several minutes of jobs.
pub const CHECK_ATTEMPTS: u32 = 20;

/// Longest time in which an HTTP check connects. Ours: a load balancer accepts within milliseconds.
pub const CHECK_CONNECT: Duration = Duration::from_secs(3);

/// Longest duration of one attempt of an HTTP check, with its connection and its body. Ours: all
/// attempts of a job are made at once, so that they fit into `STEP_BUDGET` beside other calls.
pub const CHECK_TOTAL: Duration = Duration::from_secs(10);

/// Longest latency that an HTTP check can allow, in milliseconds. Ours: `CHECK_TOTAL`.
pub const CHECK_LATENCY_MS: u32 = 10_000;

/// Bytes of a body that an HTTP check reads. Ours: what a page of health has, many times over.
pub const CHECK_BODY_BYTES: usize = 64 * 1024;

/// Bytes of the names and values of the headers that an HTTP check accepts. Ours: applications send
/// a few hundred; the HTTP client itself reads 400 KB at most.
pub const CHECK_HEADER_BYTES: usize = 32 * 1024;

/// Characters of a response that an HTTP check looks for secrets in before it shows some. Ours:
/// several times `CHECK_TEXT_CHARS`.
pub const CHECK_READ_CHARS: usize = 1_000;

/// Characters of a response that a result shows. Ours: the first line of a page of an error.
pub const CHECK_TEXT_CHARS: usize = 100;

/// Characters of a result that the next job receives. Ours: those of all checks fit into
/// `PAYLOAD_CHARS` beside a one-off task.
pub const CHECK_KEPT_CHARS: usize = 60;
