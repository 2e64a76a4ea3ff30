//! Evidence that a canary is worse than tolerated, gathered minute by minute.
//!
//! An e-process: its expectation is at most 1 for a canary within tolerance, so by Ville's
//! inequality \[V\] it ever reaches 1/α with a chance of at most α, however often it is looked at.
//! A rollback requires two kinds of it: bad events one by one, and whole minutes as one event each,
//! so that no single bad minute decides.

use super::counts::Counts;
use super::metric::{Metric, MetricSpec};
use crate::judge::logs::log_sum_exp;

/// How bad the regression may be, as ratios beyond the tolerance.
const RATIOS: [f64; 6] = [1.2, 1.7, 3.0, 8.0, 40.0, 200.0];

/// The part of the prior that a regression from the first minute on has.
const FIRST_MINUTE_PRIOR: f64 = 0.8;

/// What the evidence by minutes counts for where events come in groups.
const MINUTES_FACTOR: f64 = 2.0;

/// Evidence by minutes that is enough where events come one by one.
const MINUTES_BET: f64 = 10.0;

/// Most evidence of one minute by itself where events come one by one: two of them are not enough.
const MINUTE_MAX: f64 = 4.0;

/// A minute in which a canary fails at least this share of its requests is gross, if that are this
/// many and the baseline fails at most that share.
const GROSS_SHARE: f64 = 0.75;
const GROSS_BAD: u64 = 30;
const GROSS_BASELINE_SHARE: f64 = 0.1;

type Increments = [f64; RATIOS.len()];

/// Evidence mixed over how bad the regression is and over the minute in which it began.
#[derive(Debug, Clone, PartialEq)]
struct Mixture {
    /// What is left of the prior over the minutes in which a regression may begin.
    prior_left: f64,
    minutes: u32,
    /// `ln S_r` for each ratio.
    log_sums: Increments,
}

impl Default for Mixture {
    fn default() -> Self {
        Self {
            prior_left: 1.0,
            minutes: 0,
            log_sums: [f64::NEG_INFINITY; RATIOS.len()],
        }
    }
}

impl Mixture {
    /// Takes in a usable minute: `S_r ← (S_r + π)·e^increment`, where π is 0.8 of the prior in the
    /// first minute and 1/s of what is left in the s-th.
    fn absorb(&mut self, increments: &Increments) {
        self.minutes += 1;
        let part = if self.minutes == 1 {
            FIRST_MINUTE_PRIOR
        } else {
            1.0 / f64::from(self.minutes)
        };
        let begins_now = (part * self.prior_left).ln();
        self.prior_left *= 1.0 - part;

        for (log_sum, increment) in self.log_sums.iter_mut().zip(increments) {
            *log_sum = log_sum_exp([*log_sum, begins_now].into_iter()) + increment;
        }
    }

    /// ln of what is left of the prior and the mean over the ratios.
    fn log_evidence(&self) -> f64 {
        let count = (RATIOS.len() as f64).ln();
        let means = self.log_sums.iter().map(|log_sum| log_sum - count);
        log_sum_exp(std::iter::once(self.prior_left.ln()).chain(means))
    }
}

/// What one metric has shown of harm.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Harm {
    events: Mixture,
    minutes: Mixture,
    last_was_gross: bool,
    /// ln of the factor of the evidence by minutes.
    log_factor: f64,
    /// ln of the most that one minute counts for by itself, where events come one by one.
    cap: f64,
}

impl Harm {
    pub(super) fn new(spec: &MetricSpec, one_by_one: bool, alpha: f64) -> Self {
        let enough = 1.0 / (MINUTES_BET * alpha * spec.weight);
        let (factor, cap) = if one_by_one {
            (MINUTES_FACTOR.max(enough), MINUTE_MAX.ln())
        } else {
            (MINUTES_FACTOR, f64::INFINITY)
        };

        Self {
            events: Mixture::default(),
            minutes: Mixture::default(),
            last_was_gross: false,
            log_factor: factor.ln(),
            cap,
        }
    }

    /// Takes in a usable minute.
    pub(super) fn absorb(&mut self, spec: &MetricSpec, counts: &Counts) {
        let events = by_events(spec, counts);
        let gross = is_gross(spec, counts);
        let minute = if gross && self.last_was_gross {
            events
        } else {
            by_minute(spec, counts).map(|bet| bet.min(self.cap))
        };

        self.events.absorb(&events);
        self.minutes.absorb(&minute);
        self.last_was_gross = gross;
    }

    /// ln E: the lesser of both kinds of evidence.
    pub(super) fn log_evidence(&self) -> f64 {
        let by_minutes = self.log_factor + self.minutes.log_evidence();
        self.events.log_evidence().min(by_minutes)
    }

    /// ln of the evidence by minutes, without its factor.
    pub(super) fn log_by_minutes(&self) -> f64 {
        self.minutes.log_evidence()
    }
}

/// Bad events one by one: `min(l_r, g_r)` with `l_r = x_c·ln r − m·ln(1 + (r−1)·θ)` \[LM\] and
/// `g_r = x_c·ln r − (r−1)·n_c·ε` \[LSS\]. `E[e^l] ≤ 1` where the rates are within the tolerance,
/// `E[e^g] ≤ 1` where the canary's is below the floor; the lesser is fair in a minute with either.
fn by_events(spec: &MetricSpec, counts: &Counts) -> Increments {
    let share = counts.canary_share(spec.tolerance);
    let canary_bad = counts.canary_bad as f64;
    let all_bad = counts.all_bad() as f64;
    let requests = counts.canary_requests as f64;

    RATIOS.map(|ratio| {
        let by_ratio = canary_bad * ratio.ln() - all_bad * ((ratio - 1.0) * share).ln_1p();
        let by_floor = spec.floor.map_or(f64::INFINITY, |floor| {
            canary_bad * ratio.ln() - (ratio - 1.0) * requests * floor
        });
        by_ratio.min(by_floor)
    })
}

/// The minute as one event: `b_r = ln(1 + (r−1)·x_c/m) − ln(1 + (r−1)·θ)`, the bet of \[WR\] that
/// the canary's share of a minute's bad events is at most θ on average, however they depend on
/// each other.
fn by_minute(spec: &MetricSpec, counts: &Counts) -> Increments {
    if counts.all_bad() == 0 {
        return [0.0; RATIOS.len()];
    }
    let share = counts.canary_share(spec.tolerance);
    let found = counts.canary_bad as f64 / counts.all_bad() as f64;
    RATIOS.map(|ratio| ((ratio - 1.0) * found).ln_1p() - ((ratio - 1.0) * share).ln_1p())
}

/// Whether a canary fails most of its requests and the baseline does not. Two such minutes in a row
/// are harm whatever caused them; a single one may be the death of a task.
fn is_gross(spec: &MetricSpec, counts: &Counts) -> bool {
    let baseline_limit = GROSS_BASELINE_SHARE * counts.baseline_requests as f64;
    !matches!(spec.metric, Metric::Latency(_))
        && counts.canary_bad >= GROSS_BAD
        && counts.canary_bad as f64 >= GROSS_SHARE * counts.canary_requests as f64
        && counts.baseline_bad as f64 <= baseline_limit
}

#[cfg(test)]
mod tests;
