//! Pipeline executions: started for a pushed digest, and looked at by the sweep.

use aws_sdk_codepipeline::Client;
use aws_sdk_codepipeline::types::{SourceRevisionOverride, SourceRevisionType};

use super::{AwsError, Sdk};

/// Codes for an execution that CodePipeline cannot know, such as a person's release under an id of their own.
const UNKNOWN: [&str; 3] = [
    "PipelineNotFoundException",
    "PipelineExecutionNotFoundException",
    "ValidationException",
];

#[derive(Clone, Debug)]
pub struct Executions {
    client: Client,
}

impl Executions {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            client: Client::new(&sdk.config),
        }
    }

    /// Starts an execution whose source action `action` takes `digest`; the same `token` again answers the same execution.
    ///
    /// # Errors
    /// When the call fails or answers no execution id.
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
            .client
            .start_pipeline_execution()
            .name(pipeline)
            .source_revisions(revision)
            .client_request_token(token);
        let answer = request
            .send()
            .await
            .map_err(AwsError::from_sdk(OPERATION))?;
        answer
            .pipeline_execution_id
            .ok_or_else(|| AwsError::unexpected(OPERATION, "no execution id"))
    }

    /// The status word of an execution (`InProgress`, `Failed`, …), or `None` when CodePipeline does not know it.
    ///
    /// # Errors
    /// When the call fails or answers no status.
    pub async fn status(
        &self,
        pipeline: &str,
        execution: &str,
    ) -> Result<Option<String>, AwsError> {
        const OPERATION: &str = "codepipeline:GetPipelineExecution";
        let request = self
            .client
            .get_pipeline_execution()
            .pipeline_name(pipeline)
            .pipeline_execution_id(execution);
        let answer = match request.send().await.map_err(AwsError::from_sdk(OPERATION)) {
            Ok(answer) => answer,
            Err(error) if UNKNOWN.contains(&error.code.as_str()) => return Ok(None),
            Err(error) => return Err(error),
        };
        let status = answer
            .pipeline_execution
            .and_then(|execution| execution.status);
        status
            .map(|status| Some(status.as_str().to_owned()))
            .ok_or_else(|| AwsError::unexpected(OPERATION, "no status"))
    }
}
