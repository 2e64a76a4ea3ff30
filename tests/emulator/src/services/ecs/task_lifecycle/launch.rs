//! A new task: what it is made of, and what its containers meet when their images are pulled.

use serde_json::Value;

use crate::Aws;
use crate::ecr::{self, Behaviour};
use crate::ecs::placement::Place;
use crate::ecs::{Attachment, Container, Service, Task, TaskState, service_rules};

use super::{TaskStep, later};

/// Starts a task of a service's primary deployment; answers its ARN.
pub(crate) fn create(aws: &mut Aws, service: &str, place: Place) -> Option<String> {
    let id = aws.hex(32);
    aws.ecs.tasks_started += 1;
    let task = new_task(aws, aws.ecs.services.get(service)?, place, &id)?;

    let arn = task.arn.clone();
    let wait = if task.launch_type == "FARGATE" {
        10_000..22_000
    } else {
        1000..4000
    };
    aws.ecs.tasks.insert(arn.clone(), task);
    later(aws, &arn, TaskStep::Pull, wait);

    Some(arn)
}

/// The task of a service that was started last, before anything has happened to it.
fn new_task(aws: &Aws, service: &Service, place: Place, id: &str) -> Option<Task> {
    let number = aws.ecs.tasks_started;
    let primary = service.primary()?;
    let containers = aws
        .ecs
        .containers_of(&primary.task_definition)
        .iter()
        .map(container)
        .collect();

    Some(Task {
        arn: aws.arn("ecs", &format!("task/{}/{id}", service.cluster)),
        cluster: service.cluster.clone(),
        service: service.arn.clone(),
        deployment: primary.id.clone(),
        task_definition: primary.task_definition.clone(),
        state: TaskState::Provisioning,
        stopping: false,
        healthy: false,
        created_at: aws.now,
        started_at: None,
        stopping_at: None,
        stopped_at: None,
        launch_type: place.launch_type.to_owned(),
        // Addresses are unique while fewer than 65,536 tasks live.
        address: format!("10.0.{}.{}", number / 256 % 256, number % 256),
        attachments: attachments(aws, &primary.settings, &place, number),
        instance: place.instance,
        containers,
        stop_code: None,
        stopped_reason: None,
        number,
        proven: false,
        unhealthy_since: None,
        soon_unhealthy: false,
        tags: propagated_tags(service),
        host_ports: place.host_ports,
    })
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

pub(super) fn container(definition: &Value) -> Container {
    Container {
        name: definition["name"].as_str().unwrap_or_default().to_owned(),
        image: definition["image"].as_str().unwrap_or_default().to_owned(),
        essential: definition["essential"] != false,
        fate: Ok(Behaviour::Healthy),
        has_health_check: !definition["healthCheck"].is_null(),
        exit_code: None,
        reason: None,
    }
}

/// Where the task will register: by its own address, or by its instance and host port.
pub(super) fn attachments(
    aws: &Aws,
    settings: &serde_json::Map<String, Value>,
    place: &Place,
    number: u64,
) -> Vec<Attachment> {
    let instance = place
        .instance
        .as_ref()
        .and_then(|arn| aws.ecs.instances.get(arn));
    let attachment = |balancer: &Value| {
        let name = balancer["containerName"].as_str()?.to_owned();
        let port = u16::try_from(balancer["containerPort"].as_u64()?).ok()?;
        let on_instance = instance.zip(place.host_ports.get(&(name, port)));
        let (target_id, port) = match on_instance {
            Some((instance, host_port)) => (instance.ec2_id.clone(), *host_port),
            None => (
                format!("10.0.{}.{}", number / 256 % 256, number % 256),
                port,
            ),
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

/// What a container meets when its image is pulled, or why it cannot be.
pub(super) fn fate(aws: &Aws, image: &str) -> Result<Behaviour, String> {
    #[cfg(test)]
    if let Some(fate) = crate::ecs::tests::fate(image) {
        return fate;
    }
    ecr::behaviour(aws, image).map_err(|text| {
        if text.starts_with("CannotPullContainerError") {
            text
        } else {
            format!("CannotPullContainerError: {text}")
        }
    })
}
