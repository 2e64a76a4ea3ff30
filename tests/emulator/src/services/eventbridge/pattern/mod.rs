//! Event patterns: which events a rule is for.
//!
//! EventBridge matches with <https://github.com/aws/event-ruler>, whose rules these are: a pattern
//! is compiled to alternatives, each of which demands something of the values at some paths; an
//! event is the list of its values with their paths. Paths are joined by dots, so that a name with
//! a dot is like two names.

mod address;
mod compile;
mod event;
mod expression;
mod json;
mod number;
#[cfg(test)]
mod tests;
mod value;
mod wildcard;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::ApiError;

pub(super) use event::Fields;
use value::Matcher;

/// What an alternative demands: at each path, a value that one of the matchers accepts.
type Demands = BTreeMap<String, Vec<Matcher>>;

/// Source and type of an event, as matchers compare them.
#[derive(Debug)]
pub(super) struct About {
    source: String,
    detail_type: String,
}

impl About {
    pub(super) fn of(event: &Value) -> Self {
        let quoted = |name: &str| value::quoted(event[name].as_str().unwrap_or_default());
        Self {
            source: quoted("source"),
            detail_type: quoted("detail-type"),
        }
    }
}

/// An event pattern.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// As it was put.
    pub text: String,
    alternatives: Vec<Demands>,
}

impl Pattern {
    /// Reads a pattern as PutRule receives it.
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        let alternatives = compile::compile(text).map_err(|Refusal(reason)| {
            ApiError::client(
                "InvalidEventPatternException",
                format!("Event pattern is not valid. Reason: {reason}"),
            )
        })?;
        Ok(Self {
            text: text.to_owned(),
            alternatives,
        })
    }

    /// Whether source and type of an event meet the pattern. Those of most events do not, so that
    /// their fields need not be read.
    pub(super) fn is_about(&self, about: &About) -> bool {
        let meets = |demands: &Demands, name: &str, value: &str| {
            demands
                .get(name)
                .is_none_or(|matchers| matchers.iter().any(|one| one.matches(value)))
        };
        self.alternatives.iter().any(|demands| {
            meets(demands, "source", &about.source)
                && meets(demands, "detail-type", &about.detail_type)
        })
    }

    /// Whether it matches something by wildcards.
    pub(super) fn has_wildcards(&self) -> bool {
        let mut matchers = self.alternatives.iter().flat_map(Demands::values).flatten();
        matchers.any(|matcher| !matcher.wildcards().is_empty())
    }

    pub(super) fn matches(&self, event: &Fields) -> bool {
        self.alternatives.iter().any(|demands| event.meet(demands))
    }
}

/// Why a pattern is not valid.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) String);
