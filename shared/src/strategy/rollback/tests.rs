use super::*;
use crate::strategy::fixtures::{at, release_in_place as release};

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
        assert_eq!(Ending::from_status(word), Ok(ending), "{word}");
    }

    assert!(
        Ending::from_status("Paused")
            .expect_err("not known")
            .contains("`PAUSED`")
    );

    let sentences = ENDINGS.map(Ending::as_predicate);
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
fn a_release_that_changed_nothing_is_only_closed() {
    let step = next_step(&release(false, None), Ending::Stopped, None, at(9));
    assert!(matches!(
        step,
        RollbackStep::Close(Conclusion { outcome: Outcome::Failed, reason, .. })
            if reason == "the execution was stopped; nothing had been changed"
    ));

    let grace_left = Some(Duration::from_secs(9));
    assert_eq!(
        next_step(&release(false, None), Ending::Stopped, grace_left, at(9)),
        RollbackStep::TakeOver
    );

    let waited = next_step(&release(false, Some(at(0))), Ending::Stopped, None, at(60));
    assert!(matches!(
        waited,
        RollbackStep::Close(Conclusion {
            outcome: Outcome::Failed,
            ..
        })
    ));
}

#[test]
fn the_lease_is_taken_over_and_one_time_out_passes_first() {
    assert_eq!(
        next_step(&release(true, None), Ending::Failed, None, at(9)),
        RollbackStep::TakeOver
    );
    assert!(matches!(
        next_step(&release(true, Some(at(0))), Ending::Failed, None, at(59)),
        RollbackStep::Wait(_)
    ));
    assert_eq!(
        next_step(&release(true, Some(at(0))), Ending::Failed, None, at(60)),
        RollbackStep::Observe
    );
}

#[test]
fn a_superseded_release_is_left_to_the_newer_one_after_the_grace() {
    assert_eq!(
        next_step(&release(true, None), Ending::Superseded, None, at(9)),
        RollbackStep::TakeOver
    );

    let untouched = next_step(&release(false, None), Ending::Superseded, None, at(9));
    assert!(matches!(
        untouched,
        RollbackStep::Close(Conclusion {
            outcome: Outcome::Superseded,
            ..
        })
    ));
}

#[test]
fn a_success_without_finish_release_is_observed() {
    assert_eq!(
        next_step(&release(true, None), Ending::Succeeded, None, at(9)),
        RollbackStep::Observe
    );
}

#[test]
fn an_open_release_is_closed_taken_over_or_observed_by_its_ending() {
    let grace_left = Some(Duration::from_secs(9));
    for ending in ENDINGS {
        let next =
            |changed, grace_left| next_step(&release(changed, None), ending, grace_left, at(9));
        if ending == Ending::Succeeded {
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
fn a_release_that_was_taken_over_is_observed_after_the_grace() {
    for ending in ENDINGS {
        for changed in [false, true] {
            let next = |secs| next_step(&release(changed, Some(at(0))), ending, None, at(secs));
            let RollbackStep::Wait(summary) = next(59) else {
                panic!("{ending:?}: does not wait")
            };
            assert!(
                summary.contains("waiting 1s for earlier invocations"),
                "{summary}"
            );
            let outcome = if ending == Ending::Superseded {
                Outcome::Superseded
            } else {
                Outcome::Failed
            };
            let reason = format!(
                "the execution {}; nothing had been changed",
                ending.as_predicate()
            );
            let expected = if changed {
                RollbackStep::Observe
            } else {
                RollbackStep::Close(Conclusion::new(outcome, reason))
            };
            assert_eq!(next(60), expected, "{ending:?}");
        }
    }
}

#[test]
fn the_failure_of_a_step_is_the_cause_of_the_closing() {
    let mut failed = release(false, None);
    failed.failure = Some(crate::job::Failure::job("the image is not there"));
    let reason = "the image is not there; nothing had been changed".to_owned();
    let step = next_step(&failed, Ending::Failed, None, at(9));

    assert_eq!(
        step,
        RollbackStep::Close(Conclusion::new(Outcome::Failed, reason))
    );
}
