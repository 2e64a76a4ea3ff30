//! What the rules of a pipeline send to `start-pipeline`, and which images the pipeline takes.

use serde::Deserialize;
use serde_json::Value;

use super::{ImageGate, PushSweep, PushedImage, ServiceUpdate, TagRule};
use crate::release::{DeployRole, StatedPipeline};

/// The tag of an image that is pushed without one, which each push moves
/// (docs.docker.com/reference/cli/docker/image/tag).
const MOVING: &str = "latest";

/// The input of `start-pipeline`: an event of ECR or CloudFormation, wrapped by a pipeline's rule.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PushInput {
    pub subscription: Subscription,
    pub event: Value,
}

/// The pipeline to start, its source action that takes the digest, and the images that it takes. A
/// rule of an earlier version states none of the latter, so that EventBridge alone selects.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscription {
    pub pipeline: String,
    pub action: String,
    pub account: Option<String>,
    pub region: Option<String>,
    pub repository: Option<String>,
    /// The tags that are delivered: `*` stands for any characters, as in a rule of EventBridge.
    pub tag_pattern: Option<String>,
    /// What else the tags that are delivered must be.
    #[serde(default)]
    pub tag_rule: TagRule,
    /// What else an image must be that a push starts.
    #[serde(default)]
    pub image_gate: ImageGate,
    /// ARN of the role under which the pipeline is started and the image is read.
    pub deploy_role: Option<String>,
}

impl Subscription {
    /// Why an image of another repository, account or region is not this pipeline's.
    #[must_use]
    pub fn why_foreign(&self, push: &PushedImage) -> Option<String> {
        let compared = [
            ("account", push.account.as_deref(), &self.account),
            ("region", push.region.as_deref(), &self.region),
            (
                "repository",
                Some(push.repository.as_str()),
                &self.repository,
            ),
        ];

        compared.into_iter().find_map(|(field, found, expected)| {
            let expected = expected.as_deref()?;
            (found != Some(expected)).then(|| {
                let found = found.unwrap_or("missing");
                format!("the {field} of the push is `{found}`; expected \"{expected}\"")
            })
        })
    }

    /// The deploy role, if there is one. Its external id is the ARN of the pipeline in the account
    /// and the region of the push, which are the pipeline's.
    ///
    /// # Errors
    /// When `deploy_role` is not the ARN of a role, or the event has no account or region.
    pub fn deploy_role(&self, push: &PushedImage) -> Result<Option<DeployRole>, String> {
        self.role_in(push.account.as_ref(), push.region.as_ref())
    }

    /// The same for an update of the service, which is in the account and the region of the
    /// pipeline.
    ///
    /// # Errors
    /// As [`Self::deploy_role`].
    pub fn role_for(&self, update: &ServiceUpdate) -> Result<Option<DeployRole>, String> {
        self.role_in(update.account.as_ref(), update.region.as_ref())
    }

    /// The same for a sweep, whose rule is in the account and the region of the pipeline.
    ///
    /// # Errors
    /// As [`Self::deploy_role`].
    pub fn role_for_sweep(&self, sweep: &PushSweep) -> Result<Option<DeployRole>, String> {
        self.role_in(sweep.account.as_ref(), sweep.region.as_ref())
    }

    fn role_in(
        &self,
        account: Option<&String>,
        region: Option<&String>,
    ) -> Result<Option<DeployRole>, String> {
        let Some(arn) = &self.deploy_role else {
            return Ok(None);
        };

        let pipeline = StatedPipeline {
            arn: None,
            account: account.cloned(),
            region: region.cloned(),
            name: Some(self.pipeline.clone()),
        };
        DeployRole::of_pipeline(arn, &pipeline).map(Some)
    }

    /// The first of an image's tags that is delivered.
    #[must_use]
    pub fn delivered_tag<'a>(&self, tags: &'a [String]) -> Option<&'a str> {
        let mut tags = tags.iter().map(String::as_str);
        tags.find(|tag| self.why_unmatched(tag).is_none())
    }

    /// Why an image with this tag is not delivered.
    #[must_use]
    pub fn why_unmatched(&self, tag: &str) -> Option<String> {
        let pattern = self.tag_pattern.as_deref();
        match pattern.filter(|pattern| !matches(pattern, tag)) {
            Some(pattern) => Some(format!(
                "tag `{tag}` does not match the pipeline's tag pattern `{pattern}`"
            )),
            None if pattern.is_some_and(|pattern| self.is_not_named(tag, pattern)) => {
                Some(format!(
                    "tag `{tag}` moves to each new image, and the pipeline's tag pattern does not \
                     name it; expected TagPattern `{tag}`, or a TagRule that matches it"
                ))
            }
            None => self.tag_rule.why_unmatched(tag),
        }
    }

    /// Whether a tag is the one that moves by convention, and is not delivered on purpose: it
    /// matches because a pattern matches anything. A rule states which tags are meant.
    fn is_not_named(&self, tag: &str, pattern: &str) -> bool {
        tag == MOVING && pattern.contains('*') && matches!(self.tag_rule, TagRule::Any)
    }
}

/// Whether a text matches a pattern in which `*` stands for any number of characters.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(text) = text.strip_prefix(start) else {
        return false;
    };

    // The last part must be the end; each part before it is taken as early as it occurs.
    let mut text = text;
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return text.ends_with(part);
        }
        match text.find(part) {
            Some(at) => text = &text[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Manifest;
    use crate::timestamp::Timestamp;
    use serde_json::json;

    fn read(subscription: Value, event: Value) -> Result<PushInput, String> {
        serde_json::from_value(json!({"subscription": subscription, "event": event}))
            .map_err(|error| error.to_string())
    }

    fn full() -> Value {
        json!({
            "pipeline": "slipway-web", "action": "Image", "account": "111122223333",
            "region": "eu-west-1", "repository": "web", "tag_pattern": "v*",
        })
    }

    #[test]
    fn a_subscription_is_a_pipeline_an_action_and_what_it_takes() {
        let bare = json!({"pipeline": "slipway-web", "action": "Image"});
        let input = read(bare.clone(), json!({"id": "1"})).expect("understood");
        assert_eq!(input.subscription.pipeline, "slipway-web");
        assert_eq!(input.subscription.action, "Image");
        assert_eq!(input.subscription.tag_pattern, None);
        assert_eq!(input.event, json!({"id": "1"}));

        let input = read(full(), json!({})).expect("understood");
        assert_eq!(input.subscription.tag_pattern.as_deref(), Some("v*"));

        let other = json!({"pipeline": "slipway-web", "action": "Image", "tags": "*"});
        let refused = read(other, json!({})).expect_err("unknown");
        assert!(refused.contains("unknown field `tags`"), "{refused}");

        let more = json!({"subscription": bare, "event": {}, "more": 1});
        let refused = serde_json::from_value::<PushInput>(more).expect_err("unknown");
        assert!(refused.to_string().contains("unknown field `more`"));
        assert!(read(json!({"pipeline": "slipway-web"}), json!({})).is_err());
    }

    #[test]
    fn the_tag_that_moves_with_each_push_is_delivered_only_where_it_is_named() {
        let why = |pattern: Option<&str>, rule: &str, tag: &str| {
            let mut subscription = full();
            subscription["tag_pattern"] = json!(pattern);
            subscription["tag_rule"] = json!(rule);
            let input = read(subscription, json!({})).expect("understood");
            input.subscription.why_unmatched(tag)
        };
        let reason = "tag `latest` moves to each new image, and the pipeline's tag pattern does \
            not name it; expected TagPattern `latest`, or a TagRule that matches it";
        for pattern in ["*", "l*", "*est"] {
            let refused = why(Some(pattern), "", "latest");
            assert_eq!(refused.as_deref(), Some(reason), "{pattern}");
        }

        assert_eq!(why(Some("latest"), "", "latest"), None);
        assert_eq!(why(Some("*"), "regex:latest|v.*", "latest"), None);
        assert_eq!(why(None, "", "latest"), None, "EventBridge alone selects");
        for other in ["latest-1", "1.4.0", "stable"] {
            assert_eq!(why(Some("*"), "", other), None, "{other}");
        }
        let of_rule = why(Some("*"), "semver:^1.4", "latest").expect("unmatched");
        assert!(of_rule.contains("is not a version"), "{of_rule}");
    }

    fn push() -> PushedImage {
        PushedImage {
            event: "1".to_owned(),
            pushed_at: Timestamp::from_secs(1_767_603_600).expect("in range"),
            account: Some("111122223333".to_owned()),
            region: Some("eu-west-1".to_owned()),
            repository: "web".to_owned(),
            digest: "sha256:00".to_owned(),
            tag: None,
            manifest: Manifest::default(),
        }
    }

    #[test]
    fn the_deploy_role_of_a_subscription_is_that_of_its_pipeline_where_the_push_is() {
        let with = |arn: &str| {
            let mut subscription = full();
            subscription["deploy_role"] = json!(arn);
            read(subscription, json!({}))
                .expect("understood")
                .subscription
        };
        let none = read(full(), json!({})).expect("understood").subscription;
        assert_eq!(none.deploy_role(&push()), Ok(None));

        let arn = "arn:aws-cn:iam::444455556666:role/deploy";
        let role = DeployRole {
            arn: arn.to_owned(),
            external_id: "arn:aws-cn:codepipeline:eu-west-1:111122223333:slipway-web".to_owned(),
            region: None,
        };
        assert_eq!(with(arn).deploy_role(&push()), Ok(Some(role)));

        let nowhere = PushedImage {
            region: None,
            ..push()
        };
        for (arn, push) in [("deploy", push()), (arn, nowhere)] {
            let refused = with(arn).deploy_role(&push).expect_err("refused");
            let named = format!("`deploy_role` is `{arn}`");
            assert!(refused.starts_with(&named), "{refused}");
        }
    }

    #[test]
    fn an_image_of_another_account_region_or_repository_is_foreign() {
        let subscription = read(full(), json!({})).expect("understood").subscription;
        let own = push();
        assert_eq!(subscription.why_foreign(&own), None);

        let account = PushedImage {
            account: Some("444455556666".to_owned()),
            ..own.clone()
        };
        let region = PushedImage {
            region: None,
            ..own.clone()
        };
        let repository = PushedImage {
            repository: "api".to_owned(),
            ..own.clone()
        };

        for (push, why) in [
            (
                account,
                "the account of the push is `444455556666`; expected \"111122223333\"",
            ),
            (
                region,
                "the region of the push is `missing`; expected \"eu-west-1\"",
            ),
            (
                repository,
                "the repository of the push is `api`; expected \"web\"",
            ),
        ] {
            assert_eq!(subscription.why_foreign(&push).as_deref(), Some(why));
        }
    }

    #[test]
    fn a_tag_matches_as_in_a_rule_of_eventbridge() {
        for (pattern, tag) in [
            ("*", "1.0"),
            ("v*", "v"),
            ("v*", "v1"),
            ("*-amd64", "1-amd64"),
            ("v*.*-r*", "v1.2-r3"),
            ("a*b*b", "abb"),
            ("1.0", "1.0"),
        ] {
            assert!(matches(pattern, tag), "{pattern} {tag}");
        }

        for (pattern, tag) in [
            ("v*", "1.0"),
            ("v*", "dev1"),
            ("*-amd64", "1-amd64-x"),
            ("v*.*-r*", "v1-r3"),
            ("a*b*b", "ab"),
            ("1.0", "1.00"),
        ] {
            assert!(!matches(pattern, tag), "{pattern} {tag}");
        }

        let subscription = read(full(), json!({})).expect("understood").subscription;
        assert_eq!(subscription.why_unmatched("v1"), None);
        assert_eq!(
            subscription.why_unmatched("dev").as_deref(),
            Some("tag `dev` does not match the pipeline's tag pattern `v*`")
        );

        let mut ruled = full();
        ruled["tag_rule"] = json!("semver:^1.4");
        let ruled = read(ruled, json!({})).expect("understood").subscription;
        assert_eq!(ruled.why_unmatched("v1.5.0"), None);
        assert_eq!(
            ruled.why_unmatched("v2.0.0").as_deref(),
            Some("tag `v2.0.0` is not in the pipeline's range of versions ^1.4")
        );
        assert_eq!(
            ruled.why_unmatched("1.5.0").as_deref(),
            Some("tag `1.5.0` does not match the pipeline's tag pattern `v*`")
        );
    }
}
