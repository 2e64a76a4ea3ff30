//! Attribute values: the typed data of an item, and their JSON form.

use std::collections::{BTreeMap, BTreeSet};

use aws_smithy_types::base64;
use serde_json::{Map, Value, json};

use super::invalid;
use super::number::Number;
use crate::ApiError;

pub(super) type Item = BTreeMap<String, Attribute>;

/// How deep DynamoDB lets documents nest.
const MAX_DEPTH: usize = 32;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Attribute {
    S(String),
    N(Number),
    B(Vec<u8>),
    Bool(bool),
    Null,
    M(Item),
    L(Vec<Attribute>),
    Ss(BTreeSet<String>),
    Ns(BTreeSet<Number>),
    Bs(BTreeSet<Vec<u8>>),
}

impl Attribute {
    pub(super) fn from_json(value: &Value) -> Result<Self, ApiError> {
        Self::nested(value, 0)
    }

    fn nested(value: &Value, depth: usize) -> Result<Self, ApiError> {
        if depth > MAX_DEPTH {
            return Err(invalid(
                "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit",
            ));
        }
        let members = value
            .as_object()
            .ok_or_else(|| serialization("Unexpected value for an AttributeValue"))?;
        let mut members = members.iter().filter(|(_, value)| !value.is_null());
        let Some((kind, value)) = members.next() else {
            return Err(invalid(
                "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
            ));
        };
        if members.next().is_some() {
            return Err(invalid(
                "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes",
            ));
        }
        Ok(match kind.as_str() {
            "S" => Self::S(text(value)?.to_owned()),
            "N" => Self::N(Number::parse(text(value)?)?),
            "B" => Self::B(bytes(value)?),
            "BOOL" => Self::Bool(
                value
                    .as_bool()
                    .ok_or_else(|| serialization("Expected a boolean"))?,
            ),
            "NULL" if value == &json!(true) => Self::Null,
            "NULL" => {
                return Err(wrong(
                    "Null attribute value types must have the value of true",
                ));
            }
            "M" => Self::M(item_at(value, depth + 1)?),
            "L" => Self::L(
                elements(value)?
                    .iter()
                    .map(|value| Self::nested(value, depth + 1))
                    .collect::<Result<_, _>>()?,
            ),
            "SS" => Self::Ss(set(value, "string", |value| Ok(text(value)?.to_owned()))?),
            "NS" => Self::Ns(set(value, "number", |value| Number::parse(text(value)?))?),
            "BS" => Self::Bs(set(value, "binary", bytes)?),
            _ => {
                return Err(invalid(
                    "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
                ));
            }
        })
    }

    pub(super) fn to_json(&self) -> Value {
        let inner = match self {
            Self::S(text) => Value::from(text.as_str()),
            Self::N(number) => Value::from(number.to_string()),
            Self::B(bytes) => Value::from(base64::encode(bytes)),
            Self::Bool(bool) => Value::from(*bool),
            Self::Null => Value::from(true),
            Self::M(item) => item_to_json(item),
            Self::L(list) => list.iter().map(Self::to_json).collect(),
            Self::Ss(set) => json!(set),
            Self::Ns(set) => set
                .iter()
                .map(|number| Value::from(number.to_string()))
                .collect(),
            Self::Bs(set) => set
                .iter()
                .map(|bytes| Value::from(base64::encode(bytes)))
                .collect(),
        };
        // `json!` would copy what is inside, at every level of it.
        Value::from_iter([(self.kind(), inner)])
    }

    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::S(_) => "S",
            Self::N(_) => "N",
            Self::B(_) => "B",
            Self::Bool(_) => "BOOL",
            Self::Null => "NULL",
            Self::M(_) => "M",
            Self::L(_) => "L",
            Self::Ss(_) => "SS",
            Self::Ns(_) => "NS",
            Self::Bs(_) => "BS",
        }
    }

    /// The bytes that count towards the 400 KB of an item.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::S(text) => text.len(),
            Self::N(number) => number.size(),
            Self::B(bytes) => bytes.len(),
            Self::Bool(_) | Self::Null => 1,
            Self::M(item) => 3 + item_size(item) + item.len(),
            Self::L(list) => 3 + list.iter().map(|value| value.size() + 1).sum::<usize>(),
            Self::Ss(set) => set.iter().map(String::len).sum(),
            Self::Ns(set) => set.iter().map(|number| number.size()).sum(),
            Self::Bs(set) => set.iter().map(Vec::len).sum(),
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

fn set<T: Ord>(
    value: &Value,
    kind: &str,
    parse: impl Fn(&Value) -> Result<T, ApiError>,
) -> Result<BTreeSet<T>, ApiError> {
    let given = elements(value)?;
    if given.is_empty() {
        return Err(wrong(&format!("An {kind} set  may not be empty")));
    }
    let set: BTreeSet<T> = given.iter().map(parse).collect::<Result<_, _>>()?;
    if set.len() < given.len() {
        let words: Vec<&str> = given.iter().filter_map(Value::as_str).collect();
        return Err(wrong(&format!(
            "Input collection [{}] contains duplicates.",
            words.join(", ")
        )));
    }
    Ok(set)
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

fn bytes(value: &Value) -> Result<Vec<u8>, ApiError> {
    base64::decode(text(value)?).map_err(|_| serialization("Expected base64"))
}

fn wrong(what: &str) -> ApiError {
    invalid(format!("One or more parameter values were invalid: {what}"))
}

pub(super) fn serialization(message: &str) -> ApiError {
    ApiError::client("SerializationException", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_survives_the_round_trip() {
        let item = json!({
            "b": {"B": "aGk="}, "bs": {"BS": ["aGk="]}, "f": {"BOOL": false}, "l": {"L": [{"N": "1"}, {"NULL": true}]},
            "m": {"M": {"x": {"S": ""}}}, "ns": {"NS": ["1", "2.5"]}, "ss": {"SS": ["a", "b"]},
        });
        assert_eq!(item_to_json(&item_from_json(&item).unwrap()), item);
    }

    #[test]
    fn values_that_aws_refuses_are_refused() {
        for (value, says) in [
            (json!({}), "is empty, must contain exactly one"),
            (json!({"S": "a", "N": "1"}), "more than one datatypes"),
            (json!({"NULL": false}), "must have the value of true"),
            (json!({"SS": []}), "may not be empty"),
            (json!({"NS": ["1", "1.0"]}), "contains duplicates"),
            (
                json!({"N": "one"}),
                "cannot be converted to a numeric value: one",
            ),
        ] {
            let error = Attribute::from_json(&value).unwrap_err();
            assert!(
                error.code == "ValidationException" && error.message.contains(says),
                "{error}"
            );
        }
        assert_eq!(
            Attribute::from_json(&json!({"S": 1})).unwrap_err().code,
            "SerializationException"
        );
    }
}
