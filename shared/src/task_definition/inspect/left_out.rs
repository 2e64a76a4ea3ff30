//! What `docker inspect` prints and a task definition cannot have.
//!
//! Never holds the value of a variable, of an option, or of a member that this code does not know.

use std::fmt;

use serde_json::Value;

/// A setting that has no counterpart in a task definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Container and member, such as `web.HostConfig.GroupAdd`.
    pub field: String,
    /// The value if it cannot be a secret, or else what kind of value it is.
    pub value: String,
    pub reason: String,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.field, self.value, self.reason)
    }
}

/// A number or a flag as it is, and of anything else only what it is.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(_) => "a text".to_owned(),
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(members) => format!("an object of {}", members.len()),
    }
}

/// Whether a value means that nothing is set: Docker prints every member.
pub(super) fn is_unset(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(is_unset),
        Value::Object(members) => members.is_empty(),
    }
}
