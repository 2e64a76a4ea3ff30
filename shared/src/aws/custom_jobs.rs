//! The jobs of custom actions, which CodePipeline keeps until a worker polls for them.

use std::sync::Arc;

use aws_sdk_codepipeline::config::Builder;
use aws_sdk_codepipeline::types::{
    ActionCategory, ActionOwner, ActionTypeId as SdkActionTypeId, Artifact as SdkArtifact, Job,
    JobData,
};
use aws_smithy_types::retry::RetryConfig;

use super::clients::Clients;
use super::pages::Pages;
use super::{AwsError, ErrorKind, Sdk};
use crate::job::{Acknowledged, ActionTypeId, Artifact, PROVIDER_PREFIX, PolledJob};
use crate::limits::POLL_BATCH;

#[derive(Clone, Debug)]
pub struct CustomJobs {
    clients: Arc<Clients>,
}

impl CustomJobs {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            clients: Arc::clone(&sdk.own),
        }
    }

    /// The account's types whose jobs are to be taken, also in versions and of steps that these
    /// functions do not know: such a job is to fail with that reason.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn types(&self) -> Result<Vec<ActionTypeId>, AwsError> {
        const OPERATION: &str = "codepipeline:ListActionTypes";
        let mut types = Vec::new();
        let mut pages = Pages::new(OPERATION);
        while let Some(start) = pages.next_start()? {
            let request = self
                .clients
                .codepipeline()
                .list_action_types()
                .action_owner_filter(ActionOwner::Custom)
                .set_next_token(start);
            let page = request.send().await;
            let page = page.map_err(AwsError::from_sdk(OPERATION))?;
            pages.go_on(page.next_token);
            let ids = page.action_types.into_iter().filter_map(|known| known.id);
            types.extend(
                ids.filter(|id| id.provider.starts_with(PROVIDER_PREFIX))
                    .map(|id| ActionTypeId {
                        category: id.category.as_str().to_owned(),
                        provider: id.provider,
                        version: id.version,
                    }),
            );
        }
        Ok(types)
    }

    /// The jobs of a type that wait, at most [`POLL_BATCH`]; none if the account does not have the
    /// type.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn waiting(&self, of_type: &ActionTypeId) -> Result<Vec<PolledJob>, AwsError> {
        const OPERATION: &str = "codepipeline:PollForJobs";
        let id = SdkActionTypeId::builder()
            .category(ActionCategory::from(of_type.category.as_str()))
            .owner(ActionOwner::Custom)
            .provider(&of_type.provider)
            .version(&of_type.version)
            .build()
            .map_err(|e| AwsError::unexpected(OPERATION, e.to_string()))?;
        let request = self
            .clients
            .codepipeline()
            .poll_for_jobs()
            .action_type_id(id)
            .max_batch_size(POLL_BATCH);

        match request.send().await.map_err(AwsError::from_sdk(OPERATION)) {
            Ok(found) => Ok(found
                .jobs
                .unwrap_or_default()
                .into_iter()
                .filter_map(|job| polled(job, of_type))
                .collect()),
            Err(error) if error.code == "ActionTypeNotFoundException" => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Acknowledges a job. The call is made once: repeated after a response that was lost, it would
    /// be refused as if another worker had the job.
    ///
    /// # Errors
    /// When CodePipeline refuses the call for another reason than that.
    pub async fn acknowledge(&self, job: &PolledJob) -> Result<Acknowledged, AwsError> {
        let request = self
            .clients
            .codepipeline()
            .acknowledge_job()
            .job_id(&job.id)
            .nonce(&job.nonce)
            .customize()
            .config_override(Builder::default().retry_config(RetryConfig::disabled()));
        let sent = request.send().await;

        match sent.map_err(AwsError::from_sdk("codepipeline:AcknowledgeJob")) {
            Ok(_) => Ok(Acknowledged::Taken),
            Err(error)
                if ["InvalidNonceException", "JobNotFoundException"]
                    .contains(&error.code.as_str()) =>
            {
                Ok(Acknowledged::Lost)
            }
            Err(error) if may_have_effect(&error) => Ok(Acknowledged::InDoubt),
            Err(error) => Err(error),
        }
    }
}

/// Whether a call may have had its effect although it failed: one that was throttled has none.
fn may_have_effect(error: &AwsError) -> bool {
    let is_open = matches!(error.kind, ErrorKind::Busy | ErrorKind::Unexpected);
    is_open && !error.code.contains("Throttling")
}

/// A job without an id or a nonce cannot be acknowledged. Its credentials stay here: a step fetches
/// its own when it reads an artifact, so that none is in the queue of a function's events.
fn polled(job: Job, of_type: &ActionTypeId) -> Option<PolledJob> {
    let (id, nonce) = (job.id?, job.nonce?);
    let JobData {
        action_configuration,
        pipeline_context,
        input_artifacts,
        continuation_token,
        ..
    } = job.data?;

    let configuration = action_configuration.and_then(|it| it.configuration);
    let (pipeline, execution) = pipeline_context.map_or((None, None), |context| {
        (context.pipeline_name, context.pipeline_execution_id)
    });
    Some(PolledJob {
        id,
        nonce,
        account: job.account_id,
        of_type: of_type.clone(),
        configuration: configuration.unwrap_or_default().into_iter().collect(),
        pipeline,
        execution,
        token: continuation_token,
        artifacts: input_artifacts
            .unwrap_or_default()
            .into_iter()
            .filter_map(artifact)
            .collect(),
    })
}

fn artifact(artifact: SdkArtifact) -> Option<Artifact> {
    let place = artifact.location?.s3_location?;
    Some(Artifact {
        name: artifact.name?,
        bucket: place.bucket_name,
        key: place.object_key,
    })
}
