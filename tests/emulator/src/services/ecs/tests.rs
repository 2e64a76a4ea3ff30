//! The rules of ECS, each by its own test. `World` builds what a test needs; images named after a
//! behaviour have it.

use serde_json::{Value, json};

use super::*;
use crate::ecr::Behaviour;
use crate::elb;

mod alarms;
mod api;
mod breaker;
mod colours;
mod commands;
mod definitions;
mod discovery;
mod exits;
mod fates;
mod listings;
mod networks;
mod overload;
mod placement;
mod protection;
mod registration;
mod replacements;
mod rollouts;
mod run_task;
mod service_deployments;
mod service_ports;
mod service_volumes;
mod truth;

/// An account with the cluster `main` and one target group behind a load balancer.
struct World {
    aws: Aws,
    target_group: String,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut aws = Aws::new(seed);
        let group = json!({
            "Name": "web", "TargetType": "ip", "Port": 80, "HealthCheckIntervalSeconds": 10,
            "HealthyThresholdCount": 2,
            "TargetGroupAttributes": [
                {"Key": "deregistration_delay.timeout_seconds", "Value": "30"},
            ],
        });
        let target_group = text(&elb::create_target_group(&mut aws, &group).unwrap()["Arn"]);
        let balancer = elb::create_load_balancer(&mut aws, &json!({"Name": "web"})).unwrap();
        let listener = json!({
            "LoadBalancerArn": balancer["Arn"], "Port": 80,
            "DefaultActions": [{"Type": "forward", "TargetGroupArn": target_group}],
        });
        elb::create_listener(&mut aws, &listener).unwrap();

        let mut world = Self { aws, target_group };
        world.ok("CreateCluster", json!({"clusterName": "main"}));
        world
    }

    fn call(&mut self, operation: &str, input: Value) -> Result<Value, ApiError> {
        call(&mut self.aws, operation, &input)
    }

    fn ok(&mut self, operation: &str, input: Value) -> Value {
        self.call(operation, input).unwrap()
    }

    /// The error as `code: message`.
    fn err(&mut self, operation: &str, input: Value) -> String {
        self.call(operation, input).unwrap_err().to_string()
    }

    /// Registers a Fargate definition of the family `web` with one image.
    fn fargate(&mut self, image: &str) -> String {
        let definition = json!({
            "family": "web", "networkMode": "awsvpc", "cpu": "256", "memory": "512",
            "requiresCompatibilities": ["FARGATE"],
            "containerDefinitions": [
                {"name": "app", "image": image, "portMappings": [{"containerPort": 80}]},
            ],
        });
        text(&self.ok("RegisterTaskDefinition", definition)["taskDefinition"]["taskDefinitionArn"])
    }

    /// Registers an EC2 definition of the family `web` whose container has host port 80.
    fn ec2(&mut self, image: &str) -> String {
        let definition = json!({
            "family": "web",
            "containerDefinitions": [
                {
                    "name": "app", "image": image, "memory": 128,
                    "portMappings": [{"containerPort": 80, "hostPort": 80}],
                },
            ],
        });
        text(&self.ok("RegisterTaskDefinition", definition)["taskDefinition"]["taskDefinitionArn"])
    }

    /// The request for a service `web` on Fargate behind the load balancer.
    fn balanced(&self, desired: u32) -> Value {
        json!({
            "cluster": "main", "serviceName": "web", "taskDefinition": "web",
            "desiredCount": desired, "launchType": "FARGATE",
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
            "loadBalancers": [
                {"targetGroupArn": self.target_group, "containerName": "app", "containerPort": 80},
            ],
            "deploymentConfiguration": {
                "deploymentCircuitBreaker": {"enable": true, "rollback": true},
            },
        })
    }

    fn service(&mut self) -> Value {
        self.ok(
            "DescribeServices",
            json!({"cluster": "main", "services": ["web"]}),
        )["services"][0]
            .clone()
    }

    /// Goes on second by second; `each` sees every one.
    fn run(&mut self, seconds: u32, mut each: impl FnMut(&Aws)) {
        for _ in 0..seconds {
            self.aws.now += 1000;
            self.aws.run_due();
            each(&self.aws);
        }
    }

    fn healthy(aws: &Aws) -> usize {
        aws.ecs.tasks.values().filter(|task| task.healthy).count()
    }

    fn messages(&mut self) -> Vec<String> {
        self.service()["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| text(&event["message"]))
            .collect()
    }
}

/// The fate of images of a registry that only these tests know.
pub(super) fn fate(image: &str) -> Option<Result<Behaviour, String>> {
    match image.strip_prefix("fate.test/")? {
        "exits" => Some(Ok(Behaviour::Exits)),
        other if other.starts_with("exits-after-") => Some(Ok(Behaviour::ExitsAfter(
            other.trim_start_matches("exits-after-").parse().unwrap(),
        ))),
        "never-healthy" => Some(Ok(Behaviour::NeverHealthy)),
        "fails-under-traffic" => Some(Ok(Behaviour::FailsUnderTraffic)),
        other if other.starts_with("fails-after-") => Some(Ok(Behaviour::FailsAfter(
            other.trim_start_matches("fails-after-").parse().unwrap(),
        ))),
        _ => Some(Err("CannotPullContainerError: not found".to_owned())),
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is not a text"))
        .to_owned()
}
