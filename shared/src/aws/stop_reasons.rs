//! Why tasks of Amazon ECS stopped: what explains a failed rollout, and whether those that came
//! after them took the place of failed ones.

use aws_sdk_ecs::types::{DesiredStatus, Task, TaskStopCode};

use super::tasks::instant;
use super::{AwsError, ObservedService, Services, short_name};
use crate::limits::{EXPLAINED_TASKS, PAGES};
use crate::observed::service::newcomers::{Newcomers, StoppedTask};
use crate::redaction::without_signatures;

/// How ECS words the stop of a task that it no longer needs: not a reason for a failure.
const NO_LONGER_NEEDED: &str = "Scaling activity initiated by";

impl Services {
    /// Why tasks of a task definition stopped, in ECS's words, each reason once.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn stop_reasons(
        &self,
        cluster: &str,
        service: &str,
        task_definition: &str,
    ) -> Result<Vec<String>, AwsError> {
        let mut reasons = Vec::new();
        let mut start = None;

        for _ in 0..PAGES {
            let (tasks, next) = self.stopped_page(cluster, service, start).await?;
            let ours = tasks
                .iter()
                .filter(|task| task.task_definition_arn() == Some(task_definition));
            reasons.extend(ours.filter_map(stop_reason));

            start = next;
            if start.is_none() || reasons.len() >= EXPLAINED_TASKS {
                break;
            }
        }

        reasons.truncate(EXPLAINED_TASKS);

        let mut distinct = Vec::new();
        for reason in reasons {
            if !distinct.contains(&reason) {
                distinct.push(reason);
            }
        }
        Ok(distinct)
    }

    /// Whether one of the newcomers may have taken the place of a task of the same revision that
    /// failed, as far as ECS still lists those that stopped. Also true if there are more pages than
    /// are read.
    ///
    /// # Errors
    /// When a call fails.
    pub(super) async fn may_replace_failed(
        &self,
        observed: &ObservedService,
        newcomers: Newcomers,
    ) -> Result<bool, AwsError> {
        let (cluster, service) = observed.name();
        let revision = observed.view.primary().map(|it| &*it.task_definition);
        let mut start = None;

        for _ in 0..PAGES {
            let (tasks, next) = self.stopped_page(cluster, service, start).await?;
            let mut ours = tasks
                .iter()
                .filter(|task| task.task_definition_arn() == revision);
            if ours.any(|task| newcomers.may_replace(&stopped_task(task))) {
                return Ok(true);
            }

            start = next;
            if start.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A page of the tasks of a service that stopped, and where the next one starts.
    async fn stopped_page(
        &self,
        cluster: &str,
        service: &str,
        start: Option<String>,
    ) -> Result<(Vec<Task>, Option<String>), AwsError> {
        let listed = self
            .clients
            .ecs()
            .list_tasks()
            .service_name(short_name(service))
            .desired_status(DesiredStatus::Stopped);
        self.tasks_page(cluster, listed, start).await
    }
}

fn stopped_task(task: &Task) -> StoppedTask<'_> {
    StoppedTask {
        code: task.stop_code().map(TaskStopCode::as_str),
        reason: task.stopped_reason(),
        at: instant(task.stopped_at()),
    }
}

/// Why a task stopped, unless ECS no longer needed it.
fn stop_reason(task: &Task) -> Option<String> {
    if task
        .stopped_reason()
        .is_some_and(|reason| reason.starts_with(NO_LONGER_NEEDED))
    {
        return None;
    }

    let containers = task.containers().iter().filter_map(|container| {
        let name = container.name()?;
        match (container.reason(), container.exit_code()) {
            (Some(reason), _) => Some(format!("{name}: {}", without_signatures(reason))),
            (None, Some(code)) if code != 0 => Some(format!("{name} exited with {code}")),
            _ => None,
        }
    });

    let all: Vec<String> = task
        .stopped_reason()
        .map(without_signatures)
        .into_iter()
        .chain(containers)
        .collect();
    (!all.is_empty()).then(|| all.join("; "))
}
