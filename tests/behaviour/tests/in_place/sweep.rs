//! What the sweep does with releases that are open, and with executions that never began.

use std::collections::BTreeSet;

use emulator::eventbridge::Faults;
use emulator::{Aws, Millis, codepipeline, dynamodb};
use harness::demo::{CLUSTER, COUNTER, WEB};
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::{digest, executions, holder, record as any_record};
use serde_json::{Value, json};
use slipway::release::{Change, DeployRole, Event, Phase, Record, Target};
use slipway::timestamp::Timestamp;

use super::bench::*;
use behaviour::{
    deny, ends, invoke, is_closed, ledger_table, newest, outcome, push, reason, released, settled,
    until,
};

async fn sweep(driver: &Driver) -> Value {
    invoke(driver, "roll-back", json!({"sweep": true}))
        .await
        .expect("an answer")["swept"]
        .clone()
}

#[test]
fn an_open_release_by_hand_is_left_to_its_operator() {
    run(released(), Fault::None, async |driver| {
        begun(&driver, json!({})).await;
        let held = lease(&driver);
        let swept = sweep(&driver).await;

        assert!(
            swept[JANE]
                .as_str()
                .is_some_and(|status| status.contains("left open")),
            "{swept}"
        );
        assert_eq!(
            swept.as_object().map(|all| all.len()),
            Some(1),
            "free leases are none of it: {swept}"
        );
        assert_eq!(lease(&driver), held);
    });
}

#[test]
fn sweeps_begin_with_one_release_after_the_other() {
    run(released(), Fault::None, async |driver| {
        begun(&driver, json!({})).await;
        let other = json!({"execution": "jane-2", "service": COUNTER, "strategy": "make-room"});
        begun(&driver, other).await;

        let mut firsts = BTreeSet::new();
        for _ in 0..4 {
            let swept = sweep(&driver).await;
            let checked = swept.as_object().expect("an object").keys();
            firsts.extend(checked.take(1).cloned());
            pass(&driver, 60).await;
        }
        assert_eq!(firsts, BTreeSet::from([JANE, "jane-2"].map(str::to_owned)));
    });
}

#[test]
fn a_release_by_hand_that_is_being_rolled_back_is_restored_by_the_sweep() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        look(&driver, "update-service", update(json!({}))).await;
        roll_back(&driver, "STOPPED").await;

        for _ in 0..40 {
            pass(&driver, 60).await;
            let swept = sweep(&driver).await;
            if record(&driver)["state"] == "closed" {
                let reason = "the execution was stopped; web:2 serves again with 2 of 2 tasks";
                assert_eq!(swept, json!({JANE: format!("rolled-back: {reason}")}));
                return;
            }
        }
        panic!("the release is still open");
    });
}

/// The function's own credentials read no pipeline.
#[test]
fn what_is_done_by_hand_is_left_to_its_operator_where_no_pipeline_may_be_read() {
    run(released(), Fault::None, async |driver| {
        begun(&driver, json!({})).await;
        let now = Timestamp::from_secs(1_767_603_600).expect("in range");
        let started = Record::started("jane-2", "slipway-by-hand", None, now);
        put_record(&driver, &started).await;
        deny(&driver, "codepipeline:GetPipelineExecution");

        let unknown = "CodePipeline does not know the execution: a manual release";
        let expected = json!({
            JANE: format!("{unknown}, left open"),
            "jane-2": format!("{unknown}, which has not begun"),
        });
        assert_eq!(sweep(&driver).await, expected);
    });
}

/// Makes the open release one of an earlier version, which did not record what began it.
fn forget_origin(aws: &mut Aws) {
    let table = ledger_table(aws);
    let key = json!({"pk": {"S": "lease"}, "sk": {"S": "apps/web"}});
    let get = json!({"TableName": table, "Key": key});
    let mut item = dynamodb::call(aws, "GetItem", &get).expect("the table is there")["Item"].take();
    let release = item["release"]["M"].as_object_mut().expect("it is open");
    release.shift_remove("origin").expect("recorded");
    let put = json!({"TableName": table, "Item": item});
    dynamodb::call(aws, "PutItem", &put).expect("an item");
}

#[test]
fn what_was_taken_over_is_restored_and_closed_although_its_execution_cannot_be_read() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        look(&driver, "update-service", update(json!({}))).await;
        roll_back(&driver, "STOPPED").await;
        forget_origin(&mut driver.world.aws());
        deny(&driver, "codepipeline:GetPipelineExecution");

        // A refusal may pass for some minutes.
        pass(&driver, 180).await;
        for _ in 0..40 {
            pass(&driver, 60).await;
            let swept = sweep(&driver).await;
            if record(&driver)["state"] == "closed" {
                let reason = "the execution has a status that could not be read, because \
                              codepipeline:GetPipelineExecution is denied; web:2 serves again \
                              with 2 of 2 tasks";
                assert_eq!(swept, json!({JANE: format!("rolled-back: {reason}")}));
                return;
            }
        }
        panic!("the release is still open");
    });
}

#[test]
fn a_start_by_hand_that_has_not_begun_is_left_to_its_operator() {
    run(released(), Fault::None, async |driver| {
        let now = Timestamp::from_secs(1_767_603_600).expect("in range");
        put_record(
            &driver,
            &Record::started(JANE, "slipway-by-hand", None, now),
        )
        .await;
        let started = record(&driver);
        let swept = sweep(&driver).await;

        assert!(
            swept[JANE]
                .as_str()
                .is_some_and(|status| status.contains("has not begun")),
            "{swept}"
        );
        assert_eq!(record(&driver), started);
    });
}

#[test]
fn a_start_that_codepipeline_has_forgotten_for_a_day_is_closed() {
    run(released(), Fault::None, async |driver| {
        let yesterday = Timestamp::from_secs(1_767_603_600 - 86_400).expect("in range");
        let started = Record::started(JANE, "slipway-by-hand", None, yesterday);
        put_record(&driver, &started).await;

        let swept = sweep(&driver).await;
        let reason = "the execution is no longer known to CodePipeline before its release began; \
                      nothing had been changed";
        assert_eq!(swept[JANE], format!("failed: {reason}"), "{swept}");
        assert_eq!(record(&driver)["state"], "closed");
    });
}

/// As after the deletion of the pipeline's stack: no role can restore the service.
#[test]
fn a_release_whose_deploy_role_is_gone_is_closed_after_an_hour_for_an_operator() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        look(&driver, "update-service", update(json!({}))).await;
        edit(&driver, WEB, |lease| {
            with_release(lease, |release| {
                release.deploy_role = Some(DeployRole {
                    arn: "arn:aws:iam::111122223333:role/gone".to_owned(),
                    external_id: "arn:aws:codepipeline:eu-west-1:111122223333:web".to_owned(),
                    region: None,
                });
            })
        })
        .await;

        until(&driver, |aws| holder(aws, CLUSTER, WEB).is_none()).await;
        assert_eq!(record(&driver)["outcome"], "failed");
        let reason = record(&driver)["reason"].clone();
        let reason = reason.as_str().expect("a reason");
        assert!(
            reason.starts_with("the execution has a status that could not be read; ")
                && reason.contains("sts:AssumeRole failed: AccessDenied")
                && reason.ends_with("; manual intervention required"),
            "{reason}"
        );
    });
}

#[test]
fn a_release_whose_prior_revision_is_gone_ends_at_once_and_names_the_cause() {
    run(released(), Fault::None, async |driver| {
        let counter = json!({"execution": "jane-2", "service": COUNTER, "strategy": "make-room"});
        assert_eq!(
            look(&driver, "begin-release", counter).await["status"],
            "done"
        );

        // What it ran before is not there any more.
        edit(&driver, COUNTER, |lease| {
            with_release(lease, |release| {
                let Phase::Open(Target::Service(service)) = &mut release.phase else {
                    panic!("{release:?} has recorded no service")
                };

                let prior = &mut service.prior;
                let (task_definition, percentages) =
                    (prior.task_definition.clone(), prior.percentages);
                prior.task_definition = arn("page-counter:99");
                service.change = Some(Change {
                    task_definition,
                    percentages,
                    desired_count: None,
                    deployment: None,
                    promise: None,
                    set_before: None,
                    given: None,
                });
            })
        })
        .await;
        edit(&driver, COUNTER, |lease| after(lease, Event::TakenOver)).await;
        begun(&driver, json!({})).await;
        edit(&driver, WEB, |lease| after(lease, Event::TakenOver)).await;
        pass(&driver, 61).await;

        let swept = sweep(&driver).await;
        let reason = "failed: the execution was stopped; cannot roll back to page-counter:99: the \
                      revision does not exist; manual intervention required";
        assert_eq!(swept["jane-2"], json!(reason), "{swept}");

        let found = record(&driver);
        assert_eq!(
            (&found["state"], &found["outcome"]),
            (&json!("closed"), &json!("failed")),
            "{found}"
        );
    });
}

#[test]
fn an_execution_that_was_stopped_before_its_release_began_is_closed_without_an_event() {
    run(released(), Fault::None, async |driver| {
        let pushed = push(&driver, WEB, "2.0.0");
        until(&driver, |aws| {
            executions(aws, "slipway-web").any(|execution| {
                digest(execution) == Some(pushed.as_str())
                    && any_record(aws, &execution.id).is_some()
            })
        })
        .await;
        {
            let mut aws = driver.world.aws();
            aws.events.faults = Faults {
                lose_percent: 100,
                duplicate_percent: 0,
            };
            let execution = executions(&aws, "slipway-web")
                .next_back()
                .expect("started")
                .id
                .clone();
            let stop = json!({
                "pipelineName": "slipway-web", "pipelineExecutionId": execution, "abandon": true,
                "reason": "not today",
            });
            codepipeline::call(&mut aws, "StopPipelineExecution", &stop)
                .expect("it can be stopped");
        }
        driver.world.touch();

        let execution = ends(&driver, "slipway-web", &pushed, "failed").await;

        let written = reason(&driver, &execution);
        assert_eq!(
            written,
            "the execution was stopped before its release began; nothing had been changed"
        );
    });
}

/// Lets a release of web end whose pipeline has no finish-release action, while web has this count
/// since its execution succeeded; returns outcome, reason, the writes of roll-back since then, and
/// how long it took in seconds.
async fn unfinished(driver: &Driver, count: u32) -> (String, String, Vec<String>, Millis) {
    let pushed = push(driver, WEB, "2.0.0");
    until(driver, |aws| {
        let execution = newest(aws, "slipway-web");
        digest(execution) == Some(pushed.as_str()) && execution.is_over()
    })
    .await;
    let (id, since, began) = {
        let aws = driver.world.aws();
        (
            newest(&aws, "slipway-web").id.clone(),
            aws.calls.len(),
            aws.now,
        )
    };
    assert!(!is_closed(&driver.world.aws(), &id));

    set(driver, json!({ "desiredCount": count }));
    driver.world.touch();
    settled(driver, "slipway-web", &pushed).await;

    let took = (driver.world.aws().now - began) / 1_000;
    let written = operations(driver, since, "roll-back");
    (outcome(driver, &id), reason(driver, &id), written, took)
}

#[test]
fn a_success_without_finish_release_that_is_not_steady_yet_is_observed_again() {
    run(released_without_finish(), Fault::None, async |driver| {
        let (outcome, reason, written, took) = unfinished(&driver, 5).await;
        let expected = "the execution succeeded without a finish-release action; the service runs \
                        web:3 on 5 of 5 tasks";

        assert_eq!((outcome.as_str(), reason.as_str()), ("deployed", expected));
        assert_eq!(
            written,
            ["PutItem", "TransactWriteItems"],
            "noted once, then closed"
        );
        assert!((60..900).contains(&took), "{took} s");
    });
}

#[test]
fn a_success_without_finish_release_has_failed_when_it_is_not_steady_at_the_deadline() {
    run(released_without_finish(), Fault::None, async |driver| {
        let (outcome, reason, written, took) = unfinished(&driver, 0).await;
        let expected = "the execution succeeded without a finish-release action, and the service \
                        is not steady within 15m00s: desired count is 0, expected 1 or more";

        assert_eq!((outcome.as_str(), reason.as_str()), ("failed", expected));
        assert_eq!(written, ["PutItem", "TransactWriteItems"]);
        assert!((900..1_080).contains(&took), "{took} s");
        assert_eq!(web(&driver)["taskDefinition"], arn("web:3"));
    });
}
