//! Denials as AWS words them.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>

use super::{Demand, Session};

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
