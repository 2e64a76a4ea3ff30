//! The account's event bus, which gets the notices.

use std::sync::Arc;

use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;

use super::clients::Clients;
use super::{AwsError, Sdk};
use crate::notices::{Notice, SOURCE};

const OPERATION: &str = "events:PutEvents";

#[derive(Clone, Debug)]
pub struct EventBus {
    clients: Arc<Clients>,
}

impl EventBus {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            clients: Arc::clone(&sdk.own),
        }
    }

    /// Puts a notice on the default bus.
    ///
    /// # Errors
    /// When the call fails, or the entry in a call that succeeds.
    pub async fn put(&self, notice: &Notice) -> Result<(), AwsError> {
        let entry = PutEventsRequestEntry::builder()
            .source(SOURCE)
            .detail_type(notice.detail_type())
            .detail(notice.content().to_string())
            .time(DateTime::from_secs(notice.at.secs()))
            .build();
        let request = self.clients.eventbridge().put_events().entries(entry);
        let answer = request
            .send()
            .await
            .map_err(AwsError::from_sdk(OPERATION))?;

        let [result] = answer.entries() else {
            let found = answer.entries().len();
            let message = format!("{found} results of one entry");
            return Err(AwsError::unexpected(OPERATION, message));
        };
        if result.event_id().is_some() {
            return Ok(());
        }
        let code = result.error_code().unwrap_or("Unknown");
        let message = result.error_message().unwrap_or("no message");
        Err(AwsError::of_entry(OPERATION, code, message))
    }
}
