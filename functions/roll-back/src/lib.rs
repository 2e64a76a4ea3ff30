//! The function that closes releases whose execution ended badly: it takes the lease over and
//! restores the prior release at once. The sweep invokes it again until no earlier invocation can
//! change anything and the prior release is proven to run.
//!
//! It never restores what was not recorded, and never closes a release while a change that was
//! announced can still be made.

mod close;
mod deregister;
mod drift;
mod free;
mod pair;
mod refused;
mod restart;
mod service;
mod started;
mod stickiness;
mod stop_line;
mod sweep;

use serde_json::{Value, json};
use slipway::aws::{
    Balancers, Executions, Ledger, Pairs, Retry, Routes, Sdk, Services, TaskDefinitions,
    Transitions,
};
use slipway::events::RollBackTrigger;
use slipway::job::StepError;
use slipway::limits::TAKE_OVER_ATTEMPTS;
use slipway::release::{
    Conclusion, DeployRole, Event, Lease, Outcome, Record, RecordState, Release, Target, apply,
};
use slipway::routing::mover::TrafficMover;
use slipway::strategy::ending::Ending;
use slipway::strategy::messages::waiting_for_grace;
use slipway::strategy::rollback::{RollbackStep, given_up, next_step};
use slipway::timestamp::Timestamp;

/// How the note about an execution begins whose status could not be read.
const UNREAD: &str = "the status of the execution could not be read: ";

/// The status of an execution whose release is not that of the lease.
const NOT_HELD: &str = "the release does not have the lease of its service: nothing to do";

/// The function: one event or one sweep.
#[derive(Debug)]
pub struct RollBack {
    sdk: Sdk,
    ledger: Ledger,
    services: Services,
    pairs: Pairs,
    routes: Routes,
    balancers: Balancers,
    traffic: TrafficMover,
    executions: Executions,
    transitions: Transitions,
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
            routes: Routes::new(sdk),
            balancers: Balancers::new(sdk),
            traffic: TrafficMover::new(sdk),
            executions: Executions::new(sdk),
            transitions: Transitions::new(sdk),
            task_definitions: TaskDefinitions::new(sdk),
        }
    }

    /// The same function, acting under a deploy role; with the function's own credentials without
    /// one.
    fn under(&self, role: Option<&DeployRole>) -> Self {
        match role {
            Some(role) => Self::new(&self.sdk.acting_for(role)),
            None => Self::new(&self.sdk),
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
                let status = self.ended(&execution, ending).await?;
                json!({"execution": execution, "status": status})
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
                match self.ledger.lease(cluster, service).await? {
                    Some(lease) => {
                        let holder = lease.release.as_ref();
                        let role = holder.and_then(|release| release.deploy_role.as_ref());
                        self.under(role).proceed(execution, lease, ending).await
                    }
                    None => Ok(NOT_HELD.to_owned()),
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

    /// Takes the release of an execution one step nearer to its end, again if another invocation
    /// wrote the lease in between.
    async fn proceed(
        &self,
        execution: &str,
        mut lease: Lease,
        ending: Ending,
    ) -> Result<String, StepError> {
        let mut attempts = 0;
        loop {
            let Some(release) = lease.held_by(execution) else {
                return Ok(NOT_HELD.to_owned());
            };
            let done = self.proceed_once(&lease, release, ending).await;
            attempts += 1;
            if attempts == TAKE_OVER_ATTEMPTS || !matches!(done, Err(StepError::Busy(_))) {
                return done;
            }

            let current = self.ledger.lease(&lease.cluster, &lease.service).await?;
            match current.filter(|current| current.fence != lease.fence) {
                Some(current) => lease = current,
                None => return done,
            }
            tracing::info!(execution, ?done, "observing again");
        }
    }

    /// Takes the release one step nearer to its end.
    async fn proceed_once(
        &self,
        lease: &Lease,
        release: &Release,
        ending: Ending,
    ) -> Result<String, StepError> {
        let now = self.sdk.now();
        match next_step(release, ending, lease.grace_left(now)) {
            RollbackStep::Close(conclusion) => self.close(lease, release, &conclusion, now).await,
            RollbackStep::TakeOver => self.take_over(lease, ending, now).await,
            RollbackStep::NoteSuccess => self.note_success(lease, ending, now).await,
            RollbackStep::Observe => self.restore(lease, release, ending).await,
        }
    }

    /// Takes the release away from its steps, and restores at once what they announced.
    async fn take_over(
        &self,
        lease: &Lease,
        ending: Ending,
        now: Timestamp,
    ) -> Result<String, StepError> {
        let noted = self.note_failed(lease, ending, now).await?;
        let taken = apply(&noted, Event::TakenOver, now)?;
        self.ledger.advance(&taken).await?;

        match &taken.release {
            Some(release) if release.has_announced_change() => {
                self.restore(&taken, release, ending).await
            }
            // Only a registration or a proof of roles may still be made.
            _ => Ok(taken.grace_left(now).map_or_else(
                || "took over the release".to_owned(),
                |left| format!("took over the release; {}", waiting_for_grace(left)),
            )),
        }
    }

    /// Notes since when the execution is known to have succeeded, and judges its release at once.
    async fn note_success(
        &self,
        lease: &Lease,
        ending: Ending,
        now: Timestamp,
    ) -> Result<String, StepError> {
        let noted = apply(lease, Event::SuccessNoted, now)?;
        self.ledger.advance(&noted).await?;

        match &noted.release {
            Some(release) => self.restore(&noted, release, ending).await,
            None => Ok(NOT_HELD.to_owned()),
        }
    }

    /// Observes the target and brings it one step nearer to the recorded release.
    async fn restore(
        &self,
        lease: &Lease,
        release: &Release,
        ending: Ending,
    ) -> Result<String, StepError> {
        let now = self.sdk.now();
        let restored = match release.target() {
            Some(Target::Service(service)) => {
                self.restore_service(lease, release, service, ending).await
            }
            Some(Target::Pair(pair)) => self.restore_pair(lease, release, pair, ending).await,
            None => {
                let reason = "no prior release was recorded, so nothing had been changed";
                let conclusion = Conclusion::new(Outcome::Failed, reason);
                self.close(lease, release, &conclusion, now).await
            }
        };

        match restored {
            Err(error) => {
                let conclusion = match lease.grace_left(now) {
                    None => given_up(release, ending, &error, now),
                    Some(_) => None,
                };
                self.not_restored(lease, release, error, conclusion).await
            }
            done => {
                // The cause that keeps the status of the execution from being read has not passed.
                if !matches!(ending, Ending::Unread | Ending::Denied) {
                    self.note(release, None).await;
                }
                done
            }
        }
    }

    /// Gives up a release for an error, with its conclusion if it is time, or notes the error.
    async fn not_restored(
        &self,
        lease: &Lease,
        release: &Release,
        error: StepError,
        conclusion: Option<Conclusion>,
    ) -> Result<String, StepError> {
        // One look proves nothing against a release that was never taken over.
        let is_proven = conclusion.is_some()
            && (release.is_rolling_back() || self.is_noted(&release.execution).await?);
        match conclusion.filter(|_| is_proven) {
            Some(conclusion) => self.give_up(lease, &conclusion).await,
            None => {
                if let Some(cause) = error.lasting_cause() {
                    self.note(release, Some(cause)).await;
                }
                Err(error)
            }
        }
    }

    /// Whether an earlier look at a release that has begun failed for a cause that lasts, and no
    /// later one succeeded.
    async fn is_noted(&self, execution: &str) -> Result<bool, StepError> {
        let record = self.ledger.record(execution).await?;
        Ok(record
            .is_some_and(|record| record.state == RecordState::Begun && record.reason.is_some()))
    }

    /// Whether an earlier look noted that the status of the execution could not be read, and no
    /// later one noted anything else.
    async fn is_unread_noted(&self, execution: &str) -> Result<bool, StepError> {
        let record = self.ledger.record(execution).await?;
        let noted = record.and_then(|record| record.reason);
        Ok(noted.is_some_and(|noted| noted.starts_with(UNREAD)))
    }

    /// Writes into the record why the release is not restored yet, and removes it once it has
    /// passed: an operator can fix what AWS refuses before the deadline.
    async fn note(&self, release: &Release, cause: Option<&str>) {
        let noted = self.ledger.note_reason(&release.execution, cause);
        if let Err(failed) = noted.await {
            tracing::warn!(%failed, "failed to note the cause in the record");
        }
    }
}
