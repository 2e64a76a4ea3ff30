//! The ledger's table as it is read and written: keys, conditions, consistent reads, pages and
//! versions.

mod history;
mod leases;
mod newest_pushes;
mod pending_deregistrations;
mod pushes;
mod reads;
mod records;
mod stack_updates;

use serde_json::{Value, json};

use super::script::{Answer, Script, answer, at, refusal, response, run};
use crate::aws::{ErrorKind, Ledger};
use crate::job::{Failure, StepError};
use crate::release::{Lease, Outcome, Push, Record, RecordState, Started};

const DIGEST: &str = "sha256:0a";

fn ledger(script: &Script) -> Ledger {
    Ledger::new(&script.sdk())
}

/// A free lease, as the table has it.
pub(super) fn free(fence: u64) -> Value {
    json!({
        "pk": {"S": "lease"}, "sk": {"S": "apps/web"}, "v": {"N": "1"},
        "cluster": {"S": "apps"}, "service": {"S": "web"}, "fence": {"N": fence.to_string()}
    })
}

fn free_lease(fence: u64) -> Lease {
    Lease {
        cluster: "apps".to_owned(),
        service: "web".to_owned(),
        fence,
        changed_at: None,
        last_known: None,
        restart: None,
        left: None,
        release: None,
    }
}

fn push_item() -> Value {
    json!({
        "pk": {"S": "push#slipway-web"}, "sk": {"S": DIGEST}, "v": {"N": "1"},
        "pipeline": {"S": "slipway-web"}, "digest": {"S": DIGEST}, "tag": {"S": "1.0"},
        "event": {"S": "event-1"}, "claimed_at": {"S": "2026-01-05T09:00:00Z"}
    })
}

fn push() -> Push {
    Push {
        v: 1,
        pipeline: "slipway-web".to_owned(),
        digest: DIGEST.to_owned(),
        tag: Some("1.0".to_owned()),
        event: "event-1".to_owned(),
        pushed_at: None,
        claimed_at: at(0),
        execution: None,
        refusal: None,
        waiting: None,
        expires_at: None,
    }
}

fn started() -> Record {
    Record::started("e-1", "slipway-web", Some(DIGEST), at(0))
}

fn record_item(state: &str) -> Value {
    json!({
        "pk": {"S": "execution#e-1"}, "sk": {"S": "record"}, "v": {"N": "1"},
        "execution": {"S": "e-1"}, "pipeline": {"S": "slipway-web"}, "digest": {"S": DIGEST},
        "state": {"S": state}, "started_at": {"S": "2026-01-05T09:00:00Z"}
    })
}

pub(super) fn item(item: &Value) -> Answer {
    answer(&json!({ "Item": item }))
}

/// A transaction that DynamoDB canceled, with the reason of each item.
fn canceled(reasons: [&str; 2]) -> Answer {
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": format!(
            "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
            reasons.join(", ")
        ),
        "CancellationReasons": reasons.map(|code| json!({ "Code": code }))
    });

    response(400, "application/x-amz-json-1.0", body.to_string())
}

/// The parts of a transaction, without the token that makes its retries one.
fn transaction(script: &Script) -> Value {
    let sent = script.only();
    assert_eq!(sent.operation(), "TransactWriteItems");
    sent.json()["TransactItems"].clone()
}

/// A mark of a started execution, as the table has it.
fn mark() -> Value {
    json!({
        "pk": {"S": "lease"}, "sk": {"S": "started#e-1"}, "v": {"N": "1"},
        "execution": {"S": "e-1"}, "pipeline": {"S": "slipway-web"}
    })
}
