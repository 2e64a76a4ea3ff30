//! Members of a definition whose JSON has another type than ECS expects. ECS refuses one without
//! naming it ("STRING_VALUE cannot be converted to Integer",
//! github.com/aws-actions/amazon-ecs-deploy-task-definition/issues/587).
//!
//! Never refuses a definition: it explains what ECS has refused. Never quotes a value.

mod members;

use serde_json::{Map, Value};

use members::{DEFINITION, MemberType};

/// What is wrong with the type of a member; null is the same as an absent member.
pub(super) fn wrong_type(field: &str, value: &Value, expected: &str) -> Option<String> {
    let found = type_of(value);
    (found != expected && !value.is_null())
        .then(|| format!("`{field}` is {found}; expected {expected}"))
}

/// The members of other types than ECS expects, each with both types, in their order.
pub(super) fn wrong_types(fields: &Map<String, Value>) -> Vec<String> {
    let mut wrong = Vec::new();
    visit(&Value::Object(fields.clone()), DEFINITION, "", &mut wrong);
    wrong
}

/// Adds what is wrong with a value, or with what it has inside if it is of its own type.
fn visit(value: &Value, expected: MemberType, field: &str, wrong: &mut Vec<String>) {
    match (expected, value) {
        (MemberType::List(item), Value::Array(items)) => {
            for (at, value) in items.iter().enumerate() {
                visit(value, *item, &format!("{field}[{at}]"), wrong);
            }
        }
        (MemberType::Texts, Value::Object(texts)) => {
            for (name, value) in texts {
                visit(value, MemberType::Text, &below(field, name), wrong);
            }
        }
        (MemberType::Object(known), Value::Object(members)) => {
            for (name, value) in members {
                let found = known.iter().find(|(member, _)| *member == name.as_str());
                if let Some((_, expected)) = found {
                    visit(value, *expected, &below(field, name), wrong);
                }
            }
        }
        _ => wrong.extend(wrong_type(field, value, expected.expected())),
    }
}

fn below(field: &str, name: &str) -> String {
    if field.is_empty() {
        name.to_owned()
    } else {
        format!("{field}.{name}")
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
