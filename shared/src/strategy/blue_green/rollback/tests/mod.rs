use super::*;
use crate::job::Failure;
use crate::observed::colour::Colour;
use crate::observed::fixtures::{NEW, OLD};
use crate::observed::pair::PairView;
use crate::observed::percentages::Percentages;
use crate::observed::service::Rollout;
use crate::observed::weights::Weights;
use crate::release::{Conclusion, FoundDeployment, PairTarget, TrafficReturn};
use crate::strategy::blue_green::fixtures::*;
use crate::timestamp::Timestamp;

mod endings;
mod external;
mod order;
mod returning;

const MOVE: Restoration<PairChange> = Restoration::Apply(PairChange::Return(RECORDED));
const RESET_IDLE: Restoration<PairChange> = Restoration::Apply(PairChange::ResetIdle);
const RESTORE_SCALE_IN: Restoration<PairChange> = Restoration::Apply(PairChange::RestoreScaleIn);

/// Sets the recorded weights.
const RECORDED: ReturnChange = ReturnChange::only_weights(Weights {
    blue: 100,
    green: 0,
});

/// Raises blue, and gives it this share if there is one.
fn raise(count: u32, share: Option<u32>) -> Restoration<PairChange> {
    Restoration::Apply(PairChange::Return(ReturnChange {
        raise: Some(count),
        weights: share.map(|percent| Weights::with(Colour::Blue, percent)),
        capped_from: None,
    }))
}

/// What is left to do of `release`, whose execution ended.
fn left_of(
    release: &Release,
    target: &PairTarget,
    ending: Ending,
    view: &PairView,
    scaling: PerColour<Option<ScalingView>>,
) -> Restoration<PairChange> {
    let input = RestorationInput {
        ending,
        scaling,
        idle_is_active: true,
        steps_left: None,
    };
    restoration(release, &context(target, view), &input)
}

/// What is left to do of a release that is being rolled back since `view`.
fn restored(
    target: &PairTarget,
    ending: Ending,
    view: &PairView,
    scaling: PerColour<Option<ScalingView>>,
) -> Restoration<PairChange> {
    let release = rolling_back(target, view.observed_at);
    left_of(&release, target, ending, view, scaling)
}

/// What is left to do of an open release whose execution succeeded this many seconds before `view`.
fn concluded_of(
    target: &PairTarget,
    view: &PairView,
    scaling: PerColour<Option<ScalingView>>,
    secs: i64,
) -> Restoration<PairChange> {
    let succeeded_at = Timestamp::from_secs(view.observed_at.secs() - secs).expect("in range");
    let release = Release {
        succeeded_at: Some(succeeded_at),
        ..open(target)
    };
    left_of(&release, target, Ending::Succeeded, view, scaling)
}

/// As [`restored`] after a failure, when the new colour's recorded revision can be deployed or not.
fn with_idle(target: &PairTarget, view: &PairView, is_active: bool) -> Restoration<PairChange> {
    let input = RestorationInput {
        ending: Ending::Failed,
        scaling: NO_SCALING,
        idle_is_active: is_active,
        steps_left: None,
    };
    let release = rolling_back(target, view.observed_at);

    restoration(&release, &context(target, view), &input)
}

/// As [`restored`] after a failure, while a step can still make the change that it announced.
fn while_steps_may_act(target: &PairTarget, view: &PairView) -> Restoration<PairChange> {
    let input = RestorationInput {
        ending: Ending::Failed,
        scaling: scaling(true),
        idle_is_active: true,
        steps_left: Some(Duration::from_secs(9)),
    };
    let release = rolling_back(target, view.observed_at);

    restoration(&release, &context(target, view), &input)
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_767_603_600 + secs).expect("in range")
}

fn next(
    view: &PairView,
    shifted: Option<Weights>,
    scaling: PerColour<Option<ScalingView>>,
) -> Restoration<PairChange> {
    restored(&target(view, shifted), Ending::Failed, view, scaling)
}

/// What is left to do this long after the rollback began; scale-in is as it was recorded.
fn after(
    view: &PairView,
    secs: i64,
    more: impl FnOnce(&mut PairTarget),
) -> Restoration<PairChange> {
    let mut target = target(view, Some(view.weights));
    more(&mut target);
    let release = rolling_back(&target, at(-secs));
    left_of(&release, &target, Ending::Failed, view, NO_SCALING)
}

fn close(outcome: Outcome, reason: &str) -> Restoration<PairChange> {
    Restoration::Close(Conclusion::new(outcome, reason.to_owned()))
}
