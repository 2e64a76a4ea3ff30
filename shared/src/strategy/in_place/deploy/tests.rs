use super::*;
use crate::observed::service::tests::{NEW, OLD, deployment, steady};
use crate::strategy::Percentages;

fn asked(task_definition: &str) -> Asked {
    let percentages = Percentages {
        minimum_healthy: 100,
        maximum: 200,
    };
    let change = Change {
        task_definition: task_definition.to_owned(),
        percentages,
        desired_count: None,
        deployment: None,
    };
    Asked {
        change,
        size: 2,
        deadline: Duration::from_secs(1_800),
    }
}

fn step(change: Option<&str>, view: &ServiceView) -> Step {
    let asked = asked(NEW);
    let change = change.map(|id| Change {
        deployment: (!id.is_empty()).then(|| id.to_owned()),
        ..asked.change.clone()
    });
    next_step(
        &asked,
        change.as_ref(),
        OLD,
        view,
        Duration::from_secs(60),
        None,
    )
}

fn message(step: Step) -> String {
    match step {
        Step::Fail { failure, .. } => failure.message,
        other => panic!("{other:?} is not a failure"),
    }
}

#[test]
fn a_fresh_release_applies_once_and_then_waits() {
    assert_eq!(step(None, &steady(OLD)), Step::Apply);
    let mut view = steady(OLD);
    view.deployments[0].primary = false;
    view.deployments
        .insert(0, deployment("ecs-svc/2", NEW, true, Rollout::InProgress));
    assert_eq!(
        step(Some(""), &view),
        Step::Adopt {
            deployment: "ecs-svc/2".to_owned()
        }
    );
    assert!(matches!(
        step(Some("ecs-svc/2"), &view),
        Step::Wait { percent: 50, .. }
    ));
    assert!(matches!(
        step(Some("ecs-svc/1"), &steady(NEW)),
        Step::Done { .. }
    ));
}

#[test]
fn what_runs_already_is_done_without_a_change() {
    assert!(matches!(step(None, &steady(NEW)), Step::Done { .. }));
}

#[test]
fn an_announced_change_that_left_no_trace_is_made_again() {
    assert_eq!(step(Some(""), &steady(OLD)), Step::Apply);
}

#[test]
fn a_count_that_was_announced_and_never_set_is_set() {
    let mut asked = asked(NEW);
    asked.change.desired_count = Some(5);
    let announced = Some(&asked.change);
    assert_eq!(
        next_step(&asked, announced, NEW, &steady(NEW), Duration::ZERO, None),
        Step::Apply
    );
}

#[test]
fn a_circuit_breaker_is_distinguished_from_an_external_change() {
    let mut view = steady(OLD);
    view.deployments[0].reason =
        "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1.".to_owned();
    assert!(message(step(Some("ecs-svc/2"), &view)).contains("gave the deployment up"));
    let mut known = steady(OLD);
    known.messages = vec![
        "(service web) (deployment ecs-svc/2) deployment failed: tasks failed to start.".to_owned(),
    ];
    assert!(message(step(Some("ecs-svc/2"), &known)).contains("tasks failed to start"));
    assert!(message(step(Some("ecs-svc/2"), &steady(OLD))).contains("outside this release"));
    let third = steady("arn:aws:ecs:eu-west-1:111122223333:task-definition/web:9");
    assert!(message(step(None, &third)).contains("web:9"));
}

#[test]
fn a_stalled_rollout_and_a_late_one_fail_with_the_arithmetic() {
    let mut stalled = steady(NEW);
    stalled.deployments[0].rollout = Rollout::Failed;
    assert!(message(step(Some("ecs-svc/1"), &stalled)).contains("stands still"));
    let mut late = steady(NEW);
    late.running = 1;
    let change = Change {
        deployment: Some("ecs-svc/1".to_owned()),
        ..asked(NEW).change
    };
    let step = next_step(
        &asked(NEW),
        Some(&change),
        OLD,
        &late,
        Duration::from_secs(1_900),
        None,
    );
    assert!(
        message(step).contains("not steady after 31m40s (deadline 30m00s): 1 of 2 tasks running")
    );
}

const OTHER: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:9";

/// `web:2` rolls out as `ecs-svc/2` beside `web:1`, which still serves.
fn rolling() -> ServiceView {
    let mut view = steady(OLD);
    view.deployments[0].primary = false;
    view.deployments.insert(
        0,
        DeploymentView {
            running: 1,
            ..deployment("ecs-svc/2", NEW, true, Rollout::InProgress)
        },
    );
    view
}

/// Amazon ECS went back from `ecs-svc/2`, whose deployment stands as `rollout`, to `web:1`.
fn went_back(rollout: Rollout) -> ServiceView {
    let mut view = steady(OLD);
    view.deployments
        .push(deployment("ecs-svc/2", NEW, false, rollout));
    view
}

fn saying(message: &str) -> ServiceView {
    ServiceView {
        messages: vec![message.to_owned()],
        ..steady(OLD)
    }
}

/// That a step fails as a JobFailed, with or without the stop reasons of tasks, in words that contain all of these.
fn fails(step: Step, rollout: bool, fragments: &[&str]) {
    match step {
        Step::Fail {
            failure,
            rollout: found,
        } => {
            assert_eq!(
                (failure.kind, found),
                (FailureType::JobFailed, rollout),
                "{}",
                failure.message
            );
            assert!(
                fragments.iter().all(|part| failure.message.contains(part)),
                "{}",
                failure.message
            );
        }
        other => panic!("{other:?} is not a failure"),
    }
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
            false,
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
        false,
        &["the service is ACTIVE and has no deployment to replace"],
    );
}

#[test]
fn a_release_that_announced_nothing_deploys_over_what_was_recorded_only() {
    assert_eq!(step(None, &steady(OLD)), Step::Apply);
    let done = Step::Done {
        summary: "web:2 runs 2 of 2 tasks, steady".to_owned(),
    };
    assert_eq!(step(None, &steady(NEW)), done);
    fails(
        step(None, &steady(OTHER)),
        false,
        &[
            "overridden",
            "web:9 was deployed outside this release (ecs-svc/1)",
            "deploying web:2",
        ],
    );
}

#[test]
fn the_same_revision_at_another_count_is_a_change() {
    let with = |count, view: &ServiceView| {
        let mut asked = asked(NEW);
        asked.change.desired_count = Some(count);
        next_step(&asked, None, OLD, view, Duration::ZERO, None)
    };
    assert_eq!(with(5, &steady(NEW)), Step::Apply);
    assert_eq!(
        with(2, &steady(NEW)),
        Step::Done {
            summary: "web:2 runs 2 of 2 tasks, steady".to_owned()
        }
    );
}

#[test]
fn an_announced_count_is_adopted_once_it_is_set() {
    let mut asked = asked(NEW);
    asked.change.desired_count = Some(5);
    let mut set = steady(NEW);
    set.desired = 5;
    let next = |change: Change| next_step(&asked, Some(&change), OLD, &set, Duration::ZERO, None);
    assert_eq!(
        next(asked.change.clone()),
        Step::Adopt {
            deployment: "ecs-svc/1".to_owned()
        }
    );
    let named = Change {
        deployment: Some("ecs-svc/1".to_owned()),
        ..asked.change.clone()
    };
    assert!(matches!(next(named), Step::Wait { .. }));
}

#[test]
fn a_rollout_is_waited_for_with_its_arithmetic() {
    let summary = "web:2: 1 of 2 new tasks running, 2 of 2 targets healthy in web; at least 2 healthy, at most 4 running; 1m00s of 30m00s";
    assert_eq!(
        step(Some("ecs-svc/2"), &rolling()),
        Step::Wait {
            summary: summary.to_owned(),
            percent: 25
        }
    );
}

#[test]
fn what_the_service_lacks_of_the_size_that_was_asked_for_is_waited_for() {
    let larger = Asked {
        size: 3,
        ..asked(NEW)
    };
    let change = Change {
        deployment: Some("ecs-svc/1".to_owned()),
        ..larger.change.clone()
    };
    let next = next_step(
        &larger,
        Some(&change),
        OLD,
        &steady(NEW),
        Duration::ZERO,
        None,
    );
    assert!(matches!(next, Step::Wait { .. }), "{next:?}");
}

#[test]
fn a_deployment_that_amazon_ecs_gave_up_fails_with_the_reason_that_it_gave() {
    let because = |mut view: ServiceView, reason: &str, failed_tasks| {
        let ours = view.deployments.last_mut().expect("two deployments");
        (ours.reason, ours.failed_tasks) = (reason.to_owned(), failed_tasks);
        view
    };
    let words = because(
        went_back(Rollout::Failed),
        "tasks failed container health checks",
        0,
    );
    for id in ["", "ecs-svc/2"] {
        let expected =
            "gave the deployment up and went back to web:1: tasks failed container health checks";
        fails(step(Some(id), &words), true, &[expected]);
    }
    let counted = because(went_back(Rollout::Failed), "", 3);
    fails(
        step(Some("ecs-svc/2"), &counted),
        true,
        &["went back to web:1: 3 tasks failed to start"],
    );
}

#[test]
fn only_the_message_of_its_own_failed_deployment_explains_a_return() {
    let ours = "(service web) (deployment ecs-svc/2) deployment failed: tasks failed to start.";
    fails(
        step(Some("ecs-svc/2"), &saying(ours)),
        true,
        &["went back to web:1", ours],
    );
    // The id is not written down yet, but the deployment is still there.
    let unnamed = ServiceView {
        messages: vec![ours.to_owned()],
        ..went_back(Rollout::InProgress)
    };
    fails(
        step(Some(""), &unnamed),
        true,
        &["went back to web:1", ours],
    );
    for other in [
        "(service web) (deployment ecs-svc/7) deployment failed: tasks failed to start.",
        "(service web) (deployment ecs-svc/2) has reached a steady state.",
    ] {
        fails(
            step(Some("ecs-svc/2"), &saying(other)),
            false,
            &[
                "overridden",
                "web:1 was deployed outside this release (ecs-svc/1)",
            ],
        );
    }
    fails(
        step(Some("ecs-svc/2"), &went_back(Rollout::InProgress)),
        false,
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
        true,
        &["the rollout failed", ": tasks failed to start"],
    );
    stalled.deployments[0].reason.clear();
    stalled.deployments[0].failed_tasks = 4;
    fails(
        step(Some("ecs-svc/1"), &stalled),
        true,
        &[": 4 tasks failed to start"],
    );
}

#[test]
fn the_deadline_is_met_to_the_second_and_a_steady_service_is_never_late() {
    let change = Change {
        deployment: Some("ecs-svc/1".to_owned()),
        ..asked(NEW).change
    };
    let at = |view: &ServiceView, secs| {
        next_step(
            &asked(NEW),
            Some(&change),
            OLD,
            view,
            Duration::from_secs(secs),
            None,
        )
    };
    let mut late = steady(NEW);
    late.running = 1;
    late.messages = vec![
        "(service web) was unable to place a task.".to_owned(),
        "an older one".to_owned(),
    ];
    assert!(matches!(at(&late, 1_799), Step::Wait { .. }));
    let message = "not steady after 30m00s (deadline 30m00s): 1 of 2 tasks running; newest message: (service web) was unable to place a task.";
    let failure = Failure {
        kind: FailureType::JobFailed,
        cause: None,
        message: message.to_owned(),
    };
    assert_eq!(
        at(&late, 1_800),
        Step::Fail {
            failure,
            rollout: true
        }
    );
    assert_eq!(
        at(&steady(NEW), 9_000),
        Step::Done {
            summary: "web:2 runs 2 of 2 tasks, steady".to_owned()
        }
    );
}

#[test]
fn a_deployment_that_does_not_show_yet_is_waited_for_while_the_read_may_be_old() {
    let change = Change {
        deployment: Some("ecs-svc/2".to_owned()),
        ..asked(NEW).change
    };
    let after = |view: &ServiceView, secs: Option<u64>| {
        let changed = secs.map(Duration::from_secs);
        next_step(
            &asked(NEW),
            Some(&change),
            OLD,
            view,
            Duration::from_secs(600),
            changed,
        )
    };
    let summary =
        "waiting for ECS to show the deployment of web:2; it shows web:1 as before".to_owned();
    assert_eq!(
        after(&steady(OLD), Some(299)),
        Step::Wait {
            summary,
            percent: 0
        }
    );
    fails(
        after(&steady(OLD), Some(300)),
        false,
        &[
            "overridden",
            "web:1 was deployed outside this release (ecs-svc/1)",
        ],
    );
    fails(
        after(&steady(OLD), None),
        false,
        &[
            "overridden",
            "web:1 was deployed outside this release (ecs-svc/1)",
        ],
    );
    fails(
        after(&steady(OTHER), Some(0)),
        false,
        &[
            "overridden",
            "web:9 was deployed outside this release (ecs-svc/1)",
        ],
    );
}

#[test]
fn an_announced_change_that_left_no_trace_is_not_made_over_another_revision() {
    fails(
        step(Some(""), &steady(OTHER)),
        false,
        &[
            "overridden",
            "web:9 was deployed outside this release (ecs-svc/1)",
            "deploying web:2",
        ],
    );
}
