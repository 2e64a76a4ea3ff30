//! ECS task definitions: every change but one of the tags alone is a new revision, and the old one
//! is deregistered.

use serde_json::json;

use super::{Created, Desired, ResourceType, UpdateMethod, answered, gone};
use crate::Aws;
use crate::cloudformation::error::Problem;
use crate::cloudformation::schema;
use crate::cloudformation::stack::StackResource;
use crate::ecs;

pub(super) const TYPES: &[ResourceType] = &[ResourceType {
    name: "AWS::ECS::TaskDefinition",
    create,
    update: UpdateMethod::Replace,
    delete,
}];

fn create(aws: &mut Aws, desired: &Desired) -> Result<Created, Problem> {
    let mut input = schema::to_api(&desired.properties, schema::of("AWS::ECS::TaskDefinition"));
    input["family"] = json!(desired.name(aws, "Family"));
    let answer = ecs::call(aws, "RegisterTaskDefinition", &input)?;
    let arn = answered(&answer, "/taskDefinition/taskDefinitionArn")?;
    Ok(Created::new(arn, json!({ "TaskDefinitionArn": arn })))
}

fn delete(aws: &mut Aws, old: &StackResource) -> Result<(), Problem> {
    gone(ecs::call(
        aws,
        "DeregisterTaskDefinition",
        &json!({ "taskDefinition": old.physical_id }),
    ))
}
