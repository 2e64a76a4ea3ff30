//! What a close leaves behind: the free lease, the record, and what is known of a pair's routing.

use super::*;
use crate::observed::colour::Colour::{Blue, Green};

pub(super) fn closed(
    lease: &Lease,
    outcome: Outcome,
    reason: &str,
    at: Timestamp,
) -> (Lease, Record) {
    close(lease, &Conclusion::new(outcome, reason), at).expect("it is open")
}

/// The record of a release that was rolled back.
fn record(prior: Prior, pair: Option<PairTarget>) -> Record {
    Record {
        v: 1,
        execution: "e-1".to_owned(),
        pipeline: "slipway-web".to_owned(),
        digest: Some("sha256:00".to_owned()),
        cluster: Some("apps".to_owned()),
        service: Some("web".to_owned()),
        state: RecordState::Closed,
        earlier: Vec::new(),
        action: None,
        brings_back: false,
        deploy_role: None,
        outcome: Some(Outcome::RolledBack),
        reason: Some("because".to_owned()),
        needs_operator: false,
        withdrawn: false,
        frozen: false,
        prior: Some(prior),
        change: Some(change()),
        repaired: None,
        shift: pair.as_ref().and_then(|pair| pair.shift.clone()),
        judgements: pair.map_or_else(Vec::new, |pair| pair.judgements),
        started_at: now(),
        ended_at: Some(after(90)),
        expires_at: None,
    }
}

#[test]
fn a_close_frees_the_lease_and_records_the_whole_release() {
    let service = rolling_back(of_service(service_target()));
    let restored = LeftRunning {
        execution: "e-1".to_owned(),
        deployment: None,
        ended_at: after(90),
        ..left_running()
    };
    let left = Lease {
        left: Some(Box::new(restored)),
        ..later(free())
    };
    assert_eq!(
        closed(&service, Outcome::RolledBack, "because", after(90)),
        (left, record(Prior::Service(prior_service()), None))
    );

    let pair = rolling_back(of_pair(pair_target()));
    let prior = Prior::Pair {
        pair: Box::new(prior_pair()),
        recorded_at: now(),
    };
    let (_, found) = closed(&pair, Outcome::RolledBack, "because", after(90));
    assert_eq!(found, record(prior, Some(pair_target())));
}

/// A release without a record vouches for what it registered, so records of the others must stay.
#[test]
fn only_a_record_of_what_was_deployed_expires_and_a_lease_never_does() {
    let expiry = |lease: &Lease, outcome| {
        let (free, record) = closed(lease, outcome, "because", after(90));
        let stored = serde_json::to_value(free).expect("serializes");
        assert_eq!(stored.get("expires_at"), None);
        record.expires_at
    };
    let (open, rolling) = (open_service(), rolling_back(of_service(service_target())));
    let in_400_days = Some(now().secs() + 90 + 400 * 86_400);

    for outcome in [Outcome::Deployed, Outcome::Unchanged] {
        assert_eq!(expiry(&open, outcome), in_400_days, "{outcome}");
    }
    for outcome in [Outcome::RolledBack, Outcome::Held] {
        assert_eq!(expiry(&rolling, outcome), None, "{outcome}");
    }
    for outcome in [Outcome::Failed, Outcome::Superseded] {
        assert_eq!(expiry(&open, outcome), None, "{outcome}");
    }
}

#[test]
fn a_record_shows_whether_a_freeze_ended_the_release() {
    let recorded = |failure: Failure| {
        let lease = with_release(rolling_back(of_service(service_target())), |release| {
            release.failure = Some(failure);
        });
        let (_, record) = closed(&lease, Outcome::RolledBack, "because", after(90));
        let stored = serde_json::to_value(&record).expect("serializes");
        (record.frozen, stored.get("frozen").cloned())
    };
    let frozen = recorded(Failure::frozen("until Monday"));
    assert_eq!(frozen, (true, Some(serde_json::json!(true))));
    assert_eq!(
        recorded(Failure::job("frozen: until Monday")),
        (false, None)
    );
}

#[test]
fn weights_that_were_repaired_are_recorded() {
    let pair = with_release(open_pair(), |release| {
        release.repaired = Some(weights(7, 0));
    });
    let (_, record) = closed(&pair, Outcome::Deployed, "because", after(90));
    assert_eq!(record.repaired, Some(weights(7, 0)));
}

#[test]
fn a_record_vouches_for_what_was_deployed_and_for_what_a_rollback_returned_to() {
    let vouches = |lease: &Lease, outcome, revision: &str| {
        let (_, record) = closed(lease, outcome, "because", after(90));
        record.vouches_for(revision)
    };

    for outcome in [Outcome::Deployed, Outcome::Unchanged] {
        assert!(vouches(&open_service(), outcome, NEW), "{outcome}");
    }
    for outcome in [Outcome::Failed, Outcome::Superseded] {
        assert!(!vouches(&open_service(), outcome, NEW), "{outcome}");
    }
    let service = rolling_back(of_service(service_target()));
    for outcome in [Outcome::RolledBack, Outcome::Held] {
        assert!(!vouches(&service, outcome, NEW), "{outcome}");
        assert!(vouches(&service, outcome, OLD), "{outcome}");
    }
    // A deregistered prior revision of a pair is not registered again.
    let pair = rolling_back(of_pair(pair_target()));
    assert!(!vouches(&pair, Outcome::RolledBack, OLD));

    let begun = Record::started("e-1", "slipway-web", None, now()).begun("apps", "web");
    assert!(!begun.vouches_for(NEW));
}

#[test]
fn a_free_lease_cannot_be_closed() {
    let again = close(
        &free(),
        &Conclusion::new(Outcome::Failed, "again"),
        after(91),
    );
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
fn a_record_shows_when_an_operator_is_needed() {
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

/// How a release of a pair ended, whether it had moved all of the traffic, whether scale-in was
/// announced to be suspended, and what it leaves behind.
fn left_behind() -> [(Outcome, bool, Option<bool>, LastKnownRouting); 8] {
    let recorded = |to_restore| left(Blue, [100, 0], to_restore);
    let promoted = left(Green, [0, 100], [None, None]);
    [
        // What was promoted is live; what was recorded is live again otherwise.
        (Outcome::Deployed, true, Some(false), promoted),
        (
            Outcome::Deployed,
            false,
            Some(false),
            recorded([None, None]),
        ),
        (
            Outcome::Unchanged,
            false,
            None,
            recorded([Some(true), None]),
        ),
        (
            Outcome::RolledBack,
            true,
            Some(false),
            recorded([None, None]),
        ),
        (Outcome::Held, true, Some(false), recorded([None, None])),
        // Scale-in that is still suspended is to be restored to what was recorded.
        (
            Outcome::Failed,
            true,
            Some(true),
            recorded([Some(false), Some(true)]),
        ),
        (Outcome::Failed, false, None, recorded([Some(true), None])),
        // Another writer came last.
        (Outcome::Superseded, true, Some(true), known_before()),
    ]
}

/// What a release leaves behind that had this last word on the rule of its pair.
fn left(live: Colour, of: [u32; 2], to_restore: [Option<bool>; 2]) -> LastKnownRouting {
    LastKnownRouting {
        rule: Some(known_rule()),
        ..last_known(live, of, to_restore)
    }
}

/// What an earlier release left behind.
pub(super) fn known_before() -> LastKnownRouting {
    last_known(Green, [1, 9], [Some(true), None])
}

#[test]
fn a_pair_leaves_its_live_colour_its_weights_and_the_scale_in_to_restore() {
    let leaves = |outcome, moved: bool, suspended| {
        let all = TrafficShift {
            to: weights(0, 100),
            ..shift()
        };
        let target = of_pair(PairTarget {
            shift: moved.then_some(all),
            scale_in_suspended: suspended,
            stickiness: None,
            ..pair_target()
        });
        let lease = if matches!(outcome, Outcome::RolledBack | Outcome::Held) {
            rolling_back(target)
        } else {
            held(Phase::Open(target))
        };
        closed(&lease, outcome, "because", now()).0.last_known
    };

    for (outcome, moved, suspended, expected) in left_behind() {
        assert_eq!(
            leaves(outcome, moved, suspended),
            Some(expected),
            "{outcome} {suspended:?}"
        );
    }
}

#[test]
fn a_pair_leaves_the_names_of_its_services_and_is_known_by_them() {
    let named = with_pair(open_pair(), |pair| {
        pair.prior.given_services = Some(given_services());
    });
    let left = |lease: &Lease| {
        let (free, _) = closed(lease, Outcome::Deployed, "because", now());
        free.last_known.expect("a pair leaves something")
    };
    let derived = PerColour::services(None, "web");
    let swapped = PerColour {
        blue: given_services().green,
        green: given_services().blue,
    };

    let of_named = left(&named);
    assert_eq!(
        of_named.rule.as_ref().map(|rule| rule.services("web")),
        Some(given_services())
    );
    let is_of = |known: &LastKnownRouting, services: &PerColour<String>| {
        known.is_of(services, "web", &Route::Rule("rule".to_owned()))
    };
    assert!(is_of(&of_named, &given_services()));
    assert!(!is_of(&of_named, &swapped) && !is_of(&of_named, &derived));

    for of_derived in [left(&open_pair()), known_before()] {
        assert!(is_of(&of_derived, &derived));
        assert!(!is_of(&of_derived, &given_services()));
    }
}

#[test]
fn what_other_services_owe_is_not_left_to_those_of_a_pair() {
    for (given, owed) in [(None, Some(true)), (Some(given_services()), None)] {
        let lease = with_pair(open_pair(), |pair| {
            pair.scale_in_suspended = None;
            pair.prior.given_services = given;
        });
        let (free, _) = closed(&lease, Outcome::Failed, "because", now());
        let known = free.last_known.expect("a pair leaves something");
        assert_eq!(known.scaling_to_restore.blue, owed.map(scale_in));
    }
}

#[test]
fn a_single_service_leaves_what_was_known_before() {
    let (single, _) = closed(&open_service(), Outcome::Deployed, "because", now());
    assert_eq!(single.last_known, Some(known_before()));
}

#[test]
fn the_first_release_of_a_pair_leaves_no_scale_in_to_restore() {
    let first = Lease {
        last_known: None,
        ..with_pair(open_pair(), |pair| {
            pair.scale_in_suspended = None;
            pair.stickiness = None;
        })
    };
    let (free, _) = closed(&first, Outcome::Failed, "because", now());

    assert_eq!(free.last_known, Some(left(Blue, [100, 0], [None, None])));
}

#[test]
fn the_success_of_an_execution_is_dated_and_the_first_time_stays() {
    for lease in [beginning(), open_service(), open_pair()] {
        let seen = apply(&lease, Event::SuccessNoted, after(8)).expect("a legal event");
        assert_eq!(seen, later(noted(lease)));

        let again = apply(&seen, Event::SuccessNoted, after(9)).expect_err("noted");
        assert_eq!(again.because, Refusal::SuccessNoted);
        assert!(
            again
                .to_string()
                .ends_with(" and the success of its execution is noted already")
        );
    }
}

#[test]
fn a_record_keeps_the_earlier_releases_of_its_execution() {
    let dev = EarlierRelease {
        cluster: "apps".to_owned(),
        service: "dev".to_owned(),
        outcome: Outcome::Deployed,
        task_definition: Some(OLD.to_owned()),
        ended_at: now(),
    };
    let lease = with_release(open_service(), |release| {
        release.earlier = vec![dev.clone()];
    });
    let stored = serde_json::to_value(&lease).expect("serializes");
    assert_eq!(stored["release"]["earlier"][0]["service"], "dev");
    let read: Lease = serde_json::from_value(stored).expect("reads");
    assert_eq!(read, lease);

    let (_, record) = closed(&lease, Outcome::Deployed, "because", after(90));
    assert_eq!(record.earlier, [dev]);
}
