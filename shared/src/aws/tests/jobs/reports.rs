//! What a step receives, and how a result that is not a failure is reported.

use super::*;

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
                "summary": "web:2 is steady", "externalExecutionId": "ecs-svc/2",
                "percentComplete": 100
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
    let text = concat!(
        r#"{"v":1,"step":"update-service","since":"2026-01-05T08:58:30Z","#,
        r#""learned":"2026-01-05T09:00:00Z","payload":{"minute":8}}"#
    );

    assert_eq!(operation, "PutJobSuccessResult");
    assert_eq!(
        sent,
        json!({
            "jobId": "job-1",
            "continuationToken": text,
            "executionDetails": {
                "summary": "1 of 2 tasks running", "externalExecutionId": "ecs-svc/2",
                "percentComplete": 42
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
    let expected = concat!(
        r#"{"v":1,"step":"update-service","since":"2026-01-05T08:58:30Z","#,
        r#""learned":"2026-01-05T09:00:00Z"}"#
    );
    assert_eq!(sent["continuationToken"], expected);
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
fn the_time_of_a_job_is_the_clock_of_the_sdk() {
    assert_eq!(Script::new([]).later(75).sdk().now(), at(75));
}
