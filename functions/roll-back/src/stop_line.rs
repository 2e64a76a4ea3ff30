//! Stops the line: the transition into a stage is disabled before a failed release frees its
//! service, so that no release that checks it goes on before an operator enables it.
//!
//! It never enables a transition.

use slipway::job::{Failure, StepError};
use slipway::limits::ROLLBACK_DEADLINE;
use slipway::release::{Event, Lease, Outcome, Release, apply};
use slipway::strategy::ending::Ending;
use slipway::strategy::rollback::cause;
use slipway::timestamp::Timestamp;

use crate::RollBack;

impl RollBack {
    /// Records that the execution failed, in a release with a line that changed something, if no
    /// step recorded why: an action timed out, a build failed, or a function crashed. Later
    /// invocations, which may not see how it ended, stop the line too.
    pub(crate) async fn note_failed(
        &self,
        lease: &Lease,
        ending: Ending,
        now: Timestamp,
    ) -> Result<Lease, StepError> {
        let unexplained = lease.release.as_ref().filter(|release| {
            ending == Ending::Failed
                && release.failure.is_none()
                && release.guards.line.is_some()
                && release.has_announced_change()
        });
        let Some(release) = unexplained else {
            return Ok(lease.clone());
        };

        let failure = Failure::job(cause(release, ending));
        let noted = apply(lease, Event::FailureRecorded(failure), now)?;
        self.ledger.advance(&noted).await?;
        Ok(noted)
    }

    /// Disables the transition if the release stops the line as it ends, and returns what became
    /// of it. What AWS refuses does not keep the service from its next release.
    ///
    /// # Errors
    /// `Busy`, for as long as a rollback may take.
    pub(crate) async fn stop_line(
        &self,
        release: &Release,
        outcome: Outcome,
    ) -> Result<Option<String>, StepError> {
        let Some(stage) = release.stops_before(outcome) else {
            return Ok(None);
        };

        let role = release.pipeline_role.as_ref();
        let role = role.or(release.deploy_role.as_ref());
        let (pipeline, execution) = (&release.pipeline, &release.execution);
        let reason = format!("release {execution} ended as {outcome}");
        let acting = self.under(role);
        // Boxed: the SDK's futures are deep.
        let disabled = Box::pin(acting.transitions.disable(pipeline, stage, &reason)).await;
        let Err(error) = disabled.map_err(StepError::from) else {
            return Ok(Some(format!(
                "the transition into stage {stage} is disabled until an operator enables it"
            )));
        };

        let since = release.rolling_back_since();
        let has_time = since.is_some_and(|since| self.sdk.now().since(since) < ROLLBACK_DEADLINE);
        if has_time && matches!(error, StepError::Busy(_)) {
            return Err(error);
        }
        Ok(Some(format!(
            "failed to disable the transition into stage {stage}: {}",
            error.cause()
        )))
    }
}
