//! Instances on which something else than the service has a static host port: the agent of Amazon
//! ECS, for good, or a task of another service, which may end.

use super::*;

/// What a plan that is accepted warns of.
fn warned(strategy: Strategy, room: Room) -> Option<String> {
    let planned = strategy.plan(room);
    assert_eq!(planned, Ok(strategy.percentages(room.desired)));
    strategy.warning(room)
}

#[test]
fn a_port_that_the_agent_reserves_is_never_free_on_its_instance() {
    let reserved = |desired, active, reserved| {
        with(on(desired, active), |it| {
            it.reserved = reserved;
            it.taken = desired;
        })
    };

    assert_eq!(
        BARE.plan(reserved(2, 2, 2)).expect_err("no instance"),
        "the rollout could never finish: the tasks hold a static host port, so an instance takes \
         one of them, and 2 tasks do not fit on 0 instances besides 2 whose agent reserves the \
         port; add instances, lower the count, or use host port 0"
    );
    let refusal = BARE.plan(reserved(2, 3, 1)).expect_err("none is free");
    let counted = "2 instances besides 1 whose agent reserves the port run 2 tasks";
    assert!(refusal.contains(counted), "{refusal}");
    assert_eq!(warned(BARE, reserved(2, 4, 1)), None);
    assert_eq!(warned(MAKE_ROOM, reserved(2, 3, 1)), None);
}

#[test]
fn a_port_that_tasks_of_others_hold_is_a_warning() {
    let held = |desired, active, held| with(on(desired, active), |it| it.taken = desired + held);
    let condition = "; the rollout can finish only if other tasks release the port";

    let warning = warned(BARE, held(2, 3, 1)).expect("none is free now");
    let counted = "2 instances besides 1 on which another task holds the port run 2 tasks";
    assert!(warning.starts_with("warning: of 2 tasks"), "{warning}");
    assert!(
        warning.ends_with(&format!("{counted}{condition}")),
        "{warning}"
    );
    // One is free beside them, or none is needed.
    assert_eq!(warned(BARE, held(2, 4, 1)), None);
    assert_eq!(warned(MAKE_ROOM, held(2, 3, 1)), None);

    let fill = warned(BLUE_GREEN, held(2, 4, 1)).expect("one too few");
    let counted = "2 tasks of each colour do not fit on 3 instances besides 1 on which another \
                   task holds the port";
    assert!(fill.contains(counted), "{fill}");
    // What is short without them is refused.
    assert!(BARE.plan(held(2, 2, 0)).is_err());
}

#[test]
fn tasks_of_others_are_what_the_own_ones_do_not_explain() {
    let taken = |port_is_taken, own_tasks| Room {
        port_is_taken,
        own_tasks,
        ..with(on(2, 3), |it| it.taken = 2)
    };

    // The own tasks hold the port, or may be on instances that drain.
    assert_eq!(warned(BARE, taken(true, 2)), None);
    assert_eq!(warned(BARE, taken(true, 3)), None);
    assert!(warned(BARE, taken(true, 1)).is_some());
    // They have another port.
    let warning = warned(BARE, taken(false, 2)).expect("one instance is free");
    let counted = "2 tasks do not fit on 1 instances besides 2 on which another task holds";
    assert!(warning.contains(counted), "{warning}");
}

#[test]
fn what_may_pass_is_named_with_the_tasks_of_others() {
    let room = with(on(2, 4), |it| {
        it.reserved = 1;
        it.taken = 3;
        it.can_grow = true;
    });

    let warning = warned(BARE, room).expect("none is free now");
    let counted = "2 instances besides 1 whose agent reserves the port and 1 on which another \
                   task holds the port run 2 tasks";
    assert!(warning.contains(counted), "{warning}");
    let condition = "only if the capacity provider adds instances, or other tasks release the port";
    assert!(warning.ends_with(condition), "{warning}");
}
