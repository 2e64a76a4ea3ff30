//! The settings of the judge: fields and comments of `JudgeConfig`, its defaults, and the bounds
//! with which it is read.

use std::collections::BTreeMap;

use regex_lite::Regex;

use crate::markdown::{cell, table as rows_of};
use crate::project;

pub(super) fn table() -> String {
    let text = project::read("shared/src/judge/config.rs");
    let fields = between(&text, "pub struct JudgeConfig {", "\n}");
    let defaults = defaults(between(&text, "impl Default for JudgeConfig {", "\n}"));
    let bounds = bounds(&text);

    let (mut rows, mut comment) = (Vec::new(), String::new());
    for line in fields.lines().map(str::trim) {
        if let Some(more) = line.strip_prefix("///") {
            comment += more;
        } else if let Some((name, kind)) = line
            .strip_prefix("pub ")
            .and_then(|field| field.trim_end_matches(',').split_once(": "))
        {
            let values = match bounds.get(name) {
                Some((least, most)) => format!("{least} to {most}"),
                None if kind.starts_with('u') => "whole number".to_owned(),
                None => panic!("`{name}`: no bounds found in shared/src/judge/config.rs"),
            };
            let default = &defaults[name];
            rows.push(vec![
                format!("`{name}`"),
                default.clone(),
                values,
                cell(&std::mem::take(&mut comment)),
            ]);
        }
    }

    rows_of(&["setting", "default", "values", "meaning"], &rows)
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let rest = text.split(start).nth(1);
    let rest = rest.unwrap_or_else(|| panic!("shared/src/judge/config.rs has no `{start}`"));
    rest.split(end).next().unwrap_or_default()
}

fn defaults(text: &str) -> BTreeMap<String, String> {
    let default = Regex::new(r"(?m)^\s*(\w+): ([0-9._e-]+),$").expect("a valid expression");
    default
        .captures_iter(text)
        .map(|found| (found[1].to_owned(), decimal(&found[2])))
        .collect()
}

/// The bounds of each number, as `JudgeConfig::read` has them.
fn bounds(text: &str) -> BTreeMap<String, (String, String)> {
    let bound =
        Regex::new(r#"between\(\s*"(\w+)",\s*default\.\w+,\s*([0-9._e-]+),\s*([0-9._e-]+),?\s*\)"#)
            .expect("a valid expression");
    bound
        .captures_iter(text)
        .map(|found| {
            (
                found[1].to_owned(),
                (decimal(&found[2]), decimal(&found[3])),
            )
        })
        .collect()
}

/// A number of Rust as people write it.
fn decimal(number: &str) -> String {
    let number: f64 = number.replace('_', "").parse().expect("a number");
    if number != 0.0 && number < 1e-5 {
        format!("{number:e}")
    } else {
        number.to_string()
    }
}
