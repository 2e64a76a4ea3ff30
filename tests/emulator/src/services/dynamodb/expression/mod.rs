//! The expression language of DynamoDB: conditions, filters, key conditions, projections and updates.
//!
//! Parsing replaces names and values at once, so what is parsed can be evaluated without the request.

mod condition;
mod lexer;
mod path;
mod projection;
mod update;

#[cfg(test)]
mod tests;

pub(super) use condition::{Comparator, Condition, Operand};
pub(super) use path::Path;
pub(super) use projection::{project, projection};
pub(super) use update::{Action, updates};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::Value;

use super::attribute::Attribute;
use super::invalid;
use crate::ApiError;

/// The names and values that a request defines, and which of them its expressions used.
#[derive(Debug, Default)]
pub(super) struct Placeholders {
    names: BTreeMap<String, String>,
    values: BTreeMap<String, Attribute>,
    used: BTreeSet<String>,
}

impl Placeholders {
    /// Reads them from a request that has at least one expression if `expressions`.
    pub(super) fn read(input: &Value, expressions: bool) -> Result<Self, ApiError> {
        let mut placeholders = Self::default();
        for (member, sigil) in [
            ("ExpressionAttributeNames", '#'),
            ("ExpressionAttributeValues", ':'),
        ] {
            let Some(given) = input.get(member).and_then(Value::as_object) else {
                continue;
            };
            if !expressions {
                return Err(invalid(format!(
                    "{member} can only be specified when using expressions"
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
            self.values
                .insert(key.to_owned(), Attribute::from_json(value)?);
        } else {
            let name = value
                .as_str()
                .ok_or_else(|| super::attribute::serialization("Expected a string"))?;
            self.names.insert(key.to_owned(), name.to_owned());
        }
        Ok(())
    }

    fn name(&mut self, key: &str) -> Option<String> {
        self.used.insert(key.to_owned());
        self.names.get(key).cloned()
    }

    fn value(&mut self, key: &str) -> Option<Attribute> {
        self.used.insert(key.to_owned());
        self.values.get(key).cloned()
    }

    /// DynamoDB refuses what no expression uses: call this after all of them are parsed.
    pub(super) fn finish(self) -> Result<(), ApiError> {
        for (member, keys) in [
            (
                "ExpressionAttributeNames",
                self.names.keys().collect::<Vec<_>>(),
            ),
            ("ExpressionAttributeValues", self.values.keys().collect()),
        ] {
            let unused: Vec<&str> = keys
                .into_iter()
                .filter(|key| !self.used.contains(*key))
                .map(String::as_str)
                .collect();
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
    if rest.is_empty()
        || !rest
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        return Err(invalid(format!(
            "{member} contains invalid key: Syntax error; key: \"{key}\""
        )));
    }
    Ok(())
}

/// Words that an expression may not use as a bare attribute name, in capitals.
fn is_reserved(word: &str) -> bool {
    static RESERVED: LazyLock<BTreeSet<&str>> =
        LazyLock::new(|| include_str!("reserved_words.txt").lines().collect());
    RESERVED.contains(word.to_ascii_uppercase().as_str())
}
