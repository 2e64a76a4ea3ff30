//! Which files of settings are accepted, and how the others are refused.

mod beside;

use super::*;
use serde_json::json;

fn read(file: Value) -> Result<Settings, String> {
    Settings::read(file.to_string().as_bytes(), "Config::canary.json")
        .map_err(|failure| failure.message)
}

pub(crate) fn settings(metrics: Value) -> Settings {
    read(json!({ "metrics": metrics })).expect("accepted")
}

pub(crate) fn orders() -> Value {
    json!({
        "name": "orders", "namespace": "Shop", "dimensions": {"Service": "{service}"},
        "count": "Orders", "total": "Carts", "worse": "less", "weight": 0.2
    })
}

pub(crate) fn memory() -> Value {
    json!({
        "name": "memory", "namespace": "ECS/ContainerInsights",
        "dimensions": {"ServiceName": "{service}"}, "value": "MemoryUtilized", "worse": "more",
        "weight": 0.1
    })
}

#[test]
fn metrics_of_a_user_take_their_share_from_the_built_in_ones() {
    let settings = settings(json!([orders(), memory()]));
    let thresholds_ms = [60.0, 90.0, 200.0, 300.0];
    let specs = settings.metrics(&thresholds_ms);
    let bare = Settings::default().metrics(&thresholds_ms);
    let taken: Vec<f64> = bare
        .iter()
        .zip(&specs)
        .take(5)
        .map(|(bare, spec)| ((bare.weight - spec.weight) * 1e4).round() / 1e4)
        .collect();

    assert_eq!(taken, [0.15, 0.0375, 0.0375, 0.0375, 0.0375]);
    assert_eq!((specs[5].name.as_str(), specs[5].weight), ("orders", 0.2));
    assert_eq!(
        settings
            .values()
            .map(|(index, custom)| (index, custom.name.as_str()))
            .collect::<Vec<_>>(),
        [(1, "memory")]
    );
}

#[test]
fn settings_of_the_judge_are_read_by_the_judge() {
    assert_eq!(
        read(json!({"judge": {"tau": 1.3}}))
            .expect("accepted")
            .judge
            .tau,
        1.3
    );
    assert_eq!(read(json!({})), Ok(Settings::default()));
}

/// Files that are refused, each with a part of the message.
fn refused_files() -> [(Value, &'static str); 9] {
    let with = |field: &str, value: Value| {
        let mut metric = orders();
        metric[field] = value;
        json!({ "metrics": [metric] })
    };

    [
        (
            json!({"judge": {"tua": 1.3}}),
            "judge.tua: found an unknown field; expected alpha",
        ),
        (json!({"metric": []}), "unknown field `metric`"),
        (
            with("worse", json!("up")),
            "metrics[0].worse: unknown variant `up`, expected `more` or `less`",
        ),
        (
            with("weight", json!(0.95)),
            "metrics[0].weight: found 0.95; expected 0.000001 to ",
        ),
        (
            with("dimensions", json!({"Service": "shop"})),
            "metrics[0].dimensions: the values are the same for both colours",
        ),
        (
            with("value", json!("Latency")),
            "metrics[0].count: expected `count` and `total`",
        ),
        (
            with("name", json!("errors")),
            "metrics[0].name: found \"errors\"",
        ),
        (
            json!({"metrics": [orders(), orders()]}),
            "two are named `orders`",
        ),
        (
            json!({"metrics": [with("weight", json!(0.5))["metrics"][0], {
                "name": "b", "namespace": "S", "worse": "more", "dimensions": {"A": "{colour}"},
                "value": "V", "weight": 0.5
            }]}),
            "weights add up to 1",
        ),
    ]
}

#[test]
fn refusals_name_field_found_and_expected() {
    for (file, expected) in refused_files() {
        let message = read(file).expect_err("refused");
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_key_that_occurs_twice_is_refused_with_its_place() {
    for (file, key) in [
        (r#"{"judge":{"tau":1.3,"tau":1.9}}"#, "tau"),
        (r#"{"metrics":[],"metrics":[]}"#, "metrics"),
        (r#"{"metrics":[{"dimensions":{"A":"a","A":"b"}}]}"#, "A"),
    ] {
        let message = Settings::read(file.as_bytes(), "Config::canary.json")
            .expect_err("refused")
            .message;
        let expected = format!("`Config::canary.json`: the key `{key}` occurs twice at line 1 ");
        assert!(message.starts_with(&expected), "{message}");
    }
}

/// The metrics that [`every_field_of_a_metric_is_read`] writes as JSON.
fn custom_metrics() -> [CustomMetric; 2] {
    let dimensions = |name: &str, value: &str| [(name.to_owned(), value.to_owned())].into();
    [
        CustomMetric {
            name: "orders".to_owned(),
            namespace: "Shop".to_owned(),
            dimensions: dimensions("Colour", "{colour}"),
            kind: CustomKind::Count {
                count: "Orders".to_owned(),
                total: "Carts".to_owned(),
            },
            worse: Worse::More,
            weight: 0.2,
            tolerance: 1.3,
            floor: Some(0.01),
            dispersion: 2.5,
            promotion: Some(Promotion {
                tolerance: 1.8,
                floor: Some(0.02),
            }),
        },
        CustomMetric {
            name: "memory".to_owned(),
            namespace: "ECS".to_owned(),
            dimensions: dimensions("Group", "{target_group}"),
            kind: CustomKind::Value {
                value: "Memory".to_owned(),
                statistic: "p95".to_owned(),
            },
            worse: Worse::Less,
            weight: 0.05,
            tolerance: 1.1,
            floor: None,
            dispersion: 1.0,
            promotion: None,
        },
    ]
}

#[test]
fn every_field_of_a_metric_is_read() {
    let counted = json!({
        "name": "orders", "namespace": "Shop", "dimensions": {"Colour": "{colour}"},
        "count": "Orders", "total": "Carts", "worse": "more", "weight": 0.2, "tolerance": 1.3,
        "floor": 0.01, "dispersion": 2.5, "promote_tolerance": 1.8, "promote_floor": 0.02,
    });
    let valued = json!({
        "name": "memory", "namespace": "ECS", "dimensions": {"Group": "{target_group}"},
        "value": "Memory", "statistic": "p95", "worse": "less",
    });

    assert_eq!(settings(json!([counted, valued])).custom, custom_metrics());
}

#[test]
fn the_statistic_of_a_value_is_the_average_unless_given() {
    let CustomKind::Value { statistic, .. } = settings(json!([memory()])).custom.remove(0).kind
    else {
        panic!("a value")
    };
    assert_eq!(statistic, "Average");
}

#[test]
fn a_counted_metric_is_judged_by_its_own_numbers() {
    let mut metric = orders();
    for (field, value) in [
        ("tolerance", 1.3),
        ("floor", 0.01),
        ("dispersion", 2.5),
        ("promote_tolerance", 1.8),
        ("promote_floor", 0.02),
    ] {
        metric[field] = json!(value);
    }

    let spec = MetricSpec {
        name: "orders".to_owned(),
        label: "orders".to_owned(),
        weight: 0.2,
        tolerance: 1.3,
        floor: Some(0.01),
        dispersion: 2.5,
        promotion: Some(Promotion {
            tolerance: 1.8,
            floor: Some(0.02),
        }),
    };
    let settings = settings(json!([metric, memory()]));

    assert!(settings.metrics(&[]).contains(&spec));

    let errors = |settings: &Settings| settings.metrics(&[]).remove(0).weight;
    let taken = errors(&Settings::default()) - errors(&settings);
    assert!(
        (taken - 0.3).abs() < 1e-12,
        "the values have their share as well: {taken}"
    );
}

/// Fields of a count with JSON that they cannot have, and the refusal.
const IMPOSSIBLE_COUNTS: [(&str, &str, &str); 11] = [
    (
        "name",
        r#"" ""#,
        "metrics[0].name: found nothing; expected a name",
    ),
    (
        "namespace",
        r#""""#,
        "metrics[0].namespace: found nothing; expected a name",
    ),
    (
        "name",
        r#""latency[7]""#,
        "metrics[0].name: found \"latency[7]\"",
    ),
    (
        "weight",
        "0.0",
        "metrics[0].weight: found 0; expected 0.000001 to ",
    ),
    (
        "tolerance",
        "0.99",
        "metrics[0].tolerance: found 0.99; expected 1 to 1000",
    ),
    (
        "dispersion",
        "0.5",
        "metrics[0].dispersion: found 0.5; expected 1 to 1000",
    ),
    (
        "floor",
        "1.5",
        "metrics[0].floor: found 1.5; expected 0 to 1",
    ),
    (
        "promote_floor",
        "-0.1",
        "metrics[0].promote_floor: found -0.1; expected 0 to 1",
    ),
    (
        "promote_tolerance",
        "0.5",
        "metrics[0].promote_tolerance: found 0.5; expected 1 to 1000",
    ),
    (
        "total",
        "null",
        "metrics[0].count: expected `count` and `total`",
    ),
    (
        "statistic",
        r#""Sum""#,
        "metrics[0].count: expected `count` and `total`",
    ),
];

/// Fields of a value with JSON that they cannot have, and the refusal.
const IMPOSSIBLE_VALUES: [(&str, &str, &str); 5] = [
    (
        "total",
        r#""Carts""#,
        "metrics[0].count: expected `count` and `total`",
    ),
    ("floor", "0.1", ONLY_COUNTS),
    ("dispersion", "2", ONLY_COUNTS),
    ("promote_tolerance", "2", ONLY_COUNTS),
    ("promote_floor", "0.1", ONLY_COUNTS),
];

const ONLY_COUNTS: &str =
    "metrics[0].value: `floor`, `dispersion` and `promote_…` apply to counts only";

/// The refusal of a metric after one of its fields was changed; empty when it is accepted.
fn refusal(mut metric: Value, field: &str, value: Value) -> String {
    metric[field] = value;
    read(json!({ "metrics": [metric] }))
        .map(drop)
        .err()
        .unwrap_or_default()
}

#[test]
fn what_a_metric_cannot_be_is_refused() {
    let json = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    let counts = IMPOSSIBLE_COUNTS
        .map(|(field, value, expected)| (refusal(orders(), field, json(value)), expected));
    let values = IMPOSSIBLE_VALUES
        .map(|(field, value, expected)| (refusal(memory(), field, json(value)), expected));
    let long_name = (
        refusal(orders(), "name", json!("n".repeat(61))),
        "expected up to 60 characters, and not the name of a built-in metric",
    );

    for (found, expected) in counts.into_iter().chain(values).chain([long_name]) {
        assert!(
            found.starts_with("`Config::canary.json`: ") && found.contains(expected),
            "{found:?}: not {expected:?}"
        );
    }
}

/// Nine tenths of the error rate, less what further sources take.
fn most_weight() -> f64 {
    let most = Settings::default().taken().most_weight;
    assert!(0.0 < most && most <= CUSTOM_WEIGHT, "{most}");
    most
}

#[test]
fn a_metric_may_have_any_value_up_to_its_limits() {
    let taken = [
        refusal(orders(), "name", json!("n".repeat(60))),
        refusal(orders(), "weight", json!(most_weight())),
        refusal(orders(), "tolerance", json!(1.0)),
        refusal(orders(), "floor", json!(1.0)),
        refusal(memory(), "statistic", json!("Maximum")),
    ];

    assert_eq!(taken, [""; 5]);
}

#[test]
fn ten_metrics_and_nine_tenths_of_the_error_rate_are_the_most() {
    let metrics = |count: usize, weight: f64| {
        let metric = |index: usize| {
            let mut metric = orders();
            metric["name"] = json!(format!("m{index}"));
            metric["weight"] = json!(weight);
            metric
        };
        read(json!({ "metrics": (0..count).map(metric).collect::<Vec<_>>() }))
            .map(|settings| settings.custom.len())
    };

    assert_eq!(metrics(10, 0.05), Ok(10));
    assert!(
        metrics(11, 0.05)
            .unwrap_err()
            .contains("metrics: found 11; expected at most 10")
    );
    let most = most_weight();
    let expected = format!("metrics: weights add up to 0.92; expected at most {most}, because");
    assert_eq!(metrics(2, most / 2.0), Ok(2));
    assert_eq!(
        metrics(1, 0.95),
        Err(format!(
            "`Config::canary.json`: metrics[0].weight: found 0.95; expected 0.000001 to {most}"
        ))
    );
    assert!(metrics(2, 0.46).unwrap_err().contains(&expected));
}
