//! What a session of a role may do: what the policies of the role allow, within its permissions
//! boundary and within the policy of the session.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session>

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::policy::{Access, Demand, Unsupported, evaluate};
use super::{Session, error, principal};
use crate::Aws;
use crate::cloudformation::items;

/// The decisions of the policies of a principal about a demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Permissions {
    /// Of the policies that are attached to it.
    pub(super) identity: Access,
    /// Of its permissions boundary; allowed without one.
    pub(super) boundary: Access,
    /// Of the session's own policy; allowed without one.
    pub(super) session: Access,
}

impl Permissions {
    pub(super) const ADMINISTRATOR: Self = Self {
        identity: Access::Allowed,
        boundary: Access::Allowed,
        session: Access::Allowed,
    };

    /// Those of a session about a demand that `in_session` describes. A role that no template made
    /// has no policy.
    pub(super) fn of(aws: &Aws, session: &Session, demand: &Demand) -> Result<Self, Unsupported> {
        let Some(role) = aws.cloudformation.iam.role_by_arn(&session.role) else {
            return Ok(Self {
                identity: Access::NotAllowed,
                ..Self::ADMINISTRATOR
            });
        };

        let attached: Vec<&[Value]> = role
            .managed_policies
            .iter()
            .map(|arn| managed(aws, arn))
            .collect::<Result<_, _>>()?;
        let boundary = match &role.boundary {
            Some(arn) => evaluate(managed(aws, arn)?, demand)?,
            None => Access::Allowed,
        };
        let of_session = match &session.policy {
            Some(policy) => evaluate(items(&policy["Statement"]), demand)?,
            None => Access::Allowed,
        };

        let own = role.statements().chain(attached.into_iter().flatten());
        Ok(Self {
            identity: evaluate(own, demand)?,
            boundary,
            session: of_session,
        })
    }

    /// Why the action is refused, in the words of AWS; nothing if it is allowed.
    pub(super) fn refusal(self, action: &str) -> Option<String> {
        match (self.identity, self.boundary, self.session) {
            (Access::Denied, _, _) => Some(error::EXPLICIT_DENY.to_owned()),
            (_, Access::Denied, _) => Some(error::EXPLICIT_DENY_OF_BOUNDARY.to_owned()),
            (_, _, Access::Denied) => Some(error::EXPLICIT_DENY_OF_SESSION.to_owned()),
            (Access::NotAllowed, _, _) => Some(error::not_allowed(action)),
            (_, Access::NotAllowed, _) => Some(error::not_allowed_by_boundary(action)),
            (_, _, Access::NotAllowed) => Some(error::not_allowed_by_session(action)),
            (Access::Allowed, Access::Allowed, Access::Allowed) => None,
        }
    }

    /// Whether boundary and session policy allow it, whatever else does.
    pub(super) fn are_within_bounds(self) -> bool {
        [self.boundary, self.session] == [Access::Allowed; 2]
    }
}

/// A demand of a session, with the condition keys that describe the session.
pub(super) fn in_session(aws: &Aws, session: &Session, demand: &Demand) -> Demand {
    let demand = session.about(&aws.account, demand);
    match function_of(aws, session) {
        Some(function) => demand.with("lambda:SourceFunctionArn", function),
        None => demand,
    }
}

/// The ARN of the function whose code acts in the session, if that is so.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html>
fn function_of(aws: &Aws, session: &Session) -> Option<String> {
    let (region, function) = principal::function(aws, &session.name)?;
    (function.role == session.role)
        .then(|| region.arn("lambda", &format!("function:{}", session.name)))
}

/// The managed policies of AWS that SAM attaches to functions.
static BASIC_EXECUTION: LazyLock<[Value; 1]> = LazyLock::new(|| of_function(&[]));
static VPC_ACCESS_EXECUTION: LazyLock<[Value; 1]> = LazyLock::new(|| {
    of_function(&[
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
    ])
});

/// The statement that lets a function write its logs, and take more actions.
fn of_function(more: &[&str]) -> [Value; 1] {
    let logs = [
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    ];
    let actions = [&logs[..], more].concat();
    [json!({"Effect": "Allow", "Resource": "*", "Action": actions})]
}

/// The statements of a managed policy: one of a template, or one of those that SAM attaches to
/// functions.
pub(crate) fn managed<'a>(aws: &'a Aws, arn: &str) -> Result<&'a [Value], Unsupported> {
    if let Some(document) = aws.cloudformation.iam.managed_policy(arn) {
        return Ok(items(&document["Statement"]));
    }
    match arn.rsplit('/').next() {
        Some("AWSLambdaBasicExecutionRole") => Ok(BASIC_EXECUTION.as_slice()),
        Some("AWSLambdaVPCAccessExecutionRole") => Ok(VPC_ACCESS_EXECUTION.as_slice()),
        _ => Err(Unsupported(format!("the managed policy {arn}"))),
    }
}
