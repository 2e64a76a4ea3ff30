//! The new colour is made as large as the load of now before it takes more traffic.

use super::*;
use crate::strategy::blue_green::size::limit;

/// Green was filled with 2 tasks, has `percent` of the traffic and this many tasks, all healthy;
/// blue has grown to `old`.
fn after_growth(percent: u32, old: u32, new: u32) -> PairView {
    let mut view = seen(percent, new);
    view.services.blue.desired = old;
    let green = &mut view.services.green;
    green.desired = new;
    green.running = new;
    green.proven = new;
    green.deployments[0].running = new;
    view
}

fn grow(tasks: u32, percent: u8) -> ShiftStep {
    let change = target(&seen(0, 2), None).change.expect("changed");
    ShiftStep::Grow {
        change: Change {
            given: Some(tasks),
            ..change
        },
        tasks,
        percent,
    }
}

#[test]
fn the_new_colour_grows_with_the_old_one_before_its_first_traffic() {
    assert_eq!(step(&after_growth(0, 10, 2), None), grow(10, 0));
    assert_eq!(
        step(&after_growth(0, 10, 10), None),
        ShiftStep::Shift {
            to: Weights::with(GREEN, 20),
            percent: 0
        }
    );

    // It grows: the new tasks are waited for as those of the fill were.
    let mut view = after_growth(0, 10, 10);
    view.services.green.running = 2;
    view.services.green.pending = 8;
    view.services.green.target_groups[0].healthy = 2;
    let missing = "2 of 10 tasks running, 8 pending; 2 of 10 targets healthy in green; 2 of 10 \
        targets healthy";
    let text =
        format!("0% to green, green is not ready for 20%: {missing}; 30s of 10m00s; {HEALTH}");
    assert_eq!(step(&view, None), wait(&text, 0));
}

#[test]
fn the_new_colour_grows_between_steps_and_keeps_its_traffic_meanwhile() {
    // 9 tasks at 80% are 12 for all of the traffic.
    let baked = Some((20, 120, true));
    assert_eq!(step(&after_growth(20, 9, 2), baked), grow(12, 14));

    let mut view = after_growth(20, 9, 12);
    view.services.green.target_groups[0].healthy = 11;
    let text = "20% to green, green is not ready for 50%: 11 of 12 targets healthy; 0s of 10m00s; \
        11 healthy targets in green, at least 2 needed";
    assert_eq!(step(&view, baked), wait(text, 14));
    assert!(matches!(
        step(&after_growth(20, 9, 12), baked),
        ShiftStep::Shift { .. }
    ));

    // During a bake and after the last step nothing grows.
    let baking = step(&after_growth(20, 9, 2), Some((20, 119, true)));
    assert!(matches!(baking, ShiftStep::Wait { .. }));
    let all = step(&after_growth(100, 9, 2), Some((100, 600, true)));
    assert!(matches!(all, ShiftStep::Done { .. }));
}

#[test]
fn a_colour_grows_only_while_it_can_become_ready() {
    let view = after_growth(0, 10, 2);
    let waits = step_in(&view, None, SECOND, Some(7));
    assert!(matches!(
        waits,
        ShiftStep::Wait { summary, .. } if summary.contains("waiting 7s")
    ));

    let late = step_in(&view, None, HEALTH_DEADLINE, None);
    assert!(matches!(
        late,
        ShiftStep::Fail { failure, .. }
            if failure.message.contains("desired count is 2, expected 10 or more")
    ));

    let mut failed = view;
    failed.services.green.deployments[0].rollout = Rollout::Failed;
    assert!(matches!(step(&failed, None), ShiftStep::Wait { .. }));

    let mut other = view_of(IDLE, Weights::with(GREEN, 0));
    other.services.blue.desired = 10;
    assert!(matches!(step(&other, None), ShiftStep::Fail { .. }));
}

#[test]
fn the_new_colour_grows_to_its_max_capacity_at_most_and_then_takes_the_traffic() {
    let bounded = |max_capacity, new| {
        let view = after_growth(0, 10, new);
        let plan = ShiftPlan {
            max_capacity,
            ..plan()
        };
        let times = (Duration::from_secs(30), None);
        decide(&plan, &shifted_target(&view, None), &view, times)
    };
    let shifts = ShiftStep::Shift {
        to: Weights::with(GREEN, 20),
        percent: 0,
    };

    assert_eq!(bounded(Some(10), 2), grow(10, 0));
    assert_eq!(bounded(Some(7), 2), grow(7, 0));
    assert_eq!(bounded(Some(7), 7), shifts);
    // More than it may have is not taken away, and fewer than were filled are not enough.
    assert_eq!(bounded(Some(7), 9), shifts);
    assert_eq!(bounded(Some(1), 2), shifts);
}

#[test]
fn tasks_that_max_capacity_does_not_allow_are_named() {
    let needed = |filled, has, max_capacity| {
        let view = after_growth(0, 10, has);
        let target = shifted_target(&view, None);
        let needed = needed_by_new(&context(&target, &view), filled, max_capacity);
        (needed.tasks, limit(GREEN, needed.capped_from))
    };

    assert_eq!(needed(2, 2, None), (10, None));
    assert_eq!(needed(2, 2, Some(10)), (10, None));
    let text = "MaxCapacity of green is below the 10 tasks that all of the traffic needs";
    let capped = |tasks| (tasks, Some(text.to_owned()));
    assert_eq!(needed(2, 2, Some(9)), capped(9));
    assert_eq!(needed(2, 5, Some(1)), capped(5));
    assert_eq!(needed(3, 2, Some(1)), capped(3));
}
