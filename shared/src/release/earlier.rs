//! The releases of an execution before its present one. A promotion releases one image to one
//! environment after the other: each is a release of its own service, and begins only when the one
//! before ended well.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::Outcome;
use crate::observed::service::short_name;
use crate::timestamp::Timestamp;

/// A release that was deployed, or changed nothing, before the present one of its execution began.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlierRelease {
    pub cluster: String,
    pub service: String,
    pub outcome: Outcome,
    /// The revision that it deployed; none if it changed nothing.
    pub task_definition: Option<String>,
    pub ended_at: Timestamp,
}

impl EarlierRelease {
    #[must_use]
    pub fn is_of(&self, cluster: &str, service: &str) -> bool {
        is_same([&self.cluster, &self.service], [cluster, service])
    }

    #[must_use]
    pub fn deployed(&self, task_definition: &str) -> bool {
        self.task_definition.as_deref() == Some(task_definition)
    }
}

/// Whether two pairs of a cluster and a service, each a name or an ARN, have one lease.
pub(super) fn is_same(one: [&str; 2], other: [&str; 2]) -> bool {
    one.map(short_name) == other.map(short_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_arns_of_one_service_are_the_same() {
        let earlier = EarlierRelease {
            cluster: "arn:aws:ecs:eu-west-1:111122223333:cluster/dev".to_owned(),
            service: "orders".to_owned(),
            outcome: Outcome::Deployed,
            task_definition: Some("orders:2".to_owned()),
            ended_at: Timestamp::from_secs(1_767_603_600).expect("in range"),
        };

        assert!(earlier.is_of("dev", "orders"));
        assert!(!earlier.is_of("ci", "orders"));
        assert!(!earlier.is_of("dev", "shop"));
        assert!(earlier.deployed("orders:2"));
        assert!(!earlier.deployed("orders:3"));
    }
}
