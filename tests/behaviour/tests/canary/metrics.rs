//! Metrics that a team adds to errors and latency, in a file of the Config artifact: counts end a
//! judgement as the built-in ones do, series of values object to a promotion.

use std::time::Duration;

use emulator::cloudwatch;
use emulator::ecr::Answers;
use emulator::{Aws, Millis};
use harness::demo::canary::become_canary;
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};
use slipway::judge::Decision;
use slipway::judge::report::{Judgement, replay};

use behaviour::shop::{SHORT, messages, push, reports, shop};
use behaviour::{is_closed, newest, outcome, pair, reason, zipped};

const BUCKET: &str = "shop-config";
const NAMESPACE: &str = "Shop";
const MINUTE: Millis = 60_000;

/// The shop whose judge reads this file.
fn shop_with(judge: &Value) -> Aws {
    let mut aws = shop();
    let now = aws.now;
    aws.s3.at(now).create_bucket(BUCKET, true);
    aws.s3
        .put(
            BUCKET,
            "config.zip",
            zipped("judge.json", judge.to_string().as_bytes()),
        )
        .expect("the bucket is there");

    let own = [
        ("ConfigBucket", BUCKET),
        ("JudgeFile", "judge.json"),
        ("HoldMinutes", "5"),
    ];
    become_canary(&mut aws, &[&SHORT[..], &own].concat()).expect("the template deploys");
    aws
}

fn metrics() -> Value {
    let of = json!({ "Colour": "{colour}" });
    json!({ "metrics": [
        {"name": "orders", "namespace": NAMESPACE, "dimensions": of, "count": "Orders",
         "total": "Carts", "worse": "less", "weight": 0.3},
        {"name": "memory", "namespace": NAMESPACE, "dimensions": of, "value": "Memory",
         "worse": "more"},
    ] })
}

/// What the tasks of one colour report in a minute: how many of 400 carts are ordered, if they
/// report it.
fn report(aws: &mut Aws, colour: &str, orders: Option<f64>, memory: f64) {
    let datum = |name: &str, value: f64| {
        json!({
            "MetricName": name,
            "Value": value,
            "Dimensions": [{"Name": "Colour", "Value": colour}],
        })
    };
    let mut data = vec![datum("Memory", memory)];
    data.extend(
        orders
            .into_iter()
            .flat_map(|orders| [datum("Carts", 400.0), datum("Orders", orders)]),
    );

    let data = json!({ "Namespace": NAMESPACE, "MetricData": data });
    cloudwatch::call(aws, "PutMetricData", &data).expect("it is a metric");
}

/// Releases a good image to blue whose tasks report this many orders and this much memory beside
/// 300 and 500 of green. Returns how that ended, what the first judgement reported last, and its
/// page and JSON.
fn released(
    judge: &Value,
    orders: Option<f64>,
    memory: f64,
) -> (String, String, Vec<(String, String)>) {
    run(shop_with(judge), Fault::None, async |driver: Driver| {
        let pushed = push(&driver, "2.0.0", Answers::GOOD);
        let is_over = |aws: &Aws| {
            let execution = newest(aws, pair::PIPELINE);
            invariants::ledger_reader::digest(execution) == Some(pushed.as_str())
                && is_closed(aws, &execution.id)
        };

        while !is_over(&driver.world.aws()) {
            let minute = driver.world.aws().now / MINUTE;

            // Memory goes up and down a little on both sides, as it does.
            let swing = 1.0 + (minute % 7) as f64 / 500.0;
            report(&mut driver.world.aws(), "blue", orders, memory * swing);
            report(&mut driver.world.aws(), "green", Some(300.0), 500.0 * swing);
            driver
                .until(Duration::from_secs(60), &mut |_| Ok(()), is_over)
                .await
                .ok();
        }

        let aws = driver.world.snapshot();
        let execution = newest(&aws, pair::PIPELINE).id.clone();
        let message = messages(&aws, "judge").pop().unwrap_or_default();

        (
            outcome(&driver, &execution),
            format!("{message} {}", reason(&driver, &execution)),
            reports(&aws),
        )
    })
}

#[test]
fn metrics_that_are_alike_on_both_sides_do_not_keep_a_release_back() {
    let (outcome, message, _) = released(&metrics(), Some(300.0), 500.0);
    assert_eq!(outcome, "deployed", "{message}");
}

#[test]
fn a_metric_without_data_does_not_pass() {
    let (outcome, message, _) = released(&metrics(), None, 500.0);
    assert_eq!(outcome, "held", "{message}");
    assert!(message.contains("orders no data vs no data"), "{message}");
}

#[test]
fn fewer_orders_roll_a_release_back() {
    let (outcome, message, reports) = released(&metrics(), Some(180.0), 500.0);
    assert_eq!(outcome, "rolled-back", "{message}");
    assert!(message.starts_with("orders 55.00% vs 25.00%"), "{message}");

    let page = &reports
        .iter()
        .find(|(key, _)| key.ends_with(".html"))
        .expect("a page")
        .1;
    assert!(page.contains("Roll back") && page.contains("orders"));
}

#[test]
fn more_memory_keeps_a_release_from_its_promotion_and_never_rolls_it_back() {
    let (outcome, message, reports) = released(&metrics(), Some(300.0), 900.0);
    assert_eq!(outcome, "held", "{message}");
    assert!(
        message.contains("memory objects to a promotion"),
        "{message}"
    );

    let json = reports
        .iter()
        .find(|(key, _)| key.ends_with(".json"))
        .expect("written");
    let judgement = Judgement::from_json(&json.1).expect("a judgement");
    // The judge never decided; that no operator did ended it.
    assert_eq!(judgement.verdict().decision, Decision::Continue);
    let ending = judgement.ending().expect("the hold ended it");
    assert_eq!(ending.decision, Decision::Rollback);
    assert_eq!(replay(&judgement).decision, judgement.verdict().decision);
}

#[test]
fn a_file_that_the_judge_cannot_read_fails_the_action_and_names_the_field() {
    let mut wrong = metrics();
    wrong["metrics"][0]["worse"] = json!("fewer");
    let (outcome, message, _) = released(&wrong, Some(300.0), 500.0);

    assert_eq!(outcome, "rolled-back", "{message}");
    assert!(
        message.contains("`Config::judge.json`: metrics[0].worse: unknown variant `fewer`"),
        "{message}"
    );
}
