//! Whether two task definitions say the same, as Amazon ECS would register them.
//!
//! ECS fills in defaults when it describes a definition, so a file and its own registration differ as text. Both sides are
//! brought to one form first: what is empty or a default is dropped, what is keyed by a name is sorted by it.

use serde_json::{Map, Value};

use super::TaskDefinition;

/// Whether registering `wanted` would only repeat `registered`.
#[must_use]
pub fn same(wanted: &TaskDefinition, registered: &TaskDefinition) -> bool {
    let form = |definition: &TaskDefinition| normal(&Value::Object(definition.0.clone()), "");
    form(wanted) == form(registered)
}

fn normal(value: &Value, field: &str) -> Value {
    match value {
        Value::Object(fields) => Value::Object(normal_object(fields, field)),
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(|item| normal(item, field)).collect();
            if SETS.contains(&field) {
                items.sort_by_cached_key(Value::to_string);
            }
            Value::Array(items)
        }
        // The task-level sizes are text in answers; people write numbers too.
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

fn normal_object(fields: &Map<String, Value>, within: &str) -> Map<String, Value> {
    let mut kept: Vec<(String, Value)> = fields
        .iter()
        .map(|(name, value)| (name.clone(), normal(value, name)))
        .filter(|(name, value)| !is_default(within, name, value, fields))
        .collect();
    kept.sort_by(|a, b| a.0.cmp(&b.0));
    kept.into_iter().collect()
}

/// Whether ECS would answer this value although nobody gave it, or treats it as not given.
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
            // Bridge mode answers 0 for a dynamic port; awsvpc answers the container port.
            ("portMappings", "hostPort") => {
                value.as_u64() == Some(0) || siblings.get("containerPort") == Some(value)
            }
            ("mountPoints" | "volumesFrom", "readOnly") => value == &Value::Bool(false),
            _ => false,
        }
}
