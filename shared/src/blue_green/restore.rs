//! The way back of a pair: the old colour made large enough, then the traffic, then scale-in, then the new colour as it was.

use std::time::Duration;

use super::retire::gives_back;
use super::size::enough;
use super::{Colour, PairView, PriorColour, PriorPair, ScalingView, Shift};
use crate::ledger::{OpenRelease, Outcome, Prior, State};
use crate::limits::{ROLLBACK_DEADLINE, SIZING_DEADLINE};
use crate::rollback::{Ending, cause, nothing_changed};
use crate::service::{ServiceView, revision};
use crate::timestamp::readable;

/// What is left to do on a pair that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Restoration {
    /// It is as it should be, or will not become so.
    Close {
        outcome: Outcome,
        reason: String,
    },
    /// Make the old colour this large, and give it the traffic at once when nobody else serves.
    Size {
        count: u32,
        and_move: bool,
    },
    /// Give the recorded weights back.
    Move,
    /// Give the new colour its recorded definition and count back.
    Return,
    /// Give scale-in back.
    GiveBack,
    Wait(String),
}

/// How the traffic goes back to the old colour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// The old colour grows; when nobody else serves, the traffic goes back to what there is of it in the same invocation.
    Size {
        count: u32,
        and_move: bool,
    },
    Wait(String),
    Move,
}

/// Decides how the recorded weights are restored, `waited` after it was decided that they are.
///
/// The old colour must be able to take all of the traffic first. That is not waited for when nobody else could serve (the new
/// colour has no healthy target), and not for ever.
#[must_use]
pub fn way_back(release: &OpenRelease, pair: &PriorPair, view: &PairView, waited: Duration) -> Way {
    let (old, new) = (pair.live, pair.idle());
    let (needed, service, healthy) = (enough(release, pair, view), view.of(old), view.healthy(pair, old));
    let ready = healthy >= needed;
    let served_by_nobody_else = view.healthy(pair, new) == 0 && (healthy > 0 || needed == 0);
    if service.desired < needed {
        return Way::Size { count: needed, and_move: served_by_nobody_else };
    }
    if ready || served_by_nobody_else || (waited >= SIZING_DEADLINE && healthy > 0) {
        return Way::Move;
    }
    Way::Wait(format!(
        "{healthy} of {needed} healthy targets that {old} needs for all of the traffic; {} of {}",
        readable(waited),
        readable(SIZING_DEADLINE)
    ))
}

/// Decides what is left to do. Nobody else writes to the pair any more, and `view` is the pair now. `idle_is_active` says whether
/// the new colour's recorded revision can still be deployed; one that was deregistered cannot.
#[must_use]
pub fn restoration(
    release: &OpenRelease,
    prior: &Prior,
    pair: &PriorPair,
    ending: Ending,
    view: &PairView,
    scaling: [Option<ScalingView>; 2],
    idle_is_active: bool,
) -> Restoration {
    if ending == Ending::Succeeded && release.state == State::Open {
        return concluded(release, prior, pair, view);
    }
    let cause = cause(release, ending);
    let (old, new) = (pair.live, pair.idle());
    // Once automatic scaling may take tasks away again, how many there are is its business.
    let scales =
        |colour: Colour| scaling[usize::from(colour == Colour::Green)].is_some_and(|view| !view.scale_in_suspended);
    let size = if scales(old) { 1 } else { prior.desired_count };
    let missing = view.of(old).missing(&prior.task_definition, size).join("; ");
    let waited = release.rolling_back_since.map_or(Duration::ZERO, |since| view.observed_at.since(since));
    let way = || way_back(release, pair, view, waited);
    if let Some(what) = foreign(release, pair, view) {
        return owed(pair, scaling).unwrap_or_else(|| Restoration::Close {
            outcome: Outcome::Superseded,
            reason: format!("{cause}; {what}, which is left alone"),
        });
    }
    let moved = view.weights != pair.weights();
    let step = match way() {
        Way::Size { count, and_move } if moved => Some(Restoration::Size { count, and_move }),
        Way::Size { count, .. } if view.of(old).desired < size => Some(Restoration::Size { count, and_move: false }),
        Way::Wait(why) if moved => Some(Restoration::Wait(format!("giving the traffic back to {old}: {why}"))),
        Way::Move if moved => Some(Restoration::Move),
        _ => None,
    };
    // Scale-in is given back first: Application Auto Scaling pulls a count below its minimum up when that is done.
    let step = step.or_else(|| owed(pair, scaling));
    match step.or_else(|| differs(pair.of(new), view.of(new), idle_is_active).then_some(Restoration::Return)) {
        Some(_) | None if waited >= ROLLBACK_DEADLINE && !missing.is_empty() => Restoration::Close {
            outcome: Outcome::Failed,
            reason: format!(
                "{cause}; the rollback to {old} with {} is not steady after {}: {missing}; the pair needs a person",
                revision(&prior.task_definition),
                readable(waited)
            ),
        },
        Some(step) => step,
        // It suspended scale-in and no more.
        None if release.change.is_none() && release.shift.is_none() => {
            let (outcome, reason) = nothing_changed(release, ending);
            Restoration::Close { outcome, reason }
        }
        None if !missing.is_empty() => Restoration::Wait(format!("restoring {old}: {missing}")),
        None => {
            let held = release.restoring.as_ref().is_some_and(|restoring| restoring.held);
            let outcome = match ending {
                Ending::Superseded => Outcome::Superseded,
                // Nothing was found against it, and nobody said that it should go on.
                _ if held => Outcome::Held,
                _ => Outcome::RolledBack,
            };
            Restoration::Close { outcome, reason: format!("{cause}; {}", serves_again(prior, pair, view)) }
        }
    }
}

/// A pipeline without `finish-release` ended well: the weights themselves say what became of the release.
fn concluded(release: &OpenRelease, prior: &Prior, pair: &PriorPair, view: &PairView) -> Restoration {
    let cause = "the execution succeeded without a finish-release action";
    let new = pair.idle();
    let (live, wanted, outcome) = match &release.change {
        Some(change) if view.weights.live() == Some(new) => (new, &change.task_definition, Outcome::Deployed),
        Some(_) | None => (pair.live, &prior.task_definition, Outcome::Unchanged),
    };
    let mut missing = view.of(live).missing(wanted, 1);
    if view.weights.live() != Some(live) {
        missing.push(format!("the weights are {}", view.weights));
    }
    match missing.join("; ") {
        missing if missing.is_empty() => {
            Restoration::Close { outcome, reason: format!("{cause}; {live} serves {}", revision(wanted)) }
        }
        missing => Restoration::Close {
            outcome: Outcome::Failed,
            reason: format!("{cause}, and the pair is not steady: {missing}"),
        },
    }
}

/// What somebody else did to the pair meanwhile.
fn foreign(release: &OpenRelease, pair: &PriorPair, view: &PairView) -> Option<String> {
    let mut known = release.shift.clone().map_or_else(Vec::new, Shift::announced);
    known.push(pair.weights());
    if !known.contains(&view.weights) {
        return Some(format!("somebody else set the weights to {}", view.weights));
    }
    let runs = |colour: Colour| view.of(colour).primary().map(|primary| primary.task_definition.as_str());
    let changed = release.change.as_ref().map(|change| change.task_definition.as_str());
    [pair.live, pair.idle()].into_iter().find_map(|colour| {
        let found = runs(colour)?;
        let ours = found == pair.of(colour).task_definition || (colour == pair.idle() && Some(found) == changed);
        (!ours).then(|| format!("somebody else deployed {} to {colour}", revision(found)))
    })
}

fn differs(recorded: &PriorColour, seen: &ServiceView, is_active: bool) -> bool {
    is_active && seen.primary().is_none_or(|primary| primary.task_definition != recorded.task_definition)
        || seen.desired != recorded.desired_count
        || seen.percentages != recorded.percentages
}

fn owed(pair: &PriorPair, scaling: [Option<ScalingView>; 2]) -> Option<Restoration> {
    gives_back(pair, scaling).then_some(Restoration::GiveBack)
}

/// Tasks that the new colour was filled with; the size of the live one when it never was.
#[must_use]
pub fn filled(release: &OpenRelease, pair: &PriorPair) -> u32 {
    let count = release.change.as_ref().and_then(|change| change.desired_count);
    count.unwrap_or(pair.of(pair.live).desired_count)
}

fn serves_again(prior: &Prior, pair: &PriorPair, view: &PairView) -> String {
    let service = view.of(pair.live);
    format!(
        "{} serves again as {} with {} of {} tasks, weights {}",
        revision(&prior.task_definition),
        pair.live,
        service.running,
        service.desired,
        view.weights
    )
}

#[cfg(test)]
mod tests {
    use super::super::Weights;
    use super::super::tests::{IDLE, pair, release, view, view_of};
    use super::*;
    use crate::service::tests::{NEW, OLD};

    const NO_SCALING: [Option<ScalingView>; 2] = [None, None];

    fn scaling(suspended: bool) -> [Option<ScalingView>; 2] {
        [Some(ScalingView { scale_in_suspended: suspended }); 2]
    }

    fn next(view: &PairView, shifted: Option<Weights>, scaling: [Option<ScalingView>; 2]) -> Restoration {
        let release = release(view, shifted);
        let prior = release.prior.clone().expect("recorded");
        restoration(&release, &prior, &pair(), Ending::Failed, view, scaling, true)
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
        assert_eq!(next(&grown, Some(half), scaling(true)), Restoration::Size { count: 8, and_move: false });
        grown.blue.desired = 8;
        let sized = OpenRelease { sized: Some(8), ..release(&grown, Some(half)) };
        assert!(matches!(way_back(&sized, &pair(), &grown, Duration::ZERO), Way::Wait(_)));
        grown.blue.target_groups[0].healthy = 8;
        assert_eq!(way_back(&sized, &pair(), &grown, Duration::ZERO), Way::Move);
        let back = pair().weights();
        assert_eq!(next(&view_of(NEW, back), Some(half), scaling(true)), Restoration::GiveBack);
        assert_eq!(next(&view_of(NEW, back), Some(half), scaling(false)), Restoration::Return);
        let closed = next(&emptied(back), Some(half), scaling(false));
        assert!(matches!(closed, Restoration::Close { outcome: Outcome::RolledBack, .. }));
    }

    #[test]
    fn nobody_waits_for_size_when_nobody_else_can_serve() {
        let half = Weights::with(Colour::Green, 50);
        let mut dead = view_of(NEW, half);
        (dead.blue.desired, dead.green.desired) = (8, 4);
        dead.green.target_groups[0].healthy = 0;
        let way = |view: &PairView, waited| {
            let release = OpenRelease { sized: Some(8), ..release(view, Some(half)) };
            way_back(&release, &pair(), view, waited)
        };
        assert_eq!(way(&dead, Duration::ZERO), Way::Move);
        let small = PairView { blue: ServiceView { desired: 4, ..dead.blue.clone() }, ..dead.clone() };
        assert_eq!(way(&small, Duration::ZERO), Way::Size { count: 8, and_move: true });
        assert_eq!(next(&small, Some(half), NO_SCALING), Restoration::Size { count: 8, and_move: true });
        dead.green.target_groups[0].healthy = 1;
        assert!(matches!(way(&dead, Duration::ZERO), Way::Wait(_)));
        assert_eq!(way(&dead, SIZING_DEADLINE), Way::Move);
        dead.blue.target_groups[0].healthy = 0;
        assert!(matches!(way(&dead, SIZING_DEADLINE), Way::Wait(_)));
    }

    #[test]
    fn what_somebody_else_did_is_left_alone_but_scaling_is_given_back() {
        let odd = Weights { blue: 33, green: 67 };
        assert_eq!(next(&view_of(NEW, odd), None, scaling(true)), Restoration::GiveBack);
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
        let mut release = release(&view_of(NEW, forty), Some(back));
        release.shift.as_mut().expect("shifted").known.push(forty);
        let prior = release.prior.clone().expect("recorded");
        let late = view_of(NEW, forty);
        let step =
            |release: &OpenRelease| restoration(release, &prior, &pair(), Ending::Failed, &late, NO_SCALING, true);
        assert_eq!(step(&release), Restoration::Move);
        let shift = release.shift.as_mut().expect("shifted");
        (shift.from, shift.made, shift.known) = (forty, true, Vec::new());
        assert!(matches!(step(&release), Restoration::Close { outcome: Outcome::Superseded, .. }));
    }

    #[test]
    fn fewer_tasks_than_recorded_are_made_good_unless_scaling_chose_them() {
        let mut fewer = emptied(pair().weights());
        (fewer.blue.desired, fewer.blue.running) = (1, 1);
        fewer.blue.target_groups[0].healthy = 1;
        assert_eq!(next(&fewer, None, NO_SCALING), Restoration::Size { count: 2, and_move: false });
        let closed = next(&fewer, None, scaling(false));
        assert!(matches!(closed, Restoration::Close { outcome: Outcome::RolledBack, .. }));
    }

    #[test]
    fn a_revision_that_was_deregistered_is_not_asked_for_again() {
        let back = pair().weights();
        let mut stopped = view_of(NEW, back);
        (stopped.green.desired, stopped.green.running) = (0, 0);
        let release = release(&stopped, None);
        let prior = release.prior.clone().expect("recorded");
        let next = |active| restoration(&release, &prior, &pair(), Ending::Failed, &stopped, NO_SCALING, active);
        assert_eq!(next(true), Restoration::Return);
        assert!(matches!(next(false), Restoration::Close { outcome: Outcome::RolledBack, .. }));
    }

    #[test]
    fn a_success_without_finish_release_is_told_by_the_weights() {
        let outcome = |weights, definition| {
            let view = view_of(definition, weights);
            let open = OpenRelease { state: State::Open, ..release(&view, None) };
            let prior = open.prior.clone().expect("recorded");
            let step = restoration(&open, &prior, &pair(), Ending::Succeeded, &view, NO_SCALING, true);
            match step {
                Restoration::Close { outcome, .. } => outcome,
                other => panic!("{other:?} closes nothing"),
            }
        };
        assert_eq!(outcome(Weights::with(Colour::Green, 100), NEW), Outcome::Deployed);
        assert_eq!(outcome(Weights::with(Colour::Green, 100), OLD), Outcome::Failed);
        assert_eq!(outcome(Weights::with(Colour::Green, 50), NEW), Outcome::Failed);
        assert_eq!(outcome(Weights::with(Colour::Green, 0), NEW), Outcome::Unchanged);
    }
}
