//! Scheduled actions.

use std::time::Duration;

use super::*;

/// Capacities and count of the service.
type State = (Value, Value, u32);

const NIGHT: Scheduled = Scheduled {
    min: Some(0),
    max: Some(1),
};
const DAY: Scheduled = Scheduled {
    min: Some(8),
    max: Some(9),
};

fn state(min: u32, max: u32, count: u32) -> State {
    (json!(min), json!(max), count)
}

fn found(aws: &mut Aws) -> State {
    let target = described(aws);
    let [min, max] = ["MinCapacity", "MaxCapacity"].map(|name| target[name].clone());
    (min, max, count(aws))
}

/// The service with five tasks between 2 and 6.
fn scaled(suspended: Value) -> Aws {
    let mut aws = account(1, 5);
    let target = json!({"MinCapacity": 2, "MaxCapacity": 6, "SuspendedState": suspended});
    register(&mut aws, target).unwrap();
    run(&mut aws, 10);
    aws
}

/// What is found right before an action is due, and then.
fn around(action: Scheduled, suspended: Value) -> [State; 2] {
    let mut aws = scaled(suspended);
    schedule(&mut aws, ("main", "web"), Duration::from_secs(60), action);
    [59, 1].map(|seconds| {
        run(&mut aws, seconds);
        found(&mut aws)
    })
}

#[test]
fn a_scheduled_action_sets_the_capacities_and_moves_the_count_between_them() {
    let only_max = Scheduled {
        min: None,
        max: Some(4),
    };
    for (action, then) in [
        (NIGHT, state(0, 1, 1)),
        (DAY, state(8, 9, 8)),
        (only_max, state(2, 4, 4)),
    ] {
        assert_eq!(around(action, json!({})), [state(2, 6, 5), then]);
    }
}

#[test]
fn a_scheduled_action_runs_whatever_is_suspended_of_policies() {
    let policies = json!({"DynamicScalingInSuspended": true, "DynamicScalingOutSuspended": true});
    for (action, count) in [(NIGHT, 1), (DAY, 8)] {
        let [_, (_, _, then)] = around(action, policies.clone());
        assert_eq!(then, count);
    }
}

#[test]
fn a_scheduled_action_that_is_suspended_is_not_run_then_or_later() {
    let suspended = |suspended: bool| json!({"ScheduledScalingSuspended": suspended});
    let mut aws = scaled(suspended(true));
    schedule(&mut aws, ("main", "web"), Duration::from_secs(60), NIGHT);
    run(&mut aws, 90);
    assert_eq!(found(&mut aws), state(2, 6, 5));

    register(&mut aws, json!({"SuspendedState": suspended(false)})).unwrap();
    run(&mut aws, 3600);
    assert_eq!(found(&mut aws), state(2, 6, 5));
}

#[test]
fn a_scheduled_action_goes_with_its_target() {
    let mut aws = scaled(json!({}));
    schedule(&mut aws, ("main", "web"), Duration::from_secs(60), NIGHT);
    call(&mut aws, "DeregisterScalableTarget", &about(json!({}))).unwrap();
    run(&mut aws, 90);
    assert_eq!(count(&aws), 5);
}
