//! Where tasks may run: zones that ECS rebalances, instances that drain, clusters that grow.

use super::rollouts::update;
use super::*;

/// The request for the service with other members.
fn request(world: &World, more: &Value) -> Value {
    let mut request = world.balanced(2);
    let given = more.as_object().expect("an object").clone();
    request.as_object_mut().expect("an object").extend(given);
    request
}

fn created(more: &Value) -> Result<String, String> {
    let mut world = World::new(1);
    world.fargate("nginx:1");
    world
        .aws
        .settle_quirk(crate::Quirk::RebalancesByDefault, false);
    let request = request(&world, more);
    let answer = world
        .call("CreateService", request)
        .map_err(|error| error.to_string())?;
    Ok(text(&answer["service"]["availabilityZoneRebalancing"]))
}

fn maximum(percent: u32) -> Value {
    let configuration = json!({"minimumHealthyPercent": 50, "maximumPercent": percent});
    json!({"deploymentConfiguration": configuration})
}

const REFUSED: &str = "InvalidParameterException: The service couldn't be updated because \
    Availability Zone Rebalancing does not support maximumPercent <= 100 % as deployment \
    configuration.";

#[test]
fn a_new_service_is_rebalanced_where_it_can_be() {
    let zone = "attribute:ecs.availability-zone";
    let spread = json!({"type": "spread", "field": zone});
    let binpack = json!({"type": "binpack", "field": "memory"});
    let cases = [
        (json!({}), "ENABLED"),
        (maximum(101), "ENABLED"),
        (maximum(100), "DISABLED"),
        (
            json!({"availabilityZoneRebalancing": "DISABLED"}),
            "DISABLED",
        ),
        (json!({"placementStrategy": [spread, binpack]}), "ENABLED"),
        (json!({"placementStrategy": [binpack]}), "DISABLED"),
        (
            json!({"placementConstraints": [
                {"type": "memberOf", "expression": format!("{zone} == eu-west-1a")},
            ]}),
            "DISABLED",
        ),
    ];

    for (more, expected) in cases {
        assert_eq!(created(&more), Ok(expected.to_owned()), "{more}");
    }
}

#[test]
fn a_service_that_is_rebalanced_may_run_more_than_its_count() {
    let mut both = maximum(100);
    both["availabilityZoneRebalancing"] = json!("ENABLED");
    assert_eq!(created(&both), Err(REFUSED.replace("updated", "created")));

    let mut world = World::new(1);
    world.fargate("nginx:1");
    let request = request(&world, &json!({}));
    world.ok("CreateService", request);
    world.run(180, |_| {});

    let input = |more: &Value| {
        let mut input = more.clone();
        input["cluster"] = json!("main");
        input["service"] = json!("web");
        input
    };
    assert_eq!(world.err("UpdateService", input(&maximum(100))), REFUSED);
    assert_eq!(
        world.service()["deploymentConfiguration"]["maximumPercent"],
        200
    );

    // Both at once do not contradict each other, and neither starts a deployment.
    let mut off = maximum(100);
    off["availabilityZoneRebalancing"] = json!("DISABLED");
    world.ok("UpdateService", input(&off));
    assert_eq!(
        world.service()["deployments"].as_array().map(Vec::len),
        Some(1)
    );

    let on = json!({"availabilityZoneRebalancing": "ENABLED"});
    assert_eq!(world.err("UpdateService", input(&on)), REFUSED);
    update(
        &mut world,
        "deploymentConfiguration",
        json!({"maximumPercent": 150}),
    );
    world.ok("UpdateService", input(&on));
}

#[test]
fn a_service_may_stop_a_task_or_start_one() {
    let bounds = |minimum: u32, maximum: u32| {
        created(&json!({
            "availabilityZoneRebalancing": "DISABLED",
            "deploymentConfiguration": {
                "minimumHealthyPercent": minimum, "maximumPercent": maximum,
            },
        }))
    };
    let refused = "InvalidParameterException: Both maximumPercent and minimumHealthyPercent \
        cannot be 100 as this will block deployments.";

    assert_eq!(bounds(100, 100), Err(refused.to_owned()));
    for (minimum, maximum) in [(99, 100), (100, 101), (0, 100)] {
        assert_eq!(bounds(minimum, maximum), Ok("DISABLED".to_owned()));
    }
}

#[test]
fn whether_rebalancing_is_on_where_the_percentages_exclude_it_differs_by_seed() {
    let answers = |seed| {
        let mut world = World::new(seed);
        world.fargate("nginx:1");
        let request = request(&world, &maximum(100));
        world.call("CreateService", request).is_ok()
    };
    let created = (0..20).filter(|seed| answers(*seed)).count();
    assert!((1..20).contains(&created), "{created} of 20");
}

/// A world whose service has two tasks with the static host port 80 on two instances.
fn on_two_instances(strategy: Option<Value>) -> World {
    let mut world = World::new(1);
    add_container_instances(&mut world.aws, "main", 2);
    world.ec2("nginx:1");
    let mut request = json!({
        "cluster": "main", "serviceName": "web", "taskDefinition": "web", "desiredCount": 2,
    });
    if let Some(strategy) = strategy {
        request["capacityProviderStrategy"] = strategy;
    }
    world.ok("CreateService", request);
    world.run(120, |_| {});
    world
}

fn roll_out(world: &mut World, secs: u32) -> Value {
    world.ec2("nginx:2");
    update(world, "taskDefinition", json!("web"));
    world.run(secs, |aws| assert!(World::healthy(aws) >= 2));
    world.service()["deployments"][0]["rolloutState"].clone()
}

#[test]
fn a_draining_instance_takes_no_task_and_is_counted_all_the_same() {
    let mut world = on_two_instances(None);
    add_container_instances(&mut world.aws, "main", 1);
    let free = world
        .aws
        .ecs
        .instances
        .values()
        .find(|it| it.ports.is_empty());
    let free = free.expect("a free instance").arn.clone();
    let state =
        |status: &str| json!({"cluster": "main", "containerInstances": [free], "status": status});
    let updated = world.ok("UpdateContainerInstancesState", state("DRAINING"));
    assert_eq!(updated["containerInstances"][0]["status"], "DRAINING");

    let listed = |world: &mut World, status: Value| {
        let input = json!({"cluster": "main", "status": status});
        let listed = world.ok("ListContainerInstances", input);
        listed["containerInstanceArns"].as_array().map(Vec::len)
    };
    for (status, count) in [
        (json!("ACTIVE"), 2),
        (json!("DRAINING"), 1),
        (json!(null), 3),
    ] {
        assert_eq!(listed(&mut world, status.clone()), Some(count), "{status}");
    }
    let cluster = world.ok("DescribeClusters", json!({"clusters": ["main"]}));
    assert_eq!(
        cluster["clusters"][0]["registeredContainerInstancesCount"],
        3
    );

    assert_eq!(roll_out(&mut world, 600), "IN_PROGRESS");
    world.ok("UpdateContainerInstancesState", state("ACTIVE"));
    world.run(600, |_| {});
    assert_eq!(
        world.service()["deployments"][0]["rolloutState"],
        "COMPLETED"
    );
    assert!(
        world
            .err("UpdateContainerInstancesState", state("INACTIVE"))
            .starts_with("InvalidParameterException")
    );
}

#[test]
fn a_capacity_provider_with_managed_scaling_adds_the_instance_that_a_task_needs() {
    for (status, state) in [("ENABLED", "COMPLETED"), ("DISABLED", "IN_PROGRESS")] {
        let strategy = json!([{"capacityProvider": "spare", "weight": 1}]);
        let mut world = on_two_instances(Some(strategy));
        let group = "arn:aws:autoscaling:eu-west-1:111122223333:autoScalingGroup:1:\
                     autoScalingGroupName/spare";
        let provider = json!({
            "name": "spare",
            "autoScalingGroupProvider": {
                "autoScalingGroupArn": group, "managedScaling": {"status": status},
            },
        });
        world.ok("CreateCapacityProvider", provider);
        let described = world.ok(
            "DescribeCapacityProviders",
            json!({"capacityProviders": ["spare", "FARGATE", "none"]}),
        );
        let found = &described["capacityProviders"];
        assert_eq!(
            found[0]["autoScalingGroupProvider"]["managedScaling"]["status"],
            status
        );
        assert_eq!(
            (&found[1]["name"], &found[2]),
            (&json!("FARGATE"), &Value::Null)
        );
        assert_eq!(described["failures"][0]["reason"], "MISSING");

        let service = world.service();
        assert_eq!(service.get("launchType"), None, "{service}");
        assert_eq!(roll_out(&mut world, 900), state);
        let grew = world.aws.ecs.instances.len() > 2;
        assert_eq!(grew, status == "ENABLED");
    }
}
