//! The outcome of a look, with the numbers it rests on.

use serde::{Deserialize, Serialize};

use super::metric::{Metric, MetricSpec};
use crate::judge::tally::Totals;

/// What to do with the canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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

/// What keeps a canary from being promoted, without being a reason to roll it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Objection {
    /// Latency that is only watched.
    Latency,
    /// The series of values of this name.
    Series(String),
}

impl Objection {
    /// Its name in the offline contract.
    pub fn name(&self) -> &str {
        match self {
            Self::Latency => "latency",
            Self::Series(name) => name,
        }
    }
}

/// What a decision rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    content = "of",
    rename_all = "kebab-case",
    deny_unknown_fields
)]
pub enum Reason {
    /// Nothing is settled yet.
    Unsettled,
    /// The family's evidence of harm reached 1/α.
    Harm(Peak),
    /// The final test found this metric worse.
    FinalTest {
        metric: Metric,
        p: f64,
        /// The share `w·α_exam` that p had to be within.
        limit: f64,
    },
    /// Every metric that a promotion requires is shown to be no worse than its bound.
    NonInferior,
    /// The bake is over.
    EndOfBake,
    /// The bake is over while something objects.
    Objected(Objection),
}

impl Reason {
    /// The metric that decided, if one did.
    pub fn metric(&self) -> Option<Metric> {
        match self {
            Self::Harm(peak) => Some(peak.metric),
            Self::FinalTest { metric, .. } => Some(*metric),
            Self::Unsettled | Self::NonInferior | Self::EndOfBake | Self::Objected(_) => None,
        }
    }

    /// The word of the offline contract; `None` while it continues.
    pub fn why(&self) -> Option<String> {
        match self {
            Self::Unsettled => None,
            Self::Harm(peak) => Some(peak.metric.to_string()),
            Self::FinalTest { metric, .. } => Some(format!("exam:{metric}")),
            Self::NonInferior => Some("non-inferior".to_owned()),
            Self::EndOfBake => Some("end of bake".to_owned()),
            Self::Objected(objection) => Some(format!("objection:{}", objection.name())),
        }
    }
}

/// The highest evidence of harm at a look that counted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peak {
    /// ln of the family's evidence E.
    pub log_e: f64,
    /// The metric with the largest part in it.
    pub metric: Metric,
    /// The minute that was taken in last.
    pub minute: u32,
}

/// What one metric has shown so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shown {
    pub spec: MetricSpec,
    pub totals: Totals,
    /// ln of its part in the evidence of harm.
    pub log_weighted_harm: f64,
    /// ln of its evidence of health.
    pub log_health: f64,
    /// The overdispersion by which that is divided.
    pub phi: f64,
    /// Whether the final test and the bound of 1 % for single events are for it.
    pub one_by_one: bool,
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
    /// The highest such evidence at which a rollback was allowed, if there was any.
    pub highest: Option<Peak>,
    /// ln of the least evidence of health of those that a promotion requires.
    pub log_e_promote: f64,
    /// The metric with that evidence.
    pub weakest: Metric,
    /// The metric that decided, or that looks worst.
    pub subject: Shown,
    /// Whether the share may be raised.
    pub clear: bool,
    /// What objects to a promotion now.
    pub objection: Option<Objection>,
    /// Minutes usable since the last configured raise of the share.
    pub usable_minutes: u32,
}
