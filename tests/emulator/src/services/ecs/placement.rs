//! Where a task can run: anywhere on Fargate, on an instance with its host ports free on EC2.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::Aws;
use crate::text::short_name;

use super::{ContainerInstance, Deployment, TaskState, service_rules};

/// Where a task will run.
#[derive(Clone, Debug)]
pub(super) struct TaskPlacement {
    pub(super) launch_type: &'static str,
    pub(super) instance: Option<String>,
    pub(super) host_ports: BTreeMap<(String, u16), u16>,
}

/// A port that a container requests; host port 0 takes any free one.
struct PortRequest {
    container: String,
    port: u16,
    host_port: u16,
}

/// The first ephemeral port that ECS gives out.
const FIRST_EPHEMERAL: u16 = 32_768;

/// A task that needs an instance.
#[derive(Clone, Debug)]
pub(super) struct OnInstance {
    pub(super) cluster: String,
    pub(super) definition: String,
    /// The group over whose tasks it is spread.
    pub(super) group: String,
    /// Whether no instance may have two of these tasks.
    pub(super) alone: bool,
}

impl ContainerInstance {
    /// The ports that the agent reserves as it registers the instance: of SSH, Docker and itself.
    pub(super) const RESERVED: [u16; 5] = [22, 2375, 2376, 51_678, 51_679];

    /// Whether a task can have a port; 0 is any that is free.
    fn has_free(&self, port: u16) -> bool {
        !self.ports.contains(&port) && !Self::RESERVED.contains(&port)
    }
}

impl TaskPlacement {
    pub(super) fn on_fargate() -> Self {
        Self {
            launch_type: "FARGATE",
            instance: None,
            host_ports: BTreeMap::new(),
        }
    }
}

/// Finds a place for one more task of a deployment of a service and takes its host ports; or
/// returns why there is none.
pub(super) fn place(
    aws: &mut Aws,
    service: &str,
    deployment: &Deployment,
) -> Result<TaskPlacement, String> {
    let service = &aws.ecs.services[service];
    if service_rules::launch_type(&deployment.settings) == "FARGATE" {
        return Ok(TaskPlacement::on_fargate());
    }

    let task = OnInstance {
        cluster: service.cluster.clone(),
        definition: deployment.task_definition.clone(),
        group: format!("service:{}", service.name),
        alone: needs_own_instance(&service.settings),
    };
    on_instance(aws, &task)
}

/// Like `place`, on the instances of a cluster.
pub(super) fn on_instance(aws: &mut Aws, task: &OnInstance) -> Result<TaskPlacement, String> {
    let port_requests = port_requests(aws, &task.definition);
    let best = best_instance(aws, task, &port_requests)?;
    let instance = aws
        .ecs
        .instances
        .get_mut(&best)
        .expect("the instance was just found");
    let host_ports = port_requests
        .into_iter()
        .map(|request| {
            (
                (request.container, request.port),
                take(&mut instance.ports, request.host_port),
            )
        })
        .collect();

    Ok(TaskPlacement {
        launch_type: "EC2",
        instance: Some(best),
        host_ports,
    })
}

/// The instance that has all ports free and the fewest tasks of the group; or why there is none.
fn best_instance(
    aws: &Aws,
    task: &OnInstance,
    port_requests: &[PortRequest],
) -> Result<String, String> {
    let instances = || {
        aws.ecs
            .instances
            .values()
            .filter(|instance| instance.takes_tasks_of(&task.cluster))
    };
    let Some(any) = instances().next() else {
        return Err(
            "Reason: No Container Instances were found in your cluster. For more \
            information, see the Troubleshooting section of the Amazon ECS Developer Guide."
                .to_owned(),
        );
    };

    let tasks_on = |instance: &ContainerInstance| {
        let tasks = aws.ecs.tasks.values().filter(|other| {
            other.instance.as_ref() == Some(&instance.arn) && other.state != TaskState::Stopped
        });
        tasks.filter(|other| other.group() == task.group).count()
    };
    let fitting = instances().filter(|instance| {
        port_requests
            .iter()
            .all(|request| instance.has_free(request.host_port))
    });

    // Spread over the instances, as services without a placement strategy do over zones.
    let best = fitting
        .filter(|instance| !task.alone || tasks_on(instance) == 0)
        .min_by_key(|instance| tasks_on(instance));
    best.map(|instance| instance.arn.clone()).ok_or_else(|| {
        let id = short_name(&any.arn);
        format!(
            "The closest matching (container-instance {id}) is already using a port required by \
             your task. For more information, see the Troubleshooting section of the Amazon ECS \
             Developer Guide."
        )
    })
}

/// Gives the host ports of a task back.
pub(super) fn release(
    aws: &mut Aws,
    instance: Option<&str>,
    host_ports: &BTreeMap<(String, u16), u16>,
) {
    let Some(instance) = instance.and_then(|arn| aws.ecs.instances.get_mut(arn)) else {
        return;
    };
    instance
        .ports
        .retain(|port| !host_ports.values().any(|taken| taken == port));
}

fn take(ports: &mut BTreeSet<u16>, host_port: u16) -> u16 {
    let port = match host_port {
        0 => (FIRST_EPHEMERAL..=u16::MAX)
            .find(|port| !ports.contains(port))
            .unwrap_or(FIRST_EPHEMERAL),
        fixed => fixed,
    };
    ports.insert(port);
    port
}

/// The ports that a task needs on its host. In awsvpc mode every task has an interface of its own
/// and needs none.
fn port_requests(aws: &Aws, definition: &str) -> Vec<PortRequest> {
    let Some(mode) = aws
        .ecs
        .definition(definition)
        .map(|definition| definition.network_mode().to_owned())
    else {
        return Vec::new();
    };
    if ["awsvpc", "none"].contains(&mode.as_str()) {
        return Vec::new();
    }

    let mut port_requests = Vec::new();
    for container in aws.ecs.containers_of(definition) {
        for mapping in container["portMappings"].as_array().into_iter().flatten() {
            let number = |member: &str| {
                mapping[member]
                    .as_u64()
                    .and_then(|port| u16::try_from(port).ok())
            };
            let Some(port) = number("containerPort") else {
                continue;
            };

            let host_port = number("hostPort").unwrap_or(if mode == "host" { port } else { 0 });
            port_requests.push(PortRequest {
                container: container["name"].as_str().unwrap_or_default().to_owned(),
                port,
                host_port,
            });
        }
    }
    port_requests
}

pub(super) fn needs_own_instance(settings: &Map<String, Value>) -> bool {
    let constraints = settings
        .get("placementConstraints")
        .and_then(Value::as_array);
    constraints
        .into_iter()
        .flatten()
        .any(|constraint| constraint["type"] == "distinctInstance")
}
