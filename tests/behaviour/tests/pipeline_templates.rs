//! The templates in infra/pipelines/, and infra/deploy-role.yaml, are what the parts in the folder
//! infra/pipelines/parts/ make. Each template has a part of its name, which includes those that it
//! shares with others.
//!
//! A line `#include <part> | <name>: <value>`, with as many values as the part has places, is
//! replaced by the lines of that part, as deep as the line itself and with each value in the place
//! of `<<name>>`. Lines that begin with `##` are for those who change the parts, and are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

const INCLUDE: &str = "#include ";
const NOTE: &str = "## ";
/// The template without a pipeline, which is in infra/ itself.
const ROLE_ALONE: &str = "deploy-role.yaml";
/// The parts of which a value names one.
const CHOSEN: &str = "deploy-role/arns-";
/// A part has fewer lines.
const TOO_LONG: usize = 300;
/// This many lines in a row are written once.
const REPEATED: usize = 6;

/// The texts of the parts, by their paths below parts/.
type Parts = BTreeMap<String, String>;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../infra/pipelines")
}

/// The file of a template.
fn file(name: &str) -> PathBuf {
    let below = if name == ROLE_ALONE { ".." } else { "." };
    folder().join(below).join(name)
}

fn parts() -> Parts {
    let top = folder().join("parts");
    let mut parts = Parts::new();
    let mut open = vec![top.clone()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of parts") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let name = path.strip_prefix(&top).expect("below parts/");
            let text = std::fs::read_to_string(&path).expect("a text");
            parts.insert(name.display().to_string(), text);
        }
    }
    parts
}

/// The names of the templates that have a part.
fn named(parts: &Parts) -> BTreeSet<&str> {
    let files = parts.keys().map(String::as_str);
    files.filter(|name| !name.contains('/')).collect()
}

fn template(parts: &Parts, name: &str) -> Result<String, String> {
    let made = made(parts, name, &[])?;
    let origin = if name == ROLE_ALONE {
        "pipelines/parts"
    } else {
        "parts"
    };
    Ok(format!(
        "# Generated from {origin}/{name}, see docs/internals/contributing.md. Do not edit.\n{made}"
    ))
}

/// The lines of a part with these values, and with the parts that it includes.
fn made(parts: &Parts, name: &str, values: &[(&str, &str)]) -> Result<String, String> {
    let text = parts.get(name);
    let mut text = text.ok_or_else(|| format!("no part {name}"))?.clone();
    for (key, value) in values {
        let place = format!("<<{key}>>");
        if !text.contains(&place) {
            return Err(format!("{name} has no {place}"));
        }
        text = text.replace(&place, value);
    }
    if let Some(line) = text.lines().find(|line| line.contains("<<")) {
        return Err(format!("{name} has no value for {}", line.trim()));
    }

    let mut made = String::new();
    for line in text.lines() {
        let inside = line.trim_start();
        if let Some(included) = inside.strip_prefix(INCLUDE) {
            let depth = &line[..line.len() - inside.len()];
            for below in include(parts, included)?.lines() {
                made.push_str(if below.is_empty() { "" } else { depth });
                made.push_str(below);
                made.push('\n');
            }
        } else if !inside.starts_with(NOTE) {
            made.push_str(line);
            made.push('\n');
        }
    }
    Ok(made)
}

/// What a line includes.
fn include(parts: &Parts, line: &str) -> Result<String, String> {
    let mut words = line.split(" | ");
    let name = words.next().unwrap_or_default();
    let values: Option<Vec<_>> = words.map(|word| word.split_once(": ")).collect();
    let values = values.ok_or_else(|| format!("expected <name>: <value>, found {line}"))?;
    made(parts, name, &values)
}

#[test]
fn each_template_is_what_its_parts_make() {
    let parts = parts();
    let mut differing = Vec::new();
    for name in named(&parts) {
        let path = file(name);
        let wanted = template(&parts, name).unwrap_or_else(|problem| panic!("{problem}"));
        let found = std::fs::read_to_string(&path).unwrap_or_default();

        if std::env::var_os("SLIPWAY_WRITE_TEMPLATES").is_some() {
            std::fs::write(&path, &wanted).expect("infra/ can be written");
        }
        if found != wanted {
            differing.push(format!("{name}:{}", difference(&found, &wanted)));
        }
    }
    assert!(
        differing.is_empty(),
        "templates differ from their parts:\n{}\nwrite them: SLIPWAY_WRITE_TEMPLATES=1 cargo test \
         -p behaviour --test pipeline_templates",
        differing.join("\n")
    );
}

/// The number of the first line in which a template differs from what its parts make, with both.
fn difference(found: &str, wanted: &str) -> String {
    let [found, wanted] = [found, wanted].map(|text| text.lines().collect::<Vec<_>>());
    let pairs = found.iter().zip(&wanted);
    let same = pairs.take_while(|(one, other)| one == other).count();
    let line = |lines: &[&str]| {
        lines
            .get(same)
            .copied()
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    format!(
        "{}: found `{}`; its parts make `{}`",
        same + 1,
        line(&found),
        line(&wanted)
    )
}

#[test]
fn the_first_line_that_differs_from_what_the_parts_make_is_named() {
    let wanted = "a:\n  - b\n  - c\n";
    for (found, named) in [
        ("a:\n  - c\n", "2: found `- c`; its parts make `- b`"),
        (
            "a:\n  - b\n  - [c, d]\n",
            "3: found `- [c, d]`; its parts make `- c`",
        ),
        ("a:\n  - b\n", "3: found ``; its parts make `- c`"),
        (
            "a:\n  - b\n  - c\n  - d\n",
            "4: found `- d`; its parts make ``",
        ),
    ] {
        assert_eq!(difference(found, wanted), named);
    }
}

#[test]
fn each_template_has_a_part_and_each_other_part_is_included() {
    let parts = parts();
    let mut templates = BTreeSet::new();
    for entry in std::fs::read_dir(folder()).expect("infra/pipelines/") {
        let path = PathBuf::from(entry.expect("a readable entry").file_name());
        if path.extension().is_some_and(|ending| ending == "yaml") {
            templates.insert(path.display().to_string());
        }
    }
    let mut templates: BTreeSet<&str> = templates.iter().map(String::as_str).collect();
    templates.insert(ROLE_ALONE);
    assert_eq!(named(&parts), templates);

    let lines = parts.values().flat_map(|text| text.lines());
    let included: BTreeSet<&str> = lines
        .filter_map(|line| line.trim_start().strip_prefix(INCLUDE))
        .filter_map(|line| line.split(" | ").next())
        .collect();
    for name in parts.keys().filter(|name| name.contains('/')) {
        let is_included = included.contains(name.as_str()) || name.starts_with(CHOSEN);
        assert!(is_included, "no part includes {name}");
    }
}

#[test]
fn parts_are_short_and_what_templates_share_is_written_once() {
    let parts = parts();
    let mut known: BTreeMap<Vec<&str>, String> = BTreeMap::new();
    for (name, text) in &parts {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        assert!(lines.len() < TOO_LONG, "{name} has {} lines", lines.len());

        for (index, lines) in lines.windows(REPEATED).enumerate() {
            let is_own = |line: &&str| !line.is_empty() && !line.starts_with(INCLUDE);
            if !lines.iter().all(is_own) {
                continue;
            }
            let at = format!("{name}:{}", index + 1);
            if let Some(first) = known.insert(lines.to_vec(), at.clone()) {
                panic!("{REPEATED} lines from {at} on are those of {first}");
            }
        }
    }
}

#[test]
fn a_part_is_included_as_deep_as_its_line_and_with_its_values() {
    let parts: Parts = [
        (
            "one",
            "a:\n  ## A note.\n  # A comment.\n  #include two | of: b c | to: d\nz: 1\n",
        ),
        ("two", "<<of>>:\n\n  e: <<to>>\n"),
        ("lacks", "#include two | of: b\n"),
        ("more", "#include two | of: b | to: c | by: d\n"),
        ("unknown", "#include three\n"),
        ("bare", "#include two | of\n"),
    ]
    .map(|(name, text)| (name.to_owned(), text.to_owned()))
    .into();

    let expected = "a:\n  # A comment.\n  b c:\n\n    e: d\nz: 1\n";
    assert_eq!(made(&parts, "one", &[]), Ok(expected.to_owned()));
    for (name, problem) in [
        ("lacks", "two has no value for e: <<to>>"),
        ("more", "two has no <<by>>"),
        ("unknown", "no part three"),
        ("bare", "expected <name>: <value>, found two | of"),
    ] {
        assert_eq!(made(&parts, name, &[]), Err(problem.to_owned()), "{name}");
    }
}
