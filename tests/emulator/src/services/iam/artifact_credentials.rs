//! A job's temporary credentials: a session of the pipeline's role, cut down to the job's
//! artifacts.
//!
//! Source:
//! <https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_AWSSessionCredentials.html>

use super::actions::{self, IamRequest};
use super::{Demand, Principal, Session, deny, error, require};
use crate::codepipeline::{Artifact, CREDENTIALS_MS, JOB_KEY, Job};
use crate::service::Errors;
use crate::{ApiError, Aws, Request};

/// The job whose credentials signed a request.
pub(super) fn job(aws: &Aws, request: &Request) -> Option<Job> {
    let key = request.access_key()?;
    if !key.starts_with(JOB_KEY) {
        return None;
    }
    aws.codepipeline
        .jobs
        .iter()
        .find(|job| job.access_key_id == key)
        .cloned()
}

pub(super) fn authorize(
    aws: &mut Aws,
    job: &Job,
    request: &IamRequest,
    errors: Errors,
) -> Result<(), ApiError> {
    if aws.now >= job.credentials_issued + CREDENTIALS_MS {
        return Err(errors.expired.error());
    }
    let Some(session) = session(aws, job) else {
        return Err(errors.unknown_key.error());
    };
    aws.iam.principal = Principal::Artifacts(session.clone());
    let Some(demands) = actions::demands(aws, request) else {
        return Err(ApiError::unknown_operation(&format!(
            "{}:{}",
            request.service, request.operation
        )));
    };

    demands.iter().try_for_each(|demand| {
        if !covers(aws, job, demand) {
            let reason = error::not_allowed_by_session(&demand.action);
            let denial = deny(aws, &session, demand, &reason);
            return Err(errors.denied(denial.message));
        }

        // A role that no template created has no policy to evaluate.
        if aws.cloudformation.iam.role_by_arn(&session.role).is_none() {
            return Ok(());
        }
        require(aws, &session, demand).map_err(|denial| errors.denied(denial.message))
    })
}

fn session(aws: &Aws, job: &Job) -> Option<Session> {
    let execution = aws.codepipeline.execution(&job.execution)?;
    Some(Session::of(
        &execution.declaration.role,
        job.created.to_string(),
    ))
}

/// Whether the credentials cover the demand: reading an input artifact of the job, or writing an
/// output artifact.
fn covers(aws: &Aws, job: &Job, demand: &Demand) -> bool {
    let execution = aws.codepipeline.execution(&job.execution);
    let Some((_, action)) = execution.and_then(|execution| execution.action(&job.action_execution))
    else {
        return false;
    };

    let artifacts = match demand.action.as_str() {
        "s3:GetObject" | "s3:GetObjectVersion" => &action.input_artifacts,
        "s3:PutObject" => &action.output_artifacts,
        _ => return false,
    };
    let arn = |artifact: &Artifact| {
        let object = format!("{}/{}", artifact.bucket, artifact.key);
        aws.partition().arn("s3", "", &object)
    };
    artifacts
        .iter()
        .any(|(_, artifact)| arn(artifact) == demand.resource)
}
