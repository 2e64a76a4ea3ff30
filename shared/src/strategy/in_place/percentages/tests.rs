use super::*;

const BARE: Strategy = Strategy {
    name: StrategyName::Rolling,
    minimum_healthy_percent: None,
    minimum_healthy_tasks: None,
    maximum_percent: None,
    maximum_tasks: None,
};
const MAKE_ROOM: Strategy = Strategy {
    name: StrategyName::MakeRoom,
    ..BARE
};

fn room(desired: u32) -> Room {
    Room {
        desired,
        static_port_instances: None,
    }
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
            && refusal.contains("minimum_healthy_tasks 0"),
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
fn task_numbers_become_percentages_that_keep_them() {
    for desired in 1..=60 {
        for tasks in 0..=desired {
            let percentages = Strategy {
                minimum_healthy_tasks: Some(tasks),
                ..BARE
            }
            .percentages(desired);
            assert!(percentages.floor(desired) >= tasks);
            let percentages = Strategy {
                maximum_tasks: Some(desired + tasks),
                ..BARE
            }
            .percentages(desired);
            assert!(percentages.ceiling(desired) <= desired + tasks);
        }
    }
}

#[test]
fn contradictions_are_refused() {
    let doubled = Strategy {
        name: StrategyName::Doubling,
        maximum_percent: Some(Percent(150)),
        ..BARE
    };
    let both = Strategy {
        minimum_healthy_percent: Some(Percent(50)),
        minimum_healthy_tasks: Some(1),
        ..BARE
    };
    assert!(doubled.check().is_err() && both.check().is_err() && BARE.check().is_ok());
    assert!(
        serde_json::from_str::<Percent<0, 100>>("140")
            .expect_err("too large")
            .to_string()
            .contains("from 0 to 100")
    );
}

const DOUBLING: Strategy = Strategy {
    name: StrategyName::Doubling,
    ..BARE
};
const BLUE_GREEN: Strategy = Strategy {
    name: StrategyName::BlueGreen,
    ..BARE
};

fn percentages(minimum_healthy: u32, maximum: u32) -> Percentages {
    Percentages {
        minimum_healthy,
        maximum,
    }
}

#[test]
fn the_floor_is_rounded_up_and_the_ceiling_down() {
    let bounds = |minimum, maximum, desired| {
        let percentages = percentages(minimum, maximum);
        (percentages.floor(desired), percentages.ceiling(desired))
    };
    assert_eq!(
        [bounds(50, 150, 3), bounds(34, 166, 3), bounds(33, 167, 3)],
        [(2, 4), (2, 4), (1, 5)]
    );
    assert_eq!(
        [bounds(0, 100, 5), bounds(100, 200, 5), bounds(50, 150, 0)],
        [(0, 5), (5, 10), (0, 0)]
    );
}

#[test]
fn each_strategy_has_its_percentages() {
    assert_eq!(BARE.percentages(2), percentages(100, 200));
    assert_eq!(DOUBLING.percentages(2), percentages(100, 200));
    assert_eq!(BLUE_GREEN.percentages(2), percentages(100, 200));
    let made_room = [0, 1, 2, 3, 4, 100, 101, 200].map(|desired| MAKE_ROOM.percentages(desired));
    assert_eq!(
        made_room.map(|room| room.minimum_healthy),
        [100, 100, 1, 34, 51, 99, 99, 99]
    );
    assert!(
        made_room.iter().all(|room| room.maximum == 100),
        "{made_room:?}"
    );
    let given = Strategy {
        minimum_healthy_percent: Some(Percent(40)),
        maximum_percent: Some(Percent(130)),
        ..BARE
    };
    assert_eq!(given.percentages(7), percentages(40, 130));
    let tasks = Strategy {
        minimum_healthy_tasks: Some(2),
        maximum_tasks: Some(4),
        ..BARE
    };
    assert_eq!(tasks.percentages(3), percentages(34, 166));
    assert_eq!(
        Strategy {
            minimum_healthy_tasks: Some(0),
            ..BARE
        }
        .percentages(3),
        percentages(0, 200)
    );
    assert_eq!(
        Strategy {
            maximum_tasks: Some(9),
            ..BARE
        }
        .percentages(3),
        percentages(100, 200)
    );
    assert_eq!(
        Strategy {
            minimum_healthy_tasks: Some(1),
            ..MAKE_ROOM
        }
        .percentages(3),
        percentages(1, 100)
    );
    assert_eq!(
        Strategy {
            minimum_healthy_percent: Some(Percent(66)),
            ..MAKE_ROOM
        }
        .percentages(3),
        percentages(66, 100)
    );
}

#[test]
fn parameters_that_a_strategy_does_not_take_are_refused_by_name() {
    let minimum = |name| Strategy {
        minimum_healthy_percent: Some(Percent(50)),
        ..Strategy { name, ..BARE }
    };
    let minimum_tasks = |name| Strategy {
        minimum_healthy_tasks: Some(1),
        ..Strategy { name, ..BARE }
    };
    let maximum = |name| Strategy {
        maximum_percent: Some(Percent(150)),
        ..Strategy { name, ..BARE }
    };
    let maximum_tasks = |name| Strategy {
        maximum_tasks: Some(3),
        ..Strategy { name, ..BARE }
    };
    use StrategyName::{BlueGreen, Doubling, MakeRoom, Rolling};
    for strategy in [
        minimum(Rolling),
        minimum_tasks(Rolling),
        maximum(Rolling),
        maximum_tasks(Rolling),
    ] {
        assert_eq!(strategy.check(), Ok(()));
    }
    for strategy in [
        MAKE_ROOM,
        DOUBLING,
        BLUE_GREEN,
        minimum(MakeRoom),
        minimum_tasks(MakeRoom),
    ] {
        assert_eq!(strategy.check(), Ok(()));
    }
    let refused = [
        (maximum(MakeRoom), "`make-room`"),
        (maximum_tasks(MakeRoom), "`make-room`"),
        (minimum(Doubling), "`doubling`"),
        (minimum_tasks(Doubling), "`doubling`"),
        (maximum(Doubling), "`doubling`"),
        (maximum_tasks(Doubling), "`doubling`"),
        (minimum(BlueGreen), "`blue-green`"),
        (minimum_tasks(BlueGreen), "`blue-green`"),
        (maximum(BlueGreen), "`blue-green`"),
        (maximum_tasks(BlueGreen), "`blue-green`"),
        (
            Strategy {
                minimum_healthy_tasks: Some(1),
                ..minimum(Rolling)
            },
            "minimum_healthy_percent and minimum_healthy_tasks are both given",
        ),
        (
            Strategy {
                maximum_tasks: Some(3),
                ..maximum(Rolling)
            },
            "maximum_percent and maximum_tasks are both given",
        ),
    ];
    for (strategy, why) in refused {
        let refusal = strategy.check().expect_err("contradicts itself");
        assert!(refusal.contains(why), "{refusal}");
    }
}

#[test]
fn percentages_outside_their_bounds_are_refused_with_the_bounds() {
    let healthy = |text: &str| {
        serde_json::from_str::<Percent<0, 100>>(text)
            .map(Percent::get)
            .map_err(|e| e.to_string())
    };
    assert_eq!((healthy("0"), healthy("100")), (Ok(0), Ok(100)));
    for text in ["-1", "101", "4294967297"] {
        let refusal = healthy(text).expect_err("out of range");
        assert!(
            refusal.contains(&format!("{text} is out of range"))
                && refusal.contains("from 0 to 100"),
            "{refusal}"
        );
    }
    let most = |text: &str| {
        serde_json::from_str::<Percent<100, 200>>(text)
            .map(Percent::get)
            .ok()
    };
    assert_eq!(
        [most("99"), most("100"), most("200"), most("201")],
        [None, Some(100), Some(200), None]
    );
}

#[test]
fn a_count_of_no_tasks_is_refused_by_field() {
    for (counts, field) in [
        ((Some(0), None), "`desired_count` is 0"),
        ((None, Some(0)), "`initial_count` is 0"),
    ] {
        let refusal = check_counts(counts.0, counts.1).expect_err("no tasks");
        assert!(refusal.contains(field), "{refusal}");
    }
    assert_eq!(
        (check_counts(None, None), check_counts(Some(1), Some(1))),
        (Ok(()), Ok(()))
    );
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
        (Ok(percentages(51, 200)), Ok(percentages(1, 200)))
    );
    assert!(
        at_least(3)
            .expect_err("more than there are")
            .contains("minimum_healthy_tasks is 3, but the service has 2")
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
            .contains("maximum_tasks is 1, but the service has 2")
    );
}

#[test]
fn a_rollout_without_room_in_either_direction_is_refused_with_what_would_help() {
    let stuck = Strategy {
        maximum_percent: Some(Percent(149)),
        ..BARE
    };
    let refusal = stuck.plan(room(2)).expect_err("neither first");
    let bounds = "of 2 tasks at least 2 must stay healthy (ceil(2 × 100 %)) and at most 2 may run (floor(2 × 149 %))";
    assert!(
        refusal.contains(bounds) && refusal.contains("lower minimum_healthy_percent or raise"),
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
        refusal.contains("lower minimum_healthy_percent or minimum_healthy_tasks"),
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

#[test]
fn the_schema_of_a_percentage_has_its_bounds() {
    let schema = schemars::schema_for!(Percent<100, 200>);
    let schema = schema.as_value();
    let found = ["type", "minimum", "maximum"].map(|name| schema[name].clone());
    assert_eq!(
        serde_json::json!(found),
        serde_json::json!(["integer", 100, 200])
    );
}
