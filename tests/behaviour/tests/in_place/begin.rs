//! How a release begins, waits or is refused.

use emulator::ecs;
use harness::demo::{CLUSTER, WEB};
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};

use slipway::release::{Phase, Record};
use slipway::timestamp::Timestamp;

use super::bench::*;
use behaviour::{push, released};

/// A release that begin-release refuses: the reason is in the record, and the sweep finds it by its
/// mark. Returns the record and the reason.
async fn refused(driver: &Driver) -> (Value, String) {
    let answer = look(
        driver,
        "begin-release",
        json!({"strategy": "rolling", "containers": ["wbe"]}),
    )
    .await;
    fails(
        &answer,
        "ConfigurationError",
        &["`containers` names `wbe`", "web:2", "expected web"],
    );

    let expected = json!({
        "pk": "execution#jane-1", "sk": "record", "v": 1, "execution": JANE,
        "pipeline": "slipway-by-hand",
        "state": "started", "reason": answer["message"], "started_at": "<time>",
    });
    assert_eq!(record(driver), expected);

    let marked = json!({
        "pk": "lease",
        "sk": "started#jane-1",
        "v": 1,
        "execution": JANE,
        "pipeline": "slipway-by-hand",
    });
    assert_eq!(mark(driver), marked);

    let message = answer["message"].as_str().expect("a message");
    (expected, message.to_owned())
}

#[test]
fn the_reason_for_which_a_release_did_not_begin_is_recorded_and_kept_at_its_end() {
    for (state, outcome) in [("FAILED", "failed"), ("SUPERSEDED", "superseded")] {
        run(released(), Fault::None, async |driver| {
            let before = lease(&driver);
            let (mut expected, message) = refused(&driver).await;
            let reason = format!("the release did not begin: {message}; nothing had been changed");
            assert_eq!(
                roll_back(&driver, state).await,
                format!("{outcome}: {reason}")
            );

            expected["reason"] = json!(reason);
            for (name, value) in [
                ("state", "closed"),
                ("outcome", outcome),
                ("ended_at", "<time>"),
                ("expires_at", "<time>"),
            ] {
                expected[name] = json!(value);
            }
            assert_eq!(record(&driver), expected);
            assert_eq!((mark(&driver), lease(&driver)), (Value::Null, before));
        });
    }
}

#[test]
fn a_held_service_is_waited_for_and_its_lease_is_left_alone() {
    run(released(), Fault::None, async |driver| {
        begun(&driver, json!({})).await;
        let held = lease(&driver);
        let second = json!({"execution": "jane-2", "strategy": "rolling"});
        let answer = look(&driver, "begin-release", second.clone()).await;

        assert_eq!(
            (&answer["status"], &answer["percentComplete"]),
            (&json!("in-progress"), &json!(0)),
            "{answer}"
        );

        let summary = answer["summary"].as_str().expect("a summary");
        assert!(
            summary.contains("release jane-1 of slipway-by-hand, which has held"),
            "{summary}"
        );
        assert_eq!(lease(&driver), held);

        rolled_back(&driver, "STOPPED").await;
        let answer = look(&driver, "begin-release", second).await;
        assert_eq!(answer["status"], "done", "{answer}");
        assert_eq!(lease(&driver)["release"]["execution"], "jane-2");
    });
}

#[test]
fn a_release_that_waits_for_another_one_needs_no_role() {
    run(released(), Fault::None, async |driver| {
        begun(&driver, json!({})).await;
        let role = "arn:aws:iam::111122223333:role/gone";
        let second = json!({"execution": "jane-2", "strategy": "rolling", "deploy_role": role});
        let answer = look(&driver, "begin-release", second.clone()).await;
        assert_eq!(answer["status"], "in-progress", "{answer}");

        rolled_back(&driver, "STOPPED").await;
        let answer = look(&driver, "begin-release", second).await;
        let refusal =
            "is not a job of CodePipeline, which states the pipeline that may use the role";
        fails(&answer, "ConfigurationError", &[role, refusal]);
    });
}

#[test]
fn a_lease_is_written_under_the_names_that_its_release_gives() {
    run(released(), Fault::None, async |driver| {
        assert_eq!(lease(&driver)["cluster"], CLUSTER);
        let arn = format!("arn:aws:ecs:eu-west-1:111122223333:cluster/{CLUSTER}");
        begun(&driver, json!({ "cluster": arn })).await;
        assert_eq!(lease(&driver)["cluster"], json!(arn));
        assert_eq!(record(&driver)["cluster"], json!(arn));

        let status = rolled_back(&driver, "STOPPED").await;
        let reason = "the execution was stopped; nothing had been changed";
        assert_eq!(status, format!("failed: {reason}"));
    });
}

#[test]
fn a_second_delivery_keeps_the_prior_release_that_was_recorded() {
    run(released(), Fault::None, async |driver| {
        let answer = begun(&driver, json!({})).await;
        let held = lease(&driver);
        set(&driver, json!({"desiredCount": 3}));
        assert_eq!(begun(&driver, json!({})).await, answer);
        assert_eq!(lease(&driver), held);
    });
}

#[test]
fn a_lease_without_a_prior_release_gets_it_from_what_is_there() {
    run(released(), Fault::None, async |driver| {
        begun(&driver, json!({})).await;
        let held = lease(&driver);
        edit(&driver, WEB, |lease| {
            with_release(lease, |release| release.phase = Phase::Beginning)
        })
        .await;

        let answer = look(
            &driver,
            "update-service",
            update(json!({"task_definition": arn("web:2")})),
        )
        .await;
        fails(
            &answer,
            "ConfigurationError",
            &["run begin-release before this action"],
        );
        edit(&driver, WEB, |lease| {
            with_release(lease, |release| release.failure = None)
        })
        .await;
        begun(&driver, json!({})).await;

        assert_eq!(lease(&driver)["release"], held["release"]);
    });
}

#[test]
fn a_release_that_is_closed_does_not_begin_again() {
    run(released(), Fault::None, async |driver| {
        begun(&driver, json!({})).await;
        rolled_back(&driver, "STOPPED").await;
        let refused = async || {
            let before = (lease(&driver), record(&driver));
            let answer = look(&driver, "begin-release", json!({"strategy": "rolling"})).await;
            let words = ["release already failed", "start again with a new execution"];
            fails(&answer, "ConfigurationError", &words);
            assert_eq!((lease(&driver), record(&driver)), before);
        };
        refused().await;

        // It does not wait for another release either.
        begun(&driver, json!({"execution": "jane-2"})).await;
        refused().await;
    });
}

#[test]
fn a_deployment_by_hand_is_let_end_and_is_the_prior_release_then() {
    run(released(), Fault::None, async |driver| {
        let before = lease(&driver);
        set(&driver, json!({"taskDefinition": "web:1"}));
        pass(&driver, 2).await;
        let answer = look(&driver, "begin-release", json!({"strategy": "rolling"})).await;

        assert_eq!(
            (&answer["status"], &answer["percentComplete"]),
            (&json!("in-progress"), &json!(0)),
            "{answer}"
        );
        assert!(
            answer["summary"]
                .as_str()
                .is_some_and(|summary| summary.contains("web:1 (ecs-svc/")),
            "{answer}"
        );
        assert_eq!(lease(&driver), before);

        let answer = ended(&driver, "begin-release", json!({"strategy": "rolling"})).await;
        assert_eq!(
            answer["outputVariables"],
            json!({"PriorTaskDefinitionArn": arn("web:1")}),
            "{answer}"
        );
        assert_eq!(
            lease(&driver)["release"]["prior"]["task_definition"],
            arn("web:1")
        );
    });
}

/// Registers a revision of web without a container `web`; returns its ARN.
fn without_web(driver: &Driver) -> String {
    register_copy(driver, "web:2", |request| {
        let container = &mut request["containerDefinitions"][0];
        container["name"] = json!("other");
        container["image"] = json!("public.ecr.aws/nginx/nginx:1");
    })
}

/// Web as ECS shows it when a rollout of the revision failed and no circuit breaker goes back:
/// PRIMARY failed, the old one ACTIVE.
fn fails_to_deploy(driver: &Driver, broken: String) {
    let arn_of_web = driver
        .world
        .aws()
        .ecs
        .service_named("apps", WEB)
        .expect("a service")
        .arn
        .clone();

    let mut aws = driver.world.aws();
    let found = aws.ecs.services.get_mut(&arn_of_web).expect("a service");
    let mut failed = found.deployments[0].clone();
    failed.id = "ecs-svc/0000000000000000001".to_owned();
    failed.task_definition = broken;
    failed.rollout = ecs::RolloutState::Failed;
    found.deployments[0].status = ecs::DeploymentStatus::Active;
    found.deployments.insert(0, failed);
}

#[test]
fn a_failed_deployment_is_neither_checked_nor_recorded_as_the_prior_release() {
    run(released(), Fault::None, async |driver| {
        let broken = without_web(&driver);
        fails_to_deploy(&driver, broken);
        let answer = begun(&driver, json!({"containers": ["web"]})).await;

        assert_eq!(
            answer["outputVariables"],
            json!({"PriorTaskDefinitionArn": arn("web:2")}),
            "{answer}"
        );
        assert_eq!(
            lease(&driver)["release"]["prior"]["task_definition"],
            arn("web:2")
        );
    });
}

#[test]
fn a_digest_that_is_not_known_is_not_recorded() {
    run(released(), Fault::None, async |driver| {
        push(&driver, WEB, "2.0.0");
        begun(&driver, json!({"digest": ""})).await;
        assert_eq!(record(&driver).get("digest"), None);
        assert_eq!(lease(&driver)["release"].get("digest"), None);
    });
}

#[test]
fn a_release_without_a_digest_has_that_of_the_push_that_started_it() {
    run(released(), Fault::None, async |driver| {
        let digest = push(&driver, WEB, "2.0.0");
        let now = Timestamp::from_secs(1_767_603_600).expect("in range");
        let started = Record::started(JANE, "slipway-by-hand", Some(digest.as_str()), now);
        put_record(&driver, &started).await;

        begun(&driver, json!({})).await;
        assert_eq!(lease(&driver)["release"]["digest"], json!(digest));
        assert_eq!(record(&driver)["digest"], json!(digest));
    });
}
