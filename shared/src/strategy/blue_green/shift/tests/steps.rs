//! The steps and their bakes.

use super::*;

#[test]
fn each_step_bakes_before_the_next_and_the_last_one_longer() {
    assert_eq!(
        step(&seen(0, 2), None),
        ShiftStep::Shift {
            to: Weights {
                blue: 80,
                green: 20
            },
            percent: 0
        }
    );
    assert!(matches!(
        step(&seen(20, 2), Some((20, 119, true))),
        ShiftStep::Wait { summary, .. }
            if summary.contains("1m59s of 2m00s baked")
    ));
    assert_eq!(
        step(&seen(20, 2), Some((20, 120, true))),
        ShiftStep::Shift {
            to: Weights {
                blue: 50,
                green: 50
            },
            percent: 14
        }
    );
    assert!(matches!(
        step(&seen(100, 2), Some((100, 599, true))),
        ShiftStep::Wait { percent: 99, .. }
    ));
    assert!(matches!(
        step(&seen(100, 2), Some((100, 600, true))),
        ShiftStep::Done { .. }
    ));
}

#[test]
fn no_step_is_shorter_than_a_hung_invocation_can_live() {
    let hasty = ShiftPlan {
        step_bake: Duration::ZERO,
        ..plan()
    };
    let view = seen(20, 2);
    let next = |ago| {
        decide(
            &hasty,
            &shifted_target(&view, Some((20, ago, true))),
            &view,
            (Duration::ZERO, None),
        )
    };

    assert!(matches!(next(59), ShiftStep::Wait { .. }));
    assert!(matches!(next(60), ShiftStep::Shift { .. }));

    let grace_left = Some(Duration::from_secs(7));
    let first = decide(
        &plan(),
        &shifted_target(&seen(0, 2), None),
        &seen(0, 2),
        (Duration::ZERO, grace_left),
    );

    assert!(matches!(first, ShiftStep::Wait { .. }));
}

#[test]
fn a_whole_shift_moves_in_the_steps_that_were_listed() {
    let shift = |blue, green, percent| ShiftStep::Shift {
        to: Weights { blue, green },
        percent,
    };

    assert_eq!(step(&seen(0, 2), None), shift(80, 20, 0));
    assert_eq!(
        step(&seen(20, 2), Some((20, 119, true))),
        wait(&format!("20% to green, 1m59s of 2m00s baked; {HEALTH}"), 14)
    );
    assert_eq!(step(&seen(20, 2), Some((20, 120, true))), shift(50, 50, 14));
    assert_eq!(
        step(&seen(50, 2), Some((50, 60, true))),
        wait(&format!("50% to green, 1m00s of 2m00s baked; {HEALTH}"), 21)
    );
    assert_eq!(step(&seen(50, 2), Some((50, 120, true))), shift(0, 100, 28));
    assert_eq!(
        step(&seen(100, 2), Some((100, 599, true))),
        wait(
            &format!("100% to green, 9m59s of 10m00s baked; {HEALTH}"),
            99
        )
    );

    let done = ShiftStep::Done {
        summary: format!("100% to green, baked 10m00s; {HEALTH}"),
    };
    assert_eq!(step(&seen(100, 2), Some((100, 600, true))), done);
}

#[test]
fn a_list_that_ends_below_all_of_the_traffic_ends_there_after_the_last_bake() {
    let part = ShiftPlan {
        steps: vec![10],
        ..plan()
    };
    let next = |ago| {
        let view = seen(10, 2);
        decide(
            &part,
            &shifted_target(&view, Some((10, ago, true))),
            &view,
            (SECOND, None),
        )
    };

    assert_eq!(
        next(599),
        wait(
            &format!("10% to green, 9m59s of 10m00s baked; {HEALTH}"),
            99
        )
    );
    assert_eq!(
        next(600),
        ShiftStep::Done {
            summary: format!("10% to green, baked 10m00s; {HEALTH}")
        }
    );
}

#[test]
fn a_later_action_goes_on_from_the_weights_of_the_one_before() {
    let further = ShiftPlan {
        steps: vec![10, 20, 100],
        ..plan()
    };
    let view = seen(20, 2);
    let next = decide(
        &further,
        &shifted_target(&view, Some((20, 900, true))),
        &view,
        (SECOND, None),
    );

    assert_eq!(
        next,
        ShiftStep::Shift {
            to: Weights {
                blue: 0,
                green: 100
            },
            percent: 28
        }
    );
}

#[test]
fn no_traffic_moves_while_an_earlier_change_may_still_be_made() {
    let first = step_in(&seen(0, 2), None, SECOND, Some(7));
    assert_eq!(
        first,
        wait(
            &format!("0% to green, waiting 7s for earlier invocations to time out; {HEALTH}"),
            0
        )
    );

    let second = step_in(&seen(20, 2), Some((20, 120, true)), SECOND, Some(1));
    assert_eq!(
        second,
        wait(
            &format!("20% to green, waiting 1s for earlier invocations to time out; {HEALTH}"),
            14
        )
    );
    assert!(matches!(
        step_in(&seen(20, 2), Some((20, 120, true)), SECOND, None),
        ShiftStep::Shift { .. }
    ));
}
