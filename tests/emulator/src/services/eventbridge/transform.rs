//! What a target receives: the event, a part of it, a constant, or a template filled from it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::TargetInput;

/// What the reserved variables stand for, beside the event itself.
pub(super) struct RuleContext<'a> {
    pub rule_arn: &'a str,
    pub rule_name: &'a str,
    pub ingested: &'a str,
}

/// The reserved variables that hold JSON and are not escaped, so they may stand only where a JSON
/// value may.
const JSON_ONLY: [&str; 2] = ["aws.events.event", "aws.events.event.json"];
const RESERVED_TEXT: [&str; 3] = [
    "aws.events.rule-arn",
    "aws.events.rule-name",
    "aws.events.event.ingestion-time",
];

/// The payload for a target, or why there is none.
pub(super) fn payload(
    input: &TargetInput,
    event: &Value,
    context: &RuleContext,
) -> Result<Value, String> {
    match input {
        TargetInput::Event => Ok(event.clone()),
        TargetInput::Constant(value) => Ok(value.clone()),
        TargetInput::Path(path) => Ok(at(event, path).unwrap_or_default()),
        TargetInput::Transformer { paths, template } => {
            let text = fill(template, |name| variable(name, paths, event, context))?;
            serde_json::from_str(&text)
                .map_err(|error| format!("the transformed input is not valid JSON: {error}"))
        }
    }
}

/// Checks a template when a target is put: known variables, none as a key, and JSON once they are
/// filled in.
pub(super) fn check(
    paths: &BTreeMap<String, String>,
    template: &str,
    id: &str,
) -> Result<(), String> {
    if let Some(name) = paths
        .keys()
        .find(|name| name.to_lowercase().starts_with("aws."))
    {
        return Err(refusal(
            id,
            &format!("InputPathsMap key {name} is reserved"),
        ));
    }
    if let Some(path) = paths.values().find(|path| steps(path).is_none()) {
        return Err(refusal(id, &format!("{path} is not a valid JSON path")));
    }

    let filled = fill(template, |name| {
        let known =
            paths.contains_key(name) || JSON_ONLY.contains(&name) || RESERVED_TEXT.contains(&name);
        if known {
            Ok(Value::String(String::new()))
        } else {
            let placeholder = format!("contains invalid placeholder {name}.");
            Err(format!("InputTemplate for target {id} {placeholder}"))
        }
    })?;
    let values = serde_json::Deserializer::from_str(&filled).into_iter::<Value>();
    let values: Result<Vec<Value>, _> = values.collect();
    match values.as_deref() {
        Ok([_]) => Ok(()),
        // Lines of texts, which are not a payload for a function.
        Ok(lines) if !lines.is_empty() && lines.iter().all(Value::is_string) => Ok(()),
        Ok(_) => Err(refusal(id, "the template is not one JSON value")),
        Err(error) => Err(refusal(
            id,
            &format!("the template is not valid JSON: {error}"),
        )),
    }
}

fn refusal(id: &str, reason: &str) -> String {
    format!("Invalid InputTemplate for target {id} : {reason}.")
}

fn variable(
    name: &str,
    paths: &BTreeMap<String, String>,
    event: &Value,
    context: &RuleContext,
) -> Result<Value, String> {
    Ok(match name {
        "aws.events.rule-arn" => Value::from(context.rule_arn),
        "aws.events.rule-name" => Value::from(context.rule_name),
        "aws.events.event.ingestion-time" => Value::from(context.ingested),
        "aws.events.event.json" => event.clone(),
        "aws.events.event" => {
            let mut bare = event.clone();
            if let Some(fields) = bare.as_object_mut() {
                fields.shift_remove("detail");
                let kind = fields.shift_remove("detail-type").unwrap_or_default();
                fields.insert("detailType".to_owned(), kind);
            }
            bare
        }
        _ => {
            let path = paths
                .get(name)
                .ok_or_else(|| format!("<{name}> is not in InputPathsMap"))?;
            at(event, path).unwrap_or_else(|| Value::from(""))
        }
    })
}

/// Fills `<name>` placeholders: raw text with its quotes escaped inside a JSON string, a JSON value
/// outside.
fn fill(template: &str, value: impl Fn(&str) -> Result<Value, String>) -> Result<String, String> {
    let (mut filled, mut rest, mut quoted) = (String::new(), template, false);
    let is_text = template.trim_start().starts_with('"');
    while let Some(letter) = rest.chars().next() {
        let name = placeholder(rest);
        match (letter, name) {
            ('<', Some(name)) => {
                if quoted && JSON_ONLY.contains(&name) {
                    return Err(format!(
                        "<{name}> is not escaped and may only be a JSON value, outside quotes"
                    ));
                }

                let value = value(name)?;
                filled.push_str(&match (quoted, is_text) {
                    (false, _) => value.to_string(),
                    (true, true) => within_text(&value),
                    (true, false) => within_json(&value),
                });
                rest = &rest[name.len() + 2..];
                if !quoted && rest.trim_start().starts_with(':') {
                    return Err(format!("<{name}> cannot be an object key"));
                }
            }
            ('\\', _) if quoted => {
                let end = rest
                    .char_indices()
                    .nth(2)
                    .map_or(rest.len(), |(end, _)| end);
                filled.push_str(&rest[..end]);
                rest = &rest[end..];
            }
            _ => {
                quoted ^= letter == '"';
                filled.push(letter);
                rest = &rest[letter.len_utf8()..];
            }
        }
    }
    Ok(filled)
}

/// The name in a `<name>` that `text` begins with.
fn placeholder(text: &str) -> Option<&str> {
    let name = text.strip_prefix('<')?.split_once('>')?.0;
    let valid = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    (!name.is_empty() && name.chars().all(valid)).then_some(name)
}

/// A value inside a template that is a string: objects and arrays lose their quotes.
fn within_text(value: &Value) -> String {
    match value {
        Value::String(_) => within_json(value),
        Value::Null => String::new(),
        other => other.to_string().replace('"', ""),
    }
}

/// A value inside a string of a template that is an object: nothing but strings is escaped, so that
/// an object there makes the whole invalid.
fn within_json(value: &Value) -> String {
    match value {
        Value::String(_) => {
            let json = value.to_string();
            json[1..json.len() - 1].to_owned()
        }
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// The value at a JSON path of the kind that EventBridge supports: dots and list indices.
pub(super) fn at(event: &Value, path: &str) -> Option<Value> {
    steps(path)?
        .into_iter()
        .try_fold(event, |value, step| match step.parse::<usize>() {
            Ok(index) if value.is_array() => value.get(index),
            _ => value.get(step),
        })
        .cloned()
}

/// `$.detail.tags[0]` as its steps, or nothing when it is not a path.
pub(super) fn steps(path: &str) -> Option<Vec<&str>> {
    let rest = path.strip_prefix('$')?;
    if rest.is_empty() {
        return Some(Vec::new());
    }

    let valid = |letter: char| letter.is_ascii_alphanumeric() || "-_/".contains(letter);
    let names = rest
        .strip_prefix('.')?
        .split(['.', '['])
        .map(|step| step.strip_suffix(']').unwrap_or(step));
    let steps: Vec<&str> = names.collect();

    steps
        .iter()
        .all(|step| !step.is_empty() && step.chars().all(valid))
        .then_some(steps)
}
