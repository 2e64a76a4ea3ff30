//! The deploy role of a release: that of its lease, or else that of the action's parameters, which
//! is for the pipeline of its job. A manual dry run may name any pipeline, because its sessions can
//! only read.

use slipway::job::{Failure, Job, StepError};
use slipway::release::{DeployRole, Lease, Record, StatedPipeline, account, check_role_arn};
use slipway::step::{FoundRelease, RequestedRole};

use crate::{BeginRelease, Parameters};

/// The lease as it was found, and the role under which the release goes on or begins.
#[derive(Debug)]
pub struct FoundLease {
    pub(crate) lease: Option<Lease>,
    /// The record of the execution, unless its release has begun.
    pub(crate) record: Option<Record>,
    /// The role of a release that goes on.
    deploy_role: Option<DeployRole>,
    /// The role of one that may begin.
    requested: Option<RequestedRole>,
    is_dry_run: bool,
}

impl FoundRelease for FoundLease {
    fn deploy_role(&self) -> Option<&DeployRole> {
        self.deploy_role.as_ref()
    }

    fn requested_role(&self) -> Option<&RequestedRole> {
        self.requested.as_ref()
    }

    fn owner(&self) -> Option<&str> {
        let role = self.deploy_role.as_ref();
        let of_record = self.record.as_ref().and_then(Record::owner);
        role.map_or(of_record, |role| Some(role.external_id.as_str()))
    }

    fn only_reads(&self) -> bool {
        self.is_dry_run
    }
}

impl BeginRelease {
    /// Reads the lease, and the record unless the release has begun. One that waits for another
    /// release needs no role. A dry run takes no lease, so its role is the requested one.
    pub(crate) async fn find_lease(&self, job: &Job<Parameters>) -> Result<FoundLease, StepError> {
        let wanted = &job.release;
        let lease = self.ledger.lease(&wanted.cluster, &wanted.service).await?;
        let holder = lease
            .as_ref()
            .and_then(|lease| lease.release.as_ref())
            .filter(|_| !job.parameters.dry_run);

        let own = holder.filter(|holder| holder.execution == wanted.execution);

        let record = if own.is_some() || job.parameters.dry_run {
            None
        } else {
            self.ledger.record(&wanted.execution).await?
        };
        let requested = self.requested(job)?.filter(|_| holder.is_none());
        Ok(FoundLease {
            record,
            deploy_role: own.and_then(|own| own.deploy_role.clone()),
            requested,
            is_dry_run: job.parameters.dry_run,
            lease,
        })
    }

    /// The role that the parameters request. Without a job they name its pipeline too.
    fn requested(&self, job: &Job<Parameters>) -> Result<Option<RequestedRole>, Failure> {
        let Some(arn) = &job.parameters.deploy_role else {
            return Ok(None);
        };
        let by_hand = match &job.id {
            Some(_) => None,
            None => {
                let pipeline = &job.release.pipeline;
                Some(named(pipeline, &job.parameters, arn, self.sdk.region())?)
            }
        };
        Ok(Some(RequestedRole {
            arn: arn.clone(),
            region: job.parameters.region().map(ToOwned::to_owned),
            by_hand,
        }))
    }

    /// Refuses a requested role that leaves the pipeline unread.
    pub(crate) fn check_requested(
        &self,
        found: &FoundLease,
        parameters: &Parameters,
    ) -> Result<(), Failure> {
        match (&found.requested, self.sdk.deploy_role()) {
            (Some(_), Some(role)) => check_pipeline_role(role, parameters),
            _ => Ok(()),
        }
    }

    /// The role under which the pipeline of a job is read, if its deploy role is of another
    /// account. Both have the same external id.
    pub(crate) fn pipeline_role(&self, job: &Job<Parameters>) -> Option<DeployRole> {
        let given = job.parameters.pipeline_role.as_deref()?;
        Some(self.sdk.deploy_role()?.of_its_pipeline(given))
    }

    /// The role under which the pipeline of a job is read; none for the function's own credentials.
    pub(crate) fn reading_role(&self, job: &Job<Parameters>) -> Option<DeployRole> {
        let own = self.sdk.deploy_role();
        let own = own.filter(|role| role.can_read_its_pipeline());
        self.pipeline_role(job).or_else(|| own.cloned())
    }
}

/// The pipeline that a direct invocation names: of the function's region, and of the account of the
/// role under which it is read.
fn named(
    pipeline: &str,
    parameters: &Parameters,
    deploy_role: &str,
    region: Option<&str>,
) -> Result<StatedPipeline, Failure> {
    let reading = parameters.pipeline_role.as_deref().unwrap_or(deploy_role);
    check_role_arn("pipeline_role", reading).map_err(Failure::configuration)?;

    Ok(StatedPipeline {
        arn: None,
        account: Some(account(reading).to_owned()),
        region: region.map(ToOwned::to_owned),
        name: Some(pipeline.to_owned()),
    })
}

/// Refuses a role of another account, or for a service in another region, that leaves the pipeline
/// unread: no pipeline of this account is found there, which is the sign of a deleted one.
fn check_pipeline_role(role: &DeployRole, parameters: &Parameters) -> Result<(), Failure> {
    if role.can_read_its_pipeline() || parameters.pipeline_role.is_some() {
        return Ok(());
    }

    let elsewhere = match &role.region {
        Some(region) => format!("the service is in {region}, another region than"),
        None => format!(
            "`deploy_role` is {}, a role of another account than",
            role.arn
        ),
    };
    Err(Failure::configuration(format!(
        "`pipeline_role` is missing and {elsewhere} {}; expected the ARN of a role of the \
         pipeline's account that allows codepipeline:GetPipelineExecution on it",
        role.external_id
    )))
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
            region: None,
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
    fn a_dry_run_by_hand_names_a_pipeline_of_the_account_in_which_it_is_read() {
        let external_id = |deploy_role: &str, roles: &Value| {
            let pipeline = named("web", &parameters(roles), deploy_role, Some("eu-west-1"))?;
            let role = DeployRole::of_pipeline(deploy_role, &pipeline).expect("a role");
            Ok::<_, Failure>(role.external_id)
        };

        let own = role(OWN).external_id;
        assert_eq!(external_id(OWN, &json!({})), Ok(own.clone()));
        let reading = json!({"pipeline_role": OWN});
        assert_eq!(external_id(FOREIGN, &reading), Ok(own.clone()));
        assert_eq!(
            external_id(FOREIGN, &json!({})),
            Ok(own.replace("111122223333", "444455556666"))
        );

        let refused = external_id(FOREIGN, &json!({"pipeline_role": "/own"}));
        assert!(refused.is_err_and(|failure| {
            failure
                .message
                .starts_with("`pipeline_role` is `/own`; expected the ARN of an IAM role")
        }));
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

    #[test]
    fn a_service_in_another_region_needs_a_role_for_the_pipeline() {
        let (none, given) = (json!({}), json!({"pipeline_role": OWN}));
        let elsewhere = role(OWN).in_region("eu-central-1");
        assert_eq!(check_pipeline_role(&elsewhere, &parameters(&given)), Ok(()));

        let refused = check_pipeline_role(&elsewhere, &parameters(&none)).expect_err("refused");
        let start = "`pipeline_role` is missing and the service is in eu-central-1, another region \
                     than arn:aws:codepipeline:eu-west-1:111122223333:web; expected ";
        assert!(refused.message.starts_with(start), "{}", refused.message);
    }

    #[test]
    fn a_region_is_given_for_a_single_service_with_a_deploy_role() {
        let given = |more: &Value| {
            let mut all = json!({"deploy_role": OWN, "region": "eu-central-1"});
            let members = all.as_object_mut().expect("an object");
            members.extend(more.as_object().expect("an object").clone());
            parameters(&all)
        };
        assert_eq!(given(&json!({})).validate(), Ok(()));
        assert_eq!(given(&json!({})).region(), Some("eu-central-1"));

        let rule = "arn:aws:elasticloadbalancing:eu-north-1:111122223333:listener-rule/app/a/b";
        let pair = json!({"strategy": "blue-green", "rule": rule});
        for (more, why) in [
            (
                json!({"region": "frankfurt"}),
                "`region` is `frankfurt`; expected a region such as eu-west-1",
            ),
            (
                json!({"deploy_role": null}),
                "`region` is given; expected with `deploy_role` only; remove it",
            ),
            (
                pair.clone(),
                "`region` is given; expected for a single service only",
            ),
        ] {
            let refused = given(&more).validate().expect_err("refused");
            assert!(refused.message.starts_with(why), "{}", refused.message);
        }
        assert_eq!(parameters(&pair).region(), Some("eu-north-1"));
        assert_eq!(parameters(&json!({})).region(), None);
    }
}
