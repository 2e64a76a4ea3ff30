//! DescribeAlarms, and the pages of alarms and series.

use super::*;

/// An account with one alarm in each state.
fn three_alarms() -> MetricBench {
    let mut world = MetricBench::good(7);
    for (name, state) in [
        ("web-errors", "OK"),
        ("web-latency", "ALARM"),
        ("shop", "INSUFFICIENT_DATA"),
    ] {
        set_alarm(&mut world.aws, name, state);
    }
    world
}

#[test]
fn alarms_are_described_by_name_prefix_and_state_and_in_pages() {
    let mut world = three_alarms();
    let names = |world: &mut MetricBench, input: Value| -> Vec<String> {
        let answer = call(&mut world.aws, "DescribeAlarms", &input).unwrap();
        answer["MetricAlarms"]
            .as_array()
            .unwrap()
            .iter()
            .map(|alarm| text(&alarm["AlarmName"]))
            .collect()
    };
    assert_eq!(
        names(&mut world, json!({})),
        ["shop", "web-errors", "web-latency"]
    );
    assert_eq!(
        names(&mut world, json!({"AlarmNamePrefix": "web-"})),
        ["web-errors", "web-latency"]
    );
    assert_eq!(
        names(&mut world, json!({"AlarmNames": ["shop", "nothing"]})),
        ["shop"]
    );
    assert_eq!(
        names(&mut world, json!({"StateValue": "ALARM"})),
        ["web-latency"]
    );
    assert_eq!(
        names(&mut world, json!({"AlarmTypes": ["CompositeAlarm"]})),
        Vec::<String>::new()
    );

    let page = call(&mut world.aws, "DescribeAlarms", &json!({"MaxRecords": 2})).unwrap();
    let rest = names(
        &mut world,
        json!({"MaxRecords": 2, "NextToken": page["NextToken"]}),
    );
    assert_eq!(
        (page["MetricAlarms"].as_array().unwrap().len(), rest),
        (2, vec!["web-latency".to_owned()])
    );
    let wrong = json!({"StateValue": "BAD", "MaxRecords": 101});
    assert_eq!(
        refused(&mut world, "DescribeAlarms", &wrong),
        "ValidationError: 2 validation errors detected: Value 'BAD' at 'stateValue' failed to \
         satisfy constraint: Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]; \
         Value '101' at 'maxRecords' failed to satisfy constraint: Member must have value less \
         than or equal to 100"
    );
}

#[test]
fn the_time_of_a_state_changes_with_the_state_only() {
    let mut world = three_alarms();
    let since = world.aws.now;
    world.pass(60);
    set_alarm(&mut world.aws, "shop", "INSUFFICIENT_DATA");
    set_alarm(&mut world.aws, "web-errors", "ALARM");

    assert_eq!(
        (
            world.aws.cloudwatch.alarms["shop"].since,
            world.aws.cloudwatch.alarms["web-errors"].since
        ),
        (since, since + 60_000)
    );
}

#[test]
fn pages_of_alarms_and_series_are_as_short_as_the_account_is_set_to() {
    let mut world = MetricBench::good(7);
    world.minutes(5);
    let queries = ["a", "b"]
        .map(|id| world.query(id, Some("blue"), "RequestCount", "Sum"))
        .to_vec();
    let mut request = world.request(5, queries);

    for (name, state) in [("web-errors", "OK"), ("web-latency", "ALARM")] {
        set_alarm(&mut world.aws, name, state);
    }

    world.aws.pages = Some(1);
    let mut alarms = json!({"AlarmNames": ["web-errors", "web-latency"], "MaxRecords": 100});
    for (name, series) in [("web-errors", "a"), ("web-latency", "b")] {
        let page = call(&mut world.aws, "DescribeAlarms", &alarms).unwrap();
        assert_eq!(
            (
                page["MetricAlarms"].as_array().unwrap().len(),
                &page["MetricAlarms"][0]["AlarmName"]
            ),
            (1, &json!(name))
        );

        alarms["NextToken"] = page["NextToken"].clone();
        let page = world.ask(&request);
        let whole: Vec<&Value> = page["MetricDataResults"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|it| it["StatusCode"] == "Complete")
            .collect();
        assert_eq!((whole.len(), &whole[0]["Id"]), (1, &json!(series)));

        request["NextToken"] = page["NextToken"].clone();
    }

    assert_eq!(
        (&alarms["NextToken"], &request["NextToken"]),
        (&Value::Null, &Value::Null)
    );
}
