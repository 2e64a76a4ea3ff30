//! DynamoDB.

mod rules;

use serde_json::{Value, json};

use super::{Returned, judge};
use crate::dynamodb::run_operation;
use crate::text::base64;
use crate::{ApiError, Aws};

fn call(aws: &mut Aws, operation: &str, input: &Value) -> Result<Value, ApiError> {
    run_operation(aws, operation, input).map_err(ApiError::from)
}

fn table(name: &str, keys: &[&str], more: Value) -> Value {
    let attribute = |key: &&str| json!({"AttributeName": key, "AttributeType": "S"});
    let element = |(index, key): (usize, &&str)| {
        let kind = ["HASH", "RANGE"][index];
        json!({"AttributeName": key, "KeyType": kind})
    };
    let mut input = json!({
        "TableName": name,
        "KeySchema": keys.iter().enumerate().map(element).collect::<Value>(),
        "AttributeDefinitions": keys.iter().map(attribute).collect::<Value>(),
        "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
    });
    for (member, value) in more.as_object().into_iter().flatten() {
        input[member] = value.clone();
    }
    input
}

fn account() -> Aws {
    let mut aws = Aws::new(1);
    call(&mut aws, "CreateTable", &table("table", &["id"], json!({}))).unwrap();
    aws
}

fn tables(answers: &mut Returned) {
    let aws = &mut Aws::new(1);
    let test = "test_table_crud";
    let plain = table("table", &["id"], json!({}));
    answers.add(test, "create-table", call(aws, "CreateTable", &plain));
    answers.add(
        "test_create_duplicate_table",
        "Error",
        call(aws, "CreateTable", &plain),
    );
    let named = |name: &str| json!({ "TableName": name });
    answers.add(
        test,
        "delete-table",
        call(aws, "DeleteTable", &named("table")),
    );
    let missing = call(aws, "DeleteTable", &named("non-existent"));
    answers.add(test, "delete-non-existent-table", missing);

    let units = json!({"ReadUnitsPerSecond": 1000, "WriteUnitsPerSecond": 1200});
    let warm = table("warm", &["id"], json!({ "WarmThroughput": units }));
    let test = "test_table_warm_throughput";
    answers.add(test, "create-table", call(aws, "CreateTable", &warm));

    let both = table("table", &["id"], json!({"BillingMode": "PAY_PER_REQUEST"}));
    answers.add(
        "test_dynamodb_pay_per_request",
        "Error",
        call(aws, "CreateTable", &both),
    );
}

/// The item of a key. boto3 decodes bytes, which Python writes as `b'…'`.
fn item(aws: &mut Aws, id: &str) -> Result<Value, ApiError> {
    let input = json!({"TableName": "table", "Key": {"id": {"S": id}}});
    let mut item = call(aws, "GetItem", &input)?["Item"].take();
    for (_, value) in item.as_object_mut().into_iter().flatten() {
        if let Some(text) = value.get("B").and_then(Value::as_str) {
            let bytes = base64::decode(text).expect("bytes in base64");
            let shown: String = bytes.iter().map(|byte| python(*byte)).collect();
            value["B"] = json!(format!("b'{shown}'"));
        }
    }
    Ok(item)
}

fn python(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() {
        char::from(byte).to_string()
    } else {
        format!("\\x{byte:02x}")
    }
}

fn streams(answers: &mut Returned) {
    for (test, entry, key, view) in [
        (
            "test_batch_write_items_streaming",
            "create-table",
            "id",
            "NEW_AND_OLD_IMAGES",
        ),
        (
            "test_dynamodb_stream_stream_view_type",
            "create-table",
            "Username",
            "KEYS_ONLY",
        ),
        (
            "test_transact_write_items_streaming",
            "create-table",
            "id",
            "NEW_AND_OLD_IMAGES",
        ),
        (
            "test_dynamodb_stream_records_with_update_item",
            "create-table",
            "id",
            "NEW_AND_OLD_IMAGES",
        ),
        (
            "test_transact_write_items_streaming_for_different_tables",
            "create-table-stream",
            "id",
            "NEW_AND_OLD_IMAGES",
        ),
    ] {
        let stream = json!({"StreamEnabled": true, "StreamViewType": view});
        let table = table("stream", &[key], json!({ "StreamSpecification": stream }));
        answers.add(test, entry, call(&mut Aws::new(1), "CreateTable", &table));
    }
    let plain = table("table", &["id"], json!({}));
    let test = "test_transact_write_items_streaming_for_different_tables";
    answers.add(
        test,
        "create-table-no-stream",
        call(&mut Aws::new(1), "CreateTable", &plain),
    );
}

fn puts(answers: &mut Returned) {
    let aws = &mut account();
    let put = |aws: &mut Aws, item: Value, more: Value| {
        let mut input = json!({"TableName": "table", "Item": item});
        for (member, value) in more.as_object().into_iter().flatten() {
            input[member] = value.clone();
        }
        call(aws, "PutItem", &input)
    };
    let item = |id: &str, data: &str| json!({"id": {"S": id}, "data": {"S": data}});
    let test = "test_return_values_in_put_item";
    for (entry, id) in [
        ("PutFirstItem", "id1"),
        ("PutFirstItemOLD", "id1"),
        ("PutFirstItemB", "id1"),
        ("PutSecondItem", "id2"),
    ] {
        let old = json!({"ReturnValues": "ALL_OLD"});
        answers.add(test, entry, put(aws, item(id, "foobar"), old));
    }
    let again = put(aws, item("id2", "foobar"), json!({}));
    answers.add(test, "PutSecondItemReturnNone", again);

    // DeleteItem is not served; a refused PutItem returns the same.
    let goods = json!({
        "id": {"S": "456"}, "price": {"N": "650"}, "product": {"S": "sporting goods"},
    });
    put(aws, goods.clone(), json!({})).unwrap();
    let condition = json!({
        "ConditionExpression": "attribute_not_exists(id)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    });
    let test = "test_return_values_on_conditions_check_failure";
    answers.add(test, "items", put(aws, goods, condition));

    let test = "test_empty_and_binary_values";
    answers.add(test, "PutFirstItem", put(aws, item("id1", ""), json!({})));

    let binary = json!({"id": {"S": "id2"}, "data": {"B": "kA=="}});
    answers.add(test, "PutSecondItem", put(aws, binary, json!({})));

    let fred = json!({"id": {"S": "Fred"}});
    for test in [
        "test_batch_write_items_streaming",
        "test_transact_write_items_streaming",
    ] {
        answers.add(test, "put-item-1", put(aws, fred.clone(), json!({})));
    }
}

fn transactions(answers: &mut Returned) {
    let aws = &mut account();
    let write = |aws: &mut Aws, items: Value| {
        call(
            aws,
            "TransactWriteItems",
            &json!({ "TransactItems": items }),
        )
    };
    let put =
        |table: &str, id: &str| json!({"Put": {"TableName": table, "Item": {"id": {"S": id}}}});
    let test = "test_transact_write_items_streaming";
    let both = json!([put("table", "Fred"), put("table", "NewKey")]);
    answers.add(test, "transact-write-response-overwrite", write(aws, both));
    let delete = json!([{"Delete": {"TableName": "table", "Key": {"id": {"S": "NewKey"}}}}]);
    answers.add(test, "transact-write-response-delete", write(aws, delete));

    let mut refused = put("table", "Fred");
    refused["Put"]["ConditionExpression"] = json!("attribute_not_exists(id)");
    let canceled = write(aws, json!([refused, put("table", "other")]));
    let canceled = canceled.map_err(|error| ApiError {
        members: Vec::new(),
        ..error
    });
    answers.add("test_transaction_write_canceled", "Error", canceled);

    let missing = json!([{"Put": {"TableName": "non-existing-table", "Item": {}}}]);
    let test = "test_batch_write_not_existing_table";
    answers.add(
        test,
        "exc-not-found-transact-write-items",
        write(aws, missing),
    );
}

/// A transaction of writes of the table, each with its kind.
fn write_all(aws: &mut Aws, table: &str, writes: &[(&str, Value)]) -> Result<Value, ApiError> {
    let write = |(kind, members): &(&str, Value)| {
        let mut write = members.clone();
        write["TableName"] = json!(table);
        json!({ *kind: write })
    };
    let items: Value = writes.iter().map(write).collect();
    let input = json!({ "TransactItems": items });
    call(aws, "TransactWriteItems", &input)
}

fn kinds_of_writes(answers: &mut Returned) {
    let aws = &mut account();
    let key = |id: &str| json!({"id": {"S": id}});
    let update = |id: &str| {
        let write = json!({
            "Key": key(id), "UpdateExpression": "SET attr1 = :v1, attr2 = :v2",
            "ExpressionAttributeValues": {":v1": {"S": "value1"}, ":v2": {"S": "value2"}},
        });
        ("Update", write)
    };
    let check = json!({"Key": key("test1"), "ConditionExpression": "attribute_not_exists(id)"});
    let all = [
        ("ConditionCheck", check),
        ("Put", json!({"Item": key("test2")})),
        update("test3"),
        ("Delete", json!({"Key": key("test4")})),
    ];
    let test = "test_transaction_write_items";
    answers.add(test, "Response", write_all(aws, "table", &all));
    let arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/table";
    answers.add(test, "Response_using_table_arn", write_all(aws, arn, &all));

    let test = "test_transact_write_items_streaming";
    for (entry, id) in [
        ("transact-write-response-update", "test2"),
        ("transact-write-update-insert", "NonExistentKey"),
    ] {
        let answer = write_all(aws, "table", &[update(id)]);
        answers.add(test, entry, answer);
    }

    call(aws, "CreateTable", &table("other", &["id"], json!({}))).unwrap();
    let put = |table: &str| json!({"Put": {"TableName": table, "Item": key("Fred")}});
    let both = json!({"TransactItems": [put("table"), put("other")]});
    let test = "test_transact_write_items_streaming_for_different_tables";
    let answer = call(aws, "TransactWriteItems", &both);
    answers.add(test, "transact-write-two-tables", answer);
}

fn bytes(answers: &mut Returned) {
    let aws = &mut account();
    let put = json!({"Item": {"id": {"S": "someUser"}, "binaryData": {"B": "Zm9vYmFy"}}});
    let test = "test_transaction_write_binary_data";
    let answer = write_all(aws, "table", &[("Put", put)]);
    answers.add(test, "WriteResponse", answer);
    answers.add(test, "GetItem", item(aws, "someUser"));

    // UpdateItem is not served; an update in a transaction writes the same.
    let put = json!({
        "TableName": "table",
        "Item": {"id": {"S": "id1"}, "version": {"N": "1"}, "data": {"B": "kA=="}},
    });
    call(aws, "PutItem", &put).unwrap();
    let test = "test_data_encoding_consistency";
    answers.add(test, "GetItem", item(aws, "id1"));
    let update = json!({
        "Key": {"id": {"S": "id1"}}, "UpdateExpression": "SET #version = :version",
        "ExpressionAttributeNames": {"#version": "version"},
        "ExpressionAttributeValues": {":version": {"N": "2"}},
    });
    write_all(aws, "table", &[("Update", update)]).unwrap();
    answers.add(test, "GetItemAfterUpdate", item(aws, "id1"));
}

fn repeated(answers: &mut Returned) {
    let aws = &mut account();
    let two = table("two", &["id", "name"], json!({}));
    call(aws, "CreateTable", &two).unwrap();
    for entry in ["Response1", "Response2"] {
        let item = json!({"id": {"S": "id1"}, "name": {"S": "name1"}});
        let items = json!([{"Put": {"TableName": "two", "Item": item}}]);
        let input = json!({"TransactItems": items, "ClientRequestToken": "dedupe_token"});
        let answer = call(aws, "TransactWriteItems", &input);
        answers.add("test_dynamodb_idempotent_writing", entry, answer);
    }
}

/// What the tests of PartiQL wrote, read by GetItem and Scan. A scan has no order.
fn reads(answers: &mut Returned) {
    let aws = &mut Aws::new(1);
    let users = table("users", &["Username"], json!({}));
    call(aws, "CreateTable", &users).unwrap();
    let first = json!({"Username": {"S": "user01"}});
    let second = json!({"Username": {"S": "user02"}, "Age": {"N": "20"}});
    let put = |aws: &mut Aws, item: &Value| {
        let input = json!({"TableName": "users", "Item": item});
        call(aws, "PutItem", &input).unwrap();
    };

    put(aws, &first);
    put(aws, &json!({"Username": {"S": "user02"}}));
    let mut scanned = call(aws, "Scan", &json!({"TableName": "users"})).unwrap();
    let items = scanned["Items"].as_array_mut().expect("a list");
    items.sort_by_key(|item| item["Username"]["S"].to_string());
    let test = "test_dynamodb_execute_transaction";
    answers.add(test, "TableScan", Ok(scanned));

    put(aws, &second);
    let test = "test_dynamodb_batch_execute_statement";
    for (entry, user) in [("ItemUser1", "user01"), ("ItemUser2", "user02")] {
        let input = json!({"TableName": "users", "Key": {"Username": {"S": user}}});
        let mut answer = call(aws, "GetItem", &input).unwrap();
        answers.add(test, entry, Ok(answer["Item"].take()));
    }
}

#[test]
fn dynamodb_answers_as_recorded() {
    let mut answers = Returned::default();
    tables(&mut answers);
    streams(&mut answers);
    puts(&mut answers);
    transactions(&mut answers);
    kinds_of_writes(&mut answers);
    bytes(&mut answers);
    repeated(&mut answers);
    reads(&mut answers);
    judge(
        "dynamodb/test_dynamodb.snapshot.json",
        &answers,
        rules::LEFT_OUT,
    );
}
