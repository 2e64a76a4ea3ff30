//! Jobs: what a step is given, and how each of its answers is reported, once.

use serde::Deserialize;
use serde_json::{Value, json};

use super::script::{Answer, Script, answer, at, refusal, run};
use crate::aws::{Jobs, Retry};
use crate::job::{Failure, FailureType, Job, Report, StepError, StepResult};

#[derive(Debug, Deserialize)]
struct Spec {
    service: String,
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

fn settle(
    script: &Script,
    event: Value,
    work: impl AsyncFnOnce(Job<Spec>) -> StepResult,
) -> Result<Value, Retry> {
    run(Jobs::new(&script.sdk(), "update-service").settle(event, work))
}

/// Runs a step that gives `result` and answers what CodePipeline was sent.
fn reported(token: Option<&str>, result: StepResult) -> (String, Value) {
    let script = Script::new([answer(&json!({}))]);
    let answered = settle(&script, event(r#"{"service":"web"}"#, token), async |_| {
        result
    });
    assert_eq!(answered.expect("reported"), Value::Null);
    (script.only().operation(), script.only().json())
}

#[test]
fn a_step_is_given_parameters_artifacts_credentials_and_when_its_action_began() {
    let script = Script::new([answer(&json!({}))]);
    let text = token(90, Some(json!({"minute": 7})));
    let answered = settle(
        &script,
        event(r#"{"service":"web"}"#, Some(&text)),
        async |job| {
            assert_eq!(
                (job.spec.service.as_str(), job.since, job.now),
                ("web", at(-90), at(0))
            );
            assert!(!job.is_first());
            assert_eq!(job.payload, Some(json!({"minute": 7})));
            assert_eq!(
                (job.artifacts[0].name.as_str(), job.artifacts.len()),
                ("Config", 1)
            );
            assert_eq!(job.credentials.expect("there").session_token, "t");
            Ok(Report::done("done", []))
        },
    );
    answered.expect("reported");
}

#[test]
fn the_first_job_of_an_action_begins_it() {
    let script = Script::new([answer(&json!({}))]);
    let answered = settle(&script, event(r#"{"service":"web"}"#, None), async |job| {
        assert_eq!(
            (job.since, job.now, job.payload.clone()),
            (at(0), at(0), None)
        );
        assert!(job.is_first());
        Ok(Report::going("looking", 5))
    });
    answered.expect("reported");
    assert_eq!(
        script.only().json()["continuationToken"],
        r#"{"v":1,"step":"update-service","since":"2026-01-05T09:00:00Z"}"#
    );
}

#[test]
fn a_step_that_is_done_is_reported_once_with_its_output_variables_and_without_a_token() {
    let report = Report::done(
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
fn a_step_that_goes_on_is_reported_with_a_token_and_without_output_variables() {
    let report = Report::going_with("1 of 2 tasks running", 42, Some(json!({"minute": 8})));
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
fn a_busy_service_is_no_failure_and_the_next_job_gets_what_this_one_got() {
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
fn a_payload_that_is_not_handed_on_is_gone() {
    let (_, sent) = reported(
        Some(&token(90, Some(json!({"minute": 7})))),
        Ok(Report::going("looking", 5)),
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
fn an_action_fails_after_23_and_a_half_hours_with_what_it_last_waited_for() {
    let limit = 23 * 3600 + 1800;
    let waiting = || Ok(Report::going("the lease is held by e-2", 5));
    assert_eq!(
        reported(Some(&token(limit - 1, None)), waiting()).0,
        "PutJobSuccessResult"
    );
    let (operation, sent) = reported(Some(&token(limit, None)), waiting());
    assert_eq!(operation, "PutJobFailureResult");
    let message = "still going after 23h30m, and an action ends after 24 hours; last: the lease is held by e-2";
    assert_eq!(
        sent["failureDetails"],
        json!({"type": "JobFailed", "message": message})
    );
    // Also when AWS is too busy to know better.
    let busy = Err(StepError::Busy("throttled".to_owned()));
    assert_eq!(
        reported(Some(&token(limit + 60, None)), busy).0,
        "PutJobFailureResult"
    );
}

#[test]
fn a_step_that_is_done_at_last_is_done_however_long_it_took() {
    let done = Ok(Report::done("done", []));
    assert_eq!(
        reported(Some(&token(24 * 3600, None)), done).0,
        "PutJobSuccessResult"
    );
}

#[test]
fn texts_are_cut_to_what_codepipeline_takes() {
    let (_, sent) = reported(None, Err(Failure::job("é".repeat(5_001)).into()));
    assert_eq!(
        sent["failureDetails"]["message"],
        format!("{}…", "é".repeat(4_999))
    );
    let (_, sent) = reported(None, Err(Failure::job("é".repeat(5_000)).into()));
    assert_eq!(sent["failureDetails"]["message"], "é".repeat(5_000));

    let long = Report::done("é".repeat(2_049), []).with_external_id(Some(&"x".repeat(1_501)));
    let (_, sent) = reported(None, Ok(long));
    assert_eq!(
        sent["executionDetails"]["summary"],
        format!("{}…", "é".repeat(2_047))
    );
    assert_eq!(
        sent["executionDetails"]["externalExecutionId"],
        format!("{}…", "x".repeat(1_499))
    );
    let (_, sent) = reported(None, Ok(Report::going("é".repeat(2_048), 5)));
    assert_eq!(sent["executionDetails"]["summary"], "é".repeat(2_048));
}

#[test]
fn wrong_parameters_and_foreign_tokens_fail_the_job_before_the_step_runs() {
    let refused = |event: Value| {
        let script = Script::new([answer(&json!({}))]);
        settle(&script, event, async |_| panic!("the step ran")).expect("reported");
        assert_eq!(script.only().operation(), "PutJobFailureResult");
        script.only().json()["failureDetails"].clone()
    };
    assert_eq!(refused(event("[]", None))["type"], "ConfigurationError");
    let foreign = r#"{"v":1,"step":"begin-release","since":"2026-01-05T09:00:00Z"}"#;
    let details = refused(event(r#"{"service":"web"}"#, Some(foreign)));
    assert_eq!(details["type"], "JobFailed");
    assert_eq!(
        details["message"],
        "the continuation token is version 1 of begin-release, expected version 1 of update-service; retry the stage, \
         so that the action begins afresh"
    );
}

/// What becomes of an invocation whose report meets this.
fn report_meets(refused: Answer, result: StepResult) -> (Result<Value, Retry>, usize) {
    let script = Script::new([refused]);
    let answered = settle(&script, event(r#"{"service":"web"}"#, None), async |_| {
        result
    });
    (answered, script.sent().len())
}

#[test]
fn a_job_that_is_answered_already_is_left_alone() {
    for code in ["InvalidJobStateException", "JobNotFoundException"] {
        for result in [
            Ok(Report::done("done", [])),
            Err(Failure::job("sick").into()),
        ] {
            let (answered, calls) = report_meets(refusal(code, "no"), result);
            assert_eq!(
                (answered.expect("respected"), calls),
                (Value::Null, 1),
                "{code}"
            );
        }
    }
}

#[test]
fn a_report_that_did_not_arrive_is_delivered_again() {
    for (result, operation) in [
        (
            Ok(Report::done("done", [])),
            "codepipeline:PutJobSuccessResult",
        ),
        (
            Err(Failure::job("sick").into()),
            "codepipeline:PutJobFailureResult",
        ),
    ] {
        let (answered, _) = report_meets(refusal("AccessDeniedException", "no"), result);
        assert_eq!(
            answered.expect_err("not reported").to_string(),
            format!("{operation} failed: AccessDeniedException: no")
        );
    }
}

#[test]
fn an_event_that_is_no_job_is_refused_and_nothing_is_sent() {
    let script = Script::new([]);
    let refused = settle(&script, json!({"detail": 1}), async |_| {
        panic!("the step ran")
    })
    .expect_err("not a job");
    assert!(refused.to_string().contains("found detail"), "{refused}");
    assert_eq!(script.operations(), Vec::<String>::new());
}

#[test]
fn a_person_is_answered_in_the_response_and_goes_on_with_the_token() {
    let person = |event: Value, result: StepResult| {
        let script = Script::new([]);
        let answered = settle(&script, event, async |job| {
            assert_eq!((job.spec.service.as_str(), job.artifacts.len()), ("web", 0));
            result
        });
        assert_eq!(script.sent().len(), 0);
        answered.expect("answered")
    };
    let first = json!({"parameters": {"service": "web"}});
    let report =
        Report::going_with("looking", 7, Some(json!(1))).with_external_id(Some("ecs-svc/2"));
    let going = person(first.clone(), Ok(report));
    let text = r#"{"v":1,"step":"update-service","since":"2026-01-05T09:00:00Z","payload":1}"#;
    assert_eq!(
        going,
        json!({"status": "going", "summary": "looking", "percentComplete": 7, "externalExecutionId": "ecs-svc/2",
               "continuationToken": text})
    );
    let next = json!({"parameters": {"service": "web"}, "continuationToken": token(23 * 3600 + 1800, None)});
    let failed = person(next, Ok(Report::going("looking", 7)));
    assert_eq!(
        (&failed["status"], &failed["type"]),
        (&json!("failed"), &json!("JobFailed"))
    );
    let done = person(
        first.clone(),
        Ok(Report::done("done", [("Key", "value".to_owned())])),
    );
    assert_eq!(
        done,
        json!({"status": "done", "summary": "done", "outputVariables": {"Key": "value"}, "externalExecutionId": null})
    );
    let failed = person(first, Err(Failure::configuration("wrong").into()));
    assert_eq!(
        failed,
        json!({"status": "failed", "type": "ConfigurationError", "message": "wrong"})
    );
}

#[test]
fn the_time_of_a_job_is_the_clock_of_the_sdk() {
    assert_eq!(
        Jobs::new(&Script::new([]).later(75).sdk(), "update-service").now(),
        at(75)
    );
}
