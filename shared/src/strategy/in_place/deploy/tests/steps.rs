//! The steps of a deployment that goes well.

use super::*;

#[test]
fn a_fresh_release_applies_once_and_then_waits() {
    assert_eq!(step(None, &steady(OLD)), DeployStep::Apply);

    let mut view = steady(OLD);
    view.deployments[0].primary = false;
    view.deployments
        .insert(0, deployment("ecs-svc/2", NEW, true, Rollout::InProgress));
    assert_eq!(
        step(Some(""), &view),
        DeployStep::Record {
            deployment: "ecs-svc/2".to_owned()
        }
    );
    assert!(matches!(
        step(Some("ecs-svc/2"), &view),
        DeployStep::Wait { percent: 50, .. }
    ));
    assert!(matches!(
        step(Some("ecs-svc/1"), &steady(NEW)),
        DeployStep::Done { .. }
    ));
}

#[test]
fn what_runs_already_is_done_without_a_change() {
    assert!(matches!(step(None, &steady(NEW)), DeployStep::Done { .. }));
}

#[test]
fn an_announced_change_that_left_no_trace_is_made_again() {
    assert_eq!(step(Some(""), &steady(OLD)), DeployStep::Apply);
}

#[test]
fn a_count_that_was_announced_and_never_set_is_set() {
    let mut goal = goal(NEW);
    goal.change.desired_count = Some(5);

    assert_eq!(
        next_step(
            &goal,
            &DeployContext {
                announced: Some(&goal.change),
                before: before(NEW),
                view: &steady(NEW),
                was_seen: false,
                elapsed: Duration::ZERO,
                since_change: None
            }
        ),
        DeployStep::Apply
    );
}

#[test]
fn a_release_that_announced_nothing_deploys_over_what_was_recorded_only() {
    assert_eq!(step(None, &steady(OLD)), DeployStep::Apply);

    let done = DeployStep::Done {
        summary: "web:2 runs 2 of 2 tasks, steady".to_owned(),
    };
    assert_eq!(step(None, &steady(NEW)), done);
    fails(
        step(None, &steady(OTHER)),
        StepFailureCause::Overridden,
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
        let mut goal = goal(NEW);
        goal.change.desired_count = Some(count);
        next_step(
            &goal,
            &DeployContext {
                announced: None,
                before: before(OLD),
                view,
                was_seen: false,
                elapsed: Duration::ZERO,
                since_change: None,
            },
        )
    };

    assert_eq!(with(5, &steady(NEW)), DeployStep::Apply);
    assert_eq!(
        with(2, &steady(NEW)),
        DeployStep::Done {
            summary: "web:2 runs 2 of 2 tasks, steady".to_owned()
        }
    );
}

#[test]
fn an_announced_count_is_recorded_once_it_is_set() {
    let mut goal = goal(NEW);
    goal.change.desired_count = Some(5);
    let mut set = steady(NEW);
    set.desired = 5;
    let next = |change: Change| {
        next_step(
            &goal,
            &DeployContext {
                announced: Some(&change),
                before: before(OLD),
                view: &set,
                was_seen: false,
                elapsed: Duration::ZERO,
                since_change: None,
            },
        )
    };

    assert_eq!(
        next(goal.change.clone()),
        DeployStep::Record {
            deployment: "ecs-svc/1".to_owned()
        }
    );

    let named = Change {
        deployment: Some("ecs-svc/1".to_owned()),
        ..goal.change.clone()
    };
    assert!(matches!(next(named), DeployStep::Wait { .. }));
}

#[test]
fn a_rollout_is_waited_for_with_its_arithmetic() {
    let summary = "web:2: 1 of 2 new tasks running, 2 of 2 targets healthy in web; at least 2 \
        healthy, at most 4 running; 1m00s of 30m00s";
    assert_eq!(
        step(Some("ecs-svc/2"), &rolling()),
        DeployStep::Wait {
            summary: summary.to_owned(),
            percent: 25
        }
    );
}

#[test]
fn tasks_that_have_just_started_are_waited_for_and_named() {
    let mut young = steady(NEW);
    young.proven = 1;
    let summary = "web:2: 2 of 2 new tasks running, 2 of 2 targets healthy in web; at least 2 \
        healthy, at most 4 running; 1 of 2 tasks have run for 1m00s; 1m00s of 31m00s";
    let waits = DeployStep::Wait {
        summary: summary.to_owned(),
        percent: 99,
    };
    assert_eq!(step(Some("ecs-svc/1"), &young), waits);
}

#[test]
fn the_size_of_the_goal_is_waited_for() {
    let larger = DeployGoal {
        size: 3,
        ..goal(NEW)
    };
    let change = Change {
        deployment: Some("ecs-svc/1".to_owned()),
        ..larger.change.clone()
    };
    let next = next_step(
        &larger,
        &DeployContext {
            announced: Some(&change),
            before: before(OLD),
            view: &steady(NEW),
            was_seen: false,
            elapsed: Duration::ZERO,
            since_change: None,
        },
    );

    assert!(matches!(next, DeployStep::Wait { .. }), "{next:?}");
}

#[test]
fn a_deployment_that_does_not_show_yet_is_waited_for_while_the_read_may_be_old() {
    let after = |view: &ServiceView, secs| after("ecs-svc/2", view, 600, secs);

    let waiting = DeployStep::Wait {
        summary: "waiting for ECS to show the deployment of web:2; it shows web:1 as before"
            .to_owned(),
        percent: 0,
    };
    assert_eq!(after(&steady(OLD), Some(299)), waiting);

    for secs in [Some(300), None] {
        fails(
            after(&steady(OLD), secs),
            StepFailureCause::Rollout,
            &["rolled back to web:1 (ecs-svc/1)"],
        );
    }
    fails(
        after(&steady(OTHER), Some(0)),
        StepFailureCause::Overridden,
        &[
            "overridden",
            "web:9 was deployed outside this release (ecs-svc/1)",
        ],
    );
}

#[test]
fn another_deployment_of_the_prior_release_is_no_old_read() {
    let decide = |id: &str| {
        let mut view = steady(OLD);
        view.deployments[0].id = id.to_owned();
        after_found(&found(), &view, 0)
    };

    assert!(matches!(decide("ecs-svc/1"), DeployStep::Wait { .. }));
    let rolled_back = &["rolled back to web:1 (ecs-svc/3)"];
    fails(decide("ecs-svc/3"), StepFailureCause::Rollout, rolled_back);
}

#[test]
fn a_deployment_that_was_seen_or_is_named_was_replaced_and_its_read_is_not_old() {
    let named = |id: &str| {
        saying(&format!(
            "(service web) (deployment {id}) deployment failed: tasks failed to start."
        ))
    };

    for (view, was_seen, waits) in [
        (steady(OLD), false, true),
        (steady(OLD), true, false),
        (named("ecs-svc/2"), false, false),
        (named("ecs-svc/7"), false, true),
        (went_back(Rollout::InProgress), false, false),
    ] {
        let step = after_look(&found(), &view, 0, was_seen);
        if waits {
            assert!(matches!(step, DeployStep::Wait { .. }), "{view:?}");
        } else {
            let rolled_back = &["rolled back to web:1 (ecs-svc/1)"];
            fails(step, StepFailureCause::Rollout, rolled_back);
        }
    }

    // ECS goes back to what was completed. A deployment that had failed is seen by an old read.
    let failed = FoundDeployment {
        task_definition: OTHER.to_owned(),
        failed: true,
        ..found()
    };
    let step = after_look(&failed, &steady(OTHER), 0, true);
    assert!(matches!(step, DeployStep::Wait { .. }), "{step:?}");
}

#[test]
fn a_service_whose_primary_failed_is_released_again() {
    let failed = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:5";
    let mut view = steady(OLD);
    view.deployments[0].primary = false;
    view.deployments
        .insert(0, deployment("ecs-svc/5", failed, true, Rollout::Failed));
    let prior = PriorService::from_view(&view).expect("a PRIMARY deployment");
    assert_eq!(prior.task_definition, OLD);

    let decide = |wanted: &str, announced: Option<&Change>| {
        let context = DeployContext {
            announced,
            before: prior.found(),
            view: &view,
            was_seen: false,
            elapsed: Duration::ZERO,
            since_change: Some(Duration::ZERO),
        };
        next_step(&goal(wanted), &context)
    };

    for wanted in [NEW, OLD, failed] {
        assert_eq!(decide(wanted, None), DeployStep::Apply, "{wanted}");

        let lost = goal(wanted).change;
        assert_eq!(decide(wanted, Some(&lost)), DeployStep::Apply, "{wanted}");
    }

    // The failed deployment that was there before still shows: an old read.
    let made = Change {
        deployment: Some("ecs-svc/6".to_owned()),
        ..goal(failed).change
    };
    assert!(matches!(
        decide(failed, Some(&made)),
        DeployStep::Wait { .. }
    ));
}
