//! Services that are scaled to no tasks, for example for the night: every strategy releases them,
//! and a rollback returns to no tasks.

use emulator::ecs;
use harness::demo::{CLUSTER, COUNTER, WEB};
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};

use super::bench::*;
use behaviour::{account, push, released};

/// The strategies, and numbers that would be refused with the only task of a service.
fn strategies() -> [Value; 5] {
    [
        json!({"strategy": "rolling"}),
        json!({"strategy": "doubling"}),
        json!({"strategy": "make-room"}),
        json!({"strategy": "rolling", "maximum_percent": 149}),
        json!({"strategy": "make-room", "minimum_healthy_tasks": 2}),
    ]
}

/// Begins a release of web, which has no tasks, and deploys it until that has ended.
async fn deployed(driver: &Driver, strategy: &Value) {
    set(driver, json!({"desiredCount": 0}));
    pass(driver, 120).await;

    push(driver, WEB, "2.0.0");
    let begun = begun(driver, strategy.clone()).await;
    let summary = begun["summary"].as_str().expect("a summary");
    assert!(!summary.contains("warning"), "{summary}");
    let images = json!({"images": {"web": image("2.0.0")}});
    look(driver, "register-task-definition", images).await;

    let answer = ended(driver, "update-service", update(strategy.clone())).await;
    assert_eq!(
        (&answer["status"], &answer["summary"]),
        (&json!("done"), &json!("web:3 runs 1 of 1 tasks, steady")),
        "{strategy}"
    );
}

/// What web runs, and with how many tasks and which percentages.
fn runs(driver: &Driver) -> Value {
    let found = web(driver);
    let configuration = &found["deploymentConfiguration"];
    json!([
        found["taskDefinition"],
        found["desiredCount"],
        configuration["minimumHealthyPercent"],
        configuration["maximumPercent"],
    ])
}

#[test]
fn every_strategy_releases_a_service_without_tasks() {
    for strategy in strategies() {
        run(released(), Fault::None, async |driver| {
            deployed(&driver, &strategy).await;
            let finish = json!({"task_definition": arn("web:3")});
            let answer = ended(&driver, "finish-release", finish).await;
            let outcome = &answer["outputVariables"]["Outcome"];
            assert_eq!(*outcome, "deployed", "{strategy}: {answer}");
            assert_eq!(runs(&driver), json!([arn("web:3"), 1, 100, 200]));
        });
    }
}

#[test]
fn a_rollback_of_every_strategy_returns_to_no_tasks() {
    for strategy in strategies() {
        run(released(), Fault::None, async |driver| {
            deployed(&driver, &strategy).await;
            let status = rolled_back(&driver, "FAILED").await;
            assert!(status.starts_with("rolled-back: "), "{strategy}: {status}");
            assert_eq!(runs(&driver), json!([arn("web:2"), 0, 100, 200]));
            assert_eq!(web(&driver)["runningCount"], 0);
            assert!(!driver.world.aws().ecs.is_active("web:3"));
        });
    }
}

#[test]
fn a_count_that_its_only_task_could_not_make_room_for_is_taken_of_none() {
    let one = json!({"strategy": "make-room", "desired_count": 1});
    run(released(), Fault::None, async |driver| {
        deployed(&driver, &one).await;
        assert_eq!(web(&driver)["desiredCount"], 1);
    });

    // With tasks it is refused before the first change.
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        let since = calls(&driver);
        let answer = look(&driver, "update-service", update(one.clone())).await;
        let why = "`desired_count` is 1: the rollout could never finish";
        fails(&answer, "ConfigurationError", &[why]);
        assert_eq!(operations(&driver, since, "update-service"), ["PutItem"]);
    });
}

#[test]
fn a_static_port_of_a_service_without_tasks_needs_no_further_instance() {
    run(account(), Fault::None, async |driver| {
        let night = json!({"cluster": CLUSTER, "service": COUNTER, "desiredCount": 0});
        ecs::call(&mut driver.world.aws(), "UpdateService", &night).expect("legal");
        pass(&driver, 120).await;

        let rolling = json!({"service": COUNTER, "strategy": "rolling", "initial_count": 2});
        let answer = look(&driver, "begin-release", rolling).await;
        assert_eq!(answer["status"], "done", "{answer}");
        assert!(
            !answer["summary"].to_string().contains("warning"),
            "{answer}"
        );
    });
}
