//! What another writer did, and what only looks like it.

use super::*;

#[test]
fn what_another_writer_did_is_left_alone_but_scale_in_is_restored() {
    let odd = Weights {
        blue: 33,
        green: 67,
    };
    assert_eq!(
        next(&view_of(NEW, odd), None, scaling(true)),
        RESTORE_SCALE_IN
    );

    let closed = next(&view_of(NEW, odd), None, NO_SCALING);
    assert!(matches!(
        closed,
        Restoration::Close(Conclusion { outcome: Outcome::Superseded, reason, .. })
            if reason.contains("blue 33 / green 67")
    ));

    let mut deployed = view_of(NEW, pair().weights());
    deployed.services.blue.deployments[0].task_definition = IDLE.to_owned();
    let closed = next(&deployed, None, NO_SCALING);
    assert!(matches!(
        closed,
        Restoration::Close(Conclusion { outcome: Outcome::Superseded, reason, .. })
            if reason.contains("to blue")
    ));
}

#[test]
fn weights_that_were_announced_earlier_are_not_external() {
    let [forty, back] = [40, 0].map(|percent| Weights::with(Colour::Green, percent));
    let mut target = target(&view_of(NEW, forty), Some(back));
    target.shift.as_mut().expect("shifted").known.push(forty);
    let late = view_of(NEW, forty);
    let step = |target: &PairTarget| restored(target, Ending::Failed, &late, NO_SCALING);

    assert_eq!(step(&target), MOVE);

    let shift = target.shift.as_mut().expect("shifted");
    shift.from = forty;
    shift.made = true;
    shift.known = Vec::new();
    assert!(matches!(
        step(&target),
        Restoration::Close(Conclusion {
            outcome: Outcome::Superseded,
            ..
        })
    ));
}

#[test]
fn weights_that_were_announced_and_never_recorded_as_set_go_back_however_late() {
    let [forty, sixty] = [40, 60].map(|percent| Weights::with(Colour::Green, percent));
    let seen = view_of(NEW, forty);
    let mut target = target(&seen, Some(forty));
    let shift = target.shift.as_mut().expect("shifted");
    shift.made = false;
    shift.at = earlier(seen.observed_at, 1200);
    let step = |view: &PairView| restored(&target, Ending::Failed, view, NO_SCALING);

    assert_eq!(step(&seen), MOVE);
    assert!(matches!(
        step(&view_of(NEW, sixty)),
        Restoration::Close(Conclusion {
            outcome: Outcome::Superseded,
            ..
        })
    ));
}

#[test]
fn weights_of_another_writer_end_the_rollback_with_what_was_found() {
    let odd = view_of(
        NEW,
        Weights {
            blue: 33,
            green: 67,
        },
    );
    let reason = "the execution failed; the weights were set to blue 33 / green 67 outside this \
        release, left unchanged";

    assert_eq!(
        next(&odd, Some(Weights::with(Colour::Green, 20)), NO_SCALING),
        close(Outcome::Superseded, reason)
    );
}

/// Why a rollback ends without a change while `colour` runs `definition`, if it does.
fn superseded(colour: Colour, definition: &str) -> Option<String> {
    let mut view = view_of(NEW, pair().weights());
    let service = if colour == Colour::Blue {
        &mut view.services.blue
    } else {
        &mut view.services.green
    };
    service.deployments[0].task_definition = definition.to_owned();

    match next(&view, None, NO_SCALING) {
        Restoration::Close(Conclusion {
            outcome: Outcome::Superseded,
            reason,
            ..
        }) => reason.split("; ").nth(1).map(ToOwned::to_owned),
        _ => None,
    }
}

#[test]
fn a_deployment_to_a_colour_that_is_not_the_release_s_is_left_unchanged() {
    let left_alone = |what: &str| Some(format!("{what} outside this release, left unchanged"));
    let other = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:9";

    assert_eq!(
        superseded(Colour::Green, other),
        left_alone("web:9 was deployed to green")
    );
    assert_eq!(
        superseded(Colour::Blue, other),
        left_alone("web:9 was deployed to blue")
    );

    // What this release deploys belongs to the new colour only, and what each colour ran belongs to
    // it.
    assert_eq!(
        superseded(Colour::Blue, NEW),
        left_alone("web:2 was deployed to blue")
    );
    assert_eq!(
        superseded(Colour::Green, OLD),
        left_alone("web:1 was deployed to green")
    );
    assert_eq!(
        [
            superseded(Colour::Green, NEW),
            superseded(Colour::Green, IDLE)
        ],
        [None, None]
    );
}

#[test]
fn traffic_goes_back_beside_an_external_deployment_that_is_left_unchanged() {
    let other = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:9";
    let half = Weights::with(Colour::Green, 50);

    for is_old in [true, false] {
        let mut view = view_of(NEW, half);
        let PerColour { blue, green } = &mut view.services;
        let deployed = if is_old { blue } else { green };
        deployed.deployments[0].task_definition = other.to_owned();
        assert_eq!(next(&view, Some(half), scaling(true)), MOVE);

        view.services.blue.target_groups[0].healthy = 0;
        assert!(matches!(
            next(&view, Some(half), scaling(true)),
            Restoration::Wait(_)
        ));

        // Once it is back, only scale-in is restored.
        view.weights = pair().weights();
        view.services.blue.desired = 1;
        assert_eq!(next(&view, Some(half), scaling(true)), RESTORE_SCALE_IN);
        assert!(matches!(
            next(&view, Some(half), NO_SCALING),
            Restoration::Close(Conclusion {
                outcome: Outcome::Superseded,
                ..
            })
        ));
    }
}

#[test]
fn scale_in_is_restored_although_the_traffic_never_went_back() {
    let half = Weights::with(Colour::Green, 50);
    let other = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:9";
    for definition in [other, OLD] {
        let mut view = view_of(NEW, half);
        let blue = &mut view.services.blue;
        blue.deployments[0].task_definition = definition.to_owned();
        blue.target_groups[0].healthy = 0;
        let step = |secs: i64, scaling| {
            let target = target(&view, Some(half));
            let release = rolling_back(&target, at(-secs));
            left_of(&release, &target, Ending::Failed, &view, scaling)
        };

        assert!(matches!(step(3599, scaling(true)), Restoration::Wait(_)));
        assert_eq!(step(3600, scaling(true)), RESTORE_SCALE_IN);
        assert!(matches!(
            step(3600, scaling(false)),
            Restoration::Close(Conclusion {
                outcome: Outcome::Failed,
                ..
            })
        ));
    }
}

#[test]
fn a_colour_without_a_deployment_runs_nothing_of_another_writer() {
    let mut none = view_of(NEW, pair().weights());
    none.services.green.deployments.clear();
    assert_eq!(next(&none, None, NO_SCALING), RESET_IDLE);
}

/// A release that was rolled back after a shift this many seconds ago.
fn shifted(from: u32, to: u32, ago: i64, seen: u32) -> Restoration<PairChange> {
    let view = view_of(NEW, Weights::with(Colour::Green, seen));
    let mut target = target(&view, Some(Weights::with(Colour::Green, to)));
    let shift = target.shift.as_mut().expect("shifted");
    shift.from = Weights::with(Colour::Green, from);
    shift.at = earlier(view.observed_at, ago);
    restored(&target, Ending::Failed, &view, NO_SCALING)
}

#[test]
fn traffic_that_is_read_as_returned_is_moved_once_more_while_the_read_may_be_old() {
    assert_eq!(shifted(0, 50, 299, 0), MOVE);
    assert_eq!(shifted(0, 50, 300, 0), RESET_IDLE);
}

#[test]
fn traffic_that_was_returned_is_not_taken_for_external_while_the_read_may_be_old() {
    let wait =
        "waiting for the rule to show blue 100 / green 0; it shows blue 50 / green 50 as before"
            .to_owned();
    assert_eq!(shifted(50, 0, 299, 50), Restoration::Wait(wait));
    assert!(matches!(
        shifted(50, 0, 300, 50),
        Restoration::Close(Conclusion {
            outcome: Outcome::Superseded,
            ..
        })
    ));
}

#[test]
fn a_read_from_before_a_later_step_does_not_delay_the_return() {
    assert_eq!(shifted(20, 50, 299, 20), MOVE);
    assert!(matches!(
        shifted(20, 50, 300, 20),
        Restoration::Close(Conclusion {
            outcome: Outcome::Superseded,
            ..
        })
    ));
}

#[test]
fn weights_that_an_earlier_invocation_may_have_set_again_are_moved_at_once() {
    let half = Weights::with(Colour::Green, 50);
    let view = view_of(NEW, half);
    let mut target = target(&view, Some(pair().weights()));
    let shift = target.shift.as_mut().expect("shifted");
    shift.from = half;
    shift.at = view.observed_at;
    shift.known = vec![half];
    let step = restored(&target, Ending::Failed, &view, NO_SCALING);

    assert_eq!(step, MOVE);
}
