//! A release that fails in its bake: the weights that were recorded come back, in the invocation
//! that saw that the failure lasts, and so does everything else; what the rule does beside
//! forwarding stays.

use emulator::ecr::{self, Behaviour};
use emulator::{Aws, Millis, elb};
use harness::demo::SHOP;
use harness::driver::{Driver, Fault, run};
use invariants::Invariants;
use serde_json::{Value, json};

use behaviour::pair::{self, PIPELINE, SHORT, shop, state, stop, until_weights};
use behaviour::{assert_outcome, ends, failure, invoke, jobs, push, settled, writes};

/// The shop after a release, its rule with these weights and whatever else `more` does to its
/// actions.
fn with_rule(weights: [i64; 2], more: impl FnOnce(&mut Value)) -> Aws {
    let mut aws = shop(&SHORT);
    let (rule, mut actions) = (pair::rule(&aws), pair::actions(&aws, weights));
    more(&mut actions);
    elb::update_rule(&mut aws, &rule, &json!({ "Actions": actions })).expect("legal");
    aws
}

/// Lets a release fail in its bake; returns its execution and when its targets were too few.
async fn fails(driver: &Driver) -> (String, Millis) {
    let pushed = ecr::push(
        &mut driver.world.aws(),
        SHOP,
        "2.0.0",
        Behaviour::FailsUnderTraffic,
    )
    .expect("pushed");
    driver.world.touch();
    let blue = pair::groups(&driver.world.aws())[0].clone();

    until_weights(driver, [100, 0]).await;
    let (mut invariants, mut failed_at) =
        (Invariants::default().resumed(&driver.world.aws()), None);
    let mut watch = |aws: &Aws| {
        if aws.elb.healthy_count(&blue, aws.now) < 2 {
            failed_at.get_or_insert(aws.now);
        }
        invariants.at_instant(aws)
    };
    driver
        .until(behaviour::LIMIT, &mut watch, |aws| {
            pair::weights(aws)[0] == 0
        })
        .await
        .expect("it goes back");

    let execution = ends(driver, PIPELINE, &pushed, "rolled-back").await;

    (execution, failed_at.expect("it failed"))
}

/// How long a loss of health must last, and how long the next look may take, in milliseconds.
const LASTS: Millis = 120_000;
const NEXT_LOOK: Millis = 75_000;

/// One attempt of swap-target-groups after the failure observed it, gave the traffic back and
/// failed the job, as soon as the loss had lasted.
fn restored_by_who_saw_it(aws: &Aws, failed_at: Millis) {
    let of_swap = |call: &&emulator::Call| {
        call.caller.ends_with("swap-target-groups") && call.at >= failed_at
    };
    let moved = aws
        .calls
        .iter()
        .filter(of_swap)
        .find(|call| call.operation == "ModifyRule")
        .expect("the traffic goes back");
    let waited = moved.at - failed_at;
    assert!(waited <= LASTS + 4 * NEXT_LOOK, "{waited} ms");
    let attempt = moved.attempt;
    let made: Vec<&str> = aws
        .calls
        .iter()
        .filter(|call| {
            call.attempt == attempt
                && call.caller.ends_with("swap-target-groups")
                && call.error.is_none()
        })
        .map(|call| call.operation.as_str())
        .collect();
    let of_interest = [
        "DescribeTargetHealth",
        "UpdateService",
        "ModifyRule",
        "PutJobFailureResult",
    ];
    let mut made: Vec<&str> = made
        .into_iter()
        .filter(|made| of_interest.contains(made))
        .collect();
    made.dedup();

    assert_eq!(
        made,
        ["DescribeTargetHealth", "ModifyRule", "PutJobFailureResult"]
    );
}

#[test]
fn a_failing_bake_restores_exactly_what_was_recorded() {
    for weights in [[0, 100], [0, 7], [0, 999], [0, 1]] {
        let before = with_rule(weights, |_| {});
        run(before.clone(), Fault::None, async |driver| {
            let (execution, failed_at) = fails(&driver).await;
            let aws = driver.world.snapshot();
            assert_eq!(state(&aws), state(&before));

            restored_by_who_saw_it(&aws, failed_at);
            let swaps = jobs(&aws, &execution, "swap-target-groups");
            let (kind, message) = failure(swaps.last().expect("a job")).expect("a failure");
            assert_eq!(kind, "JobFailed");

            let back = format!("traffic restored to blue 0 / green {}", weights[1]);
            assert!(
                message.contains("healthy targets in blue with 100%") && message.contains(&back),
                "{message}"
            );
            assert_eq!(
                behaviour::service(&aws, harness::demo::CLUSTER, "shop-green")["runningCount"],
                2
            );
        });
    }
}

#[test]
fn a_second_rollback_changes_nothing() {
    run(shop(&SHORT), Fault::None, async |driver| {
        let (execution, _) = fails(&driver).await;
        let before = driver.world.snapshot();
        let ended = |event: &&Value| {
            event["detail-type"] == "CodePipeline Pipeline Execution State Change"
                && event["detail"]["execution-id"] == execution.as_str()
                && event["detail"]["state"] == "FAILED"
        };
        let event = before
            .events
            .events
            .iter()
            .find(ended)
            .expect("the end was reported")
            .clone();

        for again in [
            event,
            json!({"sweep": true}),
            json!({"parameters": {"execution": execution}}),
        ] {
            let answer = invoke(&driver, "roll-back", again.clone())
                .await
                .expect("an answer");
            assert!(
                again["sweep"] == true
                    || answer["status"] == "the release is closed: nothing to do",
                "{answer}"
            );
        }

        let after = driver.world.snapshot();
        assert_eq!(writes(&after, before.calls.len()), Vec::<String>::new());
        assert_eq!(state(&after), state(&before));
    });
}

/// The rule authenticates before it forwards, and clients stay with their colour for some minutes.
fn authenticates(actions: &mut Value) {
    actions[0]["ForwardConfig"]["TargetGroupStickinessConfig"] =
        json!({"Enabled": true, "DurationSeconds": 600});
    actions[0]["Order"] = json!(2);
    let login = json!({"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": {
        "Issuer": "https://login.example.com",
        "AuthorizationEndpoint": "https://login.example.com/authorize",
        "TokenEndpoint": "https://login.example.com/token",
        "UserInfoEndpoint": "https://login.example.com/user",
        "ClientId": "shop", "ClientSecret": "not shown by any description", "Scope": "openid",
        "OnUnauthenticatedRequest": "authenticate",
    }});
    actions.as_array_mut().expect("a list").insert(0, login);
}

fn sticky_shop() -> Aws {
    let mut aws = shop(&SHORT);
    let certificate = (
        "CertificateArn",
        "arn:aws:acm:eu-west-1:111122223333:certificate/1",
    );
    pair::update(&mut aws, SHOP, &[certificate]);

    let (rule, mut actions) = (pair::rule(&aws), pair::actions(&aws, [0, 100]));
    authenticates(&mut actions);
    elb::update_rule(&mut aws, &rule, &json!({ "Actions": actions })).expect("legal behind HTTPS");
    aws
}

/// The rule's actions without the weights.
fn beside_weights(aws: &Aws) -> Value {
    pair::as_text(&pair::actions(aws, [0, 0]))
}

#[test]
fn stickiness_and_other_actions_survive_a_release() {
    let before = sticky_shop();
    run(before.clone(), Fault::None, async |driver| {
        let began = driver.world.clock.now();
        let execution = pair::release(&driver, "2.0.0").await;
        assert_outcome(&driver, &execution, "deployed");

        let aws = driver.world.snapshot();
        assert_eq!(
            (pair::weights(&aws), pair::counts(&aws)),
            ([100, 0], [2, 0])
        );
        assert_eq!(beside_weights(&aws), beside_weights(&before));
        assert!(
            aws.now - began > 600_000,
            "the old colour stays for as long as clients are bound to it"
        );
    });
}

/// Whether the rule binds clients.
fn is_sticky(aws: &Aws) -> bool {
    let actions = pair::as_text(&pair::actions(aws, [0, 0]));
    let forward = actions.as_array().and_then(|actions| actions.last());
    forward
        .is_some_and(|it| it["ForwardConfig"]["TargetGroupStickinessConfig"]["Enabled"] == "true")
}

/// After a rollback the rule binds no client for ten minutes and a time-out, and then is as before.
async fn binds_again(driver: &Driver, before: &Aws) {
    assert!(!is_sticky(&driver.world.aws()));
    let weights = pair::weights(&driver.world.aws());
    assert_eq!(weights, pair::weights(before));

    let closed = driver.world.clock.now();
    behaviour::until(driver, is_sticky).await;
    let off = driver.world.clock.now() - closed;
    assert!(off <= 660_000 + NEXT_LOOK, "{off} ms");
    assert_eq!(state(&driver.world.aws()), state(before));
}

#[test]
fn stickiness_and_other_actions_survive_a_rollback() {
    let before = sticky_shop();
    run(before.clone(), Fault::None, async |driver| {
        fails(&driver).await;
        binds_again(&driver, &before).await;
    });
    run(before.clone(), Fault::None, async |driver| {
        let pushed = push(&driver, SHOP, "2.0.0");
        until_weights(&driver, [100, 0]).await;
        let execution = behaviour::newest(&driver.world.aws(), PIPELINE).id.clone();
        stop(&driver, &execution);
        settled(&driver, PIPELINE, &pushed).await;

        assert_outcome(&driver, &execution, "rolled-back");
        binds_again(&driver, &before).await;
    });
}
