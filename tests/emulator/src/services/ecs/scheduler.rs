//! The service scheduler: starts and stops tasks in waves, between the floor of healthy and the
//! ceiling of running ones.

use std::time::Duration;

use crate::text::short_name;
use crate::{Aws, Quirk};

use super::deployments::{note, settle_later};
use super::{
    Deployment, DeploymentStatus, RolloutState, Service, ServiceStatus, Task, capacity,
    deployments, failure_detection, losses, placement, protection, replacements, task_lifecycle,
};

/// The most tasks that one look of the scheduler starts.
const MOST_STARTS: usize = 10;

/// Lets the scheduler look at a service soon.
pub(super) fn wake(aws: &mut Aws, service: &str) {
    let after = Duration::from_millis(aws.rng.u64(200..3000));
    wake_after(aws, service, after);
}

pub(super) fn wake_after(aws: &mut Aws, service: &str, after: Duration) {
    aws.schedule(
        after,
        super::EcsEvent::Reconcile {
            service: service.to_owned(),
        },
    );
}

/// Moves the tasks of a service towards what is wanted.
pub(super) fn reconcile(aws: &mut Aws, arn: &str) {
    match aws.ecs.services.get(arn).map(|service| service.status) {
        Some(ServiceStatus::Active) => {}
        Some(ServiceStatus::Draining) => return drain(aws, arn),
        Some(ServiceStatus::Inactive) | None => return,
    }

    stop_surplus(aws, arn);
    replacements::begin_move(aws, arn);
    let is_deploying = aws.ecs.services[arn].is_deploying();

    if is_deploying && aws.draw_quirk(Quirk::StopsBeforeStarting) {
        stop_old(aws, arn, true);
    }

    let is_stuck = start(aws, arn);
    let stopped = stop_old(aws, arn, is_stuck);
    replacements::stop(aws, arn);

    if is_stuck && !stopped {
        note_if_percentages_block(aws, arn);
    }
    deployments::forget_emptied(aws, arn);

    let service = &aws.ecs.services[arn];
    let primary = service
        .primary()
        .map(|primary| (primary.id.clone(), primary.rollout));

    match primary {
        Some((id, RolloutState::InProgress)) if may_complete(aws, service) => {
            let is_watched = failure_detection::is_watched(service);
            let wait = match (service.desired_count, is_watched) {
                (0, _) => Duration::ZERO,
                (_, false) => Duration::from_millis(aws.rng.u64(1000..10_000)),
                // The bake time, in which the alarms are watched.
                (_, true) => Duration::from_secs(aws.rng.u64(120..300)),
            };
            settle_later(aws, arn, id, wait);
        }
        Some((_, RolloutState::Completed)) if is_in_place(aws, service) => {
            note_steady_state(aws, arn)
        }
        _ => {}
    }
}

/// Whether exactly the wanted tasks of the primary deployment are there and healthy, and nothing
/// else, not even draining.
pub(super) fn is_in_place(aws: &Aws, service: &Service) -> bool {
    let Some(primary) = service.primary() else {
        return false;
    };

    let tasks = || aws.ecs.tasks_of(&service.arn);
    let wanted = tasks()
        .filter(|task| task.deployment == primary.id && task.is_live() && task.healthy)
        .count();
    wanted == service.desired_count as usize && tasks().count() == wanted
}

/// Whether the primary deployment has what it needs to be completed: everything in place, or what
/// the early success criteria name.
pub(super) fn may_complete(aws: &Aws, service: &Service) -> bool {
    let (Some(early), Some(primary)) = (service.early_success(), service.primary()) else {
        return is_in_place(aws, service);
    };
    let tasks = || aws.ecs.tasks_of(&service.arn);
    let healthy = tasks()
        .filter(|task| task.deployment == primary.id && task.is_live() && task.healthy)
        .count();
    let old_are_gone = tasks().all(|task| task.deployment == primary.id);
    healthy >= early.healthy && (early.leaves_old || old_are_gone)
}

/// Writes once that a service is steady.
pub(super) fn note_steady_state(aws: &mut Aws, arn: &str) {
    let Some(service) = aws
        .ecs
        .services
        .get_mut(arn)
        .filter(|service| !service.steady)
    else {
        return;
    };

    service.steady = true;
    note(aws, arn, |name| {
        format!("(service {name}) has reached a steady state.")
    });
}

/// The tasks that count, in the order of their start.
pub(super) fn live<'a>(aws: &'a Aws, arn: &'a str) -> Vec<&'a Task> {
    let mut tasks: Vec<&Task> = aws
        .ecs
        .tasks_of(arn)
        .filter(|task| task.is_live())
        .collect();
    tasks.sort_by_key(|task| task.number);
    tasks
}

/// Stops what the primary deployment has too many of, besides those that leave: tasks that do not
/// serve first, then the oldest.
fn stop_surplus(aws: &mut Aws, arn: &str) {
    let service = &aws.ecs.services[arn];
    let Some(primary) = service.primary() else {
        return;
    };

    let mut tasks: Vec<&Task> = live(aws, arn)
        .into_iter()
        .filter(|task| task.deployment == primary.id && !replacements::leaves(aws, task))
        .collect();
    let surplus = tasks.len().saturating_sub(service.desired_count as usize);
    tasks.sort_by_key(|task| task.healthy);

    let tasks: Vec<String> = tasks
        .iter()
        .filter(|task| !protection::is_protected(aws, task))
        .take(surplus)
        .map(|task| task.arn.clone())
        .collect();
    stop_all(aws, arn, &tasks);
}

/// Stops tasks of older deployments while the floor of healthy tasks is kept; returns whether any
/// was stopped. Without `make_room` only as many as new ones already serve in their stead.
fn stop_old(aws: &mut Aws, arn: &str, make_room: bool) -> bool {
    let service = &aws.ecs.services[arn];
    let Some(primary) = service.primary() else {
        return false;
    };

    let tasks = live(aws, arn);
    let serving = tasks.iter().filter(|task| task.healthy).count();
    let is_short = serving < service.desired_count as usize;
    let old: Vec<&Task> = tasks
        .into_iter()
        .filter(|task| task.deployment != primary.id)
        .filter(|task| !(is_short && losses::is_awaited(task)))
        .filter(|task| !protection::is_protected(aws, task))
        .collect();

    // A deployment that failed for good moves nothing any more.
    if old.is_empty() || primary.rollout == RolloutState::Failed {
        return false;
    }

    let (healthy, useless): (Vec<&Task>, Vec<&Task>) =
        old.into_iter().partition(|task| task.healthy);
    let above_floor = serving.saturating_sub(service.floor() as usize);
    let surplus = serving.saturating_sub(service.desired_count as usize);
    let most = if make_room {
        above_floor
    } else {
        above_floor.min(surplus)
    };
    let tasks: Vec<String> = useless
        .iter()
        .chain(healthy.iter().take(most))
        .map(|task| task.arn.clone())
        .collect();
    stop_all(aws, arn, &tasks);

    if !tasks.is_empty() {
        wake(aws, arn);
    }
    !tasks.is_empty()
}

pub(super) fn stop_all(aws: &mut Aws, arn: &str, tasks: &[String]) {
    if tasks.is_empty() {
        return;
    }
    let Some(service) = aws.ecs.services.get_mut(arn) else {
        return;
    };

    service.steady = false;
    let by = service
        .primary()
        .map(|primary| primary.id.clone())
        .unwrap_or_default();

    for task in tasks {
        task_lifecycle::stop(
            aws,
            task,
            "ServiceSchedulerInitiated",
            format!("Scaling activity initiated by (deployment {by})"),
        );
    }

    note(aws, arn, |name| {
        format!(
            "(service {name}) has stopped {} running tasks: {}.",
            tasks.len(),
            named(tasks)
        )
    });
}

/// Starts what the primary deployment lacks, as far as the ceiling and the instances allow. Returns
/// whether it could start nothing for lack of room; waiting after failures is not a lack of room.
fn start(aws: &mut Aws, arn: &str) -> bool {
    let service = &aws.ecs.services[arn];
    let Some(primary) = service
        .primary()
        .filter(|primary| primary.rollout != RolloutState::Failed)
    else {
        return false;
    };

    let tasks = live(aws, arn);
    let staying = tasks
        .iter()
        .filter(|task| task.deployment == primary.id && !replacements::leaves(aws, task))
        .count();
    let wanted = (service.desired_count as usize).saturating_sub(staying);
    if wanted == 0 {
        return false;
    }
    if primary.not_before > aws.now {
        let wait = Duration::from_millis((primary.not_before - aws.now).unsigned_abs());
        wake_after(aws, arn, wait);
        return false;
    }

    let ceiling = if service.is_deploying() {
        service.ceiling()
    } else {
        service.ceiling().max(service.desired_count)
    };
    let count = wanted
        .min((ceiling as usize).saturating_sub(tasks.len()))
        .min(MOST_STARTS);
    let deployment = primary.clone();
    let (started, refusal) = start_tasks(aws, arn, &deployment, count);

    if count == MOST_STARTS {
        wake(aws, arn);
    }
    if let Some(reason) = refusal {
        note(aws, arn, |name| {
            format!(
                "(service {name}) was unable to place a task because no container instance met \
                 all of its requirements. {reason}"
            )
        });
        capacity::grow(aws, arn);
        retry_placement(aws, arn);
    }
    started == 0
}

/// Tries to place again after a while; one such try is on the agenda at a time.
fn retry_placement(aws: &mut Aws, arn: &str) {
    let pause = Duration::from_secs(aws.rng.u64(15..30));
    let now = aws.now;
    let Some(service) = aws
        .ecs
        .services
        .get_mut(arn)
        .filter(|service| service.placement_retry_at <= now)
    else {
        return;
    };
    service.placement_retry_at = now + pause.as_millis() as i64;
    wake_after(aws, arn, pause);
}

/// Starts up to `count` tasks of a deployment; returns how many, and why no more could be placed.
pub(super) fn start_tasks(
    aws: &mut Aws,
    arn: &str,
    deployment: &Deployment,
    count: usize,
) -> (usize, Option<String>) {
    let mut started = Vec::new();
    let mut refusal = None;
    for _ in 0..count {
        match placement::place(aws, arn, deployment) {
            Ok(place) => started.extend(task_lifecycle::create(aws, arn, deployment, place)),
            Err(reason) => {
                refusal = Some(reason);
                break;
            }
        }
    }
    if !started.is_empty() {
        if let Some(service) = aws.ecs.services.get_mut(arn) {
            service.steady = false;
        }
        note(aws, arn, |name| {
            format!(
                "(service {name}) has started {} tasks: {}.",
                started.len(),
                named(&started)
            )
        });
    }
    (started.len(), refusal)
}

/// Writes a message when the percentages let nothing start and nothing stop, although every task is
/// fine.
fn note_if_percentages_block(aws: &mut Aws, arn: &str) {
    let service = &aws.ecs.services[arn];
    let tasks: Vec<&Task> = aws.ecs.tasks_of(arn).collect();
    let blocked = tasks.iter().all(|task| task.healthy)
        && tasks.len() >= service.ceiling() as usize
        && service.is_deploying();

    if blocked {
        note(aws, arn, |name| {
            format!(
                "(service {name}) was unable to stop or start tasks during a deployment because \
                 of the service deployment configuration. Update the minimumHealthyPercent or \
                 maximumPercent value and try again."
            )
        });
    }
}

/// A deleted service stops its tasks and is INACTIVE when they are gone.
fn drain(aws: &mut Aws, arn: &str) {
    let tasks: Vec<String> = live(aws, arn).iter().map(|task| task.arn.clone()).collect();
    stop_all(aws, arn, &tasks);
    if aws.ecs.tasks_of(arn).next().is_some() {
        return;
    }
    let Some(service) = aws.ecs.services.get_mut(arn) else {
        return;
    };

    service.status = ServiceStatus::Inactive;
    service
        .deployments
        .iter_mut()
        .for_each(|deployment| deployment.status = DeploymentStatus::Inactive);
    service.last_completed = service.deployments.drain(..).next();
    service.history.clear();
}

fn named(tasks: &[String]) -> String {
    let ids: Vec<String> = tasks
        .iter()
        .map(|task| format!("(task {})", short_name(task)))
        .collect();
    ids.join(" ")
}
