//! STS: who the caller is, and sessions of roles.

mod assume_role;
mod session_tags;

#[cfg(test)]
pub(crate) mod tests;

use serde_json::{Value, json};

use crate::iam::{Demand, IamRequest, Principal, Session};
use crate::protocol::query::Parameters;
use crate::protocol::{Protocol, Query};
use crate::service::{Errors, Service};
use crate::{ApiError, Aws};

const ERRORS: Errors = Errors::QUERY;

pub(crate) const SERVICE: Service = Service {
    name: "sts",
    protocol: Protocol::Query(Query {
        version: "2011-06-15",
        namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
        call,
    }),
    errors: ERRORS,
    demands,
};

/// A caller needs no permission to learn who it is. For AssumeRole, policies of caller and role
/// decide together once the request is known to be valid.
fn demands(_: &mut Aws, request: &IamRequest) -> Option<Vec<Demand>> {
    matches!(
        request.operation.as_str(),
        "AssumeRole" | "GetCallerIdentity"
    )
    .then(Vec::new)
}

/// One action of STS; returns the members of its result.
fn call(aws: &mut Aws, action: &str, parameters: &Parameters) -> Result<Value, ApiError> {
    match action {
        "AssumeRole" => assume_role::assume_role(aws, parameters),
        "GetCallerIdentity" => Ok(caller_identity(aws)),
        _ => Err(ApiError::unknown_operation(action)),
    }
}

fn caller_identity(aws: &Aws) -> Value {
    let caller = &aws.iam.principal;
    let user_id = match caller {
        Principal::Operator => "AIDAIOSFODNN7EXAMPLE".to_owned(),
        Principal::Session(session) | Principal::Artifacts(session) => user_id(aws, session),
    };
    json!({"Arn": caller.arn(aws), "UserId": user_id, "Account": aws.account})
}

/// `AROA…:<session>`. A role that no template made has no id, and gets one from the examples.
fn user_id(aws: &Aws, session: &Session) -> String {
    let role = aws.cloudformation.iam.role_by_arn(&session.role);
    let id = role.map_or("AROADBQP57FF2AEXAMPLE", |role| role.id.as_str());
    format!("{id}:{}", session.name)
}
