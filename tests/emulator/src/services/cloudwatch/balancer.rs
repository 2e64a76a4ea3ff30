//! The metrics of Application Load Balancers, from what targets answered and how healthy they were.
//!
//! Source:
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html>

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::arrival::{Visible, visible};
use super::minute::{self, HalfMinute, Series};
use super::samples::{Cell, Samples};
use super::zones::{in_zone, place_of};
use super::{MetricId, host_counts};
use crate::{Aws, Millis, traffic};

pub(super) const NAMESPACE: &str = "AWS/ApplicationELB";

#[derive(Clone, Copy, Debug)]
enum Metric {
    Counter(fn(&HalfMinute) -> u64),
    ResponseTime,
    /// Answers that a balancer makes itself: target groups do not have them.
    Own(fn(&HalfMinute) -> u64),
    /// The hosts of a target group, which balancers do not have: the healthy ones, or the others.
    Hosts(bool),
}

const METRICS: [(&str, Metric); 13] = [
    (
        "HTTPCode_ELB_502_Count",
        Metric::Own(|part| part.refused + part.reset),
    ),
    ("HTTPCode_ELB_503_Count", Metric::Own(|part| part.unserved)),
    (
        "HTTPCode_ELB_504_Count",
        Metric::Own(|part| part.unanswered),
    ),
    (
        "HTTPCode_ELB_5XX_Count",
        Metric::Own(|part| part.refused + part.reset + part.unserved + part.unanswered),
    ),
    (
        "HTTPCode_Target_2XX_Count",
        Metric::Counter(|part| part.good),
    ),
    // No application here redirects.
    ("HTTPCode_Target_3XX_Count", Metric::Counter(|_| 0)),
    (
        "HTTPCode_Target_4XX_Count",
        Metric::Counter(|part| part.client_errors),
    ),
    (
        "HTTPCode_Target_5XX_Count",
        Metric::Counter(|part| part.server_errors),
    ),
    ("HealthyHostCount", Metric::Hosts(true)),
    ("RequestCount", Metric::Counter(HalfMinute::requests)),
    (
        "TargetConnectionErrorCount",
        Metric::Counter(|part| part.refused),
    ),
    ("TargetResponseTime", Metric::ResponseTime),
    ("UnHealthyHostCount", Metric::Hosts(false)),
];

/// Where the points of a metric come from.
#[derive(Clone, Debug)]
pub(super) struct Source {
    name: &'static str,
    metric: Metric,
    series: Series,
    /// The place of an Availability Zone among those of the balancer, and how many it has.
    zone: Option<(usize, usize)>,
}

/// The source of a metric by its dimensions: a balancer, a target group of a balancer, or either in
/// one of its Availability Zones.
pub(super) fn source(aws: &Aws, id: &MetricId) -> Option<Source> {
    let (name, metric) = METRICS.iter().find(|(name, _)| *name == id.name)?;
    let balancer = id.dimensions.get("LoadBalancer")?.clone();
    let group = id
        .dimensions
        .get("TargetGroup")
        .map(|group| aws.arn("elasticloadbalancing", group));
    let zone = id.dimensions.get("AvailabilityZone");
    let place = match zone {
        Some(_) if aws.cloudwatch.faults.without_zones => return None,
        Some(zone) => Some(place_of(aws, &balancer, zone)?),
        None => None,
    };
    let dimensions = 1 + usize::from(group.is_some()) + usize::from(zone.is_some());
    let known = id.namespace == NAMESPACE && id.dimensions.len() == dimensions;
    let fits = match metric {
        Metric::Own(_) => group.is_none(),
        Metric::Hosts(_) => group.is_some() && zone.is_none(),
        _ => true,
    };

    (known && fits).then_some(Source {
        name,
        metric: *metric,
        series: Series { balancer, group },
        zone: place,
    })
}

pub(super) fn unit(name: &str) -> &'static str {
    if name == "TargetResponseTime" {
        "Seconds"
    } else {
        "Count"
    }
}

impl Source {
    /// What is visible of a minute now.
    pub(super) fn samples(&self, aws: &mut Aws, minute: Millis) -> Samples {
        if minute > aws.now {
            return Samples::default();
        }

        let seen = visible(aws, &self.series, self.name, minute);
        if let (Metric::Hosts(healthy), Some(group)) = (self.metric, &self.series.group) {
            let whole = seen == Visible::Whole;
            return if whole {
                host_counts::samples(aws, &self.series.balancer, group, minute, healthy)
            } else {
                Samples::default()
            };
        }

        let halves = match seen {
            Visible::Nothing => 0,
            Visible::Beginning => 1,
            Visible::Whole => 2,
        };
        self.drawn(aws, minute, halves)
    }

    fn drawn(&self, aws: &mut Aws, minute: Millis, halves: usize) -> Samples {
        let mut samples = Samples::default();
        if halves == 0 {
            return samples;
        }

        let series = match self.series.group {
            Some(_) => vec![self.series.clone()],
            None => minute::series_of(aws, &self.series.balancer, minute),
        };
        for (series, half) in series
            .iter()
            .flat_map(|series| (0..halves).map(move |half| (series, half)))
        {
            let Some(part) = minute::part(aws, series, minute, half) else {
                continue;
            };
            let part = match self.zone {
                Some(place) => Arc::new(in_zone(aws.seed, series, (minute, half), &part, place)),
                None => part,
            };
            match self.metric {
                Metric::Counter(count) | Metric::Own(count) => {
                    samples.add(Cell::same(1.0, count(&part) as f64))
                }
                Metric::ResponseTime => samples.extend(&part.response_times),
                Metric::Hosts(_) => {}
            }
        }
        samples
    }
}

/// Every metric that had a point between two instants, as far as it is visible.
pub(super) fn list(aws: &mut Aws, from: Millis) -> Vec<MetricId> {
    let from = from - from.rem_euclid(minute::MINUTE);
    let mut minutes = BTreeMap::<(String, Option<String>), BTreeSet<Millis>>::new();
    for (arn, span) in traffic::between(aws, from, aws.now) {
        let Some(balancer) = minute::balancer_of(arn) else {
            continue;
        };

        let begin = span.from.max(from);
        let all =
            (begin - begin.rem_euclid(minute::MINUTE)..span.to).step_by(minute::MINUTE as usize);

        for flow in &span.flows {
            minutes
                .entry((balancer.to_owned(), flow.target_group.clone()))
                .or_default()
                .extend(all.clone());
            minutes
                .entry((balancer.to_owned(), None))
                .or_default()
                .extend(all.clone());
        }
    }

    let mut found = Vec::new();
    for ((balancer, group), minutes) in minutes {
        for (name, _) in METRICS {
            let mut dimensions = BTreeMap::from([("LoadBalancer".to_owned(), balancer.clone())]);
            let short = group.as_deref().and_then(|arn| arn.rsplit_once(':'));
            dimensions.extend(short.map(|(_, group)| ("TargetGroup".to_owned(), group.to_owned())));
            let id = MetricId {
                namespace: NAMESPACE.to_owned(),
                name: name.to_owned(),
                dimensions,
            };
            let Some(source) = source(aws, &id) else {
                continue;
            };

            if minutes
                .iter()
                .any(|minute| !source.samples(aws, *minute).is_empty())
            {
                found.push(id);
            }
        }
    }
    found
}
