//! What comes between a release and its end: operators stop it, retry it, push again, deploy past
//! it or delete its service, and events get lost.

use std::collections::BTreeMap;
use std::time::Duration;

use behaviour::{
    action, assert_outcome, ends, failure, image_of, in_progress, jobs, newest, outcome, pass,
    push, reason, recorded, released, service, settled, until, update_pipeline, writes,
};
use emulator::codepipeline::{self, ExecutionStatus};
use emulator::ecs;
use emulator::eventbridge::{DeliveryOutcome, Faults};
use emulator::lambda::DeadLetter;
use harness::demo::{CLUSTER, WEB};
use harness::driver::{Driver, Fault, run};
use invariants::Invariants;
use invariants::ledger_reader::holder;
use serde_json::json;

fn stop(driver: &Driver, execution: &str, abandon: bool) {
    let input = json!({
        "pipelineName": "slipway-web",
        "pipelineExecutionId": execution,
        "abandon": abandon,
        "reason": "not today",
    });
    codepipeline::call(&mut driver.world.aws(), "StopPipelineExecution", &input)
        .expect("it can be stopped");
    driver.world.touch();
}

#[test]
fn an_operator_stops_the_rollout_and_the_prior_release_is_restored_for_good() {
    for abandon in [true, false] {
        run(released(), Fault::None, async |driver| {
            let before = service(&driver.world.aws(), CLUSTER, WEB);
            let pushed = push(&driver, WEB, "2.0.0");
            let execution = in_progress(&driver, &pushed).await;
            stop(&driver, &execution, abandon);
            settled(&driver, "slipway-web", &pushed).await;

            assert_outcome(&driver, &execution, "rolled-back");

            let after = service(&driver.world.aws(), CLUSTER, WEB);
            for member in [
                "taskDefinition",
                "desiredCount",
                "runningCount",
                "deploymentConfiguration",
            ] {
                assert_eq!(after[member], before[member], "{member}");
            }

            retry_is_refused(&driver, &execution).await;
            assert_eq!(
                service(&driver.world.aws(), CLUSTER, WEB)["taskDefinition"],
                before["taskDefinition"]
            );

            let next = push(&driver, WEB, "3.0.0");
            ends(&driver, "slipway-web", &next, "deployed").await;
        });
    }
}

/// RetryStageExecution after the rollback: the action fails at once.
async fn retry_is_refused(driver: &Driver, execution: &str) {
    let known = jobs(&driver.world.aws(), execution, "update-service").len();
    let input = json!({
        "pipelineName": "slipway-web",
        "stageName": "Release",
        "pipelineExecutionId": execution,
        "retryMode": "FAILED_ACTIONS",
    });
    let retried = codepipeline::call(&mut driver.world.aws(), "RetryStageExecution", &input);

    match retried {
        Ok(_) => driver.world.touch(),
        // After "stop and wait" the action may have ended well, so that there is nothing to retry.
        Err(error) => return assert_eq!(error.code, "StageNotRetryableException", "{error}"),
    }

    until(driver, |aws| newest(aws, "slipway-web").is_over()).await;
    let aws = driver.world.snapshot();
    let jobs = jobs(&aws, execution, "update-service");

    assert_eq!(jobs.len(), known + 1);

    let (kind, message) = failure(jobs[known]).expect("a failure");
    assert_eq!(kind, "ConfigurationError");
    assert!(
        message.contains("release already rolled back; start again"),
        "{message}"
    );
}

#[test]
fn a_lost_event_is_made_good_by_the_sweep() {
    run(released(), Fault::None, async |driver| {
        let before = image_of(&driver.world.aws(), WEB);
        let pushed = push(&driver, WEB, "2.0.0");
        let execution = in_progress(&driver, &pushed).await;
        driver.world.aws().events.faults = Faults {
            lose_percent: 100,
            duplicate_percent: 0,
        };
        stop(&driver, &execution, true);
        settled(&driver, "slipway-web", &pushed).await;

        let aws = driver.world.snapshot();
        let is_end_event = |id: &str| {
            let event = aws.events.events.iter().find(|event| event["id"] == id);
            event.is_some_and(|event| event["detail"]["state"] == "STOPPED")
        };
        let delivered: Vec<_> = aws
            .events
            .deliveries
            .iter()
            .filter(|delivery| is_end_event(&delivery.event))
            .collect();

        assert!(
            !delivered.is_empty()
                && delivered
                    .iter()
                    .all(|delivery| delivery.outcome == DeliveryOutcome::Lost),
            "{delivered:?}"
        );
        assert_eq!(outcome(&driver, &execution), "rolled-back");
        assert_eq!(image_of(&aws, WEB), before);
    });
}

#[test]
fn of_pushes_in_quick_succession_the_newest_is_deployed_last() {
    run(released(), Fault::None, async |driver| {
        let mut pushed = Vec::new();
        for tag in ["2.0.0", "2.0.1", "2.0.2"] {
            pushed.push(push(&driver, WEB, tag));
            pass(&driver, Duration::from_secs(5)).await;
        }

        let mut ended = BTreeMap::new();
        for digest in &pushed {
            let execution = settled(&driver, "slipway-web", digest).await;
            ended.insert(
                digest,
                (
                    outcome(&driver, &execution),
                    recorded(&driver.world.aws(), &execution, "ended_at"),
                ),
            );
        }

        let [first, second, third] = [0, 1, 2].map(|at| &ended[&pushed[at]]);
        assert_eq!(third.0, "deployed");

        for older in [first, second] {
            assert!(
                ["deployed", "superseded"].contains(&older.0.as_str()) && older.1 <= third.1,
                "{ended:?}"
            );
        }
        assert!(
            [first, second].iter().any(|older| older.0 == "superseded"),
            "it did not wait: {ended:?}"
        );
        assert!(image_of(&driver.world.aws(), WEB).ends_with(&pushed[2]));

        Invariants::default()
            .at_end(&driver.world.aws())
            .expect("ledger and account agree");
    });
}

#[test]
fn a_deployment_past_slipway_is_reported() {
    run(released(), Fault::None, async |driver| {
        let pushed = push(&driver, WEB, "2.0.0");
        let execution = in_progress(&driver, &pushed).await;
        let other = json!({"cluster": CLUSTER, "service": WEB, "taskDefinition": "web:1"});
        ecs::call(&mut driver.world.aws(), "UpdateService", &other)
            .expect("the placeholder is still there");
        driver.world.touch();
        settled(&driver, "slipway-web", &pushed).await;

        let aws = driver.world.snapshot();
        let last = jobs(&aws, &execution, "update-service");
        let (kind, message) = failure(last.last().expect("a job")).expect("a failure");

        assert_eq!(kind, "JobFailed");
        assert!(
            message.starts_with("overridden: web:1 was deployed outside this release"),
            "{message}"
        );
        assert!(
            reason(&driver, &execution).contains("web:1 was deployed outside this release"),
            "{}",
            reason(&driver, &execution)
        );

        Invariants::default()
            .at_end(&aws)
            .expect("ledger and account agree");
    });
}

#[test]
fn a_service_that_is_deleted_meanwhile_ends_its_release_as_failed() {
    run(released(), Fault::None, async |driver| {
        let pushed = push(&driver, WEB, "2.0.0");
        let execution = in_progress(&driver, &pushed).await;
        let gone = json!({"cluster": CLUSTER, "service": WEB, "force": true});
        ecs::call(&mut driver.world.aws(), "DeleteService", &gone).expect("the service is there");
        driver.world.touch();
        settled(&driver, "slipway-web", &pushed).await;

        let aws = driver.world.snapshot();
        assert_eq!(
            aws.codepipeline.execution(&execution).map(|one| one.status),
            Some(ExecutionStatus::Failed)
        );
        assert_eq!(outcome(&driver, &execution), "failed");
        assert!(
            reason(&driver, &execution).contains("manual intervention required"),
            "{}",
            reason(&driver, &execution)
        );
        assert_eq!(holder(&aws, CLUSTER, WEB), None);

        let roll_back = |letter: &&DeadLetter| format!("{letter:?}").contains("roll-back");
        assert_eq!(
            aws.lambda.dead_letters.iter().filter(roll_back).count(),
            0,
            "roll-back gave up in between"
        );
    });
}

#[test]
fn in_a_pipeline_that_queues_every_push_is_deployed_in_turn() {
    let mut aws = released();
    update_pipeline(&mut aws, "slipway-web", |pipeline| {
        pipeline["executionMode"] = json!("QUEUED")
    })
    .expect("a mode");
    run(aws, Fault::None, async |driver| {
        let first = push(&driver, WEB, "2.0.0");
        pass(&driver, Duration::from_secs(5)).await;
        let second = push(&driver, WEB, "2.0.1");

        for pushed in [&first, &second] {
            ends(&driver, "slipway-web", pushed, "deployed").await;
        }
        assert!(image_of(&driver.world.aws(), WEB).ends_with(&second));
    });
}

#[test]
fn a_release_whose_count_cannot_be_rolled_is_refused_before_the_service_is_touched() {
    let mut aws = released();
    let changed = update_pipeline(&mut aws, "slipway-web", |pipeline| {
        for step in ["begin-release", "update-service"] {
            let given = &mut action(pipeline, step)["configuration"]["UserParameters"];
            let more = if step == "update-service" {
                r#""make-room","desired_count":1"#
            } else {
                r#""make-room""#
            };
            *given = json!(
                given
                    .as_str()
                    .expect("parameters")
                    .replace(r#""rolling""#, more)
            );
        }
    });
    changed.expect("legal for CodePipeline");
    run(aws, Fault::None, async |driver| {
        let since = driver.world.aws().calls.len();
        let pushed = push(&driver, WEB, "2.0.0");
        let execution = settled(&driver, "slipway-web", &pushed).await;

        assert!(
            reason(&driver, &execution)
                .contains("`desired_count` is 1: the rollout could never finish"),
            "{}",
            reason(&driver, &execution)
        );

        let changes = writes(&driver.world.aws(), since);
        assert!(
            !changes
                .iter()
                .any(|write| write.starts_with("UpdateService")),
            "{changes:?}"
        );
    });
}
