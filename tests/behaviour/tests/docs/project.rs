//! The project's files as text.

use std::path::{Component, Path, PathBuf};

/// What builds and tools write; no document is below them.
pub(crate) const IGNORED: [&str; 5] = ["target", ".git", ".aws-sam", "node_modules", "__pycache__"];

/// A file with its path from the root.
pub(crate) struct Text {
    pub(crate) name: String,
    pub(crate) text: String,
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the project's root")
}

pub(crate) fn read(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// All Markdown files, by path.
pub(crate) fn markdown() -> Vec<Text> {
    texts(&["."])
        .into_iter()
        .filter(|text| text.name.ends_with(".md"))
        .collect()
}

/// All text files at or below these paths, by path. What is not UTF-8 is left out.
pub(crate) fn texts(tops: &[&str]) -> Vec<Text> {
    let root = root();
    let mut open: Vec<PathBuf> = tops.iter().map(|top| root.join(top)).collect();

    let mut found = Vec::new();
    while let Some(path) = open.pop() {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        if IGNORED.contains(&&*file) {
            continue;
        }

        if path.is_dir() {
            let entries = std::fs::read_dir(&path).expect("a readable folder");
            open.extend(entries.map(|entry| entry.expect("a readable entry").path()));
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            let below = path.strip_prefix(&root).expect("below the root");
            let name = normal(below).expect("below the root");
            found.push(Text { name, text });
        }
    }

    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// The path from the root of what `path` names in the file `name`, if it is not above the root.
pub(crate) fn beside(name: &str, path: &str) -> Option<String> {
    let folder = Path::new(name).parent().unwrap_or(Path::new(""));
    normal(&folder.join(path))
}

/// A path without `.` and `..`, with `/` between its parts.
fn normal(path: &Path) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => parts.push(part.to_string_lossy().into_owned()),
            Component::CurDir => {}
            Component::ParentDir => drop(parts.pop()?),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}
