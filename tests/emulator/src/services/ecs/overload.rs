//! Tasks that get more requests than they can serve: after a while they fail their health checks
//! too, and ECS replaces them.
//!
//! Nothing happens unless a scenario sets a capacity.

use std::time::Duration;

use crate::{Aws, traffic};

use super::{EcsEvent, Task, TaskStep, failures};

/// How long a task goes on answering then, in milliseconds.
const LASTS: std::ops::Range<u64> = 5000..30_000;

/// Finds tasks that get too many requests now.
pub(super) fn meet(aws: &mut Aws) {
    if aws.traffic.capacity.is_none() {
        return;
    }
    let tasks = aws.ecs.tasks.values();
    let met: Vec<String> = tasks
        .filter(|task| task.healthy && !task.soon_unhealthy && is_overloaded(aws, task))
        .map(|task| task.arn.clone())
        .collect();

    for task in met {
        if let Some(found) = aws.ecs.tasks.get_mut(&task) {
            found.soon_unhealthy = true;
        }
        let after = Duration::from_millis(aws.rng.u64(LASTS));
        let step = TaskStep::Overload;
        aws.schedule(after, EcsEvent::Task { task, step });
    }
}

/// A task stops answering, unless it gets fewer requests again.
pub(super) fn settle(aws: &mut Aws, arn: &str) {
    let Some(task) = aws.ecs.tasks.get(arn) else {
        return;
    };
    if is_overloaded(aws, task) {
        failures::make_unhealthy(aws, arn);
    } else if let Some(task) = aws.ecs.tasks.get_mut(arn) {
        task.soon_unhealthy = false;
    }
}

fn is_overloaded(aws: &Aws, task: &Task) -> bool {
    let is_too_much = |group: &str| {
        let rate = traffic::rate_per_target(aws, group);
        aws.traffic.capacity.is_some_and(|capacity| rate > capacity)
    };
    task.attachments
        .iter()
        .any(|attachment| is_too_much(&attachment.target_group))
}
