//! The numbers a judgement depends on, with their defaults, read once and checked once.
//!
//! The error rates `alpha` and `alpha_exam` add up to the promise made to users: a canary within
//! tolerance is rolled back with a chance of at most 1 %, however often it is looked at.

use serde_json::Value;

use super::metric::{MetricSpec, Promotion};
use super::strict::{FieldError, Node};
use crate::limits::JUDGED_MINUTES;

/// Latency thresholds are baseline p75, p90, p99 and 1.5 times p99.
pub const LATENCY_THRESHOLDS: usize = 4;

/// A promotion must show p90 and p99 to be no worse; the others only warn.
const PROMOTING_THRESHOLDS: [usize; 2] = [1, 2];

/// The canary may be this much slower at every threshold before a request counts as slow.
pub const LATENCY_TOLERANCE: f64 = 1.1;

/// What a judge is told besides the data. Rates are shares of requests.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgeConfig {
    /// Chance of a wrong rollback over all looks together.
    pub alpha: f64,
    /// Chance of a wrong rollback by the final exam.
    pub alpha_exam: f64,
    /// Chance of a promotion of a canary worse than `tau_promote`.
    pub alpha_promote: f64,
    /// Ratio of canary to baseline error rate that is tolerated.
    pub tau: f64,
    /// Error rate below which a canary is never rolled back.
    pub eps: f64,
    /// Ratio of error rates that a promotion rules out.
    pub tau_promote: f64,
    /// Error rate that a promotion may rule out instead.
    pub eps_promote: f64,
    /// Share of `alpha` for errors, when latency is judged too.
    pub w_errors: f64,
    /// Share of `alpha` for each latency threshold.
    pub w_latency: f64,
    /// Clumping φ ≥ 1 of errors.
    pub dispersion_errors: f64,
    /// Clumping φ ≥ 1 of slow requests.
    pub dispersion_latency: f64,
    /// Bad canary events needed before any rollback.
    pub min_bad: u64,
    /// Usable minutes needed before a promotion.
    pub min_minutes: u32,
    /// The bake ends after this many minutes.
    pub end: u32,
}

impl Default for JudgeConfig {
    fn default() -> Self {
        Self {
            alpha: 0.005,
            alpha_exam: 0.005,
            alpha_promote: 0.05,
            tau: 1.1,
            eps: 1e-4,
            tau_promote: 2.0,
            eps_promote: 1e-3,
            w_errors: 0.5,
            w_latency: 0.125,
            dispersion_errors: 1.0,
            dispersion_latency: 1.0,
            min_bad: 3,
            min_minutes: 5,
            end: 30,
        }
    }
}

const FIELDS: [&str; 14] = [
    "alpha",
    "alpha_exam",
    "alpha_promote",
    "tau",
    "eps",
    "tau_promote",
    "eps_promote",
    "w_errors",
    "w_latency",
    "dispersion_errors",
    "dispersion_latency",
    "min_bad",
    "min_minutes",
    "end",
];

impl JudgeConfig {
    /// Reads a JSON object of any of the fields; the others take their defaults.
    ///
    /// # Errors
    /// A field that is unknown, of the wrong type or out of its range.
    pub fn from_json(value: &Value) -> Result<Self, FieldError> {
        Self::read(&Node::root(value))
    }

    pub(super) fn read(node: &Node<'_>) -> Result<Self, FieldError> {
        let object = node.object(&FIELDS)?;
        let between = |name: &str, default: f64, low: f64, high: f64| {
            object
                .field(name)
                .or(default, |field| bounded(field, low, high))
        };
        let default = Self::default();
        let config = Self {
            alpha: between("alpha", default.alpha, 1e-12, 0.5)?,
            alpha_exam: between("alpha_exam", default.alpha_exam, 0.0, 0.5)?,
            alpha_promote: between("alpha_promote", default.alpha_promote, 1e-12, 0.5)?,
            tau: between("tau", default.tau, 1.0, 1e3)?,
            eps: between("eps", default.eps, 0.0, 1.0)?,
            tau_promote: between("tau_promote", default.tau_promote, 1.0, 1e3)?,
            eps_promote: between("eps_promote", default.eps_promote, 0.0, 1.0)?,
            w_errors: between("w_errors", default.w_errors, 1e-6, 1.0)?,
            w_latency: between("w_latency", default.w_latency, 1e-6, 1.0)?,
            dispersion_errors: between("dispersion_errors", default.dispersion_errors, 1.0, 1e3)?,
            dispersion_latency: between(
                "dispersion_latency",
                default.dispersion_latency,
                1.0,
                1e3,
            )?,
            min_bad: object.field("min_bad").or(default.min_bad, Node::count)?,
            min_minutes: object
                .field("min_minutes")
                .or(default.min_minutes, Node::minutes)?,
            end: object.field("end").or(default.end, Node::minutes)?,
        };
        if !(1..=JUDGED_MINUTES).contains(&config.end) {
            return Err(object
                .field("end")
                .refuse(format!("1 to {JUDGED_MINUTES} minutes")));
        }
        Ok(config)
    }

    /// The metrics of a service: errors, and latency at each of the thresholds in milliseconds.
    pub fn metrics(&self, thresholds_ms: &[f64]) -> Vec<MetricSpec> {
        let errors = MetricSpec {
            name: "errors".to_owned(),
            label: "5xx".to_owned(),
            weight: if thresholds_ms.is_empty() {
                1.0
            } else {
                self.w_errors
            },
            tolerance: self.tau,
            floor: Some(self.eps),
            dispersion: self.dispersion_errors,
            promotion: Some(Promotion {
                tolerance: self.tau_promote,
                floor: Some(self.eps_promote),
            }),
        };
        let latency = thresholds_ms
            .iter()
            .enumerate()
            .map(|(index, ms)| MetricSpec {
                name: format!("latency[{index}]"),
                label: format!(
                    "slower than {ms:.0} ms (canary {:.0} ms)",
                    ms * LATENCY_TOLERANCE
                ),
                weight: self.w_latency,
                // The tolerance is already in the canary's threshold, which is in units of latency.
                tolerance: 1.0,
                floor: None,
                dispersion: self.dispersion_latency,
                promotion: PROMOTING_THRESHOLDS.contains(&index).then_some(Promotion {
                    tolerance: 1.0,
                    floor: None,
                }),
            });
        std::iter::once(errors).chain(latency).collect()
    }
}

fn bounded(field: &Node<'_>, low: f64, high: f64) -> Result<f64, FieldError> {
    let number = field.number()?;
    if (low..=high).contains(&number) {
        Ok(number)
    } else {
        Err(field.refuse(format!("{low} to {high}")))
    }
}

#[cfg(test)]
mod tests;
