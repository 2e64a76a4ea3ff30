//! The newest push that a pipeline was started for, by which an older one is recognised whenever
//! its event arrives.
//!
//! There is one a pipeline. It never expires, and never moves back.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::limits::FUNCTION_TIMEOUT;
use crate::timestamp::Timestamp;

/// The newest push of a pipeline, by the time of Amazon ECR.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewestPush {
    pub v: u32,
    pub pipeline: String,
    pub digest: String,
    /// The id of the event of the push.
    pub event: String,
    /// When the digest got its tag, as the event states it.
    pub pushed_at: Timestamp,
    /// When an invocation took it, which starts the pipeline after that.
    pub claimed_at: Timestamp,
    /// The digest that the invocation starts the pipeline with once more, without a push of it.
    pub restarting: Option<String>,
}

/// How a push compares with the newest one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushOrder {
    Newer,
    Older,
    /// Events have whole seconds: another digest was pushed within the same one.
    SameSecond,
}

impl NewestPush {
    /// How the push of a digest compares with this one. A digest is never older than itself.
    #[must_use]
    pub fn compare(&self, digest: &str, pushed_at: Timestamp) -> PushOrder {
        if self.digest == digest || pushed_at > self.pushed_at {
            PushOrder::Newer
        } else if pushed_at < self.pushed_at {
            PushOrder::Older
        } else {
            PushOrder::SameSecond
        }
    }

    /// Whether a push gives its digest another tag after it.
    #[must_use]
    pub fn is_renewed_by(&self, digest: &str, pushed_at: Timestamp) -> bool {
        self.digest == digest && self.pushed_at < pushed_at
    }

    /// The same, taken by an invocation that starts the pipeline once more with a digest. A push
    /// that came in between has written another one, and a push that comes later waits.
    #[must_use]
    pub fn taken_for(&self, digest: &str, now: Timestamp) -> Self {
        Self {
            claimed_at: now,
            restarting: Some(digest.to_owned()),
            ..self.clone()
        }
    }

    /// The same once AWS has started the pipeline, or has refused it.
    #[must_use]
    pub fn given_back(&self) -> Self {
        Self {
            restarting: None,
            ..self.clone()
        }
    }

    /// The digest with which an invocation may be starting the pipeline.
    #[must_use]
    pub fn starting(&self) -> &str {
        self.restarting.as_deref().unwrap_or(&self.digest)
    }

    /// Whether an invocation may be starting the pipeline once more, without a push.
    #[must_use]
    pub fn may_be_restarting(&self, now: Timestamp) -> bool {
        self.restarting.is_some() && self.may_be_starting(now)
    }

    /// Whether an invocation may be starting the pipeline with it, unless the claim has what it led
    /// to. One that has timed out starts nothing.
    #[must_use]
    pub fn may_be_starting(&self, now: Timestamp) -> bool {
        now.since(self.claimed_at) < FUNCTION_TIMEOUT
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::timestamp::at;

    fn newest() -> NewestPush {
        NewestPush {
            v: 1,
            pipeline: "slipway-web".to_owned(),
            digest: "sha256:0a".to_owned(),
            event: "event-1".to_owned(),
            pushed_at: at(0),
            claimed_at: at(2),
            restarting: None,
        }
    }

    #[test]
    fn a_push_is_older_by_its_own_time_whenever_it_arrives() {
        assert_eq!(newest().compare("sha256:0b", at(-1)), PushOrder::Older);
        assert_eq!(newest().compare("sha256:0b", at(0)), PushOrder::SameSecond);
        assert_eq!(newest().compare("sha256:0b", at(1)), PushOrder::Newer);
    }

    #[test]
    fn a_digest_is_never_older_than_itself() {
        for secs in [-1, 0, 1] {
            assert_eq!(newest().compare("sha256:0a", at(secs)), PushOrder::Newer);
        }
    }

    #[test]
    fn a_later_tag_of_its_own_digest_renews_it() {
        assert!(newest().is_renewed_by("sha256:0a", at(1)));
        assert!(!newest().is_renewed_by("sha256:0a", at(0)));
        assert!(!newest().is_renewed_by("sha256:0b", at(1)));
    }

    #[test]
    fn an_invocation_may_start_the_pipeline_until_its_time_out_after_the_claim() {
        assert!(newest().may_be_starting(at(2)));
        assert!(newest().may_be_starting(at(61)));
        assert!(!newest().may_be_starting(at(62)));
    }

    #[test]
    fn a_start_without_a_push_takes_the_newest_push_until_its_time_out() {
        let taken = newest().taken_for("sha256:00", at(100));
        assert_eq!((taken.starting(), taken.claimed_at), ("sha256:00", at(100)));
        assert_eq!(newest().starting(), "sha256:0a");
        assert!(taken.may_be_restarting(at(159)));
        assert!(!taken.may_be_restarting(at(160)));
        assert!(!newest().may_be_restarting(at(2)), "a push has a claim");

        assert_eq!(taken.compare("sha256:0b", at(-1)), PushOrder::Older);
        let given_back = NewestPush {
            claimed_at: at(100),
            ..newest()
        };
        assert_eq!(taken.given_back(), given_back);
    }

    #[test]
    fn the_newest_push_is_stored_whole() {
        let stored = json!({
            "v": 1, "pipeline": "slipway-web", "digest": "sha256:0a", "event": "event-1",
            "pushed_at": "2026-01-05T09:00:00Z", "claimed_at": "2026-01-05T09:00:02Z",
        });
        assert_eq!(serde_json::to_value(newest()).expect("serializes"), stored);
        let taken = newest().taken_for("sha256:00", at(100));
        let written = serde_json::to_value(&taken).expect("serializes");
        assert_eq!(written["restarting"], json!("sha256:00"));
        let read = serde_json::from_value::<NewestPush>(stored).expect("parses");
        assert_eq!(read, newest());
    }
}
