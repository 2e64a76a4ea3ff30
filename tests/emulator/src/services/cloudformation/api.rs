//! CloudFormation's API in the query protocol: what `aws cloudformation deploy` and the
//! documentation use.
//!
//! Stacks change at one instant, so that only custom resources are waited for. A stack of which a
//! resource could not be created stays as `ROLLBACK_COMPLETE`; an update that fails is refused as a
//! whole, unless it has waited.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::desired_stack::DesiredStack;
use super::operation::Operation;
use super::stack::StackFailure;
use super::template::Template;
use super::{Stack, change_set, deletion, describe, format, stack_events, template_source, yaml};
use crate::page::Tokens;
use crate::protocol::query::Parameters;
use crate::validation as violations;
use crate::{ApiError, Aws};

/// The most items of one page.
const PAGE: usize = 100;

/// What must be acknowledged for resources of IAM, and for those with names of their own.
const IAM: &str = "CAPABILITY_IAM";
const NAMED_IAM: &str = "CAPABILITY_NAMED_IAM";

/// One action by its API name with the parameters of the form; returns the members of its result.
pub(crate) fn call(
    aws: &mut Aws,
    action: &str,
    parameters: &Parameters,
) -> Result<Value, ApiError> {
    match action {
        "DescribeStacks" => describe::stacks(aws, parameters),
        "DescribeStackResources" => describe::resources(aws, parameters),
        "DescribeStackEvents" => stack_events::describe(aws, parameters),
        "GetTemplate" => template_source::get(aws, parameters),
        "GetTemplateSummary" => summary(aws, &template_source::with_body(aws, parameters)?),
        "UpdateStack" => {
            let request = template_source::with_body(aws, parameters)?;
            update(aws, &request)
        }
        "CreateChangeSet" => change_set::create(aws, parameters),
        "DescribeChangeSet" => change_set::describe(aws, parameters),
        "ExecuteChangeSet" => change_set::execute(aws, parameters),
        "DeleteChangeSet" => change_set::delete(aws, parameters),
        "DeleteStack" => deletion::delete(aws, parameters),
        _ => Err(ApiError::unknown_operation(action)),
    }
}

pub(super) fn validation(message: impl Into<String>) -> ApiError {
    ApiError::client("ValidationError", message)
}

pub(super) fn required<'a>(parameters: &'a Parameters, member: &str) -> Result<&'a str, ApiError> {
    let given = parameters.get(member).map(String::as_str);
    given.ok_or_else(|| validation(violations::missing(member)))
}

/// The refusal of a name or id that no stack has.
pub(super) fn missing(name: &str) -> ApiError {
    validation(format!("Stack with id {name} does not exist"))
}

pub(super) fn found<'a>(aws: &'a Aws, name_or_id: &str) -> Option<&'a Stack> {
    aws.cloudformation
        .stacks()
        .find(|stack| stack.name == name_or_id || stack.id == name_or_id)
}

/// A parameter's value as text: lists are written with commas.
pub(super) fn as_given(value: &Value) -> String {
    match value {
        Value::Array(items) => items.iter().map(as_given).collect::<Vec<_>>().join(","),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// One page of a list; the token is the position at which the next page starts.
pub(super) fn page(
    member: &str,
    items: Vec<Value>,
    parameters: &Parameters,
) -> Result<Value, ApiError> {
    let token = parameters.get("NextToken").map(String::as_str);
    let page = Tokens::Decimal.page(items, token, PAGE);
    let page = page.ok_or_else(|| validation("Invalid NextToken"))?;
    Ok(json!({member: page.items, "NextToken": page.next}))
}

/// The template that GetTemplateSummary is about.
fn summed_up(aws: &Aws, parameters: &Parameters) -> Result<String, ApiError> {
    let (body, stack) = (parameters.get("TemplateBody"), parameters.get("StackName"));
    match (body, stack) {
        (Some(body), _) => Ok(body.clone()),
        (None, Some(name)) if change_set::in_review(aws).any(|review| review.is(name)) => Err(
            validation("GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks."),
        ),
        (None, _) => {
            let name = required(parameters, "StackName")?;
            let stack = found(aws, name).ok_or_else(|| missing(name))?;
            Ok(stack.body.to_string())
        }
    }
}

/// What a template declares, given itself or by the stack that was made of it.
fn summary(aws: &Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let body = summed_up(aws, parameters)?;
    format::check(&body).map_err(validation)?;
    let refused = |problem: super::error::Problem| {
        validation(format!(
            "Template format error: {}",
            problem.in_template(Path::new("TemplateBody"))
        ))
    };
    let template = Template::parse(Path::new("TemplateBody"), &body).map_err(refused)?;
    let document = yaml::parse(&body).map_err(refused)?;
    let declared = |(name, entry): (&String, &Value)| {
        let default = entry.get("Default").map(as_given);
        let no_echo = entry
            .get("NoEcho")
            .is_some_and(|no_echo| as_given(no_echo) == "true");

        json!({
            "ParameterKey": name,
            "ParameterType": entry["Type"],
            "DefaultValue": default,
            "NoEcho": no_echo,
            "Description": entry.get("Description"),
        })
    };
    let mut kinds: Vec<&str> = template
        .resources
        .iter()
        .map(|resource| resource.kind.as_str())
        .collect();
    kinds.sort_unstable();
    kinds.dedup();

    let resources = template.resources.iter();
    let capabilities = capability(resources.map(|it| (it.kind.as_str(), &it.properties)));
    let parameters = document["Parameters"].as_object().into_iter().flatten();

    Ok(json!({
        "Parameters": parameters.map(declared).collect::<Value>(),
        "Description": document.get("Description"),
        "Capabilities": capabilities.into_iter().collect::<Vec<_>>(),
        "ResourceTypes": kinds,
    }))
}

pub(super) fn create(aws: &mut Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let desired = DesiredStack::read(parameters, None)?;
    if found(aws, desired.name).is_some() {
        let message = format!("Stack [{}] already exists", desired.name);
        return Err(ApiError::client("AlreadyExistsException", message));
    }
    deploy(aws, &desired)
}

fn not_updatable(id: &str, state: &str) -> ApiError {
    validation(format!(
        "Stack:{id} is in {state} state and can not be updated."
    ))
}

/// The stack of this name or id, if it takes an update.
pub(super) fn updatable<'a>(aws: &'a Aws, name: &str) -> Result<&'a Stack, ApiError> {
    if let Some(deleted) = aws.cloudformation.deleted.get(name) {
        return Err(not_updatable(&deleted.id, "DELETE_COMPLETE"));
    }
    let missing = || validation(format!("Stack [{name}] does not exist"));
    let stack = found(aws, name).ok_or_else(missing)?;
    let is_updatable = matches!(stack.failure, None | Some(StackFailure::Update { .. }));
    if stack.is_in_progress() || !is_updatable {
        return Err(not_updatable(&stack.id, describe::status(stack)));
    }
    Ok(stack)
}

pub(super) fn update(aws: &mut Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let before = updatable(aws, required(parameters, "StackName")?)?.clone();
    let desired = DesiredStack {
        name: &before.name,
        ..DesiredStack::read(parameters, Some(&before))?
    };
    let mut draft = aws.clone();
    let answer = deploy(&mut draft, &desired)?;
    let same = |after: &Stack| {
        after.body == before.body
            && after.parameters == before.parameters
            && !after.is_in_progress()
            && after.tags == before.tags
    };
    if found(&draft, &before.id).is_some_and(same) {
        return Err(validation("No updates are to be performed."));
    }
    *aws = draft;
    let updates = &mut aws.cloudformation.direct_updates;
    updates.insert(before.id.clone(), desired.capabilities);

    Ok(answer)
}

/// What a stack of these resources must be allowed to do, each given by its type and properties.
fn capability<'a>(
    resources: impl Iterator<Item = (&'a str, &'a Map<String, Value>)>,
) -> Option<&'static str> {
    let of_iam = resources.filter(|(kind, _)| kind.starts_with("AWS::IAM::"));
    let is_named = |properties: &Map<String, Value>| {
        let names = ["RoleName", "ManagedPolicyName"];
        names.iter().any(|name| properties.contains_key(*name))
    };
    of_iam
        .map(|(_, properties)| if is_named(properties) { NAMED_IAM } else { IAM })
        .max_by_key(|capability| *capability == NAMED_IAM)
}

fn deploy(aws: &mut Aws, desired: &DesiredStack) -> Result<Value, ApiError> {
    let (name, path) = (desired.name, Path::new(desired.name));
    let deployment = Operation::deployment(name, path, desired.body, &desired.given);
    let draft = deployment
        .tagged(desired.tags.clone())
        .rolling_back()
        .attempt(aws)
        .map_err(|problem| validation(problem.in_template(path).worded()))?;

    let stack = found(&draft, name).ok_or_else(|| validation("the stack is not there"))?;
    let resources = stack.resources.iter();
    let made = resources.filter_map(|it| Some((it.kind.as_str(), it.properties.as_object()?)));
    let needed = capability(made);
    let lacking = needed.filter(|needed| {
        let given = &desired.capabilities;
        let is_given = |capability: &str| given.iter().any(|one| one == capability);
        !is_given(NAMED_IAM) && !is_given(needed)
    });
    if let Some(lacking) = lacking {
        return Err(ApiError::client(
            "InsufficientCapabilitiesException",
            format!("Requires capabilities : [{lacking}]"),
        ));
    }

    let answer = json!({ "StackId": stack.id });
    *aws = draft;
    Ok(answer)
}
