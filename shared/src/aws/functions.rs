//! The functions of the steps, as `poll-jobs` invokes them.

use std::sync::Arc;

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use serde_json::Value;

use super::clients::Clients;
use super::{AwsError, Sdk};

#[derive(Clone, Debug)]
pub struct Functions {
    clients: Arc<Clients>,
}

impl Functions {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            clients: Arc::clone(&sdk.own),
        }
    }

    /// Invokes a function asynchronously: Lambda queues the event, and repeats it if the function
    /// fails.
    ///
    /// # Errors
    /// When the event is not taken, or the response that it is did not arrive.
    pub async fn invoke(&self, function: &str, event: &Value) -> Result<(), AwsError> {
        let request = self
            .clients
            .lambda()
            .invoke()
            .function_name(function)
            .invocation_type(InvocationType::Event)
            .payload(Blob::new(event.to_string()));
        request
            .send()
            .await
            .map(drop)
            .map_err(AwsError::from_sdk("lambda:InvokeFunction"))
    }
}
