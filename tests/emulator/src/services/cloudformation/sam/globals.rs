//! `Globals`: properties that all functions share.

use serde_json::{Map, Value};

use super::super::error::{At, Problem, found};
use super::super::schema;
use super::SERVERLESS;

/// What makes a function itself, and so cannot be shared.
const OWN: [&str; 4] = ["Events", "FunctionName", "Policies", "Role"];

/// The properties that all functions share.
pub(super) fn of_functions(globals: &Map<String, Value>) -> Result<Map<String, Value>, Problem> {
    if let Some(unknown) = globals.keys().find(|key| *key != "Function") {
        return Err(Problem::new("the sandbox knows Globals of Function only")).at(unknown);
    }

    let shared = match globals.get("Function") {
        None => return Ok(Map::new()),
        Some(Value::Object(shared)) => shared,
        Some(other) => {
            return Err(Problem::new(format!("takes a map, found {}", found(other))))
                .at("Function");
        }
    };
    let known: Vec<&str> = schema::names(schema::of(SERVERLESS))
        .filter(|name| !OWN.contains(name))
        .collect();

    match shared.keys().find(|name| !known.contains(&name.as_str())) {
        Some(unknown) => Err(Problem::new("not a property that functions can share"))
            .at(unknown)
            .at("Function"),
        None => Ok(shared.clone()),
    }
}

/// Shared and own properties together: maps are merged, lists are joined, and otherwise the own one
/// counts.
pub(super) fn merged(shared: &Value, own: &Value) -> Value {
    match (shared, own) {
        (Value::Object(shared), Value::Object(own))
            if !is_function(shared) && !is_function(own) =>
        {
            let mut all = shared.clone();
            for (name, value) in own {
                let value = shared
                    .get(name)
                    .map_or_else(|| value.clone(), |shared| merged(shared, value));
                all.insert(name.clone(), value);
            }
            Value::Object(all)
        }
        (Value::Array(shared), Value::Array(own)) => shared.iter().chain(own).cloned().collect(),
        _ => own.clone(),
    }
}

/// Intrinsic functions are not merged into.
fn is_function(value: &Map<String, Value>) -> bool {
    value.len() == 1
        && value
            .keys()
            .all(|name| name == "Ref" || name.starts_with("Fn::"))
}
