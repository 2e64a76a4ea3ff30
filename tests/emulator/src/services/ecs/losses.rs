//! Tasks of services that end although they should run on, by themselves or by StopTask. The
//! scheduler replaces them, and one of an older deployment may start again.
//!
//! Simplifications: an old task that never served is not started again, so that a version that
//! cannot start does not take room forever, and a larger count is met by the primary deployment
//! alone.

use crate::{Aws, Quirk};

use super::{Service, ServiceStatus, Task, deployments, scheduler, task_lifecycle};

/// Stops a task as StopTask does; the scheduler replaces it.
pub fn stop_task(aws: &mut Aws, task: &str, reason: &str) {
    take_away(aws, task, "UserInitiated", reason);
}

/// Fargate Spot takes the capacity of a task back; the scheduler replaces it.
pub fn interrupt(aws: &mut Aws, task: &str) {
    let reason = "Your Spot Task was interrupted.";
    take_away(aws, task, "SpotInterruption", reason);
}

/// The containers of a running task exit; the scheduler replaces it.
pub fn crash(aws: &mut Aws, task: &str) {
    let running = aws.ecs.tasks.get_mut(task).filter(|task| task.is_running());
    let Some(running) = running else {
        return;
    };
    for container in &mut running.containers {
        container.exit_code = Some(1);
    }
    let reason = "Essential container in task exited".to_owned();
    task_lifecycle::lose(aws, task, "EssentialContainerExited", reason);
}

/// EC2 terminates an instance, as it does with Spot ones; the scheduler replaces its tasks.
pub fn terminate_instance(aws: &mut Aws, arn: &str) {
    let Some(instance) = aws.ecs.instances.remove(arn) else {
        return;
    };
    let tasks: Vec<String> = aws
        .ecs
        .tasks
        .values()
        .filter(|task| task.instance.as_deref() == Some(arn))
        .map(|task| task.arn.clone())
        .collect();
    for task in tasks {
        let reason = format!("Host EC2 (instance {}) terminated.", instance.ec2_id);
        take_away(aws, &task, "TerminationNotice", &reason);
    }
}

/// Stops a task that did nothing wrong: it counts as no failure of its deployment.
fn take_away(aws: &mut Aws, task: &str, code: &'static str, reason: &str) {
    let Some(found) = aws.ecs.tasks.get(task).cloned() else {
        return;
    };
    task_lifecycle::stop(aws, task, code, reason.to_owned());
    if found.is_live() && found.proven {
        replace(aws, &found.service, &found.deployment);
    }
    scheduler::wake(aws, &found.service);
}

/// A task ended by itself: its deployment counts it, and the scheduler runs again.
pub(super) fn note_lost(
    aws: &mut Aws,
    service: &str,
    deployment: &str,
    was_proven: bool,
    counts: bool,
) {
    if was_proven {
        replace(aws, service, deployment);
    } else {
        deployments::note_failure(aws, service, deployment, counts);
    }
    scheduler::wake(aws, service);
}

/// A task of this deployment, which had served, has ended although none of its service was to stop:
/// an old one may be replaced by a task of its own revision.
fn replace(aws: &mut Aws, arn: &str, id: &str) {
    let service = aws.ecs.services.get(arn);
    let Some(service) = service.filter(|service| is_short(aws, service, id)) else {
        return;
    };

    let mut deployments = service.deployments.iter();
    let Some(own) = deployments.find(|own| own.id == id).cloned() else {
        return;
    };
    if aws.draw_quirk(Quirk::ReplacesOldTasks) {
        scheduler::start_tasks(aws, arn, &own, 1);
    }
}

/// Whether a service has lost a task of an old deployment during a rollout, no new one serves in
/// its place, and there is room for one more.
fn is_short(aws: &Aws, service: &Service, id: &str) -> bool {
    let primary = service.primary().filter(|primary| primary.id != id);
    let Some(primary) = primary.filter(|_| service.status == ServiceStatus::Active) else {
        return false;
    };

    let live = scheduler::live(aws, &service.arn);
    let staying = live
        .iter()
        .filter(|task| task.deployment != primary.id || task.healthy)
        .count();
    service.is_deploying()
        && staying < service.desired_count as usize
        && live.len() < service.ceiling() as usize
}

/// Whether an old task was started in place of one that ended, and has not served yet.
pub(super) fn is_awaited(task: &Task) -> bool {
    task.replaces && !task.proven
}
