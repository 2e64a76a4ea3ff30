//! A Lambda event that is a job: of a CodePipeline Lambda invoke action, or a direct invocation
//! with `{"parameters": {…}}`.
//!
//! It never refuses a job for a part that no step uses: a job that is refused here cannot be
//! reported. Wrong parameters are refused later, where they can be reported.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::action_kind::ActionKind;
use super::failure::Failure;

/// The owner of the types of custom actions.
pub(super) const CUSTOM: &str = "Custom";

/// An event that a step can handle.
#[derive(Debug)]
pub enum JobEvent {
    /// Reported with PutJobSuccessResult or PutJobFailureResult.
    Pipeline(PipelineJob),
    /// Reported in the response of the invocation.
    Direct {
        parameters: Value,
        token: Option<String>,
    },
}

/// A job of a Lambda invoke action, or one of a custom action in the same form.
#[derive(Debug)]
pub struct PipelineJob {
    pub id: String,
    pub kind: ActionKind,
    /// Why the worker could not read a job of a custom action.
    pub refusal: Option<Failure>,
    pub user_parameters: Option<String>,
    pub token: Option<String>,
    pub artifacts: Vec<Artifact>,
    pub credentials: Option<Credentials>,
}

/// An input artifact in the pipeline's bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    pub name: String,
    pub bucket: String,
    pub key: String,
}

/// The job's temporary credentials, to read its artifacts. `Debug` shows none of them.
#[derive(Clone)]
pub struct Credentials {
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(redacted)")
    }
}

impl JobEvent {
    /// Reads an event.
    ///
    /// # Errors
    /// When it is neither kind of job; the text names the top-level keys and never a value, since
    /// values can be secrets.
    pub fn parse(event: &Value) -> Result<Self, String> {
        if let Some(job) = event.get("CodePipeline.job") {
            return PipelineJob::parse(job).map(Self::Pipeline);
        }

        match event.get("parameters") {
            Some(parameters) => Ok(Self::Direct {
                parameters: parameters.clone(),
                token: event
                    .get("continuationToken")
                    .and_then(Value::as_str)
                    .map(ToOwned::to_owned),
            }),
            None => {
                let found = event.as_object().map(|object| {
                    object
                        .keys()
                        .map(String::as_str)
                        .collect::<Vec<_>>()
                        .join(", ")
                });
                let found = found
                    .filter(|keys| !keys.is_empty())
                    .unwrap_or_else(|| "no keys".to_owned());
                Err(format!(
                    "not a CodePipeline job event: found {found}; expected `CodePipeline.job` (a \
                     Lambda invoke action) or {{\"parameters\": {{…}}}} (a direct invocation)"
                ))
            }
        }
    }
}

/// What invoked a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// A job of CodePipeline.
    Job,
    /// An operator, directly.
    Operator,
}

impl PipelineJob {
    /// A direct invocation as a job: it has no id, and no artifacts that it could read.
    pub(crate) fn direct(parameters: &Value, token: Option<String>) -> Self {
        Self {
            id: String::new(),
            kind: ActionKind::Invoke,
            refusal: None,
            user_parameters: Some(parameters.to_string()),
            token,
            artifacts: Vec::new(),
            credentials: None,
        }
    }

    /// The id, which a direct invocation does not have.
    pub(crate) fn job_id(&self) -> Option<String> {
        (!self.id.is_empty()).then(|| self.id.clone())
    }

    pub(crate) fn origin(&self) -> Origin {
        if self.id.is_empty() {
            Origin::Operator
        } else {
            Origin::Job
        }
    }

    fn parse(job: &Value) -> Result<Self, String> {
        let id = job
            .get("id")
            .and_then(Value::as_str)
            .filter(|id| !id.is_empty());
        let id =
            id.ok_or("the event's `CodePipeline.job` has no `id`, so it cannot be reported")?;
        let text = |pointer: &str| {
            job.pointer(pointer)
                .and_then(Value::as_str)
                .map(ToOwned::to_owned)
        };

        let artifacts = job
            .pointer("/data/inputArtifacts")
            .and_then(Value::as_array);
        // The event of a Lambda invoke action has no type.
        let kind = if text("/data/actionTypeId/owner").as_deref() == Some(CUSTOM) {
            ActionKind::Custom
        } else {
            ActionKind::Invoke
        };
        let refusal = job.get("refusal");
        Ok(Self {
            id: id.to_owned(),
            kind,
            refusal: refusal.and_then(|refusal| Failure::deserialize(refusal).ok()),
            user_parameters: text("/data/actionConfiguration/configuration/UserParameters"),
            token: text("/data/continuationToken"),
            artifacts: artifacts
                .into_iter()
                .flatten()
                .filter_map(Artifact::parse)
                .collect(),
            credentials: job
                .pointer("/data/artifactCredentials")
                .and_then(Credentials::parse),
        })
    }
}

impl Artifact {
    fn parse(artifact: &Value) -> Option<Self> {
        let text = |pointer: &str| {
            artifact
                .pointer(pointer)
                .and_then(Value::as_str)
                .map(ToOwned::to_owned)
        };

        Some(Self {
            name: text("/name")?,
            bucket: text("/location/s3Location/bucketName")?,
            key: text("/location/s3Location/objectKey")?,
        })
    }
}

impl Credentials {
    fn parse(credentials: &Value) -> Option<Self> {
        let text = |key: &str| {
            credentials
                .get(key)
                .and_then(Value::as_str)
                .map(ToOwned::to_owned)
        };

        Some(Self {
            access_key_id: text("accessKeyId")?,
            secret_access_key: text("secretAccessKey")?,
            session_token: text("sessionToken")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn debug_output_hides_credentials() {
        let event = json!({"CodePipeline.job": {"id": "1", "data": {"artifactCredentials":
            {"accessKeyId": "AKIDSECRET", "secretAccessKey": "hush", "sessionToken": "whisper"}}}});
        let shown = format!("{:?}", JobEvent::parse(&event).expect("a job"));
        for secret in ["AKIDSECRET", "hush", "whisper"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn every_part_of_a_job_is_read() {
        let artifact = |name: &str| {
            json!({"name": name, "revision": null, "location": {"type": "S3",
            "s3Location": {"bucketName": "bucket", "objectKey": format!("key/{name}")}}})
        };
        let data = json!({
            "actionConfiguration": {
                "configuration": {"FunctionName": "f", "UserParameters": "{\"a\": 1}"}
            },
            "inputArtifacts": [artifact("Config"), {"name": "broken"}, artifact("Image")],
            "outputArtifacts": [artifact("Out")],
            "artifactCredentials": {
                "accessKeyId": "id", "secretAccessKey": "secret", "sessionToken": "session"
            },
            "continuationToken": "token"
        });
        let event = json!({
            "CodePipeline.job": {"id": "job-1", "accountId": "111122223333", "data": data}
        });

        let Ok(JobEvent::Pipeline(job)) = JobEvent::parse(&event) else {
            panic!("a job of CodePipeline")
        };
        assert_eq!(job.id, "job-1");
        assert_eq!(job.user_parameters.as_deref(), Some("{\"a\": 1}"));
        assert_eq!(job.token.as_deref(), Some("token"));
        assert_eq!((job.kind, job.refusal), (ActionKind::Invoke, None));
        let input = |name: &str| Artifact {
            name: name.to_owned(),
            bucket: "bucket".to_owned(),
            key: format!("key/{name}"),
        };
        assert_eq!(job.artifacts, [input("Config"), input("Image")]);
        let found = job.credentials.expect("credentials");
        assert_eq!(
            (
                found.access_key_id.as_str(),
                found.secret_access_key.as_str(),
                found.session_token.as_str()
            ),
            ("id", "secret", "session")
        );
    }

    #[test]
    fn incomplete_credentials_are_ignored() {
        let event = json!({"CodePipeline.job": {"id": "1", "data": {"artifactCredentials":
            {"accessKeyId": "id", "secretAccessKey": "secret"}}}});
        let parsed = JobEvent::parse(&event);
        assert!(matches!(parsed, Ok(JobEvent::Pipeline(job)) if job.credentials.is_none()));
    }

    #[test]
    fn a_direct_invocation_has_parameters_and_may_have_a_token() {
        let parsed = |event: Value| match JobEvent::parse(&event) {
            Ok(JobEvent::Direct { parameters, token }) => (parameters, token),
            other => panic!("{other:?}"),
        };

        assert_eq!(
            parsed(json!({"parameters": {"a": 1}})),
            (json!({"a": 1}), None)
        );

        let again = json!({"parameters": {"a": 1}, "continuationToken": "token"});
        assert_eq!(parsed(again), (json!({"a": 1}), Some("token".to_owned())));
    }

    #[test]
    fn a_job_needs_only_an_id() {
        let event = json!({"CodePipeline.job": {"id": "1"}});
        let parsed = JobEvent::parse(&event);
        assert!(matches!(parsed, Ok(JobEvent::Pipeline(job)) if job.user_parameters.is_none()));
    }

    #[test]
    fn other_events_are_refused_by_their_keys() {
        let refusal =
            JobEvent::parse(&json!({"detail": {"password": "hush"}})).expect_err("not a job");
        assert!(
            refusal.contains("found detail") && !refusal.contains("hush"),
            "{refusal}"
        );
        assert!(
            JobEvent::parse(&json!({}))
                .expect_err("not a job")
                .contains("found no keys")
        );

        for job in [json!({}), json!({"id": ""}), json!({"id": 7})] {
            let refusal = JobEvent::parse(&json!({ "CodePipeline.job": job })).expect_err("no id");
            assert_eq!(
                refusal,
                "the event's `CodePipeline.job` has no `id`, so it cannot be reported"
            );
        }
    }
}
