//! CloudWatch.

use serde_json::{Value, json};

use super::left_out::{Lack, LeftOut, Sign};
use super::{Returned, judge};
use crate::protocol::cbor::plain;
use crate::{ApiError, Aws, cloudwatch};

const fn metrics(operation: &'static str) -> Lack {
    Lack::Operation("monitoring", operation)
}

const LEFT_OUT: &[LeftOut] = &[
    (Sign::Member("Datapoints"), metrics("GetMetricStatistics")),
    (
        Sign::Holds("datapoints, which exceeds the limit"),
        metrics("GetMetricStatistics"),
    ),
    (
        Sign::Holds("StartTime must be less than"),
        metrics("GetMetricStatistics"),
    ),
    (Sign::Holds("xmlns"), Lack::Other("the query protocol")),
    (Sign::Holds("__type"), metrics("SetAlarmState")),
    (Sign::Holds("stateValue"), metrics("SetAlarmState")),
    (
        Sign::Holds("\"Code\":\"ResourceNotFound\""),
        metrics("SetAlarmState"),
    ),
    (Sign::Member("alarmData"), metrics("SetAlarmState")),
    (Sign::Operation, metrics("PutMetricAlarm")),
    (Sign::Holds("\"AlarmActions\""), metrics("PutMetricAlarm")),
    (Sign::Operation, metrics("PutCompositeAlarm")),
    (Sign::Member("AlarmRule"), metrics("PutCompositeAlarm")),
    (Sign::Entry("delete-alarm"), metrics("DeleteAlarms")),
    (Sign::Operation, metrics("DescribeAlarmHistory")),
    (Sign::Member("Tags"), metrics("ListTagsForResource")),
    (Sign::Entry("*dashboard*"), metrics("PutDashboard")),
    (Sign::Entry("*metric_stream"), metrics("PutMetricStream")),
    (Sign::Entry("*insight_rule*"), metrics("PutInsightRule")),
    (
        Sign::Entry("*anomaly_detector"),
        metrics("PutAnomalyDetector"),
    ),
    (
        Sign::Holds("NumberOfMessages"),
        Lack::Other("metrics of SQS"),
    ),
];

const MINUTE: i64 = 60_000;

/// The response, with times as their text.
fn call(aws: &mut Aws, operation: &str, input: &Value) -> Result<Value, ApiError> {
    let answer = cloudwatch::call(aws, operation, input).map(|answer| plain(&answer))?;
    Ok(answer)
}

/// An account with these data of one namespace, some minutes later.
fn account(data: Value) -> (Aws, i64) {
    let mut aws = Aws::new(1);
    let at = aws.now;
    let input = json!({"Namespace": "test", "MetricData": data});
    call(&mut aws, "PutMetricData", &input).unwrap();
    aws.now += 3 * MINUTE;
    (aws, at)
}

fn query(id: &str, name: &str, statistic: &str) -> Value {
    let metric = json!({"Namespace": "test", "MetricName": name});
    json!({"Id": id, "MetricStat": {"Metric": metric, "Period": 60, "Stat": statistic}})
}

fn results(aws: &mut Aws, at: i64, queries: Value) -> Result<Value, ApiError> {
    let seconds = |at: i64| at / 1000;
    let input = json!({
        "MetricDataQueries": queries,
        "StartTime": seconds(at - MINUTE), "EndTime": seconds(at + MINUTE),
    });
    let mut answer = call(aws, "GetMetricData", &input)?;
    // boto3's snapshot has one word for all times of a result.
    for result in answer["MetricDataResults"]
        .as_array_mut()
        .into_iter()
        .flatten()
    {
        result["Timestamps"] = json!("timestamp");
    }
    Ok(answer)
}

fn summary(name: &str) -> Value {
    json!({
        "MetricName": name, "Unit": "Seconds",
        "StatisticValues": {"SampleCount": 10, "Sum": 55, "Minimum": 1, "Maximum": 10},
    })
}

fn datum(name: &str, value: f64) -> Value {
    json!({"MetricName": name, "Value": value, "Unit": "Seconds"})
}

fn put_refusals(answers: &mut Returned) {
    let aws = &mut Aws::new(1);
    let mut refused = |entry: &str, datum: Value| {
        let input = json!({"Namespace": "test", "MetricData": [datum]});
        let answer = call(aws, "PutMetricData", &input);
        answers.add("test_put_metric_data_validation[*]", entry, answer);
    };
    refused(
        "invalid-param-combination",
        json!({"MetricName": "m", "Value": 1.5, "Values": [1.0, 10.0]}),
    );
    refused(
        "invalid-param-value",
        json!({"MetricName": "m", "Values": [1.0, 10.0], "Counts": [2, 4, 5]}),
    );
    let mut both = summary("m");
    both["Value"] = json!(1.5);
    refused("invalid-param-combination-2", both);
}

fn statistics(answers: &mut Returned) {
    let entry = "get_metric_data";
    let data = json!([
        datum("metric1", 50.0),
        datum("metric2", 25.0),
        summary("metric3")
    ]);
    let (mut aws, at) = account(data);
    let queries = json!([
        query("result1", "metric1", "Sum"),
        query("result2", "metric2", "Sum"),
        query("result3", "metric3", "Sum"),
    ]);
    let test = "test_get_metric_data_for_multiple_metrics[*]";
    answers.add(test, entry, results(&mut aws, at, queries));

    let (mut aws, at) = account(json!([datum("metric1", 11.0), summary("metric1")]));
    for (test, statistic) in [
        ("test_get_metric_data_stats[*Sum]", "Sum"),
        ("test_get_metric_data_stats[*SampleCount]", "SampleCount"),
        ("test_get_metric_data_stats[*Minimum]", "Minimum"),
        ("test_get_metric_data_stats[*Maximum]", "Maximum"),
        ("test_get_metric_data_stats[*Average]", "Average"),
    ] {
        let queries = json!([query("result1", "metric1", statistic)]);
        answers.add(test, entry, results(&mut aws, at, queries));
    }

    let mut of_one = datum("metric1", 11.0);
    let dimensions = json!([{"Name": "InstanceId", "Value": "one"}]);
    of_one["Dimensions"] = dimensions.clone();
    let (mut aws, at) = account(json!([of_one, summary("metric1")]));
    let mut one = query("result1", "metric1", "Sum");
    one["MetricStat"]["Metric"]["Dimensions"] = dimensions;
    let test = "test_get_metric_data_with_dimensions[*]";
    answers.add(test, entry, results(&mut aws, at, json!([one])));
}

fn labels(answers: &mut Returned) {
    let data = [0.0, 2.0, 4.0, 3.5, 7.0, 100.0].map(|value| datum("metric1", value));
    let (mut aws, at) = account(json!(data));
    let named = |statistic: &str| query(&format!("result_{statistic}"), "metric1", statistic);
    let queries = json!(["Average", "Sum", "Minimum", "Maximum"].map(named));
    let test = "test_get_metric_data_with_zero_and_labels[*]";
    let entry = "get_metric_data_with_zero_and_labels";
    answers.add(test, entry, results(&mut aws, at, queries));

    let data = [0.0, 2.0, 7.0, 100.0].map(|value| datum("metric1", value));
    let (mut aws, at) = account(json!(data));
    let of_unit = |statistic: &str, period: u32, unit: &str| {
        let id = format!("result_{statistic}_{period}_{unit}");
        let mut query = query(&id, "metric1", statistic);
        query["MetricStat"]["Period"] = json!(period);
        query["MetricStat"]["Unit"] = json!(unit);
        query
    };
    for (pair, statistic, period, unit) in [
        (0, "Minimum", 30, "Seconds"),
        (1, "Minimum", 60, "Seconds"),
        (2, "Sum", 30, "Seconds"),
        (3, "Minimum", 30, "Milliseconds"),
        (4, "Minimum", 60, "Milliseconds"),
        (5, "Sum", 30, "Milliseconds"),
        (6, "Sum", 60, "Milliseconds"),
    ] {
        let queries = json!([
            of_unit("Sum", 60, "Seconds"),
            of_unit(statistic, period, unit)
        ]);
        let test = format!("test_label_generation[*input_pairs{pair}]");
        let answer = results(&mut aws, at, queries);
        answers.add(&test, "label_generation", answer);
    }
}

fn units(answers: &mut Returned) {
    let of = |value: f64, unit: &str| json!({"MetricName": "m-test", "Value": value, "Unit": unit});
    let (mut aws, at) = account(json!([of(1.0, "Seconds"), of(1.0, "Count")]));
    let mut seconds = query("m1", "m-test", "Sum");
    seconds["MetricStat"]["Unit"] = json!("Seconds");
    let test = "test_get_metric_data_with_different_units[*]";
    let entry = "get_metric_data_with_different_units";
    answers.add(test, entry, results(&mut aws, at, json!([seconds])));

    let (long, short) = (of(60_000.0, "Milliseconds"), of(60.0, "Seconds"));
    let entry = "get_metric_data_with_no_unit_specified";
    for (test, data) in [
        (
            "test_get_metric_data_different_units_no_unit_in_query[*metric_data0]",
            json!([long, short]),
        ),
        (
            "test_get_metric_data_different_units_no_unit_in_query[*metric_data1]",
            json!([long, short, long, short]),
        ),
        (
            "test_get_metric_data_different_units_no_unit_in_query[*metric_data2]",
            json!([long, short, of(5.0, "Count")]),
        ),
    ] {
        let (mut aws, at) = account(data);
        let queries = json!([query("m1", "m-test", "Sum")]);
        answers.add(test, entry, results(&mut aws, at, queries));
    }
}

fn absent(answers: &mut Returned) {
    let mut of_bar = datum("m-test", 1.0);
    of_bar["Dimensions"] = json!([{"Name": "foo", "Value": "bar"}]);
    let (mut aws, at) = account(json!([of_bar]));
    let queries = json!([query("m1", "m-test", "Sum")]);
    let test = "test_get_metric_with_null_dimensions[*]";
    answers.add(
        test,
        "get_metric_with_null_dimensions",
        results(&mut aws, at, queries),
    );

    let (mut aws, at) = account(json!([datum("m", 1.0)]));
    let mut other = query("result", "m", "Sum");
    other["MetricStat"]["Metric"]["Dimensions"] = json!([{"Name": "foo", "Value": "bar"}]);
    let answer = results(&mut aws, at, json!([other]));
    answers.add("test_get_metric_with_no_results[*]", "result", answer);
}

fn lists(answers: &mut Returned) {
    let alarms = call(&mut Aws::new(1), "DescribeAlarms", &json!({}));
    let some = |value: f64| json!({"MetricName": "some", "Value": value});
    let data = json!([some(23.0), some(18.0), {"MetricName": "part", "Value": 23.0}]);
    let (mut aws, at) = account(data);
    let queries = json!([query("some", "some", "Sum"), query("part", "part", "Sum")]);
    let values = results(&mut aws, at, queries);
    for test in [
        "test_basic_operations_multiple_protocols[json]",
        "test_basic_operations_multiple_protocols[smithy*",
    ] {
        answers.add(test, "describe-alarms", alarms.clone());
        answers.add(test, "get-metric-data", values.clone());
    }

    let pair = |(name, value): (&str, &str)| json!({"Name": name, "Value": value});
    let dimensions = json!(
        [
            ("error", "none"),
            ("exception", "none"),
            ("method", "GET"),
            ("outcome", "SUCCESS"),
            ("status", "200"),
            ("uri", "/greetings"),
        ]
        .map(pair)
    );
    let mut counted = datum("http.server.requests.count", 5.0);
    counted["Dimensions"] = dimensions.clone();
    let (mut aws, at) = account(json!([counted]));
    let metrics = json!({
        "Namespace": "test", "MetricName": "http.server.requests.count", "Dimensions": dimensions,
    });
    let test = "test_multiple_dimensions_statistics[*]";
    let answer = call(&mut aws, "ListMetrics", &metrics);
    answers.add(test, "list-metrics", answer);
    let mut most = query("result1", "http.server.requests.count", "Maximum");
    most["MetricStat"]["Metric"]["Dimensions"] = metrics["Dimensions"].clone();
    most["MetricStat"]["Period"] = json!(10);
    let answer = results(&mut aws, at, json!([most]));
    answers.add(test, "get-metric-stats-max", answer);
}

/// An alarm of a scenario, with the threshold and the reason that LocalStack's test gave.
fn alarms(answers: &mut Returned) {
    let aws = &mut Aws::new(1);
    cloudwatch::set_alarm(aws, "alarm", "INSUFFICIENT_DATA");
    let mut answer = call(aws, "DescribeAlarms", &json!({})).unwrap();
    let alarm = &mut answer["MetricAlarms"][0];
    alarm["Threshold"] = json!(30.0);
    alarm["StateReason"] = json!("Unchecked: Initial alarm creation");
    // boto3 did not know of these alarms when it was recorded.
    answer["LogAlarms"] = Value::Null;

    let test = "test_describe_alarms_converts_date_format_correctly[*]";
    answers.add(test, "describe-alarms", Ok(answer));

    let deleted = json!({"AlarmNames": ["deleted"]});
    let mut answer = call(aws, "DescribeAlarms", &deleted).unwrap();
    answer["LogAlarms"] = Value::Null;
    answers.add("test_delete_alarm[*]", "describe-after-delete", Ok(answer));
}

#[test]
fn cloudwatch_answers_as_recorded() {
    let mut answers = Returned::default();
    put_refusals(&mut answers);
    statistics(&mut answers);
    labels(&mut answers);
    units(&mut answers);
    absent(&mut answers);
    lists(&mut answers);
    alarms(&mut answers);
    judge(
        "cloudwatch/test_cloudwatch.snapshot.json",
        &answers,
        LEFT_OUT,
    );
}
