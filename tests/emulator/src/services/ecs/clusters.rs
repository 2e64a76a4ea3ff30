//! Clusters and the instances in them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{ApiError, Aws};

use super::input::{CheckedInput, found_and_missing};
use super::{Cluster, ContainerInstance, ServiceStatus, invalid, listings, scheduler, tags};
use crate::text::short_name;

pub(super) fn create(aws: &mut Aws, input: &CheckedInput) -> Result<Value, ApiError> {
    let name = input.text("clusterName").unwrap_or("default").to_owned();
    if name.len() > 255
        || !name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter))
    {
        return Err(invalid(format!(
            "Cluster must match ^[a-zA-Z0-9\\-_]{{1,255}}$, but was {name}"
        )));
    }

    tags::check(input.list("tags"))?;

    let arn = aws.arn("ecs", &format!("cluster/{name}"));
    let settings = input
        .0
        .iter()
        .filter(|(member, _)| !["clusterName", "tags"].contains(&member.as_str()));
    let settings = settings
        .map(|(member, value)| (member.clone(), value.clone()))
        .collect();
    let cluster = Cluster {
        name: name.clone(),
        arn,
        tags: input.list("tags").to_vec(),
        settings,
    };
    let cluster = aws
        .ecs
        .clusters
        .entry(name.clone())
        .or_insert(cluster)
        .clone();

    Ok(json!({"cluster": view(aws, &cluster, true)}))
}

pub(super) fn describe(aws: &mut Aws, input: &CheckedInput) -> Result<Value, ApiError> {
    let with_tags =
        input.includes_tags(&["ATTACHMENTS", "CONFIGURATIONS", "SETTINGS", "STATISTICS"])?;
    let mut names = input.texts("clusters");
    if names.is_empty() {
        names.push("default");
    }

    if names.len() > 100 {
        return Err(invalid("Clusters cannot have more than 100 elements."));
    }

    let describe = |name: &str| {
        let arn = aws.arn("ecs", &format!("cluster/{name}"));
        let cluster = aws.ecs.clusters.get(name);
        (arn, cluster.map(|cluster| view(aws, cluster, with_tags)))
    };
    let described = names.into_iter().map(short_name).map(describe);
    Ok(found_and_missing("clusters", described))
}

fn view(aws: &Aws, cluster: &Cluster, with_tags: bool) -> Value {
    let tasks = || {
        aws.ecs
            .tasks
            .values()
            .filter(|task| task.cluster == cluster.name)
    };
    let services = aws.ecs.services.values().filter(|service| {
        service.cluster == cluster.name && service.status == ServiceStatus::Active
    });

    let mut view = json!({
        "clusterArn": cluster.arn, "clusterName": cluster.name, "status": "ACTIVE",
        "registeredContainerInstancesCount": aws.ecs.instances
            .values()
            .filter(|instance| instance.cluster == cluster.name)
            .count(),
        "runningTasksCount": tasks().filter(|task| task.is_running()).count(),
        "pendingTasksCount": tasks().filter(|task| task.is_pending()).count(),
        "activeServicesCount": services.count(), "statistics": [],
        "settings": [{"name": "containerInsights", "value": "disabled"}],
        "capacityProviders": [], "defaultCapacityProviderStrategy": [],
        "tags": if with_tags { cluster.tags.clone() } else { Vec::new() },
    });
    for (member, value) in &cluster.settings {
        view[member] = value.clone();
    }
    view
}

/// Deletes a cluster that is empty. AWS still finds it for a while, as INACTIVE.
pub(super) fn delete(aws: &mut Aws, input: &CheckedInput) -> Result<Value, ApiError> {
    let cluster = input.cluster(aws)?.clone();
    let mut described = view(aws, &cluster, true);
    let is_busy = |member: &str| described[member] != 0;
    let has_services = aws.ecs.services.values().any(|service| {
        service.cluster == cluster.name && service.status != ServiceStatus::Inactive
    });
    let content = if is_busy("registeredContainerInstancesCount") {
        Some((
            "ContainerInstances",
            "Container Instances are active or draining",
        ))
    } else if has_services {
        Some(("Services", "Services are active"))
    } else if is_busy("runningTasksCount") || is_busy("pendingTasksCount") {
        Some(("Tasks", "Tasks are active"))
    } else {
        None
    };
    if let Some((content, state)) = content {
        return Err(ApiError::client(
            &format!("ClusterContains{content}Exception"),
            format!("The Cluster cannot be deleted while {state}."),
        ));
    }

    aws.ecs.clusters.remove(&cluster.name);
    described["status"] = "INACTIVE".into();
    Ok(json!({ "cluster": described }))
}

/// Drains instances, or makes them take tasks again. Tasks of services on those that drain are
/// replaced; those of RunTask stay.
pub(super) fn update_instances(aws: &mut Aws, input: &CheckedInput) -> Result<Value, ApiError> {
    let cluster = input.cluster(aws)?.name.clone();
    let draining = match input.text("status") {
        Some("DRAINING") => true,
        Some("ACTIVE") => false,
        other => {
            let found = other.unwrap_or_default();
            return Err(invalid(format!(
                "Invalid container instance status {found}"
            )));
        }
    };

    let names = input.texts("containerInstances").into_iter();
    let mut updated = Vec::new();
    for name in names.map(short_name) {
        let arn = aws.arn("ecs", &format!("container-instance/{cluster}/{name}"));
        let instance = aws.ecs.instances.get_mut(&arn).map(|instance| {
            instance.draining = draining;
            instance.clone()
        });
        let described = instance.map(|instance| listings::instance(aws, &instance));
        updated.push((arn, described));
    }
    wake_services(aws, &cluster);
    Ok(found_and_missing("containerInstances", updated.into_iter()))
}

/// Lets the scheduler look at every service of a cluster at once.
pub(super) fn wake_services(aws: &mut Aws, cluster: &str) {
    let services = aws.ecs.services.values();
    let services: Vec<String> = services
        .filter(|service| service.cluster == cluster)
        .map(|service| service.arn.clone())
        .collect();
    for service in services {
        scheduler::wake_after(aws, &service, Duration::ZERO);
    }
}

/// Adds EC2 capacity to a cluster: `count` instances, each with host ports of its own.
pub fn add_container_instances(aws: &mut Aws, cluster: &str, count: u32) {
    for _ in 0..count {
        let (id, ec2_id) = (aws.hex(32), format!("i-{}", aws.hex(17)));
        let arn = aws.arn("ecs", &format!("container-instance/{cluster}/{id}"));
        let instance = ContainerInstance {
            arn: arn.clone(),
            ec2_id,
            cluster: cluster.to_owned(),
            draining: false,
            ports: Default::default(),
        };
        aws.ecs.instances.insert(arn, instance);
    }
}
