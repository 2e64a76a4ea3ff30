//! What a service ran when its own stack began to update it. The update may set the service to the
//! image of the stack's template: then the release is brought back.
//!
//! There is one a pipeline, of the last update.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::expires_at;
use crate::limits::{FORMAT_VERSION, STACK_UPDATE};
use crate::timestamp::Timestamp;

/// An update of a service by its own stack.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackUpdate {
    pub v: u32,
    pub pipeline: String,
    /// The id of the event by which it was written last.
    pub event: String,
    /// The id of the event of its beginning: the same id again is a duplicate delivery.
    pub begun_by: Option<String>,
    /// The id of the event of the last end that was acted on: the same id again is a duplicate
    /// delivery too, even after the next update has begun.
    pub ended_by: Option<String>,
    pub began_at: Timestamp,
    /// The execution of the pipeline's release that was open when it began.
    pub during: Option<String>,
    /// When its end came while a release of the pipeline was open or about to begin: the end of
    /// that release decides what follows.
    pub missed_at: Option<Timestamp>,
    /// The source action of the pipeline that takes a digest.
    pub action: Option<String>,
    /// The digest of the release that the service ran; none if it ran no release of the pipeline.
    pub digest: Option<String>,
    /// The execution that brings the release back, once known.
    pub execution: Option<String>,
    /// When DynamoDB may delete it, in seconds since the Unix epoch.
    pub expires_at: Option<i64>,
}

/// What a service runs, as far as releases of a pipeline are concerned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunningReleases {
    /// Whether the PRIMARY deployment runs a revision that a release registered.
    pub is_primary: bool,
    /// The digest of the release that a deployment runs, the PRIMARY one first.
    pub digest: Option<String>,
}

/// What to do once a stack has updated a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AfterUpdate {
    /// Release the digest once more.
    Release { digest: String },
    /// That has been started already.
    Known { execution: String },
    /// Leave the service alone; the reason.
    Leave(&'static str),
}

impl StackUpdate {
    /// An update that begins, of a service that runs this digest.
    #[must_use]
    pub fn begun(pipeline: &str, event: &str, digest: Option<String>, now: Timestamp) -> Self {
        Self {
            v: FORMAT_VERSION,
            pipeline: pipeline.to_owned(),
            event: event.to_owned(),
            begun_by: Some(event.to_owned()),
            ended_by: None,
            began_at: now,
            during: None,
            missed_at: None,
            action: None,
            digest,
            execution: None,
            expires_at: Some(expires_at(now)),
        }
    }

    /// The same beginning with the last end that was written before: it may be its own, if the
    /// event of the end came first.
    #[must_use]
    pub fn after(self, before: Option<&Self>) -> Self {
        Self {
            ended_by: before.and_then(|before| before.ended_by.clone()),
            missed_at: before.and_then(|before| before.missed_at),
            action: before.and_then(|before| before.action.clone()),
            ..self
        }
    }

    /// The end of an update, after which this digest is released again.
    #[must_use]
    pub fn ended(
        begun: Option<&Self>,
        (pipeline, event): (&str, &str),
        digest: Option<String>,
        now: Timestamp,
    ) -> Self {
        Self {
            begun_by: begun.and_then(|begun| begun.begun_by.clone()),
            ended_by: Some(event.to_owned()),
            began_at: begun.map_or(now, |begun| begun.began_at),
            ..Self::begun(pipeline, event, digest, now)
        }
    }

    /// The end of an update during a release: nothing is started, and what was noted stays.
    #[must_use]
    pub fn missed(
        begun: Option<&Self>,
        (pipeline, event): (&str, &str),
        action: &str,
        now: Timestamp,
    ) -> Self {
        let noted = begun.filter(|begun| begun.may_follow(now));
        let digest = noted.and_then(|begun| begun.digest.clone());
        Self {
            missed_at: Some(now),
            action: Some(action.to_owned()),
            ..Self::ended(begun, (pipeline, event), digest, now)
        }
    }

    /// Whether its end was noted during a release, which began at that time or before.
    #[must_use]
    pub fn was_missed_since(&self, began: Timestamp) -> bool {
        self.missed_at.is_some_and(|missed| missed >= began)
    }

    /// The execution of the release that was open when it began, unless what followed has been
    /// started.
    #[must_use]
    pub fn overtook(&self, now: Timestamp) -> Option<&str> {
        self.during.as_deref().filter(|_| self.may_follow(now))
    }

    fn may_follow(&self, now: Timestamp) -> bool {
        self.execution.is_none() && self.is_recent(now)
    }

    /// Whether this event noted its beginning. One that was written before ids were kept apart has
    /// the last event only.
    #[must_use]
    pub fn was_begun_by(&self, event: &str) -> bool {
        self.begun_by.as_deref() == Some(event) || self.event == event
    }

    /// Whether this event of its end was followed, or noted during a release.
    #[must_use]
    pub fn was_ended_by(&self, event: &str) -> bool {
        self.ended_by.as_deref() == Some(event) || self.event == event
    }

    /// The digest of an update that begins. One that was noted stays while the service runs what an
    /// update brought: CloudFormation may update a service twice, to roll back for example.
    #[must_use]
    pub fn digest_to_note(
        before: Option<&Self>,
        runs: &RunningReleases,
        now: Timestamp,
    ) -> Option<String> {
        let noted = before.filter(|before| before.execution.is_none() && before.is_recent(now));
        let noted = noted.filter(|_| !runs.is_primary);
        runs.digest
            .clone()
            .or_else(|| noted.and_then(|noted| noted.digest.clone()))
    }

    fn is_recent(&self, now: Timestamp) -> bool {
        now.since(self.began_at) < STACK_UPDATE
    }

    /// Decides at the end of an update, from what was written at its beginning, if it was, and from
    /// what the service runs now.
    #[must_use]
    pub fn decide(
        begun: Option<&Self>,
        event: &str,
        runs: &RunningReleases,
        now: Timestamp,
    ) -> AfterUpdate {
        if let Some(followed) = begun.filter(|begun| begun.was_ended_by(event)) {
            if let Some(execution) = followed.execution.clone() {
                return AfterUpdate::Known { execution };
            }
            if followed.event != event {
                return AfterUpdate::Leave("another update of the service has begun since");
            }
        }
        if runs.is_primary {
            return AfterUpdate::Leave("the service runs a revision that a release registered");
        }

        // Only what ran when the update began is brought back: what an operator deployed before it
        // instead of a release was on purpose.
        let begun = begun.filter(|begun| begun.execution.is_none());
        let noted = begun.filter(|begun| begun.is_recent(now));
        let noted = noted.and_then(|begun| begun.digest.clone());
        match runs.digest.clone().or(noted) {
            Some(digest) => AfterUpdate::Release { digest },
            None => AfterUpdate::Leave("the service ran no release of the pipeline before it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::timestamp::at;

    fn begun(digest: Option<&str>) -> StackUpdate {
        StackUpdate::begun("slipway-web", "event-1", digest.map(str::to_owned), at(0))
    }

    fn runs(is_primary: bool, digest: Option<&str>) -> RunningReleases {
        RunningReleases {
            is_primary,
            digest: digest.map(str::to_owned),
        }
    }

    fn release(digest: &str) -> AfterUpdate {
        AfterUpdate::Release {
            digest: digest.to_owned(),
        }
    }

    #[test]
    fn what_ran_when_the_update_began_is_released_again() {
        let begun = begun(Some("sha256:0a"));
        let decide = |runs, secs| StackUpdate::decide(Some(&begun), "event-2", &runs, at(secs));

        assert_eq!(decide(runs(false, None), 600), release("sha256:0a"));
        assert_eq!(decide(runs(false, None), 14_399), release("sha256:0a"));
        let seen = decide(runs(false, Some("sha256:0b")), 600);
        assert_eq!(seen, release("sha256:0b"), "it is still there");
    }

    #[test]
    fn the_service_is_left_alone_if_it_runs_a_release_or_ran_none() {
        let leave = |begun: Option<StackUpdate>, runs, secs| {
            let decided = StackUpdate::decide(begun.as_ref(), "event-2", &runs, at(secs));
            matches!(decided, AfterUpdate::Leave(_))
        };
        let one = Some(begun(Some("sha256:0a")));

        assert!(leave(one.clone(), runs(true, Some("sha256:0a")), 60));
        assert!(leave(Some(begun(None)), runs(false, None), 60));
        assert!(leave(None, runs(false, None), 60));
        assert!(leave(one, runs(false, None), 14_400), "too long ago");

        let used = StackUpdate {
            execution: Some("e-2".to_owned()),
            ..begun(Some("sha256:0a"))
        };
        assert!(leave(Some(used), runs(false, None), 60), "another event");
    }

    #[test]
    fn a_second_beginning_keeps_what_was_noted_while_the_service_runs_no_release() {
        let noted = begun(Some("sha256:0a"));
        let digest = |before: Option<&StackUpdate>, runs, secs| {
            StackUpdate::digest_to_note(before, &runs, at(secs))
        };
        let kept = Some("sha256:0a".to_owned());

        assert_eq!(digest(Some(&noted), runs(false, None), 60), kept);
        let other = Some("sha256:0b".to_owned());
        assert_eq!(
            digest(Some(&noted), runs(false, Some("sha256:0b")), 60),
            other
        );
        assert_eq!(digest(Some(&noted), runs(true, None), 60), None);
        assert_eq!(digest(Some(&noted), runs(false, None), 14_400), None);
        assert_eq!(digest(None, runs(false, None), 60), None);
        let used = StackUpdate {
            execution: Some("e-2".to_owned()),
            ..noted
        };
        assert_eq!(digest(Some(&used), runs(false, None), 60), None);
    }

    #[test]
    fn the_same_event_again_starts_nothing_and_a_crash_before_the_start_is_made_good() {
        let again = |execution: Option<&str>| {
            let claimed = StackUpdate {
                event: "event-2".to_owned(),
                execution: execution.map(str::to_owned),
                ..begun(Some("sha256:0a"))
            };
            StackUpdate::decide(Some(&claimed), "event-2", &runs(false, None), at(60))
        };
        let known = AfterUpdate::Known {
            execution: "e-2".to_owned(),
        };
        assert_eq!(again(Some("e-2")), known);
        assert_eq!(again(None), release("sha256:0a"));
    }

    #[test]
    fn a_late_duplicate_of_either_event_is_known_whatever_was_written_since() {
        let noted = begun(Some("sha256:0a"));
        let ended = StackUpdate::ended(
            Some(&noted),
            ("slipway-web", "event-2"),
            Some("sha256:0a".to_owned()),
            at(60),
        );
        let started = StackUpdate {
            execution: Some("e-2".to_owned()),
            ..ended.clone()
        };
        assert!(started.was_begun_by("event-1"));
        assert!(!started.was_begun_by("event-3"));
        assert_eq!(started.began_at, at(0));

        let next = StackUpdate::begun("slipway-web", "event-3", None, at(90)).after(Some(&started));
        let again = StackUpdate::decide(Some(&next), "event-2", &runs(false, None), at(90));
        let leave = AfterUpdate::Leave("another update of the service has begun since");
        assert_eq!(again, leave);
        assert!(!next.was_begun_by("event-1"), "of the update before");
    }

    #[test]
    fn an_end_during_a_release_keeps_what_was_noted_for_four_hours() {
        let missed = |secs| {
            let noted = begun(Some("sha256:0a"));
            let named = ("slipway-web", "event-2");
            StackUpdate::missed(Some(&noted), named, "Image", at(secs))
        };
        let early = missed(60);
        assert_eq!(early.missed_at, Some(at(60)));
        assert!(early.was_missed_since(at(60)) && !early.was_missed_since(at(61)));
        assert_eq!(early.action.as_deref(), Some("Image"));
        assert_eq!(early.digest.as_deref(), Some("sha256:0a"));
        assert!(early.was_ended_by("event-2") && early.was_begun_by("event-1"));
        assert_eq!(missed(14_400).digest, None, "too long ago");

        // The event of its beginning comes last.
        let late = StackUpdate::begun("slipway-web", "event-3", None, at(61)).after(Some(&early));
        assert_eq!(late.missed_at, Some(at(60)));
        assert_eq!(late.action, early.action);
    }

    #[test]
    fn the_release_that_an_update_overtook_is_known_until_something_followed() {
        let during = StackUpdate {
            during: Some("e-1".to_owned()),
            ..begun(None)
        };
        assert_eq!(during.overtook(at(60)), Some("e-1"));
        assert_eq!(during.overtook(at(14_400)), None, "too long ago");
        let followed = StackUpdate {
            execution: Some("e-2".to_owned()),
            ..during
        };
        assert_eq!(followed.overtook(at(60)), None);
    }

    #[test]
    fn an_update_of_an_earlier_version_has_the_last_event_only() {
        let old = StackUpdate {
            begun_by: None,
            execution: Some("e-2".to_owned()),
            ..begun(Some("sha256:0a"))
        };
        assert!(old.was_begun_by("event-1"));
        let decided = StackUpdate::decide(Some(&old), "event-1", &runs(false, None), at(60));
        let known = AfterUpdate::Known {
            execution: "e-2".to_owned(),
        };
        assert_eq!(decided, known);
    }

    #[test]
    fn an_update_is_stored_without_what_it_does_not_have() {
        let stored = json!({
            "v": 1, "pipeline": "slipway-web", "event": "event-1", "begun_by": "event-1",
            "began_at": "2026-01-05T09:00:00Z", "expires_at": 1_767_603_600 + 34_560_000,
        });
        assert_eq!(
            serde_json::to_value(begun(None)).expect("serializes"),
            stored
        );
        let read = serde_json::from_value::<StackUpdate>(stored).expect("parses");
        assert_eq!(read, begun(None));
    }
}
