//! The types of the members that the product reads or replaces: one of another type would count as
//! absent, and a release would be judged without it or lose it.
//!
//! It checks no member that is only passed on: ECS judges those.

use serde_json::{Map, Value};

use super::types::{type_of, wrong_type};

/// Members of the definition, with their types.
const OF_TASK: [(&str, &str); 6] = [
    ("executionRoleArn", "a string"),
    ("networkMode", "a string"),
    ("requiresCompatibilities", "a list"),
    ("runtimePlatform", "an object"),
    ("tags", "a list"),
    ("taskRoleArn", "a string"),
];

/// Members of a port mapping, with their types.
const OF_MAPPING: [(&str, &str); 3] = [
    ("containerPort", "a whole number"),
    ("hostPort", "a whole number"),
    ("protocol", "a string"),
];

/// Checks the members that are there.
///
/// # Errors
/// If one has a type that ECS refuses.
pub(super) fn check_read_members(fields: &Map<String, Value>) -> Result<(), String> {
    for (name, expected) in OF_TASK {
        check_member(name, fields.get(name), expected)?;
    }
    let platform = fields.get("runtimePlatform");
    let architecture = platform.and_then(|platform| platform.get("cpuArchitecture"));
    check_member("runtimePlatform.cpuArchitecture", architecture, "a string")?;

    for (at, tag) in items(fields.get("tags")) {
        if !tag["key"].is_string() {
            return Err(format!(
                "`tags[{at}].key` is {}; expected a string, as in {{\"key\": \"team\", \"value\": \
                 \"web\"}}",
                type_of(&tag["key"])
            ));
        }
    }
    for (at, container) in items(fields.get("containerDefinitions")) {
        check_mappings(at, container.get("portMappings"))?;
    }
    Ok(())
}

fn check_mappings(container: usize, mappings: Option<&Value>) -> Result<(), String> {
    let field = format!("containerDefinitions[{container}].portMappings");
    check_member(&field, mappings, "a list")?;

    for (at, mapping) in items(mappings) {
        for (name, expected) in OF_MAPPING {
            check_member(
                &format!("{field}[{at}].{name}"),
                mapping.get(name),
                expected,
            )?;
        }
    }
    Ok(())
}

fn check_member(field: &str, value: Option<&Value>, expected: &str) -> Result<(), String> {
    let Some(wrong) = value.and_then(|value| wrong_type(field, value, expected)) else {
        return Ok(());
    };
    let form = match field {
        "tags" => " such as [{\"key\": \"team\", \"value\": \"web\"}]",
        _ => "",
    };
    Err(wrong + form)
}

/// The items of a list, with their places; none of anything else.
fn items(list: Option<&Value>) -> impl Iterator<Item = (usize, &Value)> {
    let items = list.and_then(Value::as_array);
    items.into_iter().flatten().enumerate()
}
