//! Mutations as data: the TOML files of `mutations/`, one for each area of the code.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

/// One promise taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutation {
    /// The name of the file that it stands in, without `.toml`.
    pub area: String,
    /// Unique over all areas: lower-case letters, digits and hyphens.
    pub name: String,
    /// The promise, in one sentence.
    pub removes: String,
    /// At least one.
    pub edits: Vec<Edit>,
    /// Why no test can notice it, where that is known. Such a mutation is expected to survive.
    pub survives: Option<String>,
}

/// A piece of source code and what stands there instead.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// From the root of the workspace.
    pub file: String,
    /// Occurs exactly once in the file.
    pub find: String,
    pub replace: String,
}

/// What is wrong with the data.
#[derive(Debug, Error)]
pub enum DataError {
    #[error("failed to read {path}")]
    Read { path: String, source: io::Error },
    #[error("failed to parse {path}")]
    Parse {
        path: String,
        source: Box<toml::de::Error>,
    },
    #[error("{path}: mutation `{name}`: {problem}")]
    Mutation {
        path: String,
        name: String,
        problem: &'static str,
    },
    #[error("no mutation is named `{0}`")]
    UnknownName(String),
    #[error("no area is named `{found}`; expected one of {expected}")]
    UnknownArea { found: String, expected: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MutationFile {
    #[serde(default)]
    mutation: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    removes: String,
    file: Option<String>,
    find: Option<String>,
    replace: Option<String>,
    #[serde(default)]
    edits: Vec<Edit>,
    survives: Option<String>,
}

/// Reads all areas, in the order of their names.
///
/// # Errors
/// A file that cannot be read or is not of this format, and names that are not unique.
pub fn read_all(directory: &Path) -> Result<Vec<Mutation>, DataError> {
    let mut mutations = Vec::new();
    let mut names = BTreeSet::new();
    for path in toml_files(directory)? {
        let area = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        for entry in entries_of(&path)? {
            let name = entry.name.clone();
            let mutation = entry
                .checked(&area)
                .and_then(|mutation| {
                    if names.insert(mutation.name.clone()) {
                        Ok(mutation)
                    } else {
                        Err("another mutation has this name")
                    }
                })
                .map_err(|problem| DataError::Mutation {
                    path: path.display().to_string(),
                    name,
                    problem,
                })?;
            mutations.push(mutation);
        }
    }
    Ok(mutations)
}

/// The TOML files of a directory, sorted.
fn toml_files(directory: &Path) -> Result<Vec<PathBuf>, DataError> {
    let entries = fs::read_dir(directory).map_err(unreadable(directory))?;
    let mut paths = entries
        .map(|entry| {
            entry
                .map(|entry| entry.path())
                .map_err(unreadable(directory))
        })
        .collect::<Result<Vec<_>, _>>()?;
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "toml")
    });
    paths.sort();
    Ok(paths)
}

fn entries_of(path: &Path) -> Result<Vec<Entry>, DataError> {
    let text = fs::read_to_string(path).map_err(unreadable(path))?;
    let file: MutationFile = toml::from_str(&text).map_err(|source| DataError::Parse {
        path: path.display().to_string(),
        source: Box::new(source),
    })?;
    Ok(file.mutation)
}

/// The error of a file or a directory that cannot be read.
fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> DataError {
    let path = path.display().to_string();
    move |source| DataError::Read { path, source }
}

/// Those that are named, or those of the areas that are named, or all.
///
/// # Errors
/// A name or an area that does not exist.
pub fn select(
    all: &[Mutation],
    names: &[String],
    areas: &[String],
) -> Result<Vec<usize>, DataError> {
    if let Some(unknown) = names
        .iter()
        .find(|name| all.iter().all(|mutation| mutation.name != **name))
    {
        return Err(DataError::UnknownName(unknown.clone()));
    }

    if let Some(unknown) = areas
        .iter()
        .find(|area| all.iter().all(|mutation| mutation.area != **area))
    {
        let known: BTreeSet<&str> = all.iter().map(|mutation| mutation.area.as_str()).collect();
        let expected = known.into_iter().collect::<Vec<_>>().join(", ");
        return Err(DataError::UnknownArea {
            found: unknown.clone(),
            expected,
        });
    }

    let everything = names.is_empty() && areas.is_empty();
    let selected = |mutation: &Mutation| {
        everything || names.contains(&mutation.name) || areas.contains(&mutation.area)
    };
    Ok((0..all.len())
        .filter(|&index| selected(&all[index]))
        .collect())
}

impl Entry {
    fn checked(self, area: &str) -> Result<Mutation, &'static str> {
        let is_legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.name.is_empty() || !self.name.chars().all(is_legal) {
            return Err("`name` must be of lower-case letters, digits and hyphens");
        }
        if self.removes.trim().is_empty() {
            return Err("`removes` is empty; expected the promise that is taken away");
        }
        let edits = match (self.file, self.find, self.replace, self.edits) {
            (Some(file), Some(find), Some(replace), edits) if edits.is_empty() => {
                vec![Edit {
                    file,
                    find,
                    replace,
                }]
            }
            (None, None, None, edits) if !edits.is_empty() => edits,
            _ => {
                return Err(
                    "expected `file`, `find` and `replace`, or `edits`, each with these three",
                );
            }
        };
        if edits
            .iter()
            .any(|edit| edit.find.trim().is_empty() || edit.find == edit.replace)
        {
            return Err("`find` must not be empty, nor the same as `replace`");
        }

        Ok(Mutation {
            area: area.to_owned(),
            name: self.name,
            removes: self.removes,
            edits,
            survives: self.survives,
        })
    }
}
