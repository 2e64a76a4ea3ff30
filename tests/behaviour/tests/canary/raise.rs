//! The raise of the share within a judgement: what keeps it from being made neither loses what was
//! judged, nor goes on without an end.

use std::collections::BTreeSet;
use std::time::Duration;

use emulator::ecr::Answers;
use emulator::{Aws, ecs};
use harness::demo::CLUSTER;
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};

use behaviour::pair::{self, until_action};
use behaviour::shop::{messages, push, shop};
use behaviour::{LIMIT, assert_outcome, ends, is_closed, jobs, reason, settled};

/// Denies the deploy role of the shop the change of a rule, or allows it again.
fn deny_weights(aws: &mut Aws, denied: bool) {
    let arn = aws.cloudformation.export("shop-pipeline-DeployRoleArn");
    let arn = arn.expect("the stack exports it").to_owned();
    let name = arn.rsplit('/').next().expect("a name");
    let role = aws.cloudformation.iam.role_mut(name).expect("a role");
    let statement = json!({
        "Effect": "Deny", "Action": "elasticloadbalancing:ModifyRule", "Resource": "*",
    });
    let document = json!({"Version": "2012-10-17", "Statement": [statement]});
    if denied {
        role.policies.insert("denied".to_owned(), document);
    } else {
        role.policies.remove("denied");
    }
}

/// Whether a job of the judgement was refused a call.
fn is_refused(aws: &Aws) -> bool {
    let messages = messages(aws, "judge");
    messages
        .iter()
        .any(|message| message.ends_with("; looking again"))
}

/// The payload that the newest job of the judgement received.
fn received(aws: &Aws, execution: &str) -> Value {
    let jobs = jobs(aws, execution, "judge");
    let token = jobs.last().and_then(|job| job.continuation_token.as_ref());
    let token: Value = serde_json::from_str(token.expect("not the first job")).expect("JSON");
    token["payload"].clone()
}

#[test]
fn a_raise_that_is_refused_leaves_what_was_judged_to_the_next_look() {
    run(shop(), Fault::None, async |driver| {
        let pushed = push(&driver, "2.0.0", Answers::GOOD);
        let judged = until_action(&driver, &pushed, "judge", 1).await;
        let execution = judged.expect("it is judged");
        assert_eq!(
            received(&driver.world.snapshot(), &execution)["t"],
            json!(null)
        );

        deny_weights(&mut driver.world.aws(), true);
        let refused = driver.until(LIMIT, &mut |_| Ok(()), is_refused).await;
        refused.expect("the raise is refused");
        let known = jobs(&driver.world.snapshot(), &execution, "judge").len();
        let goes_on = |aws: &Aws| jobs(aws, &execution, "judge").len() > known;
        let next = driver.until(LIMIT, &mut |_| Ok(()), goes_on).await;
        next.expect("it looks again");

        let next = received(&driver.world.snapshot(), &execution);
        assert!(next["t"].is_i64(), "the raise has begun: {next}");
        assert!(
            next["p"][0].as_i64() >= Some(8),
            "all of its minutes: {next}"
        );

        deny_weights(&mut driver.world.aws(), false);
        ends(&driver, pair::PIPELINE, &pushed, "deployed").await;
    });
}

/// The tasks of the new colour.
fn tasks_of_blue(aws: &Aws) -> BTreeSet<String> {
    let blue = aws.ecs.service_named(CLUSTER, "shop-blue").expect("blue");
    let tasks = aws.ecs.tasks_of(&blue.arn);
    tasks.map(|task| task.arn.clone()).collect()
}

/// From now on the tasks of the new colour beyond `known` do not respond, until the release has
/// ended.
async fn without_growth(driver: &Driver, execution: &str, known: &BTreeSet<String>) {
    let is_over = |aws: &Aws| is_closed(aws, execution);
    while !is_over(&driver.world.aws()) {
        let tasks = tasks_of_blue(&driver.world.aws());
        for task in tasks.difference(known) {
            ecs::set_answering(&mut driver.world.aws(), task, false);
        }
        driver.world.touch();
        let pause = Duration::from_secs(5);
        driver.until(pause, &mut |_| Ok(()), is_over).await.ok();
    }
}

#[test]
fn a_new_colour_that_does_not_grow_for_the_raise_gives_the_traffic_back_after_ten_minutes() {
    run(shop(), Fault::None, async |driver| {
        let pushed = push(&driver, "2.0.0", Answers::GOOD);
        let judged = until_action(&driver, &pushed, "judge", 1).await;
        let execution = judged.expect("it is judged");
        let known = tasks_of_blue(&driver.world.aws());
        let more = json!({"cluster": CLUSTER, "service": "shop-green", "desiredCount": 4});
        ecs::call(&mut driver.world.aws(), "UpdateService", &more).expect("it grows");
        driver.world.touch();
        without_growth(&driver, &execution, &known).await;

        settled(&driver, pair::PIPELINE, &pushed).await;
        assert_outcome(&driver, &execution, "rolled-back");
        let reason = reason(&driver, &execution);
        assert!(
            reason.contains("blue is not ready for more traffic after 10m"),
            "{reason}"
        );
        assert_eq!(pair::weights(&driver.world.aws()), [0, 100]);
    });
}
