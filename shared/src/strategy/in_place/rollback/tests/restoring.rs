//! What is restored, and to what.

use super::*;

#[test]
fn counts_are_restored_at_least() {
    let mut fewer = steady(OLD);
    fewer.desired = 1;
    fewer.running = 1;

    assert_eq!(count_of(&release(true, None), &fewer), Some(2));
    assert_eq!(count_of(&release(true, None), &steady(OLD)), None);

    let mut raised = release(true, None);
    change_of(&mut raised).desired_count = Some(5);
    let with = |desired| ServiceView {
        desired,
        ..steady(OLD)
    };

    assert_eq!(
        [with(5), with(7)].map(|view| count_of(&raised, &view)),
        [Some(2), None]
    );
}

#[test]
fn an_external_count_is_left_alone_unless_it_is_below_the_recorded_one() {
    let with = |set, desired| {
        let mut release = release(true, None);
        change_of(&mut release).desired_count = set;
        count_of(
            &release,
            &ServiceView {
                desired,
                ..steady(OLD)
            },
        )
    };

    assert_eq!(
        [with(None, 1), with(None, 2), with(None, 3)],
        [Some(2), None, None]
    );
    assert_eq!(
        [with(Some(5), 1), with(Some(5), 5), with(Some(5), 6)],
        [Some(2), Some(2), None]
    );
    assert_eq!(count_of(&release(false, None), &steady(OLD)), None);
}

#[test]
fn definition_count_and_percentages_are_each_restored() {
    let own = prior().percentages;
    let next =
        |view: &ServiceView| restored(&release(true, Some(at(0))), Ending::Failed, view, at(60));
    let mut fewer = steady(OLD);
    fewer.desired = 1;
    fewer.running = 1;
    fewer.target_groups[0].healthy = 1;

    assert_eq!(next(&fewer), restores(own));

    let mut more = steady(OLD);
    more.desired = 3;
    more.running = 3;
    more.proven = 3;
    more.deployments[0].running = 3;
    more.target_groups[0].healthy = 3;
    let reason = "the execution failed; web:1 serves again with 3 of 3 tasks".to_owned();
    assert_eq!(
        next(&more),
        Restoration::Close(Conclusion::new(Outcome::RolledBack, reason))
    );

    let without = ServiceView {
        deployments: Vec::new(),
        ..steady(OLD)
    };
    assert_eq!(next(&without), restores(own));

    let widened = ServiceView {
        percentages: Percentages {
            minimum_healthy: 100,
            maximum: 150,
        },
        ..steady(OLD)
    };

    assert_eq!(next(&widened), restores(own));
}

#[test]
fn the_rollback_keeps_the_promise_wherever_it_can_move_a_task() {
    let own = prior().percentages;
    let with = |minimum_healthy, maximum| {
        let mut release = release(true, Some(at(0)));
        change_of(&mut release).percentages = Percentages {
            minimum_healthy,
            maximum,
        };
        match restored(&release, Ending::Failed, &steady(NEW), at(60)) {
            Restoration::Apply(ServiceChange::Restore(percentages)) => {
                (percentages.minimum_healthy, percentages.maximum)
            }
            other => panic!("{other:?}"),
        }
    };

    // Two tasks: a floor of one, a ceiling of three, and neither.
    assert_eq!(
        [with(50, 100), with(100, 150), with(100, 149)],
        [(50, 100), (100, 150), (100, 200)]
    );

    let nothing = release(false, Some(at(0)));
    let unannounced = restored(
        &nothing,
        Ending::Failed,
        &ServiceView {
            desired: 1,
            ..steady(OLD)
        },
        at(60),
    );

    assert_eq!(unannounced, restores(own));
}

#[test]
fn a_task_can_move_or_not_at_the_count_that_the_service_will_have() {
    let promised = Percentages {
        minimum_healthy: 80,
        maximum: 100,
    };
    let chosen = |(set, desired)| {
        let mut release = release(true, Some(at(0)));
        let change = change_of(&mut release);
        change.percentages = promised;
        change.desired_count = set;
        let view = ServiceView {
            desired,
            ..steady(NEW)
        };
        restored(&release, Ending::Failed, &view, at(60))
    };

    // One of five tasks can be replaced at a time, and none of the two that were recorded.
    let [tight, own] = [promised, prior().percentages].map(restores);
    assert_eq!(chosen((None, 5)), tight);
    assert_eq!([(Some(5), 5), (None, 1)].map(chosen), [own.clone(), own]);
}

#[test]
fn promised_percentages_hold_during_the_rollback_and_are_restored_at_its_end() {
    let (promised, own) = (
        Percentages {
            minimum_healthy: 75,
            maximum: 150,
        },
        prior().percentages,
    );
    let mut release = release(true, Some(at(0)));

    change_of(&mut release).percentages = promised;
    let next = |view: &ServiceView| restored(&release, Ending::Failed, view, at(60));

    assert_eq!(next(&steady(NEW)), restores(promised));

    let mut arrived = ServiceView {
        percentages: promised,
        ..steady(OLD)
    };
    assert_eq!(next(&arrived), restores(own));

    arrived.running = 1;
    assert!(matches!(next(&arrived), Restoration::Wait(_)));

    // Rebalancing was turned on during the release, and ECS refuses the recorded maximum with it.
    arrived.running = 2;
    arrived.rebalancing = true;
    assert_eq!(next(&arrived), restores(own));
    let mut tight = release.clone();
    prior_of(&mut tight).percentages.maximum = 100;
    assert!(matches!(
        restored(&tight, Ending::Failed, &arrived, at(60)),
        Restoration::Close(_)
    ));

    change_of(&mut release).percentages = Percentages {
        minimum_healthy: 80,
        maximum: 100,
    };
    assert_eq!(
        restored(&release, Ending::Failed, &steady(NEW), at(60)),
        restores(own),
        "two tasks at 80 % to 100 % could never move"
    );
}

#[test]
fn a_rollback_uses_the_first_percentages_that_ecs_takes_and_that_let_a_task_move() {
    let of = |minimum_healthy, maximum| Percentages {
        minimum_healthy,
        maximum,
    };
    let chosen = |promised, recorded, seen| {
        let mut release = release(true, Some(at(0)));
        change_of(&mut release).percentages = promised;
        prior_of(&mut release).percentages = recorded;
        let rebalanced = ServiceView {
            percentages: seen,
            rebalancing: true,
            ..steady(NEW)
        };
        match restored(&release, Ending::Failed, &rebalanced, at(60)) {
            Restoration::Apply(ServiceChange::Restore(percentages)) => percentages,
            other => panic!("{other:?}"),
        }
    };

    // Rebalancing was turned on during the release, and ECS refuses a maximum of 100 % with it.
    let (refused, stuck) = (of(50, 100), of(100, 149));
    assert_eq!(chosen(of(50, 150), refused, of(50, 200)), of(50, 150));
    assert_eq!(chosen(refused, of(100, 200), of(50, 200)), of(100, 200));
    assert_eq!(chosen(refused, refused, of(50, 200)), of(50, 200));
    assert_eq!(chosen(stuck, stuck, of(50, 200)), of(50, 200));

    // None lets a task move.
    assert_eq!(chosen(refused, refused, stuck), stuck);
    assert_eq!(chosen(refused, of(100, 120), stuck), of(100, 120));
}

#[test]
fn a_restoration_whose_deployment_failed_is_made_again() {
    let mut failed = steady(OLD);
    failed.deployments[0].rollout = Rollout::Failed;

    assert_eq!(
        restored(&release(true, Some(at(0))), Ending::Failed, &failed, at(60)),
        restores(prior().percentages)
    );
}

#[test]
fn a_prior_release_that_had_failed_is_deployed_once_and_not_for_an_hour() {
    let mut found = steady(OLD);
    found.deployments[0].rollout = Rollout::Failed;
    let mut release = release(true, Some(at(0)));
    *prior_of(&mut release) = PriorService::from_view(&found).expect("a PRIMARY deployment");
    let next = |id: &str, rollout| {
        let mut view = steady(OLD);
        view.deployments[0].id = id.to_owned();
        view.deployments[0].rollout = rollout;
        restored(&release, Ending::Failed, &view, at(60))
    };

    let Restoration::Close(Conclusion {
        needs_operator: true,
        reason,
        ..
    }) = next("ecs-svc/3", Rollout::Failed)
    else {
        panic!("goes on")
    };
    assert_eq!(
        reason,
        "the execution failed; cannot roll back to web:1: it had failed before this release, and \
         failed again; manual intervention required"
    );

    // As it was found it is deployed again, and it may run this time.
    let again = restores(prior().percentages);
    assert_eq!(next("ecs-svc/1", Rollout::Failed), again);
    assert!(matches!(
        next("ecs-svc/3", Rollout::Completed),
        Restoration::Close(Conclusion {
            outcome: Outcome::RolledBack,
            ..
        })
    ));

    // Another revision had failed: the prior release had run before.
    let found = prior_of(&mut release).found.as_mut().expect("found");
    found.task_definition = NEW.to_owned();
    let mut view = steady(OLD);
    view.deployments[0].id = "ecs-svc/3".to_owned();
    view.deployments[0].rollout = Rollout::Failed;
    let step = restored(&release, Ending::Failed, &view, at(60));
    assert_eq!(step, restores(prior().percentages));
}

#[test]
fn a_prior_release_that_failed_again_is_given_up_with_its_recorded_count_and_percentages() {
    let mut failed = steady(OLD);
    failed.deployments[0].rollout = Rollout::Failed;
    let mut release = release(true, Some(at(0)));
    *prior_of(&mut release) = PriorService {
        early_success: Some(50),
        ..PriorService::from_view(&failed).expect("a PRIMARY deployment")
    };
    failed.deployments[0].id = "ecs-svc/3".to_owned();
    let next = |view: &ServiceView, secs| restored(&release, Ending::Failed, view, at(secs));
    let again = restores(prior().percentages);

    let mut view = failed.clone();
    view.percentages.maximum = 150;
    assert_eq!(next(&view, 60), again);
    assert!(matches!(next(&view, 3_600), Restoration::Close(_)));
    assert!(keeps_definition(&release, service_of(&release), &view));

    let fewer = ServiceView {
        desired: 1,
        ..failed.clone()
    };
    let early = ServiceView {
        early_success: Some(100),
        ..failed.clone()
    };
    assert_eq!(next(&fewer, 60), again);
    assert_eq!(next(&early, 60), again);
    assert!(matches!(next(&failed, 60), Restoration::Close(_)));
}

#[test]
fn a_prior_release_that_served_while_a_forced_deployment_of_it_failed_is_tried_for_an_hour() {
    let mut failed = steady(OLD);
    failed.deployments[0].rollout = Rollout::Failed;
    let mut serving = failed.clone();
    let older = deployment("ecs-svc/0", OLD, false, Rollout::Completed);
    serving.deployments.push(older);

    let mut view = failed.clone();
    view.deployments[0].id = "ecs-svc/3".to_owned();
    for (found, never_ran) in [(failed, true), (serving, false)] {
        let mut release = release(true, Some(at(0)));
        *prior_of(&mut release) = PriorService::from_view(&found).expect("a PRIMARY deployment");

        let step = restored(&release, Ending::Failed, &view, at(60));
        assert_eq!(matches!(step, Restoration::Close(_)), never_ran, "{step:?}");
    }
}

#[test]
fn a_read_that_may_be_older_than_the_release_proves_nothing() {
    let mut release = release(true, Some(at(0)));
    change_of(&mut release).deployment = Some("ecs-svc/2".to_owned());
    let as_before = |id: &str, secs| {
        let mut view = steady(OLD);
        view.observed_at = at(secs);
        view.deployments[0].id = id.to_owned();
        view
    };
    let next = |view: &ServiceView| restored(&release, Ending::Stopped, view, view.observed_at);
    let closes = |view: &ServiceView| matches!(next(view), Restoration::Close(_));
    let again = restores(prior().percentages);

    assert_eq!(next(&as_before("ecs-svc/1", 0)), again);
    assert_eq!(next(&as_before("ecs-svc/1", 299)), again);
    assert!(closes(&as_before("ecs-svc/1", 300)));

    // The rollback's own deployment shows that the read is newer.
    assert!(closes(&as_before("ecs-svc/3", 60)));

    // ECS rolled back by itself, under the earlier id.
    let mut view = as_before("ecs-svc/1", 60);
    view.messages = vec!["(service web) (deployment ecs-svc/2) deployment failed.".to_owned()];
    assert!(closes(&view));
    view.messages.clear();
    let failed = deployment("ecs-svc/2", NEW, false, Rollout::Failed);
    view.deployments.push(failed);
    assert!(matches!(next(&view), Restoration::Wait(_)));

    // A release that only changed the count has the earlier deployment.
    change_of(&mut release).deployment = Some("ecs-svc/1".to_owned());
    let view = as_before("ecs-svc/1", 60);
    let step = restored(&release, Ending::Stopped, &view, at(60));
    assert!(matches!(step, Restoration::Close(_)));
}

#[test]
fn early_success_is_restored_unless_it_was_switched_meanwhile() {
    let closes = |recorded, seen| {
        let mut release = release(true, Some(at(0)));
        prior_of(&mut release).early_success = recorded;
        let view = ServiceView {
            early_success: seen,
            ..steady(OLD)
        };
        matches!(
            restored(&release, Ending::Failed, &view, at(60)),
            Restoration::Close(_)
        )
    };

    assert!(!closes(Some(50), Some(100)));
    assert!(closes(Some(50), Some(50)));
    assert!(closes(None, Some(50)) && closes(Some(50), None));
}
