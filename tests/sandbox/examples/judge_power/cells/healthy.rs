//! Canaries that are as good as the live version.

use super::Goal::{PromotedAtLeast, PromotedP90Minute, RolledBackAtMost};
use super::{Cell, Goal, USUAL, cell, hour_long, in_steps};
use crate::groups::Groups;
use crate::traffic::{Fault, Kind};

const SAFE: &[Goal] = &[RolledBackAtMost(0.01)];

/// The bake of most cells.
const BAKE: f64 = 30.0;

const fn both(kind: Kind, rate: fn(u32) -> f64) -> Kind {
    Kind {
        baseline: rate,
        canary: rate,
        ..kind
    }
}

fn incident(t: u32) -> f64 {
    if (10..15).contains(&t) { 0.02 } else { 0.001 }
}

pub(super) fn ramp(t: u32) -> f64 {
    if t <= 10 { 0.1 } else { 0.5 }
}

/// The error rate rises tenfold on both sides together with the weight.
pub(super) fn ramped(t: u32) -> f64 {
    if t <= 10 { 0.001 } else { 0.01 }
}

fn day(t: u32) -> f64 {
    1.0 + 0.8 * (std::f64::consts::TAU * f64::from(t) / BAKE).sin()
}

/// Errors are more frequent when there is less traffic.
fn nightly(t: u32) -> f64 {
    0.001 / day(t)
}

const RPS_1000: Kind = Kind {
    rps: |_| 1000.0,
    ..USUAL
};
const SHARE_5: Kind = Kind {
    share: |_| 0.05,
    ..USUAL
};
const SHARE_25: Kind = Kind {
    share: |_| 0.25,
    ..USUAL
};
const RPS_1000_SHARE_5: Kind = Kind {
    share: |_| 0.05,
    ..RPS_1000
};
const RPS_20: Kind = Kind {
    rps: |_| 20.0,
    ..USUAL
};

/// 0.2 % errors whose rate jitters.
const fn jitter(kind: Kind, errors: f64, slow: f64) -> Kind {
    Kind {
        jitter: (errors, slow),
        ..both(kind, |_| 0.002)
    }
}

const fn grouped(kind: Kind, groups: Groups) -> Kind {
    Kind { groups, ..kind }
}

const fn cold(kind: Kind, factor: f64, minutes: u32) -> Kind {
    Kind {
        fault: Fault::Cold(factor, minutes),
        ..kind
    }
}

/// Those that came later: the others keep their seeds.
pub(crate) const HEALTHY_TOO: &[Cell] = &[cell(
    "cold 2x, 1 minute, 1000 rps",
    cold(RPS_1000_SHARE_5, 2.0, 1),
    SAFE,
)];

pub(crate) const HEALTHY: &[Cell] = &[
    cell(
        "1 rps, 5%, 1%",
        both(
            Kind {
                rps: |_| 1.0,
                ..SHARE_5
            },
            |_| 0.01,
        ),
        SAFE,
    ),
    cell("100 rps, 10%, .1%", USUAL, SAFE),
    cell(
        "1000 rps, 10%, 1%",
        both(RPS_1000, |_| 0.01),
        &[
            RolledBackAtMost(0.01),
            PromotedAtLeast(0.95),
            PromotedP90Minute(8.0),
        ],
    ),
    cell(
        "zero errors",
        both(USUAL, |_| 0.0),
        &[
            RolledBackAtMost(0.01),
            PromotedAtLeast(0.95),
            PromotedP90Minute(15.0),
        ],
    ),
    cell("shared incident", both(USUAL, incident), SAFE),
    cell(
        "ramp 10 to 50%",
        both(
            Kind {
                share: ramp,
                ..USUAL
            },
            ramped,
        ),
        SAFE,
    ),
    cell(
        "diurnal",
        both(
            Kind {
                rps: |t| 100.0 * day(t),
                ..USUAL
            },
            nightly,
        ),
        SAFE,
    ),
    cell(
        "late metrics",
        Kind {
            late: true,
            ..USUAL
        },
        SAFE,
    ),
    cell(
        "jitter 20/10%, 100 rps, 5%",
        jitter(SHARE_5, 0.2, 0.1),
        &[RolledBackAtMost(0.01), PromotedAtLeast(0.4)],
    ),
    cell(
        "jitter 40/20%, 100 rps, 25%",
        jitter(SHARE_25, 0.4, 0.2),
        &[RolledBackAtMost(0.01), PromotedAtLeast(0.65)],
    ),
    cell(
        "jitter 20/10%, 1000 rps, 5%",
        jitter(RPS_1000_SHARE_5, 0.2, 0.1),
        &[
            RolledBackAtMost(0.01),
            PromotedAtLeast(0.95),
            PromotedP90Minute(28.0),
        ],
    ),
    cell(
        "jitter 40/20%, 1000 rps, 5%",
        jitter(RPS_1000_SHARE_5, 0.4, 0.2),
        SAFE,
    ),
    hour_long(
        "jitter 40/20%, one zone",
        Kind {
            zones: 1,
            ..jitter(RPS_1000_SHARE_5, 0.4, 0.2)
        },
        SAFE,
    ),
    cell(
        "each side jitters by 10%",
        Kind {
            own_jitter: true,
            ..jitter(RPS_1000_SHARE_5, 0.1, 0.1)
        },
        SAFE,
    ),
    cell(
        "groups of 10",
        grouped(SHARE_5, Groups::Constant(10.0)),
        SAFE,
    ),
    cell(
        "geometric 5, 25%",
        grouped(SHARE_25, Groups::Geometric(5.0)),
        SAFE,
    ),
    cell(
        "geometric 20, 25%",
        grouped(SHARE_25, Groups::Geometric(20.0)),
        SAFE,
    ),
    cell(
        "geometric 20, 5%",
        grouped(SHARE_5, Groups::Geometric(20.0)),
        SAFE,
    ),
    cell("log-normal, 5%", grouped(SHARE_5, Groups::LogNormal), SAFE),
    cell(
        "log-normal, 25%",
        grouped(SHARE_25, Groups::LogNormal),
        SAFE,
    ),
    cell(
        "geometric 20 across zones",
        Kind {
            across_zones: true,
            ..grouped(SHARE_25, Groups::Geometric(20.0))
        },
        SAFE,
    ),
    cell(
        "log-normal across zones",
        Kind {
            across_zones: true,
            ..grouped(SHARE_25, Groups::LogNormal)
        },
        SAFE,
    ),
    cell(
        "geometric 20, one zone",
        Kind {
            zones: 1,
            ..grouped(SHARE_5, Groups::Geometric(20.0))
        },
        SAFE,
    ),
    cell(
        "a task of ten dies, 5%",
        Kind {
            task_deaths: 1.0 / 300.0,
            ..SHARE_5
        },
        SAFE,
    ),
    cell(
        "a task of ten dies, 25%",
        Kind {
            task_deaths: 1.0 / 300.0,
            ..SHARE_25
        },
        SAFE,
    ),
    cell("cold 2x, 1 minute", cold(SHARE_5, 2.0, 1), SAFE),
    cell("cold 4x, 3 minutes", cold(SHARE_5, 4.0, 3), SAFE),
    cell(
        "cold 4x, 3 minutes, 1000 rps",
        cold(RPS_1000_SHARE_5, 4.0, 3),
        SAFE,
    ),
    cell(
        "crawler in 4xx",
        Kind {
            crawler: 0.1,
            ..SHARE_5
        },
        SAFE,
    ),
    cell(
        "answers 1 s late",
        Kind {
            skew: 1.0 / 60.0,
            ..SHARE_5
        },
        SAFE,
    ),
    cell(
        "answers up to 60 s late",
        Kind {
            skew: 0.5,
            ..SHARE_5
        },
        SAFE,
    ),
    hour_long(
        "low: 20 rps, 50%, .2%",
        both(
            Kind {
                share: |_| 0.5,
                ..RPS_20
            },
            |_| 0.002,
        ),
        &[RolledBackAtMost(0.01), PromotedAtLeast(0.75)],
    ),
    hour_long(
        "low: 20 rps, 25%, 0",
        both(
            Kind {
                share: |_| 0.25,
                ..RPS_20
            },
            |_| 0.0,
        ),
        &[
            RolledBackAtMost(0.01),
            PromotedAtLeast(0.95),
            PromotedP90Minute(20.0),
        ],
    ),
    hour_long(
        "low: 100 rps, 10%, .2%",
        both(USUAL, |_| 0.002),
        &[
            RolledBackAtMost(0.01),
            PromotedAtLeast(0.95),
            PromotedP90Minute(32.0),
        ],
    ),
    hour_long(
        "low: 1000 rps, 5%, .1%",
        RPS_1000_SHARE_5,
        &[
            RolledBackAtMost(0.01),
            PromotedAtLeast(0.98),
            PromotedP90Minute(12.0),
        ],
    ),
    in_steps(
        "steps: 20 rps, .2%",
        both(RPS_20, |_| 0.002),
        &[PromotedAtLeast(0.7)],
    ),
    in_steps(
        "steps: 100 rps, .2%",
        both(USUAL, |_| 0.002),
        &[PromotedAtLeast(0.98)],
    ),
    in_steps(
        "steps: 1000 rps, .2%",
        both(RPS_1000, |_| 0.002),
        &[PromotedAtLeast(0.98)],
    ),
];
