//! The user parameters of an action, from its JSON Schema in infra/schemas/.

use serde_json::Value;

use crate::markdown::{cell, table};
use crate::project;

/// Parameters that every action takes. They have a table of their own.
const COMMON: [&str; 4] = ["pipeline", "execution", "cluster", "service"];

/// In place of the table of an action that takes no others.
const NO_OTHERS: &str = "Those of [every action](#every-action) alone.\n";

/// Where the common parameters are described for services and pairs alike.
const FIRST_ACTION: &str = "begin-release";

pub(super) fn common() -> String {
    rows_of(FIRST_ACTION, |name| COMMON.contains(&name))
}

pub(super) fn table_of(action: &str) -> String {
    rows_of(action, |name| !COMMON.contains(&name))
}

fn rows_of(action: &str, is_wanted: impl Fn(&str) -> bool) -> String {
    let text = project::read(&format!("infra/schemas/{action}.json"));
    let schema: Value = serde_json::from_str(&text).expect("a schema is JSON");
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let properties = schema["properties"].as_object().expect("properties");
    for name in COMMON {
        assert!(properties.contains_key(name), "{action} takes no `{name}`");
    }

    let rows: Vec<Vec<String>> = properties
        .iter()
        .filter(|(name, _)| is_wanted(name))
        .map(|(name, property)| {
            let is_required = required.iter().any(|field| field == name.as_str());
            let needed = if is_required { "required" } else { "" };
            let (kind, more) = kind(property, &schema);
            let described = property["description"].as_str().map(cell);
            let meaning: Vec<String> = described.into_iter().chain(more).collect();

            vec![
                format!("`{name}`"),
                kind,
                needed.to_owned(),
                meaning.join("<br>"),
            ]
        })
        .collect();

    if rows.is_empty() {
        return NO_OTHERS.to_owned();
    }
    table(&["name", "type", "needed", "meaning"], &rows)
}

/// The type for a reader, and its words with their meanings.
fn kind(property: &Value, schema: &Value) -> (String, Vec<String>) {
    if let Some(path) = property["$ref"].as_str() {
        let name = path.trim_start_matches("#/$defs/");
        return kind(&schema["$defs"][name], schema);
    }
    if let Some(choices) = property["anyOf"].as_array() {
        let some = choices.iter().find(|choice| choice["type"] != "null");
        return kind(some.expect("a type beside null"), schema);
    }
    if let Some(words) = property["oneOf"].as_array() {
        return (String::from("word"), words.iter().map(word).collect());
    }

    let text = match type_of(property) {
        "string" => "text".to_owned(),
        "integer" => format!("whole number{}", range(property)),
        "object" => "object".to_owned(),
        "array" => {
            let (item, _) = kind(&property["items"], schema);
            format!("list: {item}")
        }
        other => other.to_owned(),
    };
    (text, Vec::new())
}

fn type_of(property: &Value) -> &str {
    let kinds = &property["type"];
    let several = kinds.as_array().and_then(|kinds| {
        kinds
            .iter()
            .filter_map(Value::as_str)
            .find(|kind| *kind != "null")
    });
    kinds.as_str().or(several).unwrap_or("any")
}

fn word(word: &Value) -> String {
    let meaning = word["description"].as_str().map(cell).unwrap_or_default();
    format!(
        "`{}`: {meaning}",
        word["const"].as_str().unwrap_or_default()
    )
}

fn range(property: &Value) -> String {
    match (property["minimum"].as_u64(), property["maximum"].as_u64()) {
        (Some(least), Some(most)) => format!(", {least} to {most}"),
        (Some(least), None) if least > 0 => format!(", {least} or more"),
        _ => String::new(),
    }
}
