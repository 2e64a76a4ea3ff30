//! When a deployment fails, and for which cause.

use super::*;

#[test]
fn a_circuit_breaker_is_distinguished_from_an_external_change() {
    let mut view = steady(OLD);
    view.deployments[0].reason =
        "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1.".to_owned();

    assert!(message(step(Some("ecs-svc/2"), &view)).contains("ECS rolled the deployment back"));

    let mut messaged = steady(OLD);
    messaged.messages = vec![
        "(service web) (deployment ecs-svc/2) deployment failed: tasks failed to start.".to_owned(),
    ];
    assert!(message(step(Some("ecs-svc/2"), &messaged)).contains("tasks failed to start"));
    assert!(message(step(Some("ecs-svc/2"), &steady(OLD))).contains("outside this release"));

    let third = steady("arn:aws:ecs:eu-west-1:111122223333:task-definition/web:9");
    assert!(message(step(None, &third)).contains("web:9"));
}

#[test]
fn a_stalled_rollout_and_a_late_one_fail_with_the_arithmetic() {
    let mut stalled = steady(NEW);
    stalled.deployments[0].rollout = Rollout::Failed;

    assert!(message(step(Some("ecs-svc/1"), &stalled)).contains("the rollout failed: "));

    let mut late = steady(NEW);
    late.running = 1;
    let change = Change {
        deployment: Some("ecs-svc/1".to_owned()),
        ..goal(NEW).change
    };
    let step = next_step(
        &goal(NEW),
        &DeployContext {
            announced: Some(&change),
            before: before(OLD),
            view: &late,
            elapsed: Duration::from_secs(1_900),
            since_change: None,
        },
    );

    assert!(
        message(step).contains("not steady after 31m40s (deadline 30m00s): 1 of 2 tasks running")
    );
}

#[test]
fn a_service_that_is_not_active_or_has_no_deployment_is_not_deployed_to() {
    for status in ["DRAINING", "INACTIVE"] {
        let view = ServiceView {
            status: status.to_owned(),
            ..steady(OLD)
        };
        fails(
            step(None, &view),
            StepFailureCause::Precondition,
            &[
                &format!("the service is {status}"),
                "has no deployment to replace",
            ],
        );
    }

    let view = ServiceView {
        deployments: Vec::new(),
        ..steady(OLD)
    };
    fails(
        step(None, &view),
        StepFailureCause::Precondition,
        &["the service is ACTIVE and has no deployment to replace"],
    );
}

#[test]
fn a_deployment_that_ecs_rolled_back_fails_with_its_reason() {
    let because = |mut view: ServiceView, reason: &str, failed_tasks| {
        let ours = view.deployments.last_mut().expect("two deployments");
        ours.reason = reason.to_owned();
        ours.failed_tasks = failed_tasks;
        view
    };

    let words = because(
        went_back(Rollout::Failed),
        "tasks failed container health checks",
        0,
    );

    for id in ["", "ecs-svc/2"] {
        let expected =
            "ECS rolled the deployment back to web:1: tasks failed container health checks";
        fails(
            step(Some(id), &words),
            StepFailureCause::Rollout,
            &[expected],
        );
    }

    let counted = because(went_back(Rollout::Failed), "", 3);
    fails(
        step(Some("ecs-svc/2"), &counted),
        StepFailureCause::Rollout,
        &["rolled the deployment back to web:1: 3 tasks failed to start"],
    );
}

#[test]
fn only_the_message_of_its_own_failed_deployment_explains_a_return() {
    let ours = "(service web) (deployment ecs-svc/2) deployment failed: tasks failed to start.";
    fails(
        step(Some("ecs-svc/2"), &saying(ours)),
        StepFailureCause::Rollout,
        &["rolled the deployment back to web:1", ours],
    );

    // The id is not written down yet, but the deployment is still there.
    let unnamed = ServiceView {
        messages: vec![ours.to_owned()],
        ..went_back(Rollout::InProgress)
    };
    fails(
        step(Some(""), &unnamed),
        StepFailureCause::Rollout,
        &["rolled the deployment back to web:1", ours],
    );

    for other in [
        "(service web) (deployment ecs-svc/7) deployment failed: tasks failed to start.",
        "(service web) (deployment ecs-svc/2) has reached a steady state.",
    ] {
        fails(
            step(Some("ecs-svc/2"), &saying(other)),
            StepFailureCause::Overridden,
            &[
                "overridden",
                "web:1 was deployed outside this release (ecs-svc/1)",
            ],
        );
    }

    fails(
        step(Some("ecs-svc/2"), &went_back(Rollout::InProgress)),
        StepFailureCause::Overridden,
        &[
            "overridden",
            "web:1 was deployed outside this release (ecs-svc/1)",
        ],
    );
}

#[test]
fn a_rollout_that_failed_in_place_fails_with_its_reason() {
    let mut stalled = steady(NEW);
    stalled.deployments[0] = DeploymentView {
        reason: "tasks failed to start".to_owned(),
        ..deployment("ecs-svc/1", NEW, true, Rollout::Failed)
    };

    fails(
        step(Some("ecs-svc/1"), &stalled),
        StepFailureCause::Rollout,
        &["the rollout failed", ": tasks failed to start"],
    );

    stalled.deployments[0].reason.clear();
    stalled.deployments[0].failed_tasks = 4;
    fails(
        step(Some("ecs-svc/1"), &stalled),
        StepFailureCause::Rollout,
        &[": 4 tasks failed to start"],
    );
}

#[test]
fn the_deadline_is_met_to_the_second_and_a_steady_service_is_never_late() {
    let change = Change {
        deployment: Some("ecs-svc/1".to_owned()),
        ..goal(NEW).change
    };
    let at = |view: &ServiceView, secs| {
        next_step(
            &goal(NEW),
            &DeployContext {
                announced: Some(&change),
                before: before(OLD),
                view,
                elapsed: Duration::from_secs(secs),
                since_change: None,
            },
        )
    };

    let mut late = steady(NEW);
    late.running = 1;
    late.messages = vec![
        "(service web) was unable to place a task.".to_owned(),
        "an older one".to_owned(),
    ];

    assert!(matches!(at(&late, 1_799), DeployStep::Wait { .. }));

    let message = "not steady after 30m00s (deadline 30m00s): 1 of 2 tasks running; newest \
        message: (service web) was unable to place a task.";
    let failure = Failure {
        kind: FailureType::JobFailed,
        cause: None,
        message: message.to_owned(),
    };

    assert_eq!(
        at(&late, 1_800),
        DeployStep::Fail {
            failure,
            cause: StepFailureCause::Rollout,
        }
    );
    assert_eq!(
        at(&steady(NEW), 9_000),
        DeployStep::Done {
            summary: "web:2 runs 2 of 2 tasks, steady".to_owned()
        }
    );
}

#[test]
fn an_announced_change_that_left_no_trace_is_not_made_over_another_revision() {
    fails(
        step(Some(""), &steady(OTHER)),
        StepFailureCause::Overridden,
        &[
            "overridden",
            "web:9 was deployed outside this release (ecs-svc/1)",
            "deploying web:2",
        ],
    );
}
