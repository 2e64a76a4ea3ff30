//! Target tracking: once a minute, while there are policies and requests, each scalable target with
//! a policy is looked at.
//!
//! The model is simpler than the alarms of CloudWatch. It scales out at once, to the count that
//! brings the metric back to its target, and scales in after a quarter of an hour of low minutes.
//! Without any load nothing is looked at, so that an account in which nothing happens stays quiet.

use std::time::Duration;

use serde_json::Value;

use super::policies::{REQUESTS, group_of_label};
use super::{Policy, ScalableTarget, service};
use crate::{Aws, Millis, ecs, traffic};

const MINUTE: Duration = Duration::from_secs(60);

/// How many low minutes in a row let a service scale in, and what counts as low: below this part of
/// the target value.
const LOW_MINUTES: u32 = 15;
const LOW: f64 = 0.9;

/// The scale-in cooldown of ECS services.
const COOLDOWN_SECS: i64 = 300;

/// What is remembered of a target that is looked at every minute.
#[derive(Clone, Debug, Default)]
pub(super) struct Tracked {
    low_minutes: u32,
    scaled_at: Option<Millis>,
}

/// Begins to look at every target with a policy that is not looked at yet, if there is any load.
pub(crate) fn watch(aws: &mut Aws) {
    if !traffic::flows(aws) {
        return;
    }

    let with_policy: Vec<String> = aws
        .autoscaling
        .policies
        .keys()
        .map(|(id, _)| id.clone())
        .collect();
    for id in with_policy {
        if !aws.autoscaling.tracked.contains_key(&id) {
            aws.autoscaling
                .tracked
                .insert(id.clone(), Tracked::default());
            again(aws, id);
        }
    }
}

fn again(aws: &mut Aws, resource_id: String) {
    aws.schedule(MINUTE, super::AutoScalingEvent::Look { resource_id });
}

/// The minute's look at one target. It is the last one when policies or load are gone.
pub(super) fn look(aws: &mut Aws, resource_id: &str) {
    let has_policies = aws.autoscaling.policies_of(resource_id).next().is_some();
    if !has_policies || !traffic::flows(aws) {
        aws.autoscaling.tracked.remove(resource_id);
        return;
    }

    again(aws, resource_id.to_owned());
    let Some(service) = service(aws, resource_id) else {
        return;
    };
    let Some(target) = aws.autoscaling.targets.get(resource_id).cloned() else {
        return;
    };

    let readings = readings(aws, resource_id, &service);
    let is_low = is_low_minute(aws, resource_id, &readings);
    let tracked = aws
        .autoscaling
        .tracked
        .entry(resource_id.to_owned())
        .or_default();
    tracked.low_minutes = if is_low { tracked.low_minutes + 1 } else { 0 };

    let tracked = tracked.clone();
    let count = aws.ecs.services[&service].desired_count;
    let Some(wanted) = decide(&target, &tracked, &readings, count, aws.now) else {
        return;
    };

    // Scale-in waits for the end of a deployment; scale-out does not.
    if wanted < count && aws.ecs.services[&service].is_deploying() {
        return;
    }

    ecs::scale(aws, &service, wanted);
    aws.autoscaling.tracked.insert(
        resource_id.to_owned(),
        Tracked {
            low_minutes: 0,
            scaled_at: Some(aws.now),
        },
    );
}

/// What the policies of a target have read; one without data points has read nothing.
fn readings(aws: &Aws, resource_id: &str, service: &str) -> Vec<Reading> {
    aws.autoscaling
        .policies_of(resource_id)
        .filter_map(|policy| Some((policy, metric(aws, service, policy)?)))
        .map(|(policy, value)| Reading::of(aws, service, policy, value))
        .collect()
}

/// Whether all policies have data points and those that scale in, one at least, have low ones.
fn is_low_minute(aws: &Aws, resource_id: &str, readings: &[Reading]) -> bool {
    aws.autoscaling.policies_of(resource_id).count() == readings.len()
        && readings.iter().any(|it| it.scales_in)
        && readings.iter().all(|it| it.is_low || !it.scales_in)
}

/// What one policy has read, and the count that it would have.
#[derive(Clone, Copy, Debug)]
struct Reading {
    is_high: bool,
    is_low: bool,
    wanted: u32,
    scales_in: bool,
    cooldown_secs: i64,
}

impl Reading {
    fn of(aws: &Aws, service: &str, policy: &Policy, value: f64) -> Self {
        let target = policy.configuration["TargetValue"]
            .as_f64()
            .unwrap_or(f64::MAX);
        let wanted = (serving(aws, service).len() as f64 * value / target).ceil();

        Self {
            is_high: value > target,
            is_low: value < target * LOW,
            wanted: wanted.clamp(0.0, f64::from(u32::MAX)) as u32,
            scales_in: policy.configuration["DisableScaleIn"] != true,
            cooldown_secs: policy.configuration["ScaleInCooldown"]
                .as_i64()
                .unwrap_or(COOLDOWN_SECS),
        }
    }
}

/// The count to change to, if any: the largest that a policy requires.
fn decide(
    target: &ScalableTarget,
    tracked: &Tracked,
    readings: &[Reading],
    count: u32,
    now: Millis,
) -> Option<u32> {
    let most = readings
        .iter()
        .map(|reading| reading.wanted)
        .max()?
        .max(target.min)
        .min(target.max);
    if readings.iter().any(|reading| reading.is_high) {
        return (most > count && !target.suspended.dynamic_out).then_some(most);
    }

    let cooldown_secs = readings
        .iter()
        .map(|reading| reading.cooldown_secs)
        .max()
        .unwrap_or(COOLDOWN_SECS);
    let cooled = tracked
        .scaled_at
        .is_none_or(|at| at + cooldown_secs * 1000 <= now);
    let scales_in = tracked.low_minutes >= LOW_MINUTES && cooled && most < count;
    (scales_in && !target.suspended.dynamic_in).then_some(most)
}

/// The target groups of the tasks of a service that are running and healthy, task by task.
fn serving(aws: &Aws, service: &str) -> Vec<Vec<String>> {
    let tasks = aws
        .ecs
        .tasks_of(service)
        .filter(|task| task.is_running() && task.healthy);
    tasks
        .map(|task| {
            task.attachments
                .iter()
                .map(|it| it.target_group.clone())
                .collect()
        })
        .collect()
}

/// The value of a policy's metric in this minute; nothing when there are no data points.
fn metric(aws: &Aws, service: &str, policy: &Policy) -> Option<f64> {
    let tasks = serving(aws, service);
    if tasks.is_empty() {
        return None;
    }

    let specification: &Value = &policy.configuration["PredefinedMetricSpecification"];
    match specification["PredefinedMetricType"].as_str()? {
        REQUESTS => {
            let group = group_of_label(aws, specification["ResourceLabel"].as_str()?)?;
            // A counter that is zero is absent.
            Some(traffic::rate_per_target(aws, &group) * 60.0).filter(|requests| *requests > 0.0)
        }
        "ECSServiceAverageCPUUtilization" => {
            let rates = tasks
                .iter()
                .flatten()
                .map(|group| traffic::rate_per_target(aws, group));
            let rate = rates.sum::<f64>() / tasks.len() as f64;
            Some(rate / aws.traffic.requests_per_task * 100.0)
        }
        // Requests move no memory here.
        _ => None,
    }
}
