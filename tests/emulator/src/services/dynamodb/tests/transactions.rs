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

fn transact(aws: &mut Aws, input: &Value) -> Result<Value, RequestFailure> {
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
fn a_key_that_is_none_of_the_table_cancels_a_transaction_and_an_empty_one_is_refused_at_once() {
    let mut aws = world();
    let number = json!({ "pk": {"S": "b"}, "sk": {"N": "1"} });
    let input = json!({ "TransactItems": [
        { "Put": on_ledger(json!({ "Item": key("a", "1") })) },
        { "Put": on_ledger(json!({ "Item": number })) },
        { "Delete": on_ledger(json!({ "Key": number })) },
    ] });
    let failure = transact(&mut aws, &input).unwrap_err();
    assert_eq!(
        failure.error.to_string(),
        "TransactionCanceledException: Transaction cancelled, please refer cancellation reasons \
         for specific reasons [None, ValidationError, ValidationError]"
    );
    assert_eq!(
        failure.members[0].1,
        json!([
            {"Code": "None"},
            {
                "Code": "ValidationError",
                "Message": "One or more parameter values were invalid: Type mismatch for key sk \
                            expected: S actual: N",
            },
            {
                "Code": "ValidationError",
                "Message": "The provided key element does not match the schema",
            },
        ])
    );
    assert!(aws.dynamodb.items("ledger").is_empty());

    let empty = on_ledger(json!({ "Key": key("", "1") }));
    let failure = transact(&mut aws, &json!({ "TransactItems": [{ "Delete": empty }] }));
    assert_eq!(
        failure.unwrap_err().error.to_string(),
        "ValidationException: One or more parameter values are not valid. The AttributeValue for \
         a key attribute cannot contain an empty string value. Key: pk"
    );
}

#[test]
fn the_expressions_of_all_writes_are_read_before_a_table_is_looked_for() {
    let mut aws = world();
    for (condition, expected) in [
        (
            "attribute_not_exists(",
            "ValidationException: Invalid ConditionExpression: Syntax error; token: \"<EOF>\", \
             near: \"(\"",
        ),
        (
            "attribute_not_exists(pk)",
            "ResourceNotFoundException: Requested resource not found",
        ),
    ] {
        let check = json!({ "Key": key("b", "1"), "ConditionExpression": condition });
        let input = json!({ "TransactItems": [
            { "Put": { "TableName": "absent", "Item": key("a", "1") } },
            { "ConditionCheck": on_ledger(check) },
        ] });
        let failure = transact(&mut aws, &input).unwrap_err();
        assert_eq!(failure.error.to_string(), expected);
    }
}

/// A transaction of one update of the item `a`, `1`.
fn update(expression: &str, more: Value) -> Value {
    let mut update = on_ledger(json!({"Key": key("a", "1"), "UpdateExpression": expression}));
    update
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!({ "TransactItems": [{ "Update": update }] })
}

#[test]
fn an_update_makes_an_item_or_changes_it() {
    let mut aws = world();
    let values = json!({"ExpressionAttributeValues": {":v": {"N": "1"}}});
    for expected in ["1", "2"] {
        transact(&mut aws, &update("ADD v :v", values.clone())).unwrap();
        assert_eq!(aws.dynamodb.items("ledger")[0]["v"], json!({"N": expected}));
    }

    let failure = transact(&mut aws, &update("SET v = absent", json!({}))).unwrap_err();
    assert!(failure.error.message.ends_with("[ValidationError]"));
    assert_eq!(
        failure.members[0].1[0],
        json!({
            "Code": "ValidationError",
            "Message": "The provided expression refers to an attribute that does not exist in the \
                        item",
        })
    );
    let failure = transact(&mut aws, &update("SET sk = :v", values)).unwrap_err();
    assert_eq!(
        failure.error.to_string(),
        "ValidationException: One or more parameter values were invalid: Cannot update attribute \
         sk. This attribute is part of the key"
    );
}

#[test]
fn a_condition_can_be_checked_alone_and_its_refusal_show_the_item() {
    let mut aws = world();
    put(&mut aws, "a", "1", 1);
    let check = |condition: &str| {
        let check = json!({
            "Key": key("a", "1"), "ConditionExpression": condition,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        });
        let put = on_ledger(json!({"Item": key("b", "1")}));
        json!({"TransactItems": [{"ConditionCheck": on_ledger(check)}, {"Put": put}]})
    };

    let failure = transact(&mut aws, &check("attribute_not_exists(v)")).unwrap_err();
    let mut item = key("a", "1");
    item["v"] = json!({"S": "x"});
    assert_eq!(
        failure.members[0].1,
        json!([
            {
                "Code": "ConditionalCheckFailed",
                "Message": "The conditional request failed",
                "Item": item,
            },
            {"Code": "None"},
        ])
    );
    transact(&mut aws, &check("attribute_exists(v)")).unwrap();
    assert_eq!(aws.dynamodb.items("ledger").len(), 2);
}

#[test]
fn every_member_that_a_write_lacks_is_named() {
    let mut aws = world();
    let writes = json!([{"Update": {"TableName": "ledger"}}, {"Put": on_ledger(json!({}))}]);
    let failure = transact(&mut aws, &json!({"TransactItems": writes})).unwrap_err();
    let lacking = |place: &str| {
        format!(
            "Value null at 'transactItems.{place}' failed to satisfy constraint: Member must not \
             be null"
        )
    };
    assert_eq!(
        failure.error.message,
        format!(
            "3 validation errors detected: {}; {}; {}",
            lacking("1.member.update.key"),
            lacking("1.member.update.updateExpression"),
            lacking("2.member.put.item")
        )
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

#[test]
fn a_partition_key_takes_a_thousand_write_units_a_second() {
    let mut aws = world();
    aws.quotas.limits_partitions = true;
    let write = |aws: &mut Aws, pk: &str, size: usize| {
        let item = json!({"pk": {"S": pk}, "sk": {"S": "1"}, "v": {"S": "x".repeat(size)}});
        request(aws, "PutItem", json!({ "Item": item }))
    };
    for _ in 0..4 {
        write(&mut aws, "a", 250 * 1_024).unwrap();
    }
    let refused = write(&mut aws, "a", 1).unwrap_err();
    assert_eq!(refused.error.code, "ThrottlingException");
    write(&mut aws, "b", 1).unwrap();

    let refused = transact(&mut aws, &transaction("attribute_not_exists(pk)", "t"));
    let refused = refused.unwrap_err();
    assert!(
        refused
            .error
            .message
            .ends_with("[ThrottlingError, None, None]")
    );

    aws.now += 1_000;
    write(&mut aws, "a", 1).unwrap();
}
