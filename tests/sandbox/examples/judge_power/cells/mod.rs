//! The kinds of deployment that are measured, each with its goals.

mod broken;
mod healthy;

pub(crate) use broken::BROKEN;
pub(crate) use healthy::{HEALTHY, HEALTHY_TOO};

use crate::groups::Groups;
use crate::latency::Latency;
use crate::traffic::{Fault, Kind};

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
    pub(crate) goals: &'static [Goal],
    pub(crate) setup: Setup,
}

/// How it is judged, besides the defaults.
#[derive(Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) end: u32,
    pub(crate) steps: &'static [u32],
    pub(crate) min_minutes: u32,
    pub(crate) warm_up: u32,
}

const SETUP: Setup = Setup {
    end: 30,
    steps: &[1],
    min_minutes: 5,
    warm_up: 3,
};

/// 100 requests a second, a tenth to the canary, 0.1 % errors on both sides, three zones.
const USUAL: Kind = Kind {
    rps: |_| 100.0,
    share: |_| 0.1,
    baseline: |_| 0.001,
    canary: |_| 0.001,
    latency: Latency::Same,
    fault: Fault::None,
    groups: Groups::Single,
    across_zones: false,
    zones: 3,
    jitter: (0.0, 0.0),
    own_jitter: false,
    task_deaths: 0.0,
    crawler: 0.0,
    skew: 0.0,
    late: false,
    unclean: false,
};

const fn cell(name: &'static str, kind: Kind, goals: &'static [Goal]) -> Cell {
    Cell {
        name,
        kind,
        goals,
        setup: SETUP,
    }
}

const fn hour_long(name: &'static str, kind: Kind, goals: &'static [Goal]) -> Cell {
    Cell {
        setup: Setup { end: 60, ..SETUP },
        ..cell(name, kind, goals)
    }
}

/// 5 % until minute 8, then 25 %, and a bake of an hour.
const fn in_steps(name: &'static str, kind: Kind, goals: &'static [Goal]) -> Cell {
    let kind = Kind {
        share: |t| if t < 9 { 0.05 } else { 0.25 },
        ..kind
    };
    Cell {
        setup: Setup {
            end: 60,
            steps: &[1, 9],
            ..SETUP
        },
        ..cell(name, kind, goals)
    }
}
