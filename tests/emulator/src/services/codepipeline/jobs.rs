//! Jobs for Lambda functions, and those that are not reported in time.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::action_types::ActionType;
use super::declaration::Provider;
use super::state::{
    ActionExecution, ActionStatus, Artifact, ErrorDetails, Execution, Job, JobState,
};
use super::{CodePipelineEvent, engine, permissions, source};
use crate::{Aws, Quirk, lambda};

/// How long a job may stay without a result.
const SILENCE: Duration = Duration::from_secs(20 * 60);
/// How long a job's credentials are good for.
pub const CREDENTIALS_MS: i64 = 60 * 60 * 1000;
/// What the key ids of these credentials, and of no others, begin with.
pub(crate) const JOB_KEY: &str = "ASIAFAKE";

/// Gives an action that is in progress its first job, or the next one with the token that the last
/// one left.
pub(super) fn give(aws: &mut Aws, execution_id: &str, action_id: &str, token: Option<String>) {
    if !is_in_progress(aws, execution_id, action_id) {
        return;
    }

    place_outputs(aws, execution_id, action_id);
    let Some((job, random)) = new_job(aws, execution_id, action_id, token) else {
        return;
    };
    if job.action_type.is_some() {
        return queue(aws, job);
    }

    let Some(execution) = aws.codepipeline.execution(execution_id) else {
        return;
    };
    let Some((_, action)) = execution.action(action_id) else {
        return;
    };
    let declaration = Arc::clone(&execution.declaration);
    let encryption_key = declaration.encryption_key.as_deref();
    let event = event(aws, &job, action, encryption_key, &random);
    if let Err(error) = permissions::function(aws, &declaration.role, &job.function) {
        return engine::finish_action(aws, execution_id, action_id, Err(error));
    }

    aws.codepipeline.jobs.push(job.clone());
    invoke(aws, &job, event);
}

/// A job of an action with this token, and what its credentials are made of.
fn new_job(
    aws: &mut Aws,
    execution_id: &str,
    action_id: &str,
    token: Option<String>,
) -> Option<(Job, String)> {
    let id = aws.uuid();
    let random = aws.hex(32).to_uppercase();
    let execution = aws.codepipeline.execution(execution_id)?;
    let (stage, action) = execution.action(action_id)?;
    let function = action.resolved.get("FunctionName").cloned();
    let job = Job {
        id,
        pipeline: execution.pipeline.clone(),
        execution: execution_id.to_owned(),
        stage: stage.name.clone(),
        action: action.name.clone(),
        action_execution: action_id.to_owned(),
        function: function.unwrap_or_default(),
        action_type: action_type(execution, &stage.name, &action.name),
        nonce: 0,
        continuation_token: token,
        access_key_id: format!("{JOB_KEY}{}", &random[..12]),
        credentials_issued: aws.now,
        created: aws.now,
        ended: None,
        state: JobState::InProgress,
        reports: Vec::new(),
    };
    Some((job, random))
}

/// The type of a custom action.
fn action_type(execution: &Execution, stage: &str, action: &str) -> Option<Arc<ActionType>> {
    match &execution.declaration.action(stage, action)?.provider {
        Provider::Custom(of_type) => Some(Arc::clone(of_type)),
        _ => None,
    }
}

/// Keeps a job of a custom action until a worker polls for it. No role of the pipeline is needed.
fn queue(aws: &mut Aws, job: Job) {
    if aws.draw_quirk(Quirk::LimitsJobsOfCustomActions) {
        let id = job.id.clone();
        aws.schedule(
            engine::OTHER_ACTION_LIMIT,
            CodePipelineEvent::JobSilent { job: id },
        );
    }
    aws.codepipeline.jobs.push(Job {
        state: JobState::Queued,
        ..job
    });
}

fn is_in_progress(aws: &Aws, execution_id: &str, action_id: &str) -> bool {
    aws.codepipeline
        .execution(execution_id)
        .and_then(|execution| execution.action(action_id))
        .is_some_and(|(_, action)| action.status == ActionStatus::InProgress)
}

/// Invokes the function of a job; the action fails if it cannot be invoked.
fn invoke(aws: &mut Aws, job: &Job, event: Value) {
    let function = &job.function;
    match lambda::invoke_async(aws, function, event) {
        Ok(_) => {
            let id = job.id.clone();
            aws.schedule(SILENCE, CodePipelineEvent::JobSilent { job: id });
        }
        Err(error) => {
            let message = format!(
                "The AWS Lambda function {function} cannot be invoked: {}",
                error.message
            );
            engine::finish_action(
                aws,
                &job.execution,
                &job.action_execution,
                Err(ErrorDetails::new("ConfigurationError", message)),
            );
        }
    }
}

/// The places of the output artifacts are chosen once, for all jobs of an action.
fn place_outputs(aws: &mut Aws, execution_id: &str, action_id: &str) {
    let Some(execution) = aws.codepipeline.execution(execution_id) else {
        return;
    };
    let Some((stage, action)) = execution.action(action_id) else {
        return;
    };
    let Some(declared) = execution.declaration.action(&stage.name, &action.name) else {
        return;
    };
    if !action.output_artifacts.is_empty() || declared.output_artifacts.is_empty() {
        return;
    }

    let (execution, names) = (execution.clone(), declared.output_artifacts.clone());
    let place = |name: String| {
        let place = source::location(aws, &execution, &name);
        (name, place)
    };
    let placed = names.into_iter().map(place).collect();

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

pub(super) fn artifacts(artifacts: &[(String, Artifact)]) -> Value {
    let described = |(name, artifact): &(String, Artifact)| {
        json!({
            "location": {
                "s3Location": {"bucketName": artifact.bucket, "objectKey": artifact.key},
                "type": "S3",
            },
            "revision": artifact.revision, "name": name,
        })
    };
    artifacts.iter().map(described).collect()
}

/// Fails the action of a job that was not reported in time.
pub(super) fn silent(aws: &mut Aws, id: &str) {
    let now = aws.now;
    let Some(job) = aws.codepipeline.job_mut(id).filter(|job| job.is_open()) else {
        return;
    };

    job.state = JobState::TimedOut;
    job.ended = Some(now);
    let (execution, action) = (job.execution.clone(), job.action_execution.clone());
    let error = if job.action_type.is_some() {
        ErrorDetails::late(
            "The action failed because its job was not complete within the time that its action \
             type allows",
        )
    } else {
        let message = format!(
            "The AWS Lambda function {} failed to return a result. Check the function to verify \
             that it has permission to call the PutJobSuccessResult action and that it made a call \
             to PutJobSuccessResult.",
            job.function
        );
        ErrorDetails::new("JobFailed", message)
    };
    engine::finish_action(aws, &execution, &action, Err(error));
}
