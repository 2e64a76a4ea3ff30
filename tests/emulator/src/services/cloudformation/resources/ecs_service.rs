//! ECS services.

use serde_json::{Value, json};

use super::ecs::change_tags;
use super::{Created, Desired, ResourceType, UpdateMethod, answered, gone};
use crate::Aws;
use crate::cloudformation::error::Problem;
use crate::cloudformation::schema;
use crate::cloudformation::stack::{StackResource, changed};
use crate::ecs;

pub(super) const TYPES: &[ResourceType] = &[ResourceType {
    name: "AWS::ECS::Service",
    create,
    update: UpdateMethod::InPlace(update),
    delete,
}];

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

fn create(aws: &mut Aws, desired: &Desired) -> Result<Created, Problem> {
    let mut input = schema::to_api(&desired.properties, schema::of("AWS::ECS::Service"));
    input["serviceName"] = json!(desired.name(aws, "ServiceName"));

    // CloudFormation's own default for a new service; an existing one keeps the count it has.
    if desired.properties.get("DesiredCount").is_none()
        && desired.text("SchedulingStrategy") != Some("DAEMON")
    {
        input["desiredCount"] = json!(1);
    }

    let answer = ecs::call(aws, "CreateService", &input)?;
    made(&answer)
}

/// Sends the template's properties, whatever delivery has changed since; what the template does not
/// give stays.
fn update(aws: &mut Aws, old: &StackResource, desired: &Desired) -> Result<Created, Problem> {
    super::refuse_changes(old, desired, &FIXED)?;
    if old.properties.get("Tags") != desired.properties.get("Tags") {
        change_tags(aws, old, desired)?;
    }
    if changed(old, desired).iter().all(|name| name == "Tags") {
        return Ok(Created {
            physical_id: old.physical_id.clone(),
            attributes: old.attributes.clone(),
        });
    }

    let mut input = schema::to_api(
        &desired.without(&NOT_UPDATED),
        schema::of("AWS::ECS::Service"),
    );
    input["service"] = json!(old.physical_id);
    let answer = ecs::call(aws, "UpdateService", &input)?;
    made(&answer)
}

fn made(answer: &Value) -> Result<Created, Problem> {
    let (arn, name) = (
        answered(answer, "/service/serviceArn")?,
        answered(answer, "/service/serviceName")?,
    );
    Ok(Created::new(arn, json!({"Name": name, "ServiceArn": arn})))
}

fn delete(aws: &mut Aws, old: &StackResource) -> Result<(), Problem> {
    let mut input = json!({"service": old.physical_id, "force": true});
    if let Some(cluster) = old.properties.get("Cluster") {
        input["cluster"] = cluster.clone();
    }
    gone(ecs::call(aws, "DeleteService", &input))
}
