use serde_json::json;

use super::*;
use crate::ecs;

mod callers;
mod registration;
mod scheduled;
mod tracking;

/// The service `web` of the cluster `main` with this many tasks wanted, on one container instance.
fn account(seed: u64, count: u32) -> Aws {
    let mut aws = Aws::new(seed);
    ecs::call(&mut aws, "CreateCluster", &json!({"clusterName": "main"})).unwrap();
    ecs::add_container_instances(&mut aws, "main", 1);
    let containers = json!([{"name": "app", "image": "nginx:1", "memory": 128}]);
    ecs::call(
        &mut aws,
        "RegisterTaskDefinition",
        &json!({"family": "web", "containerDefinitions": containers}),
    )
    .unwrap();

    let service = json!({
        "cluster": "main", "serviceName": "web", "taskDefinition": "web", "desiredCount": count,
    });
    ecs::call(&mut aws, "CreateService", &service).unwrap();
    aws
}

const WEB: &str = "service/main/web";

/// A request about the service `web`.
fn about(mut members: Value) -> Value {
    members["ServiceNamespace"] = NAMESPACE.into();
    members["ResourceId"] = WEB.into();
    members["ScalableDimension"] = DIMENSION.into();
    members
}

fn register(aws: &mut Aws, members: Value) -> Result<Value, ApiError> {
    call(aws, "RegisterScalableTarget", &about(members))
}

/// The error as `code: message`.
fn error(result: Result<Value, ApiError>) -> String {
    result.unwrap_err().to_string()
}

fn described(aws: &mut Aws) -> Value {
    call(
        aws,
        "DescribeScalableTargets",
        &json!({"ServiceNamespace": "ecs"}),
    )
    .unwrap()["ScalableTargets"][0]
        .clone()
}

fn cpu(target: f64) -> Value {
    json!({
        "TargetValue": target,
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "ECSServiceAverageCPUUtilization",
        },
    })
}

fn put(aws: &mut Aws, name: &str, configuration: Value) -> Result<Value, ApiError> {
    let policy = json!({
        "PolicyName": name, "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": configuration,
    });
    call(aws, "PutScalingPolicy", &about(policy))
}

fn run(aws: &mut Aws, seconds: i64) {
    for _ in 0..seconds {
        aws.now += 1000;
        aws.run_due();
    }
}

fn count(aws: &Aws) -> u32 {
    aws.ecs.service_named("main", "web").unwrap().desired_count
}
