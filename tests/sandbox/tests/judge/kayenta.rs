//! Kayenta's judge: what it decides, the holes that are closed, and what is refused.

use serde_json::{Value, json};
use slipway::judge::kayenta::{
    Grade, KayentaConfig, KayentaError, KayentaReport, Label, MetricPair, Timing, judge,
};

fn config(canary: Value) -> Value {
    json!({
        "metrics": [
            {"name": "errors", "query": {"type": "cloudwatch"}, "groups": ["a"],
             "analysisConfigurations": {"canary": canary}},
            {"name": "cpu", "query": {"type": "cloudwatch"}, "groups": ["b"],
             "analysisConfigurations": {}},
            {"name": "memory", "query": {"type": "cloudwatch"}, "groups": ["b"],
             "analysisConfigurations": {}},
        ],
        "classifier": {
            "groupWeights": {"a": 60, "b": 40},
            "scoreThresholds": {"pass": 95, "marginal": 75},
        },
    })
}

fn pair(name: &str, control: &[f64], experiment: &[f64]) -> MetricPair {
    MetricPair {
        name: name.to_owned(),
        control: control.to_vec(),
        experiment: experiment.to_vec(),
    }
}

const STEADY: [f64; 6] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
const HIGHER: [f64; 6] = [11.0, 12.0, 13.0, 14.0, 15.0, 16.0];

fn run(canary: Value, control: &[f64], experiment: &[f64]) -> KayentaReport {
    let config = KayentaConfig::from_json(&config(canary)).unwrap();
    let steady = |name| pair(name, &STEADY, &STEADY);

    judge(
        &config,
        &[
            pair("errors", control, experiment),
            steady("cpu"),
            steady("memory"),
        ],
        Timing::Final,
    )
    .unwrap()
}

#[test]
fn a_healthy_canary_passes_and_a_higher_one_loses_its_group() {
    let healthy = run(json!({}), &STEADY, &STEADY);
    assert_eq!((healthy.score, healthy.grade), (100.0, Grade::Pass));

    let higher = run(json!({"direction": "increase"}), &STEADY, &HIGHER);
    assert_eq!((higher.score, higher.grade), (40.0, Grade::Fail));

    let critical = run(
        json!({"direction": "increase", "critical": true}),
        &STEADY,
        &HIGHER,
    );
    assert_eq!((critical.score, critical.grade), (0.0, Grade::Fail));

    let muted = run(json!({"muted": true}), &STEADY, &HIGHER);
    assert_eq!((muted.score, muted.grade), (100.0, Grade::Pass));
}

#[test]
fn an_error_is_a_failure() {
    let found = run(
        json!({}),
        &STEADY,
        &[f64::INFINITY, 1.0, 2.0, 3.0, 4.0, 5.0],
    );
    assert_eq!(found.results[0].classification.label, Label::Error);
    assert_eq!((found.score, found.grade), (40.0, Grade::Fail));
}

#[test]
fn a_group_without_data_does_not_score_a_hundred() {
    let config = KayentaConfig::from_json(&config(json!({}))).unwrap();
    let pairs = [
        pair("cpu", &STEADY, &HIGHER),
        pair("memory", &STEADY, &STEADY),
    ];
    let found = judge(&config, &pairs, Timing::Final).unwrap();

    // Kayenta: 100·0.6 + 50·0.4 = 80, which is marginal without a single value of the errors.
    assert_eq!(found.groups[0].score, None);
    assert_eq!((found.score, found.grade), (50.0, Grade::Fail));
}

#[test]
fn half_the_metrics_without_data_score_nothing() {
    let config = KayentaConfig::from_json(&config(json!({}))).unwrap();
    let found = judge(&config, &[pair("cpu", &STEADY, &STEADY)], Timing::Final).unwrap();
    assert_eq!((found.score, found.grade), (0.0, Grade::Fail));
    assert_eq!(
        found.reason,
        "2 of 3 metrics have no data, limit below half"
    );
}

#[test]
fn four_points_are_no_data_whatever_stands_for_gaps() {
    for strategy in ["remove", "replace"] {
        let found = run(json!({"nanStrategy": strategy}), &STEADY[..4], &HIGHER[..4]);
        assert_eq!(found.results[0].classification.label, Label::Nodata);
        assert_eq!(
            found.results[0].classification.reason,
            "4 and 4 points in canary and baseline, 5 needed"
        );
    }

    let required = run(json!({"mustHaveData": true}), &STEADY, &[]);
    assert_eq!(required.results[0].classification.label, Label::NodataFail);
    assert_eq!((required.score, required.grade), (40.0, Grade::Fail));

    let critical = run(json!({"critical": true}), &STEADY, &[]);
    assert_eq!((critical.score, critical.grade), (0.0, Grade::Fail));
}

#[test]
fn a_tenfold_error_rate_is_high_however_small_the_rates_are() {
    let baseline: Vec<f64> = (0..30)
        .map(|i| 1e-6 * (1.0 + f64::from(i % 7) / 10.0))
        .collect();
    let canary: Vec<f64> = baseline.iter().map(|rate| rate * 10.0).collect();
    let found = run(json!({"direction": "increase"}), &baseline, &canary);

    assert_eq!(
        found.results[0].classification.label,
        Label::High,
        "{}",
        found.results[0].classification.reason
    );
}

#[test]
fn different_constants_are_distinguished_without_noise() {
    let found = run(json!({}), &[1.0; 6], &[10.0; 6]);
    assert_eq!(found.results[0].classification.label, Label::High);
    assert_eq!(
        run(json!({}), &[1.0; 6], &[1.0; 9]).results[0]
            .classification
            .label,
        Label::Pass
    );
}

#[test]
fn a_look_before_the_end_is_refused_with_the_remedy() {
    let config = KayentaConfig::from_json(&config(json!({}))).unwrap();
    let error = judge(&config, &[], Timing::Interim { minute: 5, end: 30 }).unwrap_err();
    assert_eq!(error, KayentaError::Interim { minute: 5, end: 30 });
    assert!(
        error
            .to_string()
            .ends_with("wait until minute 30, or use the sequential judge"),
        "{error}"
    );
}

#[track_caller]
fn refused(change: impl Fn(&mut Value), expected: &str) {
    let mut config = config(json!({}));
    change(&mut config);
    let error = KayentaConfig::from_json(&config).unwrap_err().to_string();
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn typos_in_a_config_are_refused_by_path() {
    let canary = "/metrics/0/analysisConfigurations/canary";
    let set = |key: &'static str, value: Value| {
        move |config: &mut Value| config.pointer_mut(canary).unwrap()[key] = value.clone()
    };
    let path = "metrics[0].analysisConfigurations.canary";
    refused(
        set("direction", json!("up")),
        &format!("{path}.direction: found \"up\"; expected increase, decrease, either"),
    );
    refused(
        set("nanStrategy", json!("none")),
        &format!("{path}.nanStrategy: found \"none\"; expected remove, replace"),
    );
    refused(
        set("ciritcal", json!(true)),
        &format!("{path}.ciritcal: found an unknown field; expected direction,"),
    );
    refused(
        set("effectSize", json!({"measure": "cohen"})),
        &format!("{path}.effectSize.measure: found \"cohen\""),
    );
    refused(
        set(
            "outliers",
            json!({"strategy": "remove", "outlierFactor": 0}),
        ),
        &format!("{path}.outliers.outlierFactor"),
    );
}

#[test]
fn weights_and_thresholds_that_make_no_sense_are_refused() {
    let at = |pointer: &'static str, value: Value| {
        move |config: &mut Value| *config.pointer_mut(pointer).unwrap() = value.clone()
    };
    refused(
        at("/classifier/groupWeights", json!({"a": 60, "b": 50})),
        "classifier.groupWeights: found",
    );
    refused(
        at("/classifier/groupWeights", json!({"c": 100})),
        "classifier.groupWeights.c: found 100; expected a group that a metric is in",
    );
    refused(
        at("/classifier/scoreThresholds/marginal", json!(99)),
        "classifier.scoreThresholds.marginal: found 99; expected at most pass",
    );
    refused(
        at("/metrics", json!([])),
        "metrics: found []; expected at least one metric",
    );
    refused(
        at("/metrics/1/name", json!("errors")),
        "metrics[1].name: found \"errors\"; expected a name that no other metric has",
    );
}

#[test]
fn a_pair_that_the_config_does_not_know_is_refused() {
    let config = KayentaConfig::from_json(&config(json!({}))).unwrap();
    let error = judge(&config, &[pair("cpus", &STEADY, &STEADY)], Timing::Final).unwrap_err();
    assert_eq!(
        error.to_string(),
        "failed to read the metric pairs: [0].name: found \"cpus\"; expected errors, cpu, memory"
    );
}
