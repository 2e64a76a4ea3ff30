//! Rollouts that can never finish, and those that may have to wait.

mod held_ports;
mod no_tasks;

use super::*;
use crate::strategy::fixtures::{BARE, BLUE_GREEN, DOUBLING, MAKE_ROOM};
use crate::strategy::in_place::percentages::{Percent, StrategyRules};

fn room(desired: u32) -> Room {
    Room::of_counts(desired, desired)
}

/// Room for tasks with static ports on this many instances, none of which drains or has tasks of
/// others.
fn on(desired: u32, active: u32) -> Room {
    Room {
        static_ports: Some(PortInstances {
            active,
            reserved: 0,
            taken: desired.min(active),
            draining: 0,
            can_grow: false,
        }),
        port_is_taken: true,
        own_tasks: desired,
        ..room(desired)
    }
}

/// The same room with other instances.
fn with(room: Room, change: impl FnOnce(&mut PortInstances)) -> Room {
    let mut instances = room.static_ports.expect("static ports");
    change(&mut instances);
    Room {
        static_ports: Some(instances),
        ..room
    }
}

fn percentages(minimum_healthy: u32, maximum: u32) -> Percentages {
    Percentages {
        minimum_healthy,
        maximum,
    }
}

fn percent<const MIN: u32, const MAX: u32>(percent: u32) -> Option<Percent<MIN, MAX>> {
    Some(serde_json::from_value(percent.into()).expect("within its bounds"))
}

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
        maximum_percent: percent(150),
        ..BARE
    };
    let refusal = strategy.plan(room(1)).expect_err("a ceiling of one");

    assert!(refusal.contains("floor(1 × 150 %)"), "{refusal}");
    assert!(strategy.plan(room(2)).is_ok());
}

#[test]
fn static_host_ports_need_a_free_instance_or_room() {
    assert!(
        BARE.plan(on(2, 2))
            .expect_err("no free instance")
            .contains("2 instances run 2 tasks")
    );
    assert!(BARE.plan(on(2, 3)).is_ok());
    assert!(MAKE_ROOM.plan(on(2, 2)).is_ok());
    assert!(MAKE_ROOM.plan(on(3, 2)).is_err());
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
        (Ok(percentages(100, 199)), Ok(percentages(100, 200)))
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
        maximum_percent: percent(149),
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
            maximum_percent: percent(150),
            ..BARE
        }
        .plan(room(2)),
        Ok(percentages(100, 150))
    );

    let half = Strategy {
        minimum_healthy_percent: percent(50),
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
fn a_remedy_names_only_parameters_that_the_strategy_takes() {
    const fn rules(minimum: Bound, maximum: Bound) -> StrategyRules {
        StrategyRules {
            word: "stuck",
            shape: Shape::Service,
            minimum,
            maximum,
            definition: "never moves",
        }
    }
    const FIXED: StrategyRules = rules(Bound::Fixed(100), Bound::Fixed(100));
    const CEILING: StrategyRules = rules(Bound::Fixed(100), Bound::Default(100));
    const FLOOR: StrategyRules = rules(Bound::Default(100), Bound::Fixed(100));
    const FREE: StrategyRules = rules(Bound::Default(100), Bound::Default(100));

    let remedies = [&FIXED, &CEILING, &FLOOR, &FREE].map(|rules| {
        let strategy = Strategy { rules, ..BARE };
        let refusal = strategy.plan(room(2)).expect_err("nothing can move");
        refusal.rsplit("; ").next().unwrap_or_default().to_owned()
    });
    assert_eq!(
        remedies,
        [
            "choose `rolling` or `doubling`",
            "raise `maximum_percent` so that one more task may run",
            "lower `minimum_healthy_percent` or `minimum_healthy_tasks`, or choose `rolling` or \
             `doubling`",
            "lower `minimum_healthy_percent` or raise `maximum_percent` so that one more task may \
             run",
        ]
    );
}

#[test]
fn a_fill_that_holds_static_ports_needs_an_instance_for_each_task_of_both_colours() {
    let with = |desired, instances| BLUE_GREEN.plan(on(desired, instances));

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
    let with = |strategy: Strategy, desired, instances| strategy.plan(on(desired, instances));

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
        minimum_healthy_percent: percent(50),
        ..BARE
    };
    assert_eq!(with(half, 2, 2), Ok(percentages(50, 200)));
}

#[test]
fn a_cluster_that_can_grow_is_a_warning() {
    let growing = |desired, active| with(on(desired, active), |it| it.can_grow = true);

    for (strategy, room, what) in [
        (BARE, growing(2, 2), "2 instances run 2 tasks; the rollout"),
        (
            MAKE_ROOM,
            growing(3, 2),
            "3 tasks do not fit on 2 instances; the rollout",
        ),
        (
            BLUE_GREEN,
            growing(2, 3),
            "2 tasks of each colour do not fit on 3 instances; the fill",
        ),
    ] {
        assert!(strategy.plan(room).is_ok());
        let warning = strategy.warning(room).expect("it has to wait");
        assert!(
            warning.starts_with("warning: ")
                && warning.ends_with(&format!(
                    "{what} can finish only if the capacity provider adds instances"
                )),
            "{warning}"
        );
    }

    for (strategy, room) in [
        (BARE, growing(2, 3)),
        (BARE, on(2, 3)),
        (BARE, room(2)),
        (MAKE_ROOM, growing(2, 2)),
    ] {
        assert_eq!(strategy.warning(room), None);
    }
    // What is refused does not warn besides.
    assert_eq!(BARE.warning(on(2, 2)), None);
}

#[test]
fn only_active_instances_take_tasks_and_those_that_drain_may_make_room() {
    let draining = |desired, active| with(on(desired, active), |it| it.draining = 1);

    // The new tasks need an ACTIVE instance each, wherever the old ones run: one that takes the
    // place of the one that drains. An old task may run on that one, so that an ACTIVE one is free.
    for (strategy, room, what, drained) in [
        (
            MAKE_ROOM,
            draining(2, 1),
            "2 tasks do not fit on 1 instances",
            "DRAINING are replaced",
        ),
        (
            BARE,
            draining(2, 2),
            "2 instances run 2 tasks",
            "DRAINING have old tasks or are replaced",
        ),
        (
            BLUE_GREEN,
            draining(2, 3),
            "2 tasks of each colour do not fit on 3 instances",
            "DRAINING have old tasks or are replaced",
        ),
    ] {
        assert_eq!(
            strategy.plan(room),
            Ok(strategy.percentages(room.desired)),
            "{what}"
        );
        let warning = strategy.warning(room).expect("not known");
        assert!(
            warning.contains(what)
                && warning.ends_with(&format!("only if the 1 instances that are {drained}")),
            "{warning}"
        );
    }
}

#[test]
fn a_port_that_no_task_holds_yet_is_free_on_every_instance() {
    let free = |desired, active| Room {
        port_is_taken: false,
        ..with(on(desired, active), |it| it.taken = 0)
    };

    assert_eq!(BARE.plan(free(2, 2)), Ok(percentages(100, 200)));
    assert_eq!(BLUE_GREEN.plan(free(2, 2)), Ok(percentages(100, 200)));
    for strategy in [BARE, BLUE_GREEN] {
        let refusal = strategy.plan(free(3, 2)).expect_err("one task too many");
        assert!(
            refusal.contains("3 tasks do not fit on 2 instances"),
            "{refusal}"
        );
    }
}
