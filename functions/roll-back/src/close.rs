//! The close of a release: once no invocation can still make an announced change, its leftovers are
//! removed, and the lease is free.

use slipway::job::StepError;
use slipway::limits::{DEREGISTRATION_DEADLINE, ROLLBACK_DEADLINE};
use slipway::release::{Conclusion, Event, Lease, Outcome, PendingDeregistration, Release, apply};
use slipway::timestamp::{Timestamp, readable};

use crate::{NOT_HELD, RollBack};

impl RollBack {
    /// Closes a release that left nothing behind. What was observed before every announced change
    /// was made or had timed out proves nothing: then it is observed again. `observed` is when the
    /// observation began.
    pub(crate) async fn close(
        &self,
        lease: &Lease,
        release: &Release,
        conclusion: &Conclusion,
        observed: Timestamp,
    ) -> Result<String, StepError> {
        match lease.grace_left(observed) {
            Some(left) => Ok(format!(
                "waiting {} for earlier invocations to time out, then {}: {}",
                readable(left),
                conclusion.outcome,
                conclusion.reason
            )),
            None => self.close_now(lease, release, conclusion).await,
        }
    }

    /// Closes a release that could not be restored in time, and names the cause. A call may have
    /// been announced before it failed, so the lease is read again.
    pub(crate) async fn give_up(
        &self,
        lease: &Lease,
        conclusion: &Conclusion,
    ) -> Result<String, StepError> {
        let current = self.ledger.lease(&lease.cluster, &lease.service).await?;
        let current = current.as_ref().unwrap_or(lease);

        match (&current.release, &lease.release) {
            (Some(release), Some(given_up)) if release.execution == given_up.execution => {
                self.close_now(current, release, conclusion).await
            }
            _ => Ok(NOT_HELD.to_owned()),
        }
    }

    /// Closes a release now. The revisions that it registered and does not run are deregistered
    /// first. What is not needed for safety does not keep the service from its next release.
    pub(crate) async fn close_now(
        &self,
        lease: &Lease,
        release: &Release,
        conclusion: &Conclusion,
    ) -> Result<String, StepError> {
        let mut conclusion = conclusion.clone();
        let was_restored = matches!(conclusion.outcome, Outcome::RolledBack | Outcome::Held);
        if release.change().is_none() || was_restored {
            let retired = self.deregister_revisions(lease, release).await;
            if let Err(error @ StepError::Busy(_)) = &retired
                && self
                    .may_deregister_later(lease, release, conclusion.outcome)
                    .await?
            {
                return Err(error.clone());
            }
            if let Err(error) = retired {
                let later = self.deregister_later(lease).await;
                conclusion.reason.push_str(&format!(
                    "; failed to deregister the release's revisions: {}{later}",
                    error.cause()
                ));
            }
        }

        if conclusion.outcome == Outcome::RolledBack && !conclusion.withdrawn {
            self.keep_claim(release).await?;
        }
        if let Some(stopped) = self.stop_line(release, conclusion.outcome).await? {
            conclusion.reason.push_str(&format!("; {stopped}"));
        }
        self.plan_restart(release, &mut conclusion).await?;
        self.ledger
            .close(lease, &conclusion, self.sdk.now())
            .await?;
        Ok(format!("{}: {}", conclusion.outcome, conclusion.reason))
    }

    /// Leaves the revisions of a release that is about to end without its restoration to later
    /// sweeps: tasks may still run them, and ECS may return to them.
    pub(crate) async fn leave_revisions(
        &self,
        lease: &Lease,
        release: &Release,
        outcome: Outcome,
    ) -> Result<(), StepError> {
        let is_unproven = matches!(outcome, Outcome::Superseded | Outcome::Failed);
        if is_unproven && release.is_rolling_back() && release.registering.is_some() {
            let pending = PendingDeregistration::from_lease(lease, self.sdk.now());
            self.ledger.put_deregistration(&pending).await?;
        }
        Ok(())
    }

    /// Leaves the revisions of a release to later sweeps, and returns the end of a sentence about
    /// it.
    async fn deregister_later(&self, lease: &Lease) -> String {
        let pending = PendingDeregistration::from_lease(lease, self.sdk.now());
        match self.ledger.put_deregistration(&pending).await {
            Ok(()) => format!(
                "; roll-back tries again for {}",
                readable(DEREGISTRATION_DEADLINE)
            ),
            Err(error) => {
                tracing::warn!(%error, "not tried again");
                format!("; run {}", pending.command())
            }
        }
    }

    /// Keeps the claim of the push from expiring, before the record states that its digest was
    /// rolled back. A claim that cannot be read or written delays the next release of the service
    /// no longer than a rollback may take.
    async fn keep_claim(&self, release: &Release) -> Result<(), StepError> {
        let Some(digest) = &release.digest else {
            return Ok(());
        };
        let kept = self
            .ledger
            .keep_push(&release.pipeline, digest, &release.execution);
        let Err(error) = kept.await else {
            return Ok(());
        };

        let since = release.rolling_back_since();
        if since.is_some_and(|since| self.sdk.now().since(since) < ROLLBACK_DEADLINE) {
            return Err(error);
        }
        tracing::warn!(%error, digest, "failed to keep the claim of the digest");
        Ok(())
    }

    /// Whether there is time left to deregister revisions while AWS is busy: as much as a rollback
    /// has. It counts from the take-over, which a release that changed nothing did not need before.
    /// One that ends well must not be taken over: its time counts from its start.
    async fn may_deregister_later(
        &self,
        lease: &Lease,
        release: &Release,
        outcome: Outcome,
    ) -> Result<bool, StepError> {
        let now = self.sdk.now();
        let ends_well = matches!(outcome, Outcome::Deployed | Outcome::Unchanged);

        let since = match release.rolling_back_since() {
            Some(since) => since,
            None if ends_well => release.began_at,
            None => {
                let taken = apply(lease, Event::TakenOver, now)?;
                self.ledger.advance(&taken).await?;
                return Ok(true);
            }
        };
        Ok(now.since(since) < ROLLBACK_DEADLINE)
    }
}
