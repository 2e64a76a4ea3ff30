//! The copy of the workspace in which the mutations stand, below `target/mutants/`: always the same
//! place, so that a second run builds only what changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use thiserror::Error;

use crate::mutation::Mutation;
use crate::weave::{Placed, SWITCHES, WeaveError, weave};

/// Where the crate `slipway` is.
const SHARED: &str = "shared/src";

/// Why there is no copy.
#[derive(Debug, Error)]
pub enum CopyError {
    #[error("failed to list the files of the workspace with git")]
    List(#[source] io::Error),
    #[error("git could not list the files of the workspace: {0}")]
    Git(String),
    #[error("failed to copy {path}")]
    Io { path: String, source: io::Error },
    #[error("{file}: {problem}")]
    Weave { file: String, problem: String },
}

/// Where a run builds.
#[derive(Clone, Debug)]
pub struct Places {
    pub tree: PathBuf,
    /// The target directory of the copy.
    pub build: PathBuf,
}

impl Places {
    #[must_use]
    pub fn below(target: &Path) -> Self {
        Self {
            tree: target.join("mutants/tree"),
            build: target.join("mutants/build"),
        }
    }
}

/// The mutated text of every file that has mutations. `read` gives the text of a file of the
/// workspace.
///
/// # Errors
/// A mutation that does not fit the source, by its name.
pub fn mutated(
    mutations: &[Mutation],
    read: impl Fn(&str) -> io::Result<String>,
) -> Result<BTreeMap<String, String>, CopyError> {
    let mut by_file: BTreeMap<&str, Vec<Placed<'_>>> = BTreeMap::new();
    for (number, mutation) in mutations.iter().enumerate() {
        for edit in &mutation.edits {
            let placed = Placed {
                number,
                find: &edit.find,
                replace: &edit.replace,
            };
            by_file.entry(&edit.file).or_default().push(placed);
        }
    }

    let name = |number: usize| &mutations[number].name;
    let mut texts = BTreeMap::new();
    for (file, edits) in by_file {
        let text = read(file).map_err(|source| CopyError::Io {
            path: file.to_owned(),
            source,
        })?;
        let woven = weave(&text, &edits).map_err(|error| CopyError::Weave {
            file: file.to_owned(),
            problem: match error {
                WeaveError::Count { number, count } => {
                    format!(
                        "mutation `{}`: `find` occurs {count} times; expected exactly once",
                        name(number)
                    )
                }
                WeaveError::Overlap { first, second } => {
                    format!(
                        "mutations `{}` and `{}` overlap; make one of them smaller",
                        name(first),
                        name(second)
                    )
                }
            },
        })?;
        texts.insert(file.to_owned(), woven);
    }
    Ok(texts)
}

/// Brings the copy up to date. A file keeps its time when its content is the same, so that cargo
/// builds only what changed.
///
/// # Errors
/// When a file cannot be read or written, or a mutation does not fit.
pub fn refresh(root: &Path, places: &Places, mutations: &[Mutation]) -> Result<(), CopyError> {
    let mut texts = mutated(mutations, |file| fs::read_to_string(root.join(file)))?;
    let lib = format!("{SHARED}/lib.rs");
    let own = match texts.remove(&lib) {
        Some(text) => text,
        None => fs::read_to_string(root.join(&lib)).map_err(|source| CopyError::Io {
            path: lib.clone(),
            source,
        })?,
    };
    texts.insert(
        lib,
        format!("{own}\nextern crate self as slipway;\npub mod mutants;\n"),
    );
    texts.insert(format!("{SHARED}/mutants.rs"), SWITCHES.to_owned());

    let mut files = files(root)?;
    files.retain(|file| root.join(file).is_file());
    let names = files.iter().chain(texts.keys());
    let kept: BTreeSet<&str> = names.map(String::as_str).collect();
    remove_others(&places.tree, "", &kept)?;

    for file in &files {
        if !texts.contains_key(file) {
            let bytes = fs::read(root.join(file)).map_err(|source| CopyError::Io {
                path: file.clone(),
                source,
            })?;
            write(&places.tree, file, &bytes)?;
        }
    }
    for (file, text) in texts {
        write(&places.tree, &file, text.as_bytes())?;
    }
    take_over_dependencies(root, places);
    Ok(())
}

/// Removes the files of an earlier copy that the project no longer has: cargo would find a test
/// target in each.
fn remove_others(tree: &Path, folder: &str, kept: &BTreeSet<&str>) -> Result<(), CopyError> {
    let failed = |path: &str| {
        let path = path.to_owned();
        move |source| CopyError::Io { path, source }
    };
    if !tree.join(folder).is_dir() {
        return Ok(());
    }

    for entry in fs::read_dir(tree.join(folder)).map_err(failed(folder))? {
        let entry = entry.map_err(failed(folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = match folder {
            "" => name,
            folder => format!("{folder}/{name}"),
        };
        if entry.path().is_dir() {
            remove_others(tree, &path, kept)?;
        } else if !kept.contains(path.as_str()) {
            fs::remove_file(entry.path()).map_err(failed(&path))?;
        }
    }
    Ok(())
}

/// The files that git tracks or would track.
fn files(root: &Path) -> Result<Vec<String>, CopyError> {
    let listed = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root)
        .output()
        .map_err(CopyError::List)?;
    if !listed.status.success() {
        return Err(CopyError::Git(
            String::from_utf8_lossy(&listed.stderr).trim().to_owned(),
        ));
    }

    let names = String::from_utf8_lossy(&listed.stdout);
    Ok(names
        .split('\0')
        .filter(|name| !name.is_empty())
        .map(ToOwned::to_owned)
        .collect())
}

fn write(tree: &Path, file: &str, bytes: &[u8]) -> Result<(), CopyError> {
    let path = tree.join(file);
    if fs::read(&path).is_ok_and(|known| known == bytes) {
        return Ok(());
    }

    let io = |source| CopyError::Io {
        path: file.to_owned(),
        source,
    };
    fs::create_dir_all(path.parent().unwrap_or(tree)).map_err(io)?;
    fs::write(&path, bytes).map_err(io)
}

/// Compiled dependencies are the same wherever the workspace is: what the workspace has built
/// already is linked to, not built again. Its own members are not, since the copy builds others
/// under the same names. Without all this the build only takes longer.
fn take_over_dependencies(root: &Path, places: &Places) {
    let built = root.join("target/debug");
    if places.build.exists() || !built.join("deps").exists() {
        return;
    }

    let own = places.build.join("debug");
    if fs::create_dir_all(&own).is_ok() {
        for part in ["deps", "build", ".fingerprint"] {
            let _ = Command::new("cp")
                .arg("-al")
                .arg(built.join(part))
                .arg(own.join(part))
                .status();
        }

        let mut clean = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        clean
            .args(["clean", "--quiet", "--workspace"])
            .current_dir(&places.tree);
        let _ = clean.env("CARGO_TARGET_DIR", &places.build).status();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_the_project_no_longer_has_leaves_the_copy() {
        let tree = std::env::temp_dir().join(format!("slipway-copy-{}", std::process::id()));
        for file in ["Cargo.toml", "tests/old.rs", "tests/new/main.rs"] {
            write(&tree, file, b"text").expect("writes");
        }

        let kept = BTreeSet::from(["Cargo.toml", "tests/new/main.rs"]);
        remove_others(&tree, "", &kept).expect("removes");

        let left = ["Cargo.toml", "tests/old.rs", "tests/new/main.rs"]
            .map(|file| tree.join(file).is_file());
        fs::remove_dir_all(&tree).expect("removes the copy");
        assert_eq!(left, [true, false, true]);
    }
}
