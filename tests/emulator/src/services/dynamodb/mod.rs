//! DynamoDB: tables with string keys, conditional writes and transactions, as far as the ledger and
//! the commands of the documentation use them.
//!
//! Other operations and members are refused by name, never ignored.
//! Reads are current, and `ConsistentRead` changes nothing, unless [`DynamoDb::lag`] was called.

mod attribute;
mod definition;
mod expiry;
mod expression;
mod iam;
mod index;
mod key_condition;
mod number;
mod partition;
mod read;
mod stream;
mod table;
mod transaction;
mod write;

#[cfg(test)]
mod tests;

pub(crate) use stream::{
    SHARDS, StreamRecord, has_both_images, next_place, records, set_stream, stream_arn,
};
pub(crate) use table::add_index;

use std::collections::BTreeMap;

use serde_json::Value;

use self::table::Table;
use crate::input::Input;
use crate::protocol::{Json, Protocol};
use crate::service::{Errors, Service, Wording};
use crate::{ApiError, Aws, Millis, lambda, record, validation};

#[derive(Clone, Debug, Default)]
pub struct DynamoDb {
    tables: BTreeMap<String, Table>,
    /// How many of the next writes find their item in another transaction, and are refused.
    pub conflicts: u32,
    /// The client request tokens of past transactions, with the time and the items of each.
    tokens: BTreeMap<String, (Millis, Value)>,
}

impl DynamoDb {
    /// Makes reads of today's tables without `ConsistentRead` return each item as it was before its
    /// last write.
    pub fn lag(&mut self) {
        self.tables.values_mut().for_each(|table| table.lags = true);
    }

    /// Every item of a table in its JSON form, for checks of the state itself.
    pub fn items(&self, table: &str) -> Vec<Value> {
        self.tables
            .get(table)
            .map(|table| table.items.values().map(attribute::item_to_json).collect())
            .unwrap_or_default()
    }

    /// The item of a key, both in their JSON form.
    pub fn item(&self, table: &str, key: &Value) -> Option<Value> {
        let table = self.tables.get(table)?;
        let key = table.key_from_json(key).ok()?;
        table.items.get(&key).map(attribute::item_to_json)
    }
}

/// An error with the members that its JSON has beside the message.
#[derive(Clone, Debug)]
pub(crate) struct RequestFailure {
    pub(crate) error: ApiError,
    pub(crate) members: Vec<(String, Value)>,
}

impl From<ApiError> for RequestFailure {
    fn from(error: ApiError) -> Self {
        Self {
            error,
            members: Vec::new(),
        }
    }
}

pub(crate) const SERVICE: Service = Service {
    name: "dynamodb",
    protocol: Protocol::Json(
        Json::new(
            "DynamoDB_20120810",
            "com.amazonaws.dynamodb.v20120810",
            |aws, operation, input| Ok(run_operation(aws, operation, input)?),
        )
        .version_1_0()
        .validated_by_framework(),
    ),
    errors: Errors {
        throttled: Wording::new(
            400,
            "ThrottlingException",
            "Rate of requests exceeds the allowed throughput.",
        ),
        internal: Wording::new(500, "InternalServerError", "Internal server error"),
        ..Errors::JSON
    },
    demands: iam::demands,
};

impl From<RequestFailure> for ApiError {
    fn from(RequestFailure { error, members }: RequestFailure) -> Self {
        Self { members, ..error }
    }
}

/// One operation by its API name with the JSON 1.0 input; returns the JSON output.
pub fn call(aws: &mut Aws, operation: &str, input: &Value) -> Result<Value, ApiError> {
    let answer = run_operation(aws, operation, input).map_err(|failure| failure.error);
    record::operation("dynamodb", operation, input, &answer);
    answer
}

/// Like `call`, with all members of the error.
pub(crate) fn run_operation(
    aws: &mut Aws,
    operation: &str,
    input: &Value,
) -> Result<Value, RequestFailure> {
    let answer = serve(aws, operation, input)?;
    if matches!(operation, "PutItem" | "TransactWriteItems") {
        lambda::wake_mappings(aws);
    }
    Ok(answer)
}

fn serve(aws: &mut Aws, operation: &str, input: &Value) -> Result<Value, RequestFailure> {
    match operation {
        "CreateTable" => Ok(table::create(aws, input)?),
        "UpdateTable" => Ok(table::update(aws, input)?),
        "UpdateTimeToLive" => Ok(expiry::update(aws, input)?),
        "DeleteTable" => Ok(table::delete(aws, input)?),
        "GetItem" => Ok(read::get_item(aws, input)?),
        "Query" => Ok(read::query(aws, input)?),
        "Scan" => Ok(read::scan(aws, input)?),
        "PutItem" => write::put_item(aws, input),
        "TransactWriteItems" => transaction::write_items(aws, input),
        _ => Err(ApiError::unknown_operation(operation).into()),
    }
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::client("ValidationException", message)
}

fn unserved(what: &str) -> ApiError {
    invalid(format!("the sandbox does not serve {what}"))
}

/// Refuses members that the sandbox would otherwise ignore.
fn check_members(input: &Value, known: &[&str]) -> Result<(), ApiError> {
    let members = input
        .as_object()
        .ok_or_else(|| attribute::serialization("Expected an object"))?;

    match members
        .iter()
        .find(|(name, value)| !value.is_null() && !known.contains(&name.as_str()))
    {
        Some((name, _)) => Err(unserved(&format!("the member {name}"))),
        None => Ok(()),
    }
}

fn text<'a>(input: &'a Value, member: &str) -> Result<Option<&'a str>, ApiError> {
    Input::new(input).text(member)
}

fn required<'a>(input: &'a Value, member: &str) -> Result<&'a Value, ApiError> {
    let given = input.get(member).filter(|value| !value.is_null());
    given.ok_or_else(|| invalid(validation::missing(member)))
}
