//! Weighs evidence of harm so that it may be looked at after every minute.
//!
//! Each mixture below is an e-process: its expected value is at most 1 at any time while the
//! canary is within tolerance, so by Ville's inequality it ever reaches 1/α with a chance of at
//! most α. Sources: Lindon and Malek, "Anytime-Valid Inference for Multinomial Count Data"
//! (NeurIPS 2022, arXiv 2011.03567); Lindon, Sanden and Shirikian, "Rapid Regression Detection in
//! Software Deployments through Sequential Testing" (KDD 2022, arXiv 2205.14762).

use super::clean::Counts;
use super::logs::log_sum_exp;
use super::spec::MetricSpec;

/// The ratios of harm, canary to tolerated, that evidence is weighed for, with equal weight.
const HARM_RATIOS: [f64; 11] = [1.2, 1.4, 1.7, 2.0, 2.5, 3.5, 5.0, 8.0, 15.0, 40.0, 200.0];

/// Belief beforehand that a regression is there from the first minute, as most are.
const PRIOR_FIRST: f64 = 0.8;
/// The rest, spread over later minutes s as `PRIOR_LATER / (s(s−1))`, which sums to it.
const PRIOR_LATER: f64 = 1.0 - PRIOR_FIRST;

/// A mixture over the harm ratio and over the minute in which the regression began.
///
/// `S_r ← (S_r + π_t)·e^{l_r}` in logs, so a minute costs the same however long the bake is.
#[derive(Debug, Clone, PartialEq)]
struct StartMixture {
    minutes: u32,
    log_sums: [f64; HARM_RATIOS.len()],
}

impl StartMixture {
    fn new() -> Self {
        Self {
            minutes: 0,
            log_sums: [f64::NEG_INFINITY; HARM_RATIOS.len()],
        }
    }

    /// Adds a usable minute, given `ln` of its likelihood ratio at each harm ratio.
    fn absorb(&mut self, increment: impl Fn(f64) -> f64) {
        self.minutes += 1;
        let minute = f64::from(self.minutes);
        let prior = if self.minutes == 1 {
            PRIOR_FIRST
        } else {
            PRIOR_LATER / (minute * (minute - 1.0))
        };

        for (log_sum, ratio) in self.log_sums.iter_mut().zip(HARM_RATIOS) {
            *log_sum = log_sum_exp([*log_sum, prior.ln()].into_iter()) + increment(ratio);
        }
    }

    /// ln E. The belief in a start that is still to come telescopes to `PRIOR_LATER / t`.
    fn log_evidence(&self) -> f64 {
        if self.minutes == 0 {
            return 0.0;
        }

        let later = (PRIOR_LATER / f64::from(self.minutes)).ln();
        let ratios = log_sum_exp(self.log_sums.iter().copied()) - (HARM_RATIOS.len() as f64).ln();
        log_sum_exp([later, ratios].into_iter())
    }
}

/// Evidence that a metric of the canary is worse than tolerated.
#[derive(Debug, Clone, PartialEq)]
pub struct Harm {
    ratio: StartMixture,
    floor: Option<StartMixture>,
}

impl Harm {
    /// No evidence either way; with a floor if the metric has one.
    pub fn new(spec: &MetricSpec) -> Self {
        Self {
            ratio: StartMixture::new(),
            floor: spec.floor.map(|_| StartMixture::new()),
        }
    }

    /// Adds a usable minute: ratio `x_c·ln r − m·ln(1 + (r−1)·θ)`, floor
    /// `x_c·ln r − (r−1)·n_c·ε`, each divided by the dispersion φ.
    pub(crate) fn absorb(&mut self, spec: &MetricSpec, counts: &Counts) {
        let bad = counts.canary_bad as f64;
        let all_bad = bad + counts.baseline_bad as f64;
        let share = counts.canary_share(spec.tolerance);
        self.ratio
            .absorb(|r| (bad * r.ln() - all_bad * ((r - 1.0) * share).ln_1p()) / spec.dispersion);

        if let (Some(mixture), Some(floor)) = (&mut self.floor, spec.floor) {
            let expected = counts.canary_requests as f64 * floor;
            mixture.absorb(|r| (bad * r.ln() - (r - 1.0) * expected) / spec.dispersion);
        }
    }

    /// ln of the smaller of the two: harm needs both a ratio and an absolute rate.
    pub(crate) fn log_evidence(&self) -> f64 {
        let floor = self
            .floor
            .as_ref()
            .map_or(f64::INFINITY, StartMixture::log_evidence);
        self.ratio.log_evidence().min(floor)
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::JudgeConfig;
    use super::*;

    fn counts(canary: (u64, u64), baseline: (u64, u64)) -> Counts {
        Counts {
            canary_requests: canary.0,
            canary_bad: canary.1,
            canary_bad_promote: canary.1,
            baseline_requests: baseline.0,
            baseline_bad: baseline.1,
        }
    }

    /// The mixture by its definition: a sum over every start minute.
    fn by_definition(minutes: &[Counts], spec: &MetricSpec) -> f64 {
        let count = minutes.len() as f64;
        let prior = |s: usize| {
            if s == 1 {
                0.8
            } else {
                0.2 / (s * (s - 1)) as f64
            }
        };

        let mut terms = vec![(0.2 / count).ln()];
        for r in HARM_RATIOS {
            for start in 1..=minutes.len() {
                let total: f64 = minutes[start - 1..]
                    .iter()
                    .map(|c| {
                        let m = (c.canary_bad + c.baseline_bad) as f64;
                        c.canary_bad as f64 * r.ln()
                            - m * (1.0 + (r - 1.0) * c.canary_share(spec.tolerance)).ln()
                    })
                    .sum();
                terms.push((prior(start) / 11.0).ln() + total);
            }
        }

        log_sum_exp(terms.into_iter())
    }

    #[test]
    fn the_recursion_equals_the_sum_over_all_start_minutes() {
        let spec = &JudgeConfig::default().metrics(&[150.0, 216.0, 404.0, 606.0])[1];
        let minutes: Vec<_> = (0..40)
            .map(|i| counts((60, i % 7), (540, 20 + i % 5)))
            .collect();
        let mut harm = Harm::new(spec);

        for (index, minute) in minutes.iter().enumerate() {
            harm.absorb(spec, minute);
            let expected = by_definition(&minutes[..=index], spec);
            assert!(
                (harm.log_evidence() - expected).abs() < 1e-9,
                "minute {}",
                index + 1
            );
        }
    }

    #[test]
    fn nothing_seen_is_no_evidence() {
        let spec = &JudgeConfig::default().metrics(&[])[0];
        assert_eq!(Harm::new(spec).log_evidence(), 0.0);
    }

    #[test]
    fn below_the_floor_a_ratio_alone_is_no_harm() {
        let spec = &JudgeConfig::default().metrics(&[])[0];
        let mut harm = Harm::new(spec);
        // 0.005 % is under the floor of 0.01 %, and fifty times the baseline.
        for _ in 0..30 {
            harm.absorb(spec, &counts((1_000_000, 50), (1_000_000, 1)));
        }

        assert!(harm.log_evidence() < 0.0);
        assert!(harm.ratio.log_evidence() > 100.0);
    }

    fn weighed(tolerance: f64, floor: Option<f64>, dispersion: f64, minutes: &[Counts]) -> f64 {
        let errors = JudgeConfig::default().metrics(&[]).remove(0);
        let spec = MetricSpec {
            tolerance,
            floor,
            dispersion,
            ..errors
        };
        let mut harm = Harm::new(&spec);
        minutes.iter().for_each(|minute| harm.absorb(&spec, minute));
        harm.log_evidence()
    }

    /// Expected numbers come from the plain implementation of the tests, which sums over all start
    /// minutes.
    #[test]
    fn evidence_of_harm_depends_on_tolerance_floor_and_dispersion() {
        let minute = [counts((1_000, 8), (9_000, 30))];
        let rare = [counts((1_000_000, 50), (1_000_000, 1))];
        let late = [
            counts((100, 1), (900, 9)),
            counts((100, 1), (900, 9)),
            counts((100, 1), (900, 9)),
            counts((100, 12), (900, 9)),
            counts((100, 12), (900, 9)),
        ];
        let cases = [
            (weighed(1.1, None, 1.0, &minute), 0.579_807_950_811_721_5),
            (weighed(1.0, None, 1.0, &minute), 0.893_842_388_534_838_6),
            (weighed(1.1, None, 4.0, &minute), -0.133_793_664_071_289_12),
            (
                weighed(1.1, Some(1e-4), 1.0, &rare),
                -1.609_431_091_552_968_6,
            ),
            (
                weighed(1.1, Some(1e-4), 2.0, &rare),
                -1.607_860_881_386_163_2,
            ),
            (weighed(1.1, None, 1.0, &late), 20.386_929_867_187_714),
        ];

        for (index, (found, expected)) in cases.into_iter().enumerate() {
            assert!(
                (found - expected).abs() < 1e-9,
                "{index}: {found} is not {expected}"
            );
        }
    }
}
