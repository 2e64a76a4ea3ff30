//! Conditions and filters: what they mean for an item.

use std::cmp::Ordering;

use super::lexer::Parser;
use super::{Path, Placeholders};
use crate::ApiError;
use crate::dynamodb::attribute::{Attribute, Item};
use crate::dynamodb::number::Number;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::services::dynamodb) enum Comparator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Debug, PartialEq)]
pub(in crate::services::dynamodb) enum Operand {
    Path(Path),
    Value(Attribute),
    Size(Path),
}

#[derive(Clone, Debug, PartialEq)]
pub(in crate::services::dynamodb) enum Condition {
    Compare(Operand, Comparator, Operand),
    Between(Operand, Operand, Operand),
    In(Operand, Vec<Operand>),
    Exists(Path),
    NotExists(Path),
    IsType(Path, String),
    BeginsWith(Operand, Operand),
    Contains(Path, Operand),
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
}

const TYPES: [&str; 10] = ["B", "NULL", "SS", "BOOL", "L", "BS", "N", "NS", "S", "M"];

impl Condition {
    pub(in crate::services::dynamodb) fn parse(
        member: &'static str,
        text: &str,
        placeholders: &mut Placeholders,
    ) -> Result<Self, ApiError> {
        let mut parser = Parser::new(member, text, placeholders)?;
        let condition = either(&mut parser)?;
        parser.end()?;
        Ok(condition)
    }

    /// Whether it holds; an item that is not there is an empty one.
    /// `absent_differs` says whether an attribute that is not there is `<>` a value, which AWS does not document.
    pub(in crate::services::dynamodb) fn holds(&self, item: &Item, absent_differs: bool) -> bool {
        match self {
            Self::Compare(left, comparator, right) => {
                let (left, right) = (left.read(item), right.read(item));
                match (&left, comparator, &right) {
                    (Some(_), Comparator::NotEqual, None)
                    | (None, Comparator::NotEqual, Some(_)) => absent_differs,
                    _ => compare(left.as_ref(), *comparator, right.as_ref()),
                }
            }
            Self::Between(value, low, high) => {
                let (value, low, high) = (value.read(item), low.read(item), high.read(item));
                compare(value.as_ref(), Comparator::GreaterOrEqual, low.as_ref())
                    && compare(value.as_ref(), Comparator::LessOrEqual, high.as_ref())
            }
            Self::In(value, list) => {
                let value = value.read(item);
                value.is_some() && list.iter().any(|other| value == other.read(item))
            }
            Self::Exists(path) => path.resolve(item).is_some(),
            Self::NotExists(path) => path.resolve(item).is_none(),
            Self::IsType(path, kind) => {
                path.resolve(item).is_some_and(|value| value.kind() == kind)
            }
            Self::BeginsWith(value, prefix) => match (value.read(item), prefix.read(item)) {
                (Some(Attribute::S(text)), Some(Attribute::S(prefix))) => text.starts_with(&prefix),
                (Some(Attribute::B(bytes)), Some(Attribute::B(prefix))) => {
                    bytes.starts_with(&prefix)
                }
                _ => false,
            },
            Self::Contains(path, sought) => path
                .resolve(item)
                .zip(sought.read(item))
                .is_some_and(|(value, sought)| contains(value, &sought)),
            Self::And(one, two) => {
                one.holds(item, absent_differs) && two.holds(item, absent_differs)
            }
            Self::Or(one, two) => {
                one.holds(item, absent_differs) || two.holds(item, absent_differs)
            }
            Self::Not(condition) => !condition.holds(item, absent_differs),
        }
    }

    /// Every path that the condition reads, for the rules on key attributes.
    pub(in crate::services::dynamodb) fn paths(&self) -> Vec<&Path> {
        fn of(operand: &Operand) -> Option<&Path> {
            match operand {
                Operand::Path(path) | Operand::Size(path) => Some(path),
                Operand::Value(_) => None,
            }
        }
        match self {
            Self::Compare(one, _, two) | Self::BeginsWith(one, two) => {
                of(one).into_iter().chain(of(two)).collect()
            }
            Self::Between(one, two, three) => {
                [one, two, three].into_iter().filter_map(of).collect()
            }
            Self::In(one, list) => of(one)
                .into_iter()
                .chain(list.iter().filter_map(of))
                .collect(),
            Self::Exists(path) | Self::NotExists(path) | Self::IsType(path, _) => vec![path],
            Self::Contains(path, operand) => std::iter::once(path).chain(of(operand)).collect(),
            Self::And(one, two) | Self::Or(one, two) => {
                one.paths().into_iter().chain(two.paths()).collect()
            }
            Self::Not(condition) => condition.paths(),
        }
    }
}

impl Operand {
    fn read(&self, item: &Item) -> Option<Attribute> {
        match self {
            Self::Path(path) => path.resolve(item).cloned(),
            Self::Value(value) => Some(value.clone()),
            Self::Size(path) => size(path.resolve(item)?),
        }
    }
}

fn either(parser: &mut Parser<'_>) -> Result<Condition, ApiError> {
    let mut condition = both(parser)?;
    while parser.take("OR") {
        condition = Condition::Or(Box::new(condition), Box::new(both(parser)?));
    }
    Ok(condition)
}

fn both(parser: &mut Parser<'_>) -> Result<Condition, ApiError> {
    let mut condition = negated(parser)?;
    while parser.take("AND") {
        condition = Condition::And(Box::new(condition), Box::new(negated(parser)?));
    }
    Ok(condition)
}

fn negated(parser: &mut Parser<'_>) -> Result<Condition, ApiError> {
    if parser.take("NOT") {
        return Ok(Condition::Not(Box::new(negated(parser)?)));
    }
    if parser.take("(") {
        let condition = either(parser)?;
        parser.expect(")")?;
        return Ok(condition);
    }
    if parser.at_function() && parser.peek() != Some("size") {
        return function(parser);
    }
    comparison(parser)
}

fn comparison(parser: &mut Parser<'_>) -> Result<Condition, ApiError> {
    let left = operand(parser)?;
    if parser.take("BETWEEN") {
        let low = operand(parser)?;
        parser.expect("AND")?;
        let high = operand(parser)?;
        return between(parser, left, low, high);
    }
    if parser.take("IN") {
        parser.expect("(")?;
        let mut list = vec![operand(parser)?];
        while parser.take(",") {
            list.push(operand(parser)?);
        }
        parser.expect(")")?;
        return Ok(Condition::In(left, list));
    }
    let symbol = parser.peek().unwrap_or_default().to_owned();
    let comparator = match symbol.as_str() {
        "=" => Comparator::Equal,
        "<>" => Comparator::NotEqual,
        "<" => Comparator::Less,
        "<=" => Comparator::LessOrEqual,
        ">" => Comparator::Greater,
        ">=" => Comparator::GreaterOrEqual,
        _ => return Err(parser.syntax_error()),
    };
    parser.next()?;
    let right = operand(parser)?;
    if left == right {
        return Err(parser.error(&format!(
            "The first operand must be distinct from the remaining operands for this operator or function; operator: {symbol}"
        )));
    }
    if !matches!(comparator, Comparator::Equal | Comparator::NotEqual) {
        require_types(parser, &symbol, &[&left, &right], &["S", "N", "B"])?;
    }
    Ok(Condition::Compare(left, comparator, right))
}

fn between(
    parser: &Parser<'_>,
    value: Operand,
    low: Operand,
    high: Operand,
) -> Result<Condition, ApiError> {
    require_types(parser, "BETWEEN", &[&value, &low, &high], &["S", "N", "B"])?;
    if let (Operand::Value(low), Operand::Value(high)) = (&low, &high) {
        if low.kind() != high.kind() {
            return Err(parser
                .error("The BETWEEN operator requires same data type for lower and upper bounds"));
        }
        if compare(Some(low), Comparator::Greater, Some(high)) {
            return Err(
                parser.error("The BETWEEN operator requires upper bound to be greater than or equal to lower bound")
            );
        }
    }
    Ok(Condition::Between(value, low, high))
}

fn operand(parser: &mut Parser<'_>) -> Result<Operand, ApiError> {
    if parser.peek().is_some_and(|token| token.starts_with(':')) {
        return Ok(Operand::Value(parser.value()?));
    }
    if parser.at_function() {
        if parser.next()? != "size" {
            return Err(parser.syntax_error());
        }
        parser.expect("(")?;
        let path = parser.path()?;
        parser.expect(")")?;
        return Ok(Operand::Size(path));
    }
    Ok(Operand::Path(parser.path()?))
}

fn function(parser: &mut Parser<'_>) -> Result<Condition, ApiError> {
    let name = parser.next()?;
    parser.expect("(")?;
    let condition = match name.as_str() {
        "attribute_exists" => Condition::Exists(parser.path()?),
        "attribute_not_exists" => Condition::NotExists(parser.path()?),
        "attribute_type" => {
            let path = parser.path()?;
            parser.expect(",")?;
            Condition::IsType(path, type_name(parser)?)
        }
        "begins_with" => {
            let value = operand(parser)?;
            parser.expect(",")?;
            let prefix = operand(parser)?;
            require_types(parser, &name, &[&value, &prefix], &["S", "B"])?;
            Condition::BeginsWith(value, prefix)
        }
        "contains" => {
            let path = parser.path()?;
            parser.expect(",")?;
            Condition::Contains(path, operand(parser)?)
        }
        _ => return Err(parser.error(&format!("Invalid function name; function: {name}"))),
    };
    parser.expect(")")?;
    Ok(condition)
}

fn type_name(parser: &mut Parser<'_>) -> Result<String, ApiError> {
    match parser.value()? {
        Attribute::S(kind) if TYPES.contains(&kind.as_str()) => Ok(kind),
        Attribute::S(kind) => Err(parser.error(&format!(
            "Invalid attribute type name found; type: {kind}, valid types: {{{}}}",
            TYPES.join(",")
        ))),
        other => Err(wrong_type(parser, "attribute_type", &other)),
    }
}

fn require_types(
    parser: &Parser<'_>,
    operator: &str,
    operands: &[&Operand],
    kinds: &[&str],
) -> Result<(), ApiError> {
    for operand in operands {
        if let Operand::Value(value) = operand
            && !kinds.contains(&value.kind())
        {
            return Err(wrong_type(parser, operator, value));
        }
    }
    Ok(())
}

fn wrong_type(parser: &Parser<'_>, operator: &str, value: &Attribute) -> ApiError {
    parser.error(&format!(
        "Incorrect operand type for operator or function; operator or function: {operator}, operand type: {}",
        value.kind()
    ))
}

/// Values of different types are unequal and have no order; nothing is never equal to something.
fn compare(left: Option<&Attribute>, comparator: Comparator, right: Option<&Attribute>) -> bool {
    let order = match (left, right) {
        (None, None) => return false,
        (Some(Attribute::S(left)), Some(Attribute::S(right))) => Some(left.cmp(right)),
        (Some(Attribute::N(left)), Some(Attribute::N(right))) => Some(left.cmp(right)),
        (Some(Attribute::B(left)), Some(Attribute::B(right))) => Some(left.cmp(right)),
        _ => None,
    };
    match comparator {
        Comparator::Equal => left == right,
        Comparator::NotEqual => left != right,
        Comparator::Less => order == Some(Ordering::Less),
        Comparator::LessOrEqual => order.is_some_and(Ordering::is_le),
        Comparator::Greater => order == Some(Ordering::Greater),
        Comparator::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
    }
}

fn contains(value: &Attribute, sought: &Attribute) -> bool {
    match (value, sought) {
        (Attribute::S(text), Attribute::S(part)) => text.contains(part.as_str()),
        (Attribute::B(bytes), Attribute::B(part)) => {
            part.is_empty() || bytes.windows(part.len()).any(|window| window == part)
        }
        (Attribute::Ss(set), Attribute::S(member)) => set.contains(member),
        (Attribute::Ns(set), Attribute::N(member)) => set.contains(member),
        (Attribute::Bs(set), Attribute::B(member)) => set.contains(member),
        (Attribute::L(list), element) => list.contains(element),
        _ => false,
    }
}

fn size(value: &Attribute) -> Option<Attribute> {
    let size = match value {
        Attribute::S(text) => text.chars().count(),
        Attribute::B(bytes) => bytes.len(),
        Attribute::Ss(set) => set.len(),
        Attribute::Ns(set) => set.len(),
        Attribute::Bs(set) => set.len(),
        Attribute::L(list) => list.len(),
        Attribute::M(map) => map.len(),
        Attribute::N(_) | Attribute::Bool(_) | Attribute::Null => return None,
    };
    Number::parse(&size.to_string()).ok().map(Attribute::N)
}
