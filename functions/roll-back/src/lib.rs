//! The function that closes releases whose execution ended badly: it takes the lease over, waits
//! for earlier invocations to time out, and restores the prior release. The sweep invokes it again
//! until the prior release is proven to run.
//!
//! It never restores what was not recorded, and never closes a release while a change that was
//! announced can still be made.

mod pair;
mod retire;

use serde_json::{Value, json};
use slipway::aws::{
    Executions, Ledger, ObservedService, Pairs, Retry, Sdk, Services, TaskDefinitions,
};
use slipway::events::RollBackTrigger;
use slipway::job::StepError;
use slipway::observed::service::revision;
use slipway::release::{
    Conclusion, Event, Lease, Outcome, Phase, Record, RecordState, Release, ServiceTarget, Started,
    Target, apply,
};
use slipway::routing::mover::TrafficMover;
use slipway::strategy::Percentages;
use slipway::strategy::in_place::rollback::{restoration, restored_count};
use slipway::strategy::rollback::{Ending, Restoration, RollbackStep, next_step};
use slipway::timestamp::readable;

/// The function: one event or one sweep.
#[derive(Debug)]
pub struct RollBack {
    sdk: Sdk,
    ledger: Ledger,
    services: Services,
    pairs: Pairs,
    traffic: TrafficMover,
    executions: Executions,
    task_definitions: TaskDefinitions,
}

impl RollBack {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            sdk: sdk.clone(),
            ledger: Ledger::new(sdk),
            services: Services::new(sdk),
            pairs: Pairs::new(sdk),
            traffic: TrafficMover::new(sdk),
            executions: Executions::new(sdk),
            task_definitions: TaskDefinitions::new(sdk),
        }
    }

    /// Handles one event and returns the status of each release it concerns.
    ///
    /// # Errors
    /// When Lambda should deliver the event again: AWS was busy, or the event is not one of this
    /// function's.
    pub async fn handle(&self, event: Value) -> Result<Value, Retry> {
        let response = match RollBackTrigger::parse(event)? {
            RollBackTrigger::Irrelevant(reason) => json!({"status": "ignored", "reason": reason}),
            RollBackTrigger::Ended { execution, ending } => {
                json!({"execution": execution, "status": self.ended(&execution, ending).await?})
            }
            RollBackTrigger::Sweep => self.sweep().await?,
        };

        tracing::info!(%response);
        Ok(response)
    }

    /// Handles the end of an execution.
    async fn ended(&self, execution: &str, ending: Ending) -> Result<String, StepError> {
        let Some(record) = self.ledger.record(execution).await? else {
            return Ok("no release began with this execution: nothing to do".to_owned());
        };

        match (&record.state, &record.cluster, &record.service) {
            (RecordState::Closed, ..) => Ok("the release is closed: nothing to do".to_owned()),
            (RecordState::Begun, Some(cluster), Some(service)) => {
                let lease = self.ledger.lease(cluster, service).await?;
                let held = lease.and_then(|lease| {
                    let release = lease.held_by(execution).cloned();
                    release.map(|release| (lease, release))
                });
                match held {
                    Some((lease, release)) => self.proceed(&lease, &release, ending).await,
                    None => Ok("the release does not hold its service: nothing to do".to_owned()),
                }
            }
            _ => self.never_begun(record, ending).await,
        }
    }

    async fn never_begun(&self, record: Record, ending: Ending) -> Result<String, StepError> {
        let outcome = if ending == Ending::Superseded {
            Outcome::Superseded
        } else {
            Outcome::Failed
        };
        let cause = match &record.reason {
            Some(reason) => format!("the release did not begin: {reason}"),
            None => format!(
                "the execution {} before its release began",
                ending.as_predicate()
            ),
        };
        let reason = format!("{cause}; nothing had been changed");

        let closed = record.closed(outcome, &reason, self.sdk.now());
        if self.ledger.put_record(&closed).await? {
            Ok(format!("{outcome}: {reason}"))
        } else {
            Err(StepError::Busy(
                "the release began at the same moment; retrying".to_owned(),
            ))
        }
    }

    /// Checks every open release and every one that has not begun, since events can be lost. One
    /// that cannot be checked does not stop the others, but the invocation fails, so that the error
    /// alarm fires.
    async fn sweep(&self) -> Result<Value, Retry> {
        let mut swept = serde_json::Map::new();
        let mut failed = Vec::new();
        let (leases, started) = self.ledger.leases().await?;

        for lease in leases {
            let Some(release) = lease.release.clone() else {
                continue;
            };

            match self.sweep_one(&lease, &release).await {
                Ok(status) => drop(swept.insert(release.execution, Value::String(status))),
                Err(error) => failed.push(format!("{}: {error}", release.execution)),
            }
        }

        for started in started {
            match self.sweep_started(&started).await {
                Ok(status) => drop(swept.insert(started.execution, Value::String(status))),
                Err(error) => failed.push(format!("{}: {error}", started.execution)),
            }
        }

        if failed.is_empty() {
            Ok(json!({"swept": swept}))
        } else {
            Err(failed.join("; ").into())
        }
    }

    /// An execution can end before its release begins, and before start-pipeline recorded that it
    /// was started.
    async fn sweep_started(&self, started: &Started) -> Result<String, StepError> {
        let status = self
            .executions
            .status(&started.pipeline, &started.execution)
            .await?;
        let Some(status) = status else {
            return Ok(
                "CodePipeline does not know the execution: a manual release, which has not begun"
                    .to_owned(),
            );
        };

        match Ending::from_status(&status).map_err(StepError::Busy)? {
            Some(ending) => self.ended(&started.execution, ending).await,
            None => Ok(format!("the execution is {status}")),
        }
    }

    async fn sweep_one(&self, lease: &Lease, release: &Release) -> Result<String, StepError> {
        let status = self
            .executions
            .status(&release.pipeline, &release.execution)
            .await?;
        let ending = match &status {
            Some(status) => Ending::from_status(status).map_err(StepError::Busy)?,
            None => None,
        };

        match (ending, &release.phase, status) {
            (Some(ending), ..) => self.proceed(lease, release, ending).await,
            (None, Phase::RollingBack { .. }, _) => {
                self.proceed(lease, release, Ending::Stopped).await
            }
            (None, _, Some(status)) => Ok(format!("the execution is {status}")),
            (None, _, None) => Ok(
                "CodePipeline does not know the execution: a manual release, left open".to_owned(),
            ),
        }
    }

    /// Takes the release one step nearer to its end.
    async fn proceed(
        &self,
        lease: &Lease,
        release: &Release,
        ending: Ending,
    ) -> Result<String, StepError> {
        let now = self.sdk.now();
        match next_step(release, ending, lease.grace_left(now), now) {
            RollbackStep::Close(conclusion) => self.close(lease, release, &conclusion).await,
            RollbackStep::TakeOver => {
                self.ledger
                    .advance(&apply(lease, Event::TakenOver, now)?)
                    .await?;
                let summary = "took over the release; restoring after earlier invocations time out";
                Ok(summary.to_owned())
            }
            RollbackStep::Wait(summary) => Ok(summary),
            RollbackStep::Observe => self.restore(lease, release, ending).await,
        }
    }

    /// Closes a release that left nothing behind, once no invocation can still make an announced
    /// change.
    async fn close(
        &self,
        lease: &Lease,
        release: &Release,
        conclusion: &Conclusion,
    ) -> Result<String, StepError> {
        match lease.grace_left(self.sdk.now()) {
            Some(left) => Ok(format!(
                "{}, after waiting {} for earlier invocations to time out",
                conclusion.outcome,
                readable(left)
            )),
            None => self.close_now(lease, release, conclusion).await,
        }
    }

    /// Closes a release now. The revisions that it registered and does not run are retired first.
    async fn close_now(
        &self,
        lease: &Lease,
        release: &Release,
        conclusion: &Conclusion,
    ) -> Result<String, StepError> {
        let Conclusion {
            outcome, reason, ..
        } = conclusion;
        if release.change().is_none() || matches!(outcome, Outcome::RolledBack | Outcome::Held) {
            self.retire(lease, release).await?;
        }

        self.ledger.close(lease, conclusion, self.sdk.now()).await?;
        Ok(format!("{outcome}: {reason}"))
    }

    /// Observes the service and brings it one step nearer to the recorded release.
    async fn restore(
        &self,
        lease: &Lease,
        release: &Release,
        ending: Ending,
    ) -> Result<String, StepError> {
        let service = match release.target() {
            Some(Target::Service(service)) => service,
            Some(Target::Pair(pair)) => {
                return self.restore_pair(lease, release, pair, ending).await;
            }
            None => {
                let reason = "no prior release was recorded, so nothing had been changed";
                let conclusion = Conclusion::new(Outcome::Failed, reason);
                return self.close(lease, release, &conclusion).await;
            }
        };

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
            return self.close(lease, release, &conclusion).await;
        };

        match restoration(release, service, ending, &seen.view, self.sdk.now()) {
            Restoration::Close(conclusion) => self.close(lease, release, &conclusion).await,
            Restoration::Wait(summary) => Ok(summary),
            Restoration::Apply(percentages) => self.apply(lease, service, percentages, &seen).await,
        }
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
            .apply(seen, &prior.task_definition, percentages, count)
            .await?;

        Ok(format!(
            "restoring {} ({deployment})",
            revision(&prior.task_definition)
        ))
    }
}
