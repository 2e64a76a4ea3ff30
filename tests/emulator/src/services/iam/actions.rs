//! What IAM demands before an operation is served: which actions, on which resources, with which
//! condition keys.
//!
//! A service lists its operations in an `iam.rs` of its own. An operation that it does not list is
//! unknown: it is refused for all but an administrator, so that a new one cannot be forgotten.
//! Source: the service authorization reference,
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/>

use serde_json::Value;

use super::policy::Demand;
use crate::Aws;
use crate::service;

/// One operation of a request.
#[derive(Clone, Debug)]
pub(crate) struct IamRequest {
    /// As the signature names it.
    pub(crate) service: String,
    pub(crate) operation: String,
    /// The members of the input. Those of S3 are named as in its API.
    pub(crate) input: Value,
}

impl IamRequest {
    pub(crate) fn text(&self, member: &str) -> &str {
        self.input[member].as_str().unwrap_or_default()
    }

    /// The demand for the action of the operation's own name.
    pub(crate) fn on(&self, resource: String) -> Demand {
        Demand::new(self.action(), resource)
    }

    pub(crate) fn action(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }
}

/// What must be allowed before the operation is served, or nothing when its service does not list
/// it.
pub(crate) fn demands(aws: &mut Aws, request: &IamRequest) -> Option<Vec<Demand>> {
    let service = service::find(&request.service)?;
    (service.demands)(aws, request)
}

/// The demands of a service none of whose operations a function may call.
pub(crate) fn unlisted(_: &mut Aws, _: &IamRequest) -> Option<Vec<Demand>> {
    None
}

/// Passing a role to a service, which may then assume it.
pub(crate) fn pass_role(aws: &Aws, role: &str, service: &str) -> Demand {
    let arn = if role.starts_with("arn:") {
        role.to_owned()
    } else {
        aws.global_arn("iam", &format!("role/{role}"))
    };
    Demand::new("iam:PassRole", arn).with("iam:PassedToService", service)
}
