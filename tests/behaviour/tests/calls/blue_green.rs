//! Releases of a blue/green pair whose rule and scaling have more in them than a release is about.

use std::sync::OnceLock;

use emulator::ecr::{self, Behaviour};
use emulator::elb;
use emulator::{Aws, autoscaling};
use harness::demo::{CLUSTER, SHOP};
use serde_json::{Value, json};

use crate::golden::{GoldenPart, check};
use behaviour::pair::{self, COLOURS, PIPELINE, stop, until_action};
use behaviour::{ends, push};

/// Parameters with which a release moves half of the traffic, then all of it, in minutes.
const STEPS: [(&str, &str); 5] = [
    ("Shift", "linear"),
    ("StepPercent", "50"),
    ("StepMinutes", "2"),
    ("BakeMinutes", "2"),
    ("DrainMinutes", "1"),
];

/// The shop after a release. Its rule has clients log in, sends some of them to a third group, and
/// keeps each with its group; of its scaling, everything but scale-in is suspended.
fn shop() -> Aws {
    static ACCOUNT: OnceLock<Aws> = OnceLock::new();
    ACCOUNT.get_or_init(unusual).clone()
}

fn unusual() -> Aws {
    let mut aws = pair::shop(&STEPS);
    let properties = json!({"Name": "third", "Port": 80, "Protocol": "HTTP", "TargetType": "ip"});
    let third =
        elb::create_target_group(&mut aws, &properties).expect("accepted")["TargetGroupArn"]
            .clone();
    let (rule, listener, mut actions) = (
        pair::rule(&aws),
        pair::listener(&aws),
        pair::actions(&aws, [0, 100]),
    );
    let listener = aws
        .elb
        .listeners
        .get_mut(&listener)
        .expect("the rule has a listener");
    listener
        .properties
        .insert("Protocol".to_owned(), json!("HTTPS"));
    actions[0]["Order"] = json!(2);

    let config = &mut actions[0]["ForwardConfig"];
    config["TargetGroups"]
        .as_array_mut()
        .expect("a list")
        .insert(1, json!({"TargetGroupArn": third, "Weight": 3}));
    config["TargetGroupStickinessConfig"] = json!({"Enabled": true, "DurationSeconds": 300});

    actions.as_array_mut().expect("a list").insert(0, login());
    elb::update_rule(&mut aws, &rule, &json!({ "Actions": actions })).expect("accepted");
    only_scale_in(&mut aws);
    aws
}

/// An action that has clients log in first.
fn login() -> Value {
    json!({
        "Type": "authenticate-oidc", "Order": 1,
        "AuthenticateOidcConfig": {
            "Issuer": "https://id.example", "AuthorizationEndpoint": "https://id.example/a",
            "TokenEndpoint": "https://id.example/t", "UserInfoEndpoint": "https://id.example/u",
            "ClientId": "shop",
            "ClientSecret": "hush", "Scope": "openid", "SessionTimeout": 60,
            "OnUnauthenticatedRequest": "authenticate",
            "AuthenticationRequestExtraParams": {"prompt": "login"},
        },
    })
}

/// Suspends everything but scale-in of both colours.
fn only_scale_in(aws: &mut Aws) {
    for name in COLOURS {
        let input = json!({
            "ServiceNamespace": autoscaling::NAMESPACE, "ScalableDimension": autoscaling::DIMENSION,
            "ResourceId": autoscaling::resource_id(CLUSTER, name),
            "SuspendedState": {
                "DynamicScalingOutSuspended": true,
                "ScheduledScalingSuspended": true,
            },
        });
        autoscaling::call(aws, "RegisterScalableTarget", &input).expect("the colour scales");
    }
}

#[test]
fn a_release_in_steps() {
    let fill: GoldenPart = (
        "blue-green-fill",
        &[
            "begin-release",
            "register-task-definition",
            "update-service, action fill",
        ],
    );
    let rest: GoldenPart = (
        "blue-green-steps",
        &[
            "swap-target-groups",
            "update-service, action retire",
            "finish-release",
        ],
    );
    check(&[fill, rest], shop(), async |driver| {
        let pushed = push(driver, SHOP, "2.0.0");
        ends(driver, PIPELINE, &pushed, "deployed").await;
    });
}

#[test]
fn a_release_that_fails_in_its_bake() {
    check(
        &[(
            "blue-green-failing-bake",
            &["swap-target-groups", "roll-back"],
        )],
        shop(),
        async |driver| {
            let pushed = ecr::push(
                &mut driver.world.aws(),
                SHOP,
                "2.0.0",
                Behaviour::FailsUnderTraffic,
            )
            .expect("pushed");
            driver.world.touch();
            ends(driver, PIPELINE, &pushed, "rolled-back").await;
        },
    );
}

#[test]
fn a_release_that_is_stopped_in_its_bake() {
    check(
        &[("blue-green-stopped", &["swap-target-groups", "roll-back"])],
        shop(),
        async |driver| {
            let pushed = push(driver, SHOP, "2.0.0");
            let execution = until_action(driver, &pushed, "swap-target-groups", 21)
                .await
                .expect("it bakes");
            stop(driver, &execution);
            ends(driver, PIPELINE, &pushed, "rolled-back").await;
        },
    );
}
