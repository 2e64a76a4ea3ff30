//! TransactWriteItems: all of the writes or none, and once per client request token.

use serde_json::{Value, json};

use super::table::PrimaryKey;
use super::write::Write;
use super::{Failure, check_members, invalid, read, required, table, text};
use crate::{ApiError, Aws, Millis};

const MAX_ACTIONS: usize = 100;
/// How long a client request token is remembered.
const TOKEN_LIFE_MS: Millis = 10 * 60 * 1000;

const KINDS: [&str; 4] = ["Put", "Update", "Delete", "ConditionCheck"];
const MEMBERS: [&str; 4] = [
    "TransactItems",
    "ClientRequestToken",
    "ReturnConsumedCapacity",
    "ReturnItemCollectionMetrics",
];
const ACTION_MEMBERS: [&str; 8] = [
    "TableName",
    "Item",
    "Key",
    "UpdateExpression",
    "ConditionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "ReturnValuesOnConditionCheckFailure",
];

/// How a write is refused whose item is in another transaction.
pub(super) const ONGOING: &str = "Transaction is ongoing for the item";

/// Whether a write that comes now finds its item in another transaction.
pub(super) fn conflicts(aws: &mut Aws) -> bool {
    let left = aws.dynamodb.conflicts;
    aws.dynamodb.conflicts = left.saturating_sub(1);
    left > 0
}

pub(super) fn write_items(aws: &mut Aws, input: &Value) -> Result<Value, Failure> {
    check_members(input, &MEMBERS)?;
    read::check_flags(input)?;
    let token = text(input, "ClientRequestToken")?.map(str::to_owned);
    let items = required(input, "TransactItems")?;
    if let Some(token) = &token
        && already_done(aws, token, items)?
    {
        return Ok(json!({}));
    }
    let writes = read_all(aws, items)?;
    if conflicts(aws) {
        let conflict = ApiError::client("TransactionConflictException", ONGOING).into();
        let others = (1..writes.len()).map(|_| None);
        return Err(canceled(
            std::iter::once(Some(conflict)).chain(others).collect(),
        ));
    }
    let mut outcomes = Vec::new();
    let mut failed = false;
    for (name, write) in &writes {
        let outcome = write.outcome(table::named(aws, name)?);
        failed |= outcome.is_err();
        outcomes.push(outcome);
    }
    if failed {
        return Err(canceled(outcomes.into_iter().map(Result::err).collect()));
    }
    for ((name, write), outcome) in writes.into_iter().zip(outcomes) {
        write.apply(table::named(aws, &name)?, outcome?);
    }
    if let Some(token) = token {
        aws.dynamodb.tokens.insert(token, (aws.now, items.clone()));
    }
    Ok(json!({}))
}

/// Whether this very transaction was done already; another one under the same token is an error.
fn already_done(aws: &mut Aws, token: &str, items: &Value) -> Result<bool, ApiError> {
    if !(1..=36).contains(&token.len()) {
        return Err(invalid(
            "ClientRequestToken must have a length between 1 and 36",
        ));
    }
    let now = aws.now;
    aws.dynamodb
        .tokens
        .retain(|_, (at, _)| now - *at < TOKEN_LIFE_MS);
    match aws.dynamodb.tokens.get(token) {
        Some((_, done)) if done == items => Ok(true),
        Some(_) => Err(ApiError::client(
            "IdempotentParameterMismatchException",
            "The provided client token is already in use with different request parameters",
        )),
        None => Ok(false),
    }
}

/// The writes, each with the `{"TableName": …}` that names its table.
fn read_all(aws: &mut Aws, items: &Value) -> Result<Vec<(Value, Write)>, ApiError> {
    let items = items.as_array().cloned().unwrap_or_default();
    if !(1..=MAX_ACTIONS).contains(&items.len()) {
        return Err(invalid(
            "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: \
             Member must have length less than or equal to 100 and greater than or equal to 1",
        ));
    }
    let mut seen: Vec<(Value, PrimaryKey)> = Vec::new();
    let mut writes = Vec::new();
    for item in &items {
        let mut actions = item
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(_, value)| !value.is_null());
        let (Some((kind, action)), None) = (actions.next(), actions.next()) else {
            return Err(invalid(
                "TransactItems can only contain one of Check, Put, Update or Delete",
            ));
        };
        if !KINDS.contains(&kind.as_str()) {
            return Err(invalid(
                "TransactItems can only contain one of Check, Put, Update or Delete",
            ));
        }
        check_members(action, &ACTION_MEMBERS)?;
        match kind.as_str() {
            "ConditionCheck" => required(action, "ConditionExpression").map(drop)?,
            "Update" => required(action, "UpdateExpression").map(drop)?,
            _ => {}
        }
        let name = json!({ "TableName": required(action, "TableName")? });
        let write = Write::read(table::named(aws, &name)?, kind, action)?;
        let target = (name.clone(), write.key.clone());
        if seen.contains(&target) {
            return Err(invalid(
                "Transaction request cannot include multiple operations on one item",
            ));
        }
        seen.push(target);
        writes.push((name, write));
    }
    Ok(writes)
}

fn canceled(failures: Vec<Option<Failure>>) -> Failure {
    let reasons: Vec<Value> = failures.into_iter().map(reason).collect();
    let codes: Vec<&str> = reasons
        .iter()
        .filter_map(|reason| reason["Code"].as_str())
        .collect();
    let message = format!(
        "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
        codes.join(", ")
    );
    let mut failure = Failure::from(ApiError::client("TransactionCanceledException", message));
    failure
        .members
        .push(("CancellationReasons".to_owned(), Value::from(reasons)));
    failure
}

fn reason(failure: Option<Failure>) -> Value {
    let Some(failure) = failure else {
        return json!({ "Code": "None" });
    };
    let code = match failure.error.code.as_str() {
        "ConditionalCheckFailedException" => "ConditionalCheckFailed",
        "TransactionConflictException" => "TransactionConflict",
        _ => "ValidationError",
    };
    let own = [
        ("Code".to_owned(), json!(code)),
        ("Message".to_owned(), json!(failure.error.message)),
    ];
    own.into_iter().chain(failure.members).collect()
}
