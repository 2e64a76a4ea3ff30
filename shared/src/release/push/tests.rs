//! What is decided about pushes of which something is known already.

use super::*;
use crate::timestamp::at;

/// A claim that led to an execution, or to none yet.
pub(in crate::release) fn claim(execution: Option<&str>) -> Push {
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
        waiting: None,
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
        restarting: None,
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
    let decided = other_event(Some(of_an_earlier_version), closed(), 1);
    assert_eq!(decided, PushDecision::Start);
}

#[test]
fn a_tag_from_before_the_claim_starts_nothing_unless_another_digest_was_claimed_since() {
    let swept = Push {
        claimed_at: at(900),
        ..claim(Some("e-1"))
    };
    let late = |pushed: i64, newest: Option<NewestPush>| {
        let known = KnownPushes {
            claim: Some(swept.clone()),
            record: Some(started().closed(Outcome::Deployed, "", at(1_200))),
            newest,
        };
        known.decide("event-2", at(pushed), at(9_000))
    };
    for newest in [None, Some(newest("sha256:00"))] {
        assert_eq!(late(900, newest.clone()), known());
        assert_eq!(late(901, newest), PushDecision::Start);
    }
    let overtaken = late(900, Some(newest("sha256:0b")));
    assert_eq!(overtaken, PushDecision::Start);
}

#[test]
fn another_tag_is_of_the_same_push_by_the_time_of_its_push_not_of_its_arrival() {
    let arrived = |pushed: i64| {
        let known = KnownPushes {
            claim: Some(claim(Some("e-1"))),
            record: Some(started()),
            newest: None,
        };
        known.decide("event-2", at(pushed), at(9_000))
    };
    assert_eq!(arrived(5), known());
    assert_eq!(arrived(3_600), PushDecision::Start);
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
    let waiting = Push {
        waiting: Some("its scan is IN_PROGRESS".to_owned()),
        ..claim(None)
    };
    for none_starts in [not_delivered, waiting] {
        assert_eq!(after(&none_starts, 0), PushDecision::Start);
    }
}

#[test]
fn a_claim_refuses_its_own_push_and_any_once_its_image_was_started() {
    let refused = |execution| Push {
        refusal: Some("superseded".to_owned()),
        ..claim(execution)
    };
    assert!(refused(None).refuses("event-1"));
    assert!(!refused(None).refuses("event-2"));
    assert!(refused(Some("e-1")).refuses("event-2"));
    for accepted in [claim(None), claim(Some("e-1"))] {
        assert!(!accepted.refuses("event-1"), "{accepted:?}");
    }
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

#[test]
fn a_claim_of_a_later_push_counts_until_it_has_a_result() {
    let waiting = Push {
        waiting: Some("no scan".to_owned()),
        ..claim(None)
    };
    for undecided in [claim(None), waiting] {
        assert!(undecided.is_undecided_after(at(-1)));
        assert!(!undecided.is_undecided_after(at(0)));
        let unknown = Push {
            pushed_at: None,
            ..undecided
        };
        assert!(!unknown.is_undecided_after(at(-1)));
    }

    let refused = Push {
        refusal: Some("superseded".to_owned()),
        ..claim(None)
    };
    for decided in [claim(Some("e-1")), refused] {
        assert!(!decided.is_undecided_after(at(-1)));
    }
}
