//! Tests a metric once more at the end of the bake, with everything that it has counted.
//!
//! Evidence that may be looked at every minute pays for that freedom with power. The end is
//! declared beforehand, so one test of fixed size spends its own share of the error rate there.

use statrs::distribution::{Binomial, DiscreteCDF, Poisson};

use super::counts::Counts;
use super::metric::MetricSpec;

/// Running totals that the final test needs.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct FinalTest {
    canary_bad: u64,
    all_bad: u64,
    expected: f64,
}

impl FinalTest {
    /// Adds a usable minute. What is expected of the canary is `m·θ`, or `ε·n_c` where that is
    /// more.
    pub(super) fn absorb(&mut self, spec: &MetricSpec, counts: &Counts) {
        let by_ratio = counts.all_bad() as f64 * counts.canary_share(spec.tolerance);
        let by_floor = spec.floor.unwrap_or(0.0) * counts.canary_requests as f64;
        self.canary_bad += counts.canary_bad;
        self.all_bad += counts.all_bad();
        self.expected += by_ratio.max(by_floor);
    }

    /// Bad canary events so far.
    pub(super) fn canary_bad(&self) -> u64 {
        self.canary_bad
    }

    /// The chance of at least this many bad canary events within tolerance: `P[Poisson(μ) ≥ X]`
    /// with a floor, `P[Bin(M, μ/M) ≥ X]` without one \[H56\]. It is 1 where X exceeds μ by less
    /// than one event.
    pub(super) fn p_value(&self, spec: &MetricSpec) -> f64 {
        let Self {
            canary_bad,
            all_bad,
            expected,
        } = *self;
        if canary_bad == 0 || (canary_bad as f64) < expected + 1.0 {
            return 1.0;
        }

        // Without any expected event, a single one is impossible.
        let tail = if spec.floor.is_some() {
            Poisson::new(expected)
                .map(|poisson| poisson.sf(canary_bad - 1))
                .ok()
        } else {
            let share = (expected / all_bad as f64).clamp(0.0, 1.0);
            Binomial::new(share, all_bad)
                .map(|binomial| binomial.sf(canary_bad - 1))
                .ok()
        };
        tail.unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests;
