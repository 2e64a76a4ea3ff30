use super::super::Weights;
use super::super::tests::{IDLE, earlier, open, pair, rolling_back, target, view, view_of};
use super::*;
use crate::job::Failure;
use crate::observed::service::Rollout;
use crate::observed::service::tests::{NEW, OLD};
use crate::release::TrafficReturn;
use crate::strategy::Percentages;
use crate::timestamp::Timestamp;

const NO_SCALING: [Option<ScalingView>; 2] = [None, None];

fn scaling(suspended: bool) -> [Option<ScalingView>; 2] {
    [Some(ScalingView {
        scale_in_suspended: suspended,
    }); 2]
}

/// What is left to do of a release that is being rolled back since `view`.
fn restored(
    target: &PairTarget,
    ending: Ending,
    view: &PairView,
    scaling: [Option<ScalingView>; 2],
    is_active: bool,
) -> Restoration {
    let release = rolling_back(target, view.observed_at);
    restoration(&release, target, ending, view, scaling, is_active)
}

/// What is left to do of an open release whose execution succeeded.
fn concluded_of(
    target: &PairTarget,
    view: &PairView,
    scaling: [Option<ScalingView>; 2],
) -> Restoration {
    restoration(
        &open(target),
        target,
        Ending::Succeeded,
        view,
        scaling,
        true,
    )
}

fn next(
    view: &PairView,
    shifted: Option<Weights>,
    scaling: [Option<ScalingView>; 2],
) -> Restoration {
    let release = target(view, shifted);
    restored(&release, Ending::Failed, view, scaling, true)
}

fn emptied(weights: Weights) -> PairView {
    let mut view = view(weights);
    (view.green.desired, view.green.running) = (0, 0);
    view.green.target_groups[0].healthy = 0;
    view
}

#[test]
fn large_enough_then_traffic_then_scaling_then_the_new_colour_then_proof() {
    let half = Weights::with(Colour::Green, 50);
    let mut grown = view_of(NEW, half);
    grown.green.desired = 4;
    assert_eq!(
        next(&grown, Some(half), scaling(true)),
        Restoration::Size {
            count: 8,
            and_move: false
        }
    );
    grown.blue.desired = 8;
    let sized = PairTarget {
        raised_to: Some(8),
        ..target(&grown, Some(half))
    };
    assert!(matches!(
        way_back(&sized, &grown, Duration::ZERO),
        Way::Wait(_)
    ));
    grown.blue.target_groups[0].healthy = 8;
    assert_eq!(way_back(&sized, &grown, Duration::ZERO), Way::Move);
    let back = pair().weights();
    assert_eq!(
        next(&view_of(NEW, back), Some(half), scaling(true)),
        Restoration::GiveBack
    );
    assert_eq!(
        next(&view_of(NEW, back), Some(half), scaling(false)),
        Restoration::Return
    );
    let closed = next(&emptied(back), Some(half), scaling(false));
    assert!(matches!(
        closed,
        Restoration::Close {
            outcome: Outcome::RolledBack,
            ..
        }
    ));
}

#[test]
fn no_size_is_waited_for_when_the_other_colour_cannot_serve() {
    let half = Weights::with(Colour::Green, 50);
    let mut dead = view_of(NEW, half);
    (dead.blue.desired, dead.green.desired) = (8, 4);
    dead.green.target_groups[0].healthy = 0;
    let way = |view: &PairView, waited| {
        let release = PairTarget {
            raised_to: Some(8),
            ..target(view, Some(half))
        };
        way_back(&release, view, waited)
    };
    assert_eq!(way(&dead, Duration::ZERO), Way::Move);
    let small = PairView {
        blue: ServiceView {
            desired: 4,
            ..dead.blue.clone()
        },
        ..dead.clone()
    };
    assert_eq!(
        way(&small, Duration::ZERO),
        Way::Size {
            count: 8,
            and_move: true
        }
    );
    assert_eq!(
        next(&small, Some(half), NO_SCALING),
        Restoration::Size {
            count: 8,
            and_move: true
        }
    );
    dead.green.target_groups[0].healthy = 1;
    assert!(matches!(way(&dead, Duration::ZERO), Way::Wait(_)));
    assert_eq!(way(&dead, SIZING_DEADLINE), Way::Move);
    dead.blue.target_groups[0].healthy = 0;
    assert!(matches!(way(&dead, SIZING_DEADLINE), Way::Wait(_)));
}

#[test]
fn external_changes_are_left_alone_but_scaling_is_restored() {
    let odd = Weights {
        blue: 33,
        green: 67,
    };
    assert_eq!(
        next(&view_of(NEW, odd), None, scaling(true)),
        Restoration::GiveBack
    );
    let closed = next(&view_of(NEW, odd), None, NO_SCALING);
    assert!(
        matches!(closed, Restoration::Close { outcome: Outcome::Superseded, reason } if reason.contains("blue 33 / green 67"))
    );
    let mut deployed = view_of(NEW, pair().weights());
    deployed.blue.deployments[0].task_definition = IDLE.to_owned();
    let closed = next(&deployed, None, NO_SCALING);
    assert!(
        matches!(closed, Restoration::Close { outcome: Outcome::Superseded, reason } if reason.contains("to blue"))
    );
}

#[test]
fn weights_that_were_announced_earlier_are_no_stranger_s() {
    let [forty, back] = [40, 0].map(|percent| Weights::with(Colour::Green, percent));
    let mut release = target(&view_of(NEW, forty), Some(back));
    release.shift.as_mut().expect("shifted").known.push(forty);
    let late = view_of(NEW, forty);
    let step = |release: &PairTarget| restored(release, Ending::Failed, &late, NO_SCALING, true);
    assert_eq!(step(&release), Restoration::Move);
    let shift = release.shift.as_mut().expect("shifted");
    (shift.from, shift.made, shift.known) = (forty, true, Vec::new());
    assert!(matches!(
        step(&release),
        Restoration::Close {
            outcome: Outcome::Superseded,
            ..
        }
    ));
}

#[test]
fn fewer_tasks_than_recorded_are_made_good_unless_scaling_chose_them() {
    let mut fewer = emptied(pair().weights());
    (fewer.blue.desired, fewer.blue.running) = (1, 1);
    fewer.blue.target_groups[0].healthy = 1;
    assert_eq!(
        next(&fewer, None, NO_SCALING),
        Restoration::Size {
            count: 2,
            and_move: false
        }
    );
    let closed = next(&fewer, None, scaling(false));
    assert!(matches!(
        closed,
        Restoration::Close {
            outcome: Outcome::RolledBack,
            ..
        }
    ));
}

#[test]
fn a_revision_that_was_deregistered_is_not_asked_for_again() {
    let back = pair().weights();
    let mut stopped = view_of(NEW, back);
    (stopped.green.desired, stopped.green.running) = (0, 0);
    let release = target(&stopped, None);
    let next = |active| restored(&release, Ending::Failed, &stopped, NO_SCALING, active);
    assert_eq!(next(true), Restoration::Return);
    assert!(matches!(
        next(false),
        Restoration::Close {
            outcome: Outcome::RolledBack,
            ..
        }
    ));
}

#[test]
fn a_success_without_finish_release_is_recognised_by_the_weights() {
    let outcome = |weights, definition| {
        let view = view_of(definition, weights);
        let step = concluded_of(&target(&view, None), &view, NO_SCALING);
        match step {
            Restoration::Close { outcome, .. } => outcome,
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

const SECOND: Duration = Duration::from_secs(1);

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_767_603_600 + secs).expect("in range")
}

/// Green has half of the traffic; so many tasks are wanted and healthy in both colours.
fn halves(blue: [u32; 2], green: [u32; 2]) -> PairView {
    let mut view = view_of(NEW, Weights::with(Colour::Green, 50));
    for (service, [desired, healthy]) in [(&mut view.blue, blue), (&mut view.green, green)] {
        (service.desired, service.running) = (desired, desired);
        service.target_groups[0].healthy = healthy;
    }
    view
}

fn way(view: &PairView, waited: Duration) -> Way {
    way_back(&target(view, Some(view.weights)), view, waited)
}

#[test]
fn the_old_colour_takes_its_traffic_back_when_it_has_enough_healthy_tasks() {
    assert_eq!(way(&halves([2, 2], [2, 2]), Duration::ZERO), Way::Move);
    let text = "1 of 2 healthy targets that blue needs for all of the traffic; 0s of 10m00s";
    assert_eq!(
        way(&halves([2, 1], [2, 2]), Duration::ZERO),
        Way::Wait(text.to_owned())
    );
    assert_eq!(
        way(&halves([1, 1], [2, 2]), Duration::ZERO),
        Way::Size {
            count: 2,
            and_move: false
        }
    );
    assert_eq!(
        way(&halves([2, 2], [3, 3]), Duration::ZERO),
        Way::Size {
            count: 6,
            and_move: false
        }
    );
    // Enough healthy ones are not enough when fewer are wanted: the rest will stop.
    assert_eq!(
        way(&halves([1, 2], [2, 2]), Duration::ZERO),
        Way::Size {
            count: 2,
            and_move: false
        }
    );
    // What it has grown to is for its own half.
    assert_eq!(
        way(&halves([4, 3], [2, 2]), Duration::ZERO),
        Way::Size {
            count: 8,
            and_move: false
        }
    );
}

#[test]
fn the_old_colour_is_not_waited_for_longer_than_ten_minutes() {
    let text = "1 of 2 healthy targets that blue needs for all of the traffic; 9m59s of 10m00s";
    assert_eq!(
        way(&halves([2, 1], [2, 1]), SIZING_DEADLINE - SECOND),
        Way::Wait(text.to_owned())
    );
    assert_eq!(way(&halves([2, 1], [2, 1]), SIZING_DEADLINE), Way::Move);
    let text = "0 of 2 healthy targets that blue needs for all of the traffic; 10m00s of 10m00s";
    assert_eq!(
        way(&halves([2, 0], [2, 1]), SIZING_DEADLINE),
        Way::Wait(text.to_owned())
    );
    // Its size is set first, however long it takes.
    assert_eq!(
        way(&halves([1, 1], [2, 1]), SIZING_DEADLINE),
        Way::Size {
            count: 2,
            and_move: false
        }
    );
}

#[test]
fn traffic_moves_at_once_when_only_the_old_colour_can_serve() {
    assert_eq!(way(&halves([2, 1], [2, 0]), Duration::ZERO), Way::Move);
    assert_eq!(
        way(&halves([1, 1], [2, 0]), Duration::ZERO),
        Way::Size {
            count: 2,
            and_move: true
        }
    );
    // When neither can, traffic stays where it is until the old colour can.
    assert_eq!(
        way(&halves([1, 0], [2, 0]), Duration::ZERO),
        Way::Size {
            count: 2,
            and_move: false
        }
    );
    assert!(matches!(
        way(&halves([2, 0], [2, 0]), SIZING_DEADLINE),
        Way::Wait(_)
    ));
    // A pair that had no tasks goes back to none.
    let mut before = pair();
    before.blue.desired_count = 0;
    let view = halves([0, 0], [2, 0]);
    let mut open = PairTarget {
        prior: before,
        ..target(&view, Some(view.weights))
    };
    assert_eq!(way_back(&open, &view, Duration::ZERO), Way::Move);
    open.change = None;
    assert_eq!(filled(&open), 0);
}

#[test]
fn the_new_colour_counts_as_filled_to_what_was_announced_or_else_to_the_live_size() {
    let view = halves([2, 2], [2, 2]);
    let mut open = target(&view, None);
    open.change.as_mut().expect("changed").desired_count = Some(7);
    assert_eq!(filled(&open), 7);
    open.change.as_mut().expect("changed").desired_count = None;
    assert_eq!(filled(&open), 2);
    open.change = None;
    open.prior.live = Colour::Green;
    assert_eq!(filled(&open), 0);
}

/// What is left to do so long after the rollback began; scale-in is as it was recorded.
fn after(view: &PairView, secs: i64, more: impl FnOnce(&mut PairTarget)) -> Restoration {
    let mut target = target(view, Some(view.weights));
    more(&mut target);
    let release = rolling_back(&target, at(-secs));
    restoration(&release, &target, Ending::Failed, view, NO_SCALING, true)
}

fn close(outcome: Outcome, reason: &str) -> Restoration {
    Restoration::Close {
        outcome,
        reason: reason.to_owned(),
    }
}

#[test]
fn the_traffic_is_moved_back_before_anything_else_is_touched() {
    assert_eq!(after(&halves([2, 2], [2, 2]), 0, |_| {}), Restoration::Move);
    assert_eq!(
        after(&halves([1, 1], [2, 2]), 0, |_| {}),
        Restoration::Size {
            count: 2,
            and_move: false
        }
    );
    assert_eq!(
        after(&halves([1, 1], [2, 0]), 0, |_| {}),
        Restoration::Size {
            count: 2,
            and_move: true
        }
    );
    let text = "giving the traffic back to blue: 1 of 2 healthy targets that blue needs for all of the traffic; 5s of 10m00s";
    assert_eq!(
        after(&halves([2, 1], [2, 2]), 5, |_| {}),
        Restoration::Wait(text.to_owned())
    );
    assert_eq!(
        after(&halves([2, 1], [2, 2]), 600, |_| {}),
        Restoration::Move
    );
    // A release that is not being rolled back yet has waited for nothing.
    let view = halves([2, 1], [2, 2]);
    let target = target(&view, Some(view.weights));
    let release = open(&target);
    assert!(matches!(
        restoration(&release, &target, Ending::Failed, &view, NO_SCALING, true),
        Restoration::Wait(_)
    ));
    for suspended in [true, false] {
        let view = halves([2, 2], [2, 2]);
        assert_eq!(
            next(&view, Some(view.weights), scaling(suspended)),
            Restoration::Move
        );
    }
}

#[test]
fn scale_in_is_given_back_to_each_colour_before_the_new_one_shrinks() {
    let back = view_of(NEW, pair().weights());
    let stands = |suspended| {
        Some(ScalingView {
            scale_in_suspended: suspended,
        })
    };
    for owed in [
        [stands(true), stands(false)],
        [stands(false), stands(true)],
        [stands(true), None],
        [None, stands(true)],
    ] {
        assert_eq!(next(&back, None, owed), Restoration::GiveBack, "{owed:?}");
    }
    assert_eq!(
        next(&back, None, [stands(false), stands(false)]),
        Restoration::Return
    );
    assert_eq!(
        next(&back, None, [stands(false), None]),
        Restoration::Return
    );
}

#[test]
fn the_new_colour_returns_to_its_recorded_definition_count_and_percentages() {
    let whole = emptied(pair().weights());
    type Spoil = fn(&mut PairView);
    let cases: [Spoil; 4] = [
        |view| view.green.deployments[0].task_definition = NEW.to_owned(),
        |view| view.green.deployments.clear(),
        |view| view.green.desired = 1,
        |view| {
            view.green.percentages = Percentages {
                minimum_healthy: 50,
                maximum: 200,
            }
        },
    ];
    for spoil in cases {
        let mut view = whole.clone();
        spoil(&mut view);
        assert_eq!(after(&view, 0, |_| {}), Restoration::Return);
    }
    // A revision that was deregistered cannot be deployed again, but the count and the percentages can be set.
    let mut gone = view_of(NEW, pair().weights());
    let open = target(&gone, None);
    let left = |view: &PairView| restored(&open, Ending::Failed, view, NO_SCALING, false);
    assert_eq!(left(&gone), Restoration::Return);
    (gone.green.desired, gone.green.running) = (0, 0);
    assert!(matches!(
        left(&gone),
        Restoration::Close {
            outcome: Outcome::RolledBack,
            ..
        }
    ));
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
        restoration(&failed, &target, Ending::Failed, &whole, NO_SCALING, true),
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
        match restored(&open, ending, &whole, NO_SCALING, true) {
            Restoration::Close { outcome, reason } => {
                (outcome, reason.split(';').next().map(ToOwned::to_owned))
            }
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
    // Once it is being rolled back, a success of its execution is no success of the release.
    let success = "the execution succeeded without a finish-release action";
    assert_eq!(
        ended(Ending::Succeeded, false),
        (Outcome::RolledBack, text(success))
    );
}

#[test]
fn a_release_that_only_suspended_scaling_had_changed_nothing() {
    let whole = emptied(pair().weights());
    let only_suspended = |open: &mut PairTarget| (open.change, open.shift) = (None, None);
    let reason = "the execution failed; nothing had been changed";
    assert_eq!(
        after(&whole, 0, only_suspended),
        close(Outcome::Failed, reason)
    );
    // The live colour's own rollout is not waited for, since this release has nothing to do with it.
    let mut busy = whole.clone();
    busy.blue.pending = 1;
    assert_eq!(
        after(&busy, 0, only_suspended),
        close(Outcome::Failed, reason)
    );
    let restoring = Restoration::Wait("restoring blue: 2 of 2 tasks running, 1 pending".to_owned());
    assert_eq!(after(&busy, 0, |open| open.change = None), restoring);
    assert_eq!(after(&busy, 0, |open| open.shift = None), restoring);
}

#[test]
fn a_rollback_is_proven_before_it_is_closed() {
    type Spoil = fn(&mut PairView);
    let cases: [(Spoil, &str); 3] = [
        (|view| view.blue.running = 1, "1 of 2 tasks running"),
        (
            |view| view.blue.deployments[0].rollout = Rollout::InProgress,
            "the rollout is not completed",
        ),
        (
            |view| view.blue.target_groups[0].healthy = 1,
            "1 of 2 targets healthy in blue",
        ),
    ];
    for (spoil, why) in cases {
        let mut view = emptied(pair().weights());
        spoil(&mut view);
        assert_eq!(
            after(&view, 3599, |_| {}),
            Restoration::Wait(format!("restoring blue: {why}"))
        );
        let reason = format!(
            "the execution failed; the rollback to blue with web:1 is not steady after 1h00m: {why}; manual intervention required"
        );
        assert_eq!(after(&view, 3600, |_| {}), Restoration::GiveUp { reason });
    }
    // A steady pair is restored however late.
    assert_eq!(
        after(&view_of(NEW, pair().weights()), 9000, |_| {}),
        Restoration::Return
    );
    assert!(matches!(
        after(&emptied(pair().weights()), 9000, |_| {}),
        Restoration::Close {
            outcome: Outcome::RolledBack,
            ..
        }
    ));
}

#[test]
fn fewer_tasks_than_recorded_are_no_restoration_while_scale_in_is_suspended() {
    let mut fewer = emptied(pair().weights());
    (fewer.blue.desired, fewer.blue.running) = (1, 1);
    fewer.blue.target_groups[0].healthy = 1;
    let mut suspended = pair();
    (suspended.blue.suspended, suspended.green.suspended) = (Some(true), Some(true));
    let open = PairTarget {
        prior: suspended,
        ..target(&fewer, None)
    };
    let left = restored(&open, Ending::Failed, &fewer, scaling(true), true);
    assert_eq!(
        left,
        Restoration::Size {
            count: 2,
            and_move: false
        }
    );
    // Only the old colour's scaling counts.
    let [on, off] =
        [false, true].map(|scale_in_suspended| Some(ScalingView { scale_in_suspended }));
    let left = restored(&open, Ending::Failed, &fewer, [off, on], true);
    assert_eq!(
        left,
        Restoration::Size {
            count: 2,
            and_move: false
        }
    );
    // Scaling that took tasks away may not take the last one.
    (fewer.blue.desired, fewer.blue.running) = (0, 0);
    assert_eq!(
        next(&fewer, None, scaling(false)),
        Restoration::Size {
            count: 2,
            and_move: false
        }
    );
}

#[test]
fn another_writer_s_change_ends_the_rollback_with_what_was_found() {
    let odd = view_of(
        NEW,
        Weights {
            blue: 33,
            green: 67,
        },
    );
    let reason = "the execution failed; the weights were set to blue 33 / green 67 outside this release, left unchanged";
    assert_eq!(
        next(&odd, Some(Weights::with(Colour::Green, 20)), NO_SCALING),
        close(Outcome::Superseded, reason)
    );
    let superseded = |colour: Colour, definition: &str| {
        let mut view = view_of(NEW, pair().weights());
        let service = if colour == Colour::Blue {
            &mut view.blue
        } else {
            &mut view.green
        };
        service.deployments[0].task_definition = definition.to_owned();
        match next(&view, None, NO_SCALING) {
            Restoration::Close {
                outcome: Outcome::Superseded,
                reason,
            } => reason.split("; ").nth(1).map(ToOwned::to_owned),
            _ => None,
        }
    };
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
    // What this release deploys belongs to the new colour only, and what each colour ran belongs to it.
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
    // A colour without a deployment runs nothing of another writer's.
    let mut none = view_of(NEW, pair().weights());
    none.green.deployments.clear();
    assert_eq!(next(&none, None, NO_SCALING), Restoration::Return);
}

#[test]
fn a_success_without_finish_release_says_what_serves() {
    let concluded = |weights, changed: bool, spoil: fn(&mut PairView)| {
        let mut view = view_of(NEW, weights);
        spoil(&mut view);
        let mut open = target(&view, None);
        open.change.take_if(|_| !changed);
        concluded_of(&open, &view, scaling(true))
    };
    let cause = "the execution succeeded without a finish-release action";
    let [all, half, none] = [100, 50, 0].map(|percent| Weights::with(Colour::Green, percent));
    assert_eq!(
        concluded(all, true, |_| {}),
        close(Outcome::Deployed, &format!("{cause}; green serves web:2"))
    );
    assert_eq!(
        concluded(none, true, |_| {}),
        close(Outcome::Unchanged, &format!("{cause}; blue serves web:1"))
    );
    assert_eq!(
        concluded(none, false, |_| {}),
        close(Outcome::Unchanged, &format!("{cause}; blue serves web:1"))
    );
    let not_steady = |what: &str| {
        close(
            Outcome::Failed,
            &format!("{cause}, and the pair is not steady: {what}"),
        )
    };
    assert_eq!(
        concluded(half, true, |_| {}),
        not_steady("the weights are blue 50 / green 50")
    );
    assert_eq!(
        concluded(all, false, |_| {}),
        not_steady("the weights are blue 0 / green 100")
    );
    assert_eq!(
        concluded(all, true, |view| view.green.running = 1),
        not_steady("1 of 2 tasks running")
    );
    let empty = |view: &mut PairView| (view.green.desired, view.green.running) = (0, 0);
    assert_eq!(
        concluded(all, true, empty),
        not_steady("desired count is 0, asked for 1")
    );
}

/// A release that was rolled back after a shift of so many seconds ago.
fn shifted(from: u32, to: u32, ago: i64, seen: u32) -> Restoration {
    let view = view_of(NEW, Weights::with(Colour::Green, seen));
    let mut release = target(&view, Some(Weights::with(Colour::Green, to)));
    let shift = release.shift.as_mut().expect("shifted");
    shift.from = Weights::with(Colour::Green, from);
    shift.at = earlier(view.observed_at, ago);
    restored(&release, Ending::Failed, &view, NO_SCALING, true)
}

#[test]
fn traffic_that_is_read_as_given_back_is_given_back_once_more_while_the_read_may_be_old() {
    assert_eq!(shifted(0, 50, 299, 0), Restoration::Move);
    assert_eq!(shifted(0, 50, 300, 0), Restoration::Return);
}

#[test]
fn traffic_that_was_given_back_is_not_taken_for_moved_by_another_writer_while_the_read_may_be_old()
{
    let wait =
        "waiting for the rule to show blue 100 / green 0; it shows blue 50 / green 50 as before"
            .to_owned();
    assert_eq!(shifted(50, 0, 299, 50), Restoration::Wait(wait));
    assert!(matches!(
        shifted(50, 0, 300, 50),
        Restoration::Close {
            outcome: Outcome::Superseded,
            ..
        }
    ));
}

#[test]
fn a_read_from_before_a_later_step_does_not_put_the_way_back_off() {
    assert_eq!(shifted(20, 50, 299, 20), Restoration::Move);
    assert!(matches!(
        shifted(20, 50, 300, 20),
        Restoration::Close {
            outcome: Outcome::Superseded,
            ..
        }
    ));
}

#[test]
fn weights_that_an_earlier_invocation_may_have_set_again_are_moved_at_once() {
    let half = Weights::with(Colour::Green, 50);
    let view = view_of(NEW, half);
    let mut release = target(&view, Some(pair().weights()));
    let shift = release.shift.as_mut().expect("shifted");
    (shift.from, shift.at, shift.known) = (half, view.observed_at, vec![half]);
    let step = restored(&release, Ending::Failed, &view, NO_SCALING, true);
    assert_eq!(step, Restoration::Move);
}

#[test]
fn a_release_that_ended_well_is_not_judged_by_a_read_from_before_its_last_shift() {
    let view = view_of(NEW, Weights::with(Colour::Green, 50));
    let mut release = target(&view, Some(Weights::with(Colour::Green, 100)));
    let shift = release.shift.as_mut().expect("shifted");
    (shift.from, shift.at) = (view.weights, view.observed_at);
    let step = concluded_of(&release, &view, NO_SCALING);
    let wait =
        "waiting for the rule to show blue 0 / green 100; it shows blue 50 / green 50 as before"
            .to_owned();
    assert_eq!(step, Restoration::Wait(wait));
}

#[test]
fn traffic_goes_back_however_late_the_first_look_comes() {
    let mut view = view_of(NEW, Weights::with(Colour::Green, 50));
    view.blue.running = 1;
    let target = target(&view, Some(view.weights));
    let since = earlier(view.observed_at, 7_200);
    let step = |view: &PairView| {
        let release = rolling_back(&target, since);
        restoration(&release, &target, Ending::Failed, view, NO_SCALING, true)
    };
    assert_eq!(step(&view), Restoration::Move);
    view.weights = pair().weights();
    assert!(matches!(step(&view), Restoration::GiveUp { .. }));
}
