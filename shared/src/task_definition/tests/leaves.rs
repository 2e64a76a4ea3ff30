//! What is the same in two definitions although it is written in another way.

use serde_json::{Value, json};

use super::difference::{lines, of};

/// A definition as a file has it.
fn sent() -> Value {
    of(
        &json!({
            "healthCheck": {"command": ["CMD", "true"]},
            "environment": [{"name": "B", "value": "1"}, {"name": "A", "value": "2"}],
            "secrets": [{"name": "D", "valueFrom": "d"}, {"name": "C", "valueFrom": "c"}],
            "portMappings": [{"containerPort": 81}, {"containerPort": 80}],
            "mountPoints": [{"containerPath": "/b"}, {"containerPath": "/a"}],
            "volumesFrom": [{"sourceContainer": "log"}],
            "ulimits": [{"name": "b", "hardLimit": 1}, {"name": "a", "hardLimit": 1}],
        }),
        &json!({
            "networkMode": "awsvpc", "cpu": ".5 vCPU", "memory": "2 GB",
            "requiresCompatibilities": ["FARGATE", "EC2"],
            "volumes": [
                {"name": "data"}, {"name": "efs", "efsVolumeConfiguration": {"fileSystemId": "fs"}},
            ],
            "tags": [
                {"key": "team", "value": "web"}, {"key": "app", "value": "shop"},
                {"key": "slipway:execution", "value": "e-1"},
            ],
        }),
    )
}

/// The same as ECS describes it, in other orders.
fn described() -> Value {
    let efs = json!({"fileSystemId": "fs", "rootDirectory": "/"});
    of(
        &json!({
            "cpu": 0, "essential": true, "systemControls": [], "user": null,
            "healthCheck": {"command": ["CMD", "true"], "interval": 30, "timeout": 5, "retries": 3},
            "environment": [{"value": "2", "name": "A"}, {"name": "B", "value": "1"}],
            "secrets": [{"name": "C", "valueFrom": "c"}, {"name": "D", "valueFrom": "d"}],
            "portMappings": [
                {"containerPort": 80, "hostPort": 80, "protocol": "tcp"},
                {"containerPort": 81, "hostPort": 81, "protocol": "tcp"},
            ],
            "mountPoints": [{"containerPath": "/a", "readOnly": false}, {"containerPath": "/b"}],
            "volumesFrom": [{"sourceContainer": "log", "readOnly": false}],
            "ulimits": [{"name": "a", "hardLimit": 1}, {"name": "b", "hardLimit": 1}],
        }),
        &json!({
            "networkMode": "awsvpc", "cpu": "512", "memory": "2048",
            "requiresCompatibilities": ["EC2", "FARGATE"], "enableFaultInjection": false,
            "placementConstraints": [],
            "volumes": [
                {"name": "efs", "efsVolumeConfiguration": efs}, {"name": "data", "host": {}},
            ],
            "tags": [{"key": "app", "value": "shop"}, {"key": "team", "value": "web"}],
        }),
    )
}

#[test]
fn what_ecs_fills_in_and_orders_without_a_meaning_are_no_difference() {
    assert_eq!(lines(&sent(), &described()), [""; 0]);
    assert_eq!(lines(&described(), &sent()), [""; 0]);
}

#[test]
fn a_default_that_another_value_replaces_is_a_difference() {
    for (field, value, line) in [
        (
            "/containerDefinitions/0/cpu",
            json!(1),
            "added containers.web.cpu: 1",
        ),
        (
            "/containerDefinitions/0/essential",
            json!(false),
            "added containers.web.essential: false",
        ),
        (
            "/enableFaultInjection",
            json!(true),
            "added enableFaultInjection: true",
        ),
    ] {
        let mut other = described();
        *other.pointer_mut(field).expect("a member") = value;
        assert_eq!(lines(&sent(), &other), [line]);
    }
}
