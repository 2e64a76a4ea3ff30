//! A cursor over the tokens of one expression, and the parts that conditions and updates share.
//!
//! A text that breaks the grammar is refused at once. Everything else that is wrong is noted, and
//! refused when the whole text is read, the most important first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::super::attribute::Attribute;
use super::super::{invalid, unserved};
use super::Placeholders;
use super::path::{Path, PathStep};
use crate::ApiError;

/// The longest expression that DynamoDB takes, in bytes.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const MAX_EXPRESSION_BYTES: usize = 4096;
/// The most pairs of parentheses that the sandbox reads, which bounds how deep they nest.
const MAX_PARENTHESES: usize = 100;

/// What can be wrong beside the grammar. Of each kind the first is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Problem {
    /// Parentheses around parentheses.
    Parentheses,
    /// A function that there is not.
    Function,
    /// A function where a value must be.
    Misuse,
    Reserved,
    /// A section of an update that is there twice.
    Section,
    /// A placeholder of a name that is not defined.
    Name,
    /// A placeholder of a value that is not defined.
    Value,
    Overlap,
    Conflict,
    Operand,
    Distinct,
    Type,
    /// The first problem of the first comparison that has one.
    Comparison,
}

pub(super) struct Parser<'a> {
    /// The member of the request, for messages: `ConditionExpression`, …
    member: &'static str,
    /// Words that cannot begin a path.
    keywords: &'static [&'static str],
    tokens: Vec<String>,
    at: usize,
    placeholders: &'a mut Placeholders,
    problems: BTreeMap<Problem, String>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(
        member: &'static str,
        keywords: &'static [&'static str],
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
        if text.matches('(').count() > MAX_PARENTHESES {
            return Err(unserved(&format!(
                "more than {MAX_PARENTHESES} parentheses in {member}"
            )));
        }

        Ok(Self {
            member,
            keywords,
            tokens: tokens(text),
            at: 0,
            placeholders,
            problems: BTreeMap::new(),
        })
    }

    /// The expression is read: refuses what follows it, and then the first problem in this order.
    pub(super) fn finish(mut self, order: &[Problem]) -> Result<(), ApiError> {
        if self.peek().is_some() {
            return Err(self.syntax_error());
        }
        match self.first_problem(order) {
            Some(problem) => Err(invalid(format!("Invalid {}: {problem}", self.member))),
            None => Ok(()),
        }
    }

    /// Takes out the first problem in this order.
    pub(super) fn first_problem(&mut self, order: &[Problem]) -> Option<String> {
        let mut kinds = order.iter();
        kinds.find_map(|kind| self.problems.remove(kind))
    }

    pub(super) fn note(&mut self, kind: Problem, what: impl Into<String>) {
        self.problems.entry(kind).or_insert_with(|| what.into());
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// The text of a token that was read before.
    pub(super) fn token_at(&self, position: usize) -> Option<&str> {
        self.tokens.get(position).map(String::as_str)
    }

    pub(super) fn peek(&self) -> Option<&str> {
        self.token_at(self.at)
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

    /// The name of a function, with the parenthesis that follows it.
    pub(super) fn take_call(&mut self) -> Option<String> {
        let name = self.peek().filter(|token| self.is_word(token))?.to_owned();
        if self.token_at(self.at + 1) != Some("(") {
            return None;
        }
        self.at += 2;
        Some(name)
    }

    /// A document path, such as `a.b[0]`.
    pub(super) fn path(&mut self) -> Result<Path, ApiError> {
        let mut steps = vec![PathStep::Member(self.name()?)];
        loop {
            if self.take(".") {
                steps.push(PathStep::Member(self.name()?));
            } else if self.take("[") {
                let index = self.peek().and_then(|token| token.parse::<usize>().ok());
                let index = index.ok_or_else(|| self.syntax_error())?;
                self.at += 1;
                self.expect("]")?;
                steps.push(PathStep::Element(index));
            } else {
                return Ok(Path(steps));
            }
        }
    }

    fn name(&mut self) -> Result<String, ApiError> {
        let token = self.peek().unwrap_or_default().to_owned();
        let is_word = self.is_word(&token);
        if !is_word && !token.starts_with('#') {
            return Err(self.syntax_error());
        }
        self.at += 1;

        if is_word {
            if is_reserved(&token) {
                let what = "Attribute name is a reserved keyword; reserved keyword:";
                self.note(Problem::Reserved, format!("{what} {token}"));
            }
            return Ok(token);
        }
        let name = self.placeholders.name(&token);
        if name.is_none() {
            let what = "An expression attribute name used in the document path is not defined; \
                        attribute name:";
            self.note(Problem::Name, format!("{what} {token}"));
        }
        Ok(name.unwrap_or(token))
    }

    fn is_word(&self, token: &str) -> bool {
        let is_first = |letter: char| letter.is_ascii_alphabetic() || letter == '_';
        let mut keywords = self.keywords.iter();
        token.starts_with(is_first) && !keywords.any(|word| token.eq_ignore_ascii_case(word))
    }

    /// The value of `:value`, if that comes next.
    pub(super) fn take_value(&mut self) -> Option<Attribute> {
        let token = self
            .peek()
            .filter(|token| token.starts_with(':'))?
            .to_owned();
        self.at += 1;
        let value = self.placeholders.value(&token);
        if value.is_none() {
            let what = "An expression attribute value used in expression is not defined; \
                        attribute value:";
            self.note(Problem::Value, format!("{what} {token}"));
        }
        Some(value.unwrap_or(Attribute::Null))
    }

    pub(super) fn syntax_error(&self) -> ApiError {
        let end = self.tokens.len();
        let near = &self.tokens[self.at.saturating_sub(1).min(end)..end.min(self.at + 2)];
        let token = self.peek().unwrap_or("<EOF>");
        invalid(format!(
            "Invalid {}: Syntax error; token: \"{token}\", near: \"{}\"",
            self.member,
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
        LazyLock::new(|| include_str!("../reserved_words.txt").lines().collect());
    RESERVED.contains(word.to_ascii_uppercase().as_str())
}
