//! The sweep: every open release and every one that has not begun is checked, since events can be
//! lost.
//!
//! What is wrong with one never stops the others.

use serde_json::{Value, json};
use slipway::aws::Retry;
use slipway::job::{Origin, StepError};
use slipway::limits::ACTION_TOTAL;
use slipway::release::{Lease, Phase, Release, Started};
use slipway::strategy::rollback::Ending;

use crate::RollBack;

impl RollBack {
    /// Checks every open release and every one that has not begun, since events can be lost. One
    /// that cannot be checked does not stop the others, but the invocation fails, so that the error
    /// alarm fires.
    pub(crate) async fn sweep(&self) -> Result<Value, Retry> {
        let mut swept = serde_json::Map::new();
        let mut failed = Vec::new();
        let listing = self.ledger.leases().await?;
        failed.extend(listing.unreadable.iter().map(ToString::to_string));

        for lease in listing.leases {
            let Some(release) = lease.release.clone() else {
                continue;
            };

            match self.sweep_lease(lease, &release).await {
                Ok(status) => drop(swept.insert(release.execution, Value::String(status))),
                Err(error) => failed.push(format!("{}: {error}", release.execution)),
            }
        }

        for started in listing.started {
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
            return self.sweep_unknown(started).await;
        };

        match Ending::from_status(&status).map_err(StepError::Busy)? {
            Some(ending) => self.ended(&started.execution, ending).await,
            None => Ok(format!("the execution is {status}")),
        }
    }

    /// Whether the execution is a manual release or one of a deleted pipeline is not known before a
    /// release begins, so it is kept for as long as an action can last.
    async fn sweep_unknown(&self, started: &Started) -> Result<String, StepError> {
        let record = self.ledger.record(&started.execution).await?;
        let now = self.sdk.now();
        let is_old = record.is_some_and(|record| now.since(record.started_at) >= ACTION_TOTAL);

        if is_old {
            return self.ended(&started.execution, Ending::Gone).await;
        }
        Ok(
            "CodePipeline does not know the execution: a manual release, which has not begun"
                .to_owned(),
        )
    }

    async fn sweep_lease(&self, lease: Lease, release: &Release) -> Result<String, StepError> {
        let execution = &release.execution;
        let status = self.executions.status(&release.pipeline, execution).await?;
        let ending = match &status {
            Some(status) => Ending::from_status(status).map_err(StepError::Busy)?,
            // CodePipeline knew the execution when it sent the job, so its pipeline was deleted.
            None => (release.origin == Some(Origin::Job)).then_some(Ending::Gone),
        };

        match (ending, &release.phase, status) {
            (Some(ending), ..) => self.proceed(execution, lease, ending).await,
            (None, Phase::RollingBack { .. }, _) => {
                self.proceed(execution, lease, Ending::Stopped).await
            }
            (None, _, Some(status)) => Ok(format!("the execution is {status}")),
            (None, _, None) => Ok(
                "CodePipeline does not know the execution: a manual release, left open".to_owned(),
            ),
        }
    }
}
