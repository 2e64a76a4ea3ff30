//! A new task: what it is made of, and what its containers meet when their images are pulled.

use serde_json::{Map, Value};

use crate::Aws;
use crate::ecr::{self, Behaviour};
use crate::ecs::placement::TaskPlacement;
use crate::ecs::run_task::RunRequest;
use crate::ecs::task::Standalone;
use crate::ecs::{
    Attachment, CommandEnd, Container, Deployment, DeploymentStatus, Service, Task, TaskState,
    service_rules,
};

use super::{TaskStep, later};

/// Starts a task of a deployment of a service; returns its ARN.
pub(crate) fn create(
    aws: &mut Aws,
    service: &str,
    deployment: &Deployment,
    place: TaskPlacement,
) -> Option<String> {
    let cluster = aws.ecs.services.get(service)?.cluster.clone();
    let mut task = unowned(aws, cluster, deployment.task_definition.clone(), place);

    let service = aws.ecs.services.get(service)?;
    task.service = service.arn.clone();
    task.deployment = deployment.id.clone();
    task.replaces = deployment.status != DeploymentStatus::Primary;
    task.attachments = attachments(aws, &deployment.settings, &task);
    task.tags = propagated_tags(service);
    Some(begin(aws, task))
}

/// Starts a task of RunTask; returns its ARN.
pub(crate) fn create_standalone(
    aws: &mut Aws,
    request: &RunRequest,
    place: TaskPlacement,
) -> String {
    let (cluster, definition) = (request.cluster.clone(), request.definition.clone());
    let mut task = unowned(aws, cluster, definition, place);
    for container in &mut task.containers {
        container.command_end = command_end(aws, &request.standalone, &container.name);
    }
    task.standalone = Some(request.standalone.clone());
    task.tags = request.tags.clone();
    begin(aws, task)
}

/// How the command ends that the overrides of a task give to a container.
fn command_end(aws: &Aws, standalone: &Standalone, container: &str) -> Option<CommandEnd> {
    let overrides = standalone.overrides["containerOverrides"].as_array()?;
    let given = overrides.iter().find(|given| given["name"] == container)?;
    let words = given["command"].as_array()?.iter();
    let words: Vec<&str> = words.filter_map(Value::as_str).collect();
    aws.ecs.commands.get(&words.join(" ")).copied()
}

/// A task that belongs to no service yet.
fn unowned(aws: &mut Aws, cluster: String, task_definition: String, place: TaskPlacement) -> Task {
    let id = aws.hex(32);
    aws.ecs.tasks_started += 1;
    let number = aws.ecs.tasks_started;
    let containers = aws
        .ecs
        .containers_of(&task_definition)
        .iter()
        .map(container)
        .collect();

    Task {
        arn: aws.arn("ecs", &format!("task/{cluster}/{id}")),
        cluster,
        service: String::new(),
        deployment: String::new(),
        task_definition,
        state: TaskState::Provisioning,
        stopping: false,
        healthy: false,
        created_at: aws.now,
        started_at: None,
        stopping_at: None,
        stopped_at: None,
        launch_type: place.launch_type.to_owned(),
        instance: place.instance,
        // Addresses are unique while fewer than 65,536 tasks live.
        address: format!("10.0.{}.{}", number / 256 % 256, number % 256),
        attachments: Vec::new(),
        containers,
        stop_code: None,
        stopped_reason: None,
        number,
        proven: false,
        moves: false,
        replaces: false,
        unhealthy_since: None,
        soon_unhealthy: false,
        standalone: None,
        tags: Vec::new(),
        host_ports: place.host_ports,
    }
}

/// The tags that the tasks of a service get from it.
fn propagated_tags(service: &Service) -> Vec<Value> {
    let from = service.settings.get("propagateTags");
    if from.is_some_and(|from| from == "SERVICE") {
        service.tags.clone()
    } else {
        Vec::new()
    }
}

/// Puts a task into the account; returns its ARN.
fn begin(aws: &mut Aws, task: Task) -> String {
    let arn = task.arn.clone();
    let wait = if task.launch_type == "FARGATE" {
        10_000..22_000
    } else {
        1000..4000
    };
    aws.ecs.tasks.insert(arn.clone(), task);
    later(aws, &arn, TaskStep::Pull, wait);

    arn
}

fn container(definition: &Value) -> Container {
    Container {
        name: definition["name"].as_str().unwrap_or_default().to_owned(),
        image: definition["image"].as_str().unwrap_or_default().to_owned(),
        essential: definition["essential"] != false,
        fate: Ok(Behaviour::Healthy),
        command_end: None,
        has_health_check: !definition["healthCheck"].is_null(),
        exit_code: None,
        reason: None,
    }
}

/// Where the task will register: by its own address, or by its instance and host port.
fn attachments(aws: &Aws, settings: &Map<String, Value>, task: &Task) -> Vec<Attachment> {
    let instance = task
        .instance
        .as_ref()
        .and_then(|arn| aws.ecs.instances.get(arn));
    let attachment = |balancer: &Value| {
        let name = balancer["containerName"].as_str()?.to_owned();
        let port = u16::try_from(balancer["containerPort"].as_u64()?).ok()?;
        let on_instance = instance.zip(task.host_ports.get(&(name, port)));
        let (target_id, port) = match on_instance {
            Some((instance, host_port)) => (instance.ec2_id.clone(), *host_port),
            None => (task.address.clone(), port),
        };

        Some(Attachment {
            target_group: balancer["targetGroupArn"].as_str()?.to_owned(),
            target_id,
            port,
        })
    };

    service_rules::load_balancers(settings)
        .iter()
        .filter_map(attachment)
        .collect()
}

/// What a container meets when its image is pulled with an execution role, or why it cannot be.
pub(super) fn fate(aws: &mut Aws, image: &str, role: &str) -> Result<Behaviour, String> {
    #[cfg(test)]
    if let Some(fate) = crate::ecs::tests::fate(image) {
        return fate;
    }
    ecr::pulled(aws, image, role).map_err(|text| {
        if text.starts_with("CannotPullContainerError") {
            text
        } else {
            format!("CannotPullContainerError: {text}")
        }
    })
}
