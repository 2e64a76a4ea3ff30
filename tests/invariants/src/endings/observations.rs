//! What the attempts of a step saw of services, targets and rules before they reported.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{body, routes};
use emulator::ecs::{Deployment, RolloutState, Service, Task};
use emulator::{Aws, Call, Millis, Request};

use super::Endings;

/// A report this long after the last call of its attempt, in milliseconds, was made because a
/// response did not come: a step that has its responses reports at once.
const UNANSWERED: i64 = 30_000;

/// How a service refuses a key that it does not know yet: new ones are not known everywhere at once.
const UNKNOWN_KEY: [&str; 2] = ["InvalidClientTokenId", "UnrecognizedClientException"];

/// A minute in milliseconds, less what is lost where instants are read to the second.
const MINUTE: Millis = 58_000;

/// A service as it was when an attempt of a function described it.
#[derive(Clone, Debug)]
pub(crate) struct Observation {
    pub(crate) service: String,
    pub(crate) runs: String,
    pub(super) completed: bool,
    pub(crate) desired: usize,
    /// Tasks of the PRIMARY deployment that run, and that do not run yet.
    pub(super) running: usize,
    pub(super) pending: usize,
    /// Live tasks of it that came once half of the count had run for a minute, none of which can
    /// have taken the place of one that failed.
    pub(super) late: usize,
    /// Live tasks of other deployments.
    pub(super) others: usize,
    pub(super) rebalanced: bool,
    pub(super) percentages: (Option<i64>, Option<i64>),
    pub(crate) groups: Vec<String>,
    /// Healthy targets by group, from the moment when they were described.
    pub(crate) healthy: BTreeMap<String, usize>,
}

impl Observation {
    /// The most tasks that may be there: to rebalance, ECS starts some in one zone, within the
    /// maximum, before it stops as many in another.
    pub(super) fn most(&self) -> usize {
        let maximum = self.percentages.1.unwrap_or(200);
        let maximum = usize::try_from(maximum).unwrap_or_default();
        let most = if self.rebalanced {
            self.desired * maximum / 100
        } else {
            self.desired
        };
        most.max(self.desired)
    }

    /// With the health that the same attempt read before it described the service again.
    fn with_health_of(self, earlier: Option<Self>) -> Self {
        let same = earlier.filter(|earlier| earlier.runs == self.runs);
        let healthy = same.map_or_else(BTreeMap::new, |earlier| earlier.healthy);
        Self { healthy, ..self }
    }
}

/// Target groups with their weights, by the route that names them.
pub(crate) type Routes = BTreeMap<String, routes::Forwards>;

impl Endings {
    pub(crate) fn saw_services(&mut self, aws: &Aws, call: &Call, request: &Request) {
        let (Some(attempt), input) = (call.attempt, body(request)) else {
            return;
        };

        let cluster = input["cluster"]
            .as_str()
            .unwrap_or_default()
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        let names = input["services"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);

        // What restored and proved a service then reads only which revisions are in use.
        let may_be_proven = call.caller.ends_with("roll-back");
        for name in names.map(|name| name.rsplit('/').next().unwrap_or(name)) {
            let observations = self.seen.entry(attempt).or_default();
            let known = observations.iter().position(|known| known.service == name);
            let earlier = known.map(|known| observations.remove(known));
            let earlier = earlier.filter(|_| may_be_proven);
            let found = observation(aws, &cluster, name);
            observations.extend(found.map(|found| found.with_health_of(earlier)));
        }
    }

    pub(crate) fn saw_targets(&mut self, aws: &Aws, call: &Call, request: &Request) {
        let Some(observations) = call.attempt.and_then(|attempt| self.seen.get_mut(&attempt))
        else {
            return;
        };

        let input = percent_encoding::percent_decode(&request.body)
            .decode_utf8_lossy()
            .into_owned();
        for observation in observations {
            for group in observation
                .groups
                .iter()
                .filter(|group| input.contains(group.as_str()))
            {
                observation
                    .healthy
                    .insert(group.clone(), aws.elb.healthy_count(group, aws.now));
            }
        }
    }

    pub(crate) fn saw_rules(&mut self, aws: &Aws, call: &Call) {
        let Some(attempt) = call.attempt else { return };
        self.routes.insert(attempt, routes::all(aws));
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
        let moves = |call: &&Call| routes::sets_weights(call);
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
        late: late(aws, service, &own),
        others: others.len(),
        rebalanced: service.is_rebalanced(),
        percentages: service.percentages(),
        groups,
        healthy: BTreeMap::new(),
    })
}

/// How many live tasks of the PRIMARY deployment are not part of its rollout: half of the count had
/// run for a minute when they were created, and no task of the same revision had failed shortly
/// before.
fn late(aws: &Aws, service: &Service, own: &[&Task]) -> usize {
    let ran_at = |at: Millis| {
        let ages = own.iter().filter_map(|task| Some(at - task.started_at?));
        ages.filter(|age| *age >= MINUTE).count()
    };
    let half = (service.desired_count as usize).div_ceil(2).max(1);
    let is_late = |task: &&&Task| {
        let is_young = task.started_at.is_none_or(|at| aws.now - at < MINUTE);
        is_young && ran_at(task.created_at) >= half
    };
    let late: Vec<&&Task> = own.iter().filter(is_late).collect();
    let Some(first) = late.iter().min_by_key(|task| task.created_at) else {
        return 0;
    };

    let has_failed = |task: &Task| {
        let by_itself = ["EssentialContainerExited", "TaskFailedToStart"];
        let is_recent = |at: Millis| first.created_at - at < MINUTE;
        task.service == service.arn
            && task.task_definition == first.task_definition
            && task.stop_code.is_some_and(|code| by_itself.contains(&code))
            && task.stopped_at.is_none_or(is_recent)
    };
    if aws.ecs.tasks.values().any(has_failed) {
        0
    } else {
        late.len()
    }
}

/// Whether the rollout of a PRIMARY deployment has ended. Where ECS shows no rollout state, it has
/// when nothing else has tasks: how many of its own there must be is checked beside it.
fn is_completed(aws: &Aws, service: &Service, primary: &Deployment) -> bool {
    let mut tasks = aws.ecs.tasks_of(&service.arn).filter(|task| task.is_live());
    let is_alone = tasks.all(|task| task.deployment == primary.id);

    primary.rollout == RolloutState::Completed || service.is_behind_classic() && is_alone
}

/// Whether an attempt that made this call last before its report ended without a decision: its time
/// ran out while it waited for a response, or the ledger was too busy to take what it decided,
/// without which it changes nothing.
pub(crate) fn ends_undecided(last: &Call, report: &Call) -> bool {
    let is_not_taken = last.operation == "PutItem" && last.is_throttled();
    is_not_taken || report.at - last.at > UNANSWERED
}

/// Whether an attempt with these calls, newest first, ended without a response that it needed: a
/// call was throttled, its response cut off, or its key not known there, and no later call of the
/// same operation succeeded. A step makes one call after the other and ends with the first that
/// fails for good.
pub(crate) fn is_blind<'a>(newest_first: impl Iterator<Item = &'a Call>) -> bool {
    let mut answered = BTreeSet::new();
    let mut calls = newest_first;

    calls.any(|call| {
        let operation = (&call.service, &call.operation);
        if call.error.is_none() && !call.cut_off {
            answered.insert(operation);
        }
        let is_unknown = UNKNOWN_KEY.contains(&call.error.as_deref().unwrap_or_default());
        let is_lost = call.is_throttled() || call.cut_off || is_unknown;
        is_lost && !answered.contains(&operation)
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
    fn a_second_description_keeps_the_health_of_the_same_revision() {
        let seen = |runs: &str, healthy: &[usize]| Observation {
            service: "web-blue".to_owned(),
            runs: runs.to_owned(),
            completed: true,
            desired: 2,
            running: 2,
            pending: 0,
            late: 0,
            others: 0,
            rebalanced: false,
            percentages: (None, None),
            groups: vec!["blue".to_owned()],
            healthy: healthy.iter().map(|n| ("blue".to_owned(), *n)).collect(),
        };
        let lacks = |earlier: Option<Observation>| {
            let found = seen("web:1", &[]).with_health_of(earlier);
            super::super::lack(&found, "web:1").is_some()
        };

        assert!(!lacks(Some(seen("web:1", &[2]))));
        assert!(lacks(Some(seen("web:1", &[1]))));
        assert!(lacks(Some(seen("web:1", &[]))));
        assert!(lacks(Some(seen("web:2", &[2]))));
        assert!(lacks(None));
    }

    #[test]
    fn an_attempt_is_undecided_if_the_ledger_did_not_take_its_last_write_or_no_response_came() {
        let throttled = Some("ThrottlingException");
        let at = |at| Call {
            at,
            ..call("PutJobSuccessResult", None, false)
        };

        for (last, report, expected) in [
            (call("PutItem", throttled, false), at(30), true),
            (call("PutItem", None, false), at(30), false),
            (
                call("PutItem", Some("ConditionalCheckFailedException"), false),
                at(30),
                false,
            ),
            (call("ModifyRule", throttled, false), at(30), false),
            (call("DescribeRules", None, false), at(UNANSWERED), false),
            (call("DescribeRules", None, false), at(UNANSWERED + 1), true),
        ] {
            assert_eq!(ends_undecided(&last, &report), expected, "{last:?}");
        }
    }

    #[test]
    fn an_attempt_is_blind_only_if_its_call_was_not_made_again() {
        let rules = || call("DescribeRules", None, false);
        let health = || call("DescribeTargetHealth", None, false);
        let cut_off = || call("DescribeTargetHealth", None, true);
        let throttled = || call("DescribeTargetHealth", Some("Throttling"), false);
        let failed = || call("DescribeTargetHealth", Some("InternalFailure"), false);
        let unknown = || call("DescribeTargetHealth", Some("InvalidClientTokenId"), false);

        for (calls, expected) in [
            (vec![rules(), health()], false),
            (vec![rules(), cut_off()], true),
            (vec![rules(), throttled()], true),
            (vec![rules(), unknown()], true),
            (vec![unknown(), health()], false),
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
