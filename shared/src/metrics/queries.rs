//! What is asked of CloudWatch: one list of queries for the hour before the bake, one for every look.

use std::collections::BTreeMap;

use crate::judge::config::LATENCY_TOLERANCE;
use crate::observed::service::revision;
use crate::strategy::blue_green::{Colour, PriorPair};
use crate::strategy::canary::config::{Custom, Kind};

/// Values of one query by the minute (since the Unix epoch) in which their period begins.
pub type Points = BTreeMap<i64, f64>;

/// Points by the id of their query.
pub type Data = BTreeMap<String, Points>;

const NAMESPACE: &str = "AWS/ApplicationELB";
const MINUTE_SECS: i32 = 60;
const HOUR_SECS: i32 = 3_600;

/// A promotion asks for slow requests by a laxer measure than a rollback.
pub const PROMOTE_TOLERANCE: f64 = 1.25;

/// What names a metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricName {
    pub namespace: String,
    pub name: String,
    pub dimensions: Vec<(String, String)>,
}

/// One series that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    pub id: String,
    pub metric: MetricName,
    pub statistic: String,
    pub period_secs: i32,
}

/// One of the two colours that are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// `c` of the canary, `b` of the baseline: what the ids of its queries begin with.
    pub letter: char,
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
    pub canary: Subject,
    pub baseline: Subject,
}

impl Sides {
    /// The sides of a pair whose new colour runs `task_definition`; `None` where the rule's or a group's ARN is none.
    #[must_use]
    pub fn of(pair: &PriorPair, name: &str, task_definition: &str) -> Option<Self> {
        let subject = |letter, colour: Colour, definition: &str| {
            let group = pair.of(colour).target_group.rsplit_once(':')?.1;
            Some(Subject {
                letter,
                colour,
                service: colour.service(name.rsplit('/').next()?),
                target_group: group.to_owned(),
                task_definition: revision(definition).to_owned(),
            })
        };
        Some(Self {
            balancer: balancer(&pair.rule)?,
            canary: subject('c', pair.idle(), task_definition)?,
            baseline: subject('b', pair.live, &pair.of(pair.live).task_definition)?,
        })
    }

    /// Requests and latency of the live colour in the hour before the bake.
    #[must_use]
    pub fn of_hour(&self) -> Vec<Query> {
        let baseline = &self.baseline;
        let mut queries = self.counters(baseline);
        queries.push(self.query(baseline, "s", "TargetResponseTime", "SampleCount"));
        for (id, statistic) in [
            ("w", "SampleCount"),
            ("p75", "p75"),
            ("p90", "p90"),
            ("p99", "p99"),
        ] {
            queries.push(Query {
                period_secs: HOUR_SECS,
                ..self.query(baseline, id, "TargetResponseTime", statistic)
            });
        }
        queries
    }

    /// Slow requests of the live colour in the hour before the bake, minute by minute.
    #[must_use]
    pub fn of_dispersion(&self, thresholds_ms: &[f64]) -> Vec<Query> {
        self.slow(&self.baseline, thresholds_ms)
    }

    /// Everything that a look judges by.
    #[must_use]
    pub fn of_look(&self, thresholds_ms: &[f64], custom: &[Custom]) -> Vec<Query> {
        let mut queries = Vec::new();
        for side in [&self.canary, &self.baseline] {
            queries.extend(self.counters(side));
            if !thresholds_ms.is_empty() {
                queries.extend(self.slow(side, thresholds_ms));
            }
            queries.extend(
                custom
                    .iter()
                    .enumerate()
                    .flat_map(|(index, custom)| self.own(side, index, custom)),
            );
        }
        queries
    }

    fn counters(&self, side: &Subject) -> Vec<Query> {
        let names = [
            ("n", "RequestCount"),
            ("2", "HTTPCode_Target_2XX_Count"),
            ("3", "HTTPCode_Target_3XX_Count"),
            ("4", "HTTPCode_Target_4XX_Count"),
            ("e", "HTTPCode_Target_5XX_Count"),
            ("x", "TargetConnectionErrorCount"),
        ];
        names
            .into_iter()
            .map(|(id, name)| self.query(side, id, name, "Sum"))
            .collect()
    }

    /// Response times: how many there are, and how many are above each threshold. What is absent beside the first is 0.
    fn slow(&self, side: &Subject, thresholds_ms: &[f64]) -> Vec<Query> {
        let of =
            |id: String, statistic: String| self.query(side, &id, "TargetResponseTime", &statistic);
        let canary = side.letter == self.canary.letter;
        let tolerance = if canary { LATENCY_TOLERANCE } else { 1.0 };
        let mut queries = vec![of("s".to_owned(), "SampleCount".to_owned())];
        for (index, ms) in thresholds_ms.iter().enumerate() {
            queries.push(of(format!("t{index}"), above(ms * tolerance)));
            if canary {
                queries.push(of(format!("p{index}"), above(ms * PROMOTE_TOLERANCE)));
            }
        }
        queries
    }

    fn own(&self, side: &Subject, index: usize, custom: &Custom) -> Vec<Query> {
        let query = |id: &str, name: &str, statistic: &str| Query {
            id: format!("{}_m{index}{id}", side.letter),
            metric: MetricName {
                namespace: custom.namespace.clone(),
                name: name.to_owned(),
                dimensions: custom
                    .dimensions
                    .iter()
                    .map(|(key, text)| (key.clone(), self.filled(side, text)))
                    .collect(),
            },
            statistic: statistic.to_owned(),
            period_secs: MINUTE_SECS,
        };
        match &custom.kind {
            Kind::Count { count, total } => {
                vec![query("x", count, "Sum"), query("n", total, "Sum")]
            }
            Kind::Value { value, statistic } => vec![query("v", value, statistic)],
        }
    }

    /// A dimension's value with what differs between the sides put in.
    fn filled(&self, side: &Subject, text: &str) -> String {
        text.replace("{colour}", &side.colour.to_string())
            .replace("{service}", &side.service)
            .replace("{task_definition}", &side.task_definition)
            .replace("{target_group}", &side.target_group)
            .replace("{load_balancer}", &self.balancer)
    }

    fn query(&self, side: &Subject, id: &str, name: &str, statistic: &str) -> Query {
        Query {
            id: format!("{}_{id}", side.letter),
            metric: MetricName {
                namespace: NAMESPACE.to_owned(),
                name: name.to_owned(),
                dimensions: vec![
                    ("TargetGroup".to_owned(), side.target_group.clone()),
                    ("LoadBalancer".to_owned(), self.balancer.clone()),
                ],
            },
            statistic: statistic.to_owned(),
            period_secs: MINUTE_SECS,
        }
    }
}

/// The count of samples above so many milliseconds: CloudWatch has response times in seconds.
fn above(ms: f64) -> String {
    let secs = format!("{:.6}", ms / 1_000.0);
    format!("TC({}:)", secs.trim_end_matches('0').trim_end_matches('.'))
}

/// `app/<name>/<16 hex>` in the ARN of a rule or of a listener.
fn balancer(rule: &str) -> Option<String> {
    let path = rule
        .split_once(":listener-rule/")
        .or_else(|| rule.split_once(":listener/"))?
        .1;
    let parts: Vec<&str> = path.split('/').take(3).collect();
    (parts.len() == 3 && parts[0] == "app").then(|| parts.join("/"))
}

#[cfg(test)]
pub(super) mod tests;
