//! Event patterns: which events a rule is for.

use serde_json::{Map, Value};

use crate::ApiError;

/// Reads a pattern as PutRule receives it and refuses matchers that EventBridge does not know.
pub(super) fn parse(text: &str) -> Result<Value, ApiError> {
    let pattern: Value = serde_json::from_str(text).map_err(|error| invalid(&error.to_string()))?;
    let object = pattern
        .as_object()
        .ok_or_else(|| invalid("Filter is not an object"))?;
    check_object(object)?;
    Ok(pattern)
}

fn invalid(reason: &str) -> ApiError {
    ApiError::client(
        "InvalidEventPatternException",
        format!("Event pattern is not valid. Reason: {reason}"),
    )
}

fn check_object(pattern: &Map<String, Value>) -> Result<(), ApiError> {
    if pattern.is_empty() {
        return Err(invalid("Empty objects are not allowed"));
    }

    for (field, expected) in pattern {
        match expected {
            Value::Object(nested) => check_object(nested)?,
            Value::Array(choices) if choices.is_empty() => {
                return Err(invalid("Empty arrays are not allowed"));
            }
            Value::Array(choices) if field == "$or" => {
                for choice in choices {
                    check_object(
                        choice
                            .as_object()
                            .ok_or_else(|| invalid("$or takes objects"))?,
                    )?;
                }
            }
            Value::Array(choices) => choices.iter().try_for_each(check_choice)?,
            _ => {
                return Err(invalid(&format!(
                    "\"{field}\" must be an object or an array"
                )));
            }
        }
    }
    Ok(())
}

fn check_choice(choice: &Value) -> Result<(), ApiError> {
    let matcher = match choice {
        Value::Array(_) => {
            return Err(invalid(
                "Match value must be String, number, true, false, or null",
            ));
        }
        Value::Object(matcher) => matcher,
        _ => return Ok(()),
    };
    let (name, operand) = matcher
        .iter()
        .next()
        .filter(|_| matcher.len() == 1)
        .ok_or_else(|| invalid("Only one key allowed in match expression"))?;
    let understood = match name.as_str() {
        "exists" => operand.is_boolean(),
        "wildcard" => operand.as_str().is_some_and(|text| !text.contains("**")),
        "equals-ignore-case" => operand.is_string(),
        "prefix" | "suffix" => affix(operand).is_some(),
        "numeric" => comparisons(operand).is_some(),
        "anything-but" => anything_but_is_known(operand),
        _ => return Err(invalid(&format!("Unrecognized match type {name}"))),
    };

    if understood {
        Ok(())
    } else {
        Err(invalid(&format!("{name} match pattern is not valid")))
    }
}

fn anything_but_is_known(operand: &Value) -> bool {
    match operand {
        Value::String(_) | Value::Number(_) => true,
        Value::Array(list) => {
            !list.is_empty() && list.iter().all(|item| item.is_string() || item.is_number())
        }
        Value::Object(inner) => {
            let strings = |value: &Value| list(value).iter().all(|item| item.is_string());
            inner.len() == 1
                && inner.iter().all(|(name, value)| {
                    matches!(
                        name.as_str(),
                        "prefix" | "suffix" | "equals-ignore-case" | "wildcard"
                    ) && strings(value)
                })
        }
        _ => false,
    }
}

/// Whether an event matches a pattern that `parse` accepted.
pub(super) fn matches(pattern: &Value, event: &Value) -> bool {
    let Some(fields) = pattern.as_object() else {
        return false;
    };
    fields
        .iter()
        .all(|(field, expected)| match (field.as_str(), expected) {
            ("$or", Value::Array(choices)) => choices.iter().any(|choice| matches(choice, event)),
            (_, Value::Array(choices)) => field_matches(choices, event.get(field)),
            (_, nested) => match event.get(field) {
                Some(Value::Array(items)) => items.iter().any(|item| matches(nested, item)),
                Some(value) => matches(nested, value),
                None => matches(nested, &Value::Null),
            },
        })
}

/// A list in the event matches when one of its items does.
fn field_matches(choices: &[Value], field: Option<&Value>) -> bool {
    choices.iter().any(
        |choice| match (choice.get("exists").and_then(Value::as_bool), field) {
            (Some(wanted), field) => wanted == field.is_some_and(|value| !value.is_object()),
            (None, None) => false,
            (None, Some(Value::Array(items))) => {
                items.iter().any(|item| choice_matches(choice, item))
            }
            (None, Some(value)) => choice_matches(choice, value),
        },
    )
}

fn choice_matches(choice: &Value, value: &Value) -> bool {
    let Some((name, operand)) = choice.as_object().and_then(|matcher| matcher.iter().next()) else {
        return choice == value;
    };
    match name.as_str() {
        "numeric" => value
            .as_f64()
            .is_some_and(|number| in_range(operand, number)),
        "anything-but" => !value.is_object() && !excluded(operand, value),
        _ => text_matches(name, operand, value),
    }
}

fn excluded(operand: &Value, value: &Value) -> bool {
    match operand.as_object().and_then(|inner| inner.iter().next()) {
        Some((name, inner)) => list(inner)
            .iter()
            .any(|item| text_matches(name, item, value)),
        None => list(operand).contains(value),
    }
}

fn text_matches(name: &str, operand: &Value, value: &Value) -> bool {
    let Some(text) = value.as_str() else {
        return false;
    };
    match name {
        "prefix" | "suffix" => affix(operand).is_some_and(|(affix, ignore_case)| {
            let (affix, text) = if ignore_case {
                (affix.to_lowercase(), text.to_lowercase())
            } else {
                (affix.to_owned(), text.to_owned())
            };
            if name == "prefix" {
                text.starts_with(&affix)
            } else {
                text.ends_with(&affix)
            }
        }),
        "equals-ignore-case" => operand
            .as_str()
            .is_some_and(|wanted| wanted.to_lowercase() == text.to_lowercase()),
        "wildcard" => operand
            .as_str()
            .is_some_and(|pattern| wildcard(pattern.as_bytes(), text.as_bytes())),
        _ => false,
    }
}

/// The operand of `prefix` or `suffix`, and whether case is ignored.
fn affix(operand: &Value) -> Option<(&str, bool)> {
    match operand {
        Value::String(text) => Some((text, false)),
        Value::Object(inner) if inner.len() == 1 => {
            Some((inner.get("equals-ignore-case")?.as_str()?, true))
        }
        _ => None,
    }
}

/// `["=", 3]` or `[">", 0, "<=", 5]`.
fn comparisons(operand: &Value) -> Option<Vec<(&str, f64)>> {
    let list = operand
        .as_array()
        .filter(|list| matches!(list.len(), 2 | 4))?;
    list.chunks(2)
        .map(|pair| {
            let sign = pair[0]
                .as_str()
                .filter(|sign| ["=", "<", "<=", ">", ">="].contains(sign))?;
            Some((sign, pair[1].as_f64()?))
        })
        .collect()
}

fn in_range(operand: &Value, number: f64) -> bool {
    comparisons(operand).is_some_and(|comparisons| {
        comparisons.iter().all(|(sign, limit)| match *sign {
            "=" => number == *limit,
            "<" => number < *limit,
            "<=" => number <= *limit,
            ">" => number > *limit,
            _ => number >= *limit,
        })
    })
}

/// In a wildcard `*` stands for anything and a backslash makes the next character literal.
fn wildcard(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => (0..=text.len()).any(|skipped| wildcard(rest, &text[skipped..])),
        ([b'\\', letter, rest @ ..], [first, tail @ ..]) if letter == first => wildcard(rest, tail),
        ([letter, rest @ ..], [first, tail @ ..]) if *letter != b'\\' && letter == first => {
            wildcard(rest, tail)
        }
        _ => false,
    }
}

fn list(value: &Value) -> &[Value] {
    value
        .as_array()
        .map_or(std::slice::from_ref(value), Vec::as_slice)
}
