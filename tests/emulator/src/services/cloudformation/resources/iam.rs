//! Roles with their policies.

use std::collections::BTreeMap;
use std::fmt::Display;

use serde_json::{Map, Value, json};

use super::{Created, Desired, ResourceType, Update};
use crate::Aws;
use crate::cloudformation::error::{At, Problem, found};
use crate::cloudformation::iam::{Role, items};
use crate::cloudformation::stack::StackResource;
use crate::iam::check_statement as check_evaluable;

pub(super) const TYPES: &[ResourceType] = &[ResourceType {
    name: "AWS::IAM::Role",
    create: create_role,
    update: Update::InPlace(update_role),
    delete: delete_role,
}];

const MAX_ROLE_NAME_CHARS: usize = 64;

fn create_role(aws: &mut Aws, desired: &Desired) -> Result<Created, Problem> {
    let name = desired.name_within(aws, "RoleName", MAX_ROLE_NAME_CHARS);
    if name.len() > MAX_ROLE_NAME_CHARS {
        return Err(Problem::new(format!(
            "a role name has at most {MAX_ROLE_NAME_CHARS} characters, found {name}"
        )))
        .at("RoleName");
    }
    if aws.cloudformation.iam.role(&name).is_some() {
        return Err(Problem::new(format!(
            "EntityAlreadyExists: Role with name {name} already exists."
        )));
    }
    put_role(aws, name, desired)
}

fn update_role(aws: &mut Aws, old: &StackResource, desired: &Desired) -> Result<Created, Problem> {
    super::refuse_changes(old, desired, &["RoleName", "Path"])?;
    put_role(aws, old.physical_id.clone(), desired)
}

fn put_role(aws: &mut Aws, name: String, desired: &Desired) -> Result<Created, Problem> {
    let path = desired.text("Path").unwrap_or("/").to_owned();
    if !(path.starts_with('/') && path.ends_with('/')) {
        return Err(Problem::new(format!(
            "a path begins and ends with a slash, found {path}"
        )))
        .at("Path");
    }

    let trust = desired.properties["AssumeRolePolicyDocument"].clone();
    check_document(&trust, true).at("AssumeRolePolicyDocument")?;

    let mut policies = BTreeMap::new();
    for (at, policy) in items(&desired.properties["Policies"]).iter().enumerate() {
        check_document(&policy["PolicyDocument"], false)
            .at("PolicyDocument")
            .at(at)
            .at("Policies")?;
        let policy_name = policy["PolicyName"].as_str().unwrap_or_default().to_owned();
        policies.insert(policy_name, policy["PolicyDocument"].clone());
    }

    let managed_policies = items(&desired.properties["ManagedPolicyArns"])
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    let arn = format!("arn:aws:iam::{}:role{path}{name}", aws.account);
    let known = aws.cloudformation.iam.remove(&name);
    let role_id = known.map_or_else(
        || format!("AROA{}", aws.hex(17).to_uppercase()),
        |known| known.id,
    );
    aws.cloudformation.iam.put(Role {
        id: role_id.clone(),
        name: name.clone(),
        arn: arn.clone(),
        path,
        trust,
        managed_policies,
        policies,
    });

    Ok(Created::new(name, json!({"Arn": arn, "RoleId": role_id})))
}

fn delete_role(aws: &mut Aws, old: &StackResource) -> Result<(), Problem> {
    aws.cloudformation.iam.remove(&old.physical_id);
    Ok(())
}

/// Checks that the role trusts the service to which it is passed.
pub(super) fn check_trust(aws: &Aws, arn: &str, service: &str) -> Result<(), Problem> {
    match aws.cloudformation.iam.role_by_arn(arn) {
        Some(role) if role.trusts(service) => Ok(()),
        Some(role) => Err(Problem::new(format!(
            "the role {} cannot be assumed by {service}: its trust policy is {}",
            role.name,
            found(&role.trust)
        ))),
        None => Err(Problem::new(format!("no role {arn}"))),
    }
}

/// Checks the shape of a policy document: IAM refuses misspelt elements too.
pub(super) fn check_document(document: &Value, of_resource: bool) -> Result<(), Problem> {
    let entries = document.as_object().ok_or_else(|| {
        Problem::new(format!(
            "a policy document is a map, found {}",
            found(document)
        ))
    })?;
    if let Some(unknown) = entries
        .keys()
        .find(|key| !["Version", "Id", "Statement"].contains(&key.as_str()))
    {
        return Err(Problem::new("MalformedPolicyDocument: unknown element")).at(unknown);
    }
    if items(&document["Statement"]).is_empty() {
        return Err(Problem::new("MalformedPolicyDocument: no statement"));
    }

    items(&document["Statement"])
        .iter()
        .enumerate()
        .try_for_each(|(at, statement)| {
            check_statement(statement, of_resource)
                .at(at)
                .at("Statement")
        })
}

fn malformed(what: impl Display) -> Problem {
    Problem::new(format!("MalformedPolicyDocument: {what}"))
}

fn check_statement(statement: &Value, of_resource: bool) -> Result<(), Problem> {
    let entries = statement
        .as_object()
        .ok_or_else(|| Problem::new("a statement is a map"))?;
    check_elements(entries)?;
    check_actions(statement)?;

    let has = |one: &str| entries.contains_key(one);
    if of_resource != has("Principal") {
        return Err(malformed(if of_resource {
            "Principal is missing"
        } else {
            "a policy of a role has no Principal"
        }));
    }
    if !of_resource && has("Resource") == has("NotResource") {
        return Err(malformed("a statement has either Resource or NotResource"));
    }
    check_resources(statement)?;

    // Resource policies are evaluated by their own services.
    if of_resource {
        return Ok(());
    }
    check_evaluable(statement).map_err(|unsupported| Problem::new(unsupported.to_string()))
}

/// Checks that the elements are known, that there is an effect, and that there is one element for
/// the actions.
fn check_elements(entries: &Map<String, Value>) -> Result<(), Problem> {
    const ELEMENTS: [&str; 8] = [
        "Sid",
        "Effect",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
        "Principal",
    ];

    if let Some(unknown) = entries.keys().find(|key| !ELEMENTS.contains(&key.as_str())) {
        return Err(malformed(format!(
            "unknown element {unknown}; known are {}",
            ELEMENTS.join(", ")
        )));
    }

    let effect = entries.get("Effect").unwrap_or(&Value::Null);
    if effect != "Allow" && effect != "Deny" {
        return Err(malformed(format!(
            "Effect is Allow or Deny, found {effect}"
        )));
    }
    if entries.contains_key("Action") == entries.contains_key("NotAction") {
        return Err(malformed("a statement has either Action or NotAction"));
    }
    Ok(())
}

fn check_actions(statement: &Value) -> Result<(), Problem> {
    for action in items(&statement["Action"])
        .iter()
        .chain(items(&statement["NotAction"]))
    {
        let text = action.as_str().unwrap_or_default();
        if text != "*"
            && !text
                .split_once(':')
                .is_some_and(|(service, name)| !service.is_empty() && !name.is_empty())
        {
            return Err(malformed(format!(
                "an action is service:Operation, found {action}"
            )));
        }
    }
    Ok(())
}

fn check_resources(statement: &Value) -> Result<(), Problem> {
    let resources = items(&statement["Resource"])
        .iter()
        .chain(items(&statement["NotResource"]));
    for resource in resources {
        let text = resource.as_str().unwrap_or_default();
        if text != "*" && text.splitn(6, ':').count() != 6 {
            return Err(malformed(format!(
                "a resource is an ARN or *, found {resource}"
            )));
        }
    }
    Ok(())
}
