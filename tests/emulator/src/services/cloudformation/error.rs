//! Why CloudFormation refuses a template or a change: where, and what it found there.

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
        const WHOLE: [&str; 5] = [
            "Circular dependency between resources: [",
            "Parameter ",
            "Parameters: [",
            "Template error: ",
            "Unable to fetch parameters [",
        ];
        let problem = self.problem.as_str();
        if WHOLE.iter().any(|start| problem.starts_with(start)) {
            return problem.to_owned();
        }

        let named = |start: &str, end: char| {
            let rest = problem.strip_prefix(start)?;
            rest.split_once(end).map(|(name, _)| name)
        };
        let dependency = named("unresolved resource dependencies [", ']')
            .or_else(|| named("unresolved reference ", ':'));
        match (dependency, named("undefined resource ", ':')) {
            (Some(id), _) if self.place.starts_with("Outputs") => {
                format!(
                    "Unresolved resource dependencies [{id}] in the Outputs block of the template"
                )
            }
            (Some(id), _) => format!(
                "Template format error: Unresolved resource dependencies [{id}] in the Resources \
                 block of the template"
            ),
            (None, Some(id)) => {
                format!("Template error: instance of Fn::GetAtt references undefined resource {id}")
            }
            (None, None) => self.to_string(),
        }
    }
}

/// A problem on its way up: every level adds its own key to the place.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    keys: Vec<String>,
    what: String,
    cause: Cause,
}

/// What a problem is one of.
#[derive(Clone, Copy, Debug)]
enum Cause {
    Template,
    /// A value that is null.
    Null,
    /// The service of a new resource of this type.
    Service(&'static str),
}

impl Problem {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self {
            keys: Vec::new(),
            what: what.into(),
            cause: Cause::Template,
        }
    }

    /// The value is null, which a template does not have.
    pub(super) fn null(mut self) -> Self {
        self.cause = Cause::Null;
        self
    }

    /// Where a value is null, if that is the problem: `/Outputs/Name/Value`.
    pub(super) fn null_at(&self) -> Option<String> {
        let keys = self.keys.iter().rev();
        matches!(self.cause, Cause::Null).then(|| keys.map(|key| format!("/{key}")).collect())
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
        self.cause = Cause::Service(kind);
        self
    }

    /// The new resource that its service refused: its logical id, its type and the reason.
    pub(super) fn refused_resource(&self) -> Option<(&str, &'static str, &str)> {
        let Cause::Service(kind) = self.cause else {
            return None;
        };
        Some((self.resource()?, kind, self.what.as_str()))
    }

    /// The logical id of the resource that has the problem.
    pub(super) fn resource(&self) -> Option<&str> {
        match self.keys.as_slice() {
            [.., logical_id, section] if section == "Resources" => Some(logical_id),
            _ => None,
        }
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

/// Adds the key of the template at which a problem was found.
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
