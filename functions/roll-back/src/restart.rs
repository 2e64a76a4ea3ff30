//! Releases that a freeze ended: each is started again with its digest once the freeze is over,
//! unless a release has taken the lease since.
//!
//! It never starts anything while a newer execution may be replaced by it, nor what no push had
//! started.

use slipway::aws::ErrorKind;
use slipway::job::{Failure, StepError};
use slipway::release::{Conclusion, Event, Lease, Outcome, Push, Record, Release, Restart, apply};

use crate::RollBack;

impl RollBack {
    /// What is released again after a release that ends like this; none unless a freeze alone ended
    /// it, and it is known how its pipeline is started.
    pub(crate) async fn restart_after(
        &self,
        release: &Release,
        conclusion: &Conclusion,
    ) -> Result<Option<Restart>, StepError> {
        if !is_postponed(release, conclusion) {
            return Ok(None);
        }
        let record = self.ledger.record(&release.execution).await?;
        let action = record.and_then(|record| record.action);
        let role = release.pipeline_role.as_ref();
        let role = role.or(release.deploy_role.as_ref());
        let (Some(action), Some(role), Some(digest)) = (action, role, &release.digest) else {
            return Ok(None);
        };

        let now = self.sdk.now();
        Ok(Some(Restart {
            execution: release.execution.clone(),
            pipeline: release.pipeline.clone(),
            action,
            digest: digest.clone(),
            role: role.clone(),
            at: release.guards.end(now).unwrap_or(now),
            refused_since: None,
        }))
    }

    /// Starts the pipeline again if the freeze is over, and returns the status; none while it is
    /// not, and while what may be newer has not taken the lease.
    pub(crate) async fn restart(&self, lease: &Lease) -> Result<Option<String>, StepError> {
        let now = self.sdk.now();
        let due = lease.restart.as_deref().filter(|restart| restart.at <= now);
        let Some(restart) = due else {
            return Ok(None);
        };
        if self.ledger.leases().await?.is_releasing(&restart.pipeline) {
            return Ok(None);
        }

        let (pipeline, digest) = (&restart.pipeline, &restart.digest);
        let token = restart.token();
        let started = self
            .executions
            .start(pipeline, &restart.action, digest, &token);
        let execution = match started.await {
            Err(error) if error.kind != ErrorKind::Busy => {
                let refused = restart.refused(now);
                if refused.as_ref() != Some(restart) {
                    self.note_restart(lease, refused).await?;
                }
                return Err(error.into());
            }
            started => started?,
        };

        self.record_restart(restart, &execution).await?;
        self.note_restart(lease, None).await?;
        Ok(Some(format!(
            "started again after a freeze, as execution {execution}"
        )))
    }

    /// Records the execution as `start-pipeline` does for a push, whose claim leads to it from now
    /// on: a later rollback refuses the digest.
    async fn record_restart(&self, restart: &Restart, execution: &str) -> Result<(), StepError> {
        let (pipeline, digest) = (&restart.pipeline, &restart.digest);
        let record = Record {
            action: Some(restart.action.clone()),
            deploy_role: Some(restart.role.clone()),
            ..Record::started(execution, pipeline, Some(digest), self.sdk.now())
        };
        self.ledger.put_record(&record).await?;

        let Some(claim) = self.ledger.push(pipeline, digest).await? else {
            return Ok(());
        };
        let led = Push {
            execution: Some(execution.to_owned()),
            ..claim.clone()
        };
        self.ledger.put_push(Some(&claim), &led).await?;
        Ok(())
    }

    /// Writes what is released again, unless a release has taken the lease since.
    async fn note_restart(&self, lease: &Lease, next: Option<Restart>) -> Result<(), StepError> {
        let noted = Event::RestartNoted(next.map(Box::new));
        let noted = apply(lease, noted, self.sdk.now())?;
        match self.ledger.advance(&noted).await {
            Err(StepError::Busy(_)) => Ok(()),
            done => done,
        }
    }
}

/// Whether a freeze alone kept a release that ends like this from its end.
fn is_postponed(release: &Release, conclusion: &Conclusion) -> bool {
    let ended = matches!(conclusion.outcome, Outcome::Held | Outcome::Failed);
    let was_frozen = release.failure.as_ref().is_some_and(Failure::is_frozen);
    ended && was_frozen && !conclusion.needs_operator
}

#[cfg(test)]
mod tests {
    use slipway::timestamp::Timestamp;

    use super::*;

    #[test]
    fn only_what_a_freeze_alone_ended_is_started_again() {
        let now = Timestamp::from_secs(1_767_603_600).expect("in range");
        let ended = |failure: Failure, conclusion: Conclusion| {
            let release = Release {
                failure: Some(failure),
                ..Release::begin("e-1", "slipway-web", Some("sha256:00"), now)
            };
            is_postponed(&release, &conclusion)
        };
        let frozen = || Failure::frozen("until Monday");

        for (outcome, expected) in [
            (Outcome::Held, true),
            (Outcome::Failed, true),
            (Outcome::Superseded, false),
            (Outcome::RolledBack, false),
        ] {
            let conclusion = Conclusion::new(outcome, "frozen");
            assert_eq!(ended(frozen(), conclusion), expected, "{outcome}");
        }
        let needing = Conclusion::needing_operator("the rollback fails");
        assert!(!ended(frozen(), needing), "it is not restored");
        let unhealthy = Conclusion::new(Outcome::Failed, "unhealthy");
        assert!(!ended(Failure::job("unhealthy"), unhealthy));
    }
}
