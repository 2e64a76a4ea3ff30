//! Tasks with a capacity.

use super::*;
use crate::traffic;

/// Two healthy tasks that can each serve 100 requests a second, and their listener.
fn limited() -> (World, String) {
    let mut world = World::new(1);
    world.fargate("nginx:1");
    let request = world.balanced(2);
    world.ok("CreateService", request);
    world.run(300, |_| {});
    assert_eq!(World::healthy(&world.aws), 2);

    world.aws.traffic.capacity = Some(100.0);
    let listener = world.aws.elb.listeners.keys().next().unwrap().clone();
    (world, listener)
}

#[test]
fn tasks_that_get_more_than_they_can_serve_fail_their_health_checks() {
    let (mut world, listener) = limited();
    let first: Vec<String> = world.aws.ecs.tasks.keys().cloned().collect();
    let stopping = |aws: &Aws| {
        let stops = |task: &&String| aws.ecs.tasks.get(*task).is_none_or(|task| task.stopping);
        first.iter().filter(stops).count()
    };

    traffic::set(&mut world.aws, &listener, 190.0);
    world.run(300, |_| {});
    assert_eq!(stopping(&world.aws), 0, "95 a second each");

    traffic::set(&mut world.aws, &listener, 220.0);
    world.run(120, |_| {});
    assert_eq!(stopping(&world.aws), 2, "110 a second each");
    let reasons = world.aws.ecs.tasks.values();
    let mut reasons = reasons.filter_map(|task| task.stopped_reason.as_deref());
    assert!(reasons.any(|reason| reason.starts_with("Task failed ELB health checks in")));
}

#[test]
fn tasks_bear_it_for_a_while_and_a_lost_one_leaves_more_to_the_others() {
    let (mut world, listener) = limited();
    traffic::set(&mut world.aws, &listener, 220.0);
    world.run(2, |_| {});
    traffic::set(&mut world.aws, &listener, 150.0);
    world.run(300, |_| {});
    assert_eq!(World::healthy(&world.aws), 2, "it was over in time");

    let tasks: Vec<String> = world.aws.ecs.tasks.keys().cloned().collect();
    stop_task(&mut world.aws, &tasks[0], "lost");
    world.run(120, |_| {});
    let left = &world.aws.ecs.tasks[&tasks[1]];
    assert!(left.stopping, "150 a second to the only one that was left");
}
