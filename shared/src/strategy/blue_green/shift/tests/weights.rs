//! Whose weights were observed.

use super::*;

#[test]
fn an_announced_shift_is_confirmed_or_made_again() {
    assert_eq!(step(&seen(20, 2), Some((20, 5, false))), ShiftStep::Confirm);
    assert!(matches!(
        step(&seen(20, 0), Some((20, 5, false))),
        ShiftStep::Restore { .. }
    ));
    assert!(matches!(
        step(&seen(0, 2), Some((20, 5, false))),
        ShiftStep::Shift { .. }
    ));
}

#[test]
fn weights_that_another_writer_set_are_not_changed() {
    for (percent, shifted) in [
        (0, Some((20, 300, true))),
        (35, Some((20, 5, false))),
        (10, None),
    ] {
        assert!(matches!(
            step(&seen(percent, 2), shifted),
            ShiftStep::Fail { failure, cause: StepFailureCause::Overridden }
                if failure.message.starts_with("overridden")
        ));
    }
}

#[test]
fn weights_from_before_a_change_that_route_53_has_are_another_writer_s() {
    let view = seen(0, 2);
    let mut target = shifted_target(&view, Some((20, 5, false)));
    let decided = |target: &PairTarget| {
        let times = (Duration::from_secs(30), None);
        decide(&plan(), target, &view, times)
    };
    assert!(matches!(decided(&target), ShiftStep::Shift { .. }));

    let shift = target.shift.as_mut().expect("a shift");
    shift.change = Some("/change/C1".to_owned());
    assert!(matches!(
        decided(&target),
        ShiftStep::Fail {
            cause: StepFailureCause::Overridden,
            ..
        }
    ));
}

#[test]
fn only_weights_that_this_release_set_or_found_are_moved_on() {
    let external = |seen: Weights, left: Weights| {
        let text = format!(
            "overridden: the weights are {seen}, expected {left}; another writer changed the \
             listener rule, find it, then retry the release"
        );
        ShiftStep::Fail {
            failure: Failure::overridden(text),
            cause: StepFailureCause::Overridden,
        }
    };

    let [none, part, odd] = [0, 20, 35].map(|percent| Weights::with(GREEN, percent));
    // Nothing was announced: only what was recorded is expected.
    assert_eq!(step(&seen(35, 2), None), external(odd, none));
    // Made: only what was set is. The weights before were set again by another writer.
    assert_eq!(
        step(&seen(0, 2), Some((20, 300, true))),
        external(none, part)
    );
    assert_eq!(step(&seen(35, 2), Some((20, 5, true))), external(odd, part));
    // Announced: what was found is as well.
    assert_eq!(
        step(&seen(35, 2), Some((20, 5, false))),
        external(odd, part)
    );
    assert!(matches!(
        step(&seen(0, 2), Some((20, 5, false))),
        ShiftStep::Shift { .. }
    ));
    assert_eq!(step(&seen(20, 2), Some((20, 5, false))), ShiftStep::Confirm);
    // External weights are left alone even when the new colour is not healthy.
    assert_eq!(step(&seen(35, 0), Some((20, 5, true))), external(odd, part));

    // The same share in other numbers is another setting.
    let mut view = seen(20, 2);
    view.weights = Weights { blue: 4, green: 1 };
    assert_eq!(
        step(&view, Some((20, 5, true))),
        external(Weights { blue: 4, green: 1 }, part)
    );
}

#[test]
fn weights_that_may_be_older_than_the_last_shift_are_read_again() {
    let summary =
        "waiting for the rule to show blue 80 / green 20; it shows blue 100 / green 0 as before"
            .to_owned();
    let wait = ShiftStep::Wait {
        summary,
        percent: 0,
    };

    assert_eq!(step(&seen(0, 2), Some((20, 5, true))), wait);
    assert_eq!(step(&seen(0, 2), Some((20, 299, true))), wait);
    // The new colour has 20 % of the traffic, whatever is read.
    assert!(matches!(
        step(&seen(0, 0), Some((20, 5, true))),
        ShiftStep::Restore { .. }
    ));
    assert!(matches!(
        step(&seen(0, 2), Some((20, 300, true))),
        ShiftStep::Fail { .. }
    ));
}
