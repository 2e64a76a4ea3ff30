//! The health of the new colour: whether it may keep its traffic, and whether it may take more.

use super::context::PairContext;
use super::plan::ShiftPlan;
use crate::observed::service::{Rollout, revision};

/// Why the new colour must not keep the traffic that it has.
pub(super) fn health_failure(plan: &ShiftPlan, context: &PairContext<'_>) -> Option<String> {
    let PairContext { target, view } = context;
    let pair = &target.prior;
    let new = pair.idle();
    let (healthy, required) = (pair.healthy(view, new), plan.required_healthy());

    match view.of(new).primary() {
        Some(primary) if primary.task_definition != plan.task_definition => Some(format!(
            "{new} runs {} instead of {}: it was deployed outside this release",
            revision(&primary.task_definition),
            revision(&plan.task_definition)
        )),
        Some(primary) if primary.rollout == Rollout::Failed => Some(format!(
            "the deployment of {new} failed: {}",
            primary.reason
        )),
        None => Some(format!("{new} no longer has a deployment")),
        Some(_) if healthy < required => Some(format!(
            "{healthy} healthy targets in {new} with {}% of the traffic, {required} needed \
             ({}% of {})",
            view.weights.percent(new),
            plan.minimum_healthy_percent,
            plan.filled
        )),
        Some(_) => None,
    }
}

/// What keeps the new colour from taking more traffic.
pub(super) struct NotReady {
    pub(super) missing: String,
    /// Whether waiting cannot help.
    pub(super) unrecoverable: bool,
}

/// Whether the new colour may take more traffic.
pub(super) fn not_ready(plan: &ShiftPlan, context: &PairContext<'_>) -> Option<NotReady> {
    let PairContext { target, view } = context;
    let pair = &target.prior;
    let new = pair.idle();
    let (service, healthy) = (view.of(new), pair.healthy(view, new));

    // Before its first traffic the new colour must be truly deployed. While it serves it may be
    // growing with its load, and tasks that are still starting are not a reason to wait: only the
    // targets count.
    let mut missing = if *view.weights.of(new) == 0 {
        service.missing(&plan.task_definition, plan.filled)
    } else {
        Vec::new()
    };
    if healthy < plan.filled {
        missing.push(format!("{healthy} of {} targets healthy", plan.filled));
    }

    (!missing.is_empty()).then(|| NotReady {
        missing: missing.join("; "),
        unrecoverable: service
            .primary()
            .is_none_or(|primary| primary.task_definition != plan.task_definition),
    })
}

/// The health of the new colour, for summaries.
pub(super) fn health_summary(plan: &ShiftPlan, context: &PairContext<'_>) -> String {
    let PairContext { target, view } = context;
    let pair = &target.prior;
    let new = pair.idle();

    format!(
        "{} healthy targets in {new}, at least {} needed",
        pair.healthy(view, new),
        plan.required_healthy()
    )
}
