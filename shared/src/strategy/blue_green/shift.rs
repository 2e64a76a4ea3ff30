//! The shift of traffic to the new colour: from the weights that were seen to the one next step.

use std::time::Duration;

use super::{Colour, PairView, PriorPair, TrafficShift, Weights};
use crate::job::Failure;
use crate::limits::{FUNCTION_TIMEOUT, HEALTH_DEADLINE};
use crate::observed::service::{Rollout, revision};
use crate::release::PairTarget;
use crate::timestamp::readable;

/// What is asked of the traffic.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The revision that the new colour must run.
    pub task_definition: String,
    /// Percentages of the traffic that the new colour gets, rising.
    pub steps: Vec<u32>,
    /// How long each step but the last bakes.
    pub step_bake: Duration,
    /// How long the last step bakes.
    pub last_bake: Duration,
    /// Tasks that the new colour was filled with.
    pub filled: u32,
    /// Share of these that must stay healthy while it has traffic, in percent.
    pub minimum_healthy_percent: u32,
}

impl Asked {
    /// Healthy targets without which the new colour must not keep its traffic: `ceil(filled × minimum / 100)`, at least 1.
    #[must_use]
    pub fn floor(&self) -> u32 {
        (self.filled * self.minimum_healthy_percent)
            .div_ceil(100)
            .max(1)
    }

    /// How long the traffic stays as it is at `percent`, before the next step or the end. An invocation that announced a shift and
    /// hung can still make it within a function's time-out, so no step is shorter.
    fn bake(&self, percent: u32) -> Duration {
        let last = self.steps.last().is_none_or(|last| percent >= *last);
        if last { self.last_bake } else { self.step_bake }.max(FUNCTION_TIMEOUT)
    }
}

/// The next step of a shift.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Announce the weights and set them.
    Shift {
        to: Weights,
        percent: u8,
    },
    /// The weights were set by an invocation that could not write it down: do so.
    Confirm,
    Wait {
        summary: String,
        percent: u8,
    },
    Done {
        summary: String,
    },
    /// The new colour must not keep its traffic.
    Restore {
        reason: String,
    },
    /// The release cannot go on, and no traffic of it has to be moved.
    Fail(Failure),
}

/// Decides the next step. `elapsed` is the time since this action began, `grace_left` what is left of the time in which an earlier
/// announced change may still be made.
#[must_use]
pub fn next_step(
    asked: &Asked,
    target: &PairTarget,
    view: &PairView,
    elapsed: Duration,
    grace_left: Option<Duration>,
) -> Step {
    let pair = &target.prior;
    let new = pair.idle();
    let (standing, unseen) = (
        standing(target.shift.as_ref(), pair.weights(), view.weights),
        unseen(target, view),
    );
    if let (Standing::Foreign { expected }, None) = (&standing, &unseen) {
        return Step::Fail(foreign(*expected, view.weights));
    }
    let percent = view.weights.percent(new);
    if let Some(reason) = unfit(asked, pair, view).filter(|_| percent > 0 || unseen.is_some()) {
        return Step::Restore { reason };
    }
    if let Some(summary) = unseen {
        return Step::Wait {
            summary,
            percent: 0,
        };
    }
    if let Standing::Unconfirmed = standing {
        return Step::Confirm;
    }
    let baked = target
        .shift
        .as_ref()
        .map_or(Duration::MAX, |shift| view.observed_at.since(shift.at));
    let next = asked.steps.iter().copied().find(|step| *step > percent);
    let bake = asked.bake(percent);
    if percent > 0 && baked < bake {
        return waiting(
            asked,
            pair,
            view,
            &format!("{} of {} baked", readable(baked), readable(bake)),
            baked,
        );
    }
    let Some(to) = next else {
        let summary = format!(
            "{percent}% to {new}, baked {}; {}",
            readable(bake),
            health(asked, pair, view)
        );
        return Step::Done { summary };
    };
    let overdue = if percent > 0 {
        baked.saturating_sub(bake)
    } else {
        elapsed
    };
    match unready(asked, pair, view) {
        Some(Unready { missing, hopeless }) if hopeless || overdue >= HEALTH_DEADLINE => {
            refused(asked, new, percent, &missing, overdue)
        }
        Some(Unready { missing, .. }) => {
            let (overdue, deadline) = (readable(overdue), readable(HEALTH_DEADLINE));
            waiting(
                asked,
                pair,
                view,
                &format!("{new} is not ready for {to}%: {missing}; {overdue} of {deadline}"),
                baked,
            )
        }
        None => match grace_left {
            Some(left) => {
                let why = format!(
                    "lets invocations that may still run end: {} left",
                    readable(left)
                );
                waiting(asked, pair, view, &why, baked)
            }
            None => Step::Shift {
                to: Weights::with(new, to),
                percent: progress(asked, to, Duration::ZERO),
            },
        },
    }
}

/// How a pair stands whose traffic stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watched {
    /// The new colour may keep its traffic; how many of its targets are healthy, in words.
    Fit {
        health: String,
    },
    /// As [`Step::Confirm`].
    Confirm,
    /// The rule is read as it was before the last shift: look again.
    Unseen {
        summary: String,
    },
    /// The new colour must not keep its traffic.
    Restore {
        reason: String,
    },
    /// One colour has all of the traffic, so there is nothing to compare.
    Alone(Failure),
    Fail(Failure),
}

/// Looks at a pair whose traffic is judged: it must not have been moved from outside, and both colours must have some.
#[must_use]
pub fn watch(asked: &Asked, target: &PairTarget, view: &PairView) -> Watched {
    let pair = &target.prior;
    let (old, new) = (pair.live, pair.idle());
    if let Some(summary) = unseen(target, view) {
        return match unfit(asked, pair, view) {
            Some(reason) => Watched::Restore { reason },
            None => Watched::Unseen { summary },
        };
    }
    let standing = standing(target.shift.as_ref(), pair.weights(), view.weights);
    if let Standing::Foreign { expected } = standing {
        return Watched::Fail(foreign(expected, view.weights));
    }
    if view.weights.of(old) == 0 || view.weights.of(new) == 0 {
        return Watched::Alone(Failure::configuration(format!(
            "the weights are {}, so there is nothing to compare; expected some traffic to both colours, {new} to be judged and {old} to compare it with; run swap-target-groups with fewer than 100% before this action",
            view.weights
        )));
    }
    match (unfit(asked, pair, view), standing) {
        (Some(reason), _) => Watched::Restore { reason },
        (None, Standing::Unconfirmed) => Watched::Confirm,
        (None, _) => Watched::Fit {
            health: health(asked, pair, view),
        },
    }
}

/// What the weights say about the last announced shift.
enum Standing {
    Known,
    Unconfirmed,
    /// The weights were set outside this release.
    Foreign {
        expected: Weights,
    },
}

fn standing(shift: Option<&TrafficShift>, recorded: Weights, seen: Weights) -> Standing {
    match shift {
        None if seen == recorded => Standing::Known,
        None => Standing::Foreign { expected: recorded },
        Some(TrafficShift { to, made: true, .. }) if seen == *to => Standing::Known,
        Some(TrafficShift {
            to, made: false, ..
        }) if seen == *to => Standing::Unconfirmed,
        // Announced and not made: the invocation died in between.
        Some(TrafficShift {
            from, made: false, ..
        }) if seen == *from => Standing::Known,
        Some(TrafficShift { to, .. }) => Standing::Foreign { expected: *to },
    }
}

/// What is waited for when the weights may have been read from before the last shift.
fn unseen(target: &PairTarget, view: &PairView) -> Option<String> {
    let shift = target.shift.as_ref()?;
    let stale = shift.may_be_unseen(view.weights, view.observed_at);
    stale.then(|| shift.waiting())
}

fn foreign(expected: Weights, seen: Weights) -> Failure {
    Failure::overridden(format!(
        "overridden: the weights are {seen}, expected {expected}; another writer changed the listener rule, find it, then retry the release"
    ))
}

/// Why the new colour must not keep the traffic that it has.
fn unfit(asked: &Asked, pair: &PriorPair, view: &PairView) -> Option<String> {
    let new = pair.idle();
    let (healthy, floor) = (view.healthy(pair, new), asked.floor());
    match view.of(new).primary() {
        Some(primary) if primary.task_definition != asked.task_definition => Some(format!(
            "{new} runs {} instead of {}: it was deployed outside this release",
            revision(&primary.task_definition),
            revision(&asked.task_definition)
        )),
        Some(primary) if primary.rollout == Rollout::Failed => Some(format!(
            "the deployment of {new} failed: {}",
            primary.reason
        )),
        None => Some(format!("{new} has no deployment any more")),
        Some(_) if healthy < floor => Some(format!(
            "{healthy} healthy targets in {new} with {}% of the traffic, {floor} needed ({}% of {})",
            view.weights.percent(new),
            asked.minimum_healthy_percent,
            asked.filled
        )),
        Some(_) => None,
    }
}

/// What keeps the new colour from taking more traffic.
struct Unready {
    missing: String,
    /// Whether waiting cannot help.
    hopeless: bool,
}

fn unready(asked: &Asked, pair: &PriorPair, view: &PairView) -> Option<Unready> {
    let new = pair.idle();
    let (service, healthy) = (view.of(new), view.healthy(pair, new));
    let other = service
        .primary()
        .is_none_or(|primary| primary.task_definition != asked.task_definition);
    if view.weights.of(new) == 0 {
        let mut missing = service.missing(&asked.task_definition, asked.filled);
        if healthy < asked.filled {
            missing.push(format!("{healthy} of {} targets healthy", asked.filled));
        }
        return (!missing.is_empty()).then(|| Unready {
            missing: missing.join("; "),
            hopeless: other,
        });
    }
    // While it serves it may be growing, and tasks that are still starting are no reason to wait.
    (healthy < asked.filled).then(|| Unready {
        missing: format!("{healthy} of {} targets healthy", asked.filled),
        hopeless: other,
    })
}

fn refused(asked: &Asked, new: Colour, percent: u32, missing: &str, waited: Duration) -> Step {
    let wanted = revision(&asked.task_definition);
    let message = format!(
        "{new} is not fit to get traffic as {wanted} after {}: {missing}; no traffic was moved; look at the tasks and targets of {new}",
        readable(waited)
    );
    match percent {
        0 => Step::Fail(Failure::job(message)),
        _ => Step::Restore {
            reason: format!(
                "{new} is not fit to get more traffic after {}: {missing}",
                readable(waited)
            ),
        },
    }
}

fn health(asked: &Asked, pair: &PriorPair, view: &PairView) -> String {
    let new = pair.idle();
    format!(
        "{} healthy targets in {new}, at least {} needed",
        view.healthy(pair, new),
        asked.floor()
    )
}

fn waiting(asked: &Asked, pair: &PriorPair, view: &PairView, what: &str, baked: Duration) -> Step {
    let percent = view.weights.percent(pair.idle());
    Step::Wait {
        summary: format!(
            "{percent}% to {}, {what}; {}",
            pair.idle(),
            health(asked, pair, view)
        ),
        percent: progress(asked, percent, baked),
    }
}

/// How far the shift is, 0 to 99, by the time that it takes.
fn progress(asked: &Asked, percent: u32, baked: Duration) -> u8 {
    let total: Duration = asked.steps.iter().map(|step| asked.bake(*step)).sum();
    let before: Duration = asked
        .steps
        .iter()
        .filter(|step| **step < percent)
        .map(|step| asked.bake(*step))
        .sum();
    let here = if percent > 0 {
        baked.min(asked.bake(percent))
    } else {
        Duration::ZERO
    };
    let done = (before + here).as_secs() * 100;
    u8::try_from(done.checked_div(total.as_secs()).unwrap_or(0).min(99)).unwrap_or(99)
}

#[cfg(test)]
mod tests;
