//! Keeps what one metric has shown so far: its evidence, its totals and the minutes it skipped.
//!
//! Every metric consumes minutes in order and on its own, so a late error count does not hold up
//! the verdict on latency.

use super::clean::{CountError, Counts, Reading, Settled, settle};
use super::evidence::Harm;
use super::final_test::ExamTotals;
use super::noninferiority::NonInferiority;
use super::progress::MinuteRanges;
use super::strict::FieldError;
use super::verdict::Comparison;

/// What a metric must show before a promotion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Promotion {
    /// Ratio of canary to baseline rate that is ruled out.
    pub tolerance: f64,
    /// Absolute rate whose exclusion will do instead.
    pub floor: Option<f64>,
}

/// How a metric is judged.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricSpec {
    /// The name in verdicts and progress, unique within a judge.
    pub name: String,
    /// The name in sentences.
    pub label: String,
    /// Share w of the error rate α; all weights together are at most 1.
    pub weight: f64,
    /// Ratio τ of canary to baseline rate that is tolerated.
    pub tolerance: f64,
    /// Rate ε below which nothing is harm.
    pub floor: Option<f64>,
    /// Clumping φ ≥ 1 of bad events.
    pub dispersion: f64,
    /// What it must show for a promotion, if it takes part.
    pub promotion: Option<Promotion>,
}

impl MetricSpec {
    /// Refuses numbers that no evidence can be weighed by.
    pub(super) fn check(&self) -> Result<(), FieldError> {
        let share = |floor: Option<f64>| floor.is_none_or(|floor| (0.0..=1.0).contains(&floor));
        let ratio = |tolerance: f64| tolerance.is_finite() && tolerance > 0.0;
        let promotion = self.promotion;
        let checks = [
            (
                "weight",
                self.weight > 0.0 && self.weight <= 1.0,
                self.weight,
                "above 0, at most 1",
            ),
            (
                "tolerance",
                ratio(self.tolerance),
                self.tolerance,
                "a ratio above 0",
            ),
            (
                "dispersion",
                self.dispersion >= 1.0 && self.dispersion.is_finite(),
                self.dispersion,
                "1 or more",
            ),
            (
                "floor",
                share(self.floor),
                self.floor.unwrap_or(0.0),
                "0 to 1",
            ),
            (
                "promotion.tolerance",
                promotion.is_none_or(|p| ratio(p.tolerance)),
                promotion.map_or(1.0, |p| p.tolerance),
                "a ratio above 0",
            ),
            (
                "promotion.floor",
                promotion.is_none_or(|p| share(p.floor)),
                promotion.and_then(|p| p.floor).unwrap_or(0.0),
                "0 to 1",
            ),
        ];
        match checks.into_iter().find(|(_, fits, ..)| !fits) {
            Some((field, _, found, legal)) => Err(FieldError {
                field: format!("{}.{field}", self.name),
                found: found.to_string(),
                legal: legal.to_owned(),
            }),
            None => Ok(()),
        }
    }
}

/// One metric while it is judged.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Metric {
    pub(super) spec: MetricSpec,
    pub(super) skipped: MinuteRanges,
    pub(super) usable_minutes: u32,
    pub(super) exam: ExamTotals,
    pub(super) comparison: Comparison,
    next_minute: u32,
    harm: Harm,
    health: Option<NonInferiority>,
}

impl Metric {
    pub(super) fn new(spec: MetricSpec, skipped: MinuteRanges) -> Self {
        Self {
            harm: Harm::new(&spec),
            health: spec.promotion.map(NonInferiority::new),
            comparison: Comparison::new(&spec),
            exam: ExamTotals::default(),
            usable_minutes: 0,
            next_minute: 1,
            skipped,
            spec,
        }
    }

    /// Consumes minutes in order up to `last`, as far as none has to be waited for in minute `now`.
    pub(super) fn consume(
        &mut self,
        last: u32,
        now: u32,
        read: impl Fn(u32) -> Reading,
    ) -> Result<(), CountError> {
        while self.next_minute <= last {
            let minute = self.next_minute;
            if !self.skipped.contains(minute) {
                match settle(&read(minute), self.health.is_some(), minute, now)? {
                    Settled::Waiting => return Ok(()),
                    Settled::Skipped => self.skipped.push(minute),
                    Settled::Usable(counts) => self.absorb(&counts),
                }
            }
            self.next_minute += 1;
        }
        Ok(())
    }

    /// Leaves out a minute that was not consumed yet.
    pub(super) fn skip(&mut self, minute: u32) {
        if !self.skipped.contains(minute) {
            self.skipped.push(minute);
        }
    }

    fn absorb(&mut self, counts: &Counts) {
        self.usable_minutes += 1;
        self.harm.absorb(&self.spec, counts);
        self.exam.absorb(&self.spec, counts);
        self.comparison.absorb(counts);
        if let Some(health) = &mut self.health {
            health.absorb(&self.spec, counts);
        }
    }

    /// ln of the metric's part `w·E` of the family's evidence of harm.
    pub(super) fn log_weighted_harm(&self) -> f64 {
        self.spec.weight.ln() + self.harm.log_evidence()
    }

    /// ln of the evidence of health, for a metric that takes part in promotion.
    pub(super) fn log_health(&self) -> Option<f64> {
        self.health.as_ref().map(NonInferiority::log_evidence)
    }
}

#[cfg(test)]
mod tests {
    use super::super::clean::Side;
    use super::*;

    fn spec() -> MetricSpec {
        MetricSpec {
            name: "errors".to_owned(),
            label: "5xx".to_owned(),
            weight: 0.5,
            tolerance: 1.1,
            floor: Some(1e-4),
            dispersion: 1.0,
            promotion: Some(Promotion {
                tolerance: 2.0,
                floor: Some(1e-3),
            }),
        }
    }

    fn reading(bad: Option<u64>) -> Reading {
        Reading {
            canary: Side {
                requests: Some(10),
                bad,
            },
            baseline: Side {
                requests: Some(90),
                bad: Some(0),
            },
            canary_bad_promote: Some(0),
        }
    }

    #[test]
    fn numbers_that_no_evidence_can_be_weighed_by_are_refused() {
        let checked = |change: &dyn Fn(&mut MetricSpec)| {
            let mut spec = spec();
            change(&mut spec);
            spec.check()
                .map_err(|error| error.to_string())
                .err()
                .unwrap_or_default()
        };
        let promotion = |tolerance, floor| {
            move |spec: &mut MetricSpec| spec.promotion = Some(Promotion { tolerance, floor })
        };
        type Spoil<'a> = &'a dyn Fn(&mut MetricSpec);
        let refused: [(Spoil, &str); 14] = [
            (
                &|spec| spec.weight = 0.0,
                "errors.weight: found 0; legal: above 0, at most 1",
            ),
            (
                &|spec| spec.weight = 1.01,
                "errors.weight: found 1.01; legal: above 0, at most 1",
            ),
            (
                &|spec| spec.weight = f64::NAN,
                "errors.weight: found NaN; legal: above 0, at most 1",
            ),
            (
                &|spec| spec.tolerance = 0.0,
                "errors.tolerance: found 0; legal: a ratio above 0",
            ),
            (
                &|spec| spec.tolerance = f64::INFINITY,
                "errors.tolerance: found inf; legal: a ratio above 0",
            ),
            (
                &|spec| spec.dispersion = 0.99,
                "errors.dispersion: found 0.99; legal: 1 or more",
            ),
            (
                &|spec| spec.dispersion = f64::INFINITY,
                "errors.dispersion: found inf; legal: 1 or more",
            ),
            (
                &|spec| spec.floor = Some(-0.01),
                "errors.floor: found -0.01; legal: 0 to 1",
            ),
            (
                &|spec| spec.floor = Some(1.01),
                "errors.floor: found 1.01; legal: 0 to 1",
            ),
            (
                &promotion(0.0, None),
                "errors.promotion.tolerance: found 0; legal: a ratio above 0",
            ),
            (
                &promotion(f64::NAN, None),
                "errors.promotion.tolerance: found NaN; legal: a ratio above 0",
            ),
            (
                &promotion(2.0, Some(1.5)),
                "errors.promotion.floor: found 1.5; legal: 0 to 1",
            ),
            (
                &promotion(2.0, Some(-1.0)),
                "errors.promotion.floor: found -1; legal: 0 to 1",
            ),
            (
                &promotion(-2.0, Some(2.0)),
                "errors.promotion.tolerance: found -2; legal: a ratio above 0",
            ),
        ];
        for (change, expected) in refused {
            assert_eq!(checked(change), expected);
        }
        let taken: [&dyn Fn(&mut MetricSpec); 5] = [
            &|_| (),
            &|spec| (spec.weight, spec.dispersion) = (1.0, 1.0),
            &|spec| (spec.floor, spec.promotion) = (None, None),
            &|spec| spec.floor = Some(0.0),
            &promotion(0.5, Some(1.0)),
        ];
        for change in taken {
            assert_eq!(checked(change), "");
        }
    }

    #[test]
    fn minutes_are_consumed_in_order_up_to_the_first_that_may_still_arrive() {
        let mut metric = Metric::new(spec(), MinuteRanges::default());
        let late = |minute: u32| reading(if minute == 2 { None } else { Some(0) });
        metric.consume(4, 4, late).unwrap();
        assert_eq!(
            (metric.usable_minutes, metric.comparison.canary),
            (1, (10, 0))
        );
        assert!(metric.skipped.is_empty(), "minute 2 may still arrive");
        metric.consume(5, 5, late).unwrap();
        assert_eq!(
            (metric.usable_minutes, metric.comparison.canary),
            (4, (40, 0))
        );
        assert!(
            metric.skipped.contains(2)
                && !metric.skipped.contains(1)
                && !metric.skipped.contains(3)
        );
        // Each minute counts once, however often it is looked at, and minute 2 comes too late.
        metric.consume(5, 5, |_| reading(Some(10))).unwrap();
        assert_eq!(
            (metric.usable_minutes, metric.comparison.canary),
            (4, (40, 0))
        );
    }

    #[test]
    fn a_skipped_minute_is_not_read() {
        let mut metric = Metric::new(spec(), serde_json::from_str("[[1,2]]").unwrap());
        metric
            .consume(3, 9, |minute| {
                if minute == 3 {
                    reading(Some(1))
                } else {
                    reading(Some(10))
                }
            })
            .unwrap();
        assert_eq!(
            (
                metric.usable_minutes,
                metric.comparison.canary,
                metric.exam.canary_bad()
            ),
            (1, (10, 1), 1)
        );
    }

    #[test]
    fn a_metric_that_does_not_promote_needs_no_measure_for_it_and_has_no_health() {
        let mut metric = Metric::new(
            MetricSpec {
                promotion: None,
                ..spec()
            },
            MinuteRanges::default(),
        );
        metric
            .consume(1, 1, |_| Reading {
                canary_bad_promote: None,
                ..reading(Some(0))
            })
            .unwrap();
        assert_eq!((metric.usable_minutes, metric.log_health()), (1, None));
    }

    #[test]
    fn evidence_of_a_metric_counts_by_its_weight() {
        let metric = Metric::new(spec(), MinuteRanges::default());
        assert_eq!(metric.log_weighted_harm(), 0.5_f64.ln());
    }
}
