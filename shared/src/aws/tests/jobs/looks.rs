//! What a step makes of a refused call, or of a response that is not understood: the release fails
//! for it at once, or the next job looks again.

use super::*;
use crate::aws::tests::lease_proofs::{held, held_lease};
use crate::aws::tests::ledger::item;
use crate::job::Token;
use crate::limits::{SECOND_LOOK, SECOND_LOOKS};

const LATE: i64 = 180;

/// A token of an action that AWS first refused a call this many seconds ago, and last within 30
/// seconds.
fn refused(secs: i64) -> Token {
    let token = Token::new("update-service", at(-9_000)).learned_at(at(-600));
    token.refused_at(at(-secs)).refused_at(at(-secs.min(30)))
}

/// What becomes of a failed call `secs` after the first one. `lease` is the ledger's response, if
/// it is read.
fn outcome(error: StepError, secs: i64, lease: Option<Answer>) -> (String, Value) {
    let looks = lease.is_some();
    let script = Script::new(lease.into_iter().chain([answer(&json!({}))]));
    let token = refused(secs).with_payload(Some(json!({"minute": 7})));

    let event = event(&parameters().to_string(), Some(&token.text()));
    let handled = handle(&script, event, async |_| Err(error));
    handled.expect("reported");

    let sent = script.sent();
    assert_eq!(
        sent.len(),
        1 + usize::from(looks),
        "{:?}",
        script.operations()
    );
    let report = sent.last().expect("a report");
    let sent = report.json();
    if report.operation() == "PutJobSuccessResult" {
        let expected = token.refused_at(at(0)).text();
        assert_eq!(
            sent["continuationToken"], expected,
            "its payload is passed on"
        );
    }
    (report.operation(), sent)
}

fn again(error: StepError, secs: i64, lease: Option<Answer>) -> bool {
    let message = error.cause().to_owned();
    let (operation, sent) = outcome(error, secs, lease);
    if operation == "PutJobFailureResult" {
        assert_eq!(sent["failureDetails"]["message"], json!(message));
        return false;
    }
    let summary = &sent["executionDetails"]["summary"];
    assert_eq!(*summary, json!(format!("{message}; looking again")));
    true
}

fn denied() -> StepError {
    let kind = FailureType::PermissionError;
    StepError::Refused(Failure::new(kind, "ecs:UpdateService failed"))
}

fn refusals() -> [StepError; 2] {
    [
        denied(),
        StepError::Refused(Failure::configuration("refused")),
    ]
}

fn not_understood() -> StepError {
    StepError::Unexpected(Failure::job("the response could not be read"))
}

/// A lease whose release has this change of its service.
fn changed(deployment: &Value) -> Value {
    held_lease(|release| {
        let percentages = release["prior"]["M"]["percentages"].clone();
        release["change"] = json!({"M": {
            "task_definition": {"S": "web:2"}, "percentages": percentages, "deployment": deployment
        }});
    })
}

fn deployed() -> Answer {
    item(&changed(&json!({"S": "ecs-svc/2"})))
}

/// A lease whose release announced its change this many seconds ago, and recorded no deployment.
fn announced(secs: i64) -> Answer {
    let mut lease = changed(&json!({"NULL": true}));
    lease["changed_at"] = json!({"S": at(-secs).to_string()});
    item(&lease)
}

#[test]
fn a_refusal_fails_a_release_that_has_changed_nothing() {
    assert_eq!(LATE, SECOND_LOOK.as_secs().cast_signed());

    for error in refusals() {
        for lease in [
            held(|_| {}),
            announced(0),
            answer(&json!({})),
            held(|release| release["execution"] = json!({"S": "e-2"})),
        ] {
            assert!(!again(error.clone(), 0, Some(lease)), "{error}");
        }
    }
}

#[test]
fn a_refusal_after_the_first_change_is_looked_at_again_for_3_minutes() {
    for error in refusals() {
        assert!(again(error.clone(), 0, Some(deployed())));
        assert!(again(error.clone(), LATE - 1, Some(deployed())));
        assert!(!again(error, LATE, None));
    }
}

/// The deployment may have been made, and the write that records it lost.
#[test]
fn a_refusal_after_a_change_that_an_earlier_job_announced_is_looked_at_again() {
    for error in refusals() {
        assert!(again(error, 0, Some(announced(1))));
    }
}

#[test]
fn a_release_whose_lease_cannot_be_read_may_have_changed_something() {
    let denial = refusal("AccessDeniedException", "no");
    assert!(again(denied(), 0, Some(denial)));
}

#[test]
fn a_response_that_is_not_understood_is_looked_at_again_for_3_minutes_in_any_case() {
    assert!(again(not_understood(), 0, None));
    assert!(again(not_understood(), LATE - 1, None));
    assert!(!again(not_understood(), LATE, None));
}

#[test]
fn the_first_refusal_is_noted_and_a_wait_in_between_does_not_hide_it() {
    let (_, sent) = reported(Some(&token(600, None)), Err(not_understood()));
    let first = Token::new("update-service", at(-600)).refused_at(at(0));
    assert_eq!(sent["continuationToken"], first.text());

    let waiting = || Ok(JobReport::in_progress("waiting", 5));
    let (_, sent) = reported(Some(&refused(LATE).text()), waiting());
    let expected = refused(LATE).learned_at(at(0));
    assert_eq!(expected.refused, Some(at(-LATE)));
    assert_eq!(sent["continuationToken"], expected.text());
}

#[test]
fn two_refusals_with_3_minutes_between_them_are_not_one() {
    let action = || Token::new("update-service", at(-600));
    let once = |secs: i64| action().refused_at(at(-secs)).text();

    let (operation, sent) = reported(Some(&once(LATE)), Err(not_understood()));
    assert_eq!(operation, "PutJobSuccessResult");
    let counted = Token {
        refused_before: 1,
        ..action()
    };
    assert_eq!(sent["continuationToken"], counted.refused_at(at(0)).text());

    let (_, sent) = reported(Some(&once(LATE - 1)), Err(not_understood()));
    let expected = action().refused_at(at(1 - LATE)).refused_at(at(0));
    assert_eq!(sent["continuationToken"], expected.text());
}

/// A step that fails, and records that as every step does.
struct Failing;

impl Step for Failing {
    const NAME: &'static str = "update-service";
    type Parameters = Parameters;
    type Found = ();

    fn acting_as(&self, _: &Sdk) -> Self {
        Self
    }

    async fn find_release(&self, _: &Job<Parameters>) -> Result<(), StepError> {
        Ok(())
    }

    async fn step(&self, _: &Job<Parameters>, _: ()) -> StepResult {
        Err(Failure::job("unhealthy").into())
    }
}

#[test]
fn a_failure_that_the_ledger_refuses_to_record_is_reported_after_3_minutes() {
    let operations = |secs: i64| {
        let denied = refusal("AccessDeniedException", "no");
        let script = Script::new([denied, answer(&json!({}))]);
        let event = event(&parameters().to_string(), Some(&refused(secs).text()));
        run(Runner::new(Failing, &script.sdk()).handle(event)).expect("reported");
        script.operations()
    };
    assert_eq!(operations(LATE - 1), ["GetItem", "PutJobSuccessResult"]);
    assert_eq!(operations(LATE), ["GetItem", "PutJobFailureResult"]);
}

#[test]
fn refusals_far_apart_fail_the_release_when_five_are_forgotten() {
    let after = |refused_before| {
        let token = Token {
            refused_again: Some(at(-600)),
            refused_before,
            ..Token::new("update-service", at(-9_000))
        };
        reported(Some(&token.text()), Err(not_understood()))
    };
    let (operation, sent) = after(SECOND_LOOKS - 1);
    assert_eq!(operation, "PutJobSuccessResult", "{sent}");

    let (operation, sent) = after(SECOND_LOOKS);
    assert_eq!(operation, "PutJobFailureResult");
    assert_eq!(
        sent["failureDetails"]["message"],
        json!(not_understood().cause())
    );
    assert_eq!(SECOND_LOOKS, 5);
}

#[test]
fn a_refusal_an_hour_after_five_others_is_looked_at_again() {
    let after = |secs: i64| {
        let token = Token {
            refused_again: Some(at(-secs)),
            refused_before: SECOND_LOOKS,
            ..Token::new("update-service", at(-9_000))
        };
        reported(Some(&token.text()), Err(not_understood())).0
    };

    assert_eq!(after(3_599), "PutJobFailureResult");
    assert_eq!(after(3_600), "PutJobSuccessResult");
}
