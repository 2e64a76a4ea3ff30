//! PutItem, and the single writes of which a transaction consists.

use serde_json::{Value, json};

use super::attribute::{Item, item_from_json, item_size, item_to_json};
use super::expression::{Condition, Placeholders};
use super::table::{PrimaryKey, Table};
use super::{Failure, check_members, invalid, required, table, text, transaction};
use crate::validation::not_in_enum;
use crate::{ApiError, Aws};

/// The largest item, names and values together.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const MAX_ITEM_BYTES: usize = 400 * 1024;

/// The members that PutItem and each write of a transaction have in common.
pub(super) const MEMBERS: [&str; 4] = [
    "TableName",
    "ConditionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
];

/// A write that was read from a request and checked, but not against the item.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) key: PrimaryKey,
    /// The item to put; without one the write deletes.
    item: Option<Item>,
    condition: Option<Condition>,
}

/// The members of PutItem beside those of every write.
const PUT_MEMBERS: [&str; 2] = ["ReturnValues", "ReturnValuesOnConditionCheckFailure"];

pub(super) fn put_item(aws: &mut Aws, input: &Value) -> Result<Value, Failure> {
    let [returns_old, shows_old] = PUT_MEMBERS.map(|member| wants_old(input, member));
    let (returns_old, shows_old) = (returns_old?, shows_old?);
    let conflicts = transaction::conflicts(aws);
    let table = table::named(aws, input)?;
    let write = Write::put(table, input, &PUT_MEMBERS)?;
    if conflicts {
        return Err(ApiError::client("TransactionConflictException", transaction::ONGOING).into());
    }

    let old = table
        .items
        .get(&write.key)
        .filter(|_| returns_old || shows_old);
    let old = old.map(item_to_json);
    if let Err(error) = write.check(table) {
        let shown = old.filter(|_| shows_old);
        let members = shown
            .map(|item| ("Item".to_owned(), item))
            .into_iter()
            .collect();
        return Err(Failure { error, members });
    }
    write.apply(table);
    Ok(match old.filter(|_| returns_old) {
        Some(old) => json!({ "Attributes": old }),
        None => json!({}),
    })
}

/// Whether a member requests the item as it was before the write.
fn wants_old(input: &Value, member: &str) -> Result<bool, ApiError> {
    let words: &[&str] = match member {
        "ReturnValues" => &["ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"],
        _ => &["ALL_OLD", "NONE"],
    };
    match text(input, member)? {
        None | Some("NONE") => Ok(false),
        Some("ALL_OLD") => Ok(true),
        Some(word) if words.contains(&word) => {
            Err(invalid(format!("{member} can only be ALL_OLD or NONE")))
        }
        Some(word) => Err(invalid(not_in_enum(word, member, words))),
    }
}

impl Write {
    /// `more` are the members of the operation that are not about the write.
    pub(super) fn put(table: &Table, input: &Value, more: &[&str]) -> Result<Self, ApiError> {
        check_members(input, &[&MEMBERS[..], &["Item"], more].concat())?;
        let condition = condition(input)?;
        let item = item_from_json(required(input, "Item")?)?;
        if item_size(&item) > MAX_ITEM_BYTES {
            return Err(invalid("Item size has exceeded the maximum allowed size"));
        }

        Ok(Self {
            key: table.key_of_item(&item)?,
            item: Some(item),
            condition,
        })
    }

    pub(super) fn delete(table: &Table, input: &Value) -> Result<Self, ApiError> {
        check_members(input, &[&MEMBERS[..], &["Key"]].concat())?;
        Ok(Self {
            condition: condition(input)?,
            key: table.key_from_json(required(input, "Key")?)?,
            item: None,
        })
    }

    /// Evaluates the condition against the item as it is; changes nothing.
    pub(super) fn check(&self, table: &Table) -> Result<(), ApiError> {
        let nothing = Item::new();
        let item = table.items.get(&self.key).unwrap_or(&nothing);
        let holds = self
            .condition
            .as_ref()
            .is_none_or(|condition| condition.holds(item, table.absent_differs));

        if holds {
            Ok(())
        } else {
            Err(ApiError::client(
                "ConditionalCheckFailedException",
                "The conditional request failed",
            ))
        }
    }

    pub(super) fn apply(self, table: &mut Table) {
        table.write(self.key, self.item);
    }
}

fn condition(input: &Value) -> Result<Option<Condition>, ApiError> {
    let member = "ConditionExpression";
    let expression = text(input, member)?;
    let absent = expression.is_none().then_some(member);
    let mut placeholders = Placeholders::read(input, absent)?;
    let condition = expression
        .map(|text| Condition::parse(member, text, &mut placeholders))
        .transpose()?;

    placeholders.finish()?;
    Ok(condition)
}
