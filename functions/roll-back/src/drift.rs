//! What a service runs once its release is closed: a rollback by Amazon ECS, another deployment or a
//! change by hand is noted in the lease, and nothing else is changed.
//!
//! Never notes anything during a release, and never fails a sweep for what it may not read.

use slipway::aws::{AwsError, ErrorKind};
use slipway::job::StepError;
use slipway::release::{Drift, Event, Lease, LeftRunning, apply};

use crate::RollBack;

/// The status of a service that has drifted before.
const AS_LEFT: &str = "it runs again what its last release left";

impl RollBack {
    /// Notes what runs in place of what the last release left, once for each change, and returns
    /// what it noted.
    pub(crate) async fn look_for_drift(&self, lease: &Lease) -> Result<Option<String>, StepError> {
        let Some(left) = lease.left.as_deref() else {
            return Ok(None);
        };
        let observed = match self.services.describe(&lease.cluster, &left.service).await {
            Err(error) if error.kind == ErrorKind::Permission => {
                tracing::warn!(service = left.service, %error, "not looked at for a drift");
                return Ok(None);
            }
            observed => observed?,
        };
        // A service that was deleted runs nothing in place of what was left.
        let Some(observed) = observed.filter(|observed| observed.view.is_active()) else {
            return Ok(None);
        };

        let replaced = left.replaced_in(&observed.view);
        let replaced = replaced.map(|primary| primary.task_definition.as_str());
        if left.is_known(replaced) {
            return Ok(None);
        }
        let drift = match replaced {
            Some(replaced) => Some(self.drift_to(lease, left, replaced).await),
            None => None,
        };

        let noted = apply(lease, Event::DriftNoted(drift), self.sdk.now())?;
        match self.ledger.advance(&noted).await {
            // A release begins.
            Err(StepError::Busy(_)) => return Ok(None),
            done => done?,
        }
        let shown = noted.left.and_then(|left| left.shown_drift());
        Ok(Some(shown.unwrap_or_else(|| AS_LEFT.to_owned())))
    }

    /// The drift to another revision, with the reason if ECS rolled the release back. Without its
    /// service deployments it counts as deployed outside of a release.
    async fn drift_to(&self, lease: &Lease, left: &LeftRunning, replaced: &str) -> Drift {
        let history = self
            .services
            .service_deployments(&lease.cluster, &left.service, left.began_at)
            .await;
        let history = history.unwrap_or_else(|error: AwsError| {
            tracing::warn!(service = left.service, %error, "service deployments are not read");
            Vec::new()
        });
        left.drift_to(replaced, &history, self.sdk.now())
    }
}
