//! TransactWriteItems: all of the writes or none, and once per client request token.

use serde_json::{Value, json};

use super::table::PrimaryKey;
use super::write::{Write, WriteRequest};
use super::{RequestFailure, SERVICE, check_members, invalid, required, table, text, unserved};
use crate::text::camel_case;
use crate::validation::{Quoted, TextConstraints, Violations};
use crate::{ApiError, Aws, Millis};

/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
const MAX_WRITES: usize = 100;
/// How long a client request token is remembered, from the same page.
const TOKEN_LIFE_MS: Millis = 10 * 60 * 1000;

const TOKEN: TextConstraints = TextConstraints::of_lengths(1..=36);

/// The message for a write whose item is in another transaction.
pub(super) const ONGOING: &str = "Transaction is ongoing for the item";

/// Whether a write that comes now finds its item in another transaction.
pub(super) fn conflicts(aws: &mut Aws) -> bool {
    let left = aws.dynamodb.conflicts;
    aws.dynamodb.conflicts = left.saturating_sub(1);
    left > 0
}

pub(super) fn write_items(aws: &mut Aws, input: &Value) -> Result<Value, RequestFailure> {
    check_members(input, &["TransactItems", "ClientRequestToken"])?;
    let token = text(input, "ClientRequestToken")?.map(str::to_owned);
    let items = required(input, "TransactItems")?;
    if let Some(token) = &token
        && already_done(aws, token, items)?
    {
        return Ok(json!({}));
    }

    let writes = read_all(aws, items)?;
    if conflicts(aws) {
        let conflict = ApiError::client("TransactionConflictException", ONGOING);
        let mut failures = vec![None; writes.len()];
        failures[0] = Some(conflict.into());
        return Err(canceled(failures));
    }

    let failures = throttled(aws, &writes)?;
    if failures.iter().any(Option::is_some) {
        return Err(canceled(failures));
    }

    let mut prepared = Vec::new();
    let mut failures = Vec::new();
    for (name, write) in writes {
        let table = table::named(aws, &name)?;
        let write = write.map_err(RequestFailure::from);
        match write.and_then(|write| write.prepare(table)) {
            Ok(write) => {
                prepared.push((name, write));
                failures.push(None);
            }
            Err(failure) => failures.push(Some(failure)),
        }
    }
    if failures.iter().any(Option::is_some) {
        return Err(canceled(failures));
    }

    for (name, write) in prepared {
        write.apply(table::named(aws, &name)?);
    }
    if let Some(token) = token {
        aws.dynamodb.tokens.insert(token, (aws.now, items.clone()));
    }
    Ok(json!({}))
}

/// The writes whose partitions take no more of them now.
fn throttled(aws: &mut Aws, writes: &[Named]) -> Result<Vec<Option<RequestFailure>>, ApiError> {
    let (limits, now) = (aws.quotas.limits_partitions, aws.now);
    let mut failures = Vec::new();
    for (name, write) in writes {
        let partitions = &mut table::named(aws, name)?.partitions;
        let is_throttled = limits
            && write
                .as_ref()
                .is_ok_and(|write| !partitions.take(&write.key, 2 * write.units(), now));
        failures.push(is_throttled.then(|| SERVICE.errors.throttled.error().into()));
    }
    Ok(failures)
}

/// Whether this very transaction was done already; another one under the same token is an error.
fn already_done(aws: &mut Aws, token: &str, items: &Value) -> Result<bool, ApiError> {
    let mut violations = Violations::default();
    violations.check_text("clientRequestToken", token, &TOKEN);
    if let Some(message) = violations.message() {
        return Err(invalid(message));
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

/// A write, or why its key is none of the table, with the `{"TableName": …}` that names the table.
type Named = (Value, Result<Write, ApiError>);

/// The writes: all that their requests say is read before a table is looked for.
fn read_all(aws: &mut Aws, items: &Value) -> Result<Vec<Named>, ApiError> {
    let items = items.as_array().cloned().unwrap_or_default();
    let mut violations = Violations::default();
    let shown = if items.is_empty() {
        Quoted::Text("[]")
    } else {
        Quoted::Omitted
    };
    let bounds = 1..=MAX_WRITES;
    violations.check_bound("transactItems", shown, "length", items.len(), &bounds);
    for (index, item) in items.iter().enumerate() {
        let place = format!("transactItems.{}.member", index + 1);
        check_required(&mut violations, &place, item);
    }
    if let Some(message) = violations.message() {
        return Err(invalid(message));
    }

    let requests: Vec<(Value, WriteRequest)> = items.iter().map(read).collect::<Result<_, _>>()?;
    let mut seen: Vec<(Value, PrimaryKey)> = Vec::new();
    let mut writes = Vec::new();
    for (name, request) in requests {
        let table = table::named(aws, &name)?;
        if let Err(misfit) = request.check_schema(table) {
            writes.push((name, Err(misfit)));
            continue;
        }
        let write = request.on(table)?;
        let target = (name.clone(), write.key.clone());
        if seen.contains(&target) {
            return Err(invalid(
                "Transaction request cannot include multiple operations on one item",
            ));
        }
        seen.push(target);
        writes.push((name, Ok(write)));
    }
    Ok(writes)
}

fn read(item: &Value) -> Result<(Value, WriteRequest), ApiError> {
    let mut members = item
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, value)| !value.is_null());
    let (Some((kind, write)), None) = (members.next(), members.next()) else {
        return Err(invalid(
            "TransactItems can only contain one of Check, Put, Update or Delete",
        ));
    };

    let name = json!({ "TableName": required(write, "TableName")? });
    let request = match kind.as_str() {
        "Put" => WriteRequest::put(write, &[], |error| error)?,
        "Update" => WriteRequest::update(write)?,
        "Delete" => WriteRequest::delete(write)?,
        "ConditionCheck" => WriteRequest::check(write)?,
        _ => return Err(unserved(&format!("{kind} in transactions"))),
    };
    Ok((name, request))
}

/// The members that each kind of write must have.
const REQUIRED: [(&str, &[&str]); 4] = [
    (
        "ConditionCheck",
        &["Key", "TableName", "ConditionExpression"],
    ),
    ("Put", &["Item", "TableName"]),
    ("Delete", &["Key", "TableName"]),
    ("Update", &["Key", "UpdateExpression", "TableName"]),
];

fn check_required(violations: &mut Violations, place: &str, item: &Value) {
    for (kind, members) in REQUIRED {
        let write = &item[kind];
        for member in members.iter().filter(|_| !write.is_null()) {
            if write[*member].is_null() {
                let field = format!("{place}.{}.{}", camel_case(kind), camel_case(member));
                violations.add(Quoted::Null, &field, "Member must not be null");
            }
        }
    }
}

fn canceled(failures: Vec<Option<RequestFailure>>) -> RequestFailure {
    let reasons: Vec<Value> = failures.into_iter().map(reason).collect();
    let codes: Vec<&str> = reasons
        .iter()
        .filter_map(|reason| reason["Code"].as_str())
        .collect();
    let message = format!(
        "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
        codes.join(", ")
    );

    RequestFailure {
        error: ApiError::client("TransactionCanceledException", message),
        members: vec![("CancellationReasons".to_owned(), Value::from(reasons))],
    }
}

fn reason(failure: Option<RequestFailure>) -> Value {
    let Some(RequestFailure { error, members }) = failure else {
        return json!({ "Code": "None" });
    };

    let code = match error.code.as_str() {
        "ConditionalCheckFailedException" => "ConditionalCheckFailed",
        "TransactionConflictException" => "TransactionConflict",
        "ThrottlingException" => "ThrottlingError",
        _ => "ValidationError",
    };
    let mut reason = json!({ "Code": code, "Message": error.message });
    for (member, value) in members {
        reason[member] = value;
    }
    reason
}
