//! Metrics of target groups by Availability Zone.

use super::*;

#[test]
fn the_zones_of_a_balancer_add_up_to_the_whole() {
    let mut world = MetricBench::good(7);
    world.minutes(10);
    let mut read = |zone: Option<&str>, name: &str, stat: &str| -> Points {
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
    };

    let zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];
    for (name, stat) in [
        ("RequestCount", "Sum"),
        ("TargetResponseTime", "SampleCount"),
    ] {
        let whole = read(None, name, stat);
        let parts = zones.map(|zone| read(Some(zone), name, stat));
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
