//! Image repositories.

use serde_json::{Value, json};

use super::policy_document::check_document;
use super::{Created, Desired, ResourceType, UpdateMethod, answered, gone};
use crate::Aws;
use crate::cloudformation::error::{At, Problem};
use crate::cloudformation::stack::StackResource;
use crate::cloudformation::{items, schema};
use crate::ecr;
use crate::iam::check_statement;

pub(super) const TYPES: &[ResourceType] = &[ResourceType {
    name: "AWS::ECR::Repository",
    create,
    update: UpdateMethod::InPlace(update),
    delete,
}];

/// What other operations than CreateRepository set; images do not expire in the sandbox.
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

    let policy = policy(desired)?;
    let answer = ecr::call(aws, "CreateRepository", &input)?;
    ecr::set_policy(aws, &name, policy);
    let (arn, uri) = (
        answered(&answer, "/repository/repositoryArn")?,
        answered(&answer, "/repository/repositoryUri")?,
    );
    Ok(Created::new(
        name,
        json!({"Arn": arn, "RepositoryUri": uri}),
    ))
}

fn update(aws: &mut Aws, old: &StackResource, desired: &Desired) -> Result<Created, Problem> {
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
    ecr::set_policy(aws, &old.physical_id, policy(desired)?);
    Ok(Created {
        physical_id: old.physical_id.clone(),
        attributes: old.attributes.clone(),
    })
}

/// The policy that the template gives the repository, which must be one that can be evaluated.
fn policy(desired: &Desired) -> Result<Option<Value>, Problem> {
    let Some(policy) = desired.properties.get("RepositoryPolicyText") else {
        return Ok(None);
    };
    check_policy(policy).at("RepositoryPolicyText")?;
    Ok(Some(policy.clone()))
}

fn check_policy(policy: &Value) -> Result<(), Problem> {
    check_document(policy, true)?;
    items(&policy["Statement"])
        .iter()
        .try_for_each(check_statement)
        .map_err(|unsupported| Problem::new(unsupported.to_string()))
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
