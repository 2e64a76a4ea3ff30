//! An operator stops a release in the middle of its shift: the traffic goes back within seconds,
//! and what an invocation that hung changes afterwards is restored as well.

use emulator::client::{CallFault, Hang};
use emulator::{Aws, codepipeline, eventbridge};
use harness::demo::{CLUSTER, SHOP};
use harness::driver::{Driver, Fault, Faults, Which, run};
use invariants::Invariants;
use serde_json::json;

use behaviour::pair::{self, PIPELINE, secs, shop, state, stop, until_weights, weights};
use behaviour::{
    LIMIT, invoke_with, is_closed, newest, on_all_cores, pass, push, reason, recorded, service,
};

const TWO_STEPS: [(&str, &str); 5] = [
    ("Shift", "linear"),
    ("StepPercent", "50"),
    ("StepMinutes", "5"),
    ("BakeMinutes", "5"),
    ("DrainMinutes", "0"),
];

const THREE_STEPS: [(&str, &str); 5] = [
    ("Shift", "listed"),
    ("Steps", "5,50,100"),
    ("StepMinutes", "2"),
    ("BakeMinutes", "3"),
    ("DrainMinutes", "0"),
];

/// The weights of blue and green after each step, and the seconds within which an execution is
/// stopped after it: the first two include the next step, the last one all of the bake.
const SHIFT: [([i64; 2], u64); 3] = [([5, 95], 150), ([50, 50], 150), ([100, 0], 170)];

/// The pair after each step of a shift.
fn after_each_step(before: &Aws) -> Vec<(Aws, u64)> {
    run(before.clone(), Fault::None, async |driver| {
        push(&driver, SHOP, "2.0.0");
        let mut scenes = Vec::new();
        for (weights, seconds) in SHIFT {
            until_weights(&driver, weights).await;
            scenes.push((driver.world.snapshot(), seconds));
        }
        scenes
    })
}

/// The pair before a release and in the middle of its shift.
fn half_shifted() -> (Aws, Aws) {
    let before = shop(&TWO_STEPS);
    let shifted = run(before.clone(), Fault::None, async |driver| {
        push(&driver, SHOP, "2.0.0");
        until_weights(&driver, [50, 50]).await;
        driver.world.snapshot()
    });
    (before, shifted)
}

/// An operator stops an execution and lets the action go on that is in progress.
fn stop_and_wait(driver: &Driver, execution: &str) {
    let input = json!({"pipelineName": PIPELINE, "pipelineExecutionId": execution});
    codepipeline::call(&mut driver.world.aws(), "StopPipelineExecution", &input)
        .expect("it goes on");
    driver.world.touch();
}

/// Milliseconds from the stop to the return of the traffic. Invariants hold until the release is
/// closed, and then the pair is as it was.
async fn stopped(
    driver: &Driver,
    stop: fn(&Driver, &str),
    before: &Aws,
    invariants: &mut Invariants,
) -> i64 {
    let execution = newest(&driver.world.aws(), PIPELINE).id.clone();
    let since = driver.world.clock.now();
    stop(driver, &execution);
    let back = weights(before);
    driver
        .until(LIMIT, &mut |aws| invariants.at_instant(aws), |aws| {
            weights(aws) == back
        })
        .await
        .expect("the traffic goes back");
    let took = driver.world.clock.now() - since;

    driver
        .until(LIMIT, &mut |aws| invariants.at_instant(aws), |aws| {
            is_closed(aws, &execution)
        })
        .await
        .expect("the release is closed");
    let aws = driver.world.snapshot();
    assert_eq!(
        recorded(&aws, &execution, "outcome").as_deref(),
        Some("rolled-back"),
        "{}",
        reason(driver, &execution)
    );
    assert_eq!(state(&aws), state(before));
    took
}

/// That the traffic goes back within seconds of a stop, at moments of so many seeds.
fn goes_back_within_seconds(stop: fn(&Driver, &str), seeds: u64) {
    let before = shop(&THREE_STEPS);
    let scenes = after_each_step(&before);
    let plays: Vec<(&(Aws, u64), u64)> = scenes.iter().cycle().zip(0..seeds).collect();
    let mut took: Vec<i64> = on_all_cores(&plays, |((shifted, seconds), seed)| {
        let mut aws = shifted.clone();
        aws.rng = fastrand::Rng::with_seed(*seed);
        let moment = secs(aws.rng.u64(1..*seconds));
        let mut invariants = Invariants::default().resumed(&aws);
        run(aws, Fault::None, async |driver| {
            driver
                .until(moment, &mut |aws| invariants.at_instant(aws), |_| false)
                .await
                .expect_err("nothing is waited for");
            stopped(&driver, stop, &before, &mut invariants).await
        })
    });

    took.sort_unstable();
    let (median, longest) = (took[took.len() / 2], took[took.len() - 1]);
    println!("median {median} ms, longest {longest} ms");
    assert!(median <= 15_000, "median {median} ms");
    assert!(longest <= 30_000, "longest {longest} ms");
}

#[test]
fn the_traffic_goes_back_within_seconds_of_a_stop_at_any_moment_of_the_shift() {
    goes_back_within_seconds(stop, 200);
}

#[test]
fn the_traffic_goes_back_within_seconds_of_a_stop_that_waits_for_the_action() {
    goes_back_within_seconds(stop_and_wait, 50);
}

/// How many jobs of swap-target-groups have begun.
fn swaps(driver: &Driver) -> usize {
    let ran = driver.ran();
    ran.iter()
        .filter(|ran| ran.function == "swap-target-groups")
        .count()
}

/// Which job of swap-target-groups shifts the traffic first.
fn first_shift(before: &Aws) -> usize {
    run(before.clone(), Fault::None, async |driver| {
        push(&driver, SHOP, "2.0.0");
        until_weights(&driver, [50, 50]).await;
        swaps(&driver) - 1
    })
}

/// Lets the job of this number hang after one of its calls, stops the execution meanwhile and lets
/// the release end. Whether the job shifted the traffic after that.
fn shifts_late(before: &Aws, nth: usize, call: u32) -> bool {
    let which = Which::Of {
        function: "swap-target-groups",
        nth,
    };
    // Within the time that a step may take: it would not act after that.
    let hang = CallFault::HangAfter(call, Hang::For(secs(30)));
    let faults = Faults {
        calls: vec![(which, hang)],
        ..Faults::default()
    };
    let mut invariants = Invariants::default().resumed(before);

    run(before.clone(), faults, async |driver| {
        push(&driver, SHOP, "2.0.0");
        while swaps(&driver) <= nth {
            pass(&driver, secs(1)).await;
        }
        pass(&driver, secs(8)).await;
        let is_early = weights(&driver.world.aws()) == [50, 50];

        let execution = newest(&driver.world.aws(), PIPELINE).id.clone();
        stop(&driver, &execution);
        let mut is_late = false;
        let mut watch = |aws: &Aws| {
            is_late |= !is_early && weights(aws) == [50, 50];
            invariants.at_instant(aws)
        };
        driver
            .until(LIMIT, &mut watch, |aws| is_closed(aws, &execution))
            .await
            .unwrap_or_else(|wrong| panic!("hung after call {call}: {wrong}"));

        let aws = driver.world.snapshot();
        assert_eq!(state(&aws), state(before), "hung after call {call}");
        is_late
    })
}

#[test]
fn what_an_invocation_that_hung_shifts_after_the_stop_is_restored_again() {
    let before = shop(&TWO_STEPS);
    let nth = first_shift(&before);
    let calls: Vec<u32> = (1..=16).collect();
    let late = on_all_cores(&calls, |call| shifts_late(&before, nth, *call));
    assert!(late.contains(&true), "no invocation shifted after the stop");
}

/// ECS refuses a maximum of 100 % for a service that it rebalances.
#[test]
fn percentages_that_ecs_refuses_by_now_are_left_when_the_new_colour_is_reset() {
    let mut aws = shop(&TWO_STEPS);
    let recorded = json!({"minimumHealthyPercent": 50, "maximumPercent": 100});
    let bounds = json!({ "deploymentConfiguration": recorded });
    pair::set(&mut aws, "shop-blue", bounds);
    let before = aws.clone();

    run(aws, Fault::None, async |driver| {
        push(&driver, SHOP, "2.0.0");
        until_weights(&driver, [50, 50]).await;
        let rebalanced = json!({
            "availabilityZoneRebalancing": "ENABLED",
            "deploymentConfiguration": {"minimumHealthyPercent": 50, "maximumPercent": 150},
        });
        pair::set(&mut driver.world.aws(), "shop-blue", rebalanced);

        let mut invariants = Invariants::default().resumed(&driver.world.aws());
        stopped(&driver, stop, &before, &mut invariants).await;
        let blue = service(&driver.world.aws(), CLUSTER, "shop-blue");
        assert_eq!(blue["deploymentConfiguration"]["maximumPercent"], 150);
    });
}

#[test]
fn what_was_observed_before_the_grace_ended_does_not_close_a_release() {
    let (_, mut shifted) = half_shifted();
    let sweep = json!({ "Name": "slipway-sweep" });
    eventbridge::call(&mut shifted, "DisableRule", &sweep).expect("the rule is there");

    // All is restored, and the grace of the last change ends within 20 seconds.
    let (execution, restored) = run(shifted, Fault::None, async |driver| {
        let execution = newest(&driver.world.aws(), PIPELINE).id.clone();
        stop(&driver, &execution);
        loop {
            pass(&driver, secs(40)).await;
            let answer = sweep_with(&driver, CallFault::None).await;
            assert!(
                !is_closed(&driver.world.aws(), &execution),
                "closed too early for this test: {answer}"
            );
            if answer.contains("to time out, then rolled-back") {
                return (execution, driver.world.snapshot());
            }
        }
    });

    // The first three read the leases, assume the deploy role and read the execution.
    for call in 4..=9 {
        run(restored.clone(), Fault::None, async |driver| {
            let hang = CallFault::HangAfter(call, Hang::For(secs(25)));
            let answer = sweep_with(&driver, hang).await;
            let is_early = is_closed(&driver.world.aws(), &execution);
            assert!(!is_early, "closed after a hang at call {call}: {answer}");

            let answer = sweep_with(&driver, CallFault::None).await;
            let is_closed = is_closed(&driver.world.aws(), &execution);
            assert!(is_closed, "open after a hang at call {call}: {answer}");
        });
    }
}

/// Invokes roll-back as its schedule does.
async fn sweep_with(driver: &Driver, fault: CallFault) -> String {
    invoke_with(driver, "roll-back", json!({ "sweep": true }), fault)
        .await
        .expect("an answer")
        .to_string()
}
