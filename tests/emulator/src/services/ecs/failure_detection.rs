//! How ECS detects that a deployment has failed: by its circuit breaker, or by CloudWatch alarms
//! that it polls.
//!
//! Sources:
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-failure-detection.html>,
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html>

use std::time::Duration;

use crate::Aws;
use crate::cloudformation::items;

use super::{RolloutState, Service, deployments, service_history};

/// How often ECS polls the alarms of a deployment.
const POLL: Duration = Duration::from_secs(15);

/// What found that a deployment has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detector {
    CircuitBreaker,
    Alarms,
}

impl Detector {
    /// Whether a service has the rollback option of this detector.
    pub(super) fn rolls_back(self, service: &Service) -> bool {
        match self {
            Self::CircuitBreaker => service.circuit_breaker("rollback"),
            Self::Alarms => service
                .settings
                .get("deploymentConfiguration")
                .is_some_and(|it| it["alarms"]["rollback"] == true),
        }
    }

    /// Its name in a deployment's reason.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::CircuitBreaker => "ECS deployment circuit breaker",
            Self::Alarms => "ECS deployment alarms",
        }
    }

    pub(super) fn finding(self) -> &'static str {
        match self {
            Self::CircuitBreaker => "tasks failed to start.",
            Self::Alarms => "alarm detected.",
        }
    }

    /// The reason of the rollback of a service deployment.
    pub(super) fn rollback_reason(self) -> &'static str {
        match self {
            Self::CircuitBreaker => {
                "Service deployment rolled back because the circuit breaker threshold was exceeded."
            }
            Self::Alarms => "Service deployment rolled back because an alarm was detected.",
        }
    }
}

/// How many failures trip the circuit breaker of a service with its present count: half of it,
/// between 3 and 200, unless the service has a threshold of its own.
pub(super) fn threshold(service: &Service) -> u32 {
    let configured = service
        .breaker()
        .map(|breaker| &breaker["thresholdConfiguration"]);
    let value = configured.and_then(|it| it["value"].as_u64()).unwrap_or(50);
    let share = (u64::from(service.desired_count) * value).div_ceil(100);

    let threshold = match configured.and_then(|it| it["type"].as_str()) {
        Some("COUNT") => value,
        Some("UNBOUNDED_PERCENT") => share.max(1),
        _ => share.clamp(3, 200),
    };
    u32::try_from(threshold).unwrap_or(u32::MAX)
}

/// Whether a task that becomes healthy sets the count of failures back.
pub(super) fn resets(service: &Service) -> bool {
    service
        .breaker()
        .is_none_or(|breaker| breaker["resetOnHealthyTask"] != false)
}

/// The alarms by which a deployment that begins now is watched. ECS ignores them all if one is in
/// ALARM already.
pub(super) fn watched(aws: &Aws, arn: &str) -> Vec<String> {
    let service = aws.ecs.services.get(arn);
    let Some(service) = service.filter(|service| service.has_alarms()) else {
        return Vec::new();
    };
    let configuration = &service.settings["deploymentConfiguration"];
    let names: Vec<String> = items(&configuration["alarms"]["alarmNames"])
        .iter()
        .filter_map(|name| Some(name.as_str()?.to_owned()))
        .collect();

    if in_alarm(aws, &names).is_empty() {
        names
    } else {
        Vec::new()
    }
}

/// Whether alarms are watched during the newest deployment of a service: not during a rollback by
/// ECS, although it belongs to the service deployment that they failed.
pub(super) fn is_watched(service: &Service) -> bool {
    let is_rollback = service.primary().is_some_and(|primary| primary.is_rollback);
    let newest = service.history.last().filter(|_| !is_rollback);
    newest.is_some_and(|newest| !newest.watched.is_empty())
}

fn in_alarm(aws: &Aws, names: &[String]) -> Vec<String> {
    let is_in_alarm = |name: &&String| {
        let alarm = aws.cloudwatch.alarms.get(*name);
        alarm.is_some_and(|alarm| alarm.state == "ALARM")
    };
    names.iter().filter(is_in_alarm).cloned().collect()
}

/// Puts the next poll of a deployment's alarms on the agenda, if it has any.
pub(super) fn watch(aws: &mut Aws, arn: &str, deployment: &str) {
    if aws.ecs.services.get(arn).is_some_and(is_watched) {
        aws.schedule(
            POLL,
            super::EcsEvent::PollAlarms {
                service: arn.to_owned(),
                deployment: deployment.to_owned(),
            },
        );
    }
}

/// Looks at the alarms of a deployment, once one of its tasks is running.
pub(super) fn poll(aws: &mut Aws, arn: &str, deployment: &str) {
    let Some(service) = aws.ecs.services.get(arn) else {
        return;
    };
    let in_progress = service.primary().is_some_and(|primary| {
        primary.id == deployment && primary.rollout == RolloutState::InProgress
    });
    let Some(newest) = service.history.last().filter(|_| in_progress) else {
        return;
    };

    let triggered = in_alarm(aws, &newest.watched);
    let runs = aws
        .ecs
        .tasks_of(arn)
        .any(|task| task.deployment == deployment && task.is_running());

    if runs && !triggered.is_empty() {
        service_history::trigger(aws, arn, triggered);
        deployments::fail(aws, arn, Detector::Alarms);
    } else {
        watch(aws, arn, deployment);
    }
}
