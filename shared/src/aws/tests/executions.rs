//! Executions: started with a digest in place of the tag, and read by their status.

use serde_json::{Value, json};

use super::script::{Answer, Script, answer, refusal, run};
use crate::aws::{AwsError, ErrorKind, Executions};

#[test]
fn an_execution_starts_with_the_digest_and_a_request_token() {
    let script = Script::new([answer(&json!({"pipelineExecutionId": "e-1"}))]);
    let started =
        run(Executions::new(&script.sdk()).start("slipway-web", "Image", "sha256:0a", "event-1"));

    assert_eq!(started.expect("started"), "e-1");
    assert_eq!(script.only().operation(), "StartPipelineExecution");
    assert_eq!(
        script.only().json(),
        json!({
            "name": "slipway-web",
            "clientRequestToken": "event-1",
            "sourceRevisions": [
                {
                    "actionName": "Image",
                    "revisionType": "IMAGE_DIGEST",
                    "revisionValue": "sha256:0a",
                },
            ]
        })
    );
}

#[test]
fn an_execution_without_an_id_was_not_started() {
    let script = Script::new([answer(&json!({}))]);
    let error =
        run(Executions::new(&script.sdk()).start("slipway-web", "Image", "sha256:0a", "event-1"));
    let error = error.expect_err("no id");

    assert_eq!(
        (error.kind, error.message.as_str()),
        (ErrorKind::Unexpected, "no execution id")
    );

    let script = Script::new([refusal("PipelineNotFoundException", "no")]);
    let error =
        run(Executions::new(&script.sdk()).start("slipway-web", "Image", "sha256:0a", "event-1"));

    assert_eq!(
        error.expect_err("no pipeline").operation,
        "codepipeline:StartPipelineExecution"
    );
}

fn status(answer: Answer) -> (Result<Option<String>, AwsError>, Value) {
    let script = Script::new([answer]);
    let status = run(Executions::new(&script.sdk()).status("slipway-web", "e-1"));
    assert_eq!(script.only().operation(), "GetPipelineExecution");
    (status, script.only().json())
}

#[test]
fn the_status_of_an_execution_is_read() {
    for word in ["InProgress", "Failed", "Superseded", "SomethingNew"] {
        let (found, sent) = status(answer(&json!({"pipelineExecution": {"status": word}})));
        assert_eq!(found.expect("answered").as_deref(), Some(word));
        assert_eq!(
            sent,
            json!({"pipelineName": "slipway-web", "pipelineExecutionId": "e-1"})
        );
    }

    let error = status(answer(&json!({"pipelineExecution": {}})))
        .0
        .expect_err("no status");

    assert_eq!(
        (error.kind, error.message.as_str()),
        (ErrorKind::Unexpected, "no status")
    );
}

#[test]
fn an_unknown_execution_has_no_status() {
    for code in [
        "PipelineNotFoundException",
        "PipelineExecutionNotFoundException",
        "ValidationException",
    ] {
        assert_eq!(
            status(refusal(code, "no")).0.expect("answered"),
            None,
            "{code}"
        );
    }

    let error = status(refusal("AccessDeniedException", "no"))
        .0
        .expect_err("not known to be missing");

    assert_eq!(
        (error.operation, error.kind),
        ("codepipeline:GetPipelineExecution", ErrorKind::Permission)
    );
}

#[test]
fn a_refused_request_proves_nothing_about_an_execution_whose_id_is_codepipelines_own() {
    let found = |execution: &str| {
        let script = Script::new([refusal("ValidationException", "no")]);
        run(Executions::new(&script.sdk()).status("slipway-web", execution))
    };

    let error = found("11111111-2222-3333-4444-555555555555").expect_err("it may go on");
    assert_eq!(error.kind, ErrorKind::Rejected);

    for by_hand in ["release-of-friday-the-5th-of-january", "a-b-c-d-e"] {
        assert_eq!(found(by_hand).expect("by hand"), None, "{by_hand}");
    }
}
