//! Automatic scaling: scale-in and scheduled scaling suspended and restored, and nothing else of a
//! scalable target changed.

use serde_json::{Value, json};

use super::script::{Answer, Script, answer, refusal, run};
use crate::aws::{ErrorKind, Scaling};
use crate::observed::scaling::{RecordedScaling, ScalingView};

const CLUSTER: &str = "arn:aws:ecs:eu-west-1:111122223333:cluster/apps";
const SERVICES: [&str; 2] = [
    "shop-blue",
    "arn:aws:ecs:eu-west-1:111122223333:service/apps/shop-green",
];

/// A scalable target with these suspensions: scale-in, scale-out, scheduled scaling.
pub(super) fn target(service: &str, suspended: [Option<bool>; 3]) -> Value {
    json!({
        "ServiceNamespace": "ecs", "ResourceId": format!("service/apps/{service}"),
        "ScalableDimension": "ecs:service:DesiredCount", "MinCapacity": 2, "MaxCapacity": 9,
        "RoleARN": "arn:aws:iam::111122223333:role/scaling", "CreationTime": 1_767_603_600.0,
        "SuspendedState": {
            "DynamicScalingInSuspended": suspended[0], "DynamicScalingOutSuspended": suspended[1],
            "ScheduledScalingSuspended": suspended[2]
        }
    })
}

pub(super) fn targets(targets: &[Value]) -> Answer {
    answer(&json!({ "ScalableTargets": targets }))
}

fn view(scale_in_suspended: bool, schedule_suspended: bool) -> Option<ScalingView> {
    Some(ScalingView {
        scale_in_suspended,
        schedule_suspended,
        max_capacity: 9,
    })
}

#[test]
fn scaling_of_each_colour_is_read_and_a_service_without_it_has_none() {
    let observe = |found: &[Value]| {
        let script = Script::new([targets(found)]);
        let scaling =
            run(Scaling::new(&script.sdk()).observe(CLUSTER, SERVICES)).expect("answered");
        (scaling, script.only())
    };
    let green = target("shop-green", [Some(true), None, None]);
    let blue = target("shop-blue", [Some(false), Some(true), Some(true)]);

    assert_eq!(
        observe(&[green.clone(), blue]).0,
        [view(false, true), view(true, false)]
    );
    assert_eq!(observe(&[]).0, [None, None]);

    let mut plain = target("shop-blue", [None; 3]);
    plain["SuspendedState"] = json!(null);
    assert_eq!(observe(&[plain]).0, [view(false, false), None]);

    let (found, sent) = observe(&[green]);
    assert_eq!(found, [None, view(true, false)]);
    assert_eq!(sent.operation(), "DescribeScalableTargets");
    assert_eq!(
        sent.json(),
        json!({
            "ServiceNamespace": "ecs",
            "ResourceIds": ["service/apps/shop-blue", "service/apps/shop-green"],
            "ScalableDimension": "ecs:service:DesiredCount"
        })
    );
}

#[test]
fn scaling_is_read_from_every_page() {
    let blue = target("shop-blue", [Some(false), None, None]);
    let green = target("shop-green", [Some(true), None, None]);
    let script = Script::new([
        answer(&json!({ "ScalableTargets": [blue], "NextToken": "more" })),
        targets(&[green]),
    ]);
    let found = run(Scaling::new(&script.sdk()).observe(CLUSTER, SERVICES)).expect("answered");

    assert_eq!(found, [view(false, false), view(true, false)]);
    assert_eq!(script.sent()[1].json()["NextToken"], json!("more"));
}

fn wanted(scale_in_suspended: bool, schedule_suspended: bool) -> Option<RecordedScaling> {
    view(scale_in_suspended, schedule_suspended).map(RecordedScaling::from)
}

/// What is registered so that scaling is as wanted on both.
fn registered(found: &[Value], wanted: [Option<RecordedScaling>; 2]) -> Vec<Value> {
    let answers = std::iter::once(targets(found)).chain(found.iter().map(|_| answer(&json!({}))));
    let script = Script::new(answers);
    run(Scaling::new(&script.sdk()).suspend_scale_in(CLUSTER, SERVICES, wanted))
        .expect("registered");
    let sent = script.sent();

    assert!(
        sent[1..]
            .iter()
            .all(|sent| sent.operation() == "RegisterScalableTarget")
    );

    sent[1..].iter().map(super::script::Sent::json).collect()
}

fn registration(service: &str, suspended: Value) -> Value {
    json!({
        "ServiceNamespace": "ecs", "ResourceId": format!("service/apps/{service}"),
        "ScalableDimension": "ecs:service:DesiredCount", "SuspendedState": suspended
    })
}

#[test]
fn scale_in_and_schedules_are_suspended_and_scale_out_and_bounds_are_left_alone() {
    let found = [
        target("shop-blue", [Some(false), Some(true), Some(false)]),
        target("shop-green", [None, Some(false), Some(true)]),
    ];
    assert_eq!(
        registered(&found, [wanted(true, true); 2]),
        [
            registration(
                "shop-blue",
                json!({"DynamicScalingInSuspended": true, "DynamicScalingOutSuspended": true,
                       "ScheduledScalingSuspended": true})
            ),
            registration(
                "shop-green",
                json!({"DynamicScalingInSuspended": true, "DynamicScalingOutSuspended": false,
                       "ScheduledScalingSuspended": true})
            )
        ]
    );
}

#[test]
fn scale_in_and_schedules_are_each_restored_and_scale_out_stays() {
    let found = [
        target("shop-blue", [Some(true), Some(true), Some(true)]),
        target("shop-green", [Some(true), None, Some(true)]),
    ];
    let blue = json!({"DynamicScalingInSuspended": false, "DynamicScalingOutSuspended": true,
                      "ScheduledScalingSuspended": true});
    let green = json!({"DynamicScalingInSuspended": true, "ScheduledScalingSuspended": false});

    assert_eq!(
        registered(&found, [wanted(false, true), wanted(true, false)]),
        [
            registration("shop-blue", blue),
            registration("shop-green", green)
        ]
    );
}

#[test]
fn scheduled_scaling_that_is_not_recorded_is_registered_as_it_was_found() {
    let found = [
        target("shop-blue", [Some(true), None, Some(true)]),
        target("shop-green", [Some(true), None, Some(false)]),
    ];
    let recorded = |scale_in_suspended| {
        Some(RecordedScaling {
            scale_in_suspended,
            schedule_suspended: None,
        })
    };
    let expected = |service: &str, schedule: bool| {
        let suspended = json!({
            "DynamicScalingInSuspended": false, "ScheduledScalingSuspended": schedule,
        });
        registration(service, suspended)
    };

    assert_eq!(
        registered(&found, [recorded(false); 2]),
        [expected("shop-blue", true), expected("shop-green", false)]
    );
    assert_eq!(registered(&found, [recorded(true); 2]), Vec::<Value>::new());
}

#[test]
fn a_target_that_is_as_wanted_or_of_which_nothing_is_wanted_is_left_alone() {
    let found = [
        target("shop-blue", [Some(true), None, Some(true)]),
        target("shop-green", [Some(false), None, None]),
    ];
    assert_eq!(
        registered(&found, [wanted(true, true), None]),
        Vec::<Value>::new()
    );
    assert_eq!(
        registered(&found, [None, wanted(false, false)]),
        Vec::<Value>::new()
    );
    assert_eq!(
        registered(
            &[target("another", [Some(false); 3])],
            [wanted(true, true); 2]
        ),
        Vec::<Value>::new()
    );
}

#[test]
fn each_colour_gets_what_is_wanted_of_it_whatever_the_order() {
    let found = [
        target("shop-green", [Some(true), None, None]),
        target("shop-blue", [Some(false), None, None]),
    ];
    let expected = |service: &str, scale_in: bool| {
        let suspended = json!({
            "DynamicScalingInSuspended": scale_in, "ScheduledScalingSuspended": false,
        });
        registration(service, suspended)
    };
    assert_eq!(
        registered(&found, [wanted(true, false), wanted(false, false)]),
        [expected("shop-green", false), expected("shop-blue", true)]
    );
}

#[test]
fn one_colour_that_is_refused_keeps_the_other_one_from_nothing_and_is_an_error() {
    let found = [
        target("shop-blue", [Some(false); 3]),
        target("shop-green", [Some(false); 3]),
    ];
    for (first, second) in [
        (refusal("ValidationException", "no"), answer(&json!({}))),
        (answer(&json!({})), refusal("ValidationException", "no")),
    ] {
        let script = Script::new([targets(&found), first, second]);
        let wanted = [wanted(true, true); 2];
        let result = run(Scaling::new(&script.sdk()).suspend_scale_in(CLUSTER, SERVICES, wanted));
        let error = result.expect_err("one was refused");
        assert_eq!(
            (error.operation, error.kind),
            (
                "application-autoscaling:RegisterScalableTarget",
                ErrorKind::Rejected
            )
        );
        assert!(script.is_played(), "both are tried");
    }
}
