use super::*;
use crate::observed::colour::Colour;
use crate::observed::fixtures::NEW;
use crate::observed::weights::Weights;
use crate::release::PairTarget;
use crate::strategy::blue_green::fixtures::*;

fn next(
    green_percent: u32,
    blue_tasks: u32,
    suspended: bool,
    drain: u64,
    grace_left: Option<u64>,
) -> RetireStep {
    let weights = Weights::with(Colour::Green, green_percent);
    let mut view = view_of(NEW, weights);
    view.services.blue.desired = blue_tasks;
    view.services.blue.running = blue_tasks;
    let times = RetireTimes {
        drain: Duration::from_secs(drain),
        grace_left: grace_left.map(Duration::from_secs),
        waits_for_tasks: true,
    };
    let mut target = target(&view, Some(weights));

    target.shift.as_mut().expect("shifted").at = view.observed_at;
    next_step(&context(&target, &view), scaling(suspended), times)
}

fn decide(
    target: &PairTarget,
    view: &crate::observed::pair::PairView,
    drain: Duration,
    grace_left: Option<Duration>,
) -> RetireStep {
    let times = RetireTimes {
        drain,
        grace_left,
        waits_for_tasks: true,
    };
    next_step(&context(target, view), NO_SCALING, times)
}

#[test]
fn weights_that_may_be_older_than_the_last_shift_are_read_again() {
    let view = view_of(NEW, Weights::with(Colour::Green, 50));
    let after = |ago| {
        let mut target = target(&view, Some(Weights::with(Colour::Green, 100)));
        let shift = target.shift.as_mut().expect("shifted");
        shift.from = view.weights;
        shift.at = earlier(view.observed_at, ago);
        decide(&target, &view, Duration::ZERO, None)
    };

    let summary =
        "waiting for the rule to show blue 0 / green 100; it shows blue 50 / green 50 as before"
            .to_owned();
    assert_eq!(
        after(299),
        RetireStep::Wait {
            summary,
            percent: 0
        }
    );
    assert!(matches!(after(300), RetireStep::Fail { .. }));
}

#[test]
fn drained_then_scale_in_restored_then_stopped() {
    assert!(matches!(
        next(100, 2, true, 60, None),
        RetireStep::Wait { summary, .. }
            if summary.contains("drains for 0s of 1m00s")
    ));
    assert!(matches!(
        next(100, 2, true, 0, Some(9)),
        RetireStep::Wait { summary, .. }
            if summary.contains("waiting 9s")
    ));
    assert_eq!(next(100, 2, true, 0, None), RetireStep::RestoreScaleIn);
    assert_eq!(next(100, 2, false, 0, None), RetireStep::Stop);
    assert!(matches!(
        next(100, 0, false, 0, Some(9)),
        RetireStep::Done { .. }
    ));
}

#[test]
fn a_colour_with_traffic_is_not_retired() {
    assert!(matches!(
        next(80, 2, true, 0, None),
        RetireStep::Fail { failure, .. }
            if failure.message.contains("blue 20 / green 80")
    ));
}

fn wait(summary: &str, percent: u8) -> RetireStep {
    RetireStep::Wait {
        summary: summary.to_owned(),
        percent,
    }
}

fn refused(weights: &str) -> RetireStep {
    let text = format!(
        "blue cannot be retired: weights are {weights}, expected all of the traffic on green, \
         set by this release; run swap-target-groups to 100% before this action"
    );
    RetireStep::Fail {
        failure: Failure::job(text),
        cause: StepFailureCause::Precondition,
    }
}

/// The step for a release that set all of the traffic to green this many seconds ago, and found
/// these weights.
fn found(weights: Weights, ago: i64, change: impl FnOnce(&mut PairTarget)) -> RetireStep {
    let view = view_of(NEW, weights);
    let mut open = target(&view, Some(Weights::with(Colour::Green, 100)));
    let shift = open.shift.as_mut().expect("shifted");
    shift.at =
        crate::timestamp::Timestamp::from_secs(view.observed_at.secs() - ago).expect("in range");
    change(&mut open);

    decide(&open, &view, Duration::from_secs(300), None)
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
        RetireStep::Stop
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
    assert_eq!(found(all, 300, |_| {}), RetireStep::Stop);
}

#[test]
fn the_grace_is_waited_for_before_each_change() {
    let text = "100% to green; waiting 9s for earlier invocations to time out";
    assert_eq!(next(100, 2, true, 0, Some(9)), wait(text, 50));
    assert_eq!(next(100, 2, false, 0, Some(9)), wait(text, 50));
    assert_eq!(next(100, 0, true, 0, Some(9)), wait(text, 50));
    // The drain comes first, and what is done needs no wait.
    assert!(matches!(
        next(100, 2, true, 60, Some(9)),
        RetireStep::Wait { percent: 25, .. }
    ));

    let done = RetireStep::Done {
        summary: "blue is retired, green serves with 2 tasks".to_owned(),
    };
    assert_eq!(next(100, 0, false, 0, Some(9)), done);
    assert_eq!(next(100, 0, false, 0, None), done);
    assert_eq!(next(100, 0, true, 0, None), RetireStep::RestoreScaleIn);
}

#[test]
fn tasks_of_the_old_colour_that_still_run_are_waited_for() {
    let mut view = view_of(NEW, Weights::with(Colour::Green, 100));
    view.services.blue.desired = 0;
    view.services.blue.running = 1;
    let open = target(&view, Some(view.weights));
    let next = |grace_left| decide(&open, &view, Duration::ZERO, grace_left);

    assert_eq!(next(None), wait("100% to green; blue stops 1 tasks", 90));
    assert_eq!(
        next(Some(Duration::from_secs(9))),
        wait("100% to green; blue stops 1 tasks", 90)
    );
}

#[test]
fn tasks_that_do_not_stop_in_time_are_left_and_named() {
    let mut view = view_of(NEW, Weights::with(Colour::Green, 100));
    view.services.blue.desired = 0;
    view.services.blue.running = 1;
    let open = target(&view, Some(view.weights));
    let times = RetireTimes {
        drain: Duration::ZERO,
        grace_left: None,
        waits_for_tasks: false,
    };
    let decide = |view| next_step(&context(&open, view), NO_SCALING, times);
    assert_eq!(
        decide(&view),
        RetireStep::Done {
            summary: "blue is retired, green serves with 2 tasks; 1 tasks of blue still run, as \
                      those with scale-in protection do"
                .to_owned()
        }
    );

    // A colour that still has desired tasks is stopped.
    let mut unstopped = view.clone();
    unstopped.services.blue.desired = 1;
    assert_eq!(decide(&unstopped), RetireStep::Stop);
}

#[test]
fn an_alarm_fails_a_retirement_and_the_old_colour_keeps_its_tasks() {
    let view = view_of(NEW, Weights::with(Colour::Green, 100));
    let open = target(&view, Some(view.weights));
    let reason = "alarm errors is in ALARM: 5 errors";
    assert_eq!(
        by_alarm(&context(&open, &view), reason),
        RetireStep::Fail {
            failure: Failure::job("alarm errors is in ALARM: 5 errors; blue keeps its tasks"),
            cause: StepFailureCause::Precondition,
        }
    );
}
