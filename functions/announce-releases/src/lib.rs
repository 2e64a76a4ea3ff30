//! The function that announces releases: it reads what was written to the ledger from its stream,
//! and puts an event on the bus for each beginning, each wait and each outcome.
//!
//! The stream is the outbox: what is not announced yet is delivered again, whatever dies. It never
//! writes the ledger, and it acts for no release.

use serde_json::{Value, json};
use slipway::aws::{EventBus, Ledger, Retry, Sdk};
use slipway::events::{AnnounceTrigger, LedgerChange, StartedApproval};
use slipway::limits::STEP_BUDGET;
use slipway::notices::{of_approval, of_change};

/// The function: a batch of changes, or the start of an approval.
#[derive(Debug)]
pub struct AnnounceReleases {
    sdk: Sdk,
    ledger: Ledger,
    bus: EventBus,
}

impl AnnounceReleases {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            sdk: sdk.clone(),
            ledger: Ledger::new(sdk),
            bus: EventBus::new(sdk),
        }
    }

    /// Announces what an event is about. Of a batch it returns the first change that was not
    /// announced, from which on Lambda delivers the batch again.
    ///
    /// # Errors
    /// When Lambda should deliver the event again: nothing of it was announced, or it is not one.
    pub async fn handle(&self, event: Value) -> Result<Value, Retry> {
        match AnnounceTrigger::parse(event)? {
            AnnounceTrigger::Changes(changes) => self.announce_all(&changes).await,
            AnnounceTrigger::Approval(approval) => self.announce_approval(&approval).await,
            AnnounceTrigger::Irrelevant(reason) => {
                tracing::info!(reason, "ignored");
                Ok(json!({"status": "ignored", "reason": reason}))
            }
        }
    }

    /// Announces changes in their order, one call a notice. None is announced after one that
    /// failed: it would be announced again with the rest of the batch.
    async fn announce_all(&self, changes: &[LedgerChange]) -> Result<Value, Retry> {
        let began = self.sdk.now();
        for (done, change) in changes.iter().enumerate() {
            if done > 0 && self.sdk.now().since(began) >= STEP_BUDGET {
                return Ok(rest_from(change));
            }
            // Boxed: the SDK's futures are deep.
            match Box::pin(self.announce(change)).await {
                Ok(()) => {}
                // An invocation that gets no further fails, so that the alarm on errors sees it.
                Err(error) if done == 0 => return Err(error),
                Err(error) => {
                    let reason = error.to_string();
                    tracing::warn!(sequence = change.sequence, reason, "not announced yet");
                    return Ok(rest_from(change));
                }
            }
        }
        Ok(json!({"batchItemFailures": []}))
    }

    async fn announce(&self, change: &LedgerChange) -> Result<(), Retry> {
        let notice = match of_change(change) {
            Ok(Some(notice)) => notice,
            Ok(None) => return Ok(()),
            // It would never be readable, and hold back all that comes after it.
            Err(reason) => {
                tracing::error!(sequence = change.sequence, reason, "cannot be announced");
                return Ok(());
            }
        };
        self.bus.put(&notice).await?;
        tracing::info!(key = notice.key(), "announced");
        Ok(())
    }

    async fn announce_approval(&self, approval: &StartedApproval) -> Result<Value, Retry> {
        // Boxed: the SDK's futures are deep.
        let record = Box::pin(self.ledger.record(&approval.execution)).await?;
        let Some(notice) = record.and_then(|record| of_approval(&record, approval)) else {
            let reason = "the execution has no release that goes on";
            tracing::info!(execution = approval.execution, reason, "ignored");
            return Ok(json!({"status": "ignored", "reason": reason}));
        };
        Box::pin(self.bus.put(&notice)).await?;
        tracing::info!(key = notice.key(), "announced");
        Ok(json!({"status": "announced", "key": notice.key()}))
    }
}

/// The response by which Lambda delivers this change and those after it again.
fn rest_from(change: &LedgerChange) -> Value {
    json!({"batchItemFailures": [{"itemIdentifier": change.sequence}]})
}
