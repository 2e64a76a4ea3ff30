//! Amazon ECS clusters: how many instances there are for tasks, such as those that hold static host
//! ports.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{
    CapacityProvider, ContainerInstance, ContainerInstanceStatus as Status, ManagedScalingStatus,
    Resource,
};

use super::clients::Clients;
use super::pages::Pages;
use super::{AwsError, Sdk};
use crate::limits::TASKS_PAGE;
use crate::observed::instances::{PortInstances, TaskInstances};

#[derive(Clone, Debug)]
pub struct Clusters {
    clients: Arc<Clients>,
}

impl Clusters {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            clients: Arc::clone(&sdk.service),
        }
    }

    /// The container instances for tasks that hold these ports, with their protocols, of a service
    /// with these capacity providers.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn port_instances(
        &self,
        cluster: &str,
        capacity_providers: &[String],
        ports: &BTreeSet<(u64, &str)>,
    ) -> Result<PortInstances, AwsError> {
        let active = self.instances(cluster, Status::Active).await?;
        let described = describe_instances(self.clients.ecs(), cluster, &active).await?;
        let draining = self.instances(cluster, Status::Draining).await?;
        let (reserved, free): (Vec<_>, Vec<_>) = described
            .iter()
            .partition(|instance| has_any(instance.registered_resources(), ports));
        let taken = free
            .into_iter()
            .filter(|instance| has_any(instance.remaining_resources(), ports))
            .count();

        Ok(PortInstances {
            active: u32::try_from(active.len()).unwrap_or(u32::MAX),
            reserved: u32::try_from(reserved.len()).unwrap_or(u32::MAX),
            taken: u32::try_from(taken).unwrap_or(u32::MAX),
            draining: self.with_tasks(cluster, &draining).await?,
            can_grow: self.can_grow(capacity_providers).await?,
        })
    }

    /// The container instances for tasks without static host ports, of a service with these
    /// capacity providers.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn task_instances(
        &self,
        cluster: &str,
        capacity_providers: &[String],
    ) -> Result<TaskInstances, AwsError> {
        Ok(TaskInstances {
            active: self.instances(cluster, Status::Active).await?.len(),
            can_grow: self.can_grow(capacity_providers).await?,
        })
    }

    /// The container instances of a cluster that have this status.
    ///
    /// # Errors
    /// When a call fails, or there are too many instances.
    pub async fn instances(&self, cluster: &str, status: Status) -> Result<Vec<String>, AwsError> {
        const OPERATION: &str = "ecs:ListContainerInstances";
        let mut arns = Vec::new();
        let mut pages = Pages::new(OPERATION);

        while let Some(start) = pages.next_start()? {
            let request = self
                .clients
                .ecs()
                .list_container_instances()
                .cluster(cluster)
                .status(status.clone())
                .max_results(TASKS_PAGE)
                .set_next_token(start);
            let page = request
                .send()
                .await
                .map_err(AwsError::from_sdk(OPERATION))?;

            arns.extend(page.container_instance_arns.unwrap_or_default());
            pages.go_on(page.next_token);
        }
        Ok(arns)
    }

    /// How many of these instances run tasks, of any service.
    async fn with_tasks(&self, cluster: &str, arns: &[String]) -> Result<u32, AwsError> {
        let found = describe_instances(self.clients.ecs(), cluster, arns).await?;
        let count = found
            .iter()
            .filter(|instance| instance.running_tasks_count() > 0)
            .count();
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// Whether one of the capacity providers adds instances when tasks cannot be placed.
    async fn can_grow(&self, providers: &[String]) -> Result<bool, AwsError> {
        if providers.is_empty() {
            return Ok(false);
        }

        let request = self
            .clients
            .ecs()
            .describe_capacity_providers()
            .set_capacity_providers(Some(providers.to_vec()));
        let answer = request
            .send()
            .await
            .map_err(AwsError::from_sdk("ecs:DescribeCapacityProviders"))?;
        // A provider that is not described counts as one that may add instances.
        let is_described = answer.capacity_providers().len() == providers.len();
        Ok(!is_described || answer.capacity_providers().iter().any(grows))
    }
}

/// Container instances, as many pages as it takes.
pub(super) async fn describe_instances(
    ecs: &Client,
    cluster: &str,
    arns: &[String],
) -> Result<Vec<ContainerInstance>, AwsError> {
    let mut instances = Vec::new();
    for page in arns.chunks(usize::try_from(TASKS_PAGE).unwrap_or(1)) {
        let request = ecs
            .describe_container_instances()
            .cluster(cluster)
            .set_container_instances(Some(page.to_vec()));
        let answer = request
            .send()
            .await
            .map_err(AwsError::from_sdk("ecs:DescribeContainerInstances"))?;
        instances.extend(answer.container_instances.unwrap_or_default());
    }
    Ok(instances)
}

/// Whether resources of an instance have one of these ports. As registered they have those that its
/// agent reserves, as remaining also those that tasks hold; what they do not have is free (Amazon
/// ECS API: ContainerInstance).
fn has_any(resources: &[Resource], ports: &BTreeSet<(u64, &str)>) -> bool {
    resources.iter().any(|resource| {
        let protocol = match resource.name() {
            Some("PORTS") => "tcp",
            Some("PORTS_UDP") => "udp",
            _ => return false,
        };
        let mut found = resource.string_set_value().iter();
        found.any(|port| {
            let port = port.parse::<u64>();
            port.is_ok_and(|port| ports.contains(&(port, protocol)))
        })
    })
}

/// Managed instances always follow the tasks; an Auto Scaling group does with managed scaling.
fn grows(provider: &CapacityProvider) -> bool {
    let Some(group) = provider.auto_scaling_group_provider() else {
        return true;
    };
    let scaling = group.managed_scaling().and_then(|scaling| scaling.status());
    scaling != Some(&ManagedScalingStatus::Disabled)
}
