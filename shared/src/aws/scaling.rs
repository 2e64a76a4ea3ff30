//! Automatic scaling of services (Application Auto Scaling): whether it may remove tasks, and how
//! many it allows.

use std::sync::Arc;

use aws_sdk_applicationautoscaling::types::{
    ScalableDimension, ScalableTarget, ServiceNamespace, SuspendedState,
};

use super::clients::Clients;
use super::pages::Pages;
use super::{AwsError, Sdk, short_name};
use crate::observed::scaling::{RecordedScaling, ScalingView};

#[derive(Clone, Debug)]
pub struct Scaling {
    clients: Arc<Clients>,
}

impl Scaling {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            clients: Arc::clone(&sdk.service),
        }
    }

    /// The scalable target of each service; `None` for a service without automatic scaling.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn observe(
        &self,
        cluster: &str,
        services: [&str; 2],
    ) -> Result<[Option<ScalingView>; 2], AwsError> {
        let targets = self.targets(cluster, &services).await?;
        Ok(services.map(|service| {
            let target = targets
                .iter()
                .find(|target| target.resource_id() == resource(cluster, service))?;
            Some(view(target))
        }))
    }

    /// The ARNs of the scalable targets of services.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn arns(&self, cluster: &str, services: &[&str]) -> Result<Vec<String>, AwsError> {
        let targets = self.targets(cluster, services).await?;
        let arns = targets.into_iter();
        Ok(arns
            .filter_map(|target| target.scalable_target_arn)
            .collect())
    }

    async fn targets(
        &self,
        cluster: &str,
        services: &[&str],
    ) -> Result<Vec<ScalableTarget>, AwsError> {
        const OPERATION: &str = "application-autoscaling:DescribeScalableTargets";

        let ids: Vec<String> = services
            .iter()
            .map(|service| resource(cluster, service))
            .collect();
        let mut targets = Vec::new();
        let mut pages = Pages::new(OPERATION);

        while let Some(start) = pages.next_start()? {
            let request = self
                .clients
                .autoscaling()
                .describe_scalable_targets()
                .service_namespace(ServiceNamespace::Ecs)
                .set_resource_ids(Some(ids.clone()))
                .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
                .set_next_token(start);
            let page = request
                .send()
                .await
                .map_err(AwsError::from_sdk(OPERATION))?;

            targets.extend(page.scalable_targets.unwrap_or_default());
            pages.go_on(page.next_token);
        }
        Ok(targets)
    }

    /// Suspends or resumes scale-in and scheduled scaling of each service as `wanted`, where they
    /// differ. Services without automatic scaling are left alone, and so are bounds and scale-out.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn suspend_scale_in(
        &self,
        cluster: &str,
        services: [&str; 2],
        wanted: [Option<RecordedScaling>; 2],
    ) -> Result<(), AwsError> {
        let mut refused = Ok(());
        for target in self.targets(cluster, &services).await? {
            let index = services
                .iter()
                .position(|service| target.resource_id() == resource(cluster, service));
            let Some(wanted) = index.and_then(|index| wanted[index]) else {
                continue;
            };

            let seen = view(&target);
            let wanted = wanted.over(seen);
            if wanted == seen {
                continue;
            }

            let state = target.suspended_state();
            let kept = SuspendedState::builder()
                .dynamic_scaling_in_suspended(wanted.scale_in_suspended)
                .set_dynamic_scaling_out_suspended(
                    state.and_then(|state| state.dynamic_scaling_out_suspended()),
                )
                .scheduled_scaling_suspended(wanted.schedule_suspended);

            let request = self
                .clients
                .autoscaling()
                .register_scalable_target()
                .service_namespace(ServiceNamespace::Ecs)
                .resource_id(&target.resource_id)
                .suspended_state(kept.build())
                .scalable_dimension(ScalableDimension::EcsServiceDesiredCount);

            // A refusal for one service must not keep scale-in of the other one suspended.
            let answer = request.send().await.map_err(AwsError::from_sdk(
                "application-autoscaling:RegisterScalableTarget",
            ));
            refused = refused.and(answer.map(drop));
        }

        refused
    }
}

/// A scalable target as decisions see it; what is not stated to be suspended is not.
fn view(target: &ScalableTarget) -> ScalingView {
    let state = target.suspended_state();
    let scale_in = state.and_then(|state| state.dynamic_scaling_in_suspended());
    let schedule = state.and_then(|state| state.scheduled_scaling_suspended());
    ScalingView {
        scale_in_suspended: scale_in.unwrap_or(false),
        schedule_suspended: schedule.unwrap_or(false),
        max_capacity: u32::try_from(target.max_capacity()).unwrap_or_default(),
    }
}

/// `service/<cluster>/<service>`, as Application Auto Scaling names a service.
fn resource(cluster: &str, service: &str) -> String {
    format!("service/{}/{}", short_name(cluster), short_name(service))
}
