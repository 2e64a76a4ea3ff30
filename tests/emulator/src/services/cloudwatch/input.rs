//! The members of a request, refused in CloudWatch's words.

use std::collections::BTreeMap;

use serde_json::Value;

use super::MetricId;
use crate::{ApiError, Aws, Millis};

/// A structure of a request, and how messages name it: `MetricDataQueries.member.1.`.
#[derive(Clone, Debug)]
pub(super) struct Input<'a> {
    value: &'a Value,
    place: String,
}

pub(super) fn validation(message: impl Into<String>) -> ApiError {
    ApiError::client("ValidationError", message)
}

pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::client("InvalidParameterValue", message)
}

impl<'a> Input<'a> {
    pub(super) fn new(value: &'a Value) -> Self {
        Self {
            value,
            place: String::new(),
        }
    }

    fn member(&self, name: &str) -> Option<&'a Value> {
        self.value.get(name).filter(|value| !value.is_null())
    }

    /// How messages name a member.
    pub(super) fn named(&self, name: &str) -> String {
        format!("{}{name}", self.place)
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, ApiError> {
        self.typed(name, Value::as_str, "a string")
    }

    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, ApiError> {
        self.typed(name, Value::as_i64, "an integer")
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<f64>, ApiError> {
        self.typed(name, Value::as_f64, "a number")
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        self.typed(name, Value::as_bool, "a boolean")
    }

    pub(super) fn numbers(&self, name: &str) -> Result<Vec<f64>, ApiError> {
        let items = self.list(name)?;
        let numbers: Option<Vec<f64>> = items.iter().map(Value::as_f64).collect();
        numbers.ok_or_else(|| serialization(&self.named(name), "a list of numbers"))
    }

    pub(super) fn texts(&self, name: &str) -> Result<Vec<&'a str>, ApiError> {
        let texts: Option<Vec<&str>> = self.list(name)?.iter().map(Value::as_str).collect();
        texts.ok_or_else(|| serialization(&self.named(name), "a list of strings"))
    }

    pub(super) fn time(&self, name: &str) -> Result<Option<Millis>, ApiError> {
        Ok(self
            .number(name)?
            .map(|seconds| (seconds * 1000.0).round() as Millis))
    }

    pub(super) fn list(&self, name: &str) -> Result<&'a [Value], ApiError> {
        Ok(self
            .typed(name, Value::as_array, "a list")?
            .map_or(&[], Vec::as_slice))
    }

    pub(super) fn inner(&self, name: &str) -> Result<Option<Input<'a>>, ApiError> {
        let place = format!("{}.", self.named(name));
        let value = self.typed(
            name,
            |value| value.is_object().then_some(value),
            "a structure",
        )?;
        Ok(value.map(|value| Input { value, place }))
    }

    /// The structures of a list.
    pub(super) fn inners(&self, name: &str) -> Result<Vec<Input<'a>>, ApiError> {
        let items = self.list(name)?.iter().enumerate();
        let place = |index: usize| format!("{}.member.{}.", self.named(name), index + 1);
        Ok(items
            .map(|(index, value)| Input {
                value,
                place: place(index),
            })
            .collect())
    }

    pub(super) fn missing(&self, name: &str) -> String {
        format!("The parameter {} is required.\n", self.named(name))
    }

    /// Refuses members that the sandbox would otherwise ignore in silence.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), ApiError> {
        let given = self.value.as_object().into_iter().flatten();
        let mut unknown =
            given.filter(|(name, value)| !value.is_null() && !known.contains(&name.as_str()));
        match unknown.next() {
            Some((name, _)) => Err(validation(format!(
                "the sandbox does not serve the member {}",
                self.named(name)
            ))),
            None => Ok(()),
        }
    }

    /// The metric that a structure names by its members.
    pub(super) fn metric(&self, namespace: &str) -> Result<MetricId, ApiError> {
        let mut dimensions = BTreeMap::new();
        for dimension in self.inners("Dimensions")? {
            let member = |name: &str| {
                dimension
                    .text(name)?
                    .ok_or_else(|| validation(dimension.missing(name)))
            };
            dimensions.insert(member("Name")?.to_owned(), member("Value")?.to_owned());
        }
        if dimensions.len() > 30 {
            let place = self.named("Dimensions");
            return Err(validation(format!(
                "The collection {place} must not have a size greater than 30.\n"
            )));
        }
        let name = self
            .text("MetricName")?
            .ok_or_else(|| validation(self.missing("MetricName")))?;
        Ok(MetricId {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            dimensions,
        })
    }

    fn typed<T>(
        &self,
        name: &str,
        read: fn(&'a Value) -> Option<T>,
        what: &str,
    ) -> Result<Option<T>, ApiError> {
        self.member(name)
            .map(|value| read(value).ok_or_else(|| serialization(&self.named(name), what)))
            .transpose()
    }
}

fn serialization(member: &str, what: &str) -> ApiError {
    ApiError::client(
        "SerializationException",
        format!("{member}: expected {what}"),
    )
}

/// One page of a list: the token is the position at which the next one starts.
pub(super) fn page<T>(
    aws: &Aws,
    all: Vec<T>,
    token: Option<&str>,
    limit: usize,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let limit = aws.page_size(limit);
    let start = token
        .map_or(Some(0), |token| usize::from_str_radix(token, 16).ok())
        .filter(|start| *start <= all.len());
    let start = start.ok_or_else(invalid_token)?;
    let next = (start + limit < all.len()).then(|| format!("{:016x}", start + limit));
    Ok((all.into_iter().skip(start).take(limit).collect(), next))
}

pub(super) fn invalid_token() -> ApiError {
    ApiError::client("InvalidNextToken", "The next token specified is invalid.")
}
