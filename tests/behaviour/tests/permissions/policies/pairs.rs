//! What happens to releases of the pair in the scenes.

use behaviour::pair::{self, COLOURS, SHORT, listener, set_weights, until_action};
use behaviour::{newest, zipped};
use emulator::cloudwatch::set_alarm;
use emulator::codepipeline::ActionStatus;
use emulator::ecr::{self, Answers, Behaviour, Profile};
use emulator::elb::{self, Elb};
use emulator::{Aws, traffic};
use harness::demo::SHOP;
use harness::demo::canary::{ask, become_canary};
use harness::driver::Driver;
use invariants::ledger_reader::digest;
use serde_json::json;

use super::scenes::PATIENCE;

/// Enough of them to show within minutes that an image fails.
const REQUESTS_PER_SECOND: f64 = 1_000.0;
const ALARM: &str = "shop-errors";
/// What a canary pipeline's stack is given so that a release takes minutes.
const JUDGED: [(&str, &str); 3] = [
    ("JudgeMinutes", "30"),
    ("BakeMinutes", "1"),
    ("DrainMinutes", "0"),
];
/// The alarm of both colours, and the bucket of the judge's file.
const ALARM_OF_FILL: &str = "shop-tasks";
const JUDGE_BUCKET: &str = "shop-judge";

/// Stops a release of the pair once the new colour has traffic; without a permission it does not
/// get that far.
pub(super) async fn stop_in_bake(driver: &Driver, pushed: &str) {
    if let Ok(execution) = until_action(driver, pushed, "swap-target-groups", 1).await {
        pair::stop(driver, &execution);
    }
}

/// Pushes to the pair an image that fails its health checks once it gets traffic, and lets the new
/// colour grow meanwhile.
pub(super) async fn fail_when_grown(driver: &Driver) {
    // Long enough that the image fails in it, whatever is drawn.
    let bake = [&SHORT[..], &[("BakeMinutes", "5")]].concat();
    pair::configure(&mut driver.world.aws(), &bake);
    // The sweep leaves a pair without any traffic to the release.
    set_weights(&mut driver.world.aws(), [0, 0]);
    let pushed = ecr::push(
        &mut driver.world.aws(),
        SHOP,
        "9.0.0",
        Behaviour::FailsUnderTraffic,
    )
    .expect("pushed");

    grow_in(driver, &pushed, "swap-target-groups").await;
}

/// Lets the new colour grow when the release of a push has come to an action. Without a permission
/// it does not get that far.
async fn grow_in(driver: &Driver, pushed: &str, action: &str) {
    if until_action(driver, pushed, action, 0).await.is_ok() {
        let more = json!({"desiredCount": 3});
        pair::set(&mut driver.world.aws(), "shop-green", more);
    }
}

/// Sends requests to the shop, pushes an image that fails one request in twenty, and lets the new
/// colour grow meanwhile.
pub(super) async fn fail_canary(driver: &Driver) {
    let pushed = {
        let aws = &mut driver.world.aws();
        set_alarm(aws, ALARM, "OK");
        become_canary(aws, &[&JUDGED[..], &[("Alarms", ALARM)]].concat())
            .expect("the template deploys");
        ask(aws, REQUESTS_PER_SECOND).expect("there is a shop");
        push_failing(aws, "9.3.0")
    };
    grow_in(driver, &pushed, "judge").await;
}

/// The same behind the listener's default action, at weights that no release left.
pub(super) fn fail_canary_on_listener(driver: &Driver) {
    let aws = &mut driver.world.aws();
    let listener = behind_listener(aws);
    become_canary(aws, &[&JUDGED[..], &[("Rule", listener.as_str())]].concat())
        .expect("the template deploys");
    traffic::set(aws, &listener, REQUESTS_PER_SECOND);
    push_failing(aws, "9.4.0");
}

/// Puts the pair behind its listener's default action, at weights that no release left, in place of
/// its rule.
fn behind_listener(aws: &mut Aws) -> String {
    let (listener, rule) = (listener(aws), pair::rule(aws));
    let is_behind_rule = !Elb::forwards(aws.elb.actions_of(&rule)).is_empty();
    let now = if is_behind_rule { &rule } else { &listener };
    let mut actions = aws.elb.actions_of(now).expect("it is there").clone();
    for (at, weight) in [60, 40].into_iter().enumerate() {
        actions[0]["ForwardConfig"]["TargetGroups"][at]["Weight"] = json!(weight);
    }

    elb::update_listener(aws, &listener, &json!({ "DefaultActions": actions }))
        .expect("it is there");
    let fixed = json!([{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}]);
    elb::update_rule(aws, &rule, &json!({ "Actions": fixed })).expect("it is there");
    listener
}

fn push_failing(aws: &mut Aws, tag: &str) -> String {
    let profile = Profile::of(Answers::GOOD.failing(0.05));
    ecr::push_with(aws, SHOP, tag, Behaviour::Healthy, profile).expect("pushed")
}

pub(super) async fn stop_on_listener(driver: &Driver) {
    let pushed = release_on_listener(driver, "9.1.0");
    stop_in_bake(driver, &pushed).await;
}

/// Puts the pair behind its listener's default action, and pushes an image.
pub(super) fn release_on_listener(driver: &Driver, tag: &str) -> String {
    let aws = &mut driver.world.aws();
    let listener = behind_listener(aws);
    // Long enough for a look in between, at which an operator can stop it.
    let bake = [("Rule", listener.as_str()), ("BakeMinutes", "3")];
    pair::configure(aws, &[&SHORT[..], &bake].concat());
    ecr::push(aws, SHOP, tag, Behaviour::Healthy).expect("pushed")
}

/// Turns an alarm of both colours on, and lets it go to ALARM while one of them is filled.
pub(super) async fn fail_fill_by_alarm(driver: &Driver, tag: &str) {
    let pushed = {
        let aws = &mut driver.world.aws();
        pair::configure(aws, &SHORT);
        set_alarm(aws, ALARM_OF_FILL, "OK");
        let alarms = json!({"alarmNames": [ALARM_OF_FILL], "enable": true, "rollback": true});
        for colour in COLOURS {
            pair::set(
                aws,
                colour,
                json!({"deploymentConfiguration": {"alarms": alarms}}),
            );
        }
        ecr::push(aws, SHOP, tag, Behaviour::Healthy).expect("pushed")
    };
    let filling = |aws: &Aws| {
        let execution = newest(aws, pair::PIPELINE);
        let action = execution.latest_action("Release", "fill");
        digest(execution) == Some(pushed.as_str())
            && action.is_some_and(|action| {
                action.status == ActionStatus::InProgress && action.external_id.is_some()
            })
    };

    // Without a permission it does not get that far.
    let come = driver.until(PATIENCE, &mut |_| Ok(()), filling).await;
    if come.is_ok() {
        set_alarm(&mut driver.world.aws(), ALARM_OF_FILL, "ALARM");
    }
}

/// A canary that ends well, whose judge reads a file.
pub(super) fn promote_canary(driver: &Driver) {
    let aws = &mut driver.world.aws();
    let now = aws.now;
    aws.s3.at(now).create_bucket(JUDGE_BUCKET, true);
    let file = zipped("judge.json", b"{}");
    aws.s3
        .put(JUDGE_BUCKET, "config.zip", file)
        .expect("the bucket is there");

    let promoted = [
        ("Inconclusive", "promote"),
        ("ConfigBucket", JUDGE_BUCKET),
        ("JudgeFile", "judge.json"),
    ];
    become_canary(aws, &[&JUDGED[..], &promoted].concat()).expect("the template deploys");
    ask(aws, REQUESTS_PER_SECOND).expect("there is a shop");
    let profile = Profile::of(Answers::GOOD);
    ecr::push_with(aws, SHOP, "9.13.0", Behaviour::Healthy, profile).expect("pushed");
}
