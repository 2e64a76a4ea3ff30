//! The claim of a pushed digest by a pipeline, so that one push starts one execution, however often
//! its event is delivered.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{Outcome, Record, RecordState};
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
    pub claimed_at: Timestamp,
    /// The execution that was started for it, once known.
    pub execution: Option<String>,
    /// Why the push was not delivered, or why a later one of the same digest was refused.
    pub refusal: Option<String>,
    /// When DynamoDB may delete it, in seconds since the Unix epoch; never after a rollback.
    pub expires_at: Option<i64>,
}

/// What to do about a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PushDecision {
    /// Start an execution, after writing the claim if it is not the one written already.
    Start,
    /// An execution may be being started for it by another invocation: look again.
    Wait,
    /// It has been started already.
    Known { execution: String },
    /// It must not be started; the reason is recorded.
    Refuse(String),
}

impl Push {
    /// Decides about the push of `event`, from the recorded claim and the record of the execution
    /// it led to.
    #[must_use]
    pub fn decide(
        claim: Option<&Self>,
        record: Option<&Record>,
        event: &str,
        now: Timestamp,
    ) -> PushDecision {
        let Some(claim) = claim else {
            return PushDecision::Start;
        };

        // A duplicate of the event: only the start can be missing, if the process died before it.
        if claim.event == event {
            return claim.known().unwrap_or(PushDecision::Start);
        }

        // Another tag of the digest, whose event comes between the claim and the start. An
        // invocation that has timed out no longer starts anything, and one that refused never did.
        let may_be_starting = claim.execution.is_none() && claim.refusal.is_none();
        if may_be_starting && now.since(claim.claimed_at) < FUNCTION_TIMEOUT {
            return PushDecision::Wait;
        }

        match record {
            Some(Record {
                state: RecordState::Closed,
                outcome: Some(outcome @ Outcome::RolledBack),
                reason,
                ..
            }) => PushDecision::Refuse(format!(
                "this digest was {outcome} before ({}); push a new image, or start the pipeline by \
                 hand to try it again",
                reason.as_deref().unwrap_or("no reason was recorded")
            )),
            // Another tag of the digest is the same push, as long as its release is open.
            Some(record)
                if record.state != RecordState::Closed
                    && now.since(claim.claimed_at) < SAME_PUSH =>
            {
                claim.known().unwrap_or(PushDecision::Start)
            }
            _ => PushDecision::Start,
        }
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

    fn now() -> Timestamp {
        Timestamp::from_secs(1_767_603_600).expect("in range")
    }

    fn claim(execution: Option<&str>) -> Push {
        Push {
            v: 1,
            pipeline: "slipway-web".to_owned(),
            digest: "sha256:00".to_owned(),
            tag: None,
            event: "event-1".to_owned(),
            claimed_at: now(),
            execution: execution.map(ToOwned::to_owned),
            refusal: None,
            expires_at: None,
        }
    }

    #[test]
    fn a_duplicate_event_starts_nothing_and_a_crash_before_the_start_is_made_good() {
        assert_eq!(
            Push::decide(None, None, "event-1", now()),
            PushDecision::Start
        );
        assert_eq!(
            Push::decide(Some(&claim(None)), None, "event-1", now()),
            PushDecision::Start
        );
        assert_eq!(
            Push::decide(Some(&claim(Some("e-1"))), None, "event-1", now()),
            PushDecision::Known {
                execution: "e-1".to_owned()
            }
        );
    }

    #[test]
    fn a_rejected_digest_does_not_come_back_and_a_deployed_one_may() {
        let started = Record::started("e-1", "slipway-web", None, now());
        let again = |record: Record| {
            Push::decide(Some(&claim(Some("e-1"))), Some(&record), "event-2", now())
        };

        let refused = again(
            started
                .clone()
                .closed(Outcome::RolledBack, "unhealthy", now()),
        );
        assert!(matches!(refused, PushDecision::Refuse(why) if why.contains("unhealthy")));

        for outcome in [Outcome::Deployed, Outcome::Failed] {
            assert_eq!(
                again(started.clone().closed(outcome, "", now())),
                PushDecision::Start
            );
        }
        assert_eq!(
            again(started),
            PushDecision::Known {
                execution: "e-1".to_owned()
            }
        );
    }

    #[test]
    fn an_end_that_was_never_reported_does_not_keep_a_digest_forever() {
        let started = Record::started("e-1", "slipway-web", None, now());
        let later = Timestamp::from_secs(1_767_603_600 + 3_600).expect("in range");
        assert_eq!(
            Push::decide(Some(&claim(Some("e-1"))), Some(&started), "event-2", later),
            PushDecision::Start
        );
    }

    /// A later push of the digest whose first one led to a record in this state.
    fn later_push(state: RecordState, outcome: Option<Outcome>, secs: i64) -> PushDecision {
        let record = Record {
            state,
            outcome,
            ..Record::started("e-1", "slipway-web", None, now())
        };
        let at = Timestamp::from_secs(now().secs() + secs).expect("in range");

        Push::decide(Some(&claim(Some("e-1"))), Some(&record), "event-2", at)
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
                later_push(RecordState::Closed, Some(outcome), 0),
                PushDecision::Start,
                "{outcome}"
            );
        }
    }

    #[test]
    fn another_tag_of_a_digest_is_the_same_push_for_an_hour_while_its_release_is_open() {
        let known = PushDecision::Known {
            execution: "e-1".to_owned(),
        };
        for state in [RecordState::Started, RecordState::Begun] {
            assert_eq!(later_push(state, None, 3_599), known, "{state:?}");
            assert_eq!(
                later_push(state, None, 3_600),
                PushDecision::Start,
                "{state:?}"
            );
        }
    }

    #[test]
    fn another_push_waits_while_an_execution_may_be_being_started_for_the_first() {
        let after = |first: &Push, secs| {
            let at = Timestamp::from_secs(now().secs() + secs).expect("in range");
            Push::decide(Some(first), None, "event-2", at)
        };
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
        let record = Record::started("e-1", "slipway-web", None, now());
        assert_eq!(
            Push::decide(Some(&claim(Some("e-1"))), None, "event-2", now()),
            PushDecision::Start
        );
        assert_eq!(
            Push::decide(None, Some(&record), "event-2", now()),
            PushDecision::Start
        );
    }

    #[test]
    fn a_duplicate_of_the_event_that_led_to_a_rollback_is_known_and_not_refused() {
        let record = Record::started("e-1", "slipway-web", None, now()).closed(
            Outcome::RolledBack,
            "unhealthy",
            now(),
        );
        let known = PushDecision::Known {
            execution: "e-1".to_owned(),
        };

        assert_eq!(
            Push::decide(Some(&claim(Some("e-1"))), Some(&record), "event-1", now()),
            known
        );
    }

    #[test]
    fn a_claim_is_stored_without_what_it_does_not_have() {
        let bare = serde_json::json!({
            "v": 1, "pipeline": "slipway-web", "digest": "sha256:00", "event": "event-1",
            "claimed_at": "2026-01-05T09:00:00Z",
        });
        assert_eq!(serde_json::to_value(claim(None)).expect("serializes"), bare);

        let full = Push {
            tag: Some("1.0".to_owned()),
            refusal: Some("unhealthy".to_owned()),
            expires_at: Some(1_802_163_600),
            ..claim(Some("e-1"))
        };
        let stored = serde_json::json!({
            "v": 1, "pipeline": "slipway-web", "digest": "sha256:00", "tag": "1.0",
            "event": "event-1", "claimed_at": "2026-01-05T09:00:00Z", "execution": "e-1",
            "refusal": "unhealthy", "expires_at": 1_802_163_600,
        });

        assert_eq!(serde_json::to_value(&full).expect("serializes"), stored);
        assert_eq!(
            serde_json::from_value::<Push>(stored).expect("parses"),
            full
        );
    }
}
