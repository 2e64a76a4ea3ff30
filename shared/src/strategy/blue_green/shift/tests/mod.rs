use super::*;
use crate::observed::colour::Colour;
use crate::observed::fixtures::deployment;
use crate::observed::pair::PairView;
use crate::observed::service::Rollout;
use crate::release::PairTarget;
use crate::strategy::blue_green::fixtures::*;

mod growth;
mod health;
mod steps;
mod weights;

const GREEN: Colour = Colour::Green;
const SECOND: Duration = Duration::from_secs(1);
const HEALTH: &str = "2 healthy targets in green, at least 2 needed";

fn decide(
    plan: &ShiftPlan,
    target: &PairTarget,
    view: &PairView,
    (elapsed, grace_left): (Duration, Option<Duration>),
) -> ShiftStep {
    let times = ShiftTimes {
        elapsed,
        grace_left,
    };
    next_step(plan, &context(target, view), times)
}

fn step(view: &PairView, shifted: Option<(u32, i64, bool)>) -> ShiftStep {
    decide(
        &plan(),
        &shifted_target(view, shifted),
        view,
        (Duration::from_secs(30), None),
    )
}

/// The same with how long the action has been going on and what is left of an earlier change.
fn step_in(
    view: &PairView,
    shifted: Option<(u32, i64, bool)>,
    elapsed: Duration,
    grace_left: Option<u64>,
) -> ShiftStep {
    let grace_left = grace_left.map(Duration::from_secs);
    decide(
        &plan(),
        &shifted_target(view, shifted),
        view,
        (elapsed, grace_left),
    )
}

fn wait(summary: &str, percent: u8) -> ShiftStep {
    ShiftStep::Wait {
        summary: summary.to_owned(),
        percent,
    }
}

fn restore(reason: &str) -> ShiftStep {
    ShiftStep::Restore {
        reason: reason.to_owned(),
    }
}

fn not_ready(text: impl Into<String>) -> ShiftStep {
    ShiftStep::Fail {
        failure: Failure::job(text),
        cause: StepFailureCause::NotReady,
    }
}
