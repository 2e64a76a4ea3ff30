//! A value on one line where it fits, and else a member a line. A long value that comes again is
//! referred to.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

const WIDTH: usize = 190;

/// From how many characters on a value that comes again is only referred to.
const LONG: usize = 200;

/// Long values by their text: how often they come, and the label of those that were written out and
/// come again.
#[derive(Default)]
pub(crate) struct Long(BTreeMap<String, (usize, Option<String>)>);

impl Long {
    /// Takes notice of a value that is going to be written.
    pub(crate) fn expect(&mut self, value: &Value) {
        for (name, member) in members(value) {
            let text = inline(member);

            // Elements of lists have no name to refer to; their members have.
            if name.is_some() && text.len() >= LONG {
                let (count, _) = self.0.entry(text).or_default();
                *count += 1;
                if *count > 1 {
                    continue;
                }
            }
            self.expect(member);
        }
    }

    /// The value with labels and references.
    pub(crate) fn labelled(&mut self, value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(|item| self.labelled(item)).collect(),
            Value::Object(members) => {
                let mut shown = Map::new();
                for (name, member) in members {
                    let (name, member) = self.member(name, member);
                    shown.insert(name, member);
                }
                Value::Object(shown)
            }
            scalar => scalar.clone(),
        }
    }

    fn member(&mut self, name: &str, value: &Value) -> (String, Value) {
        let labels = self.0.values().filter(|(_, label)| label.is_some()).count();
        match self.0.get_mut(&inline(value)) {
            Some((_, Some(label))) => (name.to_owned(), json!(format!("<as in {label}>"))),
            Some((count, label @ None)) if *count > 1 => {
                let shown = format!("{name} #{}", labels + 1);
                *label = Some(shown.clone());
                (shown, self.labelled(value))
            }
            _ => (name.to_owned(), self.labelled(value)),
        }
    }
}

fn members(value: &Value) -> Vec<(Option<&str>, &Value)> {
    match value {
        Value::Array(items) => items.iter().map(|item| (None, item)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (Some(name.as_str()), value))
            .collect(),
        _ => Vec::new(),
    }
}

/// A line for `head` and the value, or several, each as deep as `indent` at least.
pub(crate) fn lay(lines: &mut Vec<String>, indent: usize, head: &str, value: &Value) {
    let space = "  ".repeat(indent);
    let line = format!("{space}{head}{}", inline(value));
    let scalar = !matches!(value, Value::Object(_) | Value::Array(_));
    if scalar || line.chars().count() <= WIDTH {
        return lines.push(line);
    }

    lines.push(format!("{space}{}", head.trim_end()));
    match value {
        Value::Array(items) => items
            .iter()
            .for_each(|item| lay(lines, indent + 1, "- ", item)),
        Value::Object(members) => {
            members
                .iter()
                .for_each(|(name, value)| lay(lines, indent + 1, &format!("{name}: "), value));
        }
        _ => {}
    }
}

pub(crate) fn inline(value: &Value) -> String {
    match value {
        Value::Array(items) => format!(
            "[{}]",
            items.iter().map(inline).collect::<Vec<_>>().join(", ")
        ),
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, value)| format!("{name}: {}", inline(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        scalar => scalar.to_string(),
    }
}
