//! Classifies AWS errors: configuration, permission, or transient (retry).
//!
//! Control flow matches [`ErrorKind`]. Where AWS has one code for several refusals, this module
//! alone reads the message.

mod step_error;

use aws_runtime::retries::classifiers::{THROTTLING_ERRORS, TRANSIENT_ERRORS};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{SdkError, ServiceError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use thiserror::Error;

use crate::redaction::without_signatures;

/// A failed call.
#[derive(Clone, Debug, Error)]
#[error("{operation} failed: {code}: {message}")]
pub struct AwsError {
    /// In IAM's notation, e.g. `ecs:UpdateService`.
    pub operation: &'static str,
    pub kind: ErrorKind,
    pub code: String,
    pub message: String,
}

/// The class of an error, which decides what the step reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Throttled, timed out or unavailable, after the SDK's own retries: a later call may succeed.
    Busy,
    /// The role lacks a permission.
    Permission,
    /// AWS did not accept the credentials or the time of the call. It may accept the same ones
    /// later, or new ones, or never.
    Credentials,
    /// AWS understood the request and refused it.
    Rejected,
    /// A response that this version does not understand.
    Unexpected,
}

/// The call whose denial is a matter of the deploy role that the pipeline names.
pub(super) const ASSUME_ROLE: &str = "sts:AssumeRole";

/// The code of a response that this version does not understand; AWS has no such code.
const UNEXPECTED: &str = "UnexpectedResponse";

/// Refusals that pass although the SDK does not count them as throttling: operation, code, and the
/// beginning of the message, empty where the code alone states it.
const PASSING: [(&str, &str, &str); 10] = [
    // An update of the target is pending (Application Auto Scaling API: RegisterScalableTarget,
    // DescribeScalableTargets).
    (
        "application-autoscaling:DescribeScalableTargets",
        "ConcurrentUpdateException",
        "",
    ),
    (
        "application-autoscaling:RegisterScalableTarget",
        "ConcurrentUpdateException",
        "",
    ),
    // "The pipeline is busy handling ongoing activities. Try again later" (CodePipeline API).
    (
        "codepipeline:StartPipelineExecution",
        "ConflictException",
        "",
    ),
    // Executions queue up behind one that waits (CodePipeline API: StartPipelineExecution).
    (
        "codepipeline:StartPipelineExecution",
        "ConcurrentPipelineExecutionsLimitExceededException",
        "",
    ),
    // Another transaction works on the item (DynamoDB API: PutItem, TransactWriteItems).
    ("dynamodb:GetItem", "TransactionConflictException", ""),
    ("dynamodb:PutItem", "TransactionConflictException", ""),
    // Two registrations of one family at a time (hashicorp/terraform-provider-aws#9777).
    (
        "ecs:RegisterTaskDefinition",
        "ClientException",
        "Too many concurrent attempts to create a new revision",
    ),
    // It was deleted after it was listed: the next look does not list it (Elastic Load Balancing
    // API: DescribeTags).
    ("elasticloadbalancing:DescribeTags", "ListenerNotFound", ""),
    ("elasticloadbalancing:DescribeTags", "RuleNotFound", ""),
    // The credentials came with the job; the next job brings new ones (S3 API: error responses).
    ("s3:GetObject", "ExpiredToken", ""),
];

/// A code that the SDK counts as throttling, and that the operations in use return when a quota of
/// resources is exhausted (Application Auto Scaling API: RegisterScalableTarget).
const EXHAUSTED: &str = "LimitExceededException";

const DENIED: [&str; 5] = [
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "UnauthorizedOperation",
    "OptInRequired",
];

/// Codes of credentials that a service does not accept. It may not know them yet right after they
/// were issued, or for a role that was just made, and accepts them some seconds later (Amazon
/// DynamoDB Developer Guide: error handling; boto/boto3#509;
/// aws-actions/configure-aws-credentials#1681). Those that have expired are replaced by new ones.
const NOT_TAKEN: [&str; 6] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidToken",
    "UnrecognizedClientException",
];

/// Codes of a signature that a service does not accept, as while the clocks differ
/// (aws/aws-sdk-js#254; Amazon S3 API: error responses).
const OUT_OF_TIME: [&str; 4] = [
    "InvalidSignatureException",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
];

/// How Application Auto Scaling denies a change of a target whose caller may not do what scaling
/// does for it, before the actions that are missing; the code is that of any invalid request
/// (aws/aws-auto-scaling-custom-resource#25).
const MISSING: &str = "User is missing the following permissions: ";

/// How Elastic Load Balancing denies actions that authenticate with Amazon Cognito to a caller that
/// may not read the client of the user pool; the code is that of any invalid action
/// (awslabs/kubeflow-manifests#18).
const USER_POOL: &str = "User is not authorized to perform 'describeUserPoolClient'";

const UNAVAILABLE: [&str; 6] = [
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "ServerException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
];

impl AwsError {
    /// Classifies an error that the SDK returned for `operation`.
    pub fn from_sdk<E>(operation: &'static str) -> impl Fn(SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        move |error| {
            if let Some(refused) = without_credentials(&error) {
                return refused;
            }
            let (kind, code, message) = classify(operation, &error);
            Self {
                operation,
                kind,
                code,
                message,
            }
        }
    }

    /// The error of one entry of a request that succeeded as a whole.
    pub(super) fn of_entry(operation: &'static str, code: &str, message: &str) -> Self {
        Self {
            operation,
            kind: service_kind(code, 200),
            code: code.to_owned(),
            message: without_signatures(message),
        }
    }

    /// A response without a member that the operation always returns. The message can quote what
    /// the response has instead.
    pub(super) fn unexpected(operation: &'static str, message: impl Into<String>) -> Self {
        let message: String = message.into();
        Self {
            operation,
            kind: ErrorKind::Unexpected,
            code: UNEXPECTED.to_owned(),
            message: without_signatures(&message),
        }
    }

    /// Whether a task definition does not exist, for which ECS has no exception of its own.
    pub(super) fn task_definition_is_missing(&self) -> bool {
        self.code == "ClientException"
            && self.message.contains("Unable to describe task definition")
    }

    /// Whether ECS does not find the task definition that is to be deployed or run.
    #[must_use]
    pub fn misses_task_definition(&self) -> bool {
        self.code == "ClientException" && self.message.contains("TaskDefinition not found")
    }

    /// Whether STS refused the deploy role under which the call was to be made: it may be gone.
    #[must_use]
    pub fn refuses_role(&self) -> bool {
        self.operation == ASSUME_ROLE && self.kind == ErrorKind::Permission
    }

    /// Whether the role of the call lacks the permission. A deploy role of a pipeline stack that is
    /// older than the functions lacks what they call since.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        self.kind == ErrorKind::Permission && !self.refuses_role()
    }

    /// Whether ECS refused a call because of its task definition, which the error does not name.
    #[must_use]
    pub fn refuses_task_definition(&self) -> bool {
        self.kind == ErrorKind::Rejected && self.message.contains("TaskDefinition")
    }
}

/// Why a call had no credentials and was not made: the error of the call that requests them.
fn without_credentials(error: &(dyn std::error::Error + 'static)) -> Option<AwsError> {
    std::iter::successors(Some(error), |&error| error.source())
        .find_map(|cause| cause.downcast_ref::<AwsError>())
        .cloned()
}

/// Kind, code and message of an error that the SDK returned.
fn classify<E>(operation: &str, error: &SdkError<E, HttpResponse>) -> (ErrorKind, String, String)
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match error {
        SdkError::TimeoutError(_) => (
            ErrorKind::Busy,
            "TimeoutError".to_owned(),
            "no response in time".to_owned(),
        ),
        SdkError::DispatchFailure(failure) => (
            ErrorKind::Busy,
            "DispatchFailure".to_owned(),
            connector_cause(failure),
        ),
        // Some of the SDK's crates return a response that they cannot read as a service's error.
        SdkError::ServiceError(service) if is_unreadable(service) => unreadable(),
        SdkError::ServiceError(service) => {
            let code = service.err().code().unwrap_or("Unknown").to_owned();
            let message = without_signatures(service.err().message().unwrap_or("no message"));
            let kind = if passes(operation, &code, &message) {
                ErrorKind::Busy
            } else if message.starts_with(MISSING) || message.starts_with(USER_POOL) {
                ErrorKind::Permission
            } else {
                service_kind(&code, service.raw().status().as_u16())
            };
            (kind, code, message)
        }
        // A gateway's error page, or a body that broke off: the status alone is meaningful.
        SdkError::ResponseError(response) if response.raw().status().is_server_error() => (
            ErrorKind::Busy,
            response.raw().status().as_u16().to_string(),
            "the service is unavailable".to_owned(),
        ),
        // As after a connection that was reset, the call may have had its effect.
        SdkError::ResponseError(_) if broke_off(error) => (
            ErrorKind::Busy,
            "ResponseError".to_owned(),
            "the response broke off".to_owned(),
        ),
        _ => unreadable(),
    }
}

/// Whether the call succeeded, and only its response is at fault.
fn is_unreadable<E: ProvideErrorMetadata>(error: &ServiceError<E, HttpResponse>) -> bool {
    error.raw().status().is_success() && error.err().code().is_none()
}

/// Whether the connection ended before the body of a response did.
fn broke_off(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |&error| error.source())
        .any(|cause| cause.is::<std::io::Error>())
}

fn unreadable() -> (ErrorKind, String, String) {
    (
        ErrorKind::Unexpected,
        UNEXPECTED.to_owned(),
        "the response could not be read".to_owned(),
    )
}

fn passes(operation: &str, code: &str, message: &str) -> bool {
    PASSING
        .iter()
        .any(|known| known.0 == operation && known.1 == code && message.starts_with(known.2))
}

/// The SDK's own classes, without the operation.
fn service_kind(code: &str, status: u16) -> ErrorKind {
    let throttles = THROTTLING_ERRORS.contains(&code) && code != EXHAUSTED;

    if throttles || TRANSIENT_ERRORS.contains(&code) || status == 429 {
        ErrorKind::Busy
    } else if DENIED.contains(&code) {
        ErrorKind::Permission
    } else if NOT_TAKEN.contains(&code) || OUT_OF_TIME.contains(&code) {
        ErrorKind::Credentials
    } else if UNAVAILABLE.contains(&code) || status >= 500 {
        ErrorKind::Busy
    } else {
        ErrorKind::Rejected
    }
}

/// Whether the text of an error has a code of credentials or a time that AWS does not accept.
pub(super) fn is_about_credentials(text: &str) -> bool {
    let mut codes = NOT_TAKEN.iter().chain(&OUT_OF_TIME);
    codes.any(|code| text.contains(code))
}

fn connector_cause(failure: &aws_smithy_runtime_api::client::result::DispatchFailure) -> String {
    let source = failure
        .as_connector_error()
        .and_then(std::error::Error::source);
    source.map_or_else(
        || "the service could not be reached".to_owned(),
        |cause| without_signatures(&cause.to_string()),
    )
}

#[cfg(test)]
mod tests;
