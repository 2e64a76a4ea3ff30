//! Application Auto Scaling: a scalable target has an ARN of its own, which is unknown before it is
//! registered.
//!
//! Source:
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsapplicationautoscaling.html>

use serde_json::json;

use super::validation;
use crate::iam::{self, Demand, IamRequest};
use crate::{ApiError, Aws, Quirk};

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

/// Application Auto Scaling tries with the caller's permissions what scaling will need, and names
/// in one error what is missing. Its document shows this for Aurora: whether it does so for ECS is
/// drawn once an account. For which alarms it asks is not documented, so that only a statement
/// about all of them is enough.
///
/// Source:
/// <https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_permission_validation.html>
pub(super) fn check_caller(aws: &mut Aws, cluster: &str, service: &str) -> Result<(), ApiError> {
    if !aws.draw_quirk(Quirk::ValidatesScalingCaller) {
        return Ok(());
    }

    let on_service = ["DescribeServices", "UpdateService"].map(|operation| IamRequest {
        service: "ecs".to_owned(),
        operation: operation.to_owned(),
        input: json!({"cluster": cluster, "service": service, "services": [service]}),
    });
    let mut demands = Vec::new();
    for request in &on_service {
        demands.extend(iam::actions::demands(aws, request).unwrap_or_default());
    }
    let on_alarms = ["PutMetricAlarm", "DescribeAlarms", "DeleteAlarms"];
    demands.extend(on_alarms.map(|action| Demand::anywhere(format!("cloudwatch:{action}"))));

    let missing = iam::missing(aws, &demands);
    if missing.is_empty() {
        return Ok(());
    }
    Err(validation(format!(
        "User is missing the following permissions: {}",
        missing.join(", ")
    )))
}
