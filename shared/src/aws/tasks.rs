//! Tasks, page by page: the running ones of a service, and the revisions that those of a family
//! run.
//!
//! It only observes.

use std::collections::BTreeSet;

use aws_sdk_ecs::operation::list_tasks::builders::ListTasksFluentBuilder;
use aws_sdk_ecs::primitives::DateTime;
use aws_sdk_ecs::types::{DesiredStatus, Task};

use super::pages::Pages;
use super::{AwsError, Services, short_name};
use crate::limits::TASKS_PAGE;
use crate::observed::service::ServiceView;
use crate::observed::service::newcomers::TaskTimes;
use crate::timestamp::Timestamp;

/// What the group of a service's tasks begins with (Amazon ECS API: Task).
const SERVICE_GROUP: &str = "service:";

const LIST: &str = "ecs:ListTasks";

/// When the tasks of the PRIMARY deployment's revision were created, and since when those that run
/// do. Tasks that ECS is stopping are left out.
pub(super) fn times(tasks: &[Task], view: &ServiceView) -> Vec<TaskTimes> {
    let revision = view.primary().map(|primary| &*primary.task_definition);
    let counts = |task: &&Task| {
        let is_there = match task.last_status() {
            Some("RUNNING") => true,
            Some("PROVISIONING" | "PENDING" | "ACTIVATING") => task.started_at().is_none(),
            _ => false,
        };
        is_there && task.task_definition_arn() == revision
    };
    tasks.iter().filter(counts).map(times_of).collect()
}

pub(super) fn times_of(task: &Task) -> TaskTimes {
    TaskTimes {
        created: instant(task.created_at()),
        started: instant(task.started_at()),
    }
}

/// An instant as ECS and CodePipeline send it.
pub(super) fn instant(at: Option<&DateTime>) -> Option<Timestamp> {
    Timestamp::from_secs(at?.secs()).ok()
}

impl Services {
    pub(super) async fn running_tasks(
        &self,
        cluster: &str,
        service: &str,
    ) -> Result<Vec<Task>, AwsError> {
        // Documented as a name, not as an ARN (Amazon ECS API: ListTasks).
        let of_service = self
            .clients
            .ecs()
            .list_tasks()
            .service_name(short_name(service));
        self.running(cluster, of_service).await
    }

    /// The revisions of a family that tasks in a cluster run, besides those of the services
    /// `except`. None when there is no such cluster.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn running_revisions(
        &self,
        cluster: &str,
        family: &str,
        except: &[String],
    ) -> Result<BTreeSet<String>, AwsError> {
        let of_family = self.clients.ecs().list_tasks().family(family);
        let tasks = match self.running(cluster, of_family).await {
            Err(error) if error.code == "ClusterNotFoundException" => return Ok(BTreeSet::new()),
            listed => listed?,
        };

        let is_other = |task: &&Task| {
            let group = task.group().unwrap_or_default();
            let service = group.strip_prefix(SERVICE_GROUP);
            service.is_none_or(|name| except.iter().all(|own| short_name(own) != name))
        };
        Ok(tasks
            .iter()
            .filter(is_other)
            .filter_map(|task| task.task_definition_arn())
            .map(ToOwned::to_owned)
            .collect())
    }

    async fn running(
        &self,
        cluster: &str,
        listed: ListTasksFluentBuilder,
    ) -> Result<Vec<Task>, AwsError> {
        let mut tasks = Vec::new();
        let mut pages = Pages::new(LIST);

        while let Some(start) = pages.next_start()? {
            let request = listed.clone().desired_status(DesiredStatus::Running);
            let (page, next) = self.tasks_page(cluster, request, start).await?;
            tasks.extend(page);
            pages.go_on(next);
        }
        Ok(tasks)
    }

    /// The tasks of one page of a list, and where the next page starts.
    pub(super) async fn tasks_page(
        &self,
        cluster: &str,
        listed: ListTasksFluentBuilder,
        start: Option<String>,
    ) -> Result<(Vec<Task>, Option<String>), AwsError> {
        let request = listed
            .cluster(cluster)
            .max_results(TASKS_PAGE)
            .set_next_token(start);
        let page = request.send().await.map_err(AwsError::from_sdk(LIST))?;
        let arns = page.task_arns.unwrap_or_default();
        if arns.is_empty() {
            return Ok((Vec::new(), page.next_token));
        }

        let request = self
            .clients
            .ecs()
            .describe_tasks()
            .cluster(cluster)
            .set_tasks(Some(arns));
        let answer = request
            .send()
            .await
            .map_err(AwsError::from_sdk("ecs:DescribeTasks"))?;
        Ok((answer.tasks.unwrap_or_default(), page.next_token))
    }
}
