//! Reads a Kayenta canary config, or refuses it with the field named.
//!
//! Kayenta itself takes its default for a misspelt direction or strategy, so a typo there is a
//! check that does not run. The schema is Kayenta's docs/canary-config.md.

use std::collections::BTreeMap;

use serde_json::Value;

use super::classify::{Analysis, Direction, EffectMeasure, NanStrategy};
use crate::judge::strict::{FieldError, Node};

/// Weights are percentages with this much room for thirds.
const WEIGHT_SLACK: f64 = 0.1;
/// The judge, and the name it had before it was published.
const JUDGES: [(&str, ()); 2] = [("NetflixACAJudge-v1.0", ()), ("dredd-v1.0", ())];
/// Fields of requests to Kayenta, `POST /canary` and `POST /canary/<id>`, each with the file that
/// is meant.
const OF_REQUESTS: [(&str, &str); 2] = [
    (
        "canaryConfig",
        "a canary config, not the body of POST /canary; give what its canaryConfig has",
    ),
    (
        "scopes",
        "a canary config, not the body of POST /canary/<id>; give the config of that id",
    ),
];
/// Kayenta's factor on the interquartile range.
const OUTLIER_FACTOR: f64 = 3.0;

/// A canary config, as far as a judge needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct KayentaConfig {
    /// The metrics, at least one, with different names.
    pub metrics: Vec<MetricConfig>,
    /// Percentages by group; groups without one share the rest.
    pub group_weights: BTreeMap<String, f64>,
    /// Score in percent from which the canary passes.
    pub pass: f64,
    /// Score in percent from which it is marginal.
    pub marginal: f64,
}

/// One metric of a canary config.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricConfig {
    /// Its name, by which pairs refer to it.
    pub name: String,
    /// The groups it counts in.
    pub groups: Vec<String>,
    /// How it is classified.
    pub analysis: Analysis,
    /// Reported but not scored.
    pub muted: bool,
    /// What becomes of outliers.
    pub outliers: OutlierStrategy,
}

/// What becomes of outliers before the comparison.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OutlierStrategy {
    /// They stay.
    Keep,
    /// Values beyond `factor` interquartile ranges from the quartiles go.
    Remove {
        /// In interquartile ranges.
        factor: f64,
    },
}

impl KayentaConfig {
    /// Reads a canary config.
    ///
    /// # Errors
    /// The first field that is unknown, missing, of the wrong type or out of range.
    pub fn from_json(value: &Value) -> Result<Self, FieldError> {
        let root = Node::root(value);
        root.retired(&[(
            "services",
            "nothing; an older format had it, query.type now names the metric source",
        )])?;
        root.retired(&OF_REQUESTS)?;

        let root = root.object(&[
            "id",
            "name",
            "description",
            "configVersion",
            "applications",
            "judge",
            "metrics",
            "templates",
            "classifier",
            "createdTimestamp",
            "updatedTimestamp",
            "createdTimestampIso",
            "updatedTimestampIso",
        ])?;

        check_judge(&root.field("judge"))?;
        check_version(&root.field("configVersion"))?;
        let metrics = read_metrics(&root.field("metrics"))?;
        let classifier = root
            .field("classifier")
            .object(&["groupWeights", "scoreThresholds"])?;
        let group_weights = read_weights(&classifier.field("groupWeights"), &metrics)?;
        let (pass, marginal) = read_thresholds(&classifier.field("scoreThresholds"))?;

        Ok(Self {
            metrics,
            group_weights,
            pass,
            marginal,
        })
    }
}

/// The scores for a pass and for a marginal result, in percent.
fn read_thresholds(node: &Node<'_>) -> Result<(f64, f64), FieldError> {
    let thresholds = node.object(&["pass", "marginal"])?;
    let percent = |name: &str| at_most(&thresholds.field(name), 100.0);

    let pass = percent("pass")?;
    let marginal = percent("marginal")?;
    if marginal > pass {
        return Err(thresholds
            .field("marginal")
            .refuse(format!("at most pass, which is {pass}")));
    }

    Ok((pass, marginal))
}

fn check_judge(judge: &Node<'_>) -> Result<(), FieldError> {
    if judge.is_absent() {
        return Ok(());
    }

    let judge = judge.object(&["name", "judgeConfigurations"])?;
    judge.field("name").keyword(&JUDGES)?;
    judge
        .field("judgeConfigurations")
        .or((), |node| node.object(&[]).map(|_| ()))
}

/// Kayenta writes the version both as a string and as a number.
fn check_version(version: &Node<'_>) -> Result<(), FieldError> {
    let known = version.is_absent() || version.number().is_ok_and(|number| number == 1.0);
    if known {
        Ok(())
    } else {
        version.keyword(&[("1.0", ()), ("1", ())])
    }
}

fn read_metrics(node: &Node<'_>) -> Result<Vec<MetricConfig>, FieldError> {
    let mut metrics: Vec<MetricConfig> = Vec::new();
    for item in node.array()? {
        let metric = read_metric(&item)?;
        if metrics.iter().any(|earlier| earlier.name == metric.name) {
            return Err(item.field("name").refuse("a name that no other metric has"));
        }
        metrics.push(metric);
    }

    if metrics.is_empty() {
        Err(node.refuse("at least one metric"))
    } else {
        Ok(metrics)
    }
}

fn read_metric(item: &Node<'_>) -> Result<MetricConfig, FieldError> {
    item.retired(&[
        (
            "service",
            "nothing; an older format had it, query.type now names the metric source",
        ),
        (
            "extensions",
            "nothing; it is now called analysisConfigurations",
        ),
    ])?;

    let item = item.object(&[
        "name",
        "query",
        "groups",
        "analysisConfigurations",
        "scopeName",
    ])?;
    // What is queried is the metric source's business; only that there is a source is checked.
    item.field("query").field("type").text()?;
    item.field("scopeName")
        .or((), |scope| scope.keyword(&[("default", ())]))?;

    let groups = read_groups(&item.field("groups"))?;
    let configurations = item.field("analysisConfigurations").object(&["canary"])?;
    let canary = configurations.field("canary");
    let canary = if canary.is_absent() {
        canary
    } else {
        canary.object(&CANARY_FIELDS)?
    };

    Ok(MetricConfig {
        name: item.field("name").text()?,
        groups,
        analysis: read_analysis(&canary)?,
        muted: canary.field("muted").or(false, Node::flag)?,
        outliers: canary
            .field("outliers")
            .or(OutlierStrategy::Keep, read_outliers)?,
    })
}

fn read_groups(node: &Node<'_>) -> Result<Vec<String>, FieldError> {
    let groups = node
        .array()?
        .iter()
        .map(Node::text)
        .collect::<Result<Vec<_>, _>>()?;

    if groups.is_empty() {
        return Err(node.refuse("at least one group, or the metric is never scored"));
    }

    Ok(groups)
}

const CANARY_FIELDS: [&str; 7] = [
    "direction",
    "nanStrategy",
    "critical",
    "muted",
    "mustHaveData",
    "effectSize",
    "outliers",
];

fn read_analysis(canary: &Node<'_>) -> Result<Analysis, FieldError> {
    let directions = [
        ("increase", Direction::Increase),
        ("decrease", Direction::Decrease),
        ("either", Direction::Either),
    ];
    let strategies = [
        ("remove", NanStrategy::Remove),
        ("replace", NanStrategy::Replace),
    ];
    let effect = canary
        .field("effectSize")
        .or(Analysis::default(), read_effect)?;

    Ok(Analysis {
        direction: canary
            .field("direction")
            .or(Direction::Either, |node| node.keyword(&directions))?,
        nan_strategy: canary
            .field("nanStrategy")
            .or(NanStrategy::Remove, |node| node.keyword(&strategies))?,
        critical: canary.field("critical").or(false, Node::flag)?,
        must_have_data: canary.field("mustHaveData").or(false, Node::flag)?,
        ..effect
    })
}

fn read_effect(node: &Node<'_>) -> Result<Analysis, FieldError> {
    let node = node.object(&[
        "measure",
        "allowedIncrease",
        "allowedDecrease",
        "criticalIncrease",
        "criticalDecrease",
    ])?;
    let measures = [
        ("meanRatio", EffectMeasure::MeanRatio),
        ("cles", EffectMeasure::CommonLanguage),
    ];
    let measure = node
        .field("measure")
        .or(EffectMeasure::MeanRatio, |node| node.keyword(&measures))?;
    let limit = if measure == EffectMeasure::CommonLanguage {
        1.0
    } else {
        f64::MAX
    };
    let size = |name: &str| {
        node.field(name)
            .or(measure.neutral(), |node| at_most(node, limit))
    };

    Ok(Analysis {
        measure,
        allowed: (size("allowedDecrease")?, size("allowedIncrease")?),
        critical_effect: (size("criticalDecrease")?, size("criticalIncrease")?),
        ..Analysis::default()
    })
}

fn read_outliers(node: &Node<'_>) -> Result<OutlierStrategy, FieldError> {
    let node = node.object(&["strategy", "outlierFactor"])?;
    let factor = node
        .field("outlierFactor")
        .or(OUTLIER_FACTOR, |node| at_most(node, f64::MAX))?;
    if factor == 0.0 {
        return Err(node.field("outlierFactor").refuse("a number above 0"));
    }

    let strategies = [
        ("keep", OutlierStrategy::Keep),
        ("remove", OutlierStrategy::Remove { factor }),
    ];
    node.field("strategy")
        .or(OutlierStrategy::Keep, |node| node.keyword(&strategies))
}

fn read_weights(
    node: &Node<'_>,
    metrics: &[MetricConfig],
) -> Result<BTreeMap<String, f64>, FieldError> {
    let mut weights = BTreeMap::new();
    for (group, weight) in node.or(Vec::new(), Node::entries)? {
        if !metrics.iter().any(|metric| metric.groups.contains(&group)) {
            return Err(weight.refuse(format!("a group that a metric is in; none is in {group}")));
        }
        weights.insert(group, at_most(&weight, 100.0)?);
    }

    let sum: f64 = weights.values().sum();
    let all_weighted = metrics
        .iter()
        .flat_map(|metric| &metric.groups)
        .all(|group| weights.contains_key(group));
    let short = all_weighted && sum < 100.0 - WEIGHT_SLACK;
    if short || sum > 100.0 + WEIGHT_SLACK {
        return Err(node.refuse(format!("weights that add up to 100; these add up to {sum}")));
    }

    Ok(weights)
}

fn at_most(node: &Node<'_>, limit: f64) -> Result<f64, FieldError> {
    let number = node.number()?;
    if (0.0..=limit).contains(&number) {
        Ok(number)
    } else if limit == f64::MAX {
        Err(node.refuse("a number, 0 or more"))
    } else {
        Err(node.refuse(format!("0 to {limit}")))
    }
}

#[cfg(test)]
mod tests;
