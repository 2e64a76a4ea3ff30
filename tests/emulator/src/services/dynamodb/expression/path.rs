//! Document paths: where in an item an expression points, and how to read and change what is there.

use std::fmt;

use crate::ApiError;
use crate::dynamodb::attribute::{Attribute, Item};
use crate::dynamodb::invalid;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::services::dynamodb) enum Step {
    Name(String),
    Index(usize),
}

/// The first step is always a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::services::dynamodb) struct Path(pub(super) Vec<Step>);

impl Path {
    /// The attribute of the item that the path begins with.
    pub(in crate::services::dynamodb) fn top(&self) -> &str {
        match &self.0[0] {
            Step::Name(name) => name,
            Step::Index(_) => unreachable!("a path begins with a name"),
        }
    }

    /// The name, if the path is nothing but the name of an attribute.
    pub(in crate::services::dynamodb) fn only(&self) -> Option<&str> {
        (self.0.len() == 1).then(|| self.top())
    }

    pub(in crate::services::dynamodb) fn resolve<'a>(
        &self,
        item: &'a Item,
    ) -> Option<&'a Attribute> {
        self.0[1..]
            .iter()
            .try_fold(item.get(self.top())?, |value, step| match (value, step) {
                (Attribute::M(map), Step::Name(name)) => map.get(name),
                (Attribute::L(list), Step::Index(index)) => list.get(*index),
                _ => None,
            })
    }

    /// Stores a value; an index past the end of a list appends.
    pub(super) fn set(&self, item: &mut Item, value: Attribute) -> Result<(), ApiError> {
        let (last, parents) = self.0.split_last().expect("a path has a step");
        match (parent(item, parents)?, last) {
            (Parent::Map(map), Step::Name(name)) => {
                map.insert(name.clone(), value);
            }
            (Parent::List(list), Step::Index(index)) => match list.get_mut(*index) {
                Some(element) => *element = value,
                None => list.push(value),
            },
            _ => return Err(invalid_path()),
        }
        Ok(())
    }

    /// Removes what is there; nothing there is no error, but a parent that is missing is.
    pub(super) fn remove(&self, item: &mut Item) -> Result<(), ApiError> {
        let (last, parents) = self.0.split_last().expect("a path has a step");
        match (parent(item, parents)?, last) {
            (Parent::Map(map), Step::Name(name)) => {
                map.remove(name);
            }
            (Parent::List(list), Step::Index(index)) => {
                if *index < list.len() {
                    list.remove(*index);
                }
            }
            _ => return Err(invalid_path()),
        }
        Ok(())
    }

    /// The index that the path ends with, by which removals are ordered.
    pub(super) fn last_index(&self) -> Option<usize> {
        match self.0.last() {
            Some(Step::Index(index)) => Some(*index),
            _ => None,
        }
    }

    /// What is wrong with having both paths in one expression, if anything.
    fn clash(&self, other: &Self) -> Option<&'static str> {
        for (one, two) in self.0.iter().zip(&other.0) {
            match (one, two) {
                (Step::Name(_), Step::Index(_)) | (Step::Index(_), Step::Name(_)) => {
                    return Some("conflict");
                }
                _ if one != two => return None,
                _ => {}
            }
        }
        Some("overlap")
    }
}

/// Refuses paths of which one contains another, or that cannot both exist.
pub(super) fn check_disjoint(member: &str, paths: &[&Path]) -> Result<(), ApiError> {
    for (index, one) in paths.iter().enumerate() {
        for two in &paths[index + 1..] {
            if let Some(clash) = one.clash(two) {
                return Err(invalid(format!(
                    "Invalid {member}: Two document paths {clash} with each other; \
                     must remove or rewrite one of these paths; path one: {one}, path two: {two}"
                )));
            }
        }
    }
    Ok(())
}

enum Parent<'a> {
    Map(&'a mut Item),
    List(&'a mut Vec<Attribute>),
}

fn parent<'a>(item: &'a mut Item, steps: &[Step]) -> Result<Parent<'a>, ApiError> {
    steps.iter().try_fold(Parent::Map(item), |parent, step| {
        let child = match (parent, step) {
            (Parent::Map(map), Step::Name(name)) => map.get_mut(name),
            (Parent::List(list), Step::Index(index)) => list.get_mut(*index),
            _ => None,
        };
        match child {
            Some(Attribute::M(map)) => Ok(Parent::Map(map)),
            Some(Attribute::L(list)) => Ok(Parent::List(list)),
            _ => Err(invalid_path()),
        }
    })
}

fn invalid_path() -> ApiError {
    invalid("The document path provided in the update expression is invalid for update")
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = self.0.iter().map(|step| match step {
            Step::Name(name) => name.clone(),
            Step::Index(index) => format!("[{index}]"),
        });
        write!(f, "[{}]", steps.collect::<Vec<_>>().join(", "))
    }
}
