//! The health of a service's targets: those of its own tasks, because several services can register
//! with one target group.
//!
//! It only observes. A target that is no task of the service never counts as healthy.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecs::types::Task;
use aws_sdk_elasticloadbalancingv2::types::{
    TargetDescription, TargetHealthDescription, TargetHealthStateEnum,
};

use super::clusters::describe_instances;
use super::{AwsError, ObservedService, Services};

/// Where the tasks of a service can be registered: by address, or by instance and host port.
#[derive(Debug, Default)]
struct Addresses {
    addresses: BTreeSet<String>,
    /// Instance, container port, host port.
    bindings: BTreeSet<(String, i32, i32)>,
    /// Instances with tasks of the network mode `host`, whose container ports are the instance's.
    hosts: BTreeSet<String>,
}

impl Addresses {
    fn contains(&self, target: &TargetDescription, container_port: Option<i32>) -> bool {
        let id = target.id().unwrap_or_default();
        let same = |port: i32| container_port.is_none_or(|wanted| wanted == port);
        let has_own_port = self.addresses.contains(id) || self.hosts.contains(id);

        (has_own_port && target.port().is_none_or(same))
            || self.bindings.iter().any(|(instance, container, host)| {
                instance == id && target.port() == Some(*host) && same(*container)
            })
    }
}

impl Services {
    /// Adds the health of its targets to a service that was described.
    ///
    /// # Errors
    /// When a call fails.
    pub(crate) async fn observe_targets(
        &self,
        observed: &mut ObservedService,
    ) -> Result<(), AwsError> {
        let mut targets = Vec::new();
        for group in &observed.view.target_groups {
            targets.push(self.targets(&group.arn).await?);
        }

        // Tasks are read after the targets: what was healthy before is listed by then.
        let addresses = if targets.iter().flatten().any(is_healthy) {
            let (cluster, service) = observed.name();
            self.addresses(cluster, service).await?
        } else {
            Addresses::default()
        };

        let groups = observed.view.target_groups.iter_mut();
        for ((group, targets), port) in groups.zip(&targets).zip(&observed.ports) {
            let ours = targets.iter().filter(|target| {
                is_healthy(target)
                    && target
                        .target()
                        .is_some_and(|target| addresses.contains(target, *port))
            });
            group.healthy = number(ours.count());
            group.registered = number(targets.iter().filter(|target| !drains(target)).count());
        }
        Ok(())
    }

    async fn targets(&self, group: &str) -> Result<Vec<TargetHealthDescription>, AwsError> {
        let request = self.elb.describe_target_health().target_group_arn(group);
        let answer = request.send().await.map_err(AwsError::from_sdk(
            "elasticloadbalancing:DescribeTargetHealth",
        ))?;
        Ok(answer.target_health_descriptions.unwrap_or_default())
    }

    async fn addresses(&self, cluster: &str, service: &str) -> Result<Addresses, AwsError> {
        let tasks = self.running_tasks(cluster, service).await?;
        let on_instances: BTreeSet<&str> = tasks
            .iter()
            .filter_map(|task| task.container_instance_arn())
            .collect();
        let instances = self.instances(cluster, &on_instances).await?;

        let mut addresses = Addresses::default();
        for task in &tasks {
            addresses.addresses.extend(own_addresses(task));
            let instance = task
                .container_instance_arn()
                .and_then(|arn| instances.get(arn));
            if let Some(instance) = instance {
                addresses.bindings.extend(host_ports(task, instance));
                let own = is_on_host_network(task).then(|| instance.clone());
                addresses.hosts.extend(own);
            }
        }
        Ok(addresses)
    }

    /// The EC2 instances of container instances, by the ARN of these.
    async fn instances(
        &self,
        cluster: &str,
        arns: &BTreeSet<&str>,
    ) -> Result<BTreeMap<String, String>, AwsError> {
        let arns: Vec<String> = arns.iter().map(|arn| (*arn).to_owned()).collect();
        let found = describe_instances(&self.ecs, cluster, &arns).await?;
        let ids = found.into_iter().filter_map(|instance| {
            let arn = instance.container_instance_arn?;
            Some((arn, instance.ec2_instance_id?))
        });
        Ok(ids.collect())
    }
}

fn is_healthy(target: &TargetHealthDescription) -> bool {
    state(target) == Some(&TargetHealthStateEnum::Healthy)
}

fn drains(target: &TargetHealthDescription) -> bool {
    matches!(
        state(target),
        Some(TargetHealthStateEnum::Draining | TargetHealthStateEnum::UnhealthyDraining)
    )
}

fn state(target: &TargetHealthDescription) -> Option<&TargetHealthStateEnum> {
    target.target_health()?.state()
}

fn own_addresses(task: &Task) -> impl Iterator<Item = String> {
    task.containers()
        .iter()
        .flat_map(|container| container.network_interfaces())
        .flat_map(|interface| [interface.private_ipv4_address(), interface.ipv6_address()])
        .flatten()
        .map(ToOwned::to_owned)
}

/// Of a running task in the network mode `host` ECS shows neither addresses nor bindings
/// (aws/amazon-ecs-agent, pull request 3479).
fn is_on_host_network(task: &Task) -> bool {
    let mut containers = task.containers().iter();
    task.last_status() == Some("RUNNING")
        && containers.all(|container| {
            container.network_interfaces().is_empty() && container.network_bindings().is_empty()
        })
}

fn host_ports(task: &Task, instance: &str) -> impl Iterator<Item = (String, i32, i32)> {
    task.containers()
        .iter()
        .flat_map(|container| container.network_bindings())
        .filter_map(move |binding| {
            let ports = (binding.container_port()?, binding.host_port()?);
            Some((instance.to_owned(), ports.0, ports.1))
        })
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
