//! Amazon ECS services: observed whole, changed to a stated end.

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::ServiceField;
use aws_sdk_elasticloadbalancingv2 as elb;

use super::observed_service::{ObservedService, find_service};
use super::{AwsError, Sdk};
use crate::strategy::in_place::percentages::Percentages;

#[derive(Clone, Debug)]
pub struct Services {
    sdk: Sdk,
    pub(super) ecs: Client,
    elb: elb::Client,
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

    /// The service without the health of its targets, or `None` when there is no such service or
    /// cluster.
    ///
    /// # Errors
    /// When a call fails or the answer lacks what ECS always sends.
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

    /// Adds the health of its targets to a service that was described.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn observe_targets(&self, observed: &mut ObservedService) -> Result<(), AwsError> {
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

    /// Makes the service run a task definition with the given percentages, and a count only if one
    /// is given. What else its deployment configuration holds, such as the circuit breaker, is sent
    /// back as it was seen.
    ///
    /// Returns the id of the PRIMARY deployment.
    ///
    /// # Errors
    /// When the call fails, or the answer has no PRIMARY deployment.
    pub async fn apply(
        &self,
        seen: &ObservedService,
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
            .task_definition(task_definition)
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
    pub async fn resize(&self, seen: &ObservedService, desired: u32) -> Result<(), AwsError> {
        let request = self
            .ecs
            .update_service()
            .cluster(&seen.cluster)
            .service(&seen.service)
            .desired_count(signed(desired)?);
        request
            .send()
            .await
            .map(drop)
            .map_err(AwsError::from_sdk("ecs:UpdateService"))
    }
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
