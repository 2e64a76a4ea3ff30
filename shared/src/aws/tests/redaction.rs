//! Every text of AWS passes the redaction before it reaches a message, a record or a log.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::script::{Answer, Script, answer, cbor, refusal, run};
use super::services::{NEW, described, service};
use crate::aws::{Metrics, Services, TaskDefinitions, quotations};
use crate::observed::alarm::Alarm;
use crate::task_definition::TaskDefinition;

const SIGNED: &str = "Get \"https://layers.s3.eu-west-1.amazonaws.com/1a?X-Amz-Signature=0a\": i/o";
const KEPT: &str = "Get \"https://layers.s3.eu-west-1.amazonaws.com/1a?***\": i/o";

/// How the SDK's types give texts that AWS wrote.
const TEXTS: [&str; 6] = [
    ".detail()",
    ".message()",
    ".reason()",
    ".status_reason()",
    ".stopped_reason()",
    ".rollout_state_reason()",
];

/// Texts that are compared with a known one and never passed on.
const COMPARED: [&str; 4] = [
    "failure.reason()",
    "task.stopped_reason(),at:",
    "health.reason())==Some(",
    ".stopped_reason().is_some_and(",
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .flat_map(|path| {
            if !path.is_dir() {
                vec![path]
            } else if path.ends_with("tests") {
                Vec::new()
            } else {
                sources(&path)
            }
        })
        .collect()
}

#[test]
fn every_text_of_aws_passes_the_redaction_where_it_is_read() {
    let adapters = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/aws");
    let mut read = 0;

    for path in sources(&adapters) {
        let source = std::fs::read_to_string(&path).expect("a source");
        let code = source.split("#[cfg(test)]").next().unwrap_or_default();
        let code: String = code.split_whitespace().collect();

        for (at, text) in TEXTS
            .iter()
            .flat_map(|text| code.match_indices(text))
            .filter(|(at, text)| {
                let around = &code[at.saturating_sub(10)..(at + text.len() + 20).min(code.len())];
                !COMPARED.iter().any(|compared| around.contains(compared))
            })
        {
            read += 1;
            let around = &code[at.saturating_sub(60)..(at + 160).min(code.len())];
            assert!(
                around.contains("without_signatures"),
                "{}: {text} in {around}",
                path.display()
            );
        }
    }
    assert!(read >= 6, "{read} texts");
}

#[test]
fn a_signed_address_loses_its_query_in_errors_and_stop_reasons() {
    let script = Script::new([refusal("ClientException", SIGNED)]);
    let error = run(TaskDefinitions::new(&script.sdk()).deregister(NEW)).expect_err("refused");
    assert_eq!(error.message, KEPT);

    let tasks = json!({"tasks": [{
        "taskDefinitionArn": NEW, "stoppedReason": SIGNED,
        "containers": [{"name": "web", "reason": SIGNED}],
    }]});
    let script = Script::new([answer(&json!({"taskArns": ["a"]})), answer(&tasks)]);
    let reasons = run(Services::new(&script.sdk()).stop_reasons("apps", "web", NEW));
    assert_eq!(reasons.expect("answered"), [format!("{KEPT}; web: {KEPT}")]);
}

#[test]
fn a_signed_address_loses_its_query_in_reasons_and_messages_of_a_service() {
    let mut found = service();
    found["deployments"][0]["rolloutStateReason"] = json!(SIGNED);
    found["events"] = json!([{"message": SIGNED}]);
    let script = Script::new([described(&found)]);
    let found = run(Services::new(&script.sdk()).describe("apps", "web"));
    let view = found.expect("answered").expect("there").view;

    assert_eq!(view.deployments[0].reason, KEPT);
    assert_eq!(view.messages, [KEPT]);
}

#[test]
fn a_signed_address_loses_its_query_in_the_reason_of_an_alarm() {
    let body = json!({"MetricAlarms": [
        {"AlarmName": "errors", "StateValue": "ALARM", "StateReason": SIGNED},
    ]});
    let script = Script::new([cbor(&body)]);
    let found = run(Metrics::new(&script.sdk()).alarms(&["errors".to_owned()])).expect("answered");

    let expected = Alarm::Active {
        name: "errors".to_owned(),
        reason: KEPT.to_owned(),
    };
    assert_eq!(found, [expected]);
}

#[test]
fn a_signed_address_loses_its_query_where_a_response_is_not_understood() {
    let failure = json!({"arn": NEW, "reason": SIGNED});
    let script = Script::new([answer(&json!({"services": [], "failures": [failure]}))]);
    let error = run(Services::new(&script.sdk()).describe("apps", NEW)).expect_err("not MISSING");

    assert!(error.message.contains("1a?***"), "{error}");
    assert!(!error.message.contains("Signature"), "{error}");
}

/// A message that quotes the second of two texts, of which the definition has a value; and what was
/// called for it.
fn quoted(message: &str, answers: impl IntoIterator<Item = Answer>) -> (String, Vec<String>) {
    let script = Script::new(answers);
    let texts = ["", "exec hunter-2: not found"].into_iter();
    let definitions = TaskDefinitions::new(&script.sdk());
    let found = run(definitions.without_secrets(message.to_owned(), texts, NEW));
    (found, script.operations())
}

#[test]
fn what_a_message_quotes_loses_the_secrets_of_the_definition() {
    const MESSAGE: &str = "green failed: exec hunter-2: not found; hunter-2 of web";
    let definition = json!({
        "taskDefinitionArn": NEW, "family": "web",
        "containerDefinitions": [{
            "name": "web", "image": "web:1",
            "environment": [{"name": "PASSWORD", "value": "hunter-2"}],
        }],
    });
    let described = answer(&json!({"taskDefinition": definition, "tags": []}));

    let (message, called) = quoted(MESSAGE, [described]);
    assert_eq!(
        message,
        "green failed: exec ***: not found; hunter-2 of web"
    );
    assert_eq!(called, ["DescribeTaskDefinition"]);

    let refused = refusal("AccessDeniedException", "no");
    let (message, _) = quoted(MESSAGE, [refused]);
    let unread = "(not shown: the task definition could not be read)";
    assert_eq!(message, format!("green failed: {unread}; hunter-2 of web"));

    let (message, called) = quoted("green failed", []);
    assert_eq!((message.as_str(), called.len()), ("green failed", 0));
}

#[test]
fn a_value_is_masked_in_a_stop_reason_that_lost_its_query_before() {
    const HOOK: &str = "https://chat.example.com/hooks/1234/aBcDtokenXYZ?wait=true";
    let definition = TaskDefinition::from_value(json!({
        "family": "web", "containerDefinitions": [{
            "name": "web", "image": "web:1", "environment": [{"name": "HOOK", "value": HOOK}],
        }],
    }));
    let tasks = json!({"tasks": [{
        "taskDefinitionArn": NEW, "stoppedReason": format!("exec: \"{HOOK}\""),
    }]});
    let script = Script::new([answer(&json!({"taskArns": ["a"]})), answer(&tasks)]);
    let reasons = run(Services::new(&script.sdk()).stop_reasons("apps", "web", NEW));

    let known = Ok(Some(definition.expect("a task definition")));
    let shown = quotations::quotation(&reasons.expect("answered")[0], &known);
    assert_eq!(shown, "exec: \"***\"");
}
