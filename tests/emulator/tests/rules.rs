//! RULES.md against the code: every modelled rule of AWS has a source and a test that is there.

use std::path::{Path, PathBuf};

/// A row of RULES.md.
struct RuleRow<'a> {
    line: usize,
    text: &'a str,
    source: &'a str,
    tests: Vec<&'a str>,
}

fn rules(text: &str) -> Vec<RuleRow<'_>> {
    let rows = text
        .lines()
        .enumerate()
        .filter(|(_, line)| line.starts_with("| ") && !line.starts_with("| ---"));
    let cells = rows.map(|(number, line)| {
        (
            number + 1,
            line.trim_matches('|')
                .split(" | ")
                .map(str::trim)
                .collect::<Vec<_>>(),
        )
    });
    let rules = cells
        .filter(|(_, cells)| !cells[0].eq_ignore_ascii_case("rule"))
        .map(|(line, cells)| {
            assert_eq!(
                cells.len(),
                3,
                "RULES.md:{line}: a row is rule, source, test"
            );

            let tests = cells[2]
                .split(',')
                .map(|test| test.trim().trim_matches('`'))
                .collect();
            RuleRow {
                line,
                text: cells[0],
                source: cells[1],
                tests,
            }
        });
    rules.collect()
}

/// Every test function: `module::path::name` of the emulator's own,
/// `tests/<package>/…/file.rs::name` of those that use it.
fn known_tests() -> Vec<String> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = package.join("src");
    let mut known: Vec<String> = files(&source)
        .iter()
        .flat_map(|path| tests_of(&source, path))
        .collect();

    let root = package.join("../..");
    for path in files(&root.join("tests")) {
        let file = path.strip_prefix(&root).expect("below the root").display();
        known.extend(
            names(&path)
                .into_iter()
                .map(|name| format!("{file}::{name}")),
        );
    }

    known
}

/// The Rust files of a folder and of those in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());

    paths
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

fn tests_of(source: &Path, path: &Path) -> Vec<String> {
    let module = path
        .strip_prefix(source)
        .expect("below src")
        .with_extension("");
    let mut module: Vec<String> = module
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }

    let text = std::fs::read_to_string(path).expect("a text file");
    if text.contains("mod tests {") {
        module.push("tests".to_owned());
    }

    names(path)
        .into_iter()
        .map(|name| format!("{}::{name}", module.join("::")))
        .collect()
}

/// The names of a file's test functions.
fn names(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).expect("a text file");
    let after_mark = text
        .split("#[test]")
        .skip(1)
        .chain(text.split("#[tokio::test").skip(1));

    after_mark
        .filter_map(|rest| {
            rest.split("fn ")
                .nth(1)?
                .split('(')
                .next()
                .map(str::to_owned)
        })
        .collect()
}

#[test]
fn every_rule_has_a_source_and_a_test() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("RULES.md");
    let text = std::fs::read_to_string(path).expect("RULES.md");
    let (rules, known) = (rules(&text), known_tests());

    assert!(rules.len() > 100, "only {} rules were read", rules.len());

    let mut wrong = Vec::new();
    for rule in &rules {
        if !rule.source.contains("https://") && !rule.source.starts_with("unconfirmed") {
            wrong.push(format!(
                "RULES.md:{}: `{}` has no source",
                rule.line, rule.text
            ));
        }
        for test in &rule.tests {
            if !known.iter().any(|known| known == test) {
                wrong.push(format!(
                    "RULES.md:{}: `{}` names the test `{test}`, which is not there",
                    rule.line, rule.text
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
