//! What simpler judges would have done with the same traffic: the minute of their rollback, if any.

use slipway::judge::canary::counts::Counters;
use slipway::judge::kayenta::{Analysis, Direction, Label, RankTest, classify};

use crate::traffic::Minute;

/// The error rate that fixed thresholds call bad.
const LIMIT: f64 = 0.01;

/// A share of a count, which may be absent.
fn share(part: u64, all: Option<u64>) -> f64 {
    part as f64 / all.unwrap_or(0).max(1) as f64
}

/// Failed requests of a side, as every other judge counts them.
fn failures(side: &Counters) -> f64 {
    let failed = side.server_errors.unwrap_or(0) + side.refused.unwrap_or(0);
    share(failed, side.requests)
}

/// Requests slower than p99.
fn slow(side: &Counters) -> f64 {
    share(side.slow[1].unwrap_or(0), side.timed)
}

fn rate(minute: &Minute) -> f64 {
    failures(&minute.counted.canary)
}

/// A fixed threshold that tolerates no minute above it.
pub(crate) fn threshold(minutes: &[Minute]) -> Option<u32> {
    failed_checks(minutes, 1)
}

/// Flagger rolls back after five failed checks (`threshold: 5` in its examples).
pub(crate) fn flagger(minutes: &[Minute]) -> Option<u32> {
    failed_checks(minutes, 5)
}

fn failed_checks(minutes: &[Minute], allowed: usize) -> Option<u32> {
    let failed = minutes
        .iter()
        .zip(1..)
        .filter(|(minute, _)| rate(minute) > LIMIT);
    failed.map(|(_, t)| t).nth(allowed - 1)
}

/// A CloudWatch alarm at 1 %, 2 of 3 data points.
pub(crate) fn alarm(minutes: &[Minute]) -> Option<u32> {
    let breaches = |t: usize| {
        minutes[t.saturating_sub(3)..t]
            .iter()
            .filter(|minute| rate(minute) >= LIMIT)
            .count()
    };
    (1..=minutes.len())
        .find(|t| breaches(*t) >= 2)
        .map(|t| t as u32)
}

/// Kayenta once at the end, on the error rate and the share of requests slower than p99.
pub(crate) fn kayenta(minutes: &[Minute]) -> Option<u32> {
    let analysis = Analysis {
        direction: Direction::Increase,
        ..Analysis::default()
    };
    let high = |value: fn(&Counters) -> f64| {
        let canary: Vec<f64> = minutes.iter().map(|m| value(&m.counted.canary)).collect();
        let baseline: Vec<f64> = minutes.iter().map(|m| value(&m.counted.baseline)).collect();
        classify(&canary, &baseline, &analysis, RankTest::KAYENTA).label == Label::High
    };
    (high(failures) || high(slow)).then_some(minutes.len() as u32)
}
