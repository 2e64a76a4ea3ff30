//! Checks the documentation against the project: links, paths, lengths, generated tables,
//! commands, counts, words.
//!
//! It reads files only. It must not depend on the product's crates: a table is generated from what
//! a reader also sees, which are the schemas, the templates and the documented constants.

mod commands;
mod counts;
mod generated;
mod markdown;
mod project;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use regex_lite::Regex;

use crate::project::{Text, root};

const README_LINES: usize = 150;
const ARCHITECTURE_LINES: usize = 200;

/// Folders whose paths a document may name, always from the root.
const FOLDERS: [&str; 6] = ["cli", "functions", "shared", "tests", "infra", "docs"];

/// Endings of files that a document may name from its own folder.
const ENDINGS: &str = "rs|yaml|yml|toml|md|json|jsonl|py|html|svg|png";

#[test]
fn links_and_anchors_resolve() {
    let pages = project::markdown();
    let anchors: BTreeMap<&str, _> = pages
        .iter()
        .map(|page| (page.name.as_str(), markdown::anchors(&page.text)))
        .collect();

    let mut broken = Vec::new();
    for page in &pages {
        for (line, target) in markdown::links(&page.text) {
            if let Some(why) = broken_link(page, &target, &anchors) {
                broken.push(format!("{}:{line}: {target}: {why}", page.name));
            }
        }
    }

    assert!(broken.is_empty(), "broken links:\n{}", broken.join("\n"));
}

/// Why a link leads nowhere, if it does. Links to other sites are not followed.
fn broken_link(
    page: &Text,
    target: &str,
    anchors: &BTreeMap<&str, BTreeSet<String>>,
) -> Option<&'static str> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }

    let (path, anchor) = match target.split_once('#') {
        Some((path, anchor)) => (path, Some(anchor)),
        None => (target, None),
    };
    let name = if path.is_empty() {
        page.name.clone()
    } else {
        match project::beside(&page.name, path) {
            Some(name) if root().join(&name).exists() => name,
            _ => return Some("no such file"),
        }
    };

    match (anchor, anchors.get(name.as_str())) {
        (Some(anchor), Some(known)) if !known.contains(anchor) => Some("no such heading"),
        (Some(_), None) => Some("an anchor in a file that is not Markdown"),
        _ => None,
    }
}

#[test]
fn files_and_folders_that_are_named_exist() {
    let mut missing = Vec::new();
    for page in project::markdown() {
        for (line, path) in named_paths(&page.text) {
            let is_made = project::IGNORED.iter().any(|made| path.starts_with(made));
            let beside = project::beside(&page.name, &path).unwrap_or_default();
            let exists = root().join(&path).exists() || root().join(beside).exists();
            if !is_made && !exists {
                missing.push(format!("{}:{line}: {path}", page.name));
            }
        }
    }

    missing.dedup();
    assert!(
        missing.is_empty(),
        "no such file or folder:\n{}",
        missing.join("\n")
    );
}

/// The paths in a page's code, with their lines.
fn named_paths(page: &str) -> Vec<(usize, String)> {
    // From the root: anywhere in code, also in commands.
    let from_root = format!(
        r#"(?:^|[\s("'=<])((?:{})/[A-Za-z0-9_./-]*)"#,
        FOLDERS.join("|")
    );
    let from_root = Regex::new(&from_root).expect("a valid expression");
    // From the page's folder: a path and nothing else.
    let alone = format!(r"^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+\.({ENDINGS})$");
    let alone = Regex::new(&alone).expect("a valid expression");

    let mut paths = Vec::new();
    for (line, code) in markdown::code(page) {
        if alone.is_match(&code) {
            paths.push((line, code.clone()));
        }
        for path in from_root
            .captures_iter(&code)
            .filter_map(|found| found.get(1))
        {
            // A test's name, `tests/file.rs::name`, is below its package.
            if !code[path.end()..].starts_with("::") {
                paths.push((line, path.as_str().trim_end_matches(['.', '/']).to_owned()));
            }
        }
    }
    paths
}

#[test]
fn readme_and_architecture_stay_short() {
    for (name, most) in [
        ("README.md", README_LINES),
        ("ARCHITECTURE.md", ARCHITECTURE_LINES),
    ] {
        let lines = project::read(name).lines().count();
        assert!(
            lines <= most,
            "{name} has {lines} lines; expected {most} at most"
        );
    }
}

#[test]
fn generated_tables_are_as_their_sources() {
    let write = std::env::var_os("SLIPWAY_WRITE_DOCS").is_some();

    let mut outdated = Vec::new();
    for page in project::markdown() {
        let wanted = generated::filled(&page);
        if wanted == page.text {
            continue;
        }

        if write {
            std::fs::write(root().join(&page.name), wanted).expect("a writable page");
        } else {
            outdated.push(page.name);
        }
    }

    assert!(
        outdated.is_empty(),
        "{} differ from their sources; write them: \
         SLIPWAY_WRITE_DOCS=1 cargo test --package behaviour --test docs",
        outdated.join(", ")
    );
}

#[test]
fn words_that_are_not_used_do_not_occur() {
    let hits = words::hits();

    assert!(
        hits.is_empty(),
        "{} words that docs/internals/words.md replaces:\n{}",
        hits.len(),
        hits.join("\n")
    );
}
