//! Metrics of a user's own, from any namespace of CloudWatch.
//!
//! Only counts are read here; series of values are compared by ranks, not minute by minute.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::source::{
    Counter, CustomPart, Group, Key, Metric, MetricName, Observations, Query, Side, Sides, Source,
    Window, side_counts,
};
use crate::judge::JudgeConfig;
use crate::judge::clean::Reading;
use crate::judge::spec::{MetricSpec, Promotion};

const MINUTE_SECS: i32 = 60;

/// Which direction of a metric is the bad one.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Worse {
    More,
    Less,
}

/// Where the numbers of a metric come from.
#[derive(Clone, Debug, PartialEq)]
pub enum CustomKind {
    /// Events of one metric among those of another: both are sums.
    Count { count: String, total: String },
    /// One value a minute.
    Value { value: String, statistic: String },
}

/// A metric beside the built-in ones.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomMetric {
    pub name: String,
    pub namespace: String,
    /// Values may hold `{colour}`, `{service}`, `{task_definition}`, `{target_group}` and
    /// `{load_balancer}`.
    pub dimensions: BTreeMap<String, String>,
    pub kind: CustomKind,
    pub worse: Worse,
    /// Share of the error rate.
    pub weight: f64,
    /// Ratio that is tolerated.
    pub tolerance: f64,
    pub floor: Option<f64>,
    pub dispersion: f64,
    pub promotion: Option<Promotion>,
}

impl CustomMetric {
    #[must_use]
    pub(crate) fn is_count(&self) -> bool {
        matches!(self.kind, CustomKind::Count { .. })
    }

    /// How a count is judged.
    #[must_use]
    pub fn spec(&self) -> MetricSpec {
        MetricSpec {
            name: self.name.clone(),
            label: self.name.clone(),
            weight: self.weight,
            tolerance: self.tolerance,
            floor: self.floor,
            dispersion: self.dispersion,
            promotion: self.promotion,
        }
    }
}

/// All metrics of a user's own.
#[derive(Clone, Copy, Debug)]
pub struct CustomMetrics<'a> {
    pub metrics: &'a [CustomMetric],
}

impl Source for CustomMetrics<'_> {
    fn queries(&self, sides: &Sides, side: Side, window: Window) -> Vec<Query> {
        // Of the hour before only one thing is needed: whether a count has ever had a value.
        let is_read = |query: &Query| match (window, query.key.metric) {
            (Window::Bake, _) | (Window::Hour, Metric::Custom(_, CustomPart::Count)) => true,
            (Window::Hour | Window::Dispersion, _) => false,
        };

        let metrics = self.metrics.iter().enumerate();
        let queries = metrics.flat_map(|(index, metric)| metric.queries(sides, side, index));
        queries.filter(is_read).collect()
    }

    fn share(&self) -> f64 {
        self.metrics.iter().map(|metric| metric.weight).sum()
    }

    fn specs(&self, _: &JudgeConfig, _: f64) -> Vec<MetricSpec> {
        let counts = self.metrics.iter().filter(|metric| metric.is_count());
        counts.map(CustomMetric::spec).collect()
    }

    fn readings(&self, observed: &Observations<'_>, at: i64) -> Vec<(Group, Reading)> {
        self.metrics
            .iter()
            .enumerate()
            .filter(|(_, metric)| metric.is_count())
            .map(|(index, metric)| (Group::Custom, metric.reading(observed, index, at)))
            .collect()
    }
}

impl CustomMetric {
    fn queries(&self, sides: &Sides, side: Side, index: usize) -> Vec<Query> {
        let query = |part: CustomPart, name: &str, statistic: &str| Query {
            key: Key::new(side, Metric::Custom(index, part)),
            metric: MetricName {
                namespace: self.namespace.clone(),
                name: name.to_owned(),
                dimensions: self
                    .dimensions
                    .iter()
                    .map(|(name, value)| (name.clone(), filled(value, sides, side)))
                    .collect(),
            },
            statistic: statistic.to_owned(),
            period_secs: MINUTE_SECS,
        };

        match &self.kind {
            CustomKind::Count { count, total } => vec![
                query(CustomPart::Count, count, "Sum"),
                query(CustomPart::Total, total, "Sum"),
            ],
            CustomKind::Value { value, statistic } => {
                vec![query(CustomPart::Value, value, statistic)]
            }
        }
    }

    fn reading(&self, observed: &Observations<'_>, index: usize, at: i64) -> Reading {
        let counter = Counter {
            metric: Metric::Custom(index, CustomPart::Count),
            among: Metric::Custom(index, CustomPart::Total),
            usual_rate: 0.0,
            dispersion: self.dispersion,
        };
        let side = |side: Side| {
            let total = observed.point(side, counter.among, at);
            let count = observed.count(side, &counter, at);
            let bad = match self.worse {
                Worse::More => count,
                Worse::Less => total.zip(count).map(|(total, count)| total - count),
            };
            side_counts(total, bad)
        };

        let canary = side(Side::Canary);
        Reading {
            canary,
            baseline: side(Side::Baseline),
            canary_bad_promote: canary.bad,
        }
    }
}

/// A dimension's value with what differs between the sides put in.
fn filled(text: &str, sides: &Sides, side: Side) -> String {
    let colour = sides.colour(side);
    text.replace("{colour}", &colour.colour.to_string())
        .replace("{service}", &colour.service)
        .replace("{task_definition}", &colour.task_definition)
        .replace("{target_group}", &colour.target_group)
        .replace("{load_balancer}", &sides.balancer)
}
