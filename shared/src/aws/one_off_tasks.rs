//! One-off tasks of Amazon ECS: started where the tasks of a service run, found again, described
//! and stopped.
//!
//! It never decides how a task ended.

use aws_sdk_ecs::operation::run_task::RunTaskError;
use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, CapacityProviderStrategyItem, Container,
    ContainerOverride, DesiredStatus, Failure, LaunchType, NetworkConfiguration,
    PlacementConstraint, PlacementConstraintType, Service, Task, TaskOverride, TaskStopCode,
};

use super::pages::Pages;
use super::{AwsError, Services};
use crate::observed::task::{ContainerView, Placement, TaskView};
use crate::redaction::without_signatures;
use crate::strategy::one_off_task::OneOffTask;

const DESCRIBE: &str = "ecs:DescribeServices";
const LIST: &str = "ecs:ListTasks";
const RUN: &str = "ecs:RunTask";

/// Where the tasks of a service run.
#[derive(Clone, Debug)]
pub struct TaskPlace {
    network: Option<NetworkConfiguration>,
    capacity: Vec<CapacityProviderStrategyItem>,
    launch_type: Option<LaunchType>,
    platform_version: Option<String>,
    /// Which container instances fit, such as those of one architecture.
    constraints: Vec<PlacementConstraint>,
}

impl TaskPlace {
    /// A place of no service.
    #[must_use]
    pub fn on_fargate(subnets: &[String], security_groups: &[String], public_ip: bool) -> Self {
        let public_ip = if public_ip {
            AssignPublicIp::Enabled
        } else {
            AssignPublicIp::Disabled
        };
        let groups = (!security_groups.is_empty()).then(|| security_groups.to_vec());
        let network = AwsVpcConfiguration::builder()
            .set_subnets(Some(subnets.to_vec()))
            .set_security_groups(groups)
            .assign_public_ip(public_ip)
            .build();

        Self {
            network: network.ok().map(|network| {
                NetworkConfiguration::builder()
                    .awsvpc_configuration(network)
                    .build()
            }),
            capacity: Vec::new(),
            launch_type: Some(LaunchType::Fargate),
            platform_version: None,
            constraints: Vec::new(),
        }
    }
}

impl Services {
    /// Where the tasks of a service run; `None` if the service or its cluster does not exist.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn task_place(
        &self,
        cluster: &str,
        service: &str,
    ) -> Result<Option<TaskPlace>, AwsError> {
        let request = self
            .clients
            .ecs()
            .describe_services()
            .cluster(cluster)
            .services(service);
        let answer = match request.send().await.map_err(AwsError::from_sdk(DESCRIBE)) {
            Ok(answer) => answer,
            Err(error) if error.code == "ClusterNotFoundException" => return Ok(None),
            Err(error) => return Err(error),
        };

        let mut services = answer.services().iter();
        let found = services.find(|service| service.status() != Some("INACTIVE"));
        Ok(found.map(place))
    }

    /// Starts a task. The same attempt of the same task starts no second one: ECS knows its client
    /// token, also if the service's network was changed in between.
    ///
    /// # Errors
    /// When the call fails, or its response has neither a task nor a reason.
    pub async fn run_task(
        &self,
        cluster: &str,
        place: &TaskPlace,
        task: &OneOffTask<'_>,
        attempt: u32,
    ) -> Result<Placement, AwsError> {
        let request = self
            .clients
            .ecs()
            .run_task()
            .cluster(cluster)
            .task_definition(task.task_definition)
            .count(1)
            .client_token(task.client_token(attempt))
            .started_by(task.started_by())
            .set_network_configuration(place.network.clone())
            .set_capacity_provider_strategy(given(&place.capacity))
            .set_launch_type(place.launch_type.clone())
            .set_platform_version(place.platform_version.clone())
            .set_placement_constraints(given(&place.constraints))
            .set_overrides(overrides(task));
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => {
                let earlier = match error.as_service_error() {
                    Some(RunTaskError::ConflictException(known)) => known.resource_ids().first(),
                    _ => None,
                };
                return match earlier {
                    Some(arn) => Ok(Placement::Started(arn.clone())),
                    None => Err(AwsError::from_sdk(RUN)(error)),
                };
            }
        };

        if let Some(arn) = answer.tasks().first().and_then(Task::task_arn) {
            return Ok(Placement::Started(arn.to_owned()));
        }
        let mut reasons: Vec<String> = answer.failures().iter().map(reason).collect();
        reasons.dedup();
        if reasons.is_empty() {
            return Err(AwsError::unexpected(RUN, "neither a task nor a failure"));
        }
        Ok(Placement::NotPlaced(reasons))
    }

    /// The ARN of the task of a family that was started by this, if ECS lists it. Stopped tasks are
    /// listed for an hour.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn task_started_by(
        &self,
        cluster: &str,
        family: &str,
        started_by: &str,
    ) -> Result<Option<String>, AwsError> {
        for status in [DesiredStatus::Running, DesiredStatus::Stopped] {
            let mut pages = Pages::new(LIST);
            while let Some(start) = pages.next_start()? {
                let listed = self
                    .clients
                    .ecs()
                    .list_tasks()
                    .family(family)
                    .desired_status(status.clone());
                let (tasks, next) = self.tasks_page(cluster, listed, start).await?;
                let mut tasks = tasks.iter();
                let own = tasks.find(|task| task.started_by() == Some(started_by));
                if let Some(arn) = own.and_then(Task::task_arn) {
                    return Ok(Some(arn.to_owned()));
                }
                pages.go_on(next);
            }
        }
        Ok(None)
    }

    /// A task; `None` if ECS does not know it, or no longer.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn one_off_task(
        &self,
        cluster: &str,
        arn: &str,
    ) -> Result<Option<TaskView>, AwsError> {
        let request = self
            .clients
            .ecs()
            .describe_tasks()
            .cluster(cluster)
            .tasks(arn);
        let answer = request
            .send()
            .await
            .map_err(AwsError::from_sdk("ecs:DescribeTasks"))?;
        Ok(answer.tasks().first().map(view))
    }

    /// Stops a task.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn stop_task(&self, cluster: &str, arn: &str, reason: &str) -> Result<(), AwsError> {
        let request = self
            .clients
            .ecs()
            .stop_task()
            .cluster(cluster)
            .task(arn)
            .reason(reason);
        let answer = request.send().await;
        answer.map(drop).map_err(AwsError::from_sdk("ecs:StopTask"))
    }
}

/// A strategy of capacity providers and a launch type exclude each other (Amazon ECS API: RunTask).
/// Constraints of the service on instances apply, `distinctInstance` does not: it is about several
/// tasks.
fn place(service: &Service) -> TaskPlace {
    let capacity = service.capacity_provider_strategy().to_vec();
    let launch_type = service.launch_type().filter(|_| capacity.is_empty());
    let constraints = service.placement_constraints().iter();
    let of_instances =
        constraints.filter(|found| found.r#type() == Some(&PlacementConstraintType::MemberOf));
    TaskPlace {
        network: service.network_configuration().cloned(),
        launch_type: launch_type.cloned(),
        platform_version: service.platform_version().map(ToOwned::to_owned),
        constraints: of_instances.cloned().collect(),
        capacity,
    }
}

fn given<T: Clone>(items: &[T]) -> Option<Vec<T>> {
    (!items.is_empty()).then(|| items.to_vec())
}

fn overrides(task: &OneOffTask<'_>) -> Option<TaskOverride> {
    let (container, command) = task.command?;
    let of_container = ContainerOverride::builder()
        .name(container)
        .set_command(Some(command.to_vec()))
        .build();
    let all = TaskOverride::builder().container_overrides(of_container);
    Some(all.build())
}

/// Why no task was placed: a word, and a sentence if ECS adds one.
fn reason(failure: &Failure) -> String {
    let reason = failure.reason().unwrap_or("no reason");
    let text = match failure.detail() {
        Some(detail) => format!("{reason} ({detail})"),
        None => reason.to_owned(),
    };
    without_signatures(&text)
}

fn view(task: &Task) -> TaskView {
    TaskView {
        status: task.last_status().unwrap_or_default().to_owned(),
        is_stopping: task.desired_status() == Some("STOPPED"),
        stop_code: task
            .stop_code()
            .map(TaskStopCode::as_str)
            .map(ToOwned::to_owned),
        stopped_reason: task.stopped_reason().map(without_signatures),
        containers: task.containers().iter().map(container).collect(),
    }
}

fn container(container: &Container) -> ContainerView {
    ContainerView {
        name: container.name().unwrap_or_default().to_owned(),
        exit_code: container.exit_code(),
        reason: container.reason().map(without_signatures),
    }
}
