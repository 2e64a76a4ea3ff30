//! Amazon ECS services: observed whole, changed to a stated end.

use aws_sdk_ecs::Client;
use aws_sdk_ecs::operation::describe_services::DescribeServicesOutput;
use aws_sdk_ecs::types::{
    DeploymentConfiguration, DeploymentRolloutState, DesiredStatus, SchedulingStrategy, Service,
    ServiceField, Task,
};
use aws_sdk_elasticloadbalancingv2 as elb;

use super::{AwsError, Sdk, short_name};
use crate::limits::{EXPLAINED_TASKS, PAGES};
use crate::observed::service::{DeploymentView, Rollout, Scheduling, ServiceView, TargetGroupView};
use crate::strategy::Percentages;
use crate::timestamp::Timestamp;

/// Tasks of one page: the most that ListTasks answers and that DescribeTasks takes.
const TASKS_PAGE: i32 = 100;

/// Messages of a service that are looked at; ECS keeps a hundred.
const MESSAGES: usize = 20;

/// Tag of the services that the functions' roles may change (template.yaml).
const SERVICE_TAG: &str = "slipway:service";

/// How ECS words the stop of a task that it did not need any more: no reason for a failure.
const CLEARED_AWAY: &str = "Scaling activity initiated by";

#[derive(Clone, Debug)]
pub struct Services {
    sdk: Sdk,
    ecs: Client,
    elb: elb::Client,
}

/// A service as observed, with what must be sent back when it is changed.
#[derive(Clone, Debug)]
pub struct Observed {
    pub view: ServiceView,
    cluster: String,
    service: String,
    configuration: DeploymentConfiguration,
}

impl Observed {
    /// Cluster and service, as they were asked for.
    #[must_use]
    pub fn name(&self) -> (&str, &str) {
        (&self.cluster, &self.service)
    }
}

impl Services {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            sdk: sdk.clone(),
            ecs: Client::new(&sdk.config),
            elb: elb::Client::new(&sdk.config),
        }
    }

    /// The service without the health of its targets, or `None` when there is no such service or cluster.
    ///
    /// # Errors
    /// When a call fails or the answer lacks what ECS always answers.
    pub async fn describe(
        &self,
        cluster: &str,
        service: &str,
    ) -> Result<Option<Observed>, AwsError> {
        let [found] = self.describe_each(cluster, [service]).await?;
        Ok(found)
    }

    /// Several services of a cluster, in one call, as [`Self::describe`].
    ///
    /// # Errors
    /// As [`Self::describe`].
    pub async fn describe_each<const N: usize>(
        &self,
        cluster: &str,
        services: [&str; N],
    ) -> Result<[Option<Observed>; N], AwsError> {
        const OPERATION: &str = "ecs:DescribeServices";
        let names = services
            .iter()
            .map(|service| (*service).to_owned())
            .collect();
        let request = self
            .ecs
            .describe_services()
            .cluster(cluster)
            .set_services(Some(names));
        let answer = match request
            .include(ServiceField::Tags)
            .send()
            .await
            .map_err(AwsError::from_sdk(OPERATION))
        {
            Ok(answer) => answer,
            Err(error) if error.code == "ClusterNotFoundException" => {
                return Ok([const { None }; N]);
            }
            Err(error) => return Err(error),
        };
        let now = self.sdk.now();
        let mut observed = [const { None }; N];
        for (service, slot) in services.iter().zip(&mut observed) {
            *slot = one(&answer, cluster, service, now)
                .map_err(|lack| AwsError::unexpected(OPERATION, lack))?;
        }
        Ok(observed)
    }

    /// The service with the health of its targets.
    ///
    /// # Errors
    /// As [`Self::describe`].
    pub async fn observe(
        &self,
        cluster: &str,
        service: &str,
    ) -> Result<Option<Observed>, AwsError> {
        let mut observed = self.describe(cluster, service).await?;
        if let Some(observed) = &mut observed {
            self.look_at_targets(observed).await?;
        }
        Ok(observed)
    }

    /// Adds the health of its targets to a service that was described.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn look_at_targets(&self, observed: &mut Observed) -> Result<(), AwsError> {
        for group in &mut observed.view.target_groups {
            (group.healthy, group.registered) = self.target_health(&group.arn).await?;
        }
        Ok(())
    }

    async fn target_health(&self, group: &str) -> Result<(u32, u32), AwsError> {
        use elb::types::TargetHealthStateEnum::{Draining, Healthy, UnhealthyDraining};
        let request = self.elb.describe_target_health().target_group_arn(group);
        let answer = request.send().await.map_err(AwsError::from_sdk(
            "elasticloadbalancing:DescribeTargetHealth",
        ))?;
        let states: Vec<_> = answer
            .target_health_descriptions()
            .iter()
            .filter_map(|d| d.target_health()?.state().cloned())
            .collect();
        let count = |wanted: &dyn Fn(&elb::types::TargetHealthStateEnum) -> bool| {
            u32::try_from(states.iter().filter(|s| wanted(s)).count()).unwrap_or(u32::MAX)
        };
        Ok((
            count(&|state| *state == Healthy),
            count(&|state| !matches!(state, Draining | UnhealthyDraining)),
        ))
    }

    /// Makes the service run a task definition with the given percentages, and a count only if one is given. What else its
    /// deployment configuration holds, such as the circuit breaker, is sent back as it was seen.
    ///
    /// Answers the id of the PRIMARY deployment.
    ///
    /// # Errors
    /// When the call fails or answers no PRIMARY deployment.
    pub async fn apply(
        &self,
        seen: &Observed,
        task_definition: &str,
        percentages: Percentages,
        desired: Option<u32>,
    ) -> Result<String, AwsError> {
        const OPERATION: &str = "ecs:UpdateService";
        let mut configuration = seen.configuration.clone();
        configuration.minimum_healthy_percent = Some(signed(percentages.minimum_healthy)?);
        configuration.maximum_percent = Some(signed(percentages.maximum)?);
        let request = self
            .ecs
            .update_service()
            .cluster(&seen.cluster)
            .service(&seen.service)
            .task_definition(task_definition);
        let request = request
            .deployment_configuration(configuration)
            .set_desired_count(desired.map(signed).transpose()?);
        let answer = request
            .send()
            .await
            .map_err(AwsError::from_sdk(OPERATION))?;
        let primary = answer.service().and_then(|service| {
            service
                .deployments()
                .iter()
                .find(|d| d.status() == Some("PRIMARY"))
        });
        let id = primary.and_then(|deployment| deployment.id());
        id.map(ToOwned::to_owned)
            .ok_or_else(|| AwsError::unexpected(OPERATION, "no PRIMARY deployment"))
    }

    /// Sets the count of a service and nothing else.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn resize(&self, seen: &Observed, desired: u32) -> Result<(), AwsError> {
        let request = self
            .ecs
            .update_service()
            .cluster(&seen.cluster)
            .service(&seen.service);
        let request = request.desired_count(signed(desired)?);
        request
            .send()
            .await
            .map(drop)
            .map_err(AwsError::from_sdk("ecs:UpdateService"))
    }

    /// Why tasks of a task definition stopped, in ECS's words, the same reason once.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn stop_reasons(
        &self,
        cluster: &str,
        service: &str,
        task_definition: &str,
    ) -> Result<Vec<String>, AwsError> {
        let (mut reasons, mut start) = (Vec::new(), None);
        for _ in 0..PAGES {
            let request = self
                .ecs
                .list_tasks()
                .cluster(cluster)
                .service_name(service)
                .desired_status(DesiredStatus::Stopped);
            let request = request.max_results(TASKS_PAGE).set_next_token(start);
            let page = request
                .send()
                .await
                .map_err(AwsError::from_sdk("ecs:ListTasks"))?;
            if !page.task_arns().is_empty() {
                let request = self
                    .ecs
                    .describe_tasks()
                    .cluster(cluster)
                    .set_tasks(page.task_arns);
                let answer = request
                    .send()
                    .await
                    .map_err(AwsError::from_sdk("ecs:DescribeTasks"))?;
                let ours = answer
                    .tasks()
                    .iter()
                    .filter(|task| task.task_definition_arn() == Some(task_definition));
                reasons.extend(ours.filter_map(stop_reason));
            }
            start = page.next_token;
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
}

/// The number as the SDK wants it.
fn signed(number: u32) -> Result<i32, AwsError> {
    i32::try_from(number).map_err(|_| {
        AwsError::unexpected(
            "ecs:UpdateService",
            format!("the number {number} is too large"),
        )
    })
}

/// The service of that name or ARN in an answer; `None` when the answer says that it is missing.
fn one(
    answer: &DescribeServicesOutput,
    cluster: &str,
    service: &str,
    now: Timestamp,
) -> Result<Option<Observed>, String> {
    let named = |arn: Option<&str>| arn.is_some_and(|arn| short_name(arn) == short_name(service));
    if let Some(failure) = answer
        .failures()
        .iter()
        .find(|failure| named(failure.arn()))
    {
        return match failure.reason() {
            Some("MISSING") => Ok(None),
            reason => Err(format!("failure {reason:?} for {service}")),
        };
    }
    let found = answer
        .services()
        .iter()
        .find(|found| named(found.service_arn()));
    let found = found.ok_or_else(|| format!("neither a service nor a failure for {service}"))?;
    let view = view(found, now).map_err(|lack| format!("service {service}: {lack}"))?;
    let configuration = found
        .deployment_configuration()
        .cloned()
        .unwrap_or_else(|| DeploymentConfiguration::builder().build());
    Ok(Some(Observed {
        view,
        cluster: cluster.to_owned(),
        service: service.to_owned(),
        configuration,
    }))
}

/// Why a task stopped, unless ECS only cleared it away.
fn stop_reason(task: &Task) -> Option<String> {
    if task
        .stopped_reason()
        .is_some_and(|reason| reason.starts_with(CLEARED_AWAY))
    {
        return None;
    }
    let containers = task.containers().iter().filter_map(|container| {
        let name = container.name()?;
        match (container.reason(), container.exit_code()) {
            (Some(reason), _) => Some(format!("{name}: {reason}")),
            (None, Some(code)) if code != 0 => Some(format!("{name} exited with {code}")),
            _ => None,
        }
    });
    let all: Vec<String> = task
        .stopped_reason()
        .map(ToOwned::to_owned)
        .into_iter()
        .chain(containers)
        .collect();
    (!all.is_empty()).then(|| all.join("; "))
}

fn view(service: &Service, observed_at: Timestamp) -> Result<ServiceView, String> {
    let count =
        |number: i32, name: &str| u32::try_from(number).map_err(|_| format!("{name} is {number}"));
    let percent =
        |number: Option<i32>, name: &str| count(number.ok_or_else(|| format!("no {name}"))?, name);
    let configuration = service
        .deployment_configuration()
        .ok_or("no deploymentConfiguration")?;
    let deployments = service.deployments().iter().map(|deployment| {
        Ok(DeploymentView {
            id: deployment.id().ok_or("a deployment without id")?.to_owned(),
            primary: deployment.status() == Some("PRIMARY"),
            task_definition: deployment
                .task_definition()
                .ok_or("a deployment without taskDefinition")?
                .to_owned(),
            rollout: rollout(deployment.rollout_state())?,
            reason: deployment
                .rollout_state_reason()
                .unwrap_or_default()
                .to_owned(),
            desired: count(deployment.desired_count(), "desiredCount of a deployment")?,
            running: count(deployment.running_count(), "runningCount of a deployment")?,
            failed_tasks: count(deployment.failed_tasks(), "failedTasks of a deployment")?,
        })
    });
    let groups = service
        .load_balancers()
        .iter()
        .filter_map(|balancer| balancer.target_group_arn());
    Ok(ServiceView {
        observed_at,
        status: service.status().ok_or("no status")?.to_owned(),
        desired: count(service.desired_count(), "desiredCount")?,
        running: count(service.running_count(), "runningCount")?,
        pending: count(service.pending_count(), "pendingCount")?,
        percentages: Percentages {
            minimum_healthy: percent(
                configuration.minimum_healthy_percent(),
                "minimumHealthyPercent",
            )?,
            maximum: percent(configuration.maximum_percent(), "maximumPercent")?,
        },
        scheduling: match service.scheduling_strategy() {
            Some(SchedulingStrategy::Replica) => Scheduling::Replica,
            Some(SchedulingStrategy::Daemon) => Scheduling::Daemon,
            other => return Err(format!("schedulingStrategy is {other:?}")),
        },
        controller: service
            .deployment_controller()
            .map_or("ECS", |controller| controller.r#type().as_str())
            .to_owned(),
        tagged: service
            .tags()
            .iter()
            .any(|tag| tag.key() == Some(SERVICE_TAG)),
        strategy: configuration
            .strategy()
            .map_or("ROLLING", |strategy| strategy.as_str())
            .to_owned(),
        deployments: deployments.collect::<Result<_, String>>()?,
        target_groups: groups
            .map(|arn| TargetGroupView {
                arn: arn.to_owned(),
                healthy: 0,
                registered: 0,
            })
            .collect(),
        messages: service
            .events()
            .iter()
            .filter_map(|event| event.message())
            .take(MESSAGES)
            .map(ToOwned::to_owned)
            .collect(),
    })
}

/// Services that ECS does not roll itself (another controller) have no rollout state: they never count as completed.
fn rollout(state: Option<&DeploymentRolloutState>) -> Result<Rollout, String> {
    match state {
        Some(DeploymentRolloutState::Completed) => Ok(Rollout::Completed),
        Some(DeploymentRolloutState::Failed) => Ok(Rollout::Failed),
        Some(DeploymentRolloutState::InProgress) | None => Ok(Rollout::InProgress),
        Some(other) => Err(format!("rolloutState is {other}")),
    }
}
