//! The health of the new colour: whether it may keep its traffic, and whether it may take more.
//!
//! Health is a state and not a reading. What a single look sees ends nothing while some of the
//! targets are healthy, and one good look does not end a loss; what the looks before saw is in the
//! lease. A loss that the old colour shares is not the new one's.

use std::time::Duration;

use super::context::PairContext;
use super::plan::ShiftPlan;
use super::size::measured_tasks;
use crate::limits::{HEALTH_DEADLINE, HEALTH_PROOF};
use crate::observed::service::{Rollout, revision};
use crate::release::{HealthLoss, SeenHealth};
use crate::timestamp::{readable, readable_of};

/// What the health of a new colour with traffic requires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HealthStep {
    /// It may keep its traffic.
    Keep,
    /// It lacks health, or did until now: nothing else moves until that is decided.
    Wait { summary: String },
    /// It must not keep its traffic.
    Restore { reason: String },
}

/// Too few targets of the new colour are healthy.
struct TargetShortage {
    what: String,
    /// How long it must have lasted before the traffic goes back; none if it goes back at once.
    /// With no time at all, a second look must have seen it.
    patience: Option<Duration>,
}

/// What the health of the new colour, which has traffic, requires at this look.
pub(super) fn health_step(plan: &ShiftPlan, context: &PairContext<'_>) -> HealthStep {
    assess(plan, context).1
}

/// What has to be recorded of the new colour's health, for the looks after this one.
#[must_use]
pub fn health_to_record(plan: &ShiftPlan, context: &PairContext<'_>) -> Option<SeenHealth> {
    if !has_traffic(context) {
        return None;
    }
    let known = context.target.health.unwrap_or_default();
    Some(assess(plan, context).0).filter(|seen| *seen != known)
}

/// Whether the new colour has traffic. When the read may be old, it does even if the observed
/// weights show none.
pub(super) fn has_traffic(context: &PairContext<'_>) -> bool {
    let (seen, unseen) = (context.view.weights, context.unseen_shift());
    seen.percent(context.pair().idle()) > 0 || unseen.is_some()
}

/// What was seen of the new colour's health until now, and what that requires.
fn assess(plan: &ShiftPlan, context: &PairContext<'_>) -> (SeenHealth, HealthStep) {
    let known = context.target.health.unwrap_or_default();
    if let Some(reason) = deployment_failure(plan, context) {
        return (known, HealthStep::Restore { reason });
    }

    match (shortage(plan, context), known.loss) {
        (None, None) => (with_most(plan, context, known), HealthStep::Keep),
        (None, Some(loss)) => recover(plan, context, known, loss),
        (Some(shortage), loss) => lose(context, known, loss, shortage),
    }
}

/// The new colour lacks health: it loses its traffic once that has lasted.
fn lose(
    context: &PairContext<'_>,
    known: SeenHealth,
    loss: Option<HealthLoss>,
    shortage: TargetShortage,
) -> (SeenHealth, HealthStep) {
    let TargetShortage { what, patience } = shortage;
    let Some(patience) = patience else {
        return (known, HealthStep::Restore { reason: what });
    };

    let now = context.view.observed_at;
    let since = loss.map_or(now, |loss| loss.since);
    let waited = now.since(since);
    if loss.is_some() && waited >= patience {
        let reason = format!("{what}, for {}", readable(waited));
        return (known, HealthStep::Restore { reason });
    }

    let lost = HealthLoss {
        since,
        recovered_at: None,
    };
    let seen = SeenHealth {
        loss: Some(lost),
        ..known
    };
    let summary = if patience.is_zero() {
        format!("{what}; looking again")
    } else {
        format!("{what}; {}", readable_of(waited, patience))
    };
    (seen, HealthStep::Wait { summary })
}

/// Enough targets are healthy again: the loss is over once that has lasted.
fn recover(
    plan: &ShiftPlan,
    context: &PairContext<'_>,
    known: SeenHealth,
    loss: HealthLoss,
) -> (SeenHealth, HealthStep) {
    let now = context.view.observed_at;
    let since = loss.recovered_at.unwrap_or(now);
    let lasted = now.since(since);
    if lasted >= HEALTH_PROOF {
        let over = SeenHealth {
            loss: None,
            ..known
        };
        return (with_most(plan, context, over), HealthStep::Keep);
    }

    let recovering = HealthLoss {
        recovered_at: Some(since),
        ..loss
    };
    let seen = SeenHealth {
        loss: Some(recovering),
        ..known
    };
    let health = health_summary(plan, context);
    let summary = format!("{health}, again for {}", readable_of(lasted, HEALTH_PROOF));
    (seen, HealthStep::Wait { summary })
}

/// With the healthy tasks of this look, if they are more than the colour was filled with.
fn with_most(plan: &ShiftPlan, context: &PairContext<'_>, known: SeenHealth) -> SeenHealth {
    let (pair, view) = (context.pair(), context.view);
    let new = pair.idle();
    let healthy = pair.healthy(view, new).min(view.of(new).desired);
    if healthy <= plan.filled {
        return known;
    }

    SeenHealth {
        most: known.most.max(healthy),
        ..known
    }
}

/// Why the new colour must not keep its traffic, whatever its targets are.
fn deployment_failure(plan: &ShiftPlan, context: &PairContext<'_>) -> Option<String> {
    let PairContext { target, view } = context;
    let new = target.prior.idle();

    match view.of(new).primary() {
        Some(primary) if primary.task_definition != plan.task_definition => Some(format!(
            "{new} runs {} instead of {}: it was deployed outside this release",
            revision(&primary.task_definition),
            revision(&plan.task_definition)
        )),
        Some(primary) if primary.rollout == Rollout::Failed => Some(format!(
            "the deployment of {new} failed: {}",
            primary.reason
        )),
        None => Some(format!("{new} no longer has a deployment")),
        Some(_) => None,
    }
}

/// Whether too few targets of the new colour are healthy, and how long that may last.
///
/// Where none is healthy every second is an outage. Less than half of what is needed is waited for
/// until the next look, more for as long as ECS takes to replace a task. Where the old colour is
/// no better off, its traffic would gain nothing by going back.
fn shortage(plan: &ShiftPlan, context: &PairContext<'_>) -> Option<TargetShortage> {
    let PairContext { target, view } = context;
    let pair = &target.prior;
    let (old, new) = (pair.live, pair.idle());
    let measured = measured_tasks(context, plan.filled);
    let (healthy, required) = (pair.healthy(view, new), plan.required_healthy(measured));
    let is_short = healthy < required;
    if !is_short {
        return None;
    }

    let what = format!(
        "{healthy} healthy targets in {new} with {}% of the traffic, {required} needed ({}% of \
         {measured})",
        view.weights.percent(new),
        plan.minimum_healthy_percent
    );

    let (of_old, old_tasks) = (pair.healthy(view, old), view.of(old).desired);
    let old_is_short = of_old < plan.required_healthy(old_tasks).min(old_tasks);
    let is_worse = healthy * old_tasks < of_old * measured;
    if old_is_short && !is_worse {
        return Some(TargetShortage {
            what: format!("{what}, while {old} has {of_old} of {old_tasks}"),
            patience: Some(HEALTH_DEADLINE),
        });
    }

    let patience = match healthy {
        0 => None,
        _ if healthy * 2 < required => Some(Duration::ZERO),
        _ => Some(HEALTH_PROOF),
    };
    Some(TargetShortage { what, patience })
}

/// What keeps the new colour from taking more traffic.
pub(super) struct NotReady {
    pub(super) missing: String,
    /// Whether waiting cannot help.
    pub(super) unrecoverable: bool,
}

/// Whether the new colour may take more traffic.
pub(super) fn not_ready(plan: &ShiftPlan, context: &PairContext<'_>) -> Option<NotReady> {
    let PairContext { target, view } = context;
    let pair = &target.prior;
    let new = pair.idle();
    let (service, healthy) = (view.of(new), pair.healthy(view, new));

    // Before its first traffic the new colour must be truly deployed. While it serves it may be
    // growing with its load, and tasks that are still starting are not a reason to wait: only the
    // targets count.
    let mut missing = if *view.weights.of(new) == 0 {
        service.missing(&plan.task_definition, plan.filled)
    } else {
        Vec::new()
    };
    if healthy < plan.filled {
        missing.push(format!("{healthy} of {} targets healthy", plan.filled));
    }

    (!missing.is_empty()).then(|| NotReady {
        missing: missing.join("; "),
        unrecoverable: service
            .primary()
            .is_none_or(|primary| primary.task_definition != plan.task_definition),
    })
}

/// The health of the new colour, for summaries.
pub(super) fn health_summary(plan: &ShiftPlan, context: &PairContext<'_>) -> String {
    let PairContext { target, view } = context;
    let pair = &target.prior;
    let new = pair.idle();

    format!(
        "{} healthy targets in {new}, at least {} needed",
        pair.healthy(view, new),
        plan.required_healthy(measured_tasks(context, plan.filled))
    )
}

#[cfg(test)]
mod tests;
