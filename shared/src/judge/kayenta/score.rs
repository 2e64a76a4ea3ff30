//! Scores classified metrics: by group, weighted, against the pass and marginal thresholds.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::classify::{Classification, Label};
use super::config::KayentaConfig;

/// From this share of Nodata the score is 0, as in Kayenta.
const NODATA_SHARE_MAX: f64 = 0.5;

/// A classified metric.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricResult {
    pub name: String,
    /// The groups it counts in.
    pub groups: Vec<String>,
    /// Reported but not scored.
    pub muted: bool,
    /// What it turned out to be.
    pub classification: Classification,
}

/// What the canary is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grade {
    /// The score reaches `pass`.
    Pass,
    /// It reaches `marginal`.
    Marginal,
    /// It reaches neither.
    Fail,
}

/// The score of one group.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupScore {
    pub name: String,
    /// Passed metrics in percent of those that passed or failed; `None` where all are Nodata.
    pub score: Option<f64>,
    /// Its weight in percent.
    pub weight: f64,
}

/// The outcome of a judgement.
#[derive(Debug, Clone, PartialEq)]
pub struct KayentaReport {
    /// In percent, to two decimals.
    pub score: f64,
    /// By the thresholds of the config.
    pub grade: Grade,
    pub reason: String,
    /// In alphabetical order.
    pub groups: Vec<GroupScore>,
    /// In the order of the config.
    pub results: Vec<MetricResult>,
}

impl KayentaReport {
    /// As JSON, with Kayenta's names where it has them.
    pub fn to_json(&self) -> Value {
        let group = |group: &GroupScore| {
            let GroupScore {
                name,
                score,
                weight,
            } = group;
            json!({"name": name, "score": score, "weight": weight})
        };
        let result = |result: &MetricResult| {
            let found = &result.classification;
            json!({
                "name": result.name, "groups": result.groups, "muted": result.muted,
                "classification": found.label.as_str(), "classificationReason": found.reason,
                "critical": found.critical, "ratio": found.ratio,
            })
        };

        json!({
            "score": self.score,
            "classification": format!("{:?}", self.grade),
            "classificationReason": self.reason,
            "groupScores": self.groups.iter().map(group).collect::<Vec<_>>(),
            "results": self.results.iter().map(result).collect::<Vec<_>>(),
        })
    }
}

/// Scores the results: 0 if a metric failed critically or half of them have no data, else the
/// weighted mean of the groups that have data.
pub(super) fn score(config: &KayentaConfig, results: Vec<MetricResult>) -> KayentaReport {
    let scored: Vec<_> = results.iter().filter(|result| !result.muted).collect();
    let groups = group_scores(config, &scored);
    let nodata = scored
        .iter()
        .filter(|result| result.classification.label == Label::Nodata)
        .count();
    let critical = scored
        .iter()
        .find(|result| fails_critically(&result.classification));
    let (score, reason) = if let Some(failed) = critical {
        let name = &failed.name;
        let found = &failed.classification;
        let label = found.label.as_str();
        let why = &found.reason;
        (0.0, format!("critical metric {name} is {label}: {why}"))
    } else if nodata as f64 >= NODATA_SHARE_MAX * scored.len() as f64 {
        let all = scored.len();
        let reason = format!("{nodata} of {all} metrics have no data, limit below half");
        (0.0, reason)
    } else {
        let score = weighted_mean(&groups);
        let pass = config.pass;
        let marginal = config.marginal;
        (
            score,
            format!("score {score}, pass {pass}, marginal {marginal}"),
        )
    };

    // A critical failure or missing data fails whatever the thresholds, even a pass of 0.
    let grade = match score {
        0.0 => Grade::Fail,
        score if score >= config.pass => Grade::Pass,
        score if score >= config.marginal => Grade::Marginal,
        _ => Grade::Fail,
    };

    KayentaReport {
        score,
        grade,
        reason,
        groups,
        results,
    }
}

fn fails_critically(found: &Classification) -> bool {
    found.critical && found.label != Label::Pass
}

fn group_scores(config: &KayentaConfig, results: &[&MetricResult]) -> Vec<GroupScore> {
    let mut labels: BTreeMap<&str, Vec<Label>> = BTreeMap::new();
    for result in results {
        for group in &result.groups {
            labels
                .entry(group)
                .or_default()
                .push(result.classification.label);
        }
    }

    let unweighted = labels
        .keys()
        .filter(|group| !config.group_weights.contains_key(**group))
        .count();
    let rest =
        (100.0 - config.group_weights.values().sum::<f64>()).max(0.0) / unweighted.max(1) as f64;
    let group = |(name, labels): (&str, Vec<Label>)| GroupScore {
        score: pass_share(&labels),
        weight: config.group_weights.get(name).copied().unwrap_or(rest),
        name: name.to_owned(),
    };
    labels.into_iter().map(group).collect()
}

/// Passes in percent of everything but Nodata; an Error counts as a failure.
fn pass_share(labels: &[Label]) -> Option<f64> {
    let counted = labels
        .iter()
        .filter(|label| **label != Label::Nodata)
        .count();
    let passed = labels.iter().filter(|label| **label == Label::Pass).count();
    (counted > 0).then(|| passed as f64 / counted as f64 * 100.0)
}

fn weighted_mean(groups: &[GroupScore]) -> f64 {
    let scores = groups
        .iter()
        .filter_map(|group| group.score.map(|score| (score, group.weight)));
    let (sum, weights) = scores.fold((0.0, 0.0), |sums, (score, weight)| {
        (sums.0 + score * weight, sums.1 + weight)
    });

    if weights > 0.0 {
        (sum / weights * 100.0).round() / 100.0
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests;
