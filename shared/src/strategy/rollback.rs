//! What becomes of a release whose execution ended: nothing, a close, or the restoration of the prior release.

use std::time::Duration;

use crate::limits::{FUNCTION_TIMEOUT, ROLLBACK_DEADLINE};
use crate::observed::service::{ServiceView, revision};
use crate::release::{Change, Outcome, PriorService, Release, ServiceTarget};
use crate::strategy::Percentages;
use crate::timestamp::{Timestamp, readable};

/// How an execution ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Failed,
    Stopped,
    Canceled,
    Superseded,
    /// It succeeded without `finish-release`, which closes a release.
    Succeeded,
}

impl Ending {
    /// From the word of CodePipeline, upper case in events and mixed case in the API; `None` while the execution goes on.
    ///
    /// # Errors
    /// For a word that CodePipeline did not have when this was written.
    pub fn of_status(status: &str) -> Result<Option<Self>, String> {
        match status.to_ascii_uppercase().as_str() {
            "FAILED" => Ok(Some(Self::Failed)),
            "STOPPED" => Ok(Some(Self::Stopped)),
            "CANCELED" | "CANCELLED" => Ok(Some(Self::Canceled)),
            "SUPERSEDED" => Ok(Some(Self::Superseded)),
            "SUCCEEDED" => Ok(Some(Self::Succeeded)),
            "STARTED" | "RESUMED" | "INPROGRESS" | "STOPPING" => Ok(None),
            other => Err(format!(
                "`{other}` is not a state of a pipeline execution that this version knows"
            )),
        }
    }

    /// The word for sentences.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Stopped => "was stopped",
            Self::Canceled => "was canceled",
            Self::Superseded => "was superseded by a newer one",
            Self::Succeeded => "succeeded without a finish-release action",
        }
    }
}

/// The next step for a release whose execution ended, as far as the release alone tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing is left to do: record the outcome and give the lease back.
    Close {
        outcome: Outcome,
        reason: String,
    },
    /// Take the release away from its steps.
    TakeOver,
    Wait(String),
    /// Look at the service and ask [`restoration`].
    Look,
}

/// What is left to do on a service that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Restoration {
    /// It is as it should be, or will not become so.
    Close {
        outcome: Outcome,
        reason: String,
    },
    /// It cannot be restored: an operator must repair it.
    GiveUp {
        reason: String,
    },
    /// Make it what it was, with these percentages.
    Apply {
        percentages: Percentages,
    },
    Wait(String),
}

/// Decides what needs no look at the service. `grace_left` is what is left of the time in which a change that was announced may
/// still be made, such as the registration of a revision.
#[must_use]
pub fn next_step(
    release: &Release,
    ending: Ending,
    grace_left: Option<Duration>,
    now: Timestamp,
) -> Step {
    let waited = release.rolling_back_since().map(|since| now.since(since));
    match (waited, release.has_announced_change(), ending) {
        (None, _, Ending::Succeeded) => Step::Look,
        (None, false, _) if grace_left.is_none() => untouched(release, ending),
        (None, ..) => Step::TakeOver,
        (Some(waited), ..) if waited < FUNCTION_TIMEOUT => Step::Wait(format!(
            "lets invocations that may still run end: {} of {}",
            readable(waited),
            readable(FUNCTION_TIMEOUT)
        )),
        (Some(_), false, _) => untouched(release, ending),
        (Some(_), true, _) => Step::Look,
    }
}

fn untouched(release: &Release, ending: Ending) -> Step {
    let (outcome, reason) = nothing_changed(release, ending);
    Step::Close { outcome, reason }
}

/// How a release ends that left everything as it was.
pub(crate) fn nothing_changed(release: &Release, ending: Ending) -> (Outcome, String) {
    let outcome = if ending == Ending::Superseded {
        Outcome::Superseded
    } else {
        Outcome::Failed
    };
    (
        outcome,
        format!("{}; nothing had been changed", cause(release, ending)),
    )
}

/// Decides what is left to do. No step writes to the service any more, and `view` is the service now.
#[must_use]
pub fn restoration(
    release: &Release,
    service: &ServiceTarget,
    ending: Ending,
    view: &ServiceView,
    now: Timestamp,
) -> Restoration {
    match ending {
        Ending::Succeeded if !release.is_rolling_back() => concluded(service, view),
        Ending::Superseded => {
            let reason = format!(
                "{}; the newer one replaces what this one deployed",
                cause(release, ending)
            );
            Restoration::Close {
                outcome: Outcome::Superseded,
                reason,
            }
        }
        _ => restored(release, service, &cause(release, ending), view, now),
    }
}

/// A pipeline without `finish-release` ended well: the service itself says what became of the release.
fn concluded(service: &ServiceTarget, view: &ServiceView) -> Restoration {
    let (wanted, outcome) = match &service.change {
        Some(change) => (&change.task_definition, Outcome::Deployed),
        None => (&service.prior.task_definition, Outcome::Unchanged),
    };
    let cause = "the execution succeeded without a finish-release action";
    match view.missing(wanted, 1).join("; ") {
        missing if missing.is_empty() => {
            let reason = format!(
                "{cause}; the service runs {} on {} of {} tasks",
                revision(wanted),
                view.running,
                view.desired
            );
            Restoration::Close { outcome, reason }
        }
        missing => Restoration::Close {
            outcome: Outcome::Failed,
            reason: format!("{cause}, and the service is not steady: {missing}"),
        },
    }
}

fn restored(
    release: &Release,
    service: &ServiceTarget,
    cause: &str,
    view: &ServiceView,
    now: Timestamp,
) -> Restoration {
    let prior = &service.prior;
    let missing = view
        .missing(&prior.task_definition, prior.desired_count)
        .join("; ");
    let waited = release
        .rolling_back_since()
        .map_or(Duration::ZERO, |since| now.since(since));
    let wanted = revision(&prior.task_definition);
    if waited >= ROLLBACK_DEADLINE && !missing.is_empty() {
        let waited = readable(waited);
        let reason = format!(
            "{cause}; the rollback to {wanted} is not steady after {waited}: {missing}; manual intervention required"
        );
        return Restoration::GiveUp { reason };
    }
    let known = |primary: &str| {
        primary == prior.task_definition
            || service
                .change
                .as_ref()
                .is_some_and(|change| primary == change.task_definition)
    };
    if let Some(other) = view
        .primary()
        .filter(|primary| !known(&primary.task_definition))
    {
        let other = revision(&other.task_definition);
        let reason =
            format!("{cause}; {other} was deployed outside this release and is left unchanged");
        return Restoration::Close {
            outcome: Outcome::Superseded,
            reason,
        };
    }
    let definition_differs = view
        .primary()
        .is_none_or(|primary| primary.task_definition != prior.task_definition);
    let count_differs = restored_count(service, view).is_some_and(|count| count != view.desired);
    if definition_differs || count_differs {
        return Restoration::Apply {
            percentages: way_back(service.change.as_ref(), prior),
        };
    }
    if missing.is_empty() && view.percentages != prior.percentages {
        // Percentages alone start no deployment.
        return Restoration::Apply {
            percentages: prior.percentages,
        };
    }
    if missing.is_empty() {
        let reason = format!(
            "{cause}; {wanted} serves again with {} of {} tasks",
            view.running, view.desired
        );
        return Restoration::Close {
            outcome: Outcome::RolledBack,
            reason,
        };
    }
    Restoration::Wait(format!("restoring {wanted}: {missing}"))
}

/// The percentages of the way back: what the release promised to keep healthy holds for its rollback too, where that can work.
fn way_back(change: Option<&Change>, prior: &PriorService) -> Percentages {
    let count = prior.desired_count;
    let promised = change.map(|change| change.percentages);
    let works =
        |promised: &Percentages| promised.floor(count) < count || promised.ceiling(count) > count;
    promised.filter(works).unwrap_or(prior.percentages)
}

/// The count that a restoration sets: the recorded one if the service has fewer, or still has what this release set. A count
/// that another writer, such as automatic scaling, chose above it is left alone.
#[must_use]
pub fn restored_count(service: &ServiceTarget, view: &ServiceView) -> Option<u32> {
    let prior = &service.prior;
    let set = service
        .change
        .as_ref()
        .and_then(|change| change.desired_count);
    (view.desired < prior.desired_count || set == Some(view.desired)).then_some(prior.desired_count)
}

/// Why the release ended badly, in words.
pub(crate) fn cause(release: &Release, ending: Ending) -> String {
    match &release.failure {
        Some(failure) => failure.message.clone(),
        None => format!("the execution {}", ending.word()),
    }
}

#[cfg(test)]
mod tests;
