//! The kinds of deployment that are measured, each with its goals.

use crate::traffic::{Kind, Latency, MINUTES};

/// What is required of the judge. Quantiles of minutes are over all runs, found or not.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    RolledBackAtMost(f64),
    FoundAtLeast(f64),
    PromotedAtMost(f64),
    PromotedAtLeast(f64),
    MedianMinute(f64),
    P90Minute(f64),
    PromotedP90Minute(f64),
    /// Bad canary requests until the rollback, in the median.
    Harmed(u64),
}

pub(crate) struct Cell {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) min_minutes: u32,
    pub(crate) goals: &'static [Goal],
}

use Goal::{
    FoundAtLeast, Harmed, MedianMinute, P90Minute, PromotedAtLeast, PromotedAtMost,
    PromotedP90Minute, RolledBackAtMost,
};

const HEALTHY: &[Goal] = &[RolledBackAtMost(0.01)];

/// 100 requests a second, a tenth to the canary, 0.1 % errors on both sides.
const USUAL: Kind = Kind {
    rps: |_| 100.0,
    share: |_| 0.1,
    baseline: |_| 0.001,
    canary: |_| 0.001,
    latency: Latency::Same,
    late: false,
    burst: 1,
};

const fn cell(name: &'static str, kind: Kind, goals: &'static [Goal]) -> Cell {
    Cell {
        name,
        kind,
        min_minutes: 5,
        goals,
    }
}

fn incident(t: u32) -> f64 {
    if (10..15).contains(&t) { 0.02 } else { 0.001 }
}

fn ramp(t: u32) -> f64 {
    if t <= 10 { 0.1 } else { 0.5 }
}

/// The error rate rises tenfold on both sides together with the weight.
fn ramped(t: u32) -> f64 {
    if t <= 10 { 0.001 } else { 0.01 }
}

fn day(t: u32) -> f64 {
    1.0 + 0.8 * (std::f64::consts::TAU * f64::from(t) / f64::from(MINUTES)).sin()
}

/// Errors are more frequent when there is less traffic.
fn nightly(t: u32) -> f64 {
    0.001 / day(t)
}

pub(crate) const CELLS: [Cell; 24] = [
    cell(
        "healthy 1 rps, 5%, 1%",
        Kind {
            rps: |_| 1.0,
            share: |_| 0.05,
            baseline: |_| 0.01,
            canary: |_| 0.01,
            ..USUAL
        },
        HEALTHY,
    ),
    cell("healthy 100 rps, 10%, .1%", USUAL, HEALTHY),
    cell(
        "healthy 1000 rps, 10%, 1%",
        Kind {
            rps: |_| 1000.0,
            baseline: |_| 0.01,
            canary: |_| 0.01,
            ..USUAL
        },
        &[
            RolledBackAtMost(0.01),
            PromotedAtLeast(0.95),
            PromotedP90Minute(7.0),
        ],
    ),
    cell(
        "healthy, zero errors",
        Kind {
            baseline: |_| 0.0,
            canary: |_| 0.0,
            ..USUAL
        },
        &[
            RolledBackAtMost(0.01),
            PromotedAtLeast(0.95),
            PromotedP90Minute(12.0),
        ],
    ),
    cell(
        "healthy, shared incident",
        Kind {
            baseline: incident,
            canary: incident,
            ..USUAL
        },
        HEALTHY,
    ),
    cell(
        "healthy, ramp 10 to 50%",
        Kind {
            share: ramp,
            baseline: ramped,
            canary: ramped,
            ..USUAL
        },
        HEALTHY,
    ),
    cell(
        "healthy, diurnal",
        Kind {
            rps: |t| 100.0 * day(t),
            baseline: nightly,
            canary: nightly,
            ..USUAL
        },
        HEALTHY,
    ),
    cell(
        "healthy, late metrics",
        Kind {
            late: true,
            ..USUAL
        },
        HEALTHY,
    ),
    cell(
        "broken, 1 rps, 5%",
        Kind {
            rps: |_| 1.0,
            share: |_| 0.05,
            canary: |_| 1.0,
            ..USUAL
        },
        &[MedianMinute(2.0), P90Minute(3.0)],
    ),
    cell(
        "broken, 10 rps, zero baseline",
        Kind {
            rps: |_| 10.0,
            baseline: |_| 0.0,
            canary: |_| 1.0,
            ..USUAL
        },
        &[P90Minute(1.0)],
    ),
    cell(
        ".1 to 1%",
        Kind {
            canary: |_| 0.01,
            ..USUAL
        },
        &[
            FoundAtLeast(0.99),
            MedianMinute(3.0),
            P90Minute(4.0),
            Harmed(14),
            PromotedAtMost(0.01),
        ],
    ),
    cell(
        ".1 to .5%",
        Kind {
            canary: |_| 0.005,
            ..USUAL
        },
        &[FoundAtLeast(0.99), MedianMinute(6.0), P90Minute(11.0)],
    ),
    cell(
        ".1 to .2%",
        Kind {
            canary: |_| 0.002,
            ..USUAL
        },
        &[FoundAtLeast(0.45), PromotedAtMost(0.05)],
    ),
    cell(
        ".01 to .1%",
        Kind {
            baseline: |_| 0.0001,
            canary: |_| 0.001,
            ..USUAL
        },
        &[FoundAtLeast(0.95), MedianMinute(14.0)],
    ),
    cell(
        ".1 to .2%, 1000 rps",
        Kind {
            rps: |_| 1000.0,
            canary: |_| 0.002,
            ..USUAL
        },
        &[FoundAtLeast(0.98), MedianMinute(7.0)],
    ),
    Cell {
        name: ".1 to 1% from minute 16",
        kind: Kind {
            canary: |t| if t < 16 { 0.001 } else { 0.01 },
            ..USUAL
        },
        min_minutes: MINUTES,
        goals: &[FoundAtLeast(0.98), MedianMinute(19.0), P90Minute(21.0)],
    },
    cell(
        "ramp, tenfold",
        Kind {
            share: ramp,
            baseline: ramped,
            canary: |t| 10.0 * ramped(t),
            ..USUAL
        },
        &[FoundAtLeast(0.99)],
    ),
    cell(
        ".1 to 1%, late metrics",
        Kind {
            canary: |_| 0.01,
            late: true,
            ..USUAL
        },
        &[FoundAtLeast(0.99)],
    ),
    cell(
        "latency +25%",
        Kind {
            latency: Latency::Slower(1.25),
            ..USUAL
        },
        &[P90Minute(4.0)],
    ),
    cell(
        "p99 doubled",
        Kind {
            latency: Latency::TailDoubled,
            ..USUAL
        },
        &[P90Minute(3.0)],
    ),
    cell(
        "p99 doubled, 10 rps",
        Kind {
            rps: |_| 10.0,
            latency: Latency::TailDoubled,
            ..USUAL
        },
        &[MedianMinute(8.0)],
    ),
    cell("healthy, bursts of 4", Kind { burst: 4, ..USUAL }, HEALTHY),
    cell(
        ".1 to 1%, bursts of 4",
        Kind {
            canary: |_| 0.01,
            burst: 4,
            ..USUAL
        },
        &[FoundAtLeast(0.95)],
    ),
    cell(
        "at tolerance, 1000 rps, 1%",
        Kind {
            rps: |_| 1000.0,
            baseline: |_| 0.01,
            canary: |_| 0.011,
            ..USUAL
        },
        HEALTHY,
    ),
];
