//! A release that fails or is stopped: the weights go back at once, and the new colour serves as
//! long as an answer may lead to it.

use behaviour::pair::secs;
use behaviour::{ends, newest, pass, push, reason, settled, stop, until};
use emulator::Aws;
use emulator::ecr::{self, Behaviour};
use harness::demo::dns::{SITE, weights};
use harness::driver::{Driver, Fault, run};
use serde_json::json;

use super::{MINUTE, PIPELINE, TTL, change, changes, counts, failed, record, site, target};

/// Pushes an image and lets the first step be made.
async fn first_step(driver: &Driver, behaviour: Behaviour) -> String {
    let pushed = ecr::push(&mut driver.world.aws(), SITE, "1.0.0", behaviour).expect("pushed");
    driver.world.touch();
    until(driver, |aws| weights(aws) == [80, 20]).await;
    pushed
}

/// Another writer gives blue all of the traffic.
fn set_back(driver: &Driver) {
    {
        let aws = &mut driver.world.aws();
        let both = [("blue", 100), ("green", 0)]
            .map(|(colour, weight)| record(colour, weight, &target(aws, colour)));
        change(aws, &json!(both));
    }
    driver.world.touch();
}

/// Lets the release end as rolled back. Since the weights went back, the new colour kept its tasks
/// for the TTL.
async fn restored(driver: &Driver, pushed: &str) -> String {
    let emptied = |aws: &Aws| counts(aws) == [2, 0];
    until(driver, emptied).await;
    let aws = driver.world.snapshot();
    let back = *changes(&aws).last().expect("the weights were set");
    let kept = aws.now - back + 1000;
    assert!(kept >= TTL, "the new colour was kept for {kept} ms");

    let execution = ends(driver, PIPELINE, pushed, "rolled-back").await;
    assert_eq!(weights(&driver.world.aws()), [100, 0]);
    reason(driver, &execution)
}

#[test]
fn an_unhealthy_colour_loses_its_traffic_at_once_and_its_tasks_later() {
    run(site(&[]), Fault::None, async |driver| {
        let pushed = first_step(&driver, Behaviour::FailsUnderTraffic).await;
        let reason = restored(&driver, &pushed).await;
        assert!(
            reason.contains("traffic restored to blue 100 / green 0"),
            "{reason}"
        );
    });
}

#[test]
fn a_stopped_release_gives_its_traffic_back_within_a_minute() {
    run(site(&[]), Fault::None, async |driver| {
        let pushed = first_step(&driver, Behaviour::Healthy).await;
        let execution = newest(&driver.world.aws(), PIPELINE).id.clone();
        stop(&driver, PIPELINE, &execution);
        let stopped = driver.world.clock.now();
        until(&driver, |aws| weights(aws) == [100, 0]).await;
        let took = driver.world.clock.now() - stopped;
        assert!(took < MINUTE, "{took}");
        restored(&driver, &pushed).await;
    });
}

/// Parameters with which a release takes minutes.
const QUICK: [(&str, &str); 3] = [
    ("Shift", "all-at-once"),
    ("BakeMinutes", "0"),
    ("DrainMinutes", "0"),
];

/// Lets a release leave green live; then an update of a stack that owns the records gives blue all
/// weight again, and both records this TTL and these targets. Returns what they are then.
async fn reset(driver: &Driver, ttl: i64, target_of: impl Fn(&Aws, &str) -> String) -> Sets {
    let pushed = push(driver, SITE, "1.0.0");
    settled(driver, PIPELINE, &pushed).await;
    assert_eq!(counts(&driver.world.aws()), [0, 2]);

    let mut aws = driver.world.aws();
    let both = [("blue", 100), ("green", 0)].map(|(colour, weight)| {
        let mut record = record(colour, weight, &target_of(&aws, colour));
        record["ResourceRecordSet"]["TTL"] = json!(ttl);
        record
    });
    change(&mut aws, &json!(both));
    let sets = sets(&aws);
    drop(aws);
    driver.world.touch();
    sets
}

/// The identifier, TTL and values of each weighted record.
type Sets = Vec<(Option<String>, Option<i64>, Vec<String>)>;

fn sets(aws: &Aws) -> Sets {
    let zone = aws.route53.zones().next().expect("a zone");
    let weighted = zone.records().filter(|record| record.weight.is_some());
    let parts = weighted.map(|it| (it.set_identifier.clone(), it.ttl, it.values.clone()));
    parts.collect()
}

#[test]
fn weights_that_an_operator_sets_back_before_they_are_confirmed_are_left_alone() {
    run(site(&[]), Fault::None, async |driver| {
        let pushed = first_step(&driver, Behaviour::Healthy).await;
        // Route 53 may still process the change of the step.
        pass(&driver, secs(3)).await;
        set_back(&driver);

        let message = failed(&driver, &pushed, "swap-records").await;
        assert_eq!(
            message,
            "overridden: the weights are blue 100 / green 0, expected blue 80 / green 20; another \
             writer changed the weighted records, find it, then retry the release"
        );
        assert_eq!(weights(&driver.world.aws()), [100, 0]);
        restored(&driver, &pushed).await;
    });
}

#[test]
fn weights_that_were_reset_while_no_release_is_open_are_set_back() {
    // Of the second update the TTL is longer, of the third one the targets are others of the same
    // load balancers.
    for (ttl, prefix) in [(60, ""), (120, ""), (60, "dualstack.")] {
        run(site(&QUICK), Fault::None, async |driver| {
            let target_of = |aws: &Aws, colour: &str| format!("{prefix}{}", target(aws, colour));
            let left = reset(&driver, ttl, target_of).await;
            let known = changes(&driver.world.aws()).len();

            until(&driver, |aws| weights(aws) == [0, 100]).await;
            assert_eq!(sets(&driver.world.aws()), left);
            assert_eq!(changes(&driver.world.aws()).len(), known + 1);
        });
    }
}

#[test]
fn weights_of_records_that_lead_to_the_other_colour_are_left_alone() {
    run(site(&QUICK), Fault::None, async |driver| {
        let target_of = |aws: &Aws, colour: &str| {
            let other = if colour == "blue" { "green" } else { "blue" };
            target(aws, other)
        };
        reset(&driver, 60, target_of).await;
        let known = changes(&driver.world.aws()).len();

        pass(&driver, secs(180)).await;
        assert_eq!(weights(&driver.world.aws()), [100, 0]);
        assert_eq!(changes(&driver.world.aws()).len(), known);
    });
}
