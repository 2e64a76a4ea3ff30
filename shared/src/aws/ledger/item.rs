//! The items of the ledger's table: their keys, and their values with the version that is checked.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_dynamo::{from_item, to_item};

use crate::aws::{AwsError, short_name};
use crate::limits::FORMAT_VERSION;

/// The partition of all that the sweep reads.
pub(super) const LEASE: &str = "lease";

/// What the sort key of a started execution begins with; no name of a cluster holds `#`.
pub(super) const STARTED: &str = "started#";

/// What the sort key of a pending deregistration begins with.
const DEREGISTRATION: &str = "owed#";

/// The sort key of the last update of a service by its own stack; a digest has a colon.
pub(super) const STACK_UPDATE: &str = "stack-update";

/// The sort key of the newest push of a pipeline.
pub(super) const NEWEST_PUSH: &str = "newest";

/// The sort key of the record of an execution.
pub(super) const RECORD: &str = "record";

pub(super) type Item = HashMap<String, AttributeValue>;

/// Sort key of a lease.
pub(super) fn lease_key(cluster: &str, service: &str) -> String {
    format!("{}/{}", short_name(cluster), short_name(service))
}

/// Sort key of what the sweep finds a started execution by.
pub(super) fn started_key(execution: &str) -> String {
    format!("{STARTED}{execution}")
}

/// Sort key of the pending deregistration of a closed release.
pub(super) fn deregistration_key(execution: &str) -> String {
    format!("{DEREGISTRATION}{execution}")
}

/// Partition key of a record.
pub(super) fn record_key(execution: &str) -> String {
    format!("execution#{execution}")
}

/// Partition key of the pushes of a pipeline.
pub(super) fn push_key(pipeline: &str) -> String {
    format!("push#{pipeline}")
}

pub(super) fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

/// The sort key of an item, for messages too.
pub(super) fn sort_key(item: &Item) -> String {
    item.get("sk")
        .and_then(|sk| sk.as_s().ok())
        .cloned()
        .unwrap_or_default()
}

/// Whether an item of the sweep's partition marks a started execution.
pub(super) fn is_started(item: &Item) -> bool {
    sort_key(item).starts_with(STARTED)
}

/// Whether an item of the sweep's partition is a pending deregistration. It is a lease if it is
/// neither.
pub(super) fn is_deregistration(item: &Item) -> bool {
    sort_key(item).starts_with(DEREGISTRATION)
}

/// The item's value, if its `v` is of this version.
pub(super) fn checked<T: DeserializeOwned>(
    operation: &'static str,
    item: Item,
) -> Result<T, AwsError> {
    let version = item
        .get("v")
        .and_then(|v| v.as_n().ok())
        .and_then(|n| n.parse::<u32>().ok());

    if version != Some(FORMAT_VERSION) {
        let found = version.map_or("not a number".to_owned(), |version| version.to_string());
        return Err(AwsError::unexpected(
            operation,
            format!("`v` of a ledger item is {found}; expected {FORMAT_VERSION}"),
        ));
    }

    from_item(item)
        .map_err(|e| AwsError::unexpected(operation, format!("failed to read a ledger item: {e}")))
}

pub(super) fn item(pk: &str, sk: &str, value: &impl Serialize) -> Result<Item, AwsError> {
    let mut item: Item =
        to_item(value).map_err(|e| AwsError::unexpected("dynamodb:PutItem", e.to_string()))?;

    item.insert("pk".to_owned(), text(pk));
    item.insert("sk".to_owned(), text(sk));
    Ok(item)
}
