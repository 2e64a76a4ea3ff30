//! Every text of AWS passes the redaction before it reaches a message, a record or a log.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::script::{Script, answer, cbor, refusal, run};
use super::services::{NEW, described, service};
use crate::aws::{Alarm, Metrics, Services, TaskDefinitions};

const SIGNED: &str = "Get \"https://layers.s3.eu-west-1.amazonaws.com/1a?X-Amz-Signature=0a\": i/o";
const KEPT: &str = "Get \"https://layers.s3.eu-west-1.amazonaws.com/1a?***\": i/o";

/// How the SDK's types give texts that AWS wrote.
const TEXTS: [&str; 4] = [
    ".message()",
    ".reason()",
    ".stopped_reason()",
    ".rollout_state_reason()",
];

/// Texts that are compared with a known one and never passed on.
const COMPARED: [&str; 3] = [
    "failure.reason()",
    "health.reason())==Some(",
    ".stopped_reason().is_some_and(",
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .flat_map(|path| match path.is_dir() {
            true if path.ends_with("tests") => Vec::new(),
            true => sources(&path),
            false => vec![path],
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
    assert!(read >= 4, "{read} texts");
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
