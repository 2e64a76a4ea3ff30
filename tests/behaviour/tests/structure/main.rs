//! The structure of the sources: no import circles between files or folders, small files and
//! functions, those of Python too, paragraphs within lines of 100 columns, and no test that never
//! runs. All findings are listed in one failure.
//!
//! Reads the sources as text: it never depends on what they do.

mod builds;
mod imports;
mod modules;
mod python;
mod source;
mod untested;

use std::collections::BTreeSet;

use source::{Function, Source, files, functions_of, sources};

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 50;
const COLUMNS: usize = 100;

/// Least share of blank lines inside functions, in percent.
const BLANK_PERCENT: f64 = 4.0;

/// Largest share of lines over `COLUMNS`, in percent.
const WIDE_PERCENT: f64 = 0.5;

#[test]
fn the_sources_keep_their_structure() {
    let library = sources("shared/src");
    let functions = sources("functions");
    let cli = sources("cli");
    let tests = sources("tests");
    let product: Vec<_> = library.iter().chain(&functions).chain(&cli).collect();
    let all: Vec<_> = product.iter().copied().chain(&tests).collect();

    let mut findings = imports::circles(&library);
    findings.extend(all.iter().filter_map(|it| long_file(&it.name, &it.text)));
    findings.extend(
        all.iter()
            .filter(|source| !is_reached(source, &all))
            .map(|source| format!("{} is not a module of any crate", source.name)),
    );
    findings.extend(
        all.iter()
            .flat_map(|source| long_functions(&source.name, &functions_of(&source.code))),
    );
    findings.extend(
        ["docs", "tests"]
            .iter()
            .flat_map(|folder| long_python(folder)),
    );
    findings.extend(untested::tests_that_never_run(&all));
    findings.extend(few_blank_lines(&product));
    findings.extend(wide_lines("shared/src, functions and cli", &product));
    findings.extend(wide_lines("tests", &tests.iter().collect::<Vec<_>>()));

    let count = findings.len();
    assert!(
        findings.is_empty(),
        "{count} findings:\n{}",
        findings.join("\n")
    );
}

fn long_file(name: &str, text: &str) -> Option<String> {
    let lines = text.lines().count();
    (lines > FILE_LINES).then(|| format!("{name} has {lines} lines; expected at most {FILE_LINES}"))
}

/// The Python files below a folder that are long, or have long functions.
fn long_python(folder: &str) -> Vec<String> {
    files(folder, "py")
        .iter()
        .flat_map(|(name, text)| {
            let functions = long_functions(name, &python::functions_of(text));
            long_file(name, text).into_iter().chain(functions)
        })
        .collect()
}

/// Whether a crate compiles the file: it is the root of one, or another file declares it.
fn is_reached(source: &Source, all: &[&Source]) -> bool {
    let (folder, file) = source.name.rsplit_once('/').unwrap_or(("", &source.name));
    let stem = file.trim_end_matches(".rs");
    let is_root = matches!(stem, "main" | "lib" | "build")
        || folder.ends_with("/tests") && folder.matches('/').count() < 3
        || folder.ends_with("/examples");
    if is_root {
        return true;
    }

    // `mod.rs` is declared by its folder's name, one folder up.
    let (folder, module) = if stem == "mod" {
        folder.rsplit_once('/').unwrap_or(("", folder))
    } else {
        (folder, stem)
    };
    let parents = ["/main.rs", "/lib.rs", "/mod.rs", ".rs"].map(|end| format!("{folder}{end}"));
    all.iter()
        .filter(|parent| parents.contains(&parent.name))
        .any(|parent| parent.code.contains(&format!("mod {module};")))
}

fn long_functions(file: &str, functions: &[Function]) -> Vec<String> {
    functions
        .iter()
        .map(|function| (function, function.last - function.first + 1))
        .filter(|(_, lines)| *lines > FUNCTION_LINES)
        .map(|(function, lines)| {
            format!(
                "{file}:{}: {} has {lines} lines; expected at most {FUNCTION_LINES}",
                function.first, function.name
            )
        })
        .collect()
}

fn few_blank_lines(sources: &[&Source]) -> Option<String> {
    let (mut blank, mut all) = (0, 0);
    for source in sources {
        let lines: Vec<_> = source.text.lines().collect();
        let inside: BTreeSet<usize> = functions_of(&source.code)
            .iter()
            .flat_map(|function| function.first..function.last.saturating_sub(1))
            .collect();
        all += inside.len();
        blank += inside
            .iter()
            .filter(|line| lines[**line].trim().is_empty())
            .count();
    }

    let percent = share(blank, all);
    (percent < BLANK_PERCENT).then(|| {
        format!("{percent:.1} % of lines in functions are blank; expected at least {BLANK_PERCENT}")
    })
}

fn wide_lines(place: &str, sources: &[&Source]) -> Option<String> {
    let lines = || sources.iter().flat_map(|source| source.text.lines());
    let wide = lines()
        .filter(|line| line.chars().count() > COLUMNS)
        .count();

    let percent = share(wide, lines().count());
    (percent > WIDE_PERCENT).then(|| {
        format!(
            "{percent:.1} % of lines in {place} exceed {COLUMNS} columns; expected at most \
            {WIDE_PERCENT}"
        )
    })
}

fn share(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole as f64
}
