//! The numbers a judgement depends on, each declared once with its default, range and meaning.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::values::{SeriesSpec, Worse};
use crate::judge::strict::{FieldError, Node};
use crate::limits::JUDGED_MINUTES;

/// The canary may be this much slower at every threshold before a request counts as slow.
pub const LATENCY_TOLERANCE: f64 = 1.1;

/// A promotion measures slow requests of the canary by this laxer factor.
pub const LATENCY_TOLERANCE_TO_PROMOTE: f64 = 1.25;

/// Most latency thresholds: baseline p90, p99 and 1.5 times p99.
pub const LATENCY_THRESHOLDS: usize = 3;

/// What latency may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LatencyMode {
    /// It can roll back, and a promotion must show it to be no worse.
    Judge,
    /// It can only object to a promotion.
    Watch,
    /// It is not read.
    Off,
}

/// A setting as the report shows it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting {
    /// Its name in files.
    pub name: &'static str,
    pub value: f64,
    /// What it is, as a fragment.
    pub meaning: &'static str,
}

/// Declares [`JudgeConfig`]: each number is `name: type = default, reader, meaning`.
macro_rules! settings {
    ($($name:ident: $type:ty = $default:expr, $read:expr, $meaning:expr;)*) => {
        /// The settings of a judge. Rates are shares of requests.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct JudgeConfig {
            $(#[doc = $meaning] pub $name: $type,)*
            /// Minutes in which the share was raised, the first of which is 1.
            pub steps: Vec<u32>,
            /// The last share of the traffic, where it is known.
            pub share: Option<f64>,
            /// What latency may do.
            pub latency: LatencyMode,
            /// Whether the rule has stickiness.
            pub sticky: bool,
            /// Overdispersion of errors, in place of the measured one; 1 or less is none.
            pub clump_errors: Option<f64>,
            /// The same for answers 4XX.
            pub clump_4xx: Option<f64>,
            /// The same for slow requests.
            pub clump_latency: Option<f64>,
            /// Series of values, which can only object to a promotion.
            pub values: Vec<SeriesSpec>,
        }

        impl Default for JudgeConfig {
            fn default() -> Self {
                Self {
                    $($name: $default,)*
                    steps: vec![1],
                    share: None,
                    latency: LatencyMode::Judge,
                    sticky: false,
                    clump_errors: None,
                    clump_4xx: None,
                    clump_latency: None,
                    values: Vec::new(),
                }
            }
        }

        const FIELDS: &[&str] = &[
            $(stringify!($name),)*
            "steps", "share", "latency", "sticky", "clump_errors", "clump_4xx", "clump_latency",
            "values",
        ];

        impl JudgeConfig {
            pub(in crate::judge) fn read(node: &Node<'_>) -> Result<Self, FieldError> {
                node.retired(RETIRED)?;
                let object = node.object(FIELDS)?;
                let config = Self {
                    $($name: object.field(stringify!($name)).or($default, $read)?,)*
                    steps: object.field("steps").or(vec![1], steps)?,
                    share: maybe(&object.field("share"), within(0.0, 1.0))?,
                    latency: object.field("latency").or(LatencyMode::Judge, latency)?,
                    sticky: object.field("sticky").or(false, Node::flag)?,
                    clump_errors: maybe(&object.field("clump_errors"), within(0.0, 1e3))?,
                    clump_4xx: maybe(&object.field("clump_4xx"), within(0.0, 1e3))?,
                    clump_latency: maybe(&object.field("clump_latency"), within(0.0, 1e3))?,
                    values: object.field("values").or(Vec::new(), series)?,
                };
                config.check_weights(&object)?;
                Ok(config)
            }

            /// Every number in the order of the declaration.
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
    tau_4xx: f64 = 1.5, within(1.0, 1e3),
        "ratio of 4xx rates that is tolerated";
    eps_4xx: f64 = 5e-3, within(0.0, 1.0),
        "4xx rate below which nothing is harm";
    tau_promote_4xx: f64 = 3.0, within(1.0, 1e3),
        "ratio of 4xx rates that a promotion rules out";
    eps_promote_4xx: f64 = 1e-2, within(0.0, 1.0),
        "4xx rate that a promotion may rule out instead";
    w_errors: f64 = 0.5, within(0.0, 1.0),
        "share of alpha for errors, in proportion to the others";
    w_4xx: f64 = 0.1, within(0.0, 1.0),
        "share of alpha for 4xx";
    w_latency: f64 = 0.4, within(1e-6, 1.0),
        "share of alpha for latency, all thresholds together";
    min_bad: u64 = 3, Node::count,
        "bad canary events needed before a rollback";
    min_minutes: u32 = 5, at_least_a_minute,
        "usable minutes needed before a promotion or a raise of the share";
    warm_up: u32 = 3, Node::minutes,
        "first minutes whose response times and values are not counted";
    end: u32 = 60, bake_minutes,
        "minutes after which the bake ends";
}

/// Settings of the earlier judge, with their replacements.
const RETIRED: &[(&str, &str)] = &[
    ("dispersion_errors", "`clump_errors` in its place"),
    ("dispersion_latency", "`clump_latency` in its place"),
];

impl JudgeConfig {
    /// Reads a JSON object of any of the fields; the others take their defaults.
    ///
    /// # Errors
    /// A field that is unknown, of the wrong type or out of its range.
    pub fn from_json(value: &Value) -> Result<Self, FieldError> {
        Self::read(&Node::root(value))
    }

    /// What latency may do: where sessions move instead of requests, it cannot decide.
    pub fn latency_mode(&self) -> LatencyMode {
        match self.latency {
            LatencyMode::Judge if self.sticky => LatencyMode::Watch,
            mode => mode,
        }
    }

    /// The minute from which on the last share is on the canary.
    pub(super) fn last_step(&self) -> u32 {
        self.steps.last().copied().unwrap_or(1)
    }

    /// The minute of the last raise that has begun.
    pub(super) fn step_at(&self, now: u32) -> u32 {
        let begun = self.steps.iter().rev().find(|step| **step <= now);
        begun.copied().unwrap_or(1)
    }

    fn check_weights(&self, node: &Node<'_>) -> Result<(), FieldError> {
        if self.w_errors + self.w_4xx > 0.0 {
            Ok(())
        } else {
            Err(node
                .field("w_errors")
                .refuse("above 0, or `w_4xx` above 0: latency alone is not judged"))
        }
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

fn maybe(
    field: &Node<'_>,
    read: impl Fn(&Node<'_>) -> Result<f64, FieldError>,
) -> Result<Option<f64>, FieldError> {
    if field.is_unknown() {
        Ok(None)
    } else {
        read(field).map(Some)
    }
}

fn at_least_a_minute(field: &Node<'_>) -> Result<u32, FieldError> {
    match field.minutes()? {
        0 => Err(field.refuse("1 minute or more")),
        minutes => Ok(minutes),
    }
}

fn bake_minutes(field: &Node<'_>) -> Result<u32, FieldError> {
    let minutes = field.minutes()?;
    if (1..=JUDGED_MINUTES).contains(&minutes) {
        Ok(minutes)
    } else {
        Err(field.refuse(format!("1 to {JUDGED_MINUTES} minutes")))
    }
}

fn steps(field: &Node<'_>) -> Result<Vec<u32>, FieldError> {
    let steps = field
        .array()?
        .iter()
        .map(Node::minutes)
        .collect::<Result<Vec<_>, _>>()?;
    let ascends = steps.windows(2).all(|pair| pair[0] < pair[1]);
    if steps.first() == Some(&1) && ascends {
        Ok(steps)
    } else {
        Err(field.refuse("minutes in ascending order, the first of which is 1"))
    }
}

fn latency(field: &Node<'_>) -> Result<LatencyMode, FieldError> {
    field.keyword(&[
        ("judge", LatencyMode::Judge),
        ("watch", LatencyMode::Watch),
        ("off", LatencyMode::Off),
    ])
}

fn series(field: &Node<'_>) -> Result<Vec<SeriesSpec>, FieldError> {
    field.array()?.iter().map(one_series).collect()
}

fn one_series(item: &Node<'_>) -> Result<SeriesSpec, FieldError> {
    let object = item.object(&["name", "worse", "tolerance", "least"])?;
    let worse = |field: &Node<'_>| field.keyword(&[("more", Worse::More), ("less", Worse::Less)]);
    Ok(SeriesSpec {
        name: object.field("name").text()?,
        worse: object.field("worse").or(Worse::More, worse)?,
        tolerance: object
            .field("tolerance")
            .or(SeriesSpec::TOLERANCE, within(1.0, 1e3))?,
        least: object.field("least").or(0.0, within(0.0, 1e15))?,
    })
}

#[cfg(test)]
mod tests;
