//! How the execution of a release ended, and what counts as its end when CodePipeline does not show
//! it.
//!
//! Everything here is pure. A release that its steps may still act for is left to them for longer
//! than they wait for an approval with CodePipeline's own time-out. An action can have up to 60
//! days (AWS CodePipeline quotas), so the time counts from when the status could not be read any
//! more, and a cause that passes by itself never ends an open release.

use std::time::Duration;

use crate::job::{Failure, FailureType, Origin, StepError};
use crate::limits::{ROLLBACK_DEADLINE, SECOND_LOOK, UNREAD_DEADLINE};
use crate::release::{Lease, Release};
use crate::timestamp::Timestamp;

/// How an execution ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Failed,
    Stopped,
    Canceled,
    Superseded,
    /// CodePipeline no longer knows it, as when its pipeline was deleted.
    Gone,
    /// It succeeded without `finish-release`, which closes a release.
    Succeeded,
    /// Its release was taken over or has not begun, and CodePipeline does not show what became of
    /// it.
    Unread,
    /// Its release was taken over, and the role may not read what became of it.
    Denied,
}

impl Ending {
    /// From the status that CodePipeline gives, upper case in events and mixed case in the API;
    /// `None` while the execution is in progress. One that is stopping starts no further action, so
    /// its release is undone, however long the action takes that is in progress. Only
    /// `finish-release` could still end it well, if it closes the release before the take-over.
    ///
    /// # Errors
    /// For a status that CodePipeline did not have when this was written.
    pub fn from_status(status: &str) -> Result<Option<Self>, String> {
        match status.to_ascii_uppercase().as_str() {
            "FAILED" => Ok(Some(Self::Failed)),
            "STOPPED" | "STOPPING" => Ok(Some(Self::Stopped)),
            "CANCELED" | "CANCELLED" => Ok(Some(Self::Canceled)),
            "SUPERSEDED" => Ok(Some(Self::Superseded)),
            "SUCCEEDED" => Ok(Some(Self::Succeeded)),
            "STARTED" | "RESUMED" | "INPROGRESS" => Ok(None),
            other => Err(format!(
                "`{other}` is not a known pipeline execution status"
            )),
        }
    }

    /// The ending as the predicate of a sentence about the execution.
    #[must_use]
    pub fn as_predicate(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Stopped => "was stopped",
            Self::Canceled => "was canceled",
            Self::Superseded => "was superseded by a newer one",
            Self::Gone => "is no longer known to CodePipeline",
            Self::Succeeded => "succeeded without a finish-release action",
            Self::Unread => "has a status that could not be read",
            Self::Denied => {
                "has a status that could not be read, because codepipeline:GetPipelineExecution is \
                 denied"
            }
        }
    }

    /// For an execution whose status could not be read for this reason.
    fn unread(error: &StepError) -> Self {
        match error {
            StepError::Refused(failure) if failure.kind == FailureType::PermissionError => {
                Self::Denied
            }
            _ => Self::Unread,
        }
    }
}

/// How the execution of a release ended, from what CodePipeline shows of it: its status, or `None`
/// if it does not know it. `None` while the release is left to its steps or to its operator.
///
/// What was taken over is restored and proven whatever its execution does, also when its status
/// cannot be read. Only a cause that may pass is waited for: a release that was superseded is
/// closed in another way. `was_noted` is whether an earlier look failed for a cause that lasts.
///
/// # Errors
/// When the status cannot be read or is not a known one: of an open release, and for a cause that
/// may pass.
pub fn ending_of(
    release: &Release,
    looked_up: &Result<Option<String>, StepError>,
    was_noted: bool,
    now: Timestamp,
) -> Result<Option<Ending>, StepError> {
    let ending = match looked_up {
        Ok(Some(status)) => {
            Ending::from_status(status).map_err(|unknown| StepError::Failed(Failure::job(unknown)))
        }
        // CodePipeline knew the execution when it sent the job, so its pipeline was deleted.
        Ok(None) => Ok((release.origin == Some(Origin::Job)).then_some(Ending::Gone)),
        Err(error) => Err(error.clone()),
    };
    let Some(since) = release.rolling_back_since() else {
        return ending;
    };

    let waited = now.since(since);
    match ending {
        Ok(ending) => Ok(Some(ending.unwrap_or(Ending::Stopped))),
        Err(error) if waited < longest_wait(&error, was_noted) => Err(error),
        Err(error) => Ok(Some(Ending::unread(&error))),
    }
}

/// How the execution of an open release counts as having ended although its status cannot be read,
/// once no look could read it for long and its steps have changed nothing for as long; `None`
/// before, and for a cause that passes by itself. One look does not prove it.
#[must_use]
pub fn ending_unread(lease: &Lease, error: &StepError, now: Timestamp) -> Option<Ending> {
    let release = lease.release.as_ref()?;
    let ending = match release.succeeded_at {
        Some(_) => Ending::Succeeded,
        None => Ending::unread(error),
    };
    let unread_since = release.unread_since;
    let is_long_unread = unread_since.is_some_and(|since| now.since(since) >= UNREAD_DEADLINE);
    let is_due = error.lasting_cause().is_some() && is_long_unread && is_long_unchanged(lease, now);
    is_due.then_some(ending)
}

/// Whether the steps of an open release have announced no change for [`UNREAD_DEADLINE`].
fn is_long_unchanged(lease: &Lease, now: Timestamp) -> bool {
    let release = lease.release.as_ref();
    release
        .filter(|release| !release.is_rolling_back())
        .is_some_and(|release| {
            // The change may be one of an earlier release.
            let began = release.began_at;
            let last = lease.changed_at.map_or(began, |changed| changed.max(began));
            now.since(last) >= UNREAD_DEADLINE
        })
}

/// How long after the take-over to wait for a status that could not be read for this reason.
fn longest_wait(error: &StepError, was_noted: bool) -> Duration {
    match error {
        StepError::Failed(_) => Duration::ZERO,
        StepError::Refused(_) => SECOND_LOOK,
        // At any time AWS may not know the credentials of a new session yet.
        StepError::Unexpected(_) if was_noted => SECOND_LOOK,
        StepError::Unexpected(_) | StepError::Busy(_) | StepError::Frozen(_) => ROLLBACK_DEADLINE,
    }
}

#[cfg(test)]
mod tests;
