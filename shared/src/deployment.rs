//! The in-place deployment of a task definition to a service: from what was seen to the one next step.

use std::time::Duration;

use crate::job::{Failure, FailureType};
use crate::ledger::{Change, OpenRelease};
use crate::service::{DeploymentView, Rollout, ServiceView, revision};
use crate::timestamp::readable;

/// What is asked of a service.
#[derive(Clone, Debug)]
pub struct Asked {
    pub change: Change,
    /// Tasks that must run in the end, at least.
    pub size: u32,
    /// How long the rollout may take.
    pub deadline: Duration,
}

/// The next step of a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Announce the change and make it.
    Apply,
    /// The change was made by an invocation that could not write its deployment down: do so.
    Adopt {
        deployment: String,
    },
    /// Nothing to do but to look again.
    Wait {
        summary: String,
        percent: u8,
    },
    Done {
        summary: String,
    },
    /// The release cannot go on. `rollout` says that tasks of the new definition did run or try to, so their stop reasons explain it.
    Fail {
        failure: Failure,
        rollout: bool,
    },
}

/// Where the change of this release stands, from the record and the service together.
enum Standing<'a> {
    /// Never announced, and the service is as it was recorded.
    Untouched,
    /// The service already runs what is asked, and did so before the release.
    AlreadyThere,
    /// Announced, but no trace of it is on the service: its invocation died in between.
    Lost,
    /// The PRIMARY deployment is ours.
    Ours(&'a DeploymentView),
    /// The PRIMARY deployment is ours, but not yet written down.
    Unnamed(&'a DeploymentView),
    /// ECS gave our deployment up and went back to another.
    GivenUp { reason: String },
    /// Somebody else changed the service.
    Foreign(&'a DeploymentView),
}

/// Decides the next step. `before` is the task definition that the service ran before the release, `elapsed` the time since this
/// action began.
#[must_use]
pub fn next_step(asked: &Asked, release: &OpenRelease, before: &str, view: &ServiceView, elapsed: Duration) -> Step {
    let Some(primary) = view.primary().filter(|_| view.status == "ACTIVE") else {
        return fail(
            FailureType::JobFailed,
            format!(
                "the service is {} and has no deployment to replace; create it again and start a new release",
                view.status
            ),
            false,
        );
    };
    match standing(asked, release.change.as_ref(), before, view, primary) {
        Standing::AlreadyThere => settled(asked, view, elapsed),
        Standing::Untouched | Standing::Lost => Step::Apply,
        Standing::Unnamed(ours) => Step::Adopt { deployment: ours.id.clone() },
        Standing::Ours(ours) if ours.rollout == Rollout::Failed => {
            fail(FailureType::JobFailed, format!("the rollout failed and stands still: {}", reason_of(ours)), true)
        }
        Standing::Ours(_) => settled(asked, view, elapsed),
        Standing::GivenUp { reason } => fail(
            FailureType::JobFailed,
            format!(
                "Amazon ECS gave the deployment up and went back to {}: {reason}",
                revision(&primary.task_definition)
            ),
            true,
        ),
        Standing::Foreign(other) => fail(
            FailureType::JobFailed,
            format!(
                "superseded: somebody else deployed {} ({}) while this release was deploying {}; find out who writes to the service, then release again",
                revision(&other.task_definition),
                other.id,
                revision(&asked.change.task_definition)
            ),
            false,
        ),
    }
}

fn standing<'a>(
    asked: &Asked,
    announced: Option<&Change>,
    before: &str,
    view: &'a ServiceView,
    primary: &'a DeploymentView,
) -> Standing<'a> {
    let wanted = &asked.change.task_definition;
    let same_definition = primary.task_definition == *wanted;
    match announced {
        None if same_definition && asked.change.desired_count.is_none_or(|count| count == view.desired) => {
            Standing::AlreadyThere
        }
        None if same_definition || primary.task_definition == before => Standing::Untouched,
        None => Standing::Foreign(primary),
        Some(Change { deployment: Some(_), .. }) if same_definition => Standing::Ours(primary),
        // The same definition at another count starts no deployment: that the count is not there says that it was never set.
        Some(Change { desired_count: Some(count), .. }) if same_definition && view.desired != *count => Standing::Lost,
        Some(_) if same_definition => Standing::Unnamed(primary),
        Some(change) => displaced(change, view, primary),
    }
}

/// The PRIMARY deployment does not run what was announced: given up by ECS, replaced by somebody, or never made.
fn displaced<'a>(change: &Change, view: &'a ServiceView, primary: &'a DeploymentView) -> Standing<'a> {
    let ours = view.deployments.iter().find(|d| !d.primary && d.task_definition == change.task_definition);
    let id = change.deployment.as_deref().or(ours.map(|d| d.id.as_str()));
    let told = id.and_then(|id| {
        view.messages.iter().find(|message| message.contains(id) && message.contains("deployment failed"))
    });
    match (ours, told) {
        (Some(ours), _) if ours.rollout == Rollout::Failed => Standing::GivenUp { reason: reason_of(ours) },
        _ if primary.reason.contains("circuit breaker") => Standing::GivenUp { reason: primary.reason.clone() },
        (_, Some(message)) => Standing::GivenUp { reason: message.clone() },
        (None, None) if change.deployment.is_none() => Standing::Lost,
        _ => Standing::Foreign(primary),
    }
}

/// The right deployment is in place: done, too late, or not yet.
fn settled(asked: &Asked, view: &ServiceView, elapsed: Duration) -> Step {
    let wanted = &asked.change.task_definition;
    let missing = view.missing(wanted, asked.size);
    if missing.is_empty() {
        return Step::Done {
            summary: format!("{} runs {} of {} tasks, steady", revision(wanted), view.running, view.desired),
        };
    }
    let newest = view.messages.first().map(|message| format!("; newest message: {message}")).unwrap_or_default();
    if elapsed >= asked.deadline {
        let (elapsed, deadline) = (readable(elapsed), readable(asked.deadline));
        let message = format!("not steady after {elapsed} (deadline {deadline}): {}{newest}", missing.join("; "));
        return fail(FailureType::JobFailed, message, true);
    }
    let (floor, ceiling) =
        (asked.change.percentages.floor(view.desired), asked.change.percentages.ceiling(view.desired));
    Step::Wait {
        summary: format!(
            "{}: {}; at least {floor} healthy, at most {ceiling} running; {} of {}",
            revision(wanted),
            view.progress(wanted),
            readable(elapsed),
            readable(asked.deadline)
        ),
        percent: view.percent(wanted),
    }
}

fn reason_of(deployment: &DeploymentView) -> String {
    match deployment.reason.as_str() {
        "" => format!("{} tasks failed to start", deployment.failed_tasks),
        reason => reason.to_owned(),
    }
}

fn fail(kind: FailureType, message: String, rollout: bool) -> Step {
    Step::Fail { failure: Failure { kind, message }, rollout }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Prior, State};
    use crate::service::tests::{NEW, OLD, deployment, steady};
    use crate::strategy::Percentages;

    fn asked(task_definition: &str) -> Asked {
        let percentages = Percentages { minimum_healthy: 100, maximum: 200 };
        let change =
            Change { task_definition: task_definition.to_owned(), percentages, desired_count: None, deployment: None };
        Asked { change, size: 2, deadline: Duration::from_secs(1_800) }
    }

    fn release(change: Option<Change>) -> OpenRelease {
        OpenRelease {
            execution: "e-1".to_owned(),
            pipeline: "slipway-web".to_owned(),
            digest: None,
            state: State::Open,
            began_at: steady(OLD).observed_at,
            prior: Prior::of(&steady(OLD)),
            registering: None,
            registered: None,
            change,
            shift: None,
            scale_in_suspended: None,
            sized: None,
            restoring: None,
            judged: Vec::new(),
            holding: None,
            failure: None,
            rolling_back_since: None,
        }
    }

    fn step(change: Option<&str>, view: &ServiceView) -> Step {
        let asked = asked(NEW);
        let change =
            change.map(|id| Change { deployment: (!id.is_empty()).then(|| id.to_owned()), ..asked.change.clone() });
        next_step(&asked, &release(change), OLD, view, Duration::from_secs(60))
    }

    fn message(step: Step) -> String {
        match step {
            Step::Fail { failure, .. } => failure.message,
            other => panic!("{other:?} is not a failure"),
        }
    }

    #[test]
    fn a_fresh_release_applies_once_and_then_waits() {
        assert_eq!(step(None, &steady(OLD)), Step::Apply);
        let mut view = steady(OLD);
        view.deployments[0].primary = false;
        view.deployments.insert(0, deployment("ecs-svc/2", NEW, true, Rollout::InProgress));
        assert_eq!(step(Some(""), &view), Step::Adopt { deployment: "ecs-svc/2".to_owned() });
        assert!(matches!(step(Some("ecs-svc/2"), &view), Step::Wait { percent: 50, .. }));
        assert!(matches!(step(Some("ecs-svc/1"), &steady(NEW)), Step::Done { .. }));
    }

    #[test]
    fn what_runs_already_is_done_without_a_change() {
        assert!(matches!(step(None, &steady(NEW)), Step::Done { .. }));
    }

    #[test]
    fn an_announced_change_that_left_no_trace_is_made_again() {
        assert_eq!(step(Some(""), &steady(OLD)), Step::Apply);
    }

    #[test]
    fn a_count_that_was_announced_and_never_set_is_set() {
        let mut asked = asked(NEW);
        asked.change.desired_count = Some(5);
        let release = release(Some(asked.change.clone()));
        assert_eq!(next_step(&asked, &release, NEW, &steady(NEW), Duration::ZERO), Step::Apply);
    }

    #[test]
    fn a_circuit_breaker_is_told_from_other_hands() {
        let mut view = steady(OLD);
        view.deployments[0].reason =
            "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1.".to_owned();
        assert!(message(step(Some("ecs-svc/2"), &view)).contains("gave the deployment up"));
        let mut told = steady(OLD);
        told.messages =
            vec!["(service web) (deployment ecs-svc/2) deployment failed: tasks failed to start.".to_owned()];
        assert!(message(step(Some("ecs-svc/2"), &told)).contains("tasks failed to start"));
        assert!(message(step(Some("ecs-svc/2"), &steady(OLD))).contains("somebody else"));
        let third = steady("arn:aws:ecs:eu-west-1:111122223333:task-definition/web:9");
        assert!(message(step(None, &third)).contains("web:9"));
    }

    #[test]
    fn a_stalled_rollout_and_a_late_one_fail_with_the_arithmetic() {
        let mut stalled = steady(NEW);
        stalled.deployments[0].rollout = Rollout::Failed;
        assert!(message(step(Some("ecs-svc/1"), &stalled)).contains("stands still"));
        let mut late = steady(NEW);
        late.running = 1;
        let change = Change { deployment: Some("ecs-svc/1".to_owned()), ..asked(NEW).change };
        let step = next_step(&asked(NEW), &release(Some(change)), OLD, &late, Duration::from_secs(1_900));
        assert!(message(step).contains("not steady after 31m40s (deadline 30m00s): 1 of 2 tasks running"));
    }
}
