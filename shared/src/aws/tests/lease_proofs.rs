//! What a step may do by the ledger: each way in which it may not, a failure recorded once, and the
//! close of a release.

use serde_json::{Value, json};

use super::ledger::{free, item};
use super::script::{Answer, Script, answer, at, run};
use crate::aws::Ledger;
use crate::job::{Failure, FailureType, JobReport, ReleaseRef, StepError};
use crate::release::{ActiveRelease, Conclusion, LeaseProof, Outcome, Prior};

fn wanted() -> ReleaseRef {
    ReleaseRef::new("slipway-web", "e-1", "apps", "web")
}

/// A lease that `e-1` holds, its release changed.
pub(super) fn held(change: impl Fn(&mut Value)) -> Answer {
    item(&held_lease(change))
}

pub(super) fn held_lease(change: impl Fn(&mut Value)) -> Value {
    let prior = json!({"M": {
        "task_definition": {"S": "web:1"}, "desired_count": {"N": "2"},
        "percentages": {"M": {"minimum_healthy": {"N": "100"}, "maximum": {"N": "200"}}},
        "recorded_at": {"S": "2026-01-05T08:59:00Z"}
    }});
    let mut release = json!({
        "execution": {"S": "e-1"}, "pipeline": {"S": "slipway-web"}, "state": {"S": "open"},
        "began_at": {"S": "2026-01-05T08:58:00Z"}, "prior": prior
    });

    change(&mut release);
    let mut lease = free(7);
    lease["release"] = json!({ "M": release });

    lease
}

fn rolling_back(release: &mut Value) {
    release["state"] = json!({"S": "rolling-back"});
    release["rolling_back_since"] = json!({"S": "2026-01-05T08:59:30Z"});
}

fn failure_item() -> Value {
    json!({"M": {"type": {"S": "JobFailed"}, "message": {"S": "unhealthy"}}})
}

fn prove(answers: impl IntoIterator<Item = Answer>) -> Result<ActiveRelease, StepError> {
    let script = Script::new(answers);
    let proof = run(Ledger::new(&script.sdk()).prove_lease(&wanted()));
    assert!(script.is_played());
    proof?.active()
}

fn refused(answers: impl IntoIterator<Item = Answer>) -> Failure {
    match prove(answers) {
        Err(StepError::Failed(failure)) => failure,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_step_of_the_release_that_holds_the_lease_may_act() {
    let ActiveRelease {
        lease,
        release,
        target,
    } = prove([held(|_| {})]).expect("active");

    assert_eq!((lease.fence, release.execution.as_str()), (7, "e-1"));
    let Prior::Service(prior) = target.prior() else {
        panic!("{target:?} is not a service")
    };

    assert_eq!(
        (prior.task_definition.as_str(), prior.desired_count),
        ("web:1", 2)
    );
    assert_eq!(release.target(), Some(&target));
    assert_eq!(lease.release, Some(release));
}

#[test]
fn a_failure_that_is_recorded_is_the_failure_of_every_later_step() {
    let unhealthy = |release: &mut Value| release["failure"] = failure_item();
    assert_eq!(refused([held(unhealthy)]), Failure::job("unhealthy"));

    let failed = |release: &mut Value| {
        rolling_back(release);
        release["failure"] = failure_item();
    };

    assert_eq!(refused([held(failed)]), Failure::job("unhealthy"));
}

#[test]
fn no_step_acts_for_a_release_that_is_rolled_back_or_has_not_begun() {
    let message = "the release is being rolled back; start again with a new execution";
    assert_eq!(
        refused([held(rolling_back)]),
        Failure::configuration(message)
    );

    let unrecorded = |release: &mut Value| release["prior"] = json!({"NULL": true});
    let message = "the release has not begun; run begin-release before this action";
    assert_eq!(refused([held(unrecorded)]), Failure::configuration(message));
}

#[test]
fn no_step_acts_for_an_execution_that_does_not_hold_the_lease() {
    let message = "execution e-1 holds no release of service web in cluster apps; run \
                   begin-release before this action, with the same pipeline, cluster and service";
    let none = || answer(&json!({}));

    assert_eq!(refused([none(), none()]), Failure::configuration(message));
    assert_eq!(
        refused([item(&free(7)), none()]),
        Failure::configuration(message)
    );

    let other = |release: &mut Value| release["execution"] = json!({"S": "e-2"});
    assert_eq!(
        refused([held(other), none()]),
        Failure::configuration(message)
    );
    assert_eq!(
        refused([none(), item(&record("begun", json!({})))]),
        Failure::configuration(message)
    );
}

fn record(state: &str, more: Value) -> Value {
    let mut record = json!({
        "pk": {"S": "execution#e-1"}, "sk": {"S": "record"}, "v": {"N": "1"},
        "execution": {"S": "e-1"}, "pipeline": {"S": "slipway-web"}, "state": {"S": state},
        "started_at": {"S": "2026-01-05T08:58:00Z"}
    });
    let more = more.as_object().cloned().unwrap_or_default();
    record.as_object_mut().expect("an object").extend(more);

    record
}

#[test]
fn a_closed_release_refuses_its_steps_with_how_it_ended() {
    let closed = || item(&record("closed", json!({"outcome": {"S": "rolled-back"}})));
    let script = Script::new([item(&free(7)), closed()]);
    let proof = run(Ledger::new(&script.sdk()).prove_lease(&wanted())).expect("closed");

    assert!(
        matches!(proof, LeaseProof::Closed(record) if record.outcome == Some(Outcome::RolledBack))
    );

    let message = "release already rolled back; start again with a new execution";
    assert_eq!(
        refused([item(&free(7)), closed()]),
        Failure::configuration(message)
    );
}

fn record_failure(
    result: Result<JobReport, StepError>,
    answers: impl IntoIterator<Item = Answer>,
) -> (Script, Result<JobReport, StepError>) {
    let script = Script::new(answers);
    let result = run(Ledger::new(&script.sdk()).record_failure(&wanted(), result));
    assert!(script.is_played());
    (script, result)
}

fn unhealthy() -> Result<JobReport, StepError> {
    Err(Failure {
        kind: FailureType::PermissionError,
        cause: None,
        message: "no role".to_owned(),
    }
    .into())
}

#[test]
fn a_failure_is_written_into_the_lease_and_passed_on() {
    let (script, result) = record_failure(unhealthy(), [held(|_| {}), answer(&json!({}))]);
    assert_eq!(result, unhealthy());
    assert_eq!(script.operations(), ["GetItem", "PutItem"]);

    let sent = script.sent()[1].json();
    let failure = json!({"M": {"type": {"S": "PermissionError"}, "message": {"S": "no role"}}});
    assert_eq!(sent["Item"]["release"]["M"]["failure"], failure);
    assert_eq!(sent["Item"]["fence"], json!({"N": "8"}));
    assert_eq!(
        sent["ExpressionAttributeValues"],
        json!({":fence": {"N": "7"}})
    );
}

#[test]
fn the_first_failure_of_an_open_release_is_the_one_that_stays() {
    let (script, result) = record_failure(
        unhealthy(),
        [held(|release| release["failure"] = failure_item())],
    );
    assert_eq!(
        (script.operations(), result),
        (vec!["GetItem".to_owned()], unhealthy())
    );

    let (script, _) = record_failure(unhealthy(), [held(rolling_back)]);
    assert_eq!(script.operations(), ["GetItem"]);

    let (script, _) = record_failure(
        unhealthy(),
        [held(|release| release["execution"] = json!({"S": "e-2"}))],
    );
    assert_eq!(script.operations(), ["GetItem"]);

    let (script, _) = record_failure(unhealthy(), [answer(&json!({}))]);
    assert_eq!(script.operations(), ["GetItem"]);
}

#[test]
fn only_a_failure_is_recorded() {
    let busy = Err(StepError::Busy("throttled".to_owned()));
    assert_eq!(record_failure(busy.clone(), []).1, busy);
    let going = Ok(JobReport::in_progress("waiting", 10));
    assert_eq!(record_failure(going.clone(), []).1, going);
}

#[test]
fn a_failure_that_could_not_be_written_is_tried_again() {
    let lost = super::script::refusal("ConditionalCheckFailedException", "lost");
    let again = Err(StepError::Busy(
        "lost a write race with another invocation; retrying".to_owned(),
    ));
    assert_eq!(record_failure(unhealthy(), [held(|_| {}), lost]).1, again);
}

#[test]
fn a_close_frees_the_lease_and_records_outcome_and_reason_in_one_transaction() {
    let script = Script::new([held(|_| {}), answer(&json!({}))]);
    let ledger = Ledger::new(&script.sdk());
    let lease = run(ledger.lease("apps", "web"))
        .expect("answered")
        .expect("there");
    let conclusion = Conclusion::new(Outcome::Deployed, "web:2 is steady");
    run(ledger.close(&lease, &conclusion, at(0))).expect("closed");

    assert_eq!(script.operations(), ["GetItem", "TransactWriteItems"]);

    let sent = script.sent()[1].json();
    let [lease, record] = [0_usize, 1].map(|part| sent["TransactItems"][part]["Put"].clone());
    let mut left = free(8);
    left["left"] = json!({"M": {
        "execution": {"S": "e-1"}, "service": {"S": "web"}, "task_definition": {"S": "web:1"},
        "began_at": {"S": "2026-01-05T08:58:00Z"}, "ended_at": {"S": "2026-01-05T09:00:00Z"}
    }});
    assert_eq!(lease["Item"], left);
    assert_eq!(
        lease["ExpressionAttributeValues"],
        json!({":fence": {"N": "7"}})
    );

    let item = &record["Item"];
    assert_eq!(
        [
            &item["pk"],
            &item["outcome"],
            &item["reason"],
            &item["ended_at"],
            &item["state"]
        ],
        [
            &json!({"S": "execution#e-1"}),
            &json!({"S": "deployed"}),
            &json!({"S": "web:2 is steady"}),
            &json!({"S": "2026-01-05T09:00:00Z"}),
            &json!({"S": "closed"})
        ]
    );
}

#[test]
fn a_lease_that_is_free_already_is_not_closed_again() {
    let script = Script::new([item(&free(7))]);
    let ledger = Ledger::new(&script.sdk());
    let lease = run(ledger.lease("apps", "web"))
        .expect("answered")
        .expect("there");
    let refused = run(ledger.close(&lease, &Conclusion::new(Outcome::Deployed, ""), at(0)));
    let message = "cannot close the release: the lease is free";

    assert_eq!(refused, Err(Failure::job(message).into()));
    assert_eq!(script.operations(), ["GetItem"]);
}
