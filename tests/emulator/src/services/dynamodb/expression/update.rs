//! Update expressions: their grammar, and what they make of an item.

use super::super::attribute::{Attribute, Item};
use super::super::invalid;
use super::super::number::Number;
use super::Placeholders;
use super::grammar::{FUNCTIONS, requires_path, wrong_count, wrong_type};
use super::parser::{Parser, Problem};
use super::path::{Path, PathStep};
use crate::ApiError;

const KEYWORDS: [&str; 4] = ["SET", "REMOVE", "ADD", "DELETE"];

const ORDER: [Problem; 9] = [
    Problem::Reserved,
    Problem::Function,
    Problem::Section,
    Problem::Name,
    Problem::Value,
    Problem::Overlap,
    Problem::Conflict,
    Problem::Operand,
    Problem::Type,
];

#[derive(Clone, Debug)]
pub(in crate::services::dynamodb) struct UpdateExpression(Vec<UpdateAction>);

#[derive(Clone, Debug)]
enum UpdateAction {
    Set(Path, Source),
    Remove(Path),
    Add(Path, Attribute),
    Delete(Path, Attribute),
}

/// What an attribute is set to.
#[derive(Clone, Debug)]
enum Source {
    Path(Path),
    Value(Attribute),
    IfNotExists(Path, Box<Source>),
    Append(Box<Source>, Box<Source>),
    Sum(Box<Source>, Box<Source>),
    Difference(Box<Source>, Box<Source>),
}

impl UpdateExpression {
    pub(in crate::services::dynamodb) fn parse(
        text: &str,
        placeholders: &mut Placeholders,
    ) -> Result<Self, ApiError> {
        let parser = Parser::new("UpdateExpression", &KEYWORDS, text, placeholders)?;
        let mut grammar = Grammar {
            parser,
            actions: Vec::new(),
            paths: Vec::new(),
        };
        grammar.sections()?;
        grammar.parser.finish(&ORDER)?;
        Ok(Self(grammar.actions))
    }

    /// The names of the attributes that it changes.
    pub(in crate::services::dynamodb) fn attributes(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|action| action.path().attribute())
    }

    /// Changes an item. Values are those from before the update, and so are the places of elements
    /// of lists that are removed.
    pub(in crate::services::dynamodb) fn apply(&self, item: &mut Item) -> Result<(), ApiError> {
        let before = item.clone();
        let mut removed: Vec<&Path> = Vec::new();
        for action in &self.0 {
            match action {
                UpdateAction::Set(path, source) => path.put(item, source.of(&before)?)?,
                UpdateAction::Remove(path) => removed.push(path),
                UpdateAction::Add(path, value) => {
                    let sum = added(path.find(item), value)?;
                    path.put(item, sum)?;
                }
                UpdateAction::Delete(path, value) => match path.find(item) {
                    None => {}
                    Some(found) => match without(found, value)? {
                        Some(rest) => path.put(item, rest)?,
                        None => path.remove(item)?,
                    },
                },
            }
        }

        removed.sort();
        removed.iter().rev().try_for_each(|path| path.remove(item))
    }
}

impl UpdateAction {
    fn path(&self) -> &Path {
        match self {
            Self::Set(path, _)
            | Self::Remove(path)
            | Self::Add(path, _)
            | Self::Delete(path, _) => path,
        }
    }
}

impl Source {
    fn of(&self, item: &Item) -> Result<Attribute, ApiError> {
        match self {
            Self::Path(path) => path.find(item).cloned().ok_or_else(absent),
            Self::Value(value) => Ok(value.clone()),
            Self::IfNotExists(path, other) => match path.find(item) {
                Some(found) => Ok(found.clone()),
                None => other.of(item),
            },
            Self::Append(one, two) => match (one.of(item)?, two.of(item)?) {
                (Attribute::L(one), Attribute::L(two)) => Ok(Attribute::L([one, two].concat())),
                _ => Err(incorrect_type()),
            },
            Self::Sum(one, two) => one.calculated(two, item, Number::plus),
            Self::Difference(one, two) => one.calculated(two, item, Number::minus),
        }
    }

    fn calculated(
        &self,
        other: &Self,
        item: &Item,
        operation: fn(&Number, &Number) -> Result<Number, ApiError>,
    ) -> Result<Attribute, ApiError> {
        match (self.of(item)?, other.of(item)?) {
            (Attribute::N(one), Attribute::N(two)) => operation(&one, &two).map(Attribute::N),
            _ => Err(incorrect_type()),
        }
    }

    /// The type of a value that the request has.
    fn kind(&self) -> Option<&'static str> {
        match self {
            Self::Value(value) => Some(value.kind()),
            _ => None,
        }
    }
}

fn absent() -> ApiError {
    invalid("The provided expression refers to an attribute that does not exist in the item")
}

fn incorrect_type() -> ApiError {
    invalid("An operand in the update expression has an incorrect data type")
}

/// What ADD makes of a value: a sum of numbers, or a set with further members.
fn added(found: Option<&Attribute>, more: &Attribute) -> Result<Attribute, ApiError> {
    Ok(match (found, more) {
        (None, more) => more.clone(),
        (Some(Attribute::N(one)), Attribute::N(two)) => Attribute::N(one.plus(two)?),
        (Some(Attribute::SS(one)), Attribute::SS(two)) => Attribute::SS(one | two),
        (Some(Attribute::NS(one)), Attribute::NS(two)) => Attribute::NS(one | two),
        (Some(Attribute::BS(one)), Attribute::BS(two)) => Attribute::BS(one | two),
        _ => return Err(incorrect_type()),
    })
}

/// What DELETE leaves of a set; nothing if it would be empty.
fn without(found: &Attribute, less: &Attribute) -> Result<Option<Attribute>, ApiError> {
    let rest = match (found, less) {
        (Attribute::SS(one), Attribute::SS(two)) => Attribute::SS(one - two),
        (Attribute::NS(one), Attribute::NS(two)) => Attribute::NS(one - two),
        (Attribute::BS(one), Attribute::BS(two)) => Attribute::BS(one - two),
        _ => return Err(incorrect_type()),
    };
    let is_empty = match &rest {
        Attribute::SS(texts) => texts.is_empty(),
        Attribute::NS(numbers) => numbers.is_empty(),
        Attribute::BS(all) => all.is_empty(),
        _ => false,
    };
    Ok(Some(rest).filter(|_| !is_empty))
}

struct Grammar<'a> {
    parser: Parser<'a>,
    actions: Vec<UpdateAction>,
    /// What was changed so far: no path may be, or be within, another.
    paths: Vec<Path>,
}

impl Grammar<'_> {
    fn sections(&mut self) -> Result<(), ApiError> {
        let mut seen: Vec<&str> = Vec::new();
        while self.parser.peek().is_some() {
            let section = KEYWORDS.into_iter().find(|word| self.parser.take(word));
            let section = section.ok_or_else(|| self.parser.syntax_error())?;
            if seen.contains(&section) {
                let problem = format!(
                    "The \"{section}\" section can only be used once in an update expression;"
                );
                self.parser.note(Problem::Section, problem);
            }
            seen.push(section);

            self.action(section)?;
            while self.parser.take(",") {
                self.action(section)?;
            }
        }
        Ok(())
    }

    fn action(&mut self, section: &str) -> Result<(), ApiError> {
        let path = self.parser.path()?;
        let action = match section {
            "SET" => {
                self.parser.expect("=")?;
                UpdateAction::Set(path.clone(), self.source()?)
            }
            "REMOVE" => UpdateAction::Remove(path.clone()),
            "ADD" => UpdateAction::Add(path.clone(), self.operand_of(section)?),
            _ => UpdateAction::Delete(path.clone(), self.operand_of(section)?),
        };
        self.check_path(&path);
        self.paths.push(path);
        self.actions.push(action);
        Ok(())
    }

    /// The value of ADD or DELETE: a set, and a number to add.
    fn operand_of(&mut self, section: &str) -> Result<Attribute, ApiError> {
        let value = self.parser.take_value();
        let value = value.ok_or_else(|| self.parser.syntax_error())?;
        let wrong = match value {
            Attribute::S(_) => Some("STRING"),
            Attribute::N(_) if section != "ADD" => Some("NUMBER"),
            Attribute::B(_) => Some("BINARY"),
            Attribute::Null => Some("NULL"),
            Attribute::Bool(_) => Some("BOOLEAN"),
            Attribute::L(_) => Some("LIST"),
            Attribute::M(_) => Some("MAP"),
            Attribute::N(_) | Attribute::SS(_) | Attribute::NS(_) | Attribute::BS(_) => None,
        };
        if let Some(kind) = wrong {
            let problem = format!(
                "Incorrect operand type for operator or function; operator: {section}, operand \
                 type: {kind}"
            );
            self.parser.note(Problem::Operand, problem);
        }
        Ok(value)
    }

    fn source(&mut self) -> Result<Source, ApiError> {
        let one = self.term()?;
        let is_sum = self.parser.take("+");
        if !is_sum && !self.parser.take("-") {
            return Ok(one);
        }
        let two = self.term()?;
        self.check_types(if is_sum { "+" } else { "-" }, "N", [&one, &two]);
        let make = if is_sum {
            Source::Sum
        } else {
            Source::Difference
        };
        Ok(make(Box::new(one), Box::new(two)))
    }

    fn term(&mut self) -> Result<Source, ApiError> {
        if self.parser.take("(") {
            let source = self.source()?;
            self.parser.expect(")")?;
            return Ok(source);
        }
        if let Some(function) = self.parser.take_call() {
            return self.call(&function);
        }
        Ok(match self.parser.take_value() {
            Some(value) => Source::Value(value),
            None => Source::Path(self.parser.path()?),
        })
    }

    fn call(&mut self, function: &str) -> Result<Source, ApiError> {
        let mut arguments = vec![self.term()?];
        while self.parser.take(",") {
            arguments.push(self.term()?);
        }
        self.parser.expect(")")?;

        if !["if_not_exists", "list_append"].contains(&function) {
            let what = if FUNCTIONS.contains(&function) {
                "The function is not allowed in an update expression; function:"
            } else {
                "Invalid function name; function:"
            };
            self.parser
                .note(Problem::Function, format!("{what} {function}"));
        }
        let count = arguments.len();
        let arguments = <[Source; 2]>::try_from(arguments);
        Ok(match (function, arguments) {
            (_, Err(_)) => {
                self.parser
                    .note(Problem::Type, wrong_count(function, count));
                Source::Value(Attribute::Null)
            }
            ("if_not_exists", Ok([Source::Path(path), other])) => {
                Source::IfNotExists(path, Box::new(other))
            }
            ("if_not_exists", Ok([_, other])) => {
                self.parser.note(Problem::Type, requires_path(function));
                other
            }
            (_, Ok([one, two])) => {
                self.check_types(function, "L", [&one, &two]);
                Source::Append(Box::new(one), Box::new(two))
            }
        })
    }

    fn check_types(&mut self, operator: &str, expected: &str, operands: [&Source; 2]) {
        let mut kinds = operands.into_iter().filter_map(Source::kind);
        if let Some(kind) = kinds.find(|kind| *kind != expected) {
            self.parser.note(Problem::Type, wrong_type(operator, kind));
        }
    }

    /// Two paths must part at two members or at two elements.
    fn check_path(&mut self, path: &Path) {
        for known in &self.paths {
            let mut steps = known.0.iter().zip(&path.0);
            let (kind, what) = match steps.find(|(one, two)| one != two) {
                None => (Problem::Overlap, "overlap"),
                Some(
                    (PathStep::Member(_), PathStep::Element(_))
                    | (PathStep::Element(_), PathStep::Member(_)),
                ) => (Problem::Conflict, "conflict"),
                Some(_) => continue,
            };
            let problem = format!(
                "Two document paths {what} with each other; must remove or rewrite one of these \
                 paths; path one: {known}, path two: {path}"
            );
            self.parser.note(kind, problem);
        }
    }
}
