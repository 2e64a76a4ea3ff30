//! How a shape follows from its number.
//!
//! The order of the draws is part of every seed: a draw that is added goes to the end.

use slipway::strategy::in_place::percentages::{self, Bound};

use crate::canary::Canary;

use super::{
    CANARIES_FROM, DrawnChecks, DrawnRecords, DrawnShift, Floor, Oddity, PAIRS_FROM, POLLED_FROM,
    Pair, RECORDS_FROM, Shape, Strategy, makes_room,
};

impl Shape {
    /// The shape of a number below [`POLLED_TO`](super::POLLED_TO).
    #[must_use]
    pub fn nth(number: u32) -> Self {
        if number >= POLLED_FROM {
            return Self::polled(number);
        }
        let shape = if number >= PAIRS_FROM {
            Self::pair(number)
        } else {
            Self::in_place(number)
        };
        Self {
            checks: DrawnChecks::draw(&shape),
            ..shape
        }
    }

    fn in_place(number: u32) -> Self {
        let mut rng = fastrand::Rng::with_seed(u64::from(number) * 7919 + 17);
        let usual = Self::single(number, &mut rng);
        match Oddity::draw(&mut rng, &usual) {
            Some(oddity) => oddity.of(usual),
            None => usual,
        }
    }

    pub(super) fn single(number: u32, rng: &mut fastrand::Rng) -> Self {
        let fargate = rng.bool();
        let static_port = !fargate && rng.bool();
        let count = if rng.u8(..8) == 0 && !static_port {
            0
        } else {
            rng.u32(1..=4)
        };
        let desired_count = (rng.u8(..3) == 0 && !static_port).then(|| rng.u32(1..=4));
        let initial_count = rng.bool().then(|| rng.u32(1..=3));
        let size = desired_count.unwrap_or(if count == 0 {
            initial_count.unwrap_or(1)
        } else {
            count
        });
        let strategy = in_place(rng, size);
        let (floor, maximum_percent) = bounds(rng, strategy, size);
        let instances = count.max(1) + spare_instances(rng, strategy);

        Self {
            number,
            fargate,
            static_port,
            instances,
            load_balanced: fargate && rng.u8(..4) > 0 || !fargate && rng.bool(),
            count,
            grace_secs: [0, 60, 300][rng.usize(..3)].max(if rng.bool() { 60 } else { 0 }),
            drain_secs: [0, 5, 30, 60][rng.usize(..4)],
            strategy,
            floor,
            maximum_percent,
            desired_count,
            initial_count,
            deadline_minutes: [4, 4, 15][rng.usize(..3)],
            approval: rng.u8(..3) == 0,
            queued: rng.u8(..4) == 0,
            early_success: [None, None, Some("BLOCKING"), Some("DEFERRED")][rng.usize(..4)],
            rebalanced: rng.bool() && may_be_rebalanced(strategy, maximum_percent),
            oddity: None,
            pair: None,
            checks: None,
            is_polled: false,
        }
    }

    pub(super) fn pair(number: u32) -> Self {
        let mut rng = fastrand::Rng::with_seed(u64::from(number) * 7919 + 17);
        let capacity = rng.bool().then(|| (rng.u32(1..=2), rng.u32(4..=6)));
        let count = if rng.u8(..8) == 0 && capacity.is_none() {
            0
        } else {
            rng.u32(1..=4)
        };
        let pair = Pair {
            shift: shift(&mut rng, number),
            bake_minutes: [0, 0, 1][rng.usize(..3)],
            minimum_healthy_percent: [50, 75, 100][rng.usize(..3)],
            drain_minutes: [0, 0, 3][rng.usize(..3)],
            capacity,
            is_named: false,
            records: None,
        };
        let fargate = rng.bool();
        let shape = Self {
            number,
            fargate,
            static_port: false,
            instances: if fargate { 1 } else { rng.u32(2..=3) },
            load_balanced: true,
            count: capacity.map_or(count, |(least, _)| count.max(least)),
            grace_secs: [60, 300][rng.usize(..2)],
            drain_secs: [0, 5, 30][rng.usize(..3)],
            strategy: Strategy::BlueGreen,
            floor: Floor::Unsaid,
            maximum_percent: None,
            desired_count: None,
            initial_count: rng.bool().then(|| rng.u32(1..=3)),
            deadline_minutes: [4, 4, 15][rng.usize(..3)],
            approval: rng.u8(..3) == 0,
            queued: rng.u8(..4) == 0,
            early_success: None,
            rebalanced: rng.bool(),
            oddity: None,
            pair: Some(Pair {
                is_named: rng.u8(..3) == 0,
                ..pair
            }),
            checks: None,
            is_polled: false,
        };
        if !(RECORDS_FROM..POLLED_FROM).contains(&number) {
            return shape;
        }
        shape.behind(DrawnRecords::draw(&mut rng))
    }

    /// The same pair behind records: its pipeline has no approval and no queue, and its services
    /// have the names of the pair.
    fn behind(self, records: DrawnRecords) -> Self {
        let pair = self.pair.map(|pair| Pair {
            is_named: false,
            records: Some(records),
            ..pair
        });
        Self {
            approval: false,
            queued: false,
            pair,
            ..self
        }
    }
}

/// How the traffic of a pair moves.
fn shift(rng: &mut fastrand::Rng, number: u32) -> DrawnShift {
    match rng.u8(..3) {
        _ if (CANARIES_FROM..RECORDS_FROM).contains(&number) => {
            DrawnShift::Judged(Canary::draw(rng))
        }
        0 => DrawnShift::AllAtOnce,
        1 => DrawnShift::Linear([34, 50, 60][rng.usize(..3)]),
        _ => DrawnShift::Listed(["5,50,100", "25,100", "1,100"][rng.usize(..3)]),
    }
}

/// The strategies of the product that replace the tasks of one service.
pub(crate) fn in_place_strategies() -> Vec<Strategy> {
    let is_in_place = |it: &Strategy| it.rules().shape == percentages::Shape::Service;
    Strategy::ALL.into_iter().filter(is_in_place).collect()
}

/// One of them that can replace `size` tasks: the only one cannot make room.
fn in_place(rng: &mut fastrand::Rng, size: u32) -> Strategy {
    let mut words = in_place_strategies();
    words.reverse();
    match words[usize::from(rng.u8(..words.len() as u8))] {
        strategy if makes_room(strategy) && size == 1 => Strategy::Rolling,
        strategy => strategy,
    }
}

/// The floor and the ceiling that the parameters give for a strategy.
fn bounds(rng: &mut fastrand::Rng, strategy: Strategy, size: u32) -> (Floor, Option<u32>) {
    let rules = strategy.rules();
    match (rules.minimum, rules.maximum) {
        (Bound::Fixed(_), _) => (Floor::Unsaid, None),
        (_, Bound::Fixed(_)) if rng.bool() => (Floor::Unsaid, None),
        (_, Bound::Fixed(_)) => (Floor::Tasks(rng.u32(0..size)), None),
        _ => between(rng, size),
    }
}

/// ECS refuses a maximum of 100 % for a service that is rebalanced, and so does a release.
fn may_be_rebalanced(strategy: Strategy, maximum_percent: Option<u32>) -> bool {
    !makes_room(strategy) && maximum_percent != Some(100)
}

/// With a fixed port a new task needs an instance without an old one.
fn spare_instances(rng: &mut fastrand::Rng, strategy: Strategy) -> u32 {
    if makes_room(strategy) {
        rng.u32(0..=1)
    } else {
        rng.u32(1..=2)
    }
}

/// A floor and a ceiling between which `size` tasks can be replaced.
fn between(rng: &mut fastrand::Rng, size: u32) -> (Floor, Option<u32>) {
    let maximum = rng.bool().then(|| rng.u32(100..=200));
    let ceiling = size * maximum.unwrap_or(200) / 100;
    let floor = match rng.u8(..3) {
        0 => Floor::Unsaid,
        1 => Floor::Percent(rng.u32(0..=100)),
        _ => Floor::Tasks(rng.u32(0..=size)),
    };
    let kept = match floor {
        Floor::Unsaid => size,
        Floor::Percent(percent) => (size * percent).div_ceil(100),
        Floor::Tasks(tasks) => tasks,
    };

    if kept >= size && ceiling <= size {
        (floor, None)
    } else {
        (floor, maximum)
    }
}
