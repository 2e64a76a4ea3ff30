//! Keeps what one metric has shown so far.

use super::counts::Counts;
use super::final_test::FinalTest;
use super::harm::Harm;
use super::health::Health;
use super::metric::MetricSpec;
use super::verdict::Shown;
use crate::judge::tally::{Tally, Totals};

/// Evidence by minutes that the final test requires, so that no single minute decides there.
const MINUTES_BET: f64 = 10.0;

/// One metric while it is judged.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tracked {
    pub(super) spec: MetricSpec,
    pub(super) one_by_one: bool,
    /// Overdispersion of the hour before.
    prior_phi: f64,
    harm: Harm,
    health: Health,
    final_test: FinalTest,
    pub(super) totals: Totals,
}

impl Tracked {
    pub(super) fn new(spec: MetricSpec, one_by_one: bool, prior_phi: f64, alpha: f64) -> Self {
        Self {
            harm: Harm::new(&spec, one_by_one, alpha),
            health: Health::default(),
            final_test: FinalTest::default(),
            totals: Totals::default(),
            spec,
            one_by_one,
            prior_phi,
        }
    }

    pub(super) fn absorb(&mut self, counts: &Counts) {
        self.harm.absorb(&self.spec, counts);
        self.health.absorb(&self.spec.promotion, counts);
        self.final_test.absorb(&self.spec, counts);
        let canary = Tally::new(counts.canary_requests, counts.canary_bad);
        let baseline = Tally::new(counts.baseline_requests, counts.baseline_bad);
        self.totals.absorb(canary, baseline);
    }

    /// ln of the metric's part `w·E` of the family's evidence of harm.
    pub(super) fn log_weighted_harm(&self) -> f64 {
        self.spec.weight.ln() + self.harm.log_evidence()
    }

    /// The overdispersion by which evidence of health is divided now.
    pub(super) fn phi(&self) -> f64 {
        self.health.dispersion(&self.spec, self.prior_phi)
    }

    /// ln of the evidence of health now.
    pub(super) fn log_health(&self) -> f64 {
        self.health.log_evidence(&self.spec, self.phi())
    }

    /// What it has shown so far.
    pub(super) fn shown(&self) -> Shown {
        Shown {
            spec: self.spec,
            totals: self.totals,
            log_weighted_harm: self.log_weighted_harm(),
            log_health: self.log_health(),
            phi: self.phi(),
            one_by_one: self.one_by_one,
        }
    }

    /// Bad canary events so far.
    pub(super) fn canary_bad(&self) -> u64 {
        self.final_test.canary_bad()
    }

    /// The p-value of the final test; `None` where it is not for this metric.
    pub(super) fn final_p_value(&self, min_bad: u64) -> Option<f64> {
        let is_tested = self.one_by_one
            && self.canary_bad() >= min_bad
            && self.harm.log_by_minutes() >= MINUTES_BET.ln();
        is_tested.then(|| self.final_test.p_value(&self.spec))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::canary::config::JudgeConfig;
    use crate::judge::canary::metric::Families;

    #[test]
    fn the_final_test_is_for_enough_events_that_come_one_by_one_in_enough_minutes() {
        let minute = Counts {
            canary_requests: 1_000,
            canary_bad: 20,
            canary_bad_to_promote: 20,
            baseline_requests: 9_000,
            baseline_bad: 10,
        };
        let p_value = |one_by_one, minutes: u32, min_bad| {
            let spec = Families::new(&JudgeConfig::default(), 3, &[]).judged[0];
            let mut tracked = Tracked::new(spec, one_by_one, 1.0, 0.005);
            for _ in 0..minutes {
                tracked.absorb(&minute);
            }
            tracked.final_p_value(min_bad)
        };

        // 60 bad events, where 9.8 are expected.
        assert!(p_value(true, 3, 60).is_some_and(|p| p < 1e-9));
        assert_eq!(p_value(false, 3, 60), None, "they come in groups");
        assert_eq!(p_value(true, 3, 61), None, "too few events");
        assert_eq!(p_value(true, 2, 40), None, "too few minutes");
    }
}
