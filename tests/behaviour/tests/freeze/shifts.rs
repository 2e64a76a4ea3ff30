//! Freezes that begin while the traffic of a pair moves.

use emulator::ecr::{self, Behaviour};
use emulator::ecs;
use harness::demo::{CLUSTER, SHOP};
use harness::driver::{Driver, Fault, run};

use super::*;
use behaviour::pair::{HALVES, PIPELINE, shop, state, stop, until_weights, weights};
use behaviour::{ends, push, reason, until};

const STACK: &str = "shop-pipeline";
/// Half of the traffic is on blue, the new colour.
const HALF: [i64; 2] = [50, 50];

/// Pushes an image and lets half of the traffic go to it; returns its digest.
async fn half(driver: &Driver, behaviour: Behaviour) -> String {
    let pushed = ecr::push(&mut driver.world.aws(), SHOP, "2.0.0", behaviour).expect("pushed");
    driver.world.touch();
    until_weights(driver, HALF).await;
    pushed
}

/// When half of the traffic is on the new colour, if a release begins now.
fn half_at(aws: &Aws) -> Millis {
    run(aws.clone(), Fault::None, async |driver| {
        half(&driver, Behaviour::Healthy).await;
        driver.world.clock.now()
    })
}

/// The shop, whose releases are frozen for so many minutes while half of the traffic bakes; with
/// begin and end of the freeze.
fn frozen_in_mid_shift(minutes: i64) -> (Aws, Millis, Millis) {
    let mut aws = shop(&HALVES);
    let (windows, from, to) = window(half_at(&aws), 2, minutes);
    freeze(&mut aws, STACK, &windows);
    (aws, from, to)
}

/// From now on the tasks of a colour do not respond.
fn silence(aws: &mut Aws, colour: &str) {
    let service = aws.ecs.service_named(CLUSTER, colour).expect("a colour");
    let tasks = aws.ecs.tasks_of(&service.arn);
    let tasks: Vec<String> = tasks.map(|task| task.arn.clone()).collect();
    for task in tasks {
        ecs::set_answering(aws, &task, false);
    }
}

async fn until_it_waits(driver: &Driver) {
    until(driver, |aws| waits(aws, PIPELINE, "swap-target-groups")).await;
}

#[test]
fn a_shift_stays_where_it_is_until_the_freeze_is_over() {
    let (aws, from, to) = frozen_in_mid_shift(30);
    run(aws, Fault::None, async |driver| {
        let pushed = half(&driver, Behaviour::Healthy).await;
        until_it_waits(&driver).await;
        let mut watch = |aws: &Aws| {
            let is_half = aws.now >= to || weights(aws) == HALF;
            is_half
                .then_some(())
                .ok_or_else(|| format!("{:?}", weights(aws)))
        };
        let all = |aws: &Aws| weights(aws) == [100, 0];
        let limit = behaviour::LIMIT;
        let moved = driver.until(limit, &mut watch, all).await;
        moved.expect("half of the traffic stays in the freeze");
        ends(&driver, PIPELINE, &pushed, "deployed").await;

        let aws = driver.world.aws();
        let shifts = made(&aws, "swap-target-groups", "ModifyRule");
        let in_freeze = shifts.iter().filter(|at| **at > from + GRACE && **at < to);
        assert_eq!(in_freeze.count(), 0, "{shifts:?}");
    });
}

#[test]
fn a_release_is_rolled_back_at_once_in_a_freeze() {
    let (aws, ..) = frozen_in_mid_shift(120);
    let before = state(&aws);
    run(aws, Fault::None, async |driver| {
        let pushed = half(&driver, Behaviour::Healthy).await;
        until_it_waits(&driver).await;
        let execution = behaviour::newest(&driver.world.aws(), PIPELINE).id.clone();
        let stopped = driver.world.clock.now();
        stop(&driver, &execution);
        until_weights(&driver, [0, 100]).await;
        let took = driver.world.clock.now() - stopped;
        assert!(took < 30_000, "{took} ms");
        ends(&driver, PIPELINE, &pushed, "rolled-back").await;
        assert_eq!(state(&driver.world.aws()), before);
    });
}

#[test]
fn a_colour_that_fails_in_a_freeze_loses_its_traffic_at_once() {
    let (aws, _, to) = frozen_in_mid_shift(120);
    run(aws, Fault::None, async |driver| {
        let pushed = half(&driver, Behaviour::Healthy).await;
        until_it_waits(&driver).await;
        silence(&mut driver.world.aws(), "shop-blue");
        driver.world.touch();
        until_weights(&driver, [0, 100]).await;
        let execution = ends(&driver, PIPELINE, &pushed, "rolled-back").await;
        let why = reason(&driver, &execution);
        assert!(why.contains("healthy targets in blue"), "{why}");
        assert!(driver.world.clock.now() < to);
    });
}

#[test]
fn a_freeze_of_62_hours_gives_the_traffic_back_and_holds_nothing_against_the_image() {
    let (aws, from, _) = frozen_in_mid_shift(62 * 60);
    let before = state(&aws);
    run(aws, Fault::None, async |driver| {
        let pushed = half(&driver, Behaviour::Healthy).await;
        let execution = ends(&driver, PIPELINE, &pushed, "held").await;
        let why = reason(&driver, &execution);
        assert!(why.starts_with("frozen: until "), "{why}");
        {
            let aws = driver.world.aws();
            assert_eq!(state(&aws), before);
            let took = aws.now - from;
            assert!(
                took < 15 * MINUTE,
                "it ends {took} ms after the freeze began"
            );
        }

        // After the freeze the same image is released.
        freeze(&mut driver.world.aws(), STACK, "");
        let started = {
            let aws = &mut driver.world.aws();
            let revision = serde_json::json!({
                "actionName": "Image", "revisionType": "IMAGE_DIGEST", "revisionValue": pushed,
            });
            let start = serde_json::json!({"name": PIPELINE, "sourceRevisions": [revision]});
            codepipeline::call(aws, "StartPipelineExecution", &start)
        };
        started.expect("it starts");
        driver.world.touch();
        until_weights(&driver, [100, 0]).await;
    });
}

#[test]
fn the_first_shift_and_the_fill_wait_as_every_other_step() {
    let mut aws = shop(&HALVES);
    let (windows, _, to) = window(aws.now, 0, 25);
    freeze(&mut aws, STACK, &windows);
    let (before, shifts) = (
        made(&aws, "update-service", "UpdateService").len(),
        made(&aws, "swap-target-groups", "ModifyRule").len(),
    );

    run(aws, Fault::None, async |driver| {
        let pushed = push(&driver, SHOP, "2.0.0");
        until(&driver, |aws| waits(aws, PIPELINE, "fill")).await;
        ends(&driver, PIPELINE, &pushed, "deployed").await;
        let aws = driver.world.aws();
        assert!(made(&aws, "update-service", "UpdateService")[before] >= to);
        assert!(made(&aws, "swap-target-groups", "ModifyRule")[shifts] >= to);
    });
}
