use super::*;
use serde_json::json;

#[test]
fn an_empty_object_is_the_defaults() {
    assert_eq!(
        JudgeConfig::from_json(&json!({})),
        Ok(JudgeConfig::default())
    );
}

#[test]
fn typos_and_numbers_out_of_range_are_refused() {
    let error = JudgeConfig::from_json(&json!({"alhpa": 0.01})).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("alhpa: found an unknown field; expected alpha, alpha_exam,"),
        "{error}"
    );

    let error = JudgeConfig::from_json(&json!({"tau": 0.9})).unwrap_err();
    assert_eq!(error.to_string(), "tau: found 0.9; expected 1 to 1000");

    let error = JudgeConfig::from_json(&json!({"end": 0})).unwrap_err();
    assert_eq!(
        error.to_string(),
        "end: found 0; expected 1 to 21600 minutes"
    );
}

#[test]
fn errors_take_all_of_alpha_when_there_is_no_latency() {
    let config = JudgeConfig::default();
    let weights = |ms: &[f64]| {
        config
            .metrics(ms)
            .iter()
            .map(|metric| metric.weight)
            .collect::<Vec<_>>()
    };

    assert_eq!(weights(&[]), [1.0]);
    assert_eq!(
        weights(&[150.0, 216.0, 404.0, 606.0]),
        [0.5, 0.125, 0.125, 0.125, 0.125]
    );
}

#[test]
fn each_setting_is_taken_at_its_limits_and_refused_beyond() {
    let limits: [(&str, f64, f64); 11] = [
        ("alpha", 1e-12, 0.5),
        ("alpha_exam", 0.0, 0.5),
        ("alpha_promote", 1e-12, 0.5),
        ("tau", 1.0, 1e3),
        ("eps", 0.0, 1.0),
        ("tau_promote", 1.0, 1e3),
        ("eps_promote", 0.0, 1.0),
        ("w_errors", 1e-6, 1.0),
        ("w_latency", 1e-6, 1.0),
        ("dispersion_errors", 1.0, 1e3),
        ("dispersion_latency", 1.0, 1e3),
    ];

    for (name, low, high) in limits {
        let read = |number: f64| JudgeConfig::from_json(&json!({ name: number }));
        for number in [low, high] {
            let stored = serde_json::to_value(number).unwrap();
            assert!(read(number).is_ok(), "{name} {stored}");
        }

        for number in [low - 1e-13, high * 1.000_001, -1.0] {
            let error = read(number).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("{name}: found {}; expected {low} to {high}", json!(number))
            );
        }
    }

    assert_eq!(
        JudgeConfig::from_json(&json!({"end": 21_600})).map(|config| config.end),
        Ok(21_600)
    );
    assert!(JudgeConfig::from_json(&json!({"end": 21_601})).is_err());
}

#[test]
fn every_setting_that_is_given_is_used() {
    let given = json!({
        "alpha": 0.01, "alpha_exam": 0.02, "alpha_promote": 0.03,
        "tau": 1.4, "eps": 0.05, "tau_promote": 1.6, "eps_promote": 0.07,
        "w_errors": 0.08, "w_latency": 0.09,
        "dispersion_errors": 10.0, "dispersion_latency": 11.0,
        "min_bad": 12, "min_minutes": 13, "end": 14,
    });
    let expected = JudgeConfig {
        alpha: 0.01,
        alpha_exam: 0.02,
        alpha_promote: 0.03,
        tau: 1.4,
        eps: 0.05,
        tau_promote: 1.6,
        eps_promote: 0.07,
        w_errors: 0.08,
        w_latency: 0.09,
        dispersion_errors: 10.0,
        dispersion_latency: 11.0,
        min_bad: 12,
        min_minutes: 13,
        end: 14,
    };

    assert_eq!(JudgeConfig::from_json(&given), Ok(expected));
}

#[test]
fn the_promised_error_rates_are_the_defaults() {
    let default = JudgeConfig::default();
    assert_eq!(
        (default.alpha, default.alpha_exam, default.alpha_promote),
        (0.005, 0.005, 0.05)
    );
    assert_eq!(
        (
            default.tau,
            default.eps,
            default.tau_promote,
            default.eps_promote
        ),
        (1.1, 1e-4, 2.0, 1e-3)
    );
    assert_eq!(
        (default.min_bad, default.min_minutes, default.end),
        (3, 5, 30)
    );
    assert_eq!(
        (default.dispersion_errors, default.dispersion_latency),
        (1.0, 1.0)
    );
}

#[test]
fn errors_and_each_threshold_are_judged_by_their_own_settings() {
    let config = JudgeConfig {
        dispersion_errors: 2.0,
        dispersion_latency: 3.0,
        tau: 1.2,
        eps: 2e-4,
        tau_promote: 2.5,
        eps_promote: 3e-3,
        ..JudgeConfig::default()
    };
    let latency = |index: usize, label: &str, promotes: bool| MetricSpec {
        name: format!("latency[{index}]"),
        label: label.to_owned(),
        weight: 0.125,
        tolerance: 1.0,
        floor: None,
        dispersion: 3.0,
        promotion: promotes.then_some(Promotion {
            tolerance: 1.0,
            floor: None,
        }),
    };
    let errors = MetricSpec {
        name: "errors".to_owned(),
        label: "5xx".to_owned(),
        weight: 0.5,
        tolerance: 1.2,
        floor: Some(2e-4),
        dispersion: 2.0,
        promotion: Some(Promotion {
            tolerance: 2.5,
            floor: Some(3e-3),
        }),
    };

    assert_eq!(
        config.metrics(&[150.0, 216.0, 404.0, 606.0]),
        [
            errors,
            latency(0, "slower than 150 ms (canary 165 ms)", false),
            latency(1, "slower than 216 ms (canary 238 ms)", true),
            latency(2, "slower than 404 ms (canary 444 ms)", true),
            latency(3, "slower than 606 ms (canary 667 ms)", false),
        ]
    );
}
