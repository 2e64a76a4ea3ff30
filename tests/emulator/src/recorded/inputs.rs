//! EventBridge: what a target receives. LocalStack's tests target queues of another bus, these a
//! function.

use serde_json::{Value, json};

use super::left_out::{Lack, Sign};
use super::{Returned, judge, snapshot};
use crate::lambda::{Function, Permission};
use crate::{ApiError, Aws, eventbridge, lambda};

const FILE: &str = "events/test_events_inputs.snapshot.json";
const KIND: &str = "core.update-account-command";

/// An account with the rule `rule`, which may invoke a function.
pub(super) fn account() -> Aws {
    let mut aws = Aws::new(1);
    let function = Function {
        name: "start".to_owned(),
        ..Function::default()
    };
    lambda::create_function(&mut aws, function).unwrap();
    let permission = Permission {
        statement_id: "rules".to_owned(),
        principal: "events.amazonaws.com".to_owned(),
        source_arn: None,
        source_account: None,
    };
    lambda::add_permission(&mut aws, "start", permission).unwrap();
    let pattern = json!({ "source": [KIND] }).to_string();
    let rule = json!({"Name": "rule", "EventPattern": pattern});
    eventbridge::call(&mut aws, "PutRule", &rule).unwrap();
    aws
}

/// Gives the rule the function as its target.
pub(super) fn put(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    let mut target =
        json!({"Id": "t", "Arn": "arn:aws:lambda:eu-west-1:111122223333:function:start"});
    for (member, value) in input.as_object().into_iter().flatten() {
        target[member] = value.clone();
    }
    let targets = json!({"Rule": "rule", "Targets": [target]});
    eventbridge::call(aws, "PutTargets", &targets)
}

/// What a target with this input receives for an event with this detail; nothing when the input
/// cannot be made.
pub(super) fn received(input: &Value, detail: &Value) -> Option<Value> {
    let mut aws = account();
    put(&mut aws, input).expect("an input that is taken");
    eventbridge::emit(&mut aws, KIND, KIND, Vec::new(), detail.clone());
    aws.now += 2000;
    aws.run_due();
    aws.lambda.take_ready().map(|invocation| invocation.payload)
}

/// A payload as the only message of a queue; of a message only the body is compared. LocalStack has
/// put `date` in place of the time of the event.
fn message(payload: Option<Value>) -> Result<Value, ApiError> {
    let body = match payload {
        None => return Ok(json!([])),
        Some(Value::String(text)) => json!(text.replace("2026-01-05T09:00:00Z", "date")),
        Some(body) => body,
    };
    Ok(json!([{ "Body": body }]))
}

fn transformer(paths: &Value, template: &str) -> Value {
    json!({"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}})
}

pub(super) fn detail() -> Value {
    json!({"command": "update-account", "payload": {"acc_id": "0a787ecb-4015", "sf_id": "baz"}})
}

fn paths(answers: &mut Returned) {
    let entry = "message";
    let nested = json!({
        "command": "update-account",
        "payload": {"acc_id": "0a787ecb-4015", "payload": {"message": "baz", "id": "123"}},
    });
    for (test, path, detail) in [
        ("test_put_events_with_input_path", "$.detail", detail()),
        (
            "test_put_events_with_input_path_nested[event_detail0]",
            "$.detail.payload",
            detail(),
        ),
        (
            "test_put_events_with_input_path_nested[event_detail1]",
            "$.detail.payload",
            nested,
        ),
        (
            "test_put_events_with_input_path_max_level_depth",
            "$.detail.payload.sf_id",
            detail(),
        ),
    ] {
        let payload = received(&json!({ "InputPath": path }), &detail);
        answers.add(test, entry, message(payload));
    }
}

fn templates(answers: &mut Returned) {
    let known = json!({
        "detail-type": "$.detail-type", "timestamp": "$.time", "command": "$.detail.command",
    });
    let mut lacking = known.clone();
    lacking["command"] = json!("$.detail.notinmessage");
    let text = "\"Event of <detail-type> type, at time <timestamp>, info extracted from detail \
                <command>\"";
    let signs = "\"{[/Check with special starting characters for event of <detail-type> type\"";
    let object = r#"{"detailType": <detail-type>,  "time": <timestamp>, "command": <command>}"#;
    for (test, template) in [
        (
            "test_put_events_with_input_transformer_input_template_string",
            text,
        ),
        (
            "test_put_events_with_input_transformer_input_template_string[\"Event*",
            text,
        ),
        (
            "test_put_events_with_input_transformer_input_template_string[\"{*",
            signs,
        ),
        (
            "test_put_events_with_input_transformer_input_template_json",
            object,
        ),
    ] {
        let payload = received(&transformer(&known, template), &detail());
        answers.add(test, "custom-variables-match-all", message(payload));
        let payload = received(&transformer(&lacking, template), &detail());
        answers.add(test, "custom-variables-not-match-all", message(payload));
    }

    let variables =
        r#"{"originalEvent": <aws.events.event>, "originalEventJson": <aws.events.event.json>}"#;
    let payload = received(&transformer(&json!({}), variables), &detail());
    let test = "test_input_transformer_predefined_variables[{*";
    answers.add(test, "messages", message(payload));

    let aws = &mut account();
    let undefined = "\"Event of <detail-type> type, with not defined key <notdefinedkey>\"";
    let test = "test_put_events_with_input_transformer_missing_keys";
    let refused = put(aws, &transformer(&known, undefined));
    answers.add(test, "missing-key-exception-error", refused);
    let mut both = transformer(&known, object);
    both["InputPath"] = json!("$.detail");
    let test = "test_put_event_input_path_and_input_transformer";
    answers.add(test, "duplicated-input-operations-error", put(aws, &both));
}

/// The tests of nested values have their template in their name.
fn nested(answers: &mut Returned) {
    const TEST: &str = "test_input_transformer_nested_keys_replacement[";
    let detail = json!({
        "command": "update-account",
        "payload": {"acc_id": "0a787ecb-4015", "sf_id": "baz"},
        "listsingle": ["HIGH"],
        "listmulti": ["ACTIVE", "INACTIVE"],
        "valid": true,
    });
    let paths = json!({
        "userId": "$.detail.payload.acc_id",
        "payload": "$.detail.payload",
        "systemstring": "$.detail.awsAccountId",
        "listsingle": "$.detail.listsingle",
        "listmulti": "$.detail.listmulti",
        "valid": "$.detail.valid",
    });
    let tests = snapshot(FILE).unwrap_or_default();
    for (name, entries) in &tests {
        let template = name
            .strip_prefix(TEST)
            .and_then(|rest| rest.strip_suffix(']'));
        let Some(template) = template else {
            continue;
        };
        if template.contains("\\n") {
            // Lines of texts are a message of a queue, but not a payload of a function.
            let lines = transformer(&paths, &template.replace("\\n", "\n"));
            assert_eq!(received(&lines, &detail), None, "{template}");
            continue;
        }
        let input = transformer(&paths, template);
        if entries.as_object().is_none_or(serde_json::Map::is_empty) {
            // Nothing arrived at AWS.
            let refused = put(&mut account(), &input).is_err();
            assert!(refused || received(&input, &detail).is_none(), "{template}");
        } else {
            let answer = message(received(&input, &detail));
            answers.add(name, "input-transformed-messages", answer);
        }
    }
}

/// LocalStack's rule is of another bus, which its ARN names.
fn variables_of_the_rule(answers: &mut Returned) {
    let template = "\"Message containing all pre defined variables <aws.events.rule-arn> \
                    <aws.events.rule-name> <aws.events.event.ingestion-time>\"";
    let text = received(&transformer(&json!({}), template), &detail()).unwrap();
    let text = text.as_str().unwrap().replace(":rule/", ":rule/bus/");
    let test = "test_input_transformer_predefined_variables[\"*";
    answers.add(test, "messages", message(Some(json!(text))));
}

fn targets(answers: &mut Returned) {
    let aws = &mut account();
    put(aws, &json!({"InputPath": "$.detail"})).unwrap();
    put(aws, &json!({"Id": "whole"})).unwrap();
    eventbridge::emit(aws, KIND, KIND, Vec::new(), detail());
    aws.now += 2000;
    aws.run_due();
    let mut payloads: Vec<Value> = std::iter::from_fn(|| aws.lambda.take_ready())
        .map(|invocation| invocation.payload)
        .collect();
    payloads.sort_by_key(|payload| payload.get("detail").is_some());

    let test = "test_put_events_with_input_path_multiple_targets";
    for (entry, payload) in ["message-queue-1", "message-queue-2"]
        .into_iter()
        .zip(payloads)
    {
        answers.add(test, entry, message(Some(payload)));
    }
}

#[test]
fn inputs_are_as_recorded() {
    let mut answers = Returned::default();
    paths(&mut answers);
    templates(&mut answers);
    nested(&mut answers);
    variables_of_the_rule(&mut answers);
    targets(&mut answers);
    let lines = Lack::Other("lines of texts, which a queue takes and a function does not");
    judge(FILE, &answers, &[(Sign::Parameter("\\n"), lines)]);
}
