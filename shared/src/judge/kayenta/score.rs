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
    /// Its name.
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
    /// Its name.
    pub name: String,
    /// Passed metrics in percent of those that passed or failed; `None` where all are Nodata.
    pub score: Option<f64>,
    /// Its weight in percent.
    pub weight: f64,
}

/// The outcome of a judgement.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// In percent, to two decimals.
    pub score: f64,
    /// By the thresholds of the config.
    pub grade: Grade,
    /// In words.
    pub reason: String,
    /// In alphabetical order.
    pub groups: Vec<GroupScore>,
    /// In the order of the config.
    pub results: Vec<MetricResult>,
}

impl Report {
    /// As JSON, with Kayenta's names where it has them.
    pub fn to_json(&self) -> Value {
        let group = |group: &GroupScore| json!({"name": group.name, "score": group.score, "weight": group.weight});
        let result = |result: &MetricResult| {
            let found = &result.classification;
            json!({
                "name": result.name, "groups": result.groups, "muted": result.muted,
                "classification": found.label.word(), "classificationReason": found.reason,
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
pub(super) fn score(config: &KayentaConfig, results: Vec<MetricResult>) -> Report {
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
        let found = &failed.classification;
        (
            0.0,
            format!(
                "critical metric {} is {}: {}",
                failed.name,
                found.label.word(),
                found.reason
            ),
        )
    } else if nodata as f64 >= NODATA_SHARE_MAX * scored.len() as f64 {
        (
            0.0,
            format!(
                "{nodata} of {} metrics have no data, limit below half",
                scored.len()
            ),
        )
    } else {
        let score = weighted_mean(&groups);
        (
            score,
            format!(
                "score {score}, pass {}, marginal {}",
                config.pass, config.marginal
            ),
        )
    };
    // A critical failure or missing data fails whatever the thresholds, even a pass of 0.
    let grade = match score {
        0.0 => Grade::Fail,
        score if score >= config.pass => Grade::Pass,
        score if score >= config.marginal => Grade::Marginal,
        _ => Grade::Fail,
    };
    Report {
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
mod tests {
    use super::super::classify::Analysis;
    use super::super::config::{MetricConfig, OutlierStrategy};
    use super::*;

    fn config(weights: &[(&str, f64)], pass: f64, marginal: f64) -> KayentaConfig {
        let metric = MetricConfig {
            name: "unused".to_owned(),
            groups: vec!["a".to_owned()],
            analysis: Analysis::default(),
            muted: false,
            outliers: OutlierStrategy::Keep,
        };
        let group_weights = weights
            .iter()
            .map(|(group, weight)| ((*group).to_owned(), *weight))
            .collect();
        KayentaConfig {
            metrics: vec![metric],
            group_weights,
            pass,
            marginal,
        }
    }

    fn result(name: &str, groups: &[&str], label: Label) -> MetricResult {
        MetricResult {
            name: name.to_owned(),
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
            muted: false,
            classification: Classification {
                label,
                critical: false,
                ratio: Some(1.5),
                reason: "because".to_owned(),
            },
        }
    }

    fn critical(name: &str, label: Label) -> MetricResult {
        let mut result = result(name, &["a"], label);
        result.classification.critical = true;
        result
    }

    fn weights(report: &Report) -> Vec<(&str, Option<f64>, f64)> {
        report
            .groups
            .iter()
            .map(|group| (group.name.as_str(), group.score, group.weight))
            .collect()
    }

    #[test]
    fn groups_count_by_their_weights_and_those_without_one_share_the_rest() {
        let results = || {
            vec![
                result("1", &["a"], Label::Pass),
                result("2", &["a"], Label::High),
                result("3", &["b"], Label::Pass),
                result("4", &["c", "b"], Label::Low),
            ]
        };
        let report = score(&config(&[("a", 60.0)], 95.0, 75.0), results());
        assert_eq!(
            weights(&report),
            [
                ("a", Some(50.0), 60.0),
                ("b", Some(50.0), 20.0),
                ("c", Some(0.0), 20.0)
            ]
        );
        assert_eq!((report.score, report.grade), (40.0, Grade::Fail));
        assert_eq!(report.reason, "score 40, pass 95, marginal 75");
        let even = score(&config(&[], 95.0, 75.0), results());
        assert_eq!(even.score, 33.33, "to two decimals");
    }

    #[test]
    fn a_score_reaches_its_thresholds_exactly() {
        let graded = |pass, marginal| {
            let results = vec![
                result("1", &["a"], Label::Pass),
                result("2", &["a"], Label::Error),
            ];
            let report = score(&config(&[("a", 100.0)], pass, marginal), results);
            assert_eq!(report.score, 50.0);
            report.grade
        };
        assert_eq!(
            [
                graded(50.0, 10.0),
                graded(50.01, 50.0),
                graded(50.02, 50.01)
            ],
            [Grade::Pass, Grade::Marginal, Grade::Fail]
        );
    }

    #[test]
    fn nothing_is_worth_no_pass_whatever_the_thresholds() {
        let report = score(
            &config(&[("a", 100.0)], 0.0, 0.0),
            vec![result("1", &["a"], Label::High)],
        );
        assert_eq!((report.score, report.grade), (0.0, Grade::Fail));
    }

    #[test]
    fn a_critical_metric_that_does_not_pass_fails_the_canary() {
        let with = |label| {
            let results = vec![
                result("1", &["a"], Label::Pass),
                critical("2", label),
                result("3", &["a"], Label::Pass),
            ];
            score(&config(&[("a", 100.0)], 60.0, 50.0), results)
        };
        for label in [
            Label::High,
            Label::Low,
            Label::Nodata,
            Label::NodataFail,
            Label::Error,
        ] {
            let report = with(label);
            assert_eq!(
                (report.score, report.grade),
                (0.0, Grade::Fail),
                "{label:?}"
            );
            assert_eq!(
                report.reason,
                format!("critical metric 2 is {}: because", label.word())
            );
        }
        assert_eq!(
            (with(Label::Pass).score, with(Label::Pass).grade),
            (100.0, Grade::Pass)
        );
    }

    #[test]
    fn half_of_the_metrics_without_data_are_too_many() {
        let of = |labels: &[Label]| {
            let results = labels
                .iter()
                .map(|label| result("m", &["a"], *label))
                .collect();
            let report = score(&config(&[("a", 100.0)], 60.0, 50.0), results);
            (report.score, report.reason)
        };
        let (pass, nodata) = (Label::Pass, Label::Nodata);
        let refused = |reason: &str| (0.0, reason.to_owned());
        assert_eq!(
            of(&[pass, nodata]),
            refused("1 of 2 metrics have no data, limit below half")
        );
        assert_eq!(
            of(&[pass, pass, nodata]),
            (100.0, "score 100, pass 60, marginal 50".to_owned())
        );
        assert_eq!(
            of(&[pass, pass, nodata, nodata]),
            refused("2 of 4 metrics have no data, limit below half")
        );
        assert_eq!(
            of(&[]),
            refused("0 of 0 metrics have no data, limit below half")
        );
    }

    #[test]
    fn a_muted_metric_is_reported_and_takes_no_part() {
        let mut muted = critical("2", Label::High);
        muted.muted = true;
        let mut blind = result("3", &["b"], Label::Nodata);
        blind.muted = true;
        let report = score(
            &config(&[("a", 100.0)], 95.0, 75.0),
            vec![result("1", &["a"], Label::Pass), muted, blind],
        );
        assert_eq!(
            (report.score, report.grade, report.results.len()),
            (100.0, Grade::Pass, 3)
        );
        assert_eq!(weights(&report), [("a", Some(100.0), 100.0)]);
    }

    #[test]
    fn a_report_has_kayentas_names() {
        let report = score(
            &config(&[("a", 100.0)], 95.0, 75.0),
            vec![result("1", &["a"], Label::Pass)],
        );
        let expected = json!({
            "score": 100.0, "classification": "Pass", "classificationReason": "score 100, pass 95, marginal 75",
            "groupScores": [{"name": "a", "score": 100.0, "weight": 100.0}],
            "results": [{
                "name": "1", "groups": ["a"], "muted": false, "classification": "Pass", "classificationReason": "because",
                "critical": false, "ratio": 1.5,
            }],
        });
        assert_eq!(report.to_json(), expected);
    }
}
