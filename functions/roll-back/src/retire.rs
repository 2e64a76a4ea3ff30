//! The revisions that a release registered and that do not run in the end: they are deregistered,
//! so that a deployment of a family's newest revision, such as a stack update, does not bring them
//! back.
//!
//! Never deregisters a revision that the release did not register, or that is in use, as far as the
//! leases and the release's own service show: what a service without a lease runs is not observed.

use slipway::job::StepError;
use slipway::observed::colour::Colour;
use slipway::observed::service::revision;
use slipway::release::{Lease, Release, Target};

use crate::RollBack;

impl RollBack {
    pub(crate) async fn retire(&self, lease: &Lease, release: &Release) -> Result<(), StepError> {
        let made = self.registered_revisions(release).await?;
        if made.is_empty() {
            return Ok(());
        }

        let listing = self.ledger.leases().await?;
        if let Some(unreadable) = listing.unreadable.into_iter().next() {
            return Err(unreadable.into());
        }

        // After a change the service was just proven to run the prior revision. Without one it was
        // not looked at.
        let running = if release.change().is_none() {
            self.running(lease, release).await?
        } else {
            Vec::new()
        };

        for arn in made {
            let leased = listing.leases.iter().any(|other| {
                let is_own = (&other.cluster, &other.service) == (&lease.cluster, &lease.service);
                let release = other.release.as_ref().filter(|_| !is_own);
                release.is_some_and(|release| release.names(&arn))
            });

            if leased || running.contains(&arn) {
                tracing::warn!(revision = revision(&arn), "in use, and not deregistered");
            } else {
                self.task_definitions.deregister(&arn).await?;
            }
        }
        Ok(())
    }

    /// The ACTIVE revisions that the release registered, by their marks. The recorded one has none
    /// if an earlier version of this project registered it.
    async fn registered_revisions(&self, release: &Release) -> Result<Vec<String>, StepError> {
        let Some(announced) = &release.registering else {
            return Ok(Vec::new());
        };
        let newest = announced.newest.as_deref();
        let marked = self
            .task_definitions
            .registered_by(&release.execution, &announced.family, newest)
            .await?;
        let mut arns: Vec<_> = marked.into_iter().map(|(arn, _)| arn).collect();

        let unmarked = release
            .registered
            .as_ref()
            .filter(|arn| !arns.contains(arn));
        if let Some(arn) = unmarked
            && self.task_definitions.is_active(arn).await?
        {
            arns.push(arn.clone());
        }
        Ok(arns)
    }

    /// The revisions that the release's own service works towards, or the services of its pair. An
    /// older deployment only ends its tasks, and a colour without tasks runs nothing.
    async fn running(&self, lease: &Lease, release: &Release) -> Result<Vec<String>, StepError> {
        let services = match release.target() {
            Some(Target::Pair(_)) => [Colour::Blue, Colour::Green]
                .map(|colour| colour.service(&lease.service))
                .to_vec(),
            Some(Target::Service(_)) | None => vec![lease.service.clone()],
        };

        let mut running = Vec::new();
        for service in &services {
            let seen = self.services.describe(&lease.cluster, service).await?;
            let primary = seen.as_ref().and_then(|seen| seen.view.primary());
            let used = primary.filter(|primary| primary.desired > 0 || primary.running > 0);
            running.extend(used.map(|primary| primary.task_definition.clone()));
        }
        Ok(running)
    }
}
