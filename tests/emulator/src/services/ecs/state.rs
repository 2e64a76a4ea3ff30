//! What ECS keeps of clusters, services and deployments.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Map, Value};

use super::capacity::CapacityProvider;
use super::definitions::TaskDefinition;
use super::rates;
use super::run_task::{CommandEnd, Run};
use super::service_history::ServiceDeployment;
use super::task::{Task, TaskState};
use crate::Millis;

/// Everything ECS knows, by ARN, except clusters (by name) and task definitions (by family, then
/// revision).
#[derive(Clone, Debug, Default)]
pub struct Ecs {
    pub clusters: BTreeMap<String, Cluster>,
    pub services: BTreeMap<String, Service>,
    pub tasks: BTreeMap<String, Task>,
    pub instances: BTreeMap<String, ContainerInstance>,
    /// By name.
    pub capacity_providers: BTreeMap<String, CapacityProvider>,
    pub(super) families: BTreeMap<String, Vec<TaskDefinition>>,
    pub(super) buckets: rates::Buckets,
    /// What RunTask was sent with a client token, by cluster and token.
    pub(super) runs: BTreeMap<(String, String), Run>,
    /// What commands of RunTask's overrides do, by their words with spaces between them. A
    /// container with any other command does what its image does.
    pub commands: BTreeMap<String, CommandEnd>,
    pub(super) protected: super::protection::Protected,
    pub(super) tasks_started: u64,
}

impl Ecs {
    /// The tasks of a service (by ARN) that are not yet stopped, whatever deployment they belong
    /// to.
    pub fn tasks_of<'a>(&'a self, service: &'a str) -> impl Iterator<Item = &'a Task> {
        self.tasks
            .values()
            .filter(move |task| task.service == service && task.state != TaskState::Stopped)
    }

    /// A service by the names of its cluster and itself.
    pub fn service_named(&self, cluster: &str, name: &str) -> Option<&Service> {
        self.services
            .values()
            .find(|service| service.cluster == cluster && service.name == name)
    }

    /// The containers' JSON of a task definition, as it was registered.
    pub(super) fn containers_of(&self, definition: &str) -> &[Value] {
        self.definition(definition)
            .map_or(&[], TaskDefinition::containers)
    }
}

#[derive(Clone, Debug)]
pub struct Cluster {
    pub name: String,
    pub arn: String,
    pub tags: Vec<Value>,
    /// Members of CreateCluster that the sandbox only keeps.
    pub(super) settings: Map<String, Value>,
}

/// An EC2 instance that takes tasks; only its host ports are scarce.
#[derive(Clone, Debug)]
pub struct ContainerInstance {
    pub arn: String,
    pub ec2_id: String,
    pub cluster: String,
    /// Whether it is DRAINING: it gets no tasks, and those of services on it are replaced.
    pub draining: bool,
    /// Those that tasks hold, of both protocols.
    pub ports: BTreeSet<u16>,
}

impl ContainerInstance {
    pub fn status(&self) -> &'static str {
        if self.draining { "DRAINING" } else { "ACTIVE" }
    }

    /// Whether tasks of a cluster can be placed on it.
    pub(super) fn takes_tasks_of(&self, cluster: &str) -> bool {
        self.cluster == cluster && !self.draining
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceStatus {
    Active,
    Draining,
    Inactive,
}

#[derive(Clone, Debug)]
pub struct Service {
    pub arn: String,
    pub name: String,
    pub cluster: String,
    pub cluster_arn: String,
    pub status: ServiceStatus,
    pub desired_count: u32,
    /// Newest first; the first is PRIMARY.
    pub deployments: Vec<Deployment>,
    /// The deployment to which ECS would return.
    pub last_completed: Option<Deployment>,
    /// Newest last.
    pub(super) history: Vec<ServiceDeployment>,
    pub tags: Vec<Value>,
    pub created_at: Millis,
    /// As DescribeServices shows them, newest first.
    pub events: VecDeque<Value>,
    /// Every other member of CreateService and UpdateService, as it was sent.
    pub(super) settings: Map<String, Value>,
    /// Whether the last event about being steady still holds.
    pub(super) steady: bool,
    /// When the next try to place what could not be placed is due.
    pub(super) placement_retry_at: Millis,
    /// Whether an Availability Zone has a task too many.
    pub(super) uneven: bool,
}

/// When a deployment succeeds early.
#[derive(Clone, Copy, Debug)]
pub(super) struct EarlySuccess {
    /// Healthy tasks of the deployment.
    pub(super) healthy: usize,
    /// Whether tasks of older deployments may still be there.
    pub(super) leaves_old: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeploymentStatus {
    Primary,
    Active,
    Inactive,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RolloutState {
    InProgress,
    Completed,
    Failed,
}

#[derive(Clone, Debug)]
pub struct Deployment {
    /// `ecs-svc/<19 digits>`.
    pub id: String,
    pub status: DeploymentStatus,
    pub task_definition: String,
    /// The number of the service revision that it deploys.
    pub(super) revision: String,
    pub rollout: RolloutState,
    pub reason: String,
    pub created_at: Millis,
    pub updated_at: Millis,
    /// Whether ECS started it to go back.
    pub is_rollback: bool,
    /// Failed tasks since the last one that proved healthy.
    pub failed_tasks: u32,
    /// How often in a row starting had to be put off, and until when it is.
    pub(super) setbacks: u32,
    pub(super) not_before: Millis,
    /// The members of the service that belong to this deployment: where its tasks run and register.
    pub(super) settings: Map<String, Value>,
}

impl Service {
    /// The current deployment. A service has none only when it is INACTIVE.
    pub fn primary(&self) -> Option<&Deployment> {
        self.deployments
            .first()
            .filter(|deployment| deployment.status == DeploymentStatus::Primary)
    }

    pub fn is_deploying(&self) -> bool {
        self.deployments
            .first()
            .is_some_and(|primary| primary.rollout != RolloutState::Completed)
    }

    fn configuration(&self, member: &str) -> Option<i64> {
        self.settings
            .get("deploymentConfiguration")?
            .get(member)?
            .as_i64()
    }

    /// How many healthy tasks a deployment leaves at least: ceil(desired × minimumHealthyPercent).
    pub fn floor(&self) -> u32 {
        let percent = self.configuration("minimumHealthyPercent").unwrap_or(100);
        u32::try_from((i64::from(self.desired_count) * percent + 99) / 100).unwrap_or(0)
    }

    /// How many tasks may run or be pending during a deployment: floor(desired × maximumPercent).
    pub fn ceiling(&self) -> u32 {
        let percent = self.configuration("maximumPercent").unwrap_or(200);
        u32::try_from(i64::from(self.desired_count) * percent / 100).unwrap_or(0)
    }

    /// `minimumHealthyPercent` and `maximumPercent`.
    pub fn percentages(&self) -> (Option<i64>, Option<i64>) {
        (
            self.configuration("minimumHealthyPercent"),
            self.configuration("maximumPercent"),
        )
    }

    /// The criteria by which a deployment succeeds before it has stabilised; none when off.
    pub(super) fn early_success(&self) -> Option<EarlySuccess> {
        let criteria = self
            .settings
            .get("deploymentConfiguration")?
            .get("earlySuccessCriteria")?;
        if criteria["enable"] != true {
            return None;
        }
        let percent = criteria["healthyPercent"].as_u64().unwrap_or(100);
        let wanted = (u64::from(self.desired_count) * percent).div_ceil(100);
        Some(EarlySuccess {
            healthy: usize::try_from(wanted).unwrap_or(usize::MAX),
            leaves_old: criteria["sourceServiceRevisionCleanup"] == "DEFERRED",
        })
    }

    /// Whether alarms can fail its deployments.
    pub(super) fn has_alarms(&self) -> bool {
        let configuration = self.settings.get("deploymentConfiguration");
        configuration.is_some_and(|it| it["alarms"]["enable"] == true)
    }

    /// Whether it registers with a Classic Load Balancer: then ECS shows no rollout state.
    pub fn is_behind_classic(&self) -> bool {
        super::service_rules::is_behind_classic(&self.settings)
    }

    pub(super) fn grace_period_secs(&self) -> i64 {
        self.settings
            .get("healthCheckGracePeriodSeconds")
            .and_then(Value::as_i64)
            .unwrap_or(0)
    }

    pub(super) fn circuit_breaker(&self, member: &str) -> bool {
        self.breaker()
            .is_some_and(|breaker| breaker[member] == true)
    }

    /// The circuit breaker of its deployment configuration.
    pub(super) fn breaker(&self) -> Option<&Value> {
        let configuration = self.settings.get("deploymentConfiguration")?;
        configuration.get("deploymentCircuitBreaker")
    }
}
