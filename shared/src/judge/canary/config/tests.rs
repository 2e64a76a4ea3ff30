//! Settings are read strictly, and each has a default.

use serde_json::json;

use super::*;

fn refused(value: &Value) -> String {
    JudgeConfig::from_json(value).unwrap_err().to_string()
}

#[test]
fn an_empty_object_is_the_defaults() {
    let config = JudgeConfig::from_json(&json!({})).unwrap();
    assert_eq!(config, JudgeConfig::default());
    assert_eq!((config.end, config.min_minutes, config.warm_up), (60, 5, 3));
    assert_eq!((config.alpha, config.alpha_exam), (0.005, 0.005));
}

#[test]
fn every_field_is_read() {
    let config = JudgeConfig::from_json(&json!({
        "alpha": 0.01, "steps": [1, 9], "share": 0.25, "latency": "watch", "sticky": true,
        "clump_errors": 2.5, "clump_4xx": null, "end": 30,
        "values": [{"name": "depth", "worse": "less", "tolerance": 1.5, "least": 5}],
    }))
    .unwrap();
    let expected = JudgeConfig {
        alpha: 0.01,
        steps: vec![1, 9],
        share: Some(0.25),
        latency: LatencyMode::Watch,
        sticky: true,
        clump_errors: Some(2.5),
        end: 30,
        values: vec![SeriesSpec {
            name: "depth".to_owned(),
            worse: Worse::Less,
            tolerance: 1.5,
            least: 5.0,
        }],
        ..JudgeConfig::default()
    };
    assert_eq!(config, expected);
}

#[test]
fn a_refusal_names_the_field_and_what_is_expected() {
    let cases = [
        (
            json!({"alpha": 0.7}),
            "alpha: found 0.7; expected 0.000000000001 to 0.5",
        ),
        (
            json!({"steps": []}),
            "steps: found []; expected minutes in ascending order",
        ),
        (
            json!({"steps": [2, 9]}),
            "steps: found [2,9]; expected minutes in ascending",
        ),
        (json!({"steps": [1, 9, 9]}), "steps: found [1,9,9]"),
        (
            json!({"min_minutes": 0}),
            "min_minutes: found 0; expected 1 minute or more",
        ),
        (
            json!({"end": 0}),
            "end: found 0; expected 1 to 21600 minutes",
        ),
        (
            json!({"latency": "on"}),
            "latency: found \"on\"; expected judge, watch, off",
        ),
        (
            json!({"w_errors": 0, "w_4xx": 0}),
            "w_errors: found 0; expected above 0, or",
        ),
        (
            json!({"dispersion_errors": 2}),
            "dispersion_errors: found 2; expected `clump_errors`",
        ),
        (
            json!({"values": [{"worse": "less"}]}),
            "values[0].name: found nothing; expected a str",
        ),
        (
            json!({"tao": 1}),
            "tao: found an unknown field; expected alpha, ",
        ),
    ];
    for (value, expected) in cases {
        let message = refused(&value);
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn a_sticky_rule_only_watches_latency() {
    let mode = |value| JudgeConfig::from_json(&value).unwrap().latency_mode();
    assert_eq!(mode(json!({})), LatencyMode::Judge);
    assert_eq!(mode(json!({"sticky": true})), LatencyMode::Watch);
    assert_eq!(
        mode(json!({"sticky": true, "latency": "off"})),
        LatencyMode::Off
    );
}

#[test]
fn the_raise_of_a_minute_is_the_last_one_that_has_begun() {
    let config = JudgeConfig {
        steps: vec![1, 9, 17],
        ..JudgeConfig::default()
    };
    let raises = [1, 8, 9, 16, 17, 60].map(|now| config.step_at(now));
    assert_eq!(raises, [1, 1, 9, 9, 17, 17]);
    assert_eq!(config.last_step(), 17);
}
