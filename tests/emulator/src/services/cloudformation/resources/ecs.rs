//! ECS clusters, and the shapes that task definitions and services share.

use serde_json::json;

use super::{Created, Desired, ResourceType, Update, answered, gone};
use crate::Aws;
use crate::cloudformation::error::Problem;
use crate::cloudformation::schema;
use crate::cloudformation::stack::StackResource;
use crate::ecs;

pub(super) const TYPES: &[ResourceType] = &[ResourceType {
    name: "AWS::ECS::Cluster",
    create,
    update: Update::Refuse,
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
