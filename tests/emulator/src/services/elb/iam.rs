//! What the operations of Elastic Load Balancing need to be allowed.
//!
//! Source:
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html>

use crate::Aws;
use crate::iam::{Asked, Demand};

/// Operations that describe have no resource-level permissions; those that change are authorized
/// on the resource.
pub(super) fn demands(_: &mut Aws, asked: &Asked) -> Option<Vec<Demand>> {
    match asked.operation.as_str() {
        "ModifyRule" => Some(vec![asked.on(asked.text("RuleArn").to_owned())]),
        "ModifyListener" => Some(vec![asked.on(asked.text("ListenerArn").to_owned())]),
        "DescribeTargetHealth"
        | "DescribeTargetGroups"
        | "DescribeLoadBalancers"
        | "DescribeListeners"
        | "DescribeRules" => Some(vec![Demand::anywhere(asked.action())]),
        _ => None,
    }
}
