//! Executions whose release has not begun: one that ended is closed, since events can be lost.
//!
//! It never ends one because STS refused the role once: an execution can wait in front of its stage
//! for weeks, and a role may be refused for some time by mistake.

use slipway::job::StepError;
use slipway::limits::{ACTION_TOTAL, ROLLBACK_DEADLINE};
use slipway::release::Started;
use slipway::strategy::ending::Ending;

use crate::RollBack;

impl RollBack {
    /// An execution can end before its release begins, and before start-pipeline recorded that it
    /// was started.
    pub(crate) async fn sweep_started(&self, started: &Started) -> Result<String, StepError> {
        let (pipeline, execution) = (&started.pipeline, &started.execution);
        let is_manual = started.deploy_role.is_none();
        let status = match self.status(pipeline, execution, is_manual).await {
            // The role is deleted with its pipeline, and without it no release begins.
            Err(error) if error.refuses_role() => {
                tracing::warn!(execution, %error, "not observed");
                return self.sweep_refused(started).await;
            }
            status => status?,
        };

        if started.unread_since.is_some() {
            let read = Started {
                unread_since: None,
                ..started.clone()
            };
            self.ledger.note_started(&read).await?;
        }
        let Some(status) = status else {
            return self.sweep_unknown(started, Ending::Gone).await;
        };
        match Ending::from_status(&status).map_err(StepError::Busy)? {
            Some(ending) => self.ended(execution, ending).await,
            None => Ok(format!("the execution is {status}")),
        }
    }

    /// Notes since when no look could read the status, and counts the execution as ended once that
    /// is as long ago as an open release has for its role to come back.
    async fn sweep_refused(&self, started: &Started) -> Result<String, StepError> {
        let now = self.sdk.now();
        match started.unread_since {
            Some(since) if now.since(since) >= ROLLBACK_DEADLINE => {
                return self.sweep_unknown(started, Ending::Unread).await;
            }
            Some(_) => {}
            None => {
                let noted = Started {
                    unread_since: Some(now),
                    ..started.clone()
                };
                self.ledger.note_started(&noted).await?;
            }
        }
        Ok(not_begun(Ending::Unread))
    }

    /// Whether the execution is a manual release or one of a deleted pipeline is not known before a
    /// release begins, so it is kept for as long as an action can last.
    async fn sweep_unknown(&self, started: &Started, ending: Ending) -> Result<String, StepError> {
        let record = self.ledger.record(&started.execution).await?;
        let now = self.sdk.now();
        let is_old = record.is_some_and(|record| now.since(record.started_at) >= ACTION_TOTAL);

        if is_old {
            return self.ended(&started.execution, ending).await;
        }
        if ending == Ending::Unread {
            return Ok(not_begun(ending));
        }
        Ok(
            "CodePipeline does not know the execution: a manual release, which has not begun"
                .to_owned(),
        )
    }
}

/// The status of an execution that may yet begin its release.
fn not_begun(ending: Ending) -> String {
    format!(
        "the execution {}, and its release has not begun",
        ending.as_predicate()
    )
}
