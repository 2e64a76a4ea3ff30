//! The in-place deployment of a task definition to a service: from one observation to the one next
//! step.
//!
//! Everything here is pure. What follows from a failure is decided by its [`StepFailureCause`],
//! never by its text.

use std::time::Duration;

pub use super::bounds::{NewPercentages, RolloutBounds};
use super::bounds::{following, restored};
use crate::job::Failure;
use crate::limits::{ALARM_BAKE, FINISH_DEADLINE, STALE_READ, TASK_PROOF};
use crate::observed::percentages::Percentages;
use crate::observed::service::{DeploymentView, Rollout, ServiceView, revision};
use crate::release::{Before, Change};
use crate::strategy::failure::StepFailureCause;
use crate::timestamp::{readable, readable_of};

/// The goal of a deployment.
#[derive(Clone, Debug)]
pub struct DeployGoal {
    pub change: Change,
    /// Tasks that must run in the end, at least.
    pub size: u32,
    /// How long the rollout may take.
    pub deadline: Duration,
    /// The percentages that the change was made with, planned for the count of that moment.
    pub made_with: Percentages,
    /// What the service had before the release, and gets back.
    pub recorded: RolloutBounds,
}

/// What the next step is decided from, besides the goal.
#[derive(Clone, Copy, Debug)]
pub struct DeployContext<'a> {
    /// The change that the release announced, if it did.
    pub announced: Option<&'a Change>,
    /// The deployment that was PRIMARY before the release.
    pub before: Before<'a>,
    pub view: &'a ServiceView,
    /// Whether an earlier job of this action saw the deployment of the release as PRIMARY.
    pub was_seen: bool,
    /// Time since this action began.
    pub elapsed: Duration,
    /// Time since the change was announced, if it was.
    pub since_change: Option<Duration>,
}

/// The next step of a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeployStep {
    /// Announce the change and make it.
    Apply,
    /// Record the deployment: the invocation that made the change died before it could.
    Record {
        deployment: String,
    },
    /// Nothing to do but to observe again.
    Wait {
        summary: String,
        percent: u8,
    },
    Done {
        summary: String,
    },
    /// Announce and set other percentages. They start no deployment.
    SetPercentages(NewPercentages),
    /// The release cannot continue.
    Fail {
        failure: Failure,
        cause: StepFailureCause,
    },
}

/// The status of this release's change, from the record and the service together.
enum ChangeStatus<'a> {
    /// Never announced, and the service is as it was recorded.
    NotAnnounced,
    /// The service already runs the goal, and did so before the release.
    AlreadyThere,
    /// Announced, but not on the service: the invocation died in between.
    NotApplied,
    /// The PRIMARY deployment is ours.
    Applied(&'a DeploymentView),
    /// The PRIMARY deployment is ours, but not yet recorded.
    AppliedUnrecorded(&'a DeploymentView),
    /// ECS rolled our deployment back to another.
    RolledBackByEcs { reason: String },
    /// Our deployment was made, and the PRIMARY deployment runs the prior release.
    Returned(&'a DeploymentView),
    /// The PRIMARY deployment is neither ours nor the one before: another writer's.
    External(&'a DeploymentView),
}

/// Decides the next step.
#[must_use]
pub fn next_step(goal: &DeployGoal, context: &DeployContext<'_>) -> DeployStep {
    let view = context.view;
    let Some(primary) = view.primary().filter(|_| view.is_active()) else {
        let message = format!(
            "the service is {} and has no deployment to replace; \
             create it again and start a new release",
            view.status
        );
        return fail(StepFailureCause::Precondition, message);
    };

    match change_status(goal, context, primary) {
        ChangeStatus::AlreadyThere => wait_until_steady(goal, context),
        ChangeStatus::NotAnnounced | ChangeStatus::NotApplied => DeployStep::Apply,
        ChangeStatus::AppliedUnrecorded(ours) => DeployStep::Record {
            deployment: ours.id.clone(),
        },
        // Without a circuit breaker ECS leaves a failed rollout as it is, so waiting cannot help.
        ChangeStatus::Applied(ours) if ours.rollout == Rollout::Failed => fail(
            StepFailureCause::Rollout,
            format!("the rollout failed: {}", failure_reason(ours)),
        ),
        ChangeStatus::Applied(ours) => {
            follow_count(goal, context, ours).unwrap_or_else(|| wait_until_steady(goal, context))
        }
        ChangeStatus::RolledBackByEcs { reason } => fail(
            StepFailureCause::Rollout,
            format!(
                "ECS rolled the deployment back to {}: {reason}",
                revision(&primary.task_definition)
            ),
        ),
        ChangeStatus::Returned(found) | ChangeStatus::External(found)
            if is_old_read(context, found) =>
        {
            wait_for_new_read(goal, found)
        }
        ChangeStatus::Returned(found) => fail_as_returned(context, found),
        ChangeStatus::External(found) => fail_as_external(goal, found),
    }
}

fn change_status<'a>(
    goal: &DeployGoal,
    context: &DeployContext<'a>,
    primary: &'a DeploymentView,
) -> ChangeStatus<'a> {
    let view = context.view;
    let same_definition = primary.task_definition == goal.change.task_definition;
    let same_count = goal
        .change
        .desired_count
        .is_none_or(|count| count == view.desired);

    match context.announced {
        // A FAILED deployment starts no tasks: the same revision needs a new one.
        None if same_definition && same_count && primary.rollout != Rollout::Failed => {
            ChangeStatus::AlreadyThere
        }
        None if same_definition || context.before.runs(primary) => ChangeStatus::NotAnnounced,
        None => ChangeStatus::External(primary),
        // The same revision is deployed again, and the failed deployment that was found still
        // shows.
        Some(change) if same_definition && context.before.is_failed(primary) => {
            match change.deployment {
                None => ChangeStatus::NotApplied,
                Some(_) => ChangeStatus::External(primary),
            }
        }
        Some(Change {
            deployment: Some(_),
            ..
        }) if same_definition => ChangeStatus::Applied(primary),
        // The same definition with another count starts no deployment, so a missing count is the
        // only sign that the change was never made.
        Some(Change {
            desired_count: Some(count),
            ..
        }) if same_definition && view.desired != *count => ChangeStatus::NotApplied,
        Some(_) if same_definition => ChangeStatus::AppliedUnrecorded(primary),
        Some(change) => displaced(change, context, primary),
    }
}

/// The PRIMARY deployment does not run what was announced: rolled back by ECS, replaced by another
/// writer, or never made.
fn displaced<'a>(
    change: &Change,
    context: &DeployContext<'a>,
    primary: &'a DeploymentView,
) -> ChangeStatus<'a> {
    let is_ours = |deployment: &&DeploymentView| match &change.deployment {
        Some(id) => deployment.id == *id,
        // What was COMPLETED before an unrecorded change is the release before, deployed again.
        None => {
            deployment.task_definition == change.task_definition
                && deployment.rollout != Rollout::Completed
        }
    };
    let mut others = context.view.deployments.iter().filter(|d| !d.primary);
    let ours = others.find(is_ours);

    // ECS lists what it gave up as FAILED until its tasks are gone (Amazon ECS API: Deployment).
    if let Some(failed) = ours.filter(|ours| ours.rollout == Rollout::Failed) {
        return ChangeStatus::RolledBackByEcs {
            reason: failure_reason(failed),
        };
    }

    // An operator's StopServiceDeployment rolls back as well, and ours may be listed until its
    // tasks are gone.
    let was_made = change.deployment.is_some() || ours.is_some();
    if was_made && context.before.prior == primary.task_definition {
        return ChangeStatus::Returned(primary);
    }
    if !was_made && context.before.runs(primary) {
        return ChangeStatus::NotApplied;
    }
    ChangeStatus::External(primary)
}

/// Whether what is seen can be the service as it was before the change: one older read does not
/// prove another writer. Once the deployment was seen, the prior release under its old id is what
/// ECS went back to.
fn is_old_read(context: &DeployContext<'_>, found: &DeploymentView) -> bool {
    let went_back = context.was_seen && context.before.prior == found.task_definition;
    !went_back && may_be_old(context)
}

/// Whether a read can still show the service as it was before the change.
pub(super) fn may_be_old(context: &DeployContext<'_>) -> bool {
    let made = context.announced.and_then(|it| it.deployment.as_deref());
    let is_recent = context
        .since_change
        .is_some_and(|since_change| since_change < STALE_READ);
    is_recent && context.before.may_be_seen(made, context.view)
}

fn wait_for_new_read(goal: &DeployGoal, found: &DeploymentView) -> DeployStep {
    DeployStep::Wait {
        summary: format!(
            "waiting for ECS to show the deployment of {}; it shows {} as before",
            revision(&goal.change.task_definition),
            revision(&found.task_definition)
        ),
        percent: 0,
    }
}

/// The prior release was deployed again in place of ours, which is not listed as FAILED. The newest
/// message that names it may explain that.
fn fail_as_returned(context: &DeployContext<'_>, found: &DeploymentView) -> DeployStep {
    let ours = context.announced.and_then(|it| it.deployment.as_deref());
    let mut messages = context.view.messages.iter();
    let explained = messages
        .find(|message| ours.is_some_and(|id| message.contains(id)))
        .map(|message| format!(": {message}"))
        .unwrap_or_default();

    fail(
        StepFailureCause::Rollout,
        format!(
            "the deployment was rolled back to {} ({}), by ECS or outside this release{explained}",
            revision(&found.task_definition),
            found.id
        ),
    )
}

fn fail_as_external(goal: &DeployGoal, found: &DeploymentView) -> DeployStep {
    DeployStep::Fail {
        failure: overridden(goal, found),
        cause: StepFailureCause::Overridden,
    }
}

/// What was seen is another writer's.
pub(super) fn overridden(goal: &DeployGoal, found: &DeploymentView) -> Failure {
    Failure::overridden(format!(
        "overridden: {} was deployed outside this release ({}) while it was deploying {}; find \
         the other writer, then retry the release",
        revision(&found.task_definition),
        found.id,
        revision(&goal.change.task_definition)
    ))
}

/// The percentages follow the count for as long as the rollout is in progress.
fn follow_count(
    goal: &DeployGoal,
    context: &DeployContext<'_>,
    ours: &DeploymentView,
) -> Option<DeployStep> {
    let (view, announced) = (context.view, context.announced?);
    if view.is_completed(ours) || context.elapsed >= goal.deadline {
        return None;
    }

    let own = own_percentages(goal, announced);
    following(view, announced, &own, goal.change.percentages).map(DeployStep::SetPercentages)
}

/// The service gets its own percentages back once the rollout has ended.
fn restore_percentages(goal: &DeployGoal, context: &DeployContext<'_>) -> Option<DeployStep> {
    let is_late = context.elapsed >= deadline(goal, context.view.bakes()) + FINISH_DEADLINE;
    if is_late {
        return None;
    }

    let announced = context.announced?;
    let own = own_percentages(goal, announced);
    restored(context.view, announced, &own, goal.recorded).map(DeployStep::SetPercentages)
}

/// What this release set: the percentages that were announced last and, until these show, those
/// before them and those that the change was made with. Others are another writer's.
fn own_percentages(goal: &DeployGoal, announced: &Change) -> Vec<Percentages> {
    let last = [announced.percentages, goal.made_with];
    last.into_iter().chain(announced.set_before).collect()
}

/// The right deployment is in place: done, too late, or not yet.
fn wait_until_steady(goal: &DeployGoal, context: &DeployContext<'_>) -> DeployStep {
    let (view, elapsed) = (context.view, context.elapsed);
    let wanted = &goal.change.task_definition;
    let missing = view.missing(wanted, goal.size);

    if missing.is_empty() {
        return restore_percentages(goal, context).unwrap_or_else(|| DeployStep::Done {
            summary: format!(
                "{} runs {} of {} tasks, steady",
                revision(wanted),
                view.running,
                view.desired
            ),
        });
    }

    let is_baking = view.is_baking(wanted, goal.size);
    let deadline = if view.awaits_proof(&missing) {
        goal.deadline + TASK_PROOF
    } else {
        deadline(goal, is_baking)
    };
    if elapsed >= deadline || is_stuck(context) {
        let newest = view
            .messages
            .first()
            .map(|message| format!("; newest message: {message}"))
            .unwrap_or_default();
        let message = format!(
            "not steady after {} (deadline {}): {}{newest}",
            readable(elapsed),
            readable(deadline),
            missing.join("; ")
        );
        return fail(StepFailureCause::Rollout, message);
    }

    DeployStep::Wait {
        summary: format!(
            "{}: {}; {}; {}{}",
            revision(wanted),
            view.progress(wanted),
            goal.change.percentages.summary(view.desired),
            view.last_wait(&missing, is_baking),
            readable_of(elapsed, deadline)
        ),
        percent: view.percent(wanted),
    }
}

/// Whether no request reaches some tasks, and ECS has had the time to replace them.
fn is_stuck(context: &DeployContext<'_>) -> bool {
    let waited = context.since_change.unwrap_or(context.elapsed);
    context.view.has_unreachable_tasks() && waited >= FINISH_DEADLINE
}

/// When a rollout is late. One that bakes is given more time, because ECS alone knows how long it
/// watches its alarms.
fn deadline(goal: &DeployGoal, bakes: bool) -> Duration {
    if bakes {
        goal.deadline + ALARM_BAKE
    } else {
        goal.deadline
    }
}

fn failure_reason(deployment: &DeploymentView) -> String {
    match deployment.reason.as_str() {
        "" => format!("{} tasks failed to start", deployment.failed_tasks),
        reason => reason.to_owned(),
    }
}

fn fail(cause: StepFailureCause, message: String) -> DeployStep {
    DeployStep::Fail {
        failure: Failure::job(message),
        cause,
    }
}

#[cfg(test)]
mod tests;
