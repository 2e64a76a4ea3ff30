//! Metrics of target groups by Availability Zone.

use super::*;

const ZONES: [&str; 3] = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];

/// What green has in the first ten minutes in a zone, or in all.
fn in_zone(world: &mut MetricBench, zone: Option<&str>, name: &str, stat: &str) -> Points {
    let mut query = world.query("q", Some("green"), name, stat);
    if let Some(zone) = zone {
        let dimensions = query["MetricStat"]["Metric"]["Dimensions"]
            .as_array_mut()
            .unwrap();
        dimensions.push(json!({"Name": "AvailabilityZone", "Value": zone}));
    }
    let request = world.request(10, vec![query]);
    let answer = world.ask(&request);
    points(&answer["MetricDataResults"][0], world.start)
}

#[test]
fn the_zones_of_a_balancer_add_up_to_the_whole() {
    let mut world = MetricBench::good(7);
    world.minutes(10);
    let mut read =
        |zone: Option<&str>, name: &str, stat: &str| in_zone(&mut world, zone, name, stat);

    for (name, stat) in [
        ("RequestCount", "Sum"),
        ("TargetResponseTime", "SampleCount"),
    ] {
        let whole = read(None, name, stat);
        let parts = ZONES.map(|zone| read(Some(zone), name, stat));
        assert!(!whole.is_empty(), "{name}");
        for (minute, requests) in whole {
            let of_zones: Vec<f64> = parts.iter().map(|part| part[&minute]).collect();
            assert_eq!(
                of_zones.iter().sum::<f64>(),
                requests,
                "{name} in minute {minute}"
            );
            assert!(
                of_zones.iter().all(|part| *part < 0.6 * requests),
                "{of_zones:?}"
            );
        }
    }
    assert!(
        read(Some("eu-west-1d"), "RequestCount", "Sum").is_empty(),
        "it has no such zone"
    );
    assert!(read(Some("eu-west-1a"), "HealthyHostCount", "Average").is_empty());
}

#[test]
fn a_burst_comes_through_one_zone_or_through_all() {
    let name = "HTTPCode_Target_5XX_Count";
    for in_zones in [true, false] {
        let mut world = MetricBench::new(18, Profile::default(), Profile::default(), (500, 500));
        world.aws.traffic.variation = traffic::Variation {
            bursts: Some(traffic::Bursts::Same(30)),
            in_zones,
            ..traffic::Variation::default()
        };
        world.minutes(10);
        let whole = in_zone(&mut world, None, name, "Sum");
        let parts = ZONES.map(|zone| in_zone(&mut world, Some(zone), name, "Sum"));

        let counts: Vec<f64> = parts.iter().flat_map(BTreeMap::values).copied().collect();
        assert_eq!(counts.iter().sum::<f64>(), whole.values().sum::<f64>());
        assert!(whole.values().all(|count| count % 30.0 == 0.0), "{whole:?}");
        let is_whole = counts.iter().all(|count| count % 30.0 == 0.0);
        assert_eq!(is_whole, in_zones, "{counts:?}");
    }
}

#[test]
fn there_may_be_no_series_by_zone_beside_that_of_the_whole() {
    let mut world = MetricBench::good(7);
    world.minutes(10);
    world.aws.cloudwatch.faults.without_zones = true;
    let whole = world.query("q", Some("green"), "RequestCount", "Sum");
    let mut zone = world.query("z", Some("green"), "RequestCount", "Sum");
    let dimensions = zone["MetricStat"]["Metric"]["Dimensions"].as_array_mut();
    let dimension = json!({"Name": "AvailabilityZone", "Value": "eu-west-1a"});
    dimensions.unwrap().push(dimension);

    let request = world.request(10, vec![whole, zone]);
    let answer = world.ask(&request);
    let found = [0_usize, 1].map(|place| points(&answer["MetricDataResults"][place], world.start));
    assert_eq!(found.map(|points| points.is_empty()), [false, true]);
}
