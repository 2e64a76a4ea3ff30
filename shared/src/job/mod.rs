//! The protocol between CodePipeline and a step: one job in, one report out. The jobs of custom
//! actions become those of Lambda invoke actions here.
//!
//! This is the only place that knows the JSON of a job, of user parameters and of continuation
//! tokens. It does no I/O: `step` runs a job, `aws::Jobs` sends the report.

mod action_kind;
mod action_type;
mod checks;
mod envelope;
mod failure;
mod parameters;
mod polled;
mod property;
mod report;
mod token;

use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;

pub use action_kind::ActionKind;
pub use action_type::{ACTION_TYPES, ActionType, ActionTypeId, PROVIDER_PREFIX, Property};
pub use checks::{CheckPath, Checks};
pub use envelope::{Artifact, Credentials, JobEvent, Origin, PipelineJob};
pub use failure::{Failure, FailureType, StepError};
pub(crate) use parameters::parse_release;
pub use parameters::{NoParameters, ReleaseRef, parse as parse_parameters};
pub use polled::{Acknowledged, PolledJob, StepInvocation};
pub(crate) use report::clipped;
pub use report::{JobOutcome, JobReport};
pub use token::Token;
pub(crate) use token::read_payload;

use crate::timestamp::Timestamp;

/// A job as its step sees it: `P` are the step's own parameters.
#[derive(Debug)]
pub struct Job<P> {
    /// Its id in CodePipeline; none in a direct invocation.
    pub id: Option<String>,
    pub release: ReleaseRef,
    pub parameters: P,
    /// When the first job of this action began: the token carries it from job to job.
    pub since: Timestamp,
    pub now: Timestamp,
    /// What its action is to CodePipeline.
    pub kind: ActionKind,
    /// When a freeze last held the action back, if one did.
    pub frozen: Option<Timestamp>,
    /// Whether AWS has refused a call for so long that no job looks again.
    pub refused_for_long: bool,
    /// The payload of the previous job's [`JobReport::InProgress`].
    pub payload: Option<Value>,
    /// What [`Job::keep`] keeps for the next job.
    pub kept: OnceLock<Value>,
    pub artifacts: Vec<Artifact>,
    pub credentials: Option<Credentials>,
    pub origin: Origin,
}

impl<P> Job<P> {
    /// Whether this is the first job of its action, which has no token. Lambda may deliver it
    /// again, long after the action.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.since == self.now
    }

    /// Keeps a payload for the next job, whatever this one ends with, once. A report that has a
    /// payload replaces it.
    pub fn keep(&self, payload: Value) {
        self.kept.set(payload).ok();
    }

    /// What the next job receives if this one learns nothing more.
    #[must_use]
    pub fn next_payload(&self) -> Option<Value> {
        self.kept.get().or(self.payload.as_ref()).cloned()
    }

    /// How long the action has worked: since it began, or since a freeze last held it back. What
    /// has a deadline of its own counts by this.
    #[must_use]
    pub fn worked(&self) -> Duration {
        self.now.since(self.frozen.unwrap_or(self.since))
    }
}

/// The result of a step.
pub type StepResult = Result<JobReport, StepError>;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(1_767_603_600 + secs).expect("in range")
    }

    fn job(since: Timestamp) -> Job<()> {
        Job {
            id: None,
            release: ReleaseRef::new("slipway-web", "e-1", "apps", "web"),
            parameters: (),
            since,
            now: at(0),
            kind: ActionKind::Invoke,
            frozen: None,
            refused_for_long: false,
            payload: None,
            kept: OnceLock::new(),
            artifacts: Vec::new(),
            credentials: None,
            origin: Origin::Job,
        }
    }

    #[test]
    fn only_the_job_that_begins_an_action_is_its_first_and_a_freeze_is_no_work() {
        assert!(job(at(0)).is_first());
        assert!(!job(at(-1)).is_first());

        let held = |frozen| Job {
            frozen,
            ..job(at(-90))
        };
        let worked = [held(None), held(Some(at(-30)))].map(|job| job.worked().as_secs());
        assert_eq!(worked, [90, 30], "a freeze does not count");
    }

    #[test]
    fn what_a_job_keeps_goes_to_the_next_one_in_place_of_what_it_received() {
        let received = Job {
            payload: Some(json!(1)),
            ..job(at(-90))
        };
        assert_eq!(received.next_payload(), Some(json!(1)));
        received.keep(json!(2));
        received.keep(json!(3));
        assert_eq!(received.next_payload(), Some(json!(2)), "once");
        assert_eq!(job(at(0)).next_payload(), None);
    }
}
