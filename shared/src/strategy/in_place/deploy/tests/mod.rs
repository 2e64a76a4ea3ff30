use super::*;
use crate::job::FailureType;
use crate::observed::fixtures::{NEW, OLD, deployment, steady};
use crate::release::{FoundDeployment, PriorService};

mod deadlines;
mod failures;
mod percentages;
mod steps;

fn goal(task_definition: &str) -> DeployGoal {
    let percentages = Percentages {
        minimum_healthy: 100,
        maximum: 200,
    };
    let change = Change {
        task_definition: task_definition.to_owned(),
        percentages,
        desired_count: None,
        deployment: None,
        promise: None,
        set_before: None,
        given: None,
    };

    DeployGoal {
        change,
        size: 2,
        deadline: Duration::from_secs(1_800),
        made_with: percentages,
        recorded: RolloutBounds {
            percentages,
            early_success: None,
        },
    }
}

fn step(change: Option<&str>, view: &ServiceView) -> DeployStep {
    let goal = goal(NEW);
    let change = change.map(|id| Change {
        deployment: (!id.is_empty()).then(|| id.to_owned()),
        ..goal.change.clone()
    });
    next_step(
        &goal,
        &DeployContext {
            announced: change.as_ref(),
            before: before(OLD),
            view,
            was_seen: false,
            elapsed: Duration::from_secs(60),
            since_change: None,
        },
    )
}

/// The step after this many seconds of the action, and this many since the change that made this
/// deployment of `web:2`.
fn after(id: &str, view: &ServiceView, elapsed: u64, since_change: Option<u64>) -> DeployStep {
    let change = Change {
        deployment: Some(id.to_owned()),
        ..goal(NEW).change
    };
    let context = DeployContext {
        announced: Some(&change),
        before: before(OLD),
        view,
        was_seen: false,
        elapsed: Duration::from_secs(elapsed),
        since_change: since_change.map(Duration::from_secs),
    };
    next_step(&goal(NEW), &context)
}

/// The step this many seconds after `ecs-svc/2` was made over `found`.
fn after_found(found: &FoundDeployment, view: &ServiceView, secs: u64) -> DeployStep {
    after_look(found, view, secs, false)
}

/// The same after a look that saw `ecs-svc/2`, or did not.
fn after_look(
    found: &FoundDeployment,
    view: &ServiceView,
    secs: u64,
    was_seen: bool,
) -> DeployStep {
    let change = Change {
        deployment: Some("ecs-svc/2".to_owned()),
        ..goal(NEW).change
    };
    let context = DeployContext {
        announced: Some(&change),
        before: Before::new(Some(found), OLD),
        view,
        was_seen,
        elapsed: Duration::from_secs(secs),
        since_change: Some(Duration::from_secs(secs)),
    };
    next_step(&goal(NEW), &context)
}

/// The deployment that served before the release.
fn found() -> FoundDeployment {
    FoundDeployment {
        task_definition: OLD.to_owned(),
        deployment: "ecs-svc/1".to_owned(),
        failed: false,
    }
}

fn message(step: DeployStep) -> String {
    match step {
        DeployStep::Fail { failure, .. } => failure.message,
        other => panic!("{other:?} is not a failure"),
    }
}

const OTHER: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:9";

/// `web:2` rolls out as `ecs-svc/2` beside `web:1`, which still serves.
fn rolling() -> ServiceView {
    let mut view = steady(OLD);
    view.deployments[0].primary = false;
    view.deployments.insert(
        0,
        DeploymentView {
            running: 1,
            ..deployment("ecs-svc/2", NEW, true, Rollout::InProgress)
        },
    );

    view
}

/// Amazon ECS went back from `ecs-svc/2`, whose deployment stands as `rollout`, to `web:1`.
fn went_back(rollout: Rollout) -> ServiceView {
    let mut view = steady(OLD);
    view.deployments
        .push(deployment("ecs-svc/2", NEW, false, rollout));
    view
}

fn saying(message: &str) -> ServiceView {
    ServiceView {
        messages: vec![message.to_owned()],
        ..steady(OLD)
    }
}

/// That a step fails as a JobFailed, for this cause, with a message that contains all of these.
fn fails(step: DeployStep, cause: StepFailureCause, fragments: &[&str]) {
    match step {
        DeployStep::Fail {
            failure,
            cause: found,
        } => {
            assert_eq!(
                (failure.kind, found),
                (FailureType::JobFailed, cause),
                "{}",
                failure.message
            );
            assert!(
                fragments.iter().all(|part| failure.message.contains(part)),
                "{}",
                failure.message
            );
        }
        other => panic!("{other:?} is not a failure"),
    }
}

/// The PRIMARY deployment before the release, as leases had it before it was recorded.
fn before(task_definition: &str) -> Before<'_> {
    Before::new(None, task_definition)
}
