//! The functions of the steps, as `poll-jobs` and operators invoke them.

use std::sync::Arc;

use aws_sdk_lambda::config::Builder;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use aws_smithy_types::timeout::TimeoutConfig;
use serde_json::Value;

use super::clients::Clients;
use super::{AwsError, Sdk};
use crate::limits::{CALL_TOTAL, FUNCTION_TIMEOUT};
use crate::redaction::without_signatures;

const OPERATION: &str = "lambda:InvokeFunction";

/// What a function returned.
#[derive(Clone, Debug, PartialEq)]
pub enum Returned {
    Response(Value),
    /// It ended with an error, and the text of it.
    Error(String),
}

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
            .map_err(AwsError::from_sdk(OPERATION))
    }

    /// Invokes a function and waits for its response, as long as a function may take.
    ///
    /// # Errors
    /// When the call fails, or the response is not JSON.
    pub async fn call(&self, function: &str, event: &Value) -> Result<Returned, AwsError> {
        let longest = FUNCTION_TIMEOUT + CALL_TOTAL;
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(longest)
            .operation_timeout(longest * 2)
            .build();
        let request = self
            .clients
            .lambda()
            .invoke()
            .function_name(function)
            .invocation_type(InvocationType::RequestResponse)
            .payload(Blob::new(event.to_string()));
        let answer = request
            .customize()
            .config_override(Builder::new().timeout_config(timeouts))
            .send()
            .await
            .map_err(AwsError::from_sdk(OPERATION))?;

        let payload = answer.payload().map(Blob::as_ref).unwrap_or_default();
        if answer.function_error().is_some() {
            let text = String::from_utf8_lossy(payload);
            return Ok(Returned::Error(without_signatures(&text)));
        }
        serde_json::from_slice(payload)
            .map(Returned::Response)
            .map_err(|error| AwsError::unexpected(OPERATION, error.to_string()))
    }
}
