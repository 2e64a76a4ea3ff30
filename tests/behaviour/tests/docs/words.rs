//! Finds the words that docs/internals/words.md replaces.

use regex_lite::Regex;

use crate::project::{self, Text};

const LIST: &str = "docs/internals/words.md";
const LIST_HEADING: &str = "## Words that are not used";

/// What is searched.
const SEARCHED: [&str; 17] = [
    "cli",
    "functions",
    "shared",
    "tests",
    "infra",
    "docs",
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "template.yaml",
    "justfile",
    ".cargo",
    ".ci",
    "Cargo.toml",
    "clippy.toml",
    "deny.toml",
    "rustfmt.toml",
];

/// Data that was copied from others.
const COPIED: [&str; 2] = ["tests/conformance/fixture.json", "tests/events/foreign/"];

/// Each use of such a word, as `file:line: word`.
pub(crate) fn hits() -> Vec<String> {
    let patterns = patterns();

    let mut hits = Vec::new();
    for text in project::texts(&SEARCHED) {
        if COPIED.iter().any(|copied| text.name.starts_with(copied)) {
            continue;
        }
        for (index, line) in searched(&text).lines().enumerate() {
            // To the expressions a `_` is not the boundary of a word.
            let words = line.replace('_', " ");
            for found in patterns.iter().filter_map(|pattern| pattern.find(&words)) {
                hits.push(format!("{}:{}: {}", text.name, index + 1, found.as_str()));
            }
        }
    }
    hits
}

/// The list itself is not searched; it is at the end of its page.
fn searched(text: &Text) -> &str {
    match text.text.split_once(LIST_HEADING) {
        Some((before, _)) if text.name == LIST => before,
        _ => &text.text,
    }
}

/// One regular expression a line, in the block marked `regex`.
fn patterns() -> Vec<Regex> {
    let page = project::read(LIST);
    let block = page
        .split("```regex\n")
        .nth(1)
        .expect("a block of expressions");
    let block = block.split("```").next().expect("the end of the block");

    block
        .lines()
        .map(|line| Regex::new(&format!("(?i){line}")).unwrap_or_else(|e| panic!("`{line}`: {e}")))
        .collect()
}
