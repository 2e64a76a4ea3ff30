//! Image repositories.

use serde_json::{Value, json};

use super::{Created, Desired, ResourceType, Update, answered, gone};
use crate::Aws;
use crate::cloudformation::error::Problem;
use crate::cloudformation::schema;
use crate::cloudformation::stack::StackResource;
use crate::ecr;

pub(super) const TYPES: &[ResourceType] = &[ResourceType {
    name: "AWS::ECR::Repository",
    create,
    update: Update::InPlace(update),
    delete,
}];

/// What other operations than CreateRepository set; images do not expire in the sandbox, and
/// everyone may pull.
const SET_APART: [&str; 3] = ["EmptyOnDelete", "LifecyclePolicy", "RepositoryPolicyText"];

fn create(aws: &mut Aws, desired: &Desired) -> Result<Created, Problem> {
    let name = desired.name(aws, "RepositoryName").to_lowercase();
    let mut input = schema::to_api(
        &desired.without(&SET_APART),
        schema::of("AWS::ECR::Repository"),
    );
    input["repositoryName"] = json!(name);

    // Tags are the one part of ECR's API that is spelt with capitals.
    if let Some(tags) = desired.properties.get("Tags") {
        input["tags"] = tags.clone();
    }

    let answer = ecr::call(aws, "CreateRepository", &input)?;
    let (arn, uri) = (
        answered(&answer, "/repository/repositoryArn")?,
        answered(&answer, "/repository/repositoryUri")?,
    );
    Ok(Created::new(
        name,
        json!({"Arn": arn, "RepositoryUri": uri}),
    ))
}

fn update(_aws: &mut Aws, old: &StackResource, desired: &Desired) -> Result<Created, Problem> {
    super::refuse_changes(
        old,
        desired,
        &[
            "EncryptionConfiguration",
            "ImageTagMutability",
            "ImageTagMutabilityExclusionFilters",
            "RepositoryName",
        ],
    )?;
    Ok(Created {
        physical_id: old.physical_id.clone(),
        attributes: old.attributes.clone(),
    })
}

fn delete(aws: &mut Aws, old: &StackResource) -> Result<(), Problem> {
    let force: bool = old
        .properties
        .get("EmptyOnDelete")
        .and_then(Value::as_bool)
        .unwrap_or_default();
    gone(ecr::call(
        aws,
        "DeleteRepository",
        &json!({"repositoryName": old.physical_id, "force": force}),
    ))
}
