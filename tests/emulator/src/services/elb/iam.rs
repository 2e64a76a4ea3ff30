//! What the operations of Elastic Load Balancing need to be allowed.
//!
//! Source:
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html>

use serde_json::Value;

use crate::iam::{self, Demand, IamRequest};
use crate::{ApiError, Aws};

/// Operations that describe have no resource-level permissions; those that change are authorized
/// on the resource.
pub(super) fn demands(aws: &mut Aws, request: &IamRequest) -> Option<Vec<Demand>> {
    match request.operation.as_str() {
        "ModifyRule" => Some(vec![change(aws, request, "RuleArn")]),
        "ModifyListener" => Some(vec![change(aws, request, "ListenerArn")]),
        "DescribeTargetHealth"
        | "DescribeTargetGroups"
        | "DescribeLoadBalancers"
        | "DescribeListeners"
        | "DescribeRules"
        | "DescribeTags" => Some(vec![Demand::anywhere(request.action())]),
        _ => None,
    }
}

/// The change of a rule or a listener, with its tags.
fn change(aws: &Aws, request: &IamRequest, member: &str) -> Demand {
    let arn = request.text(member);
    let rule = aws.elb.rules.get(arn).map(|it| &it.properties);
    let listener = aws.elb.listeners.get(arn).map(|it| &it.properties);
    let tags = rule
        .or(listener)
        .and_then(|all| all.get("Tags")?.as_array());

    let mut demand = request.on(arn.to_owned());
    for tag in tags.into_iter().flatten() {
        let [key, value] = ["Key", "Value"].map(|name| tag[name].as_str().unwrap_or_default());
        for prefix in ["aws", "elasticloadbalancing"] {
            demand = demand.with(&format!("{prefix}:ResourceTag/{key}"), value);
        }
    }
    demand
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
