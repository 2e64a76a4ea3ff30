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

fn weights(report: &KayentaReport) -> Vec<(&str, Option<f64>, f64)> {
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
            format!("critical metric 2 is {}: because", label.as_str())
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
    let pass = Label::Pass;
    let nodata = Label::Nodata;
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
        "score": 100.0, "classification": "Pass",
        "classificationReason": "score 100, pass 95, marginal 75",
        "groupScores": [{"name": "a", "score": 100.0, "weight": 100.0}],
        "results": [{
            "name": "1", "groups": ["a"], "muted": false, "classification": "Pass",
            "classificationReason": "because", "critical": false, "ratio": 1.5,
        }],
    });

    assert_eq!(report.to_json(), expected);
}
