//! What is started again without a push, unless a newer release has taken the lease since: the
//! digest of a release that a freeze ended, once that is over, and what the service's own stack
//! replaced during a release.
//!
//! It never starts anything that may replace a newer execution, nor what no push had started.

use slipway::aws::ErrorKind;
use slipway::job::{Failure, StepError};
use slipway::release::{
    Conclusion, Event, Lease, Outcome, Record, Release, Restart, StackUpdate, Target, apply,
};
use slipway::timestamp::Timestamp;

use crate::RollBack;

impl RollBack {
    /// Notes in the conclusion of a release what is released again after it.
    pub(crate) async fn plan_restart(
        &self,
        release: &Release,
        conclusion: &mut Conclusion,
    ) -> Result<(), StepError> {
        let was_frozen = is_postponed(release, conclusion);
        let planned = if was_frozen {
            self.after_freeze(release).await?
        } else if may_be_replaced(release, conclusion) {
            self.after_stack_update(release, conclusion).await?
        } else {
            None
        };

        let note = note_of(was_frozen, planned.is_some());
        conclusion.reason.push_str(note);
        conclusion.restart = planned.map(Box::new);
        Ok(())
    }

    /// The same digest once the freeze is over, if it is known how the pipeline is started.
    async fn after_freeze(&self, release: &Release) -> Result<Option<Restart>, StepError> {
        let now = self.sdk.now();
        let record = self.ledger.record(&release.execution).await?;
        let action = record.and_then(|record| record.action);
        let planned = restart_of(release, action, release.digest.clone(), now);
        Ok(planned.map(|restart| Restart {
            at: release.guards.end(now).unwrap_or(now),
            ..restart
        }))
    }

    /// What follows from an update of the service's stack whose end was noted during the release.
    /// An item that cannot be read keeps no release open.
    async fn after_stack_update(
        &self,
        release: &Release,
        conclusion: &Conclusion,
    ) -> Result<Option<Restart>, StepError> {
        let update = match self.ledger.stack_update(&release.pipeline).await {
            Err(error) if error.kind != ErrorKind::Busy => {
                tracing::warn!(%error, "the update of the stack is not observed");
                return Ok(None);
            }
            found => found?,
        };
        let missed = update.filter(|update| update.missed_at.is_some());
        let Some(update) = missed else {
            return Ok(None);
        };
        let record = self.ledger.record(&release.execution).await?;
        if !record.is_some_and(|record| update.was_missed_since(record.started_at)) {
            return Ok(None);
        }

        Ok(restart_after(release, conclusion, update, self.sdk.now()))
    }

    /// Starts the pipeline again if it is time, and returns the status; none while it is not, and
    /// while what may be newer has not taken the lease.
    pub(crate) async fn restart(&self, lease: &Lease) -> Result<Option<String>, StepError> {
        let now = self.sdk.now();
        let due = lease.restart.as_deref().filter(|restart| restart.at <= now);
        let Some(restart) = due else {
            return Ok(None);
        };
        if self.ledger.leases().await?.is_releasing(&restart.pipeline) {
            return Ok(None);
        }
        // Read after the leases: a push is claimed before its execution is recorded.
        let newest = self.ledger.newest_push(&restart.pipeline).await?;
        if restart.yields_to(newest.as_ref(), now) {
            return Ok(None);
        }

        // A push that comes from now on waits for this start, and one that came since is not
        // overtaken by it.
        let (pipeline, digest) = (&restart.pipeline, &restart.digest);
        let token = restart.token();
        let start = self
            .executions
            .start(pipeline, &restart.action, digest, &token);
        let started = self
            .ledger
            .while_newest_is_taken(newest, digest, now, start);
        let Some(started) = started.await? else {
            return Ok(None);
        };
        let execution = match started {
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
        Ok(Some(format!("started again, as execution {execution}")))
    }

    /// Records the execution as `start-pipeline` does for a push, whose claim leads to it from now
    /// on: a later rollback refuses the digest.
    async fn record_restart(&self, restart: &Restart, execution: &str) -> Result<(), StepError> {
        let (pipeline, digest) = (&restart.pipeline, &restart.digest);
        let record = Record {
            action: Some(restart.action.clone()),
            brings_back: restart.brings_back,
            deploy_role: Some(restart.role.clone()),
            ..Record::started(execution, pipeline, Some(digest), self.sdk.now())
        };
        self.ledger.put_record(&record).await?;
        self.ledger.lead_push(pipeline, digest, execution).await?;
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

/// How the reason of a release ends, by what is planned after it. What no push started is not
/// started again.
fn note_of(was_frozen: bool, is_planned: bool) -> &'static str {
    match (was_frozen, is_planned) {
        (true, true) => "; it is started again once the freeze is over",
        (true, false) => "; start the pipeline again once the freeze is over",
        (false, true) => "; what the service's stack replaced is released again",
        (false, false) => "",
    }
}

/// A start of the pipeline of a release with a digest, now.
fn restart_of(
    release: &Release,
    action: Option<String>,
    digest: Option<String>,
    now: Timestamp,
) -> Option<Restart> {
    let role = release.pipeline_role.as_ref();
    let role = role.or(release.deploy_role.as_ref())?;
    Some(Restart {
        execution: release.execution.clone(),
        pipeline: release.pipeline.clone(),
        action: action?,
        digest: digest?,
        role: role.clone(),
        brings_back: release.brings_back,
        at: now,
        refused_since: None,
    })
}

/// A start with the digest of a release that an update of the service's stack overtook, or else
/// with what ran before the update.
fn restart_after(
    release: &Release,
    conclusion: &Conclusion,
    update: StackUpdate,
    now: Timestamp,
) -> Option<Restart> {
    let was_overtaken = conclusion.outcome == Outcome::Superseded
        && release.failure.as_ref().is_some_and(Failure::is_overridden);
    let digest = if was_overtaken {
        release.digest.clone()
    } else {
        update.digest
    };
    let planned = restart_of(release, update.action, digest, now);
    planned.map(|restart| Restart {
        brings_back: !was_overtaken || restart.brings_back,
        ..restart
    })
}

/// Whether a single service may run what its stack brought during a release that ends like this.
fn may_be_replaced(release: &Release, conclusion: &Conclusion) -> bool {
    let is_service = matches!(release.target(), Some(Target::Service(_)));
    is_service && leaves_service(conclusion)
}

/// Whether a release that ends like this leaves its service as it is: one that was restored runs
/// its prior release, and an operator repairs the others.
fn leaves_service(conclusion: &Conclusion) -> bool {
    let ended = matches!(conclusion.outcome, Outcome::Superseded | Outcome::Failed);
    ended && !conclusion.needs_operator
}

/// Whether a freeze alone kept a release that ends like this from its end.
fn is_postponed(release: &Release, conclusion: &Conclusion) -> bool {
    let ended = matches!(conclusion.outcome, Outcome::Held | Outcome::Failed);
    let was_frozen = release.failure.as_ref().is_some_and(Failure::is_frozen);
    ended && was_frozen && !conclusion.needs_operator
}

#[cfg(test)]
mod tests {
    use slipway::release::DeployRole;

    use super::*;

    fn deploy_role() -> DeployRole {
        DeployRole {
            arn: "arn:aws:iam::111122223333:role/deploy".to_owned(),
            external_id: "arn:aws:codepipeline:eu-west-1:111122223333:web".to_owned(),
            region: None,
        }
    }

    #[test]
    fn a_release_that_an_update_overtook_is_started_again_or_else_what_ran_before_the_update() {
        let now = Timestamp::from_secs(1_767_603_600).expect("in range");
        let before = Some("sha256:0a".to_owned());
        let update = StackUpdate {
            action: Some("Image".to_owned()),
            ..StackUpdate::begun("slipway-web", "event-1", before, now)
        };
        let after = |outcome: Outcome, failure: Failure| {
            let release = Release {
                failure: Some(failure),
                deploy_role: Some(deploy_role()),
                ..Release::begin("e-1", "slipway-web", Some("sha256:0b"), now)
            };
            let conclusion = Conclusion::new(outcome, "it ended");
            let planned = restart_after(&release, &conclusion, update.clone(), now);
            planned.map(|restart| (restart.digest, restart.brings_back))
        };

        let released = Some(("sha256:0b".to_owned(), false));
        let ran_before = Some(("sha256:0a".to_owned(), true));
        let overtaken = || Failure::overridden("web:9 was deployed");
        assert_eq!(after(Outcome::Superseded, overtaken()), released);
        assert_eq!(after(Outcome::Failed, overtaken()), ran_before);
        let unhealthy = Failure::job("unhealthy");
        assert_eq!(after(Outcome::Superseded, unhealthy), ran_before);
    }

    #[test]
    fn only_what_restored_nothing_is_followed_by_what_a_stack_replaced() {
        for (outcome, expected) in [
            (Outcome::Superseded, true),
            (Outcome::Failed, true),
            (Outcome::RolledBack, false),
            (Outcome::Held, false),
            (Outcome::Deployed, false),
            (Outcome::Unchanged, false),
        ] {
            let conclusion = Conclusion::new(outcome, "it ended");
            assert_eq!(leaves_service(&conclusion), expected, "{outcome}");
        }
        let needing = Conclusion::needing_operator("the rollback fails");
        assert!(!leaves_service(&needing));
    }

    #[test]
    fn what_comes_back_after_a_stack_update_comes_back_when_it_is_started_again() {
        let now = Timestamp::from_secs(1_767_603_600).expect("in range");
        for brings_back in [false, true] {
            let release = Release {
                brings_back,
                deploy_role: Some(deploy_role()),
                ..Release::begin("e-1", "slipway-web", Some("sha256:00"), now)
            };
            let action = Some("Image".to_owned());
            let planned = restart_of(&release, action, release.digest.clone(), now);
            let planned = planned.expect("all of it is known");
            assert_eq!(planned.brings_back, brings_back);
        }
    }

    #[test]
    fn the_reason_has_whether_the_sweep_or_an_operator_starts_the_release_again() {
        let swept = "; it is started again once the freeze is over";
        let by_operator = "; start the pipeline again once the freeze is over";
        assert_eq!(
            [true, false].map(|it| note_of(true, it)),
            [swept, by_operator]
        );
        let of_stack = "; what the service's stack replaced is released again";
        assert_eq!([true, false].map(|it| note_of(false, it)), [of_stack, ""]);
    }

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
