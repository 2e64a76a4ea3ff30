//! Minutes that are better or worse than others, for all versions alike or for one that is cold.

use super::*;

/// The ratio of the largest to the smallest value.
fn spread(points: &Points) -> f64 {
    let of = |pick: fn(f64, f64) -> f64| points.values().copied().reduce(pick).unwrap();
    of(f64::max) / of(f64::min)
}

/// The largest ratio between two series in the minutes that both have.
fn apart(blue: &Points, green: &Points) -> f64 {
    let both = blue
        .iter()
        .filter_map(|(minute, one)| Some(one / green.get(minute)?));
    let ratios: Vec<f64> = both.map(|ratio| ratio.max(1.0 / ratio)).collect();
    assert!(ratios.len() > 10, "{ratios:?}");
    ratios.into_iter().fold(1.0, f64::max)
}

#[test]
fn minutes_vary_for_both_sides_alike() {
    let failing = Profile::of(Answers::GOOD.failing(0.05));
    let mut world = MetricBench::new(12, failing, failing, (500, 500));
    let read = |world: &mut MetricBench, name: &str, stat: &str| {
        ["blue", "green"].map(|colour| world.points(20, Some(colour), name, stat))
    };
    world.minutes(20);
    let steady = world.aws.clone();
    let [errors, _] = read(&mut world, "HTTPCode_Target_5XX_Count", "Sum");
    assert!(spread(&errors) < 1.3, "{errors:?}");

    world.aws = steady;
    world.aws.traffic.variation = traffic::Variation {
        errors: 0.5,
        times: 0.3,
        ..traffic::Variation::default()
    };
    let [blue, green] = read(&mut world, "HTTPCode_Target_5XX_Count", "Sum");
    assert!(spread(&blue) > 2.0, "{blue:?}");
    assert!(apart(&blue, &green) < 1.3, "{blue:?} beside {green:?}");

    let [blue, green] = read(&mut world, "TargetResponseTime", "p50");
    assert!(spread(&blue) > 1.4, "{blue:?}");
    assert!(apart(&blue, &green) < 1.06, "{blue:?} beside {green:?}");
}

#[test]
fn bursts_of_a_service_are_those_of_every_image() {
    let mut world = MetricBench::new(13, Profile::default(), Profile::default(), (500, 500));
    world.aws.traffic.variation.bursts = Some(traffic::Bursts::Geometric(20));
    world.minutes(20);
    for colour in ["blue", "green"] {
        let errors = world.points(20, Some(colour), "HTTPCode_Target_5XX_Count", "Sum");
        let mean = errors.values().sum::<f64>() / 20.0;
        let squares = errors.values().map(|one| (one - mean).powi(2)).sum::<f64>();

        // Independent errors have a variance like their mean, which is 30.
        assert!(squares / 20.0 > 4.0 * mean, "{colour}: {errors:?}");
    }
}

#[test]
fn an_image_that_is_cold_is_slow_at_first_and_then_like_any_other() {
    let cold = Profile::default().cold(4.0, 3.0);
    let mut world = MetricBench::new(14, Profile::default(), cold, (100, 100));
    world.minutes(20);
    let [blue, green] =
        ["blue", "green"].map(|colour| world.points(20, Some(colour), "TargetResponseTime", "p50"));

    let mut compared = 0;
    for (minute, median) in green {
        let Some(usual) = blue.get(&minute) else {
            continue;
        };
        let expected = 1.0 + 3.0 * (-(minute as f64) / 3.0).exp();
        let found = median / usual / expected;
        assert!((0.9..1.1).contains(&found), "{found} in minute {minute}");
        compared += 1;
    }
    assert!(compared > 10, "{compared}");
}

#[test]
fn tasks_beyond_their_capacity_are_slow_and_fail_what_is_too_much() {
    let mut world = MetricBench::good(15);
    // Blue gets 45 requests a second for each of its tasks, green 5.
    world.aws.traffic.capacity = Some(30.0);
    world.minutes(20);
    let mut failed = |colour: &str| {
        let errors = world.total(20, Some(colour), "HTTPCode_Target_5XX_Count", "Sum");
        errors / world.total(20, Some(colour), "RequestCount", "Sum")
    };
    let (blue, green) = (failed("blue"), failed("green"));
    assert!((0.31..0.36).contains(&blue), "a third is too much: {blue}");
    assert!(green < 0.005, "{green}");

    let mut median = |colour: &str| {
        let points = world.points(20, Some(colour), "TargetResponseTime", "p50");
        points.values().sum::<f64>() / points.len() as f64
    };
    let ratio = median("blue") / median("green");
    assert!((3.7..4.3).contains(&ratio), "{ratio}");
}
