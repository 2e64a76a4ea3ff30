//! Document paths: an attribute of an item, or what is within it.

use std::fmt;

use super::super::attribute::{Attribute, Item};
use super::super::invalid;
use crate::ApiError;

/// `a.b[0]`: the first step is the name of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::services::dynamodb) struct Path(pub(super) Vec<PathStep>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PathStep {
    Member(String),
    Element(usize),
}

/// What the last step of a path is within.
enum PathContainer<'a> {
    Map(&'a mut Item),
    List(&'a mut Vec<Attribute>),
}

impl Path {
    /// The name of the attribute that it begins with.
    pub(in crate::services::dynamodb) fn attribute(&self) -> &str {
        match self.0.first() {
            Some(PathStep::Member(name)) => name,
            _ => "",
        }
    }

    pub(in crate::services::dynamodb) fn is_nested(&self) -> bool {
        self.0.len() > 1
    }

    pub(super) fn find<'a>(&self, item: &'a Item) -> Option<&'a Attribute> {
        let (first, rest) = self.0.split_first()?;
        let PathStep::Member(name) = first else {
            return None;
        };
        rest.iter()
            .try_fold(item.get(name)?, |found, step| match (found, step) {
                (Attribute::M(map), PathStep::Member(name)) => map.get(name),
                (Attribute::L(list), PathStep::Element(index)) => list.get(*index),
                _ => None,
            })
    }

    /// Sets what it leads to; an element beyond the end of a list is added to it.
    pub(super) fn put(&self, item: &mut Item, value: Attribute) -> Result<(), ApiError> {
        match self.last(item)? {
            (PathContainer::Map(map), PathStep::Member(name)) => {
                map.insert(name.clone(), value);
            }
            (PathContainer::List(list), PathStep::Element(index)) => match list.get_mut(*index) {
                Some(element) => *element = value,
                None => list.push(value),
            },
            _ => return Err(invalid_path()),
        }
        Ok(())
    }

    /// Removes what it leads to, if that is there.
    pub(super) fn remove(&self, item: &mut Item) -> Result<(), ApiError> {
        match self.last(item)? {
            (PathContainer::Map(map), PathStep::Member(name)) => {
                map.remove(name);
            }
            (PathContainer::List(list), PathStep::Element(index)) => {
                if *index < list.len() {
                    list.remove(*index);
                }
            }
            _ => return Err(invalid_path()),
        }
        Ok(())
    }

    /// The last step, with what it is within.
    fn last<'a>(&self, item: &'a mut Item) -> Result<(PathContainer<'a>, &PathStep), ApiError> {
        let (last, steps) = self.0.split_last().ok_or_else(invalid_path)?;
        let mut container = PathContainer::Map(item);
        for step in steps {
            let inner = match (container, step) {
                (PathContainer::Map(map), PathStep::Member(name)) => map.get_mut(name),
                (PathContainer::List(list), PathStep::Element(index)) => list.get_mut(*index),
                _ => None,
            };
            container = match inner {
                Some(Attribute::M(map)) => PathContainer::Map(map),
                Some(Attribute::L(list)) => PathContainer::List(list),
                _ => return Err(invalid_path()),
            };
        }
        Ok((container, last))
    }
}

fn invalid_path() -> ApiError {
    invalid("The document path provided in the update expression is invalid for update")
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps: Vec<String> = self.0.iter().map(PathStep::to_string).collect();
        write!(f, "[{}]", steps.join(", "))
    }
}

impl fmt::Display for PathStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member(name) => f.write_str(name),
            Self::Element(index) => write!(f, "[{index}]"),
        }
    }
}
