//! The settings of a judgement: the judge's own, and metrics that a user adds to the built-in ones.
//!
//! They come from a file in an input artifact. Everything in it shares the same error rate: the
//! metrics of a user take their part of it from the built-in ones.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use serde::Deserialize;
use serde_json::Value;

use crate::job::Failure;
use crate::json;
use crate::judge::JudgeConfig;
use crate::judge::config::is_built_in;
use crate::judge::spec::{MetricSpec, Promotion};
use crate::metrics::custom::{CustomKind, CustomMetric, Worse};
use crate::metrics::{FurtherSettings, Source, SourceSettings, sources};

/// The most metrics that a user can add: what is kept of them must fit into a continuation token.
const CUSTOM_METRICS: usize = 10;

/// What the metrics of a user and of further sources may take of the error rate; the rest is for
/// errors and latency.
const CUSTOM_WEIGHT: f64 = 0.9;

const WEIGHT: f64 = 0.05;
const TOLERANCE: f64 = 1.1;
const NAME_CHARS: usize = 60;

/// The names of the fields of [`File`]; those of [`FurtherSettings`] are beside them.
const FILE_FIELDS: [&str; 2] = ["judge", "metrics"];

#[derive(Debug, Deserialize)]
struct File {
    judge: Option<Value>,
    #[serde(default)]
    metrics: Vec<CustomFile>,
}

/// A metric in the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CustomFile {
    /// Its name in summaries and in the report.
    name: String,
    namespace: String,
    /// As in [`CustomMetric::dimensions`].
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

/// How a canary is judged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    pub judge: JudgeConfig,
    pub custom: Vec<CustomMetric>,
    pub further: FurtherSettings,
}

impl Settings {
    /// Reads the file at `location`.
    ///
    /// # Errors
    /// A ConfigurationError that names the field, what was found and what was expected.
    pub fn read(bytes: &[u8], location: &str) -> Result<Self, Failure> {
        let settings = Self::from_file(bytes);
        settings.map_err(|why| Failure::configuration(format!("`{location}`: {why}")))
    }

    fn from_file(bytes: &[u8]) -> Result<Self, String> {
        let fields = match json::parse(bytes, "expected a JSON object")? {
            Value::Object(fields) => fields,
            other => {
                let found = json::kind(&other);
                return Err(format!("found {found}; expected a JSON object"));
            }
        };
        let (file, further) = json::split(fields, &FILE_FIELDS);
        let further: FurtherSettings =
            serde_path_to_error::deserialize(further).map_err(|e| e.to_string())?;
        let file: File = serde_path_to_error::deserialize(file).map_err(|e| e.to_string())?;
        let judge = file.judge.as_ref().map(JudgeConfig::from_json).transpose();
        let judge = judge.map_err(|e| format!("judge.{e}"))?.unwrap_or_default();

        let count = file.metrics.len();
        if count > CUSTOM_METRICS {
            return Err(format!(
                "metrics: found {count}; expected at most {CUSTOM_METRICS}"
            ));
        }
        let built_in = Self {
            judge,
            custom: Vec::new(),
            further,
        };
        let metrics = file.metrics.into_iter().enumerate();
        let custom: Vec<CustomMetric> = metrics
            .map(|(index, metric)| metric.validated(index, &built_in.taken()))
            .collect::<Result<_, _>>()?;
        let settings = Self { custom, ..built_in };
        settings.check_together()?;
        Ok(settings)
    }

    /// Refuses metrics of a user that are right one by one, but not beside each other.
    fn check_together(&self) -> Result<(), String> {
        let mut names = BTreeSet::new();
        if let Some(twice) = self
            .custom
            .iter()
            .find(|custom| !names.insert(&custom.name))
        {
            return Err(format!(
                "metrics: two are named `{}`; expected names that differ",
                twice.name
            ));
        }

        let sum: f64 = self.custom.iter().map(|custom| custom.weight).sum();
        let most = self.taken().most_weight;
        if sum > most {
            return Err(format!(
                "metrics: weights add up to {sum}; expected at most {most}, because the rest is \
                 for errors and latency"
            ));
        }
        Ok(())
    }

    /// What the metrics that are not a user's leave.
    fn taken(&self) -> Taken {
        let built_in = sources(SourceSettings {
            custom: &[],
            ..self.source_settings(&[])
        });
        let specs = built_in
            .iter()
            .flat_map(|source| source.specs(&self.judge, 1.0));
        Taken {
            names: specs.map(|spec| spec.name).collect(),
            most_weight: CUSTOM_WEIGHT - share_of(&built_in),
        }
    }

    /// What the judge judges: errors, latency at each threshold, the counts among a user's metrics,
    /// and what further sources have.
    #[must_use]
    pub fn metrics(&self, thresholds_ms: &[f64]) -> Vec<MetricSpec> {
        let sources = sources(self.source_settings(thresholds_ms));
        let left = 1.0 - share_of(&sources);
        let specs = sources
            .iter()
            .flat_map(|source| source.specs(&self.judge, left));
        specs.collect()
    }

    /// What the sources of metrics are made with.
    #[must_use]
    pub fn source_settings<'a>(&'a self, thresholds_ms: &'a [f64]) -> SourceSettings<'a> {
        SourceSettings {
            thresholds_ms,
            custom: &self.custom,
            further: self.further.clone(),
        }
    }

    /// The values among the metrics, each with its place.
    pub fn values(&self) -> impl Iterator<Item = (usize, &CustomMetric)> {
        let metrics = self.custom.iter().enumerate();
        metrics.filter(|(_, custom)| !custom.is_count())
    }
}

/// What a metric of a user cannot have, because others have it.
struct Taken {
    /// Names of errors, and of the metrics of further sources.
    names: BTreeSet<String>,
    /// What the weights of a user's metrics may add up to: further sources take their shares too.
    most_weight: f64,
}

impl CustomFile {
    fn validated(self, index: usize, taken: &Taken) -> Result<CustomMetric, String> {
        let at = |field: &str| format!("metrics[{index}].{field}");
        self.validate_names(&at, &taken.names)?;

        let weights = 1e-6..=taken.most_weight;
        let weight = between(&at("weight"), self.weight, WEIGHT, weights)?;
        let tolerance = between(&at("tolerance"), self.tolerance, TOLERANCE, 1.0..=1e3)?;
        let dispersion = between(&at("dispersion"), self.dispersion, 1.0, 1.0..=1e3)?;
        let floor = share(&at("floor"), self.floor)?;
        let promotion = self.promotion(&at)?;
        let kind = self.kind(&at)?;

        Ok(CustomMetric {
            name: self.name,
            namespace: self.namespace,
            dimensions: self.dimensions,
            kind,
            worse: self.worse,
            weight,
            tolerance,
            floor,
            dispersion,
            promotion,
        })
    }

    fn promotion(&self, at: &dyn Fn(&str) -> String) -> Result<Option<Promotion>, String> {
        let promote_floor = share(&at("promote_floor"), self.promote_floor)?;
        let Some(tolerance) = self.promote_tolerance else {
            return Ok(None);
        };

        let tolerance = between(&at("promote_tolerance"), Some(tolerance), 2.0, 1.0..=1e3)?;
        Ok(Some(Promotion {
            tolerance,
            floor: promote_floor,
        }))
    }

    fn validate_names(
        &self,
        at: &dyn Fn(&str) -> String,
        taken: &BTreeSet<String>,
    ) -> Result<(), String> {
        for (field, text) in [("name", &self.name), ("namespace", &self.namespace)] {
            if text.trim().is_empty() {
                return Err(format!("{}: found nothing; expected a name", at(field)));
            }
        }

        let is_taken = is_built_in(&self.name) || taken.contains(&self.name);
        if self.name.chars().count() > NAME_CHARS || is_taken {
            return Err(format!(
                "{}: found {:?}; expected up to {NAME_CHARS} characters, and not the name of a \
                 built-in metric",
                at("name"),
                self.name
            ));
        }

        if !self.dimensions.values().any(|value| value.contains('{')) {
            return Err(format!(
                "{}: the values are the same for both colours; expected at least one with \
                 {{colour}}, {{service}}, {{task_definition}} or {{target_group}}",
                at("dimensions")
            ));
        }

        Ok(())
    }

    fn kind(&self, at: &dyn Fn(&str) -> String) -> Result<CustomKind, String> {
        let counting = self.floor.is_some()
            || self.promote_tolerance.is_some()
            || self.promote_floor.is_some()
            || self.dispersion.is_some();

        match (
            self.count.clone(),
            self.total.clone(),
            self.value.clone(),
            self.statistic.clone(),
        ) {
            (Some(count), Some(total), None, None) => Ok(CustomKind::Count { count, total }),
            (None, None, Some(_), _) if counting => Err(format!(
                "{}: `floor`, `dispersion` and `promote_…` apply to counts only; remove them",
                at("value")
            )),
            (None, None, Some(value), statistic) => Ok(CustomKind::Value {
                value,
                statistic: statistic.unwrap_or_else(|| "Average".to_owned()),
            }),
            _ => Err(format!(
                "{}: expected `count` and `total`, the names of two metrics whose sums are \
                 compared, or `value` and optionally its `statistic`",
                at("count")
            )),
        }
    }
}

/// What sources take of the error rate.
fn share_of(sources: &[Box<dyn Source + '_>]) -> f64 {
    sources.iter().map(|source| source.share()).sum()
}

fn between(
    field: &str,
    value: Option<f64>,
    default: f64,
    bounds: RangeInclusive<f64>,
) -> Result<f64, String> {
    match value {
        Some(found) if !bounds.contains(&found) => Err(format!(
            "{field}: found {found}; expected {} to {}",
            bounds.start(),
            bounds.end()
        )),
        found => Ok(found.unwrap_or(default)),
    }
}

fn share(field: &str, value: Option<f64>) -> Result<Option<f64>, String> {
    match value {
        Some(found) => between(field, Some(found), 0.0, 0.0..=1.0).map(Some),
        None => Ok(None),
    }
}

#[cfg(test)]
pub(crate) mod tests;
