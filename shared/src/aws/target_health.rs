//! The health of a service's targets: those of its own tasks, because several services can register
//! with one target group.
//!
//! It only observes. A target that is not a task of the service never counts as healthy.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecs::types::Task;
use aws_sdk_elasticloadbalancingv2::types::{
    TargetDescription, TargetHealthDescription, TargetHealthReasonEnum, TargetHealthStateEnum,
};

use super::clusters::describe_instances;
use super::tasks::{times, times_of};
use super::{AwsError, ObservedService, Services};
use crate::observed::service::ServiceView;
use crate::observed::service::newcomers::Newcomers;

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
    /// Where tasks are registered. Instances are the EC2 ones by the ARNs of container instances.
    fn from_tasks<'a>(
        tasks: impl Iterator<Item = &'a Task>,
        instances: &BTreeMap<String, String>,
    ) -> Self {
        let mut addresses = Self::default();
        for task in tasks {
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
        addresses
    }

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
    /// Adds the health of its targets to a service that was described, and how many of its tasks
    /// have run for long enough.
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
        let (cluster, service) = (&observed.cluster, &observed.service);
        let tasks = if may_be_deployed(&observed.view, &targets) {
            self.running_tasks(cluster, service).await?
        } else {
            Vec::new()
        };
        let newcomers = self.count_tasks(observed, &tasks).await?;
        if targets.is_empty() {
            return Ok(());
        }

        let instances = self.instances(&observed.cluster, &tasks).await?;
        let addresses = Addresses::from_tasks(tasks.iter(), &instances);
        let primary = observed.view.primary().map(|primary| primary.id.as_str());
        let is_new = |task: &&Task| primary.is_some() && task.started_by() == primary;
        let of_primary = Addresses::from_tasks(tasks.iter().filter(is_new), &instances);
        let at = observed.view.observed_at;
        let is_newcomer =
            |task: &&Task| newcomers.is_some_and(|them| them.include(times_of(task), at));
        let of_newcomers = Addresses::from_tasks(tasks.iter().filter(is_newcomer), &instances);

        let groups = observed.view.target_groups.iter_mut();
        for ((group, targets), port) in groups.zip(&targets).zip(&observed.ports) {
            group.healthy = healthy_of(targets, &addresses, *port);
            group.healthy_newcomers = healthy_of(targets, &of_newcomers, *port);
            // No target of a group that no listener uses is healthy.
            let is_used = targets.iter().any(is_healthy);
            let unreachable = targets.iter().filter(|target| {
                is_used
                    && is_not_in_use(target)
                    && target
                        .target()
                        .is_some_and(|target| of_primary.contains(target, *port))
            });
            group.unreachable = number(unreachable.count());
            group.registered = number(targets.iter().filter(|target| !drains(target)).count());
        }
        Ok(())
    }

    /// Counts the tasks that have run for long enough, and the newcomers, which it returns. What
    /// stopped is read only if there are some.
    async fn count_tasks(
        &self,
        observed: &mut ObservedService,
        tasks: &[Task],
    ) -> Result<Option<Newcomers>, AwsError> {
        let times = times(tasks, &observed.view);
        observed.view.proven = observed.view.proven_of(&times);

        let Some(newcomers) = observed.view.newcomers_of(&times) else {
            return Ok(None);
        };
        if !self.may_replace_failed(observed, newcomers).await? {
            observed.view.newcomers = newcomers.count;
            return Ok(Some(newcomers));
        }
        Ok(None)
    }

    async fn targets(&self, group: &str) -> Result<Vec<TargetHealthDescription>, AwsError> {
        let request = self
            .clients
            .elb()
            .describe_target_health()
            .target_group_arn(group);
        let answer = request.send().await.map_err(AwsError::from_sdk(
            "elasticloadbalancing:DescribeTargetHealth",
        ))?;
        Ok(answer.target_health_descriptions.unwrap_or_default())
    }

    /// The EC2 instances that tasks run on, by the ARNs of their container instances.
    async fn instances(
        &self,
        cluster: &str,
        tasks: &[Task],
    ) -> Result<BTreeMap<String, String>, AwsError> {
        let arns: BTreeSet<&str> = tasks
            .iter()
            .filter_map(|task| task.container_instance_arn())
            .collect();
        let arns: Vec<String> = arns.into_iter().map(ToOwned::to_owned).collect();
        let found = describe_instances(self.clients.ecs(), cluster, &arns).await?;
        let ids = found.into_iter().filter_map(|instance| {
            let arn = instance.container_instance_arn?;
            Some((arn, instance.ec2_instance_id?))
        });
        Ok(ids.collect())
    }
}

/// Whether a service may have everything that it needs; otherwise the ages of its tasks are not
/// read.
fn may_be_deployed(view: &ServiceView, targets: &[Vec<TargetHealthDescription>]) -> bool {
    if targets.is_empty() {
        view.running > 0
    } else {
        targets.iter().flatten().any(is_healthy)
    }
}

/// How many targets of a group are healthy and tasks with these addresses.
fn healthy_of(
    targets: &[TargetHealthDescription],
    addresses: &Addresses,
    container_port: Option<i32>,
) -> u32 {
    let ours = targets.iter().filter(|target| {
        is_healthy(target)
            && target
                .target()
                .is_some_and(|target| addresses.contains(target, container_port))
    });
    number(ours.count())
}

fn is_healthy(target: &TargetHealthDescription) -> bool {
    state(target) == Some(&TargetHealthStateEnum::Healthy)
}

/// Beside healthy targets of the same group this means that the target's Availability Zone is not
/// enabled for the load balancer (Elastic Load Balancing API: TargetHealth).
fn is_not_in_use(target: &TargetHealthDescription) -> bool {
    let health = target.target_health();
    health.and_then(|health| health.reason()) == Some(&TargetHealthReasonEnum::NotInUse)
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
