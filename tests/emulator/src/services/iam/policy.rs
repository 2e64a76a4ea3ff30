//! Whether the statements of policies allow something: an explicit deny wins, and what no statement
//! allows is denied.
//!
//! Source:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>

use std::collections::BTreeMap;

use serde_json::Value;
use thiserror::Error;

use super::condition;
use super::pattern::{wildcard, wildcard_ignoring_case};
use crate::cloudformation::items;

/// Condition keys in lower case, with their values.
pub type Context = BTreeMap<String, String>;

/// An action that a principal wants to take.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Demand {
    /// `service:Operation`.
    pub action: String,
    /// An ARN, or `*` for an action that is about no resource.
    pub resource: String,
    pub context: Context,
    /// Condition keys in lower case that can have several values, with their values.
    pub sets: BTreeMap<String, Vec<String>>,
}

/// The decision of policies about a demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Allowed,
    /// No statement applies to it.
    NotAllowed,
    /// A statement forbids it.
    Denied,
}

/// An element of a policy that the sandbox does not evaluate.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("the sandbox does not evaluate {0}")]
pub struct Unsupported(pub String);

impl Demand {
    pub fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            resource: resource.into(),
            context: Context::new(),
            sets: BTreeMap::new(),
        }
    }

    /// An action that supports no resource-level permissions: only a statement about `*` allows it.
    pub fn anywhere(action: impl Into<String>) -> Self {
        Self::new(action, "*")
    }

    /// The same demand with a value for a condition key.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.context.insert(key.to_ascii_lowercase(), value.into());
        self
    }

    /// The same demand with the values of a condition key that can have several.
    #[must_use]
    pub fn with_all(mut self, key: &str, values: impl IntoIterator<Item = String>) -> Self {
        self.sets
            .insert(key.to_ascii_lowercase(), values.into_iter().collect());
        self
    }
}

/// The decision of statements about a demand, in any order.
///
/// # Errors
/// The first element that the sandbox does not evaluate.
pub fn evaluate<'a>(
    statements: impl IntoIterator<Item = &'a Value>,
    demand: &Demand,
) -> Result<Access, Unsupported> {
    let mut access = Access::NotAllowed;
    for statement in statements {
        if applies(statement, demand)? {
            match statement["Effect"].as_str() {
                Some("Deny") => return Ok(Access::Denied),
                Some("Allow") => access = Access::Allowed,
                other => return Err(Unsupported(format!("the effect {other:?}"))),
            }
        }
    }
    Ok(access)
}

/// Refuses a statement with anything that the sandbox does not evaluate, before it is ever
/// evaluated.
pub fn check(statement: &Value) -> Result<(), Unsupported> {
    let nothing = Demand::anywhere("sts:GetCallerIdentity");
    is_about_action(statement, &nothing)?;
    is_about_resource(statement, &nothing)?;
    condition::holds(&statement["Condition"], &nothing).map(drop)
}

/// Whether a statement is about the demand. Few are about its action, and nothing else of the
/// others is looked at: they were checked when the policy was made.
fn applies(statement: &Value, demand: &Demand) -> Result<bool, Unsupported> {
    Ok(is_about_action(statement, demand)?
        && is_about_resource(statement, demand)?
        && condition::holds(&statement["Condition"], demand)?)
}

/// Whether a statement of the policy of a resource, which is about that resource, applies to the
/// demand. Its principal is not looked at.
pub(super) fn applies_to_its_resource(
    statement: &Value,
    demand: &Demand,
) -> Result<bool, Unsupported> {
    Ok(is_about_action(statement, demand)? && condition::holds(&statement["Condition"], demand)?)
}

fn is_about_action(statement: &Value, demand: &Demand) -> Result<bool, Unsupported> {
    names(statement, ["Action", "NotAction"], |pattern| {
        wildcard_ignoring_case(pattern, &demand.action)
    })
}

fn is_about_resource(statement: &Value, demand: &Demand) -> Result<bool, Unsupported> {
    names(statement, ["Resource", "NotResource"], |pattern| {
        wildcard(pattern, &demand.resource)
    })
}

/// Whether an element, or its opposite, covers something.
fn names(
    statement: &Value,
    [element, opposite]: [&str; 2],
    covers: impl Fn(&str) -> bool,
) -> Result<bool, Unsupported> {
    let (patterns, wanted) = match statement.get(opposite) {
        Some(patterns) => (items(patterns), false),
        None => (items(&statement[element]), true),
    };
    let mut found = false;
    for pattern in patterns {
        let text = pattern
            .as_str()
            .ok_or_else(|| Unsupported(format!("the {element} {pattern}")))?;
        without_variables(text)?;
        found |= covers(text);
    }
    Ok(found == wanted)
}

pub(super) fn without_variables(text: &str) -> Result<(), Unsupported> {
    // A letter is found much faster than a text, and few patterns have a dollar sign.
    if text.contains('$') && text.contains("${") {
        return Err(Unsupported(format!("the policy variable in {text}")));
    }
    Ok(())
}
