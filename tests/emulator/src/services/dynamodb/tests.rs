use serde_json::{Value, json};

use super::*;

fn world() -> Aws {
    let mut aws = Aws::new(7);
    let input = json!({
        "TableName": "ledger",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "N"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    });
    call(&mut aws, "CreateTable", &input).unwrap();
    aws
}

/// An input for the table, with these members.
fn on_ledger(members: Value) -> Value {
    let mut input = json!({ "TableName": "ledger" });
    input
        .as_object_mut()
        .unwrap()
        .extend(members.as_object().unwrap().clone());
    input
}

fn key(pk: &str, sk: i64) -> Value {
    json!({ "pk": {"S": pk}, "sk": {"N": sk.to_string()} })
}

fn put(aws: &mut Aws, pk: &str, sk: i64, size: usize) {
    let mut item = key(pk, sk);
    item["v"] = json!({ "S": "x".repeat(size) });
    call(aws, "PutItem", &on_ledger(json!({ "Item": item }))).unwrap();
}

fn ask(aws: &mut Aws, operation: &str, members: Value) -> Result<Value, Failure> {
    answer(aws, operation, &on_ledger(members))
}

fn refused(aws: &mut Aws, operation: &str, members: Value) -> String {
    ask(aws, operation, members).unwrap_err().error.to_string()
}

#[test]
fn tables_are_created_once_and_described() {
    let mut aws = world();
    let table = ask(&mut aws, "DescribeTable", json!({})).unwrap();
    assert_eq!(
        (
            &table["Table"]["TableStatus"],
            &table["Table"]["KeySchema"][1]["AttributeName"]
        ),
        (&json!("ACTIVE"), &json!("sk"))
    );
    assert_eq!(
        table["Table"]["TableArn"],
        "arn:aws:dynamodb:eu-west-1:111122223333:table/ledger"
    );
    let schema = json!({
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    });
    assert_eq!(
        refused(&mut aws, "CreateTable", schema),
        "ResourceInUseException: Table already exists: ledger"
    );
    let missing = json!({ "TableName": "other", "Key": key("a", 1) });
    assert_eq!(
        call(&mut aws, "GetItem", &missing).unwrap_err().to_string(),
        "ResourceNotFoundException: Requested resource not found"
    );
    let by_arn = json!({ "TableName": "arn:aws:dynamodb:eu-west-1:111122223333:table/ledger", "Key": key("a", 1) });
    assert_eq!(call(&mut aws, "GetItem", &by_arn).unwrap(), json!({}));
}

#[test]
fn items_are_put_read_and_deleted() {
    let mut aws = world();
    put(&mut aws, "a", 1, 3);
    let item = ask(
        &mut aws,
        "GetItem",
        json!({ "Key": key("a", 1), "ProjectionExpression": "v" }),
    )
    .unwrap();
    assert_eq!(item, json!({ "Item": { "v": {"S": "xxx"} } }));
    let same_number =
        json!({ "Key": { "pk": {"S": "a"}, "sk": {"N": "1.0"} }, "ReturnValues": "ALL_OLD" });
    assert_eq!(
        ask(&mut aws, "DeleteItem", same_number.clone()).unwrap()["Attributes"]["v"],
        json!({"S": "xxx"})
    );
    assert_eq!(ask(&mut aws, "DeleteItem", same_number).unwrap(), json!({}));
}

#[test]
fn keys_must_fit_the_schema() {
    let mut aws = world();
    for (item, says) in [
        (
            json!({ "pk": {"S": "a"} }),
            "Missing the key sk in the item",
        ),
        (
            json!({ "pk": {"S": "a"}, "sk": {"S": "1"} }),
            "Type mismatch for key sk expected: N actual: S",
        ),
        (
            key("", 1),
            "The AttributeValue for a key attribute cannot contain an empty string value. Key: pk",
        ),
    ] {
        let message = refused(&mut aws, "PutItem", json!({ "Item": item }));
        assert!(
            message.starts_with("ValidationException") && message.contains(says),
            "{message}"
        );
    }
    let partial = json!({ "Key": { "pk": {"S": "a"} } });
    assert!(
        refused(&mut aws, "GetItem", partial)
            .ends_with("The provided key element does not match the schema")
    );
    let with_key = json!({ "Key": key("a", 1), "UpdateExpression": "SET sk = :v", "ExpressionAttributeValues": { ":v": {"N": "2"} } });
    assert!(
        refused(&mut aws, "UpdateItem", with_key)
            .ends_with("Cannot update attribute sk. This attribute is part of the key")
    );
}

#[test]
fn a_failed_condition_shows_the_item_when_asked() {
    let mut aws = world();
    put(&mut aws, "a", 1, 1);
    let claim = json!({ "Item": key("a", 1), "ConditionExpression": "attribute_not_exists(pk)", "ReturnValuesOnConditionCheckFailure": "ALL_OLD" });
    let failure = ask(&mut aws, "PutItem", claim.clone()).unwrap_err();
    assert_eq!(
        failure.error.to_string(),
        "ConditionalCheckFailedException: The conditional request failed"
    );
    assert_eq!(failure.members[0].1["v"], json!({"S": "x"}));
    let mut silent = claim;
    silent["ReturnValuesOnConditionCheckFailure"] = json!("NONE");
    assert!(
        ask(&mut aws, "PutItem", silent)
            .unwrap_err()
            .members
            .is_empty()
    );
}

#[test]
fn updates_create_items_and_return_what_was_asked() {
    let mut aws = world();
    let update = |returned: &str| {
        json!({
            "Key": key("a", 1), "UpdateExpression": "ADD fence :one SET holder = :me", "ReturnValues": returned,
            "ExpressionAttributeValues": { ":one": {"N": "1"}, ":me": {"S": "me"} },
        })
    };
    assert_eq!(
        ask(&mut aws, "UpdateItem", update("ALL_OLD")).unwrap(),
        json!({})
    );
    let mut new = ask(&mut aws, "UpdateItem", update("UPDATED_NEW")).unwrap();
    assert_eq!(
        new["Attributes"].take(),
        json!({ "fence": {"N": "2"}, "holder": {"S": "me"} })
    );
    assert_eq!(
        ask(&mut aws, "UpdateItem", update("UPDATED_OLD")).unwrap()["Attributes"]["fence"],
        json!({"N": "2"})
    );
    assert_eq!(
        ask(&mut aws, "UpdateItem", update("ALL_NEW")).unwrap()["Attributes"]["pk"],
        json!({"S": "a"})
    );
    assert!(
        refused(
            &mut aws,
            "PutItem",
            json!({ "Item": key("a", 1), "ReturnValues": "ALL_NEW" })
        )
        .ends_with("can only be ALL_OLD or NONE")
    );
}

#[test]
fn items_hold_at_most_400_kilobytes() {
    let mut aws = world();
    let overhead = "pk".len() + "a".len() + "sk".len() + 2 + "v".len();
    put(&mut aws, "a", 1, 400 * 1024 - overhead);
    let mut item = key("a", 1);
    item["v"] = json!({ "S": "x".repeat(400 * 1024 - overhead + 1) });
    assert!(
        refused(&mut aws, "PutItem", json!({ "Item": item }))
            .ends_with("Item size has exceeded the maximum allowed size")
    );
}

#[test]
fn unknown_members_and_operations_are_refused() {
    let mut aws = world();
    let legacy = json!({ "Item": key("a", 1), "Expected": {} });
    assert!(refused(&mut aws, "PutItem", legacy).contains("does not serve the member Expected"));
    assert!(refused(&mut aws, "PutItem", json!({})).contains("Value null at 'item'"));
    assert!(refused(&mut aws, "ExportTable", json!({})).starts_with("UnknownOperationException"));
}

#[test]
fn queries_are_ordered_by_the_sort_key_as_a_number() {
    let mut aws = world();
    for sk in [10, 9, 100, -1] {
        put(&mut aws, "a", sk, 1);
    }
    put(&mut aws, "b", 5, 1);
    let query = |condition: &str, values: Value, forward: bool| json!({ "KeyConditionExpression": condition, "ExpressionAttributeValues": values, "ScanIndexForward": forward, "ProjectionExpression": "sk" });
    let keys = |answer: Value| -> Vec<String> {
        answer["Items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["sk"]["N"].as_str().unwrap().to_owned())
            .collect()
    };
    let a = json!({ ":a": {"S": "a"} });
    assert_eq!(
        keys(ask(&mut aws, "Query", query("pk = :a", a.clone(), true)).unwrap()),
        ["-1", "9", "10", "100"]
    );
    assert_eq!(
        keys(ask(&mut aws, "Query", query("pk = :a", a.clone(), false)).unwrap()),
        ["100", "10", "9", "-1"]
    );
    let between = json!({ ":a": {"S": "a"}, ":low": {"N": "9"}, ":high": {"N": "99"} });
    assert_eq!(
        keys(
            ask(
                &mut aws,
                "Query",
                query("pk = :a AND sk BETWEEN :low AND :high", between, true)
            )
            .unwrap()
        ),
        ["9", "10"]
    );
    let above = json!({ ":a": {"S": "a"}, ":low": {"N": "9"} });
    assert_eq!(
        keys(
            ask(
                &mut aws,
                "Query",
                query("sk > :low AND pk = :a", above, true)
            )
            .unwrap()
        ),
        ["10", "100"]
    );
}

#[test]
fn key_conditions_that_aws_refuses() {
    let mut aws = world();
    let values = json!({ ":s": {"S": "a"}, ":n": {"N": "1"} });
    for (condition, says) in [
        (
            "sk = :n AND v = :s",
            "Query condition missed key schema element: pk",
        ),
        ("pk < :s AND sk = :n", "Query key condition not supported"),
        (
            "pk = :s OR sk = :n",
            "Invalid operator used in KeyConditionExpression: OR",
        ),
        (
            "pk = :s AND sk <> :n",
            "Invalid operator used in KeyConditionExpression",
        ),
        (
            "pk = :n AND sk = :s",
            "Condition parameter type does not match schema type",
        ),
    ] {
        let message = refused(
            &mut aws,
            "Query",
            json!({ "KeyConditionExpression": condition, "ExpressionAttributeValues": values }),
        );
        assert!(message.contains(says), "{condition}: {message}");
    }
    let filter = json!({ "KeyConditionExpression": "pk = :s", "FilterExpression": "sk = :n", "ExpressionAttributeValues": values });
    assert!(refused(&mut aws, "Query", filter).ends_with(
        "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk"
    ));
}

#[test]
fn pages_follow_the_limit_and_the_last_key() {
    let mut aws = world();
    for sk in 0..5 {
        put(&mut aws, "a", sk, 1);
        put(&mut aws, &format!("other{sk}"), 1, 1);
    }
    for forward in [true, false] {
        let (mut seen, mut start) = (0, Value::Null);
        loop {
            let page = ask(
                &mut aws,
                "Query",
                json!({
                    "KeyConditionExpression": "pk = :a", "ExpressionAttributeValues": { ":a": {"S": "a"} },
                    "Limit": 2, "ExclusiveStartKey": start, "ScanIndexForward": forward,
                }),
            )
            .unwrap();
            seen += page["Count"].as_u64().unwrap();
            start = page["LastEvaluatedKey"].clone();
            if start.is_null() {
                break;
            }
        }
        assert_eq!(seen, 5);
    }
    // A limit that is met exactly still names a last key.
    let exact = json!({ "KeyConditionExpression": "pk = :a", "ExpressionAttributeValues": { ":a": {"S": "a"} }, "Limit": 5 });
    assert_eq!(
        ask(&mut aws, "Query", exact).unwrap()["LastEvaluatedKey"],
        key("a", 4)
    );
}

#[test]
fn a_page_holds_a_megabyte_before_the_filter() {
    let mut aws = world();
    for sk in 0..4 {
        put(&mut aws, "a", sk, 300_000);
    }
    let filter = json!({ "FilterExpression": "attribute_not_exists(v)" });
    let page = ask(&mut aws, "Scan", filter).unwrap();
    assert_eq!(
        (&page["Count"], &page["ScannedCount"]),
        (&json!(0), &json!(3))
    );
    let rest = ask(
        &mut aws,
        "Scan",
        json!({ "ExclusiveStartKey": page["LastEvaluatedKey"], "Select": "COUNT" }),
    )
    .unwrap();
    assert_eq!(rest, json!({ "Count": 1, "ScannedCount": 1 }));
}

fn transaction(second_condition: &str, token: &str) -> Value {
    json!({ "ClientRequestToken": token, "TransactItems": [
        { "Put": { "TableName": "ledger", "Item": key("a", 1) } },
        { "Update": { "TableName": "ledger", "Key": key("b", 1), "UpdateExpression": "ADD n :one", "ConditionExpression": second_condition,
            "ExpressionAttributeValues": { ":one": {"N": "1"} } } },
        { "ConditionCheck": { "TableName": "ledger", "Key": key("c", 1), "ConditionExpression": "attribute_not_exists(pk)" } },
        { "Delete": { "TableName": "ledger", "Key": key("d", 1) } },
    ] })
}

#[test]
fn a_transaction_happens_entirely_or_not_at_all() {
    let mut aws = world();
    let failure = answer(
        &mut aws,
        "TransactWriteItems",
        &transaction("attribute_exists(n)", "t1"),
    )
    .unwrap_err();
    assert_eq!(failure.error.code, "TransactionCanceledException");
    assert!(
        failure
            .error
            .message
            .ends_with("[None, ConditionalCheckFailed, None, None]")
    );
    assert_eq!(
        failure.members[0].1[1]["Message"],
        "The conditional request failed"
    );
    assert!(aws.dynamodb.items("ledger").is_empty());
    answer(
        &mut aws,
        "TransactWriteItems",
        &transaction("attribute_not_exists(n)", "t2"),
    )
    .unwrap();
    assert_eq!(aws.dynamodb.items("ledger").len(), 2);
}

#[test]
fn a_transaction_is_done_once_per_token_for_ten_minutes() {
    let mut aws = world();
    let once = transaction("attribute_not_exists(n)", "t");
    answer(&mut aws, "TransactWriteItems", &once).unwrap();
    answer(&mut aws, "TransactWriteItems", &once).unwrap();
    let other = transaction("attribute_exists(n)", "t");
    assert_eq!(
        answer(&mut aws, "TransactWriteItems", &other)
            .unwrap_err()
            .error
            .code,
        "IdempotentParameterMismatchException"
    );
    aws.now += 10 * 60 * 1000;
    assert_eq!(
        answer(&mut aws, "TransactWriteItems", &once)
            .unwrap_err()
            .error
            .code,
        "TransactionCanceledException"
    );
}

#[test]
fn a_transaction_writes_an_item_once() {
    let mut aws = world();
    let twice = json!({ "TransactItems": [
        { "Put": { "TableName": "ledger", "Item": key("a", 1) } },
        { "Delete": { "TableName": "ledger", "Key": key("a", 1) } },
    ] });
    let message = answer(&mut aws, "TransactWriteItems", &twice)
        .unwrap_err()
        .error
        .message;
    assert_eq!(
        message,
        "Transaction request cannot include multiple operations on one item"
    );
}

#[test]
fn a_write_to_an_item_of_another_transaction_is_refused() {
    let mut aws = world();
    aws.dynamodb.conflicts = 2;
    let failure = answer(
        &mut aws,
        "TransactWriteItems",
        &transaction("attribute_not_exists(n)", "t"),
    )
    .unwrap_err();
    assert_eq!(
        failure.error.to_string(),
        "TransactionCanceledException: Transaction cancelled, please refer cancellation reasons for specific reasons \
         [TransactionConflict, None, None, None]"
    );
    let item = json!({ "Item": key("a", 1) });
    assert_eq!(
        refused(&mut aws, "PutItem", item.clone()),
        "TransactionConflictException: Transaction is ongoing for the item"
    );
    assert!(aws.dynamodb.items("ledger").is_empty());
    ask(&mut aws, "PutItem", item).unwrap();
    assert_eq!(aws.dynamodb.items("ledger"), [key("a", 1)]);
}

#[test]
fn a_read_that_is_not_consistent_may_lag_behind_the_last_write_of_an_item() {
    let mut aws = world();
    put(&mut aws, "a", 1, 1);
    aws.dynamodb.lag();
    put(&mut aws, "a", 1, 2);
    put(&mut aws, "a", 2, 2);
    ask(&mut aws, "DeleteItem", json!({ "Key": key("a", 1) })).unwrap();
    let mut sizes = |consistent: Value| {
        let size = |item: &Value| item["v"]["S"].as_str().map(str::len);
        let mut get = |sk| {
            let answer = ask(
                &mut aws,
                "GetItem",
                json!({ "Key": key("a", sk), "ConsistentRead": consistent }),
            )
            .unwrap();
            size(&answer["Item"])
        };
        let got = [get(1), get(2)];
        let all = json!({ "KeyConditionExpression": "pk = :a", "ExpressionAttributeValues": { ":a": {"S": "a"} }, "ConsistentRead": consistent });
        let listed = |answer: Value| {
            answer["Items"]
                .as_array()
                .unwrap()
                .iter()
                .map(size)
                .collect::<Vec<_>>()
        };
        let queried = listed(ask(&mut aws, "Query", all).unwrap());
        (
            got,
            queried,
            listed(ask(&mut aws, "Scan", json!({ "ConsistentRead": consistent })).unwrap()),
        )
    };
    assert_eq!(
        sizes(json!(true)),
        ([None, Some(2)], vec![Some(2)], vec![Some(2)])
    );
    assert_eq!(
        sizes(json!(false)),
        ([Some(2), None], vec![Some(2)], vec![Some(2)])
    );
    assert_eq!(sizes(Value::Null), sizes(json!(false)));
}

#[test]
fn a_query_ends_its_page_as_early_as_the_account_says() {
    let mut aws = world();
    (0..3).for_each(|sk| put(&mut aws, "a", sk, 1));
    aws.pages = Some(2);
    let mut query = |start: Value| {
        let values = json!({ ":a": {"S": "a"} });
        let input = json!({ "KeyConditionExpression": "pk = :a", "ExpressionAttributeValues": values, "ExclusiveStartKey": start });
        let page = ask(&mut aws, "Query", input).unwrap();
        (
            page["Count"].as_u64().unwrap(),
            page["LastEvaluatedKey"].clone(),
        )
    };
    assert_eq!(query(Value::Null), (2, key("a", 1)));
    assert_eq!(query(key("a", 1)), (1, Value::Null));
}
