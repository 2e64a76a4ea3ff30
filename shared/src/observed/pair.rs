//! A blue/green pair as one observation saw it: both services and the weights of the production
//! rule.

use thiserror::Error;

use super::colour::{Colour, PerColour};
use super::service::ServiceView;
use crate::job::Failure;
use crate::routing::weights::Weights;
use crate::strategy::blue_green::prior::PriorPair;
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

    /// How many targets of a colour's production group are healthy.
    #[must_use]
    pub fn healthy(&self, pair: &PriorPair, colour: Colour) -> u32 {
        let group = &pair.of(colour).target_group;
        self.of(colour)
            .target_groups
            .iter()
            .find(|found| found.arn == *group)
            .map_or(0, |found| found.healthy)
    }
}

/// A part of a recorded pair that no longer exists. Without it no step can continue and no rollback
/// can be proven.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum IncompletePair {
    #[error("the rule {rule} is gone")]
    Rule { rule: String },
    #[error("the rule {rule} no longer forwards to {target_group}")]
    TargetGroup { rule: String, target_group: String },
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
    use crate::observed::service::TargetGroupView;
    use crate::strategy::blue_green::fixtures::{pair, view};

    #[test]
    fn healthy_targets_are_those_of_the_group_of_the_colour_in_the_rule() {
        let mut seen = view(pair().weights());
        let other = TargetGroupView {
            arn: "arn:…:targetgroup/internal/1".to_owned(),
            healthy: 9,
            registered: 9,
        };
        seen.services.blue.target_groups.insert(0, other.clone());
        seen.services.green.target_groups = vec![other];

        assert_eq!(
            (
                seen.healthy(&pair(), Colour::Blue),
                seen.healthy(&pair(), Colour::Green)
            ),
            (2, 0)
        );
    }
}
