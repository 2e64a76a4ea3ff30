//! Global secondary indexes: one has the items with both of its keys, in the order of its sort key.
//!
//! Only a template makes them, of all attributes: CreateTable refuses them by name.

use serde_json::Value;

use super::attribute::{Attribute, Item, item_from_json};
use super::table::{PrimaryKey, Table};
use super::{invalid, unserved};
use crate::ApiError;

/// The keys of an index, both of them texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Index {
    hash: String,
    range: String,
}

impl Index {
    /// Reads the declaration of an index.
    pub(super) fn from_json(declared: &Value) -> Result<Self, ApiError> {
        let key = |place: usize, kind: &str| {
            let element = &declared["KeySchema"][place];
            let name = element["AttributeName"].as_str();
            name.filter(|_| element["KeyType"] == kind)
                .map(str::to_owned)
        };
        if declared["Projection"]["ProjectionType"] != "ALL" {
            return Err(unserved("an index of some attributes"));
        }
        match (key(0, "HASH"), key(1, "RANGE")) {
            (Some(hash), Some(range)) => Ok(Self { hash, range }),
            _ => Err(unserved("an index without a partition key and a sort key")),
        }
    }

    pub(super) fn keys(&self) -> [&str; 2] {
        [&self.hash, &self.range]
    }

    /// Refuses an item that has an empty key of the index. One without a key is not in the index.
    pub(super) fn check_item(&self, name: &str, item: &Item) -> Result<(), ApiError> {
        for key in self.keys() {
            match item.get(key) {
                None => {}
                Some(Attribute::S(text)) if !text.is_empty() => {}
                Some(Attribute::S(_)) => {
                    return Err(invalid(format!(
                        "One or more parameter values are not valid. A value specified for a \
                         secondary index key is not supported. The AttributeValue for a key \
                         attribute cannot contain an empty string value. IndexName: {name}, \
                         IndexKey: {key}"
                    )));
                }
                Some(other) => {
                    return Err(invalid(format!(
                        "One or more parameter values were invalid: Type mismatch for Index Key \
                         {key} Expected: S Actual: {} IndexName: {name}",
                        other.kind()
                    )));
                }
            }
        }
        Ok(())
    }

    /// The items of the index after the start key of a query, in order.
    pub(super) fn seen_from<'a>(
        &self,
        table: &'a Table,
        input: &Value,
    ) -> Result<Vec<(&'a PrimaryKey, &'a Item)>, ApiError> {
        if input["ConsistentRead"] == true {
            return Err(invalid(
                "Consistent reads are not supported on global secondary indexes",
            ));
        }

        let mut items = table.all_seen(false);
        items.retain(|(_, item)| self.keys().iter().all(|key| item.contains_key(*key)));
        items.sort_by(|(one, of_one), (two, of_two)| {
            let by_range = text_of(of_one, &self.range).cmp(text_of(of_two, &self.range));
            by_range.then_with(|| one.cmp(two))
        });
        if input["ScanIndexForward"] == false {
            items.reverse();
        }

        if let Some(start) = input.get("ExclusiveStartKey").filter(|key| !key.is_null()) {
            let start = table.key_part(&item_from_json(start)?);
            table.check_key(&start)?;
            let start = table.key_from(&start)?;
            let place = items.iter().position(|(key, _)| **key == start);
            let place = place.ok_or_else(|| invalid("The provided starting key is invalid"))?;
            items.drain(..=place);
        }
        Ok(items)
    }
}

fn text_of<'a>(item: &'a Item, name: &str) -> &'a str {
    match item.get(name) {
        Some(Attribute::S(text)) => text,
        _ => "",
    }
}
