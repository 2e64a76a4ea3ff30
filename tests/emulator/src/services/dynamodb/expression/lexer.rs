//! Tokens of an expression, and the cursor that all its parsers share.

use super::{Placeholders, is_reserved};
use crate::ApiError;
use crate::dynamodb::attribute::Attribute;
use crate::dynamodb::expression::path::{Path, Step};
use crate::dynamodb::invalid;

/// The longest expression that DynamoDB takes, in bytes.
const MAX_EXPRESSION_BYTES: usize = 4096;
const MAX_PATH_DEPTH: usize = 32;

/// A cursor over the tokens of one expression.
pub(super) struct Parser<'a> {
    /// The member of the request, for messages: `ConditionExpression`, …
    member: &'static str,
    tokens: Vec<String>,
    at: usize,
    placeholders: &'a mut Placeholders,
}

impl<'a> Parser<'a> {
    pub(super) fn new(
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
                "Invalid {member}: Expression size has exceeded the maximum allowed size; expression size: {size}"
            )));
        }
        let mut parser = Self {
            member,
            tokens: Vec::new(),
            at: 0,
            placeholders,
        };
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let length = token_length(rest);
            let (token, after) = rest.split_at(length);
            parser.tokens.push(token.to_owned());
            rest = after.trim_start();
        }
        Ok(parser)
    }

    pub(super) fn peek(&self) -> Option<&str> {
        self.tokens.get(self.at).map(String::as_str)
    }

    pub(super) fn peek_second(&self) -> Option<&str> {
        self.tokens.get(self.at + 1).map(String::as_str)
    }

    pub(super) fn next(&mut self) -> Result<String, ApiError> {
        let token = self
            .peek()
            .map(str::to_owned)
            .ok_or_else(|| self.syntax_error())?;
        self.at += 1;
        Ok(token)
    }

    /// Takes the next token if it is this word or symbol; words are compared without case.
    pub(super) fn take(&mut self, expected: &str) -> bool {
        let found = self
            .peek()
            .is_some_and(|token| token.eq_ignore_ascii_case(expected));
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, expected: &str) -> Result<(), ApiError> {
        if self.take(expected) {
            Ok(())
        } else {
            Err(self.syntax_error())
        }
    }

    pub(super) fn end(&self) -> Result<(), ApiError> {
        if self.peek().is_none() {
            Ok(())
        } else {
            Err(self.syntax_error())
        }
    }

    /// Whether a function call begins here: a word before a parenthesis.
    pub(super) fn at_function(&self) -> bool {
        self.peek().is_some_and(starts_word) && self.peek_second() == Some("(")
    }

    /// A document path: `a.#b[2].c`.
    pub(super) fn path(&mut self) -> Result<Path, ApiError> {
        let mut steps = vec![Step::Name(self.name()?)];
        loop {
            if self.take(".") {
                steps.push(Step::Name(self.name()?));
            } else if self.take("[") {
                let index = self
                    .peek()
                    .and_then(|token| token.parse().ok())
                    .ok_or_else(|| self.syntax_error())?;
                self.at += 1;
                self.expect("]")?;
                steps.push(Step::Index(index));
            } else if steps.len() > MAX_PATH_DEPTH {
                return Err(self.error("The document path has too many nesting elements"));
            } else {
                return Ok(Path(steps));
            }
        }
    }

    /// `:value`, replaced.
    pub(super) fn value(&mut self) -> Result<Attribute, ApiError> {
        if !self.peek().is_some_and(|token| token.starts_with(':')) {
            return Err(self.syntax_error());
        }
        let key = self.next()?;
        self.placeholders.value(&key).ok_or_else(|| {
            self.error(&format!(
                "An expression attribute value used in expression is not defined; attribute value: {key}"
            ))
        })
    }

    fn name(&mut self) -> Result<String, ApiError> {
        let Some(token) = self
            .peek()
            .filter(|token| starts_word(token) || token.starts_with('#'))
        else {
            return Err(self.syntax_error());
        };
        let token = token.to_owned();
        if !token.starts_with('#') && is_reserved(&token) {
            return Err(self.error(&format!(
                "Attribute name is a reserved keyword; reserved keyword: {token}"
            )));
        }
        self.at += 1;
        if !token.starts_with('#') {
            return Ok(token);
        }
        self.placeholders.name(&token).ok_or_else(|| {
            self.error(&format!(
                "An expression attribute name used in the document path is not defined; attribute name: {token}"
            ))
        })
    }

    pub(super) fn error(&self, what: &str) -> ApiError {
        invalid(format!("Invalid {}: {what}", self.member))
    }

    pub(super) fn syntax_error(&self) -> ApiError {
        let near = &self.tokens
            [self.at.saturating_sub(1).min(self.tokens.len())..self.tokens.len().min(self.at + 2)];
        let token = self.peek().unwrap_or("<EOF>");
        self.error(&format!(
            "Syntax error; token: \"{token}\", near: \"{}\"",
            near.join(" ")
        ))
    }
}

fn starts_word(token: &str) -> bool {
    token.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_')
}

fn token_length(text: &str) -> usize {
    let is_word = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let two = text.get(..2).unwrap_or_default();
    if ["<=", ">=", "<>"].contains(&two) {
        return 2;
    }
    let first = text.chars().next().map_or(1, char::len_utf8);
    if text.starts_with(is_word) || text.starts_with(['#', ':']) {
        return first
            + text[first..]
                .find(|char| !is_word(char))
                .unwrap_or(text.len() - first);
    }
    first
}
