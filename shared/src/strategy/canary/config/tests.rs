//! Which files of settings are accepted, and how the others are refused.

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
        "dimensions": {"ServiceName": "{service}"}, "value": "MemoryUtilized", "worse": "more"
    })
}

/// A metric with another value of one field.
fn with(mut metric: Value, field: &str, value: Value) -> Value {
    metric[field] = value;
    metric
}

#[track_caller]
fn refused(metrics: Value, expected: &str) {
    let message = read(json!({ "metrics": metrics })).expect_err("refused");
    let message = message
        .strip_prefix("`Config::canary.json`: ")
        .expect("it names the file");
    assert!(message.starts_with(expected), "{message}");
}

#[test]
fn counts_are_judged_and_series_of_values_object() {
    let settings = settings(json!([orders(), memory()]));
    let counts = settings.counts();
    assert_eq!(counts.len(), 1);
    assert_eq!((counts[0].name.as_str(), counts[0].weight), ("orders", 0.2));
    assert_eq!((counts[0].tolerance, counts[0].dispersion), (1.1, None));

    let series = settings.series();
    assert_eq!(series.len(), 1);
    assert_eq!(
        (series[0].name.as_str(), series[0].tolerance),
        ("memory", 1.25)
    );
}

#[test]
fn every_field_of_a_metric_is_read() {
    let count = json!({
        "name": "refunds", "namespace": "Shop", "dimensions": {"C": "{colour}"},
        "count": "Refunds", "total": "Orders", "worse": "more", "weight": 0.3, "tolerance": 1.3,
        "floor": 0.01, "dispersion": 4, "promote_tolerance": 3, "promote_floor": 0.02
    });
    let expected = OwnCount {
        name: "refunds".to_owned(),
        weight: 0.3,
        tolerance: 1.3,
        floor: Some(0.01),
        dispersion: Some(4.0),
        promote_tolerance: Some(3.0),
        promote_floor: Some(0.02),
    };
    assert_eq!(settings(json!([count])).counts(), [expected]);

    let value = with(with(memory(), "tolerance", json!(1.5)), "least", json!(64));
    let series = settings(json!([value])).series();
    assert_eq!((series[0].tolerance, series[0].least), (1.5, 64.0));
}

#[test]
fn settings_of_the_judge_are_read_by_the_judge() {
    let judge = read(json!({"judge": {"tau": 1.3}}))
        .expect("accepted")
        .judge;
    assert_eq!(judge.tau, 1.3);
    let message = read(json!({"judge": {"tao": 1.3}})).expect_err("refused");
    assert!(
        message.contains("judge.tao: found an unknown field"),
        "{message}"
    );
    let series = json!({"judge": {"values": [{"name": "memory"}]}});
    let message = read(series).expect_err("refused");
    assert!(
        message.contains("judge.values: found in the file"),
        "{message}"
    );
}

#[test]
fn refusals_name_field_found_and_expected() {
    let of = |field: &str, value: Value| json!([with(orders(), field, value)]);
    refused(
        of("weight", json!(0)),
        "metrics[0].weight: found 0; expected 0.000001 to 10",
    );
    refused(
        of("tolerance", json!(0.9)),
        "metrics[0].tolerance: found 0.9; expected 1 to 1000",
    );
    refused(
        of("floor", json!(2)),
        "metrics[0].floor: found 2; expected 0 to 1",
    );
    refused(
        of("dispersion", json!(0.5)),
        "metrics[0].dispersion: found 0.5; expected 1 to",
    );
    refused(
        of("least", json!(4)),
        "metrics[0].least: found beside `count`; expected beside",
    );
    refused(
        of("worse", json!("fewer")),
        "metrics[0].worse: unknown variant `fewer`",
    );
    refused(
        of("name", json!(" ")),
        "metrics[0].name: found nothing; expected a name",
    );
    refused(
        of("dimensions", json!({"A": "b"})),
        "metrics[0].dimensions: the values are the same",
    );
    refused(
        of("total", Value::Null),
        "metrics[0].count: expected `count` and `total`",
    );
}

#[test]
fn names_of_metrics_and_their_number_are_bounded() {
    let of = |field: &str, value: Value| json!([with(orders(), field, value)]);
    refused(
        json!([orders(), orders()]),
        "metrics: two are named `orders`; expected names",
    );
    refused(
        json!(vec![orders(); 11]),
        "metrics: found 11; expected at most 10",
    );
    for field in ["weight", "floor", "dispersion", "promote_tolerance"] {
        let value = with(memory(), field, json!(1));
        refused(
            json!([value]),
            "metrics[0].value: `weight`, `floor`, `dispersion` and `promote_",
        );
    }
    for name in ["errors", "4xx", "latency", "latency[0]", "own[1]"] {
        let message = format!("metrics[0].name: found \"{name}\"; expected up to 60 characters");
        refused(of("name", json!(name)), &message);
    }

    let long = "n".repeat(61);
    let message = format!("metrics[0].name: found \"{long}\"; expected up to 60 characters");
    refused(of("name", json!(long)), &message);
    let longest = "n".repeat(60);
    let taken = settings(of("name", json!(longest)));
    assert_eq!(taken.counts()[0].name, longest);
}

#[test]
fn a_metric_has_no_name_of_a_further_source() {
    let taken = ["dead-letters".to_owned()].into();
    let named = |name: &str| {
        let metric = with(orders(), "name", json!(name));
        let file: CustomFile = serde_json::from_value(metric).expect("a metric");
        file.validated(3, &taken).map(|metric| metric.name)
    };
    assert!(named("dead-letters").is_err());
    assert_eq!(named("letters"), Ok("letters".to_owned()));
}

#[test]
fn an_unknown_field_and_what_is_no_object_are_refused_with_what_is_expected() {
    let unknown = read(json!({"judge": {}, "metric": []})).expect_err("refused");
    let expected =
        "`Config::canary.json`: unknown field `metric`, expected one of `judge`, `metrics`";
    assert!(unknown.starts_with(expected), "{unknown}");
    assert_eq!(
        read(json!([])).expect_err("refused"),
        "`Config::canary.json`: found an array; expected a JSON object"
    );
}
