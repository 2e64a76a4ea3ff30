//! Attribute values: the typed data of an item, and their JSON form.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::invalid;
use super::number::Number;
use crate::ApiError;
use crate::text::base64;

pub(super) type Item = BTreeMap<String, Attribute>;

/// How deep DynamoDB lets documents nest.
const MAX_DEPTH: usize = 32;

const EMPTY: &str = "Supplied AttributeValue is empty, must contain exactly one of the supported \
                     datatypes";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Attribute {
    S(String),
    N(Number),
    B(Vec<u8>),
    Bool(bool),
    Null,
    M(Item),
    L(Vec<Attribute>),
    SS(BTreeSet<String>),
    NS(BTreeSet<Number>),
    BS(BTreeSet<Vec<u8>>),
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
            "B" => Self::B(bytes(value)?),
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
            "SS" | "NS" | "BS" => Self::set(kind, elements(value)?)?,
            _ => return Err(invalid(EMPTY)),
        })
    }

    fn set(kind: &str, elements: &[Value]) -> Result<Self, ApiError> {
        let texts: Vec<&str> = elements.iter().map(text).collect::<Result<_, _>>()?;
        let wrong =
            |what: &str| invalid(format!("One or more parameter values were invalid: {what}"));
        let duplicates = |end: &str| {
            let all = texts.join(", ");
            wrong(&format!(
                "Input collection [{all}]{end} contains duplicates."
            ))
        };
        match kind {
            "SS" if texts.is_empty() => Err(wrong("An string set  may not be empty")),
            "NS" if texts.is_empty() => Err(wrong("An number set  may not be empty")),
            _ if texts.is_empty() => Err(wrong("Binary sets should not be empty")),
            "SS" => distinct(texts.iter().map(|text| Ok((*text).to_owned())))?
                .map(Self::SS)
                .ok_or_else(|| duplicates("")),
            "NS" => distinct(texts.iter().map(|text| Number::parse(text)))?
                .map(Self::NS)
                .ok_or_else(|| invalid("Input collection contains duplicates")),
            _ => distinct(elements.iter().map(bytes))?
                .map(Self::BS)
                .ok_or_else(|| duplicates("of type BS")),
        }
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
            Self::SS(texts) => texts.iter().map(String::as_str).collect(),
            Self::NS(numbers) => numbers.iter().map(Number::to_string).collect(),
            Self::BS(all) => all.iter().map(base64::encode).collect(),
        };
        // `json!` would copy what is inside, at every level of it, and `from_iter` would be
        // compiled here, without the optimisation that serde_json is built with.
        let mut typed = Value::Null;
        typed[self.kind()] = inner;
        typed
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
            Self::SS(_) => "SS",
            Self::NS(_) => "NS",
            Self::BS(_) => "BS",
        }
    }

    /// How two values of one type that has an order compare.
    pub(super) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::S(one), Self::S(two)) => Some(one.cmp(two)),
            (Self::N(one), Self::N(two)) => Some(one.cmp(two)),
            (Self::B(one), Self::B(two)) => Some(one.cmp(two)),
            _ => None,
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
            Self::B(bytes) => bytes.len(),
            Self::SS(texts) => texts.iter().map(String::len).sum(),
            Self::NS(numbers) => numbers.iter().map(Number::size).sum(),
            Self::BS(all) => all.iter().map(Vec::len).sum(),
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

fn bytes(value: &Value) -> Result<Vec<u8>, ApiError> {
    let text = value
        .as_str()
        .ok_or_else(|| serialization("only base-64-encoded strings are convertible to bytes"))?;
    let length = text.len();
    if length % 4 != 0 {
        return Err(serialization(&format!(
            "Base64 encoded length is expected a multiple of 4 bytes but found: {length}"
        )));
    }
    let bytes = base64::decode(text).ok();
    bytes
        .filter(|bytes| base64::encode(bytes) == text)
        .ok_or_else(|| serialization("Invalid last non-pad Base64 character dectected"))
}

/// The members of a set; nothing if two are equal.
fn distinct<T: Ord>(
    members: impl ExactSizeIterator<Item = Result<T, ApiError>>,
) -> Result<Option<BTreeSet<T>>, ApiError> {
    let count = members.len();
    let set: BTreeSet<T> = members.collect::<Result<_, _>>()?;
    Ok(Some(set).filter(|set| set.len() == count))
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
            "b": {"B": "AP+Q"},
            "bs": {"BS": ["AA==", "AP8="]},
            "e": {"B": ""},
            "f": {"BOOL": false},
            "l": {"L": [{"N": "1"}, {"NULL": true}]},
            "m": {"M": {"x": {"S": ""}}},
            "ns": {"NS": ["-1", "2.5", "10"]},
            "ss": {"SS": ["a", "b"]},
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
                json!({"SS": []}),
                "One or more parameter values were invalid: An string set  may not be empty",
            ),
            (
                json!({"NS": []}),
                "One or more parameter values were invalid: An number set  may not be empty",
            ),
            (
                json!({"BS": []}),
                "One or more parameter values were invalid: Binary sets should not be empty",
            ),
            (
                json!({"SS": ["a", "a"]}),
                "invalid: Input collection [a, a] contains duplicates.",
            ),
            (
                json!({"NS": ["1", "1.0"]}),
                "Input collection contains duplicates",
            ),
            (
                json!({"BS": ["AA==", "AA=="]}),
                "invalid: Input collection [AA==, AA==]of type BS contains duplicates.",
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
        for value in [
            json!({"S": 1}),
            json!({"B": 1}),
            json!({"B": "AA="}),
            json!({"B": "AB=="}),
        ] {
            let error = Attribute::from_json(&value).unwrap_err();
            assert_eq!(error.code, "SerializationException", "{value}");
        }
    }
}
