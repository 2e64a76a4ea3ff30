//! How ECS describes tasks: ListTasks and DescribeTasks.

use serde_json::{Value, json};

use crate::{ApiError, Aws};

use super::input::{CheckedInput, found_and_missing};
use super::{Container, Task, TaskState, invalid, losses};
use crate::text::short_name;

/// The most tasks of one DescribeTasks.
const MOST_TASKS: usize = 100;

pub(super) fn list(aws: &mut Aws, input: &CheckedInput) -> Result<Value, ApiError> {
    let cluster = input.cluster(aws)?;
    let stopped = match input.text("desiredStatus").unwrap_or("RUNNING") {
        "RUNNING" | "PENDING" => false,
        "STOPPED" => true,
        other => return Err(invalid(format!("Invalid desired status {other}"))),
    };
    let service = match input.text("serviceName") {
        Some(name) => {
            let service = aws.ecs.service_named(&cluster.name, short_name(name));
            Some(
                &service
                    .ok_or_else(|| {
                        ApiError::client("ServiceNotFoundException", "Service not found.")
                    })?
                    .arn,
            )
        }
        None => None,
    };
    let (family, launch_type, started_by) = (
        input.text("family"),
        input.text("launchType"),
        input.text("startedBy"),
    );
    let matches = |task: &&Task| {
        task.cluster == cluster.name
            && task.stopping == stopped
            && service.is_none_or(|service| *service == task.service)
            && family.is_none_or(|family| {
                short_name(&task.task_definition).split(':').next() == Some(family)
            })
            && launch_type.is_none_or(|launch_type| launch_type == task.launch_type)
            && started_by.is_none_or(|wanted| Some(wanted) == task.started_by())
    };

    // A task whose desired status is PENDING does not exist.
    let none = input.text("desiredStatus") == Some("PENDING");
    let arns = aws
        .ecs
        .tasks
        .values()
        .filter(|task| !none && matches(task))
        .map(|task| task.arn.clone())
        .collect();
    input.page(aws, "taskArns", arns, 100)
}

pub(super) fn describe(aws: &mut Aws, input: &CheckedInput) -> Result<Value, ApiError> {
    let with_tags = input.includes_tags(&[])?;
    let cluster = input.cluster(aws)?;
    let names = input.texts("tasks");
    if names.is_empty() {
        return Err(invalid("Tasks cannot be empty."));
    }
    if names.len() > MOST_TASKS {
        return Err(invalid(format!(
            "Tasks can have at most {MOST_TASKS} items."
        )));
    }

    let describe = |name: &str| {
        let arn = aws.arn("ecs", &format!("task/{}/{name}", cluster.name));
        let task = aws.ecs.tasks.get(&arn);
        let described = task.map(|task| view(aws, task, with_tags));
        (arn, described)
    };
    let described = names.into_iter().map(short_name).map(describe);
    Ok(found_and_missing("tasks", described))
}

/// A task that is stopping already stays as it is.
pub(super) fn stop(aws: &mut Aws, input: &CheckedInput) -> Result<Value, ApiError> {
    let cluster = input.cluster(aws)?.name.clone();
    let name = short_name(
        input
            .text("task")
            .ok_or_else(|| invalid("Task identifier is empty."))?,
    );
    let arn = aws.arn("ecs", &format!("task/{cluster}/{name}"));
    let stopping = aws.ecs.tasks.get(&arn).map(|task| task.stopping);
    let stopping = stopping.ok_or_else(|| invalid("The referenced task was not found."))?;

    if !stopping {
        losses::stop_task(
            aws,
            &arn,
            input.text("reason").unwrap_or("Task stopped by user"),
        );
    }
    Ok(json!({ "task": view(aws, &aws.ecs.tasks[&arn], true) }))
}

pub(super) fn view(aws: &Aws, task: &Task, with_tags: bool) -> Value {
    let cluster = aws
        .ecs
        .clusters
        .get(&task.cluster)
        .map(|cluster| &cluster.arn);
    let mut view = json!({
        "taskArn": task.arn, "clusterArn": cluster,
        "taskDefinitionArn": task.task_definition,
        "group": task.group(),
        "launchType": task.launch_type, "lastStatus": state(task.state),
        "desiredStatus": if task.stopping { "STOPPED" } else { "RUNNING" },
        "healthStatus": health(task),
        "createdAt": Aws::seconds(task.created_at),
        "version": task.state as u8 + 1, "attachments": [], "overrides": overrides(task),
        "containers": task.containers
            .iter()
            .map(|container| container_answer(aws, task, container))
            .collect::<Vec<_>>(),
        "tags": if with_tags { task.tags.clone() } else { Vec::new() },
    });
    let mut add = |member: &str, value: Option<Value>| {
        if let Some(value) = value {
            view[member] = value;
        }
    };
    add("startedBy", task.started_by().map(Value::from));
    add(
        "containerInstanceArn",
        task.instance.clone().map(Value::from),
    );
    add("startedAt", task.started_at.map(Aws::seconds));
    add("stoppingAt", task.stopping_at.map(Aws::seconds));
    add("stoppedAt", task.stopped_at.map(Aws::seconds));
    add("stopCode", task.stop_code.map(Value::from));
    add(
        "stoppedReason",
        task.stopped_reason.clone().map(Value::from),
    );
    view
}

fn overrides(task: &Task) -> Value {
    match &task.standalone {
        Some(standalone) => standalone.overrides.clone(),
        None => json!({"containerOverrides": []}),
    }
}

fn container_answer(aws: &Aws, task: &Task, container: &Container) -> Value {
    let ended = container.exit_code.is_some() || task.state == TaskState::Stopped;
    let last_status = match task.state {
        _ if ended => "STOPPED",
        TaskState::Provisioning | TaskState::Pending => "PENDING",
        _ => "RUNNING",
    };

    let mut view = json!({
        "containerArn": format!(
            "{}/{}",
            task.arn.replacen(":task/", ":container/", 1),
            container.name
        ),
        "taskArn": task.arn, "name": container.name, "image": container.image,
        "lastStatus": last_status,
        "networkBindings": bindings(aws, task, container),
        "networkInterfaces": [],
        "healthStatus": if container.has_health_check { health(task) } else { "UNKNOWN" },
    });
    if task.host_ports.is_empty() && task.started_at.is_some() {
        view["networkInterfaces"] = json!([{"privateIpv4Address": task.address}]);
    }
    if let Some(code) = container.exit_code {
        view["exitCode"] = code.into();
    }
    if let Some(reason) = &container.reason {
        view["reason"] = reason.clone().into();
    }
    view
}

/// In the network mode `host` there are none: the container's ports are the instance's.
fn bindings(aws: &Aws, task: &Task, container: &Container) -> Value {
    let is_on_host = aws
        .ecs
        .definition(&task.task_definition)
        .is_some_and(|definition| definition.network_mode() == "host");
    let is_bound = task.started_at.is_some() && !is_on_host;
    let ports = task
        .host_ports
        .iter()
        .filter(|((name, _), _)| *name == container.name && is_bound);
    ports.map(|((_, port), host_port)| json!({
        "bindIP": "0.0.0.0", "containerPort": port, "hostPort": host_port, "protocol": "tcp",
    })).collect()
}

/// HEALTHY or UNHEALTHY come from the containers' own health checks only.
fn health(task: &Task) -> &'static str {
    let has_check = task
        .containers
        .iter()
        .any(|container| container.has_health_check);
    match (has_check, task.never_healthy() && task.stopping) {
        (true, true) => "UNHEALTHY",
        (true, false) if task.healthy => "HEALTHY",
        _ => "UNKNOWN",
    }
}

fn state(state: TaskState) -> &'static str {
    match state {
        TaskState::Provisioning => "PROVISIONING",
        TaskState::Pending => "PENDING",
        TaskState::Running => "RUNNING",
        TaskState::Deactivating => "DEACTIVATING",
        TaskState::Stopping => "STOPPING",
        TaskState::Deprovisioning => "DEPROVISIONING",
        TaskState::Stopped => "STOPPED",
    }
}
