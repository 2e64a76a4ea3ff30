//! Direct invocations, which have no job: their result is the response.

use super::*;
use crate::job::Checks;

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

/// A dry run of a service whose controller is, or is not, the wrong one.
fn dry_run(is_refused: bool) -> JobReport {
    let mut checks = Checks::dry_run("apps/web");
    let result = if is_refused {
        Err(Failure::configuration("CODE_DEPLOY"))
    } else {
        Ok(())
    };
    checks
        .take(("service web", "controller"), result, |()| "ECS".to_owned())
        .expect("a dry run goes on");
    JobReport::Checked(checks)
}

#[test]
fn a_dry_run_is_answered_with_its_tree_and_fails_if_a_check_does() {
    let tree = |state: &str, reason: &str| {
        let leaf = json!({"name": "controller", "state": state, "reason": reason});
        json!({"name": "apps/web", "state": state, "checks": [
            {"name": "service web", "state": state, "checks": [leaf]},
        ]})
    };
    let summary = "dry run: a release could begin: 1 checks are OK, 0 SKIP; nothing was changed";
    assert_eq!(
        invoked(first(), Ok(dry_run(false))),
        json!({
            "status": "done",
            "summary": summary,
            "outputVariables": {}, "externalExecutionId": null, "checks": tree("OK", "ECS"),
            "text": "OK   apps/web\n  OK   service web\n    OK   controller: ECS",
        })
    );

    let message = "1 of 1 checks of the dry run are NG: controller: controller (service web): \
                   CODE_DEPLOY";
    assert_eq!(
        invoked(first(), Ok(dry_run(true))),
        json!({
            "status": "failed", "type": "ConfigurationError", "message": message,
            "checks": tree("NG", "CODE_DEPLOY"),
            "text": "NG   apps/web\n  NG   service web\n    NG   controller: CODE_DEPLOY",
        })
    );
}

#[test]
fn a_job_that_is_a_dry_run_fails_if_a_check_does() {
    let (operation, sent) = reported(None, Ok(dry_run(true)));
    assert_eq!(operation, "PutJobFailureResult");
    assert_eq!(sent["failureDetails"]["type"], "ConfigurationError");

    let (operation, sent) = reported(None, Ok(dry_run(false)));
    assert_eq!(operation, "PutJobSuccessResult");
    assert_eq!(sent.get("continuationToken"), None);
}

#[test]
fn the_message_of_a_dry_run_is_cut_to_the_length_that_codepipeline_accepts() {
    let mut checks = Checks::dry_run("apps/web");
    let long = Err::<(), _>(Failure::configuration("x".repeat(6_000)));
    checks
        .take(("service web", "controller"), long, |()| String::new())
        .expect("a dry run goes on");

    let failure = JobReport::Checked(checks).failure().expect("it is NG");
    assert_eq!(failure.message.chars().count(), 5_000);
    assert!(
        failure
            .message
            .starts_with("1 of 1 checks of the dry run are NG: controller: ")
    );
}
