//! The verdict, with the numbers it rests on and its reason in words.
//!
//! A rollback that cannot be checked by hand is not believed, so the sentence carries the
//! arithmetic: both rates, both request counts, the ratio, the limit and the certainty.

use std::fmt::{self, Display, Formatter};

use super::clean::Counts;
use super::metric::MetricSpec;

/// What to do with the canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Look again in a minute.
    Continue,
    /// It is shown to be no worse than the bound.
    Promote,
    /// It is worse than tolerated.
    Rollback,
    /// The bake is over and neither was shown. Not an error: configuration says what follows.
    Inconclusive,
}

impl Decision {
    /// The word of the offline contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Continue => "continue",
            Self::Promote => "promote",
            Self::Rollback => "rollback",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// What a decision rests on.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// Nothing is settled yet.
    Unsettled,
    /// The family's evidence of harm reached 1/α; this metric has the largest part in it.
    Harm {
        /// Its name.
        metric: String,
        /// The minute of the look at which the evidence was highest.
        minute: u32,
    },
    /// The final exam found this metric worse.
    Exam {
        /// Its name.
        metric: String,
        /// Its p-value.
        p: f64,
        /// The share `w·α_exam` that p had to reach.
        limit: f64,
    },
    /// Every promoting metric is shown to be no worse than its bound.
    NonInferior,
    /// The bake is over.
    EndOfBake,
}

/// The outcome of one look.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The minute of the look, from 1.
    pub minute: u32,
    /// What to do.
    pub decision: Decision,
    /// Why.
    pub reason: Reason,
    /// ln of the family's evidence of harm now.
    pub log_e: f64,
    /// ln of the highest such evidence at which a rollback was allowed, if there was any.
    pub highest_log_e: Option<f64>,
    /// ln of 1/α, which it has to reach for a rollback.
    pub log_e_limit: f64,
    /// ln of the least evidence of health.
    pub log_e_promote: f64,
    /// ln of 1/α_p, which that has to reach for a promotion.
    pub log_e_promote_limit: f64,
    /// The metric with the least evidence of health, which holds up a promotion.
    pub weakest: String,
    /// Minutes that every promoting metric could use.
    pub usable_minutes: u32,
    /// The numbers of the metric that decided, or that looks worst.
    pub comparison: Comparison,
}

impl Verdict {
    /// The reason as a word of the offline contract; `None` while it continues.
    pub fn why(&self) -> Option<String> {
        match &self.reason {
            Reason::Unsettled => None,
            Reason::Harm { metric, .. } => Some(metric.clone()),
            Reason::Exam { metric, .. } => Some(format!("exam:{metric}")),
            Reason::NonInferior => Some("non-inferior".to_owned()),
            Reason::EndOfBake => Some("end of bake".to_owned()),
        }
    }
}

impl Display for Verdict {
    /// Such as `5xx 1.02% vs 0.10% of 6,012 and 54,110 requests: 10.1x, limit 1.1x; certain at
    /// 1 in 200 after 3 min`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}; ", self.comparison)?;
        let harm = odds(self.log_e, self.log_e_limit);
        let health = odds(self.log_e_promote, self.log_e_promote_limit);
        match &self.reason {
            Reason::Harm { minute, .. } => {
                return write!(
                    f,
                    "certain at 1 in {:.0} after {minute} min",
                    self.log_e_limit.exp()
                );
            }
            Reason::Exam { p, limit, .. } => {
                write!(f, "final exam p = {p:.2e}, limit {limit:.2e}")?
            }
            Reason::NonInferior => write!(f, "no worse than the bound, evidence {health}")?,
            Reason::Unsettled => write!(f, "evidence of harm {harm}, of health {health}")?,
            Reason::EndOfBake => write!(
                f,
                "neither shown at the end of the bake, evidence of harm {harm}, of health {health} (least: {})",
                self.weakest
            )?,
        }
        write!(f, " after {} min", self.minute)
    }
}

/// Evidence beside its limit, such as `2.8 of 200`.
fn odds(log_e: f64, limit: f64) -> String {
    // Beyond a million the digits carry nothing, and e^x would overflow.
    let evidence = if log_e > 1e6f64.ln() {
        "over 1,000,000".to_owned()
    } else {
        significant(log_e.exp())
    };
    format!("{evidence} of {:.0}", limit.exp())
}

/// The totals of a metric on both sides, for people.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The name of the metric in sentences.
    pub label: String,
    /// Ratio of rates that is tolerated.
    pub tolerance: f64,
    /// Rate below which nothing is harm.
    pub floor: Option<f64>,
    /// Requests and bad ones among them.
    pub canary: (u64, u64),
    /// Requests and bad ones among them.
    pub baseline: (u64, u64),
    /// Clumping φ of bad events, by which evidence is divided.
    pub dispersion: f64,
    weighted: (f64, f64),
}

impl Comparison {
    pub(super) fn new(spec: &MetricSpec) -> Self {
        Self {
            label: spec.label.clone(),
            tolerance: spec.tolerance,
            floor: spec.floor,
            dispersion: spec.dispersion,
            canary: (0, 0),
            baseline: (0, 0),
            weighted: (0.0, 0.0),
        }
    }

    pub(super) fn absorb(&mut self, counts: &Counts) {
        let (canary, baseline) = (
            counts.canary_requests as f64,
            counts.baseline_requests as f64,
        );
        self.canary = (
            self.canary.0 + counts.canary_requests,
            self.canary.1 + counts.canary_bad,
        );
        self.baseline = (
            self.baseline.0 + counts.baseline_requests,
            self.baseline.1 + counts.baseline_bad,
        );
        self.weighted.0 += counts.canary_bad as f64 * baseline / (canary + baseline);
        self.weighted.1 += counts.baseline_bad as f64 * canary / (canary + baseline);
    }

    /// The ratio of canary to baseline rate by Mantel and Haenszel (1959), minute by minute, so that
    /// a weight change amid an incident does not pass for a difference. `None` without bad events
    /// in the baseline.
    pub fn ratio(&self) -> Option<f64> {
        (self.baseline.1 > 0).then(|| self.weighted.0 / self.weighted.1)
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (canary, baseline) = (percent(self.canary), percent(self.baseline));
        let requests = (thousands(self.canary.0), thousands(self.baseline.0));
        write!(
            f,
            "{} {canary} vs {baseline} of {} and {} requests: ",
            self.label, requests.0, requests.1
        )?;
        match (self.ratio(), self.floor) {
            (Some(ratio), _) => write!(f, "{}x, limit {}x", significant(ratio), self.tolerance),
            (None, _) if self.canary.1 == 0 => write!(f, "none on either side"),
            (None, Some(floor)) => write!(
                f,
                "none in the baseline, limit {}%",
                significant(floor * 100.0)
            ),
            (None, None) => write!(f, "none in the baseline, limit {}x", self.tolerance),
        }?;
        if self.dispersion > 1.0 {
            write!(f, ", in clumps of {}", significant(self.dispersion))
        } else {
            Ok(())
        }
    }
}

fn percent((requests, bad): (u64, u64)) -> String {
    match (requests, bad) {
        (0, _) => "nothing".to_owned(),
        (_, 0) => "0%".to_owned(),
        (requests, bad) => {
            let percent = bad as f64 / requests as f64 * 100.0;
            if percent < 0.01 {
                format!("{percent:.1e}%")
            } else {
                format!("{percent:.2}%")
            }
        }
    }
}

/// A number with as many decimals as it deserves.
fn significant(number: f64) -> String {
    match number {
        n if n >= 100.0 => format!("{n:.0}"),
        n if n >= 1.0 => format!("{n:.1}"),
        n => format!("{n:.2}"),
    }
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let groups = digits.as_bytes()[first..]
        .chunks(3)
        .map(|chunk| String::from_utf8_lossy(chunk).into_owned());
    let head = (first > 0).then(|| digits[..first].to_owned());
    head.into_iter().chain(groups).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests;
