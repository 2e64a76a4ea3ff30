//! Rolling deployments: how one begins, completes, fails, and is rolled back.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::{Aws, Quirk, eventbridge};

use super::failure_detection::{self, Detector};
use super::{Deployment, DeploymentStatus, RolloutState, Service, scheduler, service_history};

/// The most events a service keeps.
const MOST_EVENTS: usize = 100;

/// How long every task must have run before a deployment counts as complete: a crash at start comes
/// earlier.
const STEADY: Duration = Duration::from_secs(10);

/// The longest time that starting is put off after failures.
const LONGEST_BACKOFF_SECS: i64 = 300;

/// Makes a new deployment PRIMARY, either as requested or, with `rollback`, back to that one.
pub(super) fn begin(
    aws: &mut Aws,
    arn: &str,
    definition: &str,
    rollback: Option<(&Deployment, Detector)>,
) {
    let rollback_of = rollback.map(|(to, _)| to);
    let id = new_id(aws, rollback_of);
    let revision = match rollback {
        Some((to, detector)) => service_history::roll_back(aws, arn, &to.revision, detector),
        None => service_history::begin(aws, arn, &id),
    };
    stay(aws, arn);

    let now = aws.now;
    let Some(service) = aws.ecs.services.get_mut(arn) else {
        return;
    };
    make_way(service, &id);

    let deployment = Deployment {
        id: id.clone(),
        status: DeploymentStatus::Primary,
        task_definition: definition.to_owned(),
        revision,
        rollout: RolloutState::InProgress,
        reason: first_reason(&id, rollback),
        created_at: now,
        updated_at: now,
        is_rollback: rollback_of.is_some(),
        failed_tasks: 0,
        setbacks: 0,
        not_before: now,
        settings: rollback_of
            .map_or(&service.settings, |to| &to.settings)
            .clone(),
    };
    service.deployments.insert(0, deployment);

    match rollback_of {
        Some(to) => adopt(aws, arn, &to.id, &id),
        None => failure_detection::watch(aws, arn, &id),
    }

    announce(aws, arn, &id, "INFO", "SERVICE_DEPLOYMENT_IN_PROGRESS");
    scheduler::wake(aws, arn);
}

/// Makes a service ready for a deployment of this id. One that is deployed again is listed once,
/// and the tasks of a deployment are placed evenly.
fn make_way(service: &mut Service, id: &str) {
    service.deployments.retain(|old| old.id != id);
    for old in &mut service.deployments {
        old.status = DeploymentStatus::Active;
    }
    service.steady = false;
    service.uneven = false;
}

/// No task moves any more: a deployment makes zones even.
fn stay(aws: &mut Aws, arn: &str) {
    let tasks = aws.ecs.tasks.values_mut();
    for task in tasks.filter(|task| task.service == arn) {
        task.moves = false;
    }
}

/// The id of a new deployment. Recorded outputs of a rollback by the circuit breaker complete it
/// under the very id that "rolling back to" names; others have a new one.
fn new_id(aws: &mut Aws, rollback_of: Option<&Deployment>) -> String {
    if let Some(to) = rollback_of
        && aws.draw_quirk(Quirk::ReusesDeployment)
    {
        return to.id.clone();
    }
    let number = aws
        .rng
        .u64(1_000_000_000_000_000_000..9_223_372_036_854_775_807);
    format!("ecs-svc/{number}")
}

fn first_reason(id: &str, rollback: Option<(&Deployment, Detector)>) -> String {
    match rollback {
        Some((to, detector)) => format!(
            "{}: rolling back to deploymentId {}.",
            detector.name(),
            to.id
        ),
        None => format!("ECS deployment {id} in progress."),
    }
}

/// The tasks that still run what is rolled back to go on as tasks of the rollback.
fn adopt(aws: &mut Aws, arn: &str, from: &str, to: &str) {
    let tasks = aws
        .ecs
        .tasks
        .values_mut()
        .filter(|task| task.service == arn && task.deployment == from && task.is_live());
    tasks.for_each(|task| task.deployment = to.to_owned());
}

/// Looks whether a deployment that seemed finished still does, and then completes it.
pub(super) fn complete_if_steady(aws: &mut Aws, arn: &str, id: &str) {
    let Some(service) = aws.ecs.services.get(arn) else {
        return;
    };
    let in_progress = service
        .primary()
        .is_some_and(|primary| primary.id == id && primary.rollout == RolloutState::InProgress);
    if !in_progress || !scheduler::may_complete(aws, service) {
        return;
    }

    let since = aws.now - STEADY.as_millis() as i64;
    let is_steady = aws
        .ecs
        .tasks_of(arn)
        .filter(|task| task.deployment == id && task.healthy)
        .all(|task| task.started_at.is_some_and(|at| at <= since));

    if is_steady {
        complete(aws, arn);
    } else {
        settle_later(aws, arn, id.to_owned(), STEADY / 2);
    }
}

/// Puts the second look at a deployment on the agenda.
pub(super) fn settle_later(aws: &mut Aws, arn: &str, deployment: String, after: Duration) {
    aws.schedule(
        after,
        super::EcsEvent::Settle {
            service: arn.to_owned(),
            deployment,
        },
    );
}

fn complete(aws: &mut Aws, arn: &str) {
    service_history::complete(aws, arn);
    let now = aws.now;
    let Some(service) = aws.ecs.services.get_mut(arn) else {
        return;
    };
    let Some(primary) = service.deployments.first_mut() else {
        return;
    };

    primary.rollout = RolloutState::Completed;
    primary.reason = format!("ECS deployment {} completed.", primary.id);
    primary.updated_at = now;
    let id = primary.id.clone();
    service.last_completed = Some(primary.clone());
    forget_emptied(aws, arn);
    note(aws, arn, |name| {
        format!("(service {name}) (deployment {id}) deployment completed.")
    });
    announce(aws, arn, &id, "INFO", "SERVICE_DEPLOYMENT_COMPLETED");
    if scheduler::is_in_place(aws, &aws.ecs.services[arn]) {
        scheduler::note_steady_state(aws, arn);
    }
}

/// Older deployments of a service whose rollout is completed are listed until their tasks are gone.
pub(super) fn forget_emptied(aws: &mut Aws, arn: &str) {
    let with_tasks: BTreeSet<String> = aws
        .ecs
        .tasks_of(arn)
        .map(|task| task.deployment.clone())
        .collect();
    let Some(service) = aws.ecs.services.get_mut(arn) else {
        return;
    };
    let is_completed = service
        .primary()
        .is_some_and(|primary| primary.rollout == RolloutState::Completed);
    if is_completed {
        service.deployments.retain(|deployment| {
            deployment.status == DeploymentStatus::Primary || with_tasks.contains(&deployment.id)
        });
    }
}

/// A task of a deployment ended before it proved healthy: starting is put off, and the circuit
/// breaker may trip if that counts as a failure.
pub(super) fn note_failure(aws: &mut Aws, arn: &str, id: &str, counts: bool) {
    let (now, breaks) = (aws.now, has_breaker(aws, arn));
    let Some(service) = aws.ecs.services.get_mut(arn) else {
        return;
    };
    let threshold = failure_detection::threshold(service);
    let Some(deployment) = service
        .deployments
        .iter_mut()
        .find(|deployment| deployment.id == id)
    else {
        return;
    };

    deployment.failed_tasks += u32::from(counts);
    deployment.updated_at = now;

    if deployment.not_before <= now {
        deployment.setbacks += 1;
        deployment.not_before =
            now + LONGEST_BACKOFF_SECS.min(5 << deployment.setbacks.min(7)) * 1000;
    }

    let is_current = deployment.status == DeploymentStatus::Primary
        && deployment.rollout == RolloutState::InProgress;
    let (trips, often) = (
        breaks && is_current && deployment.failed_tasks >= threshold,
        deployment.setbacks == 3,
    );

    if trips {
        fail(aws, arn, Detector::CircuitBreaker);
    } else if often {
        note(aws, arn, |name| {
            format!(
                "(service {name}) is unable to consistently start tasks successfully. For more \
                 information, see the Troubleshooting section of the Amazon ECS Developer Guide."
            )
        });
    }
}

/// A task of a deployment proved healthy: failures are counted again, if the service wants that.
pub(super) fn note_success(aws: &mut Aws, arn: &str, id: &str) {
    let Some(service) = aws.ecs.services.get_mut(arn) else {
        return;
    };
    let resets = failure_detection::resets(service);
    if let Some(deployment) = service
        .deployments
        .iter_mut()
        .find(|deployment| deployment.id == id)
    {
        deployment.setbacks = 0;
        if resets {
            deployment.failed_tasks = 0;
        }
    }
}

/// Whether the circuit breaker of a service can trip. Documents disagree about one behind a Classic
/// Load Balancer.
fn has_breaker(aws: &mut Aws, arn: &str) -> bool {
    let service = aws.ecs.services.get(arn);
    let Some(service) = service.filter(|service| service.circuit_breaker("enable")) else {
        return false;
    };
    !service.is_behind_classic() || aws.draw_quirk(Quirk::BreaksBehindClassic)
}

/// Gives the primary deployment up, and goes back to the last completed one if the detector has
/// that option.
pub(super) fn fail(aws: &mut Aws, arn: &str, detector: Detector) {
    let now = aws.now;
    let Some(service) = aws.ecs.services.get_mut(arn) else {
        return;
    };
    let rolls_back = detector.rolls_back(service);
    let Some(failed) = service.deployments.first_mut() else {
        return;
    };

    failed.rollout = RolloutState::Failed;
    failed.reason = format!("{}: {}", detector.name(), detector.finding());
    failed.updated_at = now;
    let (id, was_rollback) = (failed.id.clone(), failed.is_rollback);
    note(aws, arn, |name| {
        let finding = detector.finding();
        format!("(service {name}) (deployment {id}) deployment failed: {finding}")
    });
    announce(aws, arn, &id, "ERROR", "SERVICE_DEPLOYMENT_FAILED");

    let to = aws
        .ecs
        .services
        .get(arn)
        .and_then(|service| service.last_completed.clone());
    let Some(to) = to.filter(|_| rolls_back && !was_rollback) else {
        return service_history::fail(aws, arn, rolls_back);
    };

    note(aws, arn, |name| {
        format!("(service {name}) rolling back to deployment {}.", to.id)
    });
    restore_settings(aws, arn, &to);
    begin(aws, arn, &to.task_definition, Some((&to, detector)));
}

/// Where tasks run and register goes back with their definition; counts and percentages stay.
fn restore_settings(aws: &mut Aws, arn: &str, to: &Deployment) {
    let Some(service) = aws.ecs.services.get_mut(arn) else {
        return;
    };
    for member in super::services::OF_DEPLOYMENT {
        match to.settings.get(member) {
            Some(value) => _ = service.settings.insert(member.to_owned(), value.clone()),
            None => _ = service.settings.remove(member),
        }
    }
}

/// Adds an event to a service; the same message twice in a row is kept once.
pub(super) fn note(aws: &mut Aws, arn: &str, message: impl FnOnce(&str) -> String) {
    let (id, at) = (aws.uuid(), aws.now);
    let Some(service) = aws.ecs.services.get_mut(arn) else {
        return;
    };
    let message = message(&service.name);
    if service
        .events
        .front()
        .is_some_and(|event| event["message"] == message)
    {
        return;
    }
    let event = json!({"id": id, "createdAt": Aws::seconds(at), "message": message});
    service.events.push_front(event);
    service.events.truncate(MOST_EVENTS);
}

/// Puts an "ECS Deployment State Change" on the event bus.
fn announce(aws: &mut Aws, arn: &str, id: &str, event_type: &str, event_name: &str) {
    let find = |service: &Service| {
        service
            .deployments
            .iter()
            .find(|deployment| deployment.id == id)
            .cloned()
    };
    let Some(deployment) = aws.ecs.services.get(arn).and_then(find) else {
        return;
    };

    let detail = state_change(&deployment, event_type, event_name);
    eventbridge::emit(
        aws,
        "aws.ecs",
        "ECS Deployment State Change",
        vec![arn.to_owned()],
        detail,
    );
}

/// The detail of such an event.
pub(super) fn state_change(deployment: &Deployment, event_type: &str, event_name: &str) -> Value {
    let updated_at = OffsetDateTime::from_unix_timestamp(deployment.updated_at / 1000).ok();
    json!({
        "eventType": event_type, "eventName": event_name, "deploymentId": deployment.id,
        "updatedAt": updated_at.and_then(|at| at.format(&Rfc3339).ok()),
        "reason": deployment.reason,
    })
}
