//! Scalable targets and their policies.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{resource_id, tracking};
use crate::Millis;

/// Scalable targets by resource id (`service/<cluster>/<service>`), and policies by resource id and
/// name.
#[derive(Clone, Debug, Default)]
pub struct AutoScaling {
    pub targets: BTreeMap<String, ScalableTarget>,
    pub policies: BTreeMap<(String, String), Policy>,
    /// The targets that are looked at every minute.
    pub(super) tracked: BTreeMap<String, tracking::Tracked>,
}

#[derive(Clone, Debug)]
pub struct ScalableTarget {
    pub arn: String,
    pub resource_id: String,
    pub min: u32,
    pub max: u32,
    pub suspended: Suspended,
    pub created_at: Millis,
}

/// Which kinds of scaling activities are suspended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Suspended {
    pub dynamic_in: bool,
    pub dynamic_out: bool,
    pub scheduled: bool,
}

/// A target tracking policy.
#[derive(Clone, Debug)]
pub struct Policy {
    pub arn: String,
    pub name: String,
    pub resource_id: String,
    /// As it was put.
    pub configuration: Value,
    pub created_at: Millis,
    pub(super) alarms: Vec<String>,
}

impl AutoScaling {
    /// The scalable target of an ECS service.
    pub fn target_of(&self, cluster: &str, service: &str) -> Option<&ScalableTarget> {
        self.targets.get(&resource_id(cluster, service))
    }

    /// The policies of a scalable target.
    pub fn policies_of<'a>(&'a self, resource_id: &'a str) -> impl Iterator<Item = &'a Policy> {
        self.policies
            .values()
            .filter(move |policy| policy.resource_id == resource_id)
    }
}
