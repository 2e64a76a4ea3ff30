//! Judgements that the tests of records and pages share.

mod page;
mod record;

use super::*;
use crate::judge::canary::answers::BadRule;
use crate::judge::canary::arrival::Arrived;
use crate::judge::canary::counts::{Counters, Minute};
use crate::judge::canary::hour_before::{HourBefore, Measured};
use crate::judge::canary::metric::OwnCount;
use crate::judge::{JudgeConfig, Progress, Setup};

/// A minute in which this many of 1,000 canary and 9,000 baseline requests fail.
fn minute(canary_bad: u64, baseline_bad: u64) -> Arrived {
    let side = |requests: u64, bad: u64| Counters {
        requests: Some(requests),
        good: Some(requests - bad),
        server_errors: Some(bad),
        timed: Some(requests),
        ..Counters::default()
    };
    Arrived {
        minute: Minute {
            canary: side(1_000, canary_bad),
            baseline: side(9_000, baseline_bad),
        },
        is_final: true,
    }
}

fn live(end: u32, now: u32, own: Vec<OwnCount>) -> Live {
    let singly = |rate| Measured {
        phi: 1.0,
        one_by_one: true,
        rate,
        rate_to_promote: rate,
    };
    let config = JudgeConfig {
        end,
        share: Some(0.1),
        ..JudgeConfig::default()
    };
    Live {
        name: "shop".to_owned(),
        setup: Setup {
            config,
            thresholds: 0,
            own,
            prior: HourBefore {
                rule: BadRule::Difference,
                requests_a_minute: Some(10_000.0),
                errors: singly(0.001),
                client_errors: Measured {
                    phi: 12.3,
                    one_by_one: false,
                    ..singly(0.0)
                },
                latency: Vec::new(),
            },
        },
        thresholds_ms: Vec::new(),
        progress: Progress::default(),
        now,
    }
}

fn judged(end: u32, now: u32, read: impl Fn(u32) -> Arrived) -> Judgement {
    Judgement::from_live(&live(end, now, Vec::new()), read)
}

/// Three healthy minutes of thirty.
fn undecided() -> Judgement {
    judged(30, 3, |_| minute(1, 9))
}
