//! Weights that are set back to what the last release of a pair left: by the sweep while no release
//! holds the lease, and by a release before it changes anything. Stickiness that a return of the
//! traffic switched off, until it is on again.

use std::time::Duration;

use super::*;
use crate::observed::record::RecordSetView;
use crate::observed::record::tests::{key, set};

fn shifted(lease: &Lease, from: Weights, to: Weights, at: Timestamp) -> Lease {
    apply(lease, Event::ShiftAnnounced { from, to }, at).expect("the release is open")
}

fn repaired(lease: &Lease) -> Option<Weights> {
    lease.release.as_ref().expect("a release").repaired
}

#[test]
fn a_free_lease_that_knows_its_weights_announces_their_repair() {
    let at = after(90);
    assert_eq!(
        apply(&free(), Event::RepairAnnounced, at),
        Ok(announced(free(), at))
    );

    let unknown = Lease {
        last_known: None,
        ..free()
    };
    let refused = apply(&unknown, Event::RepairAnnounced, at).expect_err("nothing is known");
    assert_eq!(refused.because, Refusal::Phase);
    assert_eq!(
        refused.to_string(),
        "cannot announce a repair of the weights: the lease is free"
    );
}

#[test]
fn the_weights_that_a_release_found_first_are_those_it_repaired() {
    let [reset, recorded, half] = [weights(0, 100), weights(100, 0), weights(50, 50)];
    let begun = held(Phase::Open(of_pair(PairTarget::new(prior_pair(), now()))));
    assert_eq!(repaired(&begun), None);

    let once = shifted(&begun, reset, recorded, after(1));
    assert_eq!(repaired(&once), Some(reset));
    let again = shifted(&once, half, recorded, after(2));
    assert_eq!(repaired(&again), Some(reset));

    let filled = with_pair(begun, |pair| pair.change = Some(change()));
    let moved = shifted(&filled, recorded, half, after(3));
    assert_eq!(repaired(&moved), None);
}

#[test]
fn records_have_their_weights_whatever_else_a_stack_update_changed() {
    let sets = [set(Colour::Blue, 100), set(Colour::Green, 0)];
    let pair = key().view(&sets).expect("weighted records").pair;
    let known = KnownRule {
        route: Route::Record(Box::new(pair)),
        ..known_rule()
    };
    let slower = sets.clone().map(|set| RecordSetView {
        ttl: Some(300),
        ..set
    });
    let moved = sets.clone().map(|set| RecordSetView {
        target: format!("dualstack.{}", set.target),
        ..set
    });

    for changed in [&sets, &slower, &moved] {
        let seen = known.weights_in(RouteView::Record(changed));
        assert_eq!(seen, Some(weights(100, 0)), "{changed:?}");
    }
    for same in [&sets, &slower] {
        assert_eq!(known.new_targets_in(RouteView::Record(same)), None);
    }
    let targets = known.new_targets_in(RouteView::Record(&moved));
    assert_eq!(
        targets.map(|targets| targets.green),
        Some("dualstack.green.eu-west-1.elb.amazonaws.com".to_owned())
    );
    assert_eq!(known.weights_in(RouteView::Record(&sets[..1])), None);
}

#[test]
fn a_rule_that_lacks_a_group_of_the_pair_has_no_weights_of_it() {
    let rule = |weights: &[(&str, u32)]| RuleView {
        weights: weights
            .iter()
            .map(|(arn, weight)| ((*arn).to_owned(), *weight))
            .collect(),
        sticky: None,
    };
    let known = known_rule();

    let both = rule(&[("other", 5), ("group-green", 3), ("group-blue", 97)]);
    assert_eq!(
        known.weights_in(RouteView::Rule(&both)),
        Some(weights(97, 3))
    );
    for lacking in [rule(&[("group-green", 3)]), rule(&[("group-blue", 97)])] {
        assert_eq!(known.weights_in(RouteView::Rule(&lacking)), None);
    }
    assert_eq!(known.new_targets_in(RouteView::Rule(&both)), None);
}

fn stickiness_noted(lease: &Lease, off: Option<Duration>) -> Lease {
    apply(lease, Event::StickinessNoted { off }, after(8)).expect("legal")
}

#[test]
fn a_release_notes_that_it_switches_stickiness_off_and_that_it_could_not() {
    let minutes = Duration::from_secs(600);
    for lease in [open_pair(), rolling_back(of_pair(pair_target()))] {
        let sticky = with_pair(lease, |pair| pair.stickiness = None);
        let off = stickiness_noted(&sticky, Some(minutes));
        let expected = with_pair(later(sticky.clone()), |pair| {
            pair.stickiness = Some(stickiness());
        });
        assert_eq!(off, expected);
        assert_eq!(stickiness_noted(&off, None), later(later(sticky)));
    }
}

/// The stickiness that is left to later sweeps when the release of a pair ends.
fn owed_after(
    outcome: Outcome,
    own: Option<SuspendedStickiness>,
    before: Option<LastKnownRouting>,
) -> Option<SuspendedStickiness> {
    let ended = with_pair(rolling_back(of_pair(pair_target())), |pair| {
        pair.stickiness = own;
    });
    let lease = Lease {
        last_known: before,
        ..ended
    };
    let free = apply(&lease, Event::Closed(outcome), after(9)).expect("legal");
    free.last_known.and_then(|known| known.stickiness)
}

#[test]
fn stickiness_that_is_off_is_owed_however_the_release_ends() {
    let own = stickiness();
    let earlier = SuspendedStickiness { secs: 60, ..own };
    let of = |rule: KnownRule| LastKnownRouting {
        stickiness: Some(earlier),
        rule: Some(rule),
        ..last_known(Colour::Blue, [100, 0], [None, None])
    };
    let other = KnownRule {
        route: Route::Rule("other".to_owned()),
        ..known_rule()
    };

    for outcome in [Outcome::RolledBack, Outcome::Failed, Outcome::Superseded] {
        assert_eq!(owed_after(outcome, Some(own), None), Some(own), "{outcome}");
        let after_own = owed_after(outcome, Some(own), Some(of(known_rule())));
        assert_eq!(after_own, Some(own), "{outcome}");
        let after_other = owed_after(outcome, None, Some(of(known_rule())));
        assert_eq!(after_other, Some(earlier), "{outcome}");
    }
    // That of a rule is not owed to another one, unless another writer came last.
    let of_other = owed_after(Outcome::RolledBack, None, Some(of(other.clone())));
    assert_eq!(of_other, None);
    let unchanged = owed_after(Outcome::Superseded, None, Some(of(other)));
    assert_eq!(unchanged, Some(earlier));
}

#[test]
fn a_superseded_release_that_had_returned_the_traffic_leaves_what_it_returned_it_to() {
    let lease = with_pair(rolling_back(of_pair(pair_target())), |pair| {
        pair.stickiness = Some(stickiness());
    });
    let free = apply(&lease, Event::Closed(Outcome::Superseded), after(9)).expect("legal");
    let left = free.last_known.expect("a pair leaves something");
    assert_eq!((left.live, left.weights), (Colour::Blue, weights(100, 0)));
    assert_eq!(left.rule, Some(known_rule()));
}

#[test]
fn a_free_lease_forgets_stickiness_once_it_is_on_again() {
    let owing = Lease {
        last_known: Some(LastKnownRouting {
            stickiness: Some(stickiness()),
            ..last_known(Colour::Green, [1, 9], [Some(true), None])
        }),
        ..free()
    };
    assert_eq!(stickiness_noted(&owing, None), later(free()));

    let off = Event::StickinessNoted {
        off: Some(Duration::from_secs(600)),
    };
    let refused = apply(&owing, off, after(9)).expect_err("no release");
    assert_eq!(refused.because, Refusal::Phase);
}

#[test]
fn stickiness_that_is_owed_is_stored_and_may_be_missing() {
    let known = LastKnownRouting {
        stickiness: Some(stickiness()),
        ..last_known(Colour::Green, [3, 97], [None, None])
    };
    let stored = serde_json::json!({
        "live": "green", "blue": 3, "green": 97,
        "stickiness": {"secs": 600, "at": "2026-01-05T09:00:08Z"},
    });
    assert_eq!(serde_json::to_value(&known).expect("serializes"), stored);
    let read: LastKnownRouting = serde_json::from_value(stored).expect("reads");
    assert_eq!(read, known);
}
