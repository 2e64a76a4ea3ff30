//! What simpler judges would have done with the same traffic: the minute of their rollback, if any.

use slipway::judge::kayenta::{Analysis, Direction, Label, RankTest, classify};

use crate::traffic::Minute;

/// The error rate that fixed thresholds call bad.
const LIMIT: f64 = 0.01;

fn rate(minute: &Minute) -> f64 {
    minute.canary.1 as f64 / minute.canary.0.max(1) as f64
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
    let share = |(requests, bad): (u64, u64)| bad as f64 / requests.max(1) as f64;
    let high = |canary: &dyn Fn(&Minute) -> f64, baseline: &dyn Fn(&Minute) -> f64| {
        let series = |side: &dyn Fn(&Minute) -> f64| minutes.iter().map(side).collect::<Vec<_>>();
        classify(
            &series(canary),
            &series(baseline),
            &analysis,
            RankTest::KAYENTA,
        )
        .label
            == Label::High
    };
    let errors = high(&|m| share(m.canary), &|m| share(m.baseline));
    let slow = high(&|m| share((m.canary.0, m.canary_slow[2])), &|m| {
        share((m.baseline.0, m.baseline_slow[2]))
    });
    (errors || slow).then_some(minutes.len() as u32)
}
