//! Every bound in one place, each with where the number comes from.

use std::time::Duration;

/// Longest continuation token that CodePipeline accepts, in characters (PutJobSuccessResult).
pub const TOKEN_CHARS: usize = 2_048;

/// Longest payload of a step in its continuation token, in characters. Ours: the rest is room for what every token has.
pub const PAYLOAD_CHARS: usize = 1_900;

/// Longest summary of an action execution, in characters (PutJobSuccessResult, `executionDetails.summary`).
pub const SUMMARY_CHARS: usize = 2_048;

/// Longest message of a failed job, in characters (PutJobFailureResult, `failureDetails.message`).
pub const FAILURE_MESSAGE_CHARS: usize = 5_000;

/// Longest external execution id, in characters (PutJobSuccessResult, `executionDetails.externalExecutionId`).
pub const EXTERNAL_ID_CHARS: usize = 1_500;

/// Largest task definition that RegisterTaskDefinition accepts, in bytes (Amazon ECS service quotas).
pub const TASK_DEFINITION_BYTES: usize = 64 * 1024;

/// Longest family and longest name of a container that RegisterTaskDefinition accepts, in characters.
pub const NAME_CHARS: usize = 255;

/// Largest artifact that a step reads, in bytes, zipped. Ours: a task definition and its neighbours are kilobytes, and the
/// functions have 256 MB of memory.
pub const ARTIFACT_BYTES: u64 = 8 * 1024 * 1024;

/// Largest file that a step unpacks from an artifact, in bytes. Ours, against archives that expand without bound.
pub const ARTIFACT_FILE_BYTES: u64 = 1024 * 1024;

/// Shortest value of an environment variable that is blotted out of messages. Ours: numbers and flags are shorter.
pub const SECRET_CHARS: usize = 6;

/// Longest reason kept in the ledger, in characters. Ours: an item holds 400 KB, a person reads a paragraph.
pub const REASON_CHARS: usize = 1_000;

/// How long one attempt of an AWS call may take. Ours: the APIs in use answer within a second.
pub const CALL_ATTEMPT: Duration = Duration::from_secs(4);

/// How long an AWS call may take with all its retries. Ours: leaves a function's time-out room for several calls.
pub const CALL_TOTAL: Duration = Duration::from_secs(12);

/// Attempts of one AWS call, with the SDK's jittered exponential backoff between them.
pub const CALL_ATTEMPTS: u32 = 4;

/// The functions' time-out in template.yaml: after it, an invocation that hung can no longer act.
pub const FUNCTION_TIMEOUT: Duration = Duration::from_secs(60);

/// How long an action may go on in all: CodePipeline ends a Lambda invoke action after 24 hours; half an hour is kept to say why.
pub const ACTION_TOTAL: Duration = Duration::from_secs(23 * 3600 + 1800);

/// How long a rollout may take unless the action says otherwise. Ours: several waves of slow starters.
pub const ROLLOUT_DEADLINE_MINUTES: u32 = 30;

/// Longest deadline that an action can ask for: the 24 hours of an action, less the room to report.
pub const ROLLOUT_DEADLINE_MAX_MINUTES: u32 = 23 * 60;

/// How long finish-release waits for a service that was steady to be steady again. Ours.
pub const FINISH_DEADLINE: Duration = Duration::from_secs(15 * 60);

/// How long roll-back tries to restore before it records a failure that needs a person. Ours.
pub const ROLLBACK_DEADLINE: Duration = Duration::from_secs(60 * 60);

/// How long swap-target-groups waits for the new colour to be fit for more traffic. Ours: a task that was replaced is back by then.
pub const HEALTH_DEADLINE: Duration = Duration::from_secs(10 * 60);

/// How long traffic stays on a failing colour while the old one grows to take all of it. Ours: some minutes of starting tasks.
pub const SIZING_DEADLINE: Duration = Duration::from_secs(10 * 60);

/// Longest that a retirement waits for sticky clients to leave the old colour; a rule can bind them for a week. Ours.
pub const STICKY_DRAIN: Duration = Duration::from_secs(60 * 60);

/// Longest bake or drain that an action can ask for, in minutes: the 24 hours of an action, less the room to report.
pub const BAKE_MAX_MINUTES: u32 = 23 * 60;

/// Pages that a listing follows before it says that there is too much. Ours: 100 pages of 100 tasks.
pub const PAGES: usize = 100;

/// Tasks whose stop reasons are read to explain a failed rollout. Ours; DescribeTasks takes 100 at most.
pub const EXPLAINED_TASKS: usize = 10;

/// How long after a claim another tag of the same digest counts as the same push, while its release is under way. Ours: a build
/// pushes its tags within minutes, and a release whose end was never told must not keep its digest for ever.
pub const SAME_PUSH: Duration = Duration::from_secs(60 * 60);

/// Longest bake that the judge takes, in minutes: CloudWatch keeps one-minute data for 15 days.
pub const JUDGED_MINUTES: u32 = 15 * 24 * 60;

/// Most requests, or bad ones among them, that the judge takes for one minute of one side. Ours: the totals of the longest bake then
/// fit into 64 bits, and no load balancer comes near it.
pub const COUNTED_A_MINUTE: u64 = 1 << 40;

/// Most values a side that are compared by ranks: two days of minutes. Ours: all differences between the sides are sorted, which takes
/// 66 MB at this size.
pub const RANKED_VALUES: usize = 2 * 24 * 60;

/// Queries of one GetMetricData (API_GetMetricData).
pub const METRIC_QUERIES: usize = 500;

/// How often a series is asked for in one look when CloudWatch could not read it. Ours: three failures of one series in a row are an outage.
pub const SERIES_ATTEMPTS: usize = 3;

/// How long after the end of a minute its metrics are judged: CloudWatch's load balancer metrics are complete after one to two minutes, and two looks
/// must have seen the same.
pub const METRIC_DELAY: Duration = Duration::from_secs(180);

/// How far before an action its judgement may begin, with traffic that the action before had moved. Ours: time for one job and a
/// wait in between.
pub const BAKE_AHEAD: Duration = Duration::from_secs(5 * 60);

/// How long a rollback waits for its report once the traffic is back. Ours: time enough for a throttled service.
pub const REPORT_DEADLINE: Duration = Duration::from_secs(10 * 60);

/// How long a read may still show what was before a change that is known to have been made. Ours: Amazon ECS is eventually consistent and
/// advises to repeat a read with growing pauses of up to five minutes
/// (docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html).
pub const STALE_READ: Duration = Duration::from_secs(5 * 60);

/// Alarms that an evaluate-canary action can name. Ours: they fit into its user parameters.
pub const ALARMS: usize = 10;

/// Version of every format that is stored or handed on: ledger items and continuation tokens.
pub const FORMAT_VERSION: u32 = 1;
