//! A service of a pair: emptied, and filled again behind a group that gets no requests.

use super::rollouts::{deployed, update};
use super::*;

#[test]
fn a_service_that_is_emptied_drains_for_the_deregistration_delay() {
    let mut world = deployed(1, 2);
    let group = world.target_group.clone();
    update(&mut world, "desiredCount", json!(0));
    let states = |aws: &Aws| -> Vec<elb::TargetState> {
        let group = &aws.elb.target_groups[&group];
        group
            .targets
            .keys()
            .filter_map(|(id, port)| elb::state(aws, &group.arn, id, *port))
            .collect()
    };

    world.run(5, |_| {});
    assert_eq!(states(&world.aws), [elb::TargetState::Draining; 2]);
    assert_eq!(
        world.service()["deployments"].as_array().map(Vec::len),
        Some(1),
        "no deployment"
    );

    world.run(24, |_| {});
    assert_eq!(states(&world.aws).len(), 2, "the delay of 30 s is not over");

    world.run(60, |_| {});
    assert_eq!(states(&world.aws), []);

    let service = world.service();
    assert_eq!(
        (&service["runningCount"], &service["desiredCount"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(
        world.messages()[0],
        "(service web) has reached a steady state."
    );
}

/// Whether a service of one task becomes steady behind a group of weight 0, and does after the
/// weight was raised.
fn filled_at_weight_zero(seed: u64) -> (bool, bool) {
    let mut world = World::new(seed);
    let listener = world.aws.elb.listeners.keys().next().unwrap().clone();
    let group = world.target_group.clone();
    let weigh = move |aws: &mut Aws, weight: u32| {
        let forward = json!({"TargetGroups": [{"TargetGroupArn": group, "Weight": weight}]});
        let actions = json!([{"Type": "forward", "ForwardConfig": forward}]);
        elb::update_listener(aws, &listener, &json!({ "DefaultActions": actions })).unwrap();
    };
    weigh(&mut world.aws, 0);
    world.fargate("nginx:1");

    let request = world.balanced(1);
    world.ok("CreateService", request);
    world.run(300, |_| {});
    let before = World::healthy(&world.aws) == 1;
    weigh(&mut world.aws, 1);
    world.run(60, |_| {});
    (before, World::healthy(&world.aws) == 1)
}

#[test]
fn a_task_at_weight_zero_is_healthy_on_some_seeds_and_with_a_weight_on_all() {
    let seen: Vec<(bool, bool)> = (0..12).map(filled_at_weight_zero).collect();
    assert!(seen.iter().all(|(_, after)| *after), "{seen:?}");
    assert!(
        seen.iter().any(|(before, _)| *before) && seen.iter().any(|(before, _)| !*before),
        "{seen:?}"
    );
}

#[test]
fn an_idle_colour_that_fails_under_traffic_fails_when_its_weight_rises() {
    let mut world = World::new(1);
    let (listener, idle) = (
        world.aws.elb.listeners.keys().next().unwrap().clone(),
        world.target_group.clone(),
    );
    let live =
        text(&elb::create_target_group(&mut world.aws, &json!({"Name": "live"})).unwrap()["Arn"]);
    let weigh = |aws: &mut Aws, weight: u32| {
        let groups = json!([
            {"TargetGroupArn": live, "Weight": 100 - weight},
            {"TargetGroupArn": idle, "Weight": weight},
        ]);
        let actions = json!([{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]);
        elb::update_listener(aws, &listener, &json!({ "DefaultActions": actions })).unwrap();
    };
    weigh(&mut world.aws, 0);

    let forward = json!([{"Type": "forward", "TargetGroupArn": idle}]);
    let test =
        json!({"ListenerArn": listener, "Priority": 1, "Conditions": [], "Actions": forward});
    elb::create_rule(&mut world.aws, &test).unwrap();
    crate::traffic::set(&mut world.aws, &listener, 10.0);
    world.fargate("fate.test/fails-under-traffic");

    let request = world.balanced(2);
    world.ok("CreateService", request);
    world.run(900, |_| {});

    assert_eq!(
        World::healthy(&world.aws),
        2,
        "the test rule sends it nothing"
    );

    let definition = text(&world.service()["taskDefinition"]);
    assert_eq!(crate::traffic::served(&world.aws).get(&definition), None);

    weigh(&mut world.aws, 5);
    world.run(60, |_| {});
    assert_eq!(World::healthy(&world.aws), 0);
    assert!(
        crate::traffic::served(&world.aws)[&definition] > 1.0,
        "it served until its checks had failed"
    );
}
