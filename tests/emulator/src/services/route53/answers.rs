//! What DNS servers return for queries for a name: among the record sets of a group by weight and
//! health.
//!
//! Source: <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/routing-policy-weighted.html>,
//! <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-how-route-53-chooses-records.html>

use std::collections::BTreeMap;

use super::alias::{BALANCER_TTL, balancer};
use super::name::normalized;
use super::record::RecordSet;
use super::{HostedZone, Records};
use crate::elb::{self, TargetGroup, TargetState};
use crate::{Aws, Millis, Quirk};

/// How long a resolver keeps that a name has no answer: the last number of the SOA record, or its
/// TTL, whichever is less. In milliseconds.
const NEGATIVE_TTL: Millis = 900_000;

/// How many names may refer to each other.
const MOST_NAMES: usize = 8;

/// The answers to many queries for one name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DnsAnswers {
    /// Which part of the queries leads to which balancer, by its ARN. They sum to 1, or to less if
    /// some answers lead to no balancer.
    pub balancers: BTreeMap<String, f64>,
    /// For how long a resolver may keep them, in milliseconds.
    pub ttl: Millis,
}

/// The answers to queries for a name, at this instant.
pub fn answers(aws: &mut Aws, name: &str) -> DnsAnswers {
    let name = normalized(name);
    let now = aws.now;
    let zone = aws.route53.zone_of(&name);
    let is_pending = zone.is_some_and(|zone| zone.before(now).is_some());
    let is_late = is_pending && !aws.draw_quirk(Quirk::AnswersBeforeSync);
    let empty_group_fails = aws.draw_quirk(Quirk::EmptyGroupIsUnhealthy);

    let aws: &Aws = aws;
    let mut answers = DnsAnswers::default();
    if let Some(zone) = aws.route53.zone_of(&name) {
        let before = zone.before(now).filter(|_| is_late);
        let server = Server {
            aws,
            zone,
            records: before.unwrap_or(&zone.records),
            empty_group_fails,
        };
        server.add(&mut answers, &name, 1.0, 0);
    }
    if answers.ttl == 0 {
        answers.ttl = NEGATIVE_TTL;
    }
    answers
}

impl HostedZone {
    /// What the last server has that does not have all changes yet.
    fn before(&self, now: Millis) -> Option<&Records> {
        let pending = self.pending.iter().find(|pending| now < pending.until);
        pending.map(|pending| &pending.before)
    }
}

/// A server that answers, with the record sets that it has.
struct Server<'a> {
    aws: &'a Aws,
    zone: &'a HostedZone,
    records: &'a Records,
    empty_group_fails: bool,
}

impl Server<'_> {
    /// Adds where a part of the queries leads.
    fn add(&self, answers: &mut DnsAnswers, name: &str, part: f64, depth: usize) {
        for (record, share) in self.chosen(name, depth) {
            let ttl = record.ttl.map_or(BALANCER_TTL, |ttl| ttl * 1000);
            answers.ttl = answers.ttl.max(ttl);
            let Some(target) = target(record) else {
                continue;
            };
            match balancer(self.aws, &target) {
                Some((_, balancer)) => {
                    let sum = answers.balancers.entry(balancer.arn.clone()).or_default();
                    *sum += part * share;
                }
                None if depth < MOST_NAMES && self.zone.has(&target) => {
                    self.add(answers, &target, part * share, depth + 1);
                }
                None => {}
            }
        }
    }

    /// The group of a name, as a client looks for addresses.
    fn group(&self, name: &str) -> Vec<&RecordSet> {
        let all = self.records.values();
        all.filter(|record| record.name == name && (record.kind == "A" || record.kind == "CNAME"))
            .collect()
    }

    /// The record sets of a name that are answered, each with its share.
    fn chosen(&self, name: &str, depth: usize) -> Vec<(&RecordSet, f64)> {
        let group = self.group(name);
        let has_weight = |record: &&RecordSet| record.weight != Some(0);
        let healthy: Vec<&RecordSet> = group
            .iter()
            .copied()
            .filter(|record| self.is_healthy(record, depth))
            .collect();

        // Where nothing is healthy, everything counts as healthy.
        let candidates = if healthy.is_empty() { group } else { healthy };
        let weighted: Vec<&RecordSet> = candidates.iter().copied().filter(has_weight).collect();
        let are_equal = weighted.is_empty();
        let chosen = if are_equal { candidates } else { weighted };
        let weight = |record: &RecordSet| {
            if are_equal {
                1
            } else {
                record.weight.unwrap_or(1)
            }
        };

        let sum: i64 = chosen.iter().map(|record| weight(record)).sum();
        let with_share = |record| (record, weight(record) as f64 / sum as f64);
        chosen.into_iter().map(with_share).collect()
    }

    /// Only an alias that evaluates the health of its target can be unhealthy.
    fn is_healthy(&self, record: &RecordSet, depth: usize) -> bool {
        let Some(alias) = record
            .alias
            .as_ref()
            .filter(|it| it.evaluates_target_health)
        else {
            return true;
        };
        match balancer(self.aws, &alias.dns_name) {
            Some((place, balancer)) => self.is_balancer_healthy(place, &balancer.arn),
            None if depth < MOST_NAMES => self
                .group(&alias.dns_name)
                .into_iter()
                .any(|record| self.is_healthy(record, depth + 1)),
            None => true,
        }
    }

    /// Whether each target group of a balancer has a healthy target.
    fn is_balancer_healthy(&self, place: &Aws, balancer: &str) -> bool {
        let (elb, now) = (&place.elb, &self.aws.now);
        let groups: Vec<&TargetGroup> = elb
            .target_groups
            .values()
            .filter(|group| {
                elb.load_balancers_of(&group.arn)
                    .iter()
                    .any(|it| it == balancer)
            })
            .collect();
        let (empty, filled): (Vec<&TargetGroup>, Vec<&TargetGroup>) =
            groups.into_iter().partition(|group| is_empty(group, *now));

        let are_healthy = filled
            .iter()
            .all(|group| elb.healthy_count(&group.arn, *now) > 0);
        are_healthy && !filled.is_empty() && (empty.is_empty() || !self.empty_group_fails)
    }
}

/// Whether no target is registered with a group.
fn is_empty(group: &TargetGroup, now: Millis) -> bool {
    let mut states = group
        .targets
        .values()
        .filter_map(|target| elb::state_at(group, target, now));
    states.all(|state| state == TargetState::Draining)
}

/// The name to which a record set leads; addresses lead to no balancer.
fn target(record: &RecordSet) -> Option<String> {
    match &record.alias {
        Some(alias) => Some(alias.dns_name.clone()),
        None if record.kind == "CNAME" => record.values.first().map(|name| normalized(name)),
        None => None,
    }
}
