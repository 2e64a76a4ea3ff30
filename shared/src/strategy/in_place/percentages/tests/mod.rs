use super::*;
use crate::strategy::StrategyName;
use crate::strategy::fixtures::{BARE, BLUE_GREEN, DOUBLING, MAKE_ROOM};

mod numbers;
mod parameters;

fn percentages(minimum_healthy: u32, maximum: u32) -> Percentages {
    Percentages {
        minimum_healthy,
        maximum,
    }
}

fn with_name(name: StrategyName) -> Strategy {
    Strategy {
        rules: name.rules(),
        ..BARE
    }
}
