//! The rollback of a pair, in its order: the old colour made large enough, then the traffic, then
//! scale-in, then the new colour as it was, then the proof.
//!
//! What the old colour can carry goes back at once. The new colour keeps its tasks until no earlier
//! invocation can send traffic to it any more.
//!
//! Everything here is pure. What another writer did to the weights or a colour is never
//! overwritten, and a deployment by another writer keeps no traffic from going back.

use std::time::Duration;

use super::context::PairContext;
use super::returning::{ReturnChange, ReturnStep, next_return_step};
use crate::observed::colour::PerColour;
use crate::observed::scaling::ScalingView;
use crate::observed::service::{ServiceView, revision};
use crate::release::{Outcome, PriorColour, Release, TrafficShift};
use crate::strategy::ending::Ending;
use crate::strategy::messages::waiting_for_grace;
use crate::strategy::rollback::{Ladder, Next, Restoration, Success, may_be_old};
use crate::timestamp::readable_of;

/// One change of a pair on its way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PairChange {
    /// Raise the old colour and give it the traffic that it can carry.
    Return(ReturnChange),
    /// Record whether all servers of Route 53 have them.
    ConfirmWeights,
    /// Restore scale-in.
    RestoreScaleIn,
    /// Restore the recorded definition and count of the new colour.
    ResetIdle,
}

/// What the restoration depends on besides the release and the pair.
#[derive(Clone, Copy, Debug)]
pub struct RestorationInput {
    pub ending: Ending,
    pub scaling: PerColour<Option<ScalingView>>,
    /// Whether the new colour's recorded revision can still be deployed; one that was deregistered
    /// cannot.
    pub idle_is_active: bool,
    /// What was left, before the pair was observed, of the time in which a step of the release can
    /// still make the change that it announced.
    pub steps_left: Option<Duration>,
}

/// Decides what is left to do on the pair, which only this rollback writes to.
#[must_use]
pub fn restoration(
    release: &Release,
    context: &PairContext<'_>,
    input: &RestorationInput,
) -> Restoration<PairChange> {
    let PairContext { target, view } = context;
    let pair = &target.prior;
    let unseen = context.unseen_shift();

    // An execution that succeeded is judged by what serves, so an old read of the weights must not
    // decide.
    if input.ending == Ending::Succeeded && !release.is_rolling_back() {
        return match unseen {
            Some(shift) => Restoration::Wait(shift.waiting()),
            None => succeeded(context).conclude(release, view.observed_at),
        };
    }

    // The move back was confirmed and does not show yet. If an earlier invocation may still set the
    // weights that are read, they may also be new: then they are not waited for but moved.
    let moved_back =
        |shift: &&TrafficShift| shift.to == pair.weights() && !shift.known.contains(&view.weights);
    if let Some(shift) = unseen.filter(moved_back) {
        return Restoration::Wait(shift.waiting());
    }

    let ladder = ladder(release, context, input);
    if let Some(what) = external_change(context) {
        // The weights are this release's unless another writer set them, whatever a colour runs.
        let goes_back = external_weights(context).is_none() && traffic_is_away(context);
        let traffic = goes_back.then(|| next_for_traffic(context, input, ladder.waited));
        let decided = match traffic.flatten() {
            Some(next) => ladder.decide(next),
            None => Restoration::Close(ladder.superseded(&what)),
        };
        return with_scale_in(decided, context, input);
    }

    let decided = ladder.decide(next(context, input, &ladder));
    with_scale_in(decided, context, input)
}

/// Restores scale-in before the release is closed, however it ends: the release suspended it,
/// whatever another writer did or the rollback could not do.
fn with_scale_in(
    decided: Restoration<PairChange>,
    context: &PairContext<'_>,
    input: &RestorationInput,
) -> Restoration<PairChange> {
    match decided {
        Restoration::Close(_) if context.pair().scale_in_differs(input.scaling) => {
            Restoration::Apply(PairChange::RestoreScaleIn)
        }
        decided => decided,
    }
}

/// Decides the first rung that is not as recorded.
fn next(
    context: &PairContext<'_>,
    input: &RestorationInput,
    ladder: &Ladder<'_>,
) -> Next<PairChange> {
    let PairContext { target, view } = context;
    let pair = &target.prior;
    let new = pair.idle();

    if let Some(next) = next_for_traffic(context, input, ladder.waited) {
        return next;
    }
    if let Some(next) = next_for_answers(context) {
        return next;
    }

    // An invocation that hung may still give the new colour traffic, which it could not carry once
    // it is reset.
    if let Some(left) = input.steps_left {
        return Next::Wait(waiting_for_grace(left));
    }

    // Before the new colour is reset: Application Auto Scaling raises a count below its minimum
    // when its target is registered again.
    if pair.scale_in_differs(input.scaling) {
        return Next::Change(PairChange::RestoreScaleIn);
    }
    let is_old = may_be_old(ladder.release, pair.of(new).found(), view.of(new));
    // Scale-in that is restored later raises the count, and a read of it may be from before.
    let may_be_raised = target.recount && target.change.is_some();
    if is_old || may_be_raised || differs(pair.of(new), view.of(new), input.idle_is_active) {
        return Next::Change(PairChange::ResetIdle);
    }
    // The release suspended scale-in and changed nothing else.
    if target.change.is_none() && target.shift.is_none() {
        return Next::Nothing;
    }
    Next::Prove(serves_again(context))
}

/// Decides what gives the old colour its tasks and its traffic back; `None` when it has both.
fn next_for_traffic(
    context: &PairContext<'_>,
    input: &RestorationInput,
    waited: Duration,
) -> Option<Next<PairChange>> {
    let PairContext { target, view } = context;
    let pair = &target.prior;
    let (old, new) = (pair.live, pair.idle());
    let scaling = input.scaling.of(old);
    let max_capacity = scaling.map(|scaling| scaling.max_capacity);
    let ReturnStep {
        mut change,
        summary,
    } = next_return_step(context, max_capacity, waited);

    if !traffic_is_away(context) {
        change.weights = None;
        // A raise that was announced may have failed.
        let tasks = pair
            .of(old)
            .desired_count
            .max(target.raised_to.unwrap_or(0));
        let is_small = view.of(old).desired < size_now(context, input, tasks);
        let is_due = is_small && change.raise.is_some();
        return is_due.then_some(Next::Change(PairChange::Return(change)));
    }

    // An invocation that hung may still stop the old colour's tasks: traffic that the new one
    // serves is not sent there before.
    let may_stop = input.steps_left.filter(|_| target.retiring);
    let may_stop = may_stop.filter(|_| pair.healthy(view, new) > 0);
    if may_stop.is_some() {
        change.weights = None;
    }

    Some(match (change.weights, change.raise, may_stop) {
        (Some(_), ..) => Next::Urgent(PairChange::Return(change)),
        (None, Some(_), _) => Next::Change(PairChange::Return(change)),
        (None, None, Some(left)) => Next::Wait(waiting_for_grace(left)),
        (None, None, None) => Next::Wait(format!("returning the traffic to {old}: {summary}")),
    })
}

/// Whether some of the traffic is not on the old colour. Weights that are read as recorded may be
/// older than a shift that moved them: they are set once more.
#[must_use]
pub fn traffic_is_away(context: &PairContext<'_>) -> bool {
    let PairContext { target, view } = context;
    let pair = &target.prior;
    view.weights != pair.weights() || context.unseen_shift().is_some()
}

/// Decides how much longer resolvers may send clients to the new colour, by DNS answers from before
/// the records had the recorded weights; `None` when they no longer do.
fn next_for_answers(context: &PairContext<'_>) -> Option<Next<PairChange>> {
    let PairContext { target, view } = context;
    let ttl = target.prior.route.ttl()?;
    let back = target.shift.as_ref()?;
    let recorded = target.prior.weights();
    if back.to != recorded {
        // Another writer set the recorded weights, and when is not known: they are set once more,
        // unless the new colour never had traffic.
        let had_traffic = !back.may_be_unmade() || back.from != recorded;
        let again = ReturnChange::only_weights(recorded);
        return had_traffic.then_some(Next::Change(PairChange::Return(again)));
    }
    if !back.made {
        return Some(Next::Change(PairChange::ConfirmWeights));
    }

    let passed = view.observed_at.since(back.at);
    (passed < ttl).then(|| {
        Next::Wait(format!(
            "resolvers may answer with {} until the TTL has passed: {}",
            target.prior.idle(),
            readable_of(passed, ttl)
        ))
    })
}

fn ladder<'a>(
    release: &'a Release,
    context: &PairContext<'_>,
    input: &RestorationInput,
) -> Ladder<'a> {
    let PairContext { target, view } = context;
    let pair = &target.prior;
    let prior = pair.of(pair.live);

    Ladder {
        release,
        ending: input.ending,
        goal: format!("{} with {}", pair.live, revision(&prior.task_definition)),
        missing: view
            .of(pair.live)
            .missing(&prior.task_definition, proven_size(context, input)),
        waited: release
            .rolling_back_since()
            .map_or(Duration::ZERO, |since| view.observed_at.since(since)),
    }
}

/// Tasks that the old colour must have to be proven.
fn proven_size(context: &PairContext<'_>, input: &RestorationInput) -> u32 {
    let pair = context.pair();
    size_now(context, input, pair.of(pair.live).desired_count)
}

/// Tasks that the old colour must have, of those that it was to have. Once automatic scaling may
/// remove tasks again, their number is up to it.
fn size_now(context: &PairContext<'_>, input: &RestorationInput, tasks: u32) -> u32 {
    let live = context.pair().live;
    let may_scale_in = input
        .scaling
        .of(live)
        .is_some_and(ScalingView::may_scale_in);

    if may_scale_in { 1 } else { tasks }
}

/// What serves after a release whose pipeline has no `finish-release`, by where the weights send
/// the traffic.
fn succeeded(context: &PairContext<'_>) -> Success {
    let PairContext { target, view } = context;
    let pair = &target.prior;
    let new = pair.idle();
    let (live, wanted, outcome) = match &target.change {
        Some(change) if view.weights.live() == Some(new) => {
            (new, &change.task_definition, Outcome::Deployed)
        }
        Some(_) | None => {
            let prior = &pair.of(pair.live).task_definition;
            (pair.live, prior, Outcome::Unchanged)
        }
    };

    let mut missing = view.of(live).missing(wanted, 1);
    if view.weights.live() != Some(live) {
        missing.push(format!("weights are {}", view.weights));
    }
    Success {
        noun: "pair",
        outcome,
        missing,
        summary: format!("{live} serves {}", revision(wanted)),
    }
}

/// What another writer did to the pair since the release began.
fn external_change(context: &PairContext<'_>) -> Option<String> {
    external_weights(context).or_else(|| external_deployment(context))
}

fn external_weights(context: &PairContext<'_>) -> Option<String> {
    let PairContext { target, view } = context;
    let pair = &target.prior;
    let mut possible = target
        .shift
        .clone()
        .map_or_else(Vec::new, TrafficShift::possible_weights);
    possible.push(pair.weights());
    // Going back is not delayed because the read may be older than the last shift forward.
    possible.extend(context.unseen_shift().map(|shift| shift.from));

    let is_external = !possible.contains(&view.weights);
    is_external.then(|| {
        format!(
            "the weights were set to {} outside this release",
            view.weights
        )
    })
}

fn external_deployment(context: &PairContext<'_>) -> Option<String> {
    let PairContext { target, view } = context;
    let pair = &target.prior;
    let changed = target
        .change
        .as_ref()
        .map(|change| change.task_definition.as_str());

    [pair.live, pair.idle()].into_iter().find_map(|colour| {
        let primary = view.of(colour).primary()?;
        let found = primary.task_definition.as_str();
        let is_recorded = pair.of(colour).found().runs(primary);
        let is_ours = colour == pair.idle() && Some(found) == changed;
        (!is_recorded && !is_ours).then(|| {
            format!(
                "{} was deployed to {colour} outside this release",
                revision(found)
            )
        })
    })
}

fn differs(recorded: &PriorColour, seen: &ServiceView, is_active: bool) -> bool {
    let definition_differs = seen
        .primary()
        .is_none_or(|primary| primary.task_definition != recorded.task_definition);

    is_active && definition_differs
        || seen.desired != recorded.desired_count
        || seen.percentages != seen.restored_percentages(recorded.percentages)
}

fn serves_again(context: &PairContext<'_>) -> String {
    let PairContext { target, view } = context;
    let pair = &target.prior;
    let service = view.of(pair.live);
    let off = target.stickiness;
    let clients = off.map_or_else(String::new, |off| off.describe(pair.idle()));

    format!(
        "{} serves again as {} with {} of {} tasks, weights {}{clients}",
        revision(&pair.of(pair.live).task_definition),
        pair.live,
        service.running,
        service.desired,
        view.weights
    )
}

#[cfg(test)]
mod tests;
