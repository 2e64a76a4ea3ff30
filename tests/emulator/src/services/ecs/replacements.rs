//! Tasks that ECS replaces although they run well: those on container instances that drain.
//!
//! Only the primary deployment's are replaced; older ones stop as new ones serve (simplification: a
//! deployment that failed for good replaces none).

use crate::Aws;

use super::{Task, scheduler};

/// Whether a task is to be replaced.
pub(super) fn leaves(aws: &Aws, task: &Task) -> bool {
    let instance = task.instance.as_ref();
    let instance = instance.and_then(|arn| aws.ecs.instances.get(arn));
    instance.is_some_and(|instance| instance.draining)
}

/// Stops tasks that leave: at once those that do not serve yet, others while the floor of healthy
/// tasks is kept.
pub(super) fn stop(aws: &mut Aws, arn: &str) {
    let service = &aws.ecs.services[arn];
    let Some(primary) = service.primary() else {
        return;
    };

    let live = scheduler::live(aws, arn);
    let serving = live.iter().filter(|task| task.healthy).count();
    let spare = serving.saturating_sub(service.floor() as usize);
    let leaving = live
        .into_iter()
        .filter(|task| task.deployment == primary.id && leaves(aws, task));
    let (healthy, useless): (Vec<&Task>, Vec<&Task>) = leaving.partition(|task| task.healthy);

    let tasks: Vec<String> = useless
        .iter()
        .chain(healthy.iter().take(spare))
        .map(|task| task.arn.clone())
        .collect();
    if !tasks.is_empty() {
        scheduler::stop_all(aws, arn, &tasks);
        scheduler::wake(aws, arn);
    }
}
