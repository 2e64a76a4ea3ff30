//! Files that others wrote: those of the folders that `SLIPWAY_CORPUS` names, separated by
//! colons. What tests read is the project's own examples and these.

use std::path::{Path, PathBuf};

use emulator::Unrecorded;

/// The folders of a corpus, by kind of file. It may lack any of them, and not all.
const KINDS: [&str; 7] = [
    "artifacts",
    "canary-configs",
    "docker-inspect",
    "events",
    "judge",
    "recorded",
    "task-definitions",
];

/// The project's own files in `own`, and those of `folder` in every folder of the corpus, by name.
///
/// # Panics
/// When the project has no such file, or the corpus has no file of any kind: a test would pass on
/// nothing.
#[must_use]
pub fn files(folder: &str, own: &str) -> Vec<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join(own);
    let mut files = entries(&own);
    assert!(!files.is_empty(), "no files in {}", own.display());

    let roots = roots();
    let found = roots.iter().flat_map(|root| entries(&root.join(folder)));
    files.extend(found);
    files.sort();
    println!("{} files, of {} and {roots:?}", files.len(), own.display());
    files
}

/// Keeps a file of others out of the recording, until what is returned is dropped: a task
/// definition is passed on unchanged, so what is in it would be recorded as the functions' own.
#[must_use]
pub fn unrecorded(file: impl AsRef<Path>) -> Option<Unrecorded> {
    let file = file.as_ref();
    let is_foreign = roots().iter().any(|root| file.starts_with(root));
    is_foreign.then(Unrecorded::begin)
}

/// The folders of the corpus; none when the variable is not set or empty.
fn roots() -> Vec<PathBuf> {
    let corpus = std::env::var_os("SLIPWAY_CORPUS").unwrap_or_default();
    let roots: Vec<PathBuf> = std::env::split_paths(&corpus)
        .filter(|root| !root.as_os_str().is_empty())
        .collect();

    let has_files = |root: &PathBuf| {
        let mut kinds = KINDS.iter();
        kinds.any(|kind| !entries(&root.join(kind)).is_empty())
    };
    assert!(
        roots.is_empty() || roots.iter().any(has_files),
        "SLIPWAY_CORPUS names {roots:?}; expected a folder with files in one of {KINDS:?}"
    );
    roots
}

/// What a folder contains; nothing when it is missing.
fn entries(folder: &Path) -> Vec<PathBuf> {
    if !folder.is_dir() {
        return Vec::new();
    }
    std::fs::read_dir(folder)
        .expect("a folder that can be read")
        .map(|entry| entry.expect("a file").path())
        .collect()
}
