//! Service deployments of Amazon ECS: they show how a deployment ended that its service no longer
//! lists.

use std::cmp::Reverse;

use aws_sdk_ecs::primitives::DateTime;
use aws_sdk_ecs::types::{
    CreatedAt, ServiceDeployment, ServiceDeploymentCircuitBreaker,
    ServiceDeploymentRollbackMonitorsStatus as MonitorStatus,
};

use super::observed_service::count;
use super::pages::Pages;
use super::{AwsError, Services, short_name};
use crate::limits::SERVICE_DEPLOYMENTS_PAGE;
use crate::observed::service_deployment::{ServiceDeploymentView, Tripped};
use crate::redaction::without_signatures;
use crate::timestamp::Timestamp;

impl Services {
    /// The service deployments of a service that were created since then, newest first.
    ///
    /// # Errors
    /// When a call fails, the list is too long, or a response lacks what ECS always sends.
    pub async fn service_deployments(
        &self,
        cluster: &str,
        service: &str,
        since: Timestamp,
    ) -> Result<Vec<ServiceDeploymentView>, AwsError> {
        const OPERATION: &str = "ecs:ListServiceDeployments";

        let created = CreatedAt::builder()
            .after(DateTime::from_secs(since.secs()))
            .build();
        let mut found = Vec::new();
        let mut pages = Pages::new(OPERATION);

        while let Some(start) = pages.next_start()? {
            let request = self
                .clients
                .ecs()
                .list_service_deployments()
                .cluster(cluster)
                .service(service)
                .created_at(created.clone())
                .max_results(SERVICE_DEPLOYMENTS_PAGE)
                .set_next_token(start);
            let page = request
                .send()
                .await
                .map_err(AwsError::from_sdk(OPERATION))?;
            let arns = page
                .service_deployments()
                .iter()
                .filter_map(|brief| brief.service_deployment_arn())
                .map(ToOwned::to_owned)
                .collect();
            found.extend(self.described(arns).await?);
            pages.go_on(page.next_token);
        }

        found.sort_by_key(|(created, _)| Reverse(*created));
        Ok(found.into_iter().map(|(_, view)| view).collect())
    }

    /// Service deployments with the time of their creation.
    async fn described(
        &self,
        arns: Vec<String>,
    ) -> Result<Vec<(Option<DateTime>, ServiceDeploymentView)>, AwsError> {
        const OPERATION: &str = "ecs:DescribeServiceDeployments";
        if arns.is_empty() {
            return Ok(Vec::new());
        }

        let request = self
            .clients
            .ecs()
            .describe_service_deployments()
            .set_service_deployment_arns(Some(arns));
        let answer = request
            .send()
            .await
            .map_err(AwsError::from_sdk(OPERATION))?;
        answer
            .service_deployments()
            .iter()
            .map(|found| view(found).map(|view| (found.created_at().copied(), view)))
            .collect::<Result<_, String>>()
            .map_err(|lack| AwsError::unexpected(OPERATION, lack))
    }
}

fn view(found: &ServiceDeployment) -> Result<ServiceDeploymentView, String> {
    let revision = found
        .target_service_revision()
        .and_then(|revision| revision.arn());
    let breaker = found
        .deployment_circuit_breaker()
        .filter(|breaker| breaker.status() == Some(&MonitorStatus::Triggered));
    let alarms = found
        .alarms()
        .filter(|alarms| alarms.status() == Some(&MonitorStatus::Triggered));

    Ok(ServiceDeploymentView {
        revision: revision.map(short_name).unwrap_or_default().to_owned(),
        status: found.status().ok_or("no status")?.as_str().to_owned(),
        reason: without_signatures(found.status_reason().unwrap_or_default()),
        tripped: breaker.map(tripped).transpose()?,
        alarms: alarms.map_or_else(Vec::new, |alarms| alarms.triggered_alarm_names().to_vec()),
    })
}

fn tripped(breaker: &ServiceDeploymentCircuitBreaker) -> Result<Tripped, String> {
    Ok(Tripped {
        failed_tasks: count(breaker.failure_count(), "failureCount")?,
        threshold: count(breaker.threshold(), "threshold")?,
    })
}
