//! Whether the cluster has an instance for the tasks of a service that are not on Fargate. Only a
//! dry run looks: a release begins without one, and its tasks wait for it until the deadline of the
//! rollout.
//!
//! Instances for tasks with static host ports are counted for every release, beside the plan.

use slipway::aws::ObservedService;
use slipway::job::{Checks, Failure, StepError};
use slipway::observed::instances::TaskInstances;

use crate::BeginRelease;
use crate::check_groups::ROLLOUT;

/// The capacity providers of Fargate, of which no other has a name (Amazon ECS API:
/// CreateCapacityProvider).
const OF_FARGATE: [&str; 2] = ["FARGATE", "FARGATE_SPOT"];

impl BeginRelease {
    pub(crate) async fn check_instances(
        &self,
        checks: &mut Checks,
        deployed_to: &ObservedService,
    ) -> Result<(), StepError> {
        let at = (ROLLOUT, "instances");
        let providers = &deployed_to.view.capacity_providers;
        if deployed_to.task_network().is_on_fargate || are_of_fargate(providers) {
            checks.ok(at, "none are needed on Fargate");
            return Ok(());
        }

        let (cluster, service) = deployed_to.name();
        let found = match self.clusters.task_instances(cluster, providers).await {
            Ok(found) if found.active == 0 && found.can_grow => {
                checks.skip(
                    at,
                    "none is ACTIVE; a capacity provider of the service may add one",
                );
                return Ok(());
            }
            Ok(TaskInstances { active: 0, .. }) => Err(no_instance(cluster, service).into()),
            Ok(found) => Ok(found.active),
            Err(error) => Err(StepError::from(error)),
        };
        checks.take(at, found, |active| format!("{active} are ACTIVE"))?;
        Ok(())
    }
}

fn are_of_fargate(providers: &[String]) -> bool {
    let mut all = providers.iter();
    !providers.is_empty() && all.all(|name| OF_FARGATE.contains(&name.as_str()))
}

fn no_instance(cluster: &str, service: &str) -> Failure {
    Failure::configuration(format!(
        "cluster `{cluster}` has no ACTIVE container instance, and service `{service}` has no \
         capacity provider that adds one; expected at least one for tasks that are not on Fargate; \
         register one, or set one that is DRAINING to ACTIVE"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_without_a_launch_type_may_be_on_fargate_by_its_capacity_providers() {
        let of_fargate = |providers: &[&str]| {
            let providers: Vec<String> = providers.iter().map(|&name| name.to_owned()).collect();
            are_of_fargate(&providers)
        };
        assert!(of_fargate(&["FARGATE"]) && of_fargate(&["FARGATE_SPOT", "FARGATE"]));
        assert!(!of_fargate(&[]) && !of_fargate(&["FARGATE", "spare"]));
    }
}
