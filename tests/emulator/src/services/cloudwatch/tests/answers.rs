//! The responses of versions, as metrics show them.

use super::*;

/// The counters of a target group that add up to its requests.
const CODES: [&str; 4] = [
    "HTTPCode_Target_2XX_Count",
    "HTTPCode_Target_4XX_Count",
    "HTTPCode_Target_5XX_Count",
    "TargetConnectionErrorCount",
];

#[test]
fn a_minute_is_the_same_in_whichever_order_it_is_read() {
    let mut world = MetricBench::good(1);
    world.minutes(10);
    let names = [
        "RequestCount",
        "HTTPCode_Target_5XX_Count",
        "TargetResponseTime",
        "HealthyHostCount",
    ];
    let all = |world: &mut MetricBench, reversed: bool, minutes: i64| -> BTreeMap<&str, Points> {
        let mut names = names.to_vec();
        if reversed {
            names.reverse();
        }

        names
            .into_iter()
            .map(|name| (name, world.points(minutes, Some("green"), name, "Sum")))
            .collect()
    };

    traffic::note(&mut world.aws);
    let mut other = MetricBench {
        aws: world.aws.clone(),
        listener: world.listener.clone(),
        start: world.start,
    };
    other.points(3, Some("blue"), "TargetResponseTime", "p99");
    other.points(1, None, "RequestCount", "Sum");

    let first = all(&mut world, false, 10);
    assert_eq!(first, all(&mut other, true, 10));
    assert_eq!(first, all(&mut world, false, 10));

    let mut elsewhere = MetricBench::good(2);
    elsewhere.minutes(10);
    assert_ne!(first, all(&mut elsewhere, false, 10), "another seed");
}

#[test]
fn nothing_is_drawn_before_it_is_read() {
    let mut world = MetricBench::good(1);
    world.minutes(60);
    let drawn = format!("{:?}", world.aws.cloudwatch.drawn);

    assert!(!drawn.contains("targetgroup/"), "{drawn}");

    world.points(5, Some("green"), "RequestCount", "Sum");
    let drawn = &world.aws.cloudwatch.drawn;
    assert!(
        format!("{drawn:?}").contains("green")
            && !format!("{drawn:?}").contains("targetgroup/blue")
    );
}

#[test]
fn counters_add_up_and_zeros_are_absent() {
    let mut world = MetricBench::good(3);
    world.minutes(30);

    for (colour, rate) in [("blue", 90.0), ("green", 10.0)] {
        let requests = world.points(30, Some(colour), "RequestCount", "Sum");
        let sum: f64 = requests.values().sum();
        let expected = rate * 60.0 * requests.len() as f64;

        assert!(
            (sum - expected).abs() < 5.0 * expected.sqrt(),
            "{colour}: {sum} of {expected}"
        );

        let counts = CODES.map(|name| world.points(30, Some(colour), name, "Sum"));
        let times = world.points(30, Some(colour), "TargetResponseTime", "SampleCount");

        for (minute, requests) in requests {
            let of_minute = counts.iter().filter_map(|points| points.get(&minute));
            assert!(of_minute.clone().all(|count| *count > 0.0), "a zero");
            // A metric of the minute may be lost in its delay; those that are there never exceed
            // the requests.
            assert!(of_minute.sum::<f64>() <= requests);
            assert!(times.get(&minute).is_none_or(|count| *count == requests));
        }
    }
    assert_eq!(
        world.points(30, Some("green"), "HTTPCode_Target_3XX_Count", "Sum"),
        Points::new()
    );

    let errors = world.points(30, Some("green"), "HTTPCode_Target_5XX_Count", "Sum");
    assert!(
        (1..30).contains(&errors.len()),
        "0.6 a minute: some minutes have none, {errors:?}"
    );
    assert_eq!(
        world
            .points(30, Some("green"), "HTTPCode_Target_5XX_Count", "Average")
            .values()
            .next(),
        Some(&1.0)
    );
}

#[test]
fn without_a_request_there_is_no_point() {
    let mut world = MetricBench::good(3);
    world.minutes(30);
    traffic::set(&mut world.aws, &world.listener.clone(), 0.0);
    world.start = world.aws.now + MINUTE;
    world.aws.now += 60 * MINUTE;

    for name in ["RequestCount", "TargetResponseTime", CODES[0]] {
        assert_eq!(
            world.points(30, Some("blue"), name, "Sum"),
            Points::new(),
            "{name} without a request"
        );
    }
}

#[test]
fn each_version_answers_as_its_image_does() {
    let bad = Profile::of(Answers::GOOD.failing(0.02).slower(1.25));
    let mut world = MetricBench::new(4, Profile::default(), bad, (90, 10));
    world.minutes(60);
    let rate = |world: &mut MetricBench, colour: &str| {
        let errors = world.total(60, Some(colour), "HTTPCode_Target_5XX_Count", "Sum");
        errors / world.total(60, Some(colour), "RequestCount", "Sum")
    };
    let (blue, green) = (rate(&mut world, "blue"), rate(&mut world, "green"));

    assert!((0.0008..0.0012).contains(&blue), "{blue}");
    assert!((0.018..0.022).contains(&green), "{green}");

    for stat in ["p50", "p90", "p99"] {
        let mut mean = |colour: &str| {
            let points = world.points(60, Some(colour), "TargetResponseTime", stat);
            points.values().sum::<f64>() / points.len() as f64
        };
        let (blue, green) = (mean("blue"), mean("green"));

        assert!(
            (1.2..1.3).contains(&(green / blue)),
            "{stat}: {green} against {blue}"
        );
    }
}

#[test]
fn an_error_of_grpc_counts_as_a_success() {
    let bad = Profile::of(Answers::GOOD.failing(0.2));
    let mut world = MetricBench::new(4, Profile::default(), bad, (50, 50));
    let green = world.group("green");
    let group = world.aws.elb.target_groups.get_mut(&green).unwrap();
    let properties = &mut group.properties;
    properties.insert("ProtocolVersion".to_owned(), json!("GRPC"));
    world.minutes(30);

    for name in &CODES[1..] {
        assert_eq!(world.total(30, Some("green"), name, "Sum"), 0.0, "{name}");
    }
    let requests = world.points(30, Some("green"), "RequestCount", "Sum");
    let good = world.points(30, Some("green"), CODES[0], "Sum");
    let same = |(minute, count): &(&i64, &f64)| requests.get(*minute) == Some(*count);
    assert!(good.iter().filter(same).count() > 20, "{good:?}");
}

#[test]
fn an_image_may_become_worse_from_a_minute_on() {
    let later = Profile::default().then(16, Answers::GOOD.failing(0.2));
    let mut world = MetricBench::new(5, Profile::default(), later, (50, 50));
    world.minutes(30);
    let errors = world.points(30, Some("green"), "HTTPCode_Target_5XX_Count", "Sum");
    for (minute, count) in errors {
        assert_eq!(count > 100.0, minute >= 16, "{count} in minute {minute}");
    }
}

#[test]
fn an_incident_meets_both_sides_for_a_while() {
    let mut world = MetricBench::new(6, Profile::default(), Profile::default(), (50, 50));
    let (from, to) = (world.start + 5 * MINUTE, world.start + 8 * MINUTE);
    world.aws.traffic.incidents.push(traffic::Incident {
        from,
        to,
        errors: 0.3,
        slower: 4.0,
    });
    world.minutes(12);

    for colour in ["blue", "green"] {
        for (minute, count) in world.points(12, Some(colour), "HTTPCode_Target_5XX_Count", "Sum") {
            assert_eq!(
                count > 500.0,
                (5..8).contains(&minute),
                "{count} in minute {minute}"
            );
        }
        for (minute, median) in world.points(12, Some(colour), "TargetResponseTime", "p50") {
            assert_eq!(
                median > 0.1,
                (5..8).contains(&minute),
                "{median} in minute {minute}"
            );
        }
    }
}

#[test]
fn counts_above_a_value_agree_with_percentiles() {
    let mut world = MetricBench::good(7);
    world.minutes(10);
    let counts = world.points(10, Some("blue"), "TargetResponseTime", "SampleCount");
    let p90 = world.points(10, Some("blue"), "TargetResponseTime", "p90");

    for (minute, threshold) in p90 {
        let above = world.points(
            10,
            Some("blue"),
            "TargetResponseTime",
            &format!("TC({threshold}:)"),
        )[&minute];
        let up_to = world.points(
            10,
            Some("blue"),
            "TargetResponseTime",
            &format!("TC(:{threshold})"),
        )[&minute];

        assert_eq!(above + up_to, counts[&minute]);
        assert_eq!(up_to, (counts[&minute] * 0.9).ceil());

        let rank = world.points(
            10,
            Some("blue"),
            "TargetResponseTime",
            &format!("PR(:{threshold})"),
        )[&minute];
        assert!((rank - up_to / counts[&minute] * 100.0).abs() < 1e-9);
    }
}

/// Lets every target of a group refuse its connections.
fn stop_answering(world: &mut MetricBench, group: &str) {
    for (id, port) in world.aws.elb.target_groups[group]
        .targets
        .keys()
        .cloned()
        .collect::<Vec<_>>()
    {
        elb::set_answering(&mut world.aws, group, &id, port, false);
    }
}

#[test]
fn a_dead_target_refuses_and_only_the_balancer_counts_its_own_errors() {
    let mut world = MetricBench::good(8);
    let green = world.group("green");
    world.pass(300);
    stop_answering(&mut world, &green);

    // Two checks pass before it is noticed; then no target is healthy and the balancer tries them
    // all.
    world.minutes(10);
    let refused = world.points(10, Some("green"), "TargetConnectionErrorCount", "Sum");
    assert!(
        refused.keys().all(|minute| *minute >= 5) && refused.len() >= 4,
        "{refused:?}"
    );

    let requests = world.points(10, Some("green"), "RequestCount", "Sum");
    for (minute, count) in &refused {
        assert!(
            requests
                .get(minute)
                .is_none_or(|requests| requests == count),
            "all requests are refused"
        );
    }

    let own = world.points(10, None, "HTTPCode_ELB_5XX_Count", "Sum");
    for (minute, count) in own {
        assert!(
            refused.get(&minute).is_none_or(|refused| *refused == count),
            "{minute}"
        );
    }
    assert_eq!(
        world.points(10, Some("green"), "HTTPCode_ELB_5XX_Count", "Sum"),
        Points::new()
    );
    assert_eq!(
        world.points(10, Some("blue"), "TargetConnectionErrorCount", "Sum"),
        Points::new()
    );

    let both = world.total(4, None, "HTTPCode_Target_2XX_Count", "Sum");
    assert!(
        both > 20_000.0,
        "the balancer's counters are of all groups, {both}"
    );
}

#[test]
fn healthy_targets_are_counted_as_they_were() {
    let mut world = MetricBench::good(9);
    let green = world.group("green");
    world.pass(310);
    let (id, port) = world.aws.elb.target_groups[&green]
        .targets
        .keys()
        .next()
        .unwrap()
        .clone();

    elb::set_answering(&mut world.aws, &green, &id, port, false);

    // Two checks of 10 s are needed; ECS would replace the task before, so nothing else runs.
    world.minutes(10);
    let healthy = world.points(8, Some("green"), "HealthyHostCount", "Maximum");
    let least = world.points(8, Some("green"), "HealthyHostCount", "Minimum");

    assert!(
        (0..5)
            .filter_map(|minute| least.get(&minute))
            .all(|count| *count == 2.0),
        "{least:?}"
    );

    if let (Some(most), Some(least)) = (healthy.get(&5), least.get(&5)) {
        assert_eq!((*most, *least), (2.0, 1.0), "it was noticed in this minute");
    }

    let unhealthy = world.points(8, Some("green"), "UnHealthyHostCount", "Minimum");
    assert!(
        (0..5)
            .filter_map(|minute| unhealthy.get(&minute))
            .all(|count| *count == 0.0),
        "zero is a count: {unhealthy:?}"
    );
}

#[test]
fn whether_targets_are_counted_without_requests_differs_by_seed() {
    let counted = |seed: u64| {
        let mut world = MetricBench::good(seed);
        traffic::set(&mut world.aws, &world.listener.clone(), 0.0);
        world.minutes(5);
        world.total(5, Some("green"), "HealthyHostCount", "Maximum") > 0.0
    };
    let initial = |seed: u64| {
        let mut world = MetricBench::good(seed);
        let green = world.group("green");

        for number in 0..3 {
            elb::register(&mut world.aws, &green, &format!("new-{number}"), 80).unwrap();
        }

        world.minutes(5);
        world
            .points(1, Some("green"), "UnHealthyHostCount", "Maximum")
            .get(&0)
            .is_some_and(|count| *count == 3.0)
    };
    let seen: Vec<(bool, bool)> = (0..12).map(|seed| (counted(seed), initial(seed))).collect();

    assert!(
        seen.iter().any(|(counted, _)| *counted) && seen.iter().any(|(counted, _)| !*counted),
        "{seen:?}"
    );
    assert!(
        seen.iter().any(|(_, initial)| *initial) && seen.iter().any(|(_, initial)| !*initial),
        "{seen:?}"
    );
}

#[test]
fn a_thousand_requests_a_second_are_cheap() {
    let mut world = MetricBench::new(10, Profile::default(), Profile::default(), (900, 100));
    world.minutes(60);
    let started = std::time::Instant::now();
    let requests = world.total(60, Some("blue"), "TargetResponseTime", "SampleCount");
    let took = started.elapsed();
    assert!(requests > 3_000_000.0, "{requests}");
    assert!(took < std::time::Duration::from_secs(5), "{took:?}");
}
