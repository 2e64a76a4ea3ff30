//! The in-place deployment of a task definition to a service: from what was seen to the one next step.

use std::time::Duration;

use crate::job::{Failure, FailureType};
use crate::limits::STALE_READ;
use crate::observed::service::{DeploymentView, Rollout, ServiceView, revision};
use crate::release::Change;
use crate::timestamp::readable;

/// What is asked of a service.
#[derive(Clone, Debug)]
pub struct Asked {
    pub change: Change,
    /// Tasks that must run in the end, at least.
    pub size: u32,
    /// How long the rollout may take.
    pub deadline: Duration,
}

/// The next step of a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Announce the change and make it.
    Apply,
    /// The change was made by an invocation that could not write its deployment down: do so.
    Adopt {
        deployment: String,
    },
    /// Nothing to do but to look again.
    Wait {
        summary: String,
        percent: u8,
    },
    Done {
        summary: String,
    },
    /// The release cannot go on. `rollout` says that tasks of the new definition did run or try to, so their stop reasons explain it.
    Fail {
        failure: Failure,
        rollout: bool,
    },
}

/// Where the change of this release stands, from the record and the service together.
enum Standing<'a> {
    /// Never announced, and the service is as it was recorded.
    Untouched,
    /// The service already runs what is asked, and did so before the release.
    AlreadyThere,
    /// Announced, but no trace of it is on the service: its invocation died in between.
    Lost,
    /// The PRIMARY deployment is ours.
    Ours(&'a DeploymentView),
    /// The PRIMARY deployment is ours, but not yet written down.
    Unnamed(&'a DeploymentView),
    /// ECS gave our deployment up and went back to another.
    GivenUp { reason: String },
    /// The service was changed outside this release.
    Foreign(&'a DeploymentView),
}

/// Decides the next step. `before` is the task definition that the service ran before the release, `elapsed` the time since this
/// action began, `changed` the time since the change was announced, if it was.
#[must_use]
pub fn next_step(
    asked: &Asked,
    announced: Option<&Change>,
    before: &str,
    view: &ServiceView,
    elapsed: Duration,
    changed: Option<Duration>,
) -> Step {
    let Some(primary) = view.primary().filter(|_| view.status == "ACTIVE") else {
        return fail(
            FailureType::JobFailed,
            format!(
                "the service is {} and has no deployment to replace; create it again and start a new release",
                view.status
            ),
            false,
        );
    };
    match standing(asked, announced, before, view, primary) {
        Standing::AlreadyThere => settled(asked, view, elapsed),
        Standing::Untouched | Standing::Lost => Step::Apply,
        Standing::Unnamed(ours) => Step::Adopt {
            deployment: ours.id.clone(),
        },
        Standing::Ours(ours) if ours.rollout == Rollout::Failed => fail(
            FailureType::JobFailed,
            format!("the rollout failed and stands still: {}", reason_of(ours)),
            true,
        ),
        Standing::Ours(_) => settled(asked, view, elapsed),
        Standing::GivenUp { reason } => fail(
            FailureType::JobFailed,
            format!(
                "Amazon ECS gave the deployment up and went back to {}: {reason}",
                revision(&primary.task_definition)
            ),
            true,
        ),
        Standing::Foreign(primary)
            if primary.task_definition == before
                && changed.is_some_and(|changed| changed < STALE_READ) =>
        {
            let wanted = revision(&asked.change.task_definition);
            let summary = format!(
                "waiting for ECS to show the deployment of {wanted}; it shows {} as before",
                revision(before)
            );
            Step::Wait {
                summary,
                percent: 0,
            }
        }
        Standing::Foreign(other) => Step::Fail {
            failure: Failure::overridden(format!(
                "overridden: {} was deployed outside this release ({}) while it was deploying {}; find the other writer, then retry the release",
                revision(&other.task_definition),
                other.id,
                revision(&asked.change.task_definition)
            )),
            rollout: false,
        },
    }
}

fn standing<'a>(
    asked: &Asked,
    announced: Option<&Change>,
    before: &str,
    view: &'a ServiceView,
    primary: &'a DeploymentView,
) -> Standing<'a> {
    let wanted = &asked.change.task_definition;
    let same_definition = primary.task_definition == *wanted;
    match announced {
        None if same_definition
            && asked
                .change
                .desired_count
                .is_none_or(|count| count == view.desired) =>
        {
            Standing::AlreadyThere
        }
        None if same_definition || primary.task_definition == before => Standing::Untouched,
        None => Standing::Foreign(primary),
        Some(Change {
            deployment: Some(_),
            ..
        }) if same_definition => Standing::Ours(primary),
        // The same definition at another count starts no deployment: that the count is not there says that it was never set.
        Some(Change {
            desired_count: Some(count),
            ..
        }) if same_definition && view.desired != *count => Standing::Lost,
        Some(_) if same_definition => Standing::Unnamed(primary),
        Some(change) => displaced(change, before, view, primary),
    }
}

/// The PRIMARY deployment does not run what was announced: given up by ECS, replaced from outside, or never made.
fn displaced<'a>(
    change: &Change,
    before: &str,
    view: &'a ServiceView,
    primary: &'a DeploymentView,
) -> Standing<'a> {
    let ours = view
        .deployments
        .iter()
        .find(|d| !d.primary && d.task_definition == change.task_definition);
    let id = change.deployment.as_deref().or(ours.map(|d| d.id.as_str()));
    let messages = id.and_then(|id| {
        view.messages
            .iter()
            .find(|message| message.contains(id) && message.contains("deployment failed"))
    });
    match (ours, messages) {
        (Some(ours), _) if ours.rollout == Rollout::Failed => Standing::GivenUp {
            reason: reason_of(ours),
        },
        _ if primary.reason.contains("circuit breaker") => Standing::GivenUp {
            reason: primary.reason.clone(),
        },
        (_, Some(message)) => Standing::GivenUp {
            reason: message.clone(),
        },
        (None, None) if change.deployment.is_none() && primary.task_definition == before => {
            Standing::Lost
        }
        _ => Standing::Foreign(primary),
    }
}

/// The right deployment is in place: done, too late, or not yet.
fn settled(asked: &Asked, view: &ServiceView, elapsed: Duration) -> Step {
    let wanted = &asked.change.task_definition;
    let missing = view.missing(wanted, asked.size);
    if missing.is_empty() {
        return Step::Done {
            summary: format!(
                "{} runs {} of {} tasks, steady",
                revision(wanted),
                view.running,
                view.desired
            ),
        };
    }
    let newest = view
        .messages
        .first()
        .map(|message| format!("; newest message: {message}"))
        .unwrap_or_default();
    if elapsed >= asked.deadline {
        let (elapsed, deadline) = (readable(elapsed), readable(asked.deadline));
        let message = format!(
            "not steady after {elapsed} (deadline {deadline}): {}{newest}",
            missing.join("; ")
        );
        return fail(FailureType::JobFailed, message, true);
    }
    let (floor, ceiling) = (
        asked.change.percentages.floor(view.desired),
        asked.change.percentages.ceiling(view.desired),
    );
    Step::Wait {
        summary: format!(
            "{}: {}; at least {floor} healthy, at most {ceiling} running; {} of {}",
            revision(wanted),
            view.progress(wanted),
            readable(elapsed),
            readable(asked.deadline)
        ),
        percent: view.percent(wanted),
    }
}

fn reason_of(deployment: &DeploymentView) -> String {
    match deployment.reason.as_str() {
        "" => format!("{} tasks failed to start", deployment.failed_tasks),
        reason => reason.to_owned(),
    }
}

fn fail(kind: FailureType, message: String, rollout: bool) -> Step {
    Step::Fail {
        failure: Failure::new(kind, message),
        rollout,
    }
}

#[cfg(test)]
mod tests;
