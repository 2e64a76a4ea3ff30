//! When a deployment fails, and for which cause.

use super::*;

#[test]
fn a_prior_release_that_is_deployed_again_is_a_rollback_and_another_revision_is_not() {
    let mut again = steady(OLD);
    again.deployments[0].id = "ecs-svc/3".to_owned();
    fails(
        step(Some("ecs-svc/2"), &again),
        StepFailureCause::Rollout,
        &["rolled back to web:1 (ecs-svc/3), by ECS or outside this release"],
    );

    // So it is while ours is still listed, as after an operator's StopServiceDeployment: also when
    // the id is not written down yet, but the deployment is still there.
    let mut replaced = went_back(Rollout::InProgress);
    replaced.deployments[0].id = "ecs-svc/3".to_owned();
    for id in ["ecs-svc/2", ""] {
        fails(
            step(Some(id), &replaced),
            StepFailureCause::Rollout,
            &["rolled back to web:1 (ecs-svc/3), by ECS or outside this release"],
        );
    }

    let mut other = went_back(Rollout::InProgress);
    other.deployments[0].task_definition = OTHER.to_owned();
    for id in ["ecs-svc/2", ""] {
        fails(
            step(Some(id), &other),
            StepFailureCause::Overridden,
            &["web:9 was deployed outside this release"],
        );
    }

    fails(
        step(Some("ecs-svc/2"), &steady(OTHER)),
        StepFailureCause::Overridden,
        &["web:9 was deployed outside this release"],
    );
    assert!(message(step(None, &steady(OTHER))).contains("web:9"));
}

#[test]
fn ecs_returns_to_the_prior_release_and_not_to_the_failed_deployment_that_was_found() {
    let failed = FoundDeployment {
        task_definition: OTHER.to_owned(),
        deployment: "ecs-svc/0".to_owned(),
        failed: true,
    };
    let change = Change {
        deployment: Some("ecs-svc/2".to_owned()),
        ..goal(NEW).change
    };
    let decide = |view: &ServiceView| {
        let context = DeployContext {
            announced: Some(&change),
            before: Before::new(Some(&failed), OLD),
            view,
            was_seen: false,
            elapsed: Duration::ZERO,
            since_change: None,
        };
        next_step(&goal(NEW), &context)
    };

    let rolled_back = &["rolled back to web:1"];
    fails(decide(&steady(OLD)), StepFailureCause::Rollout, rolled_back);
    let external = &["web:9 was deployed outside this release"];
    fails(
        decide(&steady(OTHER)),
        StepFailureCause::Overridden,
        external,
    );
}

#[test]
fn a_stalled_rollout_and_a_late_one_fail_with_the_arithmetic() {
    let mut stalled = steady(NEW);
    stalled.deployments[0].rollout = Rollout::Failed;

    assert!(message(step(Some("ecs-svc/1"), &stalled)).contains("the rollout failed: "));

    let mut late = steady(NEW);
    late.running = 1;
    let step = after("ecs-svc/1", &late, 1_900, None);

    assert!(
        message(step).contains("not steady after 31m40s (deadline 30m00s): 1 of 2 tasks running")
    );
}

#[test]
fn a_rollout_does_not_wait_for_tasks_that_no_request_reaches() {
    let mut view = steady(NEW);
    view.target_groups[0].healthy = 1;
    view.target_groups[0].unreachable = 1;
    let after = |view: &ServiceView, secs| after("ecs-svc/1", view, secs + 20, Some(secs));

    assert!(matches!(after(&view, 899), DeployStep::Wait { .. }));
    assert_eq!(
        message(after(&view, 900)),
        "not steady after 15m20s (deadline 30m00s): 1 of 2 targets healthy in web, 1 in an \
         Availability Zone that is not enabled for the load balancer"
    );

    view.deployments[0].pending = 1;
    assert!(matches!(after(&view, 900), DeployStep::Wait { .. }));
}

#[test]
fn without_a_dated_change_tasks_that_no_request_reaches_are_waited_for_since_the_action_began() {
    let mut view = steady(NEW);
    view.target_groups[0].healthy = 1;
    view.target_groups[0].unreachable = 1;
    let after = |secs| after("ecs-svc/1", &view, secs, None);

    assert!(matches!(after(899), DeployStep::Wait { .. }));
    let late = "not steady after 15m00s (deadline 30m00s): 1 of 2 targets healthy in web";
    fails(after(900), StepFailureCause::Rollout, &[late]);
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

    // It is not the one that this release made.
    fails(
        step(Some("ecs-svc/9"), &counted),
        StepFailureCause::Rollout,
        &["rolled back to web:1 (ecs-svc/1), by ECS or outside this release"],
    );
}

#[test]
fn a_rollback_is_recognised_by_whatever_id_the_prior_release_is_deployed_again() {
    let found = found();
    let after = |view: &ServiceView, secs| after_found(&found, view, secs);

    for id in ["ecs-svc/1", "ecs-svc/3"] {
        let back = |mut view: ServiceView| {
            view.deployments[0].id = id.to_owned();
            view
        };
        let failed = "ECS rolled the deployment back to web:1";
        fails(
            after(&back(went_back(Rollout::Failed)), 1),
            StepFailureCause::Rollout,
            &[failed],
        );

        let gone = format!("the deployment was rolled back to web:1 ({id})");
        fails(
            after(&back(steady(OLD)), 300),
            StepFailureCause::Rollout,
            &[gone.as_str()],
        );
    }
    // The service as it was before can be an old read, for a while.
    assert!(matches!(after(&steady(OLD), 299), DeployStep::Wait { .. }));
}

#[test]
fn the_newest_message_that_names_the_deployment_explains_its_return() {
    let ours = "(service web) (deployment ecs-svc/2) deployment failed: tasks failed to start.";
    fails(
        step(Some("ecs-svc/2"), &saying(ours)),
        StepFailureCause::Rollout,
        &["rolled back to web:1", "outside this release: ", ours],
    );

    let other = "(service web) (deployment ecs-svc/7) deployment failed: tasks failed to start.";
    let message = message(step(Some("ecs-svc/2"), &saying(other)));
    assert!(
        message.ends_with("by ECS or outside this release"),
        "{message}"
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
