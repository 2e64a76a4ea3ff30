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
