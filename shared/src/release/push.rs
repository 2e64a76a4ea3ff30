//! The claim of a pushed digest by a pipeline, so that one push starts one execution, however often
//! its event is delivered.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{NewestPush, Outcome, Record, RecordState};
use crate::limits::{FUNCTION_TIMEOUT, SAME_PUSH};
use crate::timestamp::Timestamp;

/// What a pipeline has made of a digest. There is one a pipeline and digest.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Push {
    pub v: u32,
    pub pipeline: String,
    pub digest: String,
    pub tag: Option<String>,
    /// The id of the event of the push: the same id again is a duplicate delivery.
    pub event: String,
    /// When the digest got its tag, as the event states it. An earlier version did not keep it.
    pub pushed_at: Option<Timestamp>,
    pub claimed_at: Timestamp,
    /// The execution that was started for it, once known.
    pub execution: Option<String>,
    /// Why the push was not delivered, or why a later one of the same digest was refused.
    pub refusal: Option<String>,
    /// When DynamoDB may delete it, in seconds since the Unix epoch; never after a rollback.
    pub expires_at: Option<i64>,
}

/// What the ledger has when a push arrives.
#[derive(Clone, Debug, Default)]
pub struct KnownPushes {
    /// The claim of the same digest.
    pub claim: Option<Push>,
    /// The record of the execution that it led to.
    pub record: Option<Record>,
    /// The newest push of the pipeline, of any digest.
    pub newest: Option<NewestPush>,
}

/// What to do about a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PushDecision {
    /// Start an execution, after writing the claim if it is not the one written already; but not
    /// for an older push than the newest one.
    Start,
    /// An execution may be being started for it by another invocation: look again.
    Wait,
    /// It has been started already.
    Known { execution: String },
    /// It must not be started; the reason is recorded.
    Refuse(String),
}

impl KnownPushes {
    /// Decides about the push of `event`, from the recorded claim of its digest and the record of
    /// the execution it led to.
    #[must_use]
    pub fn decide(&self, event: &str, pushed_at: Timestamp, now: Timestamp) -> PushDecision {
        let Some(claim) = &self.claim else {
            return PushDecision::Start;
        };

        // A duplicate of the event: only the start can be missing, if the process died before it.
        if claim.event == event {
            return claim.known().unwrap_or(PushDecision::Start);
        }

        // Another tag of the digest, whose event comes between the claim and the start. An
        // invocation that has timed out no longer starts anything, and one that refused never did.
        if claim.may_be_starting(now) {
            return PushDecision::Wait;
        }

        match &self.record {
            Some(Record {
                withdrawn: false,
                state: RecordState::Closed,
                outcome: Some(outcome @ Outcome::RolledBack),
                reason,
                ..
            }) => PushDecision::Refuse(format!(
                "this digest was {outcome} before ({}); push a new image, or start the pipeline by \
                 hand to try it again",
                reason.as_deref().unwrap_or("no reason was recorded")
            )),
            // Another tag of the digest is the same push, as long as its release is open. After
            // another push it is a wish of its own: to return to this digest.
            Some(record)
                if record.state != RecordState::Closed
                    && !self.is_overtaken()
                    && now.since(claim.claimed_at) < SAME_PUSH =>
            {
                claim.known().unwrap_or(PushDecision::Start)
            }
            // An event from before the claim, which comes late.
            _ if claim.is_as_new_as(pushed_at) => claim.known().unwrap_or(PushDecision::Start),
            _ => PushDecision::Start,
        }
    }

    /// Whether another digest was claimed after this one.
    fn is_overtaken(&self) -> bool {
        let claimed = self.claim.as_ref().map(|claim| &claim.digest);
        let newest = self.newest.as_ref().map(|newest| &newest.digest);
        newest.is_some() && newest != claimed
    }
}

impl Push {
    /// Whether an invocation may be starting the pipeline with it.
    #[must_use]
    pub fn may_be_starting(&self, now: Timestamp) -> bool {
        self.is_undecided() && now.since(self.claimed_at) < FUNCTION_TIMEOUT
    }

    /// Whether nothing is known to have come of it.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        self.execution.is_none() && self.refusal.is_none()
    }

    /// Whether the claim is of a push that is not older.
    fn is_as_new_as(&self, pushed_at: Timestamp) -> bool {
        self.pushed_at.is_some_and(|claimed| claimed >= pushed_at)
    }

    /// The decision to leave the push to the execution that was started for it, if one was.
    fn known(&self) -> Option<PushDecision> {
        let execution = self.execution.clone()?;
        Some(PushDecision::Known { execution })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(1_767_603_600 + secs).expect("in range")
    }

    fn claim(execution: Option<&str>) -> Push {
        Push {
            v: 1,
            pipeline: "slipway-web".to_owned(),
            digest: "sha256:00".to_owned(),
            tag: None,
            event: "event-1".to_owned(),
            pushed_at: Some(at(0)),
            claimed_at: at(0),
            execution: execution.map(ToOwned::to_owned),
            refusal: None,
            expires_at: None,
        }
    }

    fn started() -> Record {
        Record::started("e-1", "slipway-web", None, at(0))
    }

    fn known() -> PushDecision {
        PushDecision::Known {
            execution: "e-1".to_owned(),
        }
    }

    /// The newest push, of a digest.
    fn newest(digest: &str) -> NewestPush {
        NewestPush {
            v: 1,
            pipeline: "slipway-web".to_owned(),
            digest: digest.to_owned(),
            event: "event-9".to_owned(),
            pushed_at: at(10),
            claimed_at: at(10),
        }
    }

    /// What is decided about `event-1`, which the ledger has if it has any.
    fn same_event(claim: Option<Push>, record: Option<Record>) -> PushDecision {
        let known = KnownPushes {
            claim,
            record,
            newest: None,
        };
        known.decide("event-1", at(0), at(0))
    }

    /// What is decided about another event, of a push this long after the claim, when it arrives.
    fn other_event(claim: Option<Push>, record: Option<Record>, secs: i64) -> PushDecision {
        let known = KnownPushes {
            claim,
            record,
            newest: None,
        };
        known.decide("event-2", at(secs), at(secs))
    }

    #[test]
    fn a_duplicate_event_starts_nothing_and_a_crash_before_the_start_is_made_good() {
        assert_eq!(same_event(None, None), PushDecision::Start);
        assert_eq!(same_event(Some(claim(None)), None), PushDecision::Start);
        assert_eq!(same_event(Some(claim(Some("e-1"))), None), known());
    }

    /// A later push of the digest whose first one led to a record.
    fn again(record: Record, secs: i64) -> PushDecision {
        other_event(Some(claim(Some("e-1"))), Some(record), secs)
    }

    #[test]
    fn a_rejected_digest_does_not_come_back_and_a_deployed_one_may() {
        let closed = |outcome, why: &str| started().closed(outcome, why, at(0));
        let refused = again(closed(Outcome::RolledBack, "unhealthy"), 1);
        assert!(matches!(refused, PushDecision::Refuse(why) if why.contains("unhealthy")));

        for outcome in [Outcome::Deployed, Outcome::Failed] {
            assert_eq!(again(closed(outcome, ""), 1), PushDecision::Start);
        }
        assert_eq!(again(started(), 1), known());
    }

    /// A later push of the digest whose first one led to a record in this state.
    fn later_push(state: RecordState, outcome: Option<Outcome>, secs: i64) -> PushDecision {
        let record = Record {
            state,
            outcome,
            ..started()
        };
        again(record, secs)
    }

    #[test]
    fn only_a_digest_that_was_rolled_back_is_refused() {
        let refused = later_push(RecordState::Closed, Some(Outcome::RolledBack), 9_000);
        let reason = "this digest was rolled-back before (no reason was recorded); push a new \
            image, or start the pipeline by hand to try it again";
        assert_eq!(refused, PushDecision::Refuse(reason.to_owned()));

        use Outcome::{Deployed, Failed, Held, Superseded, Unchanged};
        for outcome in [Deployed, Unchanged, Superseded, Held, Failed] {
            assert_eq!(
                later_push(RecordState::Closed, Some(outcome), 1),
                PushDecision::Start,
                "{outcome}"
            );
        }
    }

    #[test]
    fn what_an_operator_took_back_may_come_again() {
        let withdrawn = Record {
            withdrawn: true,
            ..started().closed(Outcome::RolledBack, "the execution was stopped", at(0))
        };
        assert_eq!(again(withdrawn.clone(), 1), PushDecision::Start);
        assert_eq!(
            again(withdrawn, 0),
            known(),
            "a late event of the same push"
        );
    }

    #[test]
    fn another_tag_of_a_digest_is_the_same_push_for_an_hour_while_its_release_is_open() {
        for state in [RecordState::Started, RecordState::Begun] {
            assert_eq!(later_push(state, None, 3_599), known(), "{state:?}");
            assert_eq!(
                later_push(state, None, 3_600),
                PushDecision::Start,
                "{state:?}"
            );
        }
    }

    #[test]
    fn a_tag_that_returns_to_a_digest_after_another_push_is_a_push_of_its_own() {
        let after = |digest: &str, pushed: i64| {
            let known = KnownPushes {
                claim: Some(claim(Some("e-1"))),
                record: Some(started()),
                newest: Some(newest(digest)),
            };
            known.decide("event-2", at(pushed), at(30))
        };
        assert_eq!(after("sha256:00", 20), known());
        assert_eq!(after("sha256:0b", 20), PushDecision::Start);
        assert_eq!(after("sha256:0b", 0), known(), "an event that comes late");
    }

    #[test]
    fn an_event_from_before_the_claim_starts_nothing_once_its_release_has_ended() {
        let closed = || Some(started().closed(Outcome::Deployed, "", at(100)));
        let late = |pushed: i64| {
            let known = KnownPushes {
                claim: Some(claim(Some("e-1"))),
                record: closed(),
                newest: None,
            };
            known.decide("event-2", at(pushed), at(200))
        };
        assert_eq!(late(-1), known());
        assert_eq!(late(0), known(), "two tags of one push");
        assert_eq!(late(1), PushDecision::Start);

        let of_an_earlier_version = Push {
            pushed_at: None,
            ..claim(Some("e-1"))
        };
        let decided = other_event(Some(of_an_earlier_version), closed(), 0);
        assert_eq!(decided, PushDecision::Start);
    }

    #[test]
    fn another_push_waits_while_an_execution_may_be_being_started_for_the_first() {
        let after = |first: &Push, secs| other_event(Some(first.clone()), None, secs);
        let starting = claim(None);
        assert_eq!(after(&starting, 0), PushDecision::Wait);
        assert_eq!(after(&starting, 59), PushDecision::Wait);
        assert_eq!(after(&starting, 60), PushDecision::Start);

        let not_delivered = Push {
            refusal: Some("a chart".to_owned()),
            ..claim(None)
        };
        assert_eq!(after(&not_delivered, 0), PushDecision::Start);
    }

    #[test]
    fn a_claim_or_a_record_alone_delays_no_other_push() {
        let claimed = other_event(Some(claim(Some("e-1"))), None, 1);
        assert_eq!(claimed, PushDecision::Start);
        assert_eq!(other_event(None, Some(started()), 1), PushDecision::Start);
    }

    #[test]
    fn a_duplicate_of_the_event_that_led_to_a_rollback_is_known_and_not_refused() {
        let record = started().closed(Outcome::RolledBack, "unhealthy", at(0));
        assert_eq!(same_event(Some(claim(Some("e-1"))), Some(record)), known());
    }

    #[test]
    fn a_claim_is_stored_without_what_it_does_not_have() {
        let bare = serde_json::json!({
            "v": 1, "pipeline": "slipway-web", "digest": "sha256:00", "event": "event-1",
            "claimed_at": "2026-01-05T09:00:00Z",
        });
        let of_an_earlier_version = Push {
            pushed_at: None,
            ..claim(None)
        };
        let written = serde_json::to_value(&of_an_earlier_version).expect("serializes");
        assert_eq!(written, bare);
        let read = serde_json::from_value::<Push>(bare).expect("parses");
        assert_eq!(read, of_an_earlier_version);

        let full = Push {
            tag: Some("1.0".to_owned()),
            refusal: Some("unhealthy".to_owned()),
            expires_at: Some(1_802_163_600),
            ..claim(Some("e-1"))
        };
        let stored = serde_json::json!({
            "v": 1, "pipeline": "slipway-web", "digest": "sha256:00", "tag": "1.0",
            "event": "event-1", "pushed_at": "2026-01-05T09:00:00Z",
            "claimed_at": "2026-01-05T09:00:00Z", "execution": "e-1", "refusal": "unhealthy",
            "expires_at": 1_802_163_600,
        });

        assert_eq!(serde_json::to_value(&full).expect("serializes"), stored);
        assert_eq!(
            serde_json::from_value::<Push>(stored).expect("parses"),
            full
        );
    }
}
