//! Task scale-in protection: a task that has it is stopped neither by a lower count nor by a
//! deployment until it expires.
//!
//! Simplification: only a scenario protects tasks.
//! Source: <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection.html>

use std::collections::BTreeMap;
use std::time::Duration;

use crate::{Aws, Millis};

use super::{Task, scheduler};

/// Until when tasks are protected, by their ARNs.
pub(super) type Protected = BTreeMap<String, Millis>;

/// The tasks of a service, by the names of its cluster and itself, protect themselves for a time.
pub fn protect(aws: &mut Aws, (cluster, service): (&str, &str), time: Duration) {
    let Some(service) = aws.ecs.service_named(cluster, service) else {
        return;
    };
    let service = service.arn.clone();
    let until = aws.now + time.as_millis() as Millis;
    let tasks = aws.ecs.tasks_of(&service);
    let protected: Protected = tasks.map(|task| (task.arn.clone(), until)).collect();
    aws.ecs.protected.extend(protected);
    scheduler::wake_after(aws, &service, time);
}

pub(super) fn is_protected(aws: &Aws, task: &Task) -> bool {
    let until = aws.ecs.protected.get(&task.arn);
    until.is_some_and(|until| aws.now < *until)
}
