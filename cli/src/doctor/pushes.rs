//! Pushes that are in the repository of a pipeline and not in the ledger, by the decision of the
//! sweep that looks for them every hour.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use slipway::aws::Repositories;
use slipway::events::Subscription;
use slipway::image::short_digest;
use slipway::observed::image::RepositoryImage;
use slipway::release::{NewestPush, Push, images_to_check, is_missed};
use slipway::timestamp::{Timestamp, readable};

use super::{Check, State};
use crate::pipeline::{ImageSource, Pipeline};
use crate::{Failed, Session};

const NAME: &str = "pushes";

/// How old a push can be that the last sweep did not look for yet: the schedule of the rule, ten
/// minutes that an event may take, and as long for the sweep itself.
const SWEPT: Duration = Duration::from_secs(80 * 60);

pub(super) async fn checks(session: &Session, pipeline: &Pipeline) -> Result<Vec<Check>, Failed> {
    let name = &pipeline.name;
    let Ok(source) = pipeline.source() else {
        return skipped("the pipeline does not take its image from one repository of Amazon ECR");
    };
    let parameters = session.parameters_of(name).await?;
    let Some(subscription) = parameters.and_then(|it| subscription(name, source, &it)) else {
        return skipped(
            "no stack with TagPattern has the pipeline: which tags it takes is unknown",
        );
    };
    let ledger = session.ledger();
    let Some(newest) = ledger.newest_push(name).await? else {
        return skipped("none was recorded yet; none before the first one is looked for");
    };

    let now = session.sdk.now();
    let repositories = Repositories::new(&session.sdk);
    let mut images = repositories.tagged_images(source.repository).await?;
    images.retain(|image| subscription.delivered_tag(&image.manifest.tags).is_some());
    let claims = ledger.pushes(name).await?;
    let missed = missed(images, &claims.pushes, &newest, now);
    Ok(answer(name, &missed, now))
}

fn skipped(why: &str) -> Result<Vec<Check>, Failed> {
    Ok(vec![Check {
        state: State::Skip,
        name: NAME,
        found: why.to_owned(),
    }])
}

/// What the pipeline takes, by the parameters of its stack.
fn subscription(
    pipeline: &str,
    source: ImageSource<'_>,
    parameters: &BTreeMap<String, String>,
) -> Option<Subscription> {
    let value = json!({
        "pipeline": pipeline, "action": source.action, "repository": source.repository,
        "tag_pattern": parameters.get("TagPattern")?,
        "tag_rule": parameters.get("TagRule").map_or("", String::as_str),
    });
    serde_json::from_value(value).ok()
}

/// The images that a sweep would deliver: the newer ones, and those with which nothing went on. Of
/// an older one a sweep only records that it is older.
fn missed(
    images: Vec<RepositoryImage>,
    claims: &[Push],
    newest: &NewestPush,
    now: Timestamp,
) -> Vec<RepositoryImage> {
    let mut images = images_to_check(images, newest, now);
    images.retain(|image| {
        let claim = claims.iter().find(|claim| claim.digest == image.digest);
        let is_due = claim.is_some() || image.first_pushed_at > newest.pushed_at;
        is_due && is_missed(&image.digest, claim, newest, now)
    });
    images
}

fn answer(pipeline: &str, missed: &[RepositoryImage], now: Timestamp) -> Vec<Check> {
    if missed.is_empty() {
        return vec![Check {
            state: State::Ok,
            name: NAME,
            found: "the ledger has what the repository has".to_owned(),
        }];
    }

    let check = |image: &RepositoryImage| {
        let age = now.since(image.first_pushed_at);
        let sweep = if age < SWEPT {
            "the sweep of the pipeline's rule finds it within an hour".to_owned()
        } else {
            format!(
                "no sweep has found it: the rule slipway-{pipeline} of EventBridge and the log of \
                 start-pipeline have why"
            )
        };
        let digest = &image.digest;
        Check {
            state: State::Ng,
            name: NAME,
            found: format!(
                "{} ({}) was pushed {} ago and is not in the ledger: {sweep}; or at once: slipway \
                 deploy {pipeline} {digest}",
                short_digest(digest),
                image.manifest.tags.join(", "),
                readable(age)
            ),
        }
    };
    missed.iter().map(check).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use slipway::manifest::Manifest;

    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(1_767_603_600 + secs).expect("in range")
    }

    fn image(digest: &str, secs: i64) -> RepositoryImage {
        RepositoryImage {
            digest: digest.to_owned(),
            first_pushed_at: at(secs),
            manifest: Manifest {
                tags: vec!["1.0.0".to_owned()],
                ..Manifest::default()
            },
        }
    }

    fn claim(digest: &str, execution: Option<&str>) -> Push {
        let value = json!({
            "v": 1, "pipeline": "slipway-web", "digest": digest, "event": "event-1",
            "claimed_at": at(0), "execution": execution,
        });
        serde_json::from_value(value).expect("a push")
    }

    #[test]
    fn what_is_newer_than_the_newest_push_or_led_to_nothing_was_missed() {
        let newest: Value = json!({
            "v": 1, "pipeline": "slipway-web", "digest": "sha256:0b", "event": "event-1",
            "pushed_at": at(0), "claimed_at": at(0),
        });
        let newest: NewestPush = serde_json::from_value(newest).expect("a push");
        let claims = [
            claim("sha256:0b", Some("e-1")),
            claim("sha256:0c", None),
            claim("sha256:0e", Some("e-2")),
        ];
        let images = vec![
            image("sha256:0a", -60),
            image("sha256:0b", 0),
            image("sha256:0c", -30),
            image("sha256:0d", 60),
            image("sha256:0e", 90),
            image("sha256:0f", 3_500),
        ];
        let found = missed(images, &claims, &newest, at(3_600));
        let digests: Vec<&str> = found.iter().map(|it| it.digest.as_str()).collect();
        assert_eq!(digests, ["sha256:0d", "sha256:0c"]);

        let checks = answer("slipway-web", &found[..1], at(3_660));
        assert_eq!(
            checks[0].found,
            "sha256:0d (1.0.0) was pushed 1h00m ago and is not in the ledger: the sweep of the \
             pipeline's rule finds it within an hour; or at once: slipway deploy slipway-web \
             sha256:0d"
        );
        let late = answer("slipway-web", &found[..1], at(60 + 4_800));
        let why = "no sweep has found it: the rule slipway-slipway-web of EventBridge";
        assert!(late[0].found.contains(why), "{late:?}");
        assert_eq!(answer("slipway-web", &[], at(0))[0].state, State::Ok);
    }

    #[test]
    fn a_stack_without_a_pattern_of_tags_has_no_subscription() {
        let source = ImageSource {
            action: "Image",
            repository: "web",
        };
        let given = [("TagPattern", "v*"), ("TagRule", "semver:^1.4")];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let found = subscription("slipway-web", source, &given.into()).expect("a subscription");
        let tags = ["1.4.0", "v2.0.0", "v1.4.1"].map(ToOwned::to_owned);
        assert_eq!(found.delivered_tag(&tags), Some("v1.4.1"));
        assert!(subscription("slipway-web", source, &BTreeMap::new()).is_none());
    }
}
