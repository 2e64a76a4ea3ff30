use super::custom::CustomMetric;
use super::source::balancer;
use super::source::tests::key;
use super::*;
use crate::observed::colour::PerColour;
use crate::observed::fixtures::NEW;
use crate::observed::route::Route;
use crate::release::PriorPair;
use crate::strategy::blue_green::fixtures::pair;

const BALANCING: &str = "arn:aws:elasticloadbalancing:eu-west-1:111122223333";

pub(crate) fn sides() -> Sides {
    let group = |colour| format!("{BALANCING}:targetgroup/{colour}/0123456789abcdef");
    let rule = "listener-rule/app/web/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee";

    let mut pair = pair();
    pair.route = Route::Rule(format!("{BALANCING}:{rule}"));
    pair.colours.blue.target_group = group("blue");
    pair.colours.green.target_group = group("green");
    Sides::from_pair(&pair, "web", NEW).expect("the ARNs are complete")
}

#[test]
fn a_side_has_the_name_of_its_service() {
    let mut pair = pair();
    pair.route = Route::Rule("arn:…:listener-rule/app/web/1/2/3".to_owned());
    let names = |pair: &PriorPair, name: &str| {
        let sides = Sides::from_pair(pair, name, NEW).expect("the ARNs are complete");
        [sides.canary.service, sides.baseline.service]
    };
    let arn = "arn:aws:ecs:eu-west-1:111122223333:service/apps/web";
    for name in ["web", arn] {
        assert_eq!(names(&pair, name), ["web-green", "web-blue"]);
    }

    pair.given_services = Some(PerColour {
        blue: "Shop-ServiceA1B2-x".to_owned(),
        green: "Shop-Green-y".to_owned(),
    });
    assert_eq!(names(&pair, "web"), ["Shop-Green-y", "Shop-ServiceA1B2-x"]);
}

pub(super) fn bake_queries(
    sides: &Sides,
    thresholds_ms: &[f64],
    custom: &[CustomMetric],
) -> Vec<Query> {
    let settings = SourceSettings {
        thresholds_ms,
        custom,
        ..SourceSettings::default()
    };
    evaluation_queries(sides, settings)
}

/// Queries without those of further sources, which are tested beside their source.
fn without_further(queries: Vec<Query>) -> Vec<Query> {
    let is_further = |query: &Query| matches!(query.key.metric, SourceMetric::Further(_));
    let own = queries.into_iter().filter(|query| !is_further(query));
    own.collect()
}

#[test]
fn one_call_of_few_queries_is_enough() {
    let sides = sides();
    assert_eq!(sides.baseline.balancer, "app/web/50dc6c495c0c9188");

    let queries = bake_queries(&sides, &[61.0, 120.5, 300.0], &[]);
    assert_eq!(without_further(queries.clone()).len(), 23);

    let ids: std::collections::BTreeSet<_> = queries.iter().map(|query| query.key.id()).collect();
    assert_eq!(ids.len(), queries.len(), "ids are unique");

    let statistic = |id: &str| {
        &queries
            .iter()
            .find(|query| query.key.id() == id)
            .expect(id)
            .statistic
    };

    assert_eq!(
        [statistic("b_t1"), statistic("c_t1"), statistic("c_p1")],
        ["TC(0.1205:)", "TC(0.13255:)", "TC(0.150625:)"]
    );
    assert_eq!(
        without_further(bake_queries(&sides, &[], &[])).len(),
        12,
        "answers alone without latency"
    );
}

#[test]
fn a_network_load_balancer_has_no_such_metrics() {
    assert_eq!(
        balancer("arn:aws:elasticloadbalancing:eu-west-1:1:listener/net/web/1/2"),
        None
    );
    assert_eq!(
        balancer("arn:aws:elasticloadbalancing:eu-west-1:1:listener/app/web/1/2").as_deref(),
        Some("app/web/1")
    );
}

pub(super) fn only(queries: &[Query], id: &str) -> Query {
    let found: Vec<&Query> = queries
        .iter()
        .filter(|query| query.key.id() == id)
        .collect();
    assert_eq!(found.len(), 1, "{id}");
    found[0].clone()
}

/// A query of the load balancer's metrics of a colour.
fn of_balancer(id: &str, colour: &str, name: &str, statistic: &str, period_secs: i32) -> Query {
    let dimensions = vec![
        (
            "TargetGroup".to_owned(),
            format!("targetgroup/{colour}/0123456789abcdef"),
        ),
        (
            "LoadBalancer".to_owned(),
            "app/web/50dc6c495c0c9188".to_owned(),
        ),
    ];
    let metric = MetricName {
        namespace: "AWS/ApplicationELB".to_owned(),
        name: name.to_owned(),
        dimensions,
    };

    Query {
        key: key(id),
        metric,
        statistic: statistic.to_owned(),
        period_secs,
    }
}

#[test]
fn each_look_reads_requests_errors_refusals_and_slow_requests_of_both_colours() {
    let queries = bake_queries(&sides(), &[60.0, 120.0, 300.0], &[]);
    let expected = [
        of_balancer("c_n", "green", "RequestCount", "Sum", 60),
        of_balancer("c_e", "green", "HTTPCode_Target_5XX_Count", "Sum", 60),
        of_balancer("c_x", "green", "TargetConnectionErrorCount", "Sum", 60),
        of_balancer("c_s", "green", "TargetResponseTime", "SampleCount", 60),
        of_balancer("c_t0", "green", "TargetResponseTime", "TC(0.066:)", 60),
        of_balancer("c_t2", "green", "TargetResponseTime", "TC(0.33:)", 60),
        of_balancer("c_p0", "green", "TargetResponseTime", "TC(0.075:)", 60),
        of_balancer("c_p2", "green", "TargetResponseTime", "TC(0.375:)", 60),
        of_balancer("b_n", "blue", "RequestCount", "Sum", 60),
        of_balancer("b_e", "blue", "HTTPCode_Target_5XX_Count", "Sum", 60),
        of_balancer("b_x", "blue", "TargetConnectionErrorCount", "Sum", 60),
        of_balancer("b_s", "blue", "TargetResponseTime", "SampleCount", 60),
        of_balancer("b_t0", "blue", "TargetResponseTime", "TC(0.06:)", 60),
        of_balancer("b_t2", "blue", "TargetResponseTime", "TC(0.3:)", 60),
    ];

    for query in expected {
        assert_eq!(only(&queries, &query.key.id()), query);
    }

    assert!(
        queries
            .iter()
            .all(|query| !query.key.id().starts_with("b_p")),
        "only the canary is measured for a promotion"
    );
}

#[test]
fn the_hour_before_is_read_of_the_live_colour_with_its_percentiles_as_a_whole() {
    let queries = without_further(hourly_queries(&sides(), SourceSettings::default()));
    assert_eq!(
        queries,
        [
            of_balancer("b_w", "blue", "TargetResponseTime", "SampleCount", 3_600),
            of_balancer("b_p90", "blue", "TargetResponseTime", "p90", 3_600),
            of_balancer("b_p99", "blue", "TargetResponseTime", "p99", 3_600),
        ]
    );
}

#[test]
fn the_hour_before_is_read_by_zones_minute_by_minute() {
    let zones = vec!["eu-west-1a".to_owned(), "eu-west-1b".to_owned()];
    let queries = without_further(zone_queries(&sides().with_zones(zones), &[60.0]));
    assert_eq!(
        queries.len(),
        16,
        "six counters and two counts of slow ones in each zone"
    );

    let found = queries.iter().find(|query| query.key.id() == "b1_t0");
    let mut expected = of_balancer("b_t0", "blue", "TargetResponseTime", "TC(0.06:)", 60);
    expected.key.zone = Some(1);
    let zone = ("AvailabilityZone".to_owned(), "eu-west-1b".to_owned());
    expected.metric.dimensions.push(zone);
    assert_eq!(found, Some(&expected));

    let whole = without_further(zone_queries(&sides(), &[60.0]));
    assert_eq!(
        whole.len(),
        8,
        "where no zone is known, of the whole target group"
    );
    let slow = of_balancer("b_p0", "blue", "TargetResponseTime", "TC(0.075:)", 60);
    assert_eq!(only(&whole, "b_p0"), slow);
}

/// What the first judged minute has, by these points.
pub(super) fn read(points: &[(&str, f64)], custom: &[CustomMetric]) -> Minute {
    const AT: i64 = 29_460_060;
    let data: Data = points
        .iter()
        .map(|(id, value)| (key(id), [(AT, *value)].into()))
        .collect();
    let observed = Observations {
        data: &data,
        now_secs: (AT + 10) * 60,
    };
    let settings = SourceSettings {
        thresholds_ms: &[60.0],
        custom,
        ..SourceSettings::default()
    };
    minute(&observed, &settings, AT)
}

#[test]
fn points_become_the_counters_of_a_minute() {
    let points = [
        ("c_n", 100.0),
        ("c_2", 80.0),
        ("c_3", 5.0),
        ("c_4", 10.0),
        ("c_e", 3.0),
        ("c_x", 2.0),
        ("c_s", 98.0),
        ("c_p0", 7.0),
        ("b_n", 900.0),
    ];
    let found = read(&points, &[]);
    assert_eq!(
        found.canary,
        Counters {
            requests: Some(100),
            good: Some(85),
            client_errors: Some(10),
            server_errors: Some(3),
            refused: Some(2),
            timed: Some(98),
            slow: vec![Some(0)],
            slow_to_promote: vec![Some(7)],
            ..Counters::default()
        }
    );
    let baseline = found.baseline;
    assert_eq!(
        (baseline.requests, baseline.good, baseline.timed),
        (Some(900), None, None)
    );
    assert_eq!(
        baseline.slow,
        [None],
        "no response times, so nothing is known of slow ones"
    );
}

#[test]
fn only_what_belongs_to_an_application_load_balancer_names_one() {
    let of = |arn: &str| balancer(&format!("arn:aws:elasticloadbalancing:eu-west-1:1:{arn}"));
    for own in ["listener-rule/app/web/1/2/3", "loadbalancer/app/web/1"] {
        assert_eq!(of(own).as_deref(), Some("app/web/1"), "{own}");
    }
    for other in [
        "listener/net/web/1/2",
        "listener-rule/app/web",
        "loadbalancer/net/web/1",
        "listener/gwy/web/1/2",
    ] {
        assert_eq!(of(other), None, "{other}");
    }
}
