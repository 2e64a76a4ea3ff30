//! When points become visible, and what goes wrong with them.

use super::*;

/// How long after the beginning of each minute the value of a metric stayed what it is in the end;
/// and how often it had another value before.
fn delays(world: &mut MetricBench, minutes: i64, name: &str) -> (Vec<i64>, usize) {
    let mut seen = BTreeMap::<i64, Vec<(i64, f64)>>::new();
    for second in (0..(minutes + 15) * 60).step_by(5) {
        world.aws.now = world.start + second * 1000;
        for (minute, value) in world.points(minutes, Some("green"), name, "Sum") {
            let values = seen.entry(minute).or_default();
            if values.last().is_none_or(|(_, last)| *last != value) {
                values.push((second - minute * 60, value));
            }
        }
    }

    let delays = seen
        .values()
        .map(|values| values.last().unwrap().0)
        .collect();
    (
        delays,
        seen.values().filter(|values| values.len() > 1).count(),
    )
}

#[test]
fn points_become_visible_within_one_to_three_minutes_and_sometimes_later() {
    let mut world = MetricBench::good(1);
    let (delays, partial) = delays(&mut world, 120, "RequestCount");
    assert_eq!(delays.len(), 120);

    let typical = delays
        .iter()
        .filter(|delay| (60..=180).contains(*delay))
        .count();
    assert!(
        (100..120).contains(&typical),
        "{typical} of 120: {delays:?}"
    );
    assert!(
        delays.iter().all(|delay| (60..=480).contains(delay)),
        "{delays:?}"
    );
    assert!(
        (10..70).contains(&partial),
        "of {partial} minutes a part was visible before"
    );
}

#[test]
fn what_was_visible_only_grows() {
    let mut world = MetricBench::good(2);
    let mut last = Points::new();
    for _ in 0..120 {
        world.pass(5);
        let points = world.points(15, Some("blue"), "RequestCount", "Sum");

        for (minute, value) in &last {
            assert!(
                points[minute] >= *value,
                "minute {minute} had {value} and has {}",
                points[minute]
            );
        }
        last = points;
    }

    assert!(last.len() >= 5);
}

#[test]
fn an_open_minute_may_show_its_beginning() {
    let mut world = MetricBench::good(3);
    let mut open = Vec::new();
    for second in 0..3600 {
        world.pass(1);
        let minute = second / 60;
        open.extend(
            world
                .points(minute + 1, Some("blue"), "RequestCount", "Sum")
                .get(&minute)
                .copied(),
        );
    }

    assert!(
        !open.is_empty() && open.iter().all(|count| *count < 90.0 * 58.0),
        "{open:?}"
    );
}

#[test]
fn points_of_a_gap_are_lost_or_late() {
    let mut world = MetricBench::good(4);
    let (from, to) = (world.start + 2 * MINUTE, world.start + 5 * MINUTE);
    let gap = |metric: Option<&str>, group: Option<String>, delay| Gap {
        metric: metric.map(str::to_owned),
        target_group: group,
        from,
        to,
        delay,
    };
    let green = world.group("green");
    let name = "HTTPCode_Target_2XX_Count";
    world.aws.cloudwatch.faults.gaps = vec![
        gap(Some(name), Some(green), None),
        gap(Some("RequestCount"), None, Some(27 * MINUTE)),
    ];
    world.minutes(0);

    assert_eq!(
        world.points(10, Some("green"), "RequestCount", "Sum").len(),
        8,
        "minutes 3 and 4 are late"
    );

    world.minutes(10);
    let minutes = |points: Points| points.into_keys().collect::<Vec<_>>();
    assert_eq!(
        minutes(world.points(10, Some("green"), name, "Sum")),
        [0, 1, 5, 6, 7, 8, 9]
    );
    assert_eq!(world.points(10, Some("blue"), name, "Sum").len(), 10);
    assert_eq!(
        world.points(10, Some("green"), "RequestCount", "Sum").len(),
        10
    );
}

#[test]
fn a_part_of_all_points_is_lost_or_late_when_the_scenario_wants_it() {
    let mut world = MetricBench::good(4);
    world.aws.cloudwatch.faults = Faults {
        lost: 0.5,
        ..Faults::default()
    };
    world.minutes(100);
    let left = world.points(100, Some("blue"), "RequestCount", "Sum").len();
    assert!((30..70).contains(&left), "{left} of 100");

    world.aws.cloudwatch.faults = Faults {
        late: 1.0,
        ..Faults::default()
    };
    world.aws.now = world.start + 103 * MINUTE;
    let left = world.points(100, Some("blue"), "RequestCount", "Sum");
    assert!((85..100).contains(&left.len()), "{}", left.len());
}

#[test]
fn cloudwatch_throttles_and_fails_when_the_scenario_wants_it() {
    let mut world = MetricBench::good(5);
    world.minutes(5);
    let now = world.aws.now;
    let request = world.request(
        5,
        vec![world.query("q", Some("blue"), "RequestCount", "Sum")],
    );

    world
        .aws
        .cloudwatch
        .faults
        .throttled
        .push((now, now + 1000));
    let error = call(&mut world.aws, "GetMetricData", &request).unwrap_err();

    assert_eq!(error.to_string(), "Throttling: Rate exceeded");

    world.pass(1);
    world.aws.cloudwatch.faults.internal_errors = 1.0;
    let result = &world.ask(&request)["MetricDataResults"][0];
    assert_eq!(
        (&result["StatusCode"], &result["Values"]),
        (&json!("InternalError"), &json!([]))
    );
}
