//! The operations on rules, targets and events.

mod constraints;
mod entries;
mod targets;

use serde_json::{Value, json};

use super::{EventRule, Fields, Pattern, Schedule, plan};
use crate::input::Input;
use crate::page::Tokens;
use crate::tags::{TagFault, TagRules};
use crate::validation as violations;
use crate::{ApiError, Aws, record};

/// The most rules of a bus whose patterns have wildcards, which AWS does not raise.
///
/// Source: <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>
const WILDCARD_RULES: usize = 30;

/// One operation by its API name with the JSON 1.1 input; returns the JSON output.
pub fn call(aws: &mut Aws, operation: &str, input: &Value) -> Result<Value, ApiError> {
    let answer = run_operation(aws, operation, input);
    record::operation("events", operation, input, &answer);
    answer
}

fn run_operation(aws: &mut Aws, operation: &str, input: &Value) -> Result<Value, ApiError> {
    constraints::check(operation, input)?;
    let bus = optional(input, "EventBusName")?.unwrap_or("default");
    if bus.rsplit('/').next() != Some("default") {
        return Err(ApiError::client(
            "ResourceNotFoundException",
            format!("Event bus {bus} does not exist."),
        ));
    }
    match operation {
        "PutRule" => put_rule(aws, input),
        "DeleteRule" => delete_rule(aws, input),
        "ListRules" => list_rules(aws, input),
        "DisableRule" => disable_rule(aws, input),
        "PutEvents" => entries::put_all(aws, input),
        "PutTargets" => targets::put(aws, input),
        "RemoveTargets" => targets::remove(aws, input),
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
    Input::new(input).text(member)
}

fn missing(name: &str) -> ApiError {
    ApiError::client(
        "ResourceNotFoundException",
        format!("Rule {name} does not exist on EventBus default."),
    )
}

fn rule<'a>(aws: &'a Aws, name: &str) -> Result<&'a EventRule, ApiError> {
    aws.events.rules.get(name).ok_or_else(|| missing(name))
}

fn rule_mut<'a>(aws: &'a mut Aws, name: &str) -> Result<&'a mut EventRule, ApiError> {
    aws.events.rules.get_mut(name).ok_or_else(|| missing(name))
}

/// Source: <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-tagging.html>
const TAGS: TagRules = TagRules {
    key: "Key",
    value: "Value",
    least_value_chars: 0,
    refuse: |fault| match fault {
        TagFault::TooMany => Some(too_many()),
        _ => Some(validation(fault.to_string())),
    },
};

fn too_many() -> ApiError {
    ApiError::client(
        "LimitExceededException",
        "The requested resource exceeds the maximum number allowed.",
    )
}

fn put_rule(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    let name = text(input, "Name")?.to_owned();
    TAGS.check(Input::new(input).list("Tags")?)?;
    let pattern = optional(input, "EventPattern")?
        .map(Pattern::parse)
        .transpose()?;
    let schedule = optional(input, "ScheduleExpression")?
        .map(Schedule::parse)
        .transpose()?;
    if pattern.is_none() && schedule.is_none() {
        return Err(validation(
            "Parameter(s) EventPattern or ScheduleExpression must be specified.",
        ));
    }
    check_quotas(aws, &name, pattern.as_ref())?;

    let enabled = is_enabled(input)?;
    let arn = aws.arn("events", &format!("rule/{name}"));
    let (targets, generation) = match aws.events.rules.remove(&name) {
        Some(known) => (known.targets, known.generation + 1),
        None => (Vec::new(), 0),
    };
    let description = optional(input, "Description")?.map(str::to_owned);
    let role_arn = optional(input, "RoleArn")?.map(str::to_owned);
    let rule = EventRule {
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

/// Refuses a rule that is one too many.
fn check_quotas(aws: &Aws, name: &str, pattern: Option<&Pattern>) -> Result<(), ApiError> {
    let rules = &aws.events.rules;
    if rules.len() >= aws.quotas.rules && !rules.contains_key(name) {
        return Err(too_many());
    }
    if pattern.is_none_or(|pattern| !pattern.has_wildcards()) {
        return Ok(());
    }

    let others = rules.values().filter(|rule| rule.name != name);
    let patterns = others.filter_map(|rule| rule.pattern.as_ref());
    if patterns.filter(|pattern| pattern.has_wildcards()).count() >= WILDCARD_RULES {
        return Err(too_many());
    }
    Ok(())
}

fn is_enabled(input: &Value) -> Result<bool, ApiError> {
    match optional(input, "State")? {
        None | Some("ENABLED") => Ok(true),
        Some("DISABLED") => Ok(false),
        Some(other) => Err(validation(format!(
            "Value '{other}' at 'state' is not modelled by the sandbox"
        ))),
    }
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

fn described(rule: &EventRule) -> Value {
    let mut described = json!({"Name": rule.name, "Arn": rule.arn,
        "State": if rule.enabled { "ENABLED" } else { "DISABLED" }, "EventBusName": "default"});
    let optional = [
        (
            "EventPattern",
            rule.pattern.as_ref().map(|pattern| pattern.text.clone()),
        ),
        (
            "ScheduleExpression",
            rule.schedule
                .as_ref()
                .map(|schedule| schedule.expression.clone()),
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
