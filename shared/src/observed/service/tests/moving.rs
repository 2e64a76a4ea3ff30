//! Services of which ECS moves tasks to another Availability Zone.

use super::*;

/// The service is rebalanced, and its deployment has this many tasks.
fn moves(view: &mut ServiceView, running: u32, pending: u32) {
    view.rebalancing = true;
    view.running = running;
    view.pending = pending;
    view.deployments[0].running = running;
    view.deployments[0].pending = pending;
}

/// What is missing of a service of two tasks while ECS moves some: nothing, as long as it has its
/// tasks, and no more than its maximum of 200 % lets ECS start beside them.
fn missing_while_tasks_move() -> Vec<(&'static [&'static str], Spoil)> {
    vec![
        (&[], |v| moves(v, 2, 1)),
        (&[], |v| moves(v, 3, 0)),
        (&[], |v| moves(v, 2, 2)),
        (&[], |v| moves(v, 3, 1)),
        (&["1 of 2 tasks running, 2 pending"], |v| moves(v, 1, 2)),
        (&["3 of 2 tasks running, 2 pending"], |v| moves(v, 3, 2)),
        (&["3 of 2 tasks running, 1 pending"], |v| {
            moves(v, 3, 1);
            v.percentages.maximum = 199;
        }),
        (&["3 of 2 tasks running"], |v| {
            moves(v, 3, 0);
            v.rebalancing = false;
        }),
        // A task of another deployment.
        (&["4 of 2 tasks running"], |v| {
            moves(v, 3, 0);
            v.running = 4;
        }),
        (&["the rollout is not completed"], |v| {
            moves(v, 4, 0);
            v.deployments[0].rollout = Rollout::InProgress;
        }),
    ]
}

#[test]
fn tasks_that_move_to_another_zone_are_no_lack_within_the_maximum() {
    for (expected, spoil) in missing_while_tasks_move() {
        let mut view = steady(NEW);
        spoil(&mut view);
        assert_eq!(view.missing(NEW, 2), expected);
    }
}

#[test]
fn as_many_tasks_as_can_move_at_once_may_be_young_and_one_in_four_at_most() {
    let missing = |desired: u32, proven: u32, maximum: u32| {
        let mut view = steady(NEW);
        view.desired = desired;
        view.running = desired;
        view.proven = proven;
        view.rebalancing = maximum > 100;
        view.percentages.maximum = maximum;
        view.deployments[0].running = desired;
        view.target_groups[0].healthy = desired;
        view.missing(NEW, 1)
    };

    for (desired, proven, maximum) in [(4, 3, 200), (8, 6, 200), (8, 7, 113), (8, 6, 125)] {
        let found = missing(desired, proven, maximum);
        assert_eq!(found, [""; 0], "{proven} of {desired} with {maximum} %");
    }
    for (desired, proven, maximum) in [
        (4, 3, 100),
        (4, 2, 200),
        (3, 2, 200),
        (8, 5, 200),
        (8, 6, 113),
    ] {
        let expected = format!("{proven} of {desired} tasks have run for 1m00s");
        assert_eq!(missing(desired, proven, maximum), [expected]);
    }
}
