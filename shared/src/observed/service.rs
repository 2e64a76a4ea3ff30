//! An ECS service as one observation saw it.

mod missing;
pub(crate) mod newcomers;

use std::fmt::Write as _;

use super::percentages::Percentages;
use crate::arn::resource_of;
use crate::timestamp::Timestamp;

/// A service as one observation saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceView {
    pub observed_at: Timestamp,
    /// `ACTIVE`, `DRAINING` or `INACTIVE`.
    pub status: String,
    pub desired: u32,
    pub running: u32,
    pub pending: u32,
    /// Tasks of the PRIMARY deployment's revision that have run for
    /// [`TASK_PROOF`](crate::limits::TASK_PROOF); none if tasks were not read.
    pub proven: u32,
    /// Other tasks of that revision, which ECS created once the revision had proven itself, and
    /// none of which replaced a failed task; none if tasks were not read.
    pub newcomers: u32,
    pub percentages: Percentages,
    /// `healthyPercent` of the early success criteria, when they are on.
    pub early_success: Option<u32>,
    /// Whether CloudWatch alarms can fail its deployments.
    pub deployment_alarms: bool,
    /// Whether ECS moves tasks between Availability Zones that became uneven.
    pub rebalancing: bool,
    /// The capacity providers of its strategy; none when it has a launch type.
    pub capacity_providers: Vec<String>,
    pub scheduling: Scheduling,
    /// What controls deployments: `ECS`, `CODE_DEPLOY` or `EXTERNAL`.
    pub controller: String,
    /// How ECS deploys: `ROLLING`, or one of its own `BLUE_GREEN`, `LINEAR`, `CANARY`.
    pub strategy: String,
    pub deployments: Vec<DeploymentView>,
    pub target_groups: Vec<TargetGroupView>,
    /// The messages of the service, newest first, as ECS words them.
    pub messages: Vec<String>,
}

/// How ECS places the tasks of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheduling {
    Replica,
    Daemon,
}

/// One deployment of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentView {
    pub id: String,
    pub primary: bool,
    pub task_definition: String,
    pub rollout: Rollout,
    pub reason: String,
    pub desired: u32,
    pub running: u32,
    pub pending: u32,
    pub failed_tasks: u32,
}

/// `rolloutState` of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rollout {
    InProgress,
    Completed,
    Failed,
    /// Behind a Classic Load Balancer ECS shows no state.
    Absent,
}

/// A target group that a service registers its tasks with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetGroupView {
    pub arn: String,
    /// Healthy targets that are tasks of this service. Others can register with the same group.
    pub healthy: u32,
    /// Targets that do not drain, those of other services in the group included.
    pub registered: u32,
    /// Tasks of the PRIMARY deployment in an Availability Zone that is not enabled for the load
    /// balancer: no request reaches them.
    pub unreachable: u32,
    /// Those of the healthy ones that are newcomers, as in [`ServiceView::newcomers`].
    pub healthy_newcomers: u32,
}

/// A port of a container that a service registers with a load balancer or a service registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredPort {
    pub container: String,
    pub port: u64,
}

/// The ports of its task definition that a service names. No release changes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPorts {
    /// Those that it registers with its load balancers, Classic ones among them.
    pub balanced: Vec<RegisteredPort>,
    /// Those that it registers with its service registries.
    pub discovered: Vec<RegisteredPort>,
    /// The names of those that other services reach by Service Connect.
    pub connected: Vec<String>,
}

/// What the tasks of a service must fit, and no release changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskNetwork {
    /// Whether the service has subnets and security groups for its tasks.
    pub is_configured: bool,
    /// Whether its launch type is FARGATE. What the capacity providers of Fargate take is not
    /// documented.
    pub is_on_fargate: bool,
}

impl TargetGroupView {
    /// The name inside the ARN, for messages.
    #[must_use]
    pub fn name(&self) -> &str {
        self.arn.split('/').nth(1).unwrap_or(&self.arn)
    }

    /// Healthy targets without newcomers: these are excused, and stand in for no other task.
    fn healthy_settled(&self) -> u32 {
        self.healthy.saturating_sub(self.healthy_newcomers)
    }

    /// How many targets are healthy, out of `of`.
    fn health(&self, of: u32) -> String {
        let name = self.name();
        let unreachable = match self.unreachable {
            0 => String::new(),
            count => format!(
                ", {count} in an Availability Zone that is not enabled for the load balancer"
            ),
        };
        format!(
            "{} of {of} targets healthy in {name}{unreachable}",
            self.healthy
        )
    }
}

impl ServiceView {
    /// Whether ECS accepts changes of the service. It shows a deleted one for a while.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.status == "ACTIVE"
    }

    /// How many healthy targets of a target group are tasks of the service.
    #[must_use]
    pub fn healthy_in(&self, group: &str) -> u32 {
        let mut groups = self.target_groups.iter();
        groups
            .find(|found| found.arn == group)
            .map_or(0, |found| found.healthy)
    }

    /// How many targets are healthy in the target group that has the fewest; 0 without a group.
    #[must_use]
    pub fn healthy_in_each(&self) -> u32 {
        let groups = self.target_groups.iter();
        groups.map(|group| group.healthy).min().unwrap_or(0)
    }

    /// What ECS wrote about the service: its messages, and the reasons of its deployments.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let reasons = self.deployments.iter().map(|deployment| &deployment.reason);
        self.messages.iter().chain(reasons).map(String::as_str)
    }

    /// Whether ECS takes these percentages: to rebalance, it starts a task in one zone before it
    /// stops one in another
    /// (docs.aws.amazon.com/AmazonECS/latest/developerguide/service-rebalancing.html).
    #[must_use]
    pub fn accepts(&self, percentages: Percentages) -> bool {
        !self.rebalancing || percentages.maximum > 100
    }

    /// The percentages that a rollback sets: the recorded ones, as long as ECS takes them; else
    /// those that the service has.
    #[must_use]
    pub fn restored_percentages(&self, recorded: Percentages) -> Percentages {
        if self.accepts(recorded) {
            recorded
        } else {
            self.percentages
        }
    }

    /// Refuses percentages that ECS would refuse for this service.
    ///
    /// # Errors
    /// A message with the setting found and the command that changes it.
    pub fn check_percentages(
        &self,
        (cluster, service): (&str, &str),
        percentages: Percentages,
    ) -> Result<(), String> {
        if self.accepts(percentages) {
            return Ok(());
        }

        Err(format!(
            "Availability Zone rebalancing of service `{service}` is ENABLED and the planned \
             maximum is {} %; expected more than 100 %, or rebalancing DISABLED: aws ecs \
             update-service --cluster {cluster} --service {service} \
             --availability-zone-rebalancing DISABLED",
            percentages.maximum
        ))
    }

    /// The deployment that ECS works towards.
    #[must_use]
    pub fn primary(&self) -> Option<&DeploymentView> {
        self.deployments
            .iter()
            .find(|deployment| deployment.primary)
    }

    /// Whether a deployment of this id is listed or named by a message: it has been made.
    #[must_use]
    pub(crate) fn shows(&self, deployment: &str) -> bool {
        let mut listed = self.deployments.iter();
        let mut messages = self.messages.iter();
        listed.any(|it| it.id == deployment) || messages.any(|it| it.contains(deployment))
    }

    /// Whether the PRIMARY deployment is one of this revision that failed.
    #[must_use]
    pub(crate) fn has_failed(&self, task_definition: &str) -> bool {
        self.primary().is_some_and(|primary| {
            primary.task_definition == task_definition && primary.rollout == Rollout::Failed
        })
    }

    /// Whether the PRIMARY deployment is one of this revision that did not fail.
    #[must_use]
    pub fn runs(&self, task_definition: &str) -> bool {
        self.primary().is_some_and(|primary| {
            primary.task_definition == task_definition && primary.rollout != Rollout::Failed
        })
    }

    /// Whether a revision has run: a deployment of it is completed.
    #[must_use]
    pub fn has_completed(&self, task_definition: &str) -> bool {
        let mut deployments = self.deployments.iter();
        deployments.any(|deployment| {
            deployment.task_definition == task_definition && self.is_completed(deployment)
        })
    }

    /// Whether the rollout of a deployment of this service has ended well. Where ECS shows no
    /// state, the counts decide.
    #[must_use]
    pub fn is_completed(&self, deployment: &DeploymentView) -> bool {
        match deployment.rollout {
            Rollout::Completed => true,
            Rollout::InProgress | Rollout::Failed => false,
            Rollout::Absent => {
                deployment.primary
                    && deployment.running == self.desired
                    && self.left_of_others().next().is_none()
            }
        }
    }

    /// Deployments beside the PRIMARY that still have tasks.
    fn left_of_others(&self) -> impl Iterator<Item = &DeploymentView> {
        self.deployments
            .iter()
            .filter(|other| !other.primary && other.running + other.pending > 0)
    }

    /// The progress of a rollout of `task_definition`, in words: counts, health and tasks that
    /// failed to start.
    #[must_use]
    pub fn progress(&self, task_definition: &str) -> String {
        let new = self
            .deployments
            .iter()
            .find(|deployment| deployment.task_definition == task_definition);
        let mut text = match new {
            Some(new) => format!("{} of {} new tasks running", new.running, self.desired),
            None => format!("{} of {} tasks running", self.running, self.desired),
        };

        for group in &self.target_groups {
            let _ = write!(text, ", {}", group.health(group.registered));
        }

        if let Some(failed) = new.map(|new| new.failed_tasks).filter(|failed| *failed > 0) {
            let _ = write!(text, ", {failed} failed to start");
        }

        text
    }

    /// How far a rollout is, 0 to 99: half for new tasks that run, half for old ones that are gone.
    /// 100 is reported by CodePipeline when the job succeeds.
    #[must_use]
    pub fn percent(&self, task_definition: &str) -> u8 {
        let running = |new: bool| {
            let counted = self
                .deployments
                .iter()
                .filter(|d| (d.task_definition == task_definition) == new);
            counted.map(|d| d.running).sum::<u32>().min(self.desired)
        };

        let done = running(true) + (self.desired - running(false));
        u8::try_from((done * 50).checked_div(self.desired).unwrap_or(0).min(99)).unwrap_or(99)
    }
}

/// Refuses anything but the ARN of one revision, which is how a service names what it runs.
///
/// # Errors
/// A message with the value found and what is expected.
pub fn check_revision_arn(text: &str) -> Result<(), String> {
    let revision = resource_of(text, "ecs")
        .and_then(|resource| resource.strip_prefix("task-definition/"))
        .and_then(|name| name.rsplit_once(':'));
    match revision {
        Some((family, number)) if !family.is_empty() && number.parse::<u32>().is_ok() => Ok(()),
        _ => Err(format!(
            "`task_definition` is `{text}`; expected the ARN of a revision, \
             arn:…:task-definition/<family>:<revision>; \
             use the output variable #{{Register.TaskDefinitionArn}}"
        )),
    }
}

/// The name of a cluster or service, given as a name or as an ARN.
#[must_use]
pub fn short_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// `family:revision` of a task definition ARN, for messages.
#[must_use]
pub fn revision(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// The family of a task definition ARN.
#[must_use]
pub fn family(arn: &str) -> &str {
    revision(arn)
        .rsplit_once(':')
        .map_or(arn, |(family, _)| family)
}

#[cfg(test)]
mod tests;
