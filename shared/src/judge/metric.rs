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
mod tests;
