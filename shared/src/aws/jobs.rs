//! Reports to CodePipeline, which keeps the first one for each job, and the pipeline and the
//! execution that a job belongs to.

use std::sync::Arc;

use aws_sdk_codepipeline::types::{
    ExecutionDetails, FailureDetails, FailureType as SdkFailureType, JobDetails,
};

use super::clients::Clients;
use super::{AwsError, ErrorKind, Sdk};
use crate::job::{Credentials, Failure, FailureType, JobOutcome, JobReport, clipped};
use crate::limits::{
    EXTERNAL_ID_CHARS, FAILURE_MESSAGE_CHARS, JOB_ATTEMPTS, STEP_BUDGET, SUMMARY_CHARS,
};
use crate::release::{StatedJob, StatedPipeline};
use crate::timestamp::Timestamp;

/// An invocation that ends with an error is retried by Lambda.
pub type Retry = Box<dyn std::error::Error + Send + Sync>;

#[derive(Clone, Debug)]
pub struct Jobs {
    sdk: Sdk,
    clients: Arc<Clients>,
    step: &'static str,
}

impl Jobs {
    /// Jobs of the step `step`, the function's name.
    #[must_use]
    pub fn new(sdk: &Sdk, step: &'static str) -> Self {
        Self {
            sdk: sdk.clone(),
            clients: Arc::clone(&sdk.own),
            step,
        }
    }

    /// Reports the result of a job, in an invocation that `began` then. It is reported again while
    /// CodePipeline is busy, and a result that CodePipeline does not accept becomes a failure: the
    /// action of a job without a result does not end.
    ///
    /// # Errors
    /// When the call fails: Lambda then delivers the event again.
    pub async fn report(
        &self,
        id: &str,
        mut outcome: JobOutcome,
        began: Timestamp,
    ) -> Result<(), AwsError> {
        let mut attempts = 1;
        loop {
            // Boxed: the SDK's futures are deep.
            let sent = Box::pin(self.send(id, outcome.clone())).await;
            let is_success = matches!(outcome, JobOutcome::Succeeded { .. });
            match sent {
                Err(error)
                    if error.kind == ErrorKind::Busy
                        && attempts < JOB_ATTEMPTS
                        && self.sdk.now().since(began) < STEP_BUDGET =>
                {
                    attempts += 1;
                }
                Err(error) if error.kind == ErrorKind::Rejected && is_success => {
                    outcome = JobOutcome::Failed(not_accepted(&error));
                }
                sent => return sent,
            }
        }
    }

    /// Sends the result of a job. A job that already has a result keeps it, and one that
    /// CodePipeline does not know gets none.
    async fn send(&self, id: &str, outcome: JobOutcome) -> Result<(), AwsError> {
        let sent = match outcome {
            JobOutcome::Failed(failure) => self.fail(id, &failure).await,
            JobOutcome::Succeeded { report, token } => match report.failure() {
                Some(failure) => self.fail(id, &failure).await,
                None => self.succeed(id, report, token).await,
            },
        };

        match sent {
            // Another delivery of this job reported first, or the execution was stopped.
            Err(error) if error.code == "InvalidJobStateException" => {
                tracing::info!(job = id, code = error.code, "the job already has a result");
                Ok(())
            }
            // A repeated invocation could not report it either. Its content was logged above.
            Err(error) if is_unreportable(&error, id) => {
                let error = error.to_string();
                tracing::warn!(
                    job = id,
                    error,
                    "CodePipeline does not accept a result for this job"
                );
                Ok(())
            }
            other => other,
        }
    }

    /// The pipeline and the execution that a job belongs to. CodePipeline documents the pipeline's
    /// ARN and the execution for the jobs of custom actions (CodePipeline API: PipelineContext), so
    /// that they may be missing.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn stated(&self, id: &str) -> Result<StatedJob, AwsError> {
        let details = details(&self.clients, id).await?;
        let account = details
            .as_ref()
            .and_then(|details| details.account_id.clone());
        let context = details
            .and_then(|details| details.data)
            .and_then(|data| data.pipeline_context);
        let (arn, name, execution) = context.map_or((None, None, None), |context| {
            (
                context.pipeline_arn,
                context.pipeline_name,
                context.pipeline_execution_id,
            )
        });
        let pipeline = StatedPipeline {
            arn,
            account,
            region: self.sdk.region().map(ToOwned::to_owned),
            name,
        };
        Ok(StatedJob {
            pipeline,
            execution,
        })
    }

    async fn succeed(
        &self,
        id: &str,
        report: JobReport,
        token: Option<String>,
    ) -> Result<(), AwsError> {
        let (summary, outputs, percent, external_id) = match report {
            JobReport::Done {
                summary,
                outputs,
                external_id,
            } => (summary, outputs, 100, external_id),
            JobReport::InProgress {
                summary,
                percent,
                external_id,
                ..
            } => (summary, Default::default(), percent, external_id),
            JobReport::Checked(checks) => (checks.summary(), Default::default(), 100, None),
        };
        tracing::info!(
            job = id,
            step = self.step,
            percent,
            in_progress = token.is_some(),
            summary
        );

        let details = ExecutionDetails::builder()
            .summary(clipped(&summary, SUMMARY_CHARS))
            .percent_complete(i32::from(percent))
            .set_external_execution_id(external_id.map(|id| clipped(&id, EXTERNAL_ID_CHARS)));
        // CodePipeline takes output variables from the last report of an action only.
        let outputs = token.is_none().then(|| outputs.into_iter().collect());

        let request = self
            .clients
            .codepipeline()
            .put_job_success_result()
            .job_id(id)
            .execution_details(details.build())
            .set_continuation_token(token)
            .set_output_variables(outputs);
        request
            .send()
            .await
            .map(drop)
            .map_err(AwsError::from_sdk("codepipeline:PutJobSuccessResult"))
    }

    async fn fail(&self, id: &str, failure: &Failure) -> Result<(), AwsError> {
        const OPERATION: &str = "codepipeline:PutJobFailureResult";
        tracing::warn!(
            job = id,
            step = self.step,
            kind = ?failure.kind,
            message = failure.message,
            "failed"
        );

        let kind = match failure.kind {
            FailureType::JobFailed => SdkFailureType::JobFailed,
            FailureType::ConfigurationError => SdkFailureType::ConfigurationError,
            FailureType::PermissionError => SdkFailureType::PermissionError,
            FailureType::RevisionUnavailable => SdkFailureType::RevisionUnavailable,
        };
        let details = FailureDetails::builder()
            .r#type(kind)
            .message(clipped(&failure.message, FAILURE_MESSAGE_CHARS))
            .build();
        let details = details.map_err(|e| AwsError::unexpected(OPERATION, e.to_string()))?;

        let request = self
            .clients
            .codepipeline()
            .put_job_failure_result()
            .job_id(id)
            .failure_details(details);
        request
            .send()
            .await
            .map(drop)
            .map_err(AwsError::from_sdk(OPERATION))
    }
}

/// Credentials for the artifacts of a job, new ones each time.
///
/// # Errors
/// When the call fails.
pub(super) async fn credentials(sdk: &Sdk, id: &str) -> Result<Option<Credentials>, AwsError> {
    let details = details(&sdk.own, id).await?;
    let data = details.and_then(|details| details.data);
    let found = data.and_then(|data| data.artifact_credentials);
    Ok(found.map(|found| Credentials {
        access_key_id: found.access_key_id,
        secret_access_key: found.secret_access_key,
        session_token: found.session_token,
    }))
}

async fn details(clients: &Clients, id: &str) -> Result<Option<JobDetails>, AwsError> {
    let request = clients.codepipeline().get_job_details().job_id(id);
    let found = request
        .send()
        .await
        .map_err(AwsError::from_sdk("codepipeline:GetJobDetails"))?;
    Ok(found.job_details)
}

/// The result of a job whose own one CodePipeline refused, as it would in each invocation.
fn not_accepted(error: &AwsError) -> Failure {
    Failure::job(format!(
        "CodePipeline does not accept the result of this step: {error}"
    ))
}

/// Whether CodePipeline does not know a job with this id, or does not accept the id.
fn is_unreportable(error: &AwsError, id: &str) -> bool {
    match error.code.as_str() {
        "JobNotFoundException" => true,
        "ValidationException" => !is_job_id(id),
        _ => false,
    }
}

/// Whether CodePipeline could have given a job this id (CodePipeline API: PutJobSuccessResult,
/// `jobId`).
fn is_job_id(id: &str) -> bool {
    let is_hex = |part: &str| {
        part.bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let parts: Vec<&str> = id.split('-').collect();
    parts.iter().all(|part| is_hex(part))
        && parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
}
