//! The bus, and the questions that people ask about rules: whom they call, and whether they would match.

use serde_json::{Value, json};

use super::pattern;
use super::rules::{missing, optional, page, text, validation};
use crate::aws::{ApiError, Aws};

pub(super) fn default_bus(aws: &Aws) -> Value {
    json!({"Name": "default", "Arn": aws.arn("events", "event-bus/default")})
}

pub(super) fn list(aws: &Aws, input: &Value) -> Result<Value, ApiError> {
    let named = optional(input, "NamePrefix")?.is_none_or(|prefix| "default".starts_with(prefix));
    page("EventBuses", Vec::from_iter(named.then(|| default_bus(aws))), input)
}

pub(super) fn rule_names(aws: &Aws, input: &Value) -> Result<Value, ApiError> {
    let arn = text(input, "TargetArn")?;
    let rules = aws.events.rules.values().filter(|rule| rule.targets.iter().any(|target| target.arn == arn));
    page("RuleNames", rules.map(|rule| json!(rule.name)).collect(), input)
}

pub(super) fn test_pattern(input: &Value) -> Result<Value, ApiError> {
    const MEMBERS: [&str; 7] = ["id", "account", "source", "time", "region", "resources", "detail-type"];
    let pattern = pattern::parse(text(input, "EventPattern")?)?;
    let event: Value = serde_json::from_str(text(input, "Event")?)
        .map_err(|_| validation("Parameter Event is not valid. Reason: it is not JSON"))?;
    if let Some(absent) = MEMBERS.iter().find(|member| event.get(**member).is_none()) {
        return Err(validation(format!("Parameter Event is not valid. Reason: {absent} is missing")));
    }
    Ok(json!({ "Result": pattern::matches(&pattern, &event) }))
}

/// PutRule's tags are not kept, and templates give rules none.
pub(super) fn tags(aws: &Aws, input: &Value) -> Result<Value, ApiError> {
    let arn = text(input, "ResourceARN")?;
    match aws.events.rules.values().any(|rule| rule.arn == arn) {
        true => Ok(json!({ "Tags": [] })),
        false => Err(missing(arn.rsplit('/').next().unwrap_or(arn))),
    }
}
