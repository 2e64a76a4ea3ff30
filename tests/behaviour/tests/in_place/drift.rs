//! What runs in place of what a release left: the sweep notes it in the lease and leaves the service
//! alone.

use std::time::Duration;

use emulator::ecr::Behaviour;
use harness::demo::WEB;
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};

use super::bench::*;
use behaviour::notices::{announced, events, turn_on};
use behaviour::{ends, push, push_as, released};

/// Lets hours pass, each with one look at the service.
async fn hours(driver: &Driver, hours: u64) {
    behaviour::pass(driver, Duration::from_secs(hours * 3_600 + 100)).await;
}

/// An operator registers what web runs once more, and deploys it.
fn deploy_a_copy(driver: &Driver) -> String {
    let copy = register_copy(driver, "web:2", |_| {});
    set(driver, json!({ "taskDefinition": copy }));
    driver.world.touch();
    copy
}

fn drift_to(revision: &str) -> Value {
    json!({"task_definition": revision, "seen_at": "<time>"})
}

#[test]
fn a_deployment_outside_of_a_release_is_noted_once_and_left_alone() {
    run(released(), Fault::None, async |driver| {
        let before = lease(&driver);
        assert_eq!(before["left"]["task_definition"], arn("web:2"));
        let copy = deploy_a_copy(&driver);
        hours(&driver, 1).await;

        let mut noted = before;
        noted["left"]["drift"] = drift_to(&copy);
        noted["fence"] = json!(noted["fence"].as_u64().expect("a number") + 1);
        assert_eq!(lease(&driver), noted);
        hours(&driver, 3).await;
        assert_eq!(lease(&driver), noted);
        assert_eq!(web(&driver)["taskDefinition"], json!(copy));

        let next = deploy_a_copy(&driver);
        hours(&driver, 1).await;
        assert_eq!(lease(&driver)["left"]["drift"], drift_to(&next));
    });
}

#[test]
fn a_drift_is_announced_once() {
    let mut aws = released();
    turn_on(&mut aws);
    run(aws, Fault::None, async |driver| {
        deploy_a_copy(&driver);
        hours(&driver, 3).await;
        let aws = driver.world.aws();
        assert_eq!(events(&aws, "Slipway Service Drifted"), 1);
        let drifted = announced(&aws).find(|event| event["detail"]["kind"] == "drift");
        let detail = &drifted.expect("it has drifted")["detail"];
        assert_eq!(detail["pipeline"], "slipway-web");
        let reason = detail["reason"].as_str().expect("a text");
        assert!(reason.contains("left web:2"), "{reason}");
    });
}

#[test]
fn a_service_that_runs_again_what_its_release_left_has_no_drift() {
    run(released(), Fault::None, async |driver| {
        let before = lease(&driver);
        deploy_a_copy(&driver);
        hours(&driver, 1).await;
        set(&driver, json!({"taskDefinition": arn("web:2")}));
        driver.world.touch();
        hours(&driver, 1).await;
        assert_eq!(lease(&driver)["left"], before["left"]);

        hours(&driver, 2).await;
        let writes = lease(&driver)["fence"].as_u64().expect("a number");
        assert_eq!(writes, before["fence"].as_u64().expect("a number") + 2);
    });
}

#[test]
fn the_next_release_ends_a_drift() {
    run(released(), Fault::None, async |driver| {
        let copy = deploy_a_copy(&driver);
        hours(&driver, 1).await;
        assert_eq!(lease(&driver)["left"]["drift"], drift_to(&copy));

        let pushed = push(&driver, WEB, "2.0.0");
        ends(&driver, "slipway-web", &pushed, "deployed").await;
        let left = lease(&driver)["left"].clone();
        assert_eq!(left["task_definition"], web(&driver)["taskDefinition"]);
        assert_eq!(left["deployment"], primary(&driver)["id"]);
        assert_eq!(left["drift"], Value::Null);
        hours(&driver, 2).await;
        assert_eq!(lease(&driver)["left"], left);
    });
}

#[test]
fn a_release_that_is_rolled_back_leaves_what_ran_before_it() {
    run(released(), Fault::None, async |driver| {
        let pushed = push_as(&driver, WEB, "2.0.0", Behaviour::NeverHealthy);
        ends(&driver, "slipway-web", &pushed, "rolled-back").await;
        let left = lease(&driver)["left"].clone();
        assert_eq!(left["task_definition"], arn("web:2"));
        hours(&driver, 2).await;
        assert_eq!(lease(&driver)["left"], left);
    });
}
