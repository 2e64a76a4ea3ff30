//! Tests a metric once more at the declared end of the bake, with everything it has counted.
//!
//! Evidence that may be looked at every minute pays for that freedom with power. The end is
//! declared beforehand, so one fixed-sample test may spend its own share of error there and finds
//! small regressions that the sequential evidence had not yet settled.

use statrs::distribution::{Binomial, DiscreteCDF, Poisson};

use super::clean::Counts;
use super::spec::MetricSpec;

/// Running totals of a metric that the final test needs.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct FinalTestTotals {
    canary_requests: u64,
    canary_bad: u64,
    all_bad: u64,
    expected_canary_bad: f64,
}

impl FinalTestTotals {
    /// Adds a usable minute.
    pub(crate) fn absorb(&mut self, spec: &MetricSpec, counts: &Counts) {
        let all_bad = counts.canary_bad + counts.baseline_bad;
        self.canary_requests += counts.canary_requests;
        self.canary_bad += counts.canary_bad;
        self.all_bad += all_bad;
        self.expected_canary_bad += all_bad as f64 * counts.canary_share(spec.tolerance);
    }

    /// Bad canary events so far.
    pub fn canary_bad(&self) -> u64 {
        self.canary_bad
    }

    /// The chance p of at least this many bad canary events if the canary were just within
    /// tolerance: `max(P[Bin(M, θ̄) ≥ X], P[Poisson(ε·Σn_c) ≥ X])` with `θ̄ = Σ m·θ / M`, `X =
    /// ⌊Σx_c/φ⌋` and `M = ⌈Σm/φ⌉`. It is 1 where X exceeds its expectation by less than one event.
    pub(crate) fn p_value(&self, spec: &MetricSpec) -> f64 {
        if self.all_bad == 0 {
            return 1.0;
        }

        let share = (self.expected_canary_bad / self.all_bad as f64).clamp(0.0, 1.0);
        let bad = (self.canary_bad as f64 / spec.dispersion).floor() as u64;
        let all_bad = (self.all_bad as f64 / spec.dispersion).ceil() as u64;
        if (bad as f64) < all_bad as f64 * share + 1.0 {
            return 1.0;
        }

        let floor_mean = spec
            .floor
            .map_or(0.0, |floor| floor * self.canary_requests as f64);
        binomial_tail(all_bad, share, bad).max(poisson_tail(floor_mean, bad))
    }
}

/// `P[Bin(trials, chance) ≥ at_least]` for `at_least ≥ 1`.
fn binomial_tail(trials: u64, chance: f64, at_least: u64) -> f64 {
    let binomial = Binomial::new(chance, trials).expect("the chance is a clamped share");
    binomial.sf(at_least - 1)
}

/// `P[Poisson(mean) ≥ at_least]` for `at_least ≥ 1`; 0 where there is no floor.
fn poisson_tail(mean: f64, at_least: u64) -> f64 {
    Poisson::new(mean).map_or(0.0, |poisson| poisson.sf(at_least - 1))
}

#[cfg(test)]
mod tests {
    use super::super::config::JudgeConfig;
    use super::*;

    fn totals(spec: &MetricSpec, canary: (u64, u64), baseline: (u64, u64)) -> FinalTestTotals {
        let mut totals = FinalTestTotals::default();
        totals.absorb(
            spec,
            &Counts {
                canary_requests: canary.0,
                canary_bad: canary.1,
                canary_bad_promote: canary.1,
                baseline_requests: baseline.0,
                baseline_bad: baseline.1,
            },
        );
        totals
    }

    #[test]
    fn the_tails_are_inclusive() {
        assert!((binomial_tail(10, 0.5, 10) - 0.5f64.powi(10)).abs() < 1e-12);
        assert!((binomial_tail(10, 0.5, 1) - (1.0 - 0.5f64.powi(10))).abs() < 1e-12);
        assert!((poisson_tail(2.0, 1) - (1.0 - (-2.0f64).exp())).abs() < 1e-12);
        assert_eq!(poisson_tail(0.0, 1), 0.0);
    }

    #[test]
    fn the_larger_tail_decides() {
        // 8 or more of 10 bad events at the tolerated share 1.1/2.1, summed with Python's
        // math.comb; the Poisson tail of mean 0.1 is far smaller.
        let spec = &JudgeConfig::default().metrics(&[])[0];
        let p = totals(spec, (1000, 8), (1000, 2)).p_value(spec);
        assert!((p - 0.073_522_536_510).abs() < 1e-9, "{p}");
    }

    #[test]
    fn no_excess_of_a_whole_event_is_no_finding() {
        let spec = &JudgeConfig::default().metrics(&[])[0];
        assert_eq!(totals(spec, (1000, 5), (1000, 5)).p_value(spec), 1.0);
        assert_eq!(totals(spec, (1000, 0), (1000, 0)).p_value(spec), 1.0);
    }

    #[test]
    fn overdispersed_events_count_for_less() {
        let mut spec = JudgeConfig::default().metrics(&[])[0].clone();
        let single = totals(&spec, (1000, 30), (1000, 5)).p_value(&spec);
        spec.dispersion = 3.0;

        let overdispersed = totals(&spec, (1000, 30), (1000, 5)).p_value(&spec);
        assert!(
            single < 1e-4 && overdispersed > 0.01,
            "{single} {overdispersed}"
        );
    }

    /// Expected numbers come from the plain implementation of the tests, which sums the tails term
    /// by term.
    #[test]
    fn the_final_test_depends_on_tolerance_floor_and_dispersion() {
        let p = |tolerance: f64,
                 floor: Option<f64>,
                 dispersion: f64,
                 canary: (u64, u64),
                 baseline: (u64, u64)| {
            let errors = JudgeConfig::default().metrics(&[]).remove(0);
            let spec = MetricSpec {
                tolerance,
                floor,
                dispersion,
                ..errors
            };
            totals(&spec, canary, baseline).p_value(&spec)
        };
        let cases = [
            (
                p(1.1, Some(1e-4), 1.0, (1_000, 12), (9_000, 30)),
                0.001_330_807_040_492_857,
            ),
            (
                p(1.1, Some(1e-4), 3.0, (1_000, 12), (9_000, 30)),
                0.057_625_977_953_414_6,
            ),
            (
                p(1.1, Some(6e-3), 1.0, (1_000, 12), (9_000, 30)),
                0.020_091_963_539_445,
            ),
            (p(1.0, None, 1.0, (1_000, 6), (1_000, 3)), 0.253_906_25),
            // 5 of 8 exceed the expected 4 by a whole event, 4 of 6 and 3 of 4 the expected 3 and 2
            // as well.
            (p(1.0, None, 1.0, (1_000, 5), (1_000, 3)), 0.363_281_25),
            (p(1.0, None, 1.0, (1_000, 4), (1_000, 2)), 0.343_75),
            // 5 of 9 exceed 4.5 by half an event only, and the tail of 0.5 is not looked at.
            (p(1.0, None, 1.0, (1_000, 5), (1_000, 4)), 1.0),
        ];

        for (index, (found, expected)) in cases.into_iter().enumerate() {
            assert!(
                (found - expected).abs() < 1e-9,
                "{index}: {found} is not {expected}"
            );
        }
    }

    #[test]
    fn totals_add_up_over_minutes() {
        let spec = &JudgeConfig::default().metrics(&[])[0];
        let minute = |bad| Counts {
            canary_requests: 100,
            canary_bad: bad,
            canary_bad_promote: 0,
            baseline_requests: 900,
            baseline_bad: 2,
        };
        let mut totals = FinalTestTotals::default();
        [3, 0, 4]
            .into_iter()
            .for_each(|bad| totals.absorb(spec, &minute(bad)));

        let share = 110.0 / 1_010.0;
        assert_eq!(
            (totals.canary_requests, totals.canary_bad(), totals.all_bad),
            (300, 7, 13)
        );
        assert!((totals.expected_canary_bad - 13.0 * share).abs() < 1e-12);
    }

    #[test]
    fn a_part_of_an_event_of_the_canary_does_not_count_and_a_part_of_all_does() {
        let mut spec = JudgeConfig::default().metrics(&[])[0].clone();
        spec.dispersion = 4.0;
        // A quarter of 30 counts as 7 and a quarter of 35 as 9: 7 or more of 9 at the tolerated
        // share 1.1/2.1, summed with Python's math.comb.
        let p = totals(&spec, (1000, 30), (1000, 5)).p_value(&spec);
        assert!((p - 0.115_581_479_071).abs() < 1e-9, "{p}");
    }
}
