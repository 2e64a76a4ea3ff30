//! Services whose tasks ECS moves between Availability Zones.

use emulator::{Aws, Quirk, ecs};
use harness::demo::{CLUSTER, WEB};
use harness::driver::{Driver, Fault, run};
use serde_json::json;

use super::bench::*;
use super::shapes::{deployed, is_released_and_rolled_back};
use behaviour::{released, until};

/// The account in which ECS moves tasks of `web` to other zones.
fn rebalanced() -> Aws {
    let mut aws = released();
    let input = json!({
        "cluster": CLUSTER, "service": WEB, "availabilityZoneRebalancing": "ENABLED",
    });
    ecs::call(&mut aws, "UpdateService", &input).expect("legal");
    aws.settle_quirk(Quirk::MovesTasksTogether, true);
    aws
}

#[test]
fn a_service_that_is_rebalanced_over_zones_is_released_and_rolled_back() {
    is_released_and_rolled_back(&rebalanced(), WEB, "web:2", 2);
}

/// Lets ECS begin to move half of the tasks of `web` to another zone: this many live then.
async fn moves(driver: &Driver, count: usize) {
    let web = web(driver)["serviceArn"].clone();
    let web = web.as_str().expect("an ARN");
    assert!(ecs::unbalance(&mut driver.world.aws(), web));
    driver.world.touch();
    let live = |aws: &Aws| aws.ecs.tasks_of(web).filter(|task| task.is_live()).count();
    until(driver, |aws| live(aws) == count).await;
}

#[test]
fn tasks_that_move_to_another_zone_keep_no_release_from_its_end() {
    for (desired, live) in [(2, 3), (4, 6)] {
        run(rebalanced(), Fault::None, async |driver| {
            set(&driver, json!({"desiredCount": desired}));
            pass(&driver, 180).await;
            let revision = deployed(&driver, WEB).await;
            moves(&driver, live).await;
            let finish = json!({"task_definition": revision});
            let answer = look(&driver, "finish-release", finish.clone()).await;
            let summary = answer["summary"].as_str().expect("a summary");
            assert!(!summary.starts_with("not steady"), "{summary}");

            let answer = ended(&driver, "finish-release", finish).await;
            assert_eq!(answer["outputVariables"]["Outcome"], "deployed", "{answer}");
        });
    }
    run(rebalanced(), Fault::None, async |driver| {
        deployed(&driver, WEB).await;
        moves(&driver, 3).await;
        let status = rolled_back(&driver, "STOPPED").await;
        let serves = "web:2 serves again with 2 of 2 tasks";
        assert_eq!(
            status,
            format!("rolled-back: the execution was stopped; {serves}")
        );
    });
}
