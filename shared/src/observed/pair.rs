//! A blue/green pair as one observation saw it: both services and the weights of its route.

use thiserror::Error;

use super::colour::{Colour, PerColour};
use super::record::ProtectedRecord;
use super::service::ServiceView;
use super::weights::Weights;
use crate::job::Failure;
use crate::timestamp::Timestamp;

/// A pair as one observation saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairView {
    pub observed_at: Timestamp,
    pub weights: Weights,
    pub services: PerColour<ServiceView>,
}

impl PairView {
    #[must_use]
    pub fn of(&self, colour: Colour) -> &ServiceView {
        self.services.of(colour)
    }
}

/// A part of a recorded pair that no longer exists, or not as it was recorded. Without it no step
/// can continue and no rollback can be proven.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum IncompletePair {
    #[error("{route} is gone")]
    Route { route: String },
    #[error("the rule {rule} no longer forwards to {target_group}")]
    TargetGroup { rule: String, target_group: String },
    #[error(transparent)]
    Record(#[from] ProtectedRecord),
    #[error("service `{service}` is gone from cluster `{cluster}`")]
    Service { service: String, cluster: String },
}

impl IncompletePair {
    /// The failure of a step that finds the pair incomplete.
    #[must_use]
    pub fn failure(&self) -> Failure {
        Failure::needing_operator(format!(
            "{self}; a release cannot go on or back without it; manual intervention required"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_finds_its_pair_incomplete_needs_an_operator() {
        let gone = IncompletePair::Service {
            service: "shop-blue".to_owned(),
            cluster: "apps".to_owned(),
        };
        assert_eq!(
            gone.failure(),
            Failure::needing_operator(
                "service `shop-blue` is gone from cluster `apps`; a release cannot go on or back \
                 without it; manual intervention required"
            )
        );
    }
}
