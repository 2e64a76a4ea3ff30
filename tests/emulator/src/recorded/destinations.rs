//! Lambda: what an on-failure destination receives. LocalStack's functions are in Python, whose
//! errors have other members: they are not compared.

use std::time::Duration;

use serde_json::{Value, json};

use super::left_out::{Lack, LeftOut, Sign};
use super::{Returned, comparable, judge, snapshot};
use crate::Aws;
use crate::lambda::{self, EventInvokeConfig, Function, Outcome};

const FILE: &str = "lambda_/test_lambda_destinations.snapshot.json";

const LEFT_OUT: &[LeftOut] = &[
    (
        Sign::Entry("put_function_event_invoke_config"),
        Lack::Other("PutFunctionEventInvokeConfig; stacks configure functions"),
    ),
    (
        Sign::Holds("\"condition\":\"Success\""),
        Lack::Other("destinations of successes"),
    ),
    (
        Sign::Test("test_dead_letter_queue"),
        Lack::Other("dead-letter queues; the log of an invocation"),
    ),
    (
        Sign::Holds("\"detail-type\""),
        Lack::Other("event buses as destinations"),
    ),
];

/// What is left of an invocation with this payload that fails as often as it is tried.
fn failed(payload: &Value, config: EventInvokeConfig) -> Value {
    let mut aws = Aws::new(1);
    let function = Function {
        name: "failing".to_owned(),
        ..Function::default()
    };
    lambda::create_function(&mut aws, function).unwrap();
    lambda::put_event_invoke_config(&mut aws, "failing", config).unwrap();
    lambda::invoke_async(&mut aws, "failing", payload.clone()).unwrap();
    while aws.lambda.dead_letters.is_empty() {
        aws.now += 1000;
        aws.run_due();
        if let Some(attempt) = aws.lambda.take_ready() {
            let outcome = Outcome::Failed("intentional failure".to_owned());
            lambda::finished(&mut aws, attempt.id, outcome);
        }
    }
    aws.lambda.dead_letters[0].record.clone()
}

/// A recorded response with another record in its message.
fn with_record(recorded: &Value, mut record: Value) -> Value {
    let mut answer = comparable(recorded);
    let message = match answer.get("Messages") {
        Some(_) => &mut answer["Messages"][0],
        None => &mut answer,
    };
    assert!(record["responsePayload"]["errorMessage"].is_string());
    record["responsePayload"] = message["Body"]["responsePayload"].clone();
    message["Body"] = record;
    answer
}

#[test]
fn records_of_failures_are_as_recorded() {
    let Some(recorded) = snapshot(FILE) else {
        return;
    };
    let (raise, message) = (json!({"raise_error": 1}), json!({"message": "the-id"}));
    let received = "receive_message_result";
    let of_age = "test_maxeventage";
    let mut answers = Returned::default();
    for (test, entry, payload, retries, seconds) in [
        (
            "test_assess_lambda_destination_invocation[payload1]",
            received,
            &raise,
            0,
            21_600,
        ),
        (
            "test_lambda_destination_default_retries",
            received,
            &raise,
            2,
            21_600,
        ),
        (
            "test_retries",
            "queue_destination_payload",
            &message,
            2,
            21_600,
        ),
        (of_age, "no_retry_failure_message", &message, 2, 60),
        (of_age, "single_retry_failure_message", &message, 2, 100),
    ] {
        let config = EventInvokeConfig {
            maximum_retry_attempts: retries,
            maximum_event_age: Duration::from_secs(seconds),
            ..EventInvokeConfig::default()
        };
        let answer = with_record(&recorded[test][entry], failed(payload, config));
        answers.add(test, entry, Ok(answer));
    }
    judge(FILE, &answers, LEFT_OUT);
}
