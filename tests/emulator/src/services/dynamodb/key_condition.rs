//! The conditions of queries: one for each key attribute.
//!
//! The order and the words of the refusals are those of <https://github.com/architect/dynalite>,
//! whose tests contain what DynamoDB returned (test/query.js). It names the expression in all of
//! them by now: <https://github.com/getmoto/moto>, test_query_unused_attribute_name.

use serde_json::Value;

use super::attribute::Attribute;
use super::expression::{Comparator, Condition, Operand, Placeholders};
use super::invalid;
use super::table::Table;
use crate::ApiError;

/// What a key condition requires of one attribute.
struct KeyPart<'a> {
    attribute: &'a str,
    is_equal: bool,
    values: Vec<&'a Attribute>,
}

/// The partition key must equal a value; the sort key may be compared with one or two.
pub(super) fn check(keys: &[&str], condition: &Condition) -> Result<(), ApiError> {
    let mut parts = Vec::new();
    split(condition, &mut parts).map_err(|error| {
        let problem = error.message;
        invalid(format!("Invalid KeyConditionExpression: {problem}"))
    })?;
    if parts.len() > 2 {
        return Err(invalid("Conditions can be of length 1 or 2 only"));
    }

    for (index, name) in keys.iter().enumerate() {
        if index == 0 && parts.len() > keys.len() {
            return Err(invalid("Query key condition not supported"));
        }
        let Some(part) = parts.iter().find(|part| part.attribute == *name) else {
            if index == 0 || parts.len() > 1 {
                return Err(invalid(format!(
                    "Query condition missed key schema element: {name}"
                )));
            }
            continue;
        };
        let is_text = |value: &&Attribute| matches!(value, Attribute::S(_));
        if !part.values.iter().all(is_text) {
            return Err(invalid(
                "One or more parameter values were invalid: Condition parameter type does not \
                 match schema type",
            ));
        }
        if index == 0 && !part.is_equal {
            return Err(invalid("Query key condition not supported"));
        }
    }
    Ok(())
}

/// The partition that a query reads, if its condition can be read.
pub(super) fn queried_partition(table: &Table, input: &Value) -> Option<String> {
    let text = input["KeyConditionExpression"].as_str()?;
    let mut placeholders = Placeholders::read(input, None).ok()?;
    let condition = Condition::parse("KeyConditionExpression", text, &mut placeholders).ok()?;
    let mut parts = Vec::new();
    split(&condition, &mut parts).ok()?;
    let part = parts
        .into_iter()
        .find(|part| part.is_equal && part.attribute == table.hash)?;
    match part.values[..] {
        [Attribute::S(key)] => Some(key.clone()),
        _ => None,
    }
}

/// The parts of a condition, each about another attribute.
fn split<'a>(condition: &'a Condition, parts: &mut Vec<KeyPart<'a>>) -> Result<(), ApiError> {
    let part = match condition {
        Condition::And(one, two) => {
            split(one, parts)?;
            return split(two, parts);
        }
        Condition::Or(..) => return Err(operator("OR")),
        Condition::Not(_) => return Err(operator("NOT")),
        Condition::In(..) => return Err(operator("IN")),
        Condition::Compare(_, Comparator::NotEqual, _) => return Err(operator("<>")),
        Condition::Exists(_) => return Err(operator("attribute_exists")),
        Condition::NotExists(_) => return Err(operator("attribute_not_exists")),
        Condition::IsOfType(..) => return Err(operator("attribute_type")),
        Condition::Contains(..) => return Err(operator("contains")),
        Condition::Compare(one, comparator, two) => {
            part(&[one, two], *comparator == Comparator::Equal)?
        }
        Condition::Between(operand, lower, upper) => {
            check_first("BETWEEN", operand)?;
            part(&[operand, lower, upper], false)?
        }
        Condition::BeginsWith(operand, prefix) => {
            check_first("begins_with", operand)?;
            part(&[operand, prefix], false)?
        }
    };
    if parts.iter().any(|known| known.attribute == part.attribute) {
        return Err(invalid(
            "KeyConditionExpressions must only contain one condition per key",
        ));
    }
    parts.push(part);
    Ok(())
}

fn part<'a>(operands: &[&'a Operand], is_equal: bool) -> Result<KeyPart<'a>, ApiError> {
    let mut attribute = None;
    let mut values = Vec::new();
    for &operand in operands {
        match operand {
            Operand::Size(_) => {
                return Err(invalid(
                    "KeyConditionExpressions cannot contain nested operations",
                ));
            }
            Operand::Value(value) => values.push(value),
            Operand::Path(_) if attribute.is_some() => {
                return Err(wrong("Multiple attribute names used in one condition"));
            }
            Operand::Path(path) if path.is_nested() => {
                return Err(invalid(
                    "KeyConditionExpressions cannot have conditions on nested attributes",
                ));
            }
            Operand::Path(path) => attribute = Some(path.attribute()),
        }
    }
    Ok(KeyPart {
        attribute: attribute.ok_or_else(|| wrong("No key attribute specified"))?,
        is_equal,
        values,
    })
}

fn check_first(operator: &str, operand: &Operand) -> Result<(), ApiError> {
    match operand {
        Operand::Value(_) => Err(wrong(&format!(
            "{operator} operator must have the key attribute as its first operand"
        ))),
        Operand::Path(_) | Operand::Size(_) => Ok(()),
    }
}

fn operator(name: &str) -> ApiError {
    invalid(format!(
        "Invalid operator used in KeyConditionExpression: {name}"
    ))
}

fn wrong(what: &str) -> ApiError {
    invalid(format!(
        "Invalid condition in KeyConditionExpression: {what}"
    ))
}
