use serde_json::json;

use super::custom::CustomMetric;
use super::source::balancer;
use super::source::tests::key;
use super::*;
use crate::observed::colour::PerColour;
use crate::observed::fixtures::NEW;
use crate::observed::route::Route;
use crate::release::PriorPair;
use crate::strategy::blue_green::fixtures::pair;
use crate::strategy::canary::config::tests::settings;

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

fn bake_queries(sides: &Sides, thresholds_ms: &[f64], custom: &[CustomMetric]) -> Vec<Query> {
    let settings = SourceSettings {
        thresholds_ms,
        custom,
        ..SourceSettings::default()
    };
    evaluation_queries(sides, settings)
}

/// Queries without those of further sources, which are tested beside their source.
fn without_further(queries: Vec<Query>) -> Vec<Query> {
    let is_further = |query: &Query| matches!(query.key.metric, Metric::Further(_));
    let own = queries.into_iter().filter(|query| !is_further(query));
    own.collect()
}

#[test]
fn one_call_of_few_queries_is_enough() {
    let sides = sides();
    assert_eq!(sides.balancer, "app/web/50dc6c495c0c9188");

    let queries = bake_queries(&sides, &[61.0, 120.5, 300.0, 450.0], &[]);
    assert_eq!(without_further(queries.clone()).len(), 26);

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
        "errors alone without latency"
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

fn only(queries: &[Query], id: &str) -> Query {
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
    let queries = bake_queries(&sides(), &[60.0, 120.0, 300.0, 450.0], &[]);
    let expected = [
        of_balancer("c_n", "green", "RequestCount", "Sum", 60),
        of_balancer("c_e", "green", "HTTPCode_Target_5XX_Count", "Sum", 60),
        of_balancer("c_x", "green", "TargetConnectionErrorCount", "Sum", 60),
        of_balancer("c_s", "green", "TargetResponseTime", "SampleCount", 60),
        of_balancer("c_t0", "green", "TargetResponseTime", "TC(0.066:)", 60),
        of_balancer("c_t3", "green", "TargetResponseTime", "TC(0.495:)", 60),
        of_balancer("c_p0", "green", "TargetResponseTime", "TC(0.075:)", 60),
        of_balancer("c_p3", "green", "TargetResponseTime", "TC(0.5625:)", 60),
        of_balancer("b_n", "blue", "RequestCount", "Sum", 60),
        of_balancer("b_e", "blue", "HTTPCode_Target_5XX_Count", "Sum", 60),
        of_balancer("b_x", "blue", "TargetConnectionErrorCount", "Sum", 60),
        of_balancer("b_s", "blue", "TargetResponseTime", "SampleCount", 60),
        of_balancer("b_t0", "blue", "TargetResponseTime", "TC(0.06:)", 60),
        of_balancer("b_t3", "blue", "TargetResponseTime", "TC(0.45:)", 60),
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
    let queries = hourly_queries(&sides(), SourceSettings::default());
    let expected = [
        of_balancer("b_n", "blue", "RequestCount", "Sum", 60),
        of_balancer("b_e", "blue", "HTTPCode_Target_5XX_Count", "Sum", 60),
        of_balancer("b_x", "blue", "TargetConnectionErrorCount", "Sum", 60),
        of_balancer("b_w", "blue", "TargetResponseTime", "SampleCount", 3_600),
        of_balancer("b_p75", "blue", "TargetResponseTime", "p75", 3_600),
        of_balancer("b_p90", "blue", "TargetResponseTime", "p90", 3_600),
        of_balancer("b_p99", "blue", "TargetResponseTime", "p99", 3_600),
    ];

    for query in expected {
        assert_eq!(only(&queries, &query.key.id()), query);
    }

    assert!(queries.iter().all(|query| query.key.id().starts_with("b_")));

    let slow = without_further(dispersion_queries(&sides(), &[60.0, 120.0]));
    assert_eq!(
        slow,
        [
            of_balancer("b_s", "blue", "TargetResponseTime", "SampleCount", 60),
            of_balancer("b_t0", "blue", "TargetResponseTime", "TC(0.06:)", 60),
            of_balancer("b_t1", "blue", "TargetResponseTime", "TC(0.12:)", 60),
        ]
    );
}

/// A metric of a user with every placeholder, and one with text around a placeholder.
fn custom() -> Vec<CustomMetric> {
    let counted = json!({
        "name": "orders", "namespace": "Shop", "count": "Orders", "total": "Carts",
        "worse": "less",
        "dimensions": {
            "A": "{colour}", "B": "{service}", "C": "{task_definition}", "D": "{target_group}",
            "E": "{load_balancer}", "F": "plain",
        },
    });
    let valued = json!({
        "name": "memory", "namespace": "ECS", "value": "Memory", "statistic": "p95",
        "worse": "more", "dimensions": {"S": "x-{service}-y"},
    });

    settings(json!([counted, valued])).custom
}

fn query(
    id: &str,
    namespace: &str,
    (name, statistic): (&str, &str),
    dimensions: &[(&str, &str)],
) -> Query {
    let dimensions = dimensions
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));

    Query {
        key: key(id),
        metric: MetricName {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            dimensions: dimensions.collect(),
        },
        statistic: statistic.to_owned(),
        period_secs: 60,
    }
}

#[test]
fn of_the_metrics_of_a_user_the_hour_before_has_the_counts_of_the_live_colour() {
    let settings = SourceSettings {
        custom: &custom(),
        ..SourceSettings::default()
    };
    let queries = hourly_queries(&sides(), settings);
    let ids = queries.iter().map(|query| query.key.id());
    let own: Vec<String> = ids.filter(|id| id.starts_with("b_m")).collect();
    assert_eq!(own, ["b_m0x"]);
    assert!(queries.iter().all(|query| query.key.side == Side::Baseline));
}

#[test]
fn metrics_of_a_user_are_read_of_both_colours_with_what_differs_filled_in() {
    let queries = bake_queries(&sides(), &[], &custom());

    let green = [
        ("A", "green"),
        ("B", "web-green"),
        ("C", "web:2"),
        ("D", "targetgroup/green/0123456789abcdef"),
        ("E", "app/web/50dc6c495c0c9188"),
        ("F", "plain"),
    ];
    let blue = [
        ("A", "blue"),
        ("B", "web-blue"),
        ("C", "web:1"),
        ("D", "targetgroup/blue/0123456789abcdef"),
        ("E", "app/web/50dc6c495c0c9188"),
        ("F", "plain"),
    ];
    let orders = ("Orders", "Sum");
    let carts = ("Carts", "Sum");
    let memory = ("Memory", "p95");
    let expected = [
        query("c_m0x", "Shop", orders, &green),
        query("c_m0n", "Shop", carts, &green),
        query("b_m0x", "Shop", orders, &blue),
        query("b_m0n", "Shop", carts, &blue),
        query("c_m1v", "ECS", memory, &[("S", "x-web-green-y")]),
        query("b_m1v", "ECS", memory, &[("S", "x-web-blue-y")]),
    ];

    for query in expected {
        assert_eq!(only(&queries, &query.key.id()), query);
    }
}

#[test]
fn only_the_rule_of_an_application_load_balancer_names_one() {
    let of = |arn: &str| balancer(&format!("arn:aws:elasticloadbalancing:eu-west-1:1:{arn}"));
    assert_eq!(
        of("listener-rule/app/web/1/2/3").as_deref(),
        Some("app/web/1")
    );
    assert_eq!(of("listener/app/web/1/2").as_deref(), Some("app/web/1"));

    for other in [
        "listener/net/web/1/2",
        "listener-rule/app/web",
        "loadbalancer/app/web/1",
        "listener/gwy/web/1/2",
    ] {
        assert_eq!(of(other), None, "{other}");
    }
}
