//! Limits of a retirement: how long the old colour of a pair is kept, and by which requests.

use std::time::Duration;

/// Longest time for which a retirement waits for sticky clients to leave the old colour. Ours: a
/// rule can bind clients for a week (Elastic Load Balancing: target group stickiness), which is too
/// long to wait.
pub const STICKY_DRAIN: Duration = Duration::from_secs(60 * 60);

/// Longest time after the drain for which a retirement waits for a colour that still gets requests,
/// although the weights send it none, or for failures of both colours or a missing alarm to pass.
/// Ours: as for sticky clients; it keeps its tasks then.
pub const REQUESTS_DEADLINE: Duration = Duration::from_secs(60 * 60);

/// Longest time for which a retirement waits for tasks that it stopped. Ours: they are deregistered
/// for an hour at most (Elastic Load Balancing API: TargetGroupAttribute), and a task with scale-in
/// protection can run on for two days.
pub const OLD_TASKS_DEADLINE: Duration = Duration::from_secs(75 * 60);

/// Minutes without a request after which a colour whose weight is 0 gets none. Ours: longer than
/// CloudWatch takes to show a minute.
pub const QUIET_MINUTES: u32 = 5;

/// The last minutes of each colour in which failures are looked for before the old one is stopped.
/// Ours: they are over within the default drain and bake.
pub const COMPARED_MINUTES: u32 = 5;

/// Share of the requests of a minute, in percent, from which on it counts as failed before the old
/// colour is stopped. Ours: whatever is normal, a service that fails most requests does not work.
pub const FAILED_PERCENT: u64 = 50;

/// Failed minutes among them from which on the old colour is not stopped, if none was served. Ours:
/// CloudWatch may lose or delay a counter of one or two.
pub const FAILED_MINUTES: usize = 3;

/// Requests in these minutes, at least. Ours: fewer may be those of one client.
pub const FAILED_REQUESTS: u64 = 20;
