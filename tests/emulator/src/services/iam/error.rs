//! Denials as AWS words them.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>

use super::Demand;

pub(super) const EXPLICIT_DENY: &str = "with an explicit deny in an identity-based policy";
pub(super) const EXPLICIT_DENY_OF_BOUNDARY: &str =
    "with an explicit deny in a permissions boundary";
pub(super) const EXPLICIT_DENY_OF_SESSION: &str = "with an explicit deny in a session policy";
pub(super) const EXPLICIT_DENY_OF_RESOURCE: &str =
    "with an explicit deny in a resource-based policy";

pub(super) fn not_allowed(action: &str) -> String {
    format!("because no identity-based policy allows the {action} action")
}

pub(super) fn not_allowed_by_boundary(action: &str) -> String {
    format!("because no permissions boundary allows the {action} action")
}

pub(super) fn not_allowed_by_session(action: &str) -> String {
    format!("because no session policy allows the {action} action")
}

pub(super) fn not_allowed_by_resource(action: &str) -> String {
    format!("because no resource-based policy allows the {action} action")
}

/// The message of a denial; `user` is the ARN of the caller, and the reason may be empty.
pub(super) fn message(user: &str, demand: &Demand, reason: &str) -> String {
    let Demand {
        action, resource, ..
    } = demand;
    let service = action.split(':').next().unwrap_or_default();
    let on = match (service, resource.as_str()) {
        // Elastic Load Balancing and CloudWatch name no resource where there is none to name.
        ("elasticloadbalancing" | "cloudwatch", "*") => String::new(),
        ("s3", _) => format!(" on resource: \"{resource}\""),
        _ => format!(" on resource: {resource}"),
    };
    let message = format!("User: {user} is not authorized to perform: {action}{on} {reason}");
    message.trim_end().to_owned()
}
