//! What callers put on the bus.

use super::*;

fn entry(tag: &str) -> Value {
    json!({"Source": "shop", "DetailType": "Sale", "Detail": json!({"tag": tag}).to_string()})
}

fn put(aws: &mut Aws, entries: &[Value]) -> Result<Value, ApiError> {
    call(aws, "PutEvents", &json!({ "Entries": entries }))
}

/// The tags of the events that are on the bus.
fn tags(aws: &Aws) -> Vec<&str> {
    let events = aws.events.events.iter();
    let tags = events.filter_map(|event| event["detail"]["tag"].as_str());
    tags.collect()
}

#[test]
fn an_entry_becomes_an_event_that_reaches_the_targets_of_its_rules() {
    let mut aws = account();
    put_rule(&mut aws, "slipway-web", json!({})).unwrap();
    let pattern = json!({"Name": "slipway-web", "EventPattern": r#"{"source":["shop"]}"#});
    call(&mut aws, "PutRule", &pattern).unwrap();

    let mut at_nine = entry("1.0.0");
    at_nine["Time"] = json!(1_767_603_599);
    let answer = put(&mut aws, &[at_nine]).unwrap();
    assert_eq!(answer["FailedEntryCount"], 0);

    aws.now += 2000;
    aws.run_due();
    let event = aws.lambda.take_ready().unwrap().payload;
    assert_eq!(event["id"], answer["Entries"][0]["EventId"]);
    assert_eq!(event["detail-type"], "Sale");
    assert_eq!(event["time"], "2026-01-05T08:59:59Z");
    assert_eq!(event["detail"], json!({"tag": "1.0.0"}));
}

#[test]
fn an_entry_fails_by_itself_in_a_request_that_succeeds() {
    let mut aws = account();
    let mut foreign = entry("2");
    foreign["Source"] = json!("aws.ecr");
    let answer = put(&mut aws, &[entry("1"), foreign, entry("3")]).unwrap();
    assert_eq!(answer["FailedEntryCount"], 1);
    assert_eq!(
        answer["Entries"][1]["ErrorCode"],
        "NotAuthorizedForSourceException"
    );
    assert_eq!(tags(&aws), ["1", "3"]);

    aws.events.failing_entries = 1;
    let answer = put(&mut aws, &[entry("4"), entry("5")]).unwrap();
    assert_eq!(answer["Entries"][0]["ErrorCode"], "InternalFailure");
    assert_eq!(tags(&aws), ["1", "3", "5"]);
}

#[test]
fn a_request_has_ten_entries_and_less_than_256_kb() {
    let mut aws = account();
    for (entries, message) in [
        (
            Vec::new(),
            "1 validation error detected: Value at 'entries' failed to satisfy constraint: Member \
             must have length greater than or equal to 1",
        ),
        (
            vec![entry("1"); 11],
            "1 validation error detected: Value at 'entries' failed to satisfy constraint: Member \
             must have length less than or equal to 10",
        ),
        (
            vec![entry(&"a".repeat(128 * 1024)); 2],
            "Total size of the entries in the request is over the limit.",
        ),
    ] {
        let refused = put(&mut aws, &entries).unwrap_err();
        assert_eq!(refused.message, message);
    }
    assert_eq!(tags(&aws), Vec::<&str>::new());
    put(&mut aws, &vec![entry("1"); 10]).unwrap();
    assert_eq!(tags(&aws).len(), 10);
}
