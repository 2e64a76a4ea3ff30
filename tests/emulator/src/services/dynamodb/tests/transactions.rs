use super::*;

fn transaction(second_condition: &str, token: &str) -> Value {
    let second = json!({
        "Item": key("b", "1"), "ConditionExpression": second_condition,
    });
    json!({ "ClientRequestToken": token, "TransactItems": [
        { "Put": on_ledger(json!({ "Item": key("a", "1") })) },
        { "Put": on_ledger(second) },
        { "Delete": on_ledger(json!({ "Key": key("d", "1") })) },
    ] })
}

fn transact(aws: &mut Aws, input: &Value) -> Result<Value, Failure> {
    run_operation(aws, "TransactWriteItems", input)
}

#[test]
fn a_transaction_happens_entirely_or_not_at_all() {
    let mut aws = world();
    let failure = transact(&mut aws, &transaction("attribute_exists(pk)", "t1")).unwrap_err();
    assert_eq!(failure.error.code, "TransactionCanceledException");
    assert!(
        failure
            .error
            .message
            .ends_with("[None, ConditionalCheckFailed, None]")
    );
    assert_eq!(
        failure.members[0].1[1]["Message"],
        "The conditional request failed"
    );
    assert!(aws.dynamodb.items("ledger").is_empty());

    transact(&mut aws, &transaction("attribute_not_exists(pk)", "t2")).unwrap();
    assert_eq!(aws.dynamodb.items("ledger").len(), 2);
}

#[test]
fn a_transaction_is_done_once_per_token_for_ten_minutes() {
    let mut aws = world();
    let once = transaction("attribute_not_exists(pk)", "t");
    transact(&mut aws, &once).unwrap();
    transact(&mut aws, &once).unwrap();
    let other = transaction("attribute_exists(pk)", "t");
    assert_eq!(
        transact(&mut aws, &other).unwrap_err().error.code,
        "IdempotentParameterMismatchException"
    );

    aws.now += 10 * 60 * 1000;
    assert_eq!(
        transact(&mut aws, &once).unwrap_err().error.code,
        "TransactionCanceledException"
    );
}

#[test]
fn a_transaction_writes_an_item_once() {
    let mut aws = world();
    let twice = json!({ "TransactItems": [
        { "Put": on_ledger(json!({ "Item": key("a", "1") })) },
        { "Delete": on_ledger(json!({ "Key": key("a", "1") })) },
    ] });

    assert_eq!(
        transact(&mut aws, &twice).unwrap_err().error.message,
        "Transaction request cannot include multiple operations on one item"
    );
}

#[test]
fn other_writes_than_puts_and_deletes_are_refused() {
    let mut aws = world();
    let update = json!({ "TransactItems": [
        { "Update": on_ledger(json!({ "Key": key("a", "1"), "UpdateExpression": "REMOVE v" })) },
    ] });
    assert_eq!(
        transact(&mut aws, &update).unwrap_err().error.message,
        "the sandbox does not serve Update in transactions"
    );
}

#[test]
fn a_write_to_an_item_of_another_transaction_is_refused() {
    let mut aws = world();
    aws.dynamodb.conflicts = 2;
    let failure = transact(&mut aws, &transaction("attribute_not_exists(pk)", "t")).unwrap_err();
    assert_eq!(
        failure.error.to_string(),
        "TransactionCanceledException: Transaction cancelled, please refer cancellation reasons \
         for specific reasons [TransactionConflict, None, None]"
    );

    let item = json!({ "Item": key("a", "1") });
    assert_eq!(
        refused(&mut aws, "PutItem", item.clone()),
        "TransactionConflictException: Transaction is ongoing for the item"
    );
    assert!(aws.dynamodb.items("ledger").is_empty());
    request(&mut aws, "PutItem", item).unwrap();
    assert_eq!(aws.dynamodb.items("ledger"), [key("a", "1")]);
}
