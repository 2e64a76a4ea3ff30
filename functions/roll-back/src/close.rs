//! The close of a release: once no invocation can still make an announced change, its leftovers are
//! removed, and the lease is free.

use slipway::job::StepError;
use slipway::limits::ROLLBACK_DEADLINE;
use slipway::release::{Conclusion, Event, Lease, Outcome, Release, apply};
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

    /// Closes a release now. The revisions that it registered and does not run are retired first.
    /// What is not needed for safety does not keep the service from its next release.
    pub(crate) async fn close_now(
        &self,
        lease: &Lease,
        release: &Release,
        conclusion: &Conclusion,
    ) -> Result<String, StepError> {
        let mut conclusion = conclusion.clone();
        let was_restored = matches!(conclusion.outcome, Outcome::RolledBack | Outcome::Held);
        if release.change().is_none() || was_restored {
            let retired = self.retire(lease, release).await;
            if let Err(error @ StepError::Busy(_)) = &retired
                && self
                    .may_retire_later(lease, release, conclusion.outcome)
                    .await?
            {
                return Err(error.clone());
            }
            if let Err(error) = retired {
                conclusion.reason.push_str(&format!(
                    "; failed to deregister the release's revisions: {}",
                    error.cause()
                ));
            }
        }

        self.ledger
            .close(lease, &conclusion, self.sdk.now())
            .await?;
        Ok(format!("{}: {}", conclusion.outcome, conclusion.reason))
    }

    /// Whether there is time left to retire revisions while AWS is busy: as much as a rollback has.
    /// It begins with the take-over, which a release that changed nothing had no need of before.
    /// One that ends well must not be taken over: it has the time since it began.
    async fn may_retire_later(
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
