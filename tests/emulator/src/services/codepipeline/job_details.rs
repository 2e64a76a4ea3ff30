//! What a job worker can learn of its job beside the event that brought it: above all, to which
//! pipeline the job belongs.

use serde_json::{Value, json};

use super::input::{self, Checks, ID};
use super::state::{ActionExecution, Artifact, Execution, Job};
use super::{job_not_found, jobs};
use crate::nulls::remove_nulls;
use crate::{ApiError, Aws, Quirk};

/// The documents have ARN and execution id for custom jobs: what a Lambda function gets is drawn
/// once an account.
pub(super) fn get(aws: &mut Aws, given: &Value) -> Result<Value, ApiError> {
    input::only(given, &["jobId"])?;
    let mut checks = Checks::default();
    let id = checks.text(&given["jobId"], "jobId", &ID)?;
    checks.done()?;

    let now = aws.now;
    let is_custom = aws
        .codepipeline
        .job(id)
        .is_some_and(|job| job.action_type.is_some());
    let is_short = !is_custom && aws.draw_quirk(Quirk::OmitsPipelineArn);
    if is_custom && let Some(job) = aws.codepipeline.job_mut(id) {
        job.credentials_issued = now;
    }
    let job = aws.codepipeline.job(id).ok_or_else(|| job_not_found(id))?;
    let execution = aws.codepipeline.execution(&job.execution);
    let found = execution.and_then(|execution| {
        let (_, action) = execution.action(&job.action_execution)?;
        let mut data = data(aws, job, execution, action);
        if is_short && let Some(context) = data["pipelineContext"].as_object_mut() {
            context.remove("pipelineArn");
            context.remove("pipelineExecutionId");
        }
        Some(data)
    });
    Ok(json!({
        "jobDetails": {"id": job.id, "accountId": aws.account, "data": found},
    }))
}

/// What a worker learns of a job.
pub(super) fn data(aws: &Aws, job: &Job, execution: &Execution, action: &ActionExecution) -> Value {
    let of_lambda =
        || json!({"category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1"});
    let of_type = job.action_type.as_ref();
    let mut data = json!({
        "actionTypeId": of_type.map_or_else(of_lambda, |of_type| of_type.id()),
        "actionConfiguration": {"configuration": action.resolved},
        "pipelineContext": {
            "pipelineName": job.pipeline,
            "stage": {"name": job.stage},
            "action": {"name": job.action, "actionExecutionId": job.action_execution},
            "pipelineArn": aws.arn("codepipeline", &job.pipeline),
            "pipelineExecutionId": job.execution,
        },
        "inputArtifacts": described(&action.input_artifacts),
        "outputArtifacts": described(&action.output_artifacts),
        "artifactCredentials": {
            "accessKeyId": job.access_key_id,
            "secretAccessKey": format!("FAKE/NotASecret/{}", job.id),
            "sessionToken": format!("FAKEsessionTOKEN//////////{}==", job.id),
        },
    });
    if let Some(token) = &job.continuation_token {
        data["continuationToken"] = json!(token);
    }
    if let Some(key) = &execution.declaration.encryption_key {
        data["encryptionKey"] = json!({"id": key, "type": "KMS"});
    }
    data
}

/// Artifacts as a response has them: without what they do not have, which is null in an event.
fn described(given: &[(String, Artifact)]) -> Value {
    let mut artifacts = jobs::artifacts(given);
    for artifact in artifacts.as_array_mut().into_iter().flatten() {
        remove_nulls(artifact.as_object_mut().expect("an object"));
    }
    artifacts
}
