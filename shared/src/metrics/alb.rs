//! The metrics of an Application Load Balancer: answers, and latency at each threshold.

use super::source::{
    Key, MetricName, Observations, Query, Side, Sides, Source, SourceCount, SourceMetric, Window,
};
use crate::judge::canary::config::{LATENCY_TOLERANCE, LATENCY_TOLERANCE_TO_PROMOTE};
use crate::judge::canary::counts::{Counters, OwnCounter};

const NAMESPACE: &str = "AWS/ApplicationELB";
const MINUTE_SECS: i32 = 60;
const HOUR_SECS: i32 = 3_600;

/// Every answer of a target has one of these classes; a refused connection has none.
const ANSWERS: [SourceMetric; 6] = [
    SourceMetric::Requests,
    SourceMetric::Responses2xx,
    SourceMetric::Responses3xx,
    SourceMetric::Responses4xx,
    SourceMetric::Responses5xx,
    SourceMetric::RefusedConnections,
];

/// What the load balancer measures of both target groups.
#[derive(Clone, Copy, Debug)]
pub struct Alb<'a> {
    pub thresholds_ms: &'a [f64],
}

/// Requests and their answers on both sides, minute by minute.
#[must_use]
pub fn answer_queries(sides: &Sides) -> Vec<Query> {
    let of_side = |side| ANSWERS.map(|metric| query(sides, side, metric, "Sum"));
    Side::BOTH.into_iter().flat_map(of_side).collect()
}

impl Source for Alb<'_> {
    fn queries(&self, sides: &Sides, side: Side, window: Window) -> Vec<Query> {
        let counters = || ANSWERS.map(|metric| query(sides, side, metric, "Sum"));
        match window {
            Window::Hour => whole_hour(sides, side).to_vec(),
            Window::Zones => {
                let mut queries = counters().to_vec();
                queries.extend(self.slow(sides, side, 1.0));
                queries.extend(self.slow_to_promote(sides, side));
                by_zones(sides, &queries)
            }
            Window::Bake => {
                let tolerance = match side {
                    Side::Canary => LATENCY_TOLERANCE,
                    Side::Baseline => 1.0,
                };
                let mut queries = counters().to_vec();
                if !self.thresholds_ms.is_empty() {
                    let timed = query(sides, side, SourceMetric::ResponseTimes, "SampleCount");
                    queries.push(timed);
                    queries.extend(self.slow(sides, side, tolerance));
                    if side == Side::Canary {
                        queries.extend(self.slow_to_promote(sides, side));
                    }
                }
                queries
            }
        }
    }

    fn counts(&self) -> Vec<SourceCount> {
        Vec::new()
    }

    fn read(&self, _: &Observations<'_>, _: Side, _: i64) -> Vec<OwnCounter> {
        Vec::new()
    }
}

impl Alb<'_> {
    /// How many response times are above each threshold times `tolerance`.
    fn slow(&self, sides: &Sides, side: Side, tolerance: f64) -> Vec<Query> {
        let thresholds = self.thresholds_ms.iter().enumerate();
        thresholds
            .map(|(index, ms)| {
                query(
                    sides,
                    side,
                    SourceMetric::Slow(index),
                    &above(ms * tolerance),
                )
            })
            .collect()
    }

    /// How many are above the laxer thresholds of a promotion.
    fn slow_to_promote(&self, sides: &Sides, side: Side) -> Vec<Query> {
        let thresholds = self.thresholds_ms.iter().enumerate();
        thresholds
            .map(|(index, ms)| {
                let slow = above(ms * LATENCY_TOLERANCE_TO_PROMOTE);
                query(sides, side, SourceMetric::SlowToPromote(index), &slow)
            })
            .collect()
    }
}

/// The counters of a side in a minute. What CloudWatch has no point for is unknown here; beside
/// requests the judge takes it for 0, except for response times, which all come from one metric:
/// slow ones that are absent beside them are 0.
#[must_use]
pub fn counters(observed: &Observations<'_>, thresholds: usize, side: Side, at: i64) -> Counters {
    let count = |metric| observed.count(side, metric, at);
    let timed = count(SourceMetric::ResponseTimes);
    let slow = |metric: fn(usize) -> SourceMetric| -> Vec<Option<u64>> {
        let above = |index| timed.map(|_| count(metric(index)).unwrap_or(0));
        (0..thresholds).map(above).collect()
    };
    let classes = [
        count(SourceMetric::Responses2xx),
        count(SourceMetric::Responses3xx),
    ];

    Counters {
        requests: count(SourceMetric::Requests),
        good: classes
            .into_iter()
            .flatten()
            .reduce(|one, other| one + other),
        client_errors: count(SourceMetric::Responses4xx),
        server_errors: count(SourceMetric::Responses5xx),
        refused: count(SourceMetric::RefusedConnections),
        timed,
        slow: slow(SourceMetric::Slow),
        slow_to_promote: match side {
            Side::Canary => slow(SourceMetric::SlowToPromote),
            Side::Baseline => Vec::new(),
        },
        own: Vec::new(),
        values: Vec::new(),
    }
}

/// Response times of the hour as one period, with their percentiles.
fn whole_hour(sides: &Sides, side: Side) -> [Query; 3] {
    let statistics = [
        (SourceMetric::HourlyResponseTimes, "SampleCount"),
        (SourceMetric::HourlyPercentile(90), "p90"),
        (SourceMetric::HourlyPercentile(99), "p99"),
    ];
    statistics.map(|(metric, statistic)| Query {
        period_secs: HOUR_SECS,
        ..query(sides, side, metric, statistic)
    })
}

/// The same series of each Availability Zone; of the whole target group where none is known.
fn by_zones(sides: &Sides, queries: &[Query]) -> Vec<Query> {
    if sides.zones.is_empty() {
        return queries.to_vec();
    }
    let in_zone = |(zone, name): (usize, &String)| {
        let in_zone = queries.iter().map(move |query| {
            let mut query = query.clone();
            query.key.zone = Some(zone);
            let dimension = ("AvailabilityZone".to_owned(), name.clone());
            query.metric.dimensions.push(dimension);
            query
        });
        in_zone.collect::<Vec<_>>()
    };
    sides.zones.iter().enumerate().flat_map(in_zone).collect()
}

fn query(sides: &Sides, side: Side, metric: SourceMetric, statistic: &str) -> Query {
    let name = match metric {
        SourceMetric::Requests => "RequestCount",
        SourceMetric::Responses2xx => "HTTPCode_Target_2XX_Count",
        SourceMetric::Responses3xx => "HTTPCode_Target_3XX_Count",
        SourceMetric::Responses4xx => "HTTPCode_Target_4XX_Count",
        SourceMetric::Responses5xx => "HTTPCode_Target_5XX_Count",
        SourceMetric::RefusedConnections => "TargetConnectionErrorCount",
        _ => "TargetResponseTime",
    };
    let colour = sides.colour(side);

    Query {
        key: Key::new(side, metric),
        metric: MetricName {
            namespace: NAMESPACE.to_owned(),
            name: name.to_owned(),
            dimensions: vec![
                ("TargetGroup".to_owned(), colour.target_group.clone()),
                ("LoadBalancer".to_owned(), colour.balancer.clone()),
            ],
        },
        statistic: statistic.to_owned(),
        period_secs: MINUTE_SECS,
    }
}

/// The count of samples above a number of milliseconds: CloudWatch has response times in seconds.
fn above(ms: f64) -> String {
    let secs = format!("{:.6}", ms / 1_000.0);
    format!("TC({}:)", secs.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::metrics::tests::sides;
    use crate::observed::fixtures::NEW;
    use crate::strategy::blue_green::fixtures::pair;

    #[test]
    fn requests_and_answers_of_both_groups_are_read_minute_by_minute() {
        let queries = answer_queries(&sides());
        let ids: Vec<String> = queries.iter().map(|query| query.key.id()).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let expected = [
            "c_n", "c_2", "c_3", "c_4", "c_e", "c_x", "b_n", "b_2", "b_3", "b_4", "b_e", "b_x",
        ];
        assert_eq!(ids, expected);

        for (at, query) in queries.iter().enumerate() {
            let colour = if at < 6 { "green" } else { "blue" };
            let group = format!("targetgroup/{colour}/0123456789abcdef");
            let balancer = "app/web/50dc6c495c0c9188".to_owned();
            assert_eq!(
                query.metric.dimensions,
                [
                    ("TargetGroup".to_owned(), group),
                    ("LoadBalancer".to_owned(), balancer)
                ]
            );
            assert_eq!((query.statistic.as_str(), query.period_secs), ("Sum", 60));
        }
    }

    #[test]
    fn a_colour_behind_records_is_measured_at_its_own_load_balancer() {
        let behind = |idle: &str| {
            let place = "arn:aws:elasticloadbalancing:eu-west-1:111122223333";
            let arns = ["app/blue/1", idle].map(|it| format!("{place}:loadbalancer/{it}"));
            Sides::behind(&pair(), "web", NEW, [&arns[0], &arns[1]])
        };
        let sides = behind("app/green/2").expect("the ARNs are complete");
        let balancers: BTreeSet<(Side, String)> = answer_queries(&sides)
            .iter()
            .map(|query| {
                let last = query.metric.dimensions.last();
                (query.key.side, last.expect("two dimensions").1.clone())
            })
            .collect();
        let expected = [
            (Side::Canary, "app/green/2".to_owned()),
            (Side::Baseline, "app/blue/1".to_owned()),
        ];
        assert_eq!(balancers, BTreeSet::from(expected));

        // The metrics of a Network Load Balancer have no requests.
        assert_eq!(behind("net/green/2"), None);
    }
}
