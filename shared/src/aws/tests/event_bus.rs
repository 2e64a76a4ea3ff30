//! Notices: one entry a call, which fails by itself in a call that succeeds.

use serde_json::{Value, json};

use super::script::{Script, answer, at, refusal, run};
use crate::aws::{AwsError, ErrorKind, EventBus};
use crate::notices::{NamedRelease, Notice, Occasion};

fn notice() -> Notice {
    Notice {
        release: NamedRelease {
            pipeline: "slipway-web".to_owned(),
            execution: "e-1".to_owned(),
            digest: None,
            target: Some(["apps".to_owned(), "web".to_owned()]),
        },
        at: at(5),
        occasion: Occasion::Started,
    }
}

fn put(script: &Script) -> Result<(), AwsError> {
    run(EventBus::new(&script.sdk()).put(&notice()))
}

/// A response with one result.
fn result(result: &Value) -> Script {
    let failed = u8::from(result.get("ErrorCode").is_some());
    Script::new([answer(
        &json!({"FailedEntryCount": failed, "Entries": [result]}),
    )])
}

#[test]
fn a_notice_is_an_entry_with_the_time_of_what_happened() {
    let script = result(&json!({"EventId": "1"}));
    put(&script).expect("put");

    let sent = script.only();
    assert_eq!(sent.operation(), "PutEvents");
    let entry = &sent.json()["Entries"][0];
    assert_eq!(entry["Source"], "slipway");
    assert_eq!(entry["DetailType"], "Slipway Release Started");
    let seconds = at(5).secs() as f64;
    assert_eq!(entry["Time"].as_f64(), Some(seconds));
    let detail = entry["Detail"].as_str().expect("a text");
    let detail: Value = serde_json::from_str(detail).expect("JSON");
    assert_eq!(detail, notice().content());
}

#[test]
fn an_entry_that_failed_is_an_error_of_its_kind() {
    for (code, kind) in [
        ("ThrottlingException", ErrorKind::Busy),
        ("InternalFailure", ErrorKind::Busy),
        ("AccessDeniedException", ErrorKind::Permission),
        ("MalformedDetail", ErrorKind::Rejected),
    ] {
        let error = put(&result(&json!({"ErrorCode": code, "ErrorMessage": "no"})));
        let error = error.expect_err("it failed");
        assert_eq!(
            error.to_string(),
            format!("events:PutEvents failed: {code}: no")
        );
        assert_eq!(error.kind, kind, "{code}");
    }
}

#[test]
fn a_call_that_fails_or_has_no_result_is_an_error() {
    let denied = put(&Script::new([refusal("AccessDeniedException", "no")]));
    assert_eq!(denied.expect_err("denied").kind, ErrorKind::Permission);

    let script = Script::new([answer(&json!({"FailedEntryCount": 0, "Entries": []}))]);
    let error = put(&script).expect_err("no result");
    assert_eq!(error.message, "0 results of one entry");
}
