use super::*;
use crate::strategy::StrategyName;

mod numbers;
mod parameters;

const BARE: Strategy = Strategy {
    rules: StrategyName::Rolling.rules(),
    minimum_healthy_percent: None,
    minimum_healthy_tasks: None,
    maximum_percent: None,
    maximum_tasks: None,
};

const MAKE_ROOM: Strategy = Strategy {
    rules: StrategyName::MakeRoom.rules(),
    ..BARE
};

const DOUBLING: Strategy = Strategy {
    rules: StrategyName::Doubling.rules(),
    ..BARE
};

const BLUE_GREEN: Strategy = Strategy {
    rules: StrategyName::BlueGreen.rules(),
    ..BARE
};

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
