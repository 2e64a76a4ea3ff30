//! Denials as AWS words them.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>

use super::{Demand, Denial, Session};
use crate::ApiError;

pub(super) const EXPLICIT_DENY: &str = "with an explicit deny in an identity-based policy";

pub(super) fn not_allowed(action: &str) -> String {
    format!("because no identity-based policy allows the {action} action")
}

pub(super) fn message(account: &str, session: &Session, demand: &Demand, reason: &str) -> String {
    let Demand {
        action, resource, ..
    } = demand;
    let user = format!(
        "arn:aws:sts::{account}:assumed-role/{}/{}",
        session.role_name(),
        session.name
    );
    let service = action.split(':').next().unwrap_or_default();
    let on = match (service, resource.as_str()) {
        // Elastic Load Balancing and CloudWatch name no resource where there is none to name.
        ("elasticloadbalancing" | "cloudwatch", "*") => String::new(),
        ("s3", _) => format!(" on resource: \"{resource}\""),
        _ => format!(" on resource: {resource}"),
    };
    format!("User: {user} is not authorized to perform: {action}{on} {reason}")
}

/// The error of the service that was called. Services with a JSON protocol answer a 400, those with XML a 403.
pub(super) fn denied(service: &str, denial: Denial) -> ApiError {
    match service {
        "s3" | "elasticloadbalancing" | "monitoring" => ApiError {
            status: 403,
            ..ApiError::client("AccessDenied", denial.message)
        },
        _ => ApiError::client("AccessDeniedException", denial.message),
    }
}

/// Credentials that nobody in the account has.
pub(super) fn invalid_token(service: &str) -> ApiError {
    let (status, code, message) = match service {
        "s3" => (
            403,
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.",
        ),
        "elasticloadbalancing" | "monitoring" => (
            403,
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
        ),
        _ => (
            400,
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
    };
    ApiError {
        status,
        ..ApiError::client(code, message)
    }
}
