//! What CloudFormation says of a template as a whole, before it reads any part of it: in its own
//! words, where the checks of the parts have words of their own.

use serde_json::{Map, Value};

use super::yaml;
use crate::validation::{Quoted, violation};

/// The most bytes of a template in a request.
const MOST_BYTES: usize = 51_200;

/// Refuses a template that is too long to be in a request.
pub(super) fn check_length(body: &str) -> Result<(), String> {
    if body.len() <= MOST_BYTES {
        return Ok(());
    }
    Err(format!(
        "1 validation error detected: Value '{body}' at 'templateBody' failed to satisfy \
         constraint: Member must have length less than or equal to {MOST_BYTES}"
    ))
}

/// Refuses a template that is not one.
pub(super) fn check(body: &str) -> Result<(), String> {
    // Text that is not YAML is refused with its place when the template is read.
    let Ok(document) = yaml::parse(body) else {
        return Ok(());
    };
    let Some(template) = document.as_object() else {
        return Err("Template format error: unsupported structure.".to_owned());
    };
    check_names(template).map_err(|problem| format!("Template format error: {problem}"))?;
    check_conditions(template)
}

/// A stack is named by its name or its ARN.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    let valid = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    let is_name =
        name.starts_with(|letter: char| letter.is_ascii_alphabetic()) && name.chars().all(valid);
    if is_name || name.starts_with("arn:") {
        return Ok(());
    }
    Err(violation(
        Quoted::Text(name),
        "stackName",
        "Member must satisfy regular expression pattern: \
         [a-zA-Z][-a-zA-Z0-9]*|arn:[-a-zA-Z0-9:/._+]*",
    ))
}

fn members<'a>(template: &'a Map<String, Value>, section: &str) -> Vec<(&'a String, &'a Value)> {
    let members = template.get(section).and_then(Value::as_object);
    members.into_iter().flatten().collect()
}

fn check_names(template: &Map<String, Value>) -> Result<(), String> {
    for (section, kind) in [("Parameters", "Parameter"), ("Resources", "Resource")] {
        for (name, member) in members(template, section) {
            if !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return Err(format!("{kind} name {name} is non alphanumeric."));
            }
            if !member.is_object() {
                return Err(format!("Any {section} member must be an object."));
            }
        }
    }
    for (name, resource) in members(template, "Resources") {
        if resource["Type"].is_null() {
            return Err(format!(
                "[/Resources/{name}] Every Resources object must contain a Type member."
            ));
        }
    }
    Ok(())
}

fn check_conditions(template: &Map<String, Value>) -> Result<(), String> {
    let mut found = Vec::new();
    for (_, condition) in members(template, "Conditions") {
        functions(condition, "Fn::Equals", &mut found);
    }
    let is_pair = |argument: &&Value| argument.as_array().is_some_and(|pair| pair.len() == 2);
    if found.iter().all(is_pair) {
        Ok(())
    } else {
        let problem = "every Fn::Equals object requires a list of 2 string parameters.";
        Err(format!("Template error: {problem}"))
    }
}

/// The arguments of a function wherever it stands.
fn functions<'a>(value: &'a Value, name: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(entries) => {
            for (key, argument) in entries {
                if key == name && entries.len() == 1 {
                    found.push(argument);
                }
                functions(argument, name, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| functions(item, name, found)),
        _ => {}
    }
}
