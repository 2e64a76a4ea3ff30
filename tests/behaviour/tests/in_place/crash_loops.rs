//! Images whose tasks serve for a moment and then exit, again and again: a service that runs one is
//! steady at some instants, and never deployed. One whose tasks Spot takes back is seldom steady,
//! and deployed.

use emulator::ecr::{self, Behaviour};
use emulator::{Aws, Millis, ecs};
use harness::demo::WEB;
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};

use super::bench::*;
use behaviour::{released, until};

/// The account with this many tasks of `web`, on capacity of this provider, and without a load
/// balancer that checks their health.
pub(crate) fn unchecked(tasks: u32, provider: &str) -> Aws {
    run(released(), Fault::None, async |driver| {
        let alone = json!({
            "desiredCount": tasks, "loadBalancers": [], "healthCheckGracePeriodSeconds": 0,
            "capacityProviderStrategy": [{"capacityProvider": provider, "weight": 1}],
        });
        set(&driver, alone);
        driver.world.touch();
        until(&driver, |aws| {
            let mut services = aws.ecs.services.values();
            services.all(|service| !service.is_deploying())
        })
        .await;
        driver.world.snapshot()
    })
}

/// Begins a release of an image that behaves like this, and registers its revision.
pub(crate) async fn registered_as(driver: &Driver, behaviour: Behaviour) {
    ecr::push(&mut driver.world.aws(), WEB, "2.0.0", behaviour).expect("the repository is there");
    begun(driver, json!({})).await;
    let images = json!({"images": {"web": image("2.0.0")}});
    look(driver, "register-task-definition", images).await;
}

/// How long the youngest task of `web:3` has run, in milliseconds.
fn youngest(aws: &Aws) -> Option<Millis> {
    let tasks = aws.ecs.tasks.values();
    let running = tasks.filter(|task| task.task_definition == arn("web:3") && task.is_running());
    running
        .filter_map(|task| Some(aws.now - task.started_at?))
        .min()
}

/// Whether ECS has completed the deployment of `web:3`, and all of its tasks run.
fn seems_deployed(driver: &Driver) -> bool {
    let found = web(driver);
    let primary = &found["deployments"][0];
    primary["taskDefinition"] == arn("web:3")
        && primary["rolloutState"] == "COMPLETED"
        && found["runningCount"] == 1
        && found["pendingCount"] == 0
        && found["deployments"][1].is_null()
}

/// Looks of update-service, five seconds apart, until it is done or has failed; returns its last
/// one, and how often the service seemed deployed.
async fn followed(driver: &Driver, more: Value) -> (Value, u32) {
    let parameters = update(more);
    let mut answer = look(driver, "update-service", parameters.clone()).await;
    let mut seemed = 0;

    while answer["status"] == "in-progress" {
        pass(driver, 5).await;
        seemed += u32::from(seems_deployed(driver));
        answer = again(driver, "update-service", parameters.clone(), &answer).await;
    }
    (answer, seemed)
}

#[test]
fn an_image_whose_tasks_exit_again_and_again_is_never_deployed_and_is_rolled_back() {
    run(unchecked(1, "FARGATE"), Fault::None, async |driver| {
        registered_as(&driver, Behaviour::ExitsAfter(45)).await;
        let (answer, seemed) = followed(&driver, json!({"deadline_minutes": 7})).await;

        assert!(seemed > 1, "the service was steady at {seemed} looks");
        fails(
            &answer,
            "JobFailed",
            &["not steady after 7m", "web exited with 1"],
        );

        let status = rolled_back(&driver, "FAILED").await;
        assert!(status.starts_with("rolled-back: "), "{status}");
        assert!(
            status.ends_with("web:2 serves again with 1 of 1 tasks"),
            "{status}"
        );
        assert_eq!(primary(&driver)["taskDefinition"], arn("web:2"));
    });
}

#[test]
fn finish_release_calls_no_image_deployed_whose_tasks_have_just_started() {
    run(unchecked(1, "FARGATE"), Fault::None, async |driver| {
        registered_as(&driver, Behaviour::ExitsAfter(45)).await;
        look(&driver, "update-service", update(json!({}))).await;
        while !seems_deployed(&driver) {
            pass(&driver, 1).await;
        }

        let finish = json!({"task_definition": arn("web:3")});
        let answer = look(&driver, "finish-release", finish.clone()).await;
        assert_eq!(
            answer["summary"],
            "not steady: 0 of 1 tasks have run for 1m00s; 0s of 15m00s"
        );

        let answer = ended(&driver, "finish-release", finish).await;
        fails(&answer, "JobFailed", &["does not run web:3 steadily"]);
    });
}

#[test]
fn a_good_image_is_deployed_once_its_tasks_have_run_for_a_minute() {
    run(unchecked(1, "FARGATE"), Fault::None, async |driver| {
        registered_as(&driver, Behaviour::Healthy).await;
        let (answer, seemed) = followed(&driver, json!({})).await;

        assert_eq!(answer["status"], "done", "{answer}");
        assert!(seemed > 1, "the service was steady at {seemed} looks");

        let age = youngest(&driver.world.aws()).expect("it runs");
        assert!((60_000..75_000).contains(&age), "deployed after {age} ms");
    });
}

/// Lets Spot take back one task of `web:3`, once ECS has completed its deployment.
fn interrupt(driver: &Driver, number: usize) {
    let primary = primary(driver);
    if primary["taskDefinition"] != arn("web:3") || primary["rolloutState"] != "COMPLETED" {
        return;
    }

    let mut aws = driver.world.aws();
    let tasks = aws.ecs.tasks.values();
    let running = tasks.filter(|task| task.task_definition == arn("web:3") && task.is_running());
    let running: Vec<String> = running.map(|task| task.arn.clone()).collect();
    ecs::interrupt(&mut aws, &running[number % running.len()]);
}

/// Looks of update-service while Spot takes back a task a minute; returns the last one.
async fn interrupted(driver: &Driver, seed: usize) -> Value {
    let mut answer = look(driver, "update-service", update(json!({}))).await;
    let mut looks = 0;

    while answer["status"] == "in-progress" {
        if looks % 3 == 0 {
            interrupt(driver, seed + 5 * looks);
        }
        looks += 1;
        pass(driver, 20).await;
        answer = again(driver, "update-service", update(json!({})), &answer).await;
    }
    answer
}

#[test]
fn a_good_image_is_deployed_although_spot_takes_tasks_back_all_the_time() {
    let aws = unchecked(12, "FARGATE_SPOT");
    for seed in 0..4 {
        run(aws.clone(), Fault::None, async |driver| {
            driver.world.aws().reseed(seed);
            let number = usize::try_from(seed).expect("small");
            registered_as(&driver, Behaviour::Healthy).await;
            let answer = interrupted(&driver, number).await;
            assert_eq!(answer["status"], "done", "{answer}");

            interrupt(&driver, number);
            pass(&driver, 5).await;
            assert_ne!(web(&driver)["runningCount"], 12, "a task is being replaced");

            let finish = json!({"task_definition": arn("web:3")});
            let answer = look(&driver, "finish-release", finish.clone()).await;
            assert!(!answer.to_string().contains("not steady"), "{answer}");
            let answer = ended(&driver, "finish-release", finish).await;
            assert_eq!(answer["outputVariables"]["Outcome"], "deployed", "{answer}");
        });
    }
}

#[test]
fn on_spot_an_image_whose_tasks_exit_again_and_again_is_not_deployed() {
    run(unchecked(12, "FARGATE_SPOT"), Fault::None, async |driver| {
        registered_as(&driver, Behaviour::ExitsAfter(45)).await;
        let (answer, _) = followed(&driver, json!({"deadline_minutes": 7})).await;
        fails(
            &answer,
            "JobFailed",
            &["not steady after 7m", "web exited with 1"],
        );
    });
}
