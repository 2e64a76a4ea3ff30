//! The end of the old colour: once the traffic has left it and its clients have gone, it goes to no tasks.

use std::time::Duration;

use super::{PairView, PriorPair, ScalingView};
use crate::job::Failure;
use crate::release::PairTarget;
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

/// Decides the next step. `drain` is how long the old colour stays after the traffic left it, `grace_left` what is left of the time
/// in which an earlier announced change may still be made.
#[must_use]
pub fn next_step(
    target: &PairTarget,
    view: &PairView,
    scaling: [Option<ScalingView>; 2],
    drain: Duration,
    grace_left: Option<Duration>,
) -> Step {
    let pair = &target.prior;
    let (old, new) = (pair.live, pair.idle());
    let moved = target
        .shift
        .as_ref()
        .filter(|shift| shift.to == view.weights && view.weights.live() == Some(new));
    let Some(shift) = moved else {
        let unseen = target
            .shift
            .as_ref()
            .filter(|shift| shift.may_be_unseen(view.weights, view.observed_at));
        if let Some(shift) = unseen {
            return Step::Wait {
                summary: shift.waiting(),
                percent: 0,
            };
        }
        return Step::Fail(Failure::job(format!(
            "{old} cannot be retired: the weights are {}, and {new} must have all of the traffic by this release; run swap-target-groups to 100% before this action",
            view.weights
        )));
    };
    let drained = view.observed_at.since(shift.at);
    let service = view.of(old);
    let wait = |what: String, percent| Step::Wait {
        summary: format!("100% to {new}; {what}"),
        percent,
    };
    let owes = gives_back(pair, scaling);
    match grace_left {
        _ if drained < drain => wait(
            format!(
                "{old} drains for {} of {}",
                readable(drained),
                readable(drain)
            ),
            25,
        ),
        Some(left) if owes || service.desired > 0 => wait(
            format!(
                "lets invocations that may still run end: {} left",
                readable(left)
            ),
            50,
        ),
        // Before the tasks stop: Application Auto Scaling pulls a count below its minimum up when its target is registered again.
        _ if owes => Step::GiveBack,
        _ if service.desired > 0 => Step::Stop,
        _ if service.running > 0 => wait(format!("{old} stops {} tasks", service.running), 90),
        _ => Step::Done {
            summary: format!(
                "{old} is retired, {new} serves with {} tasks",
                view.of(new).running
            ),
        },
    }
}

/// Whether scale-in is suspended otherwise than it was recorded. `scaling` is blue's and green's.
#[must_use]
pub fn gives_back(pair: &PriorPair, scaling: [Option<ScalingView>; 2]) -> bool {
    let differs = |recorded: Option<bool>, seen: Option<ScalingView>| {
        recorded
            .zip(seen)
            .is_some_and(|(recorded, seen)| recorded != seen.scale_in_suspended)
    };
    differs(pair.blue.suspended, scaling[0]) || differs(pair.green.suspended, scaling[1])
}

#[cfg(test)]
mod tests {
    use super::super::tests::{earlier, pair, target, view_of};
    use super::super::{Colour, Weights};
    use super::*;
    use crate::observed::service::tests::NEW;

    fn next(
        green_percent: u32,
        blue_tasks: u32,
        suspended: bool,
        drain: u64,
        settling: Option<u64>,
    ) -> Step {
        let weights = Weights::with(Colour::Green, green_percent);
        let mut view = view_of(NEW, weights);
        (view.blue.desired, view.blue.running) = (blue_tasks, blue_tasks);
        let scaling = [Some(ScalingView {
            scale_in_suspended: suspended,
        }); 2];
        let (drain, settling) = (
            Duration::from_secs(drain),
            settling.map(Duration::from_secs),
        );
        let mut release = target(&view, Some(weights));
        release.shift.as_mut().expect("shifted").at = view.observed_at;
        next_step(&release, &view, scaling, drain, settling)
    }

    #[test]
    fn weights_that_may_be_older_than_the_last_shift_are_read_again() {
        let view = view_of(NEW, Weights::with(Colour::Green, 50));
        let after = |ago| {
            let mut release = target(&view, Some(Weights::with(Colour::Green, 100)));
            let shift = release.shift.as_mut().expect("shifted");
            (shift.from, shift.at) = (view.weights, earlier(view.observed_at, ago));
            next_step(&release, &view, [None, None], Duration::ZERO, None)
        };
        let summary =
            "waiting for the rule to show blue 0 / green 100; it shows blue 50 / green 50 as before".to_owned();
        assert_eq!(
            after(299),
            Step::Wait {
                summary,
                percent: 0
            }
        );
        assert!(matches!(after(300), Step::Fail(_)));
    }

    #[test]
    fn drained_then_scaling_given_back_then_stopped() {
        assert!(
            matches!(next(100, 2, true, 60, None), Step::Wait { summary, .. } if summary.contains("drains for 0s of 1m00s"))
        );
        assert!(
            matches!(next(100, 2, true, 0, Some(9)), Step::Wait { summary, .. } if summary.contains("9s left"))
        );
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

    fn wait(summary: &str, percent: u8) -> Step {
        Step::Wait {
            summary: summary.to_owned(),
            percent,
        }
    }

    fn refused(weights: &str) -> Step {
        let text = format!(
            "blue cannot be retired: the weights are {weights}, and green must have all of the traffic by this release; run swap-target-groups to 100% before this action"
        );
        Step::Fail(Failure::job(text))
    }

    /// The step for a release that set all of the traffic to green so many seconds ago, and found these weights.
    fn found(weights: Weights, ago: i64, change: impl FnOnce(&mut PairTarget)) -> Step {
        let view = view_of(NEW, weights);
        let mut open = target(&view, Some(Weights::with(Colour::Green, 100)));
        let shift = open.shift.as_mut().expect("shifted");
        shift.at = crate::timestamp::Timestamp::from_secs(view.observed_at.secs() - ago)
            .expect("in range");
        change(&mut open);
        next_step(&open, &view, [None, None], Duration::from_secs(300), None)
    }

    #[test]
    fn a_colour_that_has_traffic_again_is_not_stopped_whatever_was_announced() {
        for (blue, green) in [(100, 0), (50, 50), (1, 999), (1, 100), (0, 0)] {
            let weights = Weights { blue, green };
            assert_eq!(found(weights, 900, |_| {}), refused(&weights.to_string()));
        }
        assert_eq!(
            found(
                Weights {
                    blue: 0,
                    green: 100
                },
                900,
                |_| {}
            ),
            Step::Stop
        );
    }

    #[test]
    fn only_the_release_that_moved_all_of_the_traffic_retires_the_old_colour() {
        let all = Weights::with(Colour::Green, 100);
        assert_eq!(
            found(all, 900, |open| open.shift = None),
            refused("blue 0 / green 100")
        );
        // It announced other weights than there are.
        let elsewhere = |open: &mut PairTarget| {
            open.shift.as_mut().expect("shifted").to = Weights { blue: 0, green: 7 }
        };
        assert_eq!(found(all, 900, elsewhere), refused("blue 0 / green 100"));
        let back = Weights::with(Colour::Green, 0);
        let went_back = |open: &mut PairTarget| open.shift.as_mut().expect("shifted").to = back;
        assert_eq!(found(back, 900, went_back), refused("blue 100 / green 0"));
    }

    #[test]
    fn the_old_colour_stays_for_the_whole_drain() {
        let all = Weights::with(Colour::Green, 100);
        assert_eq!(
            found(all, 299, |_| {}),
            wait("100% to green; blue drains for 4m59s of 5m00s", 25)
        );
        assert_eq!(found(all, 300, |_| {}), Step::Stop);
    }

    #[test]
    fn what_an_earlier_invocation_may_still_do_is_waited_for_before_each_change() {
        let text = "100% to green; lets invocations that may still run end: 9s left";
        assert_eq!(next(100, 2, true, 0, Some(9)), wait(text, 50));
        assert_eq!(next(100, 2, false, 0, Some(9)), wait(text, 50));
        assert_eq!(next(100, 0, true, 0, Some(9)), wait(text, 50));
        // The drain comes first, and what is done needs no wait.
        assert!(matches!(
            next(100, 2, true, 60, Some(9)),
            Step::Wait { percent: 25, .. }
        ));
        let done = Step::Done {
            summary: "blue is retired, green serves with 2 tasks".to_owned(),
        };
        assert_eq!(next(100, 0, false, 0, Some(9)), done);
        assert_eq!(next(100, 0, false, 0, None), done);
        assert_eq!(next(100, 0, true, 0, None), Step::GiveBack);
    }

    #[test]
    fn tasks_of_the_old_colour_that_still_run_are_waited_for() {
        let mut view = view_of(NEW, Weights::with(Colour::Green, 100));
        (view.blue.desired, view.blue.running) = (0, 1);
        let open = target(&view, Some(view.weights));
        let next = |settling| next_step(&open, &view, [None, None], Duration::ZERO, settling);
        assert_eq!(next(None), wait("100% to green; blue stops 1 tasks", 90));
        assert_eq!(
            next(Some(Duration::from_secs(9))),
            wait("100% to green; blue stops 1 tasks", 90)
        );
    }

    #[test]
    fn scale_in_is_owed_where_it_is_not_as_it_was_recorded() {
        let mut recorded = pair();
        let mut owes = |was: [Option<bool>; 2], is: [Option<bool>; 2]| {
            (recorded.blue.suspended, recorded.green.suspended) = (was[0], was[1]);
            gives_back(
                &recorded,
                is.map(|is| is.map(|scale_in_suspended| ScalingView { scale_in_suspended })),
            )
        };
        let (on, off) = (Some(false), Some(true));
        assert!(
            !owes([on, on], [on, on])
                && !owes([off, off], [off, off])
                && !owes([on, off], [on, off])
        );
        assert!(
            owes([on, on], [off, on]) && owes([on, on], [on, off]) && owes([off, on], [on, on])
        );
        // Without automatic scaling, then or now, nothing is owed.
        assert!(
            !owes([None, None], [off, off])
                && !owes([on, on], [None, None])
                && !owes([None, on], [off, on])
        );
    }
}
