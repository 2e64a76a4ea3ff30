//! The end of the old colour: once the traffic has left it and its clients are gone, it is scaled
//! to no tasks.
//!
//! Everything here is pure. A colour with traffic is never stopped, whatever was announced.

use std::time::Duration;

use super::context::PairContext;
use crate::job::Failure;
use crate::observed::colour::{Colour, PerColour};
use crate::observed::scaling::ScalingView;
use crate::release::TrafficShift;
use crate::strategy::failure::StepFailureCause;
use crate::strategy::messages::waiting_for_grace;
use crate::timestamp::readable_of;

/// The next step of a retirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RetireStep {
    /// Scale the old colour to no tasks.
    Stop,
    /// Restore scale-in to what was recorded.
    RestoreScaleIn,
    Wait {
        summary: String,
        percent: u8,
    },
    Done {
        summary: String,
    },
    Fail {
        failure: Failure,
        cause: StepFailureCause,
    },
}

/// What a retirement waits for.
#[derive(Clone, Copy, Debug)]
pub struct RetireTimes {
    /// How long the old colour stays after the traffic left it.
    pub drain: Duration,
    /// What is left of the time in which an earlier announced change may still be made.
    pub grace_left: Option<Duration>,
    /// Whether tasks that stop are waited for, and not left to themselves.
    pub waits_for_tasks: bool,
}

/// Decides the next step.
#[must_use]
pub fn next_step(
    context: &PairContext<'_>,
    scaling: PerColour<Option<ScalingView>>,
    times: RetireTimes,
) -> RetireStep {
    let PairContext { target, view } = context;
    let pair = &target.prior;
    let (old, new) = (pair.live, pair.idle());
    let Some(shift) = promotion(context) else {
        return not_promoted(context);
    };

    let drained = view.observed_at.since(shift.at);
    let service = view.of(old);
    let scale_in_differs = pair.scale_in_differs(scaling);
    let wait = |what: String, percent| RetireStep::Wait {
        summary: format!("100% to {new}; {what}"),
        percent,
    };

    match times.grace_left {
        _ if drained < times.drain => wait(
            format!("{old} drains for {}", readable_of(drained, times.drain)),
            25,
        ),
        Some(left) if scale_in_differs || service.desired > 0 => wait(waiting_for_grace(left), 50),
        // Before the tasks stop: Application Auto Scaling raises a count below its minimum when its
        // target is registered again.
        _ if scale_in_differs => RetireStep::RestoreScaleIn,
        _ if service.desired > 0 => RetireStep::Stop,
        _ if service.running > 0 && times.waits_for_tasks => {
            wait(format!("{old} stops {} tasks", service.running), 90)
        }
        _ => RetireStep::Done {
            summary: format!(
                "{old} is retired, {new} serves with {} tasks{}",
                view.of(new).running,
                still_running(old, service.running)
            ),
        },
    }
}

/// The tasks that a stopped colour still has. It has no traffic and no desired tasks, so they do
/// not fail the action.
fn still_running(old: Colour, tasks: u32) -> String {
    if tasks == 0 {
        return String::new();
    }
    format!("; {tasks} tasks of {old} still run, as those with scale-in protection do")
}

/// The step of a retirement while an alarm of its action is in ALARM: the old colour keeps its
/// tasks, so that a rollback can return the traffic at once.
#[must_use]
pub fn by_alarm(context: &PairContext<'_>, reason: &str) -> RetireStep {
    let old = context.pair().live;
    RetireStep::Fail {
        failure: Failure::job(format!("{reason}; {old} keeps its tasks")),
        cause: StepFailureCause::Precondition,
    }
}

/// The traffic move by which this release gave the new colour all of the traffic, as long as the
/// weights still are those.
fn promotion<'a>(context: &PairContext<'a>) -> Option<&'a TrafficShift> {
    let weights = context.view.weights;
    context
        .target
        .shift
        .as_ref()
        .filter(|shift| shift.to == weights && weights.live() == Some(context.pair().idle()))
}

fn not_promoted(context: &PairContext<'_>) -> RetireStep {
    if let Some(shift) = context.unseen_shift() {
        return RetireStep::Wait {
            summary: shift.waiting(),
            percent: 0,
        };
    }

    let (old, new) = (context.pair().live, context.pair().idle());
    RetireStep::Fail {
        failure: Failure::job(format!(
            "{old} cannot be retired: weights are {}, expected all of the traffic on {new}, \
             set by this release; run swap-target-groups to 100% before this action",
            context.view.weights
        )),
        cause: StepFailureCause::Precondition,
    }
}

#[cfg(test)]
mod tests;
