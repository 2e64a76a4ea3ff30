//! The life of a task, from PROVISIONING to STOPPED.

mod launch;

use std::time::Duration;

use crate::ecr::Behaviour;
use crate::elb;
use crate::{Aws, Quirk};

use super::placement::{self};
use super::{
    Attachment, Container, EcsEvent, TaskState, deployments, failures, losses, overload, scheduler,
    task_health,
};

use launch::fate;
pub(super) use launch::{create, create_standalone};

/// How long a stopped task can still be described.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// How long a task without any health check runs before it counts as started well.
const PROVING: Duration = Duration::from_secs(10);

/// What happens to a task when its time comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskStep {
    Pull,
    Start,
    Check,
    Exit,
    MakeUnhealthy,
    Overload,
    Prove,
    Drained,
    Stopped,
    Forget,
}

pub(super) fn advance(aws: &mut Aws, arn: &str, step: TaskStep) {
    let Some(task) = aws.ecs.tasks.get_mut(arn) else {
        return;
    };
    match (task.state, step) {
        (TaskState::Provisioning, TaskStep::Pull) => {
            task.state = TaskState::Pending;
            let wait = if task.launch_type == "FARGATE" {
                10_000..23_000
            } else {
                2000..6000
            };
            later(aws, arn, TaskStep::Start, wait);
        }
        (TaskState::Pending, TaskStep::Start) => start(aws, arn),
        (TaskState::Running, TaskStep::Check) => task_health::check(aws, arn),
        (TaskState::Running, TaskStep::Exit) => exit(aws, arn),
        (TaskState::Running, TaskStep::MakeUnhealthy) => failures::make_unhealthy(aws, arn),
        (TaskState::Running, TaskStep::Overload) => overload::settle(aws, arn),
        (TaskState::Running, TaskStep::Prove) => prove(aws, arn),
        (TaskState::Deactivating, TaskStep::Drained) => {
            task.state = TaskState::Stopping;
            end_soon(aws, arn);
        }
        (TaskState::Stopping, TaskStep::Stopped) if task.launch_type == "FARGATE" => {
            task.state = TaskState::Deprovisioning;
            later(aws, arn, TaskStep::Stopped, 2000..6000);
        }
        (TaskState::Stopping | TaskState::Deprovisioning, TaskStep::Stopped) => stopped(aws, arn),
        (TaskState::Stopped, TaskStep::Forget) => _ = aws.ecs.tasks.remove(arn),
        // Entries of the agenda that something else has overtaken.
        _ => {}
    }
}

/// The images are pulled and the containers start, or cannot.
fn start(aws: &mut Aws, arn: &str) {
    let now = aws.now;
    let fates = fates(aws, arn);
    let Some(task) = aws.ecs.tasks.get_mut(arn) else {
        return;
    };

    for (container, fate) in task.containers.iter_mut().zip(&fates) {
        container.fate = fate.clone();
        container.reason = fate.as_ref().err().cloned();
    }

    if let Some(reason) = task
        .containers
        .iter()
        .find_map(|container| container.reason.clone())
    {
        return lose(aws, arn, "TaskFailedToStart", reason);
    }

    task.state = TaskState::Running;
    task.started_at = Some(now);
    let (checked, answers, service) = (
        task.is_checked(),
        !task.never_healthy(),
        task.service.clone(),
    );
    task.healthy = !checked;
    register(aws, arn, answers);

    let mut containers = aws.ecs.tasks[arn].containers.iter();
    if let Some((wait, _)) = containers.find_map(exits) {
        later(aws, arn, TaskStep::Exit, wait);
    }

    failures::foresee(aws, arn);
    if checked {
        task_health::check(aws, arn)
    } else {
        aws.schedule(
            PROVING,
            EcsEvent::Task {
                task: arn.to_owned(),
                step: TaskStep::Prove,
            },
        )
    }
    scheduler::wake(aws, &service);
}

/// How many milliseconds after its start a container exits, if it does, and with which code.
fn exits(container: &Container) -> Option<(std::ops::Range<u64>, i32)> {
    let after = |secs: u32| {
        let from = u64::from(secs) * 1000;
        from..from + 1000
    };
    match (&container.fate, container.command_end) {
        (Ok(_), Some(end)) => Some((after(end.after_secs), end.exit_code)),
        (Ok(Behaviour::Exits), None) => Some((1000..8000, 1)),
        (Ok(Behaviour::ExitsAfter(secs)), None) => Some((after(*secs), 1)),
        _ => None,
    }
}

/// What each container of a task meets when its image is pulled, or why it cannot be.
fn fates(aws: &mut Aws, arn: &str) -> Vec<Result<Behaviour, String>> {
    let task = &aws.ecs.tasks[arn];
    let definition = aws.ecs.request_of(&task.task_definition);
    let role = definition.and_then(|definition| definition["executionRoleArn"].as_str());
    let role = role.unwrap_or_default().to_owned();

    let containers = task.containers.iter();
    let images: Vec<String> = containers
        .map(|container| container.image.clone())
        .collect();
    images.iter().map(|image| fate(aws, image, &role)).collect()
}

fn register(aws: &mut Aws, arn: &str, answers: bool) {
    let (attachments, service) = (
        aws.ecs.tasks[arn].attachments.clone(),
        aws.ecs.tasks[arn].service.clone(),
    );
    for Attachment {
        target_group,
        target_id,
        port,
    } in attachments
    {
        if elb::register(aws, &target_group, &target_id, port).is_ok() {
            elb::set_answering(aws, &target_group, &target_id, port, answers);
            deployments::note(aws, &service, |name| {
                format!("(service {name}) registered 1 targets in (target-group {target_group})")
            });
        }
    }
}

fn exit(aws: &mut Aws, arn: &str) {
    let Some(task) = aws.ecs.tasks.get_mut(arn).filter(|task| !task.stopping) else {
        return;
    };

    for container in &mut task.containers {
        if let Some((_, code)) = exits(container) {
            container.exit_code = Some(code);
        }
    }
    if task
        .containers
        .iter()
        .any(|container| container.essential && container.exit_code.is_some())
    {
        lose(
            aws,
            arn,
            "EssentialContainerExited",
            "Essential container in task exited".to_owned(),
        );
    }
}

fn prove(aws: &mut Aws, arn: &str) {
    let Some(task) = aws.ecs.tasks.get_mut(arn).filter(|task| !task.stopping) else {
        return;
    };
    task.proven = true;
    let (service, deployment) = (task.service.clone(), task.deployment.clone());
    deployments::note_success(aws, &service, &deployment);
}

/// Ends a task that should have run on. It counts as failed unless it was healthy before.
pub(super) fn lose(aws: &mut Aws, arn: &str, code: &'static str, reason: String) {
    let counts = code != "EssentialContainerExited" || aws.draw_quirk(Quirk::EarlyExitIsFailure);
    let task = &aws.ecs.tasks[arn];
    let (service, deployment, was_proven) =
        (task.service.clone(), task.deployment.clone(), task.proven);
    stop(aws, arn, code, reason);
    losses::note_lost(aws, &service, &deployment, was_proven, counts);
}

/// Begins to stop a task: it leaves its target groups, and its containers stop when it has drained.
pub(super) fn stop(aws: &mut Aws, arn: &str, code: &'static str, reason: String) {
    let now = aws.now;
    let Some(task) = aws.ecs.tasks.get_mut(arn).filter(|task| task.is_live()) else {
        return;
    };

    let (was_running, has_ended) = (
        task.state == TaskState::Running,
        code == "EssentialContainerExited",
    );
    task.stopping = true;
    task.healthy = false;
    task.stopping_at = Some(now);
    task.stop_code = Some(code);
    task.stopped_reason = Some(reason);
    task.state = TaskState::Stopping;

    let (attachments, service) = (task.attachments.clone(), task.service.clone());
    if !was_running || attachments.is_empty() {
        return end_soon(aws, arn);
    }

    let drained = deregister(aws, &service, attachments);

    // What has exited has no connections left to drain.
    if has_ended {
        return end_soon(aws, arn);
    }

    if let Some(task) = aws.ecs.tasks.get_mut(arn) {
        task.state = TaskState::Deactivating;
    }

    aws.schedule(
        drained,
        EcsEvent::Task {
            task: arn.to_owned(),
            step: TaskStep::Drained,
        },
    );
}

/// Takes a task out of its target groups; returns how long its connections may drain.
fn deregister(aws: &mut Aws, service: &str, attachments: Vec<Attachment>) -> Duration {
    let mut drained = Duration::ZERO;
    for Attachment {
        target_group,
        target_id,
        port,
    } in attachments
    {
        drained = drained.max(elb::deregister(aws, &target_group, &target_id, port));
        deployments::note(aws, service, |name| {
            format!("(service {name}) deregistered 1 targets in (target-group {target_group})")
        });
    }

    deployments::note(aws, service, |name| {
        format!("(service {name}) has begun draining connections on 1 tasks.")
    });
    // Its requests go to those that stay.
    overload::meet(aws);
    drained
}

fn end_soon(aws: &mut Aws, arn: &str) {
    let wait = if aws.ecs.tasks[arn].launch_type == "FARGATE" {
        2000..9000
    } else {
        1000..5000
    };
    later(aws, arn, TaskStep::Stopped, wait);
}

fn stopped(aws: &mut Aws, arn: &str) {
    let now = aws.now;
    let Some(task) = aws.ecs.tasks.get_mut(arn) else {
        return;
    };

    task.state = TaskState::Stopped;
    task.stopped_at = Some(now);
    if task.started_at.is_some() {
        task.containers
            .iter_mut()
            .for_each(|container| _ = container.exit_code.get_or_insert(0));
    }

    let (instance, host_ports, service) = (
        task.instance.clone(),
        std::mem::take(&mut task.host_ports),
        task.service.clone(),
    );
    placement::release(aws, instance.as_deref(), &host_ports);
    aws.schedule(
        REMEMBERED,
        EcsEvent::Task {
            task: arn.to_owned(),
            step: TaskStep::Forget,
        },
    );
    scheduler::wake(aws, &service);
}

/// Puts a step on the agenda, some time within `wait` (ms) from now.
fn later(aws: &mut Aws, arn: &str, step: TaskStep, wait: std::ops::Range<u64>) {
    let after = Duration::from_millis(aws.rng.u64(wait));
    aws.schedule(
        after,
        EcsEvent::Task {
            task: arn.to_owned(),
            step,
        },
    );
}
