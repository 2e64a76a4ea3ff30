mod expiry;
mod expression;
mod indexes;
mod permissions;
mod queries;
mod transactions;
mod updates;

use serde_json::{Value, json};

use super::*;

fn world() -> Aws {
    let mut aws = Aws::new(7);
    let input = json!({
        "TableName": "ledger",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
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

fn key(pk: &str, sk: &str) -> Value {
    json!({ "pk": {"S": pk}, "sk": {"S": sk} })
}

fn put(aws: &mut Aws, pk: &str, sk: &str, size: usize) {
    let mut item = key(pk, sk);
    item["v"] = json!({ "S": "x".repeat(size) });
    call(aws, "PutItem", &on_ledger(json!({ "Item": item }))).unwrap();
}

fn request(aws: &mut Aws, operation: &str, members: Value) -> Result<Value, RequestFailure> {
    run_operation(aws, operation, &on_ledger(members))
}

fn refused(aws: &mut Aws, operation: &str, members: Value) -> String {
    request(aws, operation, members)
        .unwrap_err()
        .error
        .to_string()
}

/// A query of one partition.
fn partition(pk: &str, more: Value) -> Value {
    let mut query = json!({
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": { ":pk": {"S": pk} },
    });
    query
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    query
}

#[test]
fn tables_are_created_once_and_deleted() {
    let mut aws = world();
    let schema = json!({
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    });
    assert_eq!(
        refused(&mut aws, "CreateTable", schema),
        "ResourceInUseException: Table already exists: ledger"
    );
    let missing = json!({ "TableName": "other", "Key": key("a", "1") });
    assert_eq!(
        call(&mut aws, "GetItem", &missing).unwrap_err().to_string(),
        "ResourceNotFoundException: Requested resource not found"
    );

    let arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/ledger";
    let by_arn = json!({ "TableName": arn, "Key": key("a", "1") });
    assert_eq!(call(&mut aws, "GetItem", &by_arn).unwrap(), json!({}));

    let deleted = request(&mut aws, "DeleteTable", json!({})).unwrap();
    assert_eq!(deleted["TableDescription"]["TableArn"], arn);
    assert!(refused(&mut aws, "DeleteTable", json!({})).starts_with("ResourceNotFoundException"));
}

#[test]
fn a_protected_table_is_deleted_once_its_protection_is_off() {
    let mut aws = world();
    let protect = |aws: &mut Aws, on: bool| {
        request(
            aws,
            "UpdateTable",
            json!({ "DeletionProtectionEnabled": on }),
        )
        .unwrap()
    };
    let table = protect(&mut aws, true);
    assert_eq!(table["TableDescription"]["DeletionProtectionEnabled"], true);

    let message = refused(&mut aws, "DeleteTable", json!({}));
    assert!(
        message.contains("currently protected against deletion"),
        "{message}"
    );

    protect(&mut aws, false);
    request(&mut aws, "DeleteTable", json!({})).unwrap();
    let gone = json!({ "DeletionProtectionEnabled": true });
    assert!(refused(&mut aws, "UpdateTable", gone).ends_with("Table: ledger not found"));
}

#[test]
fn items_are_put_and_read() {
    let mut aws = world();
    put(&mut aws, "a", "1", 3);
    let item = request(&mut aws, "GetItem", json!({ "Key": key("a", "1") })).unwrap();
    assert_eq!(
        item,
        json!({ "Item": { "pk": {"S": "a"}, "sk": {"S": "1"}, "v": {"S": "xxx"} } })
    );
}

#[test]
fn keys_must_fit_the_schema() {
    let mut aws = world();
    for (item, expected) in [
        (
            json!({ "pk": {"S": "a"} }),
            "Missing the key sk in the item",
        ),
        (
            json!({ "pk": {"S": "a"}, "sk": {"N": "1"} }),
            "Type mismatch for key sk expected: S actual: N",
        ),
        (
            key("", "1"),
            "The AttributeValue for a key attribute cannot contain an empty string value. Key: pk",
        ),
    ] {
        let message = refused(&mut aws, "PutItem", json!({ "Item": item }));
        assert!(
            message.starts_with("ValidationException") && message.contains(expected),
            "{message}"
        );
    }

    let partial = json!({ "Key": { "pk": {"S": "a"} } });
    assert!(
        refused(&mut aws, "GetItem", partial)
            .ends_with("The provided key element does not match the schema")
    );
}

#[test]
fn a_failed_condition_changes_nothing() {
    let mut aws = world();
    put(&mut aws, "a", "1", 1);
    let claim = json!({ "Item": key("a", "1"), "ConditionExpression": "attribute_not_exists(pk)" });

    assert_eq!(
        refused(&mut aws, "PutItem", claim),
        "ConditionalCheckFailedException: The conditional request failed"
    );
    assert_eq!(aws.dynamodb.items("ledger")[0]["v"], json!({"S": "x"}));
}

#[test]
fn what_is_wrong_with_one_put_is_counted_and_in_a_transaction_it_is_not() {
    let mut aws = world();
    let mut empty = key("a", "1");
    empty["v"] = json!({"SS": []});
    let condition = json!({
        "Item": key("a", "1"), "ConditionExpression": "v = :v",
        "ExpressionAttributeValues": {":v": {"NS": []}},
    });
    let unused = json!({
        "Item": key("a", "1"), "ConditionExpression": "attribute_exists(v)",
        "ExpressionAttributeNames": {"#v": "v"},
    });

    let texts = "An string set  may not be empty";
    let numbers = "An number set  may not be empty";
    let invalid = "One or more parameter values were invalid:";
    let of_value = "ExpressionAttributeValues contains invalid value:";
    let names = "Value provided in ExpressionAttributeNames unused in expressions: keys: {#v}";
    for (put, one, in_transaction) in [
        (
            json!({ "Item": empty }),
            format!("{invalid} {texts}"),
            format!("{invalid} {texts}"),
        ),
        (
            condition,
            format!("{invalid} {numbers}"),
            format!("{of_value} {invalid} {numbers} for key :v"),
        ),
        (unused, names.to_owned(), names.to_owned()),
    ] {
        let counted = "ValidationException: 1 validation error detected:";
        assert_eq!(
            refused(&mut aws, "PutItem", put.clone()),
            format!("{counted} {one}")
        );
        let writes = json!({"TransactItems": [{"Put": on_ledger(put)}]});
        let failure = run_operation(&mut aws, "TransactWriteItems", &writes).unwrap_err();
        assert_eq!(failure.error.message, in_transaction);
    }
}

#[test]
fn items_hold_at_most_400_kilobytes() {
    let mut aws = world();
    let overhead = "pk".len() + "a".len() + "sk".len() + "1".len() + "v".len();
    put(&mut aws, "a", "1", 400 * 1024 - overhead);
    let mut item = key("a", "1");
    item["v"] = json!({ "S": "x".repeat(400 * 1024 - overhead + 1) });

    assert!(
        refused(&mut aws, "PutItem", json!({ "Item": item }))
            .ends_with("Item size has exceeded the maximum allowed size")
    );
}

#[test]
fn unknown_members_and_operations_are_refused() {
    let mut aws = world();
    let legacy = json!({ "Item": key("a", "1"), "Expected": {} });
    assert!(refused(&mut aws, "PutItem", legacy).contains("does not serve the member Expected"));
    assert!(refused(&mut aws, "PutItem", json!({})).contains("Value null at 'item'"));
    for (kind, member) in [
        ("N", json!({})),
        ("S", json!({"GlobalSecondaryIndexes": [{}]})),
    ] {
        let mut table = json!({
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": kind}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        });
        table
            .as_object_mut()
            .unwrap()
            .extend(member.as_object().unwrap().clone());
        let message = refused(&mut aws, "CreateTable", table);
        assert!(message.contains("the sandbox does not serve"), "{message}");
    }
    assert!(refused(&mut aws, "UpdateItem", json!({})).starts_with("UnknownOperationException"));
}

#[test]
fn a_page_holds_a_megabyte_before_the_filter() {
    let mut aws = world();
    for sk in ["0", "1", "2", "3"] {
        put(&mut aws, "a", sk, 300_000);
    }
    let filter = json!({ "FilterExpression": "attribute_not_exists(v)" });
    let page = request(&mut aws, "Scan", filter).unwrap();
    assert_eq!(
        (&page["Count"], &page["ScannedCount"]),
        (&json!(0), &json!(3))
    );

    let rest = json!({ "ExclusiveStartKey": page["LastEvaluatedKey"] });
    let rest = request(&mut aws, "Scan", rest).unwrap();
    assert_eq!(
        (&rest["Count"], &rest["ScannedCount"]),
        (&json!(1), &json!(1))
    );
}

#[test]
fn a_query_ends_its_page_as_early_as_the_account_sets() {
    let mut aws = world();
    for sk in ["0", "1", "2", "3"] {
        put(&mut aws, "a", sk, 1);
        put(&mut aws, &format!("other{sk}"), "1", 1);
    }

    aws.pages = Some(2);
    let mut query = |start: Value| {
        let input = partition("a", json!({ "ExclusiveStartKey": start }));
        let page = request(&mut aws, "Query", input).unwrap();
        (
            page["Count"].as_u64().unwrap(),
            page["LastEvaluatedKey"].clone(),
        )
    };

    assert_eq!(query(Value::Null), (2, key("a", "1")));

    // A full page names a last key even if nothing follows.
    assert_eq!(query(key("a", "1")), (2, key("a", "3")));
    assert_eq!(query(key("a", "3")), (0, Value::Null));
    assert_eq!(query(key("a", "2")), (1, Value::Null));
}

#[test]
fn a_read_that_is_not_consistent_may_lag_behind_the_last_write_of_an_item() {
    let mut aws = world();
    put(&mut aws, "a", "1", 1);
    aws.dynamodb.lag();
    put(&mut aws, "a", "1", 2);
    put(&mut aws, "a", "2", 2);
    let delete =
        json!({ "TransactItems": [{ "Delete": on_ledger(json!({ "Key": key("a", "1") })) }] });
    run_operation(&mut aws, "TransactWriteItems", &delete).unwrap();

    let mut sizes = |consistent: Value| {
        let size = |item: &Value| item["v"]["S"].as_str().map(str::len);
        let mut get = |sk| {
            let input = json!({ "Key": key("a", sk), "ConsistentRead": consistent });
            size(&request(&mut aws, "GetItem", input).unwrap()["Item"])
        };
        let got = [get("1"), get("2")];
        let listed = |answer: Value| -> Vec<_> {
            answer["Items"]
                .as_array()
                .unwrap()
                .iter()
                .map(size)
                .collect()
        };
        let all = partition("a", json!({ "ConsistentRead": consistent }));
        let queried = listed(request(&mut aws, "Query", all).unwrap());
        let scan = json!({ "ConsistentRead": consistent });
        let scanned = listed(request(&mut aws, "Scan", scan).unwrap());
        (got, queried, scanned)
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
