//! EventBridge: targets. LocalStack's tests put the events that services emit here.

use serde_json::{Value, json};

use super::events::{QUEUES, events};
use super::inputs::{detail, received};
use super::left_out::{Lack, LeftOut, Sign};
use super::{Returned, judge, snapshot};

const FILE: &str = "events/test_events_targets.snapshot.json";

const OTHER_TARGETS: Lack = Lack::Other("targets other than functions");

const LEFT_OUT: &[LeftOut] = &[
    (Sign::Holds("ReceiptHandle"), QUEUES),
    (Sign::Holds("\"detail-type\""), OTHER_TARGETS),
    (Sign::Member("EventBusArn"), events("CreateEventBus")),
    (Sign::Test("*_api_gateway"), OTHER_TARGETS),
    (Sign::Test("*_cloudwatch_logs"), OTHER_TARGETS),
];

/// What a function receives of an event with this detail.
fn event(detail: &Value) -> Value {
    received(&json!({}), detail).expect("the rule is about it")
}

#[test]
fn a_function_receives_events_as_recorded() {
    let recorded = snapshot(FILE).unwrap_or_default();
    let mut answers = Returned::default();
    let test = "test_put_events_with_target_lambda";
    answers.add(test, "events", Ok(json!([event(&detail())])));

    // The details of these tests are long lists, which the function receives whole.
    for test in [
        "test_put_events_with_target_lambda_list_entry",
        "test_put_events_with_target_lambda_list_entries_partial_match",
    ] {
        let given = recorded.get(test).map(|entries| &entries["events"][0]);
        let sent = given.map_or_else(detail, |event| event["detail"].clone());
        answers.add(test, "events", Ok(json!([event(&sent)])));
    }
    judge(FILE, &answers, LEFT_OUT);
}
