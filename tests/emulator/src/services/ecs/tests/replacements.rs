//! Tasks that ECS replaces although they run well: on instances that drain, and in zones that
//! became uneven. And old ones that end during a rollout.

use super::rollouts::{deployed, update};
use super::*;
use crate::cloudwatch::set_alarm;

/// A world whose service has two tasks with the static host port 80 on two of three instances, and
/// an instance that has one of them.
fn on_three_instances(minimum: u32, maximum: u32) -> (World, String) {
    let mut world = World::new(1);
    add_container_instances(&mut world.aws, "main", 3);
    world.ec2("nginx:1");
    let request = json!({
        "cluster": "main", "serviceName": "web", "taskDefinition": "web", "desiredCount": 2,
        "availabilityZoneRebalancing": "DISABLED",
        "deploymentConfiguration": {
            "minimumHealthyPercent": minimum, "maximumPercent": maximum,
        },
    });
    world.ok("CreateService", request);
    world.run(120, |_| {});

    let mut instances = world.aws.ecs.instances.values();
    let used = instances.find(|instance| !instance.ports.is_empty());
    let used = used.expect("an instance with a task").arn.clone();
    (world, used)
}

fn set_state(world: &mut World, instance: &str, status: &str) {
    let input = json!({"cluster": "main", "containerInstances": [instance], "status": status});
    world.ok("UpdateContainerInstancesState", input);
}

/// The live tasks on an instance.
fn on(aws: &Aws, instance: &str) -> usize {
    let tasks = aws.ecs.tasks.values();
    tasks
        .filter(|task| task.is_live() && task.instance.as_deref() == Some(instance))
        .count()
}

/// The fewest healthy tasks and the most live ones of 300 seconds.
fn extremes(world: &mut World) -> (usize, usize) {
    let (mut fewest, mut most) = (usize::MAX, 0);
    world.run(300, |aws| {
        let live = aws.ecs.tasks.values().filter(|task| task.is_live()).count();
        fewest = fewest.min(World::healthy(aws));
        most = most.max(live);
    });
    (fewest, most)
}

#[test]
fn tasks_on_a_draining_instance_are_replaced_within_the_percentages() {
    for (minimum, maximum, expected, left) in [
        (100, 200, (2, 3), 0),
        (50, 100, (1, 2), 0),
        // There is room neither for one more nor for one less.
        (100, 149, (2, 2), 1),
    ] {
        let (mut world, instance) = on_three_instances(minimum, maximum);
        set_state(&mut world, &instance, "DRAINING");
        assert_eq!(extremes(&mut world), expected, "{minimum}/{maximum}");
        assert_eq!(on(&world.aws, &instance), left, "{minimum}/{maximum}");

        let service = world.service();
        assert_eq!(
            service["deployments"].as_array().map(Vec::len),
            Some(1),
            "no deployment begins"
        );
        assert_eq!(World::healthy(&world.aws), 2);
    }
}

#[test]
fn a_deployment_that_failed_for_good_keeps_its_tasks_on_a_draining_instance() {
    let (mut world, _) = on_three_instances(50, 200);
    set_alarm(&mut world.aws, "web-errors", "OK");
    let alarms = json!({"alarmNames": ["web-errors"], "enable": true, "rollback": false});
    update(
        &mut world,
        "deploymentConfiguration",
        json!({"minimumHealthyPercent": 50, "maximumPercent": 200, "alarms": alarms}),
    );
    let definition = world.ec2("nginx:2");
    update(&mut world, "taskDefinition", json!(definition));
    world.run(90, |_| {});
    set_alarm(&mut world.aws, "web-errors", "ALARM");
    world.run(20, |_| {});
    assert_eq!(world.service()["deployments"][0]["rolloutState"], "FAILED");

    let mut tasks = world.aws.ecs.tasks.values();
    let new = tasks.find(|task| task.is_running() && task.task_definition == definition);
    let instance = new.and_then(|task| task.instance.clone());
    let instance = instance.expect("a task of the failed deployment runs");
    let healthy = World::healthy(&world.aws);

    set_state(&mut world, &instance, "DRAINING");
    world.run(300, |_| {});
    assert_eq!(on(&world.aws, &instance), 1);
    assert!(World::healthy(&world.aws) >= healthy);
}

#[test]
fn a_pending_task_on_a_draining_instance_is_stopped_at_once() {
    let (mut world, instance) = on_three_instances(100, 200);
    update(&mut world, "desiredCount", json!(3));
    let pending = (0..60).find_map(|_| {
        world.run(1, |_| {});
        let mut tasks = world.aws.ecs.tasks.values();
        let pending = tasks.find(|task| task.is_pending());
        pending.map(|task| (task.arn.clone(), task.instance.clone().expect("on EC2")))
    });
    let (task, free) = pending.expect("a third task starts");
    assert_ne!(free, instance);

    set_state(&mut world, &free, "DRAINING");
    world.run(1, |_| {});
    assert!(world.aws.ecs.tasks[&task].stopping);
    assert!(
        world
            .messages()
            .iter()
            .any(|message| message.contains("unable to place a task")),
        "both other instances have a task"
    );
}

#[test]
fn an_instance_that_drains_no_more_keeps_its_tasks() {
    let (mut world, instance) = on_three_instances(100, 149);
    set_state(&mut world, &instance, "DRAINING");
    world.run(60, |_| {});
    set_state(&mut world, &instance, "ACTIVE");
    update(
        &mut world,
        "deploymentConfiguration",
        json!({"maximumPercent": 200}),
    );
    assert_eq!(extremes(&mut world), (2, 2));
    assert_eq!(on(&world.aws, &instance), 1);
}

fn web(aws: &Aws) -> String {
    let service = aws.ecs.service_named("main", "web");
    service.expect("it is there").arn.clone()
}

#[test]
fn a_task_moves_to_another_zone_when_its_successor_serves() {
    let mut world = deployed(1, 2);
    let first: Vec<String> = world.aws.ecs.tasks.keys().cloned().collect();
    let deployment = world.service()["deployments"][0]["id"].clone();
    let arn = web(&world.aws);
    assert!(unbalance(&mut world.aws, &arn));
    assert_eq!(extremes(&mut world), (2, 3));

    let live = |task: &&String| world.aws.ecs.tasks[*task].is_live();
    assert_eq!(first.iter().filter(live).count(), 1, "one task moved");
    let service = world.service();
    assert_eq!(service["deployments"].as_array().map(Vec::len), Some(1));
    assert_eq!(service["deployments"][0]["id"], deployment);
    assert_eq!(service["deployments"][0]["rolloutState"], "COMPLETED");

    let messages = world.messages();
    let at = |text: &str| messages.iter().position(|message| message.contains(text));
    let begun = "(service web) is not AZ balanced with 2 tasks in eu-west-1a, 0 tasks in \
                 eu-west-1b. AZ Rebalancing in progress.";
    let ended = "(service web) is AZ balanced with 1 tasks in eu-west-1a, 1 tasks in eu-west-1b.";
    assert!(at(ended).is_some() && at(ended) < at(begun), "{messages:?}");
    assert_eq!(messages[0], "(service web) has reached a steady state.");
}

#[test]
fn one_task_moves_at_a_time_or_as_many_as_there_is_room_for() {
    for (together, maximum, moved) in [(false, 200, 1), (true, 200, 2), (true, 149, 1)] {
        let mut world = deployed(1, 4);
        let percentages = json!({"maximumPercent": maximum});
        update(&mut world, "deploymentConfiguration", percentages);
        world.run(60, |_| {});
        world
            .aws
            .settle_quirk(crate::Quirk::MovesTasksTogether, together);

        let first: Vec<String> = world.aws.ecs.tasks.keys().cloned().collect();
        let arn = web(&world.aws);
        assert!(unbalance(&mut world.aws, &arn));
        assert_eq!(extremes(&mut world), (4, 4 + moved), "{together} {maximum}");

        let live = |task: &&String| world.aws.ecs.tasks[*task].is_live();
        assert_eq!(first.iter().filter(live).count(), 4 - moved);
        let messages = world.messages();
        let count = |text: &str| messages.iter().filter(|line| line.contains(text)).count();
        let begun = format!("is not AZ balanced with {} tasks in eu-west-1a", 2 + moved);
        assert_eq!(count(&begun), 1, "{messages:?}");
        assert_eq!(count("is AZ balanced with 2 tasks in eu-west-1a"), 1);
    }
}

#[test]
fn a_task_that_moves_stays_when_a_deployment_begins() {
    let mut world = deployed(1, 2);
    let arn = web(&world.aws);
    assert!(unbalance(&mut world.aws, &arn));
    let moves = |aws: &Aws| aws.ecs.tasks.values().any(|task| task.moves);
    let has_begun = (0..300).any(|_| {
        world.run(1, |_| {});
        moves(&world.aws)
    });
    assert!(has_begun, "a task moves");

    let definition = world.fargate("nginx:2");
    update(&mut world, "taskDefinition", json!(definition));
    assert!(!moves(&world.aws));

    world.run(900, |_| {});
    assert_eq!(World::healthy(&world.aws), 2);
    let primary = world.service()["deployments"][0].clone();
    assert_eq!(primary["rolloutState"], "COMPLETED");
}

#[test]
fn no_task_moves_without_room_during_a_deployment_or_while_rebalancing_is_off() {
    let moves = |world: &mut World| {
        let arn = web(&world.aws);
        unbalance(&mut world.aws, &arn)
    };
    let mut world = deployed(1, 2);
    update(
        &mut world,
        "deploymentConfiguration",
        json!({"maximumPercent": 149}),
    );
    assert!(!moves(&mut world), "2 tasks are 149 % of 2");
    update(
        &mut world,
        "deploymentConfiguration",
        json!({"maximumPercent": 150}),
    );
    assert!(moves(&mut world));

    // The zones are even again when a deployment begins.
    let definition = world.fargate("nginx:2");
    update(&mut world, "taskDefinition", json!(definition));
    assert!(!moves(&mut world), "a deployment is in progress");
    world.run(600, |_| {});
    let messages = world.messages();
    assert!(
        messages.iter().all(|message| !message.contains("balanced")),
        "{messages:?}"
    );

    update(&mut world, "availabilityZoneRebalancing", json!("DISABLED"));
    assert!(!moves(&mut world));
}

#[test]
fn whether_an_old_task_that_ends_during_a_rollout_starts_anew_differs_by_seed() {
    for replaces in [true, false] {
        let mut world = deployed(1, 2);
        world
            .aws
            .settle_quirk(crate::Quirk::ReplacesOldTasks, replaces);
        let breaker = json!({"deploymentCircuitBreaker": {"enable": false, "rollback": false}});
        update(&mut world, "deploymentConfiguration", breaker);

        let old = text(&world.service()["taskDefinition"]);
        let serving = |aws: &Aws| {
            let tasks = aws.ecs.tasks.values();
            tasks
                .filter(|task| task.healthy && task.task_definition == old)
                .count()
        };
        let broken = world.fargate("fate.test/never-healthy");
        update(&mut world, "taskDefinition", json!(broken));
        world.run(60, |_| {});
        assert_eq!(serving(&world.aws), 2);

        let task = world.aws.ecs.tasks.values().find(|task| task.healthy);
        let task = task.expect("an old task serves").arn.clone();
        stop_task(&mut world.aws, &task, "an operator");
        world.run(120, |_| {});
        assert_eq!(serving(&world.aws), if replaces { 2 } else { 1 });

        let mended = world.fargate("nginx:3");
        update(&mut world, "taskDefinition", json!(mended));
        world.run(600, |_| {});
        let service = world.service();
        assert_eq!(service["deployments"].as_array().map(Vec::len), Some(1));
        assert_eq!(service["deployments"][0]["rolloutState"], "COMPLETED");
        assert_eq!(serving(&world.aws), 0);
    }
}
