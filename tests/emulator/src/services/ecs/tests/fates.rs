//! What becomes of tasks and their deployment when an image fails.

use super::rollouts::{deployed, update};
use super::*;

/// Deploys an image on a service that has completed an earlier deployment, and lets the time pass.
fn deploy(world: &mut World, image: &str, seconds: u32) -> String {
    let definition = world.fargate(image);
    update(world, "taskDefinition", json!(definition));
    world.run(seconds, |_| {});
    definition
}

fn stopped_reasons(world: &World) -> Vec<&str> {
    world
        .aws
        .ecs
        .tasks
        .values()
        .filter_map(|task| task.stopped_reason.as_deref())
        .collect()
}

/// How long the oldest healthy task has run, in milliseconds.
fn oldest_healthy(aws: &Aws) -> i64 {
    let healthy = aws.ecs.tasks.values().filter(|task| task.healthy);
    let ages = healthy.filter_map(|task| Some(aws.now - task.started_at?));
    ages.max().unwrap_or(0)
}

#[test]
fn the_circuit_breaker_rolls_back_to_the_last_completed_deployment() {
    for image in ["fate.test/never-healthy", "fate.test/missing"] {
        let mut world = deployed(1, 2);
        let first = text(&world.service()["deployments"][0]["id"]);
        let bad = deploy(&mut world, image, 900);
        let service = world.service();
        let primary = &service["deployments"][0];

        assert!(
            text(&primary["taskDefinition"]).ends_with("web:1"),
            "{image}: {primary}"
        );
        assert_eq!(primary["rolloutState"], "COMPLETED");
        assert_eq!(service["taskDefinition"], primary["taskDefinition"]);
        assert!(
            world
                .aws
                .ecs
                .tasks
                .values()
                .all(|task| task.task_definition != bad || task.stopping)
        );

        let expected = format!("rolling back to deployment {first}");
        assert!(
            world
                .messages()
                .iter()
                .any(|message| message.contains(&expected)),
            "{:?}",
            world.messages()
        );
    }
}

#[test]
fn while_it_rolls_back_the_failed_deployment_is_shown() {
    let mut world = deployed(1, 2);
    let first = text(&world.service()["deployments"][0]["id"]);
    deploy(&mut world, "fate.test/never-healthy", 0);
    let failed = (0..600).find_map(|_| {
        world.run(1, |aws| {
            assert_eq!(World::healthy(aws), 2, "the old tasks go on serving")
        });
        let deployments = world.service()["deployments"].clone();
        (deployments[1]["rolloutState"] == "FAILED").then_some(deployments)
    });
    let deployments = failed.expect("the breaker trips");

    assert_eq!(
        deployments[1]["rolloutStateReason"],
        "ECS deployment circuit breaker: tasks failed to start."
    );
    assert_eq!(deployments[1]["status"], "ACTIVE");

    // The threshold is 3; both tasks of the second try may fail at the same instant.
    assert!(
        (3..=4).contains(&deployments[1]["failedTasks"].as_u64().unwrap_or(0)),
        "{}",
        deployments[1]
    );

    let reason = format!("ECS deployment circuit breaker: rolling back to deploymentId {first}.");
    assert_eq!(deployments[0]["rolloutStateReason"], json!(reason));
}

#[test]
fn without_an_earlier_deployment_a_failed_one_stalls() {
    let mut world = World::new(1);
    world.fargate("fate.test/missing");
    let request = world.balanced(1);
    world.ok("CreateService", request);
    world.run(900, |_| {});
    let service = world.service();

    assert_eq!(service["deployments"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        (
            &service["deployments"][0]["rolloutState"],
            &service["deployments"][0]["failedTasks"]
        ),
        (&json!("FAILED"), &json!(3))
    );
    assert_eq!(service["runningCount"], 0);
}

#[test]
fn without_circuit_breaker_a_deployment_stays_in_progress() {
    let mut world = deployed(1, 1);
    update(
        &mut world,
        "deploymentConfiguration",
        json!({"deploymentCircuitBreaker": {"enable": false, "rollback": false}}),
    );
    deploy(&mut world, "fate.test/missing", 3000);

    let service = world.service();
    assert_eq!(service["deployments"][0]["rolloutState"], "IN_PROGRESS");

    let failed = service["deployments"][0]["failedTasks"].as_u64().unwrap();
    assert!(
        (5..=20).contains(&failed),
        "starts are put off longer and longer: {failed}"
    );
    assert!(
        world
            .messages()
            .iter()
            .any(|message| message.contains("is unable to consistently start tasks successfully"))
    );
}

#[test]
fn an_image_that_cannot_be_pulled_ends_the_task() {
    let mut world = deployed(1, 1);
    deploy(&mut world, "fate.test/missing", 60);
    let stopped = world.ok(
        "ListTasks",
        json!({"cluster": "main", "desiredStatus": "STOPPED"}),
    );
    let task = world.ok(
        "DescribeTasks",
        json!({"cluster": "main", "tasks": stopped["taskArns"]}),
    )["tasks"][0]
        .clone();

    assert_eq!(
        (&task["stopCode"], &task["stoppedReason"]),
        (
            &json!("TaskFailedToStart"),
            &json!("CannotPullContainerError: not found")
        )
    );
    assert_eq!(
        task["containers"][0]["reason"],
        "CannotPullContainerError: not found"
    );
    assert_eq!(task.get("startedAt"), None);
}

#[test]
fn a_deployment_whose_tasks_exit_never_completes() {
    for seed in 0..8 {
        let mut world = World::new(seed);
        world.fargate("fate.test/exits");
        let mut request = world.balanced(2);
        request["loadBalancers"] = json!([]);
        request["healthCheckGracePeriodSeconds"] = json!(null);
        world.ok("CreateService", request);

        for _ in 0..300 {
            world.run(1, |_| {});
            assert_ne!(
                world.service()["deployments"][0]["rolloutState"],
                "COMPLETED"
            );
        }
        assert!(stopped_reasons(&world).contains(&"Essential container in task exited"));
    }
}

#[test]
fn early_exits_trip_the_circuit_breaker_on_some_seeds_only() {
    let states: Vec<String> = (0..8)
        .map(|seed| {
            let mut world = deployed(seed, 1);
            let definition = deploy(&mut world, "fate.test/exits", 1200);
            let primary = world.service()["deployments"][0].clone();

            if primary["taskDefinition"] == json!(definition) {
                text(&primary["rolloutState"])
            } else {
                "rolled back".to_owned()
            }
        })
        .collect();
    assert!(
        states.contains(&"rolled back".to_owned()) && states.contains(&"IN_PROGRESS".to_owned()),
        "{states:?}"
    );
}

#[test]
fn failing_health_checks_count_only_after_the_grace_period() {
    let mut world = World::new(1);
    world.fargate("fate.test/never-healthy");
    let mut request = world.balanced(1);
    request["healthCheckGracePeriodSeconds"] = json!(300);
    world.ok("CreateService", request);
    let mut longest = 0;
    world.run(500, |aws| {
        let ages = aws
            .ecs
            .tasks
            .values()
            .filter(|task| task.is_running())
            .filter_map(|task| Some(aws.now - task.started_at?));
        longest = ages.max().unwrap_or(0).max(longest);
    });

    assert!((299_000..=301_000).contains(&longest), "{longest}");

    let group = world.target_group.clone();
    assert!(
        stopped_reasons(&world)
            .contains(&format!("Task failed ELB health checks in (target-group {group})").as_str())
    );
}

#[test]
fn a_container_health_check_passes_after_its_interval_or_fails_after_its_retries() {
    for (image, healthy) in [("nginx:1", true), ("fate.test/never-healthy", false)] {
        let mut world = World::new(1);
        let check =
            json!({"command": ["CMD", "true"], "interval": 20, "retries": 2, "startPeriod": 10});
        let containers =
            json!([{"name": "app", "image": image, "memory": 128, "healthCheck": check}]);
        world.ok(
            "RegisterTaskDefinition",
            json!({"family": "web", "containerDefinitions": containers}),
        );
        add_container_instances(&mut world.aws, "main", 1);
        world.ok(
            "CreateService",
            json!({
                "cluster": "main", "serviceName": "web", "taskDefinition": "web", "desiredCount": 1,
            }),
        );

        let mut longest = 0;
        world.run(60, |aws| {
            let waiting = aws
                .ecs
                .tasks
                .values()
                .filter(|task| task.is_running() && !task.healthy);
            longest = waiting
                .filter_map(|task| Some(aws.now - task.started_at?))
                .max()
                .unwrap_or(0)
                .max(longest);
        });
        let expected = if healthy {
            19_000..=20_000
        } else {
            49_000..=50_000
        };

        assert!(expected.contains(&longest), "{image}: {longest}");
        assert_eq!(
            stopped_reasons(&world).contains(&"Task failed container health checks"),
            !healthy
        );
    }
}

#[test]
fn a_task_that_no_longer_answers_is_replaced() {
    let mut world = deployed(1, 2);
    let task = world.aws.ecs.tasks.keys().next().unwrap().clone();
    set_answering(&mut world.aws, &task, false);
    world.run(300, |_| {});

    assert!(world.aws.ecs.tasks[&task].stopping);
    assert_eq!(World::healthy(&world.aws), 2);
    assert_eq!(
        world.service()["deployments"][0]["rolloutState"],
        "COMPLETED"
    );
}

#[test]
fn an_image_that_fails_after_a_while_is_healthy_first_and_its_tasks_are_replaced() {
    let mut world = World::new(1);
    world.fargate("fate.test/fails-after-120");
    let request = world.balanced(1);
    world.ok("CreateService", request);
    let (mut longest, mut replaced) = (0, false);
    world.run(600, |aws| {
        longest = oldest_healthy(aws).max(longest);
        replaced |= aws.ecs.tasks.len() > 1;
    });

    // It stops answering after 120 s, and two failed checks make it unhealthy 20 s later.
    assert!(
        (130_000..=140_000).contains(&longest) && replaced,
        "{longest}"
    );

    let reason = format!(
        "Task failed ELB health checks in (target-group {})",
        world.target_group
    );
    assert!(
        stopped_reasons(&world).contains(&reason.as_str()),
        "{:?}",
        stopped_reasons(&world)
    );
}

#[test]
fn container_health_checks_notice_an_image_that_fails_after_a_while() {
    let mut world = World::new(1);
    let check =
        json!({"command": ["CMD", "true"], "interval": 20, "retries": 2, "startPeriod": 10});
    let containers = json!([
        {"name": "app", "image": "fate.test/fails-after-60", "memory": 128, "healthCheck": check},
    ]);
    world.ok(
        "RegisterTaskDefinition",
        json!({"family": "web", "containerDefinitions": containers}),
    );
    add_container_instances(&mut world.aws, "main", 1);

    let service = json!({
        "cluster": "main", "serviceName": "web", "taskDefinition": "web", "desiredCount": 1,
    });
    world.ok("CreateService", service);
    let mut longest = 0;
    world.run(300, |aws| {
        longest = oldest_healthy(aws).max(longest);
    });

    assert!((98_000..=100_000).contains(&longest), "{longest}");
    assert!(stopped_reasons(&world).contains(&"Task failed container health checks"));
}

#[test]
fn an_image_that_fails_under_traffic_is_healthy_until_requests_come() {
    let mut world = World::new(1);
    world.fargate("fate.test/fails-under-traffic");
    let request = world.balanced(2);
    world.ok("CreateService", request);
    world.run(600, |_| {});

    assert_eq!(World::healthy(&world.aws), 2);

    let first: Vec<String> = world.aws.ecs.tasks.keys().cloned().collect();
    let listener = world.aws.elb.listeners.keys().next().unwrap().clone();
    crate::traffic::set(&mut world.aws, &listener, 10.0);
    world.run(60, |_| {});

    assert!(
        first.iter().all(|task| world.aws.ecs.tasks[task].stopping),
        "stopped within a minute"
    );

    world.run(240, |_| {});
    let later = world
        .aws
        .ecs
        .tasks
        .values()
        .filter(|task| !first.contains(&task.arn));
    assert!(
        later.clone().count() >= 2 && later.clone().any(|task| task.stopping),
        "those that replace them fail, too"
    );
}
