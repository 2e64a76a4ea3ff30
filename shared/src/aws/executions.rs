//! Pipeline executions: started for a pushed digest, and observed by the sweep.

use std::sync::Arc;

use aws_sdk_codepipeline::types::{SourceRevisionOverride, SourceRevisionType};

use super::clients::Clients;
use super::{AwsError, Sdk};

/// Error codes for an execution that CodePipeline does not know.
const UNKNOWN: [&str; 2] = [
    "PipelineNotFoundException",
    "PipelineExecutionNotFoundException",
];

#[derive(Clone, Debug)]
pub struct Executions {
    clients: Arc<Clients>,
}

impl Executions {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            clients: Arc::clone(&sdk.service),
        }
    }

    /// Starts an execution whose source action `action` takes `digest`, and returns its id. The
    /// same `token` again returns the same execution.
    ///
    /// # Errors
    /// If the call fails or returns no execution id.
    pub async fn start(
        &self,
        pipeline: &str,
        action: &str,
        digest: &str,
        token: &str,
    ) -> Result<String, AwsError> {
        const OPERATION: &str = "codepipeline:StartPipelineExecution";

        let revision = SourceRevisionOverride::builder()
            .action_name(action)
            .revision_type(SourceRevisionType::ImageDigest)
            .revision_value(digest)
            .build()
            .map_err(|e| AwsError::unexpected(OPERATION, e.to_string()))?;
        let request = self
            .clients
            .codepipeline()
            .start_pipeline_execution()
            .name(pipeline)
            .source_revisions(revision)
            .client_request_token(token);

        let started = request
            .send()
            .await
            .map_err(AwsError::from_sdk(OPERATION))?;
        started
            .pipeline_execution_id
            .ok_or_else(|| AwsError::unexpected(OPERATION, "no execution id"))
    }

    /// The status of an execution (`InProgress`, `Failed`, …), or `None` if CodePipeline does not
    /// know the execution.
    ///
    /// # Errors
    /// If the call fails or returns no status.
    pub async fn status(
        &self,
        pipeline: &str,
        execution: &str,
    ) -> Result<Option<String>, AwsError> {
        const OPERATION: &str = "codepipeline:GetPipelineExecution";

        let request = self
            .clients
            .codepipeline()
            .get_pipeline_execution()
            .pipeline_name(pipeline)
            .pipeline_execution_id(execution);
        let found = match request.send().await.map_err(AwsError::from_sdk(OPERATION)) {
            Ok(found) => found,
            Err(error) if is_unknown(&error, execution) => return Ok(None),
            Err(error) => return Err(error),
        };

        let status = found
            .pipeline_execution
            .and_then(|execution| execution.status);
        status
            .map(|status| Some(status.as_str().to_owned()))
            .ok_or_else(|| AwsError::unexpected(OPERATION, "no status"))
    }
}

/// Whether CodePipeline does not know the execution. It refuses an id that an operator chose for a
/// manual release. It accepts the ids that it issued, so for these a refusal means something else.
fn is_unknown(error: &AwsError, execution: &str) -> bool {
    let is_own_id = execution.len() == 36 && execution.split('-').count() == 5;
    UNKNOWN.contains(&error.code.as_str()) || error.code == "ValidationException" && !is_own_id
}
