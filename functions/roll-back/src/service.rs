//! The restoration of a single service: it is observed and brought one step nearer to the recorded
//! release.

use slipway::aws::{ObservedService, ServiceGoal};
use slipway::job::StepError;
use slipway::observed::service::revision;
use slipway::release::{Conclusion, Event, Lease, Release, ServiceTarget, apply};
use slipway::strategy::Percentages;
use slipway::strategy::in_place::rollback::{restoration, restored_count};
use slipway::strategy::rollback::{Ending, Restoration, unrestorable};

use crate::RollBack;

impl RollBack {
    /// Observes the service and brings it one step nearer to the recorded release.
    pub(crate) async fn restore_service(
        &self,
        lease: &Lease,
        release: &Release,
        service: &ServiceTarget,
        ending: Ending,
    ) -> Result<String, StepError> {
        let now = self.sdk.now();

        // ECS shows a deleted service for a while, and takes no change to it.
        let seen = self
            .services
            .observe(&lease.cluster, &lease.service)
            .await?;
        let Some(seen) = seen.filter(|seen| seen.view.is_active()) else {
            let reason = format!(
                "service {} is gone or being deleted, so nothing can be restored; manual \
                 intervention required",
                lease.service
            );
            let conclusion = Conclusion::needing_operator(reason);
            return self.close(lease, release, &conclusion, now).await;
        };

        let percentages = match restoration(release, service, ending, &seen.view, now) {
            Restoration::Close(conclusion) => {
                return self.close(lease, release, &conclusion, now).await;
            }
            Restoration::Wait(summary) => return Ok(summary),
            Restoration::Apply(percentages) => percentages,
        };

        // ECS goes on running a deregistered revision, but deploys it no more.
        let prior = &service.prior.task_definition;
        if !self.task_definitions.is_active(prior).await? {
            let conclusion = unrestorable(release, ending, prior);
            return self.close(lease, release, &conclusion, now).await;
        }
        self.apply(lease, service, percentages, &seen).await
    }

    /// Announces the restoration and makes it.
    async fn apply(
        &self,
        lease: &Lease,
        service: &ServiceTarget,
        percentages: Percentages,
        seen: &ObservedService,
    ) -> Result<String, StepError> {
        let prior = &service.prior;
        let announced = apply(lease, Event::RestorationAnnounced, self.sdk.now())?;
        self.ledger.advance(&announced).await?;

        let count = restored_count(service, &seen.view);
        let deployment = self
            .services
            .apply(
                seen,
                &ServiceGoal {
                    task_definition: &prior.task_definition,
                    percentages,
                    early_success: prior.early_success,
                    desired: count,
                },
            )
            .await?;

        Ok(format!(
            "restoring {} ({deployment})",
            revision(&prior.task_definition)
        ))
    }
}
