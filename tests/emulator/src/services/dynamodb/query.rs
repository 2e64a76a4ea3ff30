//! Query and Scan, page by page.

use serde_json::{Value, json};

use super::attribute::{Item, item_size, item_to_json};
use super::expression::{Comparator, Condition, Operand, Path, Placeholders, projection};
use super::read::{check_flags, is_consistent, projected};
use super::table::{KeyAttribute, PrimaryKey, Table};
use super::{check_members, invalid, table, text, word};
use crate::{ApiError, Aws};

/// A page holds at most this much, before the filter.
const MAX_PAGE_BYTES: usize = 1024 * 1024;

const SCAN_MEMBERS: [&str; 10] = [
    "TableName",
    "Limit",
    "ExclusiveStartKey",
    "ConsistentRead",
    "ReturnConsumedCapacity",
    "Select",
    "FilterExpression",
    "ProjectionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
];

/// What both operations ask for beside which items.
struct Page {
    filter: Option<Condition>,
    paths: Option<Vec<Path>>,
    limit: Option<usize>,
    start: Option<PrimaryKey>,
    counts_only: bool,
}

pub(super) fn scan(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(input, &SCAN_MEMBERS)?;
    let pages = aws.pages;
    let table = table::named(aws, input)?;
    let expressions = ["FilterExpression", "ProjectionExpression"]
        .iter()
        .any(|member| input.get(*member).is_some());
    let mut placeholders = Placeholders::read(input, expressions)?;
    let page = Page::read(table, input, &mut placeholders)?.of_at_most(pages);
    placeholders.finish()?;
    Ok(page.answer(table, table.all_seen(is_consistent(input))))
}

pub(super) fn query(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(
        input,
        &[
            &SCAN_MEMBERS[..],
            &["KeyConditionExpression", "ScanIndexForward"],
        ]
        .concat(),
    )?;
    let pages = aws.pages;
    let table = table::named(aws, input)?;
    let key_condition = text(input, "KeyConditionExpression")?.ok_or_else(|| {
        invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
    })?;
    let mut placeholders = Placeholders::read(input, true)?;
    let condition = Condition::parse("KeyConditionExpression", key_condition, &mut placeholders)?;
    check_key_condition(table, &condition)?;
    let page = Page::read(table, input, &mut placeholders)?.of_at_most(pages);
    placeholders.finish()?;
    if let Some(path) = page
        .filter
        .iter()
        .flat_map(Condition::paths)
        .find(|path| table.is_key(path.top()))
    {
        let name = path.top();
        return Err(invalid(format!(
            "Filter Expression can only contain non-primary key attributes: Primary key attribute: {name}"
        )));
    }
    let forward = match input.get("ScanIndexForward") {
        None | Some(Value::Null) => true,
        Some(value) => value.as_bool().ok_or_else(|| {
            super::attribute::serialization("ScanIndexForward: expected a boolean")
        })?,
    };
    let mut found = table.all_seen(is_consistent(input));
    found.retain(|(_, item)| condition.holds(item, table.absent_differs));
    if !forward {
        found.reverse();
    }
    if let Some(start) = &page.start {
        found.retain(|(key, _)| if forward { *key > start } else { *key < start });
    }
    Ok(Page {
        start: None,
        ..page
    }
    .answer(table, found))
}

impl Page {
    fn read(
        table: &Table,
        input: &Value,
        placeholders: &mut Placeholders,
    ) -> Result<Self, ApiError> {
        check_flags(input)?;
        let filter = text(input, "FilterExpression")?
            .map(|text| Condition::parse("FilterExpression", text, placeholders))
            .transpose()?;
        let paths = text(input, "ProjectionExpression")?
            .map(|text| projection(text, placeholders))
            .transpose()?;
        let default = if paths.is_some() {
            "SPECIFIC_ATTRIBUTES"
        } else {
            "ALL_ATTRIBUTES"
        };
        let select = word(
            input,
            "Select",
            &[default, "ALL_ATTRIBUTES", "SPECIFIC_ATTRIBUTES", "COUNT"],
        )?;
        if (select == "SPECIFIC_ATTRIBUTES") != paths.is_some() {
            return Err(invalid(format!(
                "Cannot specify the ProjectionExpression when choosing to get {select}"
            )));
        }
        let limit = match input.get("Limit") {
            None | Some(Value::Null) => None,
            Some(limit) => Some(limit.as_u64().filter(|limit| *limit > 0).ok_or_else(|| {
                invalid(format!(
                    "1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: \
                     Member must have value greater than or equal to 1"
                ))
            })? as usize),
        };
        let start = match input.get("ExclusiveStartKey") {
            None | Some(Value::Null) => None,
            Some(key) => Some(
                table
                    .key_from_json(key)
                    .map_err(|_| invalid("The provided starting key is invalid"))?
                    .0,
            ),
        };
        Ok(Self {
            filter,
            paths,
            limit,
            start,
            counts_only: select == "COUNT",
        })
    }

    /// The same page, which ends after so many items as if they were a megabyte.
    fn of_at_most(self, items: Option<usize>) -> Self {
        Self {
            limit: self
                .limit
                .into_iter()
                .chain(items.map(|items| items.max(1)))
                .min(),
            ..self
        }
    }

    /// One page of the candidates, which are in order.
    fn answer(&self, table: &Table, candidates: Vec<(&PrimaryKey, &Item)>) -> Value {
        let mut candidates = candidates
            .into_iter()
            .filter(|(key, _)| self.start.as_ref().is_none_or(|start| *key > start))
            .peekable();
        let (mut items, mut count, mut scanned, mut bytes) = (Vec::new(), 0, 0, 0);
        let mut last = None;
        while let Some((_, item)) = candidates.peek().copied() {
            bytes += item_size(item);
            // A page that ends by Limit names its last key even if nothing follows, as AWS does.
            if self.limit.is_some_and(|limit| scanned >= limit)
                || (bytes > MAX_PAGE_BYTES && scanned > 0)
            {
                break;
            }
            candidates.next();
            scanned += 1;
            last = Some(item);
            if self
                .filter
                .as_ref()
                .is_none_or(|filter| filter.holds(item, table.absent_differs))
            {
                count += 1;
                items.push(projected(item, self.paths.as_deref()));
            }
        }
        let more = candidates.peek().is_some() || self.limit.is_some_and(|limit| scanned >= limit);
        let mut answer = json!({});
        if !self.counts_only {
            answer["Items"] = Value::from(items);
        }
        answer["Count"] = json!(count);
        answer["ScannedCount"] = json!(scanned);
        if let Some(last) = last.filter(|_| more) {
            answer["LastEvaluatedKey"] = item_to_json(&table.key_part(last));
        }
        answer
    }
}

/// The partition key must equal a value, and the sort key may be compared once.
fn check_key_condition(table: &Table, condition: &Condition) -> Result<(), ApiError> {
    let mut seen: Vec<&str> = Vec::new();
    for part in parts(condition)? {
        let (path, values, equal) = match part {
            Condition::Compare(Operand::Path(path), comparator, value)
                if *comparator != Comparator::NotEqual =>
            {
                (path, vec![value], *comparator == Comparator::Equal)
            }
            Condition::Between(Operand::Path(path), low, high) => (path, vec![low, high], false),
            Condition::BeginsWith(Operand::Path(path), prefix) => (path, vec![prefix], false),
            _ => return Err(invalid("Invalid operator used in KeyConditionExpression")),
        };
        let name = path.only().ok_or_else(|| {
            invalid(
                "Invalid KeyConditionExpression: KeyConditionExpressions cannot have conditions on nested attributes",
            )
        })?;
        let key: &KeyAttribute = table
            .keys()
            .find(|key| key.name == name)
            .ok_or_else(|| missed(table, &seen))?;
        if *key == table.hash && !equal {
            return Err(invalid("Query key condition not supported"));
        }
        if seen.contains(&name) {
            return Err(invalid(
                "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key",
            ));
        }
        for value in values {
            match value {
                Operand::Value(value) if key.accepts(value) => {}
                Operand::Value(_) => {
                    return Err(invalid(
                        "One or more parameter values were invalid: Condition parameter type does not match schema type",
                    ));
                }
                _ => {
                    return Err(invalid(
                        "Invalid KeyConditionExpression: The operand must be a value",
                    ));
                }
            }
        }
        seen.push(name);
    }
    if seen.contains(&table.hash.name.as_str()) {
        Ok(())
    } else {
        Err(missed(table, &seen))
    }
}

fn missed(table: &Table, seen: &[&str]) -> ApiError {
    let name = table
        .keys()
        .map(|key| key.name.as_str())
        .find(|name| !seen.contains(name))
        .unwrap_or_default();
    invalid(format!("Query condition missed key schema element: {name}"))
}

fn parts(condition: &Condition) -> Result<Vec<&Condition>, ApiError> {
    match condition {
        Condition::And(one, two) => Ok([parts(one)?, parts(two)?].concat()),
        Condition::Or(..) => Err(invalid(
            "Invalid operator used in KeyConditionExpression: OR",
        )),
        Condition::Not(_) => Err(invalid(
            "Invalid operator used in KeyConditionExpression: NOT",
        )),
        other => Ok(vec![other]),
    }
}
