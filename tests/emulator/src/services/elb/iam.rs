//! What the operations of Elastic Load Balancing need to be allowed.
//!
//! Source:
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html>

use crate::Aws;
use crate::iam::{Demand, IamRequest};

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
