//! Claims of pushes: written only over the claim that was read.

use super::*;

#[test]
fn a_first_claim_of_a_push_is_written_only_where_there_is_none() {
    let script = Script::new([answer(&json!({}))]);
    assert!(run(ledger(&script).put_push(None, &push())).expect("answered"));
    assert_eq!(script.only().operation(), "PutItem");
    assert_eq!(
        script.only().json(),
        json!({
            "TableName": "ledger",
            "Item": push_item(),
            "ConditionExpression": "attribute_not_exists(pk)"
        })
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
            "ConditionExpression":
                "event = :event AND claimed_at = :claimed AND attribute_not_exists(execution) \
                AND attribute_not_exists(expires_at)",
            "ExpressionAttributeValues": {
                ":event": {"S": "event-1"}, ":claimed": {"S": "2026-01-05T09:00:00Z"}
            }
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

/// The claim of the push with its execution as the table has it, which expires or not.
fn started_item(expires_at: Option<&str>) -> Value {
    let mut item = push_item();
    item["execution"] = json!({"S": "e-1"});
    if let Some(seconds) = expires_at {
        item["expires_at"] = json!({"N": seconds});
    }
    item
}

#[test]
fn the_claim_of_an_execution_is_kept_from_expiring_over_the_one_that_was_read() {
    let script = Script::new([item(&started_item(Some("1802163600"))), answer(&json!({}))]);
    run(ledger(&script).keep_push("slipway-web", DIGEST, "e-1")).expect("written");

    assert_eq!(script.operations(), ["GetItem", "PutItem"]);
    assert_eq!(
        script.sent()[1].json(),
        json!({
            "TableName": "ledger",
            "Item": started_item(None),
            "ConditionExpression":
                "event = :event AND claimed_at = :claimed AND execution = :execution \
                AND attribute_exists(expires_at)",
            "ExpressionAttributeValues": {
                ":event": {"S": "event-1"}, ":claimed": {"S": "2026-01-05T09:00:00Z"},
                ":execution": {"S": "e-1"}
            }
        })
    );

    let lost = Script::new([
        item(&started_item(Some("1802163600"))),
        refusal("ConditionalCheckFailedException", "lost"),
    ]);
    let error = run(ledger(&lost).keep_push("slipway-web", DIGEST, "e-1"));
    assert!(matches!(error, Err(StepError::Busy(_))), "{error:?}");
}

#[test]
fn the_claim_of_a_digest_leads_to_what_no_push_started() {
    let script = Script::new([item(&started_item(None)), answer(&json!({}))]);
    run(ledger(&script).lead_push("slipway-web", DIGEST, "e-2")).expect("written");

    assert_eq!(script.operations(), ["GetItem", "PutItem"]);
    let sent = script.sent()[1].json();
    let mut led = started_item(None);
    led["execution"] = json!({"S": "e-2"});
    assert_eq!(sent["Item"], led);
    let unchanged = "event = :event AND claimed_at = :claimed AND execution = :execution \
                     AND attribute_not_exists(expires_at)";
    assert_eq!(sent["ConditionExpression"], unchanged);

    let lost = Script::new([
        item(&started_item(None)),
        refusal("ConditionalCheckFailedException", "lost"),
    ]);
    run(ledger(&lost).lead_push("slipway-web", DIGEST, "e-2")).expect("that of a push stays");

    let none = Script::new([answer(&json!({}))]);
    run(ledger(&none).lead_push("slipway-web", DIGEST, "e-2")).expect("read");
    assert_eq!(none.only().operation(), "GetItem");
}

#[test]
fn a_claim_that_never_expires_is_not_written() {
    let script = Script::new([item(&started_item(None))]);
    run(ledger(&script).keep_push("slipway-web", DIGEST, "e-1")).expect("read");
    assert_eq!(script.only().operation(), "GetItem");

    let none = Script::new([answer(&json!({}))]);
    run(ledger(&none).keep_push("slipway-web", DIGEST, "e-1")).expect("read");
    assert_eq!(none.only().operation(), "GetItem");
}

#[test]
fn what_another_push_of_a_rejected_digest_started_is_closed_before_it_begins() {
    let claim = started_item(Some("1802163600"));
    let record = record_item("started");
    let done = || answer(&json!({}));
    let script = Script::new([item(&claim), item(&record), done(), done()]);
    run(ledger(&script).keep_push("slipway-web", DIGEST, "e-0")).expect("written");

    assert_eq!(
        script.operations(),
        ["GetItem", "GetItem", "TransactWriteItems", "PutItem"]
    );
    let sent = script.sent();
    let transaction = sent[2].json();
    let closed = &transaction["TransactItems"][0]["Put"]["Item"];
    assert_eq!(closed["state"], json!({"S": "closed"}));
    assert_eq!(closed["outcome"], json!({"S": "failed"}));
    let reason = "execution e-0 with the same digest was rolled back";
    assert_eq!(closed["reason"], json!({ "S": reason }));

    let mut kept = started_item(None);
    kept["execution"] = json!({"S": "e-0"});
    assert_eq!(sent[3].json()["Item"], kept);
}

#[test]
fn a_release_of_a_rejected_digest_that_has_begun_or_ended_is_left_alone() {
    let claim = started_item(Some("1802163600"));
    for state in ["begun", "closed"] {
        let script = Script::new([item(&claim), item(&record_item(state))]);
        run(ledger(&script).keep_push("slipway-web", DIGEST, "e-0")).expect("read");
        assert_eq!(script.operations(), ["GetItem", "GetItem"], "{state}");
    }
}
