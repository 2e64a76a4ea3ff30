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
/// drawn once an account. PutMetricAlarm and DeleteAlarms are called without the name of an alarm.
/// On which resource CloudWatch authorizes such a call is not documented. DeleteAlarms has been
/// refused on the ARN of an alarm with an empty name. It must be allowed both there and on `*`.
///
/// Source:
/// <https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_permission_validation.html>,
/// <https://github.com/aws-samples/amazon-cloudwatch-auto-alarms/issues/18>
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
    for action in ["PutMetricAlarm", "DescribeAlarms", "DeleteAlarms"] {
        let named = format!("cloudwatch:{action}");
        if action != "DescribeAlarms" {
            let nameless = aws.arn("cloudwatch", "alarm:");
            demands.push(Demand::new(named.clone(), nameless));
        }
        demands.push(Demand::anywhere(named));
    }

    let mut missing = iam::missing(aws, &demands);
    missing.dedup();
    if missing.is_empty() {
        return Ok(());
    }
    Err(validation(format!(
        "User is missing the following permissions: {}",
        missing.join(", ")
    )))
}
