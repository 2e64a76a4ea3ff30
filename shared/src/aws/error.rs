//! What an AWS error means for a job: whose fault it is and whether time heals it.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use thiserror::Error;

use crate::job::{Failure, FailureType, StepError};

/// A call that did not work.
#[derive(Clone, Debug, Error)]
#[error("{operation} failed: {code}: {message}")]
pub struct AwsError {
    /// As IAM writes it, e.g. `ecs:UpdateService`.
    pub operation: &'static str,
    pub kind: ErrorKind,
    pub code: String,
    pub message: String,
}

/// What to make of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Throttled, timed out or unavailable, after the SDK's own retries: later it may work.
    Busy,
    /// The role may not.
    Permission,
    /// AWS understood and refuses.
    Rejected,
    /// An answer that this version does not understand.
    Unexpected,
}

const THROTTLED: [&str; 8] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "ProvisionedThroughputExceededException",
    "TransactionInProgressException",
    "SlowDown",
];

const DENIED: [&str; 5] =
    ["AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation", "OptInRequired"];

const UNAVAILABLE: [&str; 6] = [
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "ServerException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
];

impl AwsError {
    /// Classifies the SDK's error of an operation.
    pub(super) fn of<E>(operation: &'static str) -> impl Fn(SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        move |error| {
            let (kind, code, message) = match &error {
                SdkError::TimeoutError(_) => {
                    (ErrorKind::Busy, "TimeoutError".to_owned(), "no answer in time".to_owned())
                }
                SdkError::DispatchFailure(failure) => {
                    (ErrorKind::Busy, "DispatchFailure".to_owned(), connector_cause(failure))
                }
                SdkError::ServiceError(service) => {
                    let code = service.err().code().unwrap_or("Unknown").to_owned();
                    let message = service.err().message().unwrap_or("no message").to_owned();
                    (service_kind(&code, service.raw().status().as_u16()), code, message)
                }
                SdkError::ResponseError(response) if response.raw().status().is_server_error() => (
                    ErrorKind::Busy,
                    response.raw().status().as_u16().to_string(),
                    "the service is unavailable".to_owned(),
                ),
                _ => (ErrorKind::Unexpected, "UnexpectedAnswer".to_owned(), "the answer could not be read".to_owned()),
            };
            Self { operation, kind, code, message }
        }
    }

    /// An answer that lacks what the operation always answers.
    pub(super) fn unexpected(operation: &'static str, message: impl Into<String>) -> Self {
        Self { operation, kind: ErrorKind::Unexpected, code: "UnexpectedAnswer".to_owned(), message: message.into() }
    }

    /// The same error with `secrets` blotted out of the message, which AWS may quote from the request.
    #[must_use]
    pub fn without<'a>(mut self, secrets: impl Iterator<Item = &'a str>) -> Self {
        for secret in secrets.filter(|secret| !secret.is_empty()) {
            self.message = self.message.replace(secret, "***");
        }
        self
    }
}

fn service_kind(code: &str, status: u16) -> ErrorKind {
    if THROTTLED.contains(&code) || status == 429 {
        ErrorKind::Busy
    } else if DENIED.contains(&code) {
        ErrorKind::Permission
    } else if UNAVAILABLE.contains(&code) || status >= 500 {
        ErrorKind::Busy
    } else {
        ErrorKind::Rejected
    }
}

fn connector_cause(failure: &aws_smithy_runtime_api::client::result::DispatchFailure) -> String {
    let source = failure.as_connector_error().and_then(std::error::Error::source);
    source.map_or_else(|| "the service could not be reached".to_owned(), ToString::to_string)
}

/// What a person can do about a denied call. AWS names the action that was missing, which is not always the operation's own.
fn remedy(error: &AwsError) -> String {
    if error.message.contains("iam:PassRole") {
        return "give the task definition roles under the IAM path /slipway/, the only ones that may be passed on"
            .to_owned();
    }
    format!("allow {} in the function's role", error.operation)
}

impl From<AwsError> for StepError {
    fn from(error: AwsError) -> Self {
        match error.kind {
            ErrorKind::Busy => Self::Busy(format!("{error}; trying again")),
            ErrorKind::Permission => Self::Failed(Failure {
                kind: FailureType::PermissionError,
                message: format!("{error}; {}, then release again", remedy(&error)),
            }),
            ErrorKind::Rejected => Self::Failed(Failure::configuration(error.to_string())),
            ErrorKind::Unexpected => Self::Failed(Failure::job(error.to_string())),
        }
    }
}
