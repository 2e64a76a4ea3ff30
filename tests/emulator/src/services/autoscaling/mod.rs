//! Application Auto Scaling: between which counts the desired count of an ECS service is moved, and by which policies.
//!
//! Only the namespace `ecs` and target tracking are here. What moves a count by itself is in `bounds` (a registration pulls a
//! service between its bounds) and in `tracking` (policies follow the load).

mod bounds;
mod input;
mod policies;
mod targets;
mod tracking;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::stale::Change;
use crate::{ApiError, Aws, Millis, record};
use input::Input;
pub(crate) use tracking::watch;

pub const NAMESPACE: &str = "ecs";
pub const DIMENSION: &str = "ecs:service:DesiredCount";

/// Scalable targets by resource id (`service/<cluster>/<service>`), and policies by resource id and name.
#[derive(Clone, Debug, Default)]
pub struct AutoScaling {
    pub targets: BTreeMap<String, ScalableTarget>,
    pub policies: BTreeMap<(String, String), Policy>,
    /// The targets that are looked at every minute.
    tracked: BTreeMap<String, tracking::Tracked>,
}

#[derive(Clone, Debug)]
pub struct ScalableTarget {
    pub arn: String,
    pub resource_id: String,
    pub min: u32,
    pub max: u32,
    pub suspended: Suspended,
    pub created_at: Millis,
}

/// Which kinds of scaling activities are suspended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Suspended {
    pub dynamic_in: bool,
    pub dynamic_out: bool,
    pub scheduled: bool,
}

/// A target tracking policy.
#[derive(Clone, Debug)]
pub struct Policy {
    pub arn: String,
    pub name: String,
    pub resource_id: String,
    /// As it was put.
    pub configuration: Value,
    pub created_at: Millis,
    alarms: Vec<String>,
}

/// What Application Auto Scaling does by itself.
#[derive(Clone, Debug)]
pub enum Due {
    /// The count of a service that was registered is compared with its bounds.
    Bounds { resource_id: String },
    /// The minute's look at a target with policies.
    Look { resource_id: String },
}

pub fn run_due(aws: &mut Aws, due: Due) {
    match due {
        Due::Bounds { resource_id } => bounds::keep(aws, &resource_id),
        Due::Look { resource_id } => tracking::look(aws, &resource_id),
    }
}

/// One operation by its API name with the JSON 1.1 input; answers the JSON output.
pub fn call(aws: &mut Aws, operation: &str, input: &Value) -> Result<Value, ApiError> {
    let answer = answer(aws, operation, input);
    record::operation("application-autoscaling", operation, input, &answer);
    answer
}

fn answer(aws: &mut Aws, operation: &str, input: &Value) -> Result<Value, ApiError> {
    let input = Input(input);
    match operation {
        "RegisterScalableTarget" => {
            aws.keep_before(Change::Scaling);
            targets::register(aws, &input)
        }
        "DescribeScalableTargets" => {
            aws.behind(&[Change::Scaling], |aws| targets::describe(aws, &input))
        }
        "DeregisterScalableTarget" => targets::deregister(aws, &input),
        "PutScalingPolicy" => policies::put(aws, &input),
        "DescribeScalingPolicies" => policies::describe(aws, &input),
        "DeleteScalingPolicy" => policies::delete(aws, &input),
        _ => Err(ApiError::unknown_operation(operation)),
    }
}

impl AutoScaling {
    /// The scalable target of an ECS service.
    pub fn target_of(&self, cluster: &str, service: &str) -> Option<&ScalableTarget> {
        self.targets.get(&resource_id(cluster, service))
    }

    /// The policies of a scalable target.
    pub fn policies_of<'a>(&'a self, resource_id: &'a str) -> impl Iterator<Item = &'a Policy> {
        self.policies
            .values()
            .filter(move |policy| policy.resource_id == resource_id)
    }
}

/// What names a service here.
pub fn resource_id(cluster: &str, service: &str) -> String {
    format!("service/{cluster}/{service}")
}

/// The ARN of the active service that a resource id names.
fn service(aws: &Aws, resource_id: &str) -> Option<String> {
    let (cluster, name) = resource_id.strip_prefix("service/")?.split_once('/')?;
    let service = aws.ecs.service_named(cluster, name)?;
    (service.status == crate::ecs::ServiceStatus::Active).then(|| service.arn.clone())
}

fn validation(message: impl Into<String>) -> ApiError {
    ApiError::client("ValidationException", message)
}

fn not_found(message: String) -> ApiError {
    ApiError::client("ObjectNotFoundException", message)
}
