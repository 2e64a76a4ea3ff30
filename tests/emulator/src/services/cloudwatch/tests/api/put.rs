//! Data that are put: what is read and listed of them, and what is refused.

use crate::cloudwatch::tests::*;

/// Three data of the metric `orders`, in two minutes.
fn with_orders() -> MetricBench {
    let mut world = MetricBench::good(5);
    let now = world.aws.now / 1000;
    let data = json!([
        {"MetricName": "orders", "Value": 3.0, "Timestamp": now, "Unit": "Count"},
        {
            "MetricName": "orders", "Values": [1.0, 5.0], "Counts": [2.0, 1.0],
            "Timestamp": now + 1, "Unit": "Count",
        },
        {
            "MetricName": "orders",
            "StatisticValues": {"SampleCount": 4.0, "Sum": 10.0, "Minimum": 1.0, "Maximum": 7.0},
            "Timestamp": now + 61,
        },
    ]);
    call(
        &mut world.aws,
        "PutMetricData",
        &json!({"Namespace": "Shop", "MetricData": data}),
    )
    .unwrap();
    world
}

/// The points of the metric `orders`.
fn orders(world: &mut MetricBench, stat: &str, unit: Option<&str>) -> Value {
    let mut query = json!({
        "Id": "q",
        "MetricStat": {
            "Metric": {"Namespace": "Shop", "MetricName": "orders"},
            "Period": 60, "Stat": stat,
        },
    });
    if let Some(unit) = unit {
        query["MetricStat"]["Unit"] = json!(unit);
    }

    let request = world.request(2, vec![query]);
    world.ask(&request)["MetricDataResults"][0]["Values"].clone()
}

#[test]
fn what_is_put_is_read() {
    let mut world = with_orders();
    assert_eq!(orders(&mut world, "Sum", None), json!([]), "not at once");

    world.pass(120);
    assert_eq!(orders(&mut world, "Sum", None), json!([10.0, 10.0]));
    assert_eq!(orders(&mut world, "SampleCount", None), json!([4.0, 4.0]));
    assert_eq!(orders(&mut world, "Maximum", Some("Count")), json!([5.0]));
    assert_eq!(
        orders(&mut world, "p50", None),
        json!([1.0]),
        "of a summary there is no percentile"
    );
}

#[test]
fn metrics_are_listed_by_namespace_name_and_dimensions() {
    let mut world = with_orders();
    world.pass(120);
    let list = |world: &mut MetricBench, input: Value| {
        call(&mut world.aws, "ListMetrics", &input).unwrap()["Metrics"].clone()
    };
    let orders = json!([{"Namespace": "Shop", "MetricName": "orders", "Dimensions": []}]);
    assert_eq!(list(&mut world, json!({"Namespace": "Shop"})), orders);
    assert_eq!(
        list(
            &mut world,
            json!({"MetricName": "orders", "RecentlyActive": "PT3H"})
        ),
        orders
    );

    world.minutes(5);
    let requests = list(&mut world, json!({"MetricName": "RequestCount"}));
    assert_eq!(
        requests.as_array().unwrap().len(),
        3,
        "of the balancer and both groups: {requests}"
    );

    let dimensions =
        json!([{"Name": "TargetGroup"}, {"Name": "LoadBalancer", "Value": world.balancer()}]);
    let all = list(
        &mut world,
        json!({"Namespace": "AWS/ApplicationELB", "Dimensions": dimensions}),
    );
    let names: Vec<&str> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|metric| metric["MetricName"].as_str().unwrap())
        .collect();
    assert!(
        names.contains(&"TargetResponseTime") && !names.contains(&"HTTPCode_Target_3XX_Count"),
        "{names:?}"
    );
}

#[test]
fn wrong_data_are_refused() {
    let mut world = MetricBench::good(6);
    let now = world.aws.now / 1000;
    let put =
        |namespace: &str, datum: Value| json!({"Namespace": namespace, "MetricData": [datum]});
    let value = json!({"MetricName": "m", "Value": 1.0});

    for (input, error) in [
        (
            put("AWS/ECS", value.clone()),
            "InvalidParameterValue: The value AWS/ECS for parameter Namespace is invalid.",
        ),
        (
            put("S", json!({"MetricName": "m"})),
            "MissingParameter: At least one of the parameters",
        ),
        (
            put(
                "S",
                json!({"MetricName": "m", "Value": 1.0, "Values": [1.0]}),
            ),
            "InvalidParameterCombination: The parameters MetricData.member.1.Value",
        ),
        (
            put(
                "S",
                json!({"MetricName": "m", "Values": [1.0], "Counts": [1.0, 2.0]}),
            ),
            "InvalidParameterValue: The parameters MetricData.member.1.Values",
        ),
        (
            put(
                "S",
                json!({"MetricName": "m", "Value": 1.0, "Timestamp": now - 15 * 86_400}),
            ),
            "InvalidParameterValue: The parameter MetricData.member.1.Timestamp",
        ),
        (
            json!({"Namespace": "S", "MetricData": vec![value; 1001]}),
            "InvalidParameterValue: The collection MetricData must not have a size greater than \
             1000.",
        ),
    ] {
        let refused = refused(&mut world, "PutMetricData", &input);
        assert!(refused.starts_with(error), "{refused}");
    }
}
