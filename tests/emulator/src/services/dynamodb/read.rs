//! GetItem, Query and Scan.

use serde_json::{Value, json};

use super::attribute::{Item, item_size, item_to_json, serialization};
use super::expression::{Condition, Placeholders};
use super::table::{PrimaryKey, Table};
use super::{check_members, invalid, key_condition, required, table, text, unserved};
use crate::{ApiError, Aws};

/// A page holds at most this much, before the filter.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html>
const MAX_PAGE_BYTES: usize = 1024 * 1024;

const QUERY_MEMBERS: [&str; 9] = [
    "TableName",
    "IndexName",
    "ScanIndexForward",
    "ConsistentRead",
    "ExclusiveStartKey",
    "KeyConditionExpression",
    "FilterExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
];
const SCAN_MEMBERS: [&str; 6] = [
    "TableName",
    "ConsistentRead",
    "ExclusiveStartKey",
    "FilterExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
];

pub(super) fn get_item(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(input, &["TableName", "Key", "ConsistentRead"])?;
    let consistent = is_consistent(input)?;
    let table = table::named(aws, input)?;
    let key = table.key_from_json(required(input, "Key")?)?;

    Ok(match table.seen(&key, consistent) {
        Some(item) => Value::from_iter([("Item", item_to_json(item))]),
        None => json!({}),
    })
}

pub(super) fn scan(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(input, &SCAN_MEMBERS)?;
    let most = aws.pages;
    let table = table::named(aws, input)?;

    let filter = text(input, "FilterExpression")?;
    let absent = filter.is_none().then_some("FilterExpression");
    let mut placeholders = Placeholders::read(input, absent)?;
    let filter = filter
        .map(|text| Condition::parse("FilterExpression", text, &mut placeholders))
        .transpose()?;
    placeholders.finish()?;

    let items = seen_from(table, input)?;
    Ok(page_of(table, &[], &items, most, filter.as_ref()))
}

pub(super) fn query(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(input, &QUERY_MEMBERS)?;
    let most = aws.pages;
    let table: &Table = table::named(aws, input)?;
    let index = text(input, "IndexName")?;
    let index = index.map(|name| table.index(name)).transpose()?;
    if index.is_none() && !input["ScanIndexForward"].is_null() {
        return Err(unserved("the member ScanIndexForward without an index"));
    }

    let member = "KeyConditionExpression";
    let expression = text(input, member)?.ok_or_else(|| {
        invalid(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in \
             the request.",
        )
    })?;
    let mut placeholders = Placeholders::read(input, None)?;
    let condition = Condition::parse(member, expression, &mut placeholders)?;
    let filter = text(input, "FilterExpression")?
        .map(|text| Condition::parse("FilterExpression", text, &mut placeholders))
        .transpose()?;
    placeholders.finish()?;
    let own: Vec<&str> = index.map_or_else(Vec::new, |index| index.keys().to_vec());
    let keys = match index {
        Some(_) => own.clone(),
        None => table.keys().collect(),
    };
    key_condition::check(&keys, &condition)?;
    check_filter(&keys, filter.as_ref())?;

    // The items of one partition are all that a query reads, so that only they count for its page.
    let mut items = match index {
        Some(index) => index.seen_from(table, input)?,
        None => seen_from(table, input)?,
    };
    items.retain(|(_, item)| condition.holds(item));
    Ok(page_of(table, &own, &items, most, filter.as_ref()))
}

/// The filter of a query is about other attributes than those of the key.
fn check_filter(keys: &[&str], filter: Option<&Condition>) -> Result<(), ApiError> {
    let attributes = filter.map(Condition::attributes).unwrap_or_default();
    match keys.iter().find(|key| attributes.contains(*key)) {
        Some(key) => Err(invalid(format!(
            "Filter Expression can only contain non-primary key attributes: Primary key \
             attribute: {key}"
        ))),
        None => Ok(()),
    }
}

/// The items after the start key as the read sees them, in order.
fn seen_from<'a>(
    table: &'a Table,
    input: &Value,
) -> Result<Vec<(&'a PrimaryKey, &'a Item)>, ApiError> {
    let mut items = table.all_seen(is_consistent(input)?);

    if let Some(start) = input.get("ExclusiveStartKey").filter(|key| !key.is_null()) {
        let start = table
            .key_from_json(start)
            .map_err(|_| invalid("The provided starting key is invalid"))?;
        items.retain(|(key, _)| **key > start);
    }
    Ok(items)
}

/// One page: at most a megabyte, and at most this many items if the scenario limits pages. The key of
/// its last item has those of the index, too.
fn page_of(
    table: &Table,
    of_index: &[&str],
    candidates: &[(&PrimaryKey, &Item)],
    most: Option<usize>,
    filter: Option<&Condition>,
) -> Value {
    let most = most.map_or(usize::MAX, |most| most.max(1));
    let mut found = Vec::new();
    let mut scanned = 0;
    let mut bytes = 0;

    for (_, item) in candidates {
        bytes += item_size(item);
        if scanned >= most || (bytes > MAX_PAGE_BYTES && scanned > 0) {
            break;
        }

        scanned += 1;
        if filter.is_none_or(|filter| filter.holds(item)) {
            found.push(item_to_json(item));
        }
    }

    let mut answer = json!({ "Count": found.len(), "ScannedCount": scanned });
    answer["Items"] = Value::from(found);
    // A page that ends by a number of items names its last key even if nothing follows, as AWS
    // does.
    let more = scanned < candidates.len() || scanned >= most;
    if let Some((_, last)) = candidates[..scanned].last().filter(|_| more) {
        let mut key = table.key_part(last);
        let of_index = last
            .iter()
            .filter(|(name, _)| of_index.contains(&name.as_str()));
        key.extend(of_index.map(|(name, value)| (name.clone(), value.clone())));
        answer["LastEvaluatedKey"] = item_to_json(&key);
    }
    answer
}

/// Whether a read must see the last write of each item.
fn is_consistent(input: &Value) -> Result<bool, ApiError> {
    match input.get("ConsistentRead") {
        None | Some(Value::Null) => Ok(false),
        Some(value) => value
            .as_bool()
            .ok_or_else(|| serialization("ConsistentRead: expected a boolean")),
    }
}
