//! The end of the old colour: once the traffic has left it and its clients have gone, it goes to no tasks.

use std::time::Duration;

use super::{PairView, PriorPair, ScalingView};
use crate::job::Failure;
use crate::ledger::OpenRelease;
use crate::timestamp::readable;

/// The next step of a retirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Scale the old colour to no tasks.
    Stop,
    /// Give scale-in back to what was recorded.
    GiveBack,
    Wait {
        summary: String,
        percent: u8,
    },
    Done {
        summary: String,
    },
    Fail(Failure),
}

/// Decides the next step. `drain` is how long the old colour stays after the traffic left it, `settling` what is left of the time
/// in which an earlier announced change may still be made.
#[must_use]
pub fn next_step(
    release: &OpenRelease,
    pair: &PriorPair,
    view: &PairView,
    scaling: [Option<ScalingView>; 2],
    drain: Duration,
    settling: Option<Duration>,
) -> Step {
    let (old, new) = (pair.live, pair.idle());
    let moved = release.shift.as_ref().filter(|shift| shift.to == view.weights && view.weights.live() == Some(new));
    let Some(shift) = moved else {
        return Step::Fail(Failure::job(format!(
            "{old} cannot be retired: the weights are {}, and {new} must have all of the traffic by this release; run swap-target-groups to 100% before this action",
            view.weights
        )));
    };
    let drained = view.observed_at.since(shift.at);
    let service = view.of(old);
    let wait = |what: String, percent| Step::Wait { summary: format!("100% to {new}; {what}"), percent };
    let owes = gives_back(pair, scaling);
    match settling {
        _ if drained < drain => wait(format!("{old} drains for {} of {}", readable(drained), readable(drain)), 25),
        Some(left) if owes || service.desired > 0 => {
            wait(format!("lets invocations that may still run end: {} left", readable(left)), 50)
        }
        // Before the tasks stop: Application Auto Scaling pulls a count below its minimum up when its target is registered again.
        _ if owes => Step::GiveBack,
        _ if service.desired > 0 => Step::Stop,
        _ if service.running > 0 => wait(format!("{old} stops {} tasks", service.running), 90),
        _ => Step::Done { summary: format!("{old} is retired, {new} serves with {} tasks", view.of(new).running) },
    }
}

/// Whether scale-in is suspended otherwise than it was recorded. `scaling` is blue's and green's.
#[must_use]
pub fn gives_back(pair: &PriorPair, scaling: [Option<ScalingView>; 2]) -> bool {
    let differs = |recorded: Option<bool>, seen: Option<ScalingView>| {
        recorded.zip(seen).is_some_and(|(recorded, seen)| recorded != seen.scale_in_suspended)
    };
    differs(pair.blue.suspended, scaling[0]) || differs(pair.green.suspended, scaling[1])
}

#[cfg(test)]
mod tests {
    use super::super::tests::{pair, release, view_of};
    use super::super::{Colour, Weights};
    use super::*;
    use crate::service::tests::NEW;

    fn next(green_percent: u32, blue_tasks: u32, suspended: bool, drain: u64, settling: Option<u64>) -> Step {
        let weights = Weights::with(Colour::Green, green_percent);
        let mut view = view_of(NEW, weights);
        (view.blue.desired, view.blue.running) = (blue_tasks, blue_tasks);
        let scaling = [Some(ScalingView { scale_in_suspended: suspended }); 2];
        let (drain, settling) = (Duration::from_secs(drain), settling.map(Duration::from_secs));
        next_step(&release(&view, Some(weights)), &pair(), &view, scaling, drain, settling)
    }

    #[test]
    fn drained_then_scaling_given_back_then_stopped() {
        assert!(
            matches!(next(100, 2, true, 60, None), Step::Wait { summary, .. } if summary.contains("drains for 0s of 1m00s"))
        );
        assert!(matches!(next(100, 2, true, 0, Some(9)), Step::Wait { summary, .. } if summary.contains("9s left")));
        assert_eq!(next(100, 2, true, 0, None), Step::GiveBack);
        assert_eq!(next(100, 2, false, 0, None), Step::Stop);
        assert!(matches!(next(100, 0, false, 0, Some(9)), Step::Done { .. }));
    }

    #[test]
    fn a_colour_with_traffic_is_not_retired() {
        assert!(
            matches!(next(80, 2, true, 0, None), Step::Fail(failure) if failure.message.contains("blue 20 / green 80"))
        );
    }
}
