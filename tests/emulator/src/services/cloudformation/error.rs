//! What CloudFormation says when it refuses a template or a change: where, and what it found there.

use std::fmt::Display;
use std::path::Path;

use thiserror::Error;

use crate::ApiError;

/// Why a stack was not deployed. Nothing of it was done.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{template}: {place}: {problem}")]
pub struct StackError {
    /// The template's path.
    pub template: String,
    /// Where in the template, e.g. `Resources.Service.Properties.LoadBalancers.0.ContainerPort`.
    pub place: String,
    pub problem: String,
}

impl StackError {
    /// In CloudFormation's words, where they are known; otherwise with the place.
    pub(super) fn worded(&self) -> String {
        if self.problem.starts_with("Parameters: [") {
            return self.problem.clone();
        }

        let dependency = self
            .problem
            .strip_prefix("unresolved resource dependencies [")
            .and_then(|rest| rest.split_once(']'));
        match dependency {
            Some((id, _)) if self.place.starts_with("Outputs") => {
                format!(
                    "Unresolved resource dependencies [{id}] in the Outputs block of the template"
                )
            }
            Some((id, _)) => format!(
                "Template format error: Unresolved resource dependencies [{id}] in the Resources \
             block of the template"
            ),
            None => self.to_string(),
        }
    }
}

/// A problem on its way up: every level adds its own key to the place.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    keys: Vec<String>,
    what: String,
    /// The type of the new resource that its service refused, if it was not the template.
    refused: Option<&'static str>,
}

impl Problem {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self {
            keys: Vec::new(),
            what: what.into(),
            refused: None,
        }
    }

    /// A place inside the properties of a resource, seen from the resource.
    pub(super) fn in_properties(mut self) -> Self {
        if self.keys.last().is_some_and(|key| key != "Metadata") {
            self.keys.push("Properties".to_owned());
        }
        self
    }

    /// The service of a new resource of this type met it.
    pub(super) fn of_service(mut self, kind: &'static str) -> Self {
        self.refused = Some(kind);
        self
    }

    /// The new resource that its service refused: its logical id, its type and the reason.
    pub(super) fn refused_resource(&self) -> Option<(&str, &'static str, &str)> {
        let [.., logical_id, section] = self.keys.as_slice() else {
            return None;
        };
        let kind = self.refused.filter(|_| section == "Resources")?;
        Some((logical_id.as_str(), kind, self.what.as_str()))
    }

    pub(super) fn in_template(mut self, template: &Path) -> StackError {
        self.keys.reverse();
        let place = if self.keys.is_empty() {
            "template".to_owned()
        } else {
            self.keys.join(".")
        };

        StackError {
            template: template.display().to_string(),
            place,
            problem: self.what,
        }
    }
}

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<StackError> for Problem {
    fn from(error: StackError) -> Self {
        Self::new(format!("nested stack: {error}"))
    }
}

/// Says at which key of the template a problem was met.
pub(super) trait At {
    fn at(self, key: impl Display) -> Self;
}

impl<T> At for Result<T, Problem> {
    fn at(self, key: impl Display) -> Self {
        self.map_err(|mut problem| {
            problem.keys.push(key.to_string());
            problem
        })
    }
}

/// The problem of a value of another type than the place takes.
pub(super) fn takes(what: &str, value: &serde_json::Value) -> Problem {
    Problem::new(format!("takes {what}, found {}", found(value)))
}

/// A value as it is shown in a message: short, on one line.
pub(super) fn found(value: &serde_json::Value) -> String {
    const SHOWN_CHARS: usize = 120;
    let text = value.to_string();
    if text.chars().count() <= SHOWN_CHARS {
        text
    } else {
        text.chars().take(SHOWN_CHARS).chain(['…']).collect()
    }
}
