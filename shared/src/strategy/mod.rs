//! The strategies: one row a word of the `strategy` parameter, from which everything else about the
//! word derives.
//!
//! A new in-place strategy is a variant, a row and a line of the test here, its word in
//! `infra/pipelines/parts/parameters/strategy.yaml`, its rows in `docs/strategies/in-place.md`, and
//! what it promises in `tests/simulation/src/shape.rs`.

pub mod blue_green;
pub mod canary;
pub mod ending;
pub mod failure;
pub mod http_check;
pub mod in_place;
pub mod messages;
pub mod one_off_task;
pub mod restorable;
pub mod rollback;
pub mod service_goal;
pub mod soak;

#[cfg(test)]
pub(crate) mod fixtures;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use in_place::percentages::{Bound, Shape, StrategyRules};
pub use in_place::percentages::{Percent, Strategy, check_counts};
pub use in_place::plan::Room;

/// The words of the `strategy` parameter.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StrategyName {
    /// Replaces tasks in waves between the given floor and ceiling (100 % and 200 % when none is
    /// given).
    Rolling,
    /// Starts a whole second set before the first stops: 100 % to 200 %.
    Doubling,
    /// Stops a task before its replacement starts, for clusters without spare room: never more than
    /// the desired count.
    MakeRoom,
    /// Fills a second service beside the live one and moves the traffic to it.
    BlueGreen,
}

impl StrategyName {
    pub const ALL: [Self; 4] = [
        Self::Rolling,
        Self::Doubling,
        Self::MakeRoom,
        Self::BlueGreen,
    ];

    /// The row of this word.
    #[must_use]
    pub const fn rules(self) -> &'static StrategyRules {
        match self {
            Self::Rolling => &StrategyRules {
                word: "rolling",
                shape: Shape::Service,
                minimum: Bound::Default(100),
                maximum: Bound::Default(200),
                definition: "replaces tasks in waves",
            },
            Self::Doubling => &StrategyRules {
                word: "doubling",
                shape: Shape::Service,
                minimum: Bound::Fixed(100),
                maximum: Bound::Fixed(200),
                definition: "is 100 % to 200 % by definition",
            },
            Self::MakeRoom => &StrategyRules {
                word: "make-room",
                shape: Shape::Service,
                minimum: Bound::OneTask,
                maximum: Bound::Fixed(100),
                definition: "never runs more than the desired count",
            },
            Self::BlueGreen => &StrategyRules {
                word: "blue-green",
                shape: Shape::Pair,
                minimum: Bound::Fixed(100),
                maximum: Bound::Fixed(200),
                definition: "fills a whole second colour",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_of_a_row_is_the_one_that_parameters_use() {
        for name in StrategyName::ALL {
            let word = serde_json::to_value(name).expect("serializes");
            assert_eq!(word, name.rules().word);
        }
    }

    #[test]
    fn each_word_has_its_percentages() {
        let found = StrategyName::ALL.map(|name| {
            let strategy = Strategy {
                rules: name.rules(),
                ..fixtures::BARE
            };
            let percentages = strategy.percentages(4);
            (
                name.rules().word,
                percentages.minimum_healthy,
                percentages.maximum,
            )
        });

        assert_eq!(
            found,
            [
                ("rolling", 100, 200),
                ("doubling", 100, 200),
                ("make-room", 75, 100),
                ("blue-green", 100, 200),
            ]
        );
    }
}
