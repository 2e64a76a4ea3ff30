//! When the release is closed, and as what.

use super::*;

/// A release whose execution was seen to have succeeded at `at(0)`.
fn succeeded(changed: bool) -> Release {
    Release {
        succeeded_at: Some(at(0)),
        ..release(changed, None)
    }
}

#[test]
fn a_success_without_finish_release_is_judged_by_the_service() {
    let outcome = |changed, view: &ServiceView| match restored(
        &succeeded(changed),
        Ending::Succeeded,
        view,
        at(900),
    ) {
        Restoration::Close(Conclusion { outcome, .. }) => outcome,
        other => panic!("{other:?} closes nothing"),
    };

    assert_eq!(outcome(true, &steady(NEW)), Outcome::Deployed);
    assert_eq!(outcome(true, &steady(OLD)), Outcome::Failed);
    assert_eq!(outcome(false, &steady(OLD)), Outcome::Unchanged);
}

#[test]
fn the_prior_release_is_restored_then_proven() {
    let release = release(true, Some(at(0)));
    let next = |view: &ServiceView, secs| restored(&release, Ending::Failed, view, at(secs));
    let percentages = prior().percentages;

    assert_eq!(next(&steady(NEW), 60), restores(percentages));

    let mut starting = steady(OLD);
    starting.running = 1;
    assert!(matches!(next(&starting, 120), Restoration::Wait(_)));
    assert!(matches!(
        next(&steady(OLD), 180),
        Restoration::Close(Conclusion {
            outcome: Outcome::RolledBack,
            ..
        })
    ));
    assert!(matches!(
        next(&starting, 3_700),
        Restoration::Close(Conclusion {
            outcome: Outcome::Failed,
            needs_operator: true,
            reason,
            restart: None,
            ..
        }) if reason.contains("is not steady after")
    ));
}

#[test]
fn an_external_deployment_is_left_alone() {
    let third = steady("arn:aws:ecs:eu-west-1:111122223333:task-definition/web:9");
    let step = restored(&release(true, Some(at(0))), Ending::Failed, &third, at(60));
    let left = |reason: &str| reason.contains("web:9 was deployed outside this release");

    assert!(matches!(
        step,
        Restoration::Close(Conclusion { outcome: Outcome::Superseded, reason, .. })
            if left(&reason)
    ));
}

#[test]
fn a_superseded_release_restores_nothing_whatever_the_service_runs() {
    for view in [
        steady(OLD),
        steady(NEW),
        ServiceView {
            desired: 0,
            ..steady(NEW)
        },
    ] {
        let step = restored(
            &release(true, Some(at(0))),
            Ending::Superseded,
            &view,
            at(60),
        );
        let reason =
            "the execution was superseded by a newer one; the newer one replaces what this one \
             deployed"
                .to_owned();
        assert_eq!(
            step,
            Restoration::Close(Conclusion::new(Outcome::Superseded, reason))
        );
    }
}

#[test]
fn a_success_without_finish_release_is_recorded_with_what_the_service_runs() {
    let cause = "the execution succeeded without a finish-release action";
    let of = |changed, view: &ServiceView| {
        restored(&succeeded(changed), Ending::Succeeded, view, at(900))
    };
    let runs = |outcome, revision: &str| {
        let reason = format!("{cause}; the service runs {revision} on 2 of 2 tasks");
        Restoration::Close(Conclusion::new(outcome, reason))
    };

    assert_eq!(of(true, &steady(NEW)), runs(Outcome::Deployed, "web:2"));
    assert_eq!(of(false, &steady(OLD)), runs(Outcome::Unchanged, "web:1"));

    let mut unsteady = steady(NEW);
    unsteady.running = 1;
    let reason =
        format!("{cause}, and the service is not steady within 15m00s: 1 of 2 tasks running");
    assert_eq!(
        of(true, &unsteady),
        Restoration::Close(Conclusion::new(Outcome::Failed, reason))
    );

    let mut stopped = steady(NEW);
    stopped.desired = 0;
    stopped.running = 0;
    stopped.deployments[0].running = 0;
    let reason = format!(
        "{cause}, and the service is not steady within 15m00s: desired count is 0, expected 1 or \
         more"
    );
    assert_eq!(
        of(true, &stopped),
        Restoration::Close(Conclusion::new(Outcome::Failed, reason))
    );

    // Once it was taken over, a success does not count any more.
    let taken_over = restored(
        &release(true, Some(at(0))),
        Ending::Succeeded,
        &steady(NEW),
        at(60),
    );

    assert_eq!(taken_over, restores(prior().percentages));
}

#[test]
fn a_success_without_finish_release_is_observed_again_until_its_deadline() {
    let after =
        |secs, view: &ServiceView| restored(&succeeded(true), Ending::Succeeded, view, at(secs));
    let mut unsteady = steady(NEW);
    unsteady.running = 1;
    let wait = |passed: &str| {
        Restoration::Wait(format!(
            "the execution succeeded without a finish-release action, and the service is not \
             steady: 1 of 2 tasks running; {passed} of 15m00s"
        ))
    };

    assert_eq!(after(0, &unsteady), wait("0s"));
    assert_eq!(after(899, &unsteady), wait("14m59s"));
    assert!(matches!(
        after(900, &unsteady),
        Restoration::Close(Conclusion {
            outcome: Outcome::Failed,
            needs_operator: false,
            ..
        })
    ));
    for secs in [0, 899, 9_000] {
        assert!(matches!(
            after(secs, &steady(NEW)),
            Restoration::Close(Conclusion {
                outcome: Outcome::Deployed,
                ..
            })
        ));
    }

    // One whose success is not noted has just been seen.
    let unnoted = restored(
        &release(true, None),
        Ending::Succeeded,
        &unsteady,
        at(9_000),
    );
    assert_eq!(unnoted, wait("0s"));
}

#[test]
fn a_restoration_is_abandoned_at_its_deadline_and_not_a_second_before() {
    let next = |view: &ServiceView, secs| {
        restored(&release(true, Some(at(0))), Ending::Stopped, view, at(secs))
    };

    let mut starting = steady(OLD);
    starting.running = 1;

    assert_eq!(
        next(&starting, 3_599),
        Restoration::Wait("restoring web:1: 1 of 2 tasks running".to_owned())
    );

    let Restoration::Close(Conclusion {
        outcome: Outcome::Failed,
        reason,
        needs_operator: true,
        restart: None,
        ..
    }) = next(&starting, 3_600)
    else {
        panic!("goes on")
    };

    for part in [
        "the execution was stopped; ",
        "web:1 is not steady after 1h00m: 1 of 2 tasks running",
    ] {
        assert!(reason.contains(part), "{reason}");
    }

    assert!(matches!(
        next(&steady(OLD), 9_000),
        Restoration::Close(Conclusion {
            outcome: Outcome::RolledBack,
            ..
        })
    ));

    // A release that was not taken over is never late.
    let undated = restored(&release(true, None), Ending::Stopped, &starting, at(9_000));
    assert!(matches!(undated, Restoration::Wait(_)));
}

#[test]
fn an_external_deployment_is_named_with_the_cause_and_stays_even_when_it_is_not_steady() {
    let mut third = steady("arn:aws:ecs:eu-west-1:111122223333:task-definition/web:9");
    third.running = 1;
    let step = restored(&release(true, Some(at(0))), Ending::Stopped, &third, at(60));
    let Restoration::Close(Conclusion {
        outcome: Outcome::Superseded,
        reason,
        ..
    }) = step
    else {
        panic!("{step:?}")
    };

    assert!(
        reason.starts_with("the execution was stopped; ")
            && reason.contains("web:9 was deployed outside this release"),
        "{reason}"
    );

    // At the deadline nothing is restored, which another deployment does not change.
    let release = release(true, Some(at(0)));
    let late = restored(&release, Ending::Stopped, &third, at(3_600));
    assert!(
        matches!(
            late,
            Restoration::Close(Conclusion {
                outcome: Outcome::Failed,
                needs_operator: true,
                ..
            })
        ),
        "{late:?}"
    );
}

#[test]
fn what_an_operator_stopped_is_withdrawn_unless_a_step_had_failed() {
    let withdrawn = |release: &Release, ending| {
        let step = restored(release, ending, &steady(OLD), at(60));
        let Restoration::Close(conclusion) = step else {
            panic!("{step:?} closes nothing")
        };
        assert_eq!(conclusion.outcome, Outcome::RolledBack);
        conclusion.withdrawn
    };
    let sound = release(true, None);
    assert!(withdrawn(&sound, Ending::Stopped));
    for ending in [Ending::Failed, Ending::Canceled] {
        assert!(!withdrawn(&sound, ending), "{ending:?}");
    }

    let mut failed = release(true, None);
    failed.failure = Some(crate::job::Failure::job("the image is not there"));
    assert!(!withdrawn(&failed, Ending::Stopped));
}

#[test]
fn the_failure_of_a_step_is_the_cause_of_the_rollback() {
    let mut failed = release(true, None);
    failed.failure = Some(crate::job::Failure::job("the image is not there"));
    let reason = "the image is not there; web:1 serves again with 2 of 2 tasks".to_owned();
    let step = restored(&failed, Ending::Failed, &steady(OLD), at(60));

    assert_eq!(
        step,
        Restoration::Close(Conclusion::new(Outcome::RolledBack, reason))
    );
}

#[test]
fn a_superseded_release_is_closed_for_the_newer_one() {
    let step = restored(
        &release(true, Some(at(0))),
        Ending::Superseded,
        &steady(NEW),
        at(60),
    );

    assert!(matches!(
        step,
        Restoration::Close(Conclusion {
            outcome: Outcome::Superseded,
            ..
        })
    ));
}
