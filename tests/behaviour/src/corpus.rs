//! Files that others wrote: those of the folders that `SLIPWAY_CORPUS` names, separated by
//! colons, or the project's own examples.

use std::path::{Path, PathBuf};

/// The files of `folder` in every folder of the corpus, by name; those of the project in `own`
/// without one.
///
/// # Panics
/// When no folder of the corpus has such a file: a test would pass on nothing.
#[must_use]
pub fn files(folder: &str, own: &str) -> Vec<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join(own);
    let folders: Vec<PathBuf> = match std::env::var_os("SLIPWAY_CORPUS") {
        Some(corpus) => std::env::split_paths(&corpus)
            .map(|root| root.join(folder))
            .collect(),
        None => vec![own],
    };

    let mut files: Vec<PathBuf> = folders
        .iter()
        .filter(|folder| folder.is_dir())
        .flat_map(|folder| std::fs::read_dir(folder).expect("a folder that can be read"))
        .map(|entry| entry.expect("a file").path())
        .collect();
    files.sort();

    let listed: Vec<_> = folders.iter().map(|folder| folder.display()).collect();
    assert!(!files.is_empty(), "no files in any of {listed:?}");
    println!("{} files of {listed:?}", files.len());
    files
}
