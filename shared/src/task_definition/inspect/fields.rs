//! The members of an object, taken one by one: what is left at the end was not understood.
//!
//! Never quotes a value in a refusal.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::types::type_of;
use super::left_out::is_unset;

/// An object with the place where it was found.
pub(super) struct Fields {
    place: String,
    members: Map<String, Value>,
}

impl Fields {
    /// # Errors
    /// If the value is neither an object nor null.
    pub(super) fn new(place: String, value: Value) -> Result<Self, String> {
        match value {
            Value::Null => Ok(Self {
                place,
                members: Map::new(),
            }),
            Value::Object(members) => Ok(Self { place, members }),
            other => Err(wrong(&place, &other, "an object")),
        }
    }

    /// The name of a member with its place.
    pub(super) fn at(&self, name: &str) -> String {
        format!("{}.{name}", self.place)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// Whether a member is a list without items.
    pub(super) fn has_empty_list(&self, name: &str) -> bool {
        let items = self.members.get(name).and_then(Value::as_array);
        items.is_some_and(Vec::is_empty)
    }

    /// Takes a member as it is; null if it is not there.
    pub(super) fn take(&mut self, name: &str) -> Value {
        self.members.shift_remove(name).unwrap_or_default()
    }

    /// Takes a text, which is empty if it is not there.
    pub(super) fn text(&mut self, name: &str) -> Result<String, String> {
        match self.take(name) {
            Value::Null => Ok(String::new()),
            Value::String(text) => Ok(text),
            other => Err(wrong(&self.at(name), &other, "a string")),
        }
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<bool, String> {
        match self.take(name) {
            Value::Null => Ok(false),
            Value::Bool(flag) => Ok(flag),
            other => Err(wrong(&self.at(name), &other, "true or false")),
        }
    }

    /// Takes a whole number, which is 0 if it is not there.
    pub(super) fn number(&mut self, name: &str) -> Result<i64, String> {
        let value = self.take(name);
        if value.is_null() {
            return Ok(0);
        }

        let whole = value.as_i64();
        whole
            .or_else(|| value.is_u64().then_some(i64::MAX))
            .ok_or_else(|| wrong(&self.at(name), &value, "a whole number"))
    }

    /// Takes a whole number that is not negative.
    pub(super) fn count(&mut self, name: &str) -> Result<u64, String> {
        let number = self.number(name)?;
        u64::try_from(number)
            .map_err(|_| format!("`{}` is {number}; expected 0 or more", self.at(name)))
    }

    /// Takes a list of texts, for which Docker also takes a single one.
    pub(super) fn texts(&mut self, name: &str) -> Result<Vec<String>, String> {
        let items = match self.take(name) {
            Value::Null => Vec::new(),
            Value::String(text) if text.is_empty() => Vec::new(),
            text @ Value::String(_) => vec![text],
            Value::Array(items) => items,
            other => return Err(wrong(&self.at(name), &other, "a list of strings")),
        };

        let place = self.at(name);
        items
            .into_iter()
            .enumerate()
            .map(|(at, item)| match item {
                Value::String(text) => Ok(text),
                other => Err(wrong(&format!("{place}[{at}]"), &other, "a string")),
            })
            .collect()
    }

    /// Takes an object, which has no members if it is not there.
    pub(super) fn object(&mut self, name: &str) -> Result<Self, String> {
        let value = self.take(name);
        Self::new(self.at(name), value)
    }

    pub(super) fn objects(&mut self, name: &str) -> Result<Vec<Self>, String> {
        let value = self.take(name);
        Self::list(&self.at(name), value)
    }

    /// # Errors
    /// If the value is neither a list of objects nor null.
    pub(super) fn list(place: &str, value: Value) -> Result<Vec<Self>, String> {
        match value {
            Value::Null => Ok(Vec::new()),
            Value::Array(items) => items
                .into_iter()
                .enumerate()
                .map(|(at, item)| Self::new(format!("{place}[{at}]"), item))
                .collect(),
            other => Err(wrong(place, &other, "a list of objects")),
        }
    }

    /// Takes an object with free keys, in the order of the keys.
    pub(super) fn entries(&mut self, name: &str) -> Result<BTreeMap<String, Value>, String> {
        match self.take(name) {
            Value::Null => Ok(BTreeMap::new()),
            Value::Object(members) => Ok(members.into_iter().collect()),
            other => Err(wrong(&self.at(name), &other, "an object")),
        }
    }

    /// Takes an object of texts with free keys.
    pub(super) fn options(&mut self, name: &str) -> Result<BTreeMap<String, String>, String> {
        let place = self.at(name);
        self.entries(name)?
            .into_iter()
            .map(|(key, value)| match value {
                Value::String(text) => Ok((key, text)),
                other => Err(wrong(&format!("{place}.{key}"), &other, "a string")),
            })
            .collect()
    }

    /// Takes what is not understood and is set, in the order of the names.
    pub(super) fn rest(&mut self) -> BTreeMap<String, Value> {
        let rest = std::mem::take(&mut self.members);
        rest.into_iter()
            .filter(|(_, value)| !is_unset(value))
            .collect()
    }
}

fn wrong(field: &str, value: &Value, expected: &str) -> String {
    format!("`{field}` is {}; expected {expected}", type_of(value))
}
