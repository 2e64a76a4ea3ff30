//! The verdict, with the numbers it rests on and its reason in words.
//!
//! A rollback that cannot be checked by hand is not trusted, so the sentence carries the
//! arithmetic: both rates, both request counts, the ratio, the limit and the certainty.

use std::fmt::{self, Display, Formatter};

use super::comparison::Comparison;
use super::numbers::{evidence_of, limit, p_value};

/// What to do with the canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Look again in a minute.
    Continue,
    /// It is shown to be no worse than the bound.
    Promote,
    /// It is worse than tolerated.
    Rollback,
    /// The bake is over and neither was shown. Not an error: the configuration decides what
    /// follows.
    Inconclusive,
}

impl Decision {
    /// The word of the offline contract.
    pub fn as_str(self) -> &'static str {
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
        metric: String,
        /// The minute of the look at which the evidence was highest.
        minute: u32,
    },
    /// The final test found this metric worse.
    FinalTest {
        metric: String,
        /// Its p-value.
        p: f64,
        /// The share `w·α_exam` that p had to be within.
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
    pub decision: Decision,
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
            Reason::FinalTest { metric, .. } => Some(format!("exam:{metric}")),
            Reason::NonInferior => Some("non-inferior".to_owned()),
            Reason::EndOfBake => Some("end of bake".to_owned()),
        }
    }
}

impl Display for Verdict {
    /// Such as `5xx 1.02% vs 0.10% of 6,012 and 54,110 requests: 10.1x, limit 1.1x; certain at
    /// 1 in 200 after 3 min`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let harm = evidence_of(self.log_e, self.log_e_limit);
        let health = evidence_of(self.log_e_promote, self.log_e_promote_limit);

        write!(f, "{}; ", self.comparison)?;
        match &self.reason {
            Reason::Harm { minute, .. } => {
                let limit = limit(self.log_e_limit);
                return write!(f, "certain at 1 in {limit} after {minute} min");
            }
            Reason::FinalTest { p, limit, .. } => write!(
                f,
                "final test p = {}, limit {}",
                p_value(*p),
                p_value(*limit)
            )?,
            Reason::NonInferior => write!(f, "no worse than the bound, evidence {health}")?,
            Reason::Unsettled => write!(f, "evidence of harm {harm}, of health {health}")?,
            Reason::EndOfBake => write!(
                f,
                "neither shown at the end of the bake, evidence of harm {harm}, of health \
                 {health} (least: {})",
                self.weakest
            )?,
        }
        write!(f, " after {} min", self.minute)
    }
}

#[cfg(test)]
mod tests;
