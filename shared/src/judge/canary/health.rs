//! Evidence that a canary is no worse than the bound of a promotion.
//!
//! The same e-processes as for harm, with ratios below 1. Overdispersed events count for less:
//! evidence is divided by φ.

use super::counts::Counts;
use super::dispersion::{Part, TwoParts};
use super::metric::{MetricSpec, Promotion};
use crate::judge::logs::log_sum_exp;

/// How much better than the bound the canary may be.
pub(super) const RATIOS: [f64; 10] = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/// What one metric has shown of health.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Health {
    by_ratio: [f64; RATIOS.len()],
    by_floor: [f64; RATIOS.len()],
    /// Canary and baseline in each minute, for the dispersion of the bake.
    minutes: TwoParts,
}

impl Health {
    /// Adds a usable minute: `l_q = x_c·ln q − m·ln(1 + (q−1)·θ_p)` \[LM\] and
    /// `g_q = x_c·ln q + (1−q)·n_c·ε_p` \[LSS\].
    pub(super) fn absorb(&mut self, promotion: &Promotion, counts: &Counts) {
        let share = counts.canary_share(promotion.tolerance);
        let canary_bad = counts.canary_bad_to_promote as f64;
        let all_bad = canary_bad + counts.baseline_bad as f64;
        let requests = counts.canary_requests as f64;

        for (index, ratio) in RATIOS.into_iter().enumerate() {
            let odds = canary_bad * ratio.ln();
            self.by_ratio[index] += odds - all_bad * ((ratio - 1.0) * share).ln_1p();
            if let Some(floor) = promotion.floor {
                self.by_floor[index] += odds + (1.0 - ratio) * requests * floor;
            }
        }
        self.minutes.absorb([
            Part {
                requests: counts.canary_requests,
                bad: counts.canary_bad_to_promote,
            },
            Part {
                requests: counts.baseline_requests,
                bad: counts.baseline_bad,
            },
        ]);
    }

    /// The overdispersion: that of the hour before or of the bake, whichever is larger, or the
    /// stated one.
    pub(super) fn dispersion(&self, spec: &MetricSpec, prior: f64) -> f64 {
        spec.stated_dispersion.map_or_else(
            || prior.max(self.minutes.dispersion().phi),
            |stated| stated.max(1.0),
        )
    }

    /// ln of `E_p = mean_q e^{A_q/φ}`; with a floor the mean of both mixtures.
    pub(super) fn log_evidence(&self, spec: &MetricSpec, phi: f64) -> f64 {
        let by_ratio = log_mean_exp(&self.by_ratio, phi);
        match spec.promotion.floor {
            None => by_ratio,
            Some(_) => {
                let by_floor = log_mean_exp(&self.by_floor, phi);
                log_sum_exp([by_ratio, by_floor].into_iter()) - 2f64.ln()
            }
        }
    }
}

fn log_mean_exp(sums: &[f64], phi: f64) -> f64 {
    log_sum_exp(sums.iter().map(|sum| sum / phi)) - (sums.len() as f64).ln()
}

#[cfg(test)]
mod tests;
