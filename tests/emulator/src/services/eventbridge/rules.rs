//! The operations on rules and targets.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Input, Rate, Rule, Target, pattern, plan, put, transform};
use crate::{ApiError, Aws, record};

/// The most targets of a rule.
const TARGETS: usize = 5;
const RULES: usize = 300;

/// One operation by its API name with the JSON 1.1 input; answers the JSON output.
pub fn call(aws: &mut Aws, operation: &str, input: &Value) -> Result<Value, ApiError> {
    let answer = answer(aws, operation, input);
    record::operation("events", operation, input, &answer);
    answer
}

fn answer(aws: &mut Aws, operation: &str, input: &Value) -> Result<Value, ApiError> {
    if input
        .get("EventBusName")
        .and_then(Value::as_str)
        .is_some_and(|bus| bus != "default")
    {
        return Err(ApiError::client(
            "ResourceNotFoundException",
            "Event bus does not exist.",
        ));
    }
    match operation {
        "PutRule" => put_rule(aws, input),
        "DeleteRule" => delete_rule(aws, input),
        "DescribeRule" => Ok(described(rule(aws, text(input, "Name")?)?)),
        "ListRules" => list_rules(aws, input),
        "EnableRule" => set_enabled(aws, input, true),
        "DisableRule" => set_enabled(aws, input, false),
        "PutTargets" => put_targets(aws, input),
        "RemoveTargets" => remove_targets(aws, input),
        "ListTargetsByRule" => list_targets(aws, input),
        "PutEvents" => put_events(aws, input),
        "ListEventBuses" => super::buses::list(aws, input),
        "DescribeEventBus" => Ok(super::buses::default_bus(aws)),
        "ListRuleNamesByTarget" => super::buses::rule_names(aws, input),
        "TestEventPattern" => super::buses::test_pattern(input),
        "ListTagsForResource" => super::buses::tags(aws, input),
        _ => Err(ApiError::unknown_operation(operation)),
    }
}

pub(super) fn validation(message: impl Into<String>) -> ApiError {
    ApiError::client("ValidationException", message)
}

pub(super) fn text<'a>(input: &'a Value, member: &str) -> Result<&'a str, ApiError> {
    optional(input, member)?.ok_or_else(|| {
        let field = member[..1].to_lowercase() + &member[1..];
        validation(format!(
            "1 validation error detected: Value null at '{field}' failed to satisfy constraint: Member must not be null"
        ))
    })
}

pub(super) fn optional<'a>(input: &'a Value, member: &str) -> Result<Option<&'a str>, ApiError> {
    match input.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(ApiError::client(
            "SerializationException",
            format!("{member} is not a string"),
        )),
    }
}

pub(super) fn missing(name: &str) -> ApiError {
    ApiError::client(
        "ResourceNotFoundException",
        format!("Rule {name} does not exist on EventBus default."),
    )
}

fn rule<'a>(aws: &'a Aws, name: &str) -> Result<&'a Rule, ApiError> {
    aws.events.rules.get(name).ok_or_else(|| missing(name))
}

fn rule_mut<'a>(aws: &'a mut Aws, name: &str) -> Result<&'a mut Rule, ApiError> {
    aws.events.rules.get_mut(name).ok_or_else(|| missing(name))
}

fn put_rule(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    let name = text(input, "Name")?.to_owned();
    let legal = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    if name.is_empty() || name.len() > 64 || !name.chars().all(legal) {
        return Err(validation(format!(
            "1 validation error detected: Value '{name}' at 'name' failed to satisfy constraint: \
            Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+"
        )));
    }
    let pattern = optional(input, "EventPattern")?
        .map(pattern::parse)
        .transpose()?;
    let schedule = optional(input, "ScheduleExpression")?
        .map(Rate::parse)
        .transpose()?;
    if pattern.is_none() && schedule.is_none() {
        return Err(validation(
            "Parameter(s) EventPattern or ScheduleExpression must be specified.",
        ));
    }
    if aws.events.rules.len() >= RULES && !aws.events.rules.contains_key(&name) {
        return Err(ApiError::client(
            "LimitExceededException",
            "The requested resource exceeds the maximum number allowed.",
        ));
    }
    let enabled = match optional(input, "State")? {
        None | Some("ENABLED") => true,
        Some("DISABLED") => false,
        Some(other) => {
            return Err(validation(format!(
                "Value '{other}' at 'state' is not modelled by the sandbox"
            )));
        }
    };
    let arn = aws.arn("events", &format!("rule/{name}"));
    let (targets, generation) = match aws.events.rules.remove(&name) {
        Some(known) => (known.targets, known.generation + 1),
        None => (Vec::new(), 0),
    };
    let description = optional(input, "Description")?.map(str::to_owned);
    let role_arn = optional(input, "RoleArn")?.map(str::to_owned);
    let rule = Rule {
        name: name.clone(),
        arn: arn.clone(),
        description,
        role_arn,
        enabled,
        pattern,
        schedule,
        generation,
        targets,
    };
    aws.events.rules.insert(name.clone(), rule);
    plan(aws, &name);
    Ok(json!({ "RuleArn": arn }))
}

fn delete_rule(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    let name = text(input, "Name")?;
    // Deleting a rule that does not exist succeeds.
    if rule(aws, name).is_ok_and(|rule| !rule.targets.is_empty()) {
        return Err(validation("Rule can't be deleted since it has targets."));
    }
    aws.events.rules.remove(name);
    Ok(json!({}))
}

fn set_enabled(aws: &mut Aws, input: &Value, enabled: bool) -> Result<Value, ApiError> {
    let name = text(input, "Name")?;
    let rule = rule_mut(aws, name)?;
    rule.generation += 1;
    rule.enabled = enabled;
    plan(aws, name);
    Ok(json!({}))
}

fn described(rule: &Rule) -> Value {
    let mut described = json!({"Name": rule.name, "Arn": rule.arn,
        "State": if rule.enabled { "ENABLED" } else { "DISABLED" }, "EventBusName": "default"});
    let optional = [
        ("EventPattern", rule.pattern.as_ref().map(Value::to_string)),
        (
            "ScheduleExpression",
            rule.schedule.as_ref().map(|rate| rate.expression.clone()),
        ),
        ("Description", rule.description.clone()),
        ("RoleArn", rule.role_arn.clone()),
    ];
    for (member, value) in optional {
        if let Some(value) = value {
            described[member] = json!(value);
        }
    }
    described
}

fn list_rules(aws: &Aws, input: &Value) -> Result<Value, ApiError> {
    let prefix = optional(input, "NamePrefix")?.unwrap_or_default();
    let rules = aws
        .events
        .rules
        .values()
        .filter(|rule| rule.name.starts_with(prefix))
        .map(described)
        .collect();
    page("Rules", rules, input)
}

fn list_targets(aws: &Aws, input: &Value) -> Result<Value, ApiError> {
    let rule = rule(aws, text(input, "Rule")?)?;
    page(
        "Targets",
        rule.targets
            .iter()
            .map(|target| target.declared.clone())
            .collect(),
        input,
    )
}

/// One page: `Limit` (at most 100) items from where `NextToken` points.
pub(super) fn page(member: &str, items: Vec<Value>, input: &Value) -> Result<Value, ApiError> {
    let limit = input.get("Limit").and_then(Value::as_u64).unwrap_or(100);
    if !(1..=100).contains(&limit) {
        return Err(validation("Limit must be between 1 and 100"));
    }
    let invalid = || validation("Parameter nextToken is not valid.");
    let start = optional(input, "NextToken")?
        .map(|token| token.parse::<usize>().map_err(|_| invalid()))
        .transpose()?;
    let (start, total) = (start.unwrap_or(0), items.len());
    let end = total.min(start + limit as usize);
    let mut output = json!({ member: items.get(start..end).ok_or_else(invalid)? });
    if end < total {
        output["NextToken"] = json!(end.to_string());
    }
    Ok(output)
}

fn put_targets(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    let name = text(input, "Rule")?;
    let targets = input
        .get("Targets")
        .and_then(Value::as_array)
        .filter(|targets| !targets.is_empty());
    let targets = targets.ok_or_else(|| validation("Targets must have at least one member"))?;
    let targets: Vec<Target> = targets.iter().map(target).collect::<Result<_, _>>()?;
    let rule = rule_mut(aws, name)?;
    let mut kept = rule.targets.clone();
    kept.retain(|known| targets.iter().all(|target| target.id != known.id));
    kept.extend(targets);
    if kept.len() > TARGETS {
        let message = "The requested resource exceeds the maximum number allowed.";
        return Err(ApiError::client("LimitExceededException", message));
    }
    rule.targets = kept;
    Ok(json!({"FailedEntryCount": 0, "FailedEntries": []}))
}

fn target(declared: &Value) -> Result<Target, ApiError> {
    const KNOWN: [&str; 8] = [
        "Id",
        "Arn",
        "Input",
        "InputPath",
        "InputTransformer",
        "RetryPolicy",
        "DeadLetterConfig",
        "RoleArn",
    ];
    let members: &Map<String, Value> = declared
        .as_object()
        .ok_or_else(|| validation("a target is an object"))?;
    if let Some(unknown) = members
        .keys()
        .find(|member| !KNOWN.contains(&member.as_str()))
    {
        return Err(validation(format!(
            "the sandbox does not model the target member {unknown}"
        )));
    }
    let (id, arn) = (
        text(declared, "Id")?.to_owned(),
        text(declared, "Arn")?.to_owned(),
    );
    if !arn.contains(":lambda:") || !arn.contains(":function:") {
        return Err(validation(format!(
            "Parameter {arn} is not valid. Reason: Provided Arn is not in correct format."
        )));
    }
    check_retry_policy(declared)?;
    Ok(Target {
        input: read_input(declared, &id)?,
        id,
        arn,
        declared: declared.clone(),
    })
}

fn check_retry_policy(declared: &Value) -> Result<(), ApiError> {
    let ranges = [
        ("MaximumRetryAttempts", 0..=185),
        ("MaximumEventAgeInSeconds", 60..=86_400),
    ];
    for (member, range) in ranges {
        let value = &declared["RetryPolicy"][member];
        if !value.is_null() && !value.as_u64().is_some_and(|value| range.contains(&value)) {
            return Err(validation(format!(
                "{member} must be between {} and {}",
                range.start(),
                range.end()
            )));
        }
    }
    Ok(())
}

fn read_input(declared: &Value, id: &str) -> Result<Input, ApiError> {
    let (constant, path) = (
        optional(declared, "Input")?,
        optional(declared, "InputPath")?,
    );
    match (
        constant,
        path,
        declared
            .get("InputTransformer")
            .filter(|value| !value.is_null()),
    ) {
        (None, None, None) => Ok(Input::Event),
        (Some(json), None, None) => serde_json::from_str(json)
            .map(Input::Constant)
            .map_err(|_| validation(format!("JSON syntax error in input for target {id}."))),
        (None, Some(path), None) if transform::steps(path).is_some() => {
            Ok(Input::Path(path.to_owned()))
        }
        (None, Some(_), None) => Err(validation(format!(
            "JSON path syntax error in input path for target {id}."
        ))),
        (None, None, Some(transformer)) => read_transformer(transformer, id),
        _ => Err(validation(format!(
            "Only one of Input, InputPath, or InputTransformer must be provided for target {id}."
        ))),
    }
}

fn read_transformer(transformer: &Value, id: &str) -> Result<Input, ApiError> {
    let template = text(transformer, "InputTemplate")?.to_owned();
    let mut paths = BTreeMap::new();
    for (name, path) in transformer
        .get("InputPathsMap")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let path = path
            .as_str()
            .ok_or_else(|| validation("InputPathsMap holds strings"))?;
        paths.insert(name.clone(), path.to_owned());
    }
    if template.is_empty() || template.len() > 8192 || paths.len() > 100 {
        return Err(validation(format!(
            "Invalid InputTransformer for target {id}: over a limit."
        )));
    }
    transform::check(&paths, &template).map_err(|reason| {
        validation(format!("Invalid InputTemplate for target {id} : {reason}."))
    })?;
    Ok(Input::Transformer { paths, template })
}

fn remove_targets(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    let ids: Vec<&str> = input["Ids"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    rule_mut(aws, text(input, "Rule")?)?
        .targets
        .retain(|target| !ids.contains(&target.id.as_str()));
    Ok(json!({"FailedEntryCount": 0, "FailedEntries": []}))
}

fn put_events(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    let entries = input["Entries"]
        .as_array()
        .filter(|entries| (1..=10).contains(&entries.len()));
    let entries = entries
        .ok_or_else(|| validation("Entries must have 1 to 10 members"))?
        .clone();
    let mut results = Vec::new();
    for entry in &entries {
        results.push(put_entry(aws, entry).unwrap_or_else(
            |error| json!({"ErrorCode": error.code, "ErrorMessage": error.message}),
        ));
    }
    let failed = results
        .iter()
        .filter(|result| result.get("ErrorCode").is_some())
        .count();
    Ok(json!({"FailedEntryCount": failed, "Entries": results}))
}

fn put_entry(aws: &mut Aws, entry: &Value) -> Result<Value, ApiError> {
    let invalid = |message: &str| ApiError::client("InvalidArgument", message);
    let source = entry["Source"].as_str().ok_or_else(|| {
        invalid("Parameter Source is not valid. Reason: Source is a required argument.")
    })?;
    if source.starts_with("aws.") {
        let message = "Not authorized to put events with a source beginning with aws.";
        return Err(ApiError::client("NotAuthorizedForSourceException", message));
    }
    let kind = entry["DetailType"].as_str().ok_or_else(|| {
        invalid("Parameter DetailType is not valid. Reason: DetailType is a required argument.")
    })?;
    let detail = entry["Detail"]
        .as_str()
        .and_then(|text| serde_json::from_str(text).ok())
        .filter(Value::is_object);
    let detail =
        detail.ok_or_else(|| ApiError::client("MalformedDetail", "Detail is malformed."))?;
    let resources = entry["Resources"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    let event = super::new_event(aws, source, kind, resources, detail);
    let id = event["id"].clone();
    put(aws, event);
    Ok(json!({ "EventId": id }))
}
