//! Which images of a repository a sweep looks up in the ledger, because their events may be lost.
//!
//! Never orders by tags: ECR keeps no time of them.

use super::{NewestPush, Push};
use crate::limits::{SWEEP_AFTER, SWEEP_WINDOW, SWEPT_IMAGES};
use crate::observed::image::RepositoryImage;
use crate::timestamp::Timestamp;

/// The images to look up: first those that may run, newest first, so that signatures and the like
/// of later times hide none. One that came after the newest push is looked up whatever its age; an
/// older one, of which only a record can be missing, for a day.
#[must_use]
pub fn images_to_check(
    images: Vec<RepositoryImage>,
    newest: &NewestPush,
    now: Timestamp,
) -> Vec<RepositoryImage> {
    let is_due = |image: &RepositoryImage| {
        let age = now.since(image.first_pushed_at);
        let is_newer = image.first_pushed_at > newest.pushed_at;
        age >= SWEEP_AFTER && (is_newer || age < SWEEP_WINDOW)
    };
    let mut images: Vec<_> = images.into_iter().filter(is_due).collect();
    images.sort_by(|a, b| {
        let by_use = cannot_run(a).cmp(&cannot_run(b));
        let by_time = b.first_pushed_at.cmp(&a.first_pushed_at);
        by_use.then(by_time).then_with(|| a.digest.cmp(&b.digest))
    });
    images.truncate(SWEPT_IMAGES);
    images
}

/// Whether the event of an image that came after the newest push may still come. Until then nothing
/// is started of which ECR keeps no time.
#[must_use]
pub fn awaits_event(images: &[RepositoryImage], newest: &NewestPush, now: Timestamp) -> bool {
    images.iter().any(|image| {
        image.first_pushed_at > newest.pushed_at
            && now.since(image.first_pushed_at) < SWEEP_AFTER
            && !cannot_run(image)
    })
}

/// Whether ECR states of an image that it is something else, such as a signature.
fn cannot_run(image: &RepositoryImage) -> bool {
    image.manifest.why_not_runnable().is_some()
}

/// Whether the push of a digest is still to be delivered: nothing was recorded of it, or no
/// invocation went on with its claim. The newest push was claimed before it became that: without a
/// claim it has expired.
#[must_use]
pub fn is_missed(digest: &str, claim: Option<&Push>, newest: &NewestPush, now: Timestamp) -> bool {
    match claim {
        None => digest != newest.digest,
        Some(claim) => claim.is_undecided() && now.since(claim.claimed_at) >= SWEEP_AFTER,
    }
}

/// The tag of the newest push, by the claim of its digest. Of a digest that got another tag since,
/// the claim has an earlier one: an image to which that was given may be older.
#[must_use]
pub fn tag_of<'a>(newest: &NewestPush, claim: &'a Push) -> Option<&'a str> {
    let is_of_claim = claim.pushed_at.is_some_and(|at| at >= newest.pushed_at);
    claim.tag.as_deref().filter(|_| is_of_claim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Manifest;
    use crate::timestamp::at;

    fn image(digest: &str, secs: i64) -> RepositoryImage {
        RepositoryImage {
            digest: digest.to_owned(),
            first_pushed_at: at(secs),
            manifest: Manifest::default(),
        }
    }

    /// The newest push, at 09:00:00.
    fn newest(digest: &str) -> NewestPush {
        NewestPush {
            v: 1,
            pipeline: "slipway-web".to_owned(),
            digest: digest.to_owned(),
            event: "event-1".to_owned(),
            pushed_at: at(0),
            claimed_at: at(0),
            restarting: None,
        }
    }

    /// The digests that are looked up at this time.
    fn checked(images: Vec<RepositoryImage>, secs: i64) -> Vec<String> {
        let images = images_to_check(images, &newest("sha256:00"), at(secs));
        images.into_iter().map(|image| image.digest).collect()
    }

    #[test]
    fn the_newest_image_is_first() {
        let images = vec![image("a", -60), image("b", 60), image("c", 30)];
        assert_eq!(checked(images, 3_600), ["b", "c", "a"]);
    }

    #[test]
    fn an_image_is_looked_up_once_its_event_must_have_come() {
        assert_eq!(checked(vec![image("a", 60)], 659), Vec::<String>::new());
        assert_eq!(checked(vec![image("a", 60)], 660), ["a"]);
    }

    #[test]
    fn an_older_image_is_looked_up_for_a_day_and_a_newer_one_always() {
        const DAY: i64 = 86_400;
        let images = || vec![image("older", -60), image("newer", 60)];
        assert_eq!(checked(images(), DAY - 61), ["newer", "older"]);
        assert_eq!(checked(images(), DAY - 60), ["newer"]);
        assert_eq!(checked(images(), 100 * DAY), ["newer"]);
    }

    #[test]
    fn no_more_images_are_looked_up_than_fit_into_an_invocation() {
        let images = (1..100).map(|secs| image(&secs.to_string(), secs));
        let checked = checked(images.collect(), 3_600);
        assert_eq!(checked.len(), 20);
        assert_eq!(checked[0], "99");
    }

    fn signature(secs: i64) -> RepositoryImage {
        RepositoryImage {
            manifest: Manifest {
                artifact_type: Some("application/vnd.dev.sigstore.bundle.v0.3+json".to_owned()),
                ..Manifest::default()
            },
            ..image(&secs.to_string(), secs)
        }
    }

    #[test]
    fn the_event_of_a_newer_image_may_come_for_ten_minutes() {
        let awaits = |image, secs| awaits_event(&[image], &newest("sha256:00"), at(secs));
        assert!(awaits(image("a", 60), 659));
        assert!(!awaits(image("a", 60), 660));
        assert!(!awaits(image("a", 0), 1), "not newer");
        assert!(!awaits(signature(60), 61));
    }

    #[test]
    fn later_signatures_hide_no_image() {
        let images = [image("a", 1)].into_iter().chain((2..100).map(signature));
        let checked = checked(images.collect(), 3_600);
        assert_eq!(checked.len(), 20);
        assert_eq!(checked[..3], ["a", "99", "98"]);
    }

    #[test]
    fn a_push_is_missed_without_a_claim_or_with_one_that_led_to_nothing() {
        let claim = Push {
            v: 1,
            pipeline: "slipway-web".to_owned(),
            digest: "sha256:00".to_owned(),
            tag: None,
            event: "event-1".to_owned(),
            pushed_at: Some(at(0)),
            claimed_at: at(0),
            execution: None,
            refusal: None,
            waiting: None,
            expires_at: None,
        };
        let is_missed = |claim: Option<&Push>, secs| {
            is_missed("sha256:00", claim, &newest("sha256:0a"), at(secs))
        };
        assert!(is_missed(None, 0));
        assert!(!is_missed(Some(&claim), 599));
        assert!(is_missed(Some(&claim), 600));

        let started = Push {
            execution: Some("e-1".to_owned()),
            ..claim.clone()
        };
        let refused = Push {
            refusal: Some("a chart".to_owned()),
            ..claim
        };
        for recorded in [started, refused] {
            assert!(!is_missed(Some(&recorded), 3_600));
        }
    }

    #[test]
    fn the_newest_push_has_the_tag_of_its_claim_unless_its_digest_got_another_one_since() {
        let claim = |pushed_at| Push {
            v: 1,
            pipeline: "slipway-web".to_owned(),
            digest: "sha256:00".to_owned(),
            tag: Some("stable".to_owned()),
            event: "event-1".to_owned(),
            pushed_at,
            claimed_at: at(0),
            execution: None,
            refusal: None,
            waiting: None,
            expires_at: None,
        };
        let tag = |pushed_at| {
            let claim = claim(pushed_at);
            tag_of(&newest("sha256:00"), &claim).map(ToOwned::to_owned)
        };
        assert_eq!(tag(Some(at(0))).as_deref(), Some("stable"));
        assert_eq!(tag(Some(at(-1))), None);
        assert_eq!(tag(None), None);
    }

    #[test]
    fn the_newest_push_is_not_missed_once_its_claim_has_expired() {
        let newest = newest("sha256:00");
        assert!(!is_missed("sha256:00", None, &newest, at(0)));
        assert!(is_missed("sha256:0a", None, &newest, at(0)));
    }
}
