//! Makes up traffic: healthy and broken canaries of many kinds, every one from its seed.

use fastrand::Rng;
use slipway::judge::clean::{Reading, SideCounts};
use statrs::distribution::{ContinuousCDF, Normal};

use crate::draw::{binomial, poisson};

pub(crate) const MINUTES: u32 = 30;

/// Latency is log-normal with a median of 100 ms.
const MEDIAN_MS: f64 = 100.0;
const LOG_SD: f64 = 0.6;
/// The z-scores of p75, p90 and p99; the fourth threshold is 1.5 times the third.
const THRESHOLD_Z: [f64; 3] = [0.674_49, 1.281_55, 2.326_35];
/// The z-score of p98, above which a broken tail is doubled, which doubles p99.
const TAIL_Z: f64 = 2.053_75;

/// How the canary's latency differs.
#[derive(Clone, Copy)]
pub(crate) enum Latency {
    Same,
    /// Every request takes this many times as long.
    Slower(f64),
    /// The slowest 2 % take twice as long.
    TailDoubled,
}

/// A kind of deployment. Functions take the minute, from 1.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) rps: fn(u32) -> f64,
    pub(crate) share: fn(u32) -> f64,
    pub(crate) baseline: fn(u32) -> f64,
    pub(crate) canary: fn(u32) -> f64,
    pub(crate) latency: Latency,
    pub(crate) late: bool,
    /// Bad requests come in bursts of this many, as retries do.
    pub(crate) burst: u64,
}

/// One minute of traffic.
pub(crate) struct Minute {
    pub(crate) canary: (u64, u64),
    pub(crate) canary_slow: [u64; 4],
    pub(crate) canary_slow_promote: [u64; 4],
    pub(crate) baseline: (u64, u64),
    pub(crate) baseline_slow: [u64; 4],
    /// When the canary's bad requests become visible; `None` is never.
    pub(crate) bad_seen: Option<u32>,
}

impl Minute {
    /// What the judge sees in minute `now`.
    pub(crate) fn reading(&self, metric: usize, now: u32) -> Reading {
        let side = |requests: u64, bad: Option<u64>| SideCounts {
            requests: Some(requests),
            bad,
        };
        let (canary_bad, baseline_bad, promote) = match metric {
            0 => {
                let bad = self.bad_seen.filter(|at| *at <= now).map(|_| self.canary.1);
                (bad, self.baseline.1, bad)
            }
            _ => (
                Some(self.canary_slow[metric - 1]),
                self.baseline_slow[metric - 1],
                Some(self.canary_slow_promote[metric - 1]),
            ),
        };

        Reading {
            canary: side(self.canary.0, canary_bad),
            baseline: side(self.baseline.0, Some(baseline_bad)),
            canary_bad_promote: promote,
        }
    }
}

/// The latency thresholds of the baseline in milliseconds.
pub(crate) fn thresholds_ms() -> [f64; 4] {
    let at = |z: f64| MEDIAN_MS * (LOG_SD * z).exp();
    let [p75, p90, p99] = THRESHOLD_Z.map(at);
    [p75, p90, p99, 1.5 * p99]
}

/// One deployment of this kind.
pub(crate) fn deployment(kind: &Kind, random: &mut Rng) -> Vec<Minute> {
    (1..=MINUTES).map(|t| minute(kind, t, random)).collect()
}

fn minute(kind: &Kind, t: u32, random: &mut Rng) -> Minute {
    let all = poisson(60.0 * (kind.rps)(t), random);
    let canary = binomial(all, (kind.share)(t), random);
    let baseline = all - canary;
    let thresholds = thresholds_ms();
    let baseline_tails = thresholds.map(|ms| tail(ms, Latency::Same));
    let canary_limits: Vec<f64> = thresholds
        .iter()
        .flat_map(|ms| [1.1 * ms, 1.25 * ms])
        .collect();
    let canary_tails: Vec<f64> = canary_limits
        .iter()
        .map(|ms| tail(*ms, kind.latency))
        .collect();
    let slow = nested(canary, &canary_tails, random);
    let bad_seen = if kind.late { late(t, random) } else { Some(t) };

    Minute {
        canary: (canary, bursty(kind.burst, canary, (kind.canary)(t), random)),
        canary_slow: [slow[0], slow[2], slow[4], slow[6]],
        canary_slow_promote: [slow[1], slow[3], slow[5], slow[7]],
        baseline: (
            baseline,
            bursty(kind.burst, baseline, (kind.baseline)(t), random),
        ),
        baseline_slow: nested(baseline, &baseline_tails, random)
            .try_into()
            .expect("as many as thresholds"),
        bad_seen,
    }
}

/// One to four minutes late, and one in sixteen never.
fn late(t: u32, random: &mut Rng) -> Option<u32> {
    (random.u8(0..16) > 0).then(|| t + random.u32(1..=4))
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

/// Bad requests that come `burst` at a time, with the same mean as if they came singly.
fn bursty(burst: u64, requests: u64, chance: f64, random: &mut Rng) -> u64 {
    (burst * binomial(requests, chance / burst as f64, random)).min(requests)
}
