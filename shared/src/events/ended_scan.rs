//! Scans of images that have ended, as Amazon ECR and Amazon Inspector report them.
//!
//! Never decides by what an event states of the findings: they are read from Amazon ECR.

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use serde::Deserialize;
use serde_json::Value;

use crate::image::is_digest;

/// The events, basic and enhanced (docs.aws.amazon.com/AmazonECR/latest/userguide/
/// ecr-eventbridge.html and image-scanning-enhanced-events.html).
const DETAIL_TYPES: [&str; 2] = ["ECR Image Scan", "Inspector2 Scan"];

/// What is before the name in the ARN of a repository.
const IN_ARN: &str = ":repository/";

/// The scan of an image has ended, with a result or without one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedScan {
    /// The account and the region of the repository, if the event names them.
    pub account: Option<String>,
    pub region: Option<String>,
    pub repository: String,
    pub digest: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Detail {
    /// Of a basic scan its name, of an enhanced one its ARN.
    repository_name: String,
    image_digest: String,
}

impl EndedScan {
    /// Whether an event is about a scan.
    #[must_use]
    pub fn is_source_of(event: &Value) -> bool {
        let detail_type = event["detail-type"].as_str();
        detail_type.is_some_and(|it| DETAIL_TYPES.contains(&it))
    }

    /// Reads the event of a scan.
    ///
    /// # Errors
    /// If it is not such an event.
    pub fn parse(event: Value) -> Result<Self, String> {
        let envelope: EventBridgeEvent<Value> =
            serde_json::from_value(event).map_err(|e| format!("not an EventBridge event: {e}"))?;
        let detail: Detail = serde_json::from_value(envelope.detail)
            .map_err(|e| format!("detail of an {}: {e}", envelope.detail_type))?;
        if !is_digest(&detail.image_digest) {
            return Err(format!(
                "`image-digest` is {}; expected a sha256 digest",
                detail.image_digest
            ));
        }

        let stated = |text: Option<String>| text.filter(|text| !text.is_empty());
        let name = detail.repository_name;
        let repository = match name.split_once(IN_ARN) {
            Some((_, name)) => name.to_owned(),
            None => name,
        };
        Ok(Self {
            account: stated(envelope.account),
            region: stated(envelope.region),
            repository,
            digest: detail.image_digest,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scan(detail_type: &str, repository: &str) -> Value {
        json!({
            "version": "0", "id": "85fc3613-e913-7fc4-a80c-a3753e4aa9ae",
            "detail-type": detail_type, "source": "aws.ecr", "account": "111122223333",
            "time": "2026-01-05T09:00:00Z", "region": "eu-west-1", "resources": [],
            "detail": {
                "scan-status": "COMPLETE", "repository-name": repository,
                "finding-severity-counts": {"CRITICAL": 10, "MEDIUM": 9},
                "image-digest": format!("sha256:{}", "0a".repeat(32)), "image-tags": [],
            },
        })
    }

    #[test]
    fn a_scan_names_the_repository_or_its_arn() {
        let arn = "arn:aws:ecr:eu-west-1:111122223333:repository/team/web";
        for (detail_type, repository) in [("ECR Image Scan", "team/web"), ("Inspector2 Scan", arn)]
        {
            let event = scan(detail_type, repository);
            assert!(EndedScan::is_source_of(&event));
            let ended = EndedScan {
                account: Some("111122223333".to_owned()),
                region: Some("eu-west-1".to_owned()),
                repository: "team/web".to_owned(),
                digest: format!("sha256:{}", "0a".repeat(32)),
            };
            assert_eq!(EndedScan::parse(event), Ok(ended));
        }
        assert!(!EndedScan::is_source_of(&scan("ECR Image Action", "web")));
        assert!(!EndedScan::is_source_of(&json!({})));
    }

    #[test]
    fn a_scan_of_no_image_is_refused() {
        let mut event = scan("ECR Image Scan", "web");
        event["detail"]["image-digest"] = json!("latest");
        let expected = "`image-digest` is latest; expected a sha256 digest";
        assert_eq!(EndedScan::parse(event), Err(expected.to_owned()));

        let mut event = scan("Inspector2 Scan", "web");
        event["detail"] = json!({});
        let refused = EndedScan::parse(event).expect_err("no detail");
        assert!(
            refused.starts_with("detail of an Inspector2 Scan: missing field"),
            "{refused}"
        );
        let refused = EndedScan::parse(json!({})).expect_err("no event");
        assert!(
            refused.starts_with("not an EventBridge event: "),
            "{refused}"
        );
    }
}
