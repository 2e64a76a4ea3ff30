//! Adds up what a metric counted on both sides, and compares it in one sentence.
//!
//! No verdict rests on it: evidence is gathered minute by minute.

use std::fmt::{self, Display, Formatter};

use super::clean::Counts;
use super::numbers::{rate, significant, thousands};
use super::spec::MetricSpec;
use super::tally::{Tally, Totals};

/// The totals of a metric on both sides.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The name of the metric in sentences.
    pub label: String,
    /// Ratio of rates that is tolerated.
    pub tolerance: f64,
    /// Rate below which nothing is harm.
    pub floor: Option<f64>,
    /// Overdispersion φ of bad events, by which evidence is divided.
    pub dispersion: f64,
    /// What both sides counted.
    pub totals: Totals,
}

impl Comparison {
    pub(super) fn new(spec: &MetricSpec) -> Self {
        Self {
            label: spec.label.clone(),
            tolerance: spec.tolerance,
            floor: spec.floor,
            dispersion: spec.dispersion,
            totals: Totals::default(),
        }
    }

    pub(super) fn absorb(&mut self, counts: &Counts) {
        let canary = Tally {
            requests: counts.canary_requests,
            bad: counts.canary_bad,
        };
        let baseline = Tally {
            requests: counts.baseline_requests,
            bad: counts.baseline_bad,
        };
        self.totals.absorb(canary, baseline);
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Totals {
            canary, baseline, ..
        } = self.totals;
        write!(
            f,
            "{} {} vs {} of {} and {} requests: ",
            self.label,
            rate(canary),
            rate(baseline),
            thousands(canary.requests),
            thousands(baseline.requests),
        )?;

        match (self.totals.ratio(), self.floor) {
            (Some(ratio), _) => write!(f, "{}x, limit {}x", significant(ratio), self.tolerance),
            (None, _) if canary.bad == 0 => write!(f, "none on either side"),
            (None, Some(floor)) => {
                let limit = significant(floor * 100.0);
                write!(f, "none in the baseline, limit {limit}%")
            }
            (None, None) => write!(f, "none in the baseline, limit {}x", self.tolerance),
        }?;

        if self.dispersion > 1.0 {
            write!(f, ", overdispersion {}", significant(self.dispersion))
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
