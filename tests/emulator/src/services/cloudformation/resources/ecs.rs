//! ECS clusters, and the shapes that task definitions and services share.

use serde_json::{Value, json};

use super::{Created, Desired, ResourceType, UpdateMethod, answered, gone};
use crate::Aws;
use crate::cloudformation::error::Problem;
use crate::cloudformation::stack::StackResource;
use crate::cloudformation::tags::PROPERTY;
use crate::cloudformation::{items, schema};
use crate::ecs;

pub(super) const TYPES: &[ResourceType] = &[ResourceType {
    name: "AWS::ECS::Cluster",
    create,
    update: UpdateMethod::Refuse,
    delete,
}];

fn create(aws: &mut Aws, desired: &Desired) -> Result<Created, Problem> {
    let name = desired.name(aws, "ClusterName");
    let mut input = schema::to_api(&desired.properties, schema::of("AWS::ECS::Cluster"));
    input["clusterName"] = json!(name);
    let answer = ecs::call(aws, "CreateCluster", &input)?;

    Ok(Created::new(
        name,
        json!({ "Arn": answered(&answer, "/cluster/clusterArn")? }),
    ))
}

fn delete(aws: &mut Aws, old: &StackResource) -> Result<(), Problem> {
    gone(ecs::call(
        aws,
        "DeleteCluster",
        &json!({ "cluster": old.physical_id }),
    ))
}

/// Changes the tags of a cluster, a service or a task definition.
pub(super) fn change_tags(
    aws: &mut Aws,
    old: &StackResource,
    desired: &Desired,
) -> Result<(), Problem> {
    let arn = old.attributes.get("Arn").and_then(Value::as_str);
    let arn = arn.unwrap_or(&old.physical_id);
    let keys = |properties: &Value| -> Vec<Value> {
        let tags = items(&properties[PROPERTY]).iter();
        tags.map(|tag| tag["Key"].clone()).collect()
    };
    let kept = keys(&desired.properties);
    let mut gone = keys(&old.properties);
    gone.retain(|key| !kept.contains(key));

    if !gone.is_empty() {
        let input = json!({"resourceArn": arn, "tagKeys": gone});
        ecs::call(aws, "UntagResource", &input)?;
    }
    if let Some(tags) = schema::to_api(&desired.properties, schema::of(desired.kind)).get("tags") {
        let input = json!({"resourceArn": arn, "tags": tags});
        ecs::call(aws, "TagResource", &input)?;
    }
    Ok(())
}
