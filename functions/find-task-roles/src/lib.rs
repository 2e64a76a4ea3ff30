//! The function behind the custom resource of a pipeline's stack: it finds the roles of what the
//! pipeline's services run, which the deploy role of the stack may then pass to tasks.
//!
//! It only reads, under its own role, and belongs to no release. It responds to every request that
//! it can read, because CloudFormation waits for the response; only what was not put is an error,
//! after which Lambda delivers the request again.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};
use slipway::aws::{Responses, Retry, Sdk, Services, TaskDefinitions};
use slipway::events::{CustomResourceRequest, RequestType};
use slipway::limits::STEP_BUDGET;

/// A role that cannot be passed, since an account passes its own roles only. The resources of a
/// statement of IAM cannot be an empty list.
const NO_ROLE: &str = "role/none";
const NO_ACCOUNT: &str = "000000000000";

/// The function: one request of CloudFormation.
#[derive(Debug)]
pub struct FindTaskRoles {
    sdk: Sdk,
    services: Services,
    task_definitions: TaskDefinitions,
    responses: Responses,
}

/// The services of a pipeline.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Properties {
    cluster: String,
    services: Vec<String>,
}

impl FindTaskRoles {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            sdk: sdk.clone(),
            services: Services::new(sdk),
            task_definitions: TaskDefinitions::new(sdk),
            responses: Responses::new(sdk),
        }
    }

    /// Handles one request and returns what was responded.
    ///
    /// # Errors
    /// When Lambda should deliver the request again, because the response was not put; or when the
    /// event is not a request.
    pub async fn handle(&self, event: Value) -> Result<Value, Retry> {
        let request = CustomResourceRequest::parse(event)?;
        let found = match request.request_type {
            RequestType::Create | RequestType::Update => self.find_in_time(&request).await,
            // There is nothing to remove.
            RequestType::Delete => Ok(json!({})),
        };

        let responded = match &found {
            Ok(attributes) => json!({"status": "SUCCESS", "attributes": attributes}),
            Err(reason) => json!({"status": "FAILED", "reason": reason}),
        };
        tracing::info!(stack = request.stack_id, %responded);

        let response = request.response(found);
        self.responses.put(&request.response_url, &response).await?;
        Ok(responded)
    }

    /// Leaves time for the response.
    async fn find_in_time(&self, request: &CustomResourceRequest) -> Result<Value, String> {
        let found = self.sdk.within(STEP_BUDGET, self.find(request)).await;
        found.unwrap_or_else(|| {
            let limit = STEP_BUDGET.as_secs();
            Err(format!(
                "the roles were not found within {limit} s; deploy the stack again"
            ))
        })
    }

    async fn find(&self, request: &CustomResourceRequest) -> Result<Value, String> {
        let properties = request.resource_properties.clone();
        let Properties { cluster, services } = serde_json::from_value(properties).map_err(|e| {
            format!(
                "ResourceProperties: {e}; expected Cluster, a name, and Services, a list of names"
            )
        })?;

        let mut roles = BTreeSet::new();
        for service in &services {
            for revision in self.revisions(&cluster, service).await? {
                roles.extend(self.roles(&revision, &request.stack_id).await?);
            }
        }
        if roles.is_empty() {
            roles.insert(arn(&request.stack_id, Some(NO_ACCOUNT), NO_ROLE));
        }

        let roles: Vec<String> = roles.into_iter().collect();
        Ok(json!({"Arns": roles.join(",")}))
    }

    /// The revisions of a service's deployments: more than one during a rollout, any of which a
    /// rollback may restore.
    async fn revisions(&self, cluster: &str, service: &str) -> Result<BTreeSet<String>, String> {
        let named = format!("service `{service}` in cluster `{cluster}`");
        let observed = self.services.describe(cluster, service).await;
        let observed = observed.map_err(|error| error.to_string())?;
        let view = observed
            .ok_or_else(|| format!("there is no {named}; expected the service of the pipeline"))?
            .view;

        if view.status != "ACTIVE" {
            return Err(format!("{named} is {}; expected ACTIVE", view.status));
        }
        let deployments = view.deployments.into_iter();
        Ok(deployments.map(|one| one.task_definition).collect())
    }

    /// The ARNs of the roles of a revision.
    async fn roles(&self, revision: &str, stack_id: &str) -> Result<Vec<String>, String> {
        let described = self.task_definitions.describe(revision).await;
        let described = described.map_err(|error| error.to_string())?;
        let (_, definition) =
            described.ok_or_else(|| format!("task definition {revision} does not exist"))?;

        let roles = definition.roles().map(|(_, role)| {
            if role.starts_with("arn:") {
                role.to_owned()
            } else {
                arn(stack_id, None, &format!("role/{role}"))
            }
        });
        Ok(roles.collect())
    }
}

/// The ARN of a resource of IAM, in the partition of the stack, and in its account unless another
/// one is given.
fn arn(stack_id: &str, account: Option<&str>, resource: &str) -> String {
    let part = |at| stack_id.split(':').nth(at).unwrap_or_default();
    let account = account.unwrap_or_else(|| part(4));
    format!("arn:{}:iam::{account}:{resource}", part(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_has_the_partition_and_the_account_of_the_stack() {
        let stack = "arn:aws-cn:cloudformation:cn-north-1:111122223333:stack/web-pipeline/1";
        assert_eq!(
            arn(stack, None, "role/a"),
            "arn:aws-cn:iam::111122223333:role/a"
        );
        assert_eq!(
            arn(stack, Some(NO_ACCOUNT), NO_ROLE),
            "arn:aws-cn:iam::000000000000:role/none"
        );
    }
}
