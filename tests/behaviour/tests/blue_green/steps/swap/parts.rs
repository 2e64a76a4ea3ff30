//! Traffic that goes back in parts: at once what the old colour can carry, which never gets more
//! tasks than it may have.

use emulator::Aws;
use emulator::client::Throttle;
use emulator::ecs::RolloutState;
use harness::driver::{Driver, Fault, Faults, run};
use serde_json::json;

use super::super::back::taken_over;
use super::super::{
    EXECUTION, calls, changed, failed, filled, going, open, report, timeless, whole,
};
use super::{swap, weighted};
use behaviour::pair::{bound, counts, secs, set, weights};
use behaviour::{deny, invoke, pass};

const WHY: &str = "the deployment of blue failed: too many failed tasks";

/// The deployment of the new colour fails.
pub(super) fn fails(driver: &Driver) {
    let mut aws = driver.world.aws();
    let mut services = aws.ecs.services.values_mut();
    let blue = services.find(|service| service.name == "shop-blue");
    let deployment = &mut blue.expect("a colour").deployments[0];
    deployment.rollout = RolloutState::Failed;
    deployment.reason = "too many failed tasks".to_owned();
}

/// The account after a colour has grown to this many tasks.
fn grown(mut aws: Aws, colour: &str, tasks: u32) -> Aws {
    set(&mut aws, colour, json!({"desiredCount": tasks}));
    run(aws, Fault::None, async |driver| {
        pass(&driver, secs(300)).await;
        driver.world.snapshot()
    })
}

/// Blue has 5 % of the traffic.
fn canary() -> Aws {
    run(filled(), Fault::None, async |driver| {
        swap(&driver, json!({"steps": [5]})).await;
        assert_eq!(weights(&driver.world.aws()), [5, 95]);
        driver.world.snapshot()
    })
}

#[test]
fn a_canary_that_scaled_out_by_itself_loses_its_traffic_in_the_look_that_sees_it() {
    let aws = grown(canary(), "shop-blue", 8);
    run(aws, Fault::None, async |driver| {
        fails(&driver);
        let since = calls(&driver);
        let back = format!("{WHY}; traffic restored to blue 0 / green 100");
        assert_eq!(report(&swap(&driver, json!({})).await), failed(&back));

        // Nothing but the traffic: the old colour has what it needs, whatever it could have.
        let aws = driver.world.snapshot();
        let expected = ["PutItem", "PutItem", "ModifyRule", "PutItem", "PutItem"];
        assert_eq!(changed(&aws, since), expected);
        assert_eq!((weights(&aws), counts(&aws)), ([0, 100], [8, 2]));
    });
}

#[test]
fn a_small_share_does_not_wait_for_the_task_that_it_needs() {
    let aws = grown(canary(), "shop-green", 3);
    run(aws, Fault::None, async |driver| {
        fails(&driver);
        let since = calls(&driver);
        let back = format!("{WHY}; traffic restored to blue 0 / green 100");
        assert_eq!(report(&swap(&driver, json!({})).await), failed(&back));

        // 3 tasks had 95 %: all of the traffic needs 4.
        let aws = driver.world.snapshot();
        let expected = [
            "PutItem",
            "PutItem",
            "UpdateService",
            "PutItem",
            "ModifyRule",
            "PutItem",
            "PutItem",
        ];
        assert_eq!(changed(&aws, since), expected);
        assert_eq!((weights(&aws), counts(&aws)), ([0, 100], [2, 4]));
    });
}

/// Blue has all of the traffic and has grown to 8 tasks, green may have 4.
pub(super) fn limited() -> Aws {
    let mut aws = grown(whole(), "shop-blue", 8);
    bound(&mut aws, "shop-green", 4);
    aws
}

#[test]
fn half_of_the_tasks_get_half_of_the_traffic_and_the_rest_gets_the_rest() {
    run(limited(), Fault::None, async |driver| {
        fails(&driver);
        let since = calls(&driver);
        let lacks = "2 of 4 healthy targets that green needs for all of the traffic; ";
        let does = "scaling green out to 4 tasks; restoring traffic to blue 50 / green 50; \
            MaxCapacity of green is below the 8 tasks that all of the traffic needs";
        let summary = format!("{WHY}; {does}; {lacks}0s of 10m00s");
        assert_eq!(report(&swap(&driver, json!({})).await), going(&summary, 50));

        let aws = driver.world.snapshot();
        let expected = [
            "PutItem",
            "PutItem",
            "UpdateService",
            "PutItem",
            "ModifyRule",
            "PutItem",
        ];
        assert_eq!(changed(&aws, since), expected);
        assert_eq!((weights(&aws), counts(&aws)), ([50, 50], [8, 4]));
        let release = timeless(&aws, &open(&aws));
        assert_eq!(release["sized"], json!(4));
        let shift =
            json!({"from": weighted(100, 0), "to": weighted(50, 50), "at": "now", "made": true});
        assert_eq!(release["shift"], shift);

        // The new tasks have only begun to start.
        let since = calls(&driver);
        let waits = report(&swap(&driver, json!({})).await);
        let summary = waits[1].as_str().unwrap_or_default();
        assert!(summary.starts_with(&format!("{WHY}; {lacks}")), "{waits}");
        let aws = driver.world.snapshot();
        assert_eq!(
            (changed(&aws, since), weights(&aws)),
            (Vec::new(), [50, 50])
        );

        pass(&driver, secs(300)).await;
        let back = format!("{WHY}; traffic restored to blue 0 / green 100");
        assert_eq!(report(&swap(&driver, json!({})).await), failed(&back));
        let aws = driver.world.snapshot();
        assert_eq!((weights(&aws), counts(&aws)), ([0, 100], [8, 4]));
    });
}

/// The look that finds that the new colour failed, while ECS refuses to raise the old one.
async fn refused(driver: &Driver) {
    fails(driver);
    deny(driver, "ecs:UpdateService");
    let since = calls(driver);
    let looks = report(&swap(driver, json!({})).await);
    let summary = looks[1].as_str().unwrap_or_default();
    assert!(summary.contains("ecs:UpdateService"), "{looks}");
    assert!(summary.ends_with("; looking again"), "{looks}");

    let expected = ["PutItem", "PutItem", "PutItem", "ModifyRule", "PutItem"];
    assert_eq!(changed(&driver.world.snapshot(), since), expected);
    deny(driver, "ecs:RunTask");
}

#[test]
fn a_raise_that_is_refused_keeps_no_part_of_the_traffic_and_is_made_again() {
    run(limited(), Fault::None, async |driver| {
        refused(&driver).await;
        let aws = driver.world.snapshot();
        assert_eq!((weights(&aws), counts(&aws)), ([50, 50], [8, 2]));

        let grows = report(&swap(&driver, json!({})).await);
        let summary = grows[1].as_str().unwrap_or_default();
        let does = "scaling green out to 4 tasks; 2 of 4 healthy targets";
        assert!(summary.starts_with(&format!("{WHY}; {does}")), "{grows}");
        let aws = driver.world.snapshot();
        assert_eq!((weights(&aws), counts(&aws)), ([50, 50], [8, 4]));
    });
}

#[test]
fn traffic_that_is_back_is_not_returned_while_a_raise_that_was_refused_is_not_made() {
    let aws = grown(canary(), "shop-green", 3);
    run(aws, Fault::None, async |driver| {
        refused(&driver).await;
        let aws = driver.world.snapshot();
        assert_eq!((weights(&aws), counts(&aws)), ([0, 100], [2, 3]));

        let back = format!("{WHY}; traffic restored to blue 0 / green 100");
        assert_eq!(report(&swap(&driver, json!({})).await), failed(&back));
        let aws = driver.world.snapshot();
        assert_eq!((weights(&aws), counts(&aws)), ([0, 100], [2, 4]));
    });
}

const BOUND: &str = "application-autoscaling:DescribeScalableTargets";

/// Application Auto Scaling throttles every call for a minute.
fn unread(aws: &Aws) -> Faults {
    Faults {
        throttles: vec![Throttle {
            service: "application-autoscaling",
            from: aws.now,
            until: aws.now + 60_000,
        }],
        ..Faults::default()
    }
}

#[test]
fn a_bound_that_is_not_read_keeps_no_part_of_the_traffic_and_the_raise_follows() {
    let aws = limited();
    let faults = unread(&aws);
    run(aws, faults, async |driver| {
        fails(&driver);
        let since = calls(&driver);
        let looks = report(&swap(&driver, json!({})).await);
        let summary = looks[1].as_str().unwrap_or_default();
        assert!(summary.contains(BOUND), "{looks}");

        // All of the traffic needs 8 tasks, and two are there.
        let aws = driver.world.snapshot();
        let expected = ["PutItem", "PutItem", "PutItem", "ModifyRule", "PutItem"];
        assert_eq!(changed(&aws, since), expected);
        assert_eq!((weights(&aws), counts(&aws)), ([75, 25], [8, 2]));
        assert_eq!(open(&aws)["sized"], json!(8));

        pass(&driver, secs(60)).await;
        swap(&driver, json!({})).await;
        let aws = driver.world.snapshot();
        assert_eq!((weights(&aws), counts(&aws)), ([50, 50], [8, 4]));
        assert_eq!(open(&aws)["sized"], json!(4));
    });
}

#[test]
fn a_colour_whose_bound_may_not_be_read_gets_the_tasks_that_the_load_needs() {
    run(limited(), Fault::None, async |driver| {
        fails(&driver);
        deny(&driver, BOUND);
        let looks = report(&swap(&driver, json!({})).await);
        assert_eq!(looks[0], "in-progress", "{looks}");

        let aws = driver.world.snapshot();
        assert_eq!((weights(&aws), counts(&aws)), ([75, 25], [8, 8]));
    });
}

/// One look of roll-back, which fails because it cannot read the bound; returns the account then.
async fn returned_unscaled(driver: &Driver) -> Aws {
    let event = json!({"parameters": {"execution": EXECUTION}});
    let error = invoke(driver, "roll-back", event).await;
    let error = error.expect_err("the scaling is not read");
    assert!(error.contains(BOUND), "{error}");
    driver.world.snapshot()
}

#[test]
fn a_rollback_that_cannot_read_the_bound_returns_the_traffic_at_once() {
    let aws = taken_over(limited());
    let faults = unread(&aws);
    run(aws, faults, async |driver| {
        let aws = returned_unscaled(&driver).await;
        assert_eq!((weights(&aws), counts(&aws)), ([75, 25], [8, 2]));
    });

    run(taken_over(limited()), Fault::None, async |driver| {
        deny(&driver, BOUND);
        let aws = returned_unscaled(&driver).await;
        assert_eq!((weights(&aws), counts(&aws)), ([75, 25], [8, 8]));
    });
}
