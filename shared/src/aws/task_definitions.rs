//! Task definitions of Amazon ECS, as raw JSON in both directions.
//!
//! Never reads a definition through the SDK's types: they drop every field that is newer than the
//! SDK. An interceptor keeps the bytes of a response, and a request's body is replaced before it is
//! signed, so that unknown fields survive while signing and retries remain the SDK's.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_ecs::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_ecs::config::retry::RetryConfig;
use aws_sdk_ecs::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ecs::error::BoxError;
use aws_sdk_ecs::types::{SortOrder, TaskDefinitionField, TaskDefinitionStatus};
use aws_smithy_types::body::SdkBody;
use serde_json::Value;

use super::clients::Clients;
use super::{AwsError, Sdk};
use crate::limits::{CLOCK_SKEW, DESCRIBED_REVISIONS, PAGES};
use crate::task_definition::{Mark, Marked, TaskDefinition, own};
use crate::timestamp::Timestamp;

const DESCRIBE: &str = "ecs:DescribeTaskDefinition";
const LIST: &str = "ecs:ListTaskDefinitions";

#[derive(Clone, Debug)]
pub struct TaskDefinitions {
    clients: Arc<Clients>,
    /// The ARN of the role under which revisions are registered; none for the function's own.
    role: Option<String>,
}

/// A described revision.
struct Described {
    arn: String,
    is_active: Option<bool>,
    registered_at: Option<Timestamp>,
    definition: TaskDefinition,
    registrant: Option<String>,
}

/// Keeps the body of the last response. `Debug` shows none of it: it can hold secrets.
#[derive(Clone, Default)]
struct BodyRecorder(Arc<Mutex<Vec<u8>>>);

impl std::fmt::Debug for BodyRecorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BodyRecorder")
    }
}

impl Intercept for BodyRecorder {
    fn name(&self) -> &'static str {
        "BodyRecorder"
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

impl BodyRecorder {
    fn bytes(&self) -> Vec<u8> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// A refusal of a definition without the values of environment variables, and with the members of
/// wrong types, which ECS does not name.
fn explained(error: AwsError, definition: &TaskDefinition) -> AwsError {
    let mut message = definition.redacted(&error.message);
    if error.code == "SerializationException" {
        for wrong in definition.wrong_types() {
            message = format!("{message}; {wrong}");
        }
    }
    AwsError { message, ..error }
}

fn is_active(status: &TaskDefinitionStatus) -> bool {
    *status == TaskDefinitionStatus::Active
}

fn no_status(arn: &str) -> AwsError {
    AwsError::unexpected(DESCRIBE, format!("no status for {arn}"))
}

/// The number of a revision within its family.
fn number(arn: &str) -> Option<u64> {
    arn.rsplit(':').next()?.parse().ok()
}

impl TaskDefinitions {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            clients: Arc::clone(&sdk.service),
            role: sdk.deploy_role().map(|role| role.arn.clone()),
        }
    }

    /// A task definition by ARN, `family:revision`, or family (its newest active revision), with
    /// its ARN and its tags. `None` if it does not exist.
    ///
    /// # Errors
    /// If the call fails or the response is not a task definition.
    pub async fn describe(&self, name: &str) -> Result<Option<(String, TaskDefinition)>, AwsError> {
        let described = self.described(name).await?;
        Ok(described.map(|found| (found.arn, found.definition)))
    }

    /// A task definition by its ARN, with whether it is active. `None` if it does not exist.
    ///
    /// # Errors
    /// If the call fails, or the response is not a task definition or lacks the status.
    pub async fn describe_with_status(
        &self,
        arn: &str,
    ) -> Result<Option<(TaskDefinition, bool)>, AwsError> {
        let Some(found) = self.described(arn).await? else {
            return Ok(None);
        };
        let is_active = found.is_active.ok_or_else(|| no_status(arn))?;
        Ok(Some((found.definition, is_active)))
    }

    async fn described(&self, name: &str) -> Result<Option<Described>, AwsError> {
        let body = BodyRecorder::default();
        let request = self
            .clients
            .ecs()
            .describe_task_definition()
            .task_definition(name)
            .include(TaskDefinitionField::Tags)
            .customize()
            .interceptor(body.clone());
        let found = match request.send().await.map_err(AwsError::from_sdk(DESCRIBE)) {
            Ok(found) => found,
            Err(error) if error.task_definition_is_missing() => return Ok(None),
            Err(error) => return Err(error),
        };

        let described = found.task_definition();
        let arn = described
            .and_then(|definition| definition.task_definition_arn())
            .ok_or_else(|| AwsError::unexpected(DESCRIBE, format!("no ARN for {name}")))?;
        let registered_at = described
            .and_then(|definition| definition.registered_at())
            .and_then(|at| Timestamp::from_secs(at.secs()).ok());
        let registrant = described.and_then(|definition| definition.registered_by());
        let status = described.and_then(|definition| definition.status());
        let value: Value = serde_json::from_slice(&body.bytes())
            .map_err(|e| AwsError::unexpected(DESCRIBE, e.to_string()))?;
        let definition =
            TaskDefinition::from_value(value).map_err(|e| AwsError::unexpected(DESCRIBE, e))?;
        Ok(Some(Described {
            arn: arn.to_owned(),
            is_active: status.map(is_active),
            registered_at,
            definition,
            registrant: registrant.map(ToOwned::to_owned),
        }))
    }

    /// The ACTIVE revisions of a family that an execution registered after the revision `newest`
    /// and since it began, by their marks and by who registered them, newest first. No more than
    /// [`DESCRIBED_REVISIONS`] are described, however many others registered.
    ///
    /// # Errors
    /// If a call fails, or the family has too many revisions.
    pub async fn registered_by(
        &self,
        execution: &str,
        family: &str,
        newest: Option<&str>,
        began: Timestamp,
    ) -> Result<Vec<(String, Mark)>, AwsError> {
        let marked = self.marked_by(execution, family, newest, began).await?;
        Ok(own(marked, self.role.as_deref()))
    }

    /// The revisions with the mark of the execution, also those that others copied it to.
    async fn marked_by(
        &self,
        execution: &str,
        family: &str,
        newest: Option<&str>,
        began: Timestamp,
    ) -> Result<Vec<Marked>, AwsError> {
        let is_earlier = |at: Timestamp| began.since(at) > CLOCK_SKEW;
        let mut found = Vec::new();
        let mut described = 0;
        let mut token = None;

        for _ in 0..PAGES {
            let (arns, next) = self.active(family, token).await?;
            for arn in arns {
                if number(&arn) <= newest.and_then(number) {
                    return Ok(found);
                }
                if described == DESCRIBED_REVISIONS {
                    tracing::warn!(family, described, "the revisions before are not looked at");
                    return Ok(found);
                }

                described += 1;
                let Some(revision) = self.described(&arn).await? else {
                    continue;
                };
                if revision.registered_at.is_some_and(is_earlier) {
                    return Ok(found);
                }
                let mark = revision.definition.mark();
                if let Some(mark) = mark.filter(|mark| mark.execution == execution) {
                    let registrant = revision.registrant;
                    found.push(Marked {
                        arn,
                        mark,
                        registrant,
                    });
                }
            }

            token = next;
            if token.is_none() {
                return Ok(found);
            }
        }

        Err(Self::too_many(family))
    }

    /// A page of the ACTIVE revisions of a family, newest first, and the token of the next one.
    pub(super) async fn active(
        &self,
        family: &str,
        token: Option<String>,
    ) -> Result<(Vec<String>, Option<String>), AwsError> {
        let request = self
            .clients
            .ecs()
            .list_task_definitions()
            .family_prefix(family)
            .status(TaskDefinitionStatus::Active)
            .sort(SortOrder::Desc)
            .set_next_token(token);
        let page = request.send().await.map_err(AwsError::from_sdk(LIST))?;
        Ok((
            page.task_definition_arns.unwrap_or_default(),
            page.next_token,
        ))
    }

    pub(super) fn too_many(family: &str) -> AwsError {
        AwsError::unexpected(
            LIST,
            format!("the revisions of {family} have more than {PAGES} pages"),
        )
    }

    /// Whether a revision exists and is active.
    ///
    /// # Errors
    /// If the call fails or the response lacks the status.
    pub async fn is_active(&self, arn: &str) -> Result<bool, AwsError> {
        let request = self
            .clients
            .ecs()
            .describe_task_definition()
            .task_definition(arn);
        let found = match request.send().await.map_err(AwsError::from_sdk(DESCRIBE)) {
            Ok(found) => found,
            Err(error) if error.task_definition_is_missing() => return Ok(false),
            Err(error) => return Err(error),
        };

        let status = found
            .task_definition()
            .and_then(|definition| definition.status())
            .ok_or_else(|| no_status(arn))?;
        Ok(is_active(status))
    }

    /// Deregisters a revision. Tasks that run it continue, and the previous active revision becomes
    /// the newest of its family.
    ///
    /// # Errors
    /// If the call fails.
    pub async fn deregister(&self, arn: &str) -> Result<(), AwsError> {
        let request = self
            .clients
            .ecs()
            .deregister_task_definition()
            .task_definition(arn);
        request
            .send()
            .await
            .map(drop)
            .map_err(AwsError::from_sdk("ecs:DeregisterTaskDefinition"))
    }

    /// Registers a revision and returns its ARN. The JSON is sent unchanged, and only once: a retry
    /// after a lost response would register a second revision.
    ///
    /// # Errors
    /// If ECS refuses it; the message has the values of environment variables redacted.
    pub async fn register(&self, definition: &TaskDefinition) -> Result<String, AwsError> {
        const OPERATION: &str = "ecs:RegisterTaskDefinition";

        let text = definition.text();
        let once = aws_sdk_ecs::config::Builder::new().retry_config(RetryConfig::disabled());
        let request = self
            .clients
            .ecs()
            .register_task_definition()
            .family(definition.family())
            .customize()
            .config_override(once)
            .mutate_request(move |request| {
                request
                    .headers_mut()
                    .insert("content-length", text.len().to_string());
                *request.body_mut() = SdkBody::from(text.as_str());
            });

        let registered = request
            .send()
            .await
            .map_err(AwsError::from_sdk(OPERATION))
            .map_err(|error| explained(error, definition))?;
        registered
            .task_definition
            .and_then(|definition| definition.task_definition_arn)
            .ok_or_else(|| AwsError::unexpected(OPERATION, "no ARN"))
    }
}
