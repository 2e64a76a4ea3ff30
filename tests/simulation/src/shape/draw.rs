//! How a shape follows from its number.
//!
//! The order of the draws is part of every seed: a draw that is added goes to the end.

use crate::canary::Canary;

use super::{CANARIES_FROM, Floor, Oddity, PAIRS_FROM, Pair, Shape, Shift, Strategy};

impl Shape {
    /// The shape of a number below [`SHAPES`].
    #[must_use]
    pub fn nth(number: u32) -> Self {
        if number >= PAIRS_FROM {
            return Self::pair(number);
        }

        let mut rng = fastrand::Rng::with_seed(u64::from(number) * 7919 + 17);
        let usual = Self::single(number, &mut rng);
        match Oddity::draw(&mut rng, &usual) {
            Some(oddity) => oddity.of(usual),
            None => usual,
        }
    }

    fn single(number: u32, rng: &mut fastrand::Rng) -> Self {
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
        let strategy = match rng.u8(..3) {
            0 if size > 1 => Strategy::MakeRoom,
            1 => Strategy::Doubling,
            _ => Strategy::Rolling,
        };
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
        let shift = match rng.u8(..3) {
            _ if number >= CANARIES_FROM => Shift::Judged(Canary::draw(&mut rng)),
            0 => Shift::AllAtOnce,
            1 => Shift::Linear([34, 50, 60][rng.usize(..3)]),
            _ => Shift::Listed(["5,50,100", "25,100", "1,100"][rng.usize(..3)]),
        };
        let pair = Pair {
            shift,
            bake_minutes: [0, 0, 1][rng.usize(..3)],
            minimum_healthy_percent: [50, 75, 100][rng.usize(..3)],
            drain_minutes: [0, 0, 3][rng.usize(..3)],
            capacity,
            is_named: false,
        };
        let fargate = rng.bool();

        Self {
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
        }
    }
}

/// The floor and the ceiling that the parameters give for a strategy.
fn bounds(rng: &mut fastrand::Rng, strategy: Strategy, size: u32) -> (Floor, Option<u32>) {
    match strategy {
        Strategy::Doubling | Strategy::BlueGreen => (Floor::Unsaid, None),
        Strategy::MakeRoom if rng.bool() => (Floor::Unsaid, None),
        Strategy::MakeRoom => (Floor::Tasks(rng.u32(0..size)), None),
        Strategy::Rolling => rolling(rng, size),
    }
}

/// ECS refuses a maximum of 100 % for a service that is rebalanced, and so does a release.
fn may_be_rebalanced(strategy: Strategy, maximum_percent: Option<u32>) -> bool {
    strategy != Strategy::MakeRoom && maximum_percent != Some(100)
}

/// With a fixed port a new task needs an instance without an old one.
fn spare_instances(rng: &mut fastrand::Rng, strategy: Strategy) -> u32 {
    if strategy == Strategy::MakeRoom {
        rng.u32(0..=1)
    } else {
        rng.u32(1..=2)
    }
}

/// A floor and a ceiling between which `size` tasks can be replaced.
fn rolling(rng: &mut fastrand::Rng, size: u32) -> (Floor, Option<u32>) {
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
