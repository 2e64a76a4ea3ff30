//! How many targets of a group were healthy when: written down whenever something changes, since
//! the states of targets that are gone cannot be computed any more.

use std::collections::BTreeMap;

use super::minute::{self, MINUTE};
use super::samples::{Cell, Samples};
use crate::elb::{self, TargetGroup, TargetState};
use crate::{Aws, Millis, Quirk};

/// How often targets are counted.
const INTERVAL: Millis = 10_000;

/// Counts of a target group, in order of time.
#[derive(Clone, Debug, Default)]
pub(super) struct Hosts {
    counted: Millis,
    spans: Vec<Span>,
}

/// A time in which the counts stayed the same.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Span {
    from: Millis,
    to: Millis,
    counts: Counts,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Counts {
    healthy: u32,
    unhealthy: u32,
    /// Those whose first checks are not over.
    initial: u32,
}

/// Counts up to now, before something changes that decides about health.
pub(crate) fn note(aws: &mut Aws) {
    let Aws {
        elb,
        cloudwatch,
        now,
        ..
    } = aws;
    for (arn, group) in &elb.target_groups {
        if group.targets.is_empty() && !cloudwatch.hosts.contains_key(arn) {
            continue;
        }

        let hosts = cloudwatch
            .hosts
            .entry(arn.clone())
            .or_insert_with(|| Hosts {
                counted: *now,
                spans: Vec::new(),
            });
        hosts.count(group, *now);
    }
}

impl Hosts {
    fn count(&mut self, group: &TargetGroup, now: Millis) {
        let changes = group
            .targets
            .values()
            .flat_map(|target| elb::changes(group, target));
        let mut edges: Vec<Millis> = changes
            .filter(|at| (self.counted + 1..now).contains(at))
            .collect();
        edges.push(now);
        edges.sort_unstable();

        for to in edges {
            self.append(Span {
                from: self.counted,
                to,
                counts: counts(group, self.counted),
            });
            self.counted = to;
        }
    }

    fn append(&mut self, span: Span) {
        match self.spans.last_mut() {
            _ if span.from >= span.to => {}
            Some(last) if last.counts == span.counts && last.to == span.from => last.to = span.to,
            _ => self.spans.push(span),
        }
    }

    fn at(&self, at: Millis) -> Counts {
        let after = self.spans.partition_point(|span| span.to <= at);
        self.spans
            .get(after)
            .filter(|span| span.from <= at)
            .map(|span| span.counts)
            .unwrap_or_default()
    }
}

fn counts(group: &TargetGroup, at: Millis) -> Counts {
    let mut counts = Counts::default();
    for target in group.targets.values() {
        match elb::state_at(group, target, at) {
            Some(TargetState::Healthy) => counts.healthy += 1,
            Some(TargetState::Unhealthy) => counts.unhealthy += 1,
            Some(TargetState::Initial) => counts.initial += 1,
            _ => {}
        }
    }
    counts
}

/// The counts of a minute that is over; nothing without a registered target.
pub(super) fn samples(
    aws: &mut Aws,
    balancer: &str,
    group: &str,
    minute: Millis,
    healthy: bool,
) -> Samples {
    let mut samples = Samples::default();
    let without_requests = aws.draw_quirk(Quirk::HostsWithoutRequests);
    let initial_is_unhealthy = aws.draw_quirk(Quirk::InitialIsUnhealthy);
    let is_used = aws
        .elb
        .load_balancers_of(group)
        .iter()
        .any(|arn| arn.ends_with(balancer));
    let is_quiet = || minute::series_of(aws, balancer, minute).is_empty();
    let Some(hosts) = aws.cloudwatch.hosts.get(group).filter(|_| is_used) else {
        return samples;
    };
    if !without_requests && is_quiet() {
        return samples;
    }

    let mut found = BTreeMap::<u32, f64>::new();
    for at in (minute..minute + MINUTE).step_by(INTERVAL as usize) {
        let Counts {
            healthy: fit,
            unhealthy,
            initial,
        } = hosts.at(at);
        if fit + unhealthy + initial > 0 {
            let unfit = unhealthy + if initial_is_unhealthy { initial } else { 0 };
            *found.entry(if healthy { fit } else { unfit }).or_default() += 1.0;
        }
    }

    found
        .into_iter()
        .for_each(|(value, count)| samples.add(Cell::same(f64::from(value), count)));
    samples
}
