//! That the traffic goes back first.

use super::*;

#[test]
fn the_traffic_is_moved_back_before_anything_else_is_touched() {
    assert_eq!(after(&halves([2, 2], [2, 2]), 0, |_| {}), MOVE);
    assert_eq!(after(&halves([1, 1], [2, 2]), 0, |_| {}), raise(2, None));
    assert_eq!(
        after(&halves([1, 1], [2, 0]), 0, |_| {}),
        raise(2, Some(100))
    );

    let text = "returning the traffic to blue: 1 of 2 healthy targets that blue needs for all of \
        the traffic; 5s of 10m00s";
    assert_eq!(
        after(&halves([2, 1], [2, 2]), 5, |_| {}),
        Restoration::Wait(text.to_owned())
    );
    assert_eq!(after(&halves([2, 1], [2, 2]), 600, |_| {}), MOVE);

    // Half of its tasks carry half of the traffic, of which it has none.
    let mut whole = halves([1, 1], [2, 2]);
    whole.weights = Weights::with(Colour::Green, 100);
    assert_eq!(after(&whole, 0, |_| {}), raise(2, Some(50)));

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
fn a_raise_that_failed_beside_the_traffic_is_made_again() {
    let step = |raised_to, scaling| {
        let view = view_of(NEW, pair().weights());
        let target = PairTarget {
            raised_to,
            ..target(&view, Some(view.weights))
        };
        restored(&target, Ending::Failed, &view, scaling)
    };

    assert_eq!(step(Some(8), NO_SCALING), raise(8, None));
    assert_eq!(step(Some(8), scaling(true)), raise(8, None));
    assert_eq!(step(Some(2), NO_SCALING), RESET_IDLE);
    assert_eq!(step(None, NO_SCALING), RESET_IDLE);
    // Automatic scaling may have removed tasks since.
    assert_eq!(step(Some(8), scaling(false)), RESET_IDLE);
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
