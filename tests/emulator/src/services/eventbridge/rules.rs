//! The operations on rules and targets.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Fields, Input, Pattern, Rate, Rule, Target, plan, transform};
use crate::input::Input as Reader;
use crate::page::Tokens;
use crate::validation::{self as violations, Quoted};
use crate::{ApiError, Aws, record};

/// The most targets of a rule.
const TARGETS: usize = 5;
const RULES: usize = 300;

/// One operation by its API name with the JSON 1.1 input; returns the JSON output.
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
        "ListRules" => list_rules(aws, input),
        "DisableRule" => disable_rule(aws, input),
        "PutTargets" => put_targets(aws, input),
        "RemoveTargets" => remove_targets(aws, input),
        "TestEventPattern" => test_event_pattern(input),
        _ => Err(ApiError::unknown_operation(operation)),
    }
}

fn validation(message: impl Into<String>) -> ApiError {
    ApiError::client("ValidationException", message)
}

fn text<'a>(input: &'a Value, member: &str) -> Result<&'a str, ApiError> {
    optional(input, member)?.ok_or_else(|| validation(violations::missing(member)))
}

fn optional<'a>(input: &'a Value, member: &str) -> Result<Option<&'a str>, ApiError> {
    Reader::new(input).text(member)
}

fn missing(name: &str) -> ApiError {
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
    let valid = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    if name.is_empty() || name.len() > 64 || !name.chars().all(valid) {
        return Err(validation(violations::violation(
            Quoted::Text(&name),
            "name",
            "Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+",
        )));
    }

    let pattern = optional(input, "EventPattern")?
        .map(Pattern::parse)
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

fn disable_rule(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    let name = text(input, "Name")?;
    let rule = rule_mut(aws, name)?;
    rule.generation += 1;
    rule.enabled = false;
    Ok(json!({}))
}

fn described(rule: &Rule) -> Value {
    let mut described = json!({"Name": rule.name, "Arn": rule.arn,
        "State": if rule.enabled { "ENABLED" } else { "DISABLED" }, "EventBusName": "default"});
    let optional = [
        (
            "EventPattern",
            rule.pattern.as_ref().map(|pattern| pattern.text.clone()),
        ),
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

/// One page: `Limit` (at most 100) items from where `NextToken` points.
fn page(member: &str, items: Vec<Value>, input: &Value) -> Result<Value, ApiError> {
    let limit = input.get("Limit").and_then(Value::as_u64).unwrap_or(100);
    if !(1..=100).contains(&limit) {
        return Err(validation("Limit must be between 1 and 100"));
    }
    let invalid = || validation("Parameter nextToken is not valid.");
    let token = optional(input, "NextToken")?;
    let page = Tokens::Decimal.page(items, token, limit as usize);
    let page = page.ok_or_else(invalid)?;

    let mut output = json!({ member: page.items });
    if let Some(next) = page.next {
        output["NextToken"] = json!(next);
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
    let targets: Vec<Target> = targets
        .iter()
        .enumerate()
        .map(target)
        .collect::<Result<_, _>>()?;
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

fn target((index, declared): (usize, &Value)) -> Result<Target, ApiError> {
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
    check_id(index, &id)?;
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

/// The id of a target, by the number of the target in the request.
fn check_id(index: usize, id: &str) -> Result<(), ApiError> {
    let valid = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let constraint = if id.is_empty() || !id.chars().all(valid) {
        "Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+"
    } else if id.len() > 64 {
        "Member must have length less than or equal to 64"
    } else {
        return Ok(());
    };
    let place = format!("targets.{}.member.id", index + 1);
    Err(validation(violations::violation(
        Quoted::Text(id),
        &place,
        constraint,
    )))
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

    transform::check(&paths, &template, id).map_err(validation)?;
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

/// What an event that is tested must have: not `resources`, which the API reference lists too.
const MANDATORY: [&str; 6] = ["id", "account", "source", "time", "region", "detail-type"];

fn test_event_pattern(input: &Value) -> Result<Value, ApiError> {
    let event = text(input, "Event")?;
    let pattern = Pattern::parse(text(input, "EventPattern")?)?;
    let complete = serde_json::from_str(event)
        .is_ok_and(|event: Value| MANDATORY.iter().all(|member| !event[member].is_null()));
    let fields = Fields::of(event)
        .filter(|_| complete)
        .ok_or_else(|| validation("Parameter Event is not valid."))?;
    Ok(json!({ "Result": pattern.matches(&fields) }))
}
