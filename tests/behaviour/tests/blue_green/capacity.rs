//! A rollback at peak load: the new colour has grown with its traffic, so the old one is made as
//! large, and takes as much back as the tasks carry that it has.

use emulator::codepipeline::ExecutionStatus;
use emulator::{Aws, Millis, ecs, traffic};
use harness::demo::{CLUSTER, SHOP};
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::{ledger, text};
use serde_json::Value;

use behaviour::pair::{
    self, PIPELINE, counts, groups, secs, shop, state, stop, suspend, suspensions, until_weights,
    weights,
};
use behaviour::{LIMIT, assert_outcome, newest, pass, push, settled};

/// Requests per second, and the tasks that serve them at 60 % of their strength each.
const PEAK: f64 = 400.0;
const NEEDED: usize = 7;

const LONG_BAKE: [(&str, &str); 3] = [
    ("Shift", "all-at-once"),
    ("BakeMinutes", "30"),
    ("DrainMinutes", "0"),
];

/// One thing that was seen of the pair: when, blue's and green's count, blue's weight, green's
/// healthy targets.
#[derive(Clone, Debug, PartialEq)]
struct Observation {
    at: Millis,
    counts: [i64; 2],
    weights: [i64; 2],
    healthy: [usize; 2],
}

fn observe(aws: &Aws) -> Observation {
    let healthy = groups(aws).map(|group| aws.elb.healthy_count(&group, aws.now));
    Observation {
        at: aws.now,
        counts: counts(aws),
        weights: weights(aws),
        healthy,
    }
}

/// Whether the newest release has been decided to go back.
fn is_given_up(aws: &Aws) -> bool {
    let restoring = |item: &Value| text(item, "release.restoring.reason").is_some();
    ledger(aws).iter().any(restoring) || newest(aws, PIPELINE).status != ExecutionStatus::InProgress
}

/// Releases to blue and lets it grow under the load of the peak; returns the digest.
async fn grown_at_peak(driver: &Driver) -> String {
    let pushed = push(driver, SHOP, "2.0.0");
    until_weights(driver, [100, 0]).await;
    let rule = pair::rule(&driver.world.aws());
    traffic::set(&mut driver.world.aws(), &rule, PEAK);
    driver.world.touch();

    let grown = |aws: &Aws| observe(aws).healthy[0] >= NEEDED;
    driver
        .until(LIMIT, &mut |_| Ok(()), grown)
        .await
        .expect("it scales out");

    pushed
}

/// Releases to blue, lets it grow, lets `fall` happen, and returns what was seen from then on. ECS
/// replaces a task that falls within a minute, in which no look may come: `fall` goes on until one
/// has seen it.
async fn rolled_back_at_peak(driver: &Driver, fall: impl Fn(&Driver)) -> (Aws, Vec<Observation>) {
    let pushed = grown_at_peak(driver).await;
    let since = driver.world.snapshot();
    let mut seen: Vec<Observation> = Vec::new();
    let execution = newest(&since, PIPELINE).id.clone();

    let mut watch = |aws: &Aws| {
        let now = observe(aws);
        let same = seen.last().is_some_and(|last| {
            Observation {
                at: now.at,
                ..last.clone()
            } == now
        });

        if !same {
            seen.push(now);
        }
        Ok(())
    };
    while !is_given_up(&driver.world.aws()) {
        fall(driver);
        driver.world.touch();
        driver.until(secs(5), &mut watch, is_given_up).await.ok();
    }

    let over = |aws: &Aws| behaviour::is_closed(aws, &execution);
    driver
        .until(LIMIT, &mut watch, over)
        .await
        .expect("it is rolled back");
    settled(driver, PIPELINE, &pushed).await;

    assert_outcome(driver, &execution, "rolled-back");

    (since, seen)
}

/// What the old colour could carry came back at once, and more as its tasks became healthy.
fn never_overloaded(seen: &[Observation]) {
    let first = seen.iter().find(|seen| seen.weights[1] > 0);
    let first = first.expect("the traffic goes back");
    assert_eq!((first.weights, first.healthy[1]), ([72, 28], 2), "2 of 7");

    for two in seen.windows(2) {
        assert!(two[0].weights[1] <= two[1].weights[1], "{two:?}");
    }
    for seen in seen {
        let share = usize::try_from(seen.weights[1]).expect("a weight");
        assert!(share * NEEDED <= 100 * seen.healthy[1], "{seen:?}");
    }
}

/// The old colour had grown and was healthy when all of the traffic came, and kept it; then the new
/// one went down.
fn large_enough_first(before: &Aws, seen: &[Observation]) {
    never_overloaded(seen);
    let back = seen
        .iter()
        .position(|seen| seen.weights == [0, 100])
        .expect("the traffic goes back");
    let grown = seen
        .iter()
        .position(|seen| seen.counts[1] >= 7)
        .expect("green grows");

    assert!(grown < back, "{seen:#?}");

    for later in &seen[back..] {
        assert!(later.healthy[1] >= NEEDED, "{later:?} of {seen:#?}");
    }
    for earlier in &seen[..back] {
        assert!(
            earlier.counts[0] >= 7,
            "blue keeps its tasks while it has traffic: {earlier:?}"
        );
    }
    assert_eq!(
        seen.last().expect("seen").counts[0],
        counts(before)[0],
        "blue is as it was"
    );
}

/// Who changed what since: operations without the ledger's, in order, repeated ones once.
fn changes(aws: &Aws, since: usize) -> Vec<String> {
    let made = aws.calls[since..]
        .iter()
        .filter(|call| call.error.is_none());
    let of_interest = [
        "UpdateService",
        "ModifyRule",
        "RegisterScalableTarget",
        "PutJobFailureResult",
    ];
    let made = made.filter(|call| of_interest.contains(&call.operation.as_str()));
    let mut made: Vec<String> = made
        .map(|call| {
            format!(
                "{} of {}",
                call.operation,
                call.caller.trim_start_matches("slipway-")
            )
        })
        .collect();
    made.dedup();
    made
}

/// All of blue's tasks but this many stop answering.
fn make_unhealthy(driver: &Driver, keep: usize) {
    let aws = &mut driver.world.aws();
    let blue = aws
        .ecs
        .service_named(CLUSTER, "shop-blue")
        .expect("a colour")
        .arn
        .clone();
    let mut tasks: Vec<(bool, String)> = aws
        .ecs
        .tasks_of(&blue)
        .map(|task| (!task.healthy, task.arn.clone()))
        .collect();
    tasks.sort();
    tasks
        .iter()
        .skip(keep)
        .for_each(|(_, task)| ecs::set_answering(aws, task, false));
}

#[test]
fn a_new_colour_that_loses_most_of_its_tasks_loses_what_the_old_one_can_carry_as_it_grows() {
    for suspended in [[false, false], [true, false], [false, true], [true, true]] {
        let mut aws = shop(&LONG_BAKE);
        for (name, suspended) in pair::COLOURS.into_iter().zip(suspended) {
            suspend(&mut aws, name, suspended);
        }

        run(aws, Fault::None, async |driver| {
            pass(&driver, secs(60)).await;
            let before = driver.world.snapshot();
            let (since, seen) =
                rolled_back_at_peak(&driver, |driver| make_unhealthy(driver, 1)).await;
            large_enough_first(&before, &seen);
            let aws = driver.world.snapshot();

            assert_eq!(suspensions(&aws), suspended);

            let made = changes(&aws, since.calls.len());
            let expected = [
                "UpdateService of swap-target-groups",
                "ModifyRule of swap-target-groups",
                "PutJobFailureResult of swap-target-groups",
                "RegisterScalableTarget of roll-back",
                "UpdateService of roll-back",
            ];
            let is_owed = suspended != [true, true];
            let expected: Vec<&str> = expected
                .into_iter()
                .filter(|made| is_owed || !made.starts_with("RegisterScalableTarget"))
                .collect();

            assert_eq!(made, expected);
            assert_eq!(pair::definitions(&aws), pair::definitions(&before));
        });
    }
}

#[test]
fn an_operator_who_stops_at_peak_gets_the_old_colour_in_the_same_order() {
    run(shop(&LONG_BAKE), Fault::None, async |driver| {
        let before = driver.world.snapshot();
        let stops = |driver: &Driver| {
            let execution = newest(&driver.world.aws(), PIPELINE).id.clone();
            stop(driver, &execution);
        };
        let (since, seen) = rolled_back_at_peak(&driver, stops).await;

        large_enough_first(&before, &seen);

        // A load that no task can carry any more is never seen.
        let aws = driver.world.snapshot();
        assert_eq!(traffic::failed(&aws), traffic::failed(&since));

        let expected = [
            "UpdateService of roll-back",
            "ModifyRule of roll-back",
            "RegisterScalableTarget of roll-back",
            "UpdateService of roll-back",
        ];
        assert_eq!(changes(&aws, since.calls.len()), expected);
        assert_eq!(state(&aws)["definitions"], state(&before)["definitions"]);
    });
}

/// When nothing of the new colour serves any more, whatever the old one has is better.
#[test]
fn a_new_colour_without_any_healthy_task_loses_the_traffic_at_once() {
    run(shop(&LONG_BAKE), Fault::None, async |driver| {
        let (since, seen) = rolled_back_at_peak(&driver, |driver| make_unhealthy(driver, 0)).await;
        let dead = seen
            .iter()
            .find(|seen| seen.healthy[0] == 0)
            .expect("none is left")
            .at;
        let back = seen
            .iter()
            .find(|seen| seen.weights == [0, 100])
            .expect("the traffic goes back");

        assert!(
            back.at - dead <= 75_000,
            "{} s without a healthy task",
            (back.at - dead) / 1000
        );
        assert!(back.counts[1] >= 7, "it was asked to grow before: {back:?}");

        let made = changes(&driver.world.snapshot(), since.calls.len());
        assert_eq!(
            made[..2],
            [
                "UpdateService of swap-target-groups",
                "ModifyRule of swap-target-groups"
            ]
        );
    });
}
