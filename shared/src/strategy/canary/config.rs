//! The settings of a judgement: the judge's own, and metrics that a user adds to the built-in ones.
//!
//! They come from a file in an input artifact. Counts in it share the error rate with the built-in
//! metrics, in proportion to their weights; series of values have no part in it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use serde::Deserialize;
use serde_json::Value;

use crate::job::Failure;
use crate::json;
use crate::judge::JudgeConfig;
use crate::judge::canary::metric::OwnCount;
use crate::judge::canary::values::{SeriesSpec, Worse};
use crate::metrics::custom::{CustomKind, CustomMetric};
use crate::metrics::{FurtherSettings, SourceCount, SourceSettings, own_counts, source_counts};

/// The most metrics that a user can add: what is kept of them must fit into a continuation token.
pub(super) const CUSTOM_METRICS: usize = 10;

/// The largest weight of a metric of a user; errors have 0.5.
const WEIGHT_MAX: f64 = 10.0;

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
    least: Option<f64>,
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
        if !judge.values.is_empty() {
            return Err("judge.values: found in the file; expected series in `metrics`".to_owned());
        }
        let built_in = Self {
            judge,
            custom: Vec::new(),
            further,
        };
        let taken = built_in.taken_names();
        let metrics = file.metrics.into_iter().enumerate();
        let custom: Vec<CustomMetric> = metrics
            .map(|(index, metric)| metric.validated(index, &taken))
            .collect::<Result<_, _>>()?;
        let settings = Self { custom, ..built_in };
        settings.check_names_differ()?;
        Ok(settings)
    }

    /// Refuses metrics of a user that are right one by one, but not beside each other.
    fn check_names_differ(&self) -> Result<(), String> {
        let mut names = BTreeSet::new();
        match self
            .custom
            .iter()
            .find(|custom| !names.insert(&custom.name))
        {
            Some(twice) => Err(format!(
                "metrics: two are named `{}`; expected names that differ",
                twice.name
            )),
            None => Ok(()),
        }
    }

    /// The names of the metrics of further sources.
    fn taken_names(&self) -> BTreeSet<String> {
        let counts = own_counts(self.source_settings(&[])).into_iter();
        counts.map(|count| count.name).collect()
    }

    /// The counts that are judged beside errors and latency: those of a user, then those of further
    /// sources.
    #[must_use]
    pub fn counts(&self) -> Vec<OwnCount> {
        own_counts(self.source_settings(&[]))
    }

    /// The same counts, with the series of their events.
    #[must_use]
    pub fn source_counts(&self) -> Vec<SourceCount> {
        source_counts(self.source_settings(&[]))
    }

    /// The series of values, which only object.
    #[must_use]
    pub fn series(&self) -> Vec<SeriesSpec> {
        let series = self.custom.iter().filter(|custom| !custom.is_count());
        series.map(CustomMetric::series).collect()
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
}

/// Whether a metric of this name is one of the judge's own, or objects under it.
fn is_built_in(name: &str) -> bool {
    matches!(name, "errors" | "4xx" | "latency")
        || name.starts_with("latency[")
        || name.starts_with("own[")
}

impl CustomFile {
    fn validated(self, index: usize, taken: &BTreeSet<String>) -> Result<CustomMetric, String> {
        let at = |field: &str| format!("metrics[{index}].{field}");
        self.validate_names(&at, taken)?;
        let kind = self.kind(&at)?;
        let is_count = matches!(kind, CustomKind::Count { .. });
        let tolerated = if is_count {
            TOLERANCE
        } else {
            SeriesSpec::TOLERANCE
        };

        let weight = between(&at("weight"), self.weight, WEIGHT, 1e-6..=WEIGHT_MAX)?;
        let tolerance = between(&at("tolerance"), self.tolerance, tolerated, 1.0..=1e3)?;
        let least = between(&at("least"), self.least, 0.0, 0.0..=1e15)?;
        let maybe = |field: &str, value: Option<f64>| {
            let found = value.map(|value| between(&at(field), Some(value), 1.0, 1.0..=1e3));
            found.transpose()
        };
        let dispersion = maybe("dispersion", self.dispersion)?;
        let promote_tolerance = maybe("promote_tolerance", self.promote_tolerance)?;
        let floor = share(&at("floor"), self.floor)?;
        let promote_floor = share(&at("promote_floor"), self.promote_floor)?;

        Ok(CustomMetric {
            name: self.name,
            namespace: self.namespace,
            dimensions: self.dimensions,
            kind,
            worse: self.worse,
            weight,
            tolerance,
            floor,
            least,
            dispersion,
            promote_tolerance,
            promote_floor,
        })
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
            || self.dispersion.is_some()
            || self.weight.is_some();

        match (
            self.count.clone(),
            self.total.clone(),
            self.value.clone(),
            self.statistic.clone(),
        ) {
            (Some(_), Some(_), None, None) if self.least.is_some() => Err(format!(
                "{}: found beside `count`; expected beside `value` only",
                at("least")
            )),
            (Some(count), Some(total), None, None) => Ok(CustomKind::Count { count, total }),
            (None, None, Some(_), _) if counting => Err(format!(
                "{}: `weight`, `floor`, `dispersion` and `promote_…` apply to counts only; remove \
                 them",
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
