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

use std::time::Duration;

use serde_json::Value;

pub use action_kind::ActionKind;
pub use action_type::{ACTION_TYPES, ActionType, ActionTypeId, PROVIDER_PREFIX, Property};
pub use checks::{CheckPath, Checks};
pub use envelope::{Artifact, Credentials, JobEvent, Origin, PipelineJob};
pub use failure::{Failure, FailureType, StepError};
pub(crate) use parameters::parse_release;
pub use parameters::{NoParameters, ReleaseRef, parse as parse_parameters};
pub use polled::{PolledJob, StepInvocation};
pub(crate) use report::clipped;
pub use report::{JobOutcome, JobReport};
pub use token::Token;

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
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(1_767_603_600 + secs).expect("in range")
    }

    #[test]
    fn only_the_job_that_begins_an_action_is_its_first_and_a_freeze_is_no_work() {
        let job = |since| Job {
            id: None,
            release: ReleaseRef::new("slipway-web", "e-1", "apps", "web"),
            parameters: (),
            since,
            now: at(0),
            kind: ActionKind::Invoke,
            frozen: None,
            refused_for_long: false,
            payload: None,
            artifacts: Vec::new(),
            credentials: None,
            origin: Origin::Job,
        };

        assert!(job(at(0)).is_first());
        assert!(!job(at(-1)).is_first());

        let held = |frozen| Job {
            frozen,
            ..job(at(-90))
        };
        let worked = [held(None), held(Some(at(-30)))].map(|job| job.worked().as_secs());
        assert_eq!(worked, [90, 30], "a freeze does not count");
    }
}
