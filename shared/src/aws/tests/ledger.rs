//! The ledger's table as it is read and written: keys, conditions, consistent reads, pages and
//! versions.

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
        release: None,
    }
}

fn push_item() -> Value {
    json!({
        "pk": {"S": "push#slipway-web"}, "sk": {"S": DIGEST}, "v": {"N": "1"}, "pipeline": {"S": "slipway-web"},
        "digest": {"S": DIGEST}, "tag": {"S": "1.0"}, "event": {"S": "event-1"},
        "claimed_at": {"S": "2026-01-05T09:00:00Z"}
    })
}

fn push() -> Push {
    Push {
        v: 1,
        pipeline: "slipway-web".to_owned(),
        digest: DIGEST.to_owned(),
        tag: Some("1.0".to_owned()),
        event: "event-1".to_owned(),
        claimed_at: at(0),
        execution: None,
        refusal: None,
    }
}

fn started() -> Record {
    Record::started("e-1", "slipway-web", Some(DIGEST), at(0))
}

fn record_item(state: &str) -> Value {
    json!({
        "pk": {"S": "execution#e-1"}, "sk": {"S": "record"}, "v": {"N": "1"}, "execution": {"S": "e-1"},
        "pipeline": {"S": "slipway-web"}, "digest": {"S": DIGEST}, "state": {"S": state},
        "started_at": {"S": "2026-01-05T09:00:00Z"}
    })
}

pub(super) fn item(item: &Value) -> Answer {
    answer(&json!({ "Item": item }))
}

/// The parts of a transaction, without the token that makes its retries one.
/// A transaction that DynamoDB canceled, with the reason of each item.
fn canceled(reasons: [&str; 2]) -> Answer {
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": format!("Transaction cancelled, please refer cancellation reasons for specific reasons [{}]", reasons.join(", ")),
        "CancellationReasons": reasons.map(|code| json!({ "Code": code }))
    });
    response(400, "application/x-amz-json-1.0", body.to_string())
}

fn transaction(script: &Script) -> Value {
    let sent = script.only();
    assert_eq!(sent.operation(), "TransactWriteItems");
    sent.json()["TransactItems"].clone()
}

#[test]
fn a_lease_is_read_by_the_names_of_cluster_and_service_and_is_current() {
    let script = Script::new([item(&free(7))]);
    let (cluster, service) = ("arn:aws:ecs:eu-west-1:111122223333:cluster/apps", "web");
    assert_eq!(
        run(ledger(&script).lease(cluster, service)).expect("answered"),
        Some(free_lease(7))
    );
    assert_eq!(script.only().operation(), "GetItem");
    assert_eq!(
        script.only().json(),
        json!({"TableName": "ledger", "Key": {"pk": {"S": "lease"}, "sk": {"S": "apps/web"}}, "ConsistentRead": true})
    );
}

#[test]
fn what_is_not_in_the_table_is_none() {
    let none = || Script::new([answer(&json!({}))]);
    assert_eq!(
        run(ledger(&none()).lease("apps", "web")).expect("answered"),
        None
    );
    assert_eq!(run(ledger(&none()).record("e-1")).expect("answered"), None);
    assert_eq!(
        run(ledger(&none()).push("slipway-web", DIGEST)).expect("answered"),
        None
    );
}

#[test]
fn records_and_pushes_have_keys_of_their_own_and_are_current() {
    let script = Script::new([item(&record_item("started"))]);
    assert_eq!(
        run(ledger(&script).record("e-1")).expect("answered"),
        Some(started())
    );
    let key = json!({"pk": {"S": "execution#e-1"}, "sk": {"S": "record"}});
    assert_eq!(
        script.only().json(),
        json!({"TableName": "ledger", "Key": key, "ConsistentRead": true})
    );

    let script = Script::new([item(&push_item())]);
    assert_eq!(
        run(ledger(&script).push("slipway-web", DIGEST)).expect("answered"),
        Some(push())
    );
    let key = json!({"pk": {"S": "push#slipway-web"}, "sk": {"S": DIGEST}});
    assert_eq!(
        script.only().json(),
        json!({"TableName": "ledger", "Key": key, "ConsistentRead": true})
    );
}

#[test]
fn an_item_of_another_version_is_refused_with_both_versions() {
    for (version, found) in [
        (json!({"N": "2"}), "2"),
        (json!({"N": "0"}), "0"),
        (json!({"S": "1"}), "not a number"),
    ] {
        let mut later = free(7);
        later["v"] = version;
        let script = Script::new([item(&later)]);
        let error = run(ledger(&script).lease("apps", "web")).expect_err("another version");
        assert_eq!(
            (error.operation, error.kind, error.message),
            (
                "dynamodb:GetItem",
                ErrorKind::Unexpected,
                format!("`v` of a ledger item is {found}; expected 1")
            )
        );
    }
}

#[test]
fn an_item_that_lacks_a_field_is_refused() {
    let mut broken = free(7);
    broken.as_object_mut().expect("an object").remove("fence");
    let error =
        run(ledger(&Script::new([item(&broken)])).lease("apps", "web")).expect_err("no fence");
    assert_eq!(error.kind, ErrorKind::Unexpected);
    assert!(
        error.message.starts_with("failed to read a ledger item: "),
        "{error}"
    );
}

/// A mark of a started execution, as the table has it.
fn mark() -> Value {
    json!({
        "pk": {"S": "lease"}, "sk": {"S": "started#e-1"}, "v": {"N": "1"}, "execution": {"S": "e-1"},
        "pipeline": {"S": "slipway-web"}
    })
}

#[test]
fn the_sweep_reads_leases_and_started_executions_of_all_pages_and_they_are_current() {
    let last = json!({"pk": {"S": "lease"}, "sk": {"S": "apps/web"}});
    let mut other = free(3);
    other["service"] = json!({"S": "api"});
    let script = Script::new([
        answer(&json!({"Items": [free(7)], "LastEvaluatedKey": last})),
        answer(&json!({"Items": [], "LastEvaluatedKey": last})),
        answer(&json!({"Items": [mark(), other]})),
    ]);
    let (leases, begun) = run(ledger(&script).leases()).expect("answered");
    assert_eq!(
        leases,
        [
            free_lease(7),
            Lease {
                service: "api".to_owned(),
                ..free_lease(3)
            }
        ]
    );
    assert_eq!(
        begun,
        [Started {
            v: 1,
            execution: "e-1".to_owned(),
            pipeline: "slipway-web".to_owned()
        }]
    );
    let first = json!({
        "TableName": "ledger",
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": "lease"}},
        "ConsistentRead": true
    });
    let mut next = first.clone();
    next["ExclusiveStartKey"] = last;
    let sent: Vec<Value> = script
        .sent()
        .iter()
        .map(super::script::Sent::json)
        .collect();
    assert_eq!(sent, [first, next.clone(), next]);
    assert_eq!(script.operations(), ["Query", "Query", "Query"]);
}

#[test]
fn the_sweep_refuses_items_of_another_version_and_a_listing_without_end() {
    let mut later = mark();
    later["v"] = json!({"N": "2"});
    let error = run(ledger(&Script::new([answer(&json!({ "Items": [later] }))])).leases())
        .expect_err("version 2");
    assert_eq!(error.message, "`v` of a ledger item is 2; expected 1");

    let endless = Script::always(answer(
        &json!({"Items": [], "LastEvaluatedKey": {"pk": {"S": "lease"}}}),
    ));
    let error = run(ledger(&endless).leases()).expect_err("no end");
    assert_eq!(error.message, "the leases have more than 100 pages");
    assert_eq!(endless.sent().len(), 100);
}

#[test]
fn a_first_claim_of_a_push_is_written_only_where_there_is_none() {
    let script = Script::new([answer(&json!({}))]);
    assert!(run(ledger(&script).put_push(None, &push())).expect("answered"));
    assert_eq!(script.only().operation(), "PutItem");
    assert_eq!(
        script.only().json(),
        json!({"TableName": "ledger", "Item": push_item(), "ConditionExpression": "attribute_not_exists(pk)"})
    );
}

#[test]
fn a_later_claim_of_a_push_is_written_only_over_the_one_that_was_read() {
    let script = Script::new([answer(&json!({}))]);
    let next = Push {
        event: "event-2".to_owned(),
        execution: Some("e-2".to_owned()),
        refusal: Some("was rolled-back".to_owned()),
        ..push()
    };
    assert!(run(ledger(&script).put_push(Some(&push()), &next)).expect("answered"));
    let mut written = push_item();
    written["event"] = json!({"S": "event-2"});
    written["execution"] = json!({"S": "e-2"});
    written["refusal"] = json!({"S": "was rolled-back"});
    assert_eq!(
        script.only().json(),
        json!({
            "TableName": "ledger",
            "Item": written,
            "ConditionExpression": "event = :event",
            "ExpressionAttributeValues": {":event": {"S": "event-1"}}
        })
    );
}

#[test]
fn a_claim_that_lost_the_race_is_false_and_one_that_failed_is_an_error() {
    let lost = Script::new([refusal("ConditionalCheckFailedException", "lost")]);
    assert!(!run(ledger(&lost).put_push(None, &push())).expect("answered"));
    let conflict = Script::always(refusal("TransactionConflictException", "in a transaction"));
    assert_eq!(
        run(ledger(&conflict).put_push(None, &push()))
            .expect_err("failed")
            .kind,
        ErrorKind::Busy
    );
    let failed = Script::new([refusal("ResourceNotFoundException", "no table")]);
    let error = run(ledger(&failed).put_push(None, &push())).expect_err("failed");
    assert_eq!(
        (error.operation, error.kind),
        ("dynamodb:PutItem", ErrorKind::Rejected)
    );
}

#[test]
fn a_started_execution_is_recorded_unless_it_is_further_and_marked_for_the_sweep() {
    let script = Script::new([answer(&json!({}))]);
    assert!(run(ledger(&script).put_record(&started())).expect("answered"));
    assert_eq!(
        transaction(&script),
        json!([
            {"Put": {
                "TableName": "ledger",
                "Item": record_item("started"),
                "ConditionExpression": "attribute_not_exists(pk) OR #state = :started",
                "ExpressionAttributeNames": {"#state": "state"},
                "ExpressionAttributeValues": {":started": {"S": "started"}}
            }},
            {"Put": {"TableName": "ledger", "Item": mark()}}
        ])
    );
}

#[test]
fn an_execution_that_is_closed_is_not_marked_any_more() {
    let script = Script::new([answer(&json!({}))]);
    let closed = started().closed(Outcome::Failed, "because", at(60));
    assert!(run(ledger(&script).put_record(&closed)).expect("answered"));
    let sent = transaction(&script);
    let mut written = record_item("closed");
    written["outcome"] = json!({"S": "failed"});
    written["reason"] = json!({"S": "because"});
    written["ended_at"] = json!({"S": "2026-01-05T09:01:00Z"});
    assert_eq!(sent[0]["Put"]["Item"], written);
    let key = json!({"pk": {"S": "lease"}, "sk": {"S": "started#e-1"}});
    assert_eq!(
        sent[1],
        json!({"Delete": {"TableName": "ledger", "Key": key}})
    );
    assert_eq!(sent.as_array().map(Vec::len), Some(2));
}

#[test]
fn a_record_that_is_further_already_is_false_and_one_that_failed_is_an_error() {
    let lost = Script::new([canceled(["ConditionalCheckFailed", "None"])]);
    assert!(!run(ledger(&lost).put_record(&started())).expect("answered"));
    for code in [
        "TransactionConflict",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
    ] {
        let busy = Script::always(canceled(["None", code]));
        assert_eq!(
            run(ledger(&busy).put_record(&started()))
                .expect_err("failed")
                .kind,
            ErrorKind::Busy,
            "{code}"
        );
    }
    let refused = Script::new([canceled(["ValidationError", "None"])]);
    assert_eq!(
        run(ledger(&refused).put_record(&started()))
            .expect_err("failed")
            .kind,
        ErrorKind::Rejected
    );
    let failed = Script::new([refusal("AccessDeniedException", "no")]);
    let error = run(ledger(&failed).put_record(&started())).expect_err("failed");
    assert_eq!(
        (error.operation, error.kind),
        ("dynamodb:PutItem", ErrorKind::Permission)
    );
}

#[test]
fn a_lease_is_written_only_over_the_fence_number_before() {
    let script = Script::new([answer(&json!({}))]);
    run(ledger(&script).advance(&free_lease(8))).expect("written");
    assert_eq!(script.only().operation(), "PutItem");
    assert_eq!(
        script.only().json(),
        json!({
            "TableName": "ledger",
            "Item": free(8),
            "ConditionExpression": "fence = :fence",
            "ExpressionAttributeValues": {":fence": {"N": "7"}}
        })
    );
}

#[test]
fn the_first_lease_of_a_service_is_written_only_where_there_is_none() {
    let script = Script::new([answer(&json!({}))]);
    run(ledger(&script).advance(&free_lease(1))).expect("written");
    assert_eq!(
        script.only().json(),
        json!({"TableName": "ledger", "Item": free(1), "ConditionExpression": "attribute_not_exists(pk)"})
    );
}

#[test]
fn a_lease_has_one_key_however_cluster_and_service_are_written() {
    let script = Script::new([answer(&json!({}))]);
    let lease = Lease {
        cluster: "arn:aws:ecs:eu-west-1:111122223333:cluster/apps".to_owned(),
        service: "arn:aws:ecs:eu-west-1:111122223333:service/apps/web".to_owned(),
        ..free_lease(2)
    };
    run(ledger(&script).advance(&lease)).expect("written");
    let item = &script.only().json()["Item"];
    assert_eq!(
        (&item["pk"], &item["sk"]),
        (&json!({"S": "lease"}), &json!({"S": "apps/web"}))
    );
}

#[test]
fn an_invocation_that_lost_a_race_retries() {
    let again = StepError::Busy("lost a write race with another invocation; retrying".to_owned());
    let lost = Script::new([refusal("ConditionalCheckFailedException", "lost")]);
    assert_eq!(
        run(ledger(&lost).advance(&free_lease(8))),
        Err(again.clone())
    );
    let lost = Script::new([canceled(["ConditionalCheckFailed", "None"])]);
    assert_eq!(
        run(ledger(&lost).advance_with(&free_lease(8), &started())),
        Err(again)
    );
    let conflict = Script::always(refusal("TransactionConflictException", "in a transaction"));
    assert!(
        matches!(run(ledger(&conflict).advance(&free_lease(8))), Err(StepError::Busy(why)) if why.contains("TransactionConflictException"))
    );
    let conflict = Script::always(canceled(["None", "TransactionConflict"]));
    assert!(
        matches!(run(ledger(&conflict).advance_with(&free_lease(8), &started())), Err(StepError::Busy(why)) if why.contains("TransactionCanceledException"))
    );
    let failed = Script::new([refusal("ValidationException", "Item size has exceeded")]);
    let message = "dynamodb:PutItem failed: ValidationException: Item size has exceeded";
    assert_eq!(
        run(ledger(&failed).advance(&free_lease(8))),
        Err(Failure::configuration(message).into())
    );
    let failed = Script::new([refusal("ValidationException", "Item size has exceeded")]);
    assert_eq!(
        run(ledger(&failed).advance_with(&free_lease(8), &started())),
        Err(Failure::configuration(message).into())
    );
}

#[test]
fn lease_and_record_are_written_together_and_never_over_a_closed_record() {
    let script = Script::new([answer(&json!({}))]);
    let begun = started().begun("apps", "web");
    run(ledger(&script).advance_with(&free_lease(8), &begun)).expect("written");
    let mut written = record_item("begun");
    written["cluster"] = json!({"S": "apps"});
    written["service"] = json!({"S": "web"});
    assert_eq!(
        transaction(&script),
        json!([
            {"Put": {
                "TableName": "ledger",
                "Item": free(8),
                "ConditionExpression": "fence = :fence",
                "ExpressionAttributeValues": {":fence": {"N": "7"}}
            }},
            {"Put": {
                "TableName": "ledger",
                "Item": written,
                "ConditionExpression": "attribute_not_exists(pk) OR #state <> :closed",
                "ExpressionAttributeNames": {"#state": "state"},
                "ExpressionAttributeValues": {":closed": {"S": "closed"}}
            }},
            {"Delete": {"TableName": "ledger", "Key": {"pk": {"S": "lease"}, "sk": {"S": "started#e-1"}}}}
        ])
    );
}

#[test]
fn a_closed_release_needs_no_mark_taken_away() {
    let script = Script::new([answer(&json!({}))]);
    let closed = started().closed(Outcome::Deployed, "", at(60));
    assert_eq!(closed.state, RecordState::Closed);
    run(ledger(&script).advance_with(&free_lease(8), &closed)).expect("written");
    assert_eq!(transaction(&script).as_array().map(Vec::len), Some(2));
}
