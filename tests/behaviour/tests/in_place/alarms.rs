//! Who ended a deployment: an alarm or the circuit breaker of ECS, or another writer.

use emulator::cloudwatch::set_alarm;
use emulator::ecr::{self, Behaviour};
use emulator::{Aws, Quirk, ecs};
use harness::demo::{CLUSTER, WEB};
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};

use super::bench::*;
use behaviour::released;

const ALARM: &str = "web-errors";

/// Seeds of accounts in which service revisions have the numbers of deployments, and have not.
const NUMBERED: [(u64, bool); 2] = [(5, true), (6, false)];

/// Seconds after which tasks of the new revision run and ECS still watches the alarm.
const WATCHED: u64 = 90;

/// The account in which web has a deployment alarm, which is OK.
fn with_alarm(rollback: bool) -> Aws {
    let mut aws = released();
    set_alarm(&mut aws, ALARM, "OK");
    let alarms = json!({"alarmNames": [ALARM], "enable": true, "rollback": rollback});
    let input = json!({
        "cluster": CLUSTER, "service": WEB, "deploymentConfiguration": {"alarms": alarms},
    });
    ecs::call(&mut aws, "UpdateService", &input).expect("the service is there");
    aws
}

/// A release whose deployment goes on for a while.
async fn deploying(driver: &Driver) {
    registered(driver).await;
    let answer = look(driver, "update-service", update(json!({}))).await;
    assert_eq!(answer["status"], "in-progress", "{answer}");
    pass(driver, WATCHED).await;
}

async fn update_ends(driver: &Driver) -> Value {
    ended(driver, "update-service", update(json!({}))).await
}

/// That the release is rolled back, and the prior revision runs.
async fn is_rolled_back(driver: &Driver) {
    let status = rolled_back(driver, "FAILED").await;
    assert!(status.starts_with("rolled-back: "), "{status}");
    assert!(
        status.ends_with("web:2 serves again with 2 of 2 tasks"),
        "{status}"
    );
    assert_eq!(web(driver)["taskDefinition"], arn("web:2"));
}

#[test]
fn a_rollback_by_an_alarm_names_the_alarm() {
    run(with_alarm(true), Fault::None, async |driver| {
        deploying(&driver).await;
        set_alarm(&mut driver.world.aws(), ALARM, "ALARM");

        let reason = "ECS rolled the deployment back to web:2: alarm web-errors is in ALARM";
        fails(&update_ends(&driver).await, "JobFailed", &[reason]);
        is_rolled_back(&driver).await;
    });
}

#[test]
fn a_rollback_by_an_alarm_is_recognised_when_the_failed_deployment_is_no_longer_listed() {
    run(with_alarm(true), Fault::None, async |driver| {
        deploying(&driver).await;
        set_alarm(&mut driver.world.aws(), ALARM, "ALARM");
        pass(&driver, 900).await;
        let listed = web(&driver)["deployments"].as_array().map(Vec::len);
        assert_eq!(listed, Some(1));

        let reason = "ECS rolled the deployment back to web:2: alarm web-errors is in ALARM";
        fails(&update_ends(&driver).await, "JobFailed", &[reason]);
        is_rolled_back(&driver).await;
    });
}

/// As if other events of web had pushed all of these out of the newest that are read.
fn forget_events(driver: &Driver) {
    let mut aws = driver.world.aws();
    let mut services = aws.ecs.services.values_mut();
    let found = services.find(|service| service.name == WEB);
    found.expect("the service is there").events.clear();
}

/// Under its old id, the prior release looks like a read from before the change.
#[test]
fn a_rollback_under_the_old_id_is_recognised_at_once_if_the_deployment_was_seen() {
    let mut reused = 0;
    for seed in 0..8 {
        let mut aws = with_alarm(true);
        aws.reseed(seed);
        run(aws, Fault::None, async |driver| {
            deploying(&driver).await;
            let seen = look(&driver, "update-service", update(json!({}))).await;
            assert_eq!(seen["status"], "in-progress", "seed {seed}: {seen}");

            set_alarm(&mut driver.world.aws(), ALARM, "ALARM");
            pass(&driver, 900).await;
            let listed = web(&driver)["deployments"].as_array().map(Vec::len);
            assert_eq!(listed, Some(1), "seed {seed}");
            forget_events(&driver);
            edit(&driver, WEB, |lease| announced_after(lease, 900)).await;

            let answer = again(&driver, "update-service", update(json!({})), &seen).await;
            let reason = "ECS rolled the deployment back to web:2: alarm web-errors is in ALARM";
            fails(&answer, "JobFailed", &[reason]);
            is_rolled_back(&driver).await;

            let counts = driver.world.snapshot().quirks.counts().clone();
            reused += counts.held(Quirk::ReusesDeployment);
        });
    }

    assert!(reused > 0, "no rollback had the old id");
}

#[test]
fn a_deployment_that_an_alarm_fails_in_place_is_rolled_back_by_the_release() {
    run(with_alarm(false), Fault::None, async |driver| {
        deploying(&driver).await;
        set_alarm(&mut driver.world.aws(), ALARM, "ALARM");

        let reason = "the rollout failed: alarm web-errors is in ALARM";
        fails(&update_ends(&driver).await, "JobFailed", &[reason]);
        assert_eq!(web(&driver)["taskDefinition"], arn("web:3"));
        is_rolled_back(&driver).await;
    });
}

#[test]
fn an_alarm_that_is_in_alarm_before_the_deployment_ends_no_release() {
    run(with_alarm(true), Fault::None, async |driver| {
        set_alarm(&mut driver.world.aws(), ALARM, "ALARM");
        deploying(&driver).await;

        let answer = update_ends(&driver).await;
        assert_eq!(answer["status"], "done", "{answer}");
        assert_eq!(web(&driver)["taskDefinition"], arn("web:3"));
    });
}

#[test]
fn a_rollback_by_the_circuit_breaker_is_recognised_when_nothing_else_is_listed() {
    for threshold in [5, 1] {
        run(released(), Fault::None, async |driver| {
            let breaker = json!({
                "enable": true, "rollback": true,
                "thresholdConfiguration": {"type": "COUNT", "value": threshold},
            });
            let breaker = json!({ "deploymentCircuitBreaker": breaker });
            set(&driver, json!({ "deploymentConfiguration": breaker }));
            ecr::push(
                &mut driver.world.aws(),
                WEB,
                "2.0.0",
                Behaviour::NeverHealthy,
            )
            .expect("the repository is there");
            begun(&driver, json!({})).await;
            let images = json!({"images": {"web": image("2.0.0")}});
            look(&driver, "register-task-definition", images).await;
            look(&driver, "update-service", update(json!({}))).await;
            pass(&driver, 3_600).await;

            let after =
                "ECS rolled the deployment back to web:2: the circuit breaker tripped after ";
            let tripped = format!(" failed tasks (threshold {threshold})");
            fails(&update_ends(&driver).await, "JobFailed", &[after, &tripped]);
            is_rolled_back(&driver).await;
        });
    }
}

#[test]
fn a_prior_revision_that_an_operator_deploys_is_not_a_rollback_by_ecs() {
    for (seed, same_numbers) in NUMBERED {
        let mut aws = with_alarm(true);
        aws.reseed(seed);
        run(aws, Fault::None, async |driver| {
            deploying(&driver).await;
            set(&driver, json!({"taskDefinition": "web:2"}));
            pass(&driver, 5).await;

            let expected = &[
                "overridden: web:2 was deployed outside this release (ecs-svc/",
                "while it was deploying web:3",
            ];
            fails(&update_ends(&driver).await, "JobFailed", expected);
            is_rolled_back(&driver).await;

            let quirk = Quirk::NumbersRevisionsAsDeployments;
            let held = driver.world.aws().quirks.counts().held(quirk) > 0;
            assert_eq!(held, same_numbers, "seed {seed}");
        });
    }
}
