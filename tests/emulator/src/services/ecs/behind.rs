//! Which service stands behind a target group, as the load balancers of the services show it.

use super::service_rules::load_balancers;
use super::state::{Ecs, Service};

impl Service {
    /// ARNs of the target groups with which its tasks are registered.
    pub fn target_groups(&self) -> impl Iterator<Item = &str> {
        load_balancers(&self.settings)
            .iter()
            .filter_map(|balancer| balancer["targetGroupArn"].as_str())
    }
}

impl Ecs {
    /// The service of a cluster, by name, whose tasks are registered with a target group.
    pub fn service_behind(&self, cluster: &str, target_group: &str) -> Option<&Service> {
        self.services.values().find(|service| {
            service.cluster == cluster && service.target_groups().any(|known| known == target_group)
        })
    }
}
