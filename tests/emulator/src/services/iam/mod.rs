//! IAM: every call of a function runs under the function's role, as its template made it, or under
//! a role that it assumed, and CodePipeline works under the role of the pipeline. What no statement
//! allows is denied, in the words of the service that was called.
//!
//! An operator is an administrator. Roles belong to CloudFormation, which creates them.

pub(crate) mod actions;
mod artifact_credentials;
mod condition;
mod error;
mod pattern;
mod permissions;
mod policy;
mod principal;
mod resource_policy;
mod roles;
mod temporary;
mod trust;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::service::{self, Errors};
use crate::{ApiError, Aws, Millis, Request, cloudformation};
pub(crate) use actions::{IamRequest, pass_role};
pub(crate) use permissions::managed;
use permissions::{Permissions, in_session};
pub use policy::{Access, Context, Demand, Unsupported, check as check_statement, evaluate};
pub(crate) use principal::{Principal, Session};
pub(crate) use resource_policy::{is_open_within, is_shared_with, require_of_resource};
pub(crate) use roles::SERVICE;
pub(crate) use temporary::{Temporary, issue, other_account};
pub(crate) use trust::assume;

/// The caller that may do everything.
const ADMINISTRATOR: &str = "operator";

/// What was demanded of which role, for tests that compare policies with their use.
#[derive(Clone, Debug, Default)]
pub struct Iam {
    /// All that was ever demanded of a role, allowed or not, by the role's name: with the condition
    /// keys that its policies see.
    pub demanded: BTreeMap<String, BTreeSet<Arc<Demand>>>,
    /// Everything that was denied, in order.
    pub denials: Vec<Denial>,
    /// Who makes the request that is being served; an operator for what is done in the process.
    pub(crate) principal: Principal,
    /// The credentials that STS issued, by their access key ids.
    temporary: BTreeMap<String, Temporary>,
}

impl Iam {
    /// Whether an action was ever demanded of a role, given by its name.
    #[must_use]
    pub fn has_demanded(&self, role: &str, action: &str) -> bool {
        let mut demands = self.demanded.get(role).into_iter().flatten();
        demands.any(|demand| demand.action == action)
    }

    fn record(&mut self, role: &str, demand: Demand) {
        let known = self.demanded.get(role);
        if known.is_none_or(|known| !known.contains(&demand)) {
            let demands = self.demanded.entry(role.to_owned()).or_default();
            demands.insert(Arc::new(demand));
        }
    }
}

/// Something that was denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    pub at: Millis,
    /// The name of the role, `operator`, or the service that called without one.
    pub role: String,
    pub action: String,
    pub resource: String,
    /// As the service words it.
    pub message: String,
}

/// Whether the caller of a request is permitted to make it; the error is the response of the
/// service. The caller is remembered until [`served`].
pub(crate) fn authorize(aws: &mut Aws, request: &Request) -> Result<(), ApiError> {
    // The URL of CloudFormation is signed by CloudFormation.
    if cloudformation::is_response(request) {
        return Ok(());
    }
    // A request that cannot be read is refused by its service.
    let Some(iam_request) = read(request) else {
        return Ok(());
    };
    if let Some(job) = artifact_credentials::job(aws, request) {
        return artifact_credentials::authorize(aws, &job, &iam_request, Errors::of(request));
    }

    let principal = principal::of(aws, request)?;
    aws.iam.principal = principal.clone();
    let Principal::Session(session) = principal else {
        return Ok(());
    };
    let Some(demands) = actions::demands(aws, &iam_request) else {
        let what = format!(
            "{}:{}, nor which permissions it needs",
            iam_request.service, iam_request.operation
        );
        return Err(ApiError::unknown_operation(&what));
    };

    demands.iter().try_for_each(|demand| {
        require(aws, &session, demand).map_err(|denial| Errors::of(request).denied(denial.message))
    })
}

/// The request is served: what follows is done in the process.
pub(crate) fn served(aws: &mut Aws) {
    aws.iam.principal = Principal::default();
}

/// Whether a session may do something. The denial is remembered.
pub(crate) fn require(aws: &mut Aws, session: &Session, demand: &Demand) -> Result<(), Denial> {
    let seen = in_session(aws, session, demand);
    let permissions = Permissions::of(aws, session, &seen);
    aws.iam.record(session.role_name(), seen);
    let reason = match permissions {
        Ok(permissions) => match permissions.refusal(&demand.action) {
            Some(reason) => reason,
            None => return Ok(()),
        },
        Err(unsupported) => format!("because {unsupported}"),
    };
    Err(deny(aws, session, demand, &reason))
}

/// Those actions of the demands that the caller of the present request may not take. The denials
/// are remembered.
pub(crate) fn missing(aws: &mut Aws, demands: &[Demand]) -> Vec<String> {
    let Principal::Session(session) = aws.iam.principal.clone() else {
        return Vec::new();
    };
    demands
        .iter()
        .filter_map(|demand| require(aws, &session, demand).err())
        .map(|denial| denial.action)
        .collect()
}

/// Records a denial for a session.
fn deny(aws: &mut Aws, session: &Session, demand: &Demand, reason: &str) -> Denial {
    let message = error::message(&session.arn(&aws.account), demand, reason);
    note(aws, session.role_name(), demand, message)
}

/// Records a denial.
fn note(aws: &mut Aws, role: &str, demand: &Demand, message: String) -> Denial {
    let denial = Denial {
        at: aws.now,
        role: role.to_owned(),
        action: demand.action.clone(),
        resource: demand.resource.clone(),
        message,
    };
    aws.iam.denials.push(denial.clone());
    denial
}

/// Records that a function's resource policy does not let a service invoke it on behalf of
/// `source`.
pub(crate) fn deny_invocation(aws: &mut Aws, source: &str, function: &str) -> String {
    let demand = Demand::new("lambda:InvokeFunction", function);
    let message =
        format!("{source} is not authorized to perform: lambda:InvokeFunction on {function}");
    note(aws, source, &demand, message).message
}

/// The operation of a request with its input, or nothing when it is not a request of a service.
fn read(request: &Request) -> Option<IamRequest> {
    let service = request.service()?;
    let (operation, input) = service::read_operation(&service, request)?;
    Some(IamRequest {
        service,
        operation,
        input,
    })
}
