//! What a rollback deploys to the idle colour is proven when a release begins. A deploy role states
//! which roles may be passed, so roles are proven without one only.

use emulator::{Aws, ecs};
use harness::demo::{CLUSTER, SHOP};
use harness::driver::{Fault, run};
use serde_json::{Value, json};

use behaviour::pair::{self, SHORT, definitions, shop};
use behaviour::{by_hand, outcome, pass, reason};

/// The idle colour runs a revision with a role that the functions may not pass.
fn with_unpassable_idle() -> (Aws, String) {
    let mut aws = shop(&SHORT);
    let [idle, _] = definitions(&aws);
    let mut request = aws.ecs.request_of(&idle).expect("registered").clone();
    request["taskRoleArn"] = json!("arn:aws:iam::111122223333:role/shop-task");
    let answer = ecs::call(&mut aws, "RegisterTaskDefinition", &request).expect("legal");
    let revision = answer["taskDefinition"]["taskDefinitionArn"]
        .as_str()
        .expect("an ARN")
        .to_owned();

    pair::set(&mut aws, "shop-blue", json!({"taskDefinition": revision}));
    let aws = run(aws, Fault::None, async |driver| {
        pass(&driver, pair::secs(300)).await;
        driver.world.snapshot()
    });
    (aws, revision)
}

#[test]
fn roles_of_the_idle_colour_that_a_rollback_may_not_pass_are_refused() {
    let (aws, revision) = with_unpassable_idle();
    let (_, name) = revision.split_once('/').expect("an ARN");
    let begun = begun_by_hand(aws);
    let message = begun["message"].as_str().expect("a message");
    let start =
        format!("the prior release {name} of the idle colour `shop-blue` cannot be restored");
    for part in [
        start.as_str(),
        "`taskRoleArn` is ",
        "expected a role under the path /slipway/",
        "--service shop-blue",
    ] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(begun["type"], "ConfigurationError");
}

/// The answer to a release of the shop that begins by hand, without a deploy role.
fn begun_by_hand(aws: Aws) -> Value {
    run(aws, Fault::None, async |driver| {
        let rule = pair::rule(&driver.world.aws());
        let begin = json!({
            "pipeline": "slipway-by-hand", "execution": "jane-1", "cluster": CLUSTER,
            "service": SHOP, "strategy": "blue-green", "rule": rule,
        });
        by_hand(&driver, "begin-release", begin).await
    })
}

#[test]
fn roles_of_an_idle_revision_that_was_deregistered_refuse_nothing() {
    let (mut aws, revision) = with_unpassable_idle();
    let gone = json!({"taskDefinition": revision});
    ecs::call(&mut aws, "DeregisterTaskDefinition", &gone).expect("it is there");
    let begun = begun_by_hand(aws);
    assert_eq!(begun["status"], "done", "{begun}");
}

#[test]
fn roles_of_the_idle_colour_refuse_no_release_under_a_deploy_role() {
    let (aws, _) = with_unpassable_idle();
    run(aws, Fault::None, async |driver| {
        let execution = pair::release(&driver, "2.0.0").await;
        assert_eq!(
            outcome(&driver, &execution),
            "deployed",
            "{}",
            reason(&driver, &execution)
        );
    });
}
