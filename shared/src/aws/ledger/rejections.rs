//! The claim of a digest that was rolled back: it refuses later pushes, and what an earlier one has
//! started.

use super::Ledger;
use super::write::moved;
use crate::job::StepError;
use crate::release::{Outcome, Push, RecordState, Rejection};

impl Ledger {
    /// Keeps the claim of a digest that was rolled back by an execution, so that it refuses later
    /// pushes. What another push of the digest started meanwhile is closed before its release
    /// begins.
    ///
    /// # Errors
    /// `Busy` when another invocation wrote the claim meanwhile, or may be starting the pipeline;
    /// when a call fails.
    pub async fn keep_push(
        &self,
        pipeline: &str,
        digest: &str,
        execution: &str,
    ) -> Result<(), StepError> {
        let Some(claim) = self.push(pipeline, digest).await? else {
            return Ok(());
        };
        match Rejection::of(&claim, execution, self.sdk.now()) {
            Rejection::Recorded => return Ok(()),
            Rejection::Unknown => return Err(moved()),
            Rejection::Record => {}
            Rejection::RecordInPlaceOf(other) => {
                if !self.close_before_begin(&other, execution).await? {
                    return Ok(());
                }
            }
        }

        let kept = Push {
            execution: Some(execution.to_owned()),
            expires_at: None,
            ..claim.clone()
        };
        if self.put_push(Some(&claim), &kept).await? {
            Ok(())
        } else {
            Err(moved())
        }
    }

    /// Closes the record of an execution, if its release has not begun. `false`: it has, or it has
    /// ended.
    async fn close_before_begin(
        &self,
        execution: &str,
        rejected_by: &str,
    ) -> Result<bool, StepError> {
        let record = self.record(execution).await?;
        let Some(record) = record.filter(|record| record.state == RecordState::Started) else {
            return Ok(false);
        };
        let reason = format!("execution {rejected_by} with the same digest was rolled back");
        let closed = record.closed(Outcome::Failed, &reason, self.sdk.now());
        Ok(self.put_record(&closed).await?)
    }
}
