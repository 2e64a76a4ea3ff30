//! Weighs evidence that the canary is not much worse, which is what a promotion needs.
//!
//! Absence of evidence of harm is not evidence of health: a canary with ten requests shows no harm
//! either. A promotion must rule out a canary that is `tau_promote` times as bad.

use super::clean::Counts;
use super::logs::log_sum_exp;
use super::spec::{MetricSpec, Promotion};

/// The fractions of the bound that evidence is weighed for, with equal weight.
const HEALTH_RATIOS: [f64; 10] = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/// Evidence that a metric of the canary stays within the bound of a promotion.
#[derive(Debug, Clone, PartialEq)]
pub struct NonInferiority {
    bound: Promotion,
    ratio: [f64; HEALTH_RATIOS.len()],
    floor: [f64; HEALTH_RATIOS.len()],
}

impl NonInferiority {
    /// No evidence yet.
    pub fn new(bound: Promotion) -> Self {
        Self {
            bound,
            ratio: [0.0; HEALTH_RATIOS.len()],
            floor: [0.0; HEALTH_RATIOS.len()],
        }
    }

    /// Adds a usable minute: ratio `x_c·ln q − m·ln(1 + (q−1)·θ_p)`, floor
    /// `x_c·ln q + (1−q)·n_c·ε_p`, each divided by the dispersion φ. A regression that begins
    /// later is not its concern, so these are plain sums without a start minute.
    pub(crate) fn absorb(&mut self, spec: &MetricSpec, counts: &Counts) {
        let bad = counts.canary_bad_promote as f64;
        let all_bad = bad + counts.baseline_bad as f64;
        let share = counts.canary_share(self.bound.tolerance);
        let expected = counts.canary_requests as f64 * self.bound.floor.unwrap_or(0.0);

        for (index, q) in HEALTH_RATIOS.into_iter().enumerate() {
            self.ratio[index] +=
                (bad * q.ln() - all_bad * ((q - 1.0) * share).ln_1p()) / spec.dispersion;
            self.floor[index] += (bad * q.ln() + (1.0 - q) * expected) / spec.dispersion;
        }
    }

    /// ln of the mean of the mixtures: either a good ratio or a small absolute rate will do.
    pub(crate) fn log_evidence(&self) -> f64 {
        let mixtures = if self.bound.floor.is_some() { 2.0 } else { 1.0 };
        let floor = self.floor.iter().filter(|_| self.bound.floor.is_some());
        log_sum_exp(self.ratio.iter().chain(floor).copied())
            - (mixtures * HEALTH_RATIOS.len() as f64).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::JudgeConfig;
    use super::*;

    fn evidence(minutes: u32, canary: (u64, u64), baseline: (u64, u64)) -> f64 {
        let spec = &JudgeConfig::default().metrics(&[])[0];
        let mut evidence =
            NonInferiority::new(spec.promotion.expect("errors take part in promotion"));
        let counts = Counts {
            canary_requests: canary.0,
            canary_bad: canary.1,
            canary_bad_promote: canary.1,
            baseline_requests: baseline.0,
            baseline_bad: baseline.1,
        };
        (0..minutes).for_each(|_| evidence.absorb(spec, &counts));
        evidence.log_evidence()
    }

    #[test]
    fn no_minutes_are_no_evidence() {
        assert!(evidence(0, (1, 0), (1, 0)).abs() < 1e-12);
    }

    #[test]
    fn no_errors_anywhere_promote_by_the_absolute_rate() {
        // 600 requests a minute without error rule out 0.1 % at 1 in 20 within ten minutes.
        assert!(evidence(4, (600, 0), (5400, 0)) < 20f64.ln());
        assert!(evidence(10, (600, 0), (5400, 0)) > 20f64.ln());
    }

    #[test]
    fn a_canary_twice_as_bad_gathers_nothing() {
        assert!(evidence(30, (600, 12), (5400, 54)) < 0.0);
    }

    fn weighed(floor: Option<f64>, dispersion: f64, strict: u64, lax: u64) -> f64 {
        let errors = JudgeConfig::default().metrics(&[]).remove(0);
        let bound = Promotion {
            tolerance: 2.0,
            floor,
        };
        let spec = MetricSpec {
            dispersion,
            promotion: Some(bound),
            ..errors
        };
        let mut evidence = NonInferiority::new(bound);
        let counts = Counts {
            canary_requests: 1_000,
            canary_bad: strict,
            canary_bad_promote: lax,
            baseline_requests: 9_000,
            baseline_bad: 30,
        };
        evidence.absorb(&spec, &counts);
        evidence.log_evidence()
    }

    /// Expected numbers come from the plain implementation of the tests.
    #[test]
    fn evidence_of_health_depends_on_floor_dispersion_and_the_lax_measure_alone() {
        let cases = [
            (weighed(Some(1e-3), 1.0, 1, 1), 1.909_084_496_386_969_3),
            (weighed(None, 1.0, 1, 1), 2.550_606_395_240_941_5),
            (weighed(Some(1e-3), 3.0, 1, 1), 0.414_754_664_118_270_8),
            (weighed(None, 3.0, 1, 1), 0.777_753_499_265_929_6),
            (weighed(Some(1e-3), 1.0, 500, 1), 1.909_084_496_386_969_3),
        ];

        for (index, (found, expected)) in cases.into_iter().enumerate() {
            assert!(
                (found - expected).abs() < 1e-9,
                "{index}: {found} is not {expected}"
            );
        }

        assert!(
            weighed(None, 1.0, 1, 500) < -30.0,
            "slow by the lax measure is not health"
        );
    }
}
