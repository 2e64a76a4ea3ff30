//! The ladder that every rollback climbs, whatever the strategy: take over, restore at once, wait
//! until no earlier invocation can change anything, observe and restore again, prove, close.
//!
//! [`next_step`] decides the rungs that need no observation. [`Ladder`] decides the rest from what
//! a strategy found: each strategy states what is next for its service or pair ([`Next`]), and the
//! ladder decides whether the release goes on with it. Everything here is pure.

use std::time::Duration;

use super::ending::Ending;
use crate::job::{Failure, StepError};
use crate::limits::{FINISH_DEADLINE, ROLLBACK_DEADLINE, STALE_READ};
use crate::observed::service::{ServiceView, revision};
use crate::release::{Before, Conclusion, Outcome, Release};
use crate::timestamp::{Timestamp, readable, readable_of};

/// The next step for a release whose execution ended, decided from the release alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RollbackStep {
    /// Nothing is left to do: record the outcome and release the lease.
    Close(Conclusion),
    /// Take the release away from its steps, then observe.
    TakeOver,
    /// Write since when the execution is known to have succeeded, then observe.
    NoteSuccess,
    /// Observe the service or pair; its strategy decides the [`Restoration`].
    Observe,
}

/// The next step of a restoration, decided from an observation. `C` is what a strategy can change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Restoration<C> {
    Close(Conclusion),
    Apply(C),
    Wait(String),
}

/// Decides what needs no observation. `grace_left` is what is left of the time in which an
/// announced change, such as the registration of a revision, may still be made.
#[must_use]
pub fn next_step(release: &Release, ending: Ending, grace_left: Option<Duration>) -> RollbackStep {
    match (
        release.is_rolling_back(),
        release.has_announced_change(),
        ending,
    ) {
        (false, _, Ending::Succeeded) if release.succeeded_at.is_none() => {
            RollbackStep::NoteSuccess
        }
        (false, _, Ending::Succeeded) => RollbackStep::Observe,
        (false, false, _) if grace_left.is_none() => {
            RollbackStep::Close(nothing_changed(release, ending))
        }
        (false, ..) => RollbackStep::TakeOver,
        (true, false, _) => RollbackStep::Close(nothing_changed(release, ending)),
        // A step that announced its change before the take-over can still make it until its
        // function times out. What it changes is restored again: users are not left on the new
        // release meanwhile.
        (true, true, _) => RollbackStep::Observe,
    }
}

/// Closes a release whose restoration has failed with `error` until the deadline, so that it does
/// not keep the lease forever. `None` before the deadline, and when an execution that succeeded
/// could not be observed for a cause that passes.
#[must_use]
pub fn given_up(
    release: &Release,
    ending: Ending,
    error: &StepError,
    now: Timestamp,
) -> Option<Conclusion> {
    let since = match (release.rolling_back_since(), error) {
        (Some(since), _) => since,
        (None, StepError::Busy(_) | StepError::Frozen(_)) => return None,
        (None, StepError::Failed(_) | StepError::Refused(_) | StepError::Unexpected(_)) => {
            release.succeeded_at.unwrap_or(release.began_at)
        }
    };
    let waited = now.since(since);

    (waited >= ROLLBACK_DEADLINE).then(|| {
        Conclusion::needing_operator(format!(
            "{}; the rollback fails after {}: {}; manual intervention required",
            cause(release, ending),
            readable(waited),
            error.cause()
        ))
    })
}

/// Closes a release whose recorded revision `prior` does not exist any more. One that was only
/// deregistered can be registered again.
#[must_use]
pub fn unrestorable(release: &Release, ending: Ending, prior: &str) -> Conclusion {
    Conclusion::needing_operator(format!(
        "{}; cannot roll back to {}: the revision does not exist; manual intervention required",
        cause(release, ending),
        revision(prior)
    ))
}

/// Whether `view` may be older than the deployment that the release made over the one of `before`:
/// then it does not prove what runs.
#[must_use]
pub(crate) fn may_be_old(release: &Release, before: Before<'_>, view: &ServiceView) -> bool {
    let change = release.change();
    let made = change.and_then(|change| change.deployment.as_deref());
    let since = release.rolling_back_since();
    let may_lag = since.is_some_and(|since| view.observed_at.since(since) < STALE_READ);

    may_lag && made.is_some_and(|made| before.hides(made, view))
}

/// Closes a release that left everything as it was.
pub(crate) fn nothing_changed(release: &Release, ending: Ending) -> Conclusion {
    let outcome = match ending {
        Ending::Superseded => Outcome::Superseded,
        _ => Outcome::Failed,
    };
    Conclusion::new(
        outcome,
        format!("{}; nothing had been changed", cause(release, ending)),
    )
}

/// A release whose pipeline has no `finish-release` and ended well: the service or pair itself
/// shows the outcome.
#[derive(Debug)]
pub(crate) struct Success {
    /// `service` or `pair`.
    pub noun: &'static str,
    /// Its outcome once it is steady.
    pub outcome: Outcome,
    /// What it lacks to be steady; empty when it is.
    pub missing: Vec<String>,
    /// What serves.
    pub summary: String,
}

impl Success {
    /// Closes the release once it is steady. As `finish-release` does, it gives it
    /// [`FINISH_DEADLINE`]: a task that is being replaced proves nothing against the revision.
    pub(crate) fn conclude<C>(self, release: &Release, now: Timestamp) -> Restoration<C> {
        let cause = format!("the execution {}", Ending::Succeeded.as_predicate());
        if self.missing.is_empty() {
            let reason = format!("{cause}; {}", self.summary);
            return Restoration::Close(Conclusion::new(self.outcome, reason));
        }

        let waited = now.since(release.succeeded_at.unwrap_or(now));
        let missing = self.missing.join("; ");
        if waited < FINISH_DEADLINE {
            return Restoration::Wait(format!(
                "{cause}, and the {} is not steady: {missing}; {}",
                self.noun,
                readable_of(waited, FINISH_DEADLINE)
            ));
        }
        Restoration::Close(Conclusion::new(
            Outcome::Failed,
            format!(
                "{cause}, and the {} is not steady within {}: {missing}",
                self.noun,
                readable(FINISH_DEADLINE)
            ),
        ))
    }
}

/// Why the release is rolled back, in words.
#[must_use]
pub fn cause(release: &Release, ending: Ending) -> String {
    match &release.failure {
        Some(failure) => failure.message.clone(),
        None => format!("the execution {}", ending.as_predicate()),
    }
}

/// What a strategy found to be next for its service or pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next<C> {
    /// This change, even after the deadline: traffic that can go back goes back, however late the
    /// first observation is.
    Urgent(C),
    /// This change, as long as the deadline has not passed.
    Change(C),
    Wait(String),
    /// Nothing: the release had changed nothing that must be proven.
    Nothing,
    /// Nothing but the proof that the prior release serves again, as the summary states.
    Prove(String),
}

/// A rollback in progress: what decides whether it goes on, besides what is next.
#[derive(Debug)]
pub struct Ladder<'a> {
    pub release: &'a Release,
    pub ending: Ending,
    /// What is restored, such as `web:1`.
    pub goal: String,
    /// What it lacks to be steady; empty when it is proven.
    pub missing: Vec<String>,
    /// Time since the release was taken over.
    pub waited: Duration,
}

impl Ladder<'_> {
    /// Whether the deadline has passed without proof. A steady service or pair is never late.
    pub(crate) fn is_overdue(&self) -> bool {
        self.waited >= ROLLBACK_DEADLINE && !self.missing.is_empty()
    }

    /// Closes the release because another writer changed the service last; `what` it did stays.
    pub(crate) fn superseded(&self, what: &str) -> Conclusion {
        let reason = format!("{}; {what}, left unchanged", self.cause());
        Conclusion::new(Outcome::Superseded, reason)
    }

    /// Closes the release because the prior release, which had failed before, failed again when it
    /// was deployed.
    pub(crate) fn failed_again(&self) -> Conclusion {
        Conclusion::needing_operator(format!(
            "{}; cannot roll back to {}: it had failed before this release, and failed again; \
             manual intervention required",
            self.cause(),
            self.goal
        ))
    }

    /// Decides the rung for what is next.
    pub(crate) fn decide<C>(&self, next: Next<C>) -> Restoration<C> {
        match next {
            Next::Urgent(change) => Restoration::Apply(change),
            _ if self.is_overdue() => Restoration::Close(self.abandoned()),
            Next::Change(change) => Restoration::Apply(change),
            Next::Wait(summary) => Restoration::Wait(summary),
            Next::Nothing => Restoration::Close(nothing_changed(self.release, self.ending)),
            Next::Prove(_) if !self.missing.is_empty() => Restoration::Wait(format!(
                "restoring {}: {}",
                self.goal,
                self.missing.join("; ")
            )),
            Next::Prove(summary) => Restoration::Close(self.proven(&summary)),
        }
    }

    /// A restoration that was proven. What an operator stopped was not rejected, unless a step or a
    /// judge had found something.
    fn proven(&self, summary: &str) -> Conclusion {
        let outcome = self.outcome();
        let returns = self
            .release
            .pair()
            .and_then(|pair| pair.traffic_return.as_ref());
        let is_found = self.release.failure.is_some() || returns.is_some();
        let is_stopped = outcome == Outcome::RolledBack && self.ending == Ending::Stopped;
        Conclusion {
            withdrawn: is_stopped && !is_found,
            ..Conclusion::new(outcome, format!("{}; {summary}", self.cause()))
        }
    }

    fn abandoned(&self) -> Conclusion {
        Conclusion::needing_operator(format!(
            "{}; the rollback to {} is not steady after {}: {}; manual intervention required",
            self.cause(),
            self.goal,
            readable(self.waited),
            self.missing.join("; ")
        ))
    }

    /// The outcome of a restoration that was proven.
    fn outcome(&self) -> Outcome {
        let undecided = self
            .release
            .pair()
            .and_then(|pair| pair.traffic_return.as_ref())
            .is_some_and(|traffic_return| traffic_return.held);
        let frozen = self
            .release
            .failure
            .as_ref()
            .is_some_and(Failure::is_frozen);
        let held = undecided || frozen;

        match self.ending {
            Ending::Superseded => Outcome::Superseded,
            // Nothing was found against the new revision: no decision to promote it came in time,
            // or a freeze lasts too long.
            _ if held => Outcome::Held,
            _ => Outcome::RolledBack,
        }
    }

    fn cause(&self) -> String {
        cause(self.release, self.ending)
    }
}

#[cfg(test)]
mod tests;
