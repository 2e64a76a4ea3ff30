//! CloudFormation's API, as the query protocol asks it.
//!
//! Stacks change at one instant, so no answer ever says that something is in progress; a stack that could not be made
//! leaves nothing behind, where AWS would keep it as `ROLLBACK_COMPLETE`.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::template::Template;
use super::{Stack, StackResource, change_set, delete, stack, yaml};
use crate::protocol::query::{Parameters, tree};
use crate::protocol::xml::instant;
use crate::{ApiError, Aws};

/// The most items of one page.
const PAGE: usize = 100;

/// One action by its API name with the parameters of the form; answers the members of its result.
pub(crate) fn call(
    aws: &mut Aws,
    action: &str,
    parameters: &Parameters,
) -> Result<Value, ApiError> {
    match action {
        "DescribeStacks" => describe_stacks(aws, parameters),
        "ListStacks" => list_stacks(aws, parameters),
        "ListStackResources" => list_resources(aws, parameters),
        "DescribeStackResources" => describe_resources(aws, parameters),
        "DescribeStackResource" => describe_resource(aws, parameters),
        "DescribeStackEvents" => describe_events(aws, parameters),
        "ListExports" => list_exports(aws, parameters),
        "ListImports" => list_imports(aws, parameters),
        "GetTemplate" => {
            let stack = named(aws, parameters, "StackName")?;
            Ok(json!({"TemplateBody": &*stack.body, "StagesAvailable": ["Original"]}))
        }
        "GetTemplateSummary" | "ValidateTemplate" => summary(aws, parameters),
        "CreateChangeSet" => change_set::create(aws, parameters),
        "DescribeChangeSet" => change_set::describe(aws, parameters),
        "ExecuteChangeSet" => change_set::execute(aws, parameters),
        "DeleteChangeSet" => change_set::delete(aws, parameters),
        "CreateStack" => create(aws, parameters),
        "UpdateStack" => update(aws, parameters),
        "DeleteStack" => delete_stack(aws, parameters),
        _ => Err(ApiError::unknown_operation(action)),
    }
}

pub(super) fn validation(message: impl Into<String>) -> ApiError {
    ApiError::client("ValidationError", message)
}

pub(super) fn required<'a>(parameters: &'a Parameters, member: &str) -> Result<&'a str, ApiError> {
    let field = member[..1].to_lowercase() + &member[1..];
    parameters.get(member).map(String::as_str).ok_or_else(|| {
        validation(format!(
            "1 validation error detected: Value null at '{field}' failed to satisfy constraint: Member must not be null"
        ))
    })
}

/// The stack that a member names by name or id.
fn named<'a>(aws: &'a Aws, parameters: &Parameters, member: &str) -> Result<&'a Stack, ApiError> {
    let name = required(parameters, member)?;
    found(aws, name).ok_or_else(|| validation(format!("Stack with id {name} does not exist")))
}

pub(super) fn found<'a>(aws: &'a Aws, name_or_id: &str) -> Option<&'a Stack> {
    aws.cloudformation
        .stacks()
        .find(|stack| stack.name == name_or_id || stack.id == name_or_id)
}

fn status(stack: &Stack) -> &'static str {
    if stack.updated.is_some() {
        "UPDATE_COMPLETE"
    } else {
        "CREATE_COMPLETE"
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
    let parameter = |(key, value): (&String, &Value)| json!({"ParameterKey": key, "ParameterValue": as_given(value)});
    let exports = || {
        aws.cloudformation
            .exports
            .iter()
            .filter(|(_, export)| export.stack == stack.name)
    };
    let output = |(key, value): (&String, &String)| {
        let export = exports()
            .find(|(_, export)| export.value == *value)
            .map(|(name, _)| name);
        json!({"OutputKey": key, "OutputValue": value, "ExportName": export})
    };
    let parent = stack
        .parent
        .as_ref()
        .and_then(|parent| found(aws, parent))
        .map(|parent| parent.id.clone());
    json!({
        "StackId": stack.id, "StackName": stack.name,
        "Parameters": stack.parameters.iter().map(parameter).collect::<Value>(),
        "CreationTime": instant(stack.created), "LastUpdatedTime": stack.updated.map(instant), "StackStatus": status(stack),
        "DisableRollback": false, "NotificationARNs": [], "Capabilities": ["CAPABILITY_IAM"],
        "Outputs": stack.outputs.iter().map(output).collect::<Value>(), "Tags": [], "ParentId": parent, "RootId": parent,
        "EnableTerminationProtection": false, "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    })
}

/// A parameter's value as text: lists are written with commas.
fn as_given(value: &Value) -> String {
    match value {
        Value::Array(items) => items.iter().map(as_given).collect::<Vec<_>>().join(","),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn list_stacks(aws: &Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let wanted: Vec<&String> = (1..)
        .map_while(|at| parameters.get(&format!("StackStatusFilter.member.{at}")))
        .collect();
    let summary = |stack: &Stack| {
        json!({
            "StackId": stack.id, "StackName": stack.name, "CreationTime": instant(stack.created),
            "LastUpdatedTime": stack.updated.map(instant), "StackStatus": status(stack),
            "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
        })
    };
    let stacks = aws.cloudformation.stacks();
    let stacks = stacks
        .filter(|stack| wanted.is_empty() || wanted.iter().any(|word| *word == status(stack)));
    page("StackSummaries", stacks.map(summary).collect(), parameters)
}

fn resource(stack: &Stack, resource: &StackResource, time: &str) -> Value {
    let mut members = json!({
        "LogicalResourceId": resource.logical_id, "PhysicalResourceId": resource.physical_id, "ResourceType": resource.kind,
        "ResourceStatus": status(stack), "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
    });
    members[time] = instant(stack.updated.unwrap_or(stack.created));
    members
}

fn list_resources(aws: &Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let stack = named(aws, parameters, "StackName")?;
    let resources = stack
        .resources
        .iter()
        .map(|one| resource(stack, one, "LastUpdatedTimestamp"));
    page("StackResourceSummaries", resources.collect(), parameters)
}

fn with_stack(stack: &Stack, mut members: Value) -> Value {
    members["StackName"] = json!(stack.name);
    members["StackId"] = json!(stack.id);
    members
}

fn describe_resources(aws: &Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let (physical, logical) = (
        parameters.get("PhysicalResourceId"),
        parameters.get("LogicalResourceId"),
    );
    let stack = match physical {
        Some(_) if parameters.contains_key("StackName") => {
            return Err(validation(
                "StackName and PhysicalResourceId cannot be specified together",
            ));
        }
        Some(id) => {
            let of = |stack: &&Stack| {
                stack
                    .resources
                    .iter()
                    .any(|resource| resource.physical_id == *id)
            };
            let missing = || validation(format!("Stack for {id} does not exist"));
            aws.cloudformation.stacks().find(of).ok_or_else(missing)?
        }
        None => named(aws, parameters, "StackName")?,
    };
    let wanted = |one: &&StackResource| logical.is_none_or(|logical| *logical == one.logical_id);
    let described = |one: &StackResource| with_stack(stack, resource(stack, one, "Timestamp"));
    Ok(
        json!({ "StackResources": stack.resources.iter().filter(wanted).map(described).collect::<Value>() }),
    )
}

fn describe_resource(aws: &Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let stack = named(aws, parameters, "StackName")?;
    let logical = required(parameters, "LogicalResourceId")?;
    let one = stack.resource(logical).ok_or_else(|| {
        validation(format!(
            "Resource {logical} does not exist for stack {}",
            stack.name
        ))
    })?;
    let mut detail = with_stack(stack, resource(stack, one, "LastUpdatedTimestamp"));
    detail["Metadata"] = json!(Value::Object(one.metadata.clone()).to_string());
    Ok(json!({ "StackResourceDetail": detail }))
}

/// The events of the last operation, newest first: the stack itself, then its resources.
fn describe_events(aws: &Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let stack = named(aws, parameters, "StackName")?;
    let event = |logical: &str, physical: &str, kind: &str| {
        with_stack(
            stack,
            json!({
                "EventId": format!("{logical}-{}", status(stack)), "LogicalResourceId": logical, "PhysicalResourceId": physical,
                "ResourceType": kind, "ResourceStatus": status(stack),
                "Timestamp": instant(stack.updated.unwrap_or(stack.created)),
            }),
        )
    };
    let own = event(&stack.name, &stack.id, "AWS::CloudFormation::Stack");
    let resources = stack
        .resources
        .iter()
        .rev()
        .map(|one| event(&one.logical_id, &one.physical_id, &one.kind));
    page(
        "StackEvents",
        std::iter::once(own).chain(resources).collect(),
        parameters,
    )
}

fn list_exports(aws: &Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let exports = aws.cloudformation.exports.iter().map(|(name, export)| {
        let stack = aws
            .cloudformation
            .stack(&export.stack)
            .map(|stack| &stack.id);
        json!({"ExportingStackId": stack, "Name": name, "Value": export.value})
    });
    page("Exports", exports.collect(), parameters)
}

fn list_imports(aws: &Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let name = required(parameters, "ExportName")?;
    let users: Vec<Value> = aws
        .cloudformation
        .stacks()
        .filter(|stack| stack.imports.contains(name))
        .map(|stack| json!(stack.name))
        .collect();
    if users.is_empty() {
        return Err(validation(format!(
            "Export '{name}' is not imported by any stack."
        )));
    }
    page("Imports", users, parameters)
}

/// One page of a list; the token is the position at which the next page starts.
fn page(member: &str, items: Vec<Value>, parameters: &Parameters) -> Result<Value, ApiError> {
    let start = parameters
        .get("NextToken")
        .map_or(Ok(0), |token| token.parse::<usize>());
    let start = start
        .ok()
        .filter(|start| *start <= items.len())
        .ok_or_else(|| validation("Invalid NextToken"))?;
    let end = items.len().min(start + PAGE);
    let next = (end < items.len()).then(|| end.to_string());
    Ok(json!({member: items[start..end], "NextToken": next}))
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
        json!({"ParameterKey": name, "ParameterType": entry["Type"], "DefaultValue": default, "NoEcho": no_echo,
            "Description": entry.get("Description")})
    };
    let mut kinds: Vec<&str> = template
        .resources
        .iter()
        .map(|resource| resource.kind.as_str())
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    let capabilities: &[&str] = if kinds.contains(&"AWS::IAM::Role") {
        &["CAPABILITY_IAM"]
    } else {
        &[]
    };
    Ok(json!({
        "Parameters": document["Parameters"].as_object().into_iter().flatten().map(declared).collect::<Value>(),
        "Description": document.get("Description"), "Capabilities": capabilities, "ResourceTypes": kinds,
    }))
}

/// Members of CreateStack and UpdateStack; the last ones change nothing where stacks change at one instant.
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

/// What CreateStack and UpdateStack ask for.
struct Wanted<'a> {
    name: &'a str,
    body: &'a str,
    given: BTreeMap<String, String>,
    capabilities: bool,
}

fn wanted<'a>(
    parameters: &'a Parameters,
    before: Option<&'a Stack>,
) -> Result<Wanted<'a>, ApiError> {
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
    let mut given = BTreeMap::new();
    for parameter in tree
        .get("Parameters")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
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
    let capabilities = tree
        .get("Capabilities")
        .and_then(Value::as_array)
        .is_some_and(|all| !all.is_empty());
    Ok(Wanted {
        name,
        body,
        given,
        capabilities,
    })
}

pub(super) fn create(aws: &mut Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let wanted = wanted(parameters, None)?;
    if found(aws, wanted.name).is_some() {
        let message = format!("Stack [{}] already exists", wanted.name);
        return Err(ApiError::client("AlreadyExistsException", message));
    }
    deploy(aws, &wanted)
}

pub(super) fn update(aws: &mut Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let before = named(aws, parameters, "StackName")?.clone();
    let wanted = Wanted {
        name: &before.name,
        ..wanted(parameters, Some(&before))?
    };
    let mut draft = aws.clone();
    let answer = deploy(&mut draft, &wanted)?;
    let unchanged =
        |after: &Stack| after.body == before.body && after.parameters == before.parameters;
    if found(&draft, &before.id).is_some_and(unchanged) {
        return Err(validation("No updates are to be performed."));
    }
    *aws = draft;
    Ok(answer)
}

fn deploy(aws: &mut Aws, wanted: &Wanted) -> Result<Value, ApiError> {
    let mut draft = aws.clone();
    let path = Path::new(wanted.name);
    stack::deploy_text(
        &mut draft,
        wanted.name,
        None,
        path,
        wanted.body,
        &wanted.given,
    )
    .map_err(|problem| validation(problem.in_template(path).to_string()))?;
    let stack = found(&draft, wanted.name).ok_or_else(|| validation("the stack is not there"))?;
    if !wanted.capabilities
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

/// Deleting a stack that does not exist succeeds.
fn delete_stack(aws: &mut Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let name = required(parameters, "StackName")?;
    if let Some(stack) = found(aws, name).map(|stack| stack.name.clone()) {
        delete(aws, &stack).map_err(|error| validation(error.to_string()))?;
    }
    Ok(Value::Null)
}
