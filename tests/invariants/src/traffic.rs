//! Invariants 1 and 7: requests go to healthy targets, and as many tasks serve as the strategy
//! promises.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Ledger, number};
use crate::ledger_reader::{serving, text};
use crate::routes::{self, route_of};
use emulator::Aws;
use emulator::ecs::Task;
use emulator::elb::Elb;

/// The least number of healthy tasks that a service was promised, once it had them.
#[derive(Clone, Copy, Debug)]
pub struct Promise {
    pub cluster: &'static str,
    pub service: &'static str,
    pub healthy: u32,
}

/// Weights of routes on target groups.
type RouteWeights = BTreeMap<(String, String), i64>;

#[derive(Clone, Debug, Default)]
pub(super) struct ServedTraffic {
    promises: Vec<Promise>,
    /// Services that have had what they were promised: from then on they must keep it.
    reached: BTreeMap<&'static str, bool>,
    /// Weights of rules, and of the default actions of listeners, as they were.
    weights: Option<RouteWeights>,
    /// Weights of records as they were.
    records: Option<RouteWeights>,
}

impl ServedTraffic {
    pub(super) fn new(promises: &[Promise]) -> Self {
        Self {
            promises: promises.to_vec(),
            ..Self::default()
        }
    }

    /// Takes the weights as they are.
    pub(super) fn resume(&mut self, aws: &Aws) {
        self.weights = Some(owned(&weights(aws)));
        self.records = Some(of_records(aws));
    }

    /// The promised tasks serve.
    pub(super) fn promised(&mut self, aws: &Aws) -> Result<u64, String> {
        let mut checked = 0;
        for promise in &self.promises {
            let healthy = match aws.ecs.service_named(promise.cluster, promise.service) {
                Some(service) => serving(aws, service).count(),
                None => serving_pair(aws, promise),
            };
            let healthy = u32::try_from(healthy).unwrap_or(u32::MAX);
            let reached = self.reached.entry(promise.service).or_default();
            if *reached && healthy < promise.healthy {
                return Err(format!(
                    "invariant 7: {} serves with {healthy} healthy tasks, promised {}",
                    promise.service, promise.healthy
                ));
            }
            checked += u64::from(*reached && promise.healthy > 0);
            *reached |= healthy >= promise.healthy;
        }
        Ok(checked)
    }

    /// A weight that rises from 0 points at a target group with a healthy target, unless a colour
    /// without tasks gets back what it had. Losing the targets later is not a violation. `saw` is
    /// whether the function that changed the rule saw a healthy target in a group.
    ///
    /// Each rule counts alone: test rules of the same listener give each colour a weight at all
    /// times. A rule or listener that was not there before is another stack's: no release makes
    /// one.
    pub(super) fn weights(
        &mut self,
        aws: &Aws,
        ledger: &Ledger,
        saw: impl Fn(&str) -> bool,
    ) -> Result<u64, String> {
        if aws.elb.target_groups.is_empty() {
            return Ok(0);
        }

        self.records(aws, ledger, &saw)?;
        let now = weights(aws);
        let before = self.weights.get_or_insert_with(|| owned(&now));
        let unchanged = before
            .iter()
            .map(|((route, group), weight)| ((route.as_str(), group.as_str()), *weight))
            .eq(now.iter().map(|(route, weight)| (*route, *weight)));
        if unchanged {
            return Ok(1);
        }

        let (now, known) = (owned(&now), &*before);
        check_risen(aws, known, &now, |(arn, group), weight| {
            let is_new = known.keys().all(|(of, _)| of != arn);
            is_new || saw(group) || is_given_back(ledger, arn, group, weight)
        })?;
        *before = now;
        Ok(1)
    }

    /// The same of weighted records.
    fn records(
        &mut self,
        aws: &Aws,
        ledger: &Ledger,
        saw: &impl Fn(&str) -> bool,
    ) -> Result<(), String> {
        if aws.route53.zones().next().is_none() {
            return Ok(());
        }
        let now = of_records(aws);
        let before = self.records.get_or_insert_with(|| now.clone());
        check_risen(aws, before, &now, |(route, group), weight| {
            saw(group) || is_given_back(ledger, route, group, weight)
        })?;
        *before = now;
        Ok(())
    }
}

/// Whether a release gives a weight back to a colour that was recorded without tasks.
fn is_given_back(ledger: &Ledger, route: &str, group: &str, weight: i64) -> bool {
    let mut leases = ledger.leases.values();
    leases.any(|lease| returns_to_empty(lease, route, group, weight))
}

/// Whether a release gives back its recorded weight to the colour that was live, which was recorded
/// without tasks: then there is no target to wait for.
fn returns_to_empty(lease: &Value, route: &str, group: &str, weight: i64) -> bool {
    let is_open = text(lease, "release.state") == Some("open");
    let goes_back = !is_open || lease.pointer("/release/M/restoring").is_some();
    let Some(pair) = lease
        .pointer("/release/M/prior/M/pair/M")
        .filter(|_| goes_back)
    else {
        return false;
    };

    let live = text(pair, "live").unwrap_or_default();
    let recorded = |name: &str| number(pair, &format!("{live}.{name}"));
    route_of(pair).as_deref() == Some(route)
        && text(pair, &format!("{live}.target_group")) == Some(group)
        && recorded("desired_count") == Some(0)
        && recorded("weight") == u64::try_from(weight).ok()
}

/// Each weight that rose from 0 is of a group with a healthy target, or `is_excused` with its route
/// and group.
fn check_risen(
    aws: &Aws,
    before: &RouteWeights,
    now: &RouteWeights,
    is_excused: impl Fn(&(String, String), i64) -> bool,
) -> Result<(), String> {
    for (route, weight) in now {
        let healthy = aws.elb.healthy_count(&route.1, aws.now);
        if *weight > 0
            && before.get(route).is_none_or(|before| *before == 0)
            && healthy == 0
            && !is_excused(route, *weight)
        {
            return Err(format!(
                "invariant 1: {} got weight {weight} in {} without a healthy target",
                route.1, route.0
            ));
        }
    }
    Ok(())
}

/// Weights of records by route and target group.
fn of_records(aws: &Aws) -> RouteWeights {
    let mut weights = RouteWeights::new();
    for (route, forwards) in routes::of_records(aws) {
        for (group, weight) in forwards {
            *weights.entry((route.clone(), group)).or_insert(0) += weight;
        }
    }
    weights
}

/// Healthy tasks of the pair in the cluster of a promise, as far as they get traffic from a rule
/// that names more than one group, or from records. Which services these are follows from the
/// groups.
fn serving_pair(aws: &Aws, promise: &Promise) -> usize {
    let rules = aws
        .elb
        .rules
        .values()
        .map(|rule| Elb::forwards(rule.properties.get("Actions")));
    let weighted: Vec<String> = rules
        .chain(routes::of_records(aws).into_values())
        .filter(|forwards| forwards.len() > 1)
        .flatten()
        .filter(|(_, weight)| *weight > 0)
        .map(|(group, _)| group)
        .collect();
    let is_weighted = |group: &str| weighted.iter().any(|known| known == group);
    let services = aws.ecs.services.values().filter(|service| {
        service.cluster == promise.cluster && service.target_groups().any(is_weighted)
    });
    let gets_traffic = |task: &&Task| {
        task.attachments
            .iter()
            .any(|one| is_weighted(one.target_group.as_str()))
    };
    services
        .map(|service| serving(aws, service).filter(gets_traffic).count())
        .sum()
}

/// Weights of rules and default actions, by ARN and target group.
fn weights(aws: &Aws) -> BTreeMap<(&str, &str), i64> {
    let mut weights = BTreeMap::new();
    for (arn, group, weight) in aws.elb.forwards_by_arn() {
        *weights.entry((arn, group)).or_insert(0) += weight;
    }
    weights
}

fn owned(weights: &BTreeMap<(&str, &str), i64>) -> RouteWeights {
    let own = |((arn, group), weight): (&(&str, &str), &i64)| {
        (((*arn).to_owned(), (*group).to_owned()), *weight)
    };
    weights.iter().map(own).collect()
}

#[cfg(test)]
mod tests;
