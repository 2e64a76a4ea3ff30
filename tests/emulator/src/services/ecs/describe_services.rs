//! How ECS describes services: DescribeServices and ListServices.

use serde_json::{Value, json};

use crate::{ApiError, Aws};

use super::input::{CheckedInput, found_and_missing};
use super::{
    Deployment, DeploymentStatus, RolloutState, Service, ServiceStatus, Task, invalid,
    service_rules, services,
};
use crate::text::short_name;

/// The most services of one DescribeServices.
const MOST_SERVICES: usize = 10;

pub(super) fn describe(aws: &mut Aws, input: &CheckedInput) -> Result<Value, ApiError> {
    let with_tags = input.includes_tags(&[])?;
    let cluster = input.cluster(aws)?;
    let names = input.texts("services");
    if names.is_empty() {
        return Err(invalid("Services cannot be empty."));
    }
    if names.len() > MOST_SERVICES {
        return Err(invalid(format!(
            "service names can have at most {MOST_SERVICES} items."
        )));
    }

    let describe = |name: &str| {
        let arn = aws.arn("ecs", &format!("service/{}/{name}", cluster.name));
        let service = aws.ecs.service_named(&cluster.name, name);
        (arn, service.map(|service| view(aws, service, with_tags)))
    };
    let described = names.into_iter().map(short_name).map(describe);
    Ok(found_and_missing("services", described))
}

/// What DescribeServices returns about a service now, even while reads lag behind; nothing if the
/// cluster does not have it.
pub fn description(aws: &Aws, cluster: &str, name: &str) -> Option<Value> {
    let service = aws.ecs.service_named(cluster, name)?;
    Some(view(aws, service, false))
}

pub(super) fn list(aws: &mut Aws, input: &CheckedInput) -> Result<Value, ApiError> {
    let cluster = input.cluster(aws)?;
    let launch_type = input.text("launchType");
    let services = aws.ecs.services.values().filter(|service| {
        service.cluster == cluster.name && service.status != ServiceStatus::Inactive
    });
    let services = services.filter(|service| {
        launch_type.is_none_or(|wanted| wanted == service_rules::launch_type(&service.settings))
    });

    input.page(
        aws,
        "serviceArns",
        services.map(|service| service.arn.clone()).collect(),
        10,
    )
}

pub(super) fn view(aws: &Aws, service: &Service, with_tags: bool) -> Value {
    let tasks = || aws.ecs.tasks_of(&service.arn);
    let current = service.primary().or(service.last_completed.as_ref());
    let mut view = json!({
        "serviceArn": service.arn, "serviceName": service.name, "clusterArn": service.cluster_arn,
        "status": status(service.status), "desiredCount": service.desired_count,
        "runningCount": tasks().filter(|task| task.is_running()).count(),
        "pendingCount": tasks().filter(|task| task.is_pending()).count(),
        "taskDefinition": current.map(|deployment| &deployment.task_definition),
        "deployments": null,
        "roleArn": aws.global_arn(
            "iam",
            "role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
        ),
        "events": null,
        "createdAt": Aws::seconds(service.created_at),
        "createdBy": aws.global_arn("sts", "assumed-role/sandbox/sandbox"),
    });

    // `json!` would copy these once more.
    view["deployments"] = service
        .deployments
        .iter()
        .map(|deployment| deployment_answer(aws, service, deployment))
        .collect();
    view["events"] = service.events.iter().cloned().collect();

    let shown = service.settings.iter();
    for (member, value) in
        shown.filter(|(member, _)| !services::OF_DEPLOYMENT_ONLY.contains(&member.as_str()))
    {
        view[member] = value.clone();
    }
    if with_tags && !service.tags.is_empty() {
        view["tags"] = service.tags.clone().into();
    }
    view
}

fn deployment_answer(aws: &Aws, service: &Service, deployment: &Deployment) -> Value {
    let tasks = || {
        aws.ecs
            .tasks_of(&service.arn)
            .filter(|task| task.deployment == deployment.id)
    };
    let desired_count = match deployment.status {
        DeploymentStatus::Primary => service.desired_count as usize,
        _ => tasks().filter(|task| task.is_live()).count(),
    };

    let mut view = json!({
        "id": deployment.id,
        "status": deployment_status(deployment.status),
        "taskDefinition": deployment.task_definition,
        "desiredCount": desired_count,
        "pendingCount": tasks().filter(|task| Task::is_pending(task)).count(),
        "runningCount": tasks().filter(|task| Task::is_running(task)).count(),
        "failedTasks": deployment.failed_tasks,
        "createdAt": Aws::seconds(deployment.created_at),
        "updatedAt": Aws::seconds(deployment.updated_at),
    });
    if !service.is_behind_classic() {
        view["rolloutState"] = rollout_state(deployment.rollout).into();
        view["rolloutStateReason"] = deployment.reason.clone().into();
    }
    for member in services::OF_DEPLOYMENT.iter().filter(|member| {
        !["loadBalancers", "serviceRegistries", "enableExecuteCommand"].contains(member)
    }) {
        if let Some(value) = deployment.settings.get(*member) {
            view[*member] = value.clone();
        }
    }
    view
}

fn status(status: ServiceStatus) -> &'static str {
    match status {
        ServiceStatus::Active => "ACTIVE",
        ServiceStatus::Draining => "DRAINING",
        ServiceStatus::Inactive => "INACTIVE",
    }
}

fn deployment_status(status: DeploymentStatus) -> &'static str {
    match status {
        DeploymentStatus::Primary => "PRIMARY",
        DeploymentStatus::Active => "ACTIVE",
        DeploymentStatus::Inactive => "INACTIVE",
    }
}

fn rollout_state(state: RolloutState) -> &'static str {
    match state {
        RolloutState::InProgress => "IN_PROGRESS",
        RolloutState::Completed => "COMPLETED",
        RolloutState::Failed => "FAILED",
    }
}
