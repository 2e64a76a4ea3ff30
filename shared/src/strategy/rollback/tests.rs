use super::*;
use crate::observed::service::tests::{NEW, OLD, steady};
use crate::release::{Change, Phase, Target};

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_767_603_600 + secs).expect("in range")
}

fn prior() -> PriorService {
    PriorService::from_view(&steady(OLD)).expect("a PRIMARY deployment")
}

fn release(changed: bool, rolling_back_since: Option<Timestamp>) -> Release {
    let change = Change {
        task_definition: NEW.to_owned(),
        percentages: prior().percentages,
        desired_count: None,
        deployment: None,
    };
    let target = Target::Service(Box::new(ServiceTarget {
        prior: prior(),
        change: changed.then_some(change),
    }));
    let phase = match rolling_back_since {
        None => Phase::Open(target),
        Some(since) => Phase::RollingBack {
            since,
            target: Some(target),
        },
    };
    Release {
        phase,
        ..Release::begin("e-1", "slipway-web", None, at(0))
    }
}

fn service(release: &Release) -> &ServiceTarget {
    match release.target() {
        Some(Target::Service(service)) => service,
        other => panic!("{other:?} is not a service"),
    }
}

fn change_of(release: &mut Release) -> &mut Change {
    let (Phase::Open(target)
    | Phase::RollingBack {
        target: Some(target),
        ..
    }) = &mut release.phase
    else {
        panic!("nothing is recorded")
    };
    let Target::Service(service) = target else {
        panic!("not a service")
    };
    service.change.as_mut().expect("changed")
}

fn restored(release: &Release, ending: Ending, view: &ServiceView, now: Timestamp) -> Restoration {
    restoration(release, service(release), ending, view, now)
}

fn count_of(release: &Release, view: &ServiceView) -> Option<u32> {
    restored_count(service(release), view)
}

#[test]
fn a_release_that_changed_nothing_is_only_closed() {
    let step = next_step(&release(false, None), Ending::Stopped, None, at(9));
    assert!(
        matches!(step, Step::Close { outcome: Outcome::Failed, reason } if reason == "the execution was stopped; nothing had been changed")
    );
    let settling = Some(Duration::from_secs(9));
    assert_eq!(
        next_step(&release(false, None), Ending::Stopped, settling, at(9)),
        Step::TakeOver
    );
    let waited = next_step(&release(false, Some(at(0))), Ending::Stopped, None, at(60));
    assert!(matches!(
        waited,
        Step::Close {
            outcome: Outcome::Failed,
            ..
        }
    ));
}

#[test]
fn the_lease_is_taken_over_and_one_time_out_passes_first() {
    assert_eq!(
        next_step(&release(true, None), Ending::Failed, None, at(9)),
        Step::TakeOver
    );
    assert!(matches!(
        next_step(&release(true, Some(at(0))), Ending::Failed, None, at(59)),
        Step::Wait(_)
    ));
    assert_eq!(
        next_step(&release(true, Some(at(0))), Ending::Failed, None, at(60)),
        Step::Look
    );
}

#[test]
fn a_superseded_release_is_left_to_the_newer_one_once_no_step_acts_for_it() {
    assert_eq!(
        next_step(&release(true, None), Ending::Superseded, None, at(9)),
        Step::TakeOver
    );
    let step = restored(
        &release(true, Some(at(0))),
        Ending::Superseded,
        &steady(NEW),
        at(60),
    );
    assert!(matches!(
        step,
        Restoration::Close {
            outcome: Outcome::Superseded,
            ..
        }
    ));
    let untouched = next_step(&release(false, None), Ending::Superseded, None, at(9));
    assert!(matches!(
        untouched,
        Step::Close {
            outcome: Outcome::Superseded,
            ..
        }
    ));
}

#[test]
fn a_success_without_finish_release_is_judged_by_the_service() {
    assert_eq!(
        next_step(&release(true, None), Ending::Succeeded, None, at(9)),
        Step::Look
    );
    let outcome = |changed, view: &ServiceView| match restored(
        &release(changed, None),
        Ending::Succeeded,
        view,
        at(9),
    ) {
        Restoration::Close { outcome, .. } => outcome,
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
    assert_eq!(next(&steady(NEW), 60), Restoration::Apply { percentages });
    let mut starting = steady(OLD);
    starting.running = 1;
    assert!(matches!(next(&starting, 120), Restoration::Wait(_)));
    assert!(matches!(
        next(&steady(OLD), 180),
        Restoration::Close {
            outcome: Outcome::RolledBack,
            ..
        }
    ));
    assert!(
        matches!(next(&starting, 3_700), Restoration::GiveUp { reason } if reason.contains("is not steady after"))
    );
}

#[test]
fn what_was_promised_holds_on_the_way_back_and_is_undone_at_its_end() {
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
    assert_eq!(
        next(&steady(NEW)),
        Restoration::Apply {
            percentages: promised
        }
    );
    let mut arrived = ServiceView {
        percentages: promised,
        ..steady(OLD)
    };
    assert_eq!(next(&arrived), Restoration::Apply { percentages: own });
    arrived.running = 1;
    assert!(matches!(next(&arrived), Restoration::Wait(_)));
    change_of(&mut release).percentages = Percentages {
        minimum_healthy: 80,
        maximum: 100,
    };
    assert_eq!(
        restored(&release, Ending::Failed, &steady(NEW), at(60)),
        Restoration::Apply { percentages: own },
        "two tasks at 80 % to 100 % could never move"
    );
}

#[test]
fn what_was_deployed_outside_the_release_is_left_alone() {
    let third = steady("arn:aws:ecs:eu-west-1:111122223333:task-definition/web:9");
    let step = restored(&release(true, Some(at(0))), Ending::Failed, &third, at(60));
    let left = |reason: &str| reason.contains("web:9 was deployed outside this release");
    assert!(
        matches!(step, Restoration::Close { outcome: Outcome::Superseded, reason } if left(&reason))
    );
}

#[test]
fn counts_are_restored_at_least() {
    let mut fewer = steady(OLD);
    (fewer.desired, fewer.running) = (1, 1);
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

const ENDINGS: [Ending; 5] = [
    Ending::Failed,
    Ending::Stopped,
    Ending::Canceled,
    Ending::Superseded,
    Ending::Succeeded,
];

#[test]
fn every_status_of_an_execution_has_its_ending() {
    let words = [
        ("Failed", Some(Ending::Failed)),
        ("STOPPED", Some(Ending::Stopped)),
        ("CANCELED", Some(Ending::Canceled)),
        ("Cancelled", Some(Ending::Canceled)),
        ("Superseded", Some(Ending::Superseded)),
        ("Succeeded", Some(Ending::Succeeded)),
        ("STARTED", None),
        ("RESUMED", None),
        ("InProgress", None),
        ("Stopping", None),
    ];
    for (word, ending) in words {
        assert_eq!(Ending::of_status(word), Ok(ending), "{word}");
    }
    assert!(
        Ending::of_status("Paused")
            .expect_err("not known")
            .contains("`PAUSED`")
    );
    let sentences = ENDINGS.map(Ending::word);
    let expected = [
        "failed",
        "was stopped",
        "was canceled",
        "was superseded by a newer one",
    ];
    assert_eq!(sentences[..4], expected);
    assert_eq!(sentences[4], "succeeded without a finish-release action");
}

#[test]
fn an_open_release_is_closed_taken_over_or_looked_at_by_its_ending() {
    let settling = Some(Duration::from_secs(9));
    for ending in ENDINGS {
        let next = |changed, settling| next_step(&release(changed, None), ending, settling, at(9));
        if ending == Ending::Succeeded {
            for (changed, settling) in [
                (false, None),
                (true, None),
                (false, settling),
                (true, settling),
            ] {
                assert_eq!(next(changed, settling), Step::Look);
            }
            continue;
        }
        let outcome = if ending == Ending::Superseded {
            Outcome::Superseded
        } else {
            Outcome::Failed
        };
        let reason = format!("the execution {}; nothing had been changed", ending.word());
        assert_eq!(next(false, None), Step::Close { outcome, reason });
        assert_eq!(
            next(false, settling),
            Step::TakeOver,
            "{ending:?}: a registration may still land"
        );
        assert_eq!(next(true, None), Step::TakeOver, "{ending:?}");
    }
}

#[test]
fn a_release_that_was_taken_over_is_looked_at_when_no_invocation_can_act_for_it() {
    for ending in ENDINGS {
        for changed in [false, true] {
            let next = |secs| next_step(&release(changed, Some(at(0))), ending, None, at(secs));
            let Step::Wait(summary) = next(59) else {
                panic!("{ending:?}: does not wait")
            };
            assert!(summary.contains("59s of 1m00s"), "{summary}");
            let outcome = if ending == Ending::Superseded {
                Outcome::Superseded
            } else {
                Outcome::Failed
            };
            let reason = format!("the execution {}; nothing had been changed", ending.word());
            let expected = if changed {
                Step::Look
            } else {
                Step::Close { outcome, reason }
            };
            assert_eq!(next(60), expected, "{ending:?}");
        }
    }
}

#[test]
fn what_a_step_failed_with_is_the_cause_of_the_end() {
    let mut failed = release(false, None);
    failed.failure = Some(crate::job::Failure::job("the image is not there"));
    let reason = "the image is not there; nothing had been changed".to_owned();
    let step = next_step(&failed, Ending::Failed, None, at(9));
    assert_eq!(
        step,
        Step::Close {
            outcome: Outcome::Failed,
            reason
        }
    );
    failed.phase = release(true, None).phase;
    let reason = "the image is not there; web:1 serves again with 2 of 2 tasks".to_owned();
    let step = restored(&failed, Ending::Failed, &steady(OLD), at(60));
    assert_eq!(
        step,
        Restoration::Close {
            outcome: Outcome::RolledBack,
            reason
        }
    );
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
            "the execution was superseded by a newer one; the newer one replaces what this one deployed".to_owned();
        assert_eq!(
            step,
            Restoration::Close {
                outcome: Outcome::Superseded,
                reason
            }
        );
    }
}

#[test]
fn a_success_without_finish_release_is_recorded_with_what_the_service_runs() {
    let cause = "the execution succeeded without a finish-release action";
    let of = |changed, view: &ServiceView| {
        restored(&release(changed, None), Ending::Succeeded, view, at(9))
    };
    let runs = |outcome, revision: &str| Restoration::Close {
        outcome,
        reason: format!("{cause}; the service runs {revision} on 2 of 2 tasks"),
    };
    assert_eq!(of(true, &steady(NEW)), runs(Outcome::Deployed, "web:2"));
    assert_eq!(of(false, &steady(OLD)), runs(Outcome::Unchanged, "web:1"));
    let mut unsteady = steady(NEW);
    unsteady.running = 1;
    let reason = format!("{cause}, and the service is not steady: 1 of 2 tasks running");
    assert_eq!(
        of(true, &unsteady),
        Restoration::Close {
            outcome: Outcome::Failed,
            reason
        }
    );
    // Once it was taken over, a success does not count any more.
    let taken_over = restored(
        &release(true, Some(at(0))),
        Ending::Succeeded,
        &steady(NEW),
        at(60),
    );
    assert_eq!(
        taken_over,
        Restoration::Apply {
            percentages: prior().percentages
        }
    );
}

#[test]
fn a_restoration_is_given_up_at_its_deadline_and_not_a_second_before() {
    let next = |view: &ServiceView, secs| {
        restored(&release(true, Some(at(0))), Ending::Stopped, view, at(secs))
    };
    let mut starting = steady(OLD);
    starting.running = 1;
    assert_eq!(
        next(&starting, 3_599),
        Restoration::Wait("restoring web:1: 1 of 2 tasks running".to_owned())
    );
    let Restoration::GiveUp { reason } = next(&starting, 3_600) else {
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
        Restoration::Close {
            outcome: Outcome::RolledBack,
            ..
        }
    ));
    // A release that was not taken over is never late.
    let undated = restored(&release(true, None), Ending::Stopped, &starting, at(9_000));
    assert!(matches!(undated, Restoration::Wait(_)));
}

#[test]
fn definition_count_and_percentages_are_each_restored() {
    let own = prior().percentages;
    let next =
        |view: &ServiceView| restored(&release(true, Some(at(0))), Ending::Failed, view, at(60));
    let mut fewer = steady(OLD);
    (fewer.desired, fewer.running, fewer.target_groups[0].healthy) = (1, 1, 1);
    assert_eq!(next(&fewer), Restoration::Apply { percentages: own });
    let mut more = steady(OLD);
    (more.desired, more.running, more.target_groups[0].healthy) = (3, 3, 3);
    let reason = "the execution failed; web:1 serves again with 3 of 3 tasks".to_owned();
    assert_eq!(
        next(&more),
        Restoration::Close {
            outcome: Outcome::RolledBack,
            reason
        }
    );
    let without = ServiceView {
        deployments: Vec::new(),
        ..steady(OLD)
    };
    assert_eq!(next(&without), Restoration::Apply { percentages: own });
    let widened = ServiceView {
        percentages: Percentages {
            minimum_healthy: 100,
            maximum: 150,
        },
        ..steady(OLD)
    };
    assert_eq!(next(&widened), Restoration::Apply { percentages: own });
}

#[test]
fn the_way_back_keeps_the_promise_wherever_it_can_move_a_task() {
    let own = prior().percentages;
    let with = |minimum_healthy, maximum| {
        let mut release = release(true, Some(at(0)));
        change_of(&mut release).percentages = Percentages {
            minimum_healthy,
            maximum,
        };
        match restored(&release, Ending::Failed, &steady(NEW), at(60)) {
            Restoration::Apply { percentages } => {
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
    assert_eq!(unannounced, Restoration::Apply { percentages: own });
}

#[test]
fn a_count_of_others_is_left_alone_and_one_below_the_recorded_is_not() {
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
fn what_others_deployed_is_named_with_the_cause_and_stays_even_when_it_is_not_steady() {
    let mut third = steady("arn:aws:ecs:eu-west-1:111122223333:task-definition/web:9");
    third.running = 1;
    let step = restored(&release(true, Some(at(0))), Ending::Stopped, &third, at(60));
    let Restoration::Close {
        outcome: Outcome::Superseded,
        reason,
    } = step
    else {
        panic!("{step:?}")
    };
    assert!(
        reason.starts_with("the execution was stopped; ")
            && reason.contains("web:9 was deployed outside this release"),
        "{reason}"
    );
}
