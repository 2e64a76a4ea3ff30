//! What differs between the definition that runs and the one that a release would register, as a
//! dry run lists it.
//!
//! Never decides anything, and never shows the value of an environment variable: of what is secret
//! only its place and that it differs are shown.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::definition::TaskDefinition;
use super::leaves::{Leaves, MemberPath, text_of};
use super::secrets::{is_secret_name, names_secret};
use crate::job::clipped;
use crate::limits::{CHANGE_CHARS, LISTED_CHANGES};
use crate::redaction::MASK;

/// How two definitions differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The first [`LISTED_CHANGES`], sorted by path.
    pub changes: Vec<MemberChange>,
    /// How many others there are.
    pub more: usize,
}

/// A member that differs, under its path such as `containers.web.image`, with its values as they
/// may be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "lowercase")]
pub enum MemberChange {
    Added {
        path: String,
        new: String,
    },
    Removed {
        path: String,
        old: String,
    },
    Changed {
        path: String,
        old: String,
        new: String,
    },
}

impl fmt::Display for MemberChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added { path, new } => write!(f, "added {path}: {new}"),
            Self::Removed { path, old } => write!(f, "removed {path}: {old}"),
            Self::Changed { path, old, new } => write!(f, "changed {path}: {old} -> {new}"),
        }
    }
}

impl Difference {
    /// What differs in `next` from what runs, apart from marks of releases, from orders that have
    /// no meaning and from what ECS is known to fill in.
    #[must_use]
    pub fn between(runs: &TaskDefinition, next: &TaskDefinition) -> Self {
        let old = Leaves::of(runs);
        let new = Leaves::of(next);

        let paths: BTreeSet<&MemberPath> = old.paths().chain(new.paths()).collect();
        let differing: Vec<MemberValues<'_>> = paths
            .into_iter()
            .map(|path| MemberValues {
                path,
                old: old.get(path).filter(|value| !is_implied(&new, path, value)),
                new: new.get(path).filter(|value| !is_implied(&old, path, value)),
            })
            .filter(|pair| pair.old != pair.new)
            .collect();

        let listed = differing.iter().take(LISTED_CHANGES);
        let changes: Vec<MemberChange> =
            listed.filter_map(|pair| pair.shown([runs, next])).collect();
        Self {
            more: differing.len() - changes.len(),
            changes,
        }
    }

    /// How many members differ.
    #[must_use]
    pub fn count(&self) -> usize {
        self.changes.len() + self.more
    }
}

/// Whether a definition means the same without a leaf that it does not have.
fn is_implied(other: &Leaves, path: &MemberPath, value: &Value) -> bool {
    other.get(path).is_none() && other.implies(path, value)
}

/// The values of a member in both definitions.
struct MemberValues<'a> {
    path: &'a MemberPath,
    old: Option<&'a Value>,
    new: Option<&'a Value>,
}

impl MemberValues<'_> {
    fn shown(&self, definitions: [&TaskDefinition; 2]) -> Option<MemberChange> {
        let path = clipped(&in_a_line(&self.path.join(".")), CHANGE_CHARS);
        let is_secret = self.is_secret();
        let shown = |text: &str| {
            if is_secret {
                MASK.to_owned()
            } else {
                shown(text, definitions)
            }
        };

        match (self.old, self.new) {
            (None, None) => None,
            (None, Some(new)) => Some(MemberChange::Added {
                path,
                new: shown(&named(self.path, new)),
            }),
            (Some(old), None) => Some(MemberChange::Removed {
                path,
                old: shown(&named(self.path, old)),
            }),
            (Some(old), Some(new)) => {
                let [old, new] = distinct(self.path, [old, new]);
                Some(MemberChange::Changed {
                    path,
                    old: shown(&old),
                    new: shown(&new),
                })
            }
        }
    }

    /// Whether its values are secret by their place, or one of them names a secret.
    fn is_secret(&self) -> bool {
        let mut values = self.old.into_iter().chain(self.new);
        is_secret(self.path) || values.any(names_secret)
    }
}

/// A value without the secrets of both definitions, in one line and not too long.
fn shown(text: &str, definitions: [&TaskDefinition; 2]) -> String {
    let redacted = definitions
        .iter()
        .fold(text.to_owned(), |text, definition| {
            definition.redacted(&text)
        });
    clipped(&in_a_line(&redacted), CHANGE_CHARS)
}

/// Whether a value is secret by its place: that of a variable, or one under the name of a secret.
fn is_secret(path: &MemberPath) -> bool {
    // A list of another form than ECS takes has no names.
    let is_list = matches!(path.as_slice(), [_, _, list] if list == "environment");
    let mut above = path.iter().rev().skip(1);
    let is_variable = is_list || above.any(|name| name == "environment");
    let is_named = path.last().is_some_and(|name| is_secret_name(name));
    is_variable || is_named && !refers_to_secret(path)
}

/// Whether a value is where a secret is kept, and not the secret.
fn refers_to_secret(path: &MemberPath) -> bool {
    match path.as_slice() {
        [.., name] if name == "credentialsParameter" => true,
        [.., list, _] => list == "secrets" || list == "secretOptions",
        _ => false,
    }
}

/// A value as a text: of the ARN of a secret, what it names.
fn named(path: &MemberPath, value: &Value) -> String {
    let text = text_of(value);
    let resource = text.splitn(6, ':').nth(5);
    match resource {
        Some(resource) if refers_to_secret(path) && text.starts_with("arn:") => resource.to_owned(),
        _ => text,
    }
}

/// Two values as texts: whole ARNs of secrets that only account or region tell apart.
fn distinct(path: &MemberPath, values: [&Value; 2]) -> [String; 2] {
    let [old, new] = values.map(|value| named(path, value));
    if old == new {
        values.map(text_of)
    } else {
        [old, new]
    }
}

/// A text that cannot be taken for several lines.
fn in_a_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}
