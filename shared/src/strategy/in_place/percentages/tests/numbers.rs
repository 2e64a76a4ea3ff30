//! How bounds become percentages.

use super::*;

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
fn of_equal_percentages_the_largest_is_taken() {
    assert_eq!(
        [minimum(2, 1), minimum(3, 1), minimum(10, 9), minimum(4, 4)],
        [50, 33, 90, 100]
    );
    assert_eq!(
        [maximum(2, 3), maximum(3, 4), maximum(10, 10), maximum(4, 9)],
        [199, 166, 109, 200]
    );
    // Where no percentage is exact, the floor is above the number and the ceiling below it.
    assert_eq!([minimum(300, 299), maximum(300, 301)], [100, 100]);

    for desired in 1..=60 {
        for tasks in 0..=desired {
            let percent = minimum(desired, tasks);
            let bounds = |minimum_healthy| percentages(minimum_healthy, 200).floor(desired);
            assert!(percent == 100 || bounds(percent + 1) > bounds(percent));

            let percent = maximum(desired, desired + tasks);
            let bounds = |maximum| percentages(100, maximum).ceiling(desired);
            assert!(percent == 200 || bounds(percent + 1) > bounds(percent));
        }
    }
}

fn minimum(desired: u32, tasks: u32) -> u32 {
    let strategy = Strategy {
        minimum_healthy_tasks: Some(tasks),
        ..BARE
    };
    strategy.percentages(desired).minimum_healthy
}

fn maximum(desired: u32, tasks: u32) -> u32 {
    let strategy = Strategy {
        maximum_tasks: Some(tasks),
        ..BARE
    };
    strategy.percentages(desired).maximum
}

#[test]
fn the_largest_percentage_works_best_when_the_count_changes() {
    // What was promised of 2 tasks holds for 20 better than 1 % would.
    let promised = percentages(minimum(2, 1), 100);
    assert_eq!(promised.floor(20), 10);

    // No more than there are is above 100 %, which rebalancing requires, up to 99 tasks.
    assert_eq!([maximum(1, 1), maximum(4, 4)], [199, 124]);
    assert_eq!([maximum(99, 99), maximum(100, 100)], [101, 100]);
    assert_eq!(percentages(75, maximum(4, 4)).ceiling(4), 4);

    // The room for one more than 4 tasks is there for 3, as it would not be with 125 %.
    let room = percentages(100, maximum(4, 5));
    assert_eq!((room.ceiling(4), room.ceiling(3)), (5, 4));
}

#[test]
fn make_room_stops_one_task_and_never_the_only_one() {
    let made_room = [0, 1, 2, 3, 4, 100, 101, 200].map(|desired| MAKE_ROOM.percentages(desired));
    assert_eq!(
        made_room.map(|room| room.minimum_healthy),
        [99, 99, 50, 66, 75, 99, 99, 99]
    );
    assert_eq!(made_room[1].floor(1), 1);
    assert!(
        made_room.iter().all(|room| room.maximum == 100),
        "{made_room:?}"
    );
}

#[test]
fn a_minimum_of_all_tasks_is_never_100_percent_of_at_most_100_percent() {
    for desired in 1..100 {
        let all = Strategy {
            minimum_healthy_tasks: Some(desired),
            ..MAKE_ROOM
        };
        assert_eq!(all.percentages(desired), percentages(99, 100));
        assert_eq!(all.percentages(desired).floor(desired), desired);
    }
    assert_eq!(minimum(4, 4), 100, "at most 200 %");
}

/// Bounds that no word has: a minimum that is fixed, and a maximum of one more task.
const ONE_MORE: StrategyRules = StrategyRules {
    word: "one-more",
    shape: Shape::Service,
    minimum: Bound::Fixed(100),
    maximum: Bound::OneTask,
    definition: "",
};

#[test]
fn one_more_task_is_the_largest_percentage_with_room_for_it() {
    let one_more = Strategy {
        rules: &ONE_MORE,
        ..BARE
    };
    let room = [0, 1, 2, 3, 4, 100, 199, 200, 300].map(|desired| one_more.percentages(desired));
    assert_eq!(
        room.map(|room| room.maximum),
        [200, 200, 199, 166, 149, 101, 101, 101, 101]
    );
    assert!(room.iter().all(|room| room.minimum_healthy == 100));

    let given = Strategy {
        maximum_tasks: Some(6),
        ..one_more
    };
    assert_eq!(given.percentages(4), percentages(100, 174));
}

#[test]
fn percentages_that_are_given_replace_those_of_the_strategy() {
    let given = Strategy {
        minimum_healthy_percent: Some(Percent(40)),
        maximum_percent: Some(Percent(130)),
        ..BARE
    };
    assert_eq!(given.percentages(7), percentages(40, 130));

    let one_more = Strategy {
        minimum_healthy_percent: Some(Percent(66)),
        ..MAKE_ROOM
    };
    assert_eq!(one_more.percentages(3), percentages(66, 100));
}

#[test]
fn numbers_of_tasks_replace_the_percentages_of_the_strategy() {
    let tasks = Strategy {
        minimum_healthy_tasks: Some(2),
        maximum_tasks: Some(4),
        ..BARE
    };
    assert_eq!(tasks.percentages(3), percentages(66, 166));

    let none_healthy = Strategy {
        minimum_healthy_tasks: Some(0),
        ..BARE
    };
    assert_eq!(none_healthy.percentages(3), percentages(0, 200));

    let more_than_twice = Strategy {
        maximum_tasks: Some(9),
        ..BARE
    };
    assert_eq!(more_than_twice.percentages(3), percentages(100, 200));

    let one_healthy = Strategy {
        minimum_healthy_tasks: Some(1),
        ..MAKE_ROOM
    };
    assert_eq!(one_healthy.percentages(3), percentages(33, 100));
}
