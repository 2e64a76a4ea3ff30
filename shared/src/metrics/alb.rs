//! The metrics of an Application Load Balancer: errors, and latency at each threshold.

use super::missing_data::STRAGGLE_SECS;
use super::source::{
    Counter, Group, Key, Metric, MetricName, Observations, Query, Side, Sides, Source, Window,
    side_counts, whole,
};
use crate::judge::JudgeConfig;
use crate::judge::clean::Reading;
use crate::judge::config::LATENCY_TOLERANCE;
use crate::judge::spec::MetricSpec;

const NAMESPACE: &str = "AWS/ApplicationELB";
const MINUTE_SECS: i32 = 60;
const HOUR_SECS: i32 = 3_600;

/// A promotion measures slow requests by a laxer threshold than a rollback.
const PROMOTE_TOLERANCE: f64 = 1.25;

/// What the load balancer measures of both target groups.
#[derive(Clone, Copy, Debug)]
pub struct Alb<'a> {
    pub thresholds_ms: &'a [f64],
}

impl Source for Alb<'_> {
    fn queries(&self, sides: &Sides, side: Side, window: Window) -> Vec<Query> {
        match window {
            Window::Hour => {
                let mut queries = counters(sides, side);
                queries.push(query(sides, side, Metric::ResponseTimes, "SampleCount"));
                queries.extend(whole_hour(sides, side));
                queries
            }
            Window::Dispersion => self.slow(sides, side),
            Window::Bake => {
                let mut queries = counters(sides, side);
                if !self.thresholds_ms.is_empty() {
                    queries.extend(self.slow(sides, side));
                }
                queries
            }
        }
    }

    fn share(&self) -> f64 {
        0.0
    }

    fn specs(&self, judge: &JudgeConfig, left: f64) -> Vec<MetricSpec> {
        let specs = judge.metrics(self.thresholds_ms).into_iter();
        specs
            .map(|spec| MetricSpec {
                weight: spec.weight * left,
                ..spec
            })
            .collect()
    }

    fn readings(&self, observed: &Observations<'_>, at: i64) -> Vec<(Group, Reading)> {
        let latency = (0..self.thresholds_ms.len())
            .map(|index| (Group::Latency, latency(observed, index, at)));
        std::iter::once((Group::Errors, errors(observed, at)))
            .chain(latency)
            .collect()
    }
}

impl Alb<'_> {
    /// Response times: how many there are, and how many are above each threshold.
    fn slow(&self, sides: &Sides, side: Side) -> Vec<Query> {
        let tolerance = match side {
            Side::Canary => LATENCY_TOLERANCE,
            Side::Baseline => 1.0,
        };
        let mut queries = vec![query(sides, side, Metric::ResponseTimes, "SampleCount")];

        for (index, ms) in self.thresholds_ms.iter().enumerate() {
            let slow = above(ms * tolerance);
            queries.push(query(sides, side, Metric::Slow(index), &slow));
            if side == Side::Canary {
                let slow = above(ms * PROMOTE_TOLERANCE);
                queries.push(query(sides, side, Metric::SlowToPromote(index), &slow));
            }
        }

        queries
    }
}

fn counters(sides: &Sides, side: Side) -> Vec<Query> {
    let metrics = [
        Metric::Requests,
        Metric::Responses2xx,
        Metric::Responses3xx,
        Metric::Responses4xx,
        Metric::Responses5xx,
        Metric::RefusedConnections,
    ];

    metrics
        .into_iter()
        .map(|metric| query(sides, side, metric, "Sum"))
        .collect()
}

/// Response times of the hour as one period, with their percentiles.
fn whole_hour(sides: &Sides, side: Side) -> Vec<Query> {
    let statistics = [
        (Metric::HourlyResponseTimes, "SampleCount"),
        (Metric::HourlyPercentile(75), "p75"),
        (Metric::HourlyPercentile(90), "p90"),
        (Metric::HourlyPercentile(99), "p99"),
    ];

    statistics
        .into_iter()
        .map(|(metric, statistic)| Query {
            period_secs: HOUR_SECS,
            ..query(sides, side, metric, statistic)
        })
        .collect()
}

fn query(sides: &Sides, side: Side, metric: Metric, statistic: &str) -> Query {
    let name = match metric {
        Metric::Requests => "RequestCount",
        Metric::Responses2xx => "HTTPCode_Target_2XX_Count",
        Metric::Responses3xx => "HTTPCode_Target_3XX_Count",
        Metric::Responses4xx => "HTTPCode_Target_4XX_Count",
        Metric::Responses5xx => "HTTPCode_Target_5XX_Count",
        Metric::RefusedConnections => "TargetConnectionErrorCount",
        _ => "TargetResponseTime",
    };
    let target_group = sides.colour(side).target_group.clone();

    Query {
        key: Key::new(side, metric),
        metric: MetricName {
            namespace: NAMESPACE.to_owned(),
            name: name.to_owned(),
            dimensions: vec![
                ("TargetGroup".to_owned(), target_group),
                ("LoadBalancer".to_owned(), sides.balancer.clone()),
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

/// 5XX and refused connections. The load balancer's own 5XX have no target group.
fn errors(observed: &Observations<'_>, at: i64) -> Reading {
    let counter = |metric, usual_rate| Counter {
        metric,
        among: Metric::Requests,
        usual_rate,
        dispersion: observed.dispersion,
    };
    let answered = counter(Metric::Responses5xx, observed.usual_error_rate);
    let refused = counter(Metric::RefusedConnections, 0.0);
    let side = |side: Side| {
        let answered = observed.count(side, &answered, at);
        let refused = observed.count(side, &refused, at);
        let requests = observed.point(side, Metric::Requests, at);
        let bad = answered.zip(refused).map(|(e, x)| e + x);
        // A balancer retries where a target refuses a connection, and counts each attempt: a dead
        // target has more of them than requests.
        let most = requests
            .filter(|_| observed.age_secs(at) >= STRAGGLE_SECS)
            .unwrap_or(f64::INFINITY);

        side_counts(requests, bad.map(|bad| bad.min(most)))
    };

    let canary = side(Side::Canary);
    Reading {
        canary,
        baseline: side(Side::Baseline),
        canary_bad_promote: canary.bad,
    }
}

/// Slow ones among the response times. Both come from one metric and so arrive at once: what is
/// absent beside the response times is 0.
fn latency(observed: &Observations<'_>, index: usize, at: i64) -> Reading {
    let timed = |side: Side| observed.point(side, Metric::ResponseTimes, at);
    let slow = |side: Side, metric: Metric| {
        timed(side).map(|_| observed.point(side, metric, at).unwrap_or(0.0))
    };
    let side = |side: Side| side_counts(timed(side), slow(side, Metric::Slow(index)));

    let canary = side(Side::Canary);
    let lax = slow(Side::Canary, Metric::SlowToPromote(index))
        .and_then(whole)
        .filter(|lax| canary.requests.is_some_and(|requests| *lax <= requests));

    Reading {
        canary,
        baseline: side(Side::Baseline),
        canary_bad_promote: lax,
    }
}
