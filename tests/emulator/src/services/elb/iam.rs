//! What the operations of Elastic Load Balancing need to be allowed.
//!
//! Source:
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html>

use serde_json::Value;

use crate::iam::{self, Demand, IamRequest};
use crate::{ApiError, Aws};

/// Operations that describe have no resource-level permissions; those that change are authorized
/// on the resource.
pub(super) fn demands(_: &mut Aws, request: &IamRequest) -> Option<Vec<Demand>> {
    match request.operation.as_str() {
        "ModifyRule" => Some(vec![request.on(request.text("RuleArn").to_owned())]),
        "ModifyListener" => Some(vec![request.on(request.text("ListenerArn").to_owned())]),
        "DescribeTargetHealth"
        | "DescribeTargetGroups"
        | "DescribeLoadBalancers"
        | "DescribeListeners"
        | "DescribeRules"
        | "DescribeTags" => Some(vec![Demand::anywhere(request.action())]),
        _ => None,
    }
}

/// Actions that authenticate with Amazon Cognito are set only by a caller that may read the client
/// of the user pool. Whether that holds for an action that is sent back as it was is not
/// documented: it does here, which is the worst that can happen.
///
/// Source:
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html>
pub(super) fn check_caller(aws: &mut Aws, actions: &Value) -> Result<(), ApiError> {
    let actions = actions.as_array().into_iter().flatten();
    let pools = actions.filter_map(|action| {
        let config = &action["AuthenticateCognitoConfig"];
        config["UserPoolArn"].as_str()
    });
    let demands: Vec<_> = pools
        .map(|pool| Demand::new("cognito-idp:DescribeUserPoolClient", pool))
        .collect();

    if iam::missing(aws, &demands).is_empty() {
        return Ok(());
    }
    Err(ApiError::client(
        "InvalidLoadBalancerAction",
        "User is not authorized to perform 'describeUserPoolClient'",
    ))
}
