//! Invariants 1 and 7: requests go to healthy targets, and as many tasks serve as the strategy
//! promises.

use std::collections::BTreeMap;

use crate::ledger_reader::serving;
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

#[derive(Clone, Debug, Default)]
pub(super) struct Traffic {
    promises: Vec<Promise>,
    /// Services that have had what they were promised: from then on they must keep it.
    reached: BTreeMap<&'static str, bool>,
    /// Weights above 0 as they were: of a listener or rule on a target group.
    weights: Option<BTreeMap<(String, String), i64>>,
}

impl Traffic {
    pub(super) fn new(promises: &[Promise]) -> Self {
        Self {
            promises: promises.to_vec(),
            ..Self::default()
        }
    }

    /// Takes the weights as they are.
    pub(super) fn resume(&mut self, aws: &Aws) {
        self.weights = Some(weights(aws));
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

    /// A weight that rises from 0 points at a target group with a healthy target. That it loses
    /// them later is its own fault. `saw` is whether the function that changed the rule saw a
    /// healthy target in a group.
    pub(super) fn weights(&mut self, aws: &Aws, saw: impl Fn(&str) -> bool) -> Result<u64, String> {
        if aws.elb.target_groups.is_empty() {
            return Ok(0);
        }

        let now = weights(aws);
        let before = self.weights.get_or_insert_with(|| now.clone());
        if *before == now {
            return Ok(1);
        }

        for (route, weight) in &now {
            let healthy = aws.elb.healthy_count(&route.1, aws.now);
            if *weight > 0
                && before.get(route).is_none_or(|before| *before == 0)
                && healthy == 0
                && !saw(&route.1)
            {
                return Err(format!(
                    "invariant 1: {} got weight {weight} in {} without a healthy target",
                    route.1, route.0
                ));
            }
        }

        *before = now;
        Ok(1)
    }
}

/// Healthy tasks of the pair in the cluster of a promise, as far as they get traffic from a rule
/// that names more than one group. Which services these are follows from the groups.
fn serving_pair(aws: &Aws, promise: &Promise) -> usize {
    let rules = aws
        .elb
        .rules
        .values()
        .map(|rule| Elb::forwards(rule.properties.get("Actions")));
    let weighted: Vec<String> = rules
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

fn weights(aws: &Aws) -> BTreeMap<(String, String), i64> {
    let mut weights = BTreeMap::new();
    for (listener, group, weight) in aws.elb.all_forwards() {
        *weights.entry((listener.to_owned(), group)).or_insert(0) += weight;
    }
    weights
}
