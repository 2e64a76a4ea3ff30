//! A small burst of pushes: none is lost, whether or not CodePipeline throttles their starts.

use emulator::Rate;
use simulation::burst::{Figures, Load, play};

/// The figures of ten pushes to forty subscriptions.
fn figures(starts: Option<Rate>) -> Figures {
    let load = Load {
        subscriptions: 40,
        pushes: 10,
        starts,
        hours: 2,
    };
    play(load).expect("nothing is lost")
}

#[test]
fn each_push_of_a_burst_is_started_and_registered() {
    let figures = figures(None);
    assert_eq!((figures.started.len(), figures.registered.len()), (10, 10));
    assert_eq!(figures.dead_letters, 0);
    for hour in figures.hours {
        assert!((38..=43).contains(&hour.sweeps), "{hour:?}");
        assert_eq!(hour.failed, 0);
    }
}

#[test]
fn starts_that_are_throttled_are_made_later() {
    let figures = figures(Some(Rate {
        burst: 1,
        per_second: 1,
    }));
    assert_eq!((figures.started.len(), figures.registered.len()), (10, 10));
    let [_, starts, ..] = figures.refused;
    assert!(starts > 0, "{figures:?}");
}
