//! Invariants 2 and 3: every execution ends, the outcome in the ledger was true when a function
//! last read the account, and what was rolled back is as it was recorded.

mod next;
mod observations;

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Ledger, number, pair};
use crate::ledger_reader::{earlier_releases, executions, flag, text};
use emulator::codepipeline::ExecutionStatus;
use emulator::{Aws, Call};

pub(super) use next::follows;
pub(super) use observations::{Observation, Routes};
pub(super) use observations::{ends_undecided, is_blind};

/// The result of checking a close.
#[derive(Debug, Default)]
pub(super) struct Closed {
    pub(super) outcomes: u64,
    pub(super) restored: u64,
}

/// The last look of each attempt.
#[derive(Clone, Debug, Default)]
pub(super) struct Endings {
    seen: BTreeMap<u64, Vec<Observation>>,
    routes: BTreeMap<u64, Routes>,
}

impl Endings {
    /// Checks the records that were closed by the last write of an attempt.
    pub(super) fn closed(
        &self,
        aws: &Aws,
        call: &Call,
        before: &Ledger,
        after: &Ledger,
        by_hand: bool,
    ) -> Result<Closed, String> {
        let mut checked = Closed::default();
        for (execution, record) in &after.records {
            let was = before.records.get(execution);
            next::check(execution, was.map(|was| &**was), record)?;
            if text(record, "state") != Some("closed")
                || was.is_some_and(|was| text(was, "state") == Some("closed"))
            {
                continue;
            }

            retired(aws, execution, record)?;
            let none = Vec::new();
            let observations = call
                .attempt
                .and_then(|attempt| self.seen.get(&attempt))
                .unwrap_or(&none);
            let service = text(record, "service").unwrap_or_default();
            let observation = observations
                .iter()
                .find(|observation| observation.service == service);

            match record.pointer("/prior/M/pair/M") {
                Some(pair) => {
                    let routes = call.attempt.and_then(|attempt| self.routes.get(&attempt));
                    pair::check(aws, execution, record, pair, observations, routes, by_hand)?;
                }
                None => check(aws, execution, record, observation, by_hand)?,
            }

            checked.outcomes += 1;
            checked.restored += u64::from(matches!(
                text(record, "outcome"),
                Some("rolled-back" | "held")
            ));
        }
        Ok(checked)
    }
}

/// What a release registered and does not run is no longer what a stack update would take.
fn retired(aws: &Aws, execution: &str, record: &Value) -> Result<(), String> {
    let unused = match text(record, "outcome") {
        Some("rolled-back" | "held") => true,
        Some("failed") => text(record, "change.task_definition").is_none(),
        _ => false,
    };
    let is_marked = |arn: &&str| {
        let mut tags = aws.ecs.tags_on(arn).iter();
        tags.any(|tag| tag["key"] == "slipway:execution" && tag["value"] == execution)
    };
    // Others copy the tags of a revision.
    let first = aws.ecs.definition_arns().find(is_marked);
    let own = first.and_then(|first| aws.ecs.registrant_of(first));
    let is_run = |arn: &str| {
        aws.ecs.services.values().any(|service| {
            let primary = service.primary();
            primary.is_some_and(|primary| primary.task_definition == arn)
        })
    };
    let is_own = |arn: &&str| is_marked(arn) && aws.ecs.registrant_of(arn) == own;
    let mut marked = aws.ecs.definition_arns().filter(is_own);
    // A deregistered prior revision is registered again, with the mark of the release.
    let is_prior = |arn: &str| text(record, "prior.task_definition") == Some(arn);
    // An environment of a promotion keeps what was deployed to it, whatever a later one does.
    let is_kept = |arn: &str| {
        let mut earlier = earlier_releases(record);
        is_run(arn) || is_prior(arn) || earlier.any(|it| text(it, "task_definition") == Some(arn))
    };

    match marked.find(|arn| unused && aws.ecs.is_active(arn) && !is_kept(arn)) {
        Some(registered) => Err(format!(
            "invariant 5: {execution} left {registered} behind, which the next stack update deploys"
        )),
        None => Ok(()),
    }
}

/// What an outcome claims was so when the attempt that recorded it looked for the last time.
fn check(
    aws: &Aws,
    execution: &str,
    record: &Value,
    observation: Option<&Observation>,
    by_hand: bool,
) -> Result<(), String> {
    let outcome = text(record, "outcome").unwrap_or_default();
    let claim = match outcome {
        "deployed" => text(record, "change.task_definition"),
        "unchanged" | "rolled-back" => text(record, "prior.task_definition"),
        "superseded" => return superseded(aws, execution, by_hand),
        "held" => return Ok(()),
        "failed" => return failed(aws, execution, record),
        other => {
            return Err(format!(
                "invariant 2: execution {execution} ended as {other:?}, which is not an outcome"
            ));
        }
    };
    let wrong = |(invariant, what): (u8, String)| {
        Err(format!(
            "invariant {invariant}: {execution} is {outcome}, but {what}"
        ))
    };
    let (Some(claim), Some(observation)) = (claim, observation) else {
        return wrong((2, "it was recorded without reading the service".to_owned()));
    };
    not_as_recorded(record, observation, claim).map_or(Ok(()), wrong)
}

/// How a service differed from its record, with the number of the invariant.
fn not_as_recorded(record: &Value, observation: &Observation, claim: &str) -> Option<(u8, String)> {
    let is_restored = text(record, "outcome") == Some("rolled-back");
    let prior = number(record, "prior.desired_count").unwrap_or(0) as usize;
    let least = if is_restored { prior } else { 1 };
    if observation.desired < least {
        let invariant = if is_restored { 3 } else { 2 };
        let what = format!("the count was {}, not {least}", observation.desired);
        return Some((invariant, what));
    }

    if let Some(lack) = lack(observation, claim) {
        return Some((2, lack));
    }

    let found = observation.percentages;
    if text(record, "outcome") == Some("deployed") && kept_percentages(record, observation) {
        let what = format!("the percentages {found:?} of the release were not given back");
        return Some((3, what));
    }
    (is_restored && !restored_percentages(record, observation)).then(|| {
        let what = format!("the percentages were {found:?}, not the recorded ones");
        (3, what)
    })
}

/// What a service lacked to run a task definition truly.
pub(super) fn lack(observation: &Observation, definition: &str) -> Option<String> {
    if observation.runs != definition {
        return Some(format!(
            "{} ran {} and not {definition}",
            observation.service, observation.runs
        ));
    }
    if !observation.completed {
        return Some("the rollout was not completed".to_owned());
    }
    let too_many = observation.running + observation.pending > observation.most();
    let needed = observation.desired.saturating_sub(observation.late);
    if observation.running < needed || too_many || observation.others > 0 {
        return Some(format!(
            "{} of {} tasks of it ran, {} pending, and {} of other deployments",
            observation.running, observation.desired, observation.pending, observation.others
        ));
    }

    let found = |group: &String| observation.healthy.get(group).copied();
    let short = observation
        .groups
        .iter()
        .find(|group| found(group).is_none_or(|healthy| healthy < needed))?;

    Some(format!(
        "{:?} of {} targets were healthy in {short}",
        found(short),
        observation.desired
    ))
}

fn restored_percentages(record: &Value, observation: &Observation) -> bool {
    observation.percentages == percentages(record, "prior")
}

/// Whether a service that was released still has the percentages of its release.
fn kept_percentages(record: &Value, observation: &Observation) -> bool {
    let announced = percentages(record, "change");
    observation.percentages == announced && announced != percentages(record, "prior")
}

fn percentages(record: &Value, part: &str) -> (Option<i64>, Option<i64>) {
    let recorded = |name: &str| {
        let path = format!("{part}.percentages.{name}");
        number(record, &path).and_then(|n| i64::try_from(n).ok())
    };
    (recorded("minimum_healthy"), recorded("maximum"))
}

/// Something newer took its place, or a deployment from outside did.
pub(super) fn superseded(aws: &Aws, execution: &str, by_hand: bool) -> Result<(), String> {
    let Some(this) = aws.codepipeline.execution(execution) else {
        return Ok(());
    };

    let newer = executions(aws, &this.pipeline)
        .any(|other| other.started >= this.started && other.id != this.id);
    if newer || by_hand {
        Ok(())
    } else {
        Err(format!(
            "invariant 2: {execution} is superseded, but nothing came after it"
        ))
    }
}

/// A release that had announced a change may end as failed only when an operator is needed, or when
/// its execution succeeded without a finish-release action.
pub(super) fn failed(aws: &Aws, execution: &str, record: &Value) -> Result<(), String> {
    let reason = text(record, "reason").unwrap_or_default();
    let changed = text(record, "change.task_definition").is_some();
    let succeeded = aws
        .codepipeline
        .execution(execution)
        .is_some_and(|execution| execution.status == ExecutionStatus::Succeeded);
    if changed && !flag(record, "needs_operator") && !succeeded {
        return Err(format!(
            "invariant 3: {execution} failed after its change and restored nothing: {reason}"
        ));
    }
    Ok(())
}

/// Every execution ended, every record is closed, no lease is held, and the newest record of a
/// service states what runs.
pub(super) fn at_end(aws: &Aws, ledger: &Ledger, untouched: bool) -> Result<u64, String> {
    for execution in &aws.codepipeline.executions {
        if !execution.is_over() {
            return Err(format!(
                "invariant 2: execution {} of {} never ended",
                execution.id, execution.pipeline
            ));
        }
        match ledger.records.get(&execution.id) {
            Some(record) if text(record, "state") != Some("closed") => {
                return Err(format!(
                    "invariant 2: the record of execution {} was never closed",
                    execution.id
                ));
            }
            Some(record)
                if execution.status == ExecutionStatus::Succeeded
                    && !matches!(text(record, "outcome"), Some("deployed" | "unchanged")) =>
            {
                let outcome = text(record, "outcome");
                return Err(format!(
                    "invariant 2: execution {} succeeded, and its record has {outcome:?}",
                    execution.id
                ));
            }
            Some(record) if untouched => still_true(aws, ledger, record)?,
            _ => {}
        }
    }
    for (service, lease) in &ledger.leases {
        if let Some(holder) = text(lease, "release.execution") {
            return Err(format!("invariant 2: {service} is still held by {holder}"));
        }
    }
    Ok(aws.codepipeline.executions.len() as u64)
}

/// The newest record of a service names what the service runs, unless it was changed from outside.
fn still_true(aws: &Aws, ledger: &Ledger, record: &Value) -> Result<(), String> {
    let (Some(cluster), Some(service), Some(ended)) = (
        text(record, "cluster"),
        text(record, "service"),
        text(record, "ended_at"),
    ) else {
        return Ok(());
    };
    let newer = ledger.records.values().any(|other| {
        let mut releases = earlier_releases(other).chain([&**other]);
        releases
            .any(|it| text(it, "service") == Some(service) && text(it, "ended_at") > Some(ended))
    });
    let Some(found) = aws.ecs.service_named(cluster, service).filter(|_| !newer) else {
        return Ok(());
    };
    let Some(recorded) = left_running(record) else {
        return Ok(());
    };
    if let (Some("rolled-back"), Some(count)) = (
        text(record, "outcome"),
        number(record, "prior.desired_count"),
    ) && u64::from(found.desired_count) < count
    {
        return Err(format!(
            "invariant 3: {service} was rolled back to {} tasks, not {count}",
            found.desired_count
        ));
    }

    let runs = found
        .primary()
        .map(|primary| primary.task_definition.as_str());
    match runs {
        Some(runs) if recorded != runs => Err(format!(
            "invariant 2: the ledger has {:?} for {service}, which should run {recorded} and runs \
            {runs}",
            text(record, "outcome")
        )),
        _ => Ok(()),
    }
}

/// What a release leaves a service with, as its record has it. One that announced no change leaves
/// what it found, which is not the prior release where a deployment had failed.
fn left_running(record: &Value) -> Option<&str> {
    let changed = text(record, "change.task_definition");
    let prior = text(record, "prior.task_definition");
    let found = text(record, "prior.found.task_definition");

    match text(record, "outcome") {
        Some("deployed") => changed,
        Some("failed") if changed.is_none() => found.or(prior),
        Some("unchanged" | "rolled-back" | "failed") => prior,
        _ => None,
    }
}
