//! When targets are healthy, unused or drained.

use serde_json::json;

use crate::elb::*;

use super::{balanced, call, parameters};

#[test]
fn a_target_is_healthy_after_interval_times_threshold() {
    let (mut aws, blue, ..) = balanced();
    register(&mut aws, &blue, "10.0.0.1", 80).unwrap();
    assert_eq!(
        next_change(&aws, &blue, "10.0.0.1", 80),
        Some(aws.now + 30_000)
    );

    aws.now += 29_999;
    assert_eq!(
        state(&aws, &blue, "10.0.0.1", 80),
        Some(TargetState::Initial)
    );

    aws.now += 1;
    assert_eq!(
        state(&aws, &blue, "10.0.0.1", 80),
        Some(TargetState::Healthy)
    );
    assert_eq!(aws.elb.healthy_count(&blue, aws.now), 1);
}

#[test]
fn a_target_that_stops_answering_stays_healthy_until_the_threshold() {
    let (mut aws, blue, ..) = balanced();
    register(&mut aws, &blue, "10.0.0.1", 80).unwrap();
    aws.now += 60_000;
    set_answering(&mut aws, &blue, "10.0.0.1", 80, false);
    aws.now += 19_999;

    assert_eq!(
        state(&aws, &blue, "10.0.0.1", 80),
        Some(TargetState::Healthy)
    );

    aws.now += 1;
    assert_eq!(
        state(&aws, &blue, "10.0.0.1", 80),
        Some(TargetState::Unhealthy)
    );
}

#[test]
fn targets_of_a_group_without_listener_are_unused_until_it_is_used() {
    let (mut aws, blue, green, listener) = balanced();
    register(&mut aws, &green, "10.0.0.1", 80).unwrap();
    aws.now += 600_000;

    assert_eq!(
        state(&aws, &green, "10.0.0.1", 80),
        Some(TargetState::Unused)
    );

    let both = json!({
        "DefaultActions": [
            {
                "Type": "forward",
                "ForwardConfig": {
                    "TargetGroups": [
                        {"TargetGroupArn": blue, "Weight": 9},
                        {"TargetGroupArn": green, "Weight": 1},
                    ],
                },
            },
        ],
    });
    update_listener(&mut aws, &listener, &both).unwrap();
    assert_eq!(
        state(&aws, &green, "10.0.0.1", 80),
        Some(TargetState::Initial)
    );

    aws.now += 30_000;
    assert_eq!(
        state(&aws, &green, "10.0.0.1", 80),
        Some(TargetState::Healthy)
    );
}

#[test]
fn a_target_in_a_zone_that_the_load_balancer_lacks_is_unused_beside_others() {
    let (mut aws, blue, ..) = balanced();
    register(&mut aws, &blue, "10.0.0.1", 80).unwrap();
    register(&mut aws, &blue, "10.0.0.2", 80).unwrap();
    leave_zones(&mut aws, &blue, "10.0.0.2", 80);
    aws.now += 60_000;

    let states = ["10.0.0.1", "10.0.0.2"].map(|id| state(&aws, &blue, id, 80));
    assert_eq!(
        states,
        [Some(TargetState::Healthy), Some(TargetState::Unused)]
    );

    let input = parameters(&[("TargetGroupArn", &blue)]);
    let body = call(&mut aws, "DescribeTargetHealth", &input).unwrap();
    assert!(
        body.contains("<Reason>Target.NotInUse</Reason>")
            && body.contains("in an Availability Zone that is not enabled for the load balancer"),
        "{body}"
    );
}

#[test]
fn weight_zero_counts_as_use_on_some_seeds_only() {
    let used = |seed| {
        let mut aws = balanced().0;
        aws.reseed(seed);
        let group = aws.elb.target_groups.keys().next().unwrap().clone();
        let listener = aws.elb.listeners.keys().next().unwrap().clone();
        let zero = json!({
            "DefaultActions": [
                {
                    "Type": "forward",
                    "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": group, "Weight": 0}]},
                },
            ],
        });
        update_listener(&mut aws, &listener, &zero).unwrap();
        aws.elb.target_groups[&group].used_since.is_some()
    };
    let answers: Vec<bool> = (0..20).map(used).collect();

    assert!(answers.contains(&true) && answers.contains(&false));
}

#[test]
fn a_deregistered_target_drains_for_the_delay_and_is_gone() {
    let (mut aws, blue, ..) = balanced();
    register(&mut aws, &blue, "10.0.0.1", 80).unwrap();
    aws.now += 60_000;
    let drained = deregister(&mut aws, &blue, "10.0.0.1", 80);

    assert!(drained <= std::time::Duration::from_secs(60));
    assert_eq!(
        state(&aws, &blue, "10.0.0.1", 80),
        Some(TargetState::Draining)
    );

    aws.now += 60_000;
    assert_eq!(state(&aws, &blue, "10.0.0.1", 80), None);
}

#[test]
fn open_requests_end_before_the_delay_on_some_seeds_only() {
    let drained = |seed| {
        let (mut aws, blue, ..) = balanced();
        register(&mut aws, &blue, "10.0.0.1", 80).unwrap();
        aws.reseed(seed);
        deregister(&mut aws, &blue, "10.0.0.1", 80).as_secs()
    };
    let seconds: Vec<u64> = (0..20).map(drained).collect();

    assert!(
        seconds.contains(&60) && seconds.iter().any(|seconds| *seconds < 60),
        "{seconds:?}"
    );
}
