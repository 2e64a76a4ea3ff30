//! The time that a step and an action have.

use super::*;
use crate::limits::STEP_BUDGET;

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

    let message = "still in progress after 23h30m, and an action ends after 24 hours; \
                   last: the lease is held by e-2";
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
