//! Descriptions of stacks and their resources: of those that are there, that change sets would
//! make, and that were deleted.

use serde_json::{Value, json};

use super::api::{as_given, found, missing, page, required, validation};
use super::change_set::{self, Review};
use super::deletion::Deleted;
use super::stack::StackFailure;
use super::{Stack, StackResource, tags, yaml};
use crate::protocol::query::Parameters;
use crate::protocol::xml::instant;
use crate::{ApiError, Aws, Millis};

pub(super) fn status(stack: &Stack) -> &'static str {
    if let Some(status) = stack.in_progress {
        return status;
    }
    match &stack.failure {
        Some(failure) => failure.status(),
        None if stack.updated.is_some() => "UPDATE_COMPLETE",
        None => "CREATE_COMPLETE",
    }
}

pub(super) fn stacks(aws: &Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let stacks = match parameters.get("StackName") {
        Some(name) => vec![known(aws, name)?.description(aws)],
        None => {
            let stacks = aws.cloudformation.stacks();
            let stacks = stacks.map(|stack| described(aws, stack));
            let reviews = change_set::in_review(aws);
            let reviews = reviews.map(|review| in_review(&review));
            stacks.chain(reviews).collect()
        }
    };
    page("Stacks", stacks, parameters)
}

/// A stack, whatever became of it.
pub(super) enum Known<'a> {
    There(&'a Stack),
    InReview(Review<'a>),
    Deleted(&'a Deleted),
}

/// A stack by its name or id; one that is deleted has its id only.
pub(super) fn known<'a>(aws: &'a Aws, name: &str) -> Result<Known<'a>, ApiError> {
    let in_review = || change_set::in_review(aws).find(|review| review.is(name));
    let deleted = || aws.cloudformation.deleted.get(name).map(Known::Deleted);
    found(aws, name)
        .map(Known::There)
        .or_else(|| in_review().map(Known::InReview))
        .or_else(deleted)
        .ok_or_else(|| missing(name))
}

impl Known<'_> {
    fn description(&self, aws: &Aws) -> Value {
        match self {
            Self::There(stack) => described(aws, stack),
            Self::InReview(review) => in_review(review),
            Self::Deleted(deleted) => deleted.description.clone(),
        }
    }
}

/// A stack that is not deleted, by its name or id.
pub(super) fn present(aws: &Aws, name: &str) -> Option<Value> {
    let known = known(aws, name).ok();
    let present = known.filter(|known| !matches!(known, Known::Deleted(_)))?;
    Some(present.description(aws))
}

/// A stack that no change set has made yet.
fn in_review(review: &Review<'_>) -> Value {
    json!({
        "StackId": review.id,
        "StackName": review.name,
        "CreationTime": instant(review.since),
        "StackStatus": "REVIEW_IN_PROGRESS",
        "StackStatusReason": "User Initiated",
        "DisableRollback": false,
        "NotificationARNs": [],
        "RollbackConfiguration": {},
        "Tags": [],
        "EnableTerminationProtection": false,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    })
}

/// What is left of a description when the stack is deleted.
pub(super) fn after_deletion(mut description: Value, at: Millis) -> Value {
    description["StackStatus"] = "DELETE_COMPLETE".into();
    description["DeletionTime"] = instant(at);
    for gone in [
        "ChangeSetId",
        "EnableTerminationProtection",
        "StackStatusReason",
    ] {
        description[gone] = Value::Null;
    }
    description
}

fn described(aws: &Aws, stack: &Stack) -> Value {
    let document = yaml::parse(&stack.body).unwrap_or_default();
    let outputs = stack.outputs.iter().map(|(key, value)| {
        let description = document["Outputs"][key].get("Description");
        output(aws, stack, (key, value), description)
    });
    let outputs = outputs.collect();
    let (change_set, capabilities) = match aws.cloudformation.direct_updates.get(&stack.id) {
        Some(given) => (None, Some(given.iter().map(|one| json!(one)).collect())),
        None => change_set::last_of(aws, &stack.id).unzip(),
    };
    // A change set updates a stack, also one that it makes.
    let updated = stack
        .updated
        .or(change_set.is_some().then_some(stack.created));
    let parent = stack
        .parent
        .as_ref()
        .and_then(|parent| found(aws, parent))
        .map(|parent| parent.id.clone());

    json!({
        "StackId": stack.id,
        "StackName": stack.name,
        "Parameters": unless_empty(parameters(stack)),
        "CreationTime": instant(stack.created),
        "LastUpdatedTime": updated.map(instant),
        "DeletionTime": stack.failure.as_ref().and_then(StackFailure::deleted_at).map(instant),
        "ChangeSetId": change_set,
        "Description": document.get("Description"),
        "StackStatus": status(stack),
        "StackStatusReason": stack.failure.as_ref().map(StackFailure::reason),
        "DisableRollback": false,
        "NotificationARNs": [],
        "RollbackConfiguration": {},
        "Capabilities": unless_empty(capabilities.unwrap_or_default()),
        "Outputs": unless_empty(outputs),
        "Tags": tags::to_list(&stack.tags),
        "ParentId": parent,
        "RootId": parent,
        "EnableTerminationProtection": false,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    })
}

/// The parameters of a stack; values that its template hides are not shown.
pub(super) fn parameters(stack: &Stack) -> Vec<Value> {
    let document = yaml::parse(&stack.body).unwrap_or_default();
    let is_hidden = |key: &String| {
        let no_echo = document["Parameters"][key].get("NoEcho");
        no_echo.is_some_and(|no_echo| as_given(no_echo) == "true")
    };
    let parameter = |(key, value): (&String, &Value)| {
        let value = if is_hidden(key) {
            "****".to_owned()
        } else {
            as_given(value)
        };
        json!({"ParameterKey": key, "ParameterValue": value})
    };
    stack.parameters.iter().map(parameter).collect()
}

/// An output of a stack, with the name under which the stack exports its value.
fn output(
    aws: &Aws,
    stack: &Stack,
    (key, value): (&String, &String),
    description: Option<&Value>,
) -> Value {
    let mut exports = aws.cloudformation.exports.iter();
    let export = exports
        .find(|(_, export)| export.stack == stack.name && export.value == *value)
        .map(|(name, _)| name);
    json!({
        "OutputKey": key, "OutputValue": value, "Description": description, "ExportName": export,
    })
}

/// Lists that are empty are mostly left out.
pub(super) fn unless_empty(list: Vec<Value>) -> Value {
    if list.is_empty() {
        Value::Null
    } else {
        Value::from(list)
    }
}

pub(super) fn resources(aws: &Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let known = match parameters.get("PhysicalResourceId") {
        Some(_) if parameters.contains_key("StackName") => {
            return Err(validation(
                "StackName and PhysicalResourceId cannot both be specified",
            ));
        }
        Some(physical) => Known::There(stack_of(aws, physical)?),
        None => known(aws, required(parameters, "StackName")?)?,
    };
    let mut resources = match known {
        Known::There(stack) => {
            let resources = stack.resources.iter();
            resources
                .map(|one| resource(stack, one, status(stack)))
                .collect()
        }
        Known::InReview(_) => Vec::new(),
        Known::Deleted(deleted) => deleted.resources.clone(),
    };
    let logical = parameters.get("LogicalResourceId");
    resources.retain(|one| logical.is_none_or(|logical| one["LogicalResourceId"] == **logical));

    Ok(json!({ "StackResources": resources }))
}

/// The stack that a resource belongs to.
fn stack_of<'a>(aws: &'a Aws, physical: &str) -> Result<&'a Stack, ApiError> {
    let has_it = |stack: &&Stack| {
        let mut resources = stack.resources.iter();
        resources.any(|one| one.physical_id == physical)
    };
    let found = aws.cloudformation.stacks().find(has_it);
    found.ok_or_else(|| validation(format!("Stack for {physical} does not exist")))
}

/// The resources that the id of a stack still lists when the stack is deleted.
pub(super) fn resources_after_deletion(stack: &Stack) -> Vec<Value> {
    let resources = stack.resources.iter();
    let status = |one: &StackResource| {
        if one.retained {
            "DELETE_SKIPPED"
        } else {
            "DELETE_COMPLETE"
        }
    };
    resources
        .map(|one| resource(stack, one, status(one)))
        .collect()
}

fn resource(stack: &Stack, resource: &StackResource, status: &str) -> Value {
    json!({
        "StackName": stack.name,
        "StackId": stack.id,
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.physical_id,
        "ResourceType": resource.kind,
        "ResourceStatus": status,
        "Timestamp": instant(stack.updated.unwrap_or(stack.created)),
        "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
    })
}
