//! EventBridge events that wake functions: pushes to ECR, ends of executions, and the sweep.

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use serde::Deserialize;
use serde_json::Value;

use crate::image::is_digest;
use crate::strategy::rollback::Ending;

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
            return Ok(Err(format!(
                "`{}` is no push; only \"ECR Image Action\" is",
                envelope.detail_type
            )));
        }
        let detail: ImageAction = serde_json::from_value(envelope.detail)
            .map_err(|e| format!("detail of an ECR Image Action: {e}"))?;
        if detail.action_type != "PUSH" || detail.result != "SUCCESS" {
            return Ok(Err(format!(
                "{} with result {} is no successful PUSH",
                detail.action_type, detail.result
            )));
        }
        if !is_digest(&detail.image_digest) {
            return Err(format!(
                "`image-digest` {} is no sha256 digest",
                detail.image_digest
            ));
        }
        let event = envelope
            .id
            .filter(|id| !id.is_empty())
            .ok_or("the event has no id, so a duplicate could not be told")?;
        let tag = detail.image_tag.filter(|tag| !tag.is_empty());
        Ok(Ok(Self {
            event,
            repository: detail.repository_name,
            digest: detail.image_digest,
            tag,
        }))
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
            let asked: AskedByPerson = serde_json::from_value(parameters.clone()).map_err(|e| {
                format!("parameters: {e}; legal: {{\"execution\": <execution id>}}")
            })?;
            return Ok(Self::Ended {
                execution: asked.execution,
                ending: Ending::Stopped,
            });
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
            Some(Ending::Succeeded) | None => {
                Self::Irrelevant(format!("the execution is {}", change.state))
            }
            Some(ending) => Self::Ended {
                execution: change.execution_id,
                ending,
            },
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
        assert_eq!(
            push(|_| {})
                .expect("an event")
                .expect("a push")
                .tag
                .as_deref(),
            Some("1.0")
        );
        assert_eq!(
            push(|e| e["detail"]["image-tag"] = json!(""))
                .expect("an event")
                .expect("a push")
                .tag,
            None
        );
    }

    #[test]
    fn every_field_of_a_push_is_read() {
        assert_eq!(
            push(|_| {}).expect("an event").expect("a push"),
            PushedImage {
                event: "13cde686-328b-6117-af20-0e5566167482".to_owned(),
                repository: "web".to_owned(),
                digest: format!("sha256:{}", "0a".repeat(32)),
                tag: Some("1.0".to_owned()),
            }
        );
        let untagged = push(|e| {
            drop(
                e["detail"]
                    .as_object_mut()
                    .expect("an object")
                    .remove("image-tag"),
            )
        });
        assert_eq!(untagged.expect("an event").expect("a push").tag, None);
    }

    #[test]
    fn what_is_not_a_push_is_ignored_with_the_reason() {
        let ignored =
            |change: fn(&mut Value)| push(change).expect("an event").expect_err("not a push");
        assert_eq!(
            ignored(|e| e["detail"]["action-type"] = json!("DELETE")),
            "DELETE with result SUCCESS is no successful PUSH"
        );
        assert_eq!(
            ignored(|e| e["detail"]["result"] = json!("FAILURE")),
            "PUSH with result FAILURE is no successful PUSH"
        );
        assert_eq!(
            ignored(|e| e["detail-type"] = json!("ECR Image Scan")),
            "`ECR Image Scan` is no push; only \"ECR Image Action\" is"
        );
    }

    #[test]
    fn a_push_without_an_id_or_a_digest_is_refused() {
        let refused = |change: fn(&mut Value)| push(change).expect_err("refused");
        let expected = "the event has no id, so a duplicate could not be told";
        assert_eq!(refused(|e| e["id"] = json!("")), expected);
        assert_eq!(refused(|e| e["id"] = json!(null)), expected);
        let expected = "`image-digest` latest is no sha256 digest";
        assert_eq!(
            refused(|e| e["detail"]["image-digest"] = json!("latest")),
            expected
        );
        let refusal = refused(|e| e["detail"] = json!({"result": "SUCCESS"}));
        assert!(
            refusal.starts_with("detail of an ECR Image Action: missing field"),
            "{refusal}"
        );
        assert!(refused(|e| *e = json!({})).starts_with("not an EventBridge event: "));
    }

    #[test]
    fn a_subscription_names_pipeline_and_action_and_nothing_else() {
        let input = |value: Value| {
            serde_json::from_value::<PushInput>(value).map_err(|error| error.to_string())
        };
        let subscription = json!({"pipeline": "slipway-web", "action": "Image"});
        let read =
            input(json!({"subscription": subscription, "event": {"id": "1"}})).expect("understood");
        assert_eq!(
            (
                read.subscription.pipeline.as_str(),
                read.subscription.action.as_str()
            ),
            ("slipway-web", "Image")
        );
        assert_eq!(read.event, json!({"id": "1"}));
        let other = json!({"pipeline": "slipway-web", "action": "Image", "tags": "*"});
        let refused = input(json!({"subscription": other, "event": {}})).expect_err("unknown");
        assert!(refused.contains("unknown field `tags`"), "{refused}");
        let refused = input(json!({"subscription": subscription, "event": {}, "more": 1}))
            .expect_err("unknown");
        assert!(refused.contains("unknown field `more`"), "{refused}");
        assert!(input(json!({"subscription": {"pipeline": "slipway-web"}, "event": {}})).is_err());
    }

    fn ended(state: &str) -> Result<RollBackCall, String> {
        RollBackCall::parse(json!({
            "version": "0", "id": "1", "detail-type": "CodePipeline Pipeline Execution State Change",
            "source": "aws.codepipeline", "account": "111122223333", "time": "2026-01-05T09:00:00Z",
            "region": "eu-west-1", "resources": [],
            "detail": {"pipeline": "slipway-web", "execution-id": "e-1", "state": state, "version": 1}
        }))
    }

    #[test]
    fn each_bad_end_of_an_execution_wakes_roll_back_with_its_name() {
        for (state, ending) in [
            ("FAILED", Ending::Failed),
            ("STOPPED", Ending::Stopped),
            ("CANCELED", Ending::Canceled),
            ("SUPERSEDED", Ending::Superseded),
        ] {
            assert_eq!(
                ended(state),
                Ok(RollBackCall::Ended {
                    execution: "e-1".to_owned(),
                    ending
                }),
                "{state}"
            );
        }
    }

    #[test]
    fn an_execution_that_goes_on_or_succeeded_is_left_alone() {
        for state in ["STARTED", "RESUMED", "STOPPING", "SUCCEEDED"] {
            let reason = format!("the execution is {state}");
            assert_eq!(ended(state), Ok(RollBackCall::Irrelevant(reason)));
        }
        let error = ended("EXPLODED").expect_err("an unknown state");
        assert_eq!(
            error,
            "`EXPLODED` is not a state of a pipeline execution that this version knows"
        );
    }

    #[test]
    fn only_a_sweep_that_is_true_sweeps_and_other_events_are_irrelevant() {
        assert!(RollBackCall::parse(json!({"sweep": false})).is_err());
        let stage = json!({
            "version": "0", "id": "1", "detail-type": "CodePipeline Stage Execution State Change",
            "source": "aws.codepipeline", "account": "111122223333", "time": "2026-01-05T09:00:00Z",
            "region": "eu-west-1", "resources": [], "detail": {"state": "FAILED", "execution-id": "e-1"}
        });
        let Ok(RollBackCall::Irrelevant(why)) = RollBackCall::parse(stage) else {
            panic!("irrelevant")
        };
        assert!(
            why.starts_with("`CodePipeline Stage Execution State Change`"),
            "{why}"
        );
        let refused = RollBackCall::parse(json!({"parameters": {}})).expect_err("no execution");
        assert!(refused.contains("missing field `execution`"), "{refused}");
    }

    #[test]
    fn what_is_no_successful_push_is_told_from_what_is_no_event() {
        assert!(
            push(|e| e["detail"]["action-type"] = json!("DELETE"))
                .expect("an event")
                .is_err()
        );
        assert!(
            push(|e| e["detail"]["result"] = json!("FAILED"))
                .expect("an event")
                .is_err()
        );
        assert!(
            push(|e| e["detail-type"] = json!("ECR Image Scan"))
                .expect("an event")
                .is_err()
        );
        assert!(push(|e| e["detail"]["image-digest"] = json!("latest")).is_err());
        assert!(push(|e| *e = json!({})).is_err());
    }

    #[test]
    fn roll_back_is_woken_three_ways() {
        assert_eq!(
            RollBackCall::parse(json!({"sweep": true})),
            Ok(RollBackCall::Sweep)
        );
        let asked = RollBackCall::parse(json!({"parameters": {"execution": "e-1"}}));
        assert_eq!(
            asked,
            Ok(RollBackCall::Ended {
                execution: "e-1".to_owned(),
                ending: Ending::Stopped
            })
        );
        assert!(RollBackCall::parse(json!({"parameters": {"excution": "e-1"}})).is_err());
    }
}
