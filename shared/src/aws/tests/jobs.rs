//! Jobs: what a step receives, and how each of its results is reported, once.

use std::cell::Cell;

use serde::Deserialize;
use serde_json::{Value, json};

use super::script::{Answer, Script, answer, at, refusal, run};
use crate::aws::{Ledger, Retry};
use crate::job::{Failure, FailureType, Job, JobReport, StepError, StepResult};
use crate::limits::STEP_BUDGET;
use crate::step::{Runner, Step};

#[derive(Debug, Deserialize)]
struct Parameters {
    text: String,
}

/// A step whose result a test gives.
struct Scripted<F>(Cell<Option<F>>);

impl<F: AsyncFnOnce(&Job<Parameters>) -> StepResult> Step for Scripted<F> {
    const NAME: &'static str = "update-service";
    type Parameters = Parameters;

    async fn step(&self, job: &Job<Parameters>) -> StepResult {
        let work = self.0.take().expect("a step runs once a job");
        work(job).await
    }

    async fn record_failure(
        &self,
        _: &Ledger,
        _: &Job<Parameters>,
        result: StepResult,
    ) -> StepResult {
        result
    }
}

/// The parameters of every job here.
fn parameters() -> Value {
    json!({
        "pipeline": "slipway-web", "execution": "e-1", "cluster": "apps", "service": "web",
        "text": "own",
    })
}

/// A job of CodePipeline with these parameters and this token.
fn event(parameters: &str, token: Option<&str>) -> Value {
    json!({"CodePipeline.job": {"id": "job-1", "data": {
        "actionConfiguration": {"configuration": {"UserParameters": parameters}},
        "continuationToken": token,
        "inputArtifacts": [{"name": "Config", "location": {"s3Location": {"bucketName": "b", "objectKey": "k"}}}],
        "artifactCredentials": {"accessKeyId": "a", "secretAccessKey": "s", "sessionToken": "t"}
    }}})
}

fn token(secs_ago: i64, payload: Option<Value>) -> String {
    let token = crate::job::Token::new("update-service", at(-secs_ago)).with_payload(payload);
    token.text()
}

fn handle(
    script: &Script,
    event: Value,
    work: impl AsyncFnOnce(&Job<Parameters>) -> StepResult,
) -> Result<Value, Retry> {
    let step = Scripted(Cell::new(Some(work)));
    run(Runner::new(step, &script.sdk()).handle(event))
}

/// Runs a step that returns `result`, and returns what was sent to CodePipeline.
fn reported(token: Option<&str>, result: StepResult) -> (String, Value) {
    let script = Script::new([answer(&json!({}))]);
    let handled = handle(
        &script,
        event(&parameters().to_string(), token),
        async |_| result,
    );
    assert_eq!(handled.expect("reported"), Value::Null);
    (script.only().operation(), script.only().json())
}

#[test]
fn a_step_receives_parameters_artifacts_credentials_and_the_start_of_its_action() {
    let script = Script::new([answer(&json!({}))]);
    let text = token(90, Some(json!({"minute": 7})));
    let handled = handle(
        &script,
        event(&parameters().to_string(), Some(&text)),
        async |job| {
            assert_eq!(
                (job.parameters.text.as_str(), job.since, job.now),
                ("own", at(-90), at(0))
            );
            assert!(!job.is_first());
            assert_eq!(job.payload, Some(json!({"minute": 7})));
            assert_eq!(
                (job.artifacts[0].name.as_str(), job.artifacts.len()),
                ("Config", 1)
            );
            assert_eq!(job.credentials.as_ref().expect("there").session_token, "t");
            Ok(JobReport::done("done", []))
        },
    );
    handled.expect("reported");
}

#[test]
fn the_first_job_of_an_action_begins_it() {
    let script = Script::new([answer(&json!({}))]);
    let handled = handle(
        &script,
        event(&parameters().to_string(), None),
        async |job| {
            assert_eq!(
                (job.since, job.now, job.payload.clone()),
                (at(0), at(0), None)
            );
            assert!(job.is_first());
            Ok(JobReport::in_progress("looking", 5))
        },
    );
    handled.expect("reported");
    assert_eq!(
        script.only().json()["continuationToken"],
        r#"{"v":1,"step":"update-service","since":"2026-01-05T09:00:00Z"}"#
    );
}

#[test]
fn a_step_that_is_done_is_reported_once_with_its_output_variables_and_without_a_token() {
    let report = JobReport::done(
        "web:2 is steady",
        [("TaskDefinitionArn", "arn:web:2".to_owned())],
    );
    let (operation, sent) = reported(
        Some(&token(90, None)),
        Ok(report.with_external_id(Some("ecs-svc/2"))),
    );
    assert_eq!(operation, "PutJobSuccessResult");
    assert_eq!(
        sent,
        json!({
            "jobId": "job-1",
            "executionDetails": {
                "summary": "web:2 is steady", "externalExecutionId": "ecs-svc/2", "percentComplete": 100
            },
            "outputVariables": {"TaskDefinitionArn": "arn:web:2"}
        })
    );
}

#[test]
fn a_step_in_progress_is_reported_with_a_token_and_without_output_variables() {
    let report =
        JobReport::in_progress_with("1 of 2 tasks running", 42, Some(json!({"minute": 8})));
    let (operation, sent) = reported(
        Some(&token(90, None)),
        Ok(report.with_external_id(Some("ecs-svc/2"))),
    );
    assert_eq!(operation, "PutJobSuccessResult");
    assert_eq!(
        sent,
        json!({
            "jobId": "job-1",
            "continuationToken":
                r#"{"v":1,"step":"update-service","since":"2026-01-05T08:58:30Z","payload":{"minute":8}}"#,
            "executionDetails": {
                "summary": "1 of 2 tasks running", "externalExecutionId": "ecs-svc/2", "percentComplete": 42
            }
        })
    );
}

#[test]
fn a_busy_service_is_not_a_failure_and_the_next_job_receives_the_same_payload() {
    let text = token(90, Some(json!({"minute": 7})));
    let (operation, sent) = reported(
        Some(&text),
        Err(StepError::Busy("throttled; trying again".to_owned())),
    );
    assert_eq!(operation, "PutJobSuccessResult");
    assert_eq!(
        sent,
        json!({
            "jobId": "job-1",
            "continuationToken": text,
            "executionDetails": {"summary": "throttled; trying again", "percentComplete": 0}
        })
    );
}

#[test]
fn a_payload_that_is_not_passed_on_is_dropped() {
    let (_, sent) = reported(
        Some(&token(90, Some(json!({"minute": 7})))),
        Ok(JobReport::in_progress("looking", 5)),
    );
    let expected = r#"{"v":1,"step":"update-service","since":"2026-01-05T08:58:30Z"}"#;
    assert_eq!(sent["continuationToken"], expected);
}

#[test]
fn each_failure_is_reported_with_its_type_and_message() {
    for (kind, name) in [
        (FailureType::JobFailed, "JobFailed"),
        (FailureType::ConfigurationError, "ConfigurationError"),
        (FailureType::PermissionError, "PermissionError"),
        (FailureType::RevisionUnavailable, "RevisionUnavailable"),
    ] {
        let (operation, sent) = reported(
            None,
            Err(Failure {
                kind,
                cause: None,
                message: "because".to_owned(),
            }
            .into()),
        );
        assert_eq!(operation, "PutJobFailureResult");
        assert_eq!(
            sent,
            json!({"jobId": "job-1", "failureDetails": {"type": name, "message": "because"}})
        );
    }
}

#[test]
fn an_action_fails_after_23_and_a_half_hours_with_its_last_summary() {
    let limit = 23 * 3600 + 1800;
    let waiting = || Ok(JobReport::in_progress("the lease is held by e-2", 5));
    assert_eq!(
        reported(Some(&token(limit - 1, None)), waiting()).0,
        "PutJobSuccessResult"
    );
    let (operation, sent) = reported(Some(&token(limit, None)), waiting());
    assert_eq!(operation, "PutJobFailureResult");
    let message = "still in progress after 23h30m, and an action ends after 24 hours; last: the lease is held by e-2";
    assert_eq!(
        sent["failureDetails"],
        json!({"type": "JobFailed", "message": message})
    );
    // Also when AWS is busy.
    let busy = Err(StepError::Busy("throttled".to_owned()));
    assert_eq!(
        reported(Some(&token(limit + 60, None)), busy).0,
        "PutJobFailureResult"
    );
}

#[test]
fn a_step_that_is_done_is_reported_as_done_however_long_it_took() {
    let done = Ok(JobReport::done("done", []));
    assert_eq!(
        reported(Some(&token(24 * 3600, None)), done).0,
        "PutJobSuccessResult"
    );
}

#[test]
fn texts_are_cut_to_the_limits_of_codepipeline() {
    let (_, sent) = reported(None, Err(Failure::job("é".repeat(5_001)).into()));
    assert_eq!(
        sent["failureDetails"]["message"],
        format!("{}…", "é".repeat(4_999))
    );
    let (_, sent) = reported(None, Err(Failure::job("é".repeat(5_000)).into()));
    assert_eq!(sent["failureDetails"]["message"], "é".repeat(5_000));

    let long = JobReport::done("é".repeat(2_049), []).with_external_id(Some(&"x".repeat(1_501)));
    let (_, sent) = reported(None, Ok(long));
    assert_eq!(
        sent["executionDetails"]["summary"],
        format!("{}…", "é".repeat(2_047))
    );
    assert_eq!(
        sent["executionDetails"]["externalExecutionId"],
        format!("{}…", "x".repeat(1_499))
    );
    let (_, sent) = reported(None, Ok(JobReport::in_progress("é".repeat(2_048), 5)));
    assert_eq!(sent["executionDetails"]["summary"], "é".repeat(2_048));
}

#[test]
fn wrong_parameters_and_tokens_of_other_steps_fail_the_job_before_the_step_runs() {
    let refused = |event: Value| {
        let script = Script::new([answer(&json!({}))]);
        handle(&script, event, async |_| panic!("the step ran")).expect("reported");
        assert_eq!(script.only().operation(), "PutJobFailureResult");
        script.only().json()["failureDetails"].clone()
    };
    assert_eq!(refused(event("[]", None))["type"], "ConfigurationError");
    let foreign = r#"{"v":1,"step":"begin-release","since":"2026-01-05T09:00:00Z"}"#;
    let details = refused(event(&parameters().to_string(), Some(foreign)));
    assert_eq!(details["type"], "JobFailed");
    assert_eq!(
        details["message"],
        "the continuation token is version 1 of begin-release, expected version 1 of update-service; retry the stage, \
         so that the action starts again"
    );
}

/// The result of an invocation whose report is answered with this.
fn report_meets(refused: Answer, result: StepResult) -> (Result<Value, Retry>, usize) {
    let script = Script::new([refused]);
    let handled = handle(
        &script,
        event(&parameters().to_string(), None),
        async |_| result,
    );
    (handled, script.sent().len())
}

#[test]
fn a_job_that_has_a_result_keeps_it() {
    for code in ["InvalidJobStateException", "JobNotFoundException"] {
        for result in [
            Ok(JobReport::done("done", [])),
            Err(Failure::job("sick").into()),
        ] {
            let (handled, calls) = report_meets(refusal(code, "no"), result);
            assert_eq!(
                (handled.expect("respected"), calls),
                (Value::Null, 1),
                "{code}"
            );
        }
    }
}

#[test]
fn a_report_that_was_not_accepted_fails_the_invocation() {
    for (result, operation) in [
        (
            Ok(JobReport::done("done", [])),
            "codepipeline:PutJobSuccessResult",
        ),
        (
            Err(Failure::job("sick").into()),
            "codepipeline:PutJobFailureResult",
        ),
    ] {
        let (handled, _) = report_meets(refusal("AccessDeniedException", "no"), result);
        assert_eq!(
            handled.expect_err("not reported").to_string(),
            format!("{operation} failed: AccessDeniedException: no")
        );
    }
}

#[test]
fn an_event_that_is_not_a_job_is_refused_and_nothing_is_sent() {
    let script = Script::new([]);
    let refused = handle(&script, json!({"detail": 1}), async |_| {
        panic!("the step ran")
    })
    .expect_err("not a job");
    assert!(refused.to_string().contains("found detail"), "{refused}");
    assert_eq!(script.operations(), Vec::<String>::new());
}

#[test]
fn a_direct_invocation_is_reported_in_the_response_and_continued_with_the_token() {
    let invoked = |event: Value, result: StepResult| {
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
    };
    let first = json!({"parameters": parameters()});
    let report = JobReport::in_progress_with("looking", 7, Some(json!(1)))
        .with_external_id(Some("ecs-svc/2"));
    let going = invoked(first.clone(), Ok(report));
    let text = r#"{"v":1,"step":"update-service","since":"2026-01-05T09:00:00Z","payload":1}"#;
    assert_eq!(
        going,
        json!({"status": "going", "summary": "looking", "percentComplete": 7, "externalExecutionId": "ecs-svc/2",
               "continuationToken": text})
    );
    let next =
        json!({"parameters": parameters(), "continuationToken": token(23 * 3600 + 1800, None)});
    let failed = invoked(next, Ok(JobReport::in_progress("looking", 7)));
    assert_eq!(
        (&failed["status"], &failed["type"]),
        (&json!("failed"), &json!("JobFailed"))
    );
    let done = invoked(
        first.clone(),
        Ok(JobReport::done("done", [("Key", "value".to_owned())])),
    );
    assert_eq!(
        done,
        json!({"status": "done", "summary": "done", "outputVariables": {"Key": "value"}, "externalExecutionId": null})
    );
    let failed = invoked(first, Err(Failure::configuration("wrong").into()));
    assert_eq!(
        failed,
        json!({"status": "failed", "type": "ConfigurationError", "message": "wrong"})
    );
}

#[test]
fn the_time_of_a_job_is_the_clock_of_the_sdk() {
    assert_eq!(Script::new([]).later(75).sdk().now(), at(75));
}

#[test]
fn a_step_that_exceeds_its_budget_is_reported_in_progress_with_the_same_token() {
    let text = token(90, Some(json!({"minute": 7})));
    let script = Script::new([answer(&json!({}))]);
    let event = event(&parameters().to_string(), Some(&text));
    let handled = handle(&script, event, async |_| std::future::pending().await);

    assert_eq!(handled.expect("reported"), Value::Null);
    assert!(script.waits().contains(&STEP_BUDGET));
    assert_eq!(script.only().operation(), "PutJobSuccessResult");
    let summary = "in progress: AWS is slow and the step did not end within 45s; retrying";
    assert_eq!(
        script.only().json(),
        json!({
            "jobId": "job-1",
            "continuationToken": text,
            "executionDetails": {"summary": summary, "percentComplete": 0}
        })
    );
}

#[test]
fn an_action_whose_first_step_exceeds_its_budget_began_with_it() {
    let script = Script::new([]);
    let event = json!({"parameters": parameters()});
    let handled = handle(&script, event, async |_| std::future::pending().await);

    assert_eq!(
        handled.expect("reported")["continuationToken"],
        r#"{"v":1,"step":"update-service","since":"2026-01-05T09:00:00Z"}"#
    );
}
