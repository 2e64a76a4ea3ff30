//! A service that automatic scaling changes every minute: it always has tasks that have just
//! started or are starting. A good image is deployed anyway, and one whose tasks crash is not.

use std::time::Duration;

use emulator::ecr::Behaviour;
use emulator::{Aws, autoscaling, ecs};
use harness::demo::{CLUSTER, COUNTER, WEB};
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::{digest, executions};
use serde_json::{Value, json};

use super::bench::*;
use super::crash_loops::{registered_as, unchecked};
use behaviour::{account, ends, is_closed, push, released};

/// Seconds between two looks.
const LOOK: u64 = 15;

/// The account with four tasks of `web` that nothing checks, between one and thirty of which steps
/// of automatic scaling move the count.
fn busy() -> Aws {
    let mut aws = unchecked(4, "FARGATE");
    let target = json!({
        "ServiceNamespace": autoscaling::NAMESPACE,
        "ScalableDimension": autoscaling::DIMENSION,
        "ResourceId": autoscaling::resource_id(CLUSTER, WEB),
        "MinCapacity": 1, "MaxCapacity": 30,
    });
    autoscaling::call(&mut aws, "RegisterScalableTarget", &target).expect("web scales");
    aws
}

/// Steps of automatic scaling: by this many tasks, one after the other, this many looks apart.
#[derive(Clone, Copy)]
struct Steps<'a> {
    by: &'a [i32],
    looks: usize,
}

const GROWS: Steps<'static> = Steps { by: &[1], looks: 4 };
const GROWS_AND_SHRINKS: Steps<'static> = Steps {
    by: &[1, -1],
    looks: 2,
};

impl Steps<'_> {
    /// Lets the time until the next look pass, with a step before it if it is due.
    async fn pass(self, driver: &Driver, number: usize) {
        if number.is_multiple_of(self.looks) {
            let by = self.by[number / self.looks % self.by.len()];
            autoscaling::adjust(&mut driver.world.aws(), CLUSTER, WEB, by);
        }
        pass(driver, LOOK).await;
    }
}

/// Looks of a step while the count changes; returns the last one.
async fn followed(driver: &Driver, step: &str, parameters: Value, steps: Steps<'_>) -> Value {
    let mut answer = look(driver, step, parameters.clone()).await;
    let mut looks = 0;

    while answer["status"] == "in-progress" {
        steps.pass(driver, looks).await;
        looks += 1;
        answer = again(driver, step, parameters.clone(), &answer).await;
    }
    answer
}

/// Wakes roll-back while the count changes, until the release is closed; returns its last status.
async fn rolled_back_while(driver: &Driver, steps: Steps<'_>) -> String {
    for number in 0..200 {
        let status = roll_back(driver, "FAILED").await;
        if record(driver)["state"] == "closed" {
            return status;
        }
        steps.pass(driver, number).await;
    }
    panic!("the release is still open");
}

/// Whether a task of this revision is starting, or has run for less than a minute. Slipway counts
/// whole seconds, so its minute may be up to a second shorter.
fn has_young_task(driver: &Driver, revision: &str) -> bool {
    let aws = driver.world.aws();
    let live = aws.ecs.tasks.values().filter(|task| task.is_live());
    let mut own = live.filter(|task| task.task_definition == arn(revision));
    own.any(|task| task.started_at.is_none_or(|at| aws.now - at < 59_000))
}

/// Releases a good image while the count changes, and finishes the release.
async fn deployed_while(driver: &Driver, steps: Steps<'_>) {
    registered_as(driver, Behaviour::Healthy).await;
    let answer = followed(driver, "update-service", update(json!({})), steps).await;
    assert_eq!(answer["status"], "done", "{answer}");

    let finish = json!({"task_definition": arn("web:3")});
    let answer = followed(driver, "finish-release", finish, steps).await;
    assert_eq!(answer["outputVariables"]["Outcome"], "deployed", "{answer}");
}

#[test]
fn a_good_image_is_deployed_although_the_service_grows_every_minute() {
    let aws = busy();
    for seed in 0..4 {
        run(aws.clone(), Fault::None, async |driver| {
            driver.world.aws().reseed(seed);
            deployed_while(&driver, GROWS).await;
            assert!(has_young_task(&driver, "web:3"), "it grows");
        });
    }
}

#[test]
fn a_good_image_is_deployed_although_the_service_grows_and_shrinks_in_turns() {
    let aws = busy();
    for seed in 0..4 {
        run(aws.clone(), Fault::None, async |driver| {
            driver.world.aws().reseed(seed);
            deployed_while(&driver, GROWS_AND_SHRINKS).await;
        });
    }
}

#[test]
fn an_image_whose_tasks_exit_again_and_again_is_not_deployed_while_the_service_grows() {
    run(busy(), Fault::None, async |driver| {
        registered_as(&driver, Behaviour::ExitsAfter(45)).await;
        let parameters = update(json!({"deadline_minutes": 7}));
        let answer = followed(&driver, "update-service", parameters, GROWS).await;
        fails(
            &answer,
            "JobFailed",
            &["not steady after ", "web exited with 1"],
        );

        let status = rolled_back_while(&driver, GROWS).await;
        assert!(status.starts_with("rolled-back: "), "{status}");
        assert!(status.contains("web:2 serves again with "), "{status}");
        assert_eq!(primary(&driver)["taskDefinition"], arn("web:2"));
        assert!(has_young_task(&driver, "web:2"), "it grows");
    });
}

/// A task of `web:3` that runs.
fn running(aws: &Aws) -> String {
    let mut tasks = aws.ecs.tasks.values();
    let found = tasks.find(|task| task.task_definition == arn("web:3") && task.is_running());
    found.expect("it runs").arn.clone()
}

/// What finish-release reports while a task is replaced that ended like this.
async fn finished_after(driver: &Driver, end: fn(&mut Aws, &str)) -> Value {
    registered_as(driver, Behaviour::Healthy).await;
    let answer = ended(driver, "update-service", update(json!({}))).await;
    assert_eq!(answer["status"], "done", "{answer}");
    pass(driver, 120).await;

    {
        let mut aws = driver.world.aws();
        let task = running(&aws);
        end(&mut aws, &task);
    }
    pass(driver, 6).await;
    let found = web(driver);
    let counts = (&found["runningCount"], &found["pendingCount"]);
    assert_eq!(counts, (&json!(3), &json!(1)));

    let finish = json!({"task_definition": arn("web:3")});
    look(driver, "finish-release", finish).await
}

#[test]
fn a_task_that_takes_the_place_of_one_that_crashed_is_waited_for() {
    run(busy(), Fault::None, async |driver| {
        let answer = finished_after(&driver, ecs::crash).await;
        assert_eq!(
            answer["summary"],
            "not steady: 3 of 4 tasks running, 1 pending; 0s of 15m00s"
        );

        // It has run for a minute.
        let finish = json!({"task_definition": arn("web:3")});
        let answer = ended(&driver, "finish-release", finish).await;
        assert_eq!(answer["outputVariables"]["Outcome"], "deployed", "{answer}");
        assert!(!has_young_task(&driver, "web:3"));
    });
}

#[test]
fn a_task_that_takes_the_place_of_one_that_was_taken_away_is_not_waited_for() {
    let stop: fn(&mut Aws, &str) = |aws, task| ecs::stop_task(aws, task, "Task stopped by user");
    for end in [stop, ecs::interrupt] {
        run(busy(), Fault::None, async |driver| {
            let answer = finished_after(&driver, end).await;
            assert_eq!(answer["outputVariables"]["Outcome"], "deployed", "{answer}");
            let reason = answer["summary"].as_str().expect("a summary");
            assert!(reason.contains("web:3 on 3 of 4 tasks"), "{reason}");
        });
    }
}

/// The running tasks of the page counter, each on an instance of its own, the oldest first.
fn of_counter(aws: &Aws) -> Vec<ecs::Task> {
    let counter = aws.ecs.service_named(CLUSTER, COUNTER).expect("there");
    let tasks = aws.ecs.tasks_of(&counter.arn);
    let mut running: Vec<ecs::Task> = tasks.filter(|task| task.is_running()).cloned().collect();
    running.sort_by_key(|task| task.number);
    running
}

/// EC2 takes the instance with the oldest task back, and another one joins the cluster.
fn take_instance(driver: &Driver) {
    let mut aws = driver.world.aws();
    let oldest = of_counter(&aws).into_iter().next();
    if let Some(instance) = oldest.and_then(|task| task.instance) {
        ecs::terminate_instance(&mut aws, &instance);
        ecs::add_container_instances(&mut aws, CLUSTER, 1);
    }
}

#[test]
fn a_good_image_is_deployed_although_ec2_takes_instances_back_all_the_time() {
    const PIPELINE: &str = "slipway-page-counter";

    run(account(), Fault::None, async |driver| {
        ecs::add_container_instances(&mut driver.world.aws(), CLUSTER, 6);
        let four = json!({"cluster": CLUSTER, "service": COUNTER, "desiredCount": 4});
        ecs::call(&mut driver.world.aws(), "UpdateService", &four).expect("legal");
        pass(&driver, 120).await;

        let pushed = push(&driver, COUNTER, "1.0.0");
        let is_over = |aws: &Aws| {
            let mut all = executions(aws, PIPELINE);
            all.any(|it| digest(it) == Some(pushed.as_str()) && is_closed(aws, &it.id))
        };
        for _ in 0..60 {
            let interval = Duration::from_secs(40);
            if driver
                .until(interval, &mut |_| Ok(()), is_over)
                .await
                .is_ok()
            {
                break;
            }
            take_instance(&driver);
            driver.world.touch();
        }

        let aws = driver.world.snapshot();
        let started = of_counter(&aws)
            .into_iter()
            .filter_map(|task| task.started_at);
        let youngest = started.map(|at| aws.now - at).min().expect("it runs");
        assert!(youngest < 60_000, "each task has run for {youngest} ms");

        ends(&driver, PIPELINE, &pushed, "deployed").await;
    });
}

#[test]
fn the_promise_is_kept_of_the_count_that_the_service_gets_during_the_rollback() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        let room = update(json!({"strategy": "make-room"}));
        look(&driver, "update-service", room).await;
        let floor = || web(&driver)["deploymentConfiguration"]["minimumHealthyPercent"].clone();
        assert_eq!(floor(), json!(50));

        // As automatic scaling does under load.
        for (count, percent) in [(4, 75), (10, 90)] {
            set(&driver, json!({ "desiredCount": count }));
            roll_back(&driver, "STOPPED").await;
            assert_eq!(floor(), json!(percent));
        }

        let status = rolled_back(&driver, "STOPPED").await;
        assert!(status.starts_with("rolled-back: "), "{status}");
        assert_eq!(floor(), json!(100), "given back");
    });
}
