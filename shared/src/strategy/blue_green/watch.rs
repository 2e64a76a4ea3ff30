//! The check of a pair whose traffic is judged: whether both colours still have theirs, and whether
//! the new one may keep it.

use super::context::PairContext;
use super::health::{HealthStep, health_step, health_summary};
use super::plan::ShiftPlan;
use super::weights_status::{WeightsStatus, overridden, weights_status};
use crate::job::Failure;

/// The result of the check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WatchStep {
    /// The new colour may keep its traffic; `health` is how many of its targets are healthy, in
    /// words.
    Healthy { health: String },
    /// Record that the announced weights are set.
    Confirm,
    /// The rule is read as it was before the last shift: observe again.
    Unseen { summary: String },
    /// The new colour lacks health, or did until now, and nothing is decided yet: observe again.
    Wait { summary: String },
    /// The new colour must not keep its traffic.
    Restore { reason: String },
    /// One colour has all of the traffic, so there is nothing to compare.
    NothingToCompare(Failure),
    /// Another writer changed the weights.
    Overridden(Failure),
}

/// Checks a pair whose traffic is judged: the weights must be this release's own, and both colours
/// must have some.
#[must_use]
pub fn watch(plan: &ShiftPlan, context: &PairContext<'_>) -> WatchStep {
    let PairContext { target, view } = context;
    let pair = &target.prior;
    let (old, new) = (pair.live, pair.idle());

    if let Some(shift) = context.unseen_shift() {
        // The new colour has the traffic of the last shift, whatever is read, so its health is
        // checked first.
        return match health_step(plan, context) {
            HealthStep::Restore { reason } => WatchStep::Restore { reason },
            HealthStep::Wait { summary } => WatchStep::Wait { summary },
            HealthStep::Keep => WatchStep::Unseen {
                summary: shift.waiting(),
            },
        };
    }

    let status = weights_status(context);
    if let WeightsStatus::External { expected } = status {
        return WatchStep::Overridden(overridden(context, expected));
    }
    if *view.weights.of(old) == 0 || *view.weights.of(new) == 0 {
        return WatchStep::NothingToCompare(Failure::configuration(format!(
            "the weights are {}, so there is nothing to compare; expected some traffic to both \
             colours, {new} to be judged and {old} to compare it with; \
             run swap-target-groups with fewer than 100% before this action",
            view.weights
        )));
    }

    match (health_step(plan, context), status) {
        (HealthStep::Restore { reason }, _) => WatchStep::Restore { reason },
        (HealthStep::Wait { summary }, _) => WatchStep::Wait { summary },
        (HealthStep::Keep, WeightsStatus::Unconfirmed) => WatchStep::Confirm,
        (HealthStep::Keep, _) => WatchStep::Healthy {
            health: health_summary(plan, context),
        },
    }
}

#[cfg(test)]
mod tests;
