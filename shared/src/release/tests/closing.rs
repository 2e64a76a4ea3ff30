//! What a close leaves behind: the free lease, the record, and what is known of a pair's routing.

use super::*;
use crate::observed::colour::Colour::{Blue, Green};

fn closed(lease: &Lease, outcome: Outcome, reason: &str, at: Timestamp) -> (Lease, Record) {
    close(lease, &Conclusion::new(outcome, reason), at).expect("it is open")
}

#[test]
fn a_close_frees_the_lease_and_records_the_whole_release() {
    let record = |prior, pair: Option<PairTarget>| Record {
        v: 1,
        execution: "e-1".to_owned(),
        pipeline: "slipway-web".to_owned(),
        digest: Some("sha256:00".to_owned()),
        cluster: Some("apps".to_owned()),
        service: Some("web".to_owned()),
        state: RecordState::Closed,
        outcome: Some(Outcome::RolledBack),
        reason: Some("because".to_owned()),
        needs_operator: false,
        prior: Some(prior),
        change: Some(change()),
        shift: pair.as_ref().and_then(|pair| pair.shift.clone()),
        judgements: pair.map_or_else(Vec::new, |pair| pair.judgements),
        started_at: now(),
        ended_at: Some(after(90)),
    };
    let service = rolling_back(of_service(service_target()));
    let free = Lease {
        fence: 8,
        release: None,
        ..open_service()
    };
    assert_eq!(
        closed(&service, Outcome::RolledBack, "because", after(90)),
        (free.clone(), record(Prior::Service(prior_service()), None))
    );
    let pair = rolling_back(of_pair(pair_target()));
    let prior = Prior::Pair {
        pair: Box::new(prior_pair()),
        recorded_at: now(),
    };
    let (_, found) = closed(&pair, Outcome::RolledBack, "because", after(90));
    assert_eq!(found, record(prior, Some(pair_target())));
    let again = close(&free, &Conclusion::new(Outcome::Failed, "again"), after(91));
    let refusal = again.expect_err("the lease is free");
    assert_eq!(
        (refusal.phase, refusal.event, refusal.because),
        (PhaseName::Free, EventName::Closed, Refusal::Phase)
    );
    assert_eq!(
        refusal.to_string(),
        "cannot close the release: the lease is free"
    );
}

#[test]
fn a_record_says_when_an_operator_is_needed() {
    let needs = |lease: &Lease, conclusion: Conclusion| {
        let (_, record) = close(lease, &conclusion, now()).expect("it is open");
        record.needs_operator
    };
    let back = rolling_back(of_service(service_target()));
    let stuck = with_release(back.clone(), |release| {
        release.failure = Some(Failure::needing_operator("service `web` is gone"));
    });
    assert!(!needs(&back, Conclusion::new(Outcome::Failed, "because")));
    assert!(needs(&back, Conclusion::needing_operator("because")));
    // What failed for it needs it still, unless all was restored.
    assert!(needs(&stuck, Conclusion::new(Outcome::Failed, "because")));
    assert!(!needs(
        &stuck,
        Conclusion::new(Outcome::RolledBack, "because")
    ));
    assert!(!needs(
        &failed(back),
        Conclusion::new(Outcome::Failed, "because")
    ));
}

#[test]
fn a_reason_is_kept_up_to_its_limit_in_characters() {
    let kept = |reason: String| {
        let (_, record) = closed(&open_service(), Outcome::Failed, &reason, now());
        record.reason
    };
    assert_eq!(kept("ä".repeat(1_000)), Some("ä".repeat(1_000)));
    assert_eq!(
        kept(format!("{}b", "ä".repeat(1_000))),
        Some("ä".repeat(1_000))
    );
}

#[test]
fn a_pair_leaves_its_live_colour_its_weights_and_the_scale_in_to_restore() {
    let before = last_known(Green, [1, 9], [Some(true), None]);
    let all = TrafficShift {
        to: weights(0, 100),
        ..shift()
    };
    let leaves = |outcome, shift: Option<&TrafficShift>, suspended| {
        let target = of_pair(PairTarget {
            shift: shift.cloned(),
            scale_in_suspended: suspended,
            ..pair_target()
        });
        let lease = if matches!(outcome, Outcome::RolledBack | Outcome::Held) {
            rolling_back(target)
        } else {
            held(Phase::Open(target))
        };
        closed(&lease, outcome, "because", now()).0.last_known
    };
    let cases = [
        // What was promoted is live; what was recorded is live again otherwise.
        (
            Outcome::Deployed,
            Some(&all),
            Some(false),
            last_known(Green, [0, 100], [None, None]),
        ),
        (
            Outcome::Deployed,
            None,
            Some(false),
            last_known(Blue, [100, 0], [None, None]),
        ),
        (
            Outcome::Unchanged,
            None,
            None,
            last_known(Blue, [100, 0], [Some(true), None]),
        ),
        (
            Outcome::RolledBack,
            Some(&all),
            Some(false),
            last_known(Blue, [100, 0], [None, None]),
        ),
        (
            Outcome::Held,
            Some(&all),
            Some(false),
            last_known(Blue, [100, 0], [None, None]),
        ),
        // Scale-in that is still suspended is to be restored to what was recorded.
        (
            Outcome::Failed,
            Some(&all),
            Some(true),
            last_known(Blue, [100, 0], [Some(false), Some(true)]),
        ),
        (
            Outcome::Failed,
            None,
            None,
            last_known(Blue, [100, 0], [Some(true), None]),
        ),
        // Another writer came last.
        (Outcome::Superseded, Some(&all), Some(true), before),
    ];
    for (outcome, shift, suspended, expected) in cases {
        assert_eq!(
            leaves(outcome, shift, suspended),
            Some(expected),
            "{outcome} {suspended:?}"
        );
    }
    let (single, _) = closed(&open_service(), Outcome::Deployed, "because", now());
    assert_eq!(single.last_known, Some(before));
    let first = Lease {
        last_known: None,
        ..with_pair(open_pair(), |pair| pair.scale_in_suspended = None)
    };
    let (free, _) = closed(&first, Outcome::Failed, "because", now());
    assert_eq!(
        free.last_known,
        Some(last_known(Blue, [100, 0], [None, None]))
    );
}
