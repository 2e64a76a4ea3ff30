//! What a source of metrics gives: queries for a side, and counts of a minute from their points.
//!
//! Series are known by a typed [`Key`]. Its text for CloudWatch is written in [`Key::id`] alone,
//! and is never parsed: an adapter finds the key by the id of the query.

use std::collections::BTreeMap;
use std::fmt::Debug;

use crate::judge::canary::counts::OwnCounter;
use crate::judge::canary::metric::OwnCount;
use crate::limits::COUNTED_A_MINUTE;
use crate::observed::colour::Colour;
use crate::observed::route::Route;
use crate::observed::service::{revision, short_name};
use crate::release::PriorPair;

/// Values of one series by the minute (since the Unix epoch) in which their period begins.
pub type Points = BTreeMap<i64, f64>;

/// Points by their series.
pub type Data = BTreeMap<Key, Points>;

/// A side of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    Canary,
    Baseline,
}

impl Side {
    pub(crate) const BOTH: [Self; 2] = [Self::Canary, Self::Baseline];

    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Canary => Self::Baseline,
            Self::Baseline => Self::Canary,
        }
    }
}

/// What a series measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourceMetric {
    Requests,
    Responses2xx,
    Responses3xx,
    Responses4xx,
    Responses5xx,
    RefusedConnections,
    /// Response times.
    ResponseTimes,
    /// Response times above a threshold.
    Slow(usize),
    /// Response times of the canary above the laxer threshold of a promotion.
    SlowToPromote(usize),
    /// Response times of the hour as one period.
    HourlyResponseTimes,
    /// A percentile of the hour as one period.
    HourlyPercentile(u8),
    /// A part of a user's own metric, by its place among them.
    Custom(usize, CustomPart),
    /// A series of a further source, by a name of its own: letters, digits and `_`.
    Further(&'static str),
}

/// A part of a user's own metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CustomPart {
    Count,
    Total,
    Value,
}

/// One series: a metric of a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub side: Side,
    pub metric: SourceMetric,
    /// The place of its Availability Zone; none for the whole target group.
    pub zone: Option<usize>,
}

impl Key {
    #[must_use]
    pub fn new(side: Side, metric: SourceMetric) -> Self {
        Self {
            side,
            metric,
            zone: None,
        }
    }

    /// The id of its query: a letter of the side, and a short name of the metric.
    #[must_use]
    pub fn id(self) -> String {
        let side = match self.side {
            Side::Canary => 'c',
            Side::Baseline => 'b',
        };
        let metric = match self.metric {
            SourceMetric::Requests => "n".to_owned(),
            SourceMetric::Responses2xx => "2".to_owned(),
            SourceMetric::Responses3xx => "3".to_owned(),
            SourceMetric::Responses4xx => "4".to_owned(),
            SourceMetric::Responses5xx => "e".to_owned(),
            SourceMetric::RefusedConnections => "x".to_owned(),
            SourceMetric::ResponseTimes => "s".to_owned(),
            SourceMetric::Slow(index) => format!("t{index}"),
            SourceMetric::SlowToPromote(index) => format!("p{index}"),
            SourceMetric::HourlyResponseTimes => "w".to_owned(),
            SourceMetric::HourlyPercentile(percent) => format!("p{percent}"),
            SourceMetric::Custom(index, CustomPart::Count) => format!("m{index}x"),
            SourceMetric::Custom(index, CustomPart::Total) => format!("m{index}n"),
            SourceMetric::Custom(index, CustomPart::Value) => format!("m{index}v"),
            SourceMetric::Further(name) => format!("f_{name}"),
        };
        match self.zone {
            None => format!("{side}_{metric}"),
            Some(zone) => format!("{side}{zone}_{metric}"),
        }
    }
}

/// Series that are judged together, and are settled together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Requests, answers by class, and refused connections.
    Answers,
    /// Response times: all come from one metric.
    Latency,
    /// A user's own metrics, and those of further sources.
    Custom,
}

impl SourceMetric {
    /// The group of a series.
    #[must_use]
    pub fn group(self) -> Group {
        match self {
            Self::Requests
            | Self::Responses2xx
            | Self::Responses3xx
            | Self::Responses4xx
            | Self::Responses5xx
            | Self::RefusedConnections => Group::Answers,
            Self::ResponseTimes
            | Self::Slow(_)
            | Self::SlowToPromote(_)
            | Self::HourlyResponseTimes
            | Self::HourlyPercentile(_) => Group::Latency,
            Self::Custom(..) | Self::Further(_) => Group::Custom,
        }
    }
}

/// What names a metric in CloudWatch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricName {
    pub namespace: String,
    pub name: String,
    pub dimensions: Vec<(String, String)>,
}

/// One series to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    pub key: Key,
    pub metric: MetricName,
    pub statistic: String,
    pub period_secs: i32,
}

/// What queries are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// The hour before the bake, from which thresholds follow.
    Hour,
    /// The same hour by Availability Zones, once the thresholds are known.
    Zones,
    /// The bake.
    Bake,
}

/// A count of a source.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceCount {
    /// How it is judged.
    pub judged: OwnCount,
    /// The series of its events. Where it has no point it may be read as 0, so nothing is promoted
    /// if it has never had one.
    pub events: SourceMetric,
    /// The name by which operators know that series.
    pub events_name: String,
}

/// A source of metrics.
pub trait Source {
    /// The series that are read of a side.
    fn queries(&self, sides: &Sides, side: Side, window: Window) -> Vec<Query>;

    /// Its counts, always in the same order. The load balancer's own are not among them.
    fn counts(&self) -> Vec<SourceCount>;

    /// Its counts on one side in one minute (since the Unix epoch), in the same order.
    fn read(&self, observed: &Observations<'_>, side: Side, at: i64) -> Vec<OwnCounter>;
}

/// One of the two colours that are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComparedColour {
    pub colour: Colour,
    /// Name of its service.
    pub service: String,
    /// The load balancer before it, `app/<name>/<16 hex>`.
    pub balancer: String,
    /// `targetgroup/<name>/<16 hex>`.
    pub target_group: String,
    /// `<family>:<revision>`.
    pub task_definition: String,
}

/// Both colours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sides {
    /// The Availability Zones of their load balancer; empty where they are not known.
    pub zones: Vec<String>,
    pub canary: ComparedColour,
    pub baseline: ComparedColour,
}

impl Sides {
    /// The sides of a pair whose new colour runs `task_definition`; `None` where the route is not a
    /// rule of an Application Load Balancer, or the ARN of a group is malformed. `name` is the
    /// pair's name or ARN in its lease.
    #[must_use]
    pub fn from_pair(pair: &PriorPair, name: &str, task_definition: &str) -> Option<Self> {
        // Records lead to two load balancers, each with metrics of its own.
        let Route::Rule(rule) = &pair.route else {
            return None;
        };
        Self::behind(pair, name, task_definition, [rule.as_str(); 2])
    }

    /// The same where each colour, the live one first, is behind the load balancer of this ARN, or
    /// of this ARN of a rule or listener; `None` where one is not an Application Load Balancer.
    #[must_use]
    pub fn behind(
        pair: &PriorPair,
        name: &str,
        task_definition: &str,
        [live, idle]: [&str; 2],
    ) -> Option<Self> {
        let services = pair.services(name);
        let compared = |colour: Colour, definition: &str, behind: &str| {
            let group = pair.of(colour).target_group.rsplit_once(':')?.1;
            Some(ComparedColour {
                colour,
                service: short_name(services.of(colour)).to_owned(),
                balancer: balancer(behind)?,
                target_group: group.to_owned(),
                task_definition: revision(definition).to_owned(),
            })
        };

        Some(Self {
            zones: Vec::new(),
            canary: compared(pair.idle(), task_definition, idle)?,
            baseline: compared(pair.live, &pair.of(pair.live).task_definition, live)?,
        })
    }

    /// The same with the Availability Zones of the load balancer.
    #[must_use]
    pub fn with_zones(self, zones: Vec<String>) -> Self {
        Self { zones, ..self }
    }

    #[must_use]
    pub fn colour(&self, side: Side) -> &ComparedColour {
        match side {
            Side::Canary => &self.canary,
            Side::Baseline => &self.baseline,
        }
    }
}

/// `app/<name>/<16 hex>` in the ARN of a rule, of a listener or of a load balancer.
pub(super) fn balancer(arn: &str) -> Option<String> {
    let path = arn
        .split_once(":listener-rule/")
        .or_else(|| arn.split_once(":listener/"))
        .or_else(|| arn.split_once(":loadbalancer/"))?
        .1;
    let parts: Vec<&str> = path.split('/').take(3).collect();
    (parts.len() == 3 && parts[0] == "app").then(|| parts.join("/"))
}

/// The ARN of the load balancer of a rule or of a listener, by the ARN of either.
#[must_use]
pub fn balancer_arn(rule: &str) -> Option<String> {
    let (head, _) = rule
        .split_once(":listener-rule/")
        .or_else(|| rule.split_once(":listener/"))?;
    Some(format!("{head}:loadbalancer/{}", balancer(rule)?))
}

/// Seconds after the end of a minute from which on a count of a user's own without a point is 0
/// beside its total: late points are published within three minutes, except for rare stragglers.
/// Ours.
const STRAGGLE_SECS: i64 = 240;

/// The points that are visible.
#[derive(Clone, Copy, Debug)]
pub struct Observations<'a> {
    pub data: &'a Data,
    /// Seconds since the Unix epoch.
    pub now_secs: i64,
}

impl Observations<'_> {
    /// The point of a series in a minute.
    #[must_use]
    pub fn point(&self, side: Side, metric: SourceMetric, at: i64) -> Option<f64> {
        self.data.get(&Key::new(side, metric))?.get(&at).copied()
    }

    /// The point of a counter.
    #[must_use]
    pub fn count(&self, side: Side, metric: SourceMetric, at: i64) -> Option<u64> {
        self.point(side, metric, at).and_then(whole)
    }

    /// A counter that CloudWatch leaves out where it is 0: absent beside a present `total` it is
    /// unknown for four minutes, then 0.
    #[must_use]
    pub fn count_or_zero(
        &self,
        side: Side,
        metric: SourceMetric,
        total: SourceMetric,
        at: i64,
    ) -> Option<u64> {
        match self.point(side, metric, at) {
            Some(point) => whole(point),
            None => {
                self.point(side, total, at)?;
                let age_secs = self.now_secs - (at + 1) * 60;
                (age_secs >= STRAGGLE_SECS).then_some(0)
            }
        }
    }
}

/// A count. A number that is not one, such as a sum of fractions in a user's own metric, is
/// unknown.
pub(super) fn whole(number: f64) -> Option<u64> {
    let rounded = number.round();
    ((rounded - number).abs() < 1e-6 && rounded >= 0.0 && rounded <= COUNTED_A_MINUTE as f64)
        .then_some(rounded as u64)
}

#[cfg(test)]
pub(crate) mod tests;
