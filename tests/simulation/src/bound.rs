//! Invariant 9, and what a plan promises: holding or rolling back everything is not safety, so what
//! nothing is wrong with must end deployed, in time.

use std::time::Duration;

use super::canary::{self, DrawnInconclusive};
use super::freeze::DrawnFreeze;
use super::plan::{Act, Image, Incident, LEAST_TASKS, Plan};
use super::shape::{DrawnChecks, PIPELINE};
use emulator::codepipeline::Execution;
use emulator::ecr::Behaviour;
use emulator::lambda::InvocationStatus;
use emulator::{Aws, Millis, Quirk};
use invariants::ledger_reader::{digest, executions, flag, record, text};

/// How long a release may take that nothing is wrong with: its rollout, and the time-outs that the
/// lease waits for.
const BOUND: Duration = Duration::from_secs(45 * 60);

/// How much longer a release by records may take: `retire` waits as long for clients that stay with
/// the old colour.
const LATE_CLIENTS: Duration = Duration::from_secs(60 * 60);

/// Whether nothing goes wrong, operators only push and approve, and every image is healthy.
pub(super) fn is_calm(plan: &Plan) -> bool {
    plan.incidents.iter().all(Incident::is_unrelated) && is_well(plan) && !plan.shape.is_hasty()
}

/// Whether every image is healthy, what is expected of it is what it does, no freeze outlasts a
/// release, requests are answered as images answer them, and no execution is stopped.
fn is_well(plan: &Plan) -> bool {
    let healthy = |image: Image| match image {
        Image::New(behaviour) => behaviour == Behaviour::Healthy,
        Image::Flawed(_) => false,
        Image::Again(_) => true,
    };
    plan.pushes.iter().all(|push| healthy(push.image))
        && plan.shape.checks != Some(DrawnChecks::Failing)
        && !matches!(plan.freeze, Some(DrawnFreeze::Weekend(_)))
        && leaves_answers(plan)
        && !((plan.shape.approval || plan.shape.canary().is_some())
            && plan.answers.iter().any(|answer| !answer.approves))
}

/// Whether the images alone decide how requests are answered.
fn leaves_answers(plan: &Plan) -> bool {
    plan.traffic.iter().all(|traffic| traffic.leaves_answers())
}

/// Whether traffic may be too much for good tasks.
fn is_overloaded(plan: &Plan) -> bool {
    plan.traffic.iter().any(|traffic| traffic.overloads())
}

/// Whether incidents only disturb invocations, events and calls: such must not change an ending.
fn only_disturbs(plan: &Plan) -> bool {
    let disturbs = |incident: &Incident| match incident {
        Incident::Act { act, .. } => incident.is_unrelated() || matches!(act, Act::ZoneChanges(_)),
        _ => true,
    };
    is_well(plan) && !plan.shape.is_hasty() && plan.incidents.iter().all(disturbs)
}

/// Whether no service is changed from outside and no task dies, so that requests are answered as
/// their images answer them.
pub(super) fn is_steady(plan: &Plan) -> bool {
    let leaves_tasks = |incident: &Incident| match incident {
        Incident::Act { act, .. } => {
            matches!(
                act,
                Act::Stop { .. }
                    | Act::Retry
                    | Act::Start { .. }
                    | Act::AskRollBack
                    | Act::PushArtifact(_)
                    | Act::AlarmActive(_)
            )
        }
        _ => true,
    };
    plan.incidents.iter().all(leaves_tasks) && !is_overloaded(plan)
}

/// Whether tasks may die or not stay healthy, so that nothing is promised of them.
pub(super) fn is_frail(plan: &Plan) -> bool {
    let frail = |image: Image| {
        matches!(
            image,
            Image::New(
                Behaviour::FailsAfter(_)
                    | Behaviour::FailsUnderTraffic
                    | Behaviour::Exits
                    | Behaviour::ExitsAfter(_)
            )
        )
    };
    let accident =
        |incident: &Incident| matches!(incident, Incident::Act { act, .. } if act.is_accident());
    plan.pushes.iter().any(|push| frail(push.image))
        || plan.incidents.iter().any(accident)
        || is_overloaded(plan)
}

/// The least number of healthy tasks that a run promises: of the smallest count that is requested,
/// and nothing when tasks die or do not stay healthy.
pub(super) fn promised(plan: &Plan) -> u32 {
    if is_frail(plan) {
        return 0;
    }

    let counts = plan.incidents.iter().filter_map(|incident| match incident {
        Incident::Act {
            act: Act::SetCount(count),
            ..
        } => Some(*count),
        Incident::Act {
            act: Act::ScalesIn(_),
            ..
        } => Some(LEAST_TASKS),
        _ => None,
    });
    let counts = counts
        .chain([plan.shape.count])
        .chain(plan.shape.desired_count);
    let added = plan.incidents.iter().map(|incident| match incident {
        Incident::Act {
            act: Act::Scales(tasks),
            ..
        } => *tasks,
        _ => 0,
    });
    let least = counts.clone().min().unwrap_or(0);
    let most = counts.max().unwrap_or(0) + added.sum::<u32>();
    let by_stack = plan.incidents.iter().any(is_by_stack);

    // The stack has percentages of its own, and weights that an operator sets promise nothing.
    let promised = plan.shape.promised(least, most);
    if by_stack && plan.shape.pair.is_some() {
        0
    } else if by_stack {
        promised.min(least / 2)
    } else {
        promised
    }
}

/// Whether it changes what a release was begun with, beside the number of tasks.
fn is_by_stack(incident: &Incident) -> bool {
    let Incident::Act { act, .. } = incident else {
        return false;
    };
    matches!(
        act,
        Act::UpdateStack | Act::SetDefinition | Act::SetIdleDefinition | Act::SetWeights(_)
    )
}

/// What was released can be restored: the service was not changed by hand, and no task of a proven
/// image fails.
fn can_restore(plan: &Plan) -> bool {
    let lasting = |image: Image| {
        !matches!(
            image,
            Image::New(
                Behaviour::FailsAfter(_)
                    | Behaviour::FailsUnderTraffic
                    | Behaviour::Exits
                    | Behaviour::ExitsAfter(_)
            )
        )
    };
    let harmless = |incident: &Incident| match incident {
        Incident::Act { act, .. } => {
            matches!(
                act,
                Act::Stop { .. }
                    | Act::Retry
                    | Act::Start { .. }
                    | Act::AskRollBack
                    | Act::Deregister
                    | Act::PushArtifact(_)
                    | Act::TaskDies
                    | Act::ZoneUneven
                    | Act::Scales(_)
                    | Act::ScalesIn(_)
                    | Act::ZoneChanges(_)
                    | Act::AlarmActive(_)
            )
        }
        _ => true,
    };
    plan.pushes.iter().all(|push| lasting(push.image))
        && plan.incidents.iter().all(harmless)
        && !is_overloaded(plan)
}

/// A release that could be rolled back does not end in manual intervention.
fn restored(plan: &Plan, aws: &Aws) -> Result<(), String> {
    let executions = aws.codepipeline.executions.iter();
    for execution in executions.filter(|_| can_restore(plan)) {
        let record = record(aws, &execution.id);
        let reason = record
            .as_ref()
            .filter(|record| flag(record, "needs_operator"))
            .map(|record| text(record, "reason").unwrap_or_default());
        if let Some(reason) = reason {
            return Err(format!(
                "invariant 3: execution {} could have been restored: {reason}",
                execution.id
            ));
        }
    }
    Ok(())
}

/// The digest of an image that is plainly worse than the only other ones there are, and that a
/// judge sees with traffic enough and all metrics.
pub(super) fn plainly_worse<'a>(plan: &Plan, pushed: &'a [String]) -> Option<&'a String> {
    let all_metrics = !plan
        .incidents
        .iter()
        .any(|incident| matches!(incident, Incident::Metrics(_)));
    let shows_failures = plan.traffic.iter().all(|traffic| traffic.shows_failures());
    let is_seen = is_steady(plan) && leaves_answers(plan) && shows_failures;
    let seen = plan.shape.can_compare() && is_seen && all_metrics;

    let mut flawed = plan
        .pushes
        .iter()
        .zip(pushed)
        .filter_map(|(push, digest)| match push.image {
            Image::Flawed(flaw) => Some((flaw, digest)),
            Image::New(_) | Image::Again(_) => None,
        });
    match (flawed.next(), flawed.next()) {
        (Some((flaw, digest)), None) if seen && flaw.is_plain() => Some(digest),
        _ => None,
    }
}

/// What a judge cannot miss is not deployed.
fn refused(plan: &Plan, aws: &Aws, pushed: &[String]) -> Result<(), String> {
    let Some(worse) = plainly_worse(plan, pushed) else {
        return Ok(());
    };

    let of_it = executions(aws, PIPELINE).filter(|execution| digest(execution) == Some(worse));
    for execution in of_it {
        let record = record(aws, &execution.id);
        if record.as_ref().and_then(|record| text(record, "outcome")) == Some("deployed") {
            return Err(format!(
                "invariant 9: execution {} deployed what is plainly worse: {worse}",
                execution.id
            ));
        }
    }
    Ok(())
}

/// No release is deployed whose check fails.
fn checked(plan: &Plan, aws: &Aws) -> Result<(), String> {
    if plan.shape.checks != Some(DrawnChecks::Failing) {
        return Ok(());
    }

    let is_deployed = |execution: &&Execution| {
        let record = record(aws, &execution.id);
        record.as_ref().and_then(|record| text(record, "outcome")) == Some("deployed")
    };
    match executions(aws, PIPELINE).find(is_deployed) {
        Some(execution) => Err(format!(
            "invariant 9: execution {} was deployed although its check fails",
            execution.id
        )),
        None => Ok(()),
    }
}

/// What nothing was wrong with is deployed in time.
pub(super) fn at_end(plan: &Plan, aws: &Aws, pushed: &[String]) -> Result<(), String> {
    restored(plan, aws)?;
    refused(plan, aws, pushed)?;
    checked(plan, aws)?;
    let given_up = aws
        .lambda
        .invocations
        .iter()
        .any(|one| one.status == InvocationStatus::GivenUp)
        || job_was_lost(aws);
    let calm = is_calm(plan);
    if !calm && (!only_disturbs(plan) || given_up) {
        return Ok(());
    }

    let executions = aws.codepipeline.executions.iter();
    for execution in executions.filter(|execution| digest(execution).is_some()) {
        let record = record(aws, &execution.id);
        let field = |name: &str| {
            record
                .as_ref()
                .and_then(|record| text(record, name))
                .unwrap_or_default()
                .to_owned()
        };
        let (outcome, reason) = (field("outcome"), field("reason"));
        if is_explained(plan, aws, execution, &outcome) {
            continue;
        }
        if !["deployed", "unchanged", "superseded"].contains(&outcome.as_str()) {
            return Err(format!(
                "invariant 9: nothing is wrong with execution {}, and it ended {outcome:?}: \
                {reason}",
                execution.id
            ));
        }
        let took = execution.ended.unwrap_or(aws.now) - started(aws, execution);
        if calm && took > bound(plan, aws).as_millis() as Millis {
            return Err(format!(
                "invariant 9: execution {} took {} s",
                execution.id,
                took / 1000
            ));
        }
    }
    Ok(())
}

/// How long a release may take that nothing is wrong with, for a plan and what was drawn in it.
fn bound(plan: &Plan, aws: &Aws) -> Duration {
    let drawn = aws.quirks.counts();
    let late = [Quirk::IgnoresTtl, Quirk::KeepsConnections];
    let stay = plan.shape.records().is_some() && late.iter().any(|it| drawn.held(*it) > 0);

    let freeze = plan.freeze.map_or(Duration::ZERO, DrawnFreeze::wait);
    let clients = if stay { LATE_CLIENTS } else { Duration::ZERO };
    let times = if plan.shape.is_polled { 2 } else { 1 };
    times * BOUND + freeze + clients
}

/// Whether a job of a custom action was acknowledged and not passed on, so that its action failed:
/// its time was up, or the worker reported that its step could not be invoked.
pub(super) fn job_was_lost(aws: &Aws) -> bool {
    let stages = aws.codepipeline.executions.iter().flat_map(|it| &it.stages);
    let mut errors = stages
        .flat_map(|stage| &stage.actions)
        .filter_map(|action| action.error.as_ref());
    errors.any(|error| error.is_late)
        || aws.calls.iter().any(|call| {
            call.operation == "PutJobFailureResult"
                && call.caller.ends_with("poll-jobs")
                && call.error.is_none()
        })
}

/// Whether the judge's decisions explain an ending of an execution, or a hold for an operator.
fn is_explained(plan: &Plan, aws: &Aws, execution: &Execution, outcome: &str) -> bool {
    let Some(canary) = plan.shape.canary() else {
        return false;
    };

    let may_hold = outcome == "held" && matches!(canary.inconclusive, DrawnInconclusive::Hold(_));
    may_hold
        || canary::decisions(aws, &execution.id)
            .iter()
            .any(|decision| canary.explains(decision))
}

/// When an execution could begin: when the one before it had ended.
fn started(aws: &Aws, execution: &Execution) -> Millis {
    let before =
        executions(aws, &execution.pipeline).filter(|other| other.started < execution.started);
    before
        .filter_map(|other| other.ended)
        .filter(|ended| Some(*ended) < execution.ended)
        .fold(execution.started, Millis::max)
}
