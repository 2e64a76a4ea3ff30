//! Errors as AWS words them.

use serde_json::Value;
use thiserror::Error;

/// An error response of a service: its code, the HTTP status and the message.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{code}: {message}")]
pub struct ApiError {
    pub status: u16,
    /// The code as the SDKs see it, e.g. `ServiceNotFoundException`.
    pub code: String,
    pub message: String,
    /// Further members of the error, for the protocols that can carry them.
    pub members: Vec<(String, Value)>,
}

impl ApiError {
    /// An error that the caller caused (HTTP 400).
    pub fn client(code: &str, message: impl Into<String>) -> Self {
        Self {
            status: 400,
            code: code.to_owned(),
            message: message.into(),
            members: Vec::new(),
        }
    }

    /// What AWS returns for an operation that the service does not have (or that the sandbox does
    /// not serve).
    pub fn unknown_operation(operation: &str) -> Self {
        Self::client(
            "UnknownOperationException",
            format!("the sandbox does not serve {operation}"),
        )
    }
}
