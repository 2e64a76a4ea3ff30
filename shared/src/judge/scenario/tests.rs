use super::*;
use serde_json::json;

const THRESHOLDS: [f64; 4] = [150.0, 216.0, 404.0, 606.0];

fn line(thresholds: &[f64], minutes: &Value) -> String {
    let scenario = json!({
        "v": 1, "id": "a", "config": {"end": 9}, "thresholds_ms": thresholds, "minutes": minutes,
    });
    scenario.to_string()
}

fn side(requests: u64, bad: Option<u64>) -> SideCounts {
    SideCounts {
        requests: Some(requests),
        bad,
    }
}

#[test]
fn a_reading_has_what_the_minute_has_of_its_metric() {
    let minutes = json!([{
        "t": 3, "c": {"n": 60, "bad": 1, "slow_r": [9, 8, 7, 6], "slow_p": [5, 4, 3, null]},
        "b": {"n": 540, "bad": 2, "slow": [19, 18, null, 16]},
    }]);
    let scenario = Scenario::from_json(&line(&THRESHOLDS, &minutes)).unwrap();

    assert_eq!(
        (
            scenario.id.as_str(),
            scenario.config.end,
            scenario.thresholds_ms.as_slice()
        ),
        ("a", 9, &THRESHOLDS[..])
    );

    let reading = |canary, baseline, promote| Reading {
        canary: side(60, canary),
        baseline: side(540, baseline),
        canary_bad_promote: promote,
    };
    let found: Vec<Reading> = (0..5)
        .map(|metric| scenario.visible(3, metric, 3))
        .collect();

    assert_eq!(
        found,
        [
            reading(Some(1), Some(2), Some(1)),
            reading(Some(9), Some(19), Some(5)),
            reading(Some(8), Some(18), Some(4)),
            reading(Some(7), None, Some(3)),
            reading(Some(6), Some(16), None),
        ]
    );
    assert_eq!(
        scenario.visible(2, 0, 3),
        Reading::default(),
        "a minute that is not there is unknown"
    );
}

#[test]
fn each_field_becomes_visible_in_its_own_minute() {
    let minute = |seen: Value| {
        json!([{
            "t": 1, "seen": seen,
            "c": {"n": 60, "bad": 1, "slow_r": [1, 1, 1, 1], "slow_p": [1, 1, 1, 1]},
            "b": {"n": 540, "bad": 2, "slow": [2, 2, 2, 2]},
        }])
    };
    type Read = fn(&Reading) -> Option<u64>;

    let hidden: [(&str, usize, Read); 8] = [
        ("c.n", 0, |reading| reading.canary.requests),
        ("c.bad", 0, |reading| reading.canary.bad),
        ("c.bad", 0, |reading| reading.canary_bad_promote),
        ("b.n", 0, |reading| reading.baseline.requests),
        ("b.bad", 0, |reading| reading.baseline.bad),
        ("c.slow_r", 2, |reading| reading.canary.bad),
        ("c.slow_p", 2, |reading| reading.canary_bad_promote),
        ("b.slow", 2, |reading| reading.baseline.bad),
    ];

    for (field, metric, value) in hidden {
        let scenario =
            Scenario::from_json(&line(&THRESHOLDS, &minute(json!({ field: 4 })))).unwrap();
        let at = |now: u32| value(&scenario.visible(1, metric, now)).is_some();
        assert_eq!(
            [at(1), at(3), at(4), at(5)],
            [false, false, true, true],
            "{field}"
        );
    }
}

/// A minute without anything to object to.
fn minute() -> Value {
    json!({"t": 1, "c": {"n": 60, "bad": 1}, "b": {"n": 540, "bad": 2}})
}

#[track_caller]
fn refusal(thresholds: &[f64], minutes: &Value) -> String {
    Scenario::from_json(&line(thresholds, minutes))
        .expect_err("not a scenario")
        .to_string()
}

#[test]
fn minutes_that_do_not_hold_what_they_should_are_refused() {
    assert!(Scenario::from_json(&line(&[], &json!([minute()]))).is_ok());

    type Spoil = fn(&mut Value);

    let refused: [(Spoil, &str); 6] = [
        (
            |minute| minute["t"] = json!(0),
            "minutes[0].t: found 0; expected a minute from 1 that is not there yet",
        ),
        (
            |minute| minute["c"]["p50"] = json!("fast"),
            "minutes[0].c.p50: found \"fast\"; expected a number",
        ),
        (
            |minute| minute["b"]["p99"] = json!(true),
            "minutes[0].b.p99: found true; expected a number",
        ),
        (
            |minute| minute["seen"] = json!({"c.bad": -1}),
            "minutes[0].seen.c.bad: found -1; expected a whole number",
        ),
        (
            |minute| minute["b"]["slow_r"] = json!([]),
            "minutes[0].b.slow_r: found an unknown field",
        ),
        (
            |minute| minute["c"]["bad"] = json!(61),
            "minute 1, canary: 61 bad of 60 requests",
        ),
    ];

    for (change, expected) in refused {
        let mut minute = minute();
        change(&mut minute);

        let error = refusal(&[], &json!([minute]));
        assert!(
            error.starts_with(&format!("failed to read the scenario: {expected}")),
            "{error}"
        );
    }
}

#[test]
fn thresholds_other_than_four_rising_ones_are_refused() {
    let expected = "4 positive numbers in ascending order, or none";

    for thresholds in [
        &[1.0, 2.0, 3.0][..],
        &[1.0, 2.0, 3.0, 4.0, 5.0],
        &[2.0, 1.0, 3.0, 4.0],
        &[0.0, 1.0, 2.0, 3.0],
    ] {
        let error = refusal(thresholds, &json!([]));
        assert!(
            error.starts_with("failed to read the scenario: thresholds_ms: found [")
                && error.ends_with(expected),
            "{error}"
        );
    }
}

#[test]
fn slow_requests_are_counted_once_for_each_threshold() {
    for count in [3, 5] {
        let mut minute = minute();
        minute["c"]["slow_p"] = json!(vec![1; count]);

        let error = refusal(&THRESHOLDS, &json!([minute]));
        assert!(
            error.ends_with("expected 4 counts, one for each of thresholds_ms"),
            "{error}"
        );
    }
}
