//! How the traffic goes back to the old colour.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn way(view: &PairView, waited: Duration) -> ReturnStep {
    let target = target(view, Some(view.weights));
    next_return_step(&context(&target, view), waited)
}

#[test]
fn size_is_not_waited_for_when_the_new_colour_cannot_serve() {
    let half = Weights::with(Colour::Green, 50);
    let mut dead = view_of(NEW, half);
    dead.services.blue.desired = 8;
    dead.services.green.desired = 4;
    dead.services.green.target_groups[0].healthy = 0;
    let way = |view: &PairView, waited| {
        let target = PairTarget {
            raised_to: Some(8),
            ..target(view, Some(half))
        };
        next_return_step(&context(&target, view), waited)
    };

    assert_eq!(way(&dead, Duration::ZERO), ReturnStep::Move);

    let small = PairView {
        services: PerColour {
            blue: ServiceView {
                desired: 4,
                ..dead.services.blue.clone()
            },
            green: dead.services.green.clone(),
        },
        ..dead.clone()
    };

    assert_eq!(
        way(&small, Duration::ZERO),
        ReturnStep::Resize {
            count: 8,
            and_move: true
        }
    );
    assert_eq!(next(&small, Some(half), NO_SCALING), resize(8, true));

    dead.services.green.target_groups[0].healthy = 1;
    assert!(matches!(way(&dead, Duration::ZERO), ReturnStep::Wait(_)));
    assert_eq!(way(&dead, SIZING_DEADLINE), ReturnStep::Move);

    dead.services.blue.target_groups[0].healthy = 0;
    assert!(matches!(way(&dead, SIZING_DEADLINE), ReturnStep::Wait(_)));
}

#[test]
fn the_old_colour_takes_its_traffic_back_when_it_has_enough_healthy_tasks() {
    assert_eq!(
        way(&halves([2, 2], [2, 2]), Duration::ZERO),
        ReturnStep::Move
    );

    let text = "1 of 2 healthy targets that blue needs for all of the traffic; 0s of 10m00s";
    assert_eq!(
        way(&halves([2, 1], [2, 2]), Duration::ZERO),
        ReturnStep::Wait(text.to_owned())
    );
    assert_eq!(
        way(&halves([1, 1], [2, 2]), Duration::ZERO),
        ReturnStep::Resize {
            count: 2,
            and_move: false
        }
    );
    assert_eq!(
        way(&halves([2, 2], [3, 3]), Duration::ZERO),
        ReturnStep::Resize {
            count: 6,
            and_move: false
        }
    );
    // Enough healthy ones are not enough when fewer are wanted: the rest will stop.
    assert_eq!(
        way(&halves([1, 2], [2, 2]), Duration::ZERO),
        ReturnStep::Resize {
            count: 2,
            and_move: false
        }
    );
    // What it has grown to is for its own half.
    assert_eq!(
        way(&halves([4, 3], [2, 2]), Duration::ZERO),
        ReturnStep::Resize {
            count: 8,
            and_move: false
        }
    );
}

#[test]
fn the_old_colour_is_not_waited_for_longer_than_ten_minutes() {
    let text = "1 of 2 healthy targets that blue needs for all of the traffic; 9m59s of 10m00s";
    assert_eq!(
        way(&halves([2, 1], [2, 1]), SIZING_DEADLINE - SECOND),
        ReturnStep::Wait(text.to_owned())
    );
    assert_eq!(
        way(&halves([2, 1], [2, 1]), SIZING_DEADLINE),
        ReturnStep::Move
    );

    let text = "0 of 2 healthy targets that blue needs for all of the traffic; 10m00s of 10m00s";
    assert_eq!(
        way(&halves([2, 0], [2, 1]), SIZING_DEADLINE),
        ReturnStep::Wait(text.to_owned())
    );
    // Its size is set first, however long it takes.
    assert_eq!(
        way(&halves([1, 1], [2, 1]), SIZING_DEADLINE),
        ReturnStep::Resize {
            count: 2,
            and_move: false
        }
    );
}

#[test]
fn traffic_moves_at_once_when_only_the_old_colour_can_serve() {
    assert_eq!(
        way(&halves([2, 1], [2, 0]), Duration::ZERO),
        ReturnStep::Move
    );
    assert_eq!(
        way(&halves([1, 1], [2, 0]), Duration::ZERO),
        ReturnStep::Resize {
            count: 2,
            and_move: true
        }
    );
    // When neither can, traffic stays where it is until the old colour can.
    assert_eq!(
        way(&halves([1, 0], [2, 0]), Duration::ZERO),
        ReturnStep::Resize {
            count: 2,
            and_move: false
        }
    );
    assert!(matches!(
        way(&halves([2, 0], [2, 0]), SIZING_DEADLINE),
        ReturnStep::Wait(_)
    ));

    // A pair that had no tasks goes back to none.
    let mut before = pair();
    before.colours.blue.desired_count = 0;
    let view = halves([0, 0], [2, 0]);
    let mut open = PairTarget {
        prior: before,
        ..target(&view, Some(view.weights))
    };

    assert_eq!(
        next_return_step(&context(&open, &view), Duration::ZERO),
        ReturnStep::Move
    );

    open.change = None;
    assert_eq!(context(&open, &view).filled_tasks(), 0);
}

#[test]
fn the_traffic_is_moved_back_before_anything_else_is_touched() {
    assert_eq!(after(&halves([2, 2], [2, 2]), 0, |_| {}), MOVE);
    assert_eq!(after(&halves([1, 1], [2, 2]), 0, |_| {}), resize(2, false));
    assert_eq!(after(&halves([1, 1], [2, 0]), 0, |_| {}), resize(2, true));

    let text = "returning the traffic to blue: 1 of 2 healthy targets that blue needs for all of \
        the traffic; 5s of 10m00s";
    assert_eq!(
        after(&halves([2, 1], [2, 2]), 5, |_| {}),
        Restoration::Wait(text.to_owned())
    );
    assert_eq!(after(&halves([2, 1], [2, 2]), 600, |_| {}), MOVE);

    // A release that is not being rolled back yet has waited for nothing.
    let view = halves([2, 1], [2, 2]);
    let target = target(&view, Some(view.weights));
    assert!(matches!(
        left_of(&open(&target), &target, Ending::Failed, &view, NO_SCALING),
        Restoration::Wait(_)
    ));

    for suspended in [true, false] {
        let view = halves([2, 2], [2, 2]);
        assert_eq!(next(&view, Some(view.weights), scaling(suspended)), MOVE);
    }
}

#[test]
fn traffic_goes_back_however_late_the_first_observation_is() {
    let mut view = view_of(NEW, Weights::with(Colour::Green, 50));
    view.services.blue.running = 1;
    let target = target(&view, Some(view.weights));
    let release = rolling_back(&target, earlier(view.observed_at, 7_200));
    let step = |view: &PairView| left_of(&release, &target, Ending::Failed, view, NO_SCALING);

    assert_eq!(step(&view), MOVE);

    view.weights = pair().weights();
    assert!(matches!(
        step(&view),
        Restoration::Close(Conclusion {
            outcome: Outcome::Failed,
            needs_operator: true,
            ..
        })
    ));
}
