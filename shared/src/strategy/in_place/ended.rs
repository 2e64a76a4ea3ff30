//! What service deployments add to the failure of a rollout: whether ECS gave it up, and why, or
//! another writer replaced it.
//!
//! Everything here is pure. Without service deployments a failure stands as the deployments show
//! it.

use super::deploy::{DeployContext, DeployGoal, overridden};
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
    let ours = context
        .announced
        .and_then(|change| change.deployment.as_deref());
    // Service revisions may be numbered in another way than deployments: ours is then the first
    // since the release began.
    let oldest = history.len().checked_sub(1)?;
    let place = ours
        .and_then(|id| history.iter().position(|one| one.is_of(id)))
        .unwrap_or(oldest);
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

/// Whether the PRIMARY deployment runs another revision than the release deploys.
fn is_replaced(goal: &DeployGoal, context: &DeployContext<'_>) -> bool {
    context
        .view
        .primary()
        .is_some_and(|primary| primary.task_definition != goal.change.task_definition)
}

#[cfg(test)]
mod tests;
