//! What a registration does to the count of the service: a count outside of the bounds is moved to
//! the nearest of them.

use std::time::Duration;

use crate::{Aws, Quirk, ecs};

use super::service;

/// Lets the count be compared with the bounds in a few seconds.
pub(super) fn keep_soon(aws: &mut Aws, resource_id: &str) {
    let after = Duration::from_millis(aws.rng.u64(500..8000));
    aws.schedule(
        after,
        super::AutoScalingEvent::Bounds {
            resource_id: resource_id.to_owned(),
        },
    );
}

/// Moves a count that is outside of its bounds.
pub(super) fn keep(aws: &mut Aws, resource_id: &str) {
    let always = aws.draw_quirk(Quirk::BoundsWhileSuspended);
    let Some(service) = service(aws, resource_id) else {
        return;
    };
    let Some(target) = aws.autoscaling.targets.get(resource_id) else {
        return;
    };

    let count = aws.ecs.services[&service].desired_count;
    let wanted = count.clamp(target.min, target.max);
    let suspended = if wanted > count {
        target.suspended.dynamic_out
    } else {
        target.suspended.dynamic_in
    };

    if wanted != count && (always || !suspended) {
        ecs::scale(aws, &service, wanted);
    }
}
