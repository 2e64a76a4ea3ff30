//! What a pattern demands of one value.
//!
//! A value is compared as it is written in JSON: a string with its quotes. So nothing but a string
//! can match a demand for a string.

use std::cmp::Ordering;

use super::address::Block;
use super::number::{self, Bound};
use super::wildcard::Wildcard;

#[derive(Clone, Debug)]
pub(super) enum Matcher {
    /// A string with its quotes, a number as it is written, `true`, `false` or `null`.
    Exact(String),
    IgnoreCase(String),
    Affix(Affix, String),
    AffixIgnoreCase(Affix, String),
    Wildcard(Wildcard),
    Number(f64),
    /// Between two ends, of which one may be open.
    Range(Option<Bound>, Option<Bound>),
    Address(Block),
    /// A value, also null, that none of these matches; of an empty list none is.
    AnythingBut(Vec<Matcher>),
    Exists,
    /// No value at all: see [`super::Fields`].
    Absent,
}

/// An end of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Affix {
    Start,
    End,
}

impl Affix {
    /// A text with the quote of this end of the string.
    pub(super) fn quoted(self, text: &str) -> String {
        match self {
            Self::Start => format!("\"{text}"),
            Self::End => format!("{text}\""),
        }
    }
}

pub(super) fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

impl Matcher {
    /// A string; an address is the same in every notation.
    pub(super) fn of_text(text: &str) -> Self {
        Block::one(text).map_or_else(|| Self::Exact(quoted(text)), Self::Address)
    }

    /// A number, as a number and as it is written, since not every number can be compared.
    pub(super) fn of_number(text: String) -> Vec<Self> {
        let number = number::comparable(&text).ok().map(Self::Number);
        number.into_iter().chain([Self::Exact(text)]).collect()
    }

    pub(super) fn matches(&self, value: &str) -> bool {
        match self {
            Self::Exact(text) => text == value,
            Self::IgnoreCase(text) => rest_ignoring_case(text, value) == Some(""),
            Self::Affix(Affix::Start, text) => value.starts_with(text),
            Self::Affix(Affix::End, text) => value.ends_with(text),
            Self::AffixIgnoreCase(Affix::Start, text) => rest_ignoring_case(text, value).is_some(),
            Self::AffixIgnoreCase(Affix::End, text) => value
                .char_indices()
                .any(|(at, _)| rest_ignoring_case(text, &value[at..]) == Some("")),
            Self::Wildcard(wildcard) => wildcard.matches(value),
            Self::Number(number) => number::of_value(value) == Some(*number),
            Self::Range(bottom, top) => number::of_value(value).is_some_and(|number| {
                bottom.is_none_or(|bottom| bottom.allows(number, Ordering::Greater))
                    && top.is_none_or(|top| top.allows(number, Ordering::Less))
            }),
            Self::Address(block) => block.contains(value.trim_matches('"')),
            Self::AnythingBut(excluded) => {
                !excluded.is_empty() && !excluded.iter().any(|one| one.matches(value))
            }
            Self::Exists => true,
            Self::Absent => false,
        }
    }

    pub(super) fn wildcards(&self) -> Vec<&Wildcard> {
        match self {
            Self::Wildcard(wildcard) => vec![wildcard],
            Self::AnythingBut(excluded) => excluded.iter().flat_map(Self::wildcards).collect(),
            _ => Vec::new(),
        }
    }
}

/// What follows a text in a value that begins with it in upper or lower case.
fn rest_ignoring_case<'a>(text: &str, value: &'a str) -> Option<&'a str> {
    text.chars().try_fold(value, |value, letter| {
        let lower: String = letter.to_lowercase().collect();
        let upper: String = letter.to_uppercase().collect();
        value
            .strip_prefix(lower.as_str())
            .or_else(|| value.strip_prefix(upper.as_str()))
    })
}
