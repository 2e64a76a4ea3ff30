//! Step scaling: a policy adds tasks or removes some when its alarm is in ALARM.
//!
//! A scenario states when that is: PutScalingPolicy serves target tracking only, and queues or
//! other metrics by which a service could be scaled are not modelled.

use super::{resource_id, service};
use crate::{Aws, ecs};

/// Changes the count of a service as a step adjustment of the type `ChangeInCapacity` does. Returns
/// whether the count has changed.
pub fn adjust(aws: &mut Aws, cluster: &str, name: &str, by: i32) -> bool {
    let id = resource_id(cluster, name);
    let target = aws.autoscaling.targets.get(&id).cloned();
    let Some((arn, target)) = service(aws, &id).zip(target) else {
        return false;
    };

    let found = &aws.ecs.services[&arn];
    let count = found.desired_count;
    let wanted = count
        .saturating_add_signed(by)
        .clamp(target.min, target.max);
    let may_change = if by > 0 {
        wanted > count && !target.suspended.dynamic_out
    } else {
        // Scale-in waits for the end of a deployment; scale-out does not.
        wanted < count && !target.suspended.dynamic_in && !found.is_deploying()
    };

    if may_change {
        ecs::scale(aws, &arn, wanted);
    }
    may_change
}
