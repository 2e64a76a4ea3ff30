//! Application Auto Scaling: a scalable target has an ARN of its own, which is unknown before it is
//! registered.
//!
//! Source:
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsapplicationautoscaling.html>

use crate::Aws;
use crate::iam::{Demand, IamRequest};

pub(super) fn demands(aws: &mut Aws, request: &IamRequest) -> Option<Vec<Demand>> {
    match request.operation.as_str() {
        // These support no resource-level permissions.
        "DescribeScalableTargets" | "DescribeScalingPolicies" => {
            Some(vec![Demand::anywhere(request.action())])
        }
        "RegisterScalableTarget"
        | "DeregisterScalableTarget"
        | "PutScalingPolicy"
        | "DeleteScalingPolicy" => {
            let known = aws.autoscaling.targets.get(request.text("ResourceId"));
            let unknown = || aws.arn("application-autoscaling", "scalable-target/*");
            let demand = request.on(known.map_or_else(unknown, |target| target.arn.clone()));
            let keys = [
                ("service-namespace", "ServiceNamespace"),
                ("scalable-dimension", "ScalableDimension"),
            ];

            Some(vec![keys.iter().fold(demand, |demand, (key, member)| {
                demand.with(
                    &format!("application-autoscaling:{key}"),
                    request.text(member),
                )
            })])
        }
        _ => None,
    }
}
