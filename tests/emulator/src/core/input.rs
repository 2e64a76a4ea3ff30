//! Reading the members of a request with their types.

use serde_json::{Map, Value};

use super::{ApiError, Millis};

/// A structure of a request, and how messages name it: `MetricDataQueries.member.1.`.
#[derive(Clone, Debug)]
pub(crate) struct Input<'a> {
    value: &'a Value,
    place: String,
}

impl<'a> Input<'a> {
    pub(crate) fn new(value: &'a Value) -> Self {
        Self {
            value,
            place: String::new(),
        }
    }

    /// How messages name a member.
    pub(crate) fn named(&self, name: &str) -> String {
        format!("{}{name}", self.place)
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<&'a str>, ApiError> {
        self.typed(name, Value::as_str, "a string")
    }

    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, ApiError> {
        self.typed(name, Value::as_i64, "an integer")
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<f64>, ApiError> {
        self.typed(name, Value::as_f64, "a number")
    }

    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        self.typed(name, Value::as_bool, "a boolean")
    }

    pub(crate) fn object(&self, name: &str) -> Result<Option<&'a Map<String, Value>>, ApiError> {
        self.typed(name, Value::as_object, "a structure")
    }

    pub(crate) fn list(&self, name: &str) -> Result<&'a [Value], ApiError> {
        let list = self.typed(name, Value::as_array, "a list")?;
        Ok(list.map_or(&[], Vec::as_slice))
    }

    pub(crate) fn numbers(&self, name: &str) -> Result<Vec<f64>, ApiError> {
        let numbers: Option<Vec<f64>> = self.list(name)?.iter().map(Value::as_f64).collect();
        numbers.ok_or_else(|| wrong_type(&self.named(name), "a list of numbers"))
    }

    pub(crate) fn texts(&self, name: &str) -> Result<Vec<&'a str>, ApiError> {
        let texts: Option<Vec<&str>> = self.list(name)?.iter().map(Value::as_str).collect();
        texts.ok_or_else(|| wrong_type(&self.named(name), "a list of strings"))
    }

    /// A time, which is a number of seconds on the wire.
    pub(crate) fn time(&self, name: &str) -> Result<Option<Millis>, ApiError> {
        let seconds = self.number(name)?;
        Ok(seconds.map(|seconds| (seconds * 1000.0).round() as Millis))
    }

    /// The structure that is a member.
    pub(crate) fn inner(&self, name: &str) -> Result<Option<Self>, ApiError> {
        let is_structure = |value: &'a Value| value.is_object().then_some(value);
        let value = self.typed(name, is_structure, "a structure")?;
        Ok(value.map(|value| Self {
            value,
            place: format!("{}.", self.named(name)),
        }))
    }

    /// The structures of a list.
    pub(crate) fn inners(&self, name: &str) -> Result<Vec<Self>, ApiError> {
        let structure = |(index, value): (usize, &'a Value)| Self {
            value,
            place: format!("{}.member.{}.", self.named(name), index + 1),
        };
        Ok(self.list(name)?.iter().enumerate().map(structure).collect())
    }

    /// The first member that is not one of those that are known, as messages name it.
    pub(crate) fn unknown_member(&self, known: &[&str]) -> Option<String> {
        let mut given = self.value.as_object().into_iter().flatten();
        let unknown =
            given.find(|(name, value)| !value.is_null() && !known.contains(&name.as_str()));
        unknown.map(|(name, _)| self.named(name))
    }

    fn typed<T>(
        &self,
        name: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
        expected: &str,
    ) -> Result<Option<T>, ApiError> {
        match self.value.get(name) {
            Some(value) => typed(value, &self.named(name), read, expected),
            None => Ok(None),
        }
    }
}

/// A value with its type; nothing if it is null.
pub(crate) fn typed<'a, T>(
    value: &'a Value,
    name: &str,
    read: impl FnOnce(&'a Value) -> Option<T>,
    expected: &str,
) -> Result<Option<T>, ApiError> {
    if value.is_null() {
        return Ok(None);
    }
    read(value)
        .map(Some)
        .ok_or_else(|| wrong_type(name, expected))
}

/// The error for a member that is not of the type that is expected.
pub(crate) fn wrong_type(name: &str, expected: &str) -> ApiError {
    ApiError::client(
        "SerializationException",
        format!("{name}: expected {expected}"),
    )
}
