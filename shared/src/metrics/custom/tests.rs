use serde_json::json;

use super::*;
use crate::judge::canary::counts::Counters;
use crate::metrics::source::tests::key;
use crate::metrics::tests::{bake_queries, only, read, sides};
use crate::metrics::{SourceSettings, hourly_queries};
use crate::strategy::canary::config::tests::settings;

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
fn metrics_of_a_user_become_counts_and_values() {
    let points = [
        ("c_m0x", 30.0),
        ("c_m0n", 40.0),
        ("b_m0n", 400.0),
        ("c_m1v", 512.5),
    ];
    let found = read(&points, &custom());
    let own = |side: &Counters| (side.own[0].total, side.own[0].bad);
    assert_eq!(
        own(&found.canary),
        (Some(40), Some(10)),
        "fewer orders are worse"
    );
    assert_eq!(own(&found.baseline), (Some(400), Some(400)));
    assert_eq!(
        [&found.canary.values, &found.baseline.values],
        [&[Some(512.5)], &[None]]
    );
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
