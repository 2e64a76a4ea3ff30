//! The restoration of a pair by roll-back, one change an invocation.

use emulator::{Aws, ecs, elb};
use harness::demo::{CLUSTER, SHOP};
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::{holder, record};
use serde_json::{Value, json};

use super::{
    EXECUTION, ago, begun, calls, changed, edit, half, lease, left_behind, open, plain, revision,
    settled, timeless,
};
use behaviour::pair::{self, counts, secs, set, set_weights, suspend, suspensions, weights};
use behaviour::{invoke, pass, service};

/// The same account, with its release taken over more than a minute ago and nothing announced
/// since; its traffic was moved long before.
pub(super) fn taken_over(mut aws: Aws) -> Aws {
    let (since, shifted_at) = (ago(&aws, 65), ago(&aws, 400));
    edit(&mut aws, |lease| {
        if lease["release"]["shift"].is_object() {
            lease["release"]["shift"]["at"] = shifted_at;
        }
        lease["release"]["state"] = json!("rolling-back");
        lease["release"]["rolling_back_since"] = since.clone();
        lease["changed_at"] = since;
    });
    aws
}

async fn roll_back(driver: &Driver) -> String {
    let answer = invoke(
        driver,
        "roll-back",
        json!({"parameters": {"execution": EXECUTION}}),
    )
    .await
    .expect("an answer");
    assert_eq!(answer["execution"], EXECUTION);

    answer["status"].as_str().expect("a status").to_owned()
}

pub(super) fn recorded(aws: &Aws) -> Value {
    plain(&json!({"M": record(aws, EXECUTION).expect("a record")}))
}

/// The traffic is announced and moved first.
pub(super) async fn restores_the_traffic(driver: &Driver) {
    let since = calls(driver);
    assert_eq!(
        roll_back(driver).await,
        "restoring traffic to blue 0 / green 100"
    );

    let aws = driver.world.snapshot();
    assert_eq!(changed(&aws, since), ["PutItem", "ModifyRule", "PutItem"]);
    assert_eq!(
        (weights(&aws), suspensions(&aws), counts(&aws)),
        ([0, 100], [true, true], [2, 2])
    );

    assert_eq!(timeless(&aws, &open(&aws)["shift"]), restored_shift());
    assert_eq!(timeless(&aws, &lease(&aws)["changed_at"]), "now");
}

/// The shift that restored the traffic, when no invocation could set earlier weights any more.
fn restored_shift() -> Value {
    json!({
        "from": {"blue": 50, "green": 50}, "to": {"blue": 0, "green": 100}, "at": "now",
        "made": true,
    })
}

/// Scale-in of both colours is enabled in one invocation; returns the account after it.
pub(super) async fn enables_scale_in(driver: &Driver) -> Aws {
    let since = calls(driver);
    assert_eq!(
        roll_back(driver).await,
        "re-enabling scale-in for both colours"
    );

    let aws = driver.world.snapshot();
    assert_eq!(
        changed(&aws, since),
        [
            "PutItem",
            "RegisterScalableTarget",
            "RegisterScalableTarget"
        ]
    );
    assert_eq!(
        (suspensions(&aws), &open(&aws)["scale_in_suspended"]),
        ([false, false], &json!(false))
    );
    aws
}

/// The new colour gets the revision and the count that it had, beside this many tasks of the old
/// one.
pub(super) async fn returns_the_new_colour(driver: &Driver, prior: &Value, old: i64) {
    let definition = &prior["pair"]["blue"]["task_definition"];
    let blue = revision(definition.as_str().expect("an ARN"));
    let since = calls(driver);
    assert_eq!(
        roll_back(driver).await,
        format!("returning blue to {blue} with 0 tasks")
    );

    let aws = driver.world.snapshot();
    assert_eq!(changed(&aws, since), ["PutItem", "UpdateService"]);
    assert_eq!(counts(&aws), [0, old]);
    assert_eq!(
        &service(&aws, CLUSTER, "shop-blue")["taskDefinition"],
        definition
    );
}

/// The release is closed once nothing announced can still be made.
async fn closes(driver: &Driver, prior: &Value) {
    let waits = roll_back(driver).await;
    assert!(
        waits.starts_with("waiting ") && waits.contains(", then rolled-back: "),
        "{waits}"
    );
    assert_eq!(
        holder(&driver.world.aws(), CLUSTER, SHOP).as_deref(),
        Some(EXECUTION)
    );

    // The tasks of the new colour stop, and then it is proven by a sweep.
    pass(driver, secs(300)).await;
    let aws = driver.world.snapshot();
    let record = recorded(&aws);
    let green = revision(prior["task_definition"].as_str().expect("an ARN"));
    let reason = format!(
        "the execution was stopped; {green} serves again as green with 2 of 2 tasks, weights \
        blue 0 / green 100"
    );

    assert_eq!(
        (&record["outcome"], &record["reason"]),
        (&json!("rolled-back"), &json!(reason))
    );
    assert_eq!(settled(&aws), left_behind(&aws, "green", [0, 100]));
    assert_eq!(lease(&aws)["release"], json!(null));
}

#[test]
fn a_pair_is_restored_in_its_order_and_each_change_is_announced() {
    run(taken_over(half()), Fault::None, async |driver| {
        let prior = open(&driver.world.aws())["prior"].clone();
        restores_the_traffic(&driver).await;
        let aws = enables_scale_in(&driver).await;
        assert_eq!(counts(&aws), [2, 2]);

        returns_the_new_colour(&driver, &prior, 2).await;
        closes(&driver, &prior).await;
    });
}

#[test]
fn the_new_colour_returns_with_its_own_count_and_percentages() {
    let mut aws = taken_over(half());
    set_weights(&mut aws, [0, 100]);
    pair::COLOURS
        .iter()
        .for_each(|name| suspend(&mut aws, name, false));
    edit(&mut aws, |lease| {
        let blue = &mut lease["release"]["prior"]["pair"]["blue"];
        blue["desired_count"] = json!(1);
        blue["percentages"] = json!({"minimum_healthy": 50, "maximum": 150});
    });
    run(aws, Fault::None, async |driver| {
        let status = roll_back(&driver).await;
        assert!(
            status.starts_with("returning blue to shop-blue:") && status.ends_with("with 1 tasks"),
            "{status}"
        );

        let aws = driver.world.snapshot();
        let bounds = service(&aws, CLUSTER, "shop-blue")["deploymentConfiguration"].clone();
        assert_eq!(
            (&bounds["minimumHealthyPercent"], &bounds["maximumPercent"]),
            (&json!(50), &json!(150))
        );
        assert_eq!(counts(&aws), [1, 2]);
        assert_eq!(timeless(&aws, &lease(&aws)["changed_at"]), "now");
    });
}

#[test]
fn a_new_colour_whose_old_revision_is_gone_gets_its_count_back() {
    let mut aws = taken_over(half());
    set_weights(&mut aws, [0, 100]);
    pair::COLOURS
        .iter()
        .for_each(|name| suspend(&mut aws, name, false));
    let runs = service(&aws, CLUSTER, "shop-blue")["taskDefinition"].clone();
    let before = open(&aws)["prior"]["pair"]["blue"]["task_definition"].clone();
    ecs::call(
        &mut aws,
        "DeregisterTaskDefinition",
        &json!({"taskDefinition": before}),
    )
    .expect("it is active");
    run(aws, Fault::None, async |driver| {
        let since = calls(&driver);
        assert_eq!(roll_back(&driver).await, "returning blue to 0 tasks");

        let aws = driver.world.snapshot();
        assert_eq!(changed(&aws, since), ["PutItem", "UpdateService"]);
        assert_eq!(
            (
                counts(&aws),
                &service(&aws, CLUSTER, "shop-blue")["taskDefinition"]
            ),
            ([0, 2], &runs)
        );
    });
}

/// Green has one task where it needs two.
fn small() -> Aws {
    let mut aws = half();
    set(&mut aws, "shop-green", json!({"desiredCount": 1}));
    let aws = run(aws, Fault::None, async |driver| {
        pass(&driver, secs(150)).await;
        driver.world.snapshot()
    });
    taken_over(aws)
}

#[test]
fn the_old_colour_grows_first_and_is_waited_for() {
    run(small(), Fault::None, async |driver| {
        let since = calls(&driver);
        assert_eq!(roll_back(&driver).await, "scaling green out to 2 tasks");

        let aws = driver.world.snapshot();
        assert_eq!(changed(&aws, since), ["PutItem", "UpdateService"]);
        assert_eq!(
            (weights(&aws), counts(&aws), &open(&aws)["sized"]),
            ([50, 50], [2, 2], &json!(2))
        );
        assert_eq!(timeless(&aws, &lease(&aws)["changed_at"]), "now");

        let since = calls(&driver);
        let waits = roll_back(&driver).await;
        let text = "returning the traffic to green: 1 of 2 healthy targets that green needs for \
            all of the traffic; ";
        assert!(waits.starts_with(text), "{waits}");
        assert_eq!(changed(&driver.world.aws(), since), Vec::<String>::new());
    });
}

#[test]
fn the_old_colour_gets_the_traffic_in_the_look_that_sizes_it_when_only_it_serves() {
    let mut aws = small();
    let blue = aws
        .ecs
        .service_named(CLUSTER, "shop-blue")
        .expect("a colour")
        .arn
        .clone();
    let tasks: Vec<String> = aws
        .ecs
        .tasks_of(&blue)
        .map(|task| task.arn.clone())
        .collect();
    tasks
        .iter()
        .for_each(|task| ecs::set_answering(&mut aws, task, false));

    // The sweep must not come first.
    edit(&mut aws, |lease| lease["release"]["state"] = json!("open"));
    run(aws, Fault::None, async |driver| {
        pass(&driver, secs(35)).await;
        let ready = taken_over(driver.world.snapshot());
        *driver.world.aws() = ready;
        let since = calls(&driver);

        assert_eq!(
            roll_back(&driver).await,
            "scaling green out to 2 tasks; restoring traffic to blue 0 / green 100"
        );

        let aws = driver.world.snapshot();
        assert_eq!(
            changed(&aws, since),
            [
                "PutItem",
                "UpdateService",
                "PutItem",
                "ModifyRule",
                "PutItem"
            ]
        );
        assert_eq!(
            (weights(&aws), counts(&aws)[1], &open(&aws)["sized"]),
            ([0, 100], 2, &json!(2))
        );
        assert_eq!(timeless(&aws, &open(&aws)["shift"]), restored_shift());
    });
}

#[test]
fn a_pair_without_its_rule_is_closed_as_failed_once_scale_in_is_given_back() {
    let mut aws = taken_over(half());
    let rule = pair::rule(&aws);
    elb::delete_rule(&mut aws, &rule).expect("it was there");
    run(aws, Fault::None, async |driver| {
        enables_scale_in(&driver).await;
        pass(&driver, secs(130)).await;
        let aws = driver.world.snapshot();
        let record = recorded(&aws);
        let reason = format!(
            "the rule {rule} is gone; a release cannot go on or back without it; manual \
            intervention required"
        );

        assert_eq!(
            (
                &record["outcome"],
                &record["reason"],
                &record["needs_operator"]
            ),
            (&json!("failed"), &json!(reason), &json!(true))
        );
        assert_eq!(lease(&aws)["release"], json!(null));
    });
}

#[test]
fn a_deleted_colour_does_not_keep_the_release_open() {
    let mut aws = taken_over(half());
    let gone = json!({"cluster": CLUSTER, "service": "shop-blue", "force": true});
    ecs::call(&mut aws, "DeleteService", &gone).expect("it was there");
    run(aws, Fault::None, async |driver| {
        let status = roll_back(&driver).await;
        let reason = "service `shop-blue` is gone from cluster `apps`; a release cannot go on or \
            back without it; manual intervention required";
        assert_eq!(status, format!("failed: {reason}"));

        let aws = driver.world.snapshot();
        assert_eq!(
            (recorded(&aws)["outcome"].clone(), &lease(&aws)["release"]),
            (json!("failed"), &json!(null))
        );
        assert!(
            !aws.autoscaling
                .target_of(CLUSTER, "shop-green")
                .expect("it scales")
                .suspended
                .dynamic_in
        );
    });
}

#[test]
fn a_release_that_suspended_scaling_and_no_more_gives_it_back_and_has_changed_nothing() {
    let mut aws = begun();
    pair::COLOURS
        .iter()
        .for_each(|name| suspend(&mut aws, name, true));
    edit(&mut aws, |lease| {
        lease["release"]["scale_in_suspended"] = json!(true)
    });
    run(taken_over(aws), Fault::None, async |driver| {
        assert_eq!(
            roll_back(&driver).await,
            "re-enabling scale-in for both colours"
        );
        assert_eq!(suspensions(&driver.world.aws()), [false, false]);

        let waits = roll_back(&driver).await;
        assert!(
            waits.starts_with("waiting ") && waits.contains(", then failed: "),
            "{waits}"
        );

        // Automatic scaling raises the idle colour to its minimum, which is undone first.
        pass(&driver, secs(190)).await;
        let record = recorded(&driver.world.aws());
        assert_eq!(
            record["reason"],
            json!("the execution was stopped; nothing had been changed")
        );
        assert_eq!(record["outcome"], json!("failed"));
    });
}
