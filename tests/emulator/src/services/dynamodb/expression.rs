//! The expression language of DynamoDB, as far as it is served: `name = :value`, `name <> :value`,
//! `begins_with`, `attribute_exists` and `attribute_not_exists`, joined by AND and OR.
//!
//! Parsing replaces names and values at once, so that a parsed condition is evaluated without the
//! request.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::Value;

use super::attribute::{Attribute, Item, serialization};
use super::{invalid, unserved};
use crate::ApiError;

/// The longest expression that DynamoDB takes, in bytes.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const MAX_EXPRESSION_BYTES: usize = 4096;

/// What AWS knows in conditions and the sandbox does not.
const UNSERVED: &str = "< <= > >= . [ BETWEEN IN NOT attribute_type contains size";

/// The names and values that a request defines, and which of them its expressions used.
#[derive(Debug, Default)]
pub(super) struct Placeholders {
    names: BTreeMap<String, String>,
    values: BTreeMap<String, Attribute>,
    used: BTreeSet<String>,
}

impl Placeholders {
    /// Reads them from a request; `absent` is its expression if that is null.
    pub(super) fn read(input: &Value, absent: Option<&str>) -> Result<Self, ApiError> {
        let mut placeholders = Self::default();
        for (member, sigil) in [
            ("ExpressionAttributeNames", '#'),
            ("ExpressionAttributeValues", ':'),
        ] {
            let Some(given) = input.get(member).and_then(Value::as_object) else {
                continue;
            };
            if let Some(absent) = absent {
                // That the expression is null is in the message about values only.
                let null = format!(": {absent} is null");
                let null = if sigil == ':' { null.as_str() } else { "" };
                return Err(invalid(format!(
                    "{member} can only be specified when using expressions{null}"
                )));
            }
            if given.is_empty() {
                return Err(invalid(format!("{member} must not be empty")));
            }
            for (key, value) in given {
                check_placeholder(member, sigil, key)?;
                placeholders.define(key, value)?;
            }
        }
        Ok(placeholders)
    }

    fn define(&mut self, key: &str, value: &Value) -> Result<(), ApiError> {
        if key.starts_with(':') {
            let value = Attribute::from_json(value)?;
            self.values.insert(key.to_owned(), value);
        } else {
            let name = value
                .as_str()
                .ok_or_else(|| serialization("Expected a string"))?;
            self.names.insert(key.to_owned(), name.to_owned());
        }
        Ok(())
    }

    /// Refuses placeholders that no expression used, as DynamoDB does; called after all expressions
    /// are parsed.
    pub(super) fn finish(self) -> Result<(), ApiError> {
        let unused = |keys: Vec<&String>| -> Vec<String> {
            keys.into_iter()
                .filter(|key| !self.used.contains(*key))
                .cloned()
                .collect()
        };
        let names = unused(self.names.keys().collect());
        let values = unused(self.values.keys().collect());

        for (member, unused) in [
            ("ExpressionAttributeNames", names),
            ("ExpressionAttributeValues", values),
        ] {
            if !unused.is_empty() {
                return Err(invalid(format!(
                    "Value provided in {member} unused in expressions: keys: {{{}}}",
                    unused.join(", ")
                )));
            }
        }
        Ok(())
    }
}

fn check_placeholder(member: &str, sigil: char, key: &str) -> Result<(), ApiError> {
    let rest = key.strip_prefix(sigil).unwrap_or_default();
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if rest.is_empty() || !rest.bytes().all(is_word) {
        return Err(invalid(format!(
            "{member} contains invalid key: Syntax error; key: \"{key}\""
        )));
    }
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparator {
    Equal,
    NotEqual,
}

/// A condition on attributes of an item, each by its name.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    Compare(String, Comparator, Attribute),
    BeginsWith(String, Attribute),
    Exists(String),
    NotExists(String),
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
}

impl Condition {
    pub(super) fn parse(
        member: &'static str,
        text: &str,
        placeholders: &mut Placeholders,
    ) -> Result<Self, ApiError> {
        let mut parser = Parser::new(member, text, placeholders)?;
        let condition = parser.either()?;
        if parser.peek().is_some() {
            return Err(parser.syntax_error());
        }
        Ok(condition)
    }

    /// Whether it holds; a missing item is an empty one. AWS does not document whether a missing
    /// attribute is `<>` a value: `absent_differs` decides.
    pub(super) fn holds(&self, item: &Item, absent_differs: bool) -> bool {
        match self {
            Self::Compare(name, Comparator::Equal, value) => item.get(name) == Some(value),
            Self::Compare(name, Comparator::NotEqual, value) => item
                .get(name)
                .map_or(absent_differs, |found| found != value),
            Self::BeginsWith(name, prefix) => match (item.get(name), prefix) {
                (Some(Attribute::S(text)), Attribute::S(prefix)) => text.starts_with(prefix),
                _ => false,
            },
            Self::Exists(name) => item.contains_key(name),
            Self::NotExists(name) => !item.contains_key(name),
            Self::And(one, two) => {
                one.holds(item, absent_differs) && two.holds(item, absent_differs)
            }
            Self::Or(one, two) => {
                one.holds(item, absent_differs) || two.holds(item, absent_differs)
            }
        }
    }
}

/// A cursor over the tokens of one expression.
struct Parser<'a> {
    /// The member of the request, for messages: `ConditionExpression`, …
    member: &'static str,
    tokens: Vec<String>,
    at: usize,
    placeholders: &'a mut Placeholders,
}

impl<'a> Parser<'a> {
    fn new(
        member: &'static str,
        text: &str,
        placeholders: &'a mut Placeholders,
    ) -> Result<Self, ApiError> {
        if text.trim().is_empty() {
            return Err(invalid(format!(
                "Invalid {member}: The expression can not be empty;"
            )));
        }
        if text.len() > MAX_EXPRESSION_BYTES {
            let size = text.len();
            return Err(invalid(format!(
                "Invalid {member}: Expression size has exceeded the maximum allowed size; \
                 expression size: {size}"
            )));
        }

        let tokens = tokens(text);
        let unknown = tokens.iter().find(|token| {
            UNSERVED
                .split(' ')
                .any(|unserved| token.eq_ignore_ascii_case(unserved))
        });
        if let Some(token) = unknown {
            return Err(unserved(&format!("`{token}` in {member}")));
        }
        Ok(Self {
            member,
            tokens,
            at: 0,
            placeholders,
        })
    }

    fn either(&mut self) -> Result<Condition, ApiError> {
        let mut condition = self.both()?;
        while self.take("OR") {
            condition = Condition::Or(Box::new(condition), Box::new(self.both()?));
        }
        Ok(condition)
    }

    fn both(&mut self) -> Result<Condition, ApiError> {
        let mut condition = self.term()?;
        while self.take("AND") {
            condition = Condition::And(Box::new(condition), Box::new(self.term()?));
        }
        Ok(condition)
    }

    fn term(&mut self) -> Result<Condition, ApiError> {
        if self
            .tokens
            .get(self.at + 1)
            .is_some_and(|token| token == "(")
        {
            return self.function();
        }

        let name = self.name()?;
        let comparator = match self.peek() {
            Some("=") => Comparator::Equal,
            Some("<>") => Comparator::NotEqual,
            _ => return Err(self.syntax_error()),
        };
        self.at += 1;
        Ok(Condition::Compare(name, comparator, self.value()?))
    }

    fn function(&mut self) -> Result<Condition, ApiError> {
        let function = self.tokens[self.at].clone();
        self.at += 2;
        let condition = match function.as_str() {
            "attribute_exists" => Condition::Exists(self.name()?),
            "attribute_not_exists" => Condition::NotExists(self.name()?),
            "begins_with" => {
                let name = self.name()?;
                self.expect(",")?;
                Condition::BeginsWith(name, self.prefix()?)
            }
            _ => {
                return Err(self.error(&format!("Invalid function name; function: {function}")));
            }
        };

        self.expect(")")?;
        Ok(condition)
    }

    fn prefix(&mut self) -> Result<Attribute, ApiError> {
        match self.value()? {
            text @ Attribute::S(_) => Ok(text),
            other => Err(self.error(&format!(
                "Incorrect operand type for operator or function; operator or function: \
                 begins_with, operand type: {}",
                other.kind()
            ))),
        }
    }

    /// `:value`, replaced.
    fn value(&mut self) -> Result<Attribute, ApiError> {
        let Some(key) = self.peek().filter(|token| token.starts_with(':')) else {
            return Err(self.syntax_error());
        };
        let key = key.to_owned();
        self.at += 1;
        self.placeholders.used.insert(key.clone());

        self.placeholders.values.get(&key).cloned().ok_or_else(|| {
            self.error(&format!(
                "An expression attribute value used in expression is not defined; attribute \
                 value: {key}"
            ))
        })
    }

    /// An attribute's name, as it is or replaced.
    fn name(&mut self) -> Result<String, ApiError> {
        let token = self.peek().unwrap_or_default().to_owned();
        if token.starts_with('#') {
            self.at += 1;
            self.placeholders.used.insert(token.clone());
            return self.placeholders.names.get(&token).cloned().ok_or_else(|| {
                self.error(&format!(
                    "An expression attribute name used in the document path is not defined; \
                     attribute name: {token}"
                ))
            });
        }

        if !token.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_') {
            return Err(self.syntax_error());
        }
        if is_reserved(&token) {
            return Err(self.error(&format!(
                "Attribute name is a reserved keyword; reserved keyword: {token}"
            )));
        }
        self.at += 1;
        Ok(token)
    }

    fn peek(&self) -> Option<&str> {
        self.tokens.get(self.at).map(String::as_str)
    }

    /// Takes the next token if it is this word or symbol; words are compared without case.
    fn take(&mut self, expected: &str) -> bool {
        let found = self
            .peek()
            .is_some_and(|token| token.eq_ignore_ascii_case(expected));
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, expected: &str) -> Result<(), ApiError> {
        if self.take(expected) {
            Ok(())
        } else {
            Err(self.syntax_error())
        }
    }

    fn error(&self, what: &str) -> ApiError {
        invalid(format!("Invalid {}: {what}", self.member))
    }

    fn syntax_error(&self) -> ApiError {
        let end = self.tokens.len();
        let near = &self.tokens[self.at.saturating_sub(1).min(end)..end.min(self.at + 2)];
        let token = self.peek().unwrap_or("<EOF>");
        self.error(&format!(
            "Syntax error; token: \"{token}\", near: \"{}\"",
            near.join(" ")
        ))
    }
}

fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (token, after) = rest.split_at(token_length(rest));
        tokens.push(token.to_owned());
        rest = after.trim_start();
    }
    tokens
}

fn token_length(text: &str) -> usize {
    let is_word = |char: char| char.is_ascii_alphanumeric() || char == '_';
    if ["<=", ">=", "<>"]
        .iter()
        .any(|symbol| text.starts_with(symbol))
    {
        return 2;
    }

    let first = text.chars().next().map_or(1, char::len_utf8);
    if text.starts_with(is_word) || text.starts_with(['#', ':']) {
        let rest = &text[first..];
        return first + rest.find(|char| !is_word(char)).unwrap_or(rest.len());
    }
    first
}

/// Words that an expression may not use as a bare attribute name, in capitals.
fn is_reserved(word: &str) -> bool {
    static RESERVED: LazyLock<BTreeSet<&str>> =
        LazyLock::new(|| include_str!("reserved_words.txt").lines().collect());
    RESERVED.contains(word.to_ascii_uppercase().as_str())
}
