//! The newest push of a pipeline, beside the claims of its pushes.

use super::Ledger;
use super::item::{NEWEST_PUSH, push_key, text};
use super::write::put_if;
use crate::aws::AwsError;
use crate::release::NewestPush;
use crate::timestamp::Timestamp;

impl Ledger {
    /// The newest push that a pipeline was started for.
    ///
    /// # Errors
    /// When the call fails or the item is of another version.
    pub async fn newest_push(&self, pipeline: &str) -> Result<Option<NewestPush>, AwsError> {
        self.get(&push_key(pipeline), NEWEST_PUSH).await
    }

    /// Writes the newest push, if the one that is recorded still is `before`. `false`: another
    /// invocation was faster.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn put_newest_push(
        &self,
        before: Option<&NewestPush>,
        newest: &NewestPush,
    ) -> Result<bool, AwsError> {
        let request = self.put(&push_key(&newest.pipeline), NEWEST_PUSH, newest)?;

        // A later delivery of the same event claims it anew, which `event` alone would not show.
        let request = match before {
            None => request.condition_expression("attribute_not_exists(pk)"),
            Some(before) => request
                .condition_expression("event = :event AND claimed_at = :claimed")
                .expression_attribute_values(":event", text(&before.event))
                .expression_attribute_values(":claimed", text(&before.claimed_at.to_string())),
        };
        put_if(request).await
    }

    /// Starts a pipeline once more with a digest, and lets pushes wait meanwhile. `None`: another
    /// invocation took the newest push that was read, and nothing is started. A pipeline of which
    /// no push was recorded has no order to keep.
    ///
    /// # Errors
    /// When the push cannot be taken.
    pub async fn while_newest_is_taken<T>(
        &self,
        newest: Option<NewestPush>,
        digest: &str,
        now: Timestamp,
        start: impl Future<Output = T>,
    ) -> Result<Option<T>, AwsError> {
        let Some(newest) = newest else {
            return Ok(Some(start.await));
        };
        let taken = newest.taken_for(digest, now);
        if !self.put_newest_push(Some(&newest), &taken).await? {
            return Ok(None);
        }

        let started = start.await;
        self.give_newest_back(&taken).await;
        Ok(Some(started))
    }

    /// Lets pushes go on. Where this fails they go on after a time-out.
    async fn give_newest_back(&self, taken: &NewestPush) {
        let given_back = taken.given_back();
        if let Err(error) = self.put_newest_push(Some(taken), &given_back).await {
            tracing::warn!(%error, "pushes of {} wait for a time-out", taken.pipeline);
        }
    }
}
