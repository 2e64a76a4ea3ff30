//! Proof, before the first change, that a rollback may pass the roles of the prior release to
//! tasks.
//!
//! Roles that the new revision also passes are proven by its registration. The others are proven by
//! the call that a rollback makes, while it changes nothing: UpdateService with the revision that
//! already runs, which ECS authorizes like any other. It is made only while that is the service's
//! one deployment, under the lease, and never in a dry run.
//!
//! It never registers the prior revision again as a proof: the old definition would then be the
//! newest of its family, which stack updates, schedules and other releases use. In a family of its
//! own it would stay behind in the account, as no deploy role may delete it. So the roles of a
//! prior revision that is INACTIVE, which UpdateService refuses, are not proven: what a role may do
//! is shown by iam:SimulatePrincipalPolicy alone, which would disclose all that it may.

use std::time::Duration;

use slipway::aws::{AwsError, ObservedService};
use slipway::job::{Checks, Failure, Job, JobReport, StepError};
use slipway::limits::{FINISH_DEADLINE, FUNCTION_TIMEOUT};
use slipway::observed::service::{Rollout, ServiceView, revision};
use slipway::release::{Event, Lease, RoleProof, Target, apply};
use slipway::strategy::messages::waiting_for_grace;
use slipway::task_definition::TaskDefinition;
use slipway::timestamp::readable_of;

use crate::check_groups::PRIOR;
use crate::external::external_deployment;
use crate::restorable::PlannedRollout;
use crate::target::{FoundTarget, missing_service};
use crate::{BeginRelease, Parameters};

/// What is known of roles that a deploy role may pass.
pub(crate) const LISTED_ROLES: &str = "TaskRoleArns of the pipeline's stack, or what the stack \
                                       found, has those that may be passed";

/// What is known of the roles that a rollback passes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Passing {
    /// It passes no roles, for this reason.
    None(&'static str),
    /// The base has them too.
    Registered,
    /// These are proven once the lease is taken.
    ToBeProven(String),
    /// These cannot be proven before a rollback, with the reason.
    Unproven(String),
}

impl Passing {
    pub(crate) fn is_to_be_proven(&self) -> bool {
        matches!(self, Self::ToBeProven(_))
    }

    /// What a release begins with, although a rollback may be refused.
    pub(crate) fn warning(&self) -> Option<String> {
        match self {
            Self::Unproven(why) => Some(format!("warning: {why}")),
            Self::None(_) | Self::Registered | Self::ToBeProven(_) => None,
        }
    }

    /// Whether it is true of a revision only as long as it can be deployed.
    fn is_of_active(&self) -> bool {
        matches!(self, Self::ToBeProven(_) | Self::Unproven(_))
    }

    fn add_to(&self, checks: &mut Checks) {
        let at = (PRIOR, "roles");
        match self {
            Self::None(why) => checks.ok(at, *why),
            Self::Registered => checks.skip(
                at,
                "the base has the same: register-task-definition passes them before the first \
                 change",
            ),
            Self::ToBeProven(roles) => checks.skip(
                at,
                format!(
                    "the base does not have {roles}: begin-release proves that a rollback may pass \
                     them, by an UpdateService with the revision that runs, which changes nothing"
                ),
            ),
            Self::Unproven(why) => checks.skip(at, why.clone()),
        }
    }
}

impl BeginRelease {
    /// Finds what proves that a rollback may pass the roles of what it deploys: the prior revision
    /// of a service, or what the idle colour of a pair ran. A rollback never deploys the live
    /// colour.
    pub(crate) async fn check_passing(
        &self,
        checks: &mut Checks,
        target: &FoundTarget,
        rollout: &PlannedRollout,
    ) -> Result<Passing, StepError> {
        let passing = match target {
            FoundTarget::Service(seen) => {
                let PlannedRollout {
                    arn, current, base, ..
                } = rollout;
                let found = provable(&seen.view, (arn.as_str(), current), base);
                if found.is_of_active() && !self.task_definitions.is_active(arn).await? {
                    Passing::Unproven(registered_again(arn, &current.roles_beside(base)))
                } else {
                    found
                }
            }
            FoundTarget::Pair { idle, prior, .. } => {
                let arn = prior.of(prior.idle()).task_definition.as_str();
                let ran = self.task_definitions.describe_with_status(arn).await?;
                ran.map(|(ran, is_active)| {
                    let found = provable(&idle.view, (arn, &ran), &rollout.base);
                    (found, is_active)
                })
                .filter(|(found, is_active)| *is_active || !found.is_of_active())
                .map_or(
                    Passing::None("a rollback does not deploy what the idle colour ran again"),
                    |(found, _)| found,
                )
            }
        };
        let passing = match passing {
            Passing::Unproven(why) if self.sdk.deploy_role().is_some() => {
                Passing::Unproven(format!("{why}; {LISTED_ROLES}"))
            }
            other => other,
        };
        passing.add_to(checks);
        Ok(passing)
    }

    /// Proves under the lease that a rollback may pass the roles, if that is still to be proven.
    /// Returns the report of a release that waits until the call can no longer arrive late: it
    /// would then replace what the release has deployed.
    pub(crate) async fn prove_passing(
        &self,
        job: &Job<Parameters>,
        lease: &Lease,
        target: &Target,
    ) -> Result<Option<JobReport>, StepError> {
        let Some(release) = lease.held_by(&job.release.execution) else {
            return Ok(None);
        };
        let now = self.sdk.now();
        match (release.role_proof, lease.grace_left(now)) {
            (None, _) | (Some(RoleProof::Made), None) => return Ok(None),
            (Some(RoleProof::Announced | RoleProof::Made), Some(left)) => {
                return Ok(Some(JobReport::in_progress(waiting_for_grace(left), 50)));
            }
            (Some(RoleProof::Needed), _) | (Some(RoleProof::Announced), None) => {}
        }

        let (service, prior) = deployed_again(job, lease, target);
        let cluster = &job.release.cluster;
        let seen = self.services.describe(cluster, &service).await?;
        let seen = seen.ok_or_else(|| missing_service(cluster, &service))?;
        if let Some(waits) = external_deployment(seen.name(), &seen.view, job)? {
            return Ok(Some(waits));
        }
        let waited = now.since(release.began_at);
        if let Some(waits) = check_undisturbed(&seen, &prior, waited)? {
            return Ok(Some(waits));
        }

        let announced = apply(lease, Event::RoleProofAnnounced, now)?;
        self.ledger.advance(&announced).await?;
        let proven = self.services.restate(&seen, &prior).await;
        proven.map_err(|error| may_not_return(&prior, error))?;
        let made = apply(&announced, Event::RoleProofMade, now)?;
        self.ledger.advance(&made).await?;

        let summary = format!(
            "a rollback may pass the roles of {}; {}",
            revision(&prior),
            waiting_for_grace(FUNCTION_TIMEOUT)
        );
        Ok(Some(JobReport::in_progress(summary, 50)))
    }
}

/// The service that a rollback deploys, and the revision that it deploys.
fn deployed_again(job: &Job<Parameters>, lease: &Lease, target: &Target) -> (String, String) {
    match target {
        Target::Service(target) => {
            let prior = &target.prior.task_definition;
            (job.release.service.clone(), prior.clone())
        }
        Target::Pair(target) => {
            let idle = target.prior.idle();
            let names = target.prior.services(&lease.service);
            let prior = &target.prior.of(idle).task_definition;
            (names.of(idle).clone(), prior.clone())
        }
    }
}

/// Refuses a release of a service to which another writer deployed after the checks: naming the
/// prior revision would replace that deployment. Waits while only tasks are replaced.
fn check_undisturbed(
    seen: &ObservedService,
    prior: &str,
    waited: Duration,
) -> Result<Option<JobReport>, Failure> {
    if runs_alone(&seen.view, prior) {
        return Ok(None);
    }
    if waited < FINISH_DEADLINE && replaces_tasks(&seen.view, prior) {
        let summary = format!(
            "{} of {} tasks of {} are running; waited {}",
            seen.view.running,
            seen.view.desired,
            revision(prior),
            readable_of(waited, FINISH_DEADLINE)
        );
        return Ok(Some(JobReport::in_progress(summary, 50)));
    }

    let (_, service) = seen.name();
    let found = seen.view.primary();
    let found = found.map_or("none", |found| revision(&found.task_definition));
    Err(Failure::configuration(format!(
        "the PRIMARY deployment of service `{service}` is {found}; expected a completed one of {} \
         alone, as when the release began; retry the release",
        revision(prior)
    )))
}

/// What proves that the roles of a prior revision may be passed, as far as it can be deployed.
fn provable(
    live: &ServiceView,
    (arn, definition): (&str, &TaskDefinition),
    base: &TaskDefinition,
) -> Passing {
    if definition.roles().next().is_none() {
        return Passing::None("it has none");
    }

    let beside = definition.roles_beside(base);
    if beside.is_empty() {
        Passing::Registered
    } else if runs_alone(live, arn) {
        Passing::ToBeProven(named(&beside))
    } else {
        Passing::Unproven(format!(
            "whether a rollback to {} may pass {} is not known: it is proven only of a completed \
             deployment without another one",
            revision(arn),
            named(&beside)
        ))
    }
}

fn registered_again(arn: &str, roles: &[(&str, &str)]) -> String {
    format!(
        "whether a rollback may pass {} is not known until it registers {} again, which is \
         INACTIVE",
        named(roles),
        revision(arn)
    )
}

fn named(roles: &[(&str, &str)]) -> String {
    let named = roles
        .iter()
        .map(|(field, role)| format!("`{field}` {role}"));
    named.collect::<Vec<_>>().join(", ")
}

/// Whether a completed deployment of a revision is the only one of its service: then naming the
/// revision again starts no other.
fn runs_alone(live: &ServiceView, arn: &str) -> bool {
    match live.deployments.as_slice() {
        [only] => only.primary && only.task_definition == arn && live.is_completed(only),
        _ => false,
    }
}

/// Whether the only deployment is one of this revision and lacks tasks. Where ECS shows no rollout
/// state, it does not count as completed while a task is replaced or the service is scaled.
fn replaces_tasks(live: &ServiceView, arn: &str) -> bool {
    match live.deployments.as_slice() {
        [only] => only.primary && only.task_definition == arn && only.rollout == Rollout::Absent,
        _ => false,
    }
}

/// A denial does not concern this call alone: the rollback would be denied too.
fn may_not_return(prior: &str, error: AwsError) -> StepError {
    match StepError::from(error) {
        StepError::Refused(refused) => StepError::Refused(Failure {
            message: format!(
                "the prior release {} cannot be restored: {}",
                revision(prior),
                refused.message
            ),
            ..refused
        }),
        other => other,
    }
}

#[cfg(test)]
mod tests;
