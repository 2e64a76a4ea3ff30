//! Roles and managed policies.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::policy_document::check_document;
use super::{Created, Desired, ResourceType, UpdateMethod, trust};
use crate::Aws;
use crate::cloudformation::error::{At, Problem, found};
use crate::cloudformation::iam::{Role, items};
use crate::cloudformation::stack::StackResource;
use crate::iam::managed;

pub(super) const TYPES: &[ResourceType] = &[
    ResourceType {
        name: "AWS::IAM::Role",
        create: create_role,
        update: UpdateMethod::InPlace(update_role),
        delete: delete_role,
    },
    ResourceType {
        name: "AWS::IAM::ManagedPolicy",
        create: create_managed_policy,
        update: UpdateMethod::InPlace(update_managed_policy),
        delete: delete_managed_policy,
    },
];

const MAX_ROLE_NAME_CHARS: usize = 64;
/// How long sessions may last at most, in seconds. Source:
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html>
const MAX_SESSION_SECONDS: std::ops::RangeInclusive<i64> = 3600..=43_200;

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
    let apart = policies_apart(aws, old);
    let made = put_role(aws, old.physical_id.clone(), desired)?;

    if let Some(role) = aws.cloudformation.iam.role_mut(&old.physical_id) {
        for (name, document) in apart {
            role.policies.entry(name).or_insert(document);
        }
    }
    Ok(made)
}

/// The inline policies of a role that it has not from its own resource: these stay when it changes.
fn policies_apart(aws: &Aws, old: &StackResource) -> BTreeMap<String, Value> {
    let own: Vec<&str> = items(&old.properties["Policies"])
        .iter()
        .filter_map(|policy| policy["PolicyName"].as_str())
        .collect();
    let role = aws.cloudformation.iam.role(&old.physical_id);
    let mut policies = role.map_or_else(BTreeMap::new, |role| role.policies.clone());

    policies.retain(|name, _| !own.contains(&name.as_str()));
    policies
}

fn put_role(aws: &mut Aws, name: String, desired: &Desired) -> Result<Created, Problem> {
    let path = path(desired)?;
    let trust = desired.properties["AssumeRolePolicyDocument"].clone();
    trust::check(aws, &trust).at("AssumeRolePolicyDocument")?;
    let boundary = desired.text("PermissionsBoundary").map(str::to_owned);
    if let Some(boundary) = &boundary {
        managed(aws, boundary)
            .map_err(|unsupported| Problem::new(unsupported.to_string()))
            .at("PermissionsBoundary")?;
    }

    let policies = inline_policies(desired)?;
    let managed_policies = items(&desired.properties["ManagedPolicyArns"])
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    let arn = aws.global_arn("iam", &format!("role{path}{name}"));
    let known = aws.cloudformation.iam.remove(&name);
    let role_id = known.map_or_else(
        || format!("AROA{}", aws.hex(17).to_uppercase()),
        |known| known.id.clone(),
    );
    aws.cloudformation.iam.put(Role {
        id: role_id.clone(),
        name: name.clone(),
        arn: arn.clone(),
        path,
        trust,
        managed_policies,
        policies,
        max_session_seconds: max_session_seconds(desired)?,
        boundary,
        tags: tags(desired),
    });

    Ok(Created::new(name, json!({"Arn": arn, "RoleId": role_id})))
}

/// The documents of the inline policies by their names.
fn inline_policies(desired: &Desired) -> Result<BTreeMap<String, Value>, Problem> {
    let mut policies = BTreeMap::new();
    for (at, policy) in items(&desired.properties["Policies"]).iter().enumerate() {
        check_document(&policy["PolicyDocument"], false)
            .at("PolicyDocument")
            .at(at)
            .at("Policies")?;
        let policy_name = policy["PolicyName"].as_str().unwrap_or_default().to_owned();
        policies.insert(policy_name, policy["PolicyDocument"].clone());
    }
    Ok(policies)
}

fn tags(desired: &Desired) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    items(&desired.properties["Tags"])
        .iter()
        .filter_map(|tag| Some((text(&tag["Key"])?, text(&tag["Value"])?)))
        .collect()
}

fn path(desired: &Desired) -> Result<String, Problem> {
    let path = desired.text("Path").unwrap_or("/");
    if path.starts_with('/') && path.ends_with('/') {
        return Ok(path.to_owned());
    }
    Err(Problem::new(format!(
        "a path begins and ends with a slash, found {path}"
    )))
    .at("Path")
}

fn max_session_seconds(desired: &Desired) -> Result<i64, Problem> {
    let seconds = desired.properties["MaxSessionDuration"]
        .as_i64()
        .unwrap_or(*MAX_SESSION_SECONDS.start());
    if MAX_SESSION_SECONDS.contains(&seconds) {
        return Ok(seconds);
    }
    Err(Problem::new(format!(
        "sessions last 3600 to 43200 seconds at most, found {seconds}"
    )))
    .at("MaxSessionDuration")
}

fn create_managed_policy(aws: &mut Aws, desired: &Desired) -> Result<Created, Problem> {
    let name = desired.name(aws, "ManagedPolicyName");
    let arn = aws.global_arn("iam", &format!("policy{}{name}", path(desired)?));
    if aws.cloudformation.iam.managed_policy(&arn).is_some() {
        return Err(Problem::new(format!(
            "EntityAlreadyExists: A policy called {name} already exists."
        )));
    }
    put_managed_policy(aws, arn, desired)
}

fn update_managed_policy(
    aws: &mut Aws,
    old: &StackResource,
    desired: &Desired,
) -> Result<Created, Problem> {
    super::refuse_changes(old, desired, &["Description", "ManagedPolicyName", "Path"])?;
    put_managed_policy(aws, old.physical_id.clone(), desired)
}

fn put_managed_policy(aws: &mut Aws, arn: String, desired: &Desired) -> Result<Created, Problem> {
    let document = desired.properties["PolicyDocument"].clone();
    check_document(&document, false).at("PolicyDocument")?;
    aws.cloudformation
        .iam
        .put_managed_policy(arn.clone(), document);
    Ok(Created::new(arn.clone(), json!({"PolicyArn": arn})))
}

fn delete_managed_policy(aws: &mut Aws, old: &StackResource) -> Result<(), Problem> {
    aws.cloudformation
        .iam
        .remove_managed_policy(&old.physical_id);
    Ok(())
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
