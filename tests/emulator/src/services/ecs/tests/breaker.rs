//! When the circuit breaker of a deployment trips.

use super::rollouts::{deployed, update};
use super::*;

/// The threshold of a service with this circuit breaker, for each desired count.
fn thresholds<const N: usize>(breaker: Value, counts: [u32; N]) -> [u32; N] {
    let world = deployed(1, 1);
    let service = world.aws.ecs.service_named("main", "web");
    let mut service = service.expect("it is there").clone();
    let configuration = json!({ "deploymentCircuitBreaker": breaker });
    service
        .settings
        .insert("deploymentConfiguration".to_owned(), configuration);

    counts.map(|count| {
        service.desired_count = count;
        failure_detection::threshold(&service)
    })
}

#[test]
fn the_threshold_is_half_of_the_desired_count_between_3_and_200() {
    let found = thresholds(json!({"enable": true}), [0, 1, 6, 7, 25, 400, 1000]);
    assert_eq!(found, [3, 3, 3, 4, 13, 200, 200]);
}

#[test]
fn the_threshold_is_a_count_or_a_share_with_and_without_bounds() {
    let breaker = |kind: &str, value: u32| {
        let threshold = json!({"type": kind, "value": value});
        json!({"enable": true, "thresholdConfiguration": threshold})
    };
    let found = |kind: &str, value| thresholds(breaker(kind, value), [0, 1, 7, 25, 1000]);

    assert_eq!(found("BOUNDED_PERCENT", 50), [3, 3, 4, 13, 200]);
    assert_eq!(found("BOUNDED_PERCENT", 100), [3, 3, 7, 25, 200]);
    assert_eq!(found("UNBOUNDED_PERCENT", 50), [1, 1, 4, 13, 500]);
    assert_eq!(found("COUNT", 2), [2; 5]);
    assert_eq!(found("COUNT", 300), [300; 5]);
}

#[test]
fn a_threshold_has_a_known_type_and_a_value() {
    for threshold in [
        json!({"type": "COUNT"}),
        json!({"type": "COUNT", "value": 0}),
        json!({"value": 3}),
        json!({"type": "PERCENT", "value": 50}),
    ] {
        let mut world = deployed(1, 1);
        let breaker = json!({"enable": true, "thresholdConfiguration": threshold});
        let request = json!({
            "cluster": "main", "service": "web",
            "deploymentConfiguration": {"deploymentCircuitBreaker": breaker},
        });
        let refused = world.err("UpdateService", request);
        assert!(
            refused.starts_with("InvalidParameterException"),
            "{refused}"
        );
    }
}

#[test]
fn a_healthy_task_sets_the_count_of_failures_back_unless_the_service_wants_otherwise() {
    for (reset, trips) in [(None, false), (Some(true), false), (Some(false), true)] {
        let mut world = deployed(1, 2);
        let mut breaker = json!({
            "enable": true, "rollback": true,
            "thresholdConfiguration": {"type": "COUNT", "value": 2},
        });
        if let Some(reset) = reset {
            breaker["resetOnHealthyTask"] = json!(reset);
        }
        let configuration = json!({ "deploymentCircuitBreaker": breaker });
        update(&mut world, "deploymentConfiguration", configuration);
        let definition = world.fargate("nginx:2");
        let service = update(&mut world, "taskDefinition", json!(definition));
        let arn = text(&service["serviceArn"]);
        let id = text(&service["deployments"][0]["id"]);

        deployments::note_failure(&mut world.aws, &arn, &id, true);
        deployments::note_success(&mut world.aws, &arn, &id);
        deployments::note_failure(&mut world.aws, &arn, &id, true);

        let service = &world.aws.ecs.services[&arn];
        let mut known = service.deployments.iter();
        let deployment = known.find(|deployment| deployment.id == id);
        let rollout = deployment.expect("it is listed").rollout;
        assert_eq!(rollout == RolloutState::Failed, trips, "{reset:?}");
        assert_eq!(service.history.last().expect("a deployment").threshold, 2);
    }
}
