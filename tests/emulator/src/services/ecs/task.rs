//! What ECS keeps of a task.

use std::collections::BTreeMap;

use serde_json::Value;

use super::run_task::CommandEnd;
use crate::Millis;
use crate::ecr::Behaviour;
use crate::text::short_name;

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
