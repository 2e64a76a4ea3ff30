use super::*;
use crate::strategy::fixtures::{ENDINGS, at, release_in_place as release};

#[test]
fn every_status_of_an_execution_has_its_ending() {
    let words = [
        ("Failed", Some(Ending::Failed)),
        ("STOPPED", Some(Ending::Stopped)),
        ("STOPPING", Some(Ending::Stopped)),
        ("Stopping", Some(Ending::Stopped)),
        ("CANCELED", Some(Ending::Canceled)),
        ("Cancelled", Some(Ending::Canceled)),
        ("Superseded", Some(Ending::Superseded)),
        ("Succeeded", Some(Ending::Succeeded)),
        ("STARTED", None),
        ("RESUMED", None),
        ("InProgress", None),
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
        "is no longer known to CodePipeline",
        "failed",
        "was stopped",
        "was canceled",
        "was superseded by a newer one",
    ];

    assert_eq!(sentences[..5], expected);
    assert_eq!(sentences[5], "succeeded without a finish-release action");
    assert_eq!(sentences[6], "has a status that could not be read");
    assert_eq!(
        sentences[7],
        "has a status that could not be read, because codepipeline:GetPipelineExecution is denied"
    );
}

#[test]
fn what_was_taken_over_is_restored_although_the_status_of_its_execution_cannot_be_read() {
    let denied = StepError::Refused(Failure::new(FailureType::PermissionError, "denied"));
    let rejected = StepError::Refused(Failure::configuration("rejected"));
    let busy = StepError::Busy("throttled; retrying".to_owned());
    let garbled = StepError::Unexpected(Failure::job("no status"));
    let paused = Failure::job("`PAUSED` is not a known pipeline execution status");
    let found = |status: &str| Ok(Some(status.to_owned()));

    let open = release(true, None);
    let of_open = |looked_up| ending_of(&open, &looked_up, true, at(3_600));
    assert_eq!(of_open(found("Failed")), Ok(Some(Ending::Failed)));
    assert_eq!(of_open(found("InProgress")), Ok(None));
    assert_eq!(of_open(Ok(None)), Ok(None));
    assert_eq!(of_open(Err(denied.clone())), Err(denied.clone()));
    assert_eq!(of_open(Err(busy.clone())), Err(busy.clone()));
    assert_eq!(of_open(found("Paused")), Err(StepError::Failed(paused)));

    let taken_over = release(true, Some(at(0)));
    let after = |secs, looked_up| ending_of(&taken_over, &looked_up, false, at(secs));
    assert_eq!(after(0, found("Failed")), Ok(Some(Ending::Failed)));
    assert_eq!(after(0, found("InProgress")), Ok(Some(Ending::Stopped)));
    assert_eq!(after(0, Ok(None)), Ok(Some(Ending::Stopped)));
    assert_eq!(after(179, Err(denied.clone())), Err(denied.clone()));
    assert_eq!(after(180, Err(denied)), Ok(Some(Ending::Denied)));
    assert_eq!(after(179, Err(rejected.clone())), Err(rejected.clone()));
    assert_eq!(after(180, Err(rejected)), Ok(Some(Ending::Unread)));
    assert_eq!(after(0, found("Paused")), Ok(Some(Ending::Unread)));
    for passing in [busy, garbled] {
        assert_eq!(after(3_599, Err(passing.clone())), Err(passing.clone()));
        assert_eq!(after(3_600, Err(passing)), Ok(Some(Ending::Unread)));
    }
}

#[test]
fn credentials_that_are_not_taken_at_two_looks_are_waited_for_as_long_as_a_refusal() {
    let taken_over = release(true, Some(at(0)));
    let error = StepError::Unexpected(Failure::configuration("InvalidClientTokenId"));
    let after = |secs, was_noted| ending_of(&taken_over, &Err(error.clone()), was_noted, at(secs));

    assert_eq!(after(179, true), Err(error.clone()));
    assert_eq!(after(180, true), Ok(Some(Ending::Unread)));
    assert_eq!(after(3_599, false), Err(error.clone()), "a session is new");
    assert_eq!(after(3_600, false), Ok(Some(Ending::Unread)));

    let busy = StepError::Busy("throttled; retrying".to_owned());
    let looked_up = Err(busy.clone());
    assert_eq!(
        ending_of(&taken_over, &looked_up, true, at(3_599)),
        Err(busy)
    );
}

#[test]
fn an_execution_that_a_job_came_from_and_that_is_not_known_any_more_is_gone() {
    for since in [None, Some(at(0))] {
        let of = |origin| {
            let release = Release {
                origin,
                ..release(true, since)
            };
            ending_of(&release, &Ok(None), false, at(0))
        };
        assert_eq!(of(Some(Origin::Job)), Ok(Some(Ending::Gone)));
        let by_hand = since.map(|_| Ending::Stopped);
        assert_eq!(of(Some(Origin::Operator)), Ok(by_hand));
        assert_eq!(of(None), Ok(by_hand));
    }
}

const DAYS: i64 = 24 * 60 * 60;

fn denied() -> StepError {
    StepError::Refused(Failure::new(FailureType::PermissionError, "denied"))
}

/// The release since whose `secs` no look could read the status of its execution.
fn unread(release: Release, secs: i64) -> Release {
    Release {
        unread_since: Some(at(secs)),
        ..release
    }
}

fn lease(release: Release, changed_at: Option<Timestamp>) -> Lease {
    Lease {
        release: Some(release),
        changed_at,
        ..Lease::unwritten("apps", "web")
    }
}

#[test]
fn an_approval_of_60_days_is_waited_for_as_long_as_the_status_could_be_read() {
    let at_day = |release: &Release, days| {
        let open = lease(release.clone(), None);
        ending_unread(&open, &denied(), at(days * DAYS))
    };

    // It could be read by the look before.
    assert_eq!(at_day(&release(true, None), 60), None);
    // It cannot be read since the fiftieth day.
    let unread = unread(release(true, None), 50 * DAYS);
    assert_eq!(at_day(&unread, 57), None);
    assert_eq!(at_day(&unread, 58), Some(Ending::Denied));
    // A step has acted since.
    let acted = lease(unread, Some(at(51 * DAYS)));
    assert_eq!(ending_unread(&acted, &denied(), at(58 * DAYS)), None);
    let ending = ending_unread(&acted, &denied(), at(59 * DAYS));
    assert_eq!(ending, Some(Ending::Denied));
}

#[test]
fn an_open_release_whose_execution_cannot_be_read_is_left_to_its_steps_for_eight_days() {
    let denied = denied();
    let busy = StepError::Busy("throttled; retrying".to_owned());
    let open = lease(unread(release(true, None), 0), None);

    assert_eq!(ending_unread(&open, &denied, at(8 * DAYS - 1)), None);
    assert_eq!(
        ending_unread(&open, &denied, at(8 * DAYS)),
        Some(Ending::Denied)
    );
    let garbled = StepError::Unexpected(Failure::job("no status"));
    assert_eq!(
        ending_unread(&open, &garbled, at(8 * DAYS)),
        Some(Ending::Unread)
    );
    // An approval may wait for 60 days.
    assert_eq!(ending_unread(&open, &busy, at(61 * DAYS)), None);
    assert!(!is_long_unchanged(&open, at(8 * DAYS - 1)) && is_long_unchanged(&open, at(8 * DAYS)));

    // The lease has the last change of an earlier release until this one announces its first.
    for (changed, days) in [(-DAYS, 8), (DAYS, 9)] {
        let changed = lease(release(true, None), Some(at(changed)));
        assert!(!is_long_unchanged(&changed, at(days * DAYS - 1)), "{days}");
        assert!(is_long_unchanged(&changed, at(days * DAYS)), "{days}");
    }

    let taken_over = lease(unread(release(true, Some(at(0))), 0), None);
    assert_eq!(ending_unread(&taken_over, &denied, at(9 * DAYS)), None);
    let succeeded = Release {
        succeeded_at: Some(at(0)),
        ..unread(release(true, None), 0)
    };
    let ending = ending_unread(&lease(succeeded, None), &denied, at(8 * DAYS));
    assert_eq!(ending, Some(Ending::Succeeded));
}
