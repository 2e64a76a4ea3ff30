//! CloudFormation's API in the query protocol: what `aws cloudformation deploy` and the
//! documentation use.
//!
//! Stacks change at one instant, so nothing is ever in progress. A stack of which a resource could
//! not be created stays as `ROLLBACK_COMPLETE`; an update that fails is refused as a whole.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::template::Template;
use super::{
    Stack, StackResource, change_set, deletion, format, stack, stack_events, template_source, yaml,
};
use crate::page::Tokens;
use crate::protocol::query::{Parameters, tree};
use crate::protocol::xml::instant;
use crate::validation as violations;
use crate::{ApiError, Aws};

/// The most items of one page.
const PAGE: usize = 100;

/// One action by its API name with the parameters of the form; returns the members of its result.
pub(crate) fn call(
    aws: &mut Aws,
    action: &str,
    parameters: &Parameters,
) -> Result<Value, ApiError> {
    match action {
        "DescribeStacks" => describe_stacks(aws, parameters),
        "DescribeStackResources" => describe_resources(aws, parameters),
        "DescribeStackEvents" => stack_events::describe(aws, parameters),
        "GetTemplate" => template_source::get(aws, parameters),
        "GetTemplateSummary" => summary(aws, &template_source::with_body(aws, parameters)?),
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

/// The stack that a member names by name or id.
pub(super) fn named<'a>(
    aws: &'a Aws,
    parameters: &Parameters,
    member: &str,
) -> Result<&'a Stack, ApiError> {
    let name = required(parameters, member)?;
    found(aws, name).ok_or_else(|| validation(format!("Stack with id {name} does not exist")))
}

pub(super) fn found<'a>(aws: &'a Aws, name_or_id: &str) -> Option<&'a Stack> {
    aws.cloudformation
        .stacks()
        .find(|stack| stack.name == name_or_id || stack.id == name_or_id)
}

fn status(stack: &Stack) -> &'static str {
    match &stack.failure {
        Some(failure) => failure.status(),
        None if stack.updated.is_some() => "UPDATE_COMPLETE",
        None => "CREATE_COMPLETE",
    }
}

fn describe_stacks(aws: &Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let stacks = match parameters.get("StackName") {
        Some(_) => vec![described(aws, named(aws, parameters, "StackName")?)],
        None => aws
            .cloudformation
            .stacks()
            .map(|stack| described(aws, stack))
            .collect(),
    };
    page("Stacks", stacks, parameters)
}

fn described(aws: &Aws, stack: &Stack) -> Value {
    let parameter = |(key, value): (&String, &Value)| {
        let value = as_given(value);
        json!({"ParameterKey": key, "ParameterValue": value})
    };
    let outputs = stack
        .outputs
        .iter()
        .map(|(key, value)| output(aws, stack, key, value))
        .collect();
    let description = yaml::parse(&stack.body).ok();
    let description = description.and_then(|body| body.get("Description").cloned());
    let (change_set, capabilities) = change_set::last_of(aws, &stack.id).unzip();
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
        "Parameters": unless_empty(stack.parameters.iter().map(parameter).collect()),
        "CreationTime": instant(stack.created),
        "LastUpdatedTime": updated.map(instant),
        "ChangeSetId": change_set,
        "Description": description,
        "StackStatus": status(stack),
        "StackStatusReason": stack.failure.as_ref().map(stack::Failure::reason),
        "DisableRollback": false,
        "NotificationARNs": [],
        "RollbackConfiguration": {},
        "Capabilities": unless_empty(capabilities.unwrap_or_default()),
        "Outputs": unless_empty(outputs),
        "Tags": [],
        "ParentId": parent,
        "RootId": parent,
        "EnableTerminationProtection": false,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    })
}

/// An output of a stack, with the name under which the stack exports its value.
fn output(aws: &Aws, stack: &Stack, key: &str, value: &str) -> Value {
    let mut exports = aws.cloudformation.exports.iter();
    let export = exports
        .find(|(_, export)| export.stack == stack.name && export.value == value)
        .map(|(name, _)| name);
    json!({"OutputKey": key, "OutputValue": value, "ExportName": export})
}

/// Lists that are empty are mostly left out.
fn unless_empty(list: Vec<Value>) -> Value {
    if list.is_empty() {
        Value::Null
    } else {
        Value::from(list)
    }
}

/// A parameter's value as text: lists are written with commas.
fn as_given(value: &Value) -> String {
    match value {
        Value::Array(items) => items.iter().map(as_given).collect::<Vec<_>>().join(","),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn describe_resources(aws: &Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    if parameters.contains_key("PhysicalResourceId") {
        return Err(validation(
            "the sandbox does not serve the member PhysicalResourceId",
        ));
    }

    let stack = named(aws, parameters, "StackName")?;
    let logical = parameters.get("LogicalResourceId");
    let resources: Vec<Value> = stack
        .resources
        .iter()
        .filter(|one| logical.is_none_or(|logical| *logical == one.logical_id))
        .map(|one| resource(stack, one))
        .collect();

    Ok(json!({ "StackResources": resources }))
}

fn resource(stack: &Stack, resource: &StackResource) -> Value {
    json!({
        "StackName": stack.name,
        "StackId": stack.id,
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.physical_id,
        "ResourceType": resource.kind,
        "ResourceStatus": status(stack),
        "Timestamp": instant(stack.updated.unwrap_or(stack.created)),
        "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
    })
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

/// What a template declares, given itself or by the stack that was made of it.
fn summary(aws: &Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let body = match parameters.get("TemplateBody") {
        Some(body) => body.clone(),
        None => named(aws, parameters, "StackName")?.body.to_string(),
    };
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

    let is_of_iam = |kind: &&str| kind.starts_with("AWS::IAM::");
    let capabilities: &[&str] = if kinds.iter().any(is_of_iam) {
        &["CAPABILITY_IAM"]
    } else {
        &[]
    };
    let parameters = document["Parameters"].as_object().into_iter().flatten();

    Ok(json!({
        "Parameters": parameters.map(declared).collect::<Value>(),
        "Description": document.get("Description"),
        "Capabilities": capabilities,
        "ResourceTypes": kinds,
    }))
}

/// The members of a request for a change; the last ones have no effect where stacks change at one
/// instant.
const CHANGE_MEMBERS: [&str; 8] = [
    "StackName",
    "TemplateBody",
    "Parameters",
    "Capabilities",
    "ClientRequestToken",
    "DisableRollback",
    "OnFailure",
    "TimeoutInMinutes",
];

/// The stack that a request creates or updates.
struct DesiredStack<'a> {
    name: &'a str,
    body: &'a str,
    given: BTreeMap<String, String>,
    capabilities: bool,
}

fn desired<'a>(
    parameters: &'a Parameters,
    before: Option<&'a Stack>,
) -> Result<DesiredStack<'a>, ApiError> {
    let mut tree = tree(parameters);

    // Clients write an empty list as an empty text.
    tree.retain(|_, value| value != "");
    if let Some(unknown) = tree
        .keys()
        .find(|name| !CHANGE_MEMBERS.contains(&name.as_str()))
    {
        return Err(validation(format!(
            "the sandbox does not serve the member {unknown}"
        )));
    }

    let name = required(parameters, "StackName")?;
    let body = required(parameters, "TemplateBody")?;
    format::check_name(name).map_err(validation)?;
    format::check(body).map_err(validation)?;

    let given = given_parameters(tree.get("Parameters"), before)?;
    let capabilities = tree
        .get("Capabilities")
        .and_then(Value::as_array)
        .is_some_and(|all| !all.is_empty());
    Ok(DesiredStack {
        name,
        body,
        given,
        capabilities,
    })
}

/// The parameters of a request, with the values of `before` where it wants the previous ones.
fn given_parameters(
    list: Option<&Value>,
    before: Option<&Stack>,
) -> Result<BTreeMap<String, String>, ApiError> {
    let mut given = BTreeMap::new();
    for parameter in list.and_then(Value::as_array).into_iter().flatten() {
        let key = parameter["ParameterKey"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let value = match (parameter["UsePreviousValue"].as_str(), before) {
            (Some("true"), Some(before)) => before.parameters.get(&key).map(as_given),
            _ => parameter["ParameterValue"].as_str().map(str::to_owned),
        };
        let value = value.ok_or_else(|| {
            validation(format!(
                "Invalid input for parameter key {key}. A value is required"
            ))
        })?;
        given.insert(key, value);
    }
    Ok(given)
}

pub(super) fn create(aws: &mut Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let desired = desired(parameters, None)?;
    if found(aws, desired.name).is_some() {
        let message = format!("Stack [{}] already exists", desired.name);
        return Err(ApiError::client("AlreadyExistsException", message));
    }
    deploy(aws, &desired)
}

pub(super) fn update(aws: &mut Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let before = named(aws, parameters, "StackName")?.clone();
    if before.failure.is_some() {
        let (id, state) = (&before.id, status(&before));
        let message = format!("Stack:{id} is in {state} state and can not be updated.");
        return Err(validation(message));
    }

    let desired = DesiredStack {
        name: &before.name,
        ..desired(parameters, Some(&before))?
    };
    let mut draft = aws.clone();
    let answer = deploy(&mut draft, &desired)?;
    let same = |after: &Stack| after.body == before.body && after.parameters == before.parameters;
    if found(&draft, &before.id).is_some_and(same) {
        return Err(validation("No updates are to be performed."));
    }
    *aws = draft;

    Ok(answer)
}

fn deploy(aws: &mut Aws, desired: &DesiredStack) -> Result<Value, ApiError> {
    let mut draft = aws.clone();
    let (name, path) = (desired.name, Path::new(desired.name));
    stack::deploy_text(&mut draft, name, None, path, desired.body, &desired.given)
        .or_else(|problem| stack::failure::roll_back(&mut draft, name, problem))
        .map_err(|problem| validation(problem.in_template(path).worded()))?;

    let stack = found(&draft, name).ok_or_else(|| validation("the stack is not there"))?;
    if !desired.capabilities
        && stack
            .resources
            .iter()
            .any(|resource| resource.kind.starts_with("AWS::IAM::"))
    {
        return Err(ApiError::client(
            "InsufficientCapabilitiesException",
            "Requires capabilities : [CAPABILITY_IAM]",
        ));
    }

    let answer = json!({ "StackId": stack.id });
    *aws = draft;
    Ok(answer)
}
