//! The parameters of a CloudFormation template, from its section `Parameters`.
//!
//! It reads the form in which this project's templates are written: two spaces a level, one
//! attribute a line, long texts folded with `>-`, lists in brackets.

use std::collections::BTreeMap;

use crate::markdown::{cell, table};
use crate::project;

/// More words than these are not listed.
const LISTED_WORDS: usize = 8;

/// A parameter: its name and its attributes as text.
pub(crate) type Parameter = (String, BTreeMap<String, String>);

pub(super) fn table_of(path: &str) -> String {
    let rows: Vec<Vec<String>> = parameters(&project::read(path))
        .iter()
        .map(|(name, attributes)| {
            let described = attributes.get("Description");
            let described = described.unwrap_or_else(|| panic!("{path}: {name} is not described"));

            vec![
                format!("`{name}`"),
                default(attributes),
                values(attributes),
                cell(described),
            ]
        })
        .collect();
    assert!(!rows.is_empty(), "{path} has no parameters");

    table(&["parameter", "default", "values", "meaning"], &rows)
}

/// The parameters of a template, in its order.
pub(crate) fn parameters(template: &str) -> Vec<Parameter> {
    let section = template
        .lines()
        .skip_while(|line| *line != "Parameters:")
        .skip(1)
        .take_while(|line| line.is_empty() || line.starts_with(' '));

    let mut parameters: Vec<Parameter> = Vec::new();
    let mut attribute = String::new();
    for line in section {
        let text = line.trim();
        let indent = line.len() - line.trim_start().len();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        if indent == 2 {
            let name = text.trim_end_matches(':').to_owned();
            parameters.push((name, BTreeMap::new()));
            continue;
        }

        let (_, attributes) = parameters.last_mut().expect("a parameter");
        match text.split_once(':').filter(|_| indent == 4) {
            Some((name, value)) => {
                attribute = name.to_owned();
                let value = value.trim().trim_start_matches(">-");
                attributes.insert(attribute.clone(), unquoted(value));
            }
            None => {
                let folded = attributes.get_mut(&attribute).expect("an attribute");
                *folded = format!("{folded} {text}").trim().to_owned();
            }
        }
    }
    parameters
}

fn unquoted(value: &str) -> String {
    let inside = value
        .strip_prefix('\'')
        .and_then(|value| value.strip_suffix('\''));
    inside.unwrap_or(value).to_owned()
}

fn default(attributes: &BTreeMap<String, String>) -> String {
    match attributes.get("Default").map(String::as_str) {
        None => "required".to_owned(),
        Some("") => "empty".to_owned(),
        Some(value) => format!("`{value}`"),
    }
}

fn values(attributes: &BTreeMap<String, String>) -> String {
    let get = |name: &str| attributes.get(name).map(String::as_str);
    if let Some(words) = get("AllowedValues") {
        let words = words.trim_matches(['[', ']']);
        let words: Vec<String> = words
            .split(", ")
            .map(|word| format!("`{}`", unquoted(word)))
            .collect();
        if words.len() > LISTED_WORDS {
            return format!("{} … {}", words[0], words[words.len() - 1]);
        }
        return words.join(", ");
    }
    if let Some(described) = get("ConstraintDescription") {
        return cell(described);
    }

    match (get("MinValue"), get("MaxValue")) {
        (Some(least), Some(most)) => format!("{least} to {most}"),
        (Some(least), None) => format!("{least} or more"),
        _ => String::new(),
    }
}
