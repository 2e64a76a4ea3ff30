//! RULES.md against the code: every modelled rule of AWS has a source and a test that is there.

use std::path::Path;

/// A row of RULES.md.
struct Rule<'a> {
    line: usize,
    text: &'a str,
    source: &'a str,
    tests: Vec<&'a str>,
}

fn rules(text: &str) -> Vec<Rule<'_>> {
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
            Rule {
                line,
                text: cells[0],
                source: cells[1],
                tests,
            }
        });
    rules.collect()
}

/// Every test function of the sandbox as `module::path::name`, or `tests/file.rs::name`.
fn known_tests() -> Vec<String> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = package.join("src");
    let (mut known, mut folders) = (Vec::new(), vec![source.clone()]);
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
        {
            match path.is_dir() {
                true => folders.push(path),
                false => known.extend(tests_of(&source, &path)),
            }
        }
    }
    for path in std::fs::read_dir(package.join("tests"))
        .expect("tests/")
        .map(|entry| entry.expect("an entry").path())
    {
        if path.is_file() {
            let file = path
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            known.extend(
                names(&path)
                    .into_iter()
                    .map(|name| format!("tests/{file}::{name}")),
            );
        }
    }
    known
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
    if std::fs::read_to_string(path)
        .expect("a text file")
        .contains("mod tests {")
    {
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
