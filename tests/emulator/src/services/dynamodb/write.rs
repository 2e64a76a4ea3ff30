//! PutItem, UpdateItem and DeleteItem: one item, one condition, one change.

use serde_json::{Value, json};

use super::attribute::{Item, item_from_json, item_size, item_to_json};
use super::expression::{Action, Condition, Path, Placeholders, project, updates};
use super::table::{PrimaryKey, Table};
use super::{Failure, check_members, invalid, read, required, table, text, transaction, word};
use crate::{ApiError, Aws};

/// The largest item, names and values together.
const MAX_ITEM_BYTES: usize = 400 * 1024;

/// A write that was read from a request and checked, but not against the item.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) key: PrimaryKey,
    change: Change,
    condition: Option<Condition>,
    /// Whether a failed condition answers the item as it is.
    shows_item: bool,
}

#[derive(Debug)]
enum Change {
    Put(Item),
    /// The key attributes, from which an item that is not there begins.
    Update(Vec<Action>, Item),
    Delete,
    Check,
}

/// What a write would do, or did.
#[derive(Debug)]
pub(super) struct Outcome {
    old: Option<Item>,
    new: Option<Item>,
}

const COMMON_MEMBERS: [&str; 8] = [
    "TableName",
    "ConditionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "ReturnValues",
    "ReturnValuesOnConditionCheckFailure",
    "ReturnConsumedCapacity",
    "ReturnItemCollectionMetrics",
];

pub(super) fn put_item(aws: &mut Aws, input: &Value) -> Result<Value, Failure> {
    single(aws, input, "Put")
}

pub(super) fn delete_item(aws: &mut Aws, input: &Value) -> Result<Value, Failure> {
    single(aws, input, "Delete")
}

pub(super) fn update_item(aws: &mut Aws, input: &Value) -> Result<Value, Failure> {
    single(aws, input, "Update")
}

fn single(aws: &mut Aws, input: &Value, kind: &str) -> Result<Value, Failure> {
    check_members(
        input,
        &[&COMMON_MEMBERS[..], &["Item", "Key", "UpdateExpression"]].concat(),
    )?;
    read::check_flags(input)?;
    let returned = return_values(input, kind)?;
    let conflicts = transaction::conflicts(aws);
    let table = table::named(aws, input)?;
    let write = Write::read(table, kind, input)?;
    if conflicts {
        return Err(ApiError::client("TransactionConflictException", transaction::ONGOING).into());
    }
    let outcome = write.outcome(table)?;
    let attributes = match returned {
        "ALL_OLD" => outcome.old.clone(),
        "ALL_NEW" => outcome.new.clone(),
        "UPDATED_OLD" => outcome
            .old
            .as_ref()
            .map(|item| project(item, write.touched())),
        "UPDATED_NEW" => outcome
            .new
            .as_ref()
            .map(|item| project(item, write.touched())),
        _ => None,
    };
    write.apply(table, outcome);
    Ok(match attributes.filter(|item| !item.is_empty()) {
        Some(item) => json!({ "Attributes": item_to_json(&item) }),
        None => json!({}),
    })
}

fn return_values<'a>(input: &'a Value, kind: &str) -> Result<&'a str, ApiError> {
    let word = word(
        input,
        "ReturnValues",
        &["NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"],
    )?;
    if kind != "Update" && !["NONE", "ALL_OLD"].contains(&word) {
        return Err(invalid("ReturnValues can only be ALL_OLD or NONE"));
    }
    Ok(word)
}

impl Write {
    /// Reads a write of one kind (`Put`, `Update`, `Delete`, `ConditionCheck`) from the members that describe it.
    pub(super) fn read(table: &Table, kind: &str, input: &Value) -> Result<Self, ApiError> {
        let (condition, update) = (
            text(input, "ConditionExpression")?,
            text(input, "UpdateExpression")?,
        );
        if kind != "Update" && update.is_some() {
            return Err(invalid("UpdateExpression is not a member of this request"));
        }
        let mut placeholders = Placeholders::read(input, condition.is_some() || update.is_some())?;
        let actions = update
            .map(|text| updates(text, &mut placeholders))
            .transpose()?
            .unwrap_or_default();
        let condition = condition
            .map(|text| Condition::parse("ConditionExpression", text, &mut placeholders))
            .transpose()?;
        placeholders.finish()?;
        let (key, change) = match kind {
            "Put" => {
                let item = item_from_json(required(input, "Item")?)?;
                (table.key_of_item(&item)?, Change::Put(item))
            }
            _ => {
                let (key, attributes) = table.key_from_json(required(input, "Key")?)?;
                let change = match kind {
                    "Update" => Change::Update(checked(table, actions)?, attributes),
                    "Delete" => Change::Delete,
                    _ => Change::Check,
                };
                (key, change)
            }
        };
        let shows_item = word(
            input,
            "ReturnValuesOnConditionCheckFailure",
            &["NONE", "ALL_OLD"],
        )? == "ALL_OLD";
        Ok(Self {
            key,
            change,
            condition,
            shows_item,
        })
    }

    /// Evaluates the condition and the change against the item as it is; changes nothing.
    pub(super) fn outcome(&self, table: &Table) -> Result<Outcome, Failure> {
        let old = table.items.get(&self.key).cloned();
        let seen = old.clone().unwrap_or_default();
        if self
            .condition
            .as_ref()
            .is_some_and(|condition| !condition.holds(&seen, table.absent_differs))
        {
            let shown = old.filter(|_| self.shows_item);
            let members = shown
                .iter()
                .map(|item| ("Item".to_owned(), item_to_json(item)))
                .collect();
            let error = ApiError::client(
                "ConditionalCheckFailedException",
                "The conditional request failed",
            );
            return Err(Failure { error, members });
        }
        let new = match &self.change {
            Change::Put(item) => Some(sized(
                item.clone(),
                "Item size has exceeded the maximum allowed size",
            )?),
            Change::Update(actions, key) => {
                let item = Action::apply(actions, old.as_ref().unwrap_or(key))?;
                Some(sized(
                    item,
                    "Item size to update has exceeded the maximum allowed size",
                )?)
            }
            Change::Delete => None,
            Change::Check => old.clone(),
        };
        Ok(Outcome { old, new })
    }

    /// What an update names, for ReturnValues.
    fn touched(&self) -> impl Iterator<Item = &Path> {
        let actions = match &self.change {
            Change::Update(actions, _) => actions.as_slice(),
            _ => &[],
        };
        actions.iter().map(Action::path)
    }

    pub(super) fn apply(self, table: &mut Table, outcome: Outcome) {
        table.write(self.key, outcome.new);
    }
}

fn checked(table: &Table, actions: Vec<Action>) -> Result<Vec<Action>, ApiError> {
    match actions
        .iter()
        .map(|action| action.path().top())
        .find(|name| table.is_key(name))
    {
        Some(name) => Err(invalid(format!(
            "One or more parameter values were invalid: Cannot update attribute {name}. This attribute is part of the key"
        ))),
        None => Ok(actions),
    }
}

fn sized(item: Item, message: &str) -> Result<Item, ApiError> {
    if item_size(&item) > MAX_ITEM_BYTES {
        Err(invalid(message))
    } else {
        Ok(item)
    }
}
