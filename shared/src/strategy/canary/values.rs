//! Compares series of values, one a minute, by ranks: memory, queue lengths, and other metrics that
//! are not counts of a total.
//!
//! A test by ranks is not valid at every evaluation, so it is made seldom, at numbers of minutes
//! that are fixed beforehand, and each comparison spends an equal part of the metric's share of the
//! error rate. By Bonferroni's inequality the whole stays within the share, under any correlation
//! between the comparisons. Rank tests ignore autocorrelation within a series.

use statrs::distribution::{ContinuousCDF, Normal};

use super::bake_state::BakeState;
use super::config::Settings;
use crate::judge::rank::z_score;
use crate::metrics::custom::{CustomMetric, Worse};
use crate::metrics::source::{CustomPart, Data, Key, Metric, Side};

/// Values on each side below which nothing is compared: with fewer, chance alone can look certain.
pub(crate) const VALUES_MIN: usize = 5;

/// Ranks that are as rare as this within tolerance look worse: no harm is shown, but nothing is
/// promoted either.
const DOUBT: f64 = 0.05;

/// Each comparison waits for this many times the minutes of the one before.
const GROWTH: f64 = 1.4;

/// The findings on a series.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    pub name: String,
    /// Minutes with a value on both sides.
    pub minutes: usize,
    pub medians: Option<(f64, f64)>,
    /// The comparison that found the canary worse.
    pub harm: Option<SeriesHarm>,
    /// Whether the series looks worse than tolerated over all minutes that have arrived.
    pub doubtful: bool,
}

/// A comparison at which a series was worse than tolerated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeriesHarm {
    /// Values a side at that comparison.
    pub minutes: usize,
    pub p: f64,
    /// The part of the error rate that this comparison spends.
    pub limit: f64,
}

/// Numbers of minutes at which a series of at most `end` minutes is compared.
#[must_use]
fn comparisons(end: usize) -> Vec<usize> {
    let mut comparisons = Vec::new();
    let mut next = VALUES_MIN;

    while next < end {
        comparisons.push(next);
        next = (next as f64 * GROWTH).ceil() as usize;
    }

    if end >= VALUES_MIN {
        comparisons.push(end);
    }

    comparisons
}

/// Compares every series as far as it has arrived. Minutes count in order, and only with a value on
/// both sides.
#[must_use]
pub fn compare(
    data: &Data,
    settings: &Settings,
    state: &BakeState,
    last: u32,
    has_arrived: impl Fn(u32) -> bool,
) -> Vec<Series> {
    let alpha = settings.judge.alpha + settings.judge.alpha_exam;
    settings
        .values()
        .map(|(index, custom)| {
            let value = |side: Side, minute: u32| {
                let at = state.first + i64::from(minute) - 1;
                data.get(&Key::new(side, Metric::Custom(index, CustomPart::Value)))?
                    .get(&at)
                    .copied()
                    .filter(|value| value.is_finite())
            };
            let last = last.min(settings.judge.end);
            let both: Vec<(f64, f64)> = (1..=last)
                .filter(|minute| has_arrived(*minute))
                .filter_map(|minute| value(Side::Canary, minute).zip(value(Side::Baseline, minute)))
                .collect();
            series(
                custom,
                &both,
                settings.judge.end as usize,
                alpha * custom.weight,
            )
        })
        .collect()
}

fn series(custom: &CustomMetric, both: &[(f64, f64)], end: usize, share: f64) -> Series {
    let (canary, baseline): (Vec<f64>, Vec<f64>) = both.iter().copied().unzip();
    let comparisons = comparisons(end);
    let limit = share / comparisons.len().max(1) as f64;
    let harm = comparisons
        .iter()
        .filter(|minutes| **minutes <= both.len())
        .find_map(|&minutes| {
            let p = p_value(custom, &canary[..minutes], &baseline[..minutes]);
            (p <= limit).then_some(SeriesHarm { minutes, p, limit })
        });
    let medians = median(&canary).zip(median(&baseline));
    let doubtful = both.len() >= VALUES_MIN && p_value(custom, &canary, &baseline) <= DOUBT;

    Series {
        name: custom.name.clone(),
        minutes: both.len(),
        medians,
        harm,
        doubtful,
    }
}

/// The chance of such ranks if the canary were just within tolerance (one-sided, normal
/// approximation with corrections for ties and continuity).
fn p_value(custom: &CustomMetric, canary: &[f64], baseline: &[f64]) -> f64 {
    let slack = match custom.worse {
        Worse::More => custom.tolerance - 1.0,
        Worse::Less => 1.0 / custom.tolerance - 1.0,
    };
    let tolerated: Vec<f64> = baseline
        .iter()
        .map(|value| value + slack * value.abs())
        .collect();
    let z = z_score(canary, &tolerated, 0.0);
    let z = if custom.worse == Worse::More { z } else { -z };

    Normal::standard().sf(z)
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

#[cfg(test)]
mod tests;
