//! Tasks that ECS replaces although they run well: those on container instances that drain, and
//! those that move to another Availability Zone.
//!
//! Only the primary deployment's are replaced; older ones stop as new ones serve (simplification: a
//! deployment that failed for good replaces none). Tasks have no zone: a test states that zones
//! became uneven.

use std::time::Duration;

use crate::{Aws, Quirk};

use super::{RolloutState, Service, Task, deployments, scheduler};

/// How long ECS takes to notice that zones are uneven, in seconds (assumed).
const NOTICE: std::ops::Range<u64> = 5..120;

/// Whether a task is to be replaced.
pub(super) fn leaves(aws: &Aws, task: &Task) -> bool {
    task.moves || is_drained(aws, task)
}

fn is_drained(aws: &Aws, task: &Task) -> bool {
    let instance = task.instance.as_ref();
    let instance = instance.and_then(|arn| aws.ecs.instances.get(arn));
    instance.is_some_and(|instance| instance.draining)
}

/// Stops tasks that leave: on an instance that drains at once those that do not serve yet, others
/// while the floor of healthy tasks is kept; one that moves when others serve in its place.
pub(super) fn stop(aws: &mut Aws, arn: &str) {
    let service = &aws.ecs.services[arn];

    // Nothing replaces the tasks of a deployment that failed for good.
    let primary = service.primary();
    let Some(primary) = primary.filter(|primary| primary.rollout != RolloutState::Failed) else {
        return;
    };

    let live = scheduler::live(aws, arn);
    let serving = live.iter().filter(|task| task.healthy).count();
    let spare = serving.saturating_sub(service.floor() as usize);
    let replaced = serving.saturating_sub(service.desired_count as usize);

    let leaving = live
        .into_iter()
        .filter(|task| task.deployment == primary.id && leaves(aws, task));
    let (drained, moving): (Vec<&Task>, Vec<&Task>) =
        leaving.partition(|task| is_drained(aws, task));
    let (healthy, useless): (Vec<&Task>, Vec<&Task>) =
        drained.into_iter().partition(|task| task.healthy);
    let mut tasks: Vec<String> = useless
        .iter()
        .chain(healthy.iter().take(spare))
        .map(|task| task.arn.clone())
        .collect();

    let moved = if tasks.is_empty() { replaced } else { 0 };
    let moved: Vec<String> = moving
        .iter()
        .filter(|task| task.healthy)
        .take(moved)
        .map(|task| task.arn.clone())
        .collect();
    let has_moved = !moved.is_empty() && moved.len() == moving.len();
    tasks.extend(moved);

    if !tasks.is_empty() {
        scheduler::stop_all(aws, arn, &tasks);
        scheduler::wake(aws, arn);
    }
    if has_moved {
        note_balance(aws, arn, 0);
    }
}

/// An Availability Zone has tasks of a service too many from now on, as after a disruption of
/// another one; returns whether ECS will move them.
pub fn unbalance(aws: &mut Aws, arn: &str) -> bool {
    let service = aws.ecs.services.get_mut(arn);
    let Some(service) = service.filter(|service| may_move(service)) else {
        return false;
    };

    service.uneven = true;
    let after = Duration::from_secs(aws.rng.u64(NOTICE));
    scheduler::wake_after(aws, arn, after);
    true
}

impl Service {
    /// Whether Availability Zone rebalancing is ENABLED.
    pub fn is_rebalanced(&self) -> bool {
        let rebalancing = self.settings.get("availabilityZoneRebalancing");
        rebalancing.is_some_and(|found| found == "ENABLED")
    }
}

/// Whether ECS moves tasks of a service: not during a deployment, and not above its maximum.
fn may_move(service: &Service) -> bool {
    service.is_rebalanced()
        && !service.is_deploying()
        && service.desired_count > 1
        && service.ceiling() > service.desired_count
}

/// How many tasks move at once: one, or half of them within the maximum.
fn moving_at_once(aws: &mut Aws, arn: &str) -> u32 {
    if !aws.draw_quirk(Quirk::MovesTasksTogether) {
        return 1;
    }
    let service = &aws.ecs.services[arn];
    let room = service.ceiling().saturating_sub(service.desired_count);
    room.min(service.desired_count / 2)
}

/// Chooses the tasks that move, once the service is steady.
pub(super) fn begin_move(aws: &mut Aws, arn: &str) {
    let service = &aws.ecs.services[arn];
    if !service.uneven || !may_move(service) || !scheduler::is_in_place(aws, service) {
        return;
    }

    let count = moving_at_once(aws, arn);
    let oldest: Vec<String> = scheduler::live(aws, arn)
        .into_iter()
        .take(count as usize)
        .map(|task| task.arn.clone())
        .collect();
    for task in oldest {
        if let Some(task) = aws.ecs.tasks.get_mut(&task) {
            task.moves = true;
        }
    }
    if let Some(service) = aws.ecs.services.get_mut(arn) {
        service.uneven = false;
    }
    note_balance(aws, arn, count);
}

/// How many tasks two zones have, of which one has this many too many.
fn note_balance(aws: &mut Aws, arn: &str, excess: u32) {
    let desired = aws.ecs.services[arn].desired_count;
    let most = (desired.div_ceil(2) + excess).min(desired);
    let (fewest, region) = (desired - most, aws.region.clone());
    let (not, end) = match excess {
        0 => ("", "."),
        _ => ("not ", ". AZ Rebalancing in progress."),
    };

    deployments::note(aws, arn, |name| {
        format!(
            "(service {name}) is {not}AZ balanced with {most} tasks in {region}a, {fewest} tasks \
             in {region}b{end}"
        )
    });
}
