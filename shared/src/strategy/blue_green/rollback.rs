//! The way back of a pair: the old colour made large enough, then the traffic, then scale-in, then the new colour as it was.

use std::time::Duration;

use super::retire::gives_back;
use super::size::enough;
use super::{Colour, PairView, PriorColour, PriorPair, ScalingView, TrafficShift};
use crate::limits::{ROLLBACK_DEADLINE, SIZING_DEADLINE};
use crate::observed::service::{ServiceView, revision};
use crate::release::{Outcome, PairTarget, Release};
use crate::strategy::rollback::{Ending, cause, nothing_changed};
use crate::timestamp::readable;

/// What is left to do on a pair that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Restoration {
    /// It is as it should be, or will not become so.
    Close {
        outcome: Outcome,
        reason: String,
    },
    /// It cannot be restored: an operator must repair it.
    GiveUp {
        reason: String,
    },
    /// Make the old colour this large, and give it the traffic at once when the other one does not serve.
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
    /// The old colour grows; when the other one does not serve, the traffic goes back to what there is of it in the same invocation.
    Size {
        count: u32,
        and_move: bool,
    },
    Wait(String),
    Move,
}

/// Decides how the recorded weights are restored, `waited` after it was decided that they are.
///
/// The old colour must be able to take all of the traffic first. That is not waited for when the other one could not serve (the new
/// colour has no healthy target), and not for ever.
#[must_use]
pub fn way_back(target: &PairTarget, view: &PairView, waited: Duration) -> Way {
    let pair = &target.prior;
    let (old, new) = (pair.live, pair.idle());
    let (needed, service, healthy) = (enough(target, view), view.of(old), view.healthy(pair, old));
    let ready = healthy >= needed;
    let only_old_serves = view.healthy(pair, new) == 0 && (healthy > 0 || needed == 0);
    if service.desired < needed {
        return Way::Size {
            count: needed,
            and_move: only_old_serves,
        };
    }
    if ready || only_old_serves || (waited >= SIZING_DEADLINE && healthy > 0) {
        return Way::Move;
    }
    Way::Wait(format!(
        "{healthy} of {needed} healthy targets that {old} needs for all of the traffic; {} of {}",
        readable(waited),
        readable(SIZING_DEADLINE)
    ))
}

/// Decides what is left to do. No step writes to the pair any more, and `view` is the pair now. `idle_is_active` says whether
/// the new colour's recorded revision can still be deployed; one that was deregistered cannot.
#[must_use]
pub fn restoration(
    release: &Release,
    target: &PairTarget,
    ending: Ending,
    view: &PairView,
    scaling: [Option<ScalingView>; 2],
    idle_is_active: bool,
) -> Restoration {
    let pair = &target.prior;
    let prior = pair.of(pair.live);
    let unseen = target
        .shift
        .as_ref()
        .filter(|shift| shift.may_be_unseen(view.weights, view.observed_at));
    if ending == Ending::Succeeded && !release.is_rolling_back() {
        if let Some(shift) = unseen {
            return Restoration::Wait(shift.waiting());
        }
        return concluded(target, view);
    }
    let cause = cause(release, ending);
    let (old, new) = (pair.live, pair.idle());
    // Once automatic scaling may take tasks away again, how many there are is its business.
    let scales = |colour: Colour| {
        scaling[usize::from(colour == Colour::Green)].is_some_and(|view| !view.scale_in_suspended)
    };
    let size = if scales(old) { 1 } else { prior.desired_count };
    let missing = view
        .of(old)
        .missing(&prior.task_definition, size)
        .join("; ");
    let waited = release
        .rolling_back_since()
        .map_or(Duration::ZERO, |since| view.observed_at.since(since));
    let way = || way_back(target, view, waited);
    if let Some(shift) =
        unseen.filter(|shift| shift.to == pair.weights() && !shift.known.contains(&view.weights))
    {
        return Restoration::Wait(shift.waiting());
    }
    if let Some(what) = foreign(target, view) {
        return owed(pair, scaling).unwrap_or_else(|| Restoration::Close {
            outcome: Outcome::Superseded,
            reason: format!("{cause}; {what}, left unchanged"),
        });
    }
    // Weights that are read as recorded may be older than a shift that moved them: they are set once more.
    let moved = view.weights != pair.weights() || unseen.is_some();
    let step = match way() {
        Way::Size { count, and_move } if moved => Some(Restoration::Size { count, and_move }),
        Way::Size { count, .. } if view.of(old).desired < size => Some(Restoration::Size {
            count,
            and_move: false,
        }),
        Way::Wait(why) if moved => Some(Restoration::Wait(format!(
            "giving the traffic back to {old}: {why}"
        ))),
        Way::Move if moved => Some(Restoration::Move),
        _ => None,
    };
    // Scale-in is given back first: Application Auto Scaling pulls a count below its minimum up when that is done.
    let step = step.or_else(|| owed(pair, scaling));
    let step = step.or_else(|| {
        differs(pair.of(new), view.of(new), idle_is_active).then_some(Restoration::Return)
    });
    // Traffic that can go back goes back, however late the first look comes.
    let moves = step == Some(Restoration::Move);
    match step {
        Some(_) | None if waited >= ROLLBACK_DEADLINE && !missing.is_empty() && !moves => {
            Restoration::GiveUp {
                reason: format!(
                    "{cause}; the rollback to {old} with {} is not steady after {}: {missing}; manual intervention required",
                    revision(&prior.task_definition),
                    readable(waited)
                ),
            }
        }
        Some(step) => step,
        // It suspended scale-in and no more.
        None if target.change.is_none() && target.shift.is_none() => {
            let (outcome, reason) = nothing_changed(release, ending);
            Restoration::Close { outcome, reason }
        }
        None if !missing.is_empty() => Restoration::Wait(format!("restoring {old}: {missing}")),
        None => {
            let held = target
                .traffic_return
                .as_ref()
                .is_some_and(|decided| decided.held);
            let outcome = match ending {
                Ending::Superseded => Outcome::Superseded,
                // Nothing was found against it, and no decision to go on was taken.
                _ if held => Outcome::Held,
                _ => Outcome::RolledBack,
            };
            Restoration::Close {
                outcome,
                reason: format!("{cause}; {}", serves_again(pair, view)),
            }
        }
    }
}

/// A pipeline without `finish-release` ended well: the weights themselves say what became of the release.
fn concluded(target: &PairTarget, view: &PairView) -> Restoration {
    let pair = &target.prior;
    let cause = "the execution succeeded without a finish-release action";
    let new = pair.idle();
    let (live, wanted, outcome) = match &target.change {
        Some(change) if view.weights.live() == Some(new) => {
            (new, &change.task_definition, Outcome::Deployed)
        }
        Some(_) | None => (
            pair.live,
            &pair.of(pair.live).task_definition,
            Outcome::Unchanged,
        ),
    };
    let mut missing = view.of(live).missing(wanted, 1);
    if view.weights.live() != Some(live) {
        missing.push(format!("the weights are {}", view.weights));
    }
    match missing.join("; ") {
        missing if missing.is_empty() => Restoration::Close {
            outcome,
            reason: format!("{cause}; {live} serves {}", revision(wanted)),
        },
        missing => Restoration::Close {
            outcome: Outcome::Failed,
            reason: format!("{cause}, and the pair is not steady: {missing}"),
        },
    }
}

/// What was done to the pair outside this release.
fn foreign(target: &PairTarget, view: &PairView) -> Option<String> {
    let pair = &target.prior;
    let mut known = target
        .shift
        .clone()
        .map_or_else(Vec::new, TrafficShift::announced);
    known.push(pair.weights());
    // Going back is not put off because the read may be older than the last shift forward.
    known.extend(
        target
            .shift
            .as_ref()
            .filter(|shift| shift.may_be_unseen(view.weights, view.observed_at))
            .map(|shift| shift.from),
    );
    if !known.contains(&view.weights) {
        return Some(format!(
            "the weights were set to {} outside this release",
            view.weights
        ));
    }
    let runs = |colour: Colour| {
        view.of(colour)
            .primary()
            .map(|primary| primary.task_definition.as_str())
    };
    let changed = target
        .change
        .as_ref()
        .map(|change| change.task_definition.as_str());
    [pair.live, pair.idle()].into_iter().find_map(|colour| {
        let found = runs(colour)?;
        let ours = found == pair.of(colour).task_definition
            || (colour == pair.idle() && Some(found) == changed);
        (!ours).then(|| {
            format!(
                "{} was deployed to {colour} outside this release",
                revision(found)
            )
        })
    })
}

fn differs(recorded: &PriorColour, seen: &ServiceView, is_active: bool) -> bool {
    is_active
        && seen
            .primary()
            .is_none_or(|primary| primary.task_definition != recorded.task_definition)
        || seen.desired != recorded.desired_count
        || seen.percentages != recorded.percentages
}

fn owed(pair: &PriorPair, scaling: [Option<ScalingView>; 2]) -> Option<Restoration> {
    gives_back(pair, scaling).then_some(Restoration::GiveBack)
}

/// Tasks that the new colour was filled with; the size of the live one when it never was.
#[must_use]
pub fn filled(target: &PairTarget) -> u32 {
    let pair = &target.prior;
    let count = target
        .change
        .as_ref()
        .and_then(|change| change.desired_count);
    count.unwrap_or(pair.of(pair.live).desired_count)
}

fn serves_again(pair: &PriorPair, view: &PairView) -> String {
    let service = view.of(pair.live);
    format!(
        "{} serves again as {} with {} of {} tasks, weights {}",
        revision(&pair.of(pair.live).task_definition),
        pair.live,
        service.running,
        service.desired,
        view.weights
    )
}

#[cfg(test)]
mod tests;
