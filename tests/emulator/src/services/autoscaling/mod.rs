//! Application Auto Scaling: between which counts the desired count of an ECS service is moved, and
//! by which policies.
//!
//! Only the namespace `ecs` is here, and policies of target tracking. What moves a count by itself
//! is in `bounds` (a registration pulls a service between its bounds) and in `tracking` (policies
//! follow the load); a scenario moves it in `steps`, and states in `scheduled` when an action is
//! due.

mod bounds;
mod events;
mod iam;
mod input;
mod policies;
mod scheduled;
mod state;
mod steps;
mod targets;
mod tracking;

#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::input::Input;
use crate::protocol::{Json, Protocol};
use crate::service::{Errors, Service, Wording};
use crate::stale::StaleChange;
use crate::{ApiError, Aws, record};
use events::AutoScalingEvent;
pub use scheduled::{Scheduled, schedule};
pub use state::{AutoScaling, Policy, ScalableTarget, Suspended};
pub use steps::adjust;
pub(crate) use tracking::watch;

pub(crate) const SERVICE: Service = Service {
    name: "application-autoscaling",
    protocol: Protocol::Json(Json::new(
        "AnyScaleFrontendService",
        "com.amazonaws.applicationautoscaling",
        call,
    )),
    errors: Errors {
        internal: Wording::new(
            500,
            "InternalServiceException",
            "The service encountered an internal error",
        ),
        ..Errors::JSON
    },
    demands: iam::demands,
};

pub const NAMESPACE: &str = "ecs";
pub const DIMENSION: &str = "ecs:service:DesiredCount";

/// One operation by its API name with the JSON 1.1 input; returns the JSON output.
pub fn call(aws: &mut Aws, operation: &str, input: &Value) -> Result<Value, ApiError> {
    let answer = run_operation(aws, operation, input);
    record::operation("application-autoscaling", operation, input, &answer);
    answer
}

fn run_operation(aws: &mut Aws, operation: &str, input: &Value) -> Result<Value, ApiError> {
    let input = Input::new(input);
    match operation {
        "RegisterScalableTarget" => {
            aws.keep_before(StaleChange::Scaling);
            targets::register(aws, &input)
        }
        "DescribeScalableTargets" => aws.behind(&[StaleChange::Scaling], |aws| {
            targets::describe(aws, &input)
        }),
        "DeregisterScalableTarget" => targets::deregister(aws, &input),
        "PutScalingPolicy" => policies::put(aws, &input),
        "DescribeScalingPolicies" => policies::describe(aws, &input),
        "DeleteScalingPolicy" => policies::delete(aws, &input),
        _ => Err(ApiError::unknown_operation(operation)),
    }
}

/// What names a service here.
pub fn resource_id(cluster: &str, service: &str) -> String {
    format!("service/{cluster}/{service}")
}

/// The names of cluster and service in a resource id.
fn names(resource_id: &str) -> Option<(&str, &str)> {
    resource_id.strip_prefix("service/")?.split_once('/')
}

/// The ARN of the active service that a resource id names.
fn service(aws: &Aws, resource_id: &str) -> Option<String> {
    let (cluster, name) = names(resource_id)?;
    let service = aws.ecs.service_named(cluster, name)?;
    (service.status == crate::ecs::ServiceStatus::Active).then(|| service.arn.clone())
}

fn validation(message: impl Into<String>) -> ApiError {
    ApiError::client("ValidationException", message)
}

fn not_found(message: String) -> ApiError {
    ApiError::client("ObjectNotFoundException", message)
}
