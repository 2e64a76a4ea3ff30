//! Keeps what one metric has shown so far: its evidence, its totals and the minutes it skipped.
//!
//! Every metric consumes minutes in order and on its own, so a late error count does not hold up
//! the verdict on latency.

use super::clean::{CountError, Counts, MinuteState, Reading, classify_minute};
use super::comparison::Comparison;
use super::evidence::Harm;
use super::final_test::FinalTestTotals;
use super::noninferiority::NonInferiority;
use super::progress::MinuteRanges;
use super::spec::MetricSpec;

/// One metric while it is judged.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct JudgedMetric {
    pub(super) spec: MetricSpec,
    pub(super) skipped: MinuteRanges,
    pub(super) usable_minutes: u32,
    pub(super) final_test: FinalTestTotals,
    pub(super) comparison: Comparison,
    next_minute: u32,
    harm: Harm,
    health: Option<NonInferiority>,
}

impl JudgedMetric {
    pub(super) fn new(spec: MetricSpec, skipped: MinuteRanges) -> Self {
        Self {
            harm: Harm::new(&spec),
            health: spec.promotion.map(NonInferiority::new),
            comparison: Comparison::new(&spec),
            final_test: FinalTestTotals::default(),
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
                match classify_minute(&read(minute), self.health.is_some(), minute, now)? {
                    MinuteState::Waiting => return Ok(()),
                    MinuteState::Skipped => self.skipped.push(minute),
                    MinuteState::Usable(counts) => self.absorb(&counts),
                }
            }

            self.next_minute += 1;
        }

        Ok(())
    }

    fn absorb(&mut self, counts: &Counts) {
        self.usable_minutes += 1;
        self.harm.absorb(&self.spec, counts);
        self.final_test.absorb(&self.spec, counts);
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
