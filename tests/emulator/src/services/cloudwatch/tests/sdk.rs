//! CloudWatch through the real SDK: its own CBOR, its compression, its errors.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    Dimension, Metric, MetricDataQuery, MetricDataResult, MetricDatum, MetricStat, StandardUnit,
    StateValue, StatusCode,
};

use super::*;
use crate::client::{self, CallFault, Invocation};

fn client(world: &client::World) -> Client {
    Client::new(&client::sdk_config(
        world,
        Invocation::new("operator", CallFault::None),
    ))
}

fn query(world: &MetricBench, id: &str, colour: &str, name: &str, stat: &str) -> MetricDataQuery {
    let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
    let group = world.group(colour);
    let metric = Metric::builder()
        .namespace("AWS/ApplicationELB")
        .metric_name(name)
        .dimensions(dimension("TargetGroup", group.rsplit_once(':').unwrap().1))
        .dimensions(dimension("LoadBalancer", &world.balancer()))
        .build();
    let stat = MetricStat::builder()
        .metric(metric)
        .period(60)
        .stat(stat)
        .build();
    MetricDataQuery::builder().id(id).metric_stat(stat).build()
}

fn time(at: Millis) -> DateTime {
    DateTime::from_millis(at)
}

const STATISTICS: [(&str, &str); 4] = [
    ("RequestCount", "Sum"),
    ("HTTPCode_Target_5XX_Count", "Sum"),
    ("TargetResponseTime", "p99"),
    ("TargetResponseTime", "TC(0.1:)"),
];

fn queries_of_both_colours(world: &MetricBench) -> Vec<MetricDataQuery> {
    let mut queries = Vec::new();
    for (number, (name, stat)) in STATISTICS.iter().enumerate() {
        queries.extend(
            ["blue", "green"]
                .map(|colour| query(world, &format!("{colour}{number}"), colour, name, stat)),
        );
    }
    queries
}

/// The result has all of these points, the newest first.
fn check_complete(result: &MetricDataResult, expected: &Points, start: Millis) {
    assert_eq!(result.status_code(), Some(&StatusCode::Complete));

    let minute = |time: &DateTime| (time.to_millis().unwrap() - start) / MINUTE;
    let points: Points = result
        .timestamps()
        .iter()
        .map(minute)
        .zip(result.values().iter().copied())
        .collect();
    assert_eq!(&points, expected, "{:?}", result.id());
    assert!(
        result.timestamps().is_sorted_by(|one, next| one > next),
        "the newest first"
    );
}

#[tokio::test(start_paused = true)]
async fn metrics_of_both_colours_in_one_call() {
    let mut world = MetricBench::good(1);
    world.minutes(10);
    let queries = queries_of_both_colours(&world);
    let expected: Vec<Points> = STATISTICS
        .iter()
        .flat_map(|(name, stat)| {
            ["blue", "green"].map(|colour| world.points(10, Some(colour), name, stat))
        })
        .collect();
    let (start, end) = (world.start, world.start + 10 * MINUTE);
    let within = client::World::new(world.aws);
    let client = client(&within);
    let get = client
        .get_metric_data()
        .set_metric_data_queries(Some(queries))
        .start_time(time(start))
        .end_time(time(end));
    let answer = get.clone().send().await.unwrap();

    assert_eq!(
        (answer.next_token(), answer.metric_data_results().len()),
        (None, 8)
    );

    for (result, expected) in answer.metric_data_results().iter().zip(&expected) {
        check_complete(result, expected, start);
    }

    let pages: Result<Vec<_>, _> = get
        .max_datapoints(13)
        .into_paginator()
        .send()
        .collect()
        .await;
    let values: usize = pages
        .unwrap()
        .iter()
        .flat_map(|page| page.metric_data_results())
        .map(|result| result.values().len())
        .sum();
    assert_eq!(values, expected.iter().map(Points::len).sum::<usize>());
}

#[tokio::test(start_paused = true)]
async fn errors_have_the_code_of_the_query_protocol() {
    let mut world = MetricBench::good(2);
    world.minutes(1);
    let (start, end) = (world.start, world.start + MINUTE);
    let wrong = query(&world, "q", "blue", "RequestCount", "p101");
    let good = query(&world, "q", "blue", "RequestCount", "Sum");
    let within = client::World::new(world.aws);
    let client = client(&within);
    let get = client
        .get_metric_data()
        .start_time(time(start))
        .end_time(time(end));
    let error = get
        .clone()
        .metric_data_queries(wrong)
        .send()
        .await
        .unwrap_err()
        .into_service_error();

    assert_eq!(error.meta().code(), Some("ValidationError"));
    assert_eq!(
        error.meta().message(),
        Some(
            "The value p101 for parameter MetricDataQueries.member.1.MetricStat.Stat is not a \
             valid statistic.\n"
        )
    );

    let get = get.metric_data_queries(good);
    let error = get
        .clone()
        .next_token("nonsense")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(error.is_invalid_next_token(), "{error:?}");

    let forever = (0, Millis::MAX);
    within.aws().cloudwatch.faults.throttled.push(forever);
    let calls = within.aws().calls.len();
    let error = get.send().await.unwrap_err().into_service_error();

    assert_eq!(error.meta().code(), Some("Throttling"));
    assert_eq!(within.aws().calls.len(), calls + 3, "the SDK tries again");
}

#[tokio::test(start_paused = true)]
async fn large_requests_are_compressed_and_their_metrics_are_listed_in_pages() {
    let world = MetricBench::good(3);
    let now = world.aws.now;
    let within = client::World::new(world.aws);
    let client = client(&within);
    let datum = |number: i64| {
        let dimension = Dimension::builder()
            .name("number")
            .value(number.to_string())
            .build();
        MetricDatum::builder()
            .metric_name("orders")
            .dimensions(dimension)
            .value(number as f64)
            .unit(StandardUnit::Count)
            .timestamp(time(now))
            .build()
    };
    client
        .put_metric_data()
        .namespace("Shop")
        .set_metric_data(Some((0..600).map(datum).collect()))
        .send()
        .await
        .unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(120)).await;

    let first = client
        .list_metrics()
        .namespace("Shop")
        .send()
        .await
        .unwrap();
    let second = client
        .list_metrics()
        .namespace("Shop")
        .next_token(first.next_token().unwrap())
        .send()
        .await
        .unwrap();

    assert_eq!(
        (
            first.metrics().len(),
            second.metrics().len(),
            second.next_token()
        ),
        (500, 100, None)
    );
}

#[tokio::test(start_paused = true)]
async fn alarms_are_described_with_their_state_and_its_time() {
    let world = MetricBench::good(3);
    let now = world.aws.now;
    let within = client::World::new(world.aws);
    let client = client(&within);
    set_alarm(&mut within.aws(), "web-errors", "ALARM");

    // A whole second: the SDK cuts the fraction, which is a binary one on the wire, to
    // milliseconds.
    within
        .aws()
        .cloudwatch
        .alarms
        .get_mut("web-errors")
        .unwrap()
        .since = now;
    let alarms = client
        .describe_alarms()
        .alarm_names("web-errors")
        .send()
        .await
        .unwrap();
    let alarm = &alarms.metric_alarms()[0];
    assert_eq!(
        (alarm.alarm_name(), alarm.state_value()),
        (Some("web-errors"), Some(&StateValue::Alarm))
    );
    assert_eq!(
        alarm
            .state_updated_timestamp()
            .unwrap()
            .to_millis()
            .unwrap(),
        now
    );
}

#[test]
fn a_compressed_input_is_the_same_input() {
    use std::io::Write;

    // {"MaxRecords": 101}, which is refused as such.
    let plain = [&b"\xa1\x6aMaxRecords\x18\x65"[..]].concat();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&plain).unwrap();
    let mut request = crate::Request {
        caller: "operator".to_owned(),
        method: "POST".to_owned(),
        ..Default::default()
    };
    request.path_and_query =
        "/service/GraniteServiceVersion20100801/operation/DescribeAlarms".to_owned();

    let scope = "AWS4-HMAC-SHA256 Credential=AKIA/20260105/eu-west-1/monitoring/aws4_request, \
        SignedHeaders=host, Signature=0";
    request
        .headers
        .push(("authorization".to_owned(), scope.to_owned()));
    let mut aws = Aws::new(1);

    request.body = plain;
    let first = aws.call(&request);
    request
        .headers
        .push(("content-encoding".to_owned(), "gzip".to_owned()));
    request.body = gzip.finish().unwrap();

    let second = aws.call(&request);
    assert_eq!((first.status, &first.body), (400, &second.body));

    let error = (
        "x-amzn-query-error".to_owned(),
        "ValidationError;Sender".to_owned(),
    );
    assert!(first.headers.contains(&error) && second.headers.contains(&error));
    assert_eq!(
        aws.calls
            .iter()
            .map(|call| call.operation.as_str())
            .collect::<Vec<_>>(),
        ["DescribeAlarms"; 2]
    );
}
