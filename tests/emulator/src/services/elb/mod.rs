//! Elastic Load Balancing v2: what sends traffic where, and whether a target is fit to get any.
//!
//! The health of a target is a function of time (`health`), so that it is right at every instant
//! without an agenda.

mod actions;
mod change;
mod describe;
mod health;
mod hosted_zones;
mod iam;
mod operations;
mod requests;
mod resources;
mod state;

#[cfg(test)]
mod tests;

use crate::protocol::{Protocol, Query};
use crate::service::{Errors, Service};
use crate::{Aws, Quirk};

pub use health::{
    TargetState, deregister, leave_zones, next_change, register, set_answering, state,
};
pub(crate) use health::{changes, state_of as state_at};
pub(crate) use hosted_zones::{hosted_zone, zone_of_name};
use operations::NAMESPACE;
pub use operations::run_operation;
pub(crate) use requests::respond;
pub use resources::{
    create_listener, create_load_balancer, create_rule, create_target_group, delete_listener,
    delete_load_balancer, delete_rule, delete_target_group, set_tags, update_listener, update_rule,
    update_target_group,
};

pub(crate) use state::zones;
pub use state::{Elb, Listener, LoadBalancer, RegisteredTarget, Rule, TargetGroup};

pub(crate) const SERVICE: Service = Service {
    name: "elasticloadbalancing",
    protocol: Protocol::Query(Query {
        version: "2015-12-01",
        namespace: NAMESPACE,
        call: run_operation,
    }),
    errors: Errors::QUERY,
    demands: iam::demands,
};

/// Notes which target groups are in use, after a change of listeners or rules.
pub(crate) fn note_use(aws: &mut Aws) {
    if aws.elb.target_groups.is_empty() {
        return;
    }

    let weight_zero_is_use = aws.draw_quirk(Quirk::WeightZeroIsUse);
    let used: Vec<String> = aws
        .elb
        .all_forwards()
        .filter(|(_, _, weight)| *weight > 0 || weight_zero_is_use)
        .map(|(_, group, _)| group.to_owned())
        .collect();

    for group in aws.elb.target_groups.values_mut() {
        group.used_since = used
            .contains(&group.arn)
            .then(|| group.used_since.unwrap_or(aws.now));
    }
}
