//! Application Auto Scaling: a scalable target has an ARN of its own, which is unknown before it is
//! registered.
//!
//! Source:
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsapplicationautoscaling.html>

use crate::Aws;
use crate::iam::{Asked, Demand};

pub(super) fn demands(aws: &mut Aws, asked: &Asked) -> Option<Vec<Demand>> {
    match asked.operation.as_str() {
        // These support no resource-level permissions.
        "DescribeScalableTargets" | "DescribeScalingPolicies" => {
            Some(vec![Demand::anywhere(asked.action())])
        }
        "RegisterScalableTarget"
        | "DeregisterScalableTarget"
        | "PutScalingPolicy"
        | "DeleteScalingPolicy" => {
            let known = aws.autoscaling.targets.get(asked.text("ResourceId"));
            let unknown = || aws.arn("application-autoscaling", "scalable-target/*");
            let demand = asked.on(known.map_or_else(unknown, |target| target.arn.clone()));
            let keys = [
                ("service-namespace", "ServiceNamespace"),
                ("scalable-dimension", "ScalableDimension"),
            ];

            Some(vec![keys.iter().fold(demand, |demand, (key, member)| {
                demand.with(
                    &format!("application-autoscaling:{key}"),
                    asked.text(member),
                )
            })])
        }
        _ => None,
    }
}
