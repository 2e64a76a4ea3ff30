//! The restoration of a single service: it is observed and brought one step nearer to the recorded
//! release.

use slipway::aws::ObservedService;
use slipway::job::StepError;
use slipway::observed::percentages::Percentages;
use slipway::observed::service::{ServiceView, revision};
use slipway::release::{Conclusion, Event, Lease, Release, ServiceTarget, apply};
use slipway::strategy::ending::Ending;
use slipway::strategy::in_place::rollback::{
    ServiceChange, keeps_definition, restoration, restored_count,
};
use slipway::strategy::rollback::{Restoration, unrestorable};
use slipway::strategy::service_goal::ServiceGoal;
use slipway::task_definition::{Mark, TaskDefinition};

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

        // ECS shows a deleted service for a while, and accepts no change to it.
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
                // A newer execution registers its own revision.
                if ending != Ending::Superseded {
                    self.leave_revisions(lease, release, conclusion.outcome)
                        .await?;
                }
                return self.close(lease, release, &conclusion, now).await;
            }
            Restoration::Wait(summary) => return Ok(summary),
            Restoration::Apply(ServiceChange::GiveBack(recorded)) => {
                return self.give_back(lease, recorded, &seen).await;
            }
            Restoration::Apply(ServiceChange::Restore(percentages)) => percentages,
        };

        match self.deployable(lease, service, &seen.view).await? {
            Some((lease, service)) => self.apply(&lease, &service, percentages, &seen).await,
            None => {
                let conclusion = unrestorable(release, ending, &service.prior.task_definition);
                self.close(lease, release, &conclusion, now).await
            }
        }
    }

    /// The lease and the service with a prior revision that can be deployed; `None` when its
    /// definition does not exist any more. ECS continues to run and scale a deregistered revision,
    /// but no longer deploys it (Amazon ECS API: DeregisterTaskDefinition): unless the service runs
    /// it, its definition is registered again.
    async fn deployable(
        &self,
        lease: &Lease,
        service: &ServiceTarget,
        view: &ServiceView,
    ) -> Result<Option<(Lease, ServiceTarget)>, StepError> {
        let prior = &service.prior.task_definition;
        if keeps(lease, service, view) || self.task_definitions.is_active(prior).await? {
            return Ok(Some((lease.clone(), service.clone())));
        }
        let Some((_, definition)) = self.task_definitions.describe(prior).await? else {
            return Ok(None);
        };

        let announced = self.announce_restoration(lease, None).await?;
        let arn = self.register_again(&announced, prior, definition).await?;

        let registered = Event::PriorRegistered {
            task_definition: arn.clone(),
        };
        let recorded = apply(&announced, registered, self.sdk.now())?;
        self.ledger.advance(&recorded).await?;

        let mut service = service.clone();
        service.prior.task_definition = arn;
        Ok(Some((recorded, service)))
    }

    /// Registers the deregistered revision `prior` again, with the mark of this release. If an
    /// invocation registered it and ended before it recorded it, it is found by that mark.
    async fn register_again(
        &self,
        lease: &Lease,
        prior: &str,
        definition: TaskDefinition,
    ) -> Result<String, StepError> {
        let definition = definition.unmarked();
        let release = lease.release.as_ref();
        let began = release.map_or_else(|| self.sdk.now(), |release| release.began_at);
        let execution = release.map(|release| release.execution.clone());
        let mark = Mark {
            execution: execution.unwrap_or_default(),
            sent: definition.fingerprint(),
        };

        let registered = self
            .task_definitions
            .registered_by(&mark.execution, definition.family(), Some(prior), began)
            .await?;
        let mut own = registered.into_iter();
        if let Some((arn, _)) = own.find(|(_, found)| *found == mark) {
            return Ok(arn);
        }

        // A definition whose tags leave no room for a mark is restored without one.
        let marked = definition.clone().marked(&mark).unwrap_or(definition);
        Ok(self.task_definitions.register(&marked).await?)
    }

    async fn announce_restoration(
        &self,
        lease: &Lease,
        percentages: Option<Percentages>,
    ) -> Result<Lease, StepError> {
        let restoring = Event::RestorationAnnounced { percentages };
        let announced = apply(lease, restoring, self.sdk.now())?;
        self.ledger.advance(&announced).await?;
        Ok(announced)
    }

    /// Gives the service its recorded percentages back, and leaves what it runs and how many.
    async fn give_back(
        &self,
        lease: &Lease,
        recorded: Percentages,
        seen: &ObservedService,
    ) -> Result<String, StepError> {
        self.announce_restoration(lease, None).await?;
        self.services.set_percentages(seen, recorded, None).await?;

        Ok(format!(
            "restoring the percentages of the service: {}",
            recorded.summary(seen.view.desired)
        ))
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
        let own = (percentages != prior.percentages).then_some(percentages);
        self.announce_restoration(lease, own).await?;

        // What the service runs, or failed to run again, is not deployed once more.
        let revision_differs = !keeps(lease, service, &seen.view);
        let count = restored_count(service, &seen.view);
        let deployment = self
            .services
            .apply(
                seen,
                &ServiceGoal {
                    task_definition: revision_differs.then_some(prior.task_definition.as_str()),
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

/// Whether the service keeps its task definition.
fn keeps(lease: &Lease, service: &ServiceTarget, view: &ServiceView) -> bool {
    let release = lease.release.as_ref();
    release.is_some_and(|release| keeps_definition(release, service, view))
}
