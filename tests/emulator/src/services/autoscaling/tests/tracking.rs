//! Counts that follow a load.

use super::*;
use crate::{elb, traffic};

/// The service `web` on Fargate behind a listener, with as many healthy tasks, and a policy that
/// wants 50 % of CPU.
fn balanced(count: u32) -> (Aws, String) {
    let mut aws = Aws::new(1);
    ecs::call(&mut aws, "CreateCluster", &json!({"clusterName": "main"})).unwrap();
    let group = elb::create_target_group(
        &mut aws,
        &json!({
            "Name": "web", "TargetType": "ip", "HealthyThresholdCount": 2,
            "HealthCheckIntervalSeconds": 10,
            "TargetGroupAttributes": [
                {"Key": "deregistration_delay.timeout_seconds", "Value": "10"},
            ],
        }),
    );
    let group = group.unwrap()["Arn"].clone();
    let balancer = elb::create_load_balancer(&mut aws, &json!({"Name": "web"})).unwrap();
    let listener = json!({
        "LoadBalancerArn": balancer["Arn"], "Port": 80,
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": group}],
    });
    let listener = elb::create_listener(&mut aws, &listener).unwrap()["Arn"]
        .as_str()
        .unwrap()
        .to_owned();
    let definition = json!({
        "family": "web", "networkMode": "awsvpc", "cpu": "256", "memory": "512",
        "requiresCompatibilities": ["FARGATE"],
        "containerDefinitions": [
            {"name": "app", "image": "nginx:1", "portMappings": [{"containerPort": 80}]},
        ],
    });
    ecs::call(&mut aws, "RegisterTaskDefinition", &definition).unwrap();

    let service = json!({
        "cluster": "main", "serviceName": "web", "taskDefinition": "web", "desiredCount": count,
        "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
        "loadBalancers": [{"targetGroupArn": group, "containerName": "app", "containerPort": 80}],
    });
    ecs::call(&mut aws, "CreateService", &service).unwrap();
    run(&mut aws, 180);
    register(
        &mut aws,
        json!({"MinCapacity": count.min(2), "MaxCapacity": 6}),
    )
    .unwrap();
    put(&mut aws, "cpu", cpu(50.0)).unwrap();
    run(&mut aws, 10);
    (aws, listener)
}

fn healthy(aws: &Aws) -> usize {
    aws.ecs.tasks.values().filter(|task| task.healthy).count()
}

#[test]
fn a_service_scales_out_at_once_to_what_the_load_needs_and_to_its_maximum_at_most() {
    let (mut aws, listener) = balanced(2);
    let deployment = aws
        .ecs
        .service_named("main", "web")
        .unwrap()
        .primary()
        .unwrap()
        .id
        .clone();

    // 200 requests a second are half of what four tasks can serve.
    traffic::set(&mut aws, &listener, 200.0);
    run(&mut aws, 61);
    assert_eq!(count(&aws), 4);

    run(&mut aws, 300);
    assert_eq!(
        (count(&aws), healthy(&aws)),
        (4, 4),
        "tasks that start are not a reason for more"
    );

    traffic::set(&mut aws, &listener, 1000.0);
    run(&mut aws, 61);
    assert_eq!(count(&aws), 6);

    let service = aws.ecs.service_named("main", "web").unwrap();
    assert_eq!(
        (service.deployments.len(), &service.primary().unwrap().id),
        (1, &deployment)
    );
}

#[test]
fn it_scales_in_after_fifteen_low_minutes_and_to_its_minimum_at_least() {
    let (mut aws, listener) = balanced(5);
    traffic::set(&mut aws, &listener, 10.0);
    run(&mut aws, 14 * 60);
    assert_eq!(count(&aws), 5);
    run(&mut aws, 2 * 60);
    assert_eq!(count(&aws), 2);
}

#[test]
fn a_suspension_holds_the_count_in_its_direction() {
    let (mut aws, listener) = balanced(5);
    let suspend = |inwards: bool, outwards: bool| {
        json!({
            "SuspendedState": {
                "DynamicScalingInSuspended": inwards, "DynamicScalingOutSuspended": outwards,
            },
        })
    };
    register(&mut aws, suspend(true, false)).unwrap();
    traffic::set(&mut aws, &listener, 10.0);
    run(&mut aws, 40 * 60);

    assert_eq!(count(&aws), 5);

    register(&mut aws, suspend(true, true)).unwrap();
    traffic::set(&mut aws, &listener, 1000.0);
    run(&mut aws, 10 * 60);
    assert_eq!(count(&aws), 5);

    register(&mut aws, suspend(true, false)).unwrap();
    run(&mut aws, 2 * 60);
    assert_eq!(count(&aws), 6);
}

#[test]
fn scale_in_waits_for_the_end_of_a_deployment_and_scale_out_does_not() {
    let (mut aws, listener) = balanced(4);
    let stuck = json!({"cluster": "main", "service": "web", "forceNewDeployment": true,
        "availabilityZoneRebalancing": "DISABLED",
        "deploymentConfiguration": {"minimumHealthyPercent": 100, "maximumPercent": 124}});
    ecs::call(&mut aws, "UpdateService", &stuck).unwrap();
    traffic::set(&mut aws, &listener, 10.0);
    run(&mut aws, 40 * 60);

    assert_eq!(
        count(&aws),
        4,
        "its percentages let the deployment never finish"
    );

    traffic::set(&mut aws, &listener, 250.0);
    run(&mut aws, 61);
    assert_eq!(count(&aws), 5);
}

#[test]
fn a_service_without_tasks_has_no_metric_and_stays() {
    let (mut aws, listener) = balanced(0);
    traffic::set(&mut aws, &listener, 500.0);
    run(&mut aws, 600);
    assert_eq!(count(&aws), 0);
}

/// Tracks the requests per minute of each target of the only target group.
fn requests_per_target(aws: &Aws, target: u32) -> Value {
    let balancer = aws.elb.load_balancers.keys().next().unwrap();
    let (_, balancer) = balancer.rsplit_once(":loadbalancer/").unwrap();
    let group = aws.elb.target_groups.values().next().unwrap().full_name();
    json!({
        "TargetValue": target,
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "ALBRequestCountPerTarget",
            "ResourceLabel": format!("{balancer}/{group}"),
        },
    })
}

#[test]
fn requests_per_target_are_tracked_too_and_none_are_no_data() {
    let (mut aws, listener) = balanced(3);
    call(
        &mut aws,
        "DeleteScalingPolicy",
        &about(json!({"PolicyName": "cpu"})),
    )
    .unwrap();
    let configuration = requests_per_target(&aws, 600);
    put(&mut aws, "requests", configuration).unwrap();
    traffic::set(&mut aws, &listener, 41.0);
    run(&mut aws, 120);

    assert_eq!(count(&aws), 5, "41 requests a second are 2,460 a minute");

    // The load goes elsewhere: the group has no data points, which is not a low value.
    let group = aws.elb.target_groups.keys().next().unwrap().clone();
    let rule = json!({
        "ListenerArn": listener, "Priority": 1, "Conditions": [],
        "Actions": [{"Type": "forward", "TargetGroupArn": group}],
    });
    let rule = elb::create_rule(&mut aws, &rule).unwrap()["Arn"]
        .as_str()
        .unwrap()
        .to_owned();

    traffic::set(&mut aws, &listener, 0.0);
    traffic::set(&mut aws, &rule, 0.000_001);
    let nowhere = json!({
        "Actions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    });
    elb::update_rule(&mut aws, &rule, &nowhere).unwrap();
    run(&mut aws, 40 * 60);

    assert_eq!(count(&aws), 5);
}

#[test]
fn nothing_is_looked_at_without_a_load() {
    let (mut aws, listener) = balanced(2);
    run(&mut aws, 2 * 3600);
    assert_eq!(aws.agenda.next_due(), None);

    traffic::set(&mut aws, &listener, 1.0);
    assert_eq!(aws.agenda.next_due(), Some(aws.now + 60_000));

    traffic::set(&mut aws, &listener, 0.0);
    run(&mut aws, 61);
    assert_eq!(aws.agenda.next_due(), None);
}

#[test]
fn a_count_below_the_minimum_rises_with_a_scale_out_only() {
    let (mut aws, listener) = balanced(3);
    register(&mut aws, json!({"MinCapacity": 3})).unwrap();
    run(&mut aws, 10);
    ecs::call(
        &mut aws,
        "UpdateService",
        &json!({"cluster": "main", "service": "web", "desiredCount": 1}),
    )
    .unwrap();
    traffic::set(&mut aws, &listener, 40.0);
    run(&mut aws, 40 * 60);

    assert_eq!(count(&aws), 1);

    traffic::set(&mut aws, &listener, 60.0);
    run(&mut aws, 61);
    assert_eq!(count(&aws), 3, "two would do, and three are the minimum");
}

#[test]
fn a_step_changes_the_count_between_the_capacities_and_in_no_suspended_direction() {
    let (mut aws, _) = balanced(4);
    assert!(adjust(&mut aws, "main", "web", 1));
    assert_eq!(count(&aws), 5);
    assert!(adjust(&mut aws, "main", "web", 9));
    assert_eq!(count(&aws), 6, "the maximum");
    assert!(!adjust(&mut aws, "main", "web", 1));
    assert!(adjust(&mut aws, "main", "web", -9));
    assert_eq!(count(&aws), 2, "the minimum");

    let suspended = json!({"SuspendedState": {"DynamicScalingOutSuspended": true}});
    register(&mut aws, suspended).unwrap();
    assert!(!adjust(&mut aws, "main", "web", 1));
    assert!(!adjust(&mut aws, "main", "other", 1), "it is not a target");
    assert_eq!(count(&aws), 2);
}

#[test]
fn a_step_inwards_waits_for_the_end_of_a_deployment_and_one_outwards_does_not() {
    let (mut aws, _) = balanced(4);
    let again = json!({"cluster": "main", "service": "web", "forceNewDeployment": true});
    ecs::call(&mut aws, "UpdateService", &again).unwrap();

    assert!(!adjust(&mut aws, "main", "web", -1));
    assert!(adjust(&mut aws, "main", "web", 1));
    run(&mut aws, 300);
    assert!(adjust(&mut aws, "main", "web", -1));
    assert_eq!(count(&aws), 4);
}
