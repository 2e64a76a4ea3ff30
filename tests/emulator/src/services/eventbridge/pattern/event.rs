//! An event as a list of values with their paths.

use std::collections::{BTreeMap, BTreeSet};

use super::json::{Reader, Token};
use super::value::{Matcher, quoted};
use super::{Demands, Refusal};

/// In which item of each array a value is; arrays are numbered in the order of their beginnings.
type Items = BTreeMap<usize, usize>;

/// The values of an event: neither objects nor arrays.
#[derive(Debug, Default)]
pub(in super::super) struct Fields {
    values: BTreeMap<String, Vec<(String, Items)>>,
    arrays: usize,
}

impl Fields {
    /// The values of an event; nothing when it is not a JSON object.
    pub(in super::super) fn of(event: &str) -> Option<Self> {
        let mut reader = Reader::new(event);
        let mut fields = Self::default();
        match reader.token().ok()? {
            Some(Token::StartObject) => fields.object(&mut reader, "", &Items::new()).ok()?,
            _ => return None,
        }
        Some(fields)
    }

    fn object(&mut self, reader: &mut Reader, path: &str, items: &Items) -> Result<(), Refusal> {
        while let Some(Token::Name(name)) = reader.token()? {
            let path = if path.is_empty() {
                name
            } else {
                format!("{path}.{name}")
            };
            if let Some(token) = reader.token()? {
                self.value(reader, token, &path, items)?;
            }
        }
        Ok(())
    }

    fn value(
        &mut self,
        reader: &mut Reader,
        token: Token,
        path: &str,
        items: &Items,
    ) -> Result<(), Refusal> {
        let value = match token {
            Token::StartObject => return self.object(reader, path, items),
            Token::StartArray => return self.array(reader, path, items),
            Token::Text => quoted(&reader.text()?),
            Token::Number(number) => number,
            Token::Word(word) => word.to_owned(),
            Token::Name(_) | Token::EndObject | Token::EndArray => return Ok(()),
        };
        let values = self.values.entry(path.to_owned()).or_default();
        values.push((value, items.clone()));
        Ok(())
    }

    /// The objects and arrays of an array are its items; strings and the like are just values.
    fn array(&mut self, reader: &mut Reader, path: &str, items: &Items) -> Result<(), Refusal> {
        let array = self.arrays;
        self.arrays += 1;
        let mut index = 0;
        loop {
            let token = reader.token()?;
            match token {
                None | Some(Token::EndArray) => return Ok(()),
                Some(token @ (Token::StartObject | Token::StartArray)) => {
                    let mut within = items.clone();
                    within.insert(array, index);
                    self.value(reader, token, path, &within)?;
                }
                Some(token) => self.value(reader, token, path, items)?,
            }
            index += 1;
        }
    }

    /// Whether the event has a value for each demand, all of them in the same items of arrays.
    pub(super) fn meet(&self, demands: &Demands) -> bool {
        let mut reached = BTreeSet::from([Items::new()]);
        for (path, matchers) in demands {
            reached = reached
                .iter()
                .flat_map(|items| self.steps(path, matchers, items))
                .collect();
        }
        !reached.is_empty()
    }

    /// The items that the values so far and one more at this path are in.
    fn steps(&self, path: &str, matchers: &[Matcher], items: &Items) -> Vec<Items> {
        let here: Vec<(&String, Items)> = self
            .values
            .get(path)
            .into_iter()
            .flatten()
            .filter_map(|(value, own)| Some((value, together(items, own)?)))
            .collect();
        if here.is_empty() && matchers.iter().any(|one| matches!(one, Matcher::Absent)) {
            return vec![items.clone()];
        }
        here.into_iter()
            .filter(|(value, _)| matchers.iter().any(|one| one.matches(value)))
            .map(|(_, items)| items)
            .collect()
    }
}

/// Both, unless they are different items of an array.
fn together(some: &Items, others: &Items) -> Option<Items> {
    let mut both = some.clone();
    for (array, index) in others {
        if both
            .insert(*array, *index)
            .is_some_and(|known| known != *index)
        {
            return None;
        }
    }
    Some(both)
}
