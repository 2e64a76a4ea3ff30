use super::*;

/// A world whose service runs `web:1` on Fargate and has completed its first deployment.
pub(super) fn deployed(seed: u64, desired: u32) -> World {
    let mut world = World::new(seed);
    world.fargate("nginx:1");
    let request = world.balanced(desired);
    world.ok("CreateService", request);
    world.run(180, |_| {});

    assert_eq!(
        world.service()["deployments"][0]["rolloutState"],
        "COMPLETED"
    );

    world
}

pub(super) fn update(world: &mut World, member: &str, value: Value) -> Value {
    let mut request = json!({"cluster": "main", "service": "web"});
    request[member] = value;
    world.ok("UpdateService", request)["service"].clone()
}

fn percentages(minimum: u32, maximum: u32) -> Value {
    json!({"minimumHealthyPercent": minimum, "maximumPercent": maximum})
}

#[test]
fn a_first_deployment_completes_when_its_targets_are_healthy() {
    let mut world = deployed(1, 2);
    let service = world.service();
    let deployment = &service["deployments"][0];

    assert_eq!(
        (&service["runningCount"], &service["pendingCount"]),
        (&json!(2), &json!(0))
    );

    let reason = format!("ECS deployment {} completed.", text(&deployment["id"]));
    assert_eq!(
        (&deployment["status"], &deployment["rolloutStateReason"]),
        (&json!("PRIMARY"), &json!(reason))
    );
    assert_eq!(text(&deployment["id"]).len(), "ecs-svc/".len() + 19);
    assert_eq!(
        world.messages()[0],
        "(service web) has reached a steady state."
    );
    assert_eq!(
        world
            .aws
            .elb
            .healthy_count(&world.target_group, world.aws.now),
        2
    );
}

#[test]
fn floor_and_ceiling_hold_at_every_instant() {
    for (minimum, maximum, floor, ceiling) in [
        (100, 200, 4, 8),
        (50, 100, 2, 4),
        (100, 150, 4, 6),
        (0, 100, 0, 4),
    ] {
        for seed in 0..4 {
            let mut world = deployed(seed, 4);
            update(&mut world, "availabilityZoneRebalancing", json!("DISABLED"));
            update(
                &mut world,
                "deploymentConfiguration",
                percentages(minimum, maximum),
            );
            let definition = world.fargate("nginx:2");
            update(&mut world, "taskDefinition", json!(definition));
            world.run(900, |aws| {
                assert!(
                    World::healthy(aws) >= floor,
                    "{minimum}/{maximum}: healthy {}",
                    World::healthy(aws)
                );
                assert!(aws.ecs.tasks.values().filter(|task| task.is_live()).count() <= ceiling);
            });

            let service = world.service();
            assert_eq!(
                service["deployments"].as_array().map(Vec::len),
                Some(1),
                "{minimum}/{maximum} {seed}"
            );
            assert_eq!(
                service["deployments"][0]["taskDefinition"],
                json!(definition)
            );
            assert_eq!(service["deployments"][0]["rolloutState"], "COMPLETED");
        }
    }
}

#[test]
fn one_task_with_100_and_150_percent_can_never_finish() {
    let mut world = deployed(1, 1);
    update(&mut world, "deploymentConfiguration", percentages(100, 150));
    world.fargate("nginx:2");
    update(&mut world, "taskDefinition", json!("web"));
    world.run(900, |aws| assert_eq!(World::healthy(aws), 1));

    assert_eq!(
        world.service()["deployments"][0]["rolloutState"],
        "IN_PROGRESS"
    );
    assert!(
        world.messages()[0].contains("because of the service deployment configuration"),
        "{:?}",
        world.messages()
    );
}

#[test]
fn a_configuration_is_taken_back_as_it_is_shown() {
    let mut world = deployed(1, 1);
    let mut shown = world.service()["deploymentConfiguration"].clone();
    assert_eq!(
        (&shown["strategy"], &shown["bakeTimeInMinutes"]),
        (&json!("ROLLING"), &json!(0))
    );

    shown["alarms"] = json!({"alarmNames": [], "rollback": false, "enable": false});
    let updated = update(&mut world, "deploymentConfiguration", shown.clone());
    assert_eq!(updated["deploymentConfiguration"], shown);
}

#[test]
fn counts_and_configuration_alone_start_no_deployment() {
    let mut world = deployed(1, 1);
    let id = world.service()["deployments"][0]["id"].clone();
    update(&mut world, "deploymentConfiguration", percentages(50, 150));
    let service = update(&mut world, "desiredCount", json!(3));

    assert_eq!(
        (
            &service["deployments"][0]["id"],
            &service["deployments"][0]["rolloutState"]
        ),
        (&id, &json!("COMPLETED"))
    );
    assert_eq!(
        update(&mut world, "taskDefinition", json!("web:1"))["deployments"][0]["id"],
        id,
        "the same definition"
    );

    world.run(120, |_| {});
    assert_eq!(world.service()["runningCount"], 3);

    update(&mut world, "desiredCount", json!(0));
    world.run(120, |_| {});
    assert_eq!(world.service()["runningCount"], 0);
    assert_ne!(
        update(&mut world, "forceNewDeployment", json!(true))["deployments"][0]["id"],
        id
    );
}

#[test]
fn at_zero_tasks_a_deployment_completes_at_once() {
    let mut world = deployed(1, 0);
    world.fargate("nginx:2");
    assert_eq!(
        update(&mut world, "taskDefinition", json!("web"))["deployments"][0]["rolloutState"],
        "IN_PROGRESS"
    );

    world.run(5, |_| {});
    assert_eq!(
        world.service()["deployments"][0]["rolloutState"],
        "COMPLETED"
    );
}

#[test]
fn old_deployments_are_active_while_a_newer_one_is_in_progress() {
    let mut world = deployed(1, 2);
    world.fargate("nginx:2");
    update(&mut world, "taskDefinition", json!("web"));
    world.run(20, |_| {});
    let service = world.service();

    assert_eq!(
        (
            &service["deployments"][0]["status"],
            &service["deployments"][1]["status"]
        ),
        (&json!("PRIMARY"), &json!("ACTIVE"))
    );
    assert_eq!(service["deployments"][1]["runningCount"], 2);
}

#[test]
fn old_targets_drain_before_their_tasks_stop() {
    let mut world = deployed(3, 1);
    world.fargate("nginx:2");
    update(&mut world, "taskDefinition", json!("web"));
    let mut drained = false;
    world.run(300, |aws| {
        drained |= aws
            .ecs
            .tasks
            .values()
            .any(|task| task.state == TaskState::Deactivating)
    });

    assert!(drained);

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
        (&task["stopCode"], &task["lastStatus"]),
        (&json!("ServiceSchedulerInitiated"), &json!("STOPPED"))
    );
    assert!(
        text(&task["stoppedReason"])
            .starts_with("Scaling activity initiated by (deployment ecs-svc/")
    );
}

#[test]
fn a_task_that_stops_is_replaced() {
    let mut world = deployed(1, 2);
    let task = world.aws.ecs.tasks.keys().next().unwrap().clone();
    stop_task(&mut world.aws, &task, "an operator");
    world.run(1, |_| {});

    assert_eq!(World::healthy(&world.aws), 1);

    world.run(120, |_| {});
    assert_eq!(World::healthy(&world.aws), 2);
    assert_eq!(
        world.service()["deployments"][0]["rolloutState"],
        "COMPLETED"
    );
}

/// A world with `instances` EC2 instances and a service of tasks with the static host port 80.
fn on_instances(seed: u64, instances: u32, desired: u32, configuration: Value) -> World {
    let mut world = World::new(seed);
    add_container_instances(&mut world.aws, "main", instances);
    world.ec2("nginx:1");
    let request = json!({
        "cluster": "main", "serviceName": "web", "taskDefinition": "web", "desiredCount": desired,
        "deploymentConfiguration": configuration,
    });
    world.ok("CreateService", request);
    world.run(120, |_| {});
    world
}

#[test]
fn a_static_host_port_needs_a_free_instance() {
    let mut world = on_instances(1, 2, 2, percentages(100, 200));
    assert_eq!(
        world.service()["deployments"][0]["rolloutState"],
        "COMPLETED"
    );

    world.ec2("nginx:2");
    update(&mut world, "taskDefinition", json!("web"));
    world.run(600, |aws| assert_eq!(World::healthy(aws), 2));
    assert_eq!(world.service()["deployments"][0]["runningCount"], 0);
    assert!(world.messages()[0].starts_with(
        "(service web) was unable to place a task because no \
        container instance met all of its requirements. The closest matching (container-instance "
    ));

    add_container_instances(&mut world.aws, "main", 1);
    world.run(600, |aws| assert!(World::healthy(aws) >= 2));
    assert_eq!(
        world.service()["deployments"][0]["rolloutState"],
        "COMPLETED"
    );
}

#[test]
fn room_is_made_where_the_floor_allows_it() {
    for seed in 0..4 {
        let mut world = on_instances(seed, 2, 2, percentages(50, 200));
        world.ec2("nginx:2");
        update(&mut world, "taskDefinition", json!("web"));
        world.run(600, |aws| assert!(World::healthy(aws) >= 1));

        assert_eq!(
            world.service()["deployments"][0]["rolloutState"],
            "COMPLETED",
            "seed {seed}"
        );
    }
}

#[test]
fn without_instances_nothing_is_placed() {
    let mut world = on_instances(1, 0, 1, percentages(100, 200));
    assert!(world.messages()[0].contains("No Container Instances were found in your cluster."));
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = || {
        let mut world = deployed(7, 3);
        world.fargate("fate.test/never-healthy");
        update(&mut world, "taskDefinition", json!("web"));
        world.run(200, |_| {});
        format!("{:?}", world.aws)
    };
    assert_eq!(run(), run());
}

#[test]
fn state_changes_have_the_documented_detail() {
    let world = deployed(1, 1);
    let deployment = world
        .aws
        .ecs
        .service_named("main", "web")
        .unwrap()
        .primary()
        .unwrap()
        .clone();
    let detail = deployments::state_change(&deployment, "INFO", "SERVICE_DEPLOYMENT_COMPLETED");
    let members: Vec<&String> = detail.as_object().unwrap().keys().collect();

    assert_eq!(
        members,
        [
            "eventType",
            "eventName",
            "deploymentId",
            "updatedAt",
            "reason"
        ]
    );
    assert_eq!(
        detail["reason"],
        json!(format!("ECS deployment {} completed.", deployment.id))
    );
    assert!(
        text(&detail["updatedAt"]).starts_with("2026-01-05T09:0")
            && text(&detail["updatedAt"]).ends_with('Z')
    );
}

#[test]
fn whether_room_is_made_before_it_is_needed_differs_by_seed() {
    let fewest = |seed| {
        let mut world = deployed(seed, 4);
        update(&mut world, "deploymentConfiguration", percentages(50, 200));
        world.fargate("nginx:2");
        update(&mut world, "taskDefinition", json!("web"));
        let mut fewest = usize::MAX;
        world.run(20, |aws| fewest = fewest.min(World::healthy(aws)));
        fewest
    };
    let counts: Vec<usize> = (0..8).map(fewest).collect();

    assert!(counts.contains(&2) && counts.contains(&4), "{counts:?}");
}
