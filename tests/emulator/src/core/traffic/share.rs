//! The shares of a load at an instant, and when they change next.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Flow, Load, Span};
use crate::elb::{Elb, TargetState};
use crate::{Aws, Millis, elb};

/// Shares by target group; they sum to 1, or to 0 when nothing is forwarded.
type Shares = BTreeMap<String, f64>;

/// Clients that keep the target group that they had when the weights changed, until their cookies
/// are old.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pinned {
    shares: Shares,
    until: Millis,
}

/// What happened to a load since it was counted last.
pub(super) fn spans(aws: &Aws, arn: &str, load: &Load) -> Vec<Span> {
    let mut spans = Vec::new();
    if load.rate <= 0.0 || load.counted >= aws.now {
        return spans;
    }

    let versions = versions(aws);
    let mut edges = changes(aws, arn, load);
    edges.push(aws.now);

    let mut from = load.counted;
    for to in edges {
        super::append(
            &mut spans,
            Span {
                from,
                to,
                flows: flows(aws, arn, load, from, &versions),
            },
        );
        from = to;
    }
    spans
}

/// The instants since the last count at which a share changed by itself, in order.
fn changes(aws: &Aws, arn: &str, load: &Load) -> Vec<Millis> {
    let groups = Elb::forwards(aws.elb.actions_of(arn));
    let groups = groups
        .iter()
        .filter_map(|(group, _)| aws.elb.target_groups.get(group));
    let of_targets = groups.flat_map(|group| {
        group
            .targets
            .values()
            .flat_map(|target| elb::changes(group, target))
    });
    let of_cookies = load.pinned.iter().map(|pinned| pinned.until);
    let mut all: Vec<Millis> = of_targets
        .chain(of_cookies)
        .filter(|at| (load.counted + 1..aws.now).contains(at))
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn flows(
    aws: &Aws,
    arn: &str,
    load: &Load,
    at: Millis,
    versions: &BTreeMap<(&str, &str, u16), &str>,
) -> Vec<Flow> {
    let shares = shares(aws, arn, load, at);
    if shares.is_empty() {
        return vec![Flow {
            target_group: None,
            version: None,
            refused: false,
            rate: load.rate,
            per_target: None,
        }];
    }

    let mut flows = Vec::new();
    for (group, share) in shares.into_iter().filter(|(_, share)| *share > 0.0) {
        let rate = load.rate * share;
        let targets = healthy(aws, &group, at);
        let of_target = rate / targets.len() as f64;
        let per_target = aws.traffic.capacity.map(|_| of_target);

        let mut by_version = BTreeMap::<(Option<String>, bool), f64>::new();
        for ((id, port), answers) in &targets {
            let version = versions.get(&(group.as_str(), id.as_str(), *port));
            let version =
                version.map_or_else(|| format!("{id}:{port}"), |version| (*version).to_owned());
            *by_version.entry((Some(version), !answers)).or_default() += of_target;
        }
        if targets.is_empty() {
            by_version.insert((None, has_targets(aws, &group, at)), rate);
        }

        let flow = |((version, refused), rate)| Flow {
            target_group: Some(group.clone()),
            version,
            refused,
            rate,
            per_target,
        };
        flows.extend(by_version.into_iter().map(flow));
    }
    flows
}

/// The healthy targets of a group, and whether their applications still answer.
fn healthy(aws: &Aws, group: &str, at: Millis) -> Vec<((String, u16), bool)> {
    let Some(group) = aws.elb.target_groups.get(group) else {
        return Vec::new();
    };

    let is_healthy = |target: &elb::RegisteredTarget| {
        elb::state_at(group, target, at) == Some(TargetState::Healthy)
    };
    let healthy = group
        .targets
        .iter()
        .filter(|(_, target)| is_healthy(target));
    healthy
        .map(|(key, target)| (key.clone(), target.answers))
        .collect()
}

/// Whether there is any target that could be tried.
fn has_targets(aws: &Aws, group: &str, at: Millis) -> bool {
    let tried = |state| {
        matches!(
            state,
            Some(TargetState::Initial | TargetState::Unhealthy | TargetState::Healthy)
        )
    };
    let group = aws.elb.target_groups.get(group);

    group.is_some_and(|group| {
        group
            .targets
            .values()
            .any(|target| tried(elb::state_at(group, target, at)))
    })
}

/// The task definition behind each target: target group, identifier and port.
fn versions(aws: &Aws) -> BTreeMap<(&str, &str, u16), &str> {
    let tasks = aws
        .ecs
        .tasks
        .values()
        .filter(|task| task.started_at.is_some() && task.stopped_at.is_none());
    let attached = tasks.flat_map(|task| {
        task.attachments.iter().map(|it| {
            (
                (it.target_group.as_str(), it.target_id.as_str(), it.port),
                task.task_definition.as_str(),
            )
        })
    });
    attached.collect()
}

/// The share of one target group now.
pub(super) fn of_group(aws: &Aws, arn: &str, load: &Load, group: &str) -> f64 {
    shares(aws, arn, load, aws.now)
        .get(group)
        .copied()
        .unwrap_or(0.0)
}

/// The shares at an instant: new clients go by weight, those with a cookie where they went.
fn shares(aws: &Aws, arn: &str, load: &Load, at: Millis) -> Shares {
    let actions = aws.elb.actions_of(arn);
    let by_weight = by_weight(actions);
    let pinned = load
        .pinned
        .as_ref()
        .filter(|pinned| lasts(load, pinned, true, at) && stickiness(actions).is_some());
    let Some(pinned) = pinned else {
        return by_weight;
    };

    // Clients whose group has left the action go by weight again.
    let forwards = Elb::forwards(actions);
    let kept = |group: &str| {
        let is_there = forwards.iter().any(|(known, _)| known == group);
        if is_there {
            pinned.shares.get(group).copied().unwrap_or(0.0)
        } else {
            0.0
        }
    };

    let sum_kept: f64 = forwards.iter().map(|(group, _)| kept(group)).sum();
    let free = 1.0 - load.sticky * sum_kept;
    let share = |group: &str| {
        load.sticky * kept(group) + free * by_weight.get(group).copied().unwrap_or(0.0)
    };

    forwards
        .iter()
        .map(|(group, _)| (group.clone(), share(group)))
        .collect()
}

fn by_weight(actions: Option<&Value>) -> Shares {
    let forwards = Elb::forwards(actions);
    let sum: i64 = forwards.iter().map(|(_, weight)| weight).sum();
    let share = |(group, weight): (String, i64)| (group, weight as f64 / sum as f64);

    if sum == 0 {
        Shares::new()
    } else {
        forwards.into_iter().map(share).collect()
    }
}

/// How long the forward action keeps clients on their group, if it does.
fn stickiness(actions: Option<&Value>) -> Option<Millis> {
    let forward = actions?.as_array()?.last()?;
    let config = &forward["ForwardConfig"]["TargetGroupStickinessConfig"];
    let enabled = config["Enabled"] == true || config["Enabled"] == "true";
    let secs = &config["DurationSeconds"];
    let secs = secs.as_i64().or_else(|| secs.as_str()?.parse().ok())?;
    enabled.then_some(secs * 1000)
}

/// Whether the cookies of a cohort are still valid. Those of a rule that is not sticky any more are
/// not renewed.
fn lasts(load: &Load, pinned: &Pinned, is_sticky: bool, at: Millis) -> bool {
    (load.renews && is_sticky) || at < pinned.until
}

/// Where the clients with a cookie are when the actions change: a cohort that is pinned already
/// stays as it is. Without stickiness its cookies say nothing, but they last.
pub(super) fn pin(aws: &Aws, arn: &str, load: &Load) -> Option<Pinned> {
    let actions = aws.elb.actions_of(arn);
    let duration = stickiness(actions);
    let still = load.pinned.clone();
    let still = still.filter(|pinned| lasts(load, pinned, duration.is_some(), aws.now));
    let Some(duration) = duration.filter(|_| load.sticky > 0.0) else {
        return still;
    };

    let until = aws.now + duration;
    match still {
        Some(pinned) if load.renews => Some(Pinned { until, ..pinned }),
        Some(pinned) => Some(pinned),
        None => Some(Pinned {
            shares: by_weight(actions),
            until,
        }),
    }
}
