//! GetItem, and what all reads share.

use serde_json::{Value, json};

use super::attribute::{Item, item_to_json};
use super::expression::{Path, Placeholders, project, projection};
use super::{check_members, required, table, text, word};
use crate::{ApiError, Aws};

const GET_MEMBERS: [&str; 6] = [
    "TableName",
    "Key",
    "ConsistentRead",
    "ReturnConsumedCapacity",
    "ProjectionExpression",
    "ExpressionAttributeNames",
];

pub(super) fn get_item(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(input, &GET_MEMBERS)?;
    check_flags(input)?;
    let table = table::named(aws, input)?;
    let wanted = text(input, "ProjectionExpression")?;
    let mut placeholders = Placeholders::read(input, wanted.is_some())?;
    let paths = wanted
        .map(|text| projection(text, &mut placeholders))
        .transpose()?;
    placeholders.finish()?;
    let (key, _) = table.key_from_json(required(input, "Key")?)?;
    Ok(match table.seen(&key, is_consistent(input)) {
        Some(item) => Value::from_iter([("Item", projected(item, paths.as_deref()))]),
        None => json!({}),
    })
}

/// Whether a read must not lag behind.
pub(super) fn is_consistent(input: &Value) -> bool {
    input
        .get("ConsistentRead")
        .and_then(Value::as_bool)
        .unwrap_or(false)
}

/// The types of members that change nothing, or only how current a read is.
pub(super) fn check_flags(input: &Value) -> Result<(), ApiError> {
    if input
        .get("ConsistentRead")
        .is_some_and(|value| !value.is_null() && !value.is_boolean())
    {
        return Err(super::attribute::serialization(
            "ConsistentRead: expected a boolean",
        ));
    }
    word(
        input,
        "ReturnConsumedCapacity",
        &["NONE", "TOTAL", "INDEXES"],
    )?;
    Ok(())
}

pub(super) fn projected(item: &Item, paths: Option<&[Path]>) -> Value {
    match paths {
        Some(paths) => item_to_json(&project(item, paths)),
        None => item_to_json(item),
    }
}
