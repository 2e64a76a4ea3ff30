//! A listener rule as one observation saw it: where its forward action sends the traffic.
//!
//! How the rule is read and written is a matter of `aws::Rules` alone.

use std::time::Duration;

use super::weights::Weights;
use crate::observed::colour::PerColour;
use crate::observed::pair::IncompletePair;
use crate::strategy::blue_green::prior::PriorPair;

/// Where a rule sends its traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleView {
    /// Target groups of the forward action with their weights, 0 to 999.
    pub weights: Vec<(String, u32)>,
    /// How long a client stays with its group whatever the weights, when the action is sticky.
    pub sticky: Option<Duration>,
}

impl RuleView {
    /// The weights of both colours in the production rule of `pair`.
    ///
    /// # Errors
    /// When the rule no longer forwards to a recorded group.
    pub fn weights_of(&self, pair: &PriorPair) -> Result<Weights, IncompletePair> {
        PerColour::try_from_fn(|colour| {
            let group = &pair.of(colour).target_group;
            let found = self.weights.iter().find(|(arn, _)| arn == group);

            found
                .map(|(_, weight)| *weight)
                .ok_or_else(|| IncompletePair::TargetGroup {
                    rule: pair.rule.clone(),
                    target_group: group.clone(),
                })
        })
    }
}
