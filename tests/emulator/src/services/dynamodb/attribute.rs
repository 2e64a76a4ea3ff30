//! Attribute values: the typed data of an item, and their JSON form.
//!
//! Binary values and sets are refused: the ledger has none.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::number::Number;
use super::{invalid, unserved};
use crate::ApiError;

pub(super) type Item = BTreeMap<String, Attribute>;

/// How deep DynamoDB lets documents nest.
const MAX_DEPTH: usize = 32;

const EMPTY: &str = "Supplied AttributeValue is empty, must contain exactly one of the supported \
                     datatypes";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Attribute {
    S(String),
    N(Number),
    Bool(bool),
    Null,
    M(Item),
    L(Vec<Attribute>),
}

impl Attribute {
    pub(super) fn from_json(value: &Value) -> Result<Self, ApiError> {
        Self::nested(value, 0)
    }

    fn nested(value: &Value, depth: usize) -> Result<Self, ApiError> {
        if depth > MAX_DEPTH {
            return Err(invalid(
                "Nesting Levels have exceeded supported limits: Attributes in the item have nested \
                 levels beyond supported limit",
            ));
        }

        let (kind, value) = only_member(value)?;
        Ok(match kind {
            "S" => Self::S(text(value)?.to_owned()),
            "N" => Self::N(Number::parse(text(value)?)?),
            "BOOL" => Self::Bool(
                value
                    .as_bool()
                    .ok_or_else(|| serialization("Expected a boolean"))?,
            ),
            "NULL" if *value == Value::Bool(true) => Self::Null,
            "NULL" => {
                return Err(invalid(
                    "One or more parameter values were invalid: Null attribute value types must \
                     have the value of true",
                ));
            }
            "M" => Self::M(item_at(value, depth + 1)?),
            "L" => Self::L(
                elements(value)?
                    .iter()
                    .map(|value| Self::nested(value, depth + 1))
                    .collect::<Result<_, _>>()?,
            ),
            "B" | "SS" | "NS" | "BS" => {
                return Err(unserved(&format!("attributes of type {kind}")));
            }
            _ => return Err(invalid(EMPTY)),
        })
    }

    pub(super) fn to_json(&self) -> Value {
        let inner = match self {
            Self::S(text) => Value::from(text.as_str()),
            Self::N(number) => Value::from(number.to_string()),
            Self::Bool(bool) => Value::from(*bool),
            Self::Null => Value::from(true),
            Self::M(item) => item_to_json(item),
            Self::L(list) => list.iter().map(Self::to_json).collect(),
        };
        // `json!` would copy what is inside, at every level of it, and `from_iter` would be compiled
        // here, without the optimisation that serde_json is built with.
        let mut typed = Value::Null;
        typed[self.kind()] = inner;
        typed
    }

    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::S(_) => "S",
            Self::N(_) => "N",
            Self::Bool(_) => "BOOL",
            Self::Null => "NULL",
            Self::M(_) => "M",
            Self::L(_) => "L",
        }
    }

    /// The bytes that count towards the 400 KB of an item.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::S(text) => text.len(),
            Self::N(number) => number.size(),
            Self::Bool(_) | Self::Null => 1,
            Self::M(item) => 3 + item_size(item) + item.len(),
            Self::L(list) => 3 + list.iter().map(|value| value.size() + 1).sum::<usize>(),
        }
    }
}

/// An item from `{"name": {"S": …}, …}`.
pub(super) fn item_from_json(value: &Value) -> Result<Item, ApiError> {
    item_at(value, 0)
}

pub(super) fn item_to_json(item: &Item) -> Value {
    Value::Object(
        item.iter()
            .map(|(name, value)| (name.clone(), value.to_json()))
            .collect::<Map<_, _>>(),
    )
}

pub(super) fn item_size(item: &Item) -> usize {
    item.iter()
        .map(|(name, value)| name.len() + value.size())
        .sum()
}

fn item_at(value: &Value, depth: usize) -> Result<Item, ApiError> {
    let members = value
        .as_object()
        .ok_or_else(|| serialization("Expected a map of attribute values"))?;
    members
        .iter()
        .map(|(name, value)| Ok((name.clone(), Attribute::nested(value, depth)?)))
        .collect()
}

/// The one member of an attribute value: its type, and what it has of that type.
fn only_member(value: &Value) -> Result<(&str, &Value), ApiError> {
    let members = value
        .as_object()
        .ok_or_else(|| serialization("Unexpected value for an AttributeValue"))?;
    let mut members = members.iter().filter(|(_, value)| !value.is_null());
    let Some((kind, value)) = members.next() else {
        return Err(invalid(EMPTY));
    };
    if members.next().is_some() {
        return Err(invalid(
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of \
             the supported datatypes",
        ));
    }
    Ok((kind.as_str(), value))
}

fn elements(value: &Value) -> Result<&Vec<Value>, ApiError> {
    value
        .as_array()
        .ok_or_else(|| serialization("Expected a list"))
}

fn text(value: &Value) -> Result<&str, ApiError> {
    value
        .as_str()
        .ok_or_else(|| serialization("Expected a string"))
}

pub(super) fn serialization(message: &str) -> ApiError {
    ApiError::client("SerializationException", message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_type_survives_the_round_trip() {
        let item = json!({
            "f": {"BOOL": false},
            "l": {"L": [{"N": "1"}, {"NULL": true}]},
            "m": {"M": {"x": {"S": ""}}},
        });
        assert_eq!(item_to_json(&item_from_json(&item).unwrap()), item);
    }

    #[test]
    fn values_that_aws_refuses_are_refused() {
        for (value, expected) in [
            (json!({}), "is empty, must contain exactly one"),
            (json!({"S": "a", "N": "1"}), "more than one datatypes"),
            (json!({"NULL": false}), "must have the value of true"),
            (
                json!({"SS": ["a"]}),
                "the sandbox does not serve attributes of type SS",
            ),
            (
                json!({"N": "one"}),
                "cannot be converted to a numeric value: one",
            ),
        ] {
            let error = Attribute::from_json(&value).unwrap_err();
            assert!(
                error.code == "ValidationException" && error.message.contains(expected),
                "{error}"
            );
        }
        assert_eq!(
            Attribute::from_json(&json!({"S": 1})).unwrap_err().code,
            "SerializationException"
        );
    }
}
