//! The named limits, from the constants in shared/src/limits.rs and below it, and their comments.

use crate::markdown::{cell, table as rows_of};
use crate::project;

pub(super) fn table() -> String {
    let files = ["codepipeline", "http_check", "pushes", "retirement"]
        .map(|name| format!("limits/{name}.rs"));
    let text: String = files
        .into_iter()
        .chain(["limits.rs".to_owned()])
        .map(|file| project::read(&format!("shared/src/{file}")))
        .collect();

    let (mut rows, mut comment) = (Vec::new(), String::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(more) = line.strip_prefix("///") {
            comment += more;
            continue;
        }

        if let Some(constant) = line.strip_prefix("pub const ") {
            let mut constant = constant.to_owned();
            while !constant.ends_with(';') {
                constant += lines.next().expect("the end of a constant");
            }

            let (name, rest) = constant.split_once(": ").expect("a name and a type");
            let (kind, value) = rest.split_once('=').expect("a type and a value");
            rows.push(vec![
                format!("`{name}`"),
                shown(kind.trim(), value.trim_end_matches(';').trim()),
                cell(&comment),
            ]);
        }
        comment.clear();
    }

    rows_of(&["name", "value", "meaning and source"], &rows)
}

/// A value for a reader; an expression that is more than arithmetic stays as it is.
fn shown(kind: &str, value: &str) -> String {
    let inside = value
        .strip_prefix("Duration::from_secs(")
        .and_then(|value| value.strip_suffix(')'));
    match (kind, inside.map(sum), sum(value)) {
        ("Duration", Some(Some(seconds)), _) => duration(seconds),
        (_, None, Some(number)) => thousands(number),
        _ => format!("`{value}`"),
    }
}

fn sum(text: &str) -> Option<u64> {
    text.split('+').map(product).sum()
}

fn product(text: &str) -> Option<u64> {
    if let Some((number, bits)) = text.split_once("<<") {
        return Some(number_of(number)? << number_of(bits)?);
    }
    text.split('*').map(number_of).product()
}

fn number_of(text: &str) -> Option<u64> {
    text.trim().replace('_', "").parse().ok()
}

fn duration(seconds: u64) -> String {
    let parts = [
        (seconds / 3600, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let shown: Vec<String> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, unit)| format!("{number} {unit}"))
        .collect();
    shown.join(" ")
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
