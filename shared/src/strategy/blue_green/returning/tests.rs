//! How the traffic goes back to the old colour, look by look.

use super::*;
use crate::observed::colour::PerColour;
use crate::observed::fixtures::NEW;
use crate::observed::pair::PairView;
use crate::release::PairTarget;
use crate::strategy::blue_green::fixtures::*;

const SECOND: Duration = Duration::from_secs(1);
const NOTHING: ReturnChange = ReturnChange {
    raise: None,
    weights: None,
    capped_from: None,
};

/// Sets the recorded weights.
fn all() -> ReturnChange {
    ReturnChange::only_weights(pair().weights())
}

fn raise(tasks: u32) -> ReturnChange {
    ReturnChange {
        raise: Some(tasks),
        ..NOTHING
    }
}

/// Gives the old colour, blue, this share.
fn share(percent: u32) -> ReturnChange {
    ReturnChange::only_weights(Weights::with(Colour::Blue, percent))
}

/// The look at `view`, whose weights this release set.
fn look(view: &PairView, waited: Duration) -> ReturnStep {
    let target = target(view, Some(view.weights));
    next_return_step(&context(&target, view), None, waited)
}

fn change(view: &PairView, waited: Duration) -> ReturnChange {
    look(view, waited).change
}

/// The new colour, green, has this share and as many healthy tasks as it has; of blue this many are
/// desired and healthy.
fn loaded(new_percent: u32, green: u32, blue: [u32; 2]) -> PairView {
    PairView {
        weights: Weights::with(Colour::Green, new_percent),
        ..halves(blue, [green, green])
    }
}

/// The target after blue was raised and got its first part.
fn after_part(view: &PairView, raised_to: u32, from: u32) -> PairTarget {
    let mut target = PairTarget {
        raised_to: Some(raised_to),
        ..target(view, Some(view.weights))
    };
    let shift = target.shift.as_mut().expect("shifted");
    shift.from = Weights::with(Colour::Green, from);
    target
}

#[test]
fn the_old_colour_gets_at_once_what_it_can_carry_and_the_rest_as_it_grows() {
    // The new colour has grown to 20 with all of the traffic; the old one has its two tasks.
    let first = change(&loaded(100, 20, [2, 2]), Duration::ZERO);
    let expected = ReturnChange {
        raise: Some(20),
        weights: Some(Weights::with(Colour::Blue, 10)),
        capped_from: None,
    };
    assert_eq!(first, expected);

    let later = |had: u32, healthy: u32| {
        let view = loaded(100 - had, 20, [20, healthy]);
        let target = after_part(&view, 20, 100);
        next_return_step(&context(&target, &view), None, SECOND).change
    };
    assert_eq!(later(10, 2), NOTHING);
    assert_eq!(later(10, 3), share(15));
    assert_eq!(later(15, 9), share(45));
    assert_eq!(later(45, 13), share(65));
    assert_eq!(later(65, 19), share(95));
    assert_eq!(later(65, 20), all());
    // What is left is too small to be waited for.
    assert_eq!(later(95, 19), all());
}

#[test]
fn the_old_colour_never_gets_less_than_it_has() {
    // Tasks of it are lost while it has most of the traffic.
    let view = loaded(40, 10, [10, 3]);
    let target = after_part(&view, 10, 100);
    let step = next_return_step(&context(&target, &view), None, SECOND);
    assert_eq!(step.change, NOTHING);

    // It got 40 %, which the rule does not show yet.
    let unseen = PairView {
        weights: Weights::with(Colour::Green, 100),
        ..view
    };
    let mut target = after_part(&unseen, 10, 100);
    let shift = target.shift.as_mut().expect("shifted");
    shift.to = Weights::with(Colour::Blue, 40);
    shift.at = earlier(unseen.observed_at, 30);
    let step = next_return_step(&context(&target, &unseen), None, SECOND);
    assert_eq!(step.change, NOTHING);
}

#[test]
fn a_small_share_goes_back_before_the_old_colour_has_grown_for_it() {
    // 12 tasks have 95 %, so all of the traffic needs 13.
    let change_of = |new_percent, blue| change(&loaded(new_percent, 10, blue), Duration::ZERO);
    let expected = ReturnChange {
        raise: Some(13),
        ..all()
    };
    assert_eq!(change_of(5, [12, 12]), expected);

    // 10 % is small and 11 % is not, and 9 of 14 tasks carry 64 %.
    let expected = ReturnChange {
        raise: Some(14),
        ..all()
    };
    assert_eq!(change_of(10, [12, 9]), expected);
    assert_eq!(change_of(11, [12, 9]), raise(14));

    // A colour without a healthy task gets nothing.
    assert_eq!(change_of(5, [12, 0]), raise(13));
}

#[test]
fn growth_of_a_canary_is_not_load() {
    // It scaled out to 12 by itself; the 10 tasks of the old colour have 95 % without effort.
    let view = loaded(5, 12, [10, 10]);
    let mut target = target(&view, Some(view.weights));
    target.prior.colours.blue.desired_count = 10;
    target.change.as_mut().expect("changed").desired_count = Some(10);
    let step = next_return_step(&context(&target, &view), None, Duration::ZERO);
    assert_eq!(step.change, all());
}

#[test]
fn the_old_colour_is_raised_to_its_max_capacity_at_most_and_that_is_reported() {
    let step = |max_capacity, blue| {
        let view = loaded(100, 13, blue);
        let target = target(&view, Some(view.weights));
        next_return_step(&context(&target, &view), max_capacity, Duration::ZERO)
    };

    let capped = step(Some(8), [2, 2]);
    let expected = ReturnChange {
        raise: Some(8),
        weights: Some(Weights::with(Colour::Blue, 25)),
        capped_from: Some(13),
    };
    assert_eq!(capped.change, expected);
    let limit = "MaxCapacity of blue is below the 13 tasks that all of the traffic needs";
    assert_eq!(
        capped.change.describe(Colour::Blue),
        format!("scaling blue out to 8 tasks; restoring traffic to blue 25 / green 75; {limit}")
    );
    let lacks = "2 of 8 healthy targets that blue needs for all of the traffic; 0s of 10m00s";
    let described = capped.change.describe(Colour::Blue);
    assert_eq!(capped.summary, format!("{described}; {lacks}"));

    // It cannot have more, so that nothing is waited for.
    let expected = ReturnChange {
        capped_from: Some(13),
        ..all()
    };
    assert_eq!(step(Some(8), [8, 8]).change, expected);

    // What it has already counts, however it came to it.
    let expected = ReturnChange {
        capped_from: Some(13),
        ..share(50)
    };
    assert_eq!(step(Some(8), [10, 5]).change, expected);

    let uncapped = ReturnChange {
        raise: Some(13),
        ..share(15)
    };
    assert_eq!(step(Some(13), [2, 2]).change, uncapped);
    assert_eq!(step(None, [2, 2]).change, uncapped);
}

#[test]
fn size_is_not_waited_for_when_the_new_colour_cannot_serve() {
    let half = Weights::with(Colour::Green, 50);
    let mut dead = view_of(NEW, half);
    dead.services.blue.desired = 8;
    dead.services.green.desired = 4;
    dead.services.green.target_groups[0].healthy = 0;
    let change = |view: &PairView, waited| {
        let target = PairTarget {
            raised_to: Some(8),
            ..target(view, Some(half))
        };
        next_return_step(&context(&target, view), None, waited).change
    };

    assert_eq!(change(&dead, Duration::ZERO), all());

    let mut small = dead.clone();
    small.services.blue.desired = 4;
    let expected = ReturnChange {
        raise: Some(8),
        ..all()
    };
    assert_eq!(change(&small, Duration::ZERO), expected);

    dead.services.green.target_groups[0].healthy = 1;
    assert_eq!(change(&dead, Duration::ZERO), NOTHING);
    assert_eq!(change(&dead, SIZING_DEADLINE), all());

    dead.services.blue.target_groups[0].healthy = 0;
    assert_eq!(change(&dead, SIZING_DEADLINE), NOTHING);
}

#[test]
fn the_old_colour_takes_its_traffic_back_when_it_has_enough_healthy_tasks() {
    assert_eq!(change(&halves([2, 2], [2, 2]), Duration::ZERO), all());

    let text = "1 of 2 healthy targets that blue needs for all of the traffic; 0s of 10m00s";
    let waits = ReturnStep {
        change: NOTHING,
        summary: text.to_owned(),
    };
    assert_eq!(look(&halves([2, 1], [2, 2]), Duration::ZERO), waits);

    let grows = ReturnStep {
        change: raise(2),
        summary: format!("scaling blue out to 2 tasks; {text}"),
    };
    assert_eq!(look(&halves([1, 1], [2, 2]), Duration::ZERO), grows);
    // Enough healthy ones are not enough when fewer are wanted: the rest will stop.
    assert_eq!(change(&halves([1, 2], [2, 2]), Duration::ZERO), raise(2));
    // What it has grown to is for its own half.
    assert_eq!(change(&halves([4, 3], [2, 2]), Duration::ZERO), raise(8));
}

#[test]
fn the_old_colour_is_not_waited_for_longer_than_ten_minutes() {
    let view = halves([2, 1], [2, 1]);
    let text = "1 of 2 healthy targets that blue needs for all of the traffic; 9m59s of 10m00s";
    let waits = ReturnStep {
        change: NOTHING,
        summary: text.to_owned(),
    };
    assert_eq!(look(&view, SIZING_DEADLINE - SECOND), waits);
    assert_eq!(change(&view, SIZING_DEADLINE), all());

    let text = "0 of 2 healthy targets that blue needs for all of the traffic; 10m00s of 10m00s";
    let waits = ReturnStep {
        change: NOTHING,
        summary: text.to_owned(),
    };
    assert_eq!(look(&halves([2, 0], [2, 1]), SIZING_DEADLINE), waits);

    // It grows beside its traffic.
    let expected = ReturnChange {
        raise: Some(2),
        ..all()
    };
    assert_eq!(change(&halves([1, 1], [2, 1]), SIZING_DEADLINE), expected);
}

#[test]
fn traffic_moves_at_once_when_only_the_old_colour_can_serve() {
    assert_eq!(change(&halves([2, 1], [2, 0]), Duration::ZERO), all());
    let expected = ReturnChange {
        raise: Some(2),
        ..all()
    };
    assert_eq!(change(&halves([1, 1], [2, 0]), Duration::ZERO), expected);

    // When neither can, traffic stays where it is until the old colour can.
    assert_eq!(change(&halves([1, 0], [2, 0]), Duration::ZERO), raise(2));
    assert_eq!(change(&halves([2, 0], [2, 0]), SIZING_DEADLINE), NOTHING);

    // A pair that had no tasks goes back to none.
    let mut before = pair();
    before.colours.blue.desired_count = 0;
    let view = halves([0, 0], [2, 0]);
    let mut open = PairTarget {
        prior: before,
        ..target(&view, Some(view.weights))
    };
    let step = next_return_step(&context(&open, &view), None, Duration::ZERO);
    assert_eq!(step.change, all());

    open.change = None;
    assert_eq!(context(&open, &view).filled_tasks(), 0);
}

#[test]
fn all_of_the_traffic_is_the_recorded_weights_and_a_part_is_in_percent() {
    let mut view = loaded(100, 2, [2, 2]);
    let mut target = target(&view, Some(view.weights));
    target.prior.colours.blue.weight = 999;
    let recorded = PerColour {
        blue: 999,
        green: 0,
    };
    let step = next_return_step(&context(&target, &view), None, Duration::ZERO);
    assert_eq!(step.change, ReturnChange::only_weights(recorded));

    view.services.blue.target_groups[0].healthy = 1;
    let step = next_return_step(&context(&target, &view), None, Duration::ZERO);
    assert_eq!(step.change, share(50));
}
