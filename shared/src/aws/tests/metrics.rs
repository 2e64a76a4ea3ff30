//! Series of CloudWatch, read whole or not at all, and alarms.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::script::{Answer, NOW, Script, cbor, run};
use crate::aws::{AwsError, ErrorKind, Metrics};
use crate::metrics::source::tests::key;
use crate::metrics::source::{CustomPart, Data, Key, MetricName, Query, Side, SourceMetric};
use crate::observed::alarm::Alarm;

/// The first minute that is read, since the Unix epoch.
const MINUTE: i64 = NOW / 60;

fn query(id: &str) -> Query {
    query_of(key(id))
}

fn query_of(key: Key) -> Query {
    let metric = MetricName {
        namespace: "AWS/ApplicationELB".to_owned(),
        name: "RequestCount".to_owned(),
        dimensions: vec![
            ("LoadBalancer".to_owned(), "app/shop/1".to_owned()),
            ("TargetGroup".to_owned(), "targetgroup/green/2".to_owned()),
        ],
    };

    Query {
        key,
        metric,
        statistic: "Sum".to_owned(),
        period_secs: 60,
    }
}

/// Values of the minutes from `first` on.
fn result(id: &str, status: &str, first: i64, values: &[f64]) -> Value {
    let times: Vec<i64> = (0..values.len() as i64)
        .map(|at| (MINUTE + first + at) * 60)
        .collect();
    json!({"Id": id, "StatusCode": status, "Timestamps": times, "Values": values})
}

fn page(results: &[Value], token: Option<&str>) -> Answer {
    let mut body = json!({ "MetricDataResults": results });
    if let Some(token) = token {
        body["NextToken"] = json!(token);
    }
    cbor(&body)
}

fn read(
    ids: &[&str],
    answers: impl IntoIterator<Item = Answer>,
) -> (Result<Data, AwsError>, Script) {
    let queries: Vec<Query> = ids.iter().map(|id| query(id)).collect();
    read_all(&queries, answers)
}

fn read_all(
    queries: &[Query],
    answers: impl IntoIterator<Item = Answer>,
) -> (Result<Data, AwsError>, Script) {
    let script = Script::new(answers);
    (
        run(Metrics::new(&script.sdk()).read(queries, MINUTE, MINUTE + 10)),
        script,
    )
}

fn points(points: &[(i64, f64)]) -> BTreeMap<i64, f64> {
    points
        .iter()
        .map(|(minute, value)| (MINUTE + minute, *value))
        .collect()
}

fn data(series: &[(&str, &[(i64, f64)])]) -> Data {
    series
        .iter()
        .map(|(id, all)| (key(id), points(all)))
        .collect()
}

#[test]
fn a_series_is_asked_for_by_its_minutes_and_read_by_them() {
    let (found, script) = read(
        &["c_n"],
        [page(&[result("c_n", "Complete", 0, &[5.0, 7.5])], None)],
    );
    assert_eq!(
        found.expect("whole"),
        data(&[("c_n", &[(0, 5.0), (1, 7.5)])])
    );
    assert_eq!(script.only().operation(), "GetMetricData");
    assert_eq!(
        script.only().cbor(),
        json!({
            "MetricDataQueries": [{
                "Id": "c_n",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/ApplicationELB",
                        "MetricName": "RequestCount",
                        "Dimensions": [
                            {"Name": "LoadBalancer", "Value": "app/shop/1"},
                            {"Name": "TargetGroup", "Value": "targetgroup/green/2"}
                        ]
                    },
                    "Period": 60,
                    "Stat": "Sum"
                },
                "ReturnData": true
            }],
            "StartTime": NOW as f64,
            "EndTime": (NOW + 600) as f64,
            "ScanBy": "TimestampAscending"
        })
    );
}

#[test]
fn every_page_of_every_series_is_read() {
    let (found, script) = read(
        &["c_n", "c_e", "b_n"],
        [
            page(&[result("c_n", "PartialData", 0, &[1.0])], Some("page-2")),
            page(
                &[
                    result("c_n", "Complete", 1, &[2.0]),
                    result("c_e", "PartialData", 0, &[3.0]),
                ],
                Some("page-3"),
            ),
            page(&[result("c_e", "Complete", 1, &[4.0])], None),
        ],
    );
    let expected: [(&str, &[(i64, f64)]); 3] = [
        ("c_n", &[(0, 1.0), (1, 2.0)]),
        ("c_e", &[(0, 3.0), (1, 4.0)]),
        ("b_n", &[]),
    ];

    assert_eq!(found.expect("whole"), data(&expected));

    let tokens: Vec<Value> = script
        .sent()
        .iter()
        .map(|sent| sent.cbor()["NextToken"].clone())
        .collect();
    assert_eq!(tokens, [json!(null), json!("page-2"), json!("page-3")]);
    assert_eq!(
        script.sent()[2].cbor()["MetricDataQueries"]
            .as_array()
            .map(Vec::len),
        Some(3)
    );
}

#[test]
fn a_series_that_stays_in_part_is_not_taken_for_whole() {
    for (status, kind, message, attempts) in [
        (
            "PartialData",
            ErrorKind::Busy,
            "the series c_n came as PartialData",
            3,
        ),
        (
            "InternalError",
            ErrorKind::Busy,
            "the series c_n came as InternalError",
            3,
        ),
        (
            "Forbidden",
            ErrorKind::Permission,
            "the series c_n may not be read",
            1,
        ),
    ] {
        let pages = vec![page(&[result("c_n", status, 0, &[1.0])], None); attempts];
        let error = read(&["c_n"], pages).0.expect_err(status);
        assert_eq!(
            (
                error.operation,
                error.kind,
                error.code.as_str(),
                error.message.as_str()
            ),
            ("cloudwatch:GetMetricData", kind, "IncompleteData", message)
        );
    }
}

#[test]
fn a_series_that_could_not_be_read_is_asked_for_again_by_itself() {
    let (found, script) = read(
        &["c_n", "b_n"],
        [
            page(
                &[
                    result("c_n", "InternalError", 0, &[]),
                    result("b_n", "PartialData", 0, &[3.0]),
                ],
                Some("page-2"),
            ),
            page(&[result("b_n", "Complete", 1, &[4.0])], None),
            page(&[result("c_n", "Complete", 0, &[1.0, 2.0])], None),
        ],
    );

    assert_eq!(
        found.expect("whole"),
        data(&[
            ("c_n", &[(0, 1.0), (1, 2.0)]),
            ("b_n", &[(0, 3.0), (1, 4.0)])
        ])
    );

    let again = script.sent()[2].cbor();
    assert_eq!(again["MetricDataQueries"].as_array().map(Vec::len), Some(1));
    assert_eq!(again["MetricDataQueries"][0]["Id"], json!("c_n"));
    assert_eq!(again["NextToken"], json!(null));
}

#[test]
fn a_series_without_points_is_there_and_one_that_was_not_asked_for_is_not() {
    let found = read(
        &["c_n"],
        [page(&[result("other", "Complete", 0, &[1.0])], None)],
    )
    .0;
    assert_eq!(found.expect("whole"), data(&[("c_n", &[])]));
}

#[test]
fn so_many_queries_and_pages_as_cloudwatch_takes_are_read_and_no_more() {
    let queries: Vec<Query> = (0..501)
        .map(|index| Key::new(Side::Canary, SourceMetric::Custom(index, CustomPart::Value)))
        .map(query_of)
        .collect();
    let (found, script) = read_all(&queries, []);

    assert_eq!(
        found.expect_err("too many").message,
        "501 queries exceed the limit of 500"
    );
    assert_eq!(script.sent().len(), 0);
    assert_eq!(
        read_all(&queries[..500], [page(&[], None)])
            .0
            .expect("500 are taken")
            .len(),
        500
    );

    let endless = Script::always(page(&[], Some("again")));
    let error = run(Metrics::new(&endless.sdk()).read(&[query("c_n")], MINUTE, MINUTE + 1))
        .expect_err("no end");
    assert_eq!(
        (error.kind, error.message.as_str()),
        (ErrorKind::Unexpected, "more than 100 pages")
    );
    assert_eq!(endless.sent().len(), 100);
}

fn alarm(name: &str, state: &str) -> Value {
    json!({"AlarmName": name, "StateValue": state, "StateReason": format!("{name} is {state}")})
}

#[test]
fn alarms_in_alarm_and_alarms_that_are_missing_are_found_in_the_order_of_their_names() {
    let body = json!({
        "MetricAlarms": [
            alarm("ok", "OK"), alarm("metric", "ALARM"), alarm("no-data", "INSUFFICIENT_DATA")
        ],
        "CompositeAlarms": [alarm("composite", "ALARM")]
    });
    let script = Script::new([cbor(&body)]);
    let names = ["composite", "missing", "ok", "no-data", "metric"].map(ToOwned::to_owned);
    let found = run(Metrics::new(&script.sdk()).alarms(&names)).expect("answered");
    let in_alarm = |name: &str| Alarm::Active {
        name: name.to_owned(),
        reason: format!("{name} is ALARM"),
    };

    assert_eq!(
        found,
        [
            in_alarm("composite"),
            Alarm::Missing {
                name: "missing".to_owned()
            },
            in_alarm("metric")
        ]
    );
    assert_eq!(script.only().operation(), "DescribeAlarms");
    assert_eq!(
        script.only().cbor(),
        json!({
            "AlarmNames": ["composite", "missing", "ok", "no-data", "metric"],
            "AlarmTypes": ["MetricAlarm", "CompositeAlarm"],
            "MaxRecords": 100
        })
    );
}

#[test]
fn alarms_are_found_on_every_page() {
    let first = json!({"MetricAlarms": [alarm("ok", "OK")], "NextToken": "more"});
    let second = json!({"MetricAlarms": [alarm("metric", "ALARM")]});
    let script = Script::new([cbor(&first), cbor(&second)]);
    let names = ["ok", "metric"].map(ToOwned::to_owned);
    let found = run(Metrics::new(&script.sdk()).alarms(&names)).expect("answered");

    let expected = Alarm::Active {
        name: "metric".to_owned(),
        reason: "metric is ALARM".to_owned(),
    };
    assert_eq!(found, [expected]);
    assert_eq!(script.sent()[1].cbor()["NextToken"], json!("more"));
}

#[test]
fn without_names_no_alarm_is_looked_at() {
    let script = Script::new([]);
    assert_eq!(
        run(Metrics::new(&script.sdk()).alarms(&[])).expect("nothing to do"),
        []
    );
    assert_eq!(script.sent().len(), 0);
}
