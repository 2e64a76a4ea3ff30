//! Images that arrive in a repository, as ECR reports them.

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use serde::Deserialize;
use serde_json::Value;

use crate::image::is_digest;
use crate::manifest::Manifest;
use crate::timestamp::Timestamp;

/// An image that arrived in a repository: pushed, or replicated from another registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedImage {
    /// The event's id, by which a duplicate delivery is recognised.
    pub event: String,
    /// When the image got the tag, by the clock of Amazon ECR: a push that comes late keeps it.
    /// `imagePushedAt` does not change with another tag, and is no more than the first such time.
    pub pushed_at: Timestamp,
    /// The account and the region of the repository, if the event names them.
    pub account: Option<String>,
    pub region: Option<String>,
    pub repository: String,
    pub digest: String,
    pub tag: Option<String>,
    /// What the event states about the manifest: a replication nothing, a push its media types.
    pub manifest: Manifest,
}

/// The events after which an image can be pulled: their detail types, with the action of each.
const ARRIVALS: [(&str, &str); 2] = [
    ("ECR Image Action", "PUSH"),
    ("ECR Replication Action", "REPLICATE"),
];

/// `detail` of an "ECR Image Action" or an "ECR Replication Action"
/// (docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ImageAction {
    result: String,
    repository_name: String,
    image_digest: String,
    action_type: String,
    image_tag: Option<String>,
    manifest_media_type: Option<String>,
    artifact_media_type: Option<String>,
}

impl PushedImage {
    /// Reads an event of ECR. `Ok(Err(…))` is the reason why a valid event is not the arrival of
    /// an image.
    ///
    /// # Errors
    /// If it is not an event of ECR.
    pub fn parse(event: Value) -> Result<Result<Self, String>, String> {
        let envelope: EventBridgeEvent<Value> =
            serde_json::from_value(event).map_err(|e| format!("not an EventBridge event: {e}"))?;

        if envelope.source != "aws.ecr" {
            return Ok(Err(format!(
                "the source is `{}`; expected \"aws.ecr\"",
                envelope.source
            )));
        }

        let detail = match arrival(&envelope.detail_type, envelope.detail)? {
            Ok(detail) => detail,
            Err(reason) => return Ok(Err(reason)),
        };

        let event = envelope
            .id
            .filter(|id| !id.is_empty())
            .ok_or("`id` is missing or empty, so a duplicate could not be recognised")?;
        let pushed_at = envelope
            .time
            .and_then(|time| Timestamp::from_secs(time.timestamp()).ok())
            .ok_or("`time` is missing, so an older push could not be recognised")?;
        let stated = |text: Option<String>| text.filter(|text| !text.is_empty());
        let tag = stated(detail.image_tag);

        Ok(Ok(Self {
            event,
            pushed_at,
            account: stated(envelope.account),
            region: stated(envelope.region),
            repository: detail.repository_name,
            digest: detail.image_digest,
            manifest: Manifest {
                media_type: stated(detail.manifest_media_type),
                artifact_type: stated(detail.artifact_media_type),
                tags: tag.iter().cloned().collect(),
            },
            tag,
        }))
    }
}

/// The detail of an event that states that an image arrived; `Ok(Err(…))` is the reason why another
/// one does not.
fn arrival(detail_type: &str, detail: Value) -> Result<Result<ImageAction, String>, String> {
    let Some((_, action)) = ARRIVALS.iter().find(|(known, _)| detail_type == *known) else {
        return Ok(Err(format!(
            "`{detail_type}` is not a push; expected \"ECR Image Action\" or \"ECR Replication \
             Action\""
        )));
    };

    let detail: ImageAction =
        serde_json::from_value(detail).map_err(|e| format!("detail of an {detail_type}: {e}"))?;
    if detail.action_type != *action || detail.result != "SUCCESS" {
        return Ok(Err(format!(
            "{} with result {} is not a successful {action}",
            detail.action_type, detail.result
        )));
    }

    if !is_digest(&detail.image_digest) {
        return Err(format!(
            "`image-digest` is {}; expected a sha256 digest",
            detail.image_digest
        ));
    }
    Ok(Ok(detail))
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
                "manifest-media-type": "application/vnd.oci.image.manifest.v1+json",
                "artifact-media-type": "application/vnd.oci.image.config.v1+json",
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
                pushed_at: Timestamp::from_secs(1_767_603_600).expect("in range"),
                account: Some("111122223333".to_owned()),
                region: Some("eu-west-1".to_owned()),
                repository: "web".to_owned(),
                digest: format!("sha256:{}", "0a".repeat(32)),
                tag: Some("1.0".to_owned()),
                manifest: Manifest {
                    media_type: Some("application/vnd.oci.image.manifest.v1+json".to_owned()),
                    artifact_type: Some("application/vnd.oci.image.config.v1+json".to_owned()),
                    tags: vec!["1.0".to_owned()],
                },
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
    fn a_replica_is_an_arrival_of_which_the_event_states_no_media_types() {
        let replica = push(|e| {
            e["detail-type"] = json!("ECR Replication Action");
            e["detail"] = json!({
                "result": "SUCCESS", "repository-name": "web", "action-type": "REPLICATE",
                "image-digest": format!("sha256:{}", "0a".repeat(32)), "image-tag": "1.0",
                "source-account": "444455556666", "source-region": "us-west-2",
            });
        });
        let replica = replica.expect("an event").expect("an arrival");

        assert_eq!(replica.account.as_deref(), Some("111122223333"));
        assert_eq!(replica.tag.as_deref(), Some("1.0"));
        assert_eq!(replica.manifest.media_type, None);
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
            "`ECR Image Scan` is not a push; expected \"ECR Image Action\" or \"ECR Replication \
             Action\""
        );
        assert_eq!(
            ignored(|e| e["detail-type"] = json!("ECR Replication Action")),
            "PUSH with result SUCCESS is not a successful REPLICATE"
        );
        assert_eq!(
            ignored(|e| e["source"] = json!("com.example")),
            "the source is `com.example`; expected \"aws.ecr\""
        );
    }

    #[test]
    fn a_push_without_an_id_a_time_or_a_digest_is_refused() {
        let refused = |change: fn(&mut Value)| push(change).expect_err("refused");
        let expected = "`id` is missing or empty, so a duplicate could not be recognised";

        assert_eq!(refused(|e| e["id"] = json!("")), expected);
        assert_eq!(refused(|e| e["id"] = json!(null)), expected);

        let expected = "`time` is missing, so an older push could not be recognised";

        assert_eq!(refused(|e| e["time"] = json!(null)), expected);

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
