//! The results that job workers report.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::engine::{self, Done};
use super::input::{self, ANY, Checks, ID, OUTPUT_KEY, between};
use super::state::{ErrorDetails, Job, JobState, Report, ReportContent};
use super::{CodePipelineEvent, job_not_found};
use crate::input::wrong_type;
use crate::{ApiError, Aws};

/// How soon the next job follows a continuation token is not documented: drawn from these seconds.
const NEXT_JOB_SECS: std::ops::RangeInclusive<u64> = 5..=60;
/// The most that an action's output variables may measure.
const OUTPUT_VARIABLES_BYTES: usize = 122_880;
const FAILURE_TYPES: [&str; 6] = [
    "JobFailed",
    "ConfigurationError",
    "PermissionError",
    "RevisionOutOfSync",
    "RevisionUnavailable",
    "SystemUnavailable",
];

pub(super) fn put_success(aws: &mut Aws, given: &Value) -> Result<Value, ApiError> {
    input::only(
        given,
        &[
            "jobId",
            "currentRevision",
            "continuationToken",
            "executionDetails",
            "outputVariables",
        ],
    )?;
    let mut checks = Checks::default();
    let id = checks.text(&given["jobId"], "jobId", &ID)?;
    let token = checks.optional(
        &given["continuationToken"],
        "continuationToken",
        &between(1, 2048),
    )?;
    let details = &given["executionDetails"];
    let summary = checks.optional(
        &details["summary"],
        "executionDetails.summary",
        &between(1, 2048),
    )?;
    let external = checks.optional(
        &details["externalExecutionId"],
        "executionDetails.externalExecutionId",
        &between(1, 1500),
    )?;
    let percent = checks.number(
        &details["percentComplete"],
        "executionDetails.percentComplete",
        0,
        100,
    )?;
    let outputs = outputs(&mut checks, &given["outputVariables"])?;

    checks.done()?;
    let content = ReportContent::Success {
        continuation_token: token.map(str::to_owned),
        outputs,
        summary: summary.map(str::to_owned),
        percent: percent.map(|percent| percent as u8),
        external_id: external.map(str::to_owned),
    };
    report(aws, id, content)
}

fn outputs(checks: &mut Checks, given: &Value) -> Result<BTreeMap<String, String>, ApiError> {
    let mut outputs = BTreeMap::new();
    if !given.is_null() && !given.is_object() {
        return Err(wrong_type("outputVariables", "a map"));
    }

    for (key, value) in given.as_object().into_iter().flatten() {
        let name = Value::from(key.as_str());
        checks.text(&name, "outputVariables", &OUTPUT_KEY)?;
        outputs.insert(
            key.clone(),
            checks
                .text(value, &format!("outputVariables.{key}"), &ANY)?
                .to_owned(),
        );
    }
    Ok(outputs)
}

pub(super) fn put_failure(aws: &mut Aws, given: &Value) -> Result<Value, ApiError> {
    input::only(given, &["jobId", "failureDetails"])?;
    let mut checks = Checks::default();
    let id = checks.text(&given["jobId"], "jobId", &ID)?;
    let details = &given["failureDetails"];
    let kind = checks.one_of(&details["type"], "failureDetails.type", &FAILURE_TYPES)?;
    let message = checks.text(
        &details["message"],
        "failureDetails.message",
        &between(1, 5000),
    )?;

    checks.optional(
        &details["externalExecutionId"],
        "failureDetails.externalExecutionId",
        &between(1, 1500),
    )?;
    checks.done()?;

    report(
        aws,
        id,
        ReportContent::Failure {
            kind: kind.to_owned(),
            message: message.to_owned(),
        },
    )
}

/// Takes the result of a job; one that is refused is kept on the job, too.
fn report(aws: &mut Aws, id: &str, content: ReportContent) -> Result<Value, ApiError> {
    let at = aws.now;
    let Some(job) = aws.codepipeline.job_mut(id) else {
        return Err(job_not_found(id));
    };

    let refused = refusal(job, &content);
    job.reports.push(Report {
        at,
        content: content.clone(),
        refused: refused.clone(),
    });

    match refused {
        Some(error) => Err(error),
        None => {
            accept(aws, id, content);
            Ok(json!({}))
        }
    }
}

fn refusal(job: &Job, content: &ReportContent) -> Option<ApiError> {
    if job.state != JobState::InProgress {
        let message = format!(
            "Job with id '{}' is not in progress, so that no result can be put for it",
            job.id
        );
        return Some(ApiError::client("InvalidJobStateException", message));
    }
    let ReportContent::Success {
        continuation_token,
        outputs,
        ..
    } = content
    else {
        return None;
    };
    if continuation_token.is_some() && !outputs.is_empty() {
        let message = "outputVariables can be included only when there is no continuation token \
            on the request";
        return Some(input::invalid(message));
    }

    let bytes: usize = outputs
        .iter()
        .map(|(key, value)| key.len() + value.len())
        .sum();
    (bytes > OUTPUT_VARIABLES_BYTES).then(|| {
        let message =
            format!("The output variables are {bytes} bytes; the most is {OUTPUT_VARIABLES_BYTES}");
        ApiError::client("OutputVariablesSizeExceededException", message)
    })
}

fn accept(aws: &mut Aws, id: &str, content: ReportContent) {
    let now = aws.now;
    let Some(job) = aws.codepipeline.job_mut(id) else {
        return;
    };

    job.state = state_after(&content);
    job.ended = Some(now);
    let (execution, action_id) = (job.execution.clone(), job.action_execution.clone());

    match content {
        ReportContent::Failure { kind, message } => {
            let error = ErrorDetails::new(&kind, message);
            engine::finish_action(aws, &execution, &action_id, Err(error));
        }
        ReportContent::Success {
            continuation_token,
            outputs,
            summary,
            percent,
            external_id,
        } => {
            let Some(action) = aws
                .codepipeline
                .execution_mut(&execution)
                .action_mut(&action_id)
            else {
                return;
            };

            action.updated = now;
            action.summary = summary.or(action.summary.take());
            action.percent = percent.or(action.percent);
            action.external_id = external_id.or(action.external_id.take());
            let artifacts = action.output_artifacts.clone();

            match continuation_token {
                None => {
                    let done = Done { outputs, artifacts };
                    engine::finish_action(aws, &execution, &action_id, Ok(done));
                }
                Some(token) => schedule_next_job(aws, execution, action_id, token),
            }
        }
    }
}

/// The state of a job after a result was accepted.
fn state_after(content: &ReportContent) -> JobState {
    match content {
        ReportContent::Success {
            continuation_token: Some(_),
            ..
        } => JobState::Continued,
        ReportContent::Success { .. } => JobState::Succeeded,
        ReportContent::Failure { .. } => JobState::Failed,
    }
}

fn schedule_next_job(aws: &mut Aws, execution: String, action: String, token: String) {
    let after = Duration::from_secs(aws.rng.u64(NEXT_JOB_SECS));
    aws.schedule(
        after,
        CodePipelineEvent::NextJob {
            execution,
            action,
            token,
        },
    );
}
