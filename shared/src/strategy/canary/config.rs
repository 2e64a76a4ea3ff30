//! The settings of a judgement: the judge's own, and metrics that a user adds to the built-in ones.
//!
//! They come from a file in an input artifact. Whatever is in it shares the same error rate: the metrics of a user take their part
//! of it from the built-in ones.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use crate::job::Failure;
use crate::judge::JudgeConfig;
use crate::judge::spec::{MetricSpec, Promotion};

/// The most metrics that a user can add: what is kept of them must fit into a continuation token.
pub const CUSTOM_METRICS: usize = 10;

/// What the metrics of a user may take of the error rate; the rest is for errors and latency.
const CUSTOM_WEIGHT: f64 = 0.9;

const WEIGHT: f64 = 0.05;
const TOLERANCE: f64 = 1.1;
const NAME_CHARS: usize = 60;

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    judge: Option<Value>,
    #[serde(default)]
    metrics: Vec<CustomFile>,
}

/// A metric in the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CustomFile {
    /// What it is called in summaries and in the report.
    name: String,
    namespace: String,
    /// Values may hold `{colour}`, `{service}`, `{task_definition}`, `{target_group}` and `{load_balancer}`.
    dimensions: BTreeMap<String, String>,
    count: Option<String>,
    total: Option<String>,
    value: Option<String>,
    statistic: Option<String>,
    worse: Worse,
    weight: Option<f64>,
    tolerance: Option<f64>,
    floor: Option<f64>,
    dispersion: Option<f64>,
    promote_tolerance: Option<f64>,
    promote_floor: Option<f64>,
}

/// Which direction of a metric is the bad one.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Worse {
    More,
    Less,
}

/// Where the numbers of a metric come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Events of one metric among those of another: both are sums.
    Count { count: String, total: String },
    /// One value a minute.
    Value { value: String, statistic: String },
}

/// A metric beside the built-in ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Custom {
    pub name: String,
    pub namespace: String,
    pub dimensions: BTreeMap<String, String>,
    pub kind: Kind,
    pub worse: Worse,
    /// Share of the error rate.
    pub weight: f64,
    /// Ratio that is tolerated.
    pub tolerance: f64,
    pub floor: Option<f64>,
    pub dispersion: f64,
    pub promotion: Option<Promotion>,
}

/// How a canary is judged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    pub judge: JudgeConfig,
    pub custom: Vec<Custom>,
}

impl Settings {
    /// Reads the file at `location`.
    ///
    /// # Errors
    /// A ConfigurationError that names the field and what is legal.
    pub fn read(bytes: &[u8], location: &str) -> Result<Self, Failure> {
        let refuse =
            |why: String| Failure::configuration(format!("`{location}`: {why}; correct the file"));
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        let file: File = serde_path_to_error::deserialize(&mut deserializer)
            .map_err(|e| refuse(e.to_string()))?;
        let judge = file.judge.as_ref().map(JudgeConfig::from_json).transpose();
        let judge = judge
            .map_err(|e| refuse(format!("judge.{e}")))?
            .unwrap_or_default();
        let count = file.metrics.len();
        if count > CUSTOM_METRICS {
            return Err(refuse(format!(
                "metrics: found {count}; expected {CUSTOM_METRICS} at most"
            )));
        }
        let custom = file
            .metrics
            .into_iter()
            .enumerate()
            .map(|(index, metric)| metric.checked(index));
        let custom: Vec<Custom> = custom.collect::<Result<_, _>>().map_err(refuse)?;
        let mut names = BTreeSet::new();
        if let Some(twice) = custom.iter().find(|custom| !names.insert(&custom.name)) {
            return Err(refuse(format!(
                "metrics: two are called `{}`; expected names that differ",
                twice.name
            )));
        }
        let sum: f64 = custom.iter().map(|custom| custom.weight).sum();
        if sum > CUSTOM_WEIGHT {
            return Err(refuse(format!(
                "metrics: weights add up to {sum}; expected {CUSTOM_WEIGHT} at most, the rest is for errors and latency"
            )));
        }
        Ok(Self { judge, custom })
    }

    /// What the judge judges: errors, latency at each threshold, and the counts among a user's metrics.
    #[must_use]
    pub fn metrics(&self, thresholds_ms: &[f64]) -> Vec<MetricSpec> {
        let left = 1.0 - self.custom.iter().map(|custom| custom.weight).sum::<f64>();
        let built_in = self.judge.metrics(thresholds_ms).into_iter();
        let built_in = built_in.map(|spec| MetricSpec {
            weight: spec.weight * left,
            ..spec
        });
        built_in
            .chain(self.counts().map(|(_, custom)| custom.spec()))
            .collect()
    }

    /// The counts among the metrics, each with its place.
    pub fn counts(&self) -> impl Iterator<Item = (usize, &Custom)> {
        self.custom
            .iter()
            .enumerate()
            .filter(|(_, custom)| matches!(custom.kind, Kind::Count { .. }))
    }

    /// The values among the metrics, each with its place.
    pub fn values(&self) -> impl Iterator<Item = (usize, &Custom)> {
        self.custom
            .iter()
            .enumerate()
            .filter(|(_, custom)| matches!(custom.kind, Kind::Value { .. }))
    }
}

impl Custom {
    fn spec(&self) -> MetricSpec {
        MetricSpec {
            name: self.name.clone(),
            label: self.name.clone(),
            weight: self.weight,
            tolerance: self.tolerance,
            floor: self.floor,
            dispersion: self.dispersion,
            promotion: self.promotion,
        }
    }
}

impl CustomFile {
    fn checked(self, index: usize) -> Result<Custom, String> {
        let at = |field: &str| format!("metrics[{index}].{field}");
        let text = |field: &str, text: &str| match text.trim().is_empty() {
            true => Err(format!("{}: found nothing; expected a name", at(field))),
            false => Ok(()),
        };
        text("name", &self.name)?;
        text("namespace", &self.namespace)?;
        if self.name.chars().count() > NAME_CHARS
            || self.name == "errors"
            || self.name.starts_with("latency[")
        {
            return Err(format!(
                "{}: found {:?}; expected up to {NAME_CHARS} characters, and not the name of a built-in metric",
                at("name"),
                self.name
            ));
        }
        if !self.dimensions.values().any(|value| value.contains('{')) {
            return Err(format!(
                "{}: no value differs between the colours; expected at least one with {{colour}}, {{service}}, {{task_definition}} or {{target_group}}",
                at("dimensions")
            ));
        }
        let between =
            |field: &str, value: Option<f64>, default: f64, low: f64, high: f64| match value {
                Some(found) if !(low..=high).contains(&found) => Err(format!(
                    "{}: found {found}; expected {low} to {high}",
                    at(field)
                )),
                found => Ok(found.unwrap_or(default)),
            };
        let share = |field: &str, value: Option<f64>| match value {
            Some(found) => between(field, Some(found), 0.0, 0.0, 1.0).map(Some),
            None => Ok(None),
        };
        let weight = between("weight", self.weight, WEIGHT, 1e-6, CUSTOM_WEIGHT)?;
        let tolerance = between("tolerance", self.tolerance, TOLERANCE, 1.0, 1e3)?;
        let dispersion = between("dispersion", self.dispersion, 1.0, 1.0, 1e3)?;
        let floor = share("floor", self.floor)?;
        let promote_floor = share("promote_floor", self.promote_floor)?;
        let promotion = match self.promote_tolerance {
            Some(_) => Some(between(
                "promote_tolerance",
                self.promote_tolerance,
                2.0,
                1.0,
                1e3,
            )?),
            None => None,
        };
        let promotion = promotion.map(|tolerance| Promotion {
            tolerance,
            floor: promote_floor,
        });
        let counting = floor.is_some()
            || promotion.is_some()
            || promote_floor.is_some()
            || self.dispersion.is_some();
        let kind = match (self.count, self.total, self.value, self.statistic) {
            (Some(count), Some(total), None, None) => Kind::Count { count, total },
            (None, None, Some(_), _) if counting => {
                return Err(format!(
                    "{}: `floor`, `dispersion` and `promote_…` belong to counts; remove them",
                    at("value")
                ));
            }
            (None, None, Some(value), statistic) => Kind::Value {
                value,
                statistic: statistic.unwrap_or_else(|| "Average".to_owned()),
            },
            _ => {
                return Err(format!(
                    "{}: legal: `count` and `total`, the names of two metrics whose sums are compared, or `value` and perhaps its `statistic`",
                    at("count")
                ));
            }
        };
        let (name, namespace, dimensions, worse) =
            (self.name, self.namespace, self.dimensions, self.worse);
        Ok(Custom {
            name,
            namespace,
            dimensions,
            kind,
            worse,
            weight,
            tolerance,
            floor,
            dispersion,
            promotion,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests;
