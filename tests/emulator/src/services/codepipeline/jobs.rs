//! Jobs for Lambda functions: giving them out, their answers, and silence.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::engine::{self, Done};
use super::input::{self, ANY, Checks, ID, OUTPUT_KEY, between};
use super::state::{
    ActionExecution, ActionStatus, Artifact, ErrorDetails, Job, JobState, Report, ReportContent,
};
use super::{Due, permissions, source};
use crate::{ApiError, Aws, Due as AgendaDue, lambda};

/// How long a job may stay without an answer.
const SILENCE: Duration = Duration::from_secs(20 * 60);
/// How soon the next job follows a continuation token is not documented: drawn from these seconds.
const NEXT_JOB_SECS: std::ops::RangeInclusive<u64> = 5..=60;
/// The most that an action's output variables may measure.
const OUTPUT_VARIABLES_BYTES: usize = 122_880;
/// How long a job's credentials are good for.
pub const CREDENTIALS_MS: i64 = 60 * 60 * 1000;
const FAILURE_TYPES: [&str; 6] = [
    "JobFailed",
    "ConfigurationError",
    "PermissionError",
    "RevisionOutOfSync",
    "RevisionUnavailable",
    "SystemUnavailable",
];

/// Gives an action that is in progress its first job, or the next one with the token that the last one left.
pub(super) fn give(aws: &mut Aws, execution_id: &str, action_id: &str, token: Option<String>) {
    let Some((_, action)) = aws
        .codepipeline
        .execution(execution_id)
        .and_then(|execution| execution.action(action_id))
    else {
        return;
    };
    if action.status != ActionStatus::InProgress {
        return;
    }
    place_outputs(aws, execution_id, action_id);
    let id = aws.uuid();
    let random = aws.hex(32).to_uppercase();
    let Some(execution) = aws.codepipeline.execution(execution_id) else {
        return;
    };
    let Some((stage, action)) = execution.action(action_id) else {
        return;
    };
    let function = action
        .resolved
        .get("FunctionName")
        .cloned()
        .unwrap_or_default();
    let job = Job {
        id: id.clone(),
        pipeline: execution.pipeline.clone(),
        execution: execution_id.to_owned(),
        stage: stage.name.clone(),
        action: action.name.clone(),
        action_execution: action_id.to_owned(),
        function: function.clone(),
        continuation_token: token,
        access_key_id: format!("ASIAFAKE{}", &random[..12]),
        created: aws.now,
        ended: None,
        state: JobState::InProgress,
        reports: Vec::new(),
    };
    let event = event(
        aws,
        &job,
        action,
        execution.declaration.encryption_key.as_deref(),
        &random,
    );
    let execution = execution.clone();
    if let Err(error) = permissions::function(aws, &execution, &function) {
        return engine::finish_action(aws, execution_id, action_id, Err(error));
    }
    aws.codepipeline.jobs.push(job);
    match lambda::invoke_async(aws, &function, event) {
        Ok(_) => aws.schedule(SILENCE, AgendaDue::CodePipeline(Due::JobSilent { job: id })),
        Err(error) => {
            let message = format!(
                "The AWS Lambda function {function} cannot be invoked: {}",
                error.message
            );
            engine::finish_action(
                aws,
                execution_id,
                action_id,
                Err(ErrorDetails::new("ConfigurationError", message)),
            );
        }
    }
}

/// The places of the output artifacts are chosen once, for all jobs of an action.
fn place_outputs(aws: &mut Aws, execution_id: &str, action_id: &str) {
    let execution = aws.codepipeline.execution_mut(execution_id).clone();
    let Some((stage, action)) = execution.action(action_id) else {
        return;
    };
    let Some(declared) = execution.declaration.action(&stage.name, &action.name) else {
        return;
    };
    if !action.output_artifacts.is_empty() {
        return;
    }
    let place = |name: &String| (name.clone(), source::location(aws, &execution, name));
    let placed = declared.output_artifacts.iter().map(place).collect();
    if let Some(action) = aws
        .codepipeline
        .execution_mut(execution_id)
        .action_mut(action_id)
    {
        action.output_artifacts = placed;
    }
}

/// The event of a Lambda invoke action. It names neither pipeline nor stage nor execution.
fn event(
    aws: &Aws,
    job: &Job,
    action: &ActionExecution,
    encryption_key: Option<&str>,
    random: &str,
) -> Value {
    let mut data = json!({
        "actionConfiguration": {"configuration": action.resolved},
        "inputArtifacts": artifacts(&action.input_artifacts),
        "outputArtifacts": artifacts(&action.output_artifacts),
        "artifactCredentials": {
            "accessKeyId": job.access_key_id,
            "secretAccessKey": format!("FAKE/NotASecret/{}", &random[..24]),
            "sessionToken": format!("FAKEsessionTOKEN//////////{random}=="),
            "expirationTime": aws.now + CREDENTIALS_MS,
        },
    });
    if let Some(token) = &job.continuation_token {
        data["continuationToken"] = json!(token);
    }
    if let Some(key) = encryption_key {
        data["encryptionKey"] = json!({"id": key, "type": "KMS"});
    }
    json!({"CodePipeline.job": {"id": job.id, "accountId": aws.account, "data": data}})
}

fn artifacts(artifacts: &[(String, Artifact)]) -> Value {
    let described = |(name, artifact): &(String, Artifact)| {
        json!({"location": {"s3Location": {"bucketName": artifact.bucket, "objectKey": artifact.key}, "type": "S3"},
            "revision": artifact.revision, "name": name})
    };
    artifacts.iter().map(described).collect()
}

/// Fails the action of a job that nobody answered in time.
pub(super) fn silent(aws: &mut Aws, id: &str) {
    let now = aws.now;
    let Some(job) = aws
        .codepipeline
        .job_mut(id)
        .filter(|job| job.state == JobState::InProgress)
    else {
        return;
    };
    (job.state, job.ended) = (JobState::TimedOut, Some(now));
    let (execution, action) = (job.execution.clone(), job.action_execution.clone());
    let message = format!(
        "The AWS Lambda function {} failed to return a result. Check the function to verify that it has \
        permission to call the PutJobSuccessResult action and that it made a call to PutJobSuccessResult.",
        job.function
    );
    engine::finish_action(
        aws,
        &execution,
        &action,
        Err(ErrorDetails::new("JobFailed", message)),
    );
}

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
        return Err(input::serialization("outputVariables", "a map"));
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

/// Takes an answer to a job; one that is refused is kept on the job, too.
fn report(aws: &mut Aws, id: &str, content: ReportContent) -> Result<Value, ApiError> {
    let at = aws.now;
    let Some(job) = aws.codepipeline.job_mut(id) else {
        let message = format!("Job with id '{id}' cannot be found");
        return Err(ApiError::client("JobNotFoundException", message));
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
        let message = "outputVariables can be included only when there is no continuation token on the request";
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
    job.ended = Some(now);
    job.state = match &content {
        ReportContent::Success {
            continuation_token: Some(_),
            ..
        } => JobState::Continued,
        ReportContent::Success { .. } => JobState::Succeeded,
        ReportContent::Failure { .. } => JobState::Failed,
    };
    let (execution, action_id) = (job.execution.clone(), job.action_execution.clone());
    match content {
        ReportContent::Failure { kind, message } => {
            engine::finish_action(
                aws,
                &execution,
                &action_id,
                Err(ErrorDetails::new(&kind, message)),
            );
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
                None => engine::finish_action(
                    aws,
                    &execution,
                    &action_id,
                    Ok(Done { outputs, artifacts }),
                ),
                Some(token) => {
                    let after = Duration::from_secs(aws.rng.u64(NEXT_JOB_SECS));
                    aws.schedule(
                        after,
                        AgendaDue::CodePipeline(Due::NextJob {
                            execution,
                            action: action_id,
                            token,
                        }),
                    );
                }
            }
        }
    }
}
