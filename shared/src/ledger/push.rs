//! The claim of a pushed digest by a pipeline, so that one push starts one execution, however often it is told.

use serde::{Deserialize, Serialize};

use super::{Outcome, Record, RecordState};
use crate::limits::SAME_PUSH;
use crate::timestamp::Timestamp;

/// What a pipeline has made of a digest. There is one a pipeline and digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Push {
    pub v: u32,
    pub pipeline: String,
    pub digest: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// The id of the event that told of the push: the same again is a duplicate delivery.
    pub event: String,
    pub claimed_at: Timestamp,
    /// The execution that was started for it, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<String>,
    /// Why a later push of the same digest was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
}

/// What to do about a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Start an execution, after writing the claim if it is not the one written already.
    Start,
    /// It has been started already.
    Known { execution: String },
    /// It must not be started; the reason is recorded.
    Refuse(String),
}

impl Push {
    /// Decides about a push told by `event`, from the claim that stands and the record of the execution it led to.
    #[must_use]
    pub fn verdict(standing: Option<&Self>, record: Option<&Record>, event: &str, now: Timestamp) -> Verdict {
        match (standing, record) {
            (None, _) => Verdict::Start,
            (Some(Self { event: told, execution: Some(execution), .. }), _) if told == event => {
                Verdict::Known { execution: execution.clone() }
            }
            (Some(Self { event: told, execution: None, .. }), _) if told == event => Verdict::Start,
            (
                Some(_),
                Some(Record {
                    state: RecordState::Closed, outcome: Some(outcome @ Outcome::RolledBack), reason, ..
                }),
            ) => Verdict::Refuse(format!(
                "this digest was {outcome} before ({}); push a new image, or start the pipeline by hand to try it again",
                reason.as_deref().unwrap_or("no reason was recorded")
            )),
            (Some(standing @ Self { execution: Some(execution), .. }), Some(record))
                if record.state != RecordState::Closed && now.since(standing.claimed_at) < SAME_PUSH =>
            {
                Verdict::Known { execution: execution.clone() }
            }
            (Some(_), _) => Verdict::Start,
        }
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
            event: "told-1".to_owned(),
            claimed_at: now(),
            execution: execution.map(ToOwned::to_owned),
            refusal: None,
        }
    }

    #[test]
    fn a_duplicate_event_starts_nothing_and_a_crash_before_the_start_is_made_good() {
        assert_eq!(Push::verdict(None, None, "told-1", now()), Verdict::Start);
        assert_eq!(Push::verdict(Some(&claim(None)), None, "told-1", now()), Verdict::Start);
        assert_eq!(
            Push::verdict(Some(&claim(Some("e-1"))), None, "told-1", now()),
            Verdict::Known { execution: "e-1".to_owned() }
        );
    }

    #[test]
    fn a_rejected_digest_does_not_come_back_and_a_deployed_one_may() {
        let started = Record::started("e-1", "slipway-web", None, now());
        let again = |record: Record| Push::verdict(Some(&claim(Some("e-1"))), Some(&record), "told-2", now());
        assert!(
            matches!(again(started.clone().closed(Outcome::RolledBack, "sick", now())), Verdict::Refuse(why) if why.contains("sick"))
        );
        for outcome in [Outcome::Deployed, Outcome::Failed] {
            assert_eq!(again(started.clone().closed(outcome, "", now())), Verdict::Start);
        }
        assert_eq!(again(started), Verdict::Known { execution: "e-1".to_owned() });
    }

    #[test]
    fn an_end_that_was_never_told_does_not_keep_a_digest_for_ever() {
        let started = Record::started("e-1", "slipway-web", None, now());
        let later = Timestamp::from_secs(1_767_603_600 + 3_600).expect("in range");
        assert_eq!(Push::verdict(Some(&claim(Some("e-1"))), Some(&started), "told-2", later), Verdict::Start);
    }
}
