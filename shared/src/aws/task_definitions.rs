//! Task definitions of Amazon ECS, as raw JSON in both directions.
//!
//! The SDK parses an answer into types that know today's fields only. An interceptor keeps the bytes of the answer, and a
//! request's body is replaced before it is signed, so that fields of tomorrow survive while signing and retries stay the SDK's.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_ecs::Client;
use aws_sdk_ecs::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_ecs::config::retry::RetryConfig;
use aws_sdk_ecs::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ecs::error::BoxError;
use aws_sdk_ecs::types::{TaskDefinitionField, TaskDefinitionStatus};
use aws_smithy_types::body::SdkBody;
use serde_json::Value;

use super::{AwsError, Sdk};
use crate::task_definition::TaskDefinition;

#[derive(Clone, Debug)]
pub struct TaskDefinitions {
    client: Client,
}

/// Keeps the body of the last answer. `Debug` shows none of it.
#[derive(Clone, Default)]
struct KeepBody(Arc<Mutex<Vec<u8>>>);

impl std::fmt::Debug for KeepBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeepBody")
    }
}

impl Intercept for KeepBody {
    fn name(&self) -> &'static str {
        "KeepBody"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().unwrap_or_default();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = body.to_vec();
        Ok(())
    }
}

/// ECS has no exception of its own for a task definition that is not there.
fn is_missing(error: &AwsError) -> bool {
    error.code == "ClientException" && error.message.contains("Unable to describe task definition")
}

impl TaskDefinitions {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            client: Client::new(&sdk.config),
        }
    }

    /// A task definition by ARN, `family:revision`, or family (its newest active revision), with its ARN and its tags.
    /// `None` when there is none.
    ///
    /// # Errors
    /// When the call fails or the answer is not what ECS answers.
    pub async fn describe(&self, name: &str) -> Result<Option<(String, TaskDefinition)>, AwsError> {
        const OPERATION: &str = "ecs:DescribeTaskDefinition";
        let body = KeepBody::default();
        let request = self
            .client
            .describe_task_definition()
            .task_definition(name)
            .include(TaskDefinitionField::Tags);
        let answer = match request
            .customize()
            .interceptor(body.clone())
            .send()
            .await
            .map_err(AwsError::from_sdk(OPERATION))
        {
            Ok(answer) => answer,
            Err(error) if is_missing(&error) => return Ok(None),

            Err(error) => return Err(error),
        };
        let arn = answer
            .task_definition()
            .and_then(|definition| definition.task_definition_arn());
        let arn =
            arn.ok_or_else(|| AwsError::unexpected(OPERATION, format!("no ARN for {name}")))?;
        let bytes = body
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let value: Value = serde_json::from_slice(&bytes)
            .map_err(|e| AwsError::unexpected(OPERATION, e.to_string()))?;
        let definition =
            TaskDefinition::from_value(value).map_err(|e| AwsError::unexpected(OPERATION, e))?;
        Ok(Some((arn.to_owned(), definition)))
    }

    /// Whether a revision is there and active.
    ///
    /// # Errors
    /// When the call fails or the answer lacks the status.
    pub async fn is_active(&self, arn: &str) -> Result<bool, AwsError> {
        const OPERATION: &str = "ecs:DescribeTaskDefinition";
        let request = self.client.describe_task_definition().task_definition(arn);
        let answer = match request.send().await.map_err(AwsError::from_sdk(OPERATION)) {
            Ok(answer) => answer,
            Err(error) if is_missing(&error) => return Ok(false),
            Err(error) => return Err(error),
        };
        let status = answer
            .task_definition()
            .and_then(|definition| definition.status());
        let status = status
            .ok_or_else(|| AwsError::unexpected(OPERATION, format!("no status for {arn}")))?;
        Ok(*status == TaskDefinitionStatus::Active)
    }

    /// Deregisters a revision: what runs it goes on, and its family's newest active revision is the one before.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn deregister(&self, arn: &str) -> Result<(), AwsError> {
        let request = self
            .client
            .deregister_task_definition()
            .task_definition(arn);
        request
            .send()
            .await
            .map(drop)
            .map_err(AwsError::from_sdk("ecs:DeregisterTaskDefinition"))
    }

    /// Registers a revision and answers its ARN. The JSON is sent as it is, and once: a second attempt after a lost answer would register a second
    /// revision.
    ///
    /// # Errors
    /// When ECS refuses it; values of environment variables that the message quotes are blotted out.
    pub async fn register(&self, definition: &TaskDefinition) -> Result<String, AwsError> {
        const OPERATION: &str = "ecs:RegisterTaskDefinition";
        let text = definition.text();
        let once = aws_sdk_ecs::config::Builder::new().retry_config(RetryConfig::disabled());
        let request = self
            .client
            .register_task_definition()
            .family(definition.family())
            .customize();
        let request = request
            .config_override(once)
            .mutate_request(move |request| {
                request
                    .headers_mut()
                    .insert("content-length", text.len().to_string());
                *request.body_mut() = SdkBody::from(text.as_str());
            });
        let answer = request
            .send()
            .await
            .map_err(AwsError::from_sdk(OPERATION))
            .map_err(|e| e.redacted(definition.environment_values()))?;
        let arn = answer
            .task_definition
            .and_then(|definition| definition.task_definition_arn);
        arn.ok_or_else(|| AwsError::unexpected(OPERATION, "no ARN"))
    }
}
