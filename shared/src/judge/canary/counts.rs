//! What is counted of both sides in a minute, before and after it is judged.
//!
//! A leaf: it knows no metric and no rule. The short names are those of stored judgements, which
//! are those of scenarios.

use serde::{Deserialize, Serialize};

use super::answers::Answers;

/// What CloudWatch has of one side in one minute. `None`: there is no point, or it is not final.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counters {
    /// RequestCount.
    #[serde(rename = "n")]
    pub requests: Option<u64>,
    /// Answers 2XX and 3XX.
    #[serde(rename = "ok")]
    pub good: Option<u64>,
    /// Answers 4XX.
    #[serde(rename = "r4")]
    pub client_errors: Option<u64>,
    /// Answers 5XX of targets.
    #[serde(rename = "r5")]
    pub server_errors: Option<u64>,
    /// TargetConnectionErrorCount.
    pub refused: Option<u64>,
    /// Response times (SampleCount of TargetResponseTime).
    pub timed: Option<u64>,
    /// Response times above each threshold; of the canary above 1.1 times each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slow: Vec<Option<u64>>,
    /// Of the canary, response times above 1.25 times each threshold. Empty for the baseline.
    #[serde(rename = "slow_p", default, skip_serializing_if = "Vec::is_empty")]
    pub slow_to_promote: Vec<Option<u64>>,
    /// Each count of a user's own: what is counted as bad, and the total it is counted among.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own: Vec<OwnCounter>,
    /// One value for each series of values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Option<f64>>,
}

/// A count of a user's own in one minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnCounter {
    #[serde(rename = "n")]
    pub total: Option<u64>,
    #[serde(rename = "bad")]
    pub bad: Option<u64>,
}

impl Counters {
    /// What became of the requests; a counter without a point is 0 beside them.
    pub fn answers(&self) -> Option<Answers> {
        Some(Answers {
            requests: self.requests?,
            good: self.good.unwrap_or(0),
            client_errors: self.client_errors.unwrap_or(0),
            server_errors: self.server_errors.unwrap_or(0),
            refused: self.refused.unwrap_or(0),
        })
    }

    /// Whether there are requests and no other counter at all. Slow requests are counted among
    /// response times, so their counts add nothing.
    pub(in crate::judge) fn is_silent(&self) -> bool {
        let others = [
            self.good,
            self.client_errors,
            self.server_errors,
            self.refused,
            self.timed,
        ];
        self.requests.is_some_and(|requests| requests > 0) && others.iter().all(Option::is_none)
    }
}

/// Both sides in one minute.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Minute {
    /// The new version.
    pub canary: Counters,
    /// The live version.
    pub baseline: Counters,
}

/// The counts of a metric in a minute that is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Requests to the canary, at least 1.
    pub canary_requests: u64,
    /// Bad ones among them.
    pub canary_bad: u64,
    /// Bad ones by the laxer measure that a promotion uses; for errors the same.
    pub canary_bad_to_promote: u64,
    /// Requests to the baseline, at least 1.
    pub baseline_requests: u64,
    /// Bad ones among them.
    pub baseline_bad: u64,
}

impl Counts {
    /// The chance `θ = τ·n_c/(τ·n_c + n_b)` that a bad event is the canary's, when its rate is τ
    /// times the baseline's. The common rate cancels.
    pub(super) fn canary_share(&self, tolerance: f64) -> f64 {
        share(
            self.canary_requests as f64,
            self.baseline_requests as f64,
            tolerance,
        )
    }

    /// Bad events of both sides.
    pub(super) fn all_bad(&self) -> u64 {
        self.canary_bad + self.baseline_bad
    }
}

/// The same from requests that need not be whole.
pub(super) fn share(canary: f64, baseline: f64, tolerance: f64) -> f64 {
    tolerance * canary / (tolerance * canary + baseline)
}
