//! The settings of the judge: the rows of `settings!`, each with name, default, bounds and meaning.

use regex_lite::Regex;

use crate::markdown::{cell, table as rows_of};
use crate::project;

const FILE: &str = "shared/src/judge/canary/config.rs";

pub(super) fn table() -> String {
    let text = project::read(FILE);
    let declared = text.split("\nsettings! {").nth(1);
    let declared = declared.unwrap_or_else(|| panic!("{FILE} has no `settings!`"));
    let declared = declared.split("\n}").next().unwrap_or_default();

    let setting =
        Regex::new(r#"(\w+): (\w+) = ([0-9._e-]+), (\S+|within\(\S+ \S+\)),\s+"([^"]+)";"#)
            .expect("a valid expression");
    let rows: Vec<Vec<String>> = setting
        .captures_iter(declared)
        .map(|found| {
            vec![
                format!("`{}`", &found[1]),
                decimal(&found[3]),
                values(&found[2], &found[4]),
                cell(&found[5]),
            ]
        })
        .collect();
    assert_eq!(rows.len(), declared.matches(';').count(), "{FILE}");

    rows_of(&["setting", "default", "values", "meaning"], &rows)
}

/// The values that a setting of this type takes, as it is read.
fn values(kind: &str, read: &str) -> String {
    let bounds = read
        .strip_prefix("within(")
        .and_then(|bounds| bounds.strip_suffix(')')?.split_once(", "));
    match bounds {
        Some((least, most)) => format!("{} to {}", decimal(least), decimal(most)),
        None if kind.starts_with('u') => "whole number".to_owned(),
        None => panic!("{FILE}: no bounds in `{read}`"),
    }
}

/// A number of Rust as text has it.
fn decimal(number: &str) -> String {
    let number: f64 = number.replace('_', "").parse().expect("a number");
    if number != 0.0 && number < 1e-5 {
        format!("{number:e}")
    } else {
        number.to_string()
    }
}
