//! What operators do by hand: a release without a pipeline, wrong invocations, and services too
//! small for their strategy.

use behaviour::{
    LIMIT, account, assert_outcome, by_hand, ecs_state, failure, image_of, invoke, is_closed, jobs,
    newest, outcome, push, released, service, settled, until, writes,
};
use emulator::{Aws, ecs, eventbridge};
use harness::demo::{CLUSTER, COUNTER, WEB};
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::{digest, holder, serving};
use invariants::{Invariants, Promise};
use serde_json::{Value, json};

/// Parameters of a step by hand for web.
fn of_web(more: Value) -> Value {
    let mut all = json!({
        "pipeline": "slipway-by-hand",
        "execution": "jane-1",
        "cluster": CLUSTER,
        "service": WEB,
    });
    all.as_object_mut()
        .expect("an object")
        .extend(more.as_object().expect("an object").clone());
    all
}

/// Releases an image of web, step by step; returns the ARN of its revision.
async fn release_by_hand(driver: &Driver, image: &str) -> Value {
    let rolling = json!({"strategy": "rolling", "containers": ["web"]});
    let begun = by_hand(driver, "begin-release", of_web(rolling)).await;

    assert_eq!(begun["status"], "done", "{begun}");

    let registered = by_hand(
        driver,
        "register-task-definition",
        of_web(json!({"images": {"web": image}})),
    )
    .await;
    let definition = registered["outputVariables"]["TaskDefinitionArn"].clone();
    let deploy = json!({"task_definition": definition, "strategy": "rolling"});
    let updated = by_hand(driver, "update-service", of_web(deploy)).await;

    assert_eq!(updated["status"], "done", "{updated}");

    let finished = by_hand(
        driver,
        "finish-release",
        of_web(json!({ "task_definition": definition })),
    )
    .await;
    assert_eq!(finished["status"], "done", "{finished}");

    definition
}

#[test]
fn an_operator_releases_without_a_pipeline() {
    let mut aws = released();
    eventbridge::call(
        &mut aws,
        "DisableRule",
        &json!({"Name": "slipway-slipway-web"}),
    )
    .expect("the rule is there");
    run(aws, Fault::None, async |driver| {
        let pushed = push(&driver, WEB, "2.0.0");
        let image = format!("111122223333.dkr.ecr.eu-west-1.amazonaws.com/web@{pushed}");
        let definition = release_by_hand(&driver, &image).await;

        assert_eq!(outcome(&driver, "jane-1"), "deployed");
        assert_eq!(image_of(&driver.world.aws(), WEB), image);
        assert_eq!(holder(&driver.world.aws(), CLUSTER, WEB), None);

        let again = by_hand(
            &driver,
            "update-service",
            of_web(json!({"task_definition": definition, "strategy": "rolling"})),
        )
        .await;
        assert_eq!(again["type"], "ConfigurationError", "{again}");
        assert!(
            again["message"]
                .as_str()
                .is_some_and(|text| text.contains("already deployed")),
            "{again}"
        );
    });
}

/// Neither the ledger nor a service differs from what was there before.
fn unchanged(before: &Aws, after: &Aws) {
    assert_eq!(writes(after, before.calls.len()), Vec::<String>::new());
    assert_eq!(ecs_state(after), ecs_state(before));
}

/// A step refuses events that are not its own, wrong parameters and a token of another job.
async fn refuses_wrong_invocations(driver: &Driver, code: &str) {
    for event in [
        json!({}),
        json!([]),
        json!("web"),
        json!(null),
        json!({"parameter": {}}),
    ] {
        let refusal = invoke(driver, code, event.clone())
            .await
            .expect_err("no event of a step");
        assert!(
            refusal.contains("expected") && refusal.contains("parameters"),
            "{code} on {event}: {refusal}"
        );
    }

    for parameters in [json!(7), json!(null), json!({}), json!({"service": WEB})] {
        let answer = invoke(driver, code, json!({ "parameters": parameters }))
            .await
            .expect("an answer");
        assert_eq!(
            (&answer["status"], &answer["type"]),
            (&json!("failed"), &json!("ConfigurationError")),
            "{answer}"
        );
    }

    let strange = json!({"parameters": {}, "continuationToken": "of another job"});
    assert_eq!(
        invoke(driver, code, strange).await.expect("an answer")["status"],
        "failed"
    );
}

#[test]
fn wrong_invocations_of_a_step_are_refused_and_change_nothing() {
    let before = account();
    run(before.clone(), Fault::None, async |driver| {
        for code in [
            "begin-release",
            "register-task-definition",
            "update-service",
            "finish-release",
        ] {
            refuses_wrong_invocations(&driver, code).await;
        }

        unchanged(&before, &driver.world.snapshot());
    });
}

#[test]
fn wrong_invocations_of_roll_back_are_refused_and_change_nothing() {
    let before = account();
    run(before.clone(), Fault::None, async |driver| {
        for event in [
            json!({}),
            json!({"sweep": false}),
            json!({"parameters": {"excution": "x"}}),
            json!(null),
        ] {
            let refusal = invoke(&driver, "roll-back", event.clone())
                .await
                .expect_err("no event of roll-back");
            assert!(
                refusal.contains("expected"),
                "roll-back on {event}: {refusal}"
            );
        }

        unchanged(&before, &driver.world.snapshot());
    });
}

#[test]
fn the_only_task_cannot_make_room() {
    let mut aws = account();
    let one = json!({"cluster": CLUSTER, "service": COUNTER, "desiredCount": 1});
    ecs::call(&mut aws, "UpdateService", &one).expect("the service is there");
    run(aws, Fault::None, async |driver| {
        until(&driver, |aws| {
            service(aws, CLUSTER, COUNTER)["runningCount"] == 1
        })
        .await;
        let before = ecs_state(&driver.world.aws());
        let pushed = push(&driver, COUNTER, "1.0.0");
        let execution = settled(&driver, "slipway-page-counter", &pushed).await;
        let aws = driver.world.snapshot();
        let jobs = jobs(&aws, &execution, "begin-release");

        assert_eq!(jobs.len(), 1);

        let (kind, message) = failure(jobs[0]).expect("a failure");
        assert_eq!(kind, "ConfigurationError");

        for part in [
            "of 1 tasks at least 1 must stay healthy (ceil(1 × 99 %))",
            "at most 1 may run (floor(1 × 100 %))",
            "`minimum_healthy_tasks` 0",
        ] {
            assert!(message.contains(part), "{part:?} in {message}");
        }
        assert_eq!(ecs_state(&aws), before);
        assert_eq!(outcome(&driver, &execution), "failed");
    });
}

/// Lets the counter's release of a digest end with one healthy task at every instant; returns the
/// least tasks that served and the most that ran.
async fn least_and_most(
    driver: &Driver,
    pushed: &str,
    invariants: &mut Invariants,
) -> (usize, usize) {
    let (mut least, mut most) = (usize::MAX, 0);
    let mut watch = |aws: &Aws| {
        let counter = aws
            .ecs
            .service_named(CLUSTER, COUNTER)
            .ok_or("the service is gone")?;
        let count = serving(aws, counter).count();
        let running = aws
            .ecs
            .tasks_of(&counter.arn)
            .filter(|task| task.is_running());
        least = least.min(count);
        most = most.max(running.count());
        invariants.at_instant(aws)
    };
    let over = |aws: &Aws| {
        let execution = newest(aws, "slipway-page-counter");
        digest(execution) == Some(pushed) && is_closed(aws, &execution.id)
    };
    driver
        .until(LIMIT, &mut watch, over)
        .await
        .expect("the floor is kept");

    (least, most)
}

#[test]
fn making_room_keeps_the_floor_while_an_instance_is_busy() {
    let mut aws = account();
    ecs::add_container_instances(&mut aws, CLUSTER, 1);

    for instance in aws.ecs.instances.values_mut() {
        // A task of another service holds port 80 of the third instance: the first and second run
        // the service.
        instance.ports.insert(80);
    }

    run(aws, Fault::None, async |driver| {
        let promise = Promise {
            cluster: CLUSTER,
            service: COUNTER,
            healthy: 1,
        };
        let mut invariants = Invariants::new(&[promise]).resumed(&driver.world.aws());
        let pushed = push(&driver, COUNTER, "1.0.0");
        let seen = least_and_most(&driver, &pushed, &mut invariants).await;

        let execution = newest(&driver.world.aws(), "slipway-page-counter")
            .id
            .clone();
        assert_outcome(&driver, &execution, "deployed");
        assert_eq!(seen, (1, 2), "one task at a time makes room");
    });
}
