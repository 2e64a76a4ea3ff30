//! DynamoDB: the tables of the account, with expressions, conditional writes and transactions as AWS evaluates them.
//!
//! Reads are current, and `ConsistentRead` changes nothing, unless [`DynamoDb::lag`] says otherwise.

mod attribute;
mod batch;
mod expression;
mod number;
mod query;
mod read;
mod table;
mod transaction;
mod write;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;

use self::table::Table;
use crate::{ApiError, Aws, Millis, record};

#[derive(Clone, Debug, Default)]
pub struct DynamoDb {
    tables: BTreeMap<String, Table>,
    /// How many of the next writes find their item in another transaction, and are refused.
    pub conflicts: u32,
    /// The client request tokens of past transactions: when, and what was asked.
    tokens: BTreeMap<String, (Millis, Value)>,
}

impl DynamoDb {
    /// Lets reads of today's tables without `ConsistentRead` lag behind from now on: of each item they answer what it was before
    /// its last write.
    pub fn lag(&mut self) {
        self.tables.values_mut().for_each(|table| table.lags = true);
    }

    /// Every item of a table in its JSON form, for checks that look at the state itself.
    pub fn items(&self, table: &str) -> Vec<Value> {
        self.tables
            .get(table)
            .map(|table| table.items.values().map(attribute::item_to_json).collect())
            .unwrap_or_default()
    }

    /// The item of a key, both in their JSON form.
    pub fn item(&self, table: &str, key: &Value) -> Option<Value> {
        let table = self.tables.get(table)?;
        let (key, _) = table.key_from_json(key).ok()?;
        table.items.get(&key).map(attribute::item_to_json)
    }
}

/// An error with the members that its JSON has beside the message.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) error: ApiError,
    pub(crate) members: Vec<(String, Value)>,
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self {
            error,
            members: Vec::new(),
        }
    }
}

/// One operation by its API name with the JSON 1.0 input; answers the JSON output.
pub fn call(aws: &mut Aws, operation: &str, input: &Value) -> Result<Value, ApiError> {
    let answer = answer(aws, operation, input).map_err(|failure| failure.error);
    record::operation("dynamodb", operation, input, &answer);
    answer
}

/// Like `call`, with all that the error answer says.
pub(crate) fn answer(aws: &mut Aws, operation: &str, input: &Value) -> Result<Value, Failure> {
    match operation {
        "CreateTable" => Ok(table::create(aws, input)?),
        "DescribeTable" => Ok(table::describe(aws, input)?),
        "DeleteTable" => Ok(table::delete(aws, input)?),
        "DescribeContinuousBackups" => Ok(table::continuous_backups(aws, input)?),
        "DescribeTimeToLive" => Ok(table::time_to_live(aws, input)?),
        "ListTables" => Ok(table::list(aws, input)?),
        "ListTagsOfResource" => Ok(table::tags(aws, input)?),
        "BatchGetItem" => Ok(batch::get_items(aws, input)?),
        "BatchWriteItem" => batch::write_items(aws, input),
        "GetItem" => Ok(read::get_item(aws, input)?),
        "Query" => Ok(query::query(aws, input)?),
        "Scan" => Ok(query::scan(aws, input)?),
        "PutItem" => write::put_item(aws, input),
        "UpdateItem" => write::update_item(aws, input),
        "DeleteItem" => write::delete_item(aws, input),
        "TransactWriteItems" => transaction::write_items(aws, input),
        _ => Err(ApiError::unknown_operation(operation).into()),
    }
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::client("ValidationException", message)
}

/// Refuses members that the sandbox would otherwise ignore in silence.
fn check_members(input: &Value, known: &[&str]) -> Result<(), ApiError> {
    let members = input
        .as_object()
        .ok_or_else(|| attribute::serialization("Expected an object"))?;
    match members
        .iter()
        .find(|(name, value)| !value.is_null() && !known.contains(&name.as_str()))
    {
        Some((name, _)) => Err(invalid(format!(
            "the sandbox does not serve the member {name}"
        ))),
        None => Ok(()),
    }
}

fn text<'a>(input: &'a Value, member: &str) -> Result<Option<&'a str>, ApiError> {
    match input.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(attribute::serialization(&format!(
            "{member}: expected a string"
        ))),
    }
}

fn required<'a>(input: &'a Value, member: &str) -> Result<&'a Value, ApiError> {
    input.get(member).filter(|value| !value.is_null()).ok_or_else(|| {
        let camel = format!("{}{}", member[..1].to_lowercase(), &member[1..]);
        invalid(format!(
            "1 validation error detected: Value null at '{camel}' failed to satisfy constraint: Member must not be null"
        ))
    })
}

/// One of the words that an enumeration allows, or the first of them when it is absent.
fn word<'a>(input: &'a Value, member: &str, allowed: &[&'a str]) -> Result<&'a str, ApiError> {
    let word = text(input, member)?.unwrap_or(allowed[0]);
    if allowed.contains(&word) {
        return Ok(word);
    }
    let camel = format!("{}{}", member[..1].to_lowercase(), &member[1..]);
    Err(invalid(format!(
        "1 validation error detected: Value '{word}' at '{camel}' failed to satisfy constraint: \
         Member must satisfy enum value set: [{}]",
        allowed.join(", ")
    )))
}
