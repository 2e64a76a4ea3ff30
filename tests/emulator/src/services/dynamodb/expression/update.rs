//! Update expressions: SET, REMOVE, ADD and DELETE.
//!
//! Everything on the right side is read from the item as it was before the update.

use std::cmp::Reverse;

use super::lexer::Parser;
use super::path::check_disjoint;
use super::{Path, Placeholders};
use crate::ApiError;
use crate::dynamodb::attribute::{Attribute, Item};
use crate::dynamodb::invalid;
use crate::dynamodb::number::Number;

#[derive(Clone, Debug)]
pub(in crate::services::dynamodb) enum Action {
    Set(Path, Source),
    Remove(Path),
    Add(Path, Attribute),
    Delete(Path, Attribute),
}

/// What a SET stores.
#[derive(Clone, Debug)]
pub(in crate::services::dynamodb) enum Source {
    Path(Path),
    Value(Attribute),
    IfNotExists(Path, Box<Source>),
    ListAppend(Box<Source>, Box<Source>),
    Plus(Box<Source>, Box<Source>),
    Minus(Box<Source>, Box<Source>),
}

const SECTIONS: [&str; 4] = ["SET", "REMOVE", "ADD", "DELETE"];

/// Parses an update expression.
pub(in crate::services::dynamodb) fn updates(
    text: &str,
    placeholders: &mut Placeholders,
) -> Result<Vec<Action>, ApiError> {
    let mut parser = Parser::new("UpdateExpression", text, placeholders)?;
    let mut actions = Vec::new();
    let mut seen = Vec::new();
    while let Some(section) = SECTIONS.into_iter().find(|section| parser.take(section)) {
        if seen.contains(&section) {
            return Err(parser.error(&format!(
                "The \"{section}\" section can only be used once in an update expression;"
            )));
        }
        seen.push(section);
        actions.push(action(&mut parser, section)?);
        while parser.take(",") {
            actions.push(action(&mut parser, section)?);
        }
    }
    parser.end()?;
    check_disjoint(
        "UpdateExpression",
        &actions.iter().map(Action::path).collect::<Vec<_>>(),
    )?;
    Ok(actions)
}

fn action(parser: &mut Parser<'_>, section: &str) -> Result<Action, ApiError> {
    let path = parser.path()?;
    Ok(match section {
        "SET" => {
            parser.expect("=")?;
            Action::Set(path, source(parser)?)
        }
        "REMOVE" => Action::Remove(path),
        "ADD" => Action::Add(path, operand_of(parser, "ADD", &["N", "SS", "NS", "BS"])?),
        _ => Action::Delete(path, operand_of(parser, "DELETE", &["SS", "NS", "BS"])?),
    })
}

fn operand_of(
    parser: &mut Parser<'_>,
    section: &str,
    kinds: &[&str],
) -> Result<Attribute, ApiError> {
    let value = parser.value()?;
    if kinds.contains(&value.kind()) {
        return Ok(value);
    }
    Err(parser.error(&format!(
        "Incorrect operand type for operator or function; operator: {section}, operand type: {}",
        value.kind()
    )))
}

fn source(parser: &mut Parser<'_>) -> Result<Source, ApiError> {
    let left = source_operand(parser)?;
    if parser.take("+") {
        return Ok(Source::Plus(
            Box::new(left),
            Box::new(source_operand(parser)?),
        ));
    }
    if parser.take("-") {
        return Ok(Source::Minus(
            Box::new(left),
            Box::new(source_operand(parser)?),
        ));
    }
    Ok(left)
}

fn source_operand(parser: &mut Parser<'_>) -> Result<Source, ApiError> {
    if parser.take("(") {
        let inner = source(parser)?;
        parser.expect(")")?;
        return Ok(inner);
    }
    if parser.peek().is_some_and(|token| token.starts_with(':')) {
        return Ok(Source::Value(parser.value()?));
    }
    if !parser.at_function() {
        return Ok(Source::Path(parser.path()?));
    }
    let name = parser.next()?;
    parser.expect("(")?;
    let source = match name.as_str() {
        "if_not_exists" => {
            let path = parser.path()?;
            parser.expect(",")?;
            Source::IfNotExists(path, Box::new(source_operand(parser)?))
        }
        "list_append" => {
            let first = source_operand(parser)?;
            parser.expect(",")?;
            Source::ListAppend(Box::new(first), Box::new(source_operand(parser)?))
        }
        _ => return Err(parser.error(&format!("Invalid function name; function: {name}"))),
    };
    parser.expect(")")?;
    Ok(source)
}

impl Action {
    pub(in crate::services::dynamodb) fn path(&self) -> &Path {
        match self {
            Self::Set(path, _)
            | Self::Remove(path)
            | Self::Add(path, _)
            | Self::Delete(path, _) => path,
        }
    }

    /// The item after all the actions.
    pub(in crate::services::dynamodb) fn apply(
        actions: &[Self],
        old: &Item,
    ) -> Result<Item, ApiError> {
        let mut item = old.clone();
        for action in actions {
            match action {
                Self::Set(path, source) => path.set(&mut item, source.read(old)?)?,
                Self::Add(path, value) => path.set(&mut item, added(path.resolve(old), value)?)?,
                Self::Delete(path, value) => match path
                    .resolve(old)
                    .map(|set| without(set, value))
                    .transpose()?
                {
                    Some(Some(rest)) => path.set(&mut item, rest)?,
                    Some(None) => path.remove(&mut item)?,
                    None => {}
                },
                Self::Remove(_) => {}
            }
        }
        // Indexes mean the list as it was, so the last elements go first.
        let mut removals: Vec<&Path> = actions
            .iter()
            .filter(|action| matches!(action, Self::Remove(_)))
            .map(Self::path)
            .collect();
        removals.sort_by_key(|path| Reverse(path.last_index()));
        for path in removals {
            path.remove(&mut item)?;
        }
        Ok(item)
    }
}

impl Source {
    fn read(&self, item: &Item) -> Result<Attribute, ApiError> {
        match self {
            Self::Value(value) => Ok(value.clone()),
            Self::Path(path) => path.resolve(item).cloned().ok_or_else(|| {
                invalid("The provided expression refers to an attribute that does not exist in the item")
            }),
            Self::IfNotExists(path, otherwise) => path.resolve(item).cloned().map_or_else(|| otherwise.read(item), Ok),
            Self::ListAppend(first, second) => match (first.read(item)?, second.read(item)?) {
                (Attribute::L(first), Attribute::L(second)) => Ok(Attribute::L([first, second].concat())),
                _ => Err(wrong_type()),
            },
            Self::Plus(left, right) => Ok(Attribute::N(left.number(item)?.plus(right.number(item)?)?)),
            Self::Minus(left, right) => Ok(Attribute::N(left.number(item)?.minus(right.number(item)?)?)),
        }
    }

    fn number(&self, item: &Item) -> Result<Number, ApiError> {
        match self.read(item)? {
            Attribute::N(number) => Ok(number),
            _ => Err(wrong_type()),
        }
    }
}

fn added(old: Option<&Attribute>, value: &Attribute) -> Result<Attribute, ApiError> {
    Ok(match (old, value) {
        (None, value) => value.clone(),
        (Some(Attribute::N(old)), Attribute::N(value)) => Attribute::N(old.plus(*value)?),
        (Some(Attribute::Ss(old)), Attribute::Ss(value)) => Attribute::Ss(old | value),
        (Some(Attribute::Ns(old)), Attribute::Ns(value)) => Attribute::Ns(old | value),
        (Some(Attribute::Bs(old)), Attribute::Bs(value)) => Attribute::Bs(old | value),
        _ => return Err(wrong_type()),
    })
}

/// A set without some members; `None` when none is left, as there are no empty sets.
fn without(old: &Attribute, value: &Attribute) -> Result<Option<Attribute>, ApiError> {
    Ok(match (old, value) {
        (Attribute::Ss(old), Attribute::Ss(value)) => Some(old - value)
            .filter(|set| !set.is_empty())
            .map(Attribute::Ss),
        (Attribute::Ns(old), Attribute::Ns(value)) => Some(old - value)
            .filter(|set| !set.is_empty())
            .map(Attribute::Ns),
        (Attribute::Bs(old), Attribute::Bs(value)) => Some(old - value)
            .filter(|set| !set.is_empty())
            .map(Attribute::Bs),
        _ => return Err(wrong_type()),
    })
}

fn wrong_type() -> ApiError {
    invalid("An operand in the update expression has an incorrect data type")
}
