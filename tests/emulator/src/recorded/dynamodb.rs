//! DynamoDB.

use serde_json::{Value, json};

use super::{Returned, judge};
use crate::dynamodb::run_operation;
use crate::{ApiError, Aws};

const LEFT_OUT: [(&str, &str); 30] = [
    ("test_valid_local_secondary_index", "secondary indexes"),
    ("test_gsi_with_billing_mode*", "secondary indexes"),
    ("test_batch_write_*", "BatchWriteItem"),
    ("test_batch_execute*", "PartiQL"),
    ("test_dynamodb_execute_*", "PartiQL"),
    ("test_dynamodb_batch_execute_statement", "PartiQL"),
    ("test_dynamodb_partiql_missing", "PartiQL"),
    ("test_transact_get_items", "TransactGetItems"),
    (
        "test_dynamodb_create_table_with_partial_sse_specification",
        "DescribeTable, KMS",
    ),
    (
        "test_dynamodb_update_table_without_sse_specification_change",
        "DescribeTable, KMS",
    ),
    ("test_dynamodb_get_batch_items", "BatchGetItem"),
    ("test_continuous_backup_update", "backups"),
    (
        "test_data_encoding_consistency/GetItemAfterUpdate",
        "UpdateItem",
    ),
    (
        "*/GetRecords",
        "streams are read by the driver, not by calls",
    ),
    (
        "*/GetRecordsAfterUpdate",
        "streams are read by the driver, not by calls",
    ),
    (
        "*/get-records",
        "streams are read by the driver, not by calls",
    ),
    (
        "*/describe-stream",
        "streams are read by the driver, not by calls",
    ),
    (
        "*/get-shard-iterator",
        "streams are read by the driver, not by calls",
    ),
    ("*/describe-table", "DescribeTable"),
    ("test_streams_on_global_tables", "global tables"),
    ("test_kinesis_streaming_destination_crud", "Kinesis"),
    (
        "test_dynamodb_describe_contributor_insights",
        "DescribeContributorInsights",
    ),
    ("test_table_warm_throughput", "warm throughput"),
    (
        "test_transact_write_items_streaming/transact-write-response-update",
        "Update in a transaction",
    ),
    (
        "test_transact_write_items_streaming/transact-write-update-insert",
        "Update in a transaction",
    ),
    ("test_transaction_write_items", "Update in a transaction"),
    (
        "test_transact_write_items_streaming_for_different_tables/transact-write-two-tables",
        "DescribeStream",
    ),
    ("test_transaction_write_binary_data", "binary attributes"),
    (
        "test_empty_and_binary_values/PutSecondItem",
        "binary attributes",
    ),
    (
        "test_data_encoding_consistency/GetItem",
        "binary attributes",
    ),
];

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

    let both = table("table", &["id"], json!({"BillingMode": "PAY_PER_REQUEST"}));
    answers.add(
        "test_dynamodb_pay_per_request",
        "Error",
        call(aws, "CreateTable", &both),
    );
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

#[test]
fn dynamodb_answers_as_recorded() {
    let mut answers = Returned::default();
    tables(&mut answers);
    streams(&mut answers);
    puts(&mut answers);
    transactions(&mut answers);
    repeated(&mut answers);
    judge("dynamodb/test_dynamodb.snapshot.json", &answers, &LEFT_OUT);
}
