//! ECS clusters, and the shapes that task definitions and services share.

use serde_json::json;

use super::{Made, ResourceType, Update, Wish, answered, gone};
use crate::Aws;
use crate::cloudformation::error::Problem;
use crate::cloudformation::schema::Kind::{self, Integer, List, Map as Entries, Object, Text};
use crate::cloudformation::schema::{TAGS, TEXTS, may, need, to_api};
use crate::cloudformation::stack::StackResource;
use crate::ecs;

pub(super) const TYPES: &[ResourceType] = &[ResourceType {
    name: "AWS::ECS::Cluster",
    properties: CLUSTER,
    create,
    update: Update::Refuse,
    delete,
}];

pub(super) const CAPACITY_PROVIDER_STRATEGY: Kind = List(&Object(&[
    may("Base", Integer),
    may("CapacityProvider", Text),
    may("Weight", Integer),
]));
pub(super) const LOG_CONFIGURATION: Kind = Object(&[
    need("LogDriver", Text),
    may("Options", Entries(&Text)),
    may("SecretOptions", SECRETS),
]);
pub(super) const SECRETS: Kind = List(&Object(&[need("Name", Text), need("ValueFrom", Text)]));
pub(super) const PLACEMENT_CONSTRAINTS: Kind =
    List(&Object(&[may("Expression", Text), need("Type", Text)]));

const CLUSTER: Kind = Object(&[
    may("CapacityProviders", TEXTS),
    may("ClusterName", Text),
    may(
        "ClusterSettings",
        List(&Object(&[may("Name", Text), may("Value", Text)])),
    )
    .api("settings"),
    may(
        "DefaultCapacityProviderStrategy",
        CAPACITY_PROVIDER_STRATEGY,
    ),
    may("Tags", TAGS),
]);

fn create(aws: &mut Aws, wish: &Wish) -> Result<Made, Problem> {
    let name = wish.name(aws, "ClusterName");
    let mut input = to_api(&wish.properties, CLUSTER);
    input["clusterName"] = json!(name);
    let answer = ecs::call(aws, "CreateCluster", &input)?;
    Ok(Made::new(
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
