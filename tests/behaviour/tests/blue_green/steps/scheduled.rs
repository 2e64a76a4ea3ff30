//! Scheduled actions that are due in the middle of a release of a pair.

use emulator::Aws;
use emulator::autoscaling::{self, Scheduled};
use harness::demo::CLUSTER;
use harness::driver::{Driver, Fault, run};
use serde_json::json;

use super::{EXECUTION, begins, definitions, fill, free, look, retire, through, to_all, to_half};
use behaviour::pair::{COLOURS, counts, secs, suspensions, weights};
use behaviour::{invoke, pass};

/// One task at most.
const NIGHT: Scheduled = Scheduled {
    min: Some(0),
    max: Some(1),
};

/// Lets the night begin for both colours, and waits until it has.
async fn night(driver: &Driver) {
    for name in COLOURS {
        autoscaling::schedule(&mut driver.world.aws(), (CLUSTER, name), secs(5), NIGHT);
    }
    driver.world.touch();
    pass(driver, secs(61)).await;
}

fn bounds(aws: &Aws) -> [(u32, u32); 2] {
    COLOURS.map(|name| {
        let target = aws.autoscaling.target_of(CLUSTER, name).expect("it scales");
        (target.min, target.max)
    })
}

/// A release up to the filled idle colour; returns the revision and the bounds of both colours.
async fn filled(driver: &Driver) -> (String, [(u32, u32); 2]) {
    begins(driver).await;
    let before = bounds(&driver.world.aws());
    let [new, _] = definitions(&driver.world.aws());
    through(driver, "update-service", fill(&new)).await;
    (new, before)
}

#[test]
fn a_scheduled_action_takes_no_tasks_in_a_release_and_takes_some_after_it() {
    run(free(), Fault::None, async |driver| {
        let (new, before) = filled(&driver).await;
        night(&driver).await;
        through(&driver, "swap-target-groups", to_all(&new)).await;
        night(&driver).await;

        let aws = driver.world.snapshot();
        assert_eq!((counts(&aws), bounds(&aws)), ([2, 2], before));
        assert_eq!(suspensions(&aws), [true, true]);

        through(&driver, "update-service", retire(&new)).await;
        pass(&driver, secs(61)).await;
        let finished = through(&driver, "finish-release", json!({ "task_definition": new })).await;
        assert_eq!(finished["outputVariables"]["Outcome"], "deployed");
        let aws = driver.world.snapshot();
        assert_eq!((counts(&aws), bounds(&aws)), ([2, 0], before));
        assert_eq!(suspensions(&aws), [false, false]);

        night(&driver).await;
        assert_eq!(counts(&driver.world.aws()), [1, 0]);
    });
}

#[test]
fn a_rollback_in_the_night_finds_the_old_colour_as_large_as_it_was() {
    run(free(), Fault::None, async |driver| {
        let (new, before) = filled(&driver).await;
        pass(&driver, secs(61)).await;
        look(&driver, "swap-target-groups", &to_half(&new)).await;
        night(&driver).await;
        let aws = driver.world.snapshot();
        assert_eq!((counts(&aws), weights(&aws)), ([2, 2], [50, 50]));

        let event = json!({"parameters": {"execution": EXECUTION}});
        invoke(&driver, "roll-back", event)
            .await
            .expect("an answer");
        pass(&driver, secs(600)).await;
        let aws = driver.world.snapshot();
        assert_eq!(weights(&aws), [0, 100]);
        assert_eq!((counts(&aws), bounds(&aws)), ([0, 2], before));
        assert_eq!(suspensions(&aws), [false, false]);
    });
}
