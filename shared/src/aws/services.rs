//! Amazon ECS services: observed whole, changed to a stated end.

use std::sync::Arc;

use aws_sdk_ecs::operation::update_service::builders::UpdateServiceFluentBuilder;
use aws_sdk_ecs::types::DeploymentConfiguration;

use super::clients::Clients;
use super::observed_service::{ObservedService, find_service};
use super::{AwsError, Sdk};
use crate::job::{Failure, ReleaseRef, StepError};
use crate::observed::percentages::Percentages;
use crate::strategy::service_goal::ServiceGoal;

const UPDATE: &str = "ecs:UpdateService";

#[derive(Clone, Debug)]
pub struct Services {
    sdk: Sdk,
    pub(super) clients: Arc<Clients>,
}

impl Services {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            sdk: sdk.clone(),
            clients: Arc::clone(&sdk.service),
        }
    }

    /// The service without the health of its targets, or `None` when the service or the cluster
    /// does not exist.
    ///
    /// # Errors
    /// When a call fails or the response lacks what ECS always sends.
    pub async fn describe(
        &self,
        cluster: &str,
        service: &str,
    ) -> Result<Option<ObservedService>, AwsError> {
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
    ) -> Result<[Option<ObservedService>; N], AwsError> {
        const OPERATION: &str = "ecs:DescribeServices";

        let names = services
            .iter()
            .map(|service| (*service).to_owned())
            .collect();
        let request = self
            .clients
            .ecs()
            .describe_services()
            .cluster(cluster)
            .set_services(Some(names));
        let answer = match request.send().await.map_err(AwsError::from_sdk(OPERATION)) {
            Ok(answer) => answer,
            Err(error) if error.code == "ClusterNotFoundException" => {
                return Ok([const { None }; N]);
            }
            Err(error) => return Err(error),
        };
        let now = self.sdk.now();
        let mut observed = [const { None }; N];

        for (service, slot) in services.iter().zip(&mut observed) {
            *slot = find_service(&answer, cluster, service, now)
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
    ) -> Result<Option<ObservedService>, AwsError> {
        let mut observed = self.describe(cluster, service).await?;
        if let Some(observed) = &mut observed {
            self.observe_targets(observed).await?;
        }
        Ok(observed)
    }

    /// The service of a release, with the health of its targets.
    ///
    /// # Errors
    /// As [`Self::describe`], and JobFailed if the service no longer exists.
    pub async fn observe_of(&self, release: &ReleaseRef) -> Result<ObservedService, StepError> {
        let (cluster, service) = (&release.cluster, &release.service);
        let found = self.observe(cluster, service).await?;
        found.ok_or_else(|| {
            let gone = format!("service `{service}` no longer exists in cluster `{cluster}`");
            Failure::job(gone).into()
        })
    }

    /// Makes the service run a task definition with the given percentages, and a count only if one
    /// is given; the task definition may be left as it is. Early success criteria never stay below
    /// the floor, and a FAILED deployment of the same revision is replaced by a new one: it starts
    /// no tasks. What else its deployment configuration holds, such as the circuit breaker, is not
    /// sent, and stays.
    ///
    /// Returns the id of the PRIMARY deployment.
    ///
    /// # Errors
    /// When the call fails, or the response has no PRIMARY deployment.
    pub async fn apply(
        &self,
        seen: &ObservedService,
        goal: &ServiceGoal<'_>,
    ) -> Result<String, AwsError> {
        let is_failed = goal
            .task_definition
            .is_some_and(|revision| seen.view.has_failed(revision));
        let request = self
            .update_of(seen)
            .set_task_definition(goal.task_definition.map(ToOwned::to_owned))
            .deployment_configuration(configured(seen, goal.percentages, goal.early_success)?)
            .set_desired_count(goal.desired.map(signed).transpose()?)
            .set_force_new_deployment(is_failed.then_some(true));
        let answer = request.send().await.map_err(AwsError::from_sdk(UPDATE))?;
        let primary = answer.service().and_then(|service| {
            service
                .deployments()
                .iter()
                .find(|d| d.status() == Some("PRIMARY"))
        });
        let id = primary.and_then(|deployment| deployment.id());

        id.map(ToOwned::to_owned)
            .ok_or_else(|| AwsError::unexpected(UPDATE, "no PRIMARY deployment"))
    }

    /// Names the revision that a service runs already, and nothing else: no deployment begins, and
    /// ECS checks that its roles may be passed as for any other revision
    /// (github.com/keidarcy/e1s/pull/430).
    ///
    /// # Errors
    /// When the call fails.
    pub async fn restate(
        &self,
        seen: &ObservedService,
        task_definition: &str,
    ) -> Result<(), AwsError> {
        update(self.update_of(seen).task_definition(task_definition)).await
    }

    /// Sets the percentages of a service and nothing else: no deployment begins. Early success
    /// criteria are as in [`Self::apply`].
    ///
    /// # Errors
    /// When the call fails.
    pub async fn set_percentages(
        &self,
        seen: &ObservedService,
        percentages: Percentages,
        early_success: Option<u32>,
    ) -> Result<(), AwsError> {
        let configuration = configured(seen, percentages, early_success)?;
        update(self.update_of(seen).deployment_configuration(configuration)).await
    }

    /// Sets the count of a service and nothing else.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn resize(&self, seen: &ObservedService, desired: u32) -> Result<(), AwsError> {
        update(self.update_of(seen).desired_count(signed(desired)?)).await
    }

    /// An update of a service without any changes yet.
    fn update_of(&self, seen: &ObservedService) -> UpdateServiceFluentBuilder {
        self.clients
            .ecs()
            .update_service()
            .cluster(&seen.cluster)
            .service(&seen.service)
    }
}

async fn update(request: UpdateServiceFluentBuilder) -> Result<(), AwsError> {
    let answer = request.send().await;
    answer.map(drop).map_err(AwsError::from_sdk(UPDATE))
}

/// The members of the deployment configuration that a release states. ECS does not change those
/// that are not sent (github.com/aws/aws-cdk/issues/27131); sent back, they would undo a change
/// made in between, and lose what this version of the SDK does not know.
fn configured(
    seen: &ObservedService,
    percentages: Percentages,
    early_success: Option<u32>,
) -> Result<DeploymentConfiguration, AwsError> {
    let configuration = DeploymentConfiguration::builder()
        .minimum_healthy_percent(signed(percentages.minimum_healthy)?)
        .maximum_percent(signed(percentages.maximum)?);

    let in_use = early_success.or(seen.view.early_success);
    let (Some(early), Some(criteria)) = (in_use, seen.configuration.early_success_criteria())
    else {
        return Ok(configuration.build());
    };

    // ECS refuses early success below the floor (Amazon ECS API: DeploymentEarlySuccessCriteria).
    let mut criteria = criteria.clone();
    criteria.healthy_percent = Some(signed(early.max(percentages.minimum_healthy))?);
    Ok(configuration.early_success_criteria(criteria).build())
}

/// The number in the type of the SDK.
fn signed(number: u32) -> Result<i32, AwsError> {
    i32::try_from(number).map_err(|_| {
        AwsError::unexpected(
            "ecs:UpdateService",
            format!("the number {number} is too large"),
        )
    })
}
