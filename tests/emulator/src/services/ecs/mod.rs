//! Amazon ECS: clusters, task definitions, services, and the scheduler that moves their tasks.
//!
//! Calls change what is wanted; the scheduler, woken by the agenda, moves what is there towards it.

mod clusters;
mod definition_answer;
mod definition_rules;
mod definitions;
mod deployments;
mod input;
mod listings;
mod model;
mod placement;
mod rates;
mod scheduler;
mod service_answer;
mod service_rules;
mod services;
mod sickness;
mod tags;
mod task_answer;
mod task_life;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::stale::Change;
use crate::{ApiError, Aws, record};

pub use clusters::add_container_instances;
pub use model::{
    Attachment, Cluster, Container, ContainerInstance, Deployment, DeploymentStatus, RolloutState,
    Service, ServiceStatus, Task, TaskState,
};
pub use scheduler::stop_task;
pub(crate) use services::scale;
pub(crate) use sickness::meet_traffic;
pub use sickness::set_answering;
pub use task_life::TaskStep;

use definitions::TaskDefinition;

/// Everything ECS knows, by ARN, except clusters (by name) and task definitions (by family, then revision).
#[derive(Clone, Debug, Default)]
pub struct Ecs {
    pub clusters: BTreeMap<String, Cluster>,
    pub services: BTreeMap<String, Service>,
    pub tasks: BTreeMap<String, Task>,
    pub instances: BTreeMap<String, ContainerInstance>,
    families: BTreeMap<String, Vec<TaskDefinition>>,
    buckets: rates::Buckets,
    tasks_started: u64,
}

/// What ECS does by itself.
#[derive(Clone, Debug)]
pub enum Due {
    /// The scheduler looks at a service.
    Reconcile { service: String },
    /// A deployment that looked finished is looked at again.
    Settle { service: String, deployment: String },
    /// A task goes on in its life.
    Task { task: String, step: TaskStep },
}

pub fn run_due(aws: &mut Aws, due: Due) {
    match due {
        Due::Reconcile { service } => scheduler::reconcile(aws, &service),
        Due::Settle {
            service,
            deployment,
        } => deployments::settle(aws, &service, &deployment),
        Due::Task { task, step } => task_life::advance(aws, &task, step),
    }
}

/// One operation by its API name with the JSON 1.1 input; answers the JSON output.
pub fn call(aws: &mut Aws, operation: &str, input: &Value) -> Result<Value, ApiError> {
    let answer = answer(aws, operation, input);
    record::operation("ecs", operation, input, &answer);
    answer
}

fn answer(aws: &mut Aws, operation: &str, input: &Value) -> Result<Value, ApiError> {
    rates::take(aws, operation)?;
    let input = input::Input::of(operation, input)?;
    match operation {
        "CreateCluster" => clusters::create(aws, &input),
        "ListClusters" => listings::clusters(aws, &input),
        "DescribeClusters" => clusters::describe(aws, &input),
        "RegisterTaskDefinition" => definitions::register(aws, &input),
        "DescribeTaskDefinition" => definitions::describe(aws, &input),
        "DeregisterTaskDefinition" => definitions::deregister(aws, &input),
        "ListTaskDefinitions" => definitions::list(aws, &input),
        "ListTaskDefinitionFamilies" => listings::families(aws, &input),
        "ListContainerInstances" => listings::container_instances(aws, &input),
        "DescribeContainerInstances" => listings::describe_container_instances(aws, &input),
        "CreateService" => services::create(aws, &input),
        "UpdateService" => {
            aws.keep_before(Change::Service);
            services::update(aws, &input)
        }
        "DeleteService" => services::delete(aws, &input),
        "DescribeServices" => aws.behind(&[Change::Service], |aws| {
            service_answer::describe(aws, &input)
        }),
        "ListServices" => service_answer::list(aws, &input),
        "ListTasks" => task_answer::list(aws, &input),
        "DescribeTasks" => task_answer::describe(aws, &input),
        "StopTask" => task_answer::stop(aws, &input),
        "TagResource" => tags::tag(aws, &input),
        "UntagResource" => tags::untag(aws, &input),
        "ListTagsForResource" => tags::list(aws, &input),
        _ => Err(ApiError::unknown_operation(operation)),
    }
}

impl Ecs {
    /// The tasks of a service (by ARN) that are not yet stopped, whatever deployment they belong to.
    pub fn tasks_of<'a>(&'a self, service: &'a str) -> impl Iterator<Item = &'a Task> {
        self.tasks
            .values()
            .filter(move |task| task.service == service && task.state != TaskState::Stopped)
    }

    /// A service by the names of its cluster and itself.
    pub fn service_named(&self, cluster: &str, name: &str) -> Option<&Service> {
        self.services
            .values()
            .find(|service| service.cluster == cluster && service.name == name)
    }

    /// The containers' JSON of a task definition, as it was registered.
    fn containers_of(&self, definition: &str) -> &[Value] {
        self.definition(definition)
            .and_then(|definition| definition.json.get("containerDefinitions")?.as_array())
            .map_or(&[], Vec::as_slice)
    }
}

fn client_error(message: impl Into<String>) -> ApiError {
    ApiError::client("ClientException", message)
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::client("InvalidParameterException", message)
}
