//! Members of a definition whose JSON has another type than ECS expects. ECS refuses one without
//! naming it ("STRING_VALUE cannot be converted to Integer",
//! github.com/aws-actions/amazon-ecs-deploy-task-definition/issues/587).
//!
//! Never refuses a definition: it explains what ECS has refused. Never quotes a value.

use serde_json::{Map, Value};

/// Members that files have in other types, by what ECS expects. A list on the way stands for each
/// of its items, and `*` for every member of an object.
const MEMBERS: [(&str, &[&[&str]]); 3] = [
    (
        "a string",
        &[
            &["cpu"],
            &["memory"],
            &["tags", "value"],
            &["containerDefinitions", "command"],
            &["containerDefinitions", "dockerLabels", "*"],
            &["containerDefinitions", "entryPoint"],
            &["containerDefinitions", "environment", "value"],
            &["containerDefinitions", "healthCheck", "command"],
            &["containerDefinitions", "logConfiguration", "options", "*"],
            &["containerDefinitions", "user"],
        ],
    ),
    (
        "a whole number",
        &[
            &["ephemeralStorage", "sizeInGiB"],
            &["containerDefinitions", "cpu"],
            &["containerDefinitions", "healthCheck", "interval"],
            &["containerDefinitions", "healthCheck", "retries"],
            &["containerDefinitions", "healthCheck", "startPeriod"],
            &["containerDefinitions", "healthCheck", "timeout"],
            &["containerDefinitions", "memory"],
            &["containerDefinitions", "memoryReservation"],
            &["containerDefinitions", "startTimeout"],
            &["containerDefinitions", "stopTimeout"],
            &["containerDefinitions", "ulimits", "hardLimit"],
            &["containerDefinitions", "ulimits", "softLimit"],
        ],
    ),
    (
        "true or false",
        &[
            &["containerDefinitions", "essential"],
            &["containerDefinitions", "mountPoints", "readOnly"],
            &["containerDefinitions", "privileged"],
            &["containerDefinitions", "readonlyRootFilesystem"],
        ],
    ),
];

/// What is wrong with the type of a member; null is the same as an absent member.
pub(super) fn wrong_type(field: &str, value: &Value, expected: &str) -> Option<String> {
    let found = type_of(value);
    (found != expected && !value.is_null())
        .then(|| format!("`{field}` is {found}; expected {expected}"))
}

/// The members of other types than ECS expects, each with both types.
pub(super) fn wrong_types(fields: &Map<String, Value>) -> Vec<String> {
    let definition = Value::Object(fields.clone());
    let mut wrong = Vec::new();
    for (expected, paths) in MEMBERS {
        let mut check = |field: &str, value: &Value| {
            wrong.extend(wrong_type(field, value, expected));
        };
        for path in paths {
            visit(&definition, path, "", &mut check);
        }
    }
    wrong
}

/// Calls `check` for each value at a path, with the name of its place.
fn visit(value: &Value, path: &[&str], field: &str, check: &mut dyn FnMut(&str, &Value)) {
    match (value, path) {
        (Value::Array(items), _) => {
            for (at, item) in items.iter().enumerate() {
                visit(item, path, &format!("{field}[{at}]"), check);
            }
        }
        (_, []) => check(field, value),
        (Value::Object(members), [wanted, rest @ ..]) => {
            for (name, member) in members {
                if *wanted == "*" || name.as_str() == *wanted {
                    let dot = if field.is_empty() { "" } else { "." };
                    visit(member, rest, &format!("{field}{dot}{name}"), check);
                }
            }
        }
        _ => {}
    }
}

pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a decimal number",
        Value::Number(_) => "a whole number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
