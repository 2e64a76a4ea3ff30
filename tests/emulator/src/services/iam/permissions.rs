//! What a role may do: what its policies allow, within its permissions boundary.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html>

use serde_json::{Value, json};

use super::policy::{Access, Demand, Unsupported, evaluate};
use super::{Principal, Session, error};
use crate::Aws;
use crate::cloudformation::items;

/// The decisions of the policies of a principal about a demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Permissions {
    /// Of the policies that are attached to it.
    pub(super) identity: Access,
    /// Of its permissions boundary; allowed without one.
    pub(super) boundary: Access,
}

impl Permissions {
    pub(super) const ADMINISTRATOR: Self = Self {
        identity: Access::Allowed,
        boundary: Access::Allowed,
    };

    /// A role that no template made has no policy.
    pub(super) fn of(aws: &Aws, session: &Session, demand: &Demand) -> Result<Self, Unsupported> {
        let Some(role) = aws.cloudformation.iam.role_by_arn(&session.role) else {
            return Ok(Self {
                identity: Access::NotAllowed,
                ..Self::ADMINISTRATOR
            });
        };

        let mut demand = Principal::Session(session.clone()).about(&aws.account, demand);
        if let Some(function) = function_of(aws, session) {
            demand = demand.with("lambda:SourceFunctionArn", function);
        }
        let attached: Vec<Vec<Value>> = role
            .managed_policies
            .iter()
            .map(|arn| managed(aws, arn))
            .collect::<Result<_, _>>()?;
        let boundary = match &role.boundary {
            Some(arn) => evaluate(&managed(aws, arn)?, &demand)?,
            None => Access::Allowed,
        };

        Ok(Self {
            identity: evaluate(role.statements().chain(attached.iter().flatten()), &demand)?,
            boundary,
        })
    }

    /// Why the action is refused, in the words of AWS; nothing if it is allowed.
    pub(super) fn refusal(self, action: &str) -> Option<String> {
        match (self.identity, self.boundary) {
            (Access::Denied, _) => Some(error::EXPLICIT_DENY.to_owned()),
            (_, Access::Denied) => Some(error::EXPLICIT_DENY_OF_BOUNDARY.to_owned()),
            (Access::NotAllowed, _) => Some(error::not_allowed(action)),
            (_, Access::NotAllowed) => Some(error::not_allowed_by_boundary(action)),
            (Access::Allowed, Access::Allowed) => None,
        }
    }
}

/// The ARN of the function whose code acts in the session, if that is so.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html>
fn function_of(aws: &Aws, session: &Session) -> Option<String> {
    let function = aws.lambda.functions.get(&session.name)?;
    (function.role == session.role)
        .then(|| aws.arn("lambda", &format!("function:{}", session.name)))
}

/// The statements of a managed policy: one of a template, or one of those that SAM attaches to
/// functions.
pub(crate) fn managed(aws: &Aws, arn: &str) -> Result<Vec<Value>, Unsupported> {
    if let Some(document) = aws.cloudformation.iam.managed_policy(arn) {
        return Ok(items(&document["Statement"]).to_vec());
    }
    let network: &[&str] = match arn.rsplit('/').next() {
        Some("AWSLambdaBasicExecutionRole") => &[],
        Some("AWSLambdaVPCAccessExecutionRole") => &[
            "ec2:CreateNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:DeleteNetworkInterface",
            "ec2:AssignPrivateIpAddresses",
            "ec2:UnassignPrivateIpAddresses",
        ],
        _ => return Err(Unsupported(format!("the managed policy {arn}"))),
    };
    let logs = [
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    ];
    let actions = [&logs[..], network].concat();
    Ok(vec![
        json!({"Effect": "Allow", "Resource": "*", "Action": actions}),
    ])
}
