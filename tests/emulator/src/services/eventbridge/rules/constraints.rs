//! The constraints of the members of requests, which the framework in front of EventBridge checks.
//!
//! Source: <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Operations.html>, the
//! parameters of each operation.

use serde_json::Value;

use super::{Input, validation};
use crate::ApiError;
use crate::text::camel_case;
use crate::validation::{Quoted, TextConstraints, Violations, enum_constraint};

/// A member that is a text: its name, whether it is required, and what it takes.
type Member = (&'static str, bool, TextConstraints);

/// The name of a rule, or the id of a target.
const NAME: TextConstraints = TextConstraints {
    lengths: 1..=64,
    pattern: "[\\.\\-_A-Za-z0-9]+",
    others: ".-",
};
const ARN: TextConstraints = TextConstraints::of_lengths(1..=1600);
const PATTERN: TextConstraints = TextConstraints::of_lengths(0..=4096);

const PUT_RULE: &[Member] = &[
    ("Name", true, NAME),
    (
        "ScheduleExpression",
        false,
        TextConstraints::of_lengths(0..=256),
    ),
    ("EventPattern", false, PATTERN),
    ("Description", false, TextConstraints::of_lengths(0..=512)),
    ("RoleArn", false, ARN),
];
const NAMED: &[Member] = &[("Name", true, NAME)];
const LIST_RULES: &[Member] = &[
    ("NamePrefix", false, NAME),
    ("NextToken", false, TextConstraints::of_lengths(1..=2048)),
];
const OF_RULE: &[Member] = &[("Rule", true, NAME)];
const TEST_EVENT_PATTERN: &[Member] = &[
    ("EventPattern", true, PATTERN),
    ("Event", true, TextConstraints::of_lengths(0..=usize::MAX)),
];
const TARGET: &[Member] = &[
    ("Id", true, NAME),
    ("Arn", true, ARN),
    ("RoleArn", false, ARN),
    ("Input", false, TextConstraints::of_lengths(0..=8192)),
    ("InputPath", false, TextConstraints::of_lengths(0..=256)),
];
const TRANSFORMER: &[Member] = &[("InputTemplate", true, TextConstraints::of_lengths(1..=8192))];

const STATES: [&str; 3] = [
    "ENABLED",
    "DISABLED",
    "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
];

/// Refuses a request of which a member breaks its constraints.
pub(super) fn check(operation: &str, input: &Value) -> Result<(), ApiError> {
    let members = match operation {
        "PutRule" => PUT_RULE,
        "DeleteRule" | "DisableRule" => NAMED,
        "ListRules" => LIST_RULES,
        "PutTargets" | "RemoveTargets" => OF_RULE,
        "TestEventPattern" => TEST_EVENT_PATTERN,
        _ => return Ok(()),
    };
    let mut violations = Violations::default();
    texts(&mut violations, "", input, members)?;
    match operation {
        "PutRule" => state(&mut violations, input)?,
        "ListRules" => integer(&mut violations, "limit", &input["Limit"], 1, 100),
        "PutTargets" => {
            for (place, target) in items(&mut violations, input, "Targets")? {
                self::target(&mut violations, &format!("{place}."), target)?;
            }
        }
        "RemoveTargets" => {
            for (place, id) in items(&mut violations, input, "Ids")? {
                let id = id.as_str().unwrap_or_default();
                violations.check_text(&place, id, &NAME);
            }
        }
        _ => {}
    }
    match violations.message() {
        Some(message) => Err(validation(message)),
        None => Ok(()),
    }
}

fn texts(
    violations: &mut Violations,
    place: &str,
    input: &Value,
    members: &[Member],
) -> Result<(), ApiError> {
    for (member, required, constraints) in members {
        let field = format!("{place}{}", camel_case(member));
        match Input::new(input).text(member)? {
            Some(text) => violations.check_text(&field, text, constraints),
            None if *required => {
                violations.add(Quoted::Null, &field, "Member must not be null");
            }
            None => {}
        }
    }
    Ok(())
}

fn state(violations: &mut Violations, input: &Value) -> Result<(), ApiError> {
    if let Some(state) = Input::new(input).text("State")?
        && !STATES.contains(&state)
    {
        violations.add(Quoted::Text(state), "state", &enum_constraint(&STATES));
    }
    Ok(())
}

fn integer(violations: &mut Violations, field: &str, value: &Value, least: i64, most: i64) {
    if let Some(value) = value.as_i64() {
        let text = value.to_string();
        violations.check_bound(field, Quoted::Text(&text), "value", value, &(least..=most));
    }
}

/// The items of a list of 1 to 100, each with its place.
fn items<'a>(
    violations: &mut Violations,
    input: &'a Value,
    member: &str,
) -> Result<Vec<(String, &'a Value)>, ApiError> {
    let field = camel_case(member);
    if input[member].is_null() {
        violations.add(Quoted::Null, &field, "Member must not be null");
        return Ok(Vec::new());
    }
    let items = Input::new(input).list(member)?;
    let shown = if items.is_empty() {
        Quoted::Text("[]")
    } else {
        Quoted::Omitted
    };
    violations.check_bound(&field, shown, "length", items.len(), &(1..=100));
    let place = |index: usize| format!("{field}.{}.member", index + 1);
    let items = items.iter().enumerate();
    Ok(items.map(|(index, item)| (place(index), item)).collect())
}

fn target(violations: &mut Violations, place: &str, target: &Value) -> Result<(), ApiError> {
    texts(violations, place, target, TARGET)?;
    let transformer = &target["InputTransformer"];
    if !transformer.is_null() {
        let place = format!("{place}inputTransformer.");
        texts(violations, &place, transformer, TRANSFORMER)?;
    }
    let policy = &target["RetryPolicy"];
    for (member, least, most) in [
        ("MaximumRetryAttempts", 0, 185),
        ("MaximumEventAgeInSeconds", 60, 86_400),
    ] {
        let field = format!("{place}retryPolicy.{}", camel_case(member));
        integer(violations, &field, &policy[member], least, most);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(operation: &str, input: &Value) -> String {
        let error = check(operation, input).unwrap_err();
        assert_eq!(error.code, "ValidationException");
        error.message
    }

    #[test]
    fn every_broken_constraint_is_named() {
        let name = "this has blanks and is longer than the sixty-four letters of a name";
        let input = json!({"Name": name, "State": "ON"});
        assert_eq!(
            refusal("PutRule", &input),
            format!(
                "3 validation errors detected: Value '{name}' at 'name' failed to satisfy \
                 constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+; \
                 Value '{name}' at 'name' failed to satisfy constraint: Member must have length \
                 less than or equal to 64; Value 'ON' at 'state' failed to satisfy constraint: \
                 Member must satisfy enum value set: [ENABLED, DISABLED, \
                 ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS]"
            )
        );
        for operation in ["PutRule", "DisableRule", "DeleteRule"] {
            let constraint = "Value null at 'name' failed to satisfy constraint: Member must not \
                              be null";
            let message = format!("1 validation error detected: {constraint}");
            assert_eq!(refusal(operation, &json!({})), message);
        }
    }

    #[test]
    fn members_of_lists_are_named_by_their_place() {
        let target = json!({"Id": "a", "Arn": "arn", "RetryPolicy": {"MaximumRetryAttempts": 186}});
        let policy = json!({"Rule": "r", "Targets": [target]});
        for (operation, input, constraint) in [
            (
                "PutTargets",
                policy,
                "Value '186' at 'targets.1.member.retryPolicy.maximumRetryAttempts' failed to \
                 satisfy constraint: Member must have value less than or equal to 185",
            ),
            (
                "PutTargets",
                json!({"Rule": "r", "Targets": []}),
                "Value '[]' at 'targets' failed to satisfy constraint: Member must have length \
                 greater than or equal to 1",
            ),
            (
                "RemoveTargets",
                json!({"Rule": "r", "Ids": ["a", "b c"]}),
                "Value 'b c' at 'ids.2.member' failed to satisfy constraint: Member must satisfy \
                 regular expression pattern: [\\.\\-_A-Za-z0-9]+",
            ),
            (
                "ListRules",
                json!({"Limit": 0}),
                "Value '0' at 'limit' failed to satisfy constraint: Member must have value greater \
                 than or equal to 1",
            ),
        ] {
            let message = format!("1 validation error detected: {constraint}");
            assert_eq!(refusal(operation, &input), message);
        }
        let text = json!({"Event": "{}", "EventPattern": " ".repeat(4097)});
        assert!(refusal("TestEventPattern", &text).ends_with("less than or equal to 4096"));
    }
}
