//! What is measured of the two sides of a canary: which series are read, and how their points
//! become the counters of a minute.
//!
//! A source of metrics is one file here, which names its series as [`SourceMetric::Further`], and
//! one line at the end of [`sources`]. A setting of it is a field of [`FurtherSettings`]. Nothing
//! in this module decides about a release.

pub mod alb;
pub mod custom;
pub mod source;

pub use source::{
    Data, Key, MetricName, Points, Query, Side, Sides, Source, SourceCount, SourceMetric,
};

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::judge::canary::counts::{Counters, Minute};
use crate::judge::canary::metric::OwnCount;
use custom::CustomMetric;
use source::{Observations, Window};

/// Settings of further sources: optional fields of the file of a judgement, beside its own.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct FurtherSettings {}

/// What sources are made with: what the hour before the bake gave, and the settings of the canary.
#[derive(Clone, Debug, Default)]
pub struct SourceSettings<'a> {
    pub thresholds_ms: &'a [f64],
    pub custom: &'a [CustomMetric],
    pub further: FurtherSettings,
}

/// Every source of what is judged, in the order in which the judge numbers its metrics.
#[must_use]
pub fn sources(settings: SourceSettings<'_>) -> Vec<Box<dyn Source + '_>> {
    let SourceSettings {
        thresholds_ms,
        custom,
        further: FurtherSettings {},
    } = settings;
    vec![
        Box::new(alb::Alb { thresholds_ms }),
        Box::new(custom::CustomMetrics { metrics: custom }),
    ]
}

/// What is read of the live colour in the hour before the bake: percentiles of its latency, and the
/// events of each count, which show whether they have ever had a value.
#[must_use]
pub fn hourly_queries(sides: &Sides, settings: SourceSettings<'_>) -> Vec<Query> {
    hourly(sides, &sources(settings))
}

fn hourly(sides: &Sides, sources: &[Box<dyn Source + '_>]) -> Vec<Query> {
    let counts = sources.iter().flat_map(|source| source.counts());
    let counted: BTreeSet<SourceMetric> = counts.map(|count| count.events).collect();
    let mut events = queries(sides, &[Side::Baseline], sources, Window::Bake);
    events.retain(|query| counted.contains(&query.key.metric));

    let mut hourly = queries(sides, &[Side::Baseline], sources, Window::Hour);
    hourly.extend(events);
    hourly
}

/// Answers and slow requests of the live colour in the hour before the bake, minute by minute and
/// zone by zone.
#[must_use]
pub fn zone_queries(sides: &Sides, thresholds_ms: &[f64]) -> Vec<Query> {
    let sources = sources(SourceSettings {
        thresholds_ms,
        ..SourceSettings::default()
    });
    queries(sides, &[Side::Baseline], &sources, Window::Zones)
}

/// Everything that an evaluation judges by.
#[must_use]
pub fn evaluation_queries(sides: &Sides, settings: SourceSettings<'_>) -> Vec<Query> {
    let sources = sources(settings);
    queries(sides, &Side::BOTH, &sources, Window::Bake)
}

/// The counts of all sources but the load balancer, in the order in which they are judged.
#[must_use]
pub fn source_counts(settings: SourceSettings<'_>) -> Vec<SourceCount> {
    let sources = sources(settings);
    sources.iter().flat_map(|source| source.counts()).collect()
}

/// How they are judged.
#[must_use]
pub fn own_counts(settings: SourceSettings<'_>) -> Vec<OwnCount> {
    let counts = source_counts(settings).into_iter();
    counts.map(|count| count.judged).collect()
}

/// Everything that is known of both sides in one minute (since the Unix epoch).
#[must_use]
pub fn minute(observed: &Observations<'_>, settings: &SourceSettings<'_>, at: i64) -> Minute {
    let sources = sources(settings.clone());
    let side = |side| {
        let own = sources
            .iter()
            .flat_map(|source| source.read(observed, side, at));
        Counters {
            own: own.collect(),
            values: custom::values(settings.custom, observed, side, at),
            ..alb::counters(observed, settings.thresholds_ms.len(), side, at)
        }
    };
    Minute {
        canary: side(Side::Canary),
        baseline: side(Side::Baseline),
    }
}

fn queries(
    sides: &Sides,
    read: &[Side],
    sources: &[Box<dyn Source + '_>],
    window: Window,
) -> Vec<Query> {
    let mut queries = Vec::new();
    for side in read {
        for source in sources {
            queries.extend(source.queries(sides, *side, window));
        }
    }

    queries
}

#[cfg(test)]
pub(crate) mod tests;
