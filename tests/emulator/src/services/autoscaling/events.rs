//! What Application Auto Scaling does by itself when its time comes.

use super::{Scheduled, bounds, scheduled, tracking};
use crate::{Aws, Event};

/// What Application Auto Scaling does by itself.
#[derive(Clone, Debug)]
pub(crate) enum AutoScalingEvent {
    /// The count of a service that was registered is compared with its bounds.
    Bounds { resource_id: String },
    /// The minute's look at a target with policies.
    Look { resource_id: String },
    /// A scheduled action is due.
    Scheduled {
        resource_id: String,
        action: Scheduled,
    },
}

impl Event for AutoScalingEvent {
    fn run(&self, aws: &mut Aws) {
        match self {
            Self::Bounds { resource_id } => bounds::keep(aws, resource_id),
            Self::Look { resource_id } => tracking::look(aws, resource_id),
            Self::Scheduled {
                resource_id,
                action,
            } => scheduled::run(aws, resource_id, *action),
        }
    }
}
