//! What service deployments add to the failure of a rollout: whether ECS gave it up, and why, or
//! another writer replaced it.
//!
//! Everything here is pure. Without service deployments a failure stands as the deployments show
//! it.

use super::deploy::{DeployContext, DeployGoal, may_be_old, overridden};
use crate::job::Failure;
use crate::observed::service::{Rollout, revision};
use crate::observed::service_deployment::ServiceDeploymentView;
use crate::strategy::failure::StepFailureCause;

/// Whether the deployments of a service leave open how a rollout failed: ours was replaced and is
/// not listed as FAILED, or alarms may have failed it, which no deployment names.
#[must_use]
pub fn is_unexplained(goal: &DeployGoal, context: &DeployContext<'_>) -> bool {
    let wanted = &goal.change.task_definition;
    let view = context.view;
    let has_failed = view.deployments.iter().any(|deployment| {
        deployment.task_definition == *wanted && deployment.rollout == Rollout::Failed
    });

    if has_failed {
        view.deployment_alarms
    } else {
        is_replaced(goal, context)
    }
}

/// The failure of a rollout as the service deployments since the release began show it, newest
/// first; `None` when they do not show how it ended.
#[must_use]
pub fn explained(
    goal: &DeployGoal,
    context: &DeployContext<'_>,
    history: &[ServiceDeploymentView],
) -> Option<(Failure, StepFailureCause)> {
    let primary = context.view.primary()?;
    let place = own_place(context, history)?;
    let own = history.get(place)?;

    if let Some(reason) = own.failure() {
        let message = if is_replaced(goal, context) {
            let prior = revision(&primary.task_definition);
            format!("ECS rolled the deployment back to {prior}: {reason}")
        } else {
            format!("the rollout failed: {reason}")
        };
        return Some((Failure::job(message), StepFailureCause::Rollout));
    }

    // A rollback by ECS has no service deployment of its own
    // (docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html).
    let is_newer = place > 0;
    let is_external = is_newer || history.iter().any(|one| one.is_of(&primary.id));
    (is_external && is_replaced(goal, context))
        .then(|| (overridden(goal, primary), StepFailureCause::Overridden))
}

/// What is waited for if the service deployments show that nothing has ended or replaced what the
/// release deploys: then the service was read as it was before. Reads of ECS need not come in the
/// order of its changes. Service deployments that could not be read, `None`, prove no rollback.
#[must_use]
pub fn awaited(
    goal: &DeployGoal,
    context: &DeployContext<'_>,
    history: Option<&[ServiceDeploymentView]>,
) -> Option<String> {
    // Without any since the release began, these are older than its deployment as well.
    let stands = history.is_none_or(|history| {
        own_place(context, history).is_none_or(|place| place == 0 && history[place].stands())
    });
    let known = if history.is_some() {
        "its service deployment stands"
    } else {
        "its service deployments could not be read"
    };

    (stands && may_be_old(context)).then(|| {
        format!(
            "waiting for ECS to show the deployment of {} again; {known}",
            revision(&goal.change.task_definition)
        )
    })
}

/// Where the service deployment of the release is. Service revisions may be numbered in another way
/// than deployments: it is then the first since the release began.
fn own_place(context: &DeployContext<'_>, history: &[ServiceDeploymentView]) -> Option<usize> {
    let oldest = history.len().checked_sub(1)?;
    let ours = context
        .announced
        .and_then(|change| change.deployment.as_deref());
    let named = ours.and_then(|id| history.iter().position(|one| one.is_of(id)));
    Some(named.unwrap_or(oldest))
}

/// Whether the PRIMARY deployment runs another revision than the release deploys.
fn is_replaced(goal: &DeployGoal, context: &DeployContext<'_>) -> bool {
    context
        .view
        .primary()
        .is_some_and(|primary| primary.task_definition != goal.change.task_definition)
}

#[cfg(test)]
mod tests;
