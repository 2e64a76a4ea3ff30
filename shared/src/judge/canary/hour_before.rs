//! What is fixed before the bake: which requests are bad, and how the live version's bad events
//! behave.

use serde::{Deserialize, Serialize};

use super::answers::BadRule;
use super::config::JudgeConfig;
use super::metric::{Metric, MetricSpec};

/// What the hour before showed of one metric.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Overdispersion by zones or by pairs of minutes, the larger of both.
    pub phi: f64,
    /// Whether bad events came one by one.
    pub one_by_one: bool,
    /// Bad events per request.
    pub rate: f64,
    /// The same by the measure for promotion.
    pub rate_to_promote: f64,
}

impl Measured {
    /// What is known without data: nothing.
    pub const UNKNOWN: Self = Self {
        phi: 1.0,
        one_by_one: false,
        rate: 0.0,
        rate_to_promote: 0.0,
    };
}

/// What the hour before the bake showed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HourBefore {
    pub rule: BadRule,
    /// Requests to both sides together; `None` without an hour.
    pub requests_a_minute: Option<f64>,
    pub errors: Measured,
    pub client_errors: Measured,
    /// One for each threshold.
    pub latency: Vec<Measured>,
}

impl HourBefore {
    /// The hour of a version without traffic before the bake.
    pub fn unknown(thresholds: usize) -> Self {
        Self {
            rule: BadRule::Failures,
            requests_a_minute: None,
            errors: Measured::UNKNOWN,
            client_errors: Measured::UNKNOWN,
            latency: vec![Measured::UNKNOWN; thresholds],
        }
    }

    /// What is known of a metric.
    pub fn of(&self, metric: Metric) -> Measured {
        match metric {
            Metric::Errors => self.errors,
            Metric::ClientErrors => self.client_errors,
            Metric::Latency(threshold) => self
                .latency
                .get(threshold)
                .copied()
                .unwrap_or(Measured::UNKNOWN),
            Metric::Own(_) => Measured::UNKNOWN,
        }
    }

    /// The overdispersion for a promotion, before anything of the bake is known. What the settings
    /// state has priority.
    pub fn phi(&self, spec: &MetricSpec) -> f64 {
        spec.stated_dispersion
            .map_or(self.of(spec.metric).phi, |stated| stated.max(1.0))
    }

    /// Whether bad events of this metric come one by one. Sessions that stick never do.
    pub fn is_one_by_one(&self, config: &JudgeConfig, spec: &MetricSpec) -> bool {
        let stated = spec.stated_dispersion.map(|stated| stated <= 1.0);
        !config.sticky && stated.unwrap_or(self.of(spec.metric).one_by_one)
    }
}
