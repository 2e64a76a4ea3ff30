//! The health checks of a task: its containers' own and those of its load balancers.

use std::time::Duration;

use serde_json::Value;

use super::task_lifecycle::{TaskStep, lose};
use super::{Attachment, EcsEvent, Task, deployments, failures, scheduler};
use crate::elb::{self, TargetState};
use crate::{Aws, Millis};

/// The result of a task's health checks.
enum Health {
    Healthy,
    /// Nothing yet; look again then.
    Wait(Millis),
    Failed(String),
}

/// Looks at every check of a running task: all must pass, and one that fails ends it.
pub(super) fn check(aws: &mut Aws, arn: &str) {
    let task = &aws.ecs.tasks[arn];
    let mut checks = vec![container_health(aws, task)];
    checks.extend(
        task.attachments
            .iter()
            .map(|attachment| target_health(aws, task, attachment)),
    );

    let mut wait = None;
    for health in checks {
        match health {
            Health::Healthy => {}
            Health::Wait(until) => wait = wait.max(Some(until)),
            Health::Failed(reason) => return fail(aws, arn, reason),
        }
    }
    match wait {
        Some(until) => {
            if let Some(task) = aws.ecs.tasks.get_mut(arn) {
                task.healthy = false;
            }

            let after = Duration::from_millis((until - aws.now).max(1000).unsigned_abs());
            aws.schedule(
                after,
                EcsEvent::Task {
                    task: arn.to_owned(),
                    step: TaskStep::Check,
                },
            );
        }
        None => become_healthy(aws, arn),
    }
}

fn become_healthy(aws: &mut Aws, arn: &str) {
    let Some(task) = aws.ecs.tasks.get_mut(arn).filter(|task| !task.healthy) else {
        return;
    };

    task.healthy = true;
    task.proven = true;
    let (service, deployment) = (task.service.clone(), task.deployment.clone());
    deployments::note_success(aws, &service, &deployment);
    scheduler::wake(aws, &service);
    failures::meet_traffic(aws);
}

fn fail(aws: &mut Aws, arn: &str, reason: String) {
    let task = &aws.ecs.tasks[arn];
    let (service, port) = (
        task.service.clone(),
        task.attachments.first().map(|attachment| attachment.port),
    );

    if let Some((port, group)) = port.zip(reason.strip_prefix("Task failed ELB health checks in "))
    {
        let group = group.to_owned();
        deployments::note(aws, &service, |name| {
            format!(
                "(service {name}) (port {port}) is unhealthy in {group} due to (reason Health \
                 checks failed)"
            )
        });
    }
    lose(aws, arn, "ServiceSchedulerInitiated", reason);
}

/// The containers' own health checks: the first one that passes comes after one interval, failure
/// after all retries.
fn container_health(aws: &Aws, task: &Task) -> Health {
    let started = task.started_at.unwrap_or(aws.now);
    let checks = aws
        .ecs
        .containers_of(&task.task_definition)
        .iter()
        .map(|container| &container["healthCheck"])
        .filter(|check| !check.is_null());
    let number =
        |check: &Value, member: &str, default: i64| check[member].as_i64().unwrap_or(default);
    let ends = checks.map(|check| {
        let interval = number(check, "interval", 30);
        let failing = interval * number(check, "retries", 3);
        match task.unhealthy_since {
            Some(_) => failing,
            None if task.never_healthy() => number(check, "startPeriod", 0) + failing,
            None => interval,
        }
    });
    let from = task.unhealthy_since.unwrap_or(started);

    match ends.max().map(|seconds| from + seconds * 1000) {
        None => Health::Healthy,
        // Until enough checks have failed in a row, it counts as healthy as before.
        Some(end) if aws.now < end && task.unhealthy_since.is_some() && task.healthy => {
            Health::Healthy
        }
        Some(end) if aws.now < end => Health::Wait(end),
        Some(_) if task.never_healthy() || task.unhealthy_since.is_some() => {
            Health::Failed("Task failed container health checks".to_owned())
        }
        Some(_) => Health::Healthy,
    }
}

/// The load balancer's health checks. Failing them counts only after the grace period.
fn target_health(aws: &Aws, task: &Task, attachment: &Attachment) -> Health {
    let Attachment {
        target_group,
        target_id,
        port,
    } = attachment;
    let grace_secs = aws
        .ecs
        .services
        .get(&task.service)
        .map_or(0, super::Service::grace_period_secs);
    let grace_end = task.started_at.unwrap_or(aws.now) + grace_secs * 1000;
    let soon = aws.now + 10_000;

    match elb::state(aws, target_group, target_id, *port) {
        Some(TargetState::Healthy) => Health::Healthy,
        Some(TargetState::Unhealthy) if aws.now >= grace_end => Health::Failed(format!(
            "Task failed ELB health checks in (target-group {target_group})"
        )),
        Some(TargetState::Unhealthy) => Health::Wait(grace_end),
        _ => Health::Wait(elb::next_change(aws, target_group, target_id, *port).unwrap_or(soon)),
    }
}
