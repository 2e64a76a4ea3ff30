//! The bus, and the questions that people ask about rules: whom they call, and whether they would match.

use serde_json::{Value, json};

use super::pattern;
use super::rules::{missing, optional, page, text, validation};
use crate::{ApiError, Aws};

pub(super) fn default_bus(aws: &Aws) -> Value {
    json!({"Name": "default", "Arn": aws.arn("events", "event-bus/default")})
}

pub(super) fn list(aws: &Aws, input: &Value) -> Result<Value, ApiError> {
    let named = optional(input, "NamePrefix")?.is_none_or(|prefix| "default".starts_with(prefix));
    page(
        "EventBuses",
        Vec::from_iter(named.then(|| default_bus(aws))),
        input,
    )
}

pub(super) fn rule_names(aws: &Aws, input: &Value) -> Result<Value, ApiError> {
    let arn = text(input, "TargetArn")?;
    let rules = aws
        .events
        .rules
        .values()
        .filter(|rule| rule.targets.iter().any(|target| target.arn == arn));
    page(
        "RuleNames",
        rules.map(|rule| json!(rule.name)).collect(),
        input,
    )
}

pub(super) fn test_pattern(input: &Value) -> Result<Value, ApiError> {
    const MEMBERS: [&str; 7] = [
        "id",
        "account",
        "source",
        "time",
        "region",
        "resources",
        "detail-type",
    ];
    let pattern = pattern::parse(text(input, "EventPattern")?)?;
    let event: Value = serde_json::from_str(text(input, "Event")?)
        .map_err(|_| validation("Parameter Event is not valid. Reason: it is not JSON"))?;
    if let Some(absent) = MEMBERS.iter().find(|member| event.get(**member).is_none()) {
        return Err(validation(format!(
            "Parameter Event is not valid. Reason: {absent} is missing"
        )));
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

#[cfg(test)]
mod tests {
    use super::super::call;
    use super::*;

    #[test]
    fn rules_are_found_by_their_target() {
        let mut aws = Aws::new(1);
        let arn = aws.arn("lambda", "function:f");
        call(
            &mut aws,
            "PutRule",
            &json!({"Name": "r", "EventPattern": "{\"source\":[\"s\"]}"}),
        )
        .unwrap();
        call(
            &mut aws,
            "PutTargets",
            &json!({"Rule": "r", "Targets": [{"Id": "1", "Arn": arn}]}),
        )
        .unwrap();
        let found = call(
            &mut aws,
            "ListRuleNamesByTarget",
            &json!({ "TargetArn": arn }),
        )
        .unwrap();
        assert_eq!(found, json!({ "RuleNames": ["r"] }));
        let buses = call(&mut aws, "ListEventBuses", &json!({})).unwrap();
        assert_eq!(buses["EventBuses"][0]["Name"], "default");
    }

    #[test]
    fn a_pattern_is_tried_on_a_whole_event_only() {
        let mut event = json!({"id": "1", "account": "1", "source": "s", "time": "t", "region": "r", "resources": [], "detail-type": "d"});
        let test = |event: &Value| {
            test_pattern(
                &json!({"EventPattern": "{\"source\":[\"s\"]}", "Event": event.to_string()}),
            )
        };
        assert_eq!(test(&event).unwrap(), json!({ "Result": true }));
        event["source"] = json!("other");
        assert_eq!(test(&event).unwrap(), json!({ "Result": false }));
        assert_eq!(
            test(&json!({"id": "1"})).unwrap_err().code,
            "ValidationException"
        );
    }
}
