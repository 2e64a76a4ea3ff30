use super::*;
use crate::lambda::{Attempt, Function, create_function, duplicate, finished};

/// What passes the filter.
const LEASES: &str = r#"{"dynamodb":{"Keys":{"pk":{"S":["lease"]}}}}"#;

/// An account with a table and a function that gets the changes of the partition `lease`, in batches
/// of three.
fn account() -> Aws {
    let mut aws = Aws::new(7);
    let table = json!({
        "TableName": "ledger", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    });
    dynamodb::call(&mut aws, "CreateTable", &table).unwrap();
    let function = Function {
        name: "announce".to_owned(),
        ..Function::default()
    };
    create_function(&mut aws, function).unwrap();

    let mapping = json!({
        "FunctionName": "announce", "BatchSize": 3, "StartingPosition": "TRIM_HORIZON",
        "EventSourceArn": dynamodb::stream_arn(&aws, "ledger"),
        "FilterCriteria": {"Filters": [{"Pattern": LEASES}]},
        "MaximumRecordAgeInSeconds": 3600, "FunctionResponseTypes": ["ReportBatchItemFailures"],
    });
    create_mapping(&mut aws, &mapping).unwrap();
    aws
}

fn put(aws: &mut Aws, pk: &str, sk: &str, fence: u32) {
    let item = json!({
        "pk": {"S": pk}, "sk": {"S": sk}, "fence": {"N": fence.to_string()},
    });
    let input = json!({"TableName": "ledger", "Item": item});
    dynamodb::call(aws, "PutItem", &input).unwrap();
}

/// The attempt that is due within some seconds, if any.
fn after(aws: &mut Aws, secs: i64) -> Option<Attempt> {
    aws.now += secs * 1000;
    aws.run_due();
    aws.lambda.take_ready()
}

/// The numbers in the new images of what a function received.
fn fences(attempt: &Attempt) -> Vec<&str> {
    let records = items(&attempt.payload["Records"]).iter();
    records
        .filter_map(|record| record.pointer("/dynamodb/NewImage/fence/N")?.as_str())
        .collect()
}

/// What the function returns when it fails from a record on.
fn failing_from(attempt: &Attempt, at: usize) -> Outcome {
    let sequence = &attempt.payload["Records"][at]["dynamodb"]["SequenceNumber"];
    Outcome::Succeeded(json!({"batchItemFailures": [{"itemIdentifier": sequence}]}))
}

fn done() -> Outcome {
    Outcome::Succeeded(json!({"batchItemFailures": []}))
}

#[test]
fn a_function_gets_the_changes_that_its_filters_take_with_both_images_in_order() {
    let mut aws = account();
    put(&mut aws, "lease", "a", 1);
    put(&mut aws, "execution#1", "record", 7);
    put(&mut aws, "lease", "a", 2);
    // An item that is written as it was is no change.
    put(&mut aws, "lease", "a", 2);
    put(&mut aws, "lease", "b", 3);
    put(&mut aws, "lease", "b", 4);

    let first = after(&mut aws, 2).unwrap();
    assert_eq!(fences(&first), ["1", "2", "3"]);
    let records = items(&first.payload["Records"]);
    assert_eq!(records[0]["eventName"], "INSERT");
    assert!(records[0]["dynamodb"].get("OldImage").is_none());
    assert_eq!(records[1]["eventName"], "MODIFY");
    assert_eq!(records[1]["dynamodb"]["OldImage"]["fence"]["N"], "1");
    assert!(after(&mut aws, 60).is_none(), "the shard waits for it");

    finished(&mut aws, first.id, done());
    let second = after(&mut aws, 2).unwrap();
    assert_eq!(fences(&second), ["4"]);
    finished(&mut aws, second.id, done());
    assert!(after(&mut aws, 3600).is_none());
}

#[test]
fn a_batch_that_fails_is_sent_again_from_what_failed_on() {
    let mut aws = account();
    for fence in 1..=3 {
        put(&mut aws, "lease", "a", fence);
    }
    let first = after(&mut aws, 2).unwrap();
    finished(&mut aws, first.id, Outcome::Crashed);
    let again = after(&mut aws, 3).unwrap();
    assert_eq!(fences(&again), ["1", "2", "3"]);

    let from_second = failing_from(&again, 1);
    finished(&mut aws, again.id, from_second);
    let rest = after(&mut aws, 3).unwrap();
    assert_eq!(fences(&rest), ["2", "3"]);

    let unknown = json!({"batchItemFailures": [{"itemIdentifier": ""}]});
    finished(&mut aws, rest.id, Outcome::Succeeded(unknown));
    let all = after(&mut aws, 5).unwrap();
    assert_eq!(fences(&all), ["2", "3"]);
    finished(&mut aws, all.id, done());
    assert!(after(&mut aws, 3600).is_none());
}

#[test]
fn a_repeated_delivery_of_a_batch_moves_nothing_on() {
    let mut aws = account();
    put(&mut aws, "lease", "a", 1);
    let first = after(&mut aws, 2).unwrap();
    duplicate(&mut aws, first.invocation, Duration::from_secs(1));
    let repeated = after(&mut aws, 2).unwrap();
    assert_eq!(repeated.payload, first.payload);

    finished(&mut aws, repeated.id, done());
    assert!(after(&mut aws, 60).is_none());
    finished(&mut aws, first.id, Outcome::Crashed);
    let again = after(&mut aws, 3).unwrap();
    assert_eq!(fences(&again), ["1"]);
}

#[test]
fn a_record_that_is_too_old_is_given_up_when_it_fails_once_more() {
    let mut aws = account();
    put(&mut aws, "lease", "a", 1);
    let attempt = after(&mut aws, 2).unwrap();
    aws.now += 3_600_000;
    put(&mut aws, "lease", "a", 2);
    finished(&mut aws, attempt.id, Outcome::Crashed);

    let letter = &aws.lambda.dead_letters[0];
    assert_eq!(letter.payload, Value::Null);
    assert_eq!(letter.record["DDBStreamBatchInfo"]["batchSize"], 1);
    let next = after(&mut aws, 2).unwrap();
    assert_eq!(fences(&next), ["2"], "the shard goes on");
}

#[test]
fn a_mapping_is_made_for_a_function_and_a_stream_that_are_there() {
    let mut aws = account();
    for (function, stream, code) in [
        (
            "none",
            dynamodb::stream_arn(&aws, "ledger"),
            "ResourceNotFoundException",
        ),
        ("announce", None, "InvalidParameterValueException"),
    ] {
        let declared = json!({
            "FunctionName": function, "EventSourceArn": stream, "StartingPosition": "LATEST",
        });
        assert_eq!(create_mapping(&mut aws, &declared).unwrap_err().code, code);
    }
}
