//! The step that opens a release: it refuses what cannot work, takes the lease on the service, and
//! records the prior release.
//!
//! It never changes a service: its UpdateService names the revision that the service already runs,
//! to prove that a rollback may name it. The only change it makes to AWS is to repair weights of a
//! pair's route that an interrupted release left or a stack update reset.

mod capacity;
mod check_groups;
mod difference;
mod external;
mod fit;
mod image;
mod inspection;
mod live;
mod overlap;
mod pair;
mod parameters;
mod passing;
mod permission;
mod pointing;
mod preflight;
mod record;
mod restorable;
mod role;
mod route;
mod target;

use slipway::aws::{
    Balancers, Bases, Clusters, Images, Ledger, Pairs, Records, Rules, Sdk, Services,
    TaskDefinitions,
};
use slipway::job::{Checks, Failure, Job, JobReport, Origin, ReleaseRef, StepError, StepResult};
use slipway::limits::ROLLBACK_DEADLINE;
use slipway::observed::service::revision;
use slipway::release::{
    DeployRole, Event, Lease, PriorService, Record, RecordState, Release, RoleProof, Target, apply,
};
use slipway::routing::mover::TrafficMover;
use slipway::step::Step;
use slipway::timestamp::{Timestamp, readable};

pub use parameters::Parameters;
pub use record::{RecordParameters, RecordType};
pub use role::FoundLease;

/// The step: one CodePipeline job is one invocation.
#[derive(Debug)]
pub struct BeginRelease {
    sdk: Sdk,
    ledger: Ledger,
    services: Services,
    clusters: Clusters,
    images: Images,
    task_definitions: TaskDefinitions,
    bases: Bases,
    rules: Rules,
    records: Records,
    balancers: Balancers,
    pairs: Pairs,
    traffic: TrafficMover,
}

/// The result of taking the lease.
enum TakeResult {
    Taken(Box<Lease>),
    NotYet(JobReport),
}

impl BeginRelease {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            sdk: sdk.clone(),
            ledger: Ledger::new(sdk),
            services: Services::new(sdk),
            clusters: Clusters::new(sdk),
            images: Images::new(sdk),
            task_definitions: TaskDefinitions::new(sdk),
            bases: Bases::new(sdk),
            rules: Rules::new(sdk),
            records: Records::new(sdk),
            balancers: Balancers::new(sdk),
            pairs: Pairs::new(sdk),
            traffic: TrafficMover::new(sdk),
        }
    }
}

impl Step for BeginRelease {
    const NAME: &'static str = "begin-release";
    type Parameters = Parameters;
    type Found = FoundLease;

    fn acting_as(&self, sdk: &Sdk) -> Self {
        Self::new(sdk)
    }

    /// Refuses parameters that cannot work, which a dry run reports with everything else.
    async fn find_release(&self, job: &Job<Parameters>) -> Result<FoundLease, StepError> {
        if !job.parameters.dry_run {
            job.parameters.validate()?;
        }
        self.find_lease(job).await
    }

    async fn step(&self, job: &Job<Parameters>, found: FoundLease) -> StepResult {
        self.check_requested(&found, &job.parameters)?;
        // Boxed, as in `take`: the SDK's futures are deep.
        if job.parameters.dry_run {
            return Box::pin(self.dry_run(job, found.lease)).await;
        }

        let FoundLease { lease, record, .. } = found;
        refuse_closed(record.as_ref(), &job.release)?;
        let lease = match lease {
            Some(lease) if lease.held_by(&job.release.execution).is_some() => lease,
            Some(Lease {
                release: Some(other),
                ..
            }) => return Ok(waiting(&other, job.now)),
            free => match self.take(job, free.as_ref(), record).await? {
                TakeResult::Taken(lease) => *lease,
                TakeResult::NotYet(report) => return Ok(report),
            },
        };

        let release = lease.held_by(&job.release.execution);
        let warning = release.and_then(|release| release.warning.clone());
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

    /// The record before the release begins: as it was started, or after the execution's release
    /// before.
    fn before(
        &self,
        job: &Job<Parameters>,
        record: Option<Record>,
        digest: Option<&str>,
    ) -> Record {
        match record {
            Some(closed) if closed.state == RecordState::Closed => Record {
                deploy_role: self.reading_role(job),
                ..closed.followed(job.now)
            },
            Some(started) => started,
            None => self.started(job, digest),
        }
    }

    /// Takes a free lease, if the release can work.
    async fn take(
        &self,
        job: &Job<Parameters>,
        free: Option<&Lease>,
        record: Option<Record>,
    ) -> Result<TakeResult, StepError> {
        let last_known = free.and_then(|lease| lease.last_known.as_ref());
        let mut checks = Checks::preflight();
        let findings = Box::pin(self.examine(&mut checks, job, last_known)).await?;
        if let Some(report) = findings.waits {
            return Ok(TakeResult::NotYet(report));
        }

        let (cluster, service) = (&job.release.cluster, &job.release.service);
        let free = match free {
            Some(free) => free.clone().named(cluster, service),
            None => Lease::unwritten(cluster, service),
        };
        // A custom pipeline may not pass a digest; the push that started it is known anyway.
        let started = record.as_ref().and_then(|record| record.digest.clone());
        let opened = open_release(job, self.sdk.deploy_role());
        let digest = opened.digest.clone().or(started);
        let record = self.before(job, record, digest.as_deref());
        let release = Release {
            pipeline_role: self.pipeline_role(job),
            role_proof: findings.proves_roles.then_some(RoleProof::Needed),
            warning: findings.warning,
            digest,
            brings_back: record.brings_back,
            earlier: record.earlier.clone(),
            ..opened
        };
        let record = record.begun(cluster, service);

        let lease = apply(&free, Event::Taken(Box::new(release)), job.now)?;
        self.ledger.advance_with(&lease, &record).await?;
        Ok(TakeResult::Taken(Box::new(lease)))
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
        self.refuse_overlap(&lease).await?;
        if let Some(waits) = self.prove_passing(job, &lease, &target).await? {
            return Ok(waits);
        }

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
            .as_ref()
            .and_then(target::FoundTarget::prior)
            .ok_or_else(|| no_deployment(&job.release.service))?;

        let lease = apply(&lease, Event::PriorRecorded(prior.clone()), job.now)?;
        self.ledger.advance(&lease).await?;
        Ok((lease, Target::new(prior)))
    }
}

/// Refuses an execution whose release is closed, as when it is being stopped: it neither begins nor
/// waits for another one. One that ended well is followed by that of another service.
fn refuse_closed(record: Option<&Record>, wanted: &ReleaseRef) -> Result<(), Failure> {
    let (cluster, service) = (&wanted.cluster, &wanted.service);
    match record {
        Some(closed) if closed.state == RecordState::Closed => {
            if closed.may_precede(cluster, service) {
                Ok(())
            } else {
                Err(closed.refusal())
            }
        }
        Some(begun) if begun.state == RecordState::Begun && !begun.is_of(cluster, service) => {
            Err(begun.open_elsewhere())
        }
        _ => Ok(()),
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
    let remedy = if other.is_rolling_back() {
        None
    } else {
        without_role(other, now).or_else(|| by_hand(other))
    };

    JobReport::in_progress(
        format!(
            "waiting for release {} of {}, which {state} this service for {age}{}",
            other.execution,
            other.pipeline,
            remedy.unwrap_or_default()
        ),
        0,
    )
}

/// What ends a release whose role STS refuses.
fn without_role(other: &Release, now: Timestamp) -> Option<String> {
    let refused = now.since(other.role_refused_since?);
    let role = other
        .pipeline_role
        .as_ref()
        .or(other.deploy_role.as_ref())?;
    Some(format!(
        "; its role {} has been refused for {}, as after the deletion of its pipeline's stack: \
         roll-back ends it after {}, unless the role is there again before",
        role.arn,
        readable(refused),
        readable(ROLLBACK_DEADLINE)
    ))
}

/// What ends a release by hand: the sweep ends it neither by the end of its execution nor by that
/// of its pipeline.
fn by_hand(other: &Release) -> Option<String> {
    (other.origin == Some(Origin::Operator)).then(|| {
        format!(
            "; it was begun by hand: end it with finish-release, or invoke roll-back with \
             {{\"parameters\":{{\"execution\":\"{}\"}}}}",
            other.execution
        )
    })
}

#[cfg(test)]
mod tests;
