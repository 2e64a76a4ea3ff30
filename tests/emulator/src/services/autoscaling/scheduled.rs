//! Scheduled actions: at its time, one sets the capacities of a scalable target, and moves a count
//! that is outside of them.
//!
//! PutScheduledAction is not served: a scenario states what is due and when.

use std::time::Duration;

use super::{AutoScalingEvent, resource_id, service};
use crate::{Aws, ecs};

/// The capacities that a scheduled action sets; what it does not name stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheduled {
    pub min: Option<u32>,
    pub max: Option<u32>,
}

/// Lets an action of a service be due after this time.
pub fn schedule(aws: &mut Aws, (cluster, name): (&str, &str), after: Duration, action: Scheduled) {
    let event = AutoScalingEvent::Scheduled {
        resource_id: resource_id(cluster, name),
        action,
    };
    aws.schedule(after, event);
}

/// Runs an action that is due. One that is suspended is not run later.
pub(super) fn run(aws: &mut Aws, resource_id: &str, action: Scheduled) {
    let service = service(aws, resource_id);
    let target = aws.autoscaling.targets.get_mut(resource_id);
    let Some(target) = target.filter(|target| !target.suspended.scheduled) else {
        return;
    };

    target.min = action.min.unwrap_or(target.min);
    target.max = action.max.unwrap_or(target.max);
    let (min, max) = (target.min, target.max);
    if let Some(arn) = service {
        let count = aws.ecs.services[&arn].desired_count;
        ecs::scale(aws, &arn, count.clamp(min, max));
    }
}
