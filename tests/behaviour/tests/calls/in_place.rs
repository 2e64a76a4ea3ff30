//! Releases of one service in place.

use emulator::codepipeline;
use emulator::ecr::{self, Behaviour};
use emulator::{Aws, ecs};
use harness::demo::{self, CHAPTERS, CLUSTER, COUNTER, Image, WEB};
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::executions;
use serde_json::json;

use crate::golden::{ALL, check};
use behaviour::{
    account, ends, in_progress, is_closed, newest, outcome, push, released, service, until,
};

const PIPELINE: &str = "slipway-web";

#[test]
fn a_first_release() {
    check(&[("in-place-first", ALL)], account(), async |driver| {
        let pushed = push(driver, WEB, "1.0.0");
        ends(driver, PIPELINE, &pushed, "deployed").await;
    });
}

#[test]
fn a_new_version() {
    check(&[("in-place-next", ALL)], released(), async |driver| {
        let pushed = push(driver, WEB, "1.1.0");
        ends(driver, PIPELINE, &pushed, "deployed").await;
    });
}

/// The tag of a chapter on the image that `released` pushed.
pub(crate) fn push_again(driver: &Driver, tag: &'static str, as_tag: &'static str) -> String {
    let chapter = demo::Chapter {
        application: WEB,
        tag,
        image: Image::SameAs(as_tag),
        ..CHAPTERS[2]
    };
    let pushed = demo::push(&mut driver.world.aws(), &chapter);
    driver.world.touch();
    pushed.expect("the image is there")
}

#[test]
fn the_same_image_again() {
    check(&[("in-place-unchanged", ALL)], released(), async |driver| {
        let before = executions(&driver.world.aws(), PIPELINE).count();
        push_again(driver, "1.0.0-again", "1.0.0");
        let over = |aws: &Aws| {
            executions(aws, PIPELINE).count() > before && is_closed(aws, &newest(aws, PIPELINE).id)
        };
        until(driver, over).await;

        let execution = newest(&driver.world.aws(), PIPELINE).id.clone();
        assert_eq!(outcome(driver, &execution), "unchanged");
    });
}

#[test]
fn a_broken_image() {
    check(&[("in-place-broken", ALL)], released(), async |driver| {
        let pushed = ecr::push(
            &mut driver.world.aws(),
            WEB,
            "1.2.0",
            Behaviour::NeverHealthy,
        )
        .expect("pushed");
        driver.world.touch();
        ends(driver, PIPELINE, &pushed, "rolled-back").await;
    });
}

/// `web` with a circuit breaker and an alarm that roll back, and with tags on what it runs.
fn guarded() -> Aws {
    let mut aws = released();
    let runs = service(&aws, CLUSTER, WEB)["taskDefinition"].clone();
    let mut definition = aws
        .ecs
        .request_of(runs.as_str().expect("an ARN"))
        .expect("registered")
        .clone();
    definition["tags"] =
        json!([{"key": "team", "value": "shops"}, {"key": "cost-centre", "value": "4711"}]);

    let registered = ecs::call(&mut aws, "RegisterTaskDefinition", &definition).expect("accepted");
    let input = json!({
        "cluster": CLUSTER, "service": WEB,
        "taskDefinition": registered["taskDefinition"]["taskDefinitionArn"],
        "deploymentConfiguration": {
            "deploymentCircuitBreaker": {"enable": true, "rollback": true},
            "alarms": {
                "alarmNames": ["web-errors", "web-latency"],
                "enable": true,
                "rollback": true,
            },
            "minimumHealthyPercent": 50, "maximumPercent": 150,
        },
    });
    ecs::call(&mut aws, "UpdateService", &input).expect("accepted");

    run(aws, Fault::None, async |driver| {
        until(&driver, |aws| {
            aws.ecs
                .services
                .values()
                .all(|service| !service.is_deploying())
        })
        .await;
        driver.world.snapshot()
    })
}

#[test]
fn a_service_with_alarms_and_tags() {
    check(&[("in-place-guarded", ALL)], guarded(), async |driver| {
        let pushed = push(driver, WEB, "1.1.0");
        ends(driver, PIPELINE, &pushed, "deployed").await;
    });
}

#[test]
fn a_release_that_is_stopped() {
    check(&[("in-place-stopped", ALL)], guarded(), async |driver| {
        let pushed = push(driver, WEB, "1.1.0");
        let execution = in_progress(driver, &pushed).await;
        let input = json!({
            "pipelineName": PIPELINE, "pipelineExecutionId": execution, "abandon": true,
            "reason": "not today"
        });
        codepipeline::call(&mut driver.world.aws(), "StopPipelineExecution", &input)
            .expect("it can be stopped");
        driver.world.touch();
        ends(driver, PIPELINE, &pushed, "rolled-back").await;
    });
}

#[test]
fn a_counter_that_makes_room() {
    check(&[("in-place-make-room", ALL)], account(), async |driver| {
        let pushed = push(driver, COUNTER, "1.0.0");
        ends(driver, "slipway-page-counter", &pushed, "deployed").await;
    });
}
