//! What ECS does by itself when its time comes.

use super::{TaskStep, capacity, deployments, failure_detection, scheduler, task_lifecycle};
use crate::{Aws, Event};

/// What ECS does by itself.
#[derive(Clone, Debug)]
pub(crate) enum EcsEvent {
    /// The scheduler looks at a service.
    Reconcile { service: String },
    /// A deployment that looked finished is looked at again.
    Settle { service: String, deployment: String },
    /// The alarms of a deployment are looked at.
    PollAlarms { service: String, deployment: String },
    /// An instance that a capacity provider started joins its cluster.
    InstanceRegistered { provider: String, cluster: String },
    /// A task goes on in its life.
    Task { task: String, step: TaskStep },
}

impl Event for EcsEvent {
    fn run(&self, aws: &mut Aws) {
        match self {
            Self::Reconcile { service } => scheduler::reconcile(aws, service),
            Self::Settle {
                service,
                deployment,
            } => deployments::complete_if_steady(aws, service, deployment),
            Self::PollAlarms {
                service,
                deployment,
            } => failure_detection::poll(aws, service, deployment),
            Self::InstanceRegistered { provider, cluster } => {
                capacity::registered(aws, provider, cluster);
            }
            Self::Task { task, step } => task_lifecycle::advance(aws, task, *step),
        }
    }
}
