//! What a source of metrics gives: queries for a side, and readings of a minute from their points.
//!
//! Series are known by a typed [`Key`]. Its text for CloudWatch is written in [`Key::id`] alone,
//! and is never parsed: an adapter finds the key by the id of the query.

use std::collections::BTreeMap;
use std::fmt::Debug;

use super::missing_data::{Around, counted};
use crate::judge::JudgeConfig;
use crate::judge::clean::{Reading, SideCounts};
use crate::judge::spec::MetricSpec;
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
pub enum Metric {
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
    pub metric: Metric,
}

impl Key {
    #[must_use]
    pub fn new(side: Side, metric: Metric) -> Self {
        Self { side, metric }
    }

    /// The id of its query: a letter of the side, and a short name of the metric.
    #[must_use]
    pub fn id(self) -> String {
        let side = match self.side {
            Side::Canary => 'c',
            Side::Baseline => 'b',
        };
        let metric = match self.metric {
            Metric::Requests => "n".to_owned(),
            Metric::Responses2xx => "2".to_owned(),
            Metric::Responses3xx => "3".to_owned(),
            Metric::Responses4xx => "4".to_owned(),
            Metric::Responses5xx => "e".to_owned(),
            Metric::RefusedConnections => "x".to_owned(),
            Metric::ResponseTimes => "s".to_owned(),
            Metric::Slow(index) => format!("t{index}"),
            Metric::SlowToPromote(index) => format!("p{index}"),
            Metric::HourlyResponseTimes => "w".to_owned(),
            Metric::HourlyPercentile(percent) => format!("p{percent}"),
            Metric::Custom(index, CustomPart::Count) => format!("m{index}x"),
            Metric::Custom(index, CustomPart::Total) => format!("m{index}n"),
            Metric::Custom(index, CustomPart::Value) => format!("m{index}v"),
            Metric::Further(name) => format!("f_{name}"),
        };
        format!("{side}_{metric}")
    }
}

/// Series whose points arrive together, and which are judged together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Requests, 5xx and refused connections.
    Errors,
    /// Response times: all come from one metric.
    Latency,
    /// A user's own metrics, and those of further sources.
    Custom,
}

impl Metric {
    /// The group of a series; `None` for responses of other classes than 5xx, which are only
    /// compared.
    #[must_use]
    pub fn group(self) -> Option<Group> {
        match self {
            Self::Requests | Self::Responses5xx | Self::RefusedConnections => Some(Group::Errors),
            Self::ResponseTimes
            | Self::Slow(_)
            | Self::SlowToPromote(_)
            | Self::HourlyPercentile(_) => Some(Group::Latency),
            Self::Custom(..) => Some(Group::Custom),
            Self::Further(_) => Some(Group::Custom),
            Self::Responses2xx
            | Self::Responses3xx
            | Self::Responses4xx
            | Self::HourlyResponseTimes => None,
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
    /// The same hour, once the thresholds are known.
    Dispersion,
    /// The bake.
    Bake,
}

/// A source of metrics.
pub trait Source {
    /// The series that are read of a side.
    fn queries(&self, sides: &Sides, side: Side, window: Window) -> Vec<Query>;

    /// What its metrics take of the error rate; the load balancer's share what is left.
    fn share(&self) -> f64;

    /// How its metrics are judged, always in the same order. `left` is what all shares leave of the
    /// error rate.
    fn specs(&self, judge: &JudgeConfig, left: f64) -> Vec<MetricSpec>;

    /// The readings of one minute (since the Unix epoch), in the order of the specs, each with the
    /// group that must have arrived.
    fn readings(&self, observed: &Observations<'_>, at: i64) -> Vec<(Group, Reading)>;
}

/// One of the two colours that are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComparedColour {
    pub colour: Colour,
    /// Name of its service.
    pub service: String,
    /// `targetgroup/<name>/<16 hex>`.
    pub target_group: String,
    /// `<family>:<revision>`.
    pub task_definition: String,
}

/// Both colours, and the load balancer before them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sides {
    /// `app/<name>/<16 hex>`.
    pub balancer: String,
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
        let services = pair.services(name);
        let compared = |colour: Colour, definition: &str| {
            let group = pair.of(colour).target_group.rsplit_once(':')?.1;
            Some(ComparedColour {
                colour,
                service: short_name(services.of(colour)).to_owned(),
                target_group: group.to_owned(),
                task_definition: revision(definition).to_owned(),
            })
        };

        Some(Self {
            balancer: balancer(rule)?,
            canary: compared(pair.idle(), task_definition)?,
            baseline: compared(pair.live, &pair.of(pair.live).task_definition)?,
        })
    }

    #[must_use]
    pub fn colour(&self, side: Side) -> &ComparedColour {
        match side {
            Side::Canary => &self.canary,
            Side::Baseline => &self.baseline,
        }
    }
}

/// `app/<name>/<16 hex>` in the ARN of a rule or of a listener.
pub(super) fn balancer(rule: &str) -> Option<String> {
    let path = rule
        .split_once(":listener-rule/")
        .or_else(|| rule.split_once(":listener/"))?
        .1;
    let parts: Vec<&str> = path.split('/').take(3).collect();
    (parts.len() == 3 && parts[0] == "app").then(|| parts.join("/"))
}

/// The points that are visible, and what is known about the counters among them.
#[derive(Clone, Copy, Debug)]
pub struct Observations<'a> {
    pub data: &'a Data,
    /// Seconds since the Unix epoch.
    pub now_secs: i64,
    /// Bad requests of the live colour per request, in the hour before the bake.
    pub usual_error_rate: f64,
    /// Overdispersion φ of errors.
    pub dispersion: f64,
}

/// A counter that CloudWatch leaves out where it is 0.
#[derive(Clone, Copy, Debug)]
pub struct Counter {
    pub metric: Metric,
    /// What it is counted among.
    pub among: Metric,
    /// The baseline's events per request in the hour before the bake; 0 where it is not known.
    pub usual_rate: f64,
    pub dispersion: f64,
}

impl Observations<'_> {
    /// The point of a series in a minute.
    #[must_use]
    pub fn point(&self, side: Side, metric: Metric, at: i64) -> Option<f64> {
        self.data.get(&Key::new(side, metric))?.get(&at).copied()
    }

    /// Seconds since the end of a minute.
    #[must_use]
    pub(crate) fn age_secs(&self, at: i64) -> i64 {
        self.now_secs - (at + 1) * 60
    }

    /// The counter of a minute: its point, zero, or unknown.
    #[must_use]
    pub fn count(&self, side: Side, counter: &Counter, at: i64) -> Option<f64> {
        let requests = self.point(side, counter.among, at)?;
        let usual = match side {
            Side::Canary => 0.0,
            Side::Baseline => counter.usual_rate,
        };
        let around = Around {
            requests,
            age_secs: self.age_secs(at),
            other: self.rate(side.other(), counter, at),
            usual,
            dispersion: counter.dispersion,
            neighbours: [
                self.rate(side, counter, at - 1),
                self.rate(side, counter, at + 1),
            ],
        };
        counted(self.point(side, counter.metric, at), &around)
    }

    /// Events per request; 0 where either is absent.
    fn rate(&self, side: Side, counter: &Counter, at: i64) -> f64 {
        let count = self.point(side, counter.metric, at);
        match (count, self.point(side, counter.among, at)) {
            (Some(count), Some(requests)) if requests > 0.0 => count / requests,
            _ => 0.0,
        }
    }
}

/// The counts of a side. Counts that contradict each other are not complete yet: one of them is
/// unknown.
pub(super) fn side_counts(requests: Option<f64>, bad: Option<f64>) -> SideCounts {
    let requests = requests.and_then(whole);
    let bad = bad
        .and_then(whole)
        .filter(|bad| requests.is_some_and(|requests| *bad <= requests));
    SideCounts { requests, bad }
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
