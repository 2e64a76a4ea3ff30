//! The expression language of DynamoDB: conditions and updates.
//!
//! Parsing replaces names and values at once, so that a parsed expression is evaluated without the
//! request. The words of the refusals and their order are those of
//! <https://github.com/architect/dynalite>, whose tests contain what DynamoDB returns.

mod condition;
mod grammar;
mod parser;
mod path;
mod update;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::attribute::{Attribute, serialization};
use super::invalid;
use crate::ApiError;

pub(super) use self::condition::{Comparator, Condition, Operand};
pub(super) use self::update::UpdateExpression;

/// The names and values that a request defines, and which of them its expressions used.
#[derive(Debug, Default)]
pub(super) struct Placeholders {
    names: BTreeMap<String, String>,
    values: BTreeMap<String, Attribute>,
    used: BTreeSet<String>,
}

impl Placeholders {
    /// Reads them from a request; `absent` is its expression if that is null.
    pub(super) fn read(input: &Value, absent: Option<&str>) -> Result<Self, ApiError> {
        let mut placeholders = Self::default();
        for (member, sigil) in [
            ("ExpressionAttributeNames", '#'),
            ("ExpressionAttributeValues", ':'),
        ] {
            let Some(given) = input.get(member).and_then(Value::as_object) else {
                continue;
            };
            if let Some(absent) = absent {
                // That the expression is null is in the message about values only.
                let null = format!(": {absent} is null");
                let null = if sigil == ':' { null.as_str() } else { "" };
                return Err(invalid(format!(
                    "{member} can only be specified when using expressions{null}"
                )));
            }
            if given.is_empty() {
                return Err(invalid(format!("{member} must not be empty")));
            }
            for (key, value) in given {
                check_placeholder(member, sigil, key)?;
                placeholders.define(key, value)?;
            }
        }
        Ok(placeholders)
    }

    fn define(&mut self, key: &str, value: &Value) -> Result<(), ApiError> {
        if key.starts_with(':') {
            let value = Attribute::from_json(value).map_err(|error| match error.code.as_str() {
                "ValidationException" => invalid(format!(
                    "ExpressionAttributeValues contains invalid value: {} for key {key}",
                    error.message
                )),
                _ => error,
            })?;
            self.values.insert(key.to_owned(), value);
        } else {
            let name = value
                .as_str()
                .ok_or_else(|| serialization("Expected a string"))?;
            self.names.insert(key.to_owned(), name.to_owned());
        }
        Ok(())
    }

    /// The name that a placeholder stands for.
    fn name(&mut self, key: &str) -> Option<String> {
        let name = self.names.get(key).cloned()?;
        self.used.insert(key.to_owned());
        Some(name)
    }

    /// The value that a placeholder stands for.
    fn value(&mut self, key: &str) -> Option<Attribute> {
        let value = self.values.get(key).cloned()?;
        self.used.insert(key.to_owned());
        Some(value)
    }

    /// Refuses placeholders that no expression used, as DynamoDB does; called after all expressions
    /// are parsed.
    pub(super) fn finish(self) -> Result<(), ApiError> {
        let unused = |keys: Vec<&String>| -> Vec<String> {
            keys.into_iter()
                .filter(|key| !self.used.contains(*key))
                .cloned()
                .collect()
        };
        let names = unused(self.names.keys().collect());
        let values = unused(self.values.keys().collect());

        for (member, unused) in [
            ("ExpressionAttributeNames", names),
            ("ExpressionAttributeValues", values),
        ] {
            if !unused.is_empty() {
                return Err(invalid(format!(
                    "Value provided in {member} unused in expressions: keys: {{{}}}",
                    unused.join(", ")
                )));
            }
        }
        Ok(())
    }
}

fn check_placeholder(member: &str, sigil: char, key: &str) -> Result<(), ApiError> {
    let rest = key.strip_prefix(sigil).unwrap_or_default();
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if rest.is_empty() || !rest.bytes().all(is_word) {
        return Err(invalid(format!(
            "{member} contains invalid key: Syntax error; key: \"{key}\""
        )));
    }
    Ok(())
}
