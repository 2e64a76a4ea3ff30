//! What ECS keeps of clusters, services, deployments and tasks.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Map, Value};

use super::capacity::CapacityProvider;
use super::definitions::TaskDefinition;
use super::rates;
use super::run_task::{CommandEnd, Run};
use super::service_history::ServiceDeployment;
use crate::Millis;
use crate::ecr::Behaviour;
use crate::text::short_name;

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
    pub(super) events: VecDeque<Value>,
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

/// The lifecycle of a task, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskState {
    Provisioning,
    Pending,
    Running,
    Deactivating,
    Stopping,
    Deprovisioning,
    Stopped,
}

#[derive(Clone, Debug)]
pub struct Task {
    pub arn: String,
    pub cluster: String,
    /// The ARN of the service; empty for a task of RunTask, as is its deployment.
    pub service: String,
    pub deployment: String,
    pub task_definition: String,
    pub state: TaskState,
    /// Whether ECS wants it stopped: such a task serves only what it has begun.
    pub stopping: bool,
    /// Whether it serves: RUNNING, and all of its checks passed.
    pub healthy: bool,
    pub created_at: Millis,
    pub started_at: Option<Millis>,
    pub stopping_at: Option<Millis>,
    pub stopped_at: Option<Millis>,
    pub launch_type: String,
    /// The ARN of its container instance (EC2 only).
    pub instance: Option<String>,
    pub address: String,
    pub attachments: Vec<Attachment>,
    pub containers: Vec<Container>,
    pub stop_code: Option<&'static str>,
    pub stopped_reason: Option<String>,
    /// Tasks are numbered in the order in which they were started.
    pub number: u64,
    /// Whether it can no longer count as failed to start.
    pub(super) proven: bool,
    /// Whether ECS replaces it by a task in another Availability Zone.
    pub(super) moves: bool,
    /// Whether it was started for an old one of its deployment that ended during a rollout.
    pub(super) replaces: bool,
    /// Since when its application no longer answers health checks, although it did; and whether it
    /// soon will not.
    pub(super) unhealthy_since: Option<Millis>,
    pub(super) soon_unhealthy: bool,
    /// Absent for a task of a service.
    pub(super) standalone: Option<Standalone>,
    pub(super) tags: Vec<Value>,
    /// Container port to host port, by container (EC2 with bridge or host network).
    pub(super) host_ports: BTreeMap<(String, u16), u16>,
}

/// What RunTask was sent about a task.
#[derive(Clone, Debug)]
pub(super) struct Standalone {
    pub(super) group: String,
    pub(super) started_by: Option<String>,
    pub(super) overrides: Value,
}

/// Where a task is registered, or will be.
#[derive(Clone, Debug)]
pub struct Attachment {
    pub target_group: String,
    pub target_id: String,
    pub port: u16,
}

#[derive(Clone, Debug)]
pub struct Container {
    pub name: String,
    pub image: String,
    pub essential: bool,
    /// What the image does, or why it cannot be pulled.
    pub fate: Result<Behaviour, String>,
    /// How its command ends, if RunTask gave it one that is known.
    pub(super) command_end: Option<CommandEnd>,
    pub has_health_check: bool,
    pub exit_code: Option<i32>,
    pub reason: Option<String>,
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

impl Task {
    /// Wanted and not yet stopping, whether it runs already or not.
    pub fn is_live(&self) -> bool {
        !self.stopping && self.state < TaskState::Deactivating
    }

    pub fn is_running(&self) -> bool {
        self.state == TaskState::Running && !self.stopping
    }

    pub fn is_pending(&self) -> bool {
        self.is_live() && self.state < TaskState::Running
    }

    /// The last part of the ARN.
    pub fn id(&self) -> &str {
        short_name(&self.arn)
    }

    pub(super) fn group(&self) -> String {
        match &self.standalone {
            Some(standalone) => standalone.group.clone(),
            None => format!("service:{}", short_name(&self.service)),
        }
    }

    /// The deployment of its service, or what RunTask was sent.
    pub(super) fn started_by(&self) -> Option<&str> {
        match &self.standalone {
            Some(standalone) => standalone.started_by.as_deref(),
            None => Some(&self.deployment),
        }
    }

    /// Whether anything checks its health before it serves.
    pub(super) fn is_checked(&self) -> bool {
        !self.attachments.is_empty()
            || self
                .containers
                .iter()
                .any(|container| container.has_health_check)
    }

    pub(super) fn never_healthy(&self) -> bool {
        self.meets(&Behaviour::NeverHealthy)
    }

    /// Whether one of its images behaves like this.
    pub(super) fn meets(&self, behaviour: &Behaviour) -> bool {
        self.containers
            .iter()
            .any(|container| container.fate.as_ref() == Ok(behaviour))
    }
}
