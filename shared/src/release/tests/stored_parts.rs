//! The stored format of what stands in a lease or a record.

use serde_json::json;

use super::*;
use crate::observed::colour::Colour::Green;
use crate::observed::record::tests::{key, set};

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
fn scheduled_scaling_to_restore_is_stored_by_colour() {
    let scheduled = LastKnownRouting {
        scaling_to_restore: PerColour {
            blue: Some(RecordedScaling {
                schedule_suspended: Some(false),
                ..scale_in(true)
            }),
            green: Some(RecordedScaling {
                schedule_suspended: Some(true),
                ..scale_in(false)
            }),
        },
        ..last_known(Green, [3, 97], [None, None])
    };
    let stored = json!({
        "live": "green", "blue": 3, "green": 97, "owed_blue": true, "owed_green": false,
        "owed_blue_schedule": false, "owed_green_schedule": true,
    });
    let written = serde_json::to_value(&scheduled).expect("serializes");
    assert_eq!(written, stored);
    let read: LastKnownRouting = serde_json::from_value(stored).expect("reads");
    assert_eq!(read, scheduled);
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
fn the_success_of_an_execution_is_stored_with_its_release_and_may_be_missing() {
    let stored = serde_json::to_value(open_service()).expect("serializes");
    assert!(stored["release"].get("succeeded_at").is_none());
    let read: Lease = serde_json::from_value(stored.clone()).expect("reads");
    assert_eq!(read, open_service());

    let mut with_success = stored;
    with_success["release"]["succeeded_at"] = json!(time(8));
    let read: Lease = serde_json::from_value(with_success.clone()).expect("reads");
    assert_eq!(read, noted(open_service()));
    assert_eq!(
        serde_json::to_value(read).expect("serializes"),
        with_success
    );
}

#[test]
fn the_refusal_of_a_role_is_stored_with_its_release_and_may_be_missing() {
    let stored = serde_json::to_value(open_service()).expect("serializes");
    assert!(stored["release"].get("role_refused_since").is_none());

    let refused = apply(
        &open_service(),
        Event::RoleNoted { refused: true },
        after(8),
    )
    .expect("legal");
    let mut with_refusal = serde_json::to_value(later(open_service())).expect("serializes");
    with_refusal["release"]["role_refused_since"] = json!(time(8));
    let read: Lease = serde_json::from_value(with_refusal.clone()).expect("reads");
    assert_eq!(read, refused);
    assert_eq!(
        serde_json::to_value(refused.clone()).expect("serializes"),
        with_refusal
    );

    let accepted = apply(&refused, Event::RoleNoted { refused: false }, after(9)).expect("legal");
    assert_eq!(accepted, later(later(open_service())));
}

#[test]
fn since_when_the_status_is_unread_is_stored_with_its_release_and_may_be_missing() {
    let stored = serde_json::to_value(open_service()).expect("serializes");
    assert!(stored["release"].get("unread_since").is_none());

    let noted = |lease: &Lease, unread, at| {
        apply(lease, Event::StatusNoted { unread }, after(at)).expect("legal")
    };
    let unread = noted(&open_service(), true, 8);
    let mut with_time = serde_json::to_value(later(open_service())).expect("serializes");
    with_time["release"]["unread_since"] = json!(time(8));
    let read: Lease = serde_json::from_value(with_time.clone()).expect("reads");
    assert_eq!(read, unread);
    let written = serde_json::to_value(unread.clone()).expect("serializes");
    assert_eq!(written, with_time);

    assert_eq!(noted(&unread, false, 9), later(later(open_service())));
}

#[test]
fn what_holds_a_release_back_is_stored_with_it_and_may_be_missing() {
    let guarded = apply(&open_service(), Event::Guarded(guards()), after(9)).expect("legal");
    let mut stored = serde_json::to_value(later(open_service())).expect("serializes");
    stored["release"]["freeze"] =
        json!({"windows": ["Fri 16:00/Mon 06:00"], "zone": "Europe/Berlin"});
    stored["release"]["line"] = json!({"stage": "UAT", "next": "Prod"});

    let read: Lease = serde_json::from_value(stored.clone()).expect("reads");
    assert_eq!(read, guarded);
    assert_eq!(serde_json::to_value(guarded).expect("serializes"), stored);
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

#[test]
fn the_records_of_a_pair_are_stored_in_place_of_its_rule() {
    let sets = [set(Colour::Blue, 100), set(Green, 0)];
    let pair = key().view(&sets).expect("weighted records").pair;
    let route = Route::Record(Box::new(pair));
    let prior = PriorPair {
        route: route.clone(),
        ..prior_pair()
    };
    let known = KnownRule {
        route,
        ..known_rule()
    };

    let stored = serde_json::to_value(&prior).expect("serializes");
    assert_eq!(stored["record"]["key"]["name"], "shop.example.com.");
    assert_eq!(stored.get("rule"), None);
    let read: PriorPair = serde_json::from_value(stored.clone()).expect("reads");
    assert_eq!(read, prior);

    let of_known = serde_json::to_value(&known).expect("serializes");
    assert_eq!(of_known["record"], stored["record"]);
    assert_eq!(of_known.get("arn"), None);
    let read: KnownRule = serde_json::from_value(of_known).expect("reads");
    assert_eq!(read, known);

    let neither = json!({"target_groups": {"blue": "b", "green": "g"}});
    assert!(serde_json::from_value::<KnownRule>(neither).is_err());
}

#[test]
fn the_change_of_a_shift_is_stored_once_it_is_known() {
    let submitted = TrafficShift {
        made: false,
        change: Some("C1".to_owned()),
        ..shift()
    };
    let stored = serde_json::to_value(&submitted).expect("serializes");
    assert_eq!(stored["change"], "C1");
    let read: TrafficShift = serde_json::from_value(stored).expect("reads");
    assert_eq!(read, submitted);

    let stored = serde_json::to_value(shift()).expect("serializes");
    assert_eq!(stored.get("change"), None);
}
