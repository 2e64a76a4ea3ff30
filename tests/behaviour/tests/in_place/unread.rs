//! What a single look of the sweep that AWS refuses proves, and what two of them prove.

use emulator::client::{CallFault, Trouble};
use emulator::{Aws, ecs, eventbridge};
use harness::demo::{CLUSTER, WEB};
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::digest;
use serde_json::{Value, json};

use super::bench::*;
use behaviour::{invoke_with, is_closed, newest, outcome, push, reason, released, service, until};

/// The call of a sweep that reads the status of a release by hand, after the leases.
const STATUS: u32 = 2;

/// The call that reads the status of an execution of a pipeline, under its role.
const PIPELINE: u32 = 3;

/// The call that reads the service of a pipeline, after the status, which is read under its role.
const SERVICE: u32 = 4;

async fn sweep(driver: &Driver, fault: CallFault) -> Result<Value, String> {
    let swept = invoke_with(driver, "roll-back", json!({"sweep": true}), fault).await?;
    Ok(swept["swept"].clone())
}

/// AWS does not take the credentials of one call.
fn distrusted(call: u32) -> CallFault {
    CallFault::From {
        first: call,
        count: 1,
        trouble: Trouble::Credentials,
    }
}

/// A release by hand was taken over.
async fn taken_over(driver: &Driver) {
    registered(driver).await;
    look(driver, "update-service", update(json!({}))).await;
    roll_back(driver, "STOPPED").await;
}

/// Every task of web ends, so that no restoration is proven for a while.
fn crash_all(driver: &Driver) {
    let mut aws = driver.world.aws();
    let web = service(&aws, CLUSTER, WEB);
    let web = web["serviceArn"].as_str().expect("an ARN");
    let tasks = aws.ecs.tasks_of(web).map(|task| task.arn.clone());
    for task in tasks.collect::<Vec<String>>() {
        ecs::crash(&mut aws, &task);
    }
}

fn waits_for_the_status(swept: Result<Value, String>) {
    let error = swept.expect_err("the status is waited for");
    assert!(
        error.contains("codepipeline:GetPipelineExecution failed"),
        "{error}"
    );
}

const DAY: u64 = 24 * 60 * 60;

/// This many looks that cannot read the status, and leave the release open.
async fn unread(driver: &Driver, looks: u32) {
    for _ in 0..looks {
        waits_for_the_status(sweep(driver, distrusted(STATUS)).await);
        pass(driver, 60).await;
    }
}

/// A look that reads the status, and forgets that others could not.
async fn read(driver: &Driver) {
    let swept = sweep(driver, CallFault::None).await;
    swept.expect("it is left open");
    assert_eq!(lease(driver)["release"].get("unread_since"), None);
    assert_eq!(record(driver).get("reason"), None);
}

#[test]
fn credentials_that_are_never_taken_delay_a_rollback_as_long_as_a_refusal() {
    run(released(), Fault::None, async |driver| {
        taken_over(&driver).await;
        for minute in 1..=40 {
            pass(&driver, 60).await;
            if minute == 3 {
                crash_all(&driver);
            }
            let swept = sweep(&driver, distrusted(STATUS)).await;
            if minute < 3 {
                waits_for_the_status(swept);
                continue;
            }
            let swept = swept.expect("the status is not waited for any more");
            if record(&driver)["state"] == "closed" {
                assert!(minute > 3, "other looks follow: {swept}");
                let reason = "the execution has a status that could not be read; web:2 serves \
                              again with 2 of 2 tasks";
                assert_eq!(swept, json!({JANE: format!("rolled-back: {reason}")}));
                return;
            }
        }
        panic!("the release is still open");
    });
}

#[test]
fn credentials_that_are_not_taken_once_do_not_hide_how_an_execution_ended() {
    run(released(), Fault::None, async |driver| {
        taken_over(&driver).await;
        pass(&driver, 240).await;
        waits_for_the_status(sweep(&driver, distrusted(STATUS)).await);

        for _ in 0..40 {
            let swept = sweep(&driver, CallFault::None).await;
            if record(&driver)["state"] == "closed" {
                let reason = "the execution was stopped; web:2 serves again with 2 of 2 tasks";
                let expected = json!({JANE: format!("rolled-back: {reason}")});
                assert_eq!(swept, Ok(expected));
                return;
            }
            pass(&driver, 60).await;
        }
        panic!("the release is still open");
    });
}

#[test]
fn an_open_release_whose_execution_cannot_be_read_is_rolled_back_after_eight_days_by_two_looks() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        look(&driver, "update-service", update(json!({}))).await;
        // A cause of minutes, while an approval has waited for weeks.
        pass(&driver, 20 * DAY).await;
        unread(&driver, 3).await;
        assert_eq!(lease(&driver)["release"]["unread_since"], "<time>");
        read(&driver).await;

        // One of a week.
        unread(&driver, 1).await;
        pass(&driver, 7 * DAY).await;
        unread(&driver, 2).await;
        pass(&driver, DAY).await;
        unread(&driver, 1).await;
        read(&driver).await;

        // One that lasts.
        unread(&driver, 1).await;
        pass(&driver, 8 * DAY).await;
        unread(&driver, 1).await;
        assert_eq!(web(&driver)["taskDefinition"], arn("web:3"));
        for _ in 0..40 {
            let swept = sweep(&driver, distrusted(STATUS)).await;
            if record(&driver)["state"] == "closed" {
                let reason = "the execution has a status that could not be read; web:2 serves \
                              again with 2 of 2 tasks";
                assert_eq!(swept, Ok(json!({JANE: format!("rolled-back: {reason}")})));
                return;
            }
            pass(&driver, 60).await;
        }
        panic!("the release is still open");
    });
}

#[test]
fn a_busy_codepipeline_never_ends_an_open_release() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        look(&driver, "update-service", update(json!({}))).await;
        pass(&driver, 9 * DAY).await;
        for _ in 0..3 {
            let throttled = CallFault::ThrottleFrom(STATUS, 4);
            waits_for_the_status(sweep(&driver, throttled).await);
        }

        let found = record(&driver);
        let noted = (&found["state"], found.get("reason"));
        assert_eq!(noted, (&json!("begun"), None));
        assert_eq!(lease(&driver)["release"]["state"], "open");
    });
}

/// As [`released_without_finish`], and no sweep comes by itself.
fn unswept() -> Aws {
    let mut aws = released_without_finish();
    let rule = json!({ "Name": "slipway-sweep" });
    eventbridge::call(&mut aws, "DisableRule", &rule).expect("the rule is there");
    aws
}

/// Lets an execution of web succeed, and a sweep note that an hour ago; returns its id.
async fn succeeded_long_ago(driver: &Driver) -> String {
    let pushed = push(driver, WEB, "2.0.0");
    until(driver, |aws| {
        let execution = newest(aws, "slipway-web");
        digest(execution) == Some(pushed.as_str()) && execution.is_over()
    })
    .await;
    let execution = newest(&driver.world.aws(), "slipway-web").id.clone();

    // Web is not steady, so that its release is not closed.
    pass(driver, 180).await;
    set(driver, json!({"desiredCount": 5}));
    let swept = sweep(driver, CallFault::None).await;
    swept.expect("the success is noted");
    set(driver, json!({"desiredCount": 2}));
    pass(driver, 3_700).await;
    execution
}

#[test]
fn an_old_success_is_given_up_for_what_two_looks_met_and_not_for_one() {
    for (second, expected) in [
        (CallFault::None, "deployed"),
        (distrusted(SERVICE), "failed"),
    ] {
        run(unswept(), Fault::None, async |driver| {
            let execution = succeeded_long_ago(&driver).await;
            let error = sweep(&driver, distrusted(SERVICE))
                .await
                .expect_err("not observed");
            assert!(error.contains("ecs:DescribeServices failed"), "{error}");
            assert!(!is_closed(&driver.world.aws(), &execution));

            pass(&driver, 60).await;
            sweep(&driver, second).await.expect("it is closed");
            assert_eq!(outcome(&driver, &execution), expected);
        });
    }
}

#[test]
fn a_restoration_that_failed_is_not_the_first_of_two_looks_that_cannot_read_the_status() {
    run(unswept(), Fault::None, async |driver| {
        let execution = succeeded_long_ago(&driver).await;
        waits_for_the_status(sweep(&driver, distrusted(PIPELINE)).await);
        pass(&driver, 8 * DAY).await;
        let error = sweep(&driver, distrusted(SERVICE))
            .await
            .expect_err("not observed");
        assert!(error.contains("ecs:DescribeServices failed"), "{error}");

        waits_for_the_status(sweep(&driver, distrusted(PIPELINE)).await);
        assert!(!is_closed(&driver.world.aws(), &execution));
        let noted = reason(&driver, &execution);
        let expected = "the status of the execution could not be read: \
                        codepipeline:GetPipelineExecution failed";
        assert!(noted.starts_with(expected), "{noted}");

        let swept = sweep(&driver, distrusted(PIPELINE)).await;
        swept.expect("two looks prove it");
        assert_eq!(outcome(&driver, &execution), "deployed");
    });
}
