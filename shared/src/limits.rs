//! Every limit of the package in one place, each with the source of its number: `Ours:` with the
//! reason, or the AWS document.
//!
//! Each limit is a doc comment and one `pub const` line, because the documentation's table is
//! generated from this text.

mod codepipeline;
mod http_check;
mod pushes;
mod retirement;

use std::time::Duration;

pub use codepipeline::*;
pub use http_check::*;
pub use pushes::*;
pub use retirement::*;

/// Largest task definition, in bytes (Amazon ECS service quotas: task definition size).
pub const TASK_DEFINITION_BYTES: usize = 64 * 1024;

/// Containers of a task definition (Amazon ECS service quotas).
pub const TASK_CONTAINERS: usize = 10;

/// Memory that is reserved for a container of `docker inspect` without a limit, in MiB, if nothing
/// else states any. Ours: on an instance ECS needs a number, and this one is enough for most.
pub const UNLIMITED_MEMORY_MIB: u32 = 512;

/// Tags of a resource (Amazon ECS API: RegisterTaskDefinition).
pub const RESOURCE_TAGS: usize = 50;

/// Deployments of a service that have not ended (aws/containers-roadmap#2836).
pub const OPEN_DEPLOYMENTS: usize = 5;

/// Longest family, longest name of a container and longest name of a service, in characters (Amazon
/// ECS API: RegisterTaskDefinition, CreateService).
pub const NAME_CHARS: usize = 255;

/// Longest image of a container, in characters: longer ones are refused
/// (docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html;
/// hashicorp/terraform-provider-aws#22629).
pub const IMAGE_CHARS: usize = 255;

/// Longest repository of an image, in characters (github.com/distribution/reference).
pub const REPOSITORY_CHARS: usize = 255;

/// Longest tag of an image, in characters (github.com/distribution/reference, which Amazon ECS
/// follows).
pub const TAG_CHARS: usize = 128;

/// Largest artifact that a step reads, zipped, in bytes. Ours: a task definition and the files
/// beside it are kilobytes, and the functions have 256 MB of memory.
pub const ARTIFACT_BYTES: u64 = 8 * 1024 * 1024;

/// Largest file that a step unpacks from an artifact, in bytes. Ours: protects against archives
/// that expand without bound.
pub const ARTIFACT_FILE_BYTES: u64 = 1024 * 1024;

/// Shortest secret that is redacted from messages, in bytes. Ours: numbers and flags are shorter.
pub const SECRET_CHARS: usize = 6;

/// Shortest text that ECS can have cut, in characters: the longest reason of a container with
/// agents from before 1.92.0; since then it has 1,024 (AWS, What's New, May 2025: "Amazon ECS
/// increases the container exit reason message to 1024 characters").
pub const CUT_CHARS: usize = 255;

/// Shortest word of a command that is taken for a generated key, in characters. Ours: generated
/// keys have 20 and more.
pub const RANDOM_CHARS: usize = 20;

/// Fewest digits of such a word. Ours: names have a number at most.
pub const RANDOM_DIGITS: usize = 3;

/// Changes of a task definition that a dry run lists. Ours: such a tree is still read, and it is
/// one line of a log.
pub const LISTED_CHANGES: usize = 50;

/// Longest path and longest value of a listed change, in characters. Ours: an image with its digest
/// is shown whole.
pub const CHANGE_CHARS: usize = 200;

/// Longest reason in the ledger, in characters. Ours: a paragraph; an item could hold 400 KB.
pub const REASON_CHARS: usize = 1_000;

/// Longest duration of one attempt of an AWS call. Ours: the APIs in use respond within a second.
pub const CALL_ATTEMPT: Duration = Duration::from_secs(4);

/// Longest duration of an AWS call with all its retries. Ours: several calls fit into a function's
/// time-out.
pub const CALL_TOTAL: Duration = Duration::from_secs(12);

/// Attempts of one AWS call, with the SDK's jittered exponential backoff between them. Ours: one
/// more than the SDK's default.
pub const CALL_ATTEMPTS: u32 = 4;

/// How long credentials of a deploy role last, in seconds. A function's role that assumes another
/// is a chain of roles, which is limited to one hour (AWS STS API: AssumeRole, `DurationSeconds`).
pub const ROLE_SECONDS: i32 = 3_600;

/// How long before their end credentials of a deploy role are no longer used; the SDK draws from
/// half to all of it. Ours: half is longer than [`CALL_TOTAL`].
pub const ROLE_REFRESH: Duration = Duration::from_secs(60);

/// Longest name of a session under a role, in characters (AWS STS API: AssumeRole,
/// `RoleSessionName`).
pub const SESSION_NAME_CHARS: usize = 64;

/// The functions' time-out, after which an invocation can no longer change anything. Ours: the
/// same as `Timeout` in template.yaml.
pub const FUNCTION_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a step may run before its invocation reports "in progress" instead of running into
/// [`FUNCTION_TIMEOUT`]. Ours: that time-out less [`CALL_TOTAL`] for the report and 3 s to spare.
pub const STEP_BUDGET: Duration = Duration::from_secs(45);

const _: () = assert!(
    STEP_BUDGET.as_secs() + CALL_TOTAL.as_secs() < FUNCTION_TIMEOUT.as_secs(),
    "the report must fit between the end of the step and the time-out of the function"
);

/// Shortest time that a sweep has for one release, however many there are; of fewer each has its
/// share of [`STEP_BUDGET`]. Ours: longer than [`CALL_TOTAL`], and three slow releases fit into
/// [`STEP_BUDGET`].
pub const SWEEP_SHARE: Duration = Duration::from_secs(15);

/// Longest duration of an action. Ours: CodePipeline ends a Lambda action after 24 hours (AWS
/// CodePipeline quotas); the last half hour remains for reporting why.
pub const ACTION_TOTAL: Duration = Duration::from_secs(23 * 3600 + 1800);

/// Longest time for which an action waits for the end of a freeze and then works. Ours:
/// [`ACTION_TOTAL`], less half an hour for ending the release.
pub const FREEZE_HOLD: Duration = Duration::from_secs(23 * 3600);

/// Windows of a freeze. Ours: they fit into the user parameters of an action.
pub const FREEZE_WINDOWS: usize = 20;

/// Windows of a freeze that are taken for one, because each begins before another has ended. Ours:
/// windows without an end to their sequence outlast every action long before.
pub const JOINED_WINDOWS: usize = 100;

/// Longest name of a stage, in characters (CodePipeline API: StageDeclaration, `name`).
pub const STAGE_CHARS: usize = 100;

/// Longest reason of a disabled transition, in characters (CodePipeline API:
/// DisableStageTransition, `reason`).
pub const TRANSITION_REASON_CHARS: usize = 300;

/// Longest time for which a step reports "in progress" because AWS throttles it, is unavailable, or
/// other invocations write first: after it the step fails with the cause. Ours: outages that are
/// worth waiting for are over by then.
pub const BUSY_LIMIT: Duration = Duration::from_secs(60 * 60);

/// Longest time for which a step looks again while AWS refuses a call or does not take its
/// credentials, or gives a response that is not understood, before its release fails for it; what
/// does not come again for as long is forgotten. Ours: several jobs of an action, also when one of
/// their invocations is lost.
pub const SECOND_LOOK: Duration = Duration::from_secs(3 * 60);

/// Refusals of an action that are forgotten as [`SECOND_LOOK`] has it, each within [`BUSY_LIMIT`]
/// of the one before; the next one fails its release. Ours: what AWS refuses again and again does
/// not pass, and an action of many hours may meet a few that do.
pub const SECOND_LOOKS: u32 = 5;

/// Deadline of a rollout unless the action sets one, in minutes. Ours: several waves of tasks that
/// start slowly.
pub const ROLLOUT_DEADLINE_MINUTES: u32 = 30;

/// Longest deadline that an action can set, in minutes. Ours: the 24 hours of an action (AWS
/// CodePipeline quotas), less an hour for reporting.
pub const ROLLOUT_DEADLINE_MAX_MINUTES: u32 = 23 * 60;

/// Time of a one-off task unless the action sets one, in minutes. Ours: as for a rollout.
pub const ONE_OFF_TASK_MINUTES: u32 = 30;

/// Time beyond its own for a one-off task that is stopping. Ours: containers have two minutes at
/// most to stop on Fargate (Amazon ECS API: ContainerDefinition, `stopTimeout`), and its network
/// interface is detached after that.
pub const TASK_STOP_DEADLINE: Duration = Duration::from_secs(5 * 60);

/// Subnets of a task (Amazon ECS API: AwsVpcConfiguration, `subnets`).
pub const TASK_SUBNETS: usize = 16;

/// Longest name of a one-off task or an HTTP check, in characters. Ours: it stands in messages.
pub const TASK_NAME_CHARS: usize = 32;

/// Longest text about why a one-off task was not placed, in characters. Ours: several reasons of
/// ECS, which are kept in a continuation token.
pub const NOT_PLACED_CHARS: usize = 250;

/// How long a task must have run until it counts as deployed. Ours: the circuit breaker of ECS does
/// not count a task that stops once it was healthy
/// (repost.aws/knowledge-center/ecs-deployment-roll-back-failure), and most that crash do so within
/// a minute of their start.
pub const TASK_PROOF: Duration = Duration::from_secs(60);

/// Longest time after which ECS starts a task in place of one that never ran: 27 minutes
/// (docs.aws.amazon.com/AmazonECS/latest/developerguide/service-throttle-logic.html), rounded up.
pub const REPLACED_WITHIN: Duration = Duration::from_secs(30 * 60);

/// Tasks that must have run for `TASK_PROOF`, in percent of the desired count, when ECS creates a
/// task for it to be no part of the rollout: one of automatic scaling, or in place of one that was
/// taken away. Ours: half, so that a service may double while it is released.
pub const PROVEN_BEFORE_PERCENT: u32 = 50;

/// Longest time for which finish-release, or the sweep where a pipeline has none, waits for a
/// service to be steady again. Ours: a replaced task is healthy again by then.
pub const FINISH_DEADLINE: Duration = Duration::from_secs(15 * 60);

/// Longest `soak_minutes`. Ours: two hours less than an action of CodePipeline has.
pub const SOAK_MAX_MINUTES: u32 = 22 * 60;

/// Time beyond its deadline for a rollout that lacks nothing but its completion, while ECS watches
/// deployment alarms. Ours: ECS computes this bake time from the alarms and accepts no other
/// (docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html); alarms of
/// three periods of five minutes need this long.
pub const ALARM_BAKE: Duration = Duration::from_secs(15 * 60);

/// Longest time for which roll-back tries to restore before it records a failure that requires
/// manual intervention. Ours: twice `ROLLOUT_DEADLINE_MINUTES`.
pub const ROLLBACK_DEADLINE: Duration = Duration::from_secs(60 * 60);

/// How long the proof counts that a prior release can be restored: a first change that comes later
/// makes it once more. Ours: without an approval the first change comes within minutes, and a
/// lifecycle policy may remove images once a day.
pub const PRIOR_PROOF: Duration = Duration::from_secs(60 * 60);

/// Longest time for which a release whose execution cannot be read is left to its steps, from the
/// first look that could not read it after one that could, or the last change that they announced.
/// Ours: a manual approval waits 7 days unless its action has another time-out, up to 60 days (AWS
/// CodePipeline quotas), and a step follows it.
pub const UNREAD_DEADLINE: Duration = Duration::from_secs(8 * 24 * 60 * 60);

/// Longest time for which the sweep tries to deregister the revisions of a closed release. Ours: an
/// operator can change a policy on the next day.
pub const DEREGISTRATION_DEADLINE: Duration = Duration::from_secs(24 * 60 * 60);

/// Attempts of one invocation of roll-back to take a release over. Ours: a step that writes the
/// lease in between is rare, and Lambda's next attempt would come a minute later.
pub const TAKE_OVER_ATTEMPTS: u32 = 3;

/// Longest time for which swap-target-groups waits for the new colour to be healthy enough for more
/// traffic, and for which both colours may lack healthy targets before the new one loses its own.
/// Ours: a replaced task is healthy again by then.
pub const HEALTH_DEADLINE: Duration = Duration::from_secs(10 * 60);

/// How long the new colour must lack healthy targets before it loses its traffic, while it has
/// some, and how long it must have enough again until that is over. Ours: ECS replaces a task that
/// AWS took away within about two minutes.
pub const HEALTH_PROOF: Duration = Duration::from_secs(2 * 60);

/// Longest time for which traffic stays on a failing colour while the old one grows to take all of
/// it. Ours: a few minutes of starting tasks.
pub const SIZING_DEADLINE: Duration = Duration::from_secs(10 * 60);

/// Share of the traffic, in percent, that goes back to an old colour before that one has grown for
/// it. Ours: each of its tasks gets a ninth more at most.
pub const SMALL_SHARE_PERCENT: u32 = 10;

/// Longest time for which resolvers may keep an answer of a record that a release moves. Ours: each
/// step of a shift and each drain waits for it once; it is what the console of Route 53 gives new
/// records.
pub const RECORD_TTL: Duration = Duration::from_secs(5 * 60);

/// How long resolvers keep the addresses of a load balancer behind an alias (Route 53 Developer
/// Guide: choosing between alias and non-alias records).
pub const ALIAS_TTL: Duration = Duration::from_secs(60);

/// Longest bake or drain that an action can set, in minutes. Ours: the 24 hours of an action (AWS
/// CodePipeline quotas), less an hour for reporting.
pub const BAKE_MAX_MINUTES: u32 = 23 * 60;

/// Healthy tasks of the new colour while it has traffic, in percent of those it was filled with,
/// unless the action sets a value. Ours: all of up to three tasks; of more, one in four may be
/// replaced at a time.
pub const MINIMUM_HEALTHY_PERCENT: u32 = 75;

/// Pages of a listing that are followed before it fails as too long. Ours: 100 pages of 100 tasks.
pub const PAGES: usize = 100;

/// Pages of the whole ledger that an operator waits for, 1 MB each (Amazon DynamoDB API: Scan).
/// Ours: the pages of some minutes.
pub const SCAN_PAGES: usize = 1_000;

/// Revisions of a family that are described to find one among them: those that a release
/// registered, or the one that it may be made from. Ours: as many calls fit into [`STEP_BUDGET`],
/// and a release registers one or two.
pub const DESCRIBED_REVISIONS: usize = 100;

/// How far apart AWS's clocks and that of a function can be: a request whose time is further off is
/// refused (AWS IAM User Guide: elements of an AWS API request signature).
pub const CLOCK_SKEW: Duration = Duration::from_secs(5 * 60);

/// Tasks or container instances of one call: the most that ListTasks returns, and that
/// DescribeTasks and DescribeContainerInstances take (Amazon ECS API).
pub const TASKS_PAGE: i32 = 100;

/// Rules or listeners whose tags one call reads: the most that DescribeTags takes (Elastic Load
/// Balancing API).
pub const TAGGED_RESOURCES: usize = 20;

/// Service deployments of one call: the most that DescribeServiceDeployments takes (Amazon ECS
/// API).
pub const SERVICE_DEPLOYMENTS_PAGE: i32 = 20;

/// Tasks whose stop reasons are read to explain a failed rollout. Ours: enough to see the reason;
/// DescribeTasks takes 100 at most (Amazon ECS API).
pub const EXPLAINED_TASKS: usize = 10;

/// Longest time from the beginning of an update of a service by its stack to its end, after which
/// the release that the service ran before is no longer brought back. Ours: longer than
/// CloudFormation waits for a service to become steady, which is known to take hours.
pub const STACK_UPDATE: Duration = Duration::from_secs(4 * 60 * 60);

/// How often the sweep looks whether a service still runs what its last release left. Ours: each
/// look is a call under the deploy role of the service, and a minute has time for those of 1/60 of
/// some thousand services.
pub const DRIFT_PERIOD: Duration = Duration::from_secs(60 * 60);

/// Longest bake that the judge takes, in minutes (Amazon CloudWatch metrics retention: one-minute
/// data is kept for 15 days).
pub const JUDGED_MINUTES: u32 = 15 * 24 * 60;

/// Most requests, or failed ones among them, that the judge takes for one minute of one side. Ours:
/// the totals of the longest bake then fit into 64 bits, and no load balancer comes near it.
pub const COUNTED_A_MINUTE: u64 = 1 << 40;

/// Most values of a side that are compared by ranks: two days of minutes. Ours: all differences
/// between the sides are sorted, which takes 66 MB at this size.
pub const RANKED_VALUES: usize = 2 * 24 * 60;

/// Queries of one GetMetricData call (Amazon CloudWatch API: GetMetricData).
pub const METRIC_QUERIES: usize = 500;

/// Attempts to read one series in one evaluation. Ours: three failures of one series in a row are
/// an outage.
pub const SERIES_ATTEMPTS: usize = 3;

/// Delay between the end of a minute and its judgement. Ours: CloudWatch's load balancer metrics
/// are complete after one to two minutes; two evaluations must have read the same values besides.
pub const METRIC_DELAY: Duration = Duration::from_secs(120);

/// Longest time before an action at which its judgement may begin, with traffic that the previous
/// action shifted. Ours: one job and a wait in between.
pub const BAKE_AHEAD: Duration = Duration::from_secs(5 * 60);

/// Longest time for which a rollback waits for its report once the traffic is restored. Ours:
/// enough for a throttled service.
pub const REPORT_DEADLINE: Duration = Duration::from_secs(10 * 60);

/// Longest time for which a read may still show the state before a confirmed change. Ours: Amazon
/// ECS is eventually consistent and advises repeating a read with growing pauses of up to five
/// minutes (docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html).
pub const STALE_READ: Duration = Duration::from_secs(5 * 60);

/// Alarms that an evaluate-canary action can name. Ours: they fit into its user parameters.
pub const ALARMS: usize = 10;

/// How long the ledger keeps claims and records that decide nothing any more, in days. Ours: an
/// audit of a whole year finds each release, with a month to spare.
pub const LEDGER_DAYS: i64 = 400;

/// Version of every stored format: ledger items and continuation tokens. Ours: incremented with
/// each incompatible change.
pub const FORMAT_VERSION: u32 = 1;
