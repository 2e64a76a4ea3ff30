//! The deploy role of a release: that of its lease, or else that of the action's parameters with
//! the pipeline of its job.
//!
//! Never takes the pipeline from the parameters: one that names another would act under its role.

use slipway::aws::Jobs;
use slipway::job::{Failure, Job, StepError};
use slipway::release::{DeployRole, Lease};
use slipway::step::Claim;

use crate::{BeginRelease, Parameters};

/// The lease as it was found, and the role under which the release goes on or begins.
#[derive(Debug)]
pub struct FoundLease {
    pub(crate) lease: Option<Lease>,
    deploy_role: Option<DeployRole>,
}

impl Claim for FoundLease {
    fn deploy_role(&self) -> Option<&DeployRole> {
        self.deploy_role.as_ref()
    }
}

impl BeginRelease {
    /// Reads the lease, and the job's pipeline if a release may begin under a role. One that waits
    /// for another release needs none. A dry run takes no lease, so its role is the requested one.
    pub(crate) async fn find_lease(&self, job: &Job<Parameters>) -> Result<FoundLease, StepError> {
        let wanted = &job.release;
        let lease = self.ledger.lease(&wanted.cluster, &wanted.service).await?;
        let holder = lease
            .as_ref()
            .and_then(|lease| lease.release.as_ref())
            .filter(|_| !job.parameters.dry_run);

        let deploy_role = match (holder, &job.parameters.deploy_role) {
            (Some(holder), _) if holder.execution == wanted.execution => holder.deploy_role.clone(),
            (None, Some(arn)) => Some(requested(&self.jobs, job.id.as_deref(), arn).await?),
            (Some(_), _) | (None, None) => None,
        };
        Ok(FoundLease { lease, deploy_role })
    }
}

/// The role `arn` of the pipeline that CodePipeline has the job of.
async fn requested(jobs: &Jobs, job: Option<&str>, arn: &str) -> Result<DeployRole, StepError> {
    let job = job.ok_or_else(|| by_hand(arn))?;
    let pipeline = jobs.pipeline(job).await?;
    Ok(DeployRole::of_pipeline(arn, &pipeline).map_err(Failure::configuration)?)
}

/// A direct invocation has no job, so its pipeline could be any.
fn by_hand(arn: &str) -> Failure {
    Failure::configuration(format!(
        "`deploy_role` is `{arn}`, but the invocation is not a job of CodePipeline, which states \
         the pipeline that may use the role; start the pipeline, or remove it and run the step \
         with credentials that may change the service"
    ))
}
