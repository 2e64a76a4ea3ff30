//! How failures are reported, and what becomes of a report that is refused.

use super::*;
use crate::aws::tests::lease_proofs::held;
use crate::job::JobOutcome;
use crate::limits::{CALL_ATTEMPTS, JOB_ATTEMPTS, STEP_BUDGET};

/// A token of another step.
const FOREIGN: &str = r#"{"v":1,"step":"begin-release","since":"2026-01-05T09:00:00Z"}"#;

/// The ledger's response to a read of the record.
fn record(state: &str) -> Answer {
    answer(&json!({"Item": {
        "pk": {"S": "execution#e-1"}, "sk": {"S": "record"}, "v": {"N": "1"},
        "execution": {"S": "e-1"}, "pipeline": {"S": "slipway-web"}, "state": {"S": state},
        "started_at": {"S": "2026-01-05T08:57:00Z"}
    }}))
}

/// What an invocation sends whose job cannot be read, with these responses of the ledger, and the
/// details of the failure that it reports.
fn unread(event: Value, ledger: impl IntoIterator<Item = Answer>) -> (Script, Value) {
    let script = Script::new(ledger.into_iter().chain([answer(&json!({}))]));
    handle(&script, event, async |_| panic!("the step ran")).expect("reported");

    let report = script.sent().pop().expect("a report");
    assert_eq!(report.operation(), "PutJobFailureResult");
    let details = report.json()["failureDetails"].clone();
    (script, details)
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
fn wrong_parameters_and_tokens_of_other_steps_fail_the_job_before_the_step_runs() {
    let (script, details) = unread(event("[]", None), []);
    assert_eq!(script.operations(), ["PutJobFailureResult"]);
    assert_eq!(details["type"], "ConfigurationError");

    // No release of the execution is known.
    let foreign = event(&parameters().to_string(), Some(FOREIGN));
    let (_, details) = unread(foreign, [(); 4].map(|()| answer(&json!({}))));
    assert_eq!(details["type"], "JobFailed");
    assert_eq!(
        details["message"],
        "the continuation token is version 1 of begin-release, expected version 1 of \
         update-service; retry the stage, so that the action starts again"
    );
}

#[test]
fn what_makes_a_job_unreadable_is_kept_in_the_open_release() {
    let written = answer(&json!({}));
    let foreign = event(&parameters().to_string(), Some(FOREIGN));
    let known = [held(|_| {}), record("begun"), held(|_| {}), written];
    let (script, details) = unread(foreign, known);

    assert_eq!(
        script.operations(),
        [
            "GetItem",
            "GetItem",
            "GetItem",
            "PutItem",
            "PutJobFailureResult"
        ]
    );
    let failure = &script.sent()[3].json()["Item"]["release"]["M"]["failure"]["M"];
    assert_eq!(failure["type"]["S"], "JobFailed");
    assert_eq!(failure["message"]["S"], details["message"]);
}

#[test]
fn what_makes_a_job_unreadable_is_kept_in_the_record_before_the_release_has_begun() {
    let mut wrong = parameters();
    wrong["text"] = json!(7);
    let (no_lease, written) = (answer(&json!({})), answer(&json!({})));
    let event = event(&wrong.to_string(), None);
    let known = [no_lease, record("started"), record("started"), written];
    let (script, details) = unread(event, known);

    assert_eq!(
        script.operations(),
        [
            "GetItem",
            "GetItem",
            "GetItem",
            "TransactWriteItems",
            "PutJobFailureResult"
        ]
    );
    let put = &script.sent()[3].json()["TransactItems"][0]["Put"]["Item"];
    assert_eq!(put["reason"]["S"], details["message"]);
    assert_eq!(details["type"], "ConfigurationError");
}

#[test]
fn an_operator_may_correct_parameters_that_cannot_be_read() {
    let script = Script::new([]);
    let event = json!({"parameters": parameters(), "continuationToken": FOREIGN});
    let response = handle(&script, event, async |_| panic!("the step ran"));

    assert_eq!(response.expect("answered")["status"], "failed");
    assert_eq!(script.operations(), Vec::<String>::new());
}

#[test]
fn a_job_that_cannot_be_read_states_also_that_aws_refused_to_record_it() {
    let denied = || refusal("AccessDeniedException", "no");
    let foreign = || event(&parameters().to_string(), Some(FOREIGN));
    let open = [held(|_| {}), record("begun"), held(|_| {}), denied()];
    for (ledger, operation) in [(vec![denied()], "GetItem"), (open.into(), "PutItem")] {
        let (script, details) = unread(foreign(), ledger);
        let sent = script.operations();
        assert_eq!(
            sent[sent.len() - 2..],
            [operation, "PutJobFailureResult"],
            "the refusal is the end"
        );

        assert_eq!(details["type"], "PermissionError");
        let message = details["message"].as_str().expect("a text");
        let expected = format!(
            "the continuation token is version 1 of begin-release, expected version 1 of \
             update-service; retry the stage, so that the action starts again; not recorded: \
             dynamodb:{operation} failed: AccessDeniedException: no; allow "
        );
        assert!(message.starts_with(&expected), "{message}");
    }
}

#[test]
fn a_job_that_cannot_be_read_fails_with_its_reason_while_the_ledger_is_busy() {
    let busy = || refusal("ThrottlingException", "slow down");
    let foreign = event(&parameters().to_string(), Some(FOREIGN));
    let (_, details) = unread(foreign, (0..CALL_ATTEMPTS).map(|_| busy()));
    assert_eq!(details["type"], "JobFailed");
}

#[test]
fn a_job_that_cannot_be_read_is_recorded_within_the_budget_of_a_step() {
    let foreign = event(&parameters().to_string(), Some(FOREIGN));
    let none = || answer(&json!({}));
    let (script, _) = unread(
        foreign,
        [none(), record("closed"), record("closed"), none()],
    );
    assert!(
        script.waits().contains(&STEP_BUDGET),
        "{:?}",
        script.waits()
    );
}

/// The result of an invocation whose report gets this response.
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
            Err(Failure::job("unhealthy").into()),
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
fn a_job_whose_id_codepipeline_refuses_is_not_delivered_again() {
    let report = |id: &str| {
        let message = "1 validation error detected: Value at 'jobId' failed to satisfy constraint";
        let script = Script::new([refusal("ValidationException", message)]);
        let mut event = event(&parameters().to_string(), None);
        event["CodePipeline.job"]["id"] = json!(id);
        handle(&script, event, async |_| Ok(JobReport::done("done", [])))
    };

    for id in [
        "x",
        "job-1",
        "11111111-2222-3333-4444-55555555555",
        "11111111-2222-3333-4444-55555555555G",
        "11111111-2222-3333-4444-555555555555-6",
    ] {
        assert_eq!(report(id).expect("nothing to repeat"), Value::Null, "{id}");
    }
}

/// What is sent for a job with a legal id, whose reports get these responses, and how the
/// invocation ends.
fn reports_meet(script: &Script) -> Result<Value, Retry> {
    let mut event = event(&parameters().to_string(), None);
    event["CodePipeline.job"]["id"] = json!("11111111-2222-3333-4444-55555555555a");
    handle(script, event, async |_| Ok(JobReport::done("done", [])))
}

#[test]
fn a_result_that_codepipeline_does_not_accept_fails_the_job_with_the_reason() {
    let refused = || refusal("ValidationException", "summary is too long");
    let script = Script::new([refused(), answer(&json!({}))]);
    reports_meet(&script).expect("the failure is reported");

    assert_eq!(
        script.operations(),
        ["PutJobSuccessResult", "PutJobFailureResult"]
    );
    assert_eq!(
        script.sent()[1].json()["failureDetails"],
        json!({
            "type": "JobFailed",
            "message": "CodePipeline does not accept the result of this step: \
                        codepipeline:PutJobSuccessResult failed: ValidationException: summary is \
                        too long",
        })
    );

    // A failure is not replaced: the invocation fails, and Lambda delivers the event again.
    let script = Script::new([refused(), refused()]);
    let failed = reports_meet(&script).expect_err("not reported");
    assert!(
        failed
            .to_string()
            .starts_with("codepipeline:PutJobFailureResult failed: "),
        "{failed}"
    );
}

#[test]
fn a_report_is_repeated_while_codepipeline_is_busy_and_the_invocation_has_time() {
    let attempts = |secs_ago: i64| {
        let script = Script::always(refusal("ThrottlingException", "slow down"));
        let jobs = Jobs::new(&script.sdk(), "update-service");
        let failed = JobOutcome::Failed(Failure::job("unhealthy"));
        run(jobs.report("job-1", failed, at(-secs_ago))).expect_err("busy all the time");
        script.sent().len()
    };

    // Each time with the attempts of the SDK.
    let once = CALL_ATTEMPTS as usize;
    assert_eq!(attempts(0), JOB_ATTEMPTS as usize * once);
    let budget = STEP_BUDGET.as_secs().cast_signed();
    assert_eq!(attempts(budget), once);
}

#[test]
fn a_report_that_was_not_accepted_fails_the_invocation() {
    for (result, operation) in [
        (
            Ok(JobReport::done("done", [])),
            "codepipeline:PutJobSuccessResult",
        ),
        (
            Err(Failure::job("unhealthy").into()),
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
