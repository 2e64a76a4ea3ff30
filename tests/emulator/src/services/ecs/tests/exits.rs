//! Tasks that serve for a while and then exit, again and again, or that Spot takes back.

use super::rollouts::{deployed, update};
use super::*;

/// Registers the family `web` again with an image behind no load balancer, and creates its service.
fn without_load_balancer(world: &mut World, image: &str) {
    world.fargate(image);
    let mut request = world.balanced(1);
    request
        .as_object_mut()
        .expect("an object")
        .remove("loadBalancers");
    world.ok("CreateService", request);
}

#[test]
fn tasks_that_exit_after_a_while_complete_a_deployment_and_are_replaced_again_and_again() {
    let mut world = World::new(1);
    without_load_balancer(&mut world, "fate.test/exits-after-30");

    let (mut completed, mut longest) = (false, 0);
    for _ in 0..600 {
        world.run(1, |_| {});
        completed |= world.service()["deployments"][0]["rolloutState"] == "COMPLETED";

        let now = world.aws.now;
        let tasks = world.aws.ecs.tasks.values();
        let running = tasks.filter(|task| task.is_running());
        let ages = running.filter_map(|task| Some(now - task.started_at?));
        longest = ages.max().unwrap_or(0).max(longest);
    }

    assert!(completed, "it was steady for a moment");
    assert!((29_000..=31_000).contains(&longest), "{longest}");
    let tasks = world.aws.ecs.tasks.values();
    let exited: Vec<_> = tasks.filter(|task| task.stopping).collect();
    assert!(exited.len() > 5, "{} tasks exited", exited.len());
    assert!(exited.iter().all(|task| {
        task.stop_code == Some("EssentialContainerExited")
            && task.containers[0].exit_code == Some(1)
    }));
}

#[test]
fn the_circuit_breaker_does_not_trip_for_tasks_that_were_healthy_before_they_exit() {
    let mut world = deployed(1, 2);
    let bad = world.fargate("fate.test/exits-after-60");
    update(&mut world, "taskDefinition", json!(bad));
    world.run(900, |_| {});

    let deployment = world.service()["deployments"][0].clone();
    assert_eq!(deployment["taskDefinition"], json!(bad));
    assert_ne!(deployment["rolloutState"], "FAILED", "{deployment}");
}

#[test]
fn a_task_that_spot_takes_back_is_replaced_and_is_no_failure() {
    let mut world = deployed(1, 2);
    let spot = json!([{"capacityProvider": "FARGATE_SPOT", "weight": 1}]);
    update(&mut world, "capacityProviderStrategy", spot);
    world.run(300, |_| {});

    let mut running = world
        .aws
        .ecs
        .tasks
        .values()
        .filter(|task| task.is_running());
    let lost = running.next().expect("a task runs").arn.clone();
    interrupt(&mut world.aws, &lost);
    world.run(180, |_| {});

    let stopped = &world.aws.ecs.tasks[&lost];
    assert_eq!(stopped.stop_code, Some("SpotInterruption"));
    assert_eq!(
        stopped.stopped_reason.as_deref(),
        Some("Your Spot Task was interrupted.")
    );
    let service = world.service();
    assert_eq!(service["runningCount"], 2);
    assert_eq!(service["deployments"][0]["rolloutState"], "COMPLETED");
    assert_eq!(service["deployments"][0]["failedTasks"], 0);
}

#[test]
fn a_task_that_crashes_is_replaced_and_listed_as_stopped() {
    let mut world = deployed(1, 2);
    let tasks = &world.aws.ecs.tasks;
    let mut running = tasks.values().filter(|task| task.is_running());
    let lost = running.next().expect("a task runs").arn.clone();
    crash(&mut world.aws, &lost);
    crash(&mut world.aws, &lost);
    world.run(180, |_| {});

    let list = json!({"cluster": "main", "serviceName": "web", "desiredStatus": "STOPPED"});
    let listed = world.ok("ListTasks", list);
    assert_eq!(listed["taskArns"], json!([lost]));
    let describe = json!({"cluster": "main", "tasks": [lost]});
    let stopped = world.ok("DescribeTasks", describe)["tasks"][0].clone();
    assert_eq!(stopped["stopCode"], "EssentialContainerExited");
    assert_eq!(stopped["containers"][0]["exitCode"], 1);
    assert_eq!(world.service()["runningCount"], 2);
}

#[test]
fn an_instance_that_is_terminated_loses_its_tasks_which_are_replaced() {
    let mut world = World::new(1);
    add_container_instances(&mut world.aws, "main", 3);
    world.ec2("nginx:1");
    let request = json!({
        "cluster": "main", "serviceName": "web", "taskDefinition": "web", "desiredCount": 2,
    });
    world.ok("CreateService", request);
    world.run(180, |_| {});

    let tasks = &world.aws.ecs.tasks;
    let mut running = tasks.values().filter(|task| task.is_running());
    let lost = running.next().expect("a task runs").clone();
    let instance = lost.instance.expect("on EC2");
    let id = world.aws.ecs.instances[&instance].ec2_id.clone();
    terminate_instance(&mut world.aws, &instance);
    world.run(180, |_| {});

    assert!(!world.aws.ecs.instances.contains_key(&instance));
    let stopped = &world.aws.ecs.tasks[&lost.arn];
    assert_eq!(stopped.stop_code, Some("TerminationNotice"));
    let reason = format!("Host EC2 (instance {id}) terminated.");
    assert_eq!(stopped.stopped_reason, Some(reason));
    let service = world.service();
    assert_eq!(service["runningCount"], 2);
    assert_eq!(service["deployments"][0]["failedTasks"], 0);
}
