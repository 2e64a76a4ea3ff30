use super::*;
use serde_json::json;

fn config() -> Value {
    json!({
        "metrics": [{
            "name": "errors", "query": {"type": "cloudwatch"}, "groups": ["a", "b"],
            "analysisConfigurations": {"canary": {
                "direction": "increase", "nanStrategy": "replace", "critical": true,
                "muted": true, "mustHaveData": true,
                "effectSize": {"measure": "cles", "allowedIncrease": 0.6, "allowedDecrease": 0.4,
                    "criticalIncrease": 0.9, "criticalDecrease": 0.1},
                "outliers": {"strategy": "remove", "outlierFactor": 2.5},
            }},
        }],
        "classifier": {
            "groupWeights": {"a": 70, "b": 30}, "scoreThresholds": {"pass": 90, "marginal": 90},
        },
    })
}

/// The refusal of the config with one change; empty where it is accepted.
fn refusal(pointer: &str, value: Value) -> String {
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

/// Each refusal begins as expected.
#[track_caller]
fn assert_refused<const N: usize>(refused: [(String, &str); N]) {
    for (found, expected) in refused {
        assert!(
            found.starts_with(expected),
            "{found:?} does not start with {expected:?}"
        );
    }
}

#[test]
fn other_judges_and_versions_and_fields_of_older_formats_are_refused() {
    assert_refused([
        (
            refusal("/judge", json!({"name": "OtherJudge"})),
            "judge.name: found \"OtherJudge\"; expected NetflixACAJudge-v1.0, dredd-v1.0",
        ),
        (
            refusal(
                "/judge",
                json!({"name": "dredd-v1.0", "judgeConfigurations": {"tolerance": 0.3}}),
            ),
            "judge.judgeConfigurations.tolerance: found an unknown field; expected ",
        ),
        (
            refusal("/configVersion", json!("2")),
            "configVersion: found \"2\"; expected 1.0, 1",
        ),
        (
            refusal("/configVersion", json!(2)),
            "configVersion: found 2; expected 1.0, 1",
        ),
        (
            refusal("/services", json!({})),
            "services: found {}; expected nothing; an older format had it",
        ),
        (
            refusal("/metrics/0/service", json!("x")),
            "metrics[0].service: found \"x\"; expected nothing; an older",
        ),
        (
            refusal("/metrics/0/extensions", json!({})),
            "metrics[0].extensions: found {}; expected nothing; it is now called",
        ),
    ]);
}

#[test]
fn metrics_that_kayenta_would_read_otherwise_are_refused() {
    let canary = "/metrics/0/analysisConfigurations/canary";
    assert_refused([
        (
            refusal("/metrics/0/groups", json!([])),
            "metrics[0].groups: found []; expected at least one group",
        ),
        (
            refusal("/metrics/0/query", json!({})),
            "metrics[0].query.type: found nothing; expected a string",
        ),
        (
            refusal("/metrics/0/scopeName", json!("east")),
            "metrics[0].scopeName: found \"east\"; expected default",
        ),
        (
            refusal(&format!("{canary}/effectSize/allowedIncrease"), json!(1.1)),
            "metrics[0].analysisConfigurations.canary.effectSize.allowedIncrease: found 1.1; \
             expected 0 to 1",
        ),
        (
            refusal(&format!("{canary}/outliers/outlierFactor"), json!(0)),
            "metrics[0].analysisConfigurations.canary.outliers.outlierFactor: found 0; expected a \
             number above 0",
        ),
        (
            refusal(&format!("{canary}/outliers/outlierFactor"), json!(-1)),
            "metrics[0].analysisConfigurations.canary.outliers.outlierFactor: found -1; expected \
             a number, 0 or more",
        ),
    ]);
}

#[test]
fn weights_and_thresholds_that_kayenta_would_read_otherwise_are_refused() {
    assert_refused([
        (
            refusal("/classifier/groupWeights/c", json!(1)),
            "classifier.groupWeights.c: found 1; expected a group that a metric is in",
        ),
        (
            refusal("/classifier/groupWeights/b", json!(29.8)),
            "classifier.groupWeights: found",
        ),
        (
            refusal("/classifier/groupWeights/b", json!(30.2)),
            "classifier.groupWeights: found",
        ),
        (
            refusal("/classifier/groupWeights/b", json!(-1)),
            "classifier.groupWeights.b: found -1; expected 0 to 100",
        ),
        (
            refusal("/classifier/scoreThresholds/marginal", json!(90.1)),
            "classifier.scoreThresholds.marginal: found 90.1; expected at most pass, which is 90",
        ),
        (
            refusal("/classifier/scoreThresholds/pass", json!(101)),
            "classifier.scoreThresholds.pass: found 101; expected 0 to 100",
        ),
    ]);
}

#[test]
fn versions_weights_and_thresholds_are_taken_as_kayenta_writes_them() {
    let taken = [
        refusal("/configVersion", json!("1")),
        refusal("/configVersion", json!("1.0")),
        refusal("/configVersion", json!(1)),
        refusal(
            "/judge",
            json!({"name": "NetflixACAJudge-v1.0", "judgeConfigurations": {}}),
        ),
        refusal("/metrics/0/scopeName", json!("default")),
        refusal("/classifier/groupWeights/b", json!(29.95)),
        refusal("/classifier/groupWeights/b", json!(30.05)),
        refusal("/classifier/groupWeights", json!({"a": 40})),
        refusal("/classifier/scoreThresholds/marginal", json!(0)),
        refusal("/description", json!("of a service")),
    ];

    assert_eq!(taken, [""; 10]);
}

#[test]
fn a_request_to_kayenta_is_refused_with_the_file_that_is_meant() {
    let of = |body: Value| KayentaConfig::from_json(&body).expect_err("a request");
    let adhoc = json!({"canaryConfig": config(), "executionRequest": {"scopes": {}}});
    let error = of(adhoc);
    assert_eq!(error.field, "canaryConfig");
    assert_eq!(
        error.expected,
        "a canary config, not the body of POST /canary; give what its canaryConfig has"
    );

    let execution = json!({"scopes": {"default": {}}, "thresholds": {"pass": 90, "marginal": 75}});
    let error = of(execution);
    assert_eq!(error.field, "scopes");
    assert!(error.expected.contains("POST /canary/<id>"), "{error}");
}
