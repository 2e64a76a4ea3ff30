//! EventBridge events that wake functions: pushes to ECR, ends of executions, and the sweep.

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use serde::Deserialize;
use serde_json::Value;

use crate::image::is_digest;
use crate::rollback::Ending;

/// What a pipeline's rule hands to `start-pipeline`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PushInput {
    pub subscription: Subscription,
    pub event: Value,
}

/// Which pipeline to start, and which of its source actions takes the digest.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscription {
    pub pipeline: String,
    pub action: String,
}

/// An image that was pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedImage {
    pub event: String,
    pub repository: String,
    pub digest: String,
    pub tag: Option<String>,
}

/// `detail` of an "ECR Image Action" (docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ImageAction {
    result: String,
    repository_name: String,
    image_digest: String,
    action_type: String,
    image_tag: Option<String>,
}

impl PushedImage {
    /// Reads an event of ECR. `Ok(Err(…))`: an event that is understood and is no successful push, and why.
    ///
    /// # Errors
    /// When it is no event that ECR sends.
    pub fn parse(event: Value) -> Result<Result<Self, String>, String> {
        let envelope: EventBridgeEvent<Value> =
            serde_json::from_value(event).map_err(|e| format!("not an EventBridge event: {e}"))?;
        if envelope.detail_type != "ECR Image Action" {
            return Ok(Err(format!("`{}` is no push; only \"ECR Image Action\" is", envelope.detail_type)));
        }
        let detail: ImageAction =
            serde_json::from_value(envelope.detail).map_err(|e| format!("detail of an ECR Image Action: {e}"))?;
        if detail.action_type != "PUSH" || detail.result != "SUCCESS" {
            return Ok(Err(format!("{} with result {} is no successful PUSH", detail.action_type, detail.result)));
        }
        if !is_digest(&detail.image_digest) {
            return Err(format!("`image-digest` {} is no sha256 digest", detail.image_digest));
        }
        let event =
            envelope.id.filter(|id| !id.is_empty()).ok_or("the event has no id, so a duplicate could not be told")?;
        let tag = detail.image_tag.filter(|tag| !tag.is_empty());
        Ok(Ok(Self { event, repository: detail.repository_name, digest: detail.image_digest, tag }))
    }
}

/// What wakes `roll-back`.
#[derive(Debug, PartialEq, Eq)]
pub enum RollBackCall {
    /// An execution ended.
    Ended { execution: String, ending: Ending },
    /// Look for leases whose execution has ended.
    Sweep,
    /// An event of an execution that goes on.
    Irrelevant(String),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ExecutionStateChange {
    execution_id: String,
    state: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedByPerson {
    execution: String,
}

impl RollBackCall {
    /// Reads an event: `{"sweep": true}`, `{"parameters": {"execution": …}}` of a person, or CodePipeline's own.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn parse(event: Value) -> Result<Self, String> {
        if event.get("sweep") == Some(&Value::Bool(true)) {
            return Ok(Self::Sweep);
        }
        if let Some(parameters) = event.get("parameters") {
            let asked: AskedByPerson = serde_json::from_value(parameters.clone())
                .map_err(|e| format!("parameters: {e}; legal: {{\"execution\": <execution id>}}"))?;
            return Ok(Self::Ended { execution: asked.execution, ending: Ending::Stopped });
        }
        let envelope: EventBridgeEvent<Value> = serde_json::from_value(event).map_err(|e| {
            format!(
                "{e}; legal: {{\"sweep\": true}}, {{\"parameters\": {{\"execution\": …}}}}, or an event of CodePipeline"
            )
        })?;
        if envelope.detail_type != "CodePipeline Pipeline Execution State Change" {
            return Ok(Self::Irrelevant(format!(
                "`{}` says nothing about the end of an execution",
                envelope.detail_type
            )));
        }
        let change: ExecutionStateChange =
            serde_json::from_value(envelope.detail).map_err(|e| format!("detail: {e}"))?;
        Ok(match Ending::of_status(&change.state)? {
            Some(Ending::Succeeded) | None => Self::Irrelevant(format!("the execution is {}", change.state)),
            Some(ending) => Self::Ended { execution: change.execution_id, ending },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn push(change: impl Fn(&mut Value)) -> Result<Result<PushedImage, String>, String> {
        let mut event = json!({
            "version": "0", "id": "13cde686-328b-6117-af20-0e5566167482", "detail-type": "ECR Image Action", "source": "aws.ecr",
            "account": "111122223333", "time": "2026-01-05T09:00:00Z", "region": "eu-west-1", "resources": [],
            "detail": {"result": "SUCCESS", "repository-name": "web", "image-digest": format!("sha256:{}", "0a".repeat(32)), "action-type": "PUSH", "image-tag": "1.0"}
        });
        change(&mut event);
        PushedImage::parse(event)
    }

    #[test]
    fn a_push_is_read_and_an_empty_tag_is_none() {
        assert_eq!(push(|_| {}).expect("an event").expect("a push").tag.as_deref(), Some("1.0"));
        assert_eq!(push(|e| e["detail"]["image-tag"] = json!("")).expect("an event").expect("a push").tag, None);
    }

    #[test]
    fn what_is_no_successful_push_is_told_from_what_is_no_event() {
        assert!(push(|e| e["detail"]["action-type"] = json!("DELETE")).expect("an event").is_err());
        assert!(push(|e| e["detail"]["result"] = json!("FAILED")).expect("an event").is_err());
        assert!(push(|e| e["detail-type"] = json!("ECR Image Scan")).expect("an event").is_err());
        assert!(push(|e| e["detail"]["image-digest"] = json!("latest")).is_err());
        assert!(push(|e| *e = json!({})).is_err());
    }

    #[test]
    fn roll_back_is_woken_three_ways() {
        assert_eq!(RollBackCall::parse(json!({"sweep": true})), Ok(RollBackCall::Sweep));
        let asked = RollBackCall::parse(json!({"parameters": {"execution": "e-1"}}));
        assert_eq!(asked, Ok(RollBackCall::Ended { execution: "e-1".to_owned(), ending: Ending::Stopped }));
        assert!(RollBackCall::parse(json!({"parameters": {"excution": "e-1"}})).is_err());
    }
}
