//! What must hold, whatever goes wrong: checked at every instant and at the end of every run, from the account's own state.

use std::collections::BTreeMap;

use crate::aws::Aws;
use crate::aws::codepipeline::{JobState, ReportContent};
use crate::observer::{ledger, pushed, record, serving, text};

/// The least number of healthy tasks that a service was promised, once it had them.
#[derive(Clone, Copy, Debug)]
pub struct Promise {
    pub cluster: &'static str,
    pub service: &'static str,
    pub healthy: u32,
}

/// Watches one run.
#[derive(Clone, Debug, Default)]
pub struct Invariants {
    promises: Vec<Promise>,
    /// Services that have had what they were promised: from then on they must keep it.
    reached: BTreeMap<&'static str, bool>,
    calls_seen: usize,
}

impl Invariants {
    #[must_use]
    pub fn new(promises: &[Promise]) -> Self {
        Self { promises: promises.to_vec(), ..Self::default() }
    }

    /// Starts watching a copy of an account whose past calls were watched before.
    #[must_use]
    pub fn resumed(mut self, aws: &Aws) -> Self {
        self.calls_seen = aws.calls.len();
        self
    }

    /// What holds at every instant: the promised tasks serve (7), and only the lease holder changes a service (8).
    ///
    /// # Errors
    /// The invariant that does not hold, with what was found.
    pub fn at_instant(&mut self, aws: &Aws) -> Result<(), String> {
        for promise in &self.promises {
            let Some(service) = aws.ecs.service_named(promise.cluster, promise.service) else {
                continue;
            };
            let healthy = u32::try_from(serving(aws, service).count()).unwrap_or(u32::MAX);
            let reached = self.reached.entry(promise.service).or_default();
            if *reached && healthy < promise.healthy {
                return Err(format!(
                    "invariant 7: {} serves with {healthy} healthy tasks, promised {}",
                    promise.service, promise.healthy
                ));
            }
            *reached |= healthy >= promise.healthy;
        }
        let new = &aws.calls[self.calls_seen..];
        for call in new.iter().filter(|call| call.operation == "UpdateService" && call.error.is_none()) {
            let held = ledger(aws).iter().any(|item| text(item, "release.execution").is_some());
            if !held {
                return Err(format!(
                    "invariant 8: {} changed a service although no release holds a lease",
                    call.caller
                ));
            }
        }
        self.calls_seen = aws.calls.len();
        Ok(())
    }

    /// What holds at the end: every execution ended and the ledger says how (2), no job is left unreported or was reported
    /// with two outcomes (6), no lease is left.
    ///
    /// # Errors
    /// The invariant that does not hold, with what was found.
    pub fn at_end(&self, aws: &Aws) -> Result<(), String> {
        for execution in &aws.codepipeline.executions {
            if !execution.is_over() {
                return Err(format!("invariant 2: execution {} of {} never ended", execution.id, execution.pipeline));
            }
            let Some(record) = record(aws, &execution.id) else {
                continue;
            };
            if text(&record, "state") != Some("closed") {
                return Err(format!("invariant 2: the record of execution {} was never closed", execution.id));
            }
            truth(aws, &record)?;
        }
        if let Some(lease) = ledger(aws).iter().find(|item| text(item, "release.execution").is_some()) {
            return Err(format!(
                "invariant 2: {:?} is still held by {:?}",
                text(lease, "sk"),
                text(lease, "release.execution")
            ));
        }
        pushes(aws)?;
        jobs(aws)
    }
}

/// Every tagged image of a repository that a pipeline delivers has led to an execution or to a recorded refusal (4).
fn pushes(aws: &Aws) -> Result<(), String> {
    let ledger = ledger(aws);
    for (pipeline, digest) in pushed(aws) {
        let key = format!("push#{pipeline}");
        let claim = ledger.iter().find(|item| text(item, "pk") == Some(&key) && text(item, "digest") == Some(&digest));
        if claim.and_then(|claim| text(claim, "execution").or(text(claim, "refusal"))).is_none() {
            return Err(format!(
                "invariant 4: the push of {digest} led neither to an execution of {pipeline} nor to a refusal"
            ));
        }
    }
    Ok(())
}

/// The newest record of a service must tell what the service runs.
fn truth(aws: &Aws, record: &serde_json::Value) -> Result<(), String> {
    let (Some(cluster), Some(service), Some(ended)) =
        (text(record, "cluster"), text(record, "service"), text(record, "ended_at"))
    else {
        return Ok(());
    };
    let newer = ledger(aws)
        .iter()
        .any(|other| text(other, "service") == Some(service) && text(other, "ended_at") > Some(ended));
    let Some(found) = aws.ecs.service_named(cluster, service).filter(|_| !newer) else {
        return Ok(());
    };
    let told = match text(record, "outcome") {
        Some("deployed") => text(record, "change.task_definition"),
        Some("unchanged" | "rolled-back" | "failed") => text(record, "prior.task_definition"),
        _ => return Ok(()),
    };
    let recorded = record.pointer("/prior/M/desired_count/N").and_then(|count| count.as_str()?.parse::<u32>().ok());
    if text(record, "outcome") == Some("rolled-back") && recorded.is_some_and(|count| found.desired_count < count) {
        return Err(format!(
            "invariant 3: {service} was rolled back to {} tasks, not {recorded:?}",
            found.desired_count
        ));
    }
    let runs = found.primary().map(|primary| primary.task_definition.as_str());
    match (told, runs) {
        (Some(told), Some(runs)) if told != runs => Err(format!(
            "invariant 2: the ledger says {:?} of {service}, which should run {told} and runs {runs}",
            text(record, "outcome")
        )),
        _ => Ok(()),
    }
}

fn jobs(aws: &Aws) -> Result<(), String> {
    for job in &aws.codepipeline.jobs {
        let accepted: Vec<_> = job.reports.iter().filter(|report| report.refused.is_none()).collect();
        if accepted.is_empty() && job.state != JobState::Abandoned {
            return Err(format!("invariant 6: job {} of {} was never reported", job.id, job.action));
        }
        let failed =
            |report: &&crate::aws::codepipeline::Report| matches!(report.content, ReportContent::Failure { .. });
        if accepted.iter().any(failed) && !accepted.iter().all(failed) {
            return Err(format!(
                "invariant 6: job {} of {} was reported as succeeded and as failed",
                job.id, job.action
            ));
        }
    }
    Ok(())
}
