//! The time that a step and an action have.

use super::*;
use crate::job::Token;
use crate::limits::{BUSY_LIMIT, STEP_BUDGET};

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
fn a_custom_action_fails_with_its_last_summary_before_its_hour_is_over() {
    let sent = |secs: i64| {
        let script = Script::new([answer(&json!({}))]);
        let mut event = event(&parameters().to_string(), Some(&token(secs, None)));
        event["CodePipeline.job"]["data"]["actionTypeId"] = json!({"owner": "Custom"});
        let handled = handle(&script, event, async |_| {
            Ok(JobReport::in_progress("draining", 5))
        });
        handled.expect("reported");
        script.only()
    };

    let limit = 55 * 60;
    assert_eq!(sent(limit - 1).operation(), "PutJobSuccessResult");
    let failed = sent(limit);
    assert_eq!(failed.operation(), "PutJobFailureResult");
    assert_eq!(
        failed.json()["failureDetails"]["message"],
        "still in progress after 55m00s, and a custom action can end after an hour; last: draining"
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

/// Details of the failure of a job whose action began long ago and last learned something this many
/// seconds ago; none while it goes on.
fn kept(secs: i64, busy: &str) -> Option<Value> {
    let token = Token::new("update-service", at(-9_000)).learned_at(at(-secs));
    let text = token.with_payload(Some(json!({"minute": 7}))).text();
    let (operation, sent) = reported(Some(&text), Err(StepError::Busy(busy.to_owned())));

    if operation == "PutJobSuccessResult" {
        assert_eq!(sent["continuationToken"], text, "it is passed on unchanged");
        return None;
    }
    Some(sent["failureDetails"].clone())
}

#[test]
fn a_step_that_reads_nothing_for_an_hour_fails_and_names_what_kept_it() {
    let limit = BUSY_LIMIT.as_secs().cast_signed();
    assert_eq!(limit, 3_600);

    let throttled = "ecs:DescribeServices failed: ThrottlingException: Rate exceeded; retrying";
    assert_eq!(kept(limit - 1, throttled), None);

    let message = "no progress for 1h00m; last: ecs:DescribeServices failed: ThrottlingException: \
                   Rate exceeded";
    assert_eq!(
        kept(limit, throttled),
        Some(json!({"type": "JobFailed", "message": message}))
    );
    assert_eq!(
        kept(limit + 90, "CloudWatch is slow").expect("failed")["message"],
        "no progress for 1h01m; last: CloudWatch is slow"
    );
}

#[test]
fn an_hour_in_which_the_step_exceeds_its_budget_each_time_is_too_long_too() {
    let script = Script::new([answer(&json!({}))]);
    let event = event(&parameters().to_string(), Some(&token(3_600, None)));
    let handled = handle(&script, event, async |_| std::future::pending().await);

    handled.expect("reported");
    assert_eq!(script.only().operation(), "PutJobFailureResult");
    let message = "no progress for 1h00m; last: in progress: AWS is slow and the step did not end \
                   within 45s";
    assert_eq!(script.only().json()["failureDetails"]["message"], message);
}

#[test]
fn an_action_that_learns_something_may_take_longer() {
    let going = || Ok(JobReport::in_progress("baking", 5));
    let (operation, _) = reported(Some(&token(2 * 3_600, None)), going());
    assert_eq!(operation, "PutJobSuccessResult");
}
