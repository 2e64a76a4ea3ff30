//! Leases, alone and together with a record: written only over the fence number before.

use super::*;

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
        json!({
            "TableName": "ledger",
            "Item": free(1),
            "ConditionExpression": "attribute_not_exists(pk)"
        })
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
}

#[test]
fn an_invocation_that_met_another_transaction_retries() {
    let busy_with = |result: Result<(), StepError>, code: &str| {
        assert!(
            matches!(&result, Err(StepError::Busy(why)) if why.contains(code)),
            "{result:?}"
        );
    };

    let conflict = Script::always(refusal("TransactionConflictException", "in a transaction"));
    busy_with(
        run(ledger(&conflict).advance(&free_lease(8))),
        "TransactionConflictException",
    );

    let conflict = Script::always(canceled(["None", "TransactionConflict"]));
    busy_with(
        run(ledger(&conflict).advance_with(&free_lease(8), &started())),
        "TransactionCanceledException",
    );
}

#[test]
fn an_item_that_dynamodb_refuses_is_a_failure() {
    let failed = Script::new([refusal("ValidationException", "Item size has exceeded")]);
    let message = "dynamodb:PutItem failed: ValidationException: Item size has exceeded";

    assert_eq!(
        run(ledger(&failed).advance(&free_lease(8))),
        Err(StepError::Refused(Failure::configuration(message)))
    );

    let failed = Script::new([refusal("ValidationException", "Item size has exceeded")]);
    assert_eq!(
        run(ledger(&failed).advance_with(&free_lease(8), &started())),
        Err(StepError::Refused(Failure::configuration(message)))
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
            {"Delete": {
                "TableName": "ledger",
                "Key": {"pk": {"S": "lease"}, "sk": {"S": "started#e-1"}}
            }}
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
