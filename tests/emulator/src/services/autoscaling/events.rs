//! What Application Auto Scaling does by itself when its time comes.

use super::{bounds, tracking};
use crate::{Aws, Event};

/// What Application Auto Scaling does by itself.
#[derive(Clone, Debug)]
pub(crate) enum AutoScalingEvent {
    /// The count of a service that was registered is compared with its bounds.
    Bounds { resource_id: String },
    /// The minute's look at a target with policies.
    Look { resource_id: String },
}

impl Event for AutoScalingEvent {
    fn run(&self, aws: &mut Aws) {
        match self {
            Self::Bounds { resource_id } => bounds::keep(aws, resource_id),
            Self::Look { resource_id } => tracking::look(aws, resource_id),
        }
    }
}
