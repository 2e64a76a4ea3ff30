//! A service of Amazon ECS as DescribeServices shows it, translated to the domain's view.
//!
//! What ECS always sends must be there: a field that is missing is an error that names it.

use std::collections::BTreeSet;

use aws_sdk_ecs::operation::describe_services::DescribeServicesOutput;
use aws_sdk_ecs::types::{
    AvailabilityZoneRebalancing, Deployment, DeploymentConfiguration, DeploymentRolloutState,
    LaunchType, SchedulingStrategy, Service, ServiceConnectService,
};

use super::short_name;
use crate::observed::other_route::OtherRoute;
use crate::observed::percentages::Percentages;
use crate::observed::service::{
    DeploymentView, NamedPorts, RegisteredPort, Rollout, Scheduling, ServiceView, TargetGroupView,
    TaskNetwork,
};
use crate::redaction::without_signatures;
use crate::timestamp::Timestamp;

/// Messages of a service that are read; ECS keeps a hundred.
const MESSAGES: usize = 20;

/// A service as observed, with what a change of it states again.
#[derive(Clone, Debug)]
pub struct ObservedService {
    pub view: ServiceView,
    pub(super) cluster: String,
    pub(super) service: String,
    arn: String,
    pub(super) configuration: DeploymentConfiguration,
    /// The container port of each target group of the view.
    pub(super) ports: Vec<Option<i32>>,
    named_ports: NamedPorts,
    task_network: TaskNetwork,
    volumes: Vec<String>,
    executes_commands: bool,
    discovered_by: BTreeSet<OtherRoute>,
}

impl ObservedService {
    /// Cluster and service, as the caller named them.
    #[must_use]
    pub fn name(&self) -> (&str, &str) {
        (&self.cluster, &self.service)
    }

    #[must_use]
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// The ports of its task definition that the service names.
    #[must_use]
    pub fn named_ports(&self) -> &NamedPorts {
        &self.named_ports
    }

    /// What its tasks must fit.
    #[must_use]
    pub fn task_network(&self) -> TaskNetwork {
        self.task_network
    }

    /// The names of the volumes that it configures for its tasks at launch.
    #[must_use]
    pub fn volumes(&self) -> &[String] {
        &self.volumes
    }

    /// Whether operators may execute commands in its tasks, by ECS Exec.
    #[must_use]
    pub fn executes_commands(&self) -> bool {
        self.executes_commands
    }

    /// What leads to its tasks beside load balancers.
    #[must_use]
    pub fn discovered_by(&self) -> &BTreeSet<OtherRoute> {
        &self.discovered_by
    }

    /// Whether the deployment circuit breaker is on and, if so, whether it rolls back.
    #[must_use]
    pub fn circuit_breaker(&self) -> Option<bool> {
        let breaker = self.configuration.deployment_circuit_breaker();
        breaker
            .filter(|breaker| breaker.enable())
            .map(|breaker| breaker.rollback())
    }
}

/// The service of that name or ARN in a response; `None` when ECS reports it as missing.
pub(super) fn find_service(
    answer: &DescribeServicesOutput,
    cluster: &str,
    service: &str,
    now: Timestamp,
) -> Result<Option<ObservedService>, String> {
    let named = |arn: Option<&str>| arn.is_some_and(|arn| short_name(arn) == short_name(service));

    if let Some(failure) = answer
        .failures()
        .iter()
        .find(|failure| named(failure.arn()))
    {
        return match failure.reason() {
            Some("MISSING") => Ok(None),
            reason => Err(format!("failure {reason:?} for {service}")),
        };
    }

    let found = answer
        .services()
        .iter()
        .find(|found| named(found.service_arn()))
        .ok_or_else(|| format!("neither a service nor a failure for {service}"))?;

    let view = view(found, now).map_err(|lack| format!("service {service}: {lack}"))?;
    let configuration = found
        .deployment_configuration()
        .cloned()
        .unwrap_or_else(|| DeploymentConfiguration::builder().build());
    Ok(Some(ObservedService {
        view,
        cluster: cluster.to_owned(),
        service: service.to_owned(),
        arn: found.service_arn().unwrap_or_default().to_owned(),
        configuration,
        ports: registrations(found).map(|(_, port)| port).collect(),
        named_ports: named_ports(found),
        task_network: task_network(found),
        volumes: volumes(found),
        executes_commands: found.enable_execute_command(),
        discovered_by: discovered_by(found),
    }))
}

fn view(service: &Service, observed_at: Timestamp) -> Result<ServiceView, String> {
    let configuration = service
        .deployment_configuration()
        .ok_or("no deploymentConfiguration")?;

    Ok(ServiceView {
        observed_at,
        status: service.status().ok_or("no status")?.to_owned(),
        desired: count(service.desired_count(), "desiredCount")?,
        running: count(service.running_count(), "runningCount")?,
        pending: count(service.pending_count(), "pendingCount")?,
        proven: 0,
        newcomers: 0,
        percentages: percentages(configuration)?,
        early_success: early_success(configuration)?,
        deployment_alarms: configuration.alarms().is_some_and(|alarms| alarms.enable()),
        // A service that never had a value is not rebalanced (Amazon ECS API: UpdateService).
        rebalancing: service.availability_zone_rebalancing()
            == Some(&AvailabilityZoneRebalancing::Enabled),
        capacity_providers: capacity_providers(service),
        scheduling: scheduling(service)?,
        controller: service
            .deployment_controller()
            .map_or("ECS", |controller| controller.r#type().as_str())
            .to_owned(),
        strategy: configuration
            .strategy()
            .map_or("ROLLING", |strategy| strategy.as_str())
            .to_owned(),
        deployments: service
            .deployments()
            .iter()
            .map(deployment)
            .collect::<Result<_, _>>()?,
        target_groups: target_groups(service),
        messages: service
            .events()
            .iter()
            .filter_map(|event| event.message())
            .take(MESSAGES)
            .map(without_signatures)
            .collect(),
    })
}

fn capacity_providers(service: &Service) -> Vec<String> {
    let strategy = service.capacity_provider_strategy();
    strategy
        .iter()
        .map(|item| item.capacity_provider().to_owned())
        .collect()
}

/// A service has a launch type or capacity providers (Amazon ECS API: Service, `launchType`).
fn task_network(service: &Service) -> TaskNetwork {
    let configuration = service.network_configuration();
    TaskNetwork {
        is_configured: configuration.is_some_and(|found| found.awsvpc_configuration().is_some()),
        is_on_fargate: service.launch_type() == Some(&LaunchType::Fargate),
    }
}

fn scheduling(service: &Service) -> Result<Scheduling, String> {
    match service.scheduling_strategy() {
        Some(SchedulingStrategy::Replica) => Ok(Scheduling::Replica),
        Some(SchedulingStrategy::Daemon) => Ok(Scheduling::Daemon),
        other => Err(format!("schedulingStrategy is {other:?}")),
    }
}

/// The target groups that a service registers with, each with its container port.
fn registrations(service: &Service) -> impl Iterator<Item = (&str, Option<i32>)> {
    service
        .load_balancers()
        .iter()
        .filter_map(|balancer| Some((balancer.target_group_arn()?, balancer.container_port())))
}

fn named_ports(service: &Service) -> NamedPorts {
    let balancers = service.load_balancers().iter();
    let registries = service.service_registries().iter();
    NamedPorts {
        balanced: balancers
            .filter_map(|balancer| registered(balancer.container_name(), balancer.container_port()))
            .collect(),
        discovered: registries
            .filter_map(|registry| registered(registry.container_name(), registry.container_port()))
            .collect(),
        connected: connected_ports(service),
    }
}

/// A port by its container and number. What has a port of its own, or none, names neither.
fn registered(container: Option<&str>, port: Option<i32>) -> Option<RegisteredPort> {
    Some(RegisteredPort {
        container: container?.to_owned(),
        port: u64::try_from(port?).ok()?,
    })
}

/// The ports that the PRIMARY deployment offers through Service Connect.
fn connected_ports(service: &Service) -> Vec<String> {
    primary(service)
        .into_iter()
        .flat_map(offered)
        .map(|offered| offered.port_name().to_owned())
        .collect()
}

/// The volumes that the PRIMARY deployment configures. A volume of S3 Files, which a service does
/// not configure, is shown there too, without a managed volume
/// (github.com/hashicorp/terraform-provider-aws/issues/48945).
fn volumes(service: &Service) -> Vec<String> {
    let shown = primary(service).into_iter();
    let shown = shown.flat_map(|primary| primary.volume_configurations());
    shown
        .filter(|volume| volume.managed_ebs_volume().is_some())
        .map(|volume| volume.name().to_owned())
        .collect()
}

fn primary(service: &Service) -> Option<&Deployment> {
    let mut deployments = service.deployments().iter();
    deployments.find(|deployment| deployment.status() == Some("PRIMARY"))
}

/// What a deployment offers through Service Connect, which is a member of deployments only (Amazon
/// ECS API: Deployment). A service that is only a client of Service Connect offers nothing.
fn offered(deployment: &Deployment) -> &[ServiceConnectService] {
    deployment
        .service_connect_configuration()
        .filter(|connect| connect.enabled())
        .map_or(&[], |connect| connect.services())
}

/// What leads to the tasks beside load balancers: two deployments mostly have the same. VPC Lattice
/// is a member of deployments only, as Service Connect is.
fn discovered_by(service: &Service) -> BTreeSet<OtherRoute> {
    let deployments = service.deployments();
    let registries = service.service_registries().iter();
    let registries = registries
        .filter_map(|registry| registry.registry_arn())
        .map(|arn| OtherRoute::Registry(arn.to_owned()));
    let connected = deployments.iter().flat_map(offered).map(|offered| {
        let name = offered.discovery_name().unwrap_or(offered.port_name());
        OtherRoute::ServiceConnect(name.to_owned())
    });
    let lattice = deployments
        .iter()
        .flat_map(|deployment| deployment.vpc_lattice_configurations())
        .map(|lattice| OtherRoute::Lattice(lattice.target_group_arn().to_owned()));

    registries.chain(connected).chain(lattice).collect()
}

/// The target groups without the health of their targets, which ECS does not know.
fn target_groups(service: &Service) -> Vec<TargetGroupView> {
    registrations(service)
        .map(|(arn, _)| TargetGroupView {
            arn: arn.to_owned(),
            healthy: 0,
            registered: 0,
            unreachable: 0,
            healthy_newcomers: 0,
        })
        .collect()
}

fn deployment(found: &Deployment) -> Result<DeploymentView, String> {
    let task_definition = found
        .task_definition()
        .ok_or("a deployment without taskDefinition")?;

    Ok(DeploymentView {
        id: found.id().ok_or("a deployment without id")?.to_owned(),
        primary: found.status() == Some("PRIMARY"),
        task_definition: task_definition.to_owned(),
        rollout: rollout(found.rollout_state())?,
        reason: without_signatures(found.rollout_state_reason().unwrap_or_default()),
        desired: count(found.desired_count(), "desiredCount of a deployment")?,
        running: count(found.running_count(), "runningCount of a deployment")?,
        pending: count(found.pending_count(), "pendingCount of a deployment")?,
        failed_tasks: count(found.failed_tasks(), "failedTasks of a deployment")?,
    })
}

fn percentages(configuration: &DeploymentConfiguration) -> Result<Percentages, String> {
    let percent =
        |number: Option<i32>, name: &str| count(number.ok_or_else(|| format!("no {name}"))?, name);

    Ok(Percentages {
        minimum_healthy: percent(
            configuration.minimum_healthy_percent(),
            "minimumHealthyPercent",
        )?,
        maximum: percent(configuration.maximum_percent(), "maximumPercent")?,
    })
}

fn early_success(configuration: &DeploymentConfiguration) -> Result<Option<u32>, String> {
    let criteria = configuration
        .early_success_criteria()
        .filter(|criteria| criteria.enable());

    criteria
        .and_then(|criteria| criteria.healthy_percent())
        .map(|percent| count(percent, "healthyPercent"))
        .transpose()
}

pub(super) fn count(number: i32, name: &str) -> Result<u32, String> {
    u32::try_from(number).map_err(|_| format!("{name} is {number}"))
}

/// A service behind a Classic Load Balancer has no rollout state (Amazon ECS API: Deployment).
fn rollout(state: Option<&DeploymentRolloutState>) -> Result<Rollout, String> {
    match state {
        Some(DeploymentRolloutState::Completed) => Ok(Rollout::Completed),
        Some(DeploymentRolloutState::Failed) => Ok(Rollout::Failed),
        Some(DeploymentRolloutState::InProgress) => Ok(Rollout::InProgress),
        None => Ok(Rollout::Absent),
        Some(other) => Err(format!("rolloutState is {other}")),
    }
}
