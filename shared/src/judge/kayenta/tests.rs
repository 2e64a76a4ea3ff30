use super::*;

const CONFIG: &str = r#"{
    "metrics": [
        {"name": "errors", "query": {"type": "x"}, "groups": ["a"], "analysisConfigurations": {}},
        {"name": "cpu", "query": {"type": "x"}, "groups": ["a"], "analysisConfigurations": {}}
    ],
    "classifier": {"groupWeights": {"a": 100}, "scoreThresholds": {"pass": 95, "marginal": 75}}
}"#;

fn config(nan: NanStrategy) -> KayentaConfig {
    let mut config = KayentaConfig::from_json(&serde_json::from_str(CONFIG).unwrap()).unwrap();
    config.metrics[0].analysis.nan_strategy = nan;
    config
}

fn pair(name: &str, control: &[f64], experiment: &[f64]) -> MetricPair {
    MetricPair {
        name: name.to_owned(),
        control: control.to_vec(),
        experiment: experiment.to_vec(),
    }
}

fn classified(nan: NanStrategy, control: &[f64], experiment: &[f64]) -> (Label, String) {
    let report = judge(
        &config(nan),
        &[pair("errors", control, experiment)],
        Timing::Final,
    )
    .unwrap();
    let found = report.results[0].classification.clone();
    (found.label, found.reason)
}

#[test]
fn five_points_a_side_are_compared_and_four_are_no_data() {
    let points = [1.0, 2.0, 3.0, 4.0, 5.0];
    assert_eq!(
        classified(NanStrategy::Remove, &points, &points).0,
        Label::Pass
    );

    let few = (
        Label::Nodata,
        "4 and 5 points in canary and baseline, 5 needed".to_owned(),
    );
    assert_eq!(classified(NanStrategy::Remove, &points, &points[..4]), few);

    let gap = [1.0, f64::NAN, 3.0, 4.0, 5.0];
    assert_eq!(
        classified(NanStrategy::Remove, &points, &gap),
        few,
        "a gap is not a point"
    );

    let shifted = [11.0, f64::NAN, 13.0, 14.0, 15.0];
    let (label, reason) = classified(NanStrategy::Replace, &points, &shifted);
    assert!(
        label == Label::Pass && reason.contains(", effect 3.533"),
        "a gap is a zero: {label:?} {reason}"
    );
}

#[test]
fn a_side_without_values_stands_for_zeros_only_where_configured() {
    let points = [1.0, 2.0, 3.0, 4.0, 5.0];
    let both = [NanStrategy::Remove, NanStrategy::Replace];
    assert_eq!(
        both.map(|nan| classified(nan, &points, &[]).0),
        [Label::Nodata, Label::Low]
    );
    assert_eq!(
        both.map(|nan| classified(nan, &[], &points).0),
        [Label::Nodata, Label::High]
    );

    let few = "4 and 4 points in canary and baseline, 5 needed".to_owned();
    assert_eq!(
        classified(NanStrategy::Replace, &[], &points[..4]),
        (Label::Nodata, few)
    );
    assert_eq!(
        classified(NanStrategy::Replace, &[], &[]).0,
        Label::Nodata,
        "no data is never a pass"
    );
}

#[test]
fn an_infinite_value_of_either_side_is_an_error() {
    let points = [1.0, 2.0, 3.0, 4.0, 5.0];
    let broken = [1.0, f64::INFINITY, 3.0, 4.0, 5.0];
    let error = (Label::Error, "a value is infinite".to_owned());
    assert_eq!(classified(NanStrategy::Remove, &points, &broken), error);
    assert_eq!(classified(NanStrategy::Remove, &broken, &points), error);
}

#[test]
fn each_pair_of_a_metric_is_judged_and_a_metric_without_one_has_no_data() {
    let points = [1.0, 2.0, 3.0, 4.0, 5.0];
    let pairs = [
        pair("errors", &points, &points),
        pair("errors", &[1.0; 5], &[9.0; 5]),
    ];
    let report = judge(&config(NanStrategy::Remove), &pairs, Timing::Final).unwrap();
    let found: Vec<(&str, Label)> = report
        .results
        .iter()
        .map(|result| (result.name.as_str(), result.classification.label))
        .collect();

    assert_eq!(
        found,
        [
            ("errors", Label::Pass),
            ("errors", Label::High),
            ("cpu", Label::Nodata)
        ]
    );

    let unknown = judge(
        &config(NanStrategy::Remove),
        &[pair("disk", &[], &[])],
        Timing::Final,
    )
    .unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "failed to read the metric pairs: [0].name: found \"disk\"; expected errors, cpu"
    );
}

#[test]
fn files_of_other_tools_and_broken_ones_are_named() {
    let refused = |config: &str, pairs: &str| report(config, pairs).unwrap_err().to_string();
    assert_eq!(
        refused("apiVersion: argoproj.io/v1alpha1\nkind: Rollout\n", "[]"),
        "failed to read the canary config: kind: found Rollout in YAML; expected a canary config \
         of Kayenta in JSON, which has no kind"
    );
    assert!(refused("{", "[]").starts_with("failed to parse the canary config: EOF"));
    assert!(refused(CONFIG, "[").starts_with("failed to parse the metric pairs: EOF"));
    assert!(
        refused("{}", "[]").starts_with("failed to read the canary config: metrics: found nothing")
    );
    assert!(
        refused(CONFIG, "{}")
            .starts_with("failed to read the metric pairs: document: found {}; expected an array")
    );
    assert!(report(CONFIG, "[]").unwrap().ends_with("}\n"));
}
