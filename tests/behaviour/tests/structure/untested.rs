//! Targets that `cargo test` leaves out, as each one that it builds takes a second or more: a test
//! in one of them would never run.

use crate::source::{Source, files};

/// What a manifest states of targets that have no tests.
const UNTESTED: &str = "test = false";

/// The sources whose tests do not run, and those with examples in their documentation.
pub(crate) fn tests_that_never_run(all: &[&Source]) -> Vec<String> {
    let examples = all.iter().filter(|source| has_example(&source.text));
    let examples = examples.map(|source| format!("{} has an example that is not run", source.name));
    let mut findings: Vec<String> = examples.collect();

    let manifests = ["cli", "functions", "shared", "tests"].map(|folder| files(folder, "toml"));
    for (name, manifest) in manifests.iter().flatten() {
        let Some(package) = name.strip_suffix("Cargo.toml") else {
            continue;
        };
        for untested in untested_in(package, manifest) {
            let own = all.iter().filter(|it| it.name.starts_with(&untested));
            let tests = own.filter(|it| it.code.contains("#[test]") || it.code.contains("::test"));
            findings.extend(tests.map(|source| format!("{} has a test", source.name)));
        }
    }
    findings
}

/// How the names of the sources of its targets without tests begin.
fn untested_in(package: &str, manifest: &str) -> Vec<String> {
    let sections = manifest.split("\n[");
    let untested = sections.filter(|section| section.lines().any(|line| line == UNTESTED));
    untested
        .map(|section| match section.split_once(']') {
            Some(("lib", _)) => format!("{package}src/"),
            _ => format!("{package}src/main.rs"),
        })
        .collect()
}

/// Whether a comment of a documentation has a block of code.
fn has_example(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim_start);
    lines.any(|line| (line.starts_with("///") || line.starts_with("//!")) && line.contains("```"))
}

#[test]
fn the_sources_of_a_target_without_tests_are_its_own() {
    let manifest = "[package]\nname = \"a\"\n\n[lib]\ndoctest = false\n\n[[bin]]\ntest = false\n";
    assert_eq!(untested_in("a/", manifest), ["a/src/main.rs"]);
    let manifest = "[package]\nname = \"a\"\n\n[lib]\ndoctest = false\ntest = false\n\n[lints]\n";
    assert_eq!(untested_in("a/", manifest), ["a/src/"]);
}
