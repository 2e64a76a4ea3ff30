//! What a release is closed as.

use super::*;

#[test]
fn a_success_without_finish_release_is_decided_by_the_weights() {
    let outcome = |weights, definition| {
        let view = view_of(definition, weights);
        let step = concluded_of(&target(&view, None), &view, NO_SCALING, 900);
        match step {
            Restoration::Close(Conclusion { outcome, .. }) => outcome,
            other => panic!("{other:?} closes nothing"),
        }
    };

    assert_eq!(
        outcome(Weights::with(Colour::Green, 100), NEW),
        Outcome::Deployed
    );
    assert_eq!(
        outcome(Weights::with(Colour::Green, 100), OLD),
        Outcome::Failed
    );
    assert_eq!(
        outcome(Weights::with(Colour::Green, 50), NEW),
        Outcome::Failed
    );
    assert_eq!(
        outcome(Weights::with(Colour::Green, 0), NEW),
        Outcome::Unchanged
    );
}

const SUCCEEDED: &str = "the execution succeeded without a finish-release action";

/// How a success without finish-release is concluded this many seconds after it was seen, with this
/// much of the traffic on green.
fn concluded_after(
    secs: i64,
    percent: u32,
    changed: bool,
    spoil: fn(&mut PairView),
) -> Restoration<PairChange> {
    let mut view = view_of(NEW, Weights::with(Colour::Green, percent));
    spoil(&mut view);

    let mut target = target(&view, None);
    target.change.take_if(|_| !changed);
    concluded_of(&target, &view, scaling(true), secs)
}

/// As [`concluded_after`], at the deadline.
fn concluded(percent: u32, changed: bool, spoil: fn(&mut PairView)) -> Restoration<PairChange> {
    concluded_after(900, percent, changed, spoil)
}

#[test]
fn a_success_without_finish_release_is_recorded_with_what_serves() {
    let serves = |outcome, what: &str| close(outcome, &format!("{SUCCEEDED}; {what}"));

    assert_eq!(
        concluded(100, true, |_| {}),
        serves(Outcome::Deployed, "green serves web:2")
    );
    for changed in [true, false] {
        assert_eq!(
            concluded(0, changed, |_| {}),
            serves(Outcome::Unchanged, "blue serves web:1"),
            "{changed}"
        );
    }
}

#[test]
fn a_success_without_finish_release_fails_with_what_is_not_steady() {
    let not_steady = |what: &str| {
        close(
            Outcome::Failed,
            &format!("{SUCCEEDED}, and the pair is not steady within 15m00s: {what}"),
        )
    };

    assert_eq!(
        concluded(50, true, |_| {}),
        not_steady("weights are blue 50 / green 50")
    );
    assert_eq!(
        concluded(100, false, |_| {}),
        not_steady("weights are blue 0 / green 100")
    );
    assert_eq!(
        concluded(100, true, |view| view.services.green.running = 1),
        not_steady("1 of 2 tasks running")
    );

    let empty = |view: &mut PairView| {
        view.services.green.desired = 0;
        view.services.green.running = 0;
        view.services.green.deployments[0].running = 0;
    };
    assert_eq!(
        concluded(100, true, empty),
        not_steady("desired count is 0, expected 1 or more")
    );
}

#[test]
fn a_success_without_finish_release_is_observed_again_until_its_deadline() {
    let spoil = |view: &mut PairView| view.services.green.running = 1;
    let wait = |passed: &str| {
        Restoration::Wait(format!(
            "{SUCCEEDED}, and the pair is not steady: 1 of 2 tasks running; {passed} of 15m00s"
        ))
    };
    assert_eq!(concluded_after(0, 100, true, spoil), wait("0s"));
    assert_eq!(concluded_after(899, 100, true, spoil), wait("14m59s"));

    let steady = close(
        Outcome::Deployed,
        &format!("{SUCCEEDED}; green serves web:2"),
    );
    for secs in [0, 899, 9_000] {
        assert_eq!(concluded_after(secs, 100, true, |_| {}), steady, "{secs}");
    }
}

#[test]
fn a_release_that_succeeded_is_not_judged_by_a_read_from_before_its_last_shift() {
    let view = view_of(NEW, Weights::with(Colour::Green, 50));
    let mut target = target(&view, Some(Weights::with(Colour::Green, 100)));
    let shift = target.shift.as_mut().expect("shifted");
    shift.from = view.weights;
    shift.at = view.observed_at;
    let step = concluded_of(&target, &view, NO_SCALING, 900);
    let wait =
        "waiting for the rule to show blue 0 / green 100; it shows blue 50 / green 50 as before"
            .to_owned();

    assert_eq!(step, Restoration::Wait(wait));
}

#[test]
fn a_rollback_is_closed_with_what_serves_again() {
    let whole = emptied(pair().weights());
    let serves = "web:1 serves again as blue with 2 of 2 tasks, weights blue 100 / green 0";
    let reason = format!("the execution failed; {serves}");

    assert_eq!(
        after(&whole, 0, |_| {}),
        close(Outcome::RolledBack, &reason)
    );

    let why = "0 healthy targets in green";
    let target = target(&whole, Some(whole.weights));
    let failed = Release {
        failure: Some(Failure::job(why)),
        ..rolling_back(&target, at(0))
    };
    assert_eq!(
        left_of(&failed, &target, Ending::Failed, &whole, NO_SCALING),
        close(Outcome::RolledBack, &format!("{why}; {serves}"))
    );

    let restoring = |held| {
        Some(TrafficReturn {
            reason: "late".to_owned(),
            since: at(0),
            held,
        })
    };

    assert_eq!(
        after(&whole, 0, |open| open.traffic_return = restoring(true)),
        close(Outcome::Held, &reason)
    );
    assert_eq!(
        after(&whole, 0, |open| open.traffic_return = restoring(false)),
        close(Outcome::RolledBack, &reason)
    );
}

#[test]
fn how_the_execution_ended_decides_what_a_whole_pair_is_closed_as() {
    let whole = emptied(pair().weights());
    let ended = |ending, held| {
        let mut open = target(&whole, Some(whole.weights));
        open.traffic_return = Some(TrafficReturn {
            reason: "late".to_owned(),
            since: at(0),
            held,
        });
        match restored(&open, ending, &whole, NO_SCALING) {
            Restoration::Close(Conclusion {
                outcome, reason, ..
            }) => (outcome, reason.split(';').next().map(ToOwned::to_owned)),
            other => panic!("{other:?} closes nothing"),
        }
    };
    let text = |text: &str| Some(text.to_owned());

    assert_eq!(
        ended(Ending::Stopped, false),
        (Outcome::RolledBack, text("the execution was stopped"))
    );
    assert_eq!(
        ended(Ending::Canceled, true),
        (Outcome::Held, text("the execution was canceled"))
    );

    let newer = "the execution was superseded by a newer one";
    assert_eq!(
        ended(Ending::Superseded, false),
        (Outcome::Superseded, text(newer))
    );
    assert_eq!(
        ended(Ending::Superseded, true),
        (Outcome::Superseded, text(newer))
    );

    // Once it is being rolled back, a success of its execution is not a success of the release.
    let success = "the execution succeeded without a finish-release action";
    assert_eq!(
        ended(Ending::Succeeded, false),
        (Outcome::RolledBack, text(success))
    );
}

#[test]
fn a_release_that_only_suspended_scaling_had_changed_nothing() {
    let whole = emptied(pair().weights());
    let only_suspended = |open: &mut PairTarget| {
        open.change = None;
        open.shift = None;
    };
    let reason = "the execution failed; nothing had been changed";

    assert_eq!(
        after(&whole, 0, only_suspended),
        close(Outcome::Failed, reason)
    );

    // The live colour's own rollout is not waited for, since this release has nothing to do with
    // it.
    let mut busy = whole.clone();
    busy.services.blue.pending = 1;
    assert_eq!(
        after(&busy, 0, only_suspended),
        close(Outcome::Failed, reason)
    );

    let restoring =
        Restoration::Wait("restoring blue with web:1: 2 of 2 tasks running, 1 pending".to_owned());
    assert_eq!(after(&busy, 0, |open| open.change = None), restoring);
    assert_eq!(after(&busy, 0, |open| open.shift = None), restoring);
}

#[test]
fn a_rollback_is_proven_before_it_is_closed() {
    type Spoil = fn(&mut PairView);
    let cases: [(Spoil, &str); 3] = [
        (
            |view| view.services.blue.running = 1,
            "1 of 2 tasks running",
        ),
        (
            |view| view.services.blue.deployments[0].rollout = Rollout::InProgress,
            "the rollout is not completed",
        ),
        (
            |view| view.services.blue.target_groups[0].healthy = 1,
            "1 of 2 targets healthy in blue",
        ),
    ];

    for (spoil, why) in cases {
        let mut view = emptied(pair().weights());
        spoil(&mut view);
        assert_eq!(
            after(&view, 3599, |_| {}),
            Restoration::Wait(format!("restoring blue with web:1: {why}"))
        );
        let reason = format!(
            "the execution failed; the rollback to blue with web:1 is not steady after 1h00m: \
             {why}; manual intervention required"
        );
        let abandoned = Restoration::Close(Conclusion::needing_operator(reason));
        assert_eq!(after(&view, 3600, |_| {}), abandoned);
    }

    // A steady pair is restored however late.
    assert_eq!(
        after(&view_of(NEW, pair().weights()), 9000, |_| {}),
        RESET_IDLE
    );
    assert!(matches!(
        after(&emptied(pair().weights()), 9000, |_| {}),
        Restoration::Close(Conclusion {
            outcome: Outcome::RolledBack,
            ..
        })
    ));
}
