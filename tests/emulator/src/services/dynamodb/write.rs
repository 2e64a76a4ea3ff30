//! PutItem, and the single writes of which a transaction consists.

use serde_json::{Value, json};

use super::attribute::{Item, item_from_json, item_size, item_to_json};
use super::expression::{Condition, Placeholders, UpdateExpression};
use super::table::{PrimaryKey, Table};
use super::{RequestFailure, SERVICE, check_members, invalid, required, table, text, transaction};
use crate::validation::not_in_enum;
use crate::{ApiError, Aws};

/// The largest item, names and values together.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const MAX_ITEM_BYTES: usize = 400 * 1024;

/// The members that PutItem and each write of a transaction have in common.
const MEMBERS: [&str; 5] = [
    "TableName",
    "ConditionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    ON_FAILURE,
];

/// The member of a write that requests the item if the condition fails.
const ON_FAILURE: &str = "ReturnValuesOnConditionCheckFailure";

/// A write as its request has it: checked by itself, but not against its table.
#[derive(Debug)]
pub(super) struct WriteRequest {
    /// The whole item of a put, and the key alone of another write.
    key: Item,
    change: ItemChange,
    condition: Option<Condition>,
    /// Whether the refusal of the condition has the item.
    shows_item: bool,
}

/// A write that was checked against its table, but not against the item.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) key: PrimaryKey,
    change: ItemChange,
    condition: Option<Condition>,
    shows_item: bool,
}

#[derive(Debug)]
enum ItemChange {
    Put(Item),
    /// The update, and the item to begin with if there is none.
    Update(UpdateExpression, Item),
    Delete,
    /// The condition is checked, and nothing is written.
    Nothing,
}

/// A write whose condition holds.
#[derive(Debug)]
pub(super) struct Prepared {
    key: PrimaryKey,
    /// The item to store, or none to delete it; nothing if only the condition is checked.
    change: Option<Option<Item>>,
}

pub(super) fn put_item(aws: &mut Aws, input: &Value) -> Result<Value, RequestFailure> {
    let returns_old = wants_old(input, "ReturnValues")?;
    wants_old(input, ON_FAILURE)?;
    let conflicts = transaction::conflicts(aws);
    let (limits, now) = (aws.quotas.limits_partitions, aws.now);
    let table = table::named(aws, input)?;
    let write = WriteRequest::put(input, &["ReturnValues"], counted)?.on(table)?;
    if conflicts {
        return Err(ApiError::client("TransactionConflictException", transaction::ONGOING).into());
    }
    if limits && !table.partitions.take(&write.key, write.units(), now) {
        return Err(SERVICE.errors.throttled.error().into());
    }

    let old = table.items.get(&write.key).filter(|_| returns_old);
    let old = old.map(item_to_json);
    write.prepare(table)?.apply(table);
    Ok(match old {
        Some(old) => json!({ "Attributes": old }),
        None => json!({}),
    })
}

/// What is wrong with a request for one item is counted, unlike in a transaction, and a value of an
/// expression is not named.
fn counted(error: ApiError) -> ApiError {
    if error.code != "ValidationException" {
        return error;
    }
    let of_value = error
        .message
        .strip_prefix("ExpressionAttributeValues contains invalid value: ")
        .and_then(|rest| rest.rsplit_once(" for key "));
    let problem = of_value.map_or(error.message.as_str(), |(problem, _)| problem);
    invalid(format!("1 validation error detected: {problem}"))
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

impl WriteRequest {
    /// `more` are the members of the operation that are not about the write, `worded` is how it
    /// words what is wrong with the request alone.
    pub(super) fn put(
        input: &Value,
        more: &[&str],
        worded: fn(ApiError) -> ApiError,
    ) -> Result<Self, ApiError> {
        check_members(input, &[&MEMBERS[..], &["Item"], more].concat())?;
        let condition = condition(input).map_err(worded)?;
        let item = item_from_json(required(input, "Item")?).map_err(worded)?;
        if item_size(&item) > MAX_ITEM_BYTES {
            return Err(invalid("Item size has exceeded the maximum allowed size"));
        }

        Ok(Self {
            key: item.clone(),
            change: ItemChange::Put(item),
            condition,
            shows_item: wants_old(input, ON_FAILURE)?,
        })
    }

    pub(super) fn delete(input: &Value) -> Result<Self, ApiError> {
        Self::of_key(input, ItemChange::Delete)
    }

    /// The check of a condition.
    pub(super) fn check(input: &Value) -> Result<Self, ApiError> {
        Self::of_key(input, ItemChange::Nothing)
    }

    fn of_key(input: &Value, change: ItemChange) -> Result<Self, ApiError> {
        check_members(input, &[&MEMBERS[..], &["Key"]].concat())?;
        Ok(Self {
            condition: condition(input)?,
            key: item_from_json(required(input, "Key")?)?,
            change,
            shows_item: wants_old(input, ON_FAILURE)?,
        })
    }

    pub(super) fn update(input: &Value) -> Result<Self, ApiError> {
        check_members(
            input,
            &[&MEMBERS[..], &["Key", "UpdateExpression"]].concat(),
        )?;
        let mut placeholders = Placeholders::read(input, None)?;
        let expression = text(input, "UpdateExpression")?.unwrap_or_default();
        let update = UpdateExpression::parse(expression, &mut placeholders)?;
        let condition = text(input, "ConditionExpression")?
            .map(|text| Condition::parse("ConditionExpression", text, &mut placeholders))
            .transpose()?;
        placeholders.finish()?;

        let key = item_from_json(required(input, "Key")?)?;
        Ok(Self {
            change: ItemChange::Update(update, key.clone()),
            key,
            condition,
            shows_item: wants_old(input, ON_FAILURE)?,
        })
    }

    /// Refuses a key that is none of the table.
    pub(super) fn check_schema(&self, table: &Table) -> Result<(), ApiError> {
        match &self.change {
            ItemChange::Put(item) => table.check_item(item),
            _ => table.check_key(&self.key),
        }
    }

    /// The write to a table, whose key must be one of that table.
    pub(super) fn on(self, table: &Table) -> Result<Write, ApiError> {
        if let ItemChange::Update(update, _) = &self.change
            && let Some(name) = update.attributes().find(|name| table.is_key(name))
        {
            return Err(invalid(format!(
                "One or more parameter values were invalid: Cannot update attribute {name}. This \
                 attribute is part of the key"
            )));
        }

        self.check_schema(table)?;
        Ok(Write {
            key: table.key_from(&self.key)?,
            change: self.change,
            condition: self.condition,
            shows_item: self.shows_item,
        })
    }
}

impl Write {
    /// The write units that it takes.
    pub(super) fn units(&self) -> i64 {
        match &self.change {
            ItemChange::Put(item) => i64::try_from(item_size(item).div_ceil(1024)).unwrap_or(1),
            ItemChange::Update(..) | ItemChange::Delete | ItemChange::Nothing => 1,
        }
    }

    /// Evaluates the condition against the item as it is, and what an update makes of it; changes
    /// nothing.
    pub(super) fn prepare(self, table: &Table) -> Result<Prepared, RequestFailure> {
        let nothing = Item::new();
        let present = table.items.get(&self.key);
        let item = present.unwrap_or(&nothing);
        let holds = self
            .condition
            .as_ref()
            .is_none_or(|condition| condition.holds(item));
        if !holds {
            let shown = present.filter(|_| self.shows_item);
            let members = shown.map(|item| ("Item".to_owned(), item_to_json(item)));
            return Err(RequestFailure {
                error: ApiError::client(
                    "ConditionalCheckFailedException",
                    "The conditional request failed",
                ),
                members: members.into_iter().collect(),
            });
        }

        let change = match self.change {
            ItemChange::Put(item) => Some(Some(item)),
            ItemChange::Update(update, key) => {
                Some(Some(updated(&update, present.unwrap_or(&key))?))
            }
            ItemChange::Delete => Some(None),
            ItemChange::Nothing => None,
        };
        Ok(Prepared {
            key: self.key,
            change,
        })
    }
}

impl Prepared {
    pub(super) fn apply(self, table: &mut Table) {
        if let Some(item) = self.change {
            table.write(self.key, item);
        }
    }
}

fn updated(update: &UpdateExpression, item: &Item) -> Result<Item, ApiError> {
    let mut item = item.clone();
    update.apply(&mut item)?;
    if item_size(&item) > MAX_ITEM_BYTES {
        return Err(invalid(
            "Item size to update has exceeded the maximum allowed size",
        ));
    }
    Ok(item)
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
