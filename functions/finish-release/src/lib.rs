//! The step that closes a release: it checks once more that the service runs the revision, lets it
//! soak for as long as its parameters request, records the outcome with its reason, and releases
//! the lease.
//!
//! It never changes a service, and never closes a release while an announced change can still be
//! made.

mod parameters;

use std::time::Duration;

use slipway::aws::{Ledger, Pairs, Sdk, Services};
use slipway::job::{Failure, Job, JobReport, StepError, StepResult};
use slipway::limits::FINISH_DEADLINE;
use slipway::observed::service::{ServiceView, revision};
use slipway::release::{
    ActiveRelease, Conclusion, Lease, LeaseProof, Outcome, PairTarget, Record, Target,
};
use slipway::step::Step;
use slipway::strategy::soak::SoakProgress;
use slipway::timestamp::readable;

pub use parameters::Parameters;

/// The step: one CodePipeline job is one invocation.
#[derive(Debug)]
pub struct FinishRelease {
    ledger: Ledger,
    services: Services,
    pairs: Pairs,
}

/// The service that should serve, what it still lacks, and the tasks that the old colour keeps, to
/// be added to the reason of the release.
struct ObservedTarget {
    view: ServiceView,
    missing: String,
    kept: String,
}

impl FinishRelease {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            ledger: Ledger::new(sdk),
            services: Services::new(sdk),
            pairs: Pairs::new(sdk),
        }
    }
}

impl Step for FinishRelease {
    const NAME: &'static str = "finish-release";
    type Parameters = Parameters;
    type Found = LeaseProof;

    fn works(parameters: &Parameters) -> Duration {
        parameters.soak()
    }

    fn acting_as(&self, sdk: &Sdk) -> Self {
        Self::new(sdk)
    }

    async fn find_release(&self, job: &Job<Parameters>) -> Result<LeaseProof, StepError> {
        job.parameters.validate()?;
        self.ledger.prove_lease(&job.release).await
    }

    async fn step(&self, job: &Job<Parameters>, found: LeaseProof) -> StepResult {
        let ActiveRelease {
            lease,
            release,
            target,
        } = match found {
            LeaseProof::Active(active) => *active,
            LeaseProof::Closed(record) => return closed(&record),
        };

        let ObservedTarget {
            view,
            missing,
            kept,
        } = match &target {
            Target::Pair(pair) => self.observe_pair(job, &lease, pair).await?,
            Target::Service(_) => self.observe(job).await?,
        };

        let progress = soak_progress(job, &target)?;
        if !missing.is_empty() {
            return unsteady(job, progress, &missing);
        }
        let progress = progress.map(|progress| progress.steady(job.now));
        let soaking = progress.and_then(|it| it.left(job.parameters.soak(), job.now));
        let payload = progress.map(SoakProgress::payload);
        if let Some(left) = soaking {
            let summary = format!("steady; soaks for another {}", readable(left));
            return Ok(JobReport::in_progress_with(summary, 75, payload));
        }
        if let Some(left) = lease.grace_left(job.now) {
            let summary = format!(
                "steady; waiting {} for earlier invocations to time out",
                readable(left)
            );
            return Ok(JobReport::in_progress_with(summary, 90, payload));
        }

        let took = job.now.since(release.began_at);
        let (outcome, reason) = outcome(&job.parameters, &target, &view, took);
        let conclusion = Conclusion::new(outcome, format!("{reason}{kept}"));
        self.ledger.close(&lease, &conclusion, job.now).await?;
        Ok(done(outcome, &conclusion.reason))
    }
}

impl FinishRelease {
    async fn observe(&self, job: &Job<Parameters>) -> Result<ObservedTarget, StepError> {
        let view = self.services.observe_of(&job.release).await?.view;
        let missing = view.missing(&job.parameters.task_definition, 1).join("; ");
        let kept = String::new();
        Ok(ObservedTarget {
            view,
            missing,
            kept,
        })
    }

    /// The colour that runs the revision must be steady and have all of the traffic, and scale-in
    /// must be enabled again.
    async fn observe_pair(
        &self,
        job: &Job<Parameters>,
        lease: &Lease,
        target: &PairTarget,
    ) -> Result<ObservedTarget, StepError> {
        let parameters = &job.parameters;
        let pair = &target.prior;
        if target.scale_in_suspended == Some(true) {
            return Err(Failure::configuration(
                "scale-in is still suspended on both colours; run update-service with mode \
                 `retire` before this action",
            )
            .into());
        }

        let unchanged = parameters.task_definition == pair.of(pair.live).task_definition;
        let live = if unchanged { pair.live } else { pair.idle() };
        let seen = self.pairs.observe(lease, pair, &[live]).await?.view;

        let mut missing = seen.of(live).missing(&parameters.task_definition, 1);
        if seen.weights.live() != Some(live) {
            missing.push(format!(
                "the weights are {} and {live} must have all of the traffic",
                seen.weights
            ));
        }

        let old = live.other();
        let kept = match seen.of(old).desired {
            tasks if tasks > 0 && !unchanged => {
                format!("; {old} keeps {tasks} tasks, which the next release replaces")
            }
            _ => String::new(),
        };
        Ok(ObservedTarget {
            view: seen.of(live).clone(),
            missing: missing.join("; "),
            kept,
        })
    }
}

/// A late duplicate delivery reports what the release ended with.
fn closed(record: &Record) -> StepResult {
    match (record.outcome, &record.reason) {
        (Some(outcome @ (Outcome::Deployed | Outcome::Unchanged)), Some(reason)) => {
            Ok(done(outcome, reason))
        }
        _ => Err(record.refusal().into()),
    }
}

/// How far the soak is that the action requests; none if it requests none, or if nothing was
/// changed that could show a fault.
fn soak_progress(job: &Job<Parameters>, target: &Target) -> Result<Option<SoakProgress>, Failure> {
    if job.parameters.soak().is_zero() || target.change().is_none() {
        return Ok(None);
    }
    SoakProgress::read(job.payload.as_ref()).map(Some)
}

/// The service is given [`FINISH_DEADLINE`] to become steady: from the first look of the action, or
/// of an interruption of its soak.
fn unsteady(job: &Job<Parameters>, progress: Option<SoakProgress>, missing: &str) -> StepResult {
    let progress = progress.map(|progress| progress.unsteady(job.now));
    let since = progress.and_then(|progress| progress.unsteady_since);
    let elapsed = job.now.since(since.unwrap_or(job.since));
    if elapsed >= FINISH_DEADLINE {
        return Err(Failure::job(format!(
            "the service does not run {} steadily: {missing}",
            revision(&job.parameters.task_definition)
        ))
        .into());
    }

    let summary = format!(
        "not steady: {missing}; {} of {}",
        readable(elapsed),
        readable(FINISH_DEADLINE)
    );
    let payload = progress.map(SoakProgress::payload);
    Ok(JobReport::in_progress_with(summary, 50, payload))
}

fn outcome(
    parameters: &Parameters,
    target: &Target,
    view: &ServiceView,
    took: Duration,
) -> (Outcome, String) {
    let prior = target.prior_task_definition();
    let runs = format!(
        "{} on {} of {} tasks",
        revision(&parameters.task_definition),
        view.running,
        view.desired
    );
    let healthy = view
        .target_groups
        .iter()
        .map(|group| format!(", {} targets healthy in {}", group.healthy, group.name()))
        .collect::<String>();

    if target.ran(&parameters.task_definition) && target.change().is_none() {
        let reason = format!("nothing to do: the service already runs {runs}{healthy}");
        return (Outcome::Unchanged, reason);
    }

    let reason = format!(
        "the service runs {runs}{healthy}; it ran {} before; took {}",
        revision(prior),
        readable(took)
    );
    (Outcome::Deployed, reason)
}

fn done(outcome: Outcome, reason: &str) -> JobReport {
    JobReport::done(
        format!("{outcome}: {reason}"),
        [("Outcome", outcome.to_string())],
    )
}

#[cfg(test)]
mod tests;
