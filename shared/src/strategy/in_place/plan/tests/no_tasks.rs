//! Services that are scaled to no tasks, for example for the night: nothing has to be stopped
//! before their first tasks start.

use super::*;

/// A service without tasks that will have this many.
fn waking(desired: u32) -> Room {
    Room::of_counts(0, desired)
}

#[test]
fn every_strategy_releases_a_service_without_tasks() {
    let narrow = Strategy {
        maximum_percent: percent(149),
        ..BARE
    };
    for (strategy, expected) in [
        (BARE, percentages(100, 200)),
        (DOUBLING, percentages(100, 200)),
        (MAKE_ROOM, percentages(99, 100)),
        (BLUE_GREEN, percentages(100, 200)),
        (narrow, percentages(100, 149)),
    ] {
        assert_eq!(strategy.plan(waking(1)), Ok(expected));
        assert_eq!(strategy.warning(waking(1)), None);
    }
    assert_eq!(MAKE_ROOM.plan(waking(4)), Ok(percentages(75, 100)));

    // With its only task it could not be released.
    assert!(MAKE_ROOM.plan(room(1)).is_err());
    assert!(narrow.plan(room(1)).is_err());
}

#[test]
fn no_task_has_to_be_kept_healthy_where_there_is_none() {
    let two = |strategy: Strategy| Strategy {
        minimum_healthy_tasks: Some(2),
        ..strategy
    };
    assert_eq!(two(BARE).plan(waking(1)), Ok(percentages(100, 200)));
    assert_eq!(two(MAKE_ROOM).plan(waking(1)), Ok(percentages(99, 100)));
    assert!(two(BARE).plan(room(1)).is_err());

    // The first tasks may not be more than those that may run.
    let at_most = Strategy {
        maximum_tasks: Some(2),
        ..BARE
    };
    assert_eq!(at_most.plan(waking(2)), Ok(percentages(100, 149)));
    let refusal = at_most.plan(waking(3)).expect_err("more than may run");
    assert!(refusal.contains("`maximum_tasks` is 2"), "{refusal}");
}

#[test]
fn a_static_port_of_a_service_without_tasks_is_not_held_by_old_ones() {
    let waking_on = |desired, active| Room {
        live: 0,
        own_tasks: 0,
        ..with(on(desired, active), |it| it.taken = 0)
    };

    for strategy in [BARE, MAKE_ROOM, BLUE_GREEN] {
        let planned = strategy.plan(waking_on(2, 2));
        assert_eq!(planned, Ok(strategy.percentages(2)));
        assert_eq!(strategy.warning(waking_on(2, 2)), None);
        let refusal = strategy.plan(waking_on(3, 2)).expect_err("one too many");
        assert!(
            refusal.contains("3 tasks do not fit on 2 instances"),
            "{refusal}"
        );
    }
}
