use super::*;
use serde_json::json;

fn config() -> Value {
    json!({
        "metrics": [{
            "name": "errors", "query": {"type": "cloudwatch"}, "groups": ["a", "b"],
            "analysisConfigurations": {"canary": {
                "direction": "increase", "nanStrategy": "replace", "critical": true, "muted": true, "mustHaveData": true,
                "effectSize": {"measure": "cles", "allowedIncrease": 0.6, "allowedDecrease": 0.4,
                    "criticalIncrease": 0.9, "criticalDecrease": 0.1},
                "outliers": {"strategy": "remove", "outlierFactor": 2.5},
            }},
        }],
        "classifier": {"groupWeights": {"a": 70, "b": 30}, "scoreThresholds": {"pass": 90, "marginal": 90}},
    })
}

/// What is said about the config with a change; nothing where it is taken.
fn said(pointer: &str, value: Value) -> String {
    let mut config = config();
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    config.pointer_mut(parent).unwrap()[field] = value;
    KayentaConfig::from_json(&config)
        .map_err(|error| error.to_string())
        .err()
        .unwrap_or_default()
}

#[test]
fn every_field_of_a_config_is_read() {
    let read = KayentaConfig::from_json(&config()).unwrap();
    let analysis = Analysis {
        direction: Direction::Increase,
        nan_strategy: NanStrategy::Replace,
        critical: true,
        must_have_data: true,
        measure: EffectMeasure::CommonLanguage,
        allowed: (0.4, 0.6),
        critical_effect: (0.1, 0.9),
    };
    let metric = MetricConfig {
        name: "errors".to_owned(),
        groups: vec!["a".to_owned(), "b".to_owned()],
        analysis,
        muted: true,
        outliers: OutlierStrategy::Remove { factor: 2.5 },
    };
    let group_weights = [("a".to_owned(), 70.0), ("b".to_owned(), 30.0)].into();
    assert_eq!(
        read,
        KayentaConfig {
            metrics: vec![metric],
            group_weights,
            pass: 90.0,
            marginal: 90.0
        }
    );
}

#[test]
fn what_is_left_out_has_kayentas_defaults() {
    let mut bare = config();
    bare["metrics"][0]["analysisConfigurations"] =
        json!({"canary": {"outliers": {"strategy": "remove"}}});
    let read = KayentaConfig::from_json(&bare).unwrap().metrics.remove(0);
    assert_eq!((read.analysis, read.muted), (Analysis::default(), false));
    assert_eq!(read.outliers, OutlierStrategy::Remove { factor: 3.0 });
    bare["metrics"][0]["analysisConfigurations"] =
        json!({"canary": {"effectSize": {"measure": "cles"}, "outliers": {}}});
    let read = KayentaConfig::from_json(&bare).unwrap().metrics.remove(0);
    assert_eq!(
        (read.analysis.allowed, read.analysis.critical_effect),
        ((0.5, 0.5), (0.5, 0.5))
    );
    assert_eq!(read.outliers, OutlierStrategy::Keep);
}

#[test]
fn what_kayenta_would_read_otherwise_is_refused() {
    let canary = "/metrics/0/analysisConfigurations/canary";
    let refused = [
        (
            said("/judge", json!({"name": "OtherJudge"})),
            "judge.name: found \"OtherJudge\"; legal: NetflixACAJudge-v1.0, dredd-v1.0",
        ),
        (
            said(
                "/judge",
                json!({"name": "dredd-v1.0", "judgeConfigurations": {"tolerance": 0.3}}),
            ),
            "judge.judgeConfigurations.tolerance: found an unknown field; legal: ",
        ),
        (
            said("/configVersion", json!("2")),
            "configVersion: found \"2\"; legal: 1.0, 1",
        ),
        (
            said("/configVersion", json!(2)),
            "configVersion: found 2; legal: 1.0, 1",
        ),
        (
            said("/services", json!({})),
            "services: found {}; legal: nothing; an older format had it",
        ),
        (
            said("/metrics/0/service", json!("x")),
            "metrics[0].service: found \"x\"; legal: nothing; an older",
        ),
        (
            said("/metrics/0/extensions", json!({})),
            "metrics[0].extensions: found {}; legal: nothing; it is now called",
        ),
        (
            said("/metrics/0/groups", json!([])),
            "metrics[0].groups: found []; legal: at least one group",
        ),
        (
            said("/metrics/0/query", json!({})),
            "metrics[0].query.type: found nothing; legal: a string",
        ),
        (
            said("/metrics/0/scopeName", json!("east")),
            "metrics[0].scopeName: found \"east\"; legal: default",
        ),
        (
            said("/classifier/groupWeights/c", json!(1)),
            "classifier.groupWeights.c: found 1; legal: a group that a metric is in",
        ),
        (
            said("/classifier/groupWeights/b", json!(29.8)),
            "classifier.groupWeights: found",
        ),
        (
            said("/classifier/groupWeights/b", json!(30.2)),
            "classifier.groupWeights: found",
        ),
        (
            said("/classifier/groupWeights/b", json!(-1)),
            "classifier.groupWeights.b: found -1; legal: 0 to 100",
        ),
        (
            said("/classifier/scoreThresholds/marginal", json!(90.1)),
            "classifier.scoreThresholds.marginal: found 90.1; legal: at most pass, which is 90",
        ),
        (
            said("/classifier/scoreThresholds/pass", json!(101)),
            "classifier.scoreThresholds.pass: found 101; legal: 0 to 100",
        ),
        (
            said(&format!("{canary}/effectSize/allowedIncrease"), json!(1.1)),
            "metrics[0].analysisConfigurations.canary.effectSize.allowedIncrease: found 1.1; legal: 0 to 1",
        ),
        (
            said(&format!("{canary}/outliers/outlierFactor"), json!(0)),
            "metrics[0].analysisConfigurations.canary.outliers.outlierFactor: found 0; legal: a number above 0",
        ),
        (
            said(&format!("{canary}/outliers/outlierFactor"), json!(-1)),
            "metrics[0].analysisConfigurations.canary.outliers.outlierFactor: found -1; legal: a number, 0 or more",
        ),
    ];
    for (found, expected) in refused {
        assert!(
            found.starts_with(expected),
            "{found:?} does not start with {expected:?}"
        );
    }
}

#[test]
fn versions_weights_and_thresholds_are_taken_as_kayenta_writes_them() {
    let taken = [
        said("/configVersion", json!("1")),
        said("/configVersion", json!("1.0")),
        said("/configVersion", json!(1)),
        said(
            "/judge",
            json!({"name": "NetflixACAJudge-v1.0", "judgeConfigurations": {}}),
        ),
        said("/metrics/0/scopeName", json!("default")),
        said("/classifier/groupWeights/b", json!(29.95)),
        said("/classifier/groupWeights/b", json!(30.05)),
        said("/classifier/groupWeights", json!({"a": 40})),
        said("/classifier/scoreThresholds/marginal", json!(0)),
        said("/description", json!("of a service")),
    ];
    assert_eq!(taken, [""; 10]);
}
