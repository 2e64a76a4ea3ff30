//! The stored format of what stands in a lease or a record.

use serde_json::json;

use super::*;
use crate::observed::colour::Colour::Green;

fn time(secs: i64) -> String {
    format!("2026-01-05T09:00:{secs:02}Z")
}

#[test]
fn words_and_times_are_stored_as_before() {
    for (decision, word) in [
        (OperatorDecision::Promote, "promote"),
        (OperatorDecision::RollBack, "roll-back"),
    ] {
        let stored = serde_json::to_value(awaiting(Some(decision))).expect("serializes");
        assert_eq!(
            stored,
            json!({"action": time(5), "since": time(6), "decision": word})
        );
    }

    let stored = serde_json::to_value(traffic_return(true)).expect("serializes");
    assert_eq!(
        stored,
        json!({"reason": "unhealthy", "since": time(0), "held": true})
    );

    for strange in [
        json!({"family": "web", "colour": "blue"}),
        json!({"newest": NEW}),
    ] {
        assert!(
            serde_json::from_value::<Registering>(strange.clone()).is_err(),
            "{strange} was taken"
        );
    }
}

#[test]
fn what_a_release_left_behind_is_stored_by_colour() {
    let known = last_known(Green, [3, 97], [Some(true), Some(false)]);
    let stored =
        json!({"live": "green", "blue": 3, "green": 97, "owed_blue": true, "owed_green": false});

    assert_eq!(serde_json::to_value(&known).expect("serializes"), stored);

    let read: LastKnownRouting = serde_json::from_value(stored).expect("reads");
    assert_eq!(read, known);

    let bare = last_known(Green, [3, 97], [None, None]);
    let stored = json!({"live": "green", "blue": 3, "green": 97});
    assert_eq!(serde_json::to_value(&bare).expect("serializes"), stored);

    let read: LastKnownRouting = serde_json::from_value(stored).expect("reads");
    assert_eq!(read, bare);

    let placed = LastKnownRouting {
        rule: Some(known_rule()),
        ..bare
    };
    let stored = json!({
        "live": "green", "blue": 3, "green": 97,
        "rule": {"arn": "rule", "target_groups": {"blue": "group-blue", "green": "group-green"}},
    });
    assert_eq!(serde_json::to_value(&placed).expect("serializes"), stored);

    let read: LastKnownRouting = serde_json::from_value(stored).expect("reads");
    assert_eq!(read, placed);
}

#[test]
fn a_field_of_a_newer_version_does_not_make_the_rule_of_a_pair_unreadable() {
    let mut stored = serde_json::to_value(known_rule()).expect("serializes");
    stored["newer"] = json!(true);
    let read: KnownRule = serde_json::from_value(stored).expect("reads");
    assert_eq!(read, known_rule());
}

#[test]
fn the_services_that_a_release_left_are_stored_if_they_were_given() {
    let known = LastKnownRouting {
        rule: Some(KnownRule {
            given_services: Some(given_services()),
            ..known_rule()
        }),
        ..last_known(Green, [3, 97], [None, None])
    };
    let services = json!({"blue": "Shop-ServiceA1B2-x", "green": "Shop-Green-y"});

    let stored = serde_json::to_value(&known).expect("serializes");
    assert_eq!(stored["rule"]["services"], services);
    let read: LastKnownRouting = serde_json::from_value(stored).expect("reads");
    assert_eq!(read, known);

    let mut half = json!({"arn": "rule", "target_groups": {"blue": "b", "green": "g"}});
    half["services"] = json!({"blue": "Shop-ServiceA1B2-x"});
    assert!(serde_json::from_value::<KnownRule>(half).is_err());
}

#[test]
fn a_failure_is_stored_with_its_cause_if_it_has_one() {
    for (failure, stored) in [
        (
            Failure::job("unhealthy"),
            json!({"type": "JobFailed", "message": "unhealthy"}),
        ),
        (
            Failure::overridden("unhealthy"),
            json!({"type": "JobFailed", "message": "unhealthy", "cause": "overridden"}),
        ),
        (
            Failure::needing_operator("unhealthy"),
            json!({"type": "JobFailed", "message": "unhealthy", "cause": "needs-operator"}),
        ),
    ] {
        assert_eq!(serde_json::to_value(&failure).expect("serializes"), stored);
        let read: Failure = serde_json::from_value(stored).expect("reads");
        assert_eq!(read, failure);
    }
}
