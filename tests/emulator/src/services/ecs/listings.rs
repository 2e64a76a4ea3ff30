//! Lists by which users find resources: clusters, families and container instances.

use serde_json::{Value, json};

use crate::{ApiError, Aws};

use super::input::{CheckedInput, found_and_missing};
use super::{ContainerInstance, invalid};
use crate::text::short_name;

/// The most container instances of one DescribeContainerInstances.
const MOST_INSTANCES: usize = 100;

pub(super) fn clusters(aws: &mut Aws, input: &CheckedInput) -> Result<Value, ApiError> {
    input.page(
        aws,
        "clusterArns",
        aws.ecs
            .clusters
            .values()
            .map(|cluster| cluster.arn.clone())
            .collect(),
        100,
    )
}

/// A family is ACTIVE while one of its revisions is.
pub(super) fn families(aws: &mut Aws, input: &CheckedInput) -> Result<Value, ApiError> {
    let prefix = input.text("familyPrefix").unwrap_or_default();
    let wanted = match input.text("status").unwrap_or("ALL") {
        "ALL" => None,
        "ACTIVE" => Some(true),
        "INACTIVE" => Some(false),
        other => return Err(invalid(format!("Invalid status {other}"))),
    };
    let families = aws.ecs.families.iter().filter(|(name, revisions)| {
        let active = revisions.iter().any(|definition| definition.active);
        name.starts_with(prefix) && wanted.is_none_or(|wanted| wanted == active)
    });

    input.page(
        aws,
        "families",
        families.map(|(name, _)| name.clone()).collect(),
        100,
    )
}

pub(super) fn container_instances(aws: &mut Aws, input: &CheckedInput) -> Result<Value, ApiError> {
    let cluster = input.cluster(aws)?;
    let status = input.text("status");
    let instances = aws.ecs.instances.values().filter(|instance| {
        instance.cluster == cluster.name && status.is_none_or(|status| status == instance.status())
    });

    input.page(
        aws,
        "containerInstanceArns",
        instances.map(|instance| instance.arn.clone()).collect(),
        100,
    )
}

pub(super) fn describe_container_instances(
    aws: &mut Aws,
    input: &CheckedInput,
) -> Result<Value, ApiError> {
    let cluster = input.cluster(aws)?;
    let names = input.texts("containerInstances");
    if names.is_empty() {
        return Err(invalid("Container instances cannot be empty."));
    }
    if names.len() > MOST_INSTANCES {
        return Err(invalid(format!(
            "Container instances can have at most {MOST_INSTANCES} items."
        )));
    }

    let describe = |name: &str| {
        let resource = format!("container-instance/{}/{name}", cluster.name);
        let arn = aws.arn("ecs", &resource);
        let found = aws.ecs.instances.get(&arn);
        let described = found.map(|found| instance(aws, found));
        (arn, described)
    };
    let described = names.into_iter().map(short_name).map(describe);
    Ok(found_and_missing("containerInstances", described))
}

/// A container instance as ECS describes it.
pub(super) fn instance(aws: &Aws, instance: &ContainerInstance) -> Value {
    let tasks = || {
        aws.ecs
            .tasks
            .values()
            .filter(|task| task.instance.as_ref() == Some(&instance.arn))
    };
    let reserved = ContainerInstance::RESERVED.into_iter();
    let held = instance.ports.iter().copied();
    json!({
        "registeredResources": port_resources(reserved.clone()),
        "remainingResources": port_resources(reserved.chain(held)),
        "containerInstanceArn": instance.arn, "ec2InstanceId": instance.ec2_id,
        "status": instance.status(), "agentConnected": true,
        "runningTasksCount": tasks().filter(|task| task.is_running()).count(),
        "pendingTasksCount": tasks().filter(|task| task.is_pending()).count(),
        "attributes": [], "attachments": [], "tags": [],
    })
}

/// These ports as resources of an instance, taken for both protocols.
fn port_resources(ports: impl Iterator<Item = u16>) -> Value {
    let ports: Vec<String> = ports.map(|port| port.to_string()).collect();
    let resource = |name: &str| {
        json!({
            "name": name, "type": "STRINGSET", "stringSetValue": ports,
            "integerValue": 0, "longValue": 0, "doubleValue": 0.0,
        })
    };
    json!([resource("PORTS"), resource("PORTS_UDP")])
}
