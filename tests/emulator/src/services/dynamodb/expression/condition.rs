//! Conditions on an item, and whether they hold.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::super::attribute::{Attribute, Item};
use super::super::number::Number;
use super::path::Path;

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
    /// `size(…)` of another operand.
    Size(Box<Operand>),
}

#[derive(Clone, Debug, PartialEq)]
pub(in crate::services::dynamodb) enum Condition {
    Compare(Operand, Comparator, Operand),
    /// An operand, the lower and the upper bound.
    Between(Operand, Operand, Operand),
    In(Operand, Vec<Operand>),
    BeginsWith(Operand, Operand),
    Contains(Operand, Operand),
    IsOfType(Operand, Operand),
    Exists(Operand),
    NotExists(Operand),
    Not(Box<Condition>),
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
}

impl Comparator {
    const ALL: [Self; 6] = [
        Self::Equal,
        Self::NotEqual,
        Self::Less,
        Self::LessOrEqual,
        Self::Greater,
        Self::GreaterOrEqual,
    ];

    pub(super) fn of(symbol: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|comparator| comparator.symbol() == symbol)
    }

    pub(super) fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// Whether it holds for values that compare so; values without an order are not `=` to each
    /// other.
    fn holds(self, order: Option<Ordering>) -> bool {
        match self {
            Self::Equal => order == Some(Ordering::Equal),
            Self::NotEqual => order != Some(Ordering::Equal),
            Self::Less => order.is_some_and(Ordering::is_lt),
            Self::LessOrEqual => order.is_some_and(Ordering::is_le),
            Self::Greater => order.is_some_and(Ordering::is_gt),
            Self::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
        }
    }
}

impl Operand {
    /// The type of a value that is the same for every item.
    pub(super) fn kind(&self) -> Option<&'static str> {
        match self {
            Self::Path(_) => None,
            Self::Value(value) => Some(value.kind()),
            Self::Size(_) => Some("N"),
        }
    }

    /// The attribute of the item that it is about.
    fn attribute(&self) -> Option<&str> {
        match self {
            Self::Path(path) => Some(path.attribute()),
            Self::Value(_) => None,
            Self::Size(operand) => operand.attribute(),
        }
    }

    fn of<'a>(&'a self, item: &'a Item) -> Option<Cow<'a, Attribute>> {
        match self {
            Self::Path(path) => path.find(item).map(Cow::Borrowed),
            Self::Value(value) => Some(Cow::Borrowed(value)),
            Self::Size(operand) => {
                let value = operand.of(item)?;
                size(&value).map(Cow::Owned)
            }
        }
    }
}

/// What `size` is of a value: its letters, bytes or members.
fn size(value: &Attribute) -> Option<Attribute> {
    let size = match value {
        Attribute::S(text) => text.chars().count(),
        Attribute::B(bytes) => bytes.len(),
        Attribute::M(map) => map.len(),
        Attribute::L(list) => list.len(),
        Attribute::SS(texts) => texts.len(),
        Attribute::NS(numbers) => numbers.len(),
        Attribute::BS(all) => all.len(),
        Attribute::N(_) | Attribute::Bool(_) | Attribute::Null => return None,
    };
    let number = Number::parse(&size.to_string()).ok();
    number.map(Attribute::N)
}

impl Condition {
    /// The names of the attributes that it is about.
    pub(in crate::services::dynamodb) fn attributes(&self) -> Vec<&str> {
        match self {
            Self::Compare(one, _, two)
            | Self::BeginsWith(one, two)
            | Self::Contains(one, two)
            | Self::IsOfType(one, two) => attributes_of(&[one, two]),
            Self::Between(operand, lower, upper) => attributes_of(&[operand, lower, upper]),
            Self::In(operand, values) => {
                let mut operands: Vec<&Operand> = values.iter().collect();
                operands.push(operand);
                attributes_of(&operands)
            }
            Self::Exists(operand) | Self::NotExists(operand) => attributes_of(&[operand]),
            Self::Not(condition) => condition.attributes(),
            Self::And(one, two) | Self::Or(one, two) => {
                [one.attributes(), two.attributes()].concat()
            }
        }
    }

    /// Whether it holds; a missing item is an empty one. A missing attribute is `<>` every value.
    pub(in crate::services::dynamodb) fn holds(&self, item: &Item) -> bool {
        let both = |one: &Operand, two: &Operand, holds: fn(&Attribute, &Attribute) -> bool| {
            let values = one.of(item).zip(two.of(item));
            values.is_some_and(|(one, two)| holds(&one, &two))
        };
        match self {
            Self::Compare(one, comparator, two) => match (one.of(item), two.of(item)) {
                (Some(one), Some(two)) => comparator.holds(order(&one, &two)),
                _ => *comparator == Comparator::NotEqual,
            },
            Self::Between(operand, lower, upper) => {
                both(operand, lower, |value, lower| {
                    Comparator::GreaterOrEqual.holds(value.order(lower))
                }) && both(operand, upper, |value, upper| {
                    Comparator::LessOrEqual.holds(value.order(upper))
                })
            }
            Self::In(operand, values) => values
                .iter()
                .any(|value| both(operand, value, |one, two| one == two)),
            Self::BeginsWith(operand, prefix) => both(operand, prefix, begins_with),
            Self::Contains(operand, part) => both(operand, part, contains),
            Self::IsOfType(operand, kind) => both(
                operand,
                kind,
                |value, kind| matches!(kind, Attribute::S(kind) if kind == value.kind()),
            ),
            Self::Exists(operand) => operand.of(item).is_some(),
            Self::NotExists(operand) => operand.of(item).is_none(),
            Self::Not(condition) => !condition.holds(item),
            Self::And(one, two) => one.holds(item) && two.holds(item),
            Self::Or(one, two) => one.holds(item) || two.holds(item),
        }
    }
}

fn attributes_of<'a>(operands: &[&'a Operand]) -> Vec<&'a str> {
    let attributes = operands.iter().map(|operand| operand.attribute());
    attributes.flatten().collect()
}

/// How two values compare, which are equal or not if their type has no order.
fn order(one: &Attribute, two: &Attribute) -> Option<Ordering> {
    if one == two && one.order(two).is_none() {
        return Some(Ordering::Equal);
    }
    one.order(two)
}

fn begins_with(value: &Attribute, prefix: &Attribute) -> bool {
    match (value, prefix) {
        (Attribute::S(text), Attribute::S(prefix)) => text.starts_with(prefix),
        (Attribute::B(bytes), Attribute::B(prefix)) => bytes.starts_with(prefix),
        _ => false,
    }
}

/// Whether a text has this part, or a set or a list this member.
fn contains(value: &Attribute, part: &Attribute) -> bool {
    match (value, part) {
        (Attribute::S(text), Attribute::S(part)) => text.contains(part),
        (Attribute::B(bytes), Attribute::B(part)) => {
            part.is_empty() || bytes.windows(part.len()).any(|window| window == part)
        }
        (Attribute::SS(texts), Attribute::S(text)) => texts.contains(text),
        (Attribute::NS(numbers), Attribute::N(number)) => numbers.contains(number),
        (Attribute::BS(all), Attribute::B(bytes)) => all.contains(bytes),
        (Attribute::L(list), member) => list.contains(member),
        _ => false,
    }
}
