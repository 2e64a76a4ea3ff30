//! Weights that are set back to what the last release of a pair left: by the sweep while no release
//! holds the lease, and by a release before it changes anything.

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
