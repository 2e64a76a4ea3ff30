//! How many tasks of a service must stay healthy and how many may run while they are replaced.
//!
//! Amazon ECS takes both as percentages of the desired count and rounds for safety: the floor of
//! healthy tasks up, the ceiling of running tasks down
//! (docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html).

use serde::{Deserialize, Serialize};

/// The bounds of a rollout, in percent of the desired count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Percentages {
    pub minimum_healthy: u32,
    pub maximum: u32,
}

impl Percentages {
    /// Tasks that stay healthy: `ceil(desired × minimum / 100)`.
    #[must_use]
    pub fn floor(self, desired: u32) -> u32 {
        (desired * self.minimum_healthy).div_ceil(100)
    }

    /// Tasks that may run at once: `floor(desired × maximum / 100)`.
    #[must_use]
    pub fn ceiling(self, desired: u32) -> u32 {
        desired * self.maximum / 100
    }

    /// Both bounds for `desired` tasks, for summaries.
    #[must_use]
    pub fn summary(self, desired: u32) -> String {
        format!(
            "at least {} healthy, at most {} running",
            self.floor(desired),
            self.ceiling(desired)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_is_rounded_up_and_the_ceiling_down() {
        let bounds = |minimum_healthy, maximum, desired| {
            let percentages = Percentages {
                minimum_healthy,
                maximum,
            };
            (percentages.floor(desired), percentages.ceiling(desired))
        };

        assert_eq!(
            [bounds(50, 150, 3), bounds(34, 166, 3), bounds(33, 167, 3)],
            [(2, 4), (2, 4), (1, 5)]
        );
        assert_eq!(
            [bounds(0, 100, 5), bounds(100, 200, 5), bounds(50, 150, 0)],
            [(0, 5), (5, 10), (0, 0)]
        );
    }
}
