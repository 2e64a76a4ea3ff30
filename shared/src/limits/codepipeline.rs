//! Limits of CodePipeline: of jobs, their reports and the actions of workers.

use std::time::Duration;

/// Longest continuation token, in characters (CodePipeline API: PutJobSuccessResult,
/// `continuationToken`).
pub const TOKEN_CHARS: usize = 2_048;

/// Longest payload of a step in its continuation token, in characters. Ours: the rest of
/// `TOKEN_CHARS` holds what every token has.
pub const PAYLOAD_CHARS: usize = 1_620;

/// Longest ARN of a pipeline in a continuation token, in characters: the name has at most 100
/// (CodePipeline API: CreatePipeline, `name`). Ours: 60 hold what every ARN has.
pub const PIPELINE_ARN_CHARS: usize = 160;

/// Longest summary of an action execution, in characters (CodePipeline API: PutJobSuccessResult,
/// `executionDetails.summary`).
pub const SUMMARY_CHARS: usize = 2_048;

/// Longest message of a failed job, in characters (CodePipeline API: PutJobFailureResult,
/// `failureDetails.message`).
pub const FAILURE_MESSAGE_CHARS: usize = 5_000;

/// Longest external execution id, in characters (CodePipeline API: PutJobSuccessResult,
/// `executionDetails.externalExecutionId`).
pub const EXTERNAL_ID_CHARS: usize = 1_500;

/// Properties of a custom action type (CodePipeline API: CreateCustomActionType,
/// `configurationProperties`).
pub const ACTION_PROPERTIES: usize = 10;

/// Longest description of a property of a custom action type, in characters (CodePipeline API:
/// ActionConfigurationProperty, `description`).
pub const PROPERTY_DESCRIPTION_CHARS: usize = 160;

/// Longest value of a property of a custom action, in characters (CodePipeline API:
/// ActionDeclaration, `configuration`).
pub const PROPERTY_VALUE_CHARS: usize = 1_000;

/// Longest duration of a custom action. Ours: CodePipeline gives "all other actions" an hour (AWS
/// CodePipeline quotas; an earlier edition has 24 hours for custom actions), of which a poll can
/// take a minute for each job; the rest remains for reporting why.
pub const CUSTOM_ACTION_TOTAL: Duration = Duration::from_secs(55 * 60);

/// Longest time for which a custom action waits and then works. Ours: [`CUSTOM_ACTION_TOTAL`], less
/// five minutes for ending the release.
pub const CUSTOM_ACTION_HOLD: Duration = Duration::from_secs(50 * 60);

/// Jobs that `poll-jobs` requests at a time. Ours: it polls again until there are no more.
pub const POLL_BATCH: i32 = 10;

/// How long an invocation of `poll-jobs` takes further jobs, and passes one on again while Lambda
/// is busy. Ours: the last one is acknowledged, passed on and, if that fails, reported within the
/// function's time-out, and a minute later the schedule invokes it again.
pub const POLL_BUDGET: Duration = Duration::from_secs(20);

/// How often one invocation makes a call, each with the SDK's retries, without which a job would
/// have no result. Ours: an outage of half a minute passes within the function's time-out.
pub const JOB_ATTEMPTS: u32 = 3;
