//! Requests that a scenario sends through a listener or a rule: by weight to target groups, within
//! a group to its healthy targets. Which version of the application gets them follows from the
//! tasks behind the targets.
//!
//! Nothing ticks. Who gets what is constant between changes of weights and of health, and the
//! health of a target is a function of time: so what was served is integrated over such spans, when
//! something changes or is read. Spans are kept, so that counts per minute and target group can be
//! read from them.

mod names;
mod share;
mod variation;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::{Aws, Millis, autoscaling, cloudwatch, ecs};
use names::Clients;
pub use names::{balancers_of, set_name};
use share::Pinned;
pub use variation::{Bursts, Variation};

const MINUTE: Millis = 60_000;

/// All loads.
#[derive(Clone, Debug)]
pub struct LoadModel {
    /// By the ARN of the rule or, for its default action, of the listener. Requests to a name that
    /// leads nowhere are a load of the name.
    loads: BTreeMap<String, Load>,
    /// The clients that come by a name of Route 53.
    names: BTreeMap<String, Clients>,
    /// The loads that are due to names.
    by_name: BTreeSet<String>,
    /// How many requests a second make the CPU of one task fully busy.
    pub requests_per_task: f64,
    /// How many requests a second a task can serve: beyond that its answers get worse, and then it
    /// fails its health checks. Nothing means any number.
    pub capacity: Option<f64>,
    /// They count for the minutes that begin within them, if those have not been read yet.
    pub incidents: Vec<Incident>,
    /// How answers vary, whichever version they are of.
    pub variation: Variation,
}

#[derive(Clone, Debug)]
struct Load {
    /// Requests per second.
    rate: f64,
    /// Which part of the clients sends cookies back.
    sticky: f64,
    /// Whether these come back before their cookies end, which renews them.
    renews: bool,
    pinned: Option<Pinned>,
    /// The end of the time that `spans` cover.
    counted: Millis,
    spans: Vec<Span>,
}

/// A time in which the same targets got the same share.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    pub from: Millis,
    pub to: Millis,
    pub flows: Vec<Flow>,
}

/// Requests that went one way.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    /// Nothing when no action forwards, or every weight is 0.
    pub target_group: Option<String>,
    /// The task definition that answered; nothing when no healthy target was found.
    pub version: Option<String>,
    /// Whether the targets that get the requests refuse the connection: they have stopped answering
    /// and no check has noticed yet, or none is healthy and the load balancer tries them all the
    /// same.
    pub refused: bool,
    /// Requests per second.
    pub rate: f64,
    /// Requests per second to each target by this rule, where tasks have a capacity.
    pub per_target: Option<f64>,
}

/// Responses of every version that are worse for a while, whatever the reason is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Incident {
    pub from: Millis,
    pub to: Millis,
    /// Which part of the requests fails beside those that fail anyway.
    pub errors: f64,
    /// What response times are multiplied with.
    pub slower: f64,
}

/// What one target group got within a minute.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Count {
    pub served: f64,
    /// Requests for which there was no healthy target.
    pub failed: f64,
}

impl Default for LoadModel {
    fn default() -> Self {
        Self {
            loads: BTreeMap::new(),
            names: BTreeMap::new(),
            by_name: BTreeSet::new(),
            requests_per_task: 100.0,
            capacity: None,
            incidents: Vec::new(),
            variation: Variation::default(),
        }
    }
}

impl Span {
    fn seconds(&self) -> f64 {
        (self.to - self.from) as f64 / 1000.0
    }
}

/// From now on, this many requests per second come to a rule or to the default action of a
/// listener.
pub fn set(aws: &mut Aws, arn: &str, requests_per_second: f64) {
    set_all(aws, [(arn.to_owned(), requests_per_second)].into());
}

fn set_all(aws: &mut Aws, rates: BTreeMap<String, f64>) {
    note(aws);
    let counted = aws.now;
    for (arn, rate) in rates {
        let fresh = Load {
            rate: 0.0,
            sticky: 0.0,
            renews: false,
            pinned: None,
            counted,
            spans: Vec::new(),
        };
        aws.traffic.loads.entry(arn).or_insert(fresh).rate = rate;
    }
    autoscaling::watch(aws);
    ecs::meet_traffic(aws);
}

/// Which part (0 to 1) of the clients of a load keeps its target group while the action's
/// stickiness lasts.
pub fn set_sticky(aws: &mut Aws, arn: &str, share: f64) {
    note(aws);
    if let Some(load) = aws.traffic.loads.get_mut(arn) {
        load.sticky = share;
    }
}

/// From now on the clients of a load that have a cookie send requests all the time, so that each
/// response renews it.
pub fn renew_cookies(aws: &mut Aws, arn: &str) {
    note(aws);
    if let Some(load) = aws.traffic.loads.get_mut(arn) {
        load.renews = true;
    }
}

/// Counts up to now, before something changes that decides where requests go.
pub(crate) fn note(aws: &mut Aws) {
    let fresh: Vec<(String, Vec<Span>)> = aws
        .traffic
        .loads
        .iter()
        .map(|(arn, load)| (arn.clone(), share::spans(aws, arn, load)))
        .collect();
    let now = aws.now;
    cloudwatch::note_hosts(aws);

    for (arn, spans) in fresh {
        let Some(load) = aws.traffic.loads.get_mut(&arn) else {
            continue;
        };
        load.counted = now;
        spans
            .into_iter()
            .for_each(|span| append(&mut load.spans, span));
    }
}

/// Adds a span, or lengthens the last one when nothing differs.
fn append(spans: &mut Vec<Span>, span: Span) {
    match spans.last_mut() {
        Some(last) if last.flows == span.flows && last.to == span.from => last.to = span.to,
        _ => spans.push(span),
    }
}

/// The actions of a rule or listener are about to change: clients with a cookie keep the group that
/// they have.
pub(crate) fn before_change(aws: &mut Aws, arn: &str) {
    note(aws);
    let Some(load) = aws.traffic.loads.get(arn) else {
        return;
    };

    let pinned = share::pin(aws, arn, load);
    if let Some(load) = aws.traffic.loads.get_mut(arn) {
        load.pinned = pinned;
    }
}

/// The rules, and listeners for their default actions, to which requests come now.
pub fn rules(aws: &Aws) -> impl Iterator<Item = &str> {
    aws.traffic
        .loads
        .iter()
        .filter(|(arn, load)| load.rate > 0.0 && arn.starts_with("arn:"))
        .map(|(arn, _)| arn.as_str())
}

/// Whether anything is requested at all.
pub fn flows(aws: &Aws) -> bool {
    rules(aws).next().is_some()
}

/// Everything that was requested until now, span by span.
pub fn history(aws: &Aws) -> Vec<Span> {
    let all = aws.traffic.loads.iter();
    all.flat_map(|(arn, load)| {
        load.spans
            .iter()
            .cloned()
            .chain(share::spans(aws, arn, load))
    })
    .collect()
}

/// What was requested between two instants, with the ARN of the rule or listener that took it. Only
/// what `note` has counted.
pub(crate) fn between(aws: &Aws, from: Millis, to: Millis) -> impl Iterator<Item = (&str, &Span)> {
    let overlaps = move |span: &&Span| span.from < to && span.to > from;
    aws.traffic.loads.iter().flat_map(move |(arn, load)| {
        load.spans
            .iter()
            .filter(overlaps)
            .map(move |span| (arn.as_str(), span))
    })
}

/// How many requests each version (task definition) has answered until now.
pub fn served(aws: &Aws) -> BTreeMap<String, f64> {
    let mut served = BTreeMap::new();
    for span in history(aws) {
        for flow in &span.flows {
            if let Some(version) = &flow.version {
                *served.entry(version.clone()).or_default() += flow.rate * span.seconds();
            }
        }
    }
    served
}

/// How many requests have found no healthy target until now.
pub fn failed(aws: &Aws) -> f64 {
    let failed = |span: &Span| {
        span.flows
            .iter()
            .filter(|flow| flow.version.is_none())
            .map(|flow| flow.rate * span.seconds())
            .sum::<f64>()
    };
    history(aws).iter().map(failed).sum()
}

/// What a target group got between two instants, by the minutes' beginnings. Minutes without a
/// request are absent.
pub fn per_minute(
    aws: &Aws,
    target_group: &str,
    from: Millis,
    to: Millis,
) -> BTreeMap<Millis, Count> {
    let mut minutes = BTreeMap::<Millis, Count>::new();
    for span in history(aws) {
        let of_group =
            |flow: &&Flow| flow.target_group.as_deref() == Some(target_group) && flow.rate > 0.0;
        let flows: Vec<&Flow> = span.flows.iter().filter(of_group).collect();
        let (mut at, end) = (span.from.max(from), span.to.min(to));

        while !flows.is_empty() && at < end {
            let minute = at - at.rem_euclid(MINUTE);
            let until = end.min(minute + MINUTE);
            let seconds = (until - at) as f64 / 1000.0;
            let count = minutes.entry(minute).or_default();

            for flow in &flows {
                let sum = if flow.version.is_some() {
                    &mut count.served
                } else {
                    &mut count.failed
                };
                *sum += flow.rate * seconds;
            }
            at = until;
        }
    }
    minutes
}

/// How many requests per second each healthy target of a group gets now.
pub fn rate_per_target(aws: &Aws, target_group: &str) -> f64 {
    let healthy = aws.elb.healthy_count(target_group, aws.now);
    if healthy == 0 {
        return 0.0;
    }

    let all = aws
        .traffic
        .loads
        .iter()
        .map(|(arn, load)| share::of_group(aws, arn, load, target_group) * load.rate);
    all.sum::<f64>() / healthy as f64
}

/// Whether requests come to a target group now.
pub fn reaches(aws: &Aws, target_group: &str) -> bool {
    let of = |(arn, load): (&String, &Load)| {
        load.rate > 0.0 && share::of_group(aws, arn, load, target_group) > 0.0
    };
    aws.traffic.loads.iter().any(of)
}

/// The target groups that have a weight above 0 in a rule (or in the default action of a listener)
/// and no healthy target.
pub fn exposed(aws: &Aws, arn: &str) -> Vec<String> {
    let weighted = crate::elb::Elb::forwards(aws.elb.actions_of(arn))
        .into_iter()
        .filter(|(_, weight)| *weight > 0);
    weighted
        .map(|(group, _)| group)
        .filter(|group| aws.elb.healthy_count(group, aws.now) == 0)
        .collect()
}
