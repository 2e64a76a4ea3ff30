//! The function that closes what ended badly: it takes the lease over, lets invocations that may still run end, and restores
//! the prior release. It is woken again by the sweep until that is proven.

use serde_json::{Value, json};
use slipway::aws::{Executions, Ledger, Retry, Sdk, Services};
use slipway::event::RollBackCall;
use slipway::job::StepError;
use slipway::ledger::{Lease, OpenRelease, Outcome, Prior, Record, RecordState, State};
use slipway::rollback::{Ending, Step, next_step, restoration, restored_count};
use slipway::service::revision;

/// The function: one event or one sweep.
#[derive(Debug)]
pub struct RollBack {
    sdk: Sdk,
    ledger: Ledger,
    services: Services,
    executions: Executions,
}

impl RollBack {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            sdk: sdk.clone(),
            ledger: Ledger::new(sdk),
            services: Services::new(sdk),
            executions: Executions::new(sdk),
        }
    }

    /// Answers an event with what became of each release it concerns.
    ///
    /// # Errors
    /// When Lambda should deliver the event again: AWS was busy, or the event is none that wakes this function.
    pub async fn answer(&self, event: Value) -> Result<Value, Retry> {
        let answer = match RollBackCall::parse(event)? {
            RollBackCall::Irrelevant(reason) => json!({"status": "ignored", "reason": reason}),
            RollBackCall::Ended { execution, ending } => {
                json!({"execution": execution, "status": self.ended(&execution, ending).await?})
            }
            RollBackCall::Sweep => self.sweep().await?,
        };
        tracing::info!(%answer);
        Ok(answer)
    }

    async fn ended(&self, execution: &str, ending: Ending) -> Result<String, StepError> {
        let Some(record) = self.ledger.record(execution).await? else {
            return Ok("no release began with this execution: nothing to do".to_owned());
        };
        match (&record.state, &record.cluster, &record.service) {
            (RecordState::Closed, ..) => Ok("the release is closed: nothing to do".to_owned()),
            (RecordState::Begun, Some(cluster), Some(service)) => {
                let lease = self.ledger.lease(cluster, service).await?;
                match lease.and_then(|lease| lease.held_by(execution).cloned().map(|release| (lease, release))) {
                    Some((lease, release)) => self.settle(&lease, &release, ending).await,
                    None => Ok("the release does not hold its service: nothing to do".to_owned()),
                }
            }
            _ => self.never_begun(record, ending).await,
        }
    }

    async fn never_begun(&self, record: Record, ending: Ending) -> Result<String, StepError> {
        let outcome = if ending == Ending::Superseded { Outcome::Superseded } else { Outcome::Failed };
        let reason = format!("the execution {} before its release began; nothing had been changed", ending.word());
        let closed = record.closed(outcome, &reason, self.sdk.now());
        match self.ledger.put_record(&closed).await? {
            true => Ok(format!("{outcome}: {reason}")),
            false => Err(StepError::Busy("the release began at the same moment; looking again".to_owned())),
        }
    }

    /// Looks at every open release, since events can be lost. One that cannot be looked at does not keep the others waiting.
    async fn sweep(&self) -> Result<Value, Retry> {
        let mut swept = serde_json::Map::new();
        let mut failed = Vec::new();
        for lease in self.ledger.leases().await? {
            let Some(release) = lease.release.clone() else { continue };
            match self.sweep_one(&lease, &release).await {
                Ok(status) => drop(swept.insert(release.execution, Value::String(status))),
                Err(error) => failed.push(format!("{}: {error}", release.execution)),
            }
        }
        if failed.is_empty() { Ok(json!({"swept": swept})) } else { Err(failed.join("; ").into()) }
    }

    async fn sweep_one(&self, lease: &Lease, release: &OpenRelease) -> Result<String, StepError> {
        let Some(status) = self.executions.status(&release.pipeline, &release.execution).await? else {
            return match release.state {
                State::RollingBack => self.settle(lease, release, Ending::Stopped).await,
                State::Open => Ok("CodePipeline does not know the execution: a person's release, left open".to_owned()),
            };
        };
        let ending = Ending::of_status(&status).map_err(|why| StepError::Busy(why.clone()))?;
        match (ending, release.state) {
            (Some(ending), _) => self.settle(lease, release, ending).await,
            (None, State::RollingBack) => self.settle(lease, release, Ending::Stopped).await,
            (None, State::Open) => Ok(format!("the execution is {status}")),
        }
    }

    async fn settle(&self, lease: &Lease, release: &OpenRelease, ending: Ending) -> Result<String, StepError> {
        let now = self.sdk.now();
        let first = next_step(release, ending, now);
        let (step, seen) = match (first, &release.prior) {
            (Some(step), _) => (step, None),
            (None, None) => (
                Step::Close {
                    outcome: Outcome::Failed,
                    reason: "the release had no prior release, so nothing had been changed".to_owned(),
                },
                None,
            ),
            (None, Some(prior)) => match self.services.observe(&lease.cluster, &lease.service).await? {
                None => {
                    let reason =
                        format!("service {} is gone, so nothing can be restored; it needs a person", lease.service);
                    (Step::Close { outcome: Outcome::Failed, reason }, None)
                }
                Some(seen) => (restoration(release, prior, ending, &seen.view, now), Some((prior, seen))),
            },
        };
        match (step, seen) {
            (Step::Close { outcome, reason }, _) => {
                self.ledger.close(lease, outcome, &reason, now).await?;
                Ok(format!("{outcome}: {reason}"))
            }
            (Step::TakeOver, _) => {
                self.ledger.advance(&lease.taken_over(now)).await?;
                Ok("taken over; restores once invocations that may still run have ended".to_owned())
            }
            (Step::Restore, Some((prior, seen))) => self.restore(lease, release, prior, &seen).await,
            (Step::Restore, None) => Err(StepError::Busy("nothing was observed; looking again".to_owned())),
            (Step::Wait(summary), _) => Ok(summary),
        }
    }

    async fn restore(
        &self,
        lease: &Lease,
        release: &OpenRelease,
        prior: &Prior,
        seen: &slipway::aws::Observed,
    ) -> Result<String, StepError> {
        self.ledger.advance(&lease.announced(self.sdk.now())).await?;
        let count = restored_count(release, prior, &seen.view);
        let deployment = self.services.apply(seen, &prior.task_definition, prior.percentages, count).await?;
        Ok(format!("restores {} ({deployment})", revision(&prior.task_definition)))
    }
}
