//! Response times: log-normal, with thresholds at the baseline's p90, p99 and 1.5 times p99.

use fastrand::Rng;
use statrs::distribution::{ContinuousCDF, Normal};

use crate::draw::binomial;

const MEDIAN_MS: f64 = 100.0;
const LOG_SD: f64 = 0.6;
/// The z-scores of p90 and p99.
const THRESHOLD_Z: [f64; 2] = [1.281_55, 2.326_35];
/// The z-score of p98, above which a broken tail is doubled, which doubles p99.
const TAIL_Z: f64 = 2.053_75;

/// How the canary's latency differs.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Latency {
    Same,
    /// Every request takes this many times as long.
    Slower(f64),
    /// The slowest 2 % take twice as long.
    TailDoubled,
}

/// Requests slower than a threshold.
#[derive(Clone, Copy, Default)]
pub(crate) struct Slow {
    pub(crate) above: u64,
    /// Above 1.1 times the threshold.
    pub(crate) above_tolerated: u64,
    /// Above 1.25 times the threshold.
    pub(crate) above_to_promote: u64,
}

/// The latency thresholds of the baseline in milliseconds.
pub(crate) fn thresholds_ms() -> [f64; 3] {
    let at = |z: f64| MEDIAN_MS * (LOG_SD * z).exp();
    let [p90, p99] = THRESHOLD_Z.map(at);
    [p90, p99, 1.5 * p99]
}

/// How many of the response times exceed each threshold; `factor` is on the chance to.
pub(crate) fn slow(timed: u64, latency: Latency, factor: f64, random: &mut Rng) -> Vec<Slow> {
    let limits: Vec<f64> = thresholds_ms()
        .iter()
        .flat_map(|ms| [*ms, 1.1 * ms, 1.25 * ms])
        .collect();
    let tails: Vec<f64> = limits
        .iter()
        .map(|ms| (factor * tail(*ms, latency)).min(1.0))
        .collect();
    let counts = nested(timed, &tails, random);
    counts
        .chunks(3)
        .map(|counts| Slow {
            above: counts[0],
            above_tolerated: counts[1],
            above_to_promote: counts[2],
        })
        .collect()
}

/// The chance that a request takes longer than `ms`.
fn tail(ms: f64, latency: Latency) -> f64 {
    let above = |ms: f64| Normal::standard().sf((ms / MEDIAN_MS).ln() / LOG_SD);
    let tail_ms = MEDIAN_MS * (LOG_SD * TAIL_Z).exp();
    match latency {
        Latency::Same => above(ms),
        Latency::Slower(factor) => above(ms / factor),
        Latency::TailDoubled if ms < tail_ms => above(ms),
        Latency::TailDoubled => above(tail_ms.max(ms / 2.0)),
    }
}

/// How many of `requests` exceed each limit, given the chances in any order.
fn nested(requests: u64, tails: &[f64], random: &mut Rng) -> Vec<u64> {
    let mut order: Vec<usize> = (0..tails.len()).collect();
    order.sort_by(|a, b| tails[*b].total_cmp(&tails[*a]));
    let (mut counts, mut left, mut chance) = (vec![0; tails.len()], requests, 1.0);

    for index in order {
        left = binomial(left, (tails[index] / chance).min(1.0), random);
        chance = tails[index];
        counts[index] = left;
    }
    counts
}
