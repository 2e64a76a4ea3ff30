//! The stored format, version 1: what is written, and what items that were written by earlier
//! versions become.

use serde_json::{Value, json};

use super::*;
use crate::job::Origin;

fn time(secs: i64) -> String {
    format!("2026-01-05T09:00:{secs:02}Z")
}

fn prior_item() -> Value {
    json!({
        "task_definition": OLD, "desired_count": 2,
        "percentages": {"minimum_healthy": 100, "maximum": 200}, "recorded_at": time(0)
    })
}

fn prior_pair_item() -> Value {
    let colour = |group: &str, weight, suspended| {
        json!({
            "target_group": group, "weight": weight, "task_definition": OLD, "desired_count": 2,
            "percentages": {"minimum_healthy": 100, "maximum": 200}, "suspended": suspended
        })
    };

    let mut prior = prior_item();
    prior["pair"] = json!({
        "rule": "rule", "live": "blue", "blue": colour("group-blue", 100, false),
        "green": colour("group-green", 0, true)
    });
    prior
}

/// A lease whose release has these members besides those that every release has.
fn item(more: &Value) -> Value {
    let mut release = json!({
        "execution": "e-1", "pipeline": "slipway-web", "digest": "sha256:00", "state": "open",
        "began_at": time(0)
    });
    merge(&mut release, more);
    json!({
        "v": 1, "cluster": "apps", "service": "web", "fence": 7, "changed_at": time(0),
        "settled": {"live": "green", "blue": 1, "green": 9, "owed_blue": true},
        "left": {
            "execution": "e-0", "service": "web", "task_definition": OLD,
            "deployment": "ecs-svc/1", "began_at": time(0), "ended_at": time(0)
        },
        "release": release
    })
}

fn merge(item: &mut Value, more: &Value) {
    let members = more.as_object().expect("an object").clone();
    item.as_object_mut().expect("an object").extend(members);
}

fn service_fields() -> Value {
    json!({
        "prior": prior_item(), "role_proof": "announced", "warning": "warning: mind",
        "registering": {"family": "web", "newest": OLD}, "registered": NEW,
        "change": {
            "task_definition": NEW, "percentages": {"minimum_healthy": 50, "maximum": 150},
            "desired_count": 5
        }
    })
}

fn pair_fields() -> Value {
    let mut fields = service_fields();
    merge(
        &mut fields,
        &json!({
            "prior": prior_pair_item(),
            "shift": {
                "from": {"blue": 100, "green": 0}, "to": {"blue": 80, "green": 20}, "at": time(0),
                "made": true, "known": [{"blue": 90, "green": 10}]
            },
            "scale_in_suspended": true, "sized": 4, "retiring": true, "recount": true,
            "health": {"most": 6, "loss": {"since": time(3), "recovered_at": time(4)}},
            "stickiness": {"secs": 600, "at": time(8)},
            "restoring": {"reason": "unhealthy", "since": time(0)},
            "judged": [{
                "since": time(0), "verdict": "promote", "summary": "healthy",
                "outputs": {"Minutes": "7"}, "report": "reports/e-1"
            }],
            "holding": {"action": time(5), "since": time(6)}
        }),
    );

    fields
}

/// A pair whose services do not have the names that follow from its own.
fn named_pair_fields() -> Value {
    let mut fields = pair_fields();
    fields["prior"]["pair"]["services"] =
        json!({"blue": "Shop-ServiceA1B2-x", "green": "Shop-Green-y"});
    fields
}

fn open_named_pair() -> Lease {
    with_pair(open_pair(), |pair| {
        pair.prior.given_services = Some(given_services());
    })
}

fn rolling_back_item(mut fields: Value) -> Value {
    merge(
        &mut fields,
        &json!({"state": "rolling-back", "rolling_back_since": time(7)}),
    );
    item(&fields)
}

fn failed_item(mut fields: Value) -> Value {
    merge(
        &mut fields,
        &json!({"failure": {"type": "JobFailed", "message": "unhealthy"}}),
    );
    item(&fields)
}

/// A lease that has only begun, as [`item`] writes it.
fn begun() -> Lease {
    with_release(beginning(), |release| {
        release.digest = Some("sha256:00".to_owned());
    })
}

#[test]
fn a_lease_is_stored_under_names_that_later_versions_read() {
    let mut free_item = item(&json!({}));
    free_item
        .as_object_mut()
        .expect("an object")
        .remove("release");
    let unrecorded = with_release(begun(), |release| {
        release.phase = Phase::RollingBack {
            since: after(7),
            target: None,
        };
    });
    let cases = [
        (free_item, free()),
        (item(&json!({})), begun()),
        (failed_item(json!({})), failed(begun())),
        (item(&service_fields()), open_service()),
        (failed_item(service_fields()), failed(open_service())),
        (item(&pair_fields()), open_pair()),
        (failed_item(pair_fields()), failed(open_pair())),
        (item(&named_pair_fields()), open_named_pair()),
        (rolling_back_item(json!({})), unrecorded),
        (
            rolling_back_item(service_fields()),
            rolling_back(of_service(service_target())),
        ),
        (
            rolling_back_item(pair_fields()),
            rolling_back(of_pair(pair_target())),
        ),
    ];

    for (stored, lease) in cases {
        let written = serde_json::to_value(&lease).expect("serializes");
        assert_eq!(written, stored);
        let read: Lease = serde_json::from_value(stored).expect("reads");
        assert_eq!(read, lease);
    }
}

#[test]
fn a_lease_is_stored_without_what_it_does_not_have() {
    let first = Lease {
        fence: 1,
        release: Some(release()),
        ..Lease::unwritten("apps", "web")
    };
    let stored = json!({
        "v": 1, "cluster": "apps", "service": "web", "fence": 1,
        "release": {
            "execution": "e-1", "pipeline": "slipway-web", "state": "open", "began_at": time(0)
        },
    });

    assert_eq!(serde_json::to_value(&first).expect("serializes"), stored);

    let read: Lease = serde_json::from_value(stored).expect("reads");
    assert_eq!(read, first);
}

/// Pairs with one field each, under the name it is stored by.
fn pairs_of_one_field() -> [(&'static str, PairTarget); 11] {
    let with = |edit: fn(&mut PairTarget)| {
        let mut target = PairTarget::new(prior_pair(), now());
        edit(&mut target);
        target
    };
    [
        ("change", with(|pair| pair.change = Some(change()))),
        ("shift", with(|pair| pair.shift = Some(shift()))),
        (
            "scale_in_suspended",
            with(|pair| pair.scale_in_suspended = Some(true)),
        ),
        ("sized", with(|pair| pair.raised_to = Some(4))),
        ("retiring", with(|pair| pair.retiring = true)),
        ("recount", with(|pair| pair.recount = true)),
        ("health", with(|pair| pair.health = Some(seen_health()))),
        (
            "stickiness",
            with(|pair| pair.stickiness = Some(stickiness())),
        ),
        (
            "restoring",
            with(|pair| pair.traffic_return = Some(traffic_return(false))),
        ),
        (
            "judged",
            with(|pair| pair.judgements = vec![judgement(now())]),
        ),
        ("holding", with(|pair| pair.awaiting = Some(awaiting(None)))),
    ]
}

#[test]
fn what_began_a_release_is_stored_and_may_be_missing() {
    for (stored, origin) in [
        (json!({"origin": "job"}), Some(Origin::Job)),
        (json!({"origin": "operator"}), Some(Origin::Operator)),
        (json!({}), None),
    ] {
        let lease: Lease = serde_json::from_value(item(&stored)).expect("reads");
        assert_eq!(
            lease.release.as_ref().and_then(|release| release.origin),
            origin
        );
        assert_eq!(
            serde_json::to_value(&lease).expect("serializes"),
            item(&stored)
        );
    }
}

#[test]
fn each_field_of_a_pair_is_read_without_the_others() {
    let fields = pair_fields();

    for (name, target) in pairs_of_one_field() {
        let stored = item(&json!({"prior": fields["prior"], name: fields[name]}));
        let lease = with_release(held(Phase::Open(of_pair(target))), |release| {
            release.role_proof = None;
            release.warning = None;
            release.registering = None;
            release.registered = None;
        });
        assert_eq!(
            serde_json::to_value(&lease).expect("serializes"),
            stored,
            "{name}"
        );
        let read: Lease = serde_json::from_value(stored).expect("reads");
        assert_eq!(read, lease, "{name}");
    }
}

/// The refusal of a lease whose release has these members and one more.
fn refused_with(mut fields: Value, name: &str, value: &Value) -> String {
    fields[name] = value.clone();
    serde_json::from_value::<Lease>(item(&fields))
        .expect_err("a contradiction")
        .to_string()
}

#[test]
fn repaired_weights_are_stored_with_the_release_of_a_pair() {
    let repaired = json!({"blue": 100, "green": 0});
    let stored = item(&json!({"prior": pair_fields()["prior"], "repaired": repaired}));
    let lease: Lease = serde_json::from_value(stored.clone()).expect("reads");

    let release = lease.release.as_ref().expect("a release");
    assert_eq!(release.repaired, Some(weights(100, 0)));
    assert_eq!(serde_json::to_value(&lease).expect("serializes"), stored);
}

#[test]
fn a_field_of_another_target_is_refused_by_its_name() {
    let mut pair = pair_fields();
    pair["repaired"] = json!({"blue": 100, "green": 0});
    for name in [
        "repaired",
        "shift",
        "scale_in_suspended",
        "sized",
        "health",
        "stickiness",
        "restoring",
        "judged",
        "holding",
    ] {
        assert_eq!(
            refused_with(service_fields(), name, &pair[name]),
            format!("`release.{name}` is given; expected none for a single service")
        );
        assert_eq!(
            refused_with(json!({}), name, &pair[name]),
            format!("`release.{name}` is given; expected none without `release.prior`")
        );
    }

    for name in ["registering", "registered", "change"] {
        assert_eq!(
            refused_with(json!({}), name, &pair[name]),
            format!("`release.{name}` is given; expected none without `release.prior`")
        );
    }
}

#[test]
fn a_state_that_contradicts_its_time_is_refused() {
    assert_eq!(
        refused_with(service_fields(), "rolling_back_since", &json!(time(7))),
        "`release.rolling_back_since` is given; expected none in state `open`"
    );
    assert_eq!(
        refused_with(service_fields(), "state", &json!("rolling-back")),
        "`release.rolling_back_since` is missing; expected an instant in state `rolling-back`"
    );
}

#[test]
fn a_record_of_version_1_is_read_and_needs_no_operator() {
    let pair = pair_fields();
    let stored = json!({
        "v": 1, "execution": "e-1", "pipeline": "slipway-web", "digest": "sha256:00",
        "cluster": "apps", "service": "web", "state": "closed", "outcome": "rolled-back",
        "reason": "because", "prior": pair["prior"], "change": pair["change"],
        "shift": pair["shift"], "judged": pair["judged"], "started_at": time(0), "ended_at": time(9)
    });
    let lease = rolling_back(of_pair(pair_target()));
    let conclusion = Conclusion::new(Outcome::RolledBack, "because");
    let (_, record) = close(&lease, &conclusion, after(9)).expect("it is open");

    assert_eq!(serde_json::to_value(&record).expect("serializes"), stored);

    let read: Record = serde_json::from_value(stored).expect("reads");
    assert_eq!(read, record);
    assert!(!read.needs_operator);

    let needing = Record {
        needs_operator: true,
        ..record
    };
    let stored = serde_json::to_value(&needing).expect("serializes");
    assert_eq!(stored["needs_operator"], json!(true));

    let read: Record = serde_json::from_value(stored).expect("reads");
    assert_eq!(read, needing);
}
