//! Rollouts that can never finish.

use super::*;

#[test]
fn make_room_gives_up_one_task_and_never_the_only_one() {
    for desired in 2..=100 {
        let percentages = MAKE_ROOM.percentages(desired);
        assert_eq!(
            (percentages.floor(desired), percentages.ceiling(desired)),
            (desired - 1, desired),
            "{desired} tasks"
        );
    }

    for desired in 101..=1_000 {
        assert!(
            MAKE_ROOM.percentages(desired).floor(desired) < desired,
            "{desired} tasks"
        );
    }

    let refusal = MAKE_ROOM
        .plan(room(1))
        .expect_err("one task cannot make room");
    assert!(
        refusal.contains("at least 1 must stay healthy")
            && refusal.contains("`minimum_healthy_tasks` 0"),
        "{refusal}"
    );

    let outage = Strategy {
        minimum_healthy_tasks: Some(0),
        ..MAKE_ROOM
    };
    assert_eq!(
        outage.plan(room(1)),
        Ok(Percentages {
            minimum_healthy: 0,
            maximum: 100
        })
    );
}

#[test]
fn one_task_with_100_to_150_percent_can_never_finish() {
    let strategy = Strategy {
        maximum_percent: Some(Percent(150)),
        ..BARE
    };
    let refusal = strategy.plan(room(1)).expect_err("a ceiling of one");

    assert!(refusal.contains("floor(1 × 150 %)"), "{refusal}");
    assert!(strategy.plan(room(2)).is_ok());
}

#[test]
fn static_host_ports_need_a_free_instance_or_room() {
    let with = |desired, instances| Room {
        desired,
        static_port_instances: Some(instances),
    };

    assert!(
        BARE.plan(with(2, 2))
            .expect_err("no free instance")
            .contains("2 instances run 2 tasks")
    );
    assert!(BARE.plan(with(2, 3)).is_ok());
    assert!(MAKE_ROOM.plan(with(2, 2)).is_ok());
    assert!(MAKE_ROOM.plan(with(3, 2)).is_err());
}

#[test]
fn task_numbers_that_contradict_the_count_are_refused_with_both() {
    let at_least = |tasks| {
        Strategy {
            minimum_healthy_tasks: Some(tasks),
            ..BARE
        }
        .plan(room(2))
    };

    assert_eq!(
        (at_least(2), at_least(1)),
        (Ok(percentages(100, 200)), Ok(percentages(50, 200)))
    );
    assert!(
        at_least(3)
            .expect_err("more than there are")
            .contains("`minimum_healthy_tasks` is 3, but the service has 2")
    );

    let at_most = |tasks| {
        Strategy {
            maximum_tasks: Some(tasks),
            ..BARE
        }
        .plan(room(2))
    };

    assert_eq!(
        (at_most(3), at_most(4)),
        (Ok(percentages(100, 150)), Ok(percentages(100, 200)))
    );
    assert!(
        at_most(1)
            .expect_err("fewer than there are")
            .contains("`maximum_tasks` is 1, but the service has 2")
    );
}

#[test]
fn a_rollout_without_room_in_either_direction_is_refused_with_what_would_help() {
    let stuck = Strategy {
        maximum_percent: Some(Percent(149)),
        ..BARE
    };
    let refusal = stuck.plan(room(2)).expect_err("neither first");
    let bounds = "of 2 tasks at least 2 must stay healthy (ceil(2 × 100 %)) and at most 2 may run \
        (floor(2 × 149 %))";

    assert!(
        refusal.contains(bounds) && refusal.contains("lower `minimum_healthy_percent` or raise"),
        "{refusal}"
    );
    assert_eq!(
        Strategy {
            maximum_percent: Some(Percent(150)),
            ..BARE
        }
        .plan(room(2)),
        Ok(percentages(100, 150))
    );

    let half = Strategy {
        minimum_healthy_percent: Some(Percent(50)),
        ..stuck
    };
    assert_eq!(half.plan(room(2)), Ok(percentages(50, 149)));
    // A service without tasks has nothing to move.
    assert_eq!(stuck.plan(room(0)), Ok(percentages(100, 149)));

    let room_for_none = Strategy {
        minimum_healthy_tasks: Some(2),
        ..MAKE_ROOM
    };
    let refusal = room_for_none.plan(room(2)).expect_err("all must stay");
    assert!(
        refusal.contains("lower `minimum_healthy_percent` or `minimum_healthy_tasks`"),
        "{refusal}"
    );

    let only = MAKE_ROOM.plan(room(1)).expect_err("the only task");
    assert!(only.contains("run 2 tasks or more"), "{only}");
}

#[test]
fn a_fill_that_holds_static_ports_needs_an_instance_for_each_task_of_both_colours() {
    let with = |desired, instances| {
        BLUE_GREEN.plan(Room {
            desired,
            static_port_instances: Some(instances),
        })
    };

    for (desired, instances) in [(2, 3), (2, 2), (1, 1), (3, 5)] {
        let refusal = with(desired, instances).expect_err("the second colour does not fit");
        let numbers = format!("{desired} tasks of each colour do not fit on {instances} instances");
        assert!(
            refusal.contains("the fill could never finish") && refusal.contains(&numbers),
            "{refusal}"
        );
    }

    assert_eq!(
        [with(2, 4), with(1, 2), with(3, 6)],
        [const {
            Ok(Percentages {
                minimum_healthy: 100,
                maximum: 200,
            })
        }; 3]
    );
}

#[test]
fn static_ports_are_counted_to_the_instance() {
    let with = |strategy: Strategy, desired, instances| {
        strategy.plan(Room {
            desired,
            static_port_instances: Some(instances),
        })
    };

    for strategy in [BARE, MAKE_ROOM, DOUBLING] {
        let refusal = with(strategy, 3, 2).expect_err("one task too many");
        assert!(
            refusal.contains("3 tasks do not fit on 2 instances"),
            "{refusal}"
        );
    }

    let refusal = with(BARE, 2, 2).expect_err("no instance for a new task");
    assert!(
        refusal.contains("2 instances run 2 tasks; choose `make-room`"),
        "{refusal}"
    );
    assert_eq!(with(BARE, 2, 3), Ok(percentages(100, 200)));

    let half = Strategy {
        minimum_healthy_percent: Some(Percent(50)),
        ..BARE
    };
    assert_eq!(with(half, 2, 2), Ok(percentages(50, 200)));
}
