//! The shift of traffic to the new colour: from the weights that were observed to the one next
//! step.
//!
//! Everything here is pure. Weights that another writer set are never moved on.

use std::time::Duration;

use super::context::PairContext;
use super::health::{HealthStep, NotReady, has_traffic, health_step, health_summary, not_ready};
use super::plan::ShiftPlan;
use super::size::needed_by_new;
use super::weights_status::{WeightsStatus, overridden, weights_status};
use crate::job::Failure;
use crate::limits::HEALTH_DEADLINE;
use crate::observed::service::revision;
use crate::observed::weights::Weights;
use crate::release::Change;
use crate::strategy::failure::StepFailureCause;
use crate::strategy::messages::waiting_for_grace;
use crate::timestamp::{readable, readable_of};

/// The next step of a shift.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShiftStep {
    /// Announce the new colour's change again and raise the colour to `tasks`: the load has grown
    /// since it was filled.
    Grow {
        change: Change,
        tasks: u32,
        percent: u8,
    },
    /// Announce the weights and set them.
    Shift {
        to: Weights,
        percent: u8,
    },
    /// Record that the announced weights are set: the invocation that set them died before it
    /// could.
    Confirm,
    Wait {
        summary: String,
        percent: u8,
    },
    Done {
        summary: String,
    },
    /// The new colour must not keep its traffic.
    Restore {
        reason: String,
    },
    /// The release cannot continue, and no traffic of it has to be moved.
    Fail {
        failure: Failure,
        cause: StepFailureCause,
    },
}

/// The times that a shift depends on.
#[derive(Clone, Copy, Debug)]
pub struct ShiftTimes {
    /// Time since this action began.
    pub elapsed: Duration,
    /// What is left of the time in which an earlier announced change may still be made.
    pub grace_left: Option<Duration>,
}

/// Decides the next step.
#[must_use]
pub fn next_step(plan: &ShiftPlan, context: &PairContext<'_>, times: ShiftTimes) -> ShiftStep {
    let (status, unseen) = (weights_status(context), context.unseen_shift());

    // Whose weights are these? Another writer's are neither moved on nor moved back, even if the
    // new colour is unhealthy. Weights that may be an old read are not taken for another writer's.
    if let (WeightsStatus::External { expected }, None) = (&status, unseen) {
        return fail(StepFailureCause::Overridden, overridden(context, *expected));
    }

    // May the new colour keep its traffic? This comes before every wait.
    if let Some(step) = by_health(plan, context) {
        return step;
    }

    if let Some(shift) = unseen {
        return ShiftStep::Wait {
            summary: shift.waiting(),
            percent: 0,
        };
    }

    // The bake counts from the confirmation, so a shift is confirmed before anything is counted.
    if let WeightsStatus::Unconfirmed = status {
        return ShiftStep::Confirm;
    }

    next_move(plan, context, times)
}

/// What the health of the new colour requires instead of the next move.
fn by_health(plan: &ShiftPlan, context: &PairContext<'_>) -> Option<ShiftStep> {
    if !has_traffic(context) {
        return None;
    }
    match health_step(plan, context) {
        HealthStep::Keep => None,
        HealthStep::Restore { reason } => Some(ShiftStep::Restore { reason }),
        HealthStep::Wait { summary } => {
            let percent = context.view.weights.percent(context.pair().idle());
            Some(ShiftStep::Wait {
                summary,
                percent: plan.progress(percent, baked(context)),
            })
        }
    }
}

/// The step in place of another one while an alarm of the action is in ALARM, for this reason:
/// traffic goes back, and none moves.
#[must_use]
pub fn by_alarm(context: &PairContext<'_>, reason: String) -> ShiftStep {
    if has_traffic(context) {
        return ShiftStep::Restore { reason };
    }
    let message = format!("{reason}; no traffic was moved; release again when it is OK");
    fail(StepFailureCause::Precondition, Failure::job(message))
}

/// The weights are this release's own and confirmed: bake, end, or move on.
fn next_move(plan: &ShiftPlan, context: &PairContext<'_>, times: ShiftTimes) -> ShiftStep {
    let new = context.pair().idle();
    let percent = context.view.weights.percent(new);
    let (baked, bake) = (baked(context), plan.bake(percent));

    if percent > 0 && baked < bake {
        let what = format!("{} baked", readable_of(baked, bake));
        return wait(plan, context, &what, baked);
    }

    let Some(to) = plan.steps.iter().copied().find(|step| *step > percent) else {
        return ShiftStep::Done {
            summary: format!(
                "{percent}% to {new}, baked {}; {}",
                readable(bake),
                health_summary(plan, context)
            ),
        };
    };

    next_shift(plan, context, times, to)
}

/// The new colour gets `to` percent of the traffic, once it is large enough for all of it.
fn next_shift(
    plan: &ShiftPlan,
    context: &PairContext<'_>,
    times: ShiftTimes,
    to: u32,
) -> ShiftStep {
    let new = context.pair().idle();
    let percent = context.view.weights.percent(new);
    let (baked, bake) = (baked(context), plan.bake(percent));
    // Without traffic the wait began with the action; with traffic when the bake was over, or with
    // the action if that began later.
    let waited = if percent > 0 {
        baked.saturating_sub(bake).min(times.elapsed)
    } else {
        times.elapsed
    };

    let needed = needed_by_new(context, plan.filled, plan.max_capacity).tasks;
    let growth = growth(plan, context, needed).filter(|_| waited < HEALTH_DEADLINE);
    let grown = ShiftPlan {
        filled: needed,
        ..plan.clone()
    };
    if let (Some(not_ready), None) = (not_ready(&grown, context), &growth) {
        return wait_for_health(plan, context, to, &not_ready, waited);
    }

    // An earlier invocation may still set other weights or another size; two changes at once would
    // leave it open which is the last one.
    if let Some(left) = times.grace_left {
        return wait(plan, context, &waiting_for_grace(left), baked);
    }

    match growth {
        Some(change) => ShiftStep::Grow {
            change,
            tasks: needed,
            percent: plan.progress(percent, baked),
        },
        None => ShiftStep::Shift {
            to: Weights::with(new, to),
            percent: plan.progress(to, Duration::ZERO),
        },
    }
}

/// The change of the new colour to announce, if the colour has to be raised to `needed` tasks: more
/// than it was filled with. That size stays recorded until the new tasks are healthy; what the
/// colour is given is recorded beside it, or the growth of this release would count as load.
fn growth(plan: &ShiftPlan, context: &PairContext<'_>, needed: u32) -> Option<Change> {
    let service = context.view.of(context.pair().idle());
    let is_too_small = needed > plan.filled && service.desired < needed;
    if !is_too_small || !service.runs(&plan.task_definition) {
        return None;
    }

    let change = context.target.change.clone()?;
    Some(Change {
        given: Some(needed),
        ..change
    })
}

/// The new colour is not ready for `to` percent of the traffic: waits until the deadline, unless
/// waiting cannot help.
fn wait_for_health(
    plan: &ShiftPlan,
    context: &PairContext<'_>,
    to: u32,
    not_ready: &NotReady,
    waited: Duration,
) -> ShiftStep {
    let missing = &not_ready.missing;
    if not_ready.unrecoverable || waited >= HEALTH_DEADLINE {
        return refuse(plan, context, missing, waited);
    }

    let new = context.pair().idle();
    let so_far = readable_of(waited, HEALTH_DEADLINE);
    let what = format!("{new} is not ready for {to}%: {missing}; {so_far}");
    wait(plan, context, &what, baked(context))
}

/// How long the weights have been as they are.
fn baked(context: &PairContext<'_>) -> Duration {
    context
        .target
        .shift
        .as_ref()
        .map_or(Duration::MAX, |shift| {
            context.view.observed_at.since(shift.at)
        })
}

/// The new colour did not become ready: without traffic the release fails, with traffic it is given
/// back.
fn refuse(
    plan: &ShiftPlan,
    context: &PairContext<'_>,
    missing: &str,
    waited: Duration,
) -> ShiftStep {
    let new = context.pair().idle();
    let waited = readable(waited);

    if context.view.weights.percent(new) > 0 {
        return ShiftStep::Restore {
            reason: format!("{new} is not ready for more traffic after {waited}: {missing}"),
        };
    }

    let message = format!(
        "{new} is not ready for traffic as {} after {waited}: {missing}; no traffic was moved; \
         check the tasks and targets of {new}",
        revision(&plan.task_definition)
    );
    fail(StepFailureCause::NotReady, Failure::job(message))
}

fn wait(plan: &ShiftPlan, context: &PairContext<'_>, what: &str, baked: Duration) -> ShiftStep {
    let new = context.pair().idle();
    let percent = context.view.weights.percent(new);
    ShiftStep::Wait {
        summary: format!(
            "{percent}% to {new}, {what}; {}",
            health_summary(plan, context)
        ),
        percent: plan.progress(percent, baked),
    }
}

fn fail(cause: StepFailureCause, failure: Failure) -> ShiftStep {
    ShiftStep::Fail { failure, cause }
}

#[cfg(test)]
mod tests;
