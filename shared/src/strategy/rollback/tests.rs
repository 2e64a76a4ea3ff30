use super::*;
use crate::strategy::fixtures::{ENDINGS, at, release_in_place as release};

#[test]
fn a_release_that_changed_nothing_is_only_closed() {
    let step = next_step(&release(false, None), Ending::Stopped, None);
    assert!(matches!(
        step,
        RollbackStep::Close(Conclusion { outcome: Outcome::Failed, reason, .. })
            if reason == "the execution was stopped; nothing had been changed"
    ));

    let grace_left = Some(Duration::from_secs(9));
    assert_eq!(
        next_step(&release(false, None), Ending::Stopped, grace_left),
        RollbackStep::TakeOver
    );

    let waited = next_step(&release(false, Some(at(0))), Ending::Stopped, None);
    assert!(matches!(
        waited,
        RollbackStep::Close(Conclusion {
            outcome: Outcome::Failed,
            ..
        })
    ));
}

#[test]
fn the_lease_is_taken_over_and_the_service_observed_at_once() {
    assert_eq!(
        next_step(&release(true, None), Ending::Failed, None),
        RollbackStep::TakeOver
    );
    let grace_left = Some(Duration::from_secs(60));
    assert_eq!(
        next_step(&release(true, Some(at(0))), Ending::Failed, grace_left),
        RollbackStep::Observe
    );
}

#[test]
fn a_step_can_make_its_change_for_one_time_out_after_the_take_over() {
    let left = |secs| release(true, Some(at(0))).steps_left(at(secs));
    assert_eq!(left(0), Some(Duration::from_secs(60)));
    assert_eq!(left(59), Some(Duration::from_secs(1)));
    assert_eq!(left(60), None);
    assert_eq!(release(true, None).steps_left(at(0)), None);
}

#[test]
fn a_superseded_release_is_left_to_the_newer_one_after_the_grace() {
    assert_eq!(
        next_step(&release(true, None), Ending::Superseded, None),
        RollbackStep::TakeOver
    );

    let untouched = next_step(&release(false, None), Ending::Superseded, None);
    assert!(matches!(
        untouched,
        RollbackStep::Close(Conclusion {
            outcome: Outcome::Superseded,
            ..
        })
    ));
}

/// A release whose execution was seen to have succeeded at `at(0)`.
fn succeeded(changed: bool) -> Release {
    Release {
        succeeded_at: Some(at(0)),
        ..release(changed, None)
    }
}

#[test]
fn a_success_without_finish_release_is_noted_and_observed() {
    let next = |release: &Release| next_step(release, Ending::Succeeded, None);
    for changed in [true, false] {
        assert_eq!(next(&release(changed, None)), RollbackStep::NoteSuccess);
        assert_eq!(next(&succeeded(changed)), RollbackStep::Observe);
    }
}

#[test]
fn an_open_release_is_closed_taken_over_or_observed_by_its_ending() {
    let grace_left = Some(Duration::from_secs(9));
    for ending in ENDINGS {
        let next = |changed, grace_left| next_step(&release(changed, None), ending, grace_left);
        if ending == Ending::Succeeded {
            let next = |changed, grace_left| next_step(&succeeded(changed), ending, grace_left);
            for (changed, grace_left) in [
                (false, None),
                (true, None),
                (false, grace_left),
                (true, grace_left),
            ] {
                assert_eq!(next(changed, grace_left), RollbackStep::Observe);
            }
            continue;
        }
        let outcome = if ending == Ending::Superseded {
            Outcome::Superseded
        } else {
            Outcome::Failed
        };
        let reason = format!(
            "the execution {}; nothing had been changed",
            ending.as_predicate()
        );
        assert_eq!(
            next(false, None),
            RollbackStep::Close(Conclusion::new(outcome, reason))
        );
        assert_eq!(
            next(false, grace_left),
            RollbackStep::TakeOver,
            "{ending:?}: a registration may still land"
        );
        assert_eq!(next(true, None), RollbackStep::TakeOver, "{ending:?}");
    }
}

#[test]
fn a_release_that_was_taken_over_is_observed_or_closed_whatever_the_grace() {
    for ending in ENDINGS {
        let outcome = if ending == Ending::Superseded {
            Outcome::Superseded
        } else {
            Outcome::Failed
        };
        let reason = format!(
            "the execution {}; nothing had been changed",
            ending.as_predicate()
        );
        let closed = RollbackStep::Close(Conclusion::new(outcome, reason));

        for grace_left in [None, Some(Duration::from_secs(9))] {
            let next = |changed| next_step(&release(changed, Some(at(0))), ending, grace_left);
            assert_eq!(next(true), RollbackStep::Observe, "{ending:?}");
            assert_eq!(next(false), closed, "{ending:?}");
        }
    }
}

#[test]
fn a_restoration_that_fails_is_given_up_at_the_deadline_with_its_cause() {
    let denied = StepError::Failed(crate::job::Failure::job("denied"));
    let busy = StepError::Busy("throttled".to_owned());
    let taken_over = release(true, Some(at(0)));
    let after = |secs, error| given_up(&taken_over, Ending::Stopped, error, at(secs));

    assert_eq!(after(3_599, &denied), None);
    let reason = "the execution was stopped; the rollback fails after 1h00m: denied; manual \
                  intervention required";
    assert_eq!(
        after(3_600, &denied),
        Some(Conclusion::needing_operator(reason))
    );
    assert!(after(3_600, &busy).is_some());

    // One that was not taken over has no rollback to give up for a cause that passes.
    let open = release(true, None);
    assert_eq!(given_up(&open, Ending::Succeeded, &busy, at(9_000)), None);
    assert!(given_up(&open, Ending::Succeeded, &denied, at(9_000)).is_some());

    // The deadline of one that succeeded counts from its success, however long it took.
    let late = Release {
        succeeded_at: Some(at(7_000)),
        ..release(true, None)
    };
    let after = |secs| given_up(&late, Ending::Succeeded, &denied, at(secs));
    assert_eq!(after(10_599), None);
    let reason = "the execution succeeded without a finish-release action; the rollback fails \
                  after 1h00m: denied; manual intervention required";
    assert_eq!(after(10_600), Some(Conclusion::needing_operator(reason)));
}

#[test]
fn the_failure_of_a_step_is_the_cause_of_the_closing() {
    let mut failed = release(false, None);
    failed.failure = Some(crate::job::Failure::job("the image is not there"));
    let reason = "the image is not there; nothing had been changed".to_owned();
    let step = next_step(&failed, Ending::Failed, None);

    assert_eq!(
        step,
        RollbackStep::Close(Conclusion::new(Outcome::Failed, reason))
    );
}
