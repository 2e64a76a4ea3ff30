//! Invariant 6: every job gets a result, once, and no invocation is given up that nothing went
//! wrong with.

use std::collections::BTreeSet;

use emulator::Aws;
use emulator::codepipeline::{Job, JobState, ReportContent};
use emulator::lambda::{Invocation, InvocationStatus, Outcome};

/// No job is left unreported, and none was reported with two outcomes.
pub(super) fn answered(aws: &Aws, disturbed: &BTreeSet<u64>) -> Result<u64, String> {
    for job in &aws.codepipeline.jobs {
        let accepted: Vec<_> = job
            .reports
            .iter()
            .filter(|report| report.refused.is_none())
            .collect();
        if accepted.is_empty() && job.state != JobState::Abandoned && !is_lost(aws, job, disturbed)
        {
            return Err(format!(
                "invariant 6: job {} of {} was never reported",
                job.id, job.action
            ));
        }
        let failed = |report: &&emulator::codepipeline::Report| {
            matches!(report.content, ReportContent::Failure { .. })
        };
        if accepted.iter().any(failed) && !accepted.iter().all(failed) {
            return Err(format!(
                "invariant 6: job {} of {} was reported as succeeded and as failed",
                job.id, job.action
            ));
        }
    }
    Ok(aws.codepipeline.jobs.len() as u64)
}

/// Whether something went wrong with every attempt for a job, so that none could report a result.
/// The job of a custom action has none if it was not passed on.
fn is_lost(aws: &Aws, job: &Job, disturbed: &BTreeSet<u64>) -> bool {
    let of_job = |one: &&Invocation| {
        one.payload
            .pointer("/CodePipeline.job/id")
            .is_some_and(|id| *id == job.id.as_str())
    };
    let invocations = || aws.lambda.invocations.iter();
    if job.action_type.is_some() && invocations().all(|one| !of_job(&one)) {
        return worker_was_disturbed(aws, job, disturbed);
    }
    let mut attempts = invocations().filter(of_job).flat_map(|one| &one.attempts);
    attempts.all(|attempt| {
        disturbed.contains(&attempt.id) && !matches!(attempt.outcome, Some(Outcome::Succeeded(_)))
    })
}

/// Whether something went wrong with an attempt that polled while the job waited.
fn worker_was_disturbed(aws: &Aws, job: &Job, disturbed: &BTreeSet<u64>) -> bool {
    aws.lambda
        .invocations
        .iter()
        .filter(|one| one.function.ends_with("poll-jobs"))
        .flat_map(|one| &one.attempts)
        .any(|attempt| {
            let lasts = attempt.ended.unwrap_or(aws.now) >= job.created;
            lasts && disturbed.contains(&attempt.id)
        })
}

/// An invocation is given up only when something went wrong with one of its attempts: late and
/// duplicate deliveries do not count.
pub(super) fn given_up(aws: &Aws, disturbed: &BTreeSet<u64>) -> Result<u64, String> {
    for invocation in &aws.lambda.invocations {
        let unlucky = invocation
            .attempts
            .iter()
            .any(|attempt| disturbed.contains(&attempt.id));
        if invocation.status == InvocationStatus::GivenUp && !unlucky {
            let last = invocation
                .attempts
                .last()
                .and_then(|attempt| attempt.outcome.as_ref());
            return Err(format!(
                "invariant 6: {} gave {} up although nothing went wrong with it: {last:?}",
                invocation.function, invocation.kind
            ));
        }
    }
    Ok(aws.lambda.invocations.len() as u64)
}
