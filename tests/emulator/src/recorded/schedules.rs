//! EventBridge: rules with a schedule. LocalStack's tests target queues, these a function.

use serde_json::{Value, json};

use super::events::{events, list};
use super::left_out::Sign;
use super::{Returned, inputs, judge, snapshot};
use crate::{ApiError, Aws, Millis, eventbridge};

const FILE: &str = "events/test_events_schedule.snapshot.json";

fn put_rule(aws: &mut Aws, schedule: &str) -> Result<Value, ApiError> {
    let input = json!({"Name": "rule", "ScheduleExpression": schedule});
    eventbridge::call(aws, "PutRule", &input)
}

/// The schedule of a test is in the list of rules that it recorded, or the parameter of the test.
fn rules(answers: &mut Returned) {
    for (test, entries) in &snapshot(FILE).unwrap_or_default() {
        let aws = &mut Aws::new(1);
        let listed = &entries["list-rules"]["Rules"][0]["ScheduleExpression"];
        let parameter = test
            .split_once('[')
            .and_then(|(_, rest)| rest.strip_suffix(']'));
        if let Some(schedule) = listed.as_str() {
            answers.add(test, "put-rule", put_rule(aws, schedule));
            let rules = list(aws, &json!({"NamePrefix": "rule"}));
            answers.add(test, "list-rules", rules);
        } else if let Some(schedule) = parameter {
            answers.add(test, "invalid-put-rule", put_rule(aws, schedule));
        }
    }
}

/// What a target with this input receives in two minutes, each message as that of a queue.
fn received(schedule: &str, input: &Value) -> [Result<Value, ApiError>; 2] {
    let mut aws = inputs::account();
    put_rule(&mut aws, schedule).unwrap();
    inputs::put(&mut aws, input).unwrap();
    [62_000, 60_000].map(|millis: Millis| {
        aws.now += millis;
        aws.run_due();
        let invocation = aws.lambda.take_ready().expect("an event of the schedule");
        Ok(json!([{ "Body": invocation.payload }]))
    })
}

fn messages(answers: &mut Returned) {
    let [first, second] = received("rate(1 minute)", &json!({}));
    answers.add("tests_schedule_rate_target_sqs", "messages-first", first);
    answers.add("tests_schedule_rate_target_sqs", "messages-second", second);

    let custom = json!({"Input": r#"{"custom-value": "somecustominput"}"#});
    let [first, _] = received("rate(1 minute)", &custom);
    answers.add(
        "tests_schedule_rate_custom_input_target_sqs",
        "messages",
        first,
    );

    let [first, _] = received("cron(* * * * ? *)", &json!({}));
    answers.add("test_schedule_cron_target_sqs", "message", first);
}

#[test]
fn schedules_are_as_recorded() {
    let mut answers = Returned::default();
    rules(&mut answers);
    messages(&mut answers);
    let left_out = [
        (Sign::Member("Targets"), events("ListTargetsByRule")),
        (
            Sign::Holds("supported only on the default event bus"),
            events("CreateEventBus"),
        ),
    ];
    judge(FILE, &answers, &left_out);
}
