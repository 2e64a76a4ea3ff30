//! Canaries that are worse than the live version.

use super::Goal::{FoundAtLeast, Harmed, MedianMinute, P90Minute, PromotedAtMost};
use super::healthy::{ramp, ramped};
use super::{Cell, SETUP, Setup, USUAL, cell, in_steps};
use crate::groups::Groups;
use crate::latency::Latency;
use crate::traffic::{Fault, Kind};

const RPS_1000: Kind = Kind {
    rps: |_| 1000.0,
    ..USUAL
};
const RPS_1000_SHARE_5: Kind = Kind {
    share: |_| 0.05,
    ..RPS_1000
};
const SHARE_5: Kind = Kind {
    share: |_| 0.05,
    ..USUAL
};
const X10: Kind = Kind {
    canary: |_| 0.01,
    ..USUAL
};
const X5: Kind = Kind {
    canary: |_| 0.005,
    ..USUAL
};
const X2: Kind = Kind {
    canary: |_| 0.002,
    ..USUAL
};
const ALL: Kind = Kind {
    canary: |_| 1.0,
    ..USUAL
};
const TAIL: Kind = Kind {
    latency: Latency::TailDoubled,
    ..USUAL
};

const fn jittering(kind: Kind) -> Kind {
    Kind {
        jitter: (0.4, 0.2),
        ..kind
    }
}

const fn grouped(kind: Kind, groups: Groups) -> Kind {
    Kind { groups, ..kind }
}

const fn with(fault: Fault, kind: Kind) -> Kind {
    Kind { fault, ..kind }
}

pub(crate) const BROKEN: &[Cell] = &[
    cell(
        "broken, 1 rps, 5%",
        Kind {
            rps: |_| 1.0,
            share: |_| 0.05,
            ..ALL
        },
        &[MedianMinute(3.0), P90Minute(4.0)],
    ),
    cell(
        "broken, 10 rps, zero baseline",
        Kind {
            rps: |_| 10.0,
            baseline: |_| 0.0,
            ..ALL
        },
        &[P90Minute(2.0)],
    ),
    cell(
        ".1 to 1%",
        X10,
        &[
            FoundAtLeast(0.99),
            MedianMinute(3.0),
            P90Minute(5.0),
            Harmed(19),
            PromotedAtMost(0.01),
        ],
    ),
    cell(
        ".1 to .5%",
        X5,
        &[FoundAtLeast(0.99), MedianMinute(6.0), P90Minute(11.0)],
    ),
    cell(".1 to .2%", X2, &[FoundAtLeast(0.4), PromotedAtMost(0.05)]),
    cell(
        ".01 to .1%",
        Kind {
            baseline: |_| 0.0001,
            ..USUAL
        },
        &[FoundAtLeast(0.95), MedianMinute(16.0)],
    ),
    cell(
        ".1 to .2%, 1000 rps",
        Kind {
            canary: |_| 0.002,
            ..RPS_1000
        },
        &[FoundAtLeast(0.98), MedianMinute(9.0)],
    ),
    Cell {
        setup: Setup {
            min_minutes: 30,
            warm_up: 0,
            ..SETUP
        },
        ..cell(
            ".1 to 1% from minute 16",
            Kind {
                canary: |t| if t < 16 { 0.001 } else { 0.01 },
                ..USUAL
            },
            &[FoundAtLeast(0.98), MedianMinute(22.0), P90Minute(24.0)],
        )
    },
    cell(
        ".1 to 1%, ramp",
        Kind {
            share: ramp,
            baseline: ramped,
            canary: |t| 10.0 * ramped(t),
            ..USUAL
        },
        &[P90Minute(5.0)],
    ),
    cell(
        ".1 to 1%, late 2xx",
        Kind { late: true, ..X10 },
        &[P90Minute(11.0)],
    ),
    cell(
        ".1 to 1% by failures, 5%",
        Kind {
            share: |_| 0.05,
            unclean: true,
            ..X10
        },
        &[P90Minute(8.0), PromotedAtMost(0.01)],
    ),
    cell(
        ".1 to 1% by failures, half refused",
        with(
            Fault::Refused,
            Kind {
                unclean: true,
                ..X10
            },
        ),
        &[P90Minute(6.0), PromotedAtMost(0.01)],
    ),
    cell(
        "latency +25%",
        Kind {
            latency: Latency::Slower(1.25),
            ..USUAL
        },
        &[P90Minute(17.0)],
    ),
    cell("p99 doubled", TAIL, &[P90Minute(7.0)]),
    cell(
        "p99 doubled, 10 rps",
        Kind {
            rps: |_| 10.0,
            ..TAIL
        },
        &[MedianMinute(11.0)],
    ),
    cell(
        "jitter, .2 to .4%, 1000 rps, 5%",
        jittering(Kind {
            baseline: |_| 0.002,
            canary: |_| 0.004,
            ..RPS_1000_SHARE_5
        }),
        &[FoundAtLeast(0.98), P90Minute(25.0)],
    ),
    cell("jitter, .1 to .5%", jittering(X5), &[P90Minute(14.0)]),
    cell(
        "jitter, p99 doubled, 1000 rps",
        jittering(Kind {
            rps: |_| 1000.0,
            share: |_| 0.05,
            ..TAIL
        }),
        &[P90Minute(12.0)],
    ),
    cell(
        "jitter, broken, one zone",
        jittering(Kind {
            zones: 1,
            share: |_| 0.05,
            ..ALL
        }),
        &[P90Minute(3.0)],
    ),
    cell(
        "geometric 5, .1 to .5%, 1000 rps",
        grouped(
            Kind {
                canary: |_| 0.005,
                ..RPS_1000_SHARE_5
            },
            Groups::Geometric(5.0),
        ),
        &[FoundAtLeast(0.98), P90Minute(14.0)],
    ),
    cell(
        "geometric 20, .1 to 1%, 1000 rps",
        grouped(
            Kind {
                canary: |_| 0.01,
                ..RPS_1000_SHARE_5
            },
            Groups::Geometric(20.0),
        ),
        &[P90Minute(15.0)],
    ),
    cell(
        "geometric 20, broken, 100 rps",
        grouped(
            Kind {
                share: |_| 0.05,
                ..ALL
            },
            Groups::Geometric(20.0),
        ),
        &[P90Minute(5.0)],
    ),
    cell(
        "geometric 20, doubled, 25%",
        grouped(
            Kind {
                share: |_| 0.25,
                ..X2
            },
            Groups::Geometric(20.0),
        ),
        &[PromotedAtMost(0.05)],
    ),
    cell(
        "log-normal, doubled, 25%",
        grouped(
            Kind {
                share: |_| 0.25,
                ..X2
            },
            Groups::LogNormal,
        ),
        &[PromotedAtMost(0.05)],
    ),
    cell(
        "geometric 20 across zones, doubled",
        Kind {
            across_zones: true,
            ..grouped(
                Kind {
                    share: |_| 0.25,
                    ..X2
                },
                Groups::Geometric(20.0),
            )
        },
        &[PromotedAtMost(0.05)],
    ),
    cell(
        "cold 4x, .1 to 1%",
        with(Fault::Cold(4.0, 3), X10),
        &[P90Minute(4.0)],
    ),
    cell(
        "5% never answered",
        with(Fault::Unanswered(0.05), SHARE_5),
        &[P90Minute(3.0)],
    ),
    cell(
        "none answered",
        with(Fault::Silent, SHARE_5),
        &[P90Minute(5.0)],
    ),
    cell(
        "4xx 2 to 10%",
        with(Fault::Rejected(0.1), SHARE_5),
        &[P90Minute(8.0)],
    ),
    cell(
        "404 to all",
        with(Fault::Rejected(1.0), SHARE_5),
        &[P90Minute(2.0)],
    ),
    in_steps(
        "steps: .1 to .2%",
        X2,
        &[FoundAtLeast(0.9), PromotedAtMost(0.05)],
    ),
    in_steps(
        "steps: .1 to .5% from minute 9",
        Kind {
            canary: |t| if t < 9 { 0.001 } else { 0.005 },
            ..USUAL
        },
        &[P90Minute(18.0)],
    ),
];
