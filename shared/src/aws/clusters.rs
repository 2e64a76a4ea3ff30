//! Amazon ECS clusters: how many instances there are for tasks that hold static host ports.

use aws_sdk_ecs::Client;

use super::{AwsError, Sdk};

#[derive(Clone, Debug)]
pub struct Clusters {
    client: Client,
}

impl Clusters {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            client: Client::new(&sdk.config),
        }
    }

    /// Container instances registered with the cluster, or `None` when there is no such cluster.
    ///
    /// # Errors
    /// When the call fails or the answer lacks the count.
    pub async fn instances(&self, cluster: &str) -> Result<Option<u32>, AwsError> {
        const OPERATION: &str = "ecs:DescribeClusters";

        let answer = self
            .client
            .describe_clusters()
            .clusters(cluster)
            .send()
            .await
            .map_err(AwsError::from_sdk(OPERATION))?;
        let count = answer
            .clusters()
            .first()
            .map(|found| u32::try_from(found.registered_container_instances_count()));

        count
            .transpose()
            .map_err(|_| AwsError::unexpected(OPERATION, "a negative count of container instances"))
    }
}
