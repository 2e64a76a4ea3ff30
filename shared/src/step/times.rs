//! How long an action has taken, and which of its results are too late.
//!
//! It never reads the clock: jobs and tokens carry the times.

use std::time::Duration;

use crate::job::{ActionKind, Failure, JobReport, StepError, StepResult, Token};
use crate::limits::{BUSY_LIMIT, SECOND_LOOK, SECOND_LOOKS};
use crate::timestamp::{Timestamp, readable};

/// How long an action has taken.
#[derive(Clone, Copy)]
pub(super) struct Times {
    kind: ActionKind,
    /// Since its first job began.
    elapsed: Duration,
    /// Since one of its jobs last learned something.
    without_progress: Duration,
    /// Since AWS first refused what it refused again since.
    refused: Duration,
    /// How many refusals before it were forgotten, each within an hour of the one before.
    refused_before: u32,
}

impl Times {
    pub(super) fn from_token(token: &Token, now: Timestamp, kind: ActionKind) -> Self {
        Self {
            kind,
            elapsed: now.since(token.since),
            without_progress: now.since(token.last_learned()),
            refused: now.since(token.refused.unwrap_or(now)),
            refused_before: token.refused_before,
        }
    }

    pub(super) fn is_refused_for_long(self) -> bool {
        self.refused >= SECOND_LOOK || self.refused_before >= SECOND_LOOKS
    }

    /// The result of a step, or the failure of one that is busy or in progress for too long.
    pub(super) fn in_time(self, result: StepResult) -> StepResult {
        let Self {
            kind,
            elapsed,
            without_progress,
            ..
        } = self;
        let (last, is_busy) = match &result {
            Ok(JobReport::InProgress { summary, .. }) => (summary.as_str(), false),
            Err(busy @ StepError::Busy(_)) => (busy.cause(), true),
            Err(again @ (StepError::Refused(_) | StepError::Unexpected(_))) => {
                (again.cause(), false)
            }
            _ => return result,
        };

        let message = if is_busy && without_progress >= BUSY_LIMIT {
            format!(
                "no progress for {}; last: {last}",
                readable(without_progress)
            )
        } else if elapsed >= kind.total() {
            format!(
                "still in progress after {}, and {}; last: {last}",
                readable(elapsed),
                kind.end()
            )
        } else {
            return result;
        };
        Err(Failure::job(message).into())
    }
}

/// Refuses what a custom action has no time for, before CodePipeline ends it halfway. Each step
/// checks its parameters for the time of a Lambda invoke action.
pub(super) fn check_time(kind: ActionKind, works: Duration) -> Result<(), Failure> {
    if kind == ActionKind::Invoke || works <= kind.hold() {
        return Ok(());
    }
    Err(Failure::configuration(format!(
        "by its parameters this step works for up to {}; expected at most {}, since {}; give it \
         less time, or make it a Lambda invoke action",
        readable(works),
        readable(kind.hold()),
        kind.end()
    )))
}
