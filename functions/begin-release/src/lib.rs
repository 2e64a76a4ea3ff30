//! The step that opens a release: it refuses what cannot work, takes the lease on the service, and
//! records the prior release.
//!
//! It never changes a service. The only change it makes to AWS is to repair the weights of a
//! listener rule that an interrupted release left or a stack update reset.

mod external;
mod image;
mod inspection;
mod live;
mod pair;
mod parameters;
mod preflight;
mod restorable;
mod role;
mod target;

use slipway::aws::{
    Bases, Clusters, Images, Jobs, Ledger, Pairs, Rules, Sdk, Services, TaskDefinitions,
};
use slipway::job::{Checks, Failure, Job, JobReport, Origin, StepError, StepResult};
use slipway::observed::service::revision;
use slipway::release::{
    DeployRole, Event, Lease, PriorService, Record, RecordState, Release, Target, apply,
};
use slipway::routing::mover::TrafficMover;
use slipway::step::Step;
use slipway::timestamp::{Timestamp, readable};

pub use parameters::Parameters;
pub use role::FoundLease;

/// The step: one CodePipeline job is one invocation.
#[derive(Debug)]
pub struct BeginRelease {
    sdk: Sdk,
    jobs: Jobs,
    ledger: Ledger,
    services: Services,
    clusters: Clusters,
    images: Images,
    task_definitions: TaskDefinitions,
    bases: Bases,
    rules: Rules,
    pairs: Pairs,
    traffic: TrafficMover,
}

/// The result of taking the lease.
enum TakeResult {
    Taken {
        lease: Box<Lease>,
        /// What the rollout or its rollback may have to wait for.
        warning: Option<String>,
    },
    NotYet(JobReport),
}

impl BeginRelease {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            sdk: sdk.clone(),
            jobs: Jobs::new(sdk, Self::NAME),
            ledger: Ledger::new(sdk),
            services: Services::new(sdk),
            clusters: Clusters::new(sdk),
            images: Images::new(sdk),
            task_definitions: TaskDefinitions::new(sdk),
            bases: Bases::new(sdk),
            rules: Rules::new(sdk),
            pairs: Pairs::new(sdk),
            traffic: TrafficMover::new(sdk),
        }
    }
}

impl Step for BeginRelease {
    const NAME: &'static str = "begin-release";
    type Parameters = Parameters;
    type Claim = FoundLease;

    fn acting_as(&self, sdk: &Sdk) -> Self {
        Self::new(sdk)
    }

    /// Refuses parameters that cannot work, which a dry run reports with everything else.
    async fn claim(&self, job: &Job<Parameters>) -> Result<FoundLease, StepError> {
        if !job.parameters.dry_run {
            job.parameters.validate()?;
        }
        self.find_lease(job).await
    }

    async fn step(&self, job: &Job<Parameters>, found: FoundLease) -> StepResult {
        // Boxed, as in `take`: the SDK's futures are deep.
        if job.parameters.dry_run {
            return Box::pin(self.dry_run(job, found.lease)).await;
        }

        let (lease, warning) = match found.lease {
            Some(lease) if lease.held_by(&job.release.execution).is_some() => (lease, None),
            Some(Lease {
                release: Some(other),
                ..
            }) => return Ok(waiting(&other, job.now)),
            free => match self.take(job, free.as_ref()).await? {
                TakeResult::Taken { lease, warning } => (*lease, warning),
                TakeResult::NotYet(report) => return Ok(report),
            },
        };

        let report = self.record_prior(job, lease).await?;
        Ok(report.with_warning(warning))
    }

    /// Writes why the release did not begin into its record, so that roll-back closes it with that
    /// reason. A release that holds the lease already keeps the failure there, as every other step.
    /// A dry run writes nothing.
    async fn record_failure(
        &self,
        ledger: &Ledger,
        job: &Job<Parameters>,
        result: StepResult,
    ) -> StepResult {
        let Err(StepError::Failed(failure)) = &result else {
            return result;
        };
        if job.parameters.dry_run {
            return result;
        }

        let known = ledger.record(&job.release.execution).await?;
        let record = known.unwrap_or_else(|| self.started(job, job.parameters.digest.as_deref()));
        if record.state != RecordState::Started {
            return ledger.record_failure(&job.release, result).await;
        }

        ledger
            .put_record(&Record {
                reason: Some(failure.message.clone()),
                ..record
            })
            .await?;
        result
    }
}

impl BeginRelease {
    /// The record of an execution that nothing recorded when it was started.
    fn started(&self, job: &Job<Parameters>, digest: Option<&str>) -> Record {
        let release = &job.release;
        Record {
            deploy_role: self.reading_role(job),
            ..Record::started(&release.execution, &release.pipeline, digest, job.now)
        }
    }

    /// Takes a free lease, if the release can work.
    async fn take(
        &self,
        job: &Job<Parameters>,
        free: Option<&Lease>,
    ) -> Result<TakeResult, StepError> {
        let record = self.ledger.record(&job.release.execution).await?;
        let closed = record
            .as_ref()
            .filter(|record| record.state == RecordState::Closed);
        if let Some(closed) = closed {
            return Err(closed.refusal().into());
        }

        let last_known = free.and_then(|lease| lease.last_known.as_ref());
        let mut checks = Checks::preflight();
        let findings = Box::pin(self.examine(&mut checks, job, last_known)).await?;
        if let Some(report) = findings.waits {
            return Ok(TakeResult::NotYet(report));
        }

        let free = free
            .cloned()
            .unwrap_or_else(|| Lease::unwritten(&job.release.cluster, &job.release.service));
        let release = Release {
            pipeline_role: self.pipeline_role(job),
            ..open_release(job, self.sdk.deploy_role())
        };
        let record = record
            .unwrap_or_else(|| self.started(job, release.digest.as_deref()))
            .begun(&job.release.cluster, &job.release.service);

        let lease = apply(&free, Event::Taken(release), job.now)?;
        self.ledger.advance_with(&lease, &record).await?;
        Ok(TakeResult::Taken {
            lease: Box::new(lease),
            warning: findings.warning,
        })
    }

    /// Records under the lease what the release will return to, once.
    async fn record_prior(&self, job: &Job<Parameters>, lease: Lease) -> StepResult {
        let recorded = lease
            .held_by(&job.release.execution)
            .and_then(|release| release.target().cloned());
        let (lease, target) = match recorded {
            Some(target) => (lease, target),
            None => self.record_observed(job, lease).await?,
        };

        match target {
            Target::Pair(pair) => self.repair_weights(&lease, &pair).await,
            Target::Service(service) => Ok(begun_in_place(job, service.prior)),
        }
    }

    async fn record_observed(
        &self,
        job: &Job<Parameters>,
        lease: Lease,
    ) -> Result<(Lease, Target), StepError> {
        let mut checks = Checks::preflight();
        let last_known = lease.last_known.as_ref();
        let observed = self.observe(&mut checks, job, last_known).await?;
        let prior = observed
            .and_then(target::FoundTarget::prior)
            .ok_or_else(|| no_deployment(&job.release.service))?;

        let lease = apply(&lease, Event::PriorRecorded(prior.clone()), job.now)?;
        self.ledger.advance(&lease).await?;
        Ok((lease, Target::new(prior)))
    }
}

fn open_release(job: &Job<Parameters>, deploy_role: Option<&DeployRole>) -> Release {
    let digest = job.parameters.digest.as_deref();
    let digest = digest.filter(|digest| !digest.is_empty());

    let release = &job.release;
    Release {
        origin: Some(job.origin),
        deploy_role: deploy_role.cloned(),
        ..Release::begin(&release.execution, &release.pipeline, digest, job.now)
    }
}

fn begun_in_place(job: &Job<Parameters>, prior: PriorService) -> JobReport {
    let desired = job.parameters.planned_count(prior.desired_count);
    let bounds = job.parameters.strategy().percentages(desired);

    let summary = format!(
        "{} runs {} with {} tasks; the rollout keeps at least {} healthy and at most {} running",
        job.release.service,
        revision(&prior.task_definition),
        prior.desired_count,
        bounds.floor(desired),
        bounds.ceiling(desired)
    );
    JobReport::done(summary, [("PriorTaskDefinitionArn", prior.task_definition)])
}

fn no_deployment(service: &str) -> Failure {
    Failure::configuration(format!(
        "service `{service}` has no deployment; expected a service that ECS deploys; \
         create it again"
    ))
}

fn waiting(other: &Release, now: Timestamp) -> JobReport {
    let state = if other.is_rolling_back() {
        "is being rolled back and has held"
    } else {
        "has held"
    };
    let age = readable(now.since(other.began_at));
    // The sweep ends it neither by the end of its execution nor by that of its pipeline.
    let remedy = if other.origin == Some(Origin::Operator) && !other.is_rolling_back() {
        format!(
            "; it was begun by hand: end it with finish-release, or invoke roll-back with \
             {{\"parameters\":{{\"execution\":\"{}\"}}}}",
            other.execution
        )
    } else {
        String::new()
    };

    JobReport::in_progress(
        format!(
            "waiting for release {} of {}, which {state} this service for {age}{remedy}",
            other.execution, other.pipeline
        ),
        0,
    )
}

#[cfg(test)]
mod tests;
