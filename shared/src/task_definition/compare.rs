//! Whether two task definitions are equivalent, that is, whether ECS would run them the same way.
//!
//! ECS fills in defaults when it describes a definition, so a file and its registration differ as
//! text. Both are normalised first: empty values and defaults are removed, and lists without a
//! meaningful order are sorted. An unknown field is never ignored: it is compared as it is.

use serde_json::{Map, Value};

use super::definition::TaskDefinition;

/// Whether registering `wanted` would only repeat `registered`.
#[must_use]
pub fn equivalent(wanted: &TaskDefinition, registered: &TaskDefinition) -> bool {
    let form = |definition: &TaskDefinition| normalized(&Value::Object(definition.0.clone()), "");
    form(wanted) == form(registered)
}

fn normalized(value: &Value, field: &str) -> Value {
    match value {
        Value::Object(fields) => Value::Object(normalized_object(fields, field)),
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(|item| normalized(item, field)).collect();
            if SETS.contains(&field) {
                items.sort_by_cached_key(Value::to_string);
            }
            Value::Array(items)
        }
        // ECS describes the task's sizes as text; files may have numbers.
        Value::Number(number) if matches!(field, "cpu" | "memory") => {
            Value::String(number.to_string())
        }
        other => other.clone(),
    }
}

/// Lists whose order has no meaning; their items are compared as sets.
const SETS: [&str; 10] = [
    "environment",
    "secrets",
    "tags",
    "ulimits",
    "requiresCompatibilities",
    "volumes",
    "systemControls",
    "extraHosts",
    "portMappings",
    "mountPoints",
];

fn normalized_object(fields: &Map<String, Value>, within: &str) -> Map<String, Value> {
    let mut kept: Vec<(String, Value)> = fields
        .iter()
        .map(|(name, value)| (name.clone(), normalized(value, name)))
        .filter(|(name, value)| !is_default(within, name, value, fields))
        .collect();
    kept.sort_by(|a, b| a.0.cmp(&b.0));
    kept.into_iter().collect()
}

/// Whether ECS would describe this value without having received it, or treats it as absent.
fn is_default(within: &str, name: &str, value: &Value, siblings: &Map<String, Value>) -> bool {
    let empty = match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };

    empty
        || match (within, name) {
            ("containerDefinitions", "cpu") => value == "0",
            ("containerDefinitions", "essential") => value == &Value::Bool(true),
            ("portMappings", "protocol") => value == "tcp",
            // A dynamic port is described as 0 in bridge mode, and as the container port in
            // awsvpc mode.
            ("portMappings", "hostPort") => {
                value.as_u64() == Some(0) || siblings.get("containerPort") == Some(value)
            }
            ("mountPoints" | "volumesFrom", "readOnly") => value == &Value::Bool(false),
            _ => false,
        }
}
