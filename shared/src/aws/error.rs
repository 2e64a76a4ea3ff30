//! What an AWS error means for a job: whose fault it is and whether time heals it.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use thiserror::Error;

use crate::job::{Failure, FailureType, StepError};
use crate::limits::SECRET_CHARS;

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

const THROTTLED: [&str; 9] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "ProvisionedThroughputExceededException",
    "TransactionConflictException",
    "TransactionInProgressException",
    "SlowDown",
];

const DENIED: [&str; 5] = [
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "UnauthorizedOperation",
    "OptInRequired",
];

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
    pub(super) fn from_sdk<E>(operation: &'static str) -> impl Fn(SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        move |error| {
            let (kind, code, message) = match &error {
                SdkError::TimeoutError(_) => (
                    ErrorKind::Busy,
                    "TimeoutError".to_owned(),
                    "no answer in time".to_owned(),
                ),
                SdkError::DispatchFailure(failure) => (
                    ErrorKind::Busy,
                    "DispatchFailure".to_owned(),
                    connector_cause(failure),
                ),
                SdkError::ServiceError(service) => {
                    let code = service.err().code().unwrap_or("Unknown").to_owned();
                    let message = service.err().message().unwrap_or("no message").to_owned();
                    (
                        service_kind(&code, service.raw().status().as_u16()),
                        code,
                        message,
                    )
                }
                SdkError::ResponseError(response) if response.raw().status().is_server_error() => (
                    ErrorKind::Busy,
                    response.raw().status().as_u16().to_string(),
                    "the service is unavailable".to_owned(),
                ),
                _ => (
                    ErrorKind::Unexpected,
                    "UnexpectedAnswer".to_owned(),
                    "the answer could not be read".to_owned(),
                ),
            };
            Self {
                operation,
                kind,
                code,
                message,
            }
        }
    }

    /// An answer that lacks what the operation always answers.
    pub(super) fn unexpected(operation: &'static str, message: impl Into<String>) -> Self {
        Self {
            operation,
            kind: ErrorKind::Unexpected,
            code: "UnexpectedAnswer".to_owned(),
            message: message.into(),
        }
    }

    /// The same error with `secrets` blotted out of the message, which AWS may quote from the request. Values too short to be
    /// secrets are left, or they would blot out half of the message.
    #[must_use]
    pub fn redacted<'a>(mut self, secrets: impl Iterator<Item = &'a str>) -> Self {
        for secret in secrets.filter(|secret| secret.len() >= SECRET_CHARS) {
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

/// What to allow, and to whom. AWS's message tells it better than the operation does: an operation can need several actions,
/// and artifacts are read under the pipeline's role.
fn missing_permission(error: &AwsError) -> String {
    let after = |mark: &str| error.message.split_once(mark).map(|(_, rest)| rest);
    let action =
        after("not authorized to perform: ").and_then(|rest| rest.split_whitespace().next());
    let role = after(":assumed-role/").and_then(|rest| rest.split('/').next());
    // A service that tells the action but no resource has none to tell.
    let on = if action.is_some() && !error.message.contains("on resource") {
        " on resource *"
    } else {
        ""
    };
    let role = role.map_or_else(
        || "the function's role".to_owned(),
        |role| format!("role {role}"),
    );
    // The shipped policies pass on the roles of one path only, so it is mostly the role that is in the wrong place.
    let path = if action == Some("iam:PassRole") {
        ", or use roles under the IAM path /slipway/"
    } else {
        ""
    };
    format!("{}{on} in {role}{path}", action.unwrap_or(error.operation))
}

fn connector_cause(failure: &aws_smithy_runtime_api::client::result::DispatchFailure) -> String {
    let source = failure
        .as_connector_error()
        .and_then(std::error::Error::source);
    source.map_or_else(
        || "the service could not be reached".to_owned(),
        ToString::to_string,
    )
}

impl From<AwsError> for StepError {
    fn from(error: AwsError) -> Self {
        match error.kind {
            ErrorKind::Busy => Self::Busy(format!("{error}; trying again")),
            ErrorKind::Permission => Self::Failed(Failure {
                kind: FailureType::PermissionError,
                message: format!(
                    "{error}; allow {}, then release again",
                    missing_permission(&error)
                ),
            }),
            ErrorKind::Rejected => Self::Failed(Failure::configuration(error.to_string())),
            ErrorKind::Unexpected => Self::Failed(Failure::job(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(operation: &'static str, message: &str) -> String {
        let error = AwsError {
            operation,
            kind: ErrorKind::Permission,
            code: "AccessDenied".to_owned(),
            message: message.to_owned(),
        };
        match StepError::from(error) {
            StepError::Failed(Failure {
                kind: FailureType::PermissionError,
                message,
            }) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn secrets_are_blotted_out_and_short_values_left() {
        let error = AwsError::unexpected(
            "ecs:RegisterTaskDefinition",
            "value hunter22 of web5 is wrong",
        );
        assert_eq!(
            error.redacted(["hunter22", "5", ""].into_iter()).message,
            "value *** of web5 is wrong"
        );
    }

    #[test]
    fn a_value_of_6_characters_is_blotted_out_wherever_it_stands_and_one_of_5_is_left() {
        let error = AwsError::unexpected("ecs:RegisterTaskDefinition", "abcdef, vwxyz and abcdef");
        assert_eq!(
            error.redacted(["vwxyz", "abcdef"].into_iter()).message,
            "***, vwxyz and ***"
        );
    }

    #[test]
    fn a_denial_says_what_to_allow_to_whom() {
        let message = "User: arn:aws:sts::111122223333:assumed-role/register/f is not authorized to perform: iam:PassRole on resource: arn:aws:iam::111122223333:role/a because no identity-based policy allows the iam:PassRole action";
        assert_eq!(
            told("ecs:RegisterTaskDefinition", message),
            format!(
                "ecs:RegisterTaskDefinition failed: AccessDenied: {message}; allow iam:PassRole in role register, or use roles under the IAM path /slipway/, then release again"
            )
        );
    }

    #[test]
    fn a_denial_without_a_resource_is_about_all() {
        let message = "User: arn:aws:sts::111122223333:assumed-role/update/f is not authorized to perform: elasticloadbalancing:DescribeTargetHealth because no identity-based policy allows the elasticloadbalancing:DescribeTargetHealth action";
        let told = told("elasticloadbalancing:DescribeTargetHealth", message);
        assert!(
            told.ends_with(
                "; allow elasticloadbalancing:DescribeTargetHealth on resource * in role update, then release again"
            ),
            "{told}"
        );
    }

    #[test]
    fn a_denial_in_other_words_names_the_operation() {
        let told = told("s3:GetObject", "Access Denied");
        assert!(
            told.ends_with("; allow s3:GetObject in the function's role, then release again"),
            "{told}"
        );
    }
}
