//! Inline policies that are resources of their own, put into roles beside the policies that these
//! have themselves.

use serde_json::{Value, json};

use super::policy_document::check_document;
use super::{Created, Desired, ResourceType, UpdateMethod};
use crate::Aws;
use crate::cloudformation::error::{At, Problem};
use crate::cloudformation::iam::items;
use crate::cloudformation::stack::StackResource;

pub(super) const TYPES: &[ResourceType] = &[ResourceType {
    name: "AWS::IAM::Policy",
    create,
    update: UpdateMethod::InPlace(update),
    delete,
}];

fn create(aws: &mut Aws, desired: &Desired) -> Result<Created, Problem> {
    put(aws, &desired.properties)?;
    let id = desired.made_up_name(aws);
    Ok(Created::new(id.clone(), json!({ "Id": id })))
}

fn update(aws: &mut Aws, old: &StackResource, desired: &Desired) -> Result<Created, Problem> {
    delete(aws, old)?;
    put(aws, &desired.properties)?;
    Ok(Created {
        physical_id: old.physical_id.clone(),
        attributes: old.attributes.clone(),
    })
}

/// Puts the policy into the roles; the sandbox has neither groups nor users.
fn put(aws: &mut Aws, properties: &Value) -> Result<(), Problem> {
    for member in ["Groups", "Users"] {
        if !items(&properties[member]).is_empty() {
            return Err(Problem::new("the sandbox has roles only")).at(member);
        }
    }
    let roles = items(&properties["Roles"]);
    if roles.is_empty() {
        return Err(Problem::new(
            "At least one of [Groups,Roles,Users] must be non-empty.",
        ));
    }

    let document = &properties["PolicyDocument"];
    check_document(document, false).at("PolicyDocument")?;
    for role in roles.iter().filter_map(Value::as_str) {
        let found = aws.cloudformation.iam.role_mut(role).ok_or_else(|| {
            Problem::new(format!(
                "NoSuchEntity: The role with name {role} cannot be found."
            ))
        })?;
        found.policies.insert(name(properties), document.clone());
    }
    Ok(())
}

fn name(properties: &Value) -> String {
    let name = properties["PolicyName"].as_str();
    name.unwrap_or_default().to_owned()
}

fn delete(aws: &mut Aws, old: &StackResource) -> Result<(), Problem> {
    for role in items(&old.properties["Roles"])
        .iter()
        .filter_map(Value::as_str)
    {
        if let Some(role) = aws.cloudformation.iam.role_mut(role) {
            role.policies.remove(&name(&old.properties));
        }
    }
    Ok(())
}
