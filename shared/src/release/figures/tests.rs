use serde_json::{Value, json};

use super::*;
use crate::timestamp::at;

/// The record of an execution of `slipway-web` that began at a second and ended at another.
fn record(execution: &str, [from, to]: [i64; 2], outcome: &str, more: Value) -> Record {
    let mut whole = json!({
        "v": 1, "execution": execution, "pipeline": "slipway-web", "state": "closed",
        "digest": format!("sha256:{execution}"), "cluster": "apps", "service": "web",
        "outcome": outcome, "started_at": at(from), "ended_at": at(to), "change": change(),
    });
    let more = more.as_object().expect("an object").clone();
    whole.as_object_mut().expect("an object").extend(more);
    serde_json::from_value(whole).expect("a record")
}

fn change() -> Value {
    json!({
        "task_definition": "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:4",
        "percentages": {"minimum_healthy": 100, "maximum": 200},
    })
}

/// The claim of an execution's digest, which was pushed at a second.
fn push(execution: &str, pushed: i64) -> Push {
    let value = json!({
        "v": 1, "pipeline": "slipway-web", "digest": format!("sha256:{execution}"),
        "event": "event-1", "pushed_at": at(pushed), "claimed_at": at(pushed + 1),
        "execution": execution,
    });
    serde_json::from_value(value).expect("a push")
}

fn effects(records: &[Record], pushes: &[Push]) -> Vec<Effect> {
    let ended = ended(records, pushes, at(0), at(DAY_SECS));
    ended.iter().map(|release| release.effect).collect()
}

fn secs(secs: u64) -> Option<Duration> {
    Some(Duration::from_secs(secs))
}

#[test]
fn a_deployment_counts_from_the_push_that_started_it() {
    let deployed = record("e-1", [10, 70], "deployed", json!({}));
    let lead_with = |push: Push| effects(std::slice::from_ref(&deployed), &[push]);
    let known = |lead| vec![Effect::Deployed { lead }];

    assert_eq!(lead_with(push("e-1", 5)), known(secs(65)));
    assert_eq!(lead_with(push("e-0", 5)), known(None));
    // A digest that was pushed again, or started again.
    assert_eq!(lead_with(push("e-1", 11)), known(None));
    let by_hand = Push {
        execution: Some("e-0".to_owned()),
        ..push("e-1", 5)
    };
    assert_eq!(lead_with(by_hand), known(None));
    let of_an_earlier_version = Push {
        pushed_at: None,
        ..push("e-1", 5)
    };
    assert_eq!(lead_with(of_an_earlier_version), known(None));
}

#[test]
fn a_change_failed_if_users_could_get_it_and_something_was_found_against_it() {
    let effect =
        |outcome: &str, more: Value| effects(&[record("e-1", [10, 70], outcome, more)], &[]);
    let failed = |restore| vec![Effect::Failed { restore }];
    let nothing = vec![Effect::Nothing];

    assert_eq!(effect("rolled-back", json!({})), failed(secs(60)));
    assert_eq!(effect("failed", json!({})), failed(None));
    assert_eq!(effect("rolled-back", json!({"withdrawn": true})), nothing);
    assert_eq!(effect("failed", json!({"change": null})), nothing);
    for outcome in ["unchanged", "superseded", "held"] {
        assert_eq!(effect(outcome, json!({})), nothing, "{outcome}");
    }
    assert!(effect("rolled-back", json!({"state": "begun"})).is_empty());

    let colour = |weight: u32| {
        json!({
            "target_group": "group", "weight": weight, "task_definition": "web:3",
            "desired_count": 2, "percentages": {"minimum_healthy": 100, "maximum": 200},
        })
    };
    let pair = json!({
        "task_definition": "web:3", "desired_count": 2, "recorded_at": at(10),
        "percentages": {"minimum_healthy": 100, "maximum": 200},
        "pair": {"rule": "rule", "live": "blue", "blue": colour(100), "green": colour(0)},
    });
    let shift = json!({
        "from": {"blue": 90, "green": 10}, "to": {"blue": 100, "green": 0}, "at": at(60),
        "made": true,
    });
    let unseen = json!({"prior": pair});
    assert_eq!(effect("rolled-back", unseen), nothing);
    let seen = json!({"prior": pair, "shift": shift});
    assert_eq!(effect("rolled-back", seen), failed(secs(60)));
}

#[test]
fn what_was_not_restored_is_once_a_later_release_of_the_service_is_proven() {
    let broken = record("e-1", [10, 70], "failed", json!({"needs_operator": true}));
    let other = record("e-2", [80, 90], "deployed", json!({"service": "api"}));
    let left = record("e-3", [80, 95], "superseded", json!({}));
    let mended = record("e-4", [100, 130], "deployed", json!({}));
    let restore = |records: &[Record]| effects(records, &[])[0];

    let open = Effect::Failed { restore: None };
    assert_eq!(
        restore(&[broken.clone(), other.clone(), left.clone()]),
        open
    );
    let restored = Effect::Failed { restore: secs(120) };
    assert_eq!(restore(&[mended, left, other, broken]), restored);
}

#[test]
fn each_service_of_a_promotion_has_its_own_deployment() {
    let earlier = json!({"earlier": [{
        "cluster": "apps", "service": "dev", "outcome": "deployed",
        "task_definition": "dev:7", "ended_at": at(30),
    }]});
    let records = [record("e-1", [40, 70], "rolled-back", earlier)];
    let ended = ended(&records, &[push("e-1", 5)], at(0), at(DAY_SECS));
    let seen: Vec<_> = ended
        .iter()
        .map(|it| (it.service.as_deref(), it.revision(), it.effect))
        .collect();
    let deployed = Effect::Deployed { lead: secs(25) };
    let failed = Effect::Failed { restore: secs(30) };
    assert_eq!(
        seen,
        [
            (Some("apps/dev"), Some("dev:7"), deployed),
            (Some("apps/web"), Some("web:4"), failed),
        ]
    );
}

#[test]
fn a_period_has_the_releases_that_ended_in_it() {
    let records = [
        record("e-1", [10, 70], "failed", json!({})),
        record("e-2", [60, 80], "deployed", json!({})),
    ];
    let of = |since: i64, until: i64| ended(&records, &[], at(since), at(until)).len();
    assert_eq!([of(70, 80), of(71, 80), of(81, 90)], [2, 1, 0]);
    assert_eq!([of(70, 79), of(0, 69)], [1, 0]);
    // What was not restored in the period may be later.
    let failed = ended(&records, &[], at(0), at(79));
    let restore = secs(70);
    assert_eq!(failed[0].effect, Effect::Failed { restore });
    assert_eq!(start_of(2, at(2 * DAY_SECS)), at(0));
}

#[test]
fn figures_are_medians_and_shares_of_what_is_known() {
    let records = [
        record("e-1", [10, 70], "deployed", json!({})),
        record("e-2", [100, 140], "deployed", json!({})),
        record("e-3", [200, 290], "rolled-back", json!({})),
        record("e-4", [300, 390], "deployed", json!({})),
        record("e-5", [400, 401], "deployed", json!({"service": "api"})),
    ];
    let pushes = [push("e-1", 0), push("e-2", 95), push("e-3", 195)];
    let ended = ended(&records, &pushes, at(0), at(DAY_SECS));
    let of_services = by_service(&ended);
    let web = &of_services["apps/web"];
    assert_eq!((web.deployed, web.failed), (3, 1));
    // 45 s and 70 s.
    assert_eq!(web.lead(), secs(57));
    assert_eq!(web.restore(), secs(90));
    assert_eq!(web.failure_rate(), Some(0.25));
    assert!((web.a_week(14) - 1.5).abs() < 1e-9);

    let texts = of_services["apps/api"].texts(14);
    let expected = FigureTexts {
        deployed: "1".to_owned(),
        a_week: "0.5".to_owned(),
        lead: "unknown".to_owned(),
        failed: "0".to_owned(),
        failure_rate: "0%".to_owned(),
        restore: "-".to_owned(),
    };
    assert_eq!(texts, expected);

    let all = Figures::of(&ended);
    assert_eq!((all.deployed, all.failed, all.lead()), (4, 1, secs(57)));
    assert_eq!(Figures::default().failure_rate(), None);
    assert_eq!(Figures::default().texts(14).failure_rate, "-");
}
