//! Direct invocations, which have no job: their result is the response.

use super::*;

/// The response to an invocation whose step returns `result`; nothing is sent to CodePipeline.
fn invoked(event: Value, result: StepResult) -> Value {
    let script = Script::new([]);
    let handled = handle(&script, event, async |job| {
        assert_eq!(
            (job.parameters.text.as_str(), job.artifacts.len()),
            ("own", 0)
        );
        result
    });

    assert_eq!(script.sent().len(), 0);
    handled.expect("answered")
}

fn first() -> Value {
    json!({"parameters": parameters()})
}

#[test]
fn a_direct_invocation_in_progress_is_continued_with_the_token_of_its_response() {
    let report = JobReport::in_progress_with("looking", 7, Some(json!(1)))
        .with_external_id(Some("ecs-svc/2"));
    let text = r#"{"v":1,"step":"update-service","since":"2026-01-05T09:00:00Z","payload":1}"#;
    assert_eq!(
        invoked(first(), Ok(report)),
        json!({
            "status": "in-progress", "summary": "looking", "percentComplete": 7,
            "externalExecutionId": "ecs-svc/2", "continuationToken": text
        })
    );

    let next =
        json!({"parameters": parameters(), "continuationToken": token(23 * 3600 + 1800, None)});
    let failed = invoked(next, Ok(JobReport::in_progress("looking", 7)));
    assert_eq!(
        (&failed["status"], &failed["type"]),
        (&json!("failed"), &json!("JobFailed"))
    );
}

#[test]
fn the_end_of_a_direct_invocation_is_its_response() {
    let report = JobReport::done("done", [("Key", "value".to_owned())]);
    assert_eq!(
        invoked(first(), Ok(report)),
        json!({
            "status": "done", "summary": "done", "outputVariables": {"Key": "value"},
            "externalExecutionId": null
        })
    );

    assert_eq!(
        invoked(first(), Err(Failure::configuration("wrong").into())),
        json!({"status": "failed", "type": "ConfigurationError", "message": "wrong"})
    );
}
