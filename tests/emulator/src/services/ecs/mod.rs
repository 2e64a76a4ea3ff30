//! Amazon ECS: clusters, task definitions, services, and the scheduler that moves their tasks.
//!
//! Calls change what is wanted; the scheduler, woken by the agenda, moves what is there towards it.

mod behind;
mod capacity;
mod clusters;
mod definition_bounds;
mod definition_details;
mod definition_logs;
mod definition_managed;
mod definition_network;
mod definition_references;
mod definition_rules;
mod definition_schema;
mod definition_volumes;
mod definitions;
mod deployments;
mod describe_definitions;
mod describe_service_deployments;
mod describe_services;
mod describe_tasks;
mod empty_members;
mod events;
mod failure_detection;
mod failures;
mod iam;
mod input;
mod listings;
mod losses;
mod overload;
mod placement;
mod protection;
mod rates;
mod replacements;
mod run_task;
mod scheduler;
mod service_history;
mod service_ports;
mod service_rules;
mod service_volumes;
mod services;
mod state;
mod tags;
mod task;
mod task_health;
mod task_lifecycle;

#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::protocol::{Json, Protocol};
use crate::service::{self, Errors, Wording};
use crate::stale::StaleChange;
use crate::{ApiError, Aws, record};
use events::EcsEvent;

pub use capacity::CapacityProvider;
pub use clusters::add_container_instances;
pub use describe_services::description;
pub(crate) use failures::meet_traffic;
pub use failures::{leave_zones, set_answering};
pub use losses::{crash, interrupt, stop_task, terminate_instance};
pub use protection::protect;
pub use replacements::unbalance;
pub use run_task::CommandEnd;
pub(crate) use services::scale;
pub use services::{set_controller, set_shown};
pub use state::{
    Cluster, ContainerInstance, Deployment, DeploymentStatus, Ecs, RolloutState, Service,
    ServiceStatus,
};
pub use task::{Attachment, Container, Task, TaskState};
pub use task_lifecycle::TaskStep;

pub(crate) const SERVICE: service::Service = service::Service {
    name: "ecs",
    protocol: Protocol::Json(Json::new(
        "AmazonEC2ContainerServiceV20141113",
        "com.amazonaws.ecs",
        call,
    )),
    errors: Errors {
        internal: Wording::new(
            500,
            "ServerException",
            "Service Unavailable. Please try again later.",
        ),
        ..Errors::JSON
    },
    demands: iam::demands,
};

/// One operation by its API name with the JSON 1.1 input; returns the JSON output.
pub fn call(aws: &mut Aws, operation: &str, input: &Value) -> Result<Value, ApiError> {
    let answer = run_operation(aws, operation, input);
    record::operation("ecs", operation, input, &answer);
    answer
}

fn run_operation(aws: &mut Aws, operation: &str, input: &Value) -> Result<Value, ApiError> {
    rates::take(aws, operation)?;
    let input = input::CheckedInput::of(operation, input)?;

    match operation {
        "CreateCluster" => clusters::create(aws, &input),
        "ListClusters" => listings::clusters(aws, &input),
        "DescribeClusters" => clusters::describe(aws, &input),
        "DeleteCluster" => clusters::delete(aws, &input),
        "RegisterTaskDefinition" => definitions::register(aws, &input),
        "DescribeTaskDefinition" => definitions::describe(aws, &input),
        "DeregisterTaskDefinition" => definitions::deregister(aws, &input),
        "ListTaskDefinitions" => definitions::list(aws, &input),
        "ListTaskDefinitionFamilies" => listings::families(aws, &input),
        "ListContainerInstances" => listings::container_instances(aws, &input),
        "DescribeContainerInstances" => listings::describe_container_instances(aws, &input),
        "UpdateContainerInstancesState" => clusters::update_instances(aws, &input),
        "CreateCapacityProvider" => capacity::create(aws, &input),
        "DescribeCapacityProviders" => capacity::describe(aws, &input),
        "CreateService" => services::create(aws, &input),
        "UpdateService" => {
            aws.keep_before(StaleChange::Service);
            services::update(aws, &input)
        }
        "DeleteService" => services::delete(aws, &input),
        "DescribeServices" => aws.behind(&[StaleChange::Service], |aws| {
            describe_services::describe(aws, &input)
        }),
        "ListServices" => describe_services::list(aws, &input),
        "ListServiceDeployments" => aws.behind(&[StaleChange::Service], |aws| {
            describe_service_deployments::list(aws, &input)
        }),
        "DescribeServiceDeployments" => aws.behind(&[StaleChange::Service], |aws| {
            describe_service_deployments::describe(aws, &input)
        }),
        "ListTasks" => describe_tasks::list(aws, &input),
        "DescribeTasks" => describe_tasks::describe(aws, &input),
        "RunTask" => run_task::run(aws, &input),
        "StopTask" => describe_tasks::stop(aws, &input),
        "TagResource" => tags::tag(aws, &input),
        "UntagResource" => tags::untag(aws, &input),
        "ListTagsForResource" => tags::list(aws, &input),
        _ => Err(ApiError::unknown_operation(operation)),
    }
}

fn client_error(message: impl Into<String>) -> ApiError {
    ApiError::client("ClientException", message)
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::client("InvalidParameterException", message)
}
