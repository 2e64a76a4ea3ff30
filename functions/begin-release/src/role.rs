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
            (None, Some(arn)) => Some(requested(&self.jobs, job, arn).await?),
            (Some(_), _) | (None, None) => None,
        };
        Ok(FoundLease { lease, deploy_role })
    }

    /// The role under which the pipeline of a job is read, if its deploy role is of another
    /// account. Both have the same external id.
    pub(crate) fn pipeline_role(&self, job: &Job<Parameters>) -> Option<DeployRole> {
        let arn = job.parameters.pipeline_role.clone()?;
        let external_id = self.sdk.deploy_role()?.external_id.clone();
        Some(DeployRole { arn, external_id })
    }

    /// The role under which the pipeline of a job is read; none for the function's own credentials.
    pub(crate) fn reading_role(&self, job: &Job<Parameters>) -> Option<DeployRole> {
        let pipeline_role = self.pipeline_role(job);
        pipeline_role.or_else(|| self.sdk.deploy_role().cloned())
    }
}

/// The role `arn` of the pipeline that CodePipeline has the job of.
async fn requested(jobs: &Jobs, job: &Job<Parameters>, arn: &str) -> Result<DeployRole, StepError> {
    let id = job.id.as_deref().ok_or_else(|| by_hand(arn))?;
    let pipeline = jobs.pipeline(id).await?;
    let role = DeployRole::of_pipeline(arn, &pipeline).map_err(Failure::configuration)?;
    check_pipeline_role(&role, &job.parameters)?;
    Ok(role)
}

/// Refuses a role of another account that leaves the pipeline unread: with its credentials no
/// pipeline of this account is found, which is the sign of a deleted one.
fn check_pipeline_role(role: &DeployRole, parameters: &Parameters) -> Result<(), Failure> {
    if role.is_of_the_pipelines_account() || parameters.pipeline_role.is_some() {
        return Ok(());
    }
    Err(Failure::configuration(format!(
        "`pipeline_role` is missing and `deploy_role` is {}, a role of another account than {}; \
         expected the ARN of a role of the pipeline's account that allows \
         codepipeline:GetPipelineExecution on it",
        role.arn, role.external_id
    )))
}

/// A direct invocation has no job, so its pipeline could be any.
fn by_hand(arn: &str) -> Failure {
    Failure::configuration(format!(
        "`deploy_role` is `{arn}`, but the invocation is not a job of CodePipeline, which states \
         the pipeline that may use the role; start the pipeline, or remove it and run the step \
         with credentials that may change the service"
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const FOREIGN: &str = "arn:aws:iam::444455556666:role/deploy";
    const OWN: &str = "arn:aws:iam::111122223333:role/deploy";

    fn parameters(roles: &Value) -> Parameters {
        let mut all = json!({"strategy": "rolling"});
        let members = all.as_object_mut().expect("an object");
        members.extend(roles.as_object().expect("an object").clone());
        serde_json::from_value(all).expect("valid")
    }

    fn role(arn: &str) -> DeployRole {
        DeployRole {
            arn: arn.to_owned(),
            external_id: "arn:aws:codepipeline:eu-west-1:111122223333:web".to_owned(),
        }
    }

    #[test]
    fn a_role_for_the_pipeline_is_given_beside_a_deploy_role_only() {
        let both = json!({"deploy_role": FOREIGN, "pipeline_role": OWN});
        assert_eq!(parameters(&both).validate(), Ok(()));

        for (given, why) in [
            (
                json!({"deploy_role": FOREIGN, "pipeline_role": "x"}),
                "`pipeline_role` is `x`; expected the ARN of an IAM role",
            ),
            (
                json!({"pipeline_role": OWN}),
                "`pipeline_role` is given; expected with `deploy_role` only",
            ),
        ] {
            let refused = parameters(&given).validate().expect_err("refused");
            assert!(refused.message.starts_with(why), "{}", refused.message);
        }
    }

    #[test]
    fn a_deploy_role_of_another_account_needs_a_role_for_the_pipeline() {
        let (none, given) = (json!({}), json!({"pipeline_role": OWN}));
        assert_eq!(check_pipeline_role(&role(OWN), &parameters(&none)), Ok(()));
        assert_eq!(
            check_pipeline_role(&role(FOREIGN), &parameters(&given)),
            Ok(())
        );

        let refused = check_pipeline_role(&role(FOREIGN), &parameters(&none));
        assert_eq!(
            refused,
            Err(Failure::configuration(
                "`pipeline_role` is missing and `deploy_role` is \
                 arn:aws:iam::444455556666:role/deploy, a role of another account than \
                 arn:aws:codepipeline:eu-west-1:111122223333:web; expected the ARN of a role of \
                 the pipeline's account that allows codepipeline:GetPipelineExecution on it"
            ))
        );
    }
}
