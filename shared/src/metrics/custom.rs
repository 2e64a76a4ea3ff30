//! Metrics of a user's own, from any namespace of CloudWatch.
//!
//! Counts share the error rate with errors and latency. Series of values only object.

use std::collections::BTreeMap;

use super::source::{
    CustomPart, Key, MetricName, Observations, Query, Side, Sides, Source, SourceCount,
    SourceMetric, Window, whole,
};
use crate::judge::canary::counts::OwnCounter;
use crate::judge::canary::metric::OwnCount;
use crate::judge::canary::values::{SeriesSpec, Worse};

const MINUTE_SECS: i32 = 60;

/// Where the numbers of a metric come from.
#[derive(Clone, Debug, PartialEq)]
pub enum CustomKind {
    /// Events of one metric among those of another: both are sums.
    Count { count: String, total: String },
    /// One value a minute.
    Value { value: String, statistic: String },
}

impl CustomKind {
    /// The name of the metric of the events, or of the values.
    fn first_name(&self) -> &str {
        match self {
            Self::Count { count: name, .. } | Self::Value { value: name, .. } => name,
        }
    }
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
    /// Share of the error rate, in proportion to the others.
    pub weight: f64,
    /// Ratio that is tolerated.
    pub tolerance: f64,
    /// Rate below which a count is harmless.
    pub floor: Option<f64>,
    /// Difference of medians below which a series of values does not object.
    pub least: f64,
    pub dispersion: Option<f64>,
    pub promote_tolerance: Option<f64>,
    pub promote_floor: Option<f64>,
}

impl CustomMetric {
    #[must_use]
    pub(crate) fn is_count(&self) -> bool {
        matches!(self.kind, CustomKind::Count { .. })
    }

    /// How a count is judged.
    fn own_count(&self) -> OwnCount {
        OwnCount {
            name: self.name.clone(),
            weight: self.weight,
            tolerance: self.tolerance,
            floor: self.floor,
            dispersion: self.dispersion,
            promote_tolerance: self.promote_tolerance,
            promote_floor: self.promote_floor,
        }
    }

    /// How a series of values is compared.
    pub(crate) fn series(&self) -> SeriesSpec {
        SeriesSpec {
            name: self.name.clone(),
            worse: self.worse,
            tolerance: self.tolerance,
            least: self.least,
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
        if window != Window::Bake {
            return Vec::new();
        }

        let metrics = self.metrics.iter().enumerate();
        let queries = metrics.flat_map(|(index, metric)| metric.queries(sides, side, index));
        queries.collect()
    }

    fn counts(&self) -> Vec<SourceCount> {
        let metrics = self.metrics.iter().enumerate();
        let counts = metrics.filter(|(_, metric)| metric.is_count());
        let counts = counts.map(|(index, metric)| SourceCount {
            judged: metric.own_count(),
            events: SourceMetric::Custom(index, CustomPart::Count),
            events_name: metric.kind.first_name().to_owned(),
        });
        counts.collect()
    }

    fn read(&self, observed: &Observations<'_>, side: Side, at: i64) -> Vec<OwnCounter> {
        let counts = self.metrics.iter().enumerate();
        counts
            .filter(|(_, metric)| metric.is_count())
            .map(|(index, metric)| metric.counter(observed, side, index, at))
            .collect()
    }
}

/// The values of a side in a minute, one for each series of values.
#[must_use]
pub fn values(
    metrics: &[CustomMetric],
    observed: &Observations<'_>,
    side: Side,
    at: i64,
) -> Vec<Option<f64>> {
    let series = metrics.iter().enumerate();
    series
        .filter(|(_, metric)| !metric.is_count())
        .map(|(index, _)| {
            let value = SourceMetric::Custom(index, CustomPart::Value);
            observed
                .point(side, value, at)
                .filter(|value| value.is_finite())
        })
        .collect()
}

impl CustomMetric {
    fn queries(&self, sides: &Sides, side: Side, index: usize) -> Vec<Query> {
        let query = |part: CustomPart, name: &str, statistic: &str| Query {
            key: Key::new(side, SourceMetric::Custom(index, part)),
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

    fn counter(
        &self,
        observed: &Observations<'_>,
        side: Side,
        index: usize,
        at: i64,
    ) -> OwnCounter {
        let part = |part| SourceMetric::Custom(index, part);
        let (count, total) = (part(CustomPart::Count), part(CustomPart::Total));
        let counted = observed.count_or_zero(side, count, total, at);
        let total = observed.point(side, total, at).and_then(whole);
        let bad = match self.worse {
            Worse::More => counted,
            Worse::Less => total
                .zip(counted)
                .and_then(|(total, counted)| total.checked_sub(counted)),
        };
        OwnCounter { total, bad }
    }
}

/// A dimension's value with what differs between the sides put in.
fn filled(text: &str, sides: &Sides, side: Side) -> String {
    let colour = sides.colour(side);
    text.replace("{colour}", &colour.colour.to_string())
        .replace("{service}", &colour.service)
        .replace("{task_definition}", &colour.task_definition)
        .replace("{target_group}", &colour.target_group)
        .replace("{load_balancer}", &colour.balancer)
}

#[cfg(test)]
mod tests;
