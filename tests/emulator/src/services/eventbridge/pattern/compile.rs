//! From the text of a pattern to its alternatives.

use serde_json::Value;

use super::expression;
use super::json::{Reader, Token};
use super::value::Matcher;
use super::wildcard::{self, Wildcard};
use super::{Demands, Refusal};

const OR: &str = "$or";

/// The most rule combinations of a pattern: the product of the lengths of all lists of `$or`.
const COMBINATIONS: usize = 1000;

/// Names that cannot be those of fields inside `$or`.
const RESERVED: [&str; 23] = [
    "exactly",
    "equals-ignore-case",
    "prefix",
    "suffix",
    "anything-but",
    "exists",
    "wildcard",
    "numeric",
    "cidr",
    "=",
    "<",
    "<=",
    ">",
    ">=",
    "regex",
    "not-wildcard",
    "not-equals-ignore-case",
    "date-after",
    "date-on-or-after",
    "date-before",
    "date-on-or-before",
    "in-date-range",
    "ip-address-in-range",
];

pub(super) fn compile(text: &str) -> Result<Vec<Demands>, Refusal> {
    let pattern = serde_json::from_str(text).unwrap_or_default();
    if combinations(&pattern) > COMBINATIONS {
        return Err(too_many_combinations());
    }

    let mut reader = Reader::new(text);
    if reader.token()? != Some(Token::StartObject) {
        return Err(reader.refusal("Filter is not an object"));
    }
    let mut alternatives = Vec::new();
    object(&mut reader, "", false, &mut alternatives)?;
    check_complexity(&alternatives)?;
    Ok(alternatives)
}

fn combinations(value: &Value) -> usize {
    match value {
        Value::Object(members) => {
            let counts = members.iter().map(|(name, value)| {
                let choices = value.as_array().filter(|_| name == OR);
                let own = choices.map_or(1, |choices| choices.len().max(1));
                own.saturating_mul(combinations(value))
            });
            counts.fold(1, usize::saturating_mul)
        }
        Value::Array(items) => items
            .iter()
            .map(combinations)
            .fold(1, usize::saturating_mul),
        _ => 1,
    }
}

fn too_many_combinations() -> Refusal {
    Refusal(format!(
        "Rule is too complex - {OR} results in over {COMBINATIONS} rule combinations"
    ))
}

/// Adds what an object demands to every alternative.
fn object(
    reader: &mut Reader,
    path: &str,
    in_or: bool,
    alternatives: &mut Vec<Demands>,
) -> Result<(), Refusal> {
    let mut empty = true;
    while let Some(Token::Name(name)) = reader.token()? {
        empty = false;
        if name == OR {
            or(reader, path, alternatives)?;
            continue;
        }
        if in_or && (RESERVED.contains(&name.as_str()) || name == "ip-address-not-in-range") {
            return Err(reader.refusal(format!(
                "{name} is Ruler reserved fieldName which cannot be used inside {OR}."
            )));
        }

        let below = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        match reader.token()? {
            Some(Token::StartObject) => object(reader, &below, in_or, alternatives)?,
            Some(Token::StartArray) => demand(alternatives, &below, choices(reader)?),
            _ => {
                let reason = format!("\"{name}\" must be an object or an array");
                return Err(reader.refusal(reason));
            }
        }
    }
    if empty {
        return Err(reader.refusal("Empty objects are not allowed"));
    }
    Ok(())
}

/// A path that is named again is demanded as it was named last.
fn demand(alternatives: &mut Vec<Demands>, path: &str, matchers: Vec<Matcher>) {
    if alternatives.is_empty() {
        alternatives.push(Demands::new());
    }
    for demands in alternatives {
        demands.insert(path.to_owned(), matchers.clone());
    }
}

/// Multiplies the alternatives by the objects of a `$or`.
fn or(reader: &mut Reader, path: &str, alternatives: &mut Vec<Demands>) -> Result<(), Refusal> {
    let before = std::mem::take(alternatives);
    if reader.token()? != Some(Token::StartArray) {
        return Err(reader.refusal(format!("It must be an Array followed with {OR}.")));
    }

    let mut objects = 0;
    loop {
        match reader.token()? {
            Some(Token::EndArray) => break,
            Some(Token::StartObject) => {
                let mut own = before.clone();
                if own.is_empty() {
                    own.push(Demands::new());
                }
                object(reader, path, true, &mut own)?;
                alternatives.extend(own);
                objects += 1;
                // A name that is there twice is counted once above.
                if alternatives.len() > COMBINATIONS {
                    return Err(too_many_combinations());
                }
            }
            _ => {
                return Err(reader.refusal(format!(
                    "Only JSON object is allowed in array of {OR} relationship."
                )));
            }
        }
    }
    if objects < 2 {
        return Err(reader.refusal(format!(
            "There must have at least 2 Objects in {OR} relationship."
        )));
    }
    Ok(())
}

/// The values and expressions of an array.
fn choices(reader: &mut Reader) -> Result<Vec<Matcher>, Refusal> {
    let mut matchers = Vec::new();
    loop {
        match reader.token()? {
            Some(Token::EndArray) => break,
            Some(Token::StartObject) => matchers.push(expression::read(reader)?),
            Some(Token::Text) => matchers.push(Matcher::of_text(&reader.text()?)),
            Some(Token::Number(number)) => matchers.extend(Matcher::of_number(number)),
            Some(Token::Word(word)) => matchers.push(Matcher::Exact(word.to_owned())),
            _ => {
                let reason = "Match value must be String, number, true, false, or null";
                return Err(reader.refusal(reason));
            }
        }
    }
    if matchers.is_empty() {
        return Err(reader.refusal("Empty arrays are not allowed"));
    }
    Ok(matchers)
}

/// The wildcards at one path are looked at together, whichever alternatives they are in.
fn check_complexity(alternatives: &[Demands]) -> Result<(), Refusal> {
    let mut paths: Vec<&String> = alternatives.iter().flat_map(Demands::keys).collect();
    paths.sort();
    paths.dedup();
    for path in paths {
        let mut wildcards: Vec<&Wildcard> = Vec::new();
        let at_path = alternatives.iter().filter_map(|demands| demands.get(path));
        for wildcard in at_path.flatten().flat_map(Matcher::wildcards) {
            if !wildcards.contains(&wildcard) {
                wildcards.push(wildcard);
            }
        }
        wildcard::check_complexity(&wildcards)?;
    }
    Ok(())
}
