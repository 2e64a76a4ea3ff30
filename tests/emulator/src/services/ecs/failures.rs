//! Tasks that were healthy and no longer are: their applications stop answering health checks, and
//! ECS replaces them.

use std::time::Duration;

use crate::ecr::Behaviour;
use crate::{Aws, Millis, elb, traffic};

use super::{Attachment, TaskStep, overload};

/// How long requests take to bring down a task that cannot serve them, in milliseconds.
const UNDER_TRAFFIC: std::ops::Range<u64> = 5000..30_000;

/// Lets the application of a running task answer its load balancer, or stop answering, from now on.
pub fn set_answering(aws: &mut Aws, arn: &str, answers: bool) {
    let Some(task) = aws.ecs.tasks.get(arn) else {
        return;
    };
    for Attachment {
        target_group,
        target_id,
        port,
    } in task.attachments.clone()
    {
        elb::set_answering(aws, &target_group, &target_id, port, answers);
        if let Some(at) = elb::next_change(aws, &target_group, &target_id, port) {
            check_at(aws, arn, at);
        }
    }
}

/// A task is in an Availability Zone that its load balancers do not have. Returns whether it is
/// registered with one.
pub fn leave_zones(aws: &mut Aws, arn: &str) -> bool {
    let task = aws.ecs.tasks.get(arn);
    let attachments = task
        .map(|task| task.attachments.clone())
        .unwrap_or_default();

    let mut is_registered = false;
    for Attachment {
        target_group,
        target_id,
        port,
    } in attachments
    {
        is_registered |= elb::leave_zones(aws, &target_group, &target_id, port);
    }
    is_registered
}

fn check_at(aws: &mut Aws, arn: &str, at: Millis) {
    later(
        aws,
        arn,
        TaskStep::Check,
        (at - aws.now).max(0).unsigned_abs(),
    );
}

fn later(aws: &mut Aws, arn: &str, step: TaskStep, millis: u64) {
    aws.schedule(
        Duration::from_millis(millis),
        super::EcsEvent::Task {
            task: arn.to_owned(),
            step,
        },
    );
}

/// A task has started whose image is known to fail after a while.
pub(super) fn foresee(aws: &mut Aws, arn: &str) {
    let containers = aws.ecs.tasks[arn].containers.iter();
    let secs = containers.filter_map(|container| match container.fate {
        Ok(Behaviour::FailsAfter(secs)) => Some(secs),
        _ => None,
    });

    if let Some(secs) = secs.min() {
        later(aws, arn, TaskStep::MakeUnhealthy, u64::from(secs) * 1000);
    }
}

/// Tasks that cannot serve requests, and get some now, will soon stop answering.
pub(crate) fn meet_traffic(aws: &mut Aws) {
    let serves_none = |task: &&super::Task| {
        task.healthy && !task.soon_unhealthy && task.meets(&Behaviour::FailsUnderTraffic)
    };
    let is_reached = |task: &&super::Task| {
        task.attachments
            .iter()
            .any(|it| traffic::reaches(aws, &it.target_group))
    };
    let met: Vec<String> = aws
        .ecs
        .tasks
        .values()
        .filter(serves_none)
        .filter(is_reached)
        .map(|task| task.arn.clone())
        .collect();

    for arn in met {
        if let Some(task) = aws.ecs.tasks.get_mut(&arn) {
            task.soon_unhealthy = true;
        }
        let after = aws.rng.u64(UNDER_TRAFFIC);
        later(aws, &arn, TaskStep::MakeUnhealthy, after);
    }
    overload::meet(aws);
}

/// The application of a task stops answering permanently. ECS notices when enough health checks
/// have failed.
pub(super) fn make_unhealthy(aws: &mut Aws, arn: &str) {
    let now = aws.now;
    let Some(task) = aws.ecs.tasks.get_mut(arn).filter(|task| task.is_running()) else {
        return;
    };

    task.unhealthy_since = Some(now);
    set_answering(aws, arn, false);
    let checks = aws
        .ecs
        .tasks
        .get(arn)
        .map(|task| &task.task_definition)
        .map(|it| aws.ecs.containers_of(it));
    let number = |check: &serde_json::Value, member: &str, default: i64| {
        check[member].as_i64().unwrap_or(default)
    };
    let ends = checks
        .into_iter()
        .flatten()
        .map(|container| &container["healthCheck"])
        .filter(|it| !it.is_null());
    let end = ends
        .map(|check| number(check, "interval", 30) * number(check, "retries", 3))
        .max();

    if let Some(secs) = end {
        check_at(aws, arn, now + secs * 1000);
    }
}
