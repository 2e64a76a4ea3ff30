//! What a release keeps of its judgements, and of an operator's decision.

use super::transitions::{applied, refusal};
use super::*;

#[test]
fn a_judgement_ends_the_wait_of_its_own_action_and_replaces_its_own_only() {
    let judged =
        |lease: &Lease, judgement| applied(lease, Event::JudgementRecorded(judgement), after(9));
    let other = judgement(after(1));

    assert_eq!(
        judged(&open_pair(), other.clone()),
        later(with_pair(open_pair(), |pair| pair.judgements.push(other)))
    );

    let again = JudgementRecord {
        verdict: "rollback".to_owned(),
        ..judgement(now())
    };
    assert_eq!(
        judged(&open_pair(), again.clone()),
        later(with_pair(open_pair(), |pair| pair.judgements = vec![again]))
    );

    let held = judgement(after(5));
    let expected = with_pair(open_pair(), |pair| {
        pair.judgements.push(held.clone());
        pair.awaiting = None;
    });
    assert_eq!(judged(&open_pair(), held), later(expected));
}

#[test]
fn a_wait_begins_without_a_decision_and_keeps_what_an_operator_decides() {
    let begun = AwaitingDecision {
        action: after(1),
        since: after(2),
        decision: None,
    };
    let awaited = Event::DecisionAwaited { action: after(1) };

    assert_eq!(
        applied(&open_pair(), awaited, after(2)),
        later(with_pair(open_pair(), |pair| pair.awaiting = Some(begun)))
    );

    for decision in [OperatorDecision::Promote, OperatorDecision::RollBack] {
        let expected = with_pair(open_pair(), |pair| {
            pair.awaiting = Some(awaiting(Some(decision)));
        });
        assert_eq!(
            applied(&open_pair(), Event::OperatorDecided(decision), after(9)),
            later(expected)
        );
    }

    let none = with_pair(open_pair(), |pair| pair.awaiting = None);
    let decided = Event::OperatorDecided(OperatorDecision::Promote);
    assert_eq!(refusal(&none, decided), Refusal::NoWait);
}
