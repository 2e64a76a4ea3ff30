//! ECS services.

use serde_json::{Value, json};

use super::ecs::{CAPACITY_PROVIDER_STRATEGY, LOG_CONFIGURATION, PLACEMENT_CONSTRAINTS};
use super::{Made, ResourceType, Update, Wish, answered, gone};
use crate::Aws;
use crate::cloudformation::error::Problem;
use crate::cloudformation::schema::Kind::{self, Boolean, Integer, List, Object, Text};
use crate::cloudformation::schema::{TAGS, TEXTS, may, need, to_api};
use crate::cloudformation::stack::{StackResource, changed};
use crate::ecs;

pub(super) const TYPES: &[ResourceType] = &[ResourceType {
    name: "AWS::ECS::Service",
    properties: SERVICE,
    create,
    update: Update::InPlace(update),
    delete,
}];

const LOAD_BALANCER: Kind = Object(&[
    may(
        "AdvancedConfiguration",
        Object(&[
            need("AlternateTargetGroupArn", Text),
            may("ProductionListenerRule", Text),
            may("RoleArn", Text),
            may("TestListenerRule", Text),
        ]),
    ),
    may("ContainerName", Text),
    may("ContainerPort", Integer),
    may("LoadBalancerName", Text),
    may("TargetGroupArn", Text),
]);
const LIFECYCLE_HOOK: Kind = Object(&[
    need("HookTargetArn", Text),
    need("LifecycleStages", TEXTS),
    need("RoleArn", Text),
]);
const DEPLOYMENT_CONFIGURATION: Kind = Object(&[
    may(
        "Alarms",
        Object(&[
            need("AlarmNames", TEXTS),
            need("Enable", Boolean),
            need("Rollback", Boolean),
        ]),
    ),
    may("BakeTimeInMinutes", Integer),
    may(
        "CanaryConfiguration",
        Object(&[
            may("CanaryBakeTimeInMinutes", Integer),
            may("CanaryPercent", Kind::Number),
        ]),
    ),
    may(
        "DeploymentCircuitBreaker",
        Object(&[need("Enable", Boolean), need("Rollback", Boolean)]),
    ),
    may("LifecycleHooks", List(&LIFECYCLE_HOOK)),
    may(
        "LinearConfiguration",
        Object(&[
            may("StepBakeTimeInMinutes", Integer),
            may("StepPercent", Kind::Number),
        ]),
    ),
    may("MaximumPercent", Integer),
    may("MinimumHealthyPercent", Integer),
    may("Strategy", Text),
]);
const NETWORK_CONFIGURATION: Kind = Object(&[may(
    "AwsvpcConfiguration",
    Object(&[
        may("AssignPublicIp", Text),
        may("SecurityGroups", TEXTS),
        may("Subnets", TEXTS),
    ]),
)]);
const SERVICE_CONNECT: Kind = Object(&[
    need("Enabled", Boolean),
    may("LogConfiguration", LOG_CONFIGURATION),
    may("Namespace", Text),
]);
const SERVICE_REGISTRY: Kind = Object(&[
    may("ContainerName", Text),
    may("ContainerPort", Integer),
    may("Port", Integer),
    may("RegistryArn", Text),
]);
const SERVICE: Kind = Object(&[
    may("AvailabilityZoneRebalancing", Text),
    may("CapacityProviderStrategy", CAPACITY_PROVIDER_STRATEGY),
    may("Cluster", Text),
    may("DeploymentConfiguration", DEPLOYMENT_CONFIGURATION),
    may("DeploymentController", Object(&[may("Type", Text)])),
    may("DesiredCount", Integer),
    may("EnableECSManagedTags", Boolean),
    may("EnableExecuteCommand", Boolean),
    may("HealthCheckGracePeriodSeconds", Integer),
    may("LaunchType", Text),
    may("LoadBalancers", List(&LOAD_BALANCER)),
    may("NetworkConfiguration", NETWORK_CONFIGURATION),
    may("PlacementConstraints", PLACEMENT_CONSTRAINTS),
    may(
        "PlacementStrategies",
        List(&Object(&[may("Field", Text), need("Type", Text)])),
    )
    .api("placementStrategy"),
    may("PlatformVersion", Text),
    may("PropagateTags", Text),
    may("Role", Text),
    may("SchedulingStrategy", Text),
    may("ServiceConnectConfiguration", SERVICE_CONNECT),
    may("ServiceName", Text),
    may("ServiceRegistries", List(&SERVICE_REGISTRY)),
    may("Tags", TAGS),
    may("TaskDefinition", Text),
]);

/// A change of these would replace the service.
const FIXED: [&str; 6] = [
    "Cluster",
    "LaunchType",
    "Role",
    "SchedulingStrategy",
    "ServiceName",
    "DeploymentController",
];
/// What UpdateService does not take.
const NOT_UPDATED: [&str; 6] = [
    "LaunchType",
    "Role",
    "SchedulingStrategy",
    "ServiceName",
    "DeploymentController",
    "Tags",
];

fn create(aws: &mut Aws, wish: &Wish) -> Result<Made, Problem> {
    let mut input = to_api(&wish.properties, SERVICE);
    input["serviceName"] = json!(wish.name(aws, "ServiceName"));
    // CloudFormation's own default for a new service; an existing one keeps the count it has.
    if wish.properties.get("DesiredCount").is_none()
        && wish.text("SchedulingStrategy") != Some("DAEMON")
    {
        input["desiredCount"] = json!(1);
    }
    let answer = ecs::call(aws, "CreateService", &input)?;
    made(&answer)
}

/// Sends the template's properties, whatever delivery has changed since; what the template does not give stays.
fn update(aws: &mut Aws, old: &StackResource, wish: &Wish) -> Result<Made, Problem> {
    super::refuse_changes(old, wish, &FIXED)?;
    if old.properties.get("Tags") != wish.properties.get("Tags") {
        update_tags(aws, old, wish)?;
    }
    if changed(old, wish).iter().all(|name| name == "Tags") {
        return Ok(Made {
            physical_id: old.physical_id.clone(),
            attributes: old.attributes.clone(),
        });
    }
    let mut input = to_api(&wish.without(&NOT_UPDATED), SERVICE);
    input["service"] = json!(old.physical_id);
    let answer = ecs::call(aws, "UpdateService", &input)?;
    made(&answer)
}

fn update_tags(aws: &mut Aws, old: &StackResource, wish: &Wish) -> Result<(), Problem> {
    let keys = |properties: &Value| -> Vec<Value> {
        properties["Tags"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|tag| tag["Key"].clone())
            .collect()
    };
    let kept = keys(&wish.properties);
    let gone: Vec<Value> = keys(&old.properties)
        .into_iter()
        .filter(|key| !kept.contains(key))
        .collect();
    if !gone.is_empty() {
        ecs::call(
            aws,
            "UntagResource",
            &json!({"resourceArn": old.physical_id, "tagKeys": gone}),
        )?;
    }
    if let Some(tags) = to_api(&wish.properties, SERVICE).get("tags") {
        ecs::call(
            aws,
            "TagResource",
            &json!({"resourceArn": old.physical_id, "tags": tags}),
        )?;
    }
    Ok(())
}

fn made(answer: &Value) -> Result<Made, Problem> {
    let (arn, name) = (
        answered(answer, "/service/serviceArn")?,
        answered(answer, "/service/serviceName")?,
    );
    Ok(Made::new(arn, json!({"Name": name, "ServiceArn": arn})))
}

fn delete(aws: &mut Aws, old: &StackResource) -> Result<(), Problem> {
    let mut input = json!({"service": old.physical_id, "force": true});
    if let Some(cluster) = old.properties.get("Cluster") {
        input["cluster"] = cluster.clone();
    }
    gone(ecs::call(aws, "DeleteService", &input))
}
