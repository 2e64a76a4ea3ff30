//! What is unusual about some services: AWS permits it, and the templates do not make it. One of
//! the rows below, at most, is drawn for a shape.

use serde_json::{Value, json};

use super::account::{SERVICE_STACK, stack};
use super::{SIBLING_PIPELINE, Shape, makes_room};
use crate::canary::ALARM;
use emulator::{Aws, cloudwatch, ecs};
use harness::demo::{CLUSTER, WEB, task_roles};

/// What is unusual about a service before its first release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// The revision that it runs has no tags.
    NoTags,
    /// The revision that it runs was deregistered.
    Inactive,
    /// ECS watches an alarm for a while before it completes a deployment.
    Alarms,
    /// One of the instances of its cluster is DRAINING.
    Draining,
    /// Its PRIMARY deployment failed, and the one before serves.
    Failed,
    /// It registers with a Classic Load Balancer, so that ECS shows no rollout state.
    Classic,
    /// Another service, without a pipeline, runs a revision of the same family.
    Sibling,
    /// The same, and a pipeline of its own releases the same images.
    ReleasedSibling,
}

/// The other service of the family, with one task.
pub(crate) const SIBLING: &str = "web-internal";

/// What is unusual, for how many of [`OF`] shapes it is drawn, and which of these can have it.
type Row = (Oddity, u8, fn(&Shape) -> bool);

/// A row that is added goes to the end, so that what was drawn before stays.
const TABLE: [Row; 8] = [
    (Oddity::NoTags, 4, any),
    (Oddity::Inactive, 4, any),
    (Oddity::Alarms, 4, any),
    (Oddity::Draining, 8, |shape: &Shape| !shape.fargate),
    // Nothing fails without a task, and all old tasks stay while none has to make room.
    (Oddity::Failed, 8, |shape: &Shape| {
        shape.count > 0 && !makes_room(shape.strategy)
    }),
    // The network mode of tasks on Fargate cannot use one.
    (Oddity::Classic, 8, |shape: &Shape| !shape.fargate),
    // With a fixed port both would need instances of their own.
    (Oddity::Sibling, 4, is_dynamic),
    (Oddity::ReleasedSibling, 8, is_dynamic),
];

/// What the numbers of the table are parts of.
const OF: u8 = 64;

impl Oddity {
    /// Draws what is unusual about a shape: nothing for about half of them, 31 of 64.
    pub(super) fn draw(rng: &mut fastrand::Rng, shape: &Shape) -> Option<Self> {
        let mut drawn = rng.u8(..OF);
        for (oddity, part, permits) in TABLE {
            if drawn < part {
                return permits(shape).then_some(oddity);
            }
            drawn -= part;
        }
        None
    }

    /// The shape with it: nothing else is unusual then, and a rollout has the time to end, so that
    /// a healthy release must be deployed.
    pub(super) fn of(self, shape: Shape) -> Shape {
        Shape {
            deadline_minutes: 15,
            early_success: None,
            rebalanced: false,
            load_balanced: shape.load_balanced && self != Self::Classic,
            oddity: Some(self),
            ..shape
        }
    }

    /// A word for it, for counting.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoTags => "a revision without tags",
            Self::Inactive => "a deregistered revision",
            Self::Alarms => "deployment alarms",
            Self::Draining => "a draining instance",
            Self::Failed => "a failed deployment",
            Self::Classic => "a Classic Load Balancer",
            Self::Sibling => "another service of its family",
            Self::ReleasedSibling => "another service of its family with a pipeline",
        }
    }

    /// Makes the service of an account that is steady one of these. On AWS it may have been made in
    /// another way: a service behind a Classic Load Balancer is created so.
    pub(super) fn make(self, aws: &mut Aws) -> Result<(), String> {
        match self {
            Self::NoTags => redeploy(aws, |request| {
                if let Some(members) = request.as_object_mut() {
                    members.remove("tags");
                }
            })
            .map(drop),
            Self::Inactive => {
                let running = redeploy(aws, |_| ())?;
                let gone = json!({ "taskDefinition": running });
                call(aws, "DeregisterTaskDefinition", &gone).map(drop)
            }
            Self::Alarms => {
                cloudwatch::set_alarm(aws, ALARM, "OK");
                let alarms = json!({"alarmNames": [ALARM], "enable": true, "rollback": true});
                update(
                    aws,
                    json!({"deploymentConfiguration": { "alarms": alarms }}),
                )
            }
            Self::Draining => drain(aws),
            Self::Failed => {
                let breaker = json!({"enable": true, "rollback": false});
                update(
                    aws,
                    json!({"deploymentConfiguration": { "deploymentCircuitBreaker": breaker }}),
                )?;
                let host = format!("{}.dkr.ecr.{}.amazonaws.com", aws.account, aws.region);
                redeploy(aws, |request| {
                    let missing = json!(format!("{host}/{WEB}:missing"));
                    request["containerDefinitions"][0]["image"] = missing;
                })
                .map(drop)
            }
            Self::Classic => {
                let balancer = json!({
                    "loadBalancerName": "old", "containerName": "web", "containerPort": 8080,
                });
                update(aws, json!({ "loadBalancers": [balancer] }))
            }
            Self::Sibling => create_sibling(aws),
            Self::ReleasedSibling => {
                create_sibling(aws)?;
                deploy_sibling_pipeline(aws)
            }
        }
    }
}

fn any(_: &Shape) -> bool {
    true
}

fn is_dynamic(shape: &Shape) -> bool {
    !shape.static_port
}

/// Registers what the service runs once more, with a change, and deploys it; returns its ARN.
fn redeploy(aws: &mut Aws, change: impl FnOnce(&mut Value)) -> Result<String, String> {
    let service = aws.ecs.service_named(CLUSTER, WEB);
    let primary = service.and_then(|service| service.primary());
    let runs = primary.and_then(|primary| aws.ecs.request_of(&primary.task_definition));
    let mut request = runs.ok_or("the service runs nothing")?.clone();
    change(&mut request);

    let registered = call(aws, "RegisterTaskDefinition", &request)?;
    let arn = registered["taskDefinition"]["taskDefinitionArn"]
        .as_str()
        .ok_or("the revision has no ARN")?
        .to_owned();
    update(aws, json!({ "taskDefinition": arn }))?;
    Ok(arn)
}

/// Creates the other service, which runs what this one runs.
fn create_sibling(aws: &mut Aws) -> Result<(), String> {
    let input = json!({"cluster": CLUSTER, "services": [WEB]});
    let found = call(aws, "DescribeServices", &input)?;
    let web = &found["services"][0];
    let breaker = json!({"enable": true, "rollback": true});
    let mut request = json!({
        "cluster": CLUSTER, "serviceName": SIBLING, "desiredCount": 1,
        "taskDefinition": web["taskDefinition"], "launchType": web["launchType"],
        "availabilityZoneRebalancing": "DISABLED",
        "deploymentConfiguration": { "deploymentCircuitBreaker": breaker },
        "tags": [{"key": "slipway:service", "value": SIBLING}],
    });
    if !web["networkConfiguration"].is_null() {
        request["networkConfiguration"] = web["networkConfiguration"].clone();
    }
    call(aws, "CreateService", &request).map(drop)
}

/// Deploys the pipeline that releases the other service from the same repository.
fn deploy_sibling_pipeline(aws: &mut Aws) -> Result<(), String> {
    // It runs the other service's task definition, with its roles.
    let roles = task_roles(aws, SERVICE_STACK)?;
    let parameters = [
        ("PipelineName", SIBLING_PIPELINE),
        ("Cluster", CLUSTER),
        ("Service", SIBLING),
        ("Repository", WEB),
        ("ContainerName", "web"),
        ("TaskRoleArns", roles.as_str()),
        ("Strategy", "rolling"),
        ("DeadlineMinutes", "15"),
    ];
    let parameters = parameters.map(|(name, value)| (name, value.to_owned()));
    let template = "infra/pipelines/in-place.yaml";
    stack(aws, "web-internal-pipeline", template, &parameters)
}

/// Drains an instance that has no task; another one takes its place.
fn drain(aws: &mut Aws) -> Result<(), String> {
    ecs::add_container_instances(aws, CLUSTER, 1);
    let mut instances = aws.ecs.instances.values();
    let idle = instances.find(|instance| instance.ports.is_empty());
    let idle = idle.ok_or("every instance has tasks")?.arn.clone();

    let drains = json!({
        "cluster": CLUSTER, "containerInstances": [idle], "status": "DRAINING",
    });
    call(aws, "UpdateContainerInstancesState", &drains).map(drop)
}

/// Changes the service.
fn update(aws: &mut Aws, mut change: Value) -> Result<(), String> {
    change["cluster"] = json!(CLUSTER);
    change["service"] = json!(WEB);
    call(aws, "UpdateService", &change).map(drop)
}

fn call(aws: &mut Aws, operation: &str, input: &Value) -> Result<Value, String> {
    ecs::call(aws, operation, input).map_err(|error| error.to_string())
}
