//! What the attempts of a step saw of services, targets and rules before they reported.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::body;
use emulator::ecs::{Deployment, RolloutState, Service, Task};
use emulator::elb::Elb;
use emulator::{Aws, Call, Request};

use super::Endings;

/// A report this long after the last call of its attempt, in milliseconds, was made because an
/// answer did not come: a step that has its answers reports at once.
pub(super) const UNANSWERED: i64 = 30_000;

/// A service as it truly was when an attempt of a function asked for it.
#[derive(Clone, Debug)]
pub(crate) struct Observation {
    pub(crate) service: String,
    pub(crate) runs: String,
    pub(super) completed: bool,
    pub(crate) desired: usize,
    /// Tasks of the PRIMARY deployment that run, and that do not run yet.
    pub(super) running: usize,
    pub(super) pending: usize,
    /// Live tasks of other deployments.
    pub(super) others: usize,
    pub(super) rebalanced: bool,
    pub(super) percentages: (Option<i64>, Option<i64>),
    pub(crate) groups: Vec<String>,
    /// Healthy targets by group, from the moment when they were asked for.
    pub(crate) healthy: BTreeMap<String, usize>,
}

/// Target groups with their weights, by the rule or listener that names them.
pub(crate) type Routes = BTreeMap<String, Vec<(String, i64)>>;

impl Endings {
    pub(crate) fn saw_services(&mut self, aws: &Aws, call: &Call, request: &Request) {
        let (Some(attempt), asked) = (call.attempt, body(request)) else {
            return;
        };

        let cluster = asked["cluster"]
            .as_str()
            .unwrap_or_default()
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        let names = asked["services"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);

        for name in names.map(|name| name.rsplit('/').next().unwrap_or(name)) {
            let observations = self.seen.entry(attempt).or_default();
            observations.retain(|observation| observation.service != name);
            observations.extend(observation(aws, &cluster, name));
        }
    }

    pub(crate) fn saw_targets(&mut self, aws: &Aws, call: &Call, request: &Request) {
        let Some(observations) = call.attempt.and_then(|attempt| self.seen.get_mut(&attempt))
        else {
            return;
        };

        let asked = percent_encoding::percent_decode(&request.body)
            .decode_utf8_lossy()
            .into_owned();
        for observation in observations {
            for group in observation
                .groups
                .iter()
                .filter(|group| asked.contains(group.as_str()))
            {
                observation
                    .healthy
                    .insert(group.clone(), aws.elb.healthy_count(group, aws.now));
            }
        }
    }

    pub(crate) fn saw_rules(&mut self, aws: &Aws, call: &Call) {
        let Some(attempt) = call.attempt else { return };
        let arns = aws.elb.rules.keys().chain(aws.elb.listeners.keys());
        let routes = arns
            .map(|arn| (arn.clone(), Elb::forwards(aws.elb.actions_of(arn))))
            .collect();
        self.routes.insert(attempt, routes);
    }

    /// What an attempt saw last.
    pub(crate) fn observations_of(&self, attempt: u64) -> Option<(&[Observation], &Routes)> {
        Some((
            self.seen.get(&attempt)?.as_slice(),
            self.routes.get(&attempt)?,
        ))
    }

    /// Whether the attempt that changed a rule last saw a healthy target in a group.
    pub(crate) fn last_mover_saw(&self, aws: &Aws, group: &str) -> bool {
        let moves =
            |call: &&Call| matches!(call.operation.as_str(), "ModifyRule" | "ModifyListener");
        let mover = aws
            .calls
            .iter()
            .rev()
            .find(moves)
            .and_then(|call| call.attempt);
        let observations = mover
            .and_then(|attempt| self.seen.get(&attempt))
            .into_iter()
            .flatten();
        observations
            .filter_map(|observation| observation.healthy.get(group))
            .any(|healthy| *healthy > 0)
    }
}

pub(super) fn observation(aws: &Aws, cluster: &str, name: &str) -> Option<Observation> {
    let service = aws.ecs.service_named(cluster, name)?;
    let primary = service.primary()?;
    let mut groups: Vec<String> = aws
        .ecs
        .tasks_of(&service.arn)
        .flat_map(|task| &task.attachments)
        .map(|one| one.target_group.clone())
        .collect();
    groups.sort();
    groups.dedup();

    let (own, others): (Vec<&Task>, Vec<&Task>) = aws
        .ecs
        .tasks_of(&service.arn)
        .filter(|task| task.is_live())
        .partition(|task| task.deployment == primary.id);

    Some(Observation {
        service: name.to_owned(),
        runs: primary.task_definition.clone(),
        completed: is_completed(aws, service, primary),
        desired: service.desired_count as usize,
        running: own.iter().filter(|task| task.is_running()).count(),
        pending: own.iter().filter(|task| task.is_pending()).count(),
        others: others.len(),
        rebalanced: service.is_rebalanced(),
        percentages: service.percentages(),
        groups,
        healthy: BTreeMap::new(),
    })
}

/// Whether the rollout of a PRIMARY deployment has ended. Where ECS shows no rollout state, it has
/// when nothing else has tasks: how many of its own there must be is checked beside it.
fn is_completed(aws: &Aws, service: &Service, primary: &Deployment) -> bool {
    let mut tasks = aws.ecs.tasks_of(&service.arn).filter(|task| task.is_live());
    let is_alone = tasks.all(|task| task.deployment == primary.id);

    primary.rollout == RolloutState::Completed || service.is_behind_classic() && is_alone
}

/// Whether an attempt with these calls, newest first, ended without an answer that it needed: a
/// call was throttled or its response cut off, and none of the same operation was answered since. A
/// step makes one call after the other and ends with the first that fails for good.
pub(super) fn is_blind<'a>(newest_first: impl Iterator<Item = &'a Call>) -> bool {
    let mut answered = BTreeSet::new();
    let mut calls = newest_first;

    calls.any(|call| {
        let operation = (&call.service, &call.operation);
        if call.error.is_none() && !call.cut_off {
            answered.insert(operation);
        }
        (call.is_throttled() || call.cut_off) && !answered.contains(&operation)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(operation: &str, error: Option<&str>, cut_off: bool) -> Call {
        Call {
            at: 0,
            caller: "functions/swap-target-groups".to_owned(),
            service: "elasticloadbalancing".to_owned(),
            operation: operation.to_owned(),
            error: error.map(ToOwned::to_owned),
            attempt: Some(1),
            cut_off,
        }
    }

    #[test]
    fn an_attempt_is_blind_only_if_its_call_was_not_made_again() {
        let rules = || call("DescribeRules", None, false);
        let health = || call("DescribeTargetHealth", None, false);
        let cut_off = || call("DescribeTargetHealth", None, true);
        let throttled = || call("DescribeTargetHealth", Some("Throttling"), false);
        let failed = || call("DescribeTargetHealth", Some("InternalFailure"), false);

        for (calls, expected) in [
            (vec![rules(), health()], false),
            (vec![rules(), cut_off()], true),
            (vec![rules(), throttled()], true),
            (vec![cut_off(), health()], false),
            (vec![throttled(), cut_off(), health(), rules()], false),
            (vec![cut_off(), rules()], true),
            (vec![health(), cut_off()], true),
            (vec![throttled(), failed()], true),
            (vec![failed()], false),
        ] {
            assert_eq!(is_blind(calls.iter().rev()), expected, "{calls:?}");
        }
    }
}
