//! The numbers a judgement depends on, each declared once with its default, range and meaning.
//!
//! The error rates `alpha` and `alpha_exam` add up to the promise made to users: if bad events are
//! independent, a canary within tolerance is rolled back with a chance of at most 1 %, however
//! often it is looked at.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::numbers::milliseconds;
use super::spec::{MetricSpec, Promotion};
use super::strict::{FieldError, Node};
use crate::limits::JUDGED_MINUTES;

/// Latency thresholds are baseline p75, p90, p99 and 1.5 times p99.
pub(crate) const LATENCY_THRESHOLDS: usize = 4;

/// A promotion must show p90 and p99 to be no worse; the others only warn.
const PROMOTING_THRESHOLDS: [usize; 2] = [1, 2];

/// The canary may be this much slower at every threshold before a request counts as slow.
pub(crate) const LATENCY_TOLERANCE: f64 = 1.1;

/// A setting as the report shows it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting {
    /// Its name in files.
    pub name: &'static str,
    pub value: f64,
    /// What it is, as a fragment.
    pub meaning: &'static str,
}

/// Declares [`JudgeConfig`]: each setting is `name: type = default, reader, meaning`.
macro_rules! settings {
    ($($name:ident: $type:ty = $default:expr, $read:expr, $meaning:expr;)*) => {
        /// The settings of a judge. Rates are shares of requests.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct JudgeConfig {
            $(#[doc = $meaning] pub $name: $type,)*
        }

        impl Default for JudgeConfig {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        const FIELDS: &[&str] = &[$(stringify!($name),)*];

        impl JudgeConfig {
            pub(super) fn read(node: &Node<'_>) -> Result<Self, FieldError> {
                let object = node.object(FIELDS)?;
                Ok(Self { $($name: object.field(stringify!($name)).or($default, $read)?,)* })
            }

            /// Every setting in the order of the declaration.
            pub fn settings(&self) -> Vec<Setting> {
                vec![$(Setting {
                    name: stringify!($name),
                    value: self.$name as f64,
                    meaning: $meaning,
                },)*]
            }
        }
    };
}

settings! {
    alpha: f64 = 0.005, within(1e-12, 0.5),
        "chance of a wrong rollback over all looks together";
    alpha_exam: f64 = 0.005, within(0.0, 0.5),
        "chance of a wrong rollback by the final test";
    alpha_promote: f64 = 0.05, within(1e-12, 0.5),
        "chance of promoting a canary beyond its bound";
    tau: f64 = 1.1, within(1.0, 1e3),
        "ratio of error rates that is tolerated";
    eps: f64 = 1e-4, within(0.0, 1.0),
        "error rate below which nothing is harm";
    tau_promote: f64 = 2.0, within(1.0, 1e3),
        "ratio of error rates that a promotion rules out";
    eps_promote: f64 = 1e-3, within(0.0, 1.0),
        "error rate that a promotion may rule out instead";
    w_errors: f64 = 0.5, within(1e-6, 1.0),
        "share of alpha for errors, beside latency";
    w_latency: f64 = 0.125, within(1e-6, 1.0),
        "share of alpha for each latency threshold";
    dispersion_errors: f64 = 1.0, within(1.0, 1e3),
        "overdispersion of errors";
    dispersion_latency: f64 = 1.0, within(1.0, 1e3),
        "overdispersion of slow requests";
    min_bad: u64 = 3, Node::count,
        "bad canary events needed before a rollback";
    min_minutes: u32 = 5, Node::minutes,
        "usable minutes needed before a promotion";
    end: u32 = 30, bake_minutes,
        "minutes after which the bake ends";
}

/// Whether a metric of this name is one of [`JudgeConfig::metrics`].
pub(crate) fn is_built_in(name: &str) -> bool {
    name == "errors" || name.starts_with("latency[")
}

impl JudgeConfig {
    /// Reads a JSON object of any of the fields; the others take their defaults.
    ///
    /// # Errors
    /// A field that is unknown, of the wrong type or out of its range.
    pub fn from_json(value: &Value) -> Result<Self, FieldError> {
        Self::read(&Node::root(value))
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
                    "slower than {} (canary {})",
                    milliseconds(*ms),
                    milliseconds(ms * LATENCY_TOLERANCE)
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

fn within(low: f64, high: f64) -> impl Fn(&Node<'_>) -> Result<f64, FieldError> {
    move |field| {
        let number = field.number()?;
        if (low..=high).contains(&number) {
            Ok(number)
        } else {
            Err(field.refuse(format!("{low} to {high}")))
        }
    }
}

fn bake_minutes(field: &Node<'_>) -> Result<u32, FieldError> {
    let minutes = field.minutes()?;
    if !(1..=JUDGED_MINUTES).contains(&minutes) {
        return Err(field.refuse(format!("1 to {JUDGED_MINUTES} minutes")));
    }
    Ok(minutes)
}

#[cfg(test)]
mod tests;
