//! Pushes to ECR, as the rule of a pipeline sends them to `start-pipeline`.

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use serde::Deserialize;
use serde_json::Value;

use crate::image::is_digest;

/// The input of `start-pipeline`: an event of ECR, wrapped by a pipeline's rule.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PushInput {
    pub subscription: Subscription,
    pub event: Value,
}

/// The pipeline to start, and its source action that takes the digest.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscription {
    pub pipeline: String,
    pub action: String,
}

/// A pushed image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedImage {
    /// The event's id, by which a duplicate delivery is recognised.
    pub event: String,
    pub repository: String,
    pub digest: String,
    pub tag: Option<String>,
}

/// `detail` of an "ECR Image Action"
/// (docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html).
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
    /// Reads an event of ECR. `Ok(Err(…))` is the reason why a valid event is not a successful
    /// push.
    ///
    /// # Errors
    /// If it is not an event of ECR.
    pub fn parse(event: Value) -> Result<Result<Self, String>, String> {
        let envelope: EventBridgeEvent<Value> =
            serde_json::from_value(event).map_err(|e| format!("not an EventBridge event: {e}"))?;

        if envelope.detail_type != "ECR Image Action" {
            return Ok(Err(format!(
                "`{}` is not a push; expected \"ECR Image Action\"",
                envelope.detail_type
            )));
        }

        let detail: ImageAction = serde_json::from_value(envelope.detail)
            .map_err(|e| format!("detail of an ECR Image Action: {e}"))?;
        if detail.action_type != "PUSH" || detail.result != "SUCCESS" {
            return Ok(Err(format!(
                "{} with result {} is not a successful PUSH",
                detail.action_type, detail.result
            )));
        }

        if !is_digest(&detail.image_digest) {
            return Err(format!(
                "`image-digest` is {}; expected a sha256 digest",
                detail.image_digest
            ));
        }

        let event = envelope
            .id
            .filter(|id| !id.is_empty())
            .ok_or("`id` is missing or empty, so a duplicate could not be recognised")?;
        let tag = detail.image_tag.filter(|tag| !tag.is_empty());

        Ok(Ok(Self {
            event,
            repository: detail.repository_name,
            digest: detail.image_digest,
            tag,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn push(change: impl Fn(&mut Value)) -> Result<Result<PushedImage, String>, String> {
        let mut event = json!({
            "version": "0", "id": "13cde686-328b-6117-af20-0e5566167482",
            "detail-type": "ECR Image Action", "source": "aws.ecr",
            "account": "111122223333", "time": "2026-01-05T09:00:00Z",
            "region": "eu-west-1", "resources": [],
            "detail": {
                "result": "SUCCESS", "repository-name": "web", "action-type": "PUSH",
                "image-digest": format!("sha256:{}", "0a".repeat(32)), "image-tag": "1.0",
            },
        });
        change(&mut event);
        PushedImage::parse(event)
    }

    #[test]
    fn an_empty_tag_is_none() {
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
            "DELETE with result SUCCESS is not a successful PUSH"
        );
        assert_eq!(
            ignored(|e| e["detail"]["result"] = json!("FAILURE")),
            "PUSH with result FAILURE is not a successful PUSH"
        );
        assert_eq!(
            ignored(|e| e["detail-type"] = json!("ECR Image Scan")),
            "`ECR Image Scan` is not a push; expected \"ECR Image Action\""
        );
    }

    #[test]
    fn a_push_without_an_id_or_a_digest_is_refused() {
        let refused = |change: fn(&mut Value)| push(change).expect_err("refused");
        let expected = "`id` is missing or empty, so a duplicate could not be recognised";

        assert_eq!(refused(|e| e["id"] = json!("")), expected);
        assert_eq!(refused(|e| e["id"] = json!(null)), expected);

        let expected = "`image-digest` is latest; expected a sha256 digest";

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
    fn a_subscription_is_a_pipeline_and_an_action() {
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

    #[test]
    fn unsuccessful_pushes_and_invalid_events_differ() {
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
}
