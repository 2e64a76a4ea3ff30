//! CloudFormation's checks of a template as a whole, before it reads any part of it: in its own
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
    let constraint = format!("Member must have length less than or equal to {MOST_BYTES}");
    Err(violation(Quoted::Text(body), "templateBody", &constraint))
}

/// Refuses a template that is not one.
pub(super) fn check(body: &str) -> Result<(), String> {
    let Some(document) = read(body)? else {
        return Ok(());
    };
    let Some(template) = document.as_object() else {
        return Err("Template format error: unsupported structure.".to_owned());
    };
    let malformed = |problem: String| format!("Template format error: {problem}");
    check_names(template).map_err(malformed)?;
    check_members(template).map_err(malformed)?;
    check_attributes(template)?;

    let conditions = members(template, "Conditions");
    let conditions: Vec<&str> = conditions.iter().map(|(name, _)| name.as_str()).collect();
    ["Conditions", "Resources", "Outputs"]
        .into_iter()
        .filter_map(|section| template.get(section))
        .try_for_each(|section| check_functions(section, &conditions))
        .map_err(|problem| format!("Template error: {problem}"))
}

/// The template; nothing if it is one that CloudFormation may take and the emulator does not, which
/// is refused with the place when it is read.
fn read(body: &str) -> Result<Option<Value>, String> {
    let is_json = body.trim_start().starts_with('{');
    if is_json && let Err(error) = serde_json::from_str::<Value>(body) {
        // The place is behind the letter that is wrong.
        let (line, column) = (error.line(), error.column() + 1);
        return Err(format!(
            "Template format error: JSON not well-formed. (line {line}, column {column})"
        ));
    }
    let problem = match yaml::parse(body) {
        Ok(document) => return Ok(Some(document)),
        Err(problem) => problem,
    };
    match (problem.null_at(), yaml::malformed_at(body)) {
        (Some(place), _) => Err(format!(
            "[{place}] 'null' values are not allowed in templates"
        )),
        (None, Some((line, column))) => Err(format!(
            "Template format error: YAML not well-formed. (line {line}, column {column})"
        )),
        (None, None) => Ok(None),
    }
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
    if members(template, "Resources").is_empty() {
        return Err("At least one Resources member must be defined.".to_owned());
    }
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

/// What each output and each mapping has.
fn check_members(template: &Map<String, Value>) -> Result<(), String> {
    for (_, mapping) in members(template, "Mappings") {
        for (name, entries) in mapping.as_object().into_iter().flatten() {
            let Some(entries) = entries.as_object() else {
                return Err(format!("Every Mappings member {name} must be a map"));
            };
            if entries.values().any(Value::is_object) {
                let problem = "Every Mappings attribute must be a String or a List.";
                return Err(problem.to_owned());
            }
        }
    }

    let outputs = members(template, "Outputs");
    if outputs.iter().all(|(_, it)| it.get("Value").is_some()) {
        Ok(())
    } else {
        Err("Every Outputs member must contain a Value object".to_owned())
    }
}

/// The attributes of a resource.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resources-section-structure.html>
const ATTRIBUTES: [&str; 10] = [
    "Condition",
    "CreationPolicy",
    "DeletionPolicy",
    "DependsOn",
    "Description",
    "Metadata",
    "Properties",
    "Type",
    "UpdatePolicy",
    "UpdateReplacePolicy",
];

fn check_attributes(template: &Map<String, Value>) -> Result<(), String> {
    // A transform has attributes of its own.
    if template.contains_key("Transform") {
        return Ok(());
    }
    let resources = members(template, "Resources");
    let mut attributes = resources
        .iter()
        .filter_map(|(_, resource)| resource.as_object())
        .flat_map(Map::keys);
    match attributes.find(|attribute| !ATTRIBUTES.contains(&attribute.as_str())) {
        Some(unknown) => Err(format!("Invalid template resource property '{unknown}'")),
        None => Ok(()),
    }
}

/// Checks every function in a value; a condition of `Fn::If` is one of the template's.
fn check_functions(value: &Value, conditions: &[&str]) -> Result<(), String> {
    match value {
        Value::Object(entries) => entries.iter().try_for_each(|(name, argument)| {
            if entries.len() == 1 {
                check_function(name, argument, conditions)?;
            }
            check_functions(argument, conditions)
        }),
        Value::Array(items) => items
            .iter()
            .try_for_each(|item| check_functions(item, conditions)),
        _ => Ok(()),
    }
}

fn check_function(name: &str, argument: &Value, conditions: &[&str]) -> Result<(), String> {
    let list = argument.as_array().map(Vec::as_slice);
    let (is_right, problem) = match name {
        "Fn::Equals" => (
            matches!(list, Some([_, _])),
            "every Fn::Equals object requires a list of 2 string parameters.",
        ),
        "Fn::GetAtt" => (
            argument.is_string()
                || matches!(list, Some([Value::String(id), attribute])
                    if !id.is_empty() && *attribute != ""),
            "every Fn::GetAtt object requires two non-empty parameters, the resource name and the \
             resource attribute",
        ),
        "Fn::Select" => (
            is_selection(list),
            "Fn::Select requires a list argument with two elements: an integer index and a list",
        ),
        "Fn::Split" => (
            matches!(list, Some([Value::String(_), _])),
            "every Fn::Split object requires two parameters, (1) a string delimiter and (2) a \
             string to be split or a function that returns a string to be split.",
        ),
        "Fn::If" => {
            return match list {
                Some([Value::String(name), ..]) if !conditions.contains(&name.as_str()) => {
                    Err(format!("unresolved condition dependency {name} in Fn::If"))
                }
                _ => Ok(()),
            };
        }
        _ => return Ok(()),
    };
    if is_right {
        Ok(())
    } else {
        Err(problem.to_owned())
    }
}

/// Whether a list is an index and a list that has it, as far as they are written out.
fn is_selection(list: Option<&[Value]>) -> bool {
    let Some([index, items]) = list else {
        return false;
    };
    let index = match index {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        function => return function.is_object(),
    };
    match (index, items) {
        (Some(index), Value::Array(items)) => index < items.len() as u64,
        (Some(_), function) => function.is_object(),
        (None, _) => false,
    }
}
