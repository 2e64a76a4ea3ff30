//! What happens to releases of `web` in the scenes.

use std::time::Duration;

use behaviour::{migration, pair, without_mark};
use emulator::cloudwatch::set_alarm;
use emulator::codepipeline::{self, ActionStatus};
use emulator::ecr::{self, Behaviour};
use emulator::lambda::{self, InvocationStatus};
use emulator::{Aws, ecs};
use harness::demo::{CLUSTER, WEB};
use harness::driver::Driver;
use invariants::ledger_reader::record;
use serde_json::json;

use super::scenes::PATIENCE;

const ALARM: &str = "web-errors";

pub(super) fn deregister_prior(aws: &mut Aws) {
    let service = aws.ecs.service_named(CLUSTER, WEB).expect("a service");
    let prior = service.primary().expect("deployed").task_definition.clone();
    let input = json!({ "taskDefinition": prior });
    ecs::call(aws, "DeregisterTaskDefinition", &input).expect("it is there");
}

pub(super) async fn stop_a_release(driver: &Driver, tag: &str) {
    let execution = roll_out(driver, tag).await;
    stop(driver, execution);
}

/// Turns an alarm of the service on, and lets it go to ALARM while a release rolls out.
pub(super) async fn fail_by_alarm(driver: &Driver, tag: &str) {
    set_alarm(&mut driver.world.aws(), ALARM, "OK");
    let alarms = json!({"alarmNames": [ALARM], "enable": true, "rollback": true});
    let input = json!({
        "cluster": CLUSTER, "service": WEB, "deploymentConfiguration": {"alarms": alarms},
    });
    ecs::call(&mut driver.world.aws(), "UpdateService", &input).expect("it is there");

    roll_out(driver, tag).await;
    set_alarm(&mut driver.world.aws(), ALARM, "ALARM");
}

/// Pushes an image and returns its execution once its rollout goes on.
async fn roll_out(driver: &Driver, tag: &str) -> usize {
    let before = driver.world.aws().codepipeline.executions.len();
    ecr::push(&mut driver.world.aws(), WEB, tag, Behaviour::Healthy).expect("pushed");
    let rolling = |aws: &Aws| {
        let execution = aws.codepipeline.executions.get(before);
        let action =
            execution.and_then(|execution| execution.latest_action("Release", "update-service"));
        action.is_some_and(|action| {
            action.status == ActionStatus::InProgress && action.external_id.is_some()
        })
    };
    driver
        .until(PATIENCE, &mut |_| Ok(()), rolling)
        .await
        .expect("the rollout begins");
    before
}

pub(super) async fn stop_before_begin(driver: &Driver) {
    let before = driver.world.aws().codepipeline.executions.len();
    ecr::push(&mut driver.world.aws(), WEB, "9.9.0", Behaviour::Healthy).expect("pushed");
    let started = |aws: &Aws| {
        let execution = aws.codepipeline.executions.get(before);
        execution
            .and_then(|execution| record(aws, &execution.id))
            .is_some()
    };

    // Without a permission it does not get that far.
    if driver
        .until(PATIENCE, &mut |_| Ok(()), started)
        .await
        .is_ok()
    {
        stop(driver, before);
    }
}

/// Stops an execution of `web` at once.
fn stop(driver: &Driver, execution: usize) {
    let id = driver.world.aws().codepipeline.executions[execution]
        .id
        .clone();
    let request = json!({
        "pipelineName": format!("slipway-{WEB}"),
        "pipelineExecutionId": id,
        "abandon": true,
        "reason": "a test",
    });
    codepipeline::call(&mut driver.world.aws(), "StopPipelineExecution", &request)
        .expect("stopped");
}

/// Delivers the event of a registration again once it has succeeded.
pub(super) async fn repeat_registration(driver: &Driver) {
    let known = driver.world.aws().lambda.invocations.len();
    ecr::push(&mut driver.world.aws(), WEB, "9.5.0", Behaviour::Healthy).expect("pushed");
    let registered = |aws: &Aws| {
        let mut since = aws.lambda.invocations.iter().skip(known);
        let succeeded = since.find(|it| {
            it.function.ends_with("register-task-definition")
                && it.status == InvocationStatus::Succeeded
        });
        succeeded.map(|it| it.id)
    };
    let come = |aws: &Aws| registered(aws).is_some();

    // Without a permission it does not get that far.
    if driver.until(PATIENCE, &mut |_| Ok(()), come).await.is_ok() {
        let aws = &mut driver.world.aws();
        let invocation = registered(aws).expect("it was there");
        lambda::duplicate(aws, invocation, Duration::ZERO);
    }
}

/// Lets a stack update set the service to an image that no release brought.
pub(super) fn reset_by_stack(aws: &mut Aws) {
    let chosen = [("ReleaseAfterStackUpdate", "yes")];
    pair::update(aws, "web-pipeline", &chosen);

    let service = aws.ecs.service_named(CLUSTER, WEB).expect("a service");
    let runs = service.primary().expect("deployed").task_definition.clone();
    let (mut next, _) = without_mark(aws.ecs.request_of(&runs).expect("registered"));
    next["containerDefinitions"][0]["image"] = json!("public.ecr.aws/nginx/nginx:1");
    ecs::call(aws, "RegisterTaskDefinition", &next).expect("legal");
    pair::update(aws, WEB, &[("MaximumPercent", "150")]);
}

/// Lets the pipeline of `web` run a command before each update, and pushes an image.
pub(super) fn migrate(driver: &Driver, tag: &str, is_slow: bool) {
    let aws = &mut driver.world.aws();
    migration::add(aws, if is_slow { "1" } else { "30" });
    if is_slow {
        migration::goes_on(aws);
    } else {
        migration::exits_with(aws, 0);
    }
    ecr::push(aws, WEB, tag, Behaviour::Healthy).expect("pushed");
}
