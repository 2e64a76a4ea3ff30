//! The last update of a service by its own stack, beside the claims of its pipeline.

use super::Ledger;
use super::item::{STACK_UPDATE, push_key, text};
use super::write::put_if;
use crate::aws::AwsError;
use crate::release::StackUpdate;

impl Ledger {
    /// The last update of the service of a pipeline by its own stack.
    ///
    /// # Errors
    /// When the call fails or the item is of another version.
    pub async fn stack_update(&self, pipeline: &str) -> Result<Option<StackUpdate>, AwsError> {
        self.get(&push_key(pipeline), STACK_UPDATE).await
    }

    /// Writes an update, if the one that is recorded still is `before`. `false`: another invocation
    /// was faster.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn put_stack_update(
        &self,
        before: Option<&StackUpdate>,
        update: &StackUpdate,
    ) -> Result<bool, AwsError> {
        let request = self.put(&push_key(&update.pipeline), STACK_UPDATE, update)?;

        let request = match before {
            None => request.condition_expression("attribute_not_exists(pk)"),
            Some(before) => request
                .condition_expression("event = :event")
                .expression_attribute_values(":event", text(&before.event)),
        };
        put_if(request).await
    }
}
