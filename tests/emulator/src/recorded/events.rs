//! EventBridge: rules, targets and entries. LocalStack's tests target queues, these a function.

use serde_json::{Value, json};

use super::left_out::{Lack, LeftOut, Sign};
use super::{Returned, judge};
use crate::{ApiError, Aws, eventbridge};

const PATTERN: &str = r#"{
    "source": ["core.update-account-command"],
    "detail-type": ["core.update-account-command"],
    "detail": {"command": ["update-account"]}
}"#;

fn put_rule(aws: &mut Aws, name: &str) -> Result<Value, ApiError> {
    let input = json!({"Name": name, "EventPattern": PATTERN});
    eventbridge::call(aws, "PutRule", &input)
}

/// The rules, with their patterns as JSON: LocalStack reads them for its snapshots.
pub(super) fn list(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    let mut answer = eventbridge::call(aws, "ListRules", input)?;
    for rule in answer["Rules"].as_array_mut().into_iter().flatten() {
        if let Some(pattern) = rule["EventPattern"].as_str() {
            rule["EventPattern"] = serde_json::from_str(pattern).expect("a pattern is JSON");
        }
    }
    Ok(answer)
}

fn target(id: &str) -> Value {
    json!({"Id": id, "Arn": "arn:aws:lambda:eu-west-1:111122223333:function:start"})
}

fn put_targets(aws: &mut Aws, targets: &[Value]) -> Result<Value, ApiError> {
    let input = json!({"Rule": "rule", "Targets": targets});
    eventbridge::call(aws, "PutTargets", &input)
}

fn rules(answers: &mut Returned) {
    let aws = &mut Aws::new(1);
    let test = "test_put_list_with_prefix_describe_delete_rule[default]";
    answers.add(test, "put-rule", put_rule(aws, "rule"));
    // This rule is of the default bus, the others of that test are not.
    answers.add(
        "test_put_events_to_default_eventbus_for_custom_eventbus",
        "create-rule-1",
        put_rule(&mut Aws::new(1), "first"),
    );
    answers.add(
        test,
        "list-rules",
        list(aws, &json!({"NamePrefix": "rule"})),
    );

    put_targets(aws, &[target("start")]).unwrap();
    let delete = |aws: &mut Aws| eventbridge::call(aws, "DeleteRule", &json!({"Name": "rule"}));
    let refused = delete(aws);
    answers.add(
        "test_delete_rule_with_targets",
        "delete-rule-with-targets-error",
        refused,
    );
    answers.add(
        "test_update_rule_with_targets",
        "update-rule",
        put_rule(aws, "rule"),
    );
    let disable =
        |aws: &mut Aws, name: &str| eventbridge::call(aws, "DisableRule", &json!({ "Name": name }));
    answers.add(
        "test_disable_re_enable_rule[default]",
        "disable-rule",
        disable(aws, "rule"),
    );
    let missing = disable(aws, "other");
    let entry = "describe-not-existing-rule-error";
    answers.add("test_describe_nonexistent_rule", entry, missing);

    let remove = json!({"Rule": "rule", "Ids": ["start"]});
    eventbridge::call(aws, "RemoveTargets", &remove).unwrap();
    answers.add(test, "delete-rule", delete(aws));
    answers.add(test, "list-rules-after-delete", list(aws, &json!({})));
}

fn targets(answers: &mut Returned) {
    let aws = &mut Aws::new(1);
    put_rule(aws, "rule").unwrap();
    let test = "test_put_list_remove_target[default]";
    answers.add(test, "put-target", put_targets(aws, &[target("start")]));
    let remove = json!({"Rule": "rule", "Ids": ["start"]});
    let removed = eventbridge::call(aws, "RemoveTargets", &remove);
    answers.add(test, "remove-target", removed);

    let six = ["a", "b", "c", "d", "e", "f"].map(target);
    let test = "test_add_exceed_fife_targets_per_rule";
    answers.add(test, "put-targets-client-error", put_targets(aws, &six));
    let test = "test_put_target_id_validation";
    let invalid = put_targets(aws, &[target("!@#$@!#$")]);
    answers.add(test, "put-targets-invalid-id-error", invalid);
    // The snapshot has replaced the id of 65 letters.
    let long = "a".repeat(65);
    let mut refused = put_targets(aws, &[target(&long)]);
    if let Err(error) = &mut refused {
        error.message = error.message.replace(&long, "second-invalid-target-id");
    }
    answers.add(test, "put-targets-length-error", refused);
}

/// A request with one entry, which has these members beside its source and its type.
fn put_entry(members: &Value) -> Result<Value, ApiError> {
    let mut entry = json!({"Source": "core", "DetailType": "update", "Detail": "{}"});
    for (member, value) in members.as_object().into_iter().flatten() {
        entry[member] = value.clone();
    }
    let input = json!({ "Entries": [entry] });
    eventbridge::call(&mut Aws::new(1), "PutEvents", &input)
}

fn entries(answers: &mut Returned) {
    let failing = [
        ("test_put_events_without_source", json!({"Source": null})),
        ("test_put_event_without_detail", json!({"Detail": null})),
        (
            "test_put_event_without_detail_type",
            json!({"DetailType": null}),
        ),
        (
            "test_put_event_malformed_detail[STRING]",
            json!({"Detail": "text"}),
        ),
        (
            "test_put_event_malformed_detail[ARRAY]",
            json!({"Detail": "[1]"}),
        ),
        (
            "test_put_event_malformed_detail[MALFORMED_JSON]",
            json!({"Detail": "{"}),
        ),
        (
            "test_put_event_malformed_detail[SERIALIZED_STRING]",
            json!({"Detail": "\"text\""}),
        ),
        (
            "test_put_events_with_time_field",
            json!({"Time": 1_767_603_600}),
        ),
    ];
    for (test, members) in failing {
        answers.add(test, "put-events", put_entry(&members));
    }
    entries_that_are_refused_or_passed_on(answers);
}

fn entries_that_are_refused_or_passed_on(answers: &mut Returned) {
    let text = format!("{{\"text\": \"{}\"}}", "a".repeat(256 * 1024));
    answers.add(
        "test_put_event_with_too_big_detail",
        "put-events-too-big-detail-error",
        put_entry(&json!({ "Detail": text })),
    );
    answers.add(
        "test_put_events_with_target_delivery_failure",
        "put-events-response",
        put_entry(&json!({})),
    );

    let entry = |bus: &str| {
        json!({
            "Source": "core", "DetailType": "update", "Detail": "{}", "EventBusName": bus,
        })
    };
    let both = json!({"Entries": [entry("none"), entry("default")]});
    let put = eventbridge::call(&mut Aws::new(1), "PutEvents", &both);
    answers.add("test_put_events_nonexistent_event_bus", "put-events", put);
}

/// An operation of EventBridge.
pub(super) const fn events(operation: &'static str) -> Lack {
    Lack::Operation("events", operation)
}

/// What is read from a queue.
pub(super) const QUEUES: Lack = Lack::Operation("sqs", "ReceiveMessage");

const QUOTED: Lack = Lack::Other("lists in messages, as Java writes them");
const REPLACED: Lack = Lack::Other("ids that a snapshot has as a word");

/// Only the default bus is served.
const LEFT_OUT: &[LeftOut] = &[
    (Sign::Test("test_put_events_exceed_limit*"), QUOTED),
    (
        Sign::Test("test_put_events_response_entries_order"),
        REPLACED,
    ),
    (Sign::Holds("ReceiptHandle"), QUEUES),
    (Sign::Entry("events*"), QUEUES),
    (Sign::Operation, events("DescribeRule")),
    (Sign::Operation, events("EnableRule")),
    (Sign::Member("Targets"), events("ListTargetsByRule")),
    (Sign::Member("RuleNames"), events("ListRuleNamesByTarget")),
    (Sign::Member("EventBuses"), events("ListEventBuses")),
    (Sign::Holds("vent bus "), events("DescribeEventBus")),
    (Sign::Holds("event-bus/"), events("CreateEventBus")),
    (Sign::Parameter("custom"), events("CreateEventBus")),
    (Sign::Holds(":rule/<*>/<"), events("CreateEventBus")),
    (Sign::Entry("put-target-*"), events("CreateEventBus")),
    (
        Sign::Entry("delete-custom-event-bus*"),
        events("DeleteEventBus"),
    ),
    (Sign::Operation, events("PutPermission")),
    (Sign::Operation, events("RemovePermission")),
    (Sign::Operation, events("CreateConnection")),
];

#[test]
fn rules_targets_and_entries_are_as_recorded() {
    let mut answers = Returned::default();
    rules(&mut answers);
    targets(&mut answers);
    entries(&mut answers);
    judge("events/test_events.snapshot.json", &answers, LEFT_OUT);
}
