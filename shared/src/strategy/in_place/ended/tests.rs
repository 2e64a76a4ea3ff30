use std::time::Duration;

use super::*;
use crate::observed::fixtures::{NEW, OLD, deployment, steady};
use crate::observed::percentages::Percentages;
use crate::observed::service::ServiceView;
use crate::observed::service_deployment::Tripped;
use crate::release::{Before, Change};
use crate::strategy::in_place::deploy::RolloutBounds;

const PERCENTAGES: Percentages = Percentages {
    minimum_healthy: 100,
    maximum: 200,
};

/// The change to `web:2`, which became `ecs-svc/2`.
fn change() -> Change {
    Change {
        task_definition: NEW.to_owned(),
        percentages: PERCENTAGES,
        desired_count: None,
        deployment: Some("ecs-svc/2".to_owned()),
        promise: None,
        set_before: None,
        given: None,
    }
}

fn goal() -> DeployGoal {
    DeployGoal {
        change: change(),
        size: 2,
        deadline: Duration::from_secs(1_800),
        made_with: PERCENTAGES,
        recorded: RolloutBounds {
            percentages: PERCENTAGES,
            early_success: None,
        },
    }
}

fn context<'a>(announced: &'a Change, view: &'a ServiceView) -> DeployContext<'a> {
    DeployContext {
        announced: Some(announced),
        before: Before::new(None, OLD),
        view,
        was_seen: false,
        elapsed: Duration::from_secs(120),
        since_change: None,
    }
}

/// `web:1` is PRIMARY again, as `ecs-svc/3`.
fn returned() -> ServiceView {
    let mut view = steady(OLD);
    view.deployments[0].id = "ecs-svc/3".to_owned();
    view
}

/// `ecs-svc/2` is still PRIMARY, and FAILED.
fn failed_in_place() -> ServiceView {
    let mut view = steady(NEW);
    view.deployments = vec![deployment("ecs-svc/2", NEW, true, Rollout::Failed)];
    view
}

fn one(revision: &str, status: &str) -> ServiceDeploymentView {
    ServiceDeploymentView {
        revision: revision.to_owned(),
        status: status.to_owned(),
        reason: String::new(),
        tripped: None,
        alarms: Vec::new(),
    }
}

/// What a rollback by these alarms shows.
fn by_alarms(revision: &str, status: &str, alarms: &[&str]) -> ServiceDeploymentView {
    ServiceDeploymentView {
        alarms: alarms.iter().map(|alarm| (*alarm).to_owned()).collect(),
        ..one(revision, status)
    }
}

fn explain(view: &ServiceView, history: &[ServiceDeploymentView]) -> Option<String> {
    let announced = change();
    let found = explained(&goal(), &context(&announced, view), history);
    found.map(|(failure, cause)| {
        let expected = match cause {
            StepFailureCause::Overridden => Failure::overridden(&failure.message),
            _ => Failure::job(&failure.message),
        };
        assert_eq!(failure, expected);
        failure.message
    })
}

#[test]
fn a_rollback_by_ecs_is_explained_by_what_found_the_failure() {
    let tripped = ServiceDeploymentView {
        tripped: Some(Tripped {
            failed_tasks: 4,
            threshold: 3,
        }),
        ..one("2", "ROLLBACK_SUCCESSFUL")
    };
    let requested = ServiceDeploymentView {
        reason: "Rollback requested by an operator.".to_owned(),
        ..one("2", "ROLLBACK_IN_PROGRESS")
    };
    let alarms = &["web-errors", "web-latency"];

    for (own, reason) in [
        (
            tripped,
            "the circuit breaker tripped after 4 failed tasks (threshold 3)",
        ),
        (
            by_alarms("2", "ROLLBACK_SUCCESSFUL", &alarms[..1]),
            "alarm web-errors is in ALARM",
        ),
        (
            by_alarms("2", "ROLLBACK_FAILED", alarms),
            "alarms web-errors, web-latency are in ALARM",
        ),
        (requested, "Rollback requested by an operator."),
        (
            one("2", "ROLLBACK_REQUESTED"),
            "its status is ROLLBACK_REQUESTED",
        ),
        // Service revisions may be numbered in another way than deployments.
        (
            by_alarms("77", "ROLLBACK_SUCCESSFUL", &alarms[..1]),
            "alarm web-errors is in ALARM",
        ),
    ] {
        let expected = format!("ECS rolled the deployment back to web:1: {reason}");
        assert_eq!(explain(&returned(), &[own]), Some(expected));
    }
}

#[test]
fn what_ecs_rolled_back_stays_so_when_another_deployment_follows() {
    let alarms = &["web-errors"];
    for history in [
        vec![
            one("3", "IN_PROGRESS"),
            by_alarms("2", "ROLLBACK_SUCCESSFUL", alarms),
            one("1", "STOPPED"),
        ],
        vec![
            one("78", "IN_PROGRESS"),
            by_alarms("77", "ROLLBACK_SUCCESSFUL", alarms),
        ],
    ] {
        assert_eq!(
            explain(&returned(), &history),
            Some(
                "ECS rolled the deployment back to web:1: alarm web-errors is in ALARM".to_owned()
            ),
            "{history:?}"
        );
    }
}

#[test]
fn a_newer_service_deployment_was_made_outside_the_release() {
    let expected = "overridden: web:1 was deployed outside this release (ecs-svc/3) while it was \
        deploying web:2; find the other writer, then retry the release";

    for (newer, ours) in [
        (one("3", "IN_PROGRESS"), "2"),
        (one("3", "SUCCESSFUL"), "2"),
        (one("9", "ROLLBACK_SUCCESSFUL"), "2"),
        (one("78", "IN_PROGRESS"), "77"),
        (one("78", "ROLLBACK_SUCCESSFUL"), "77"),
    ] {
        let history = [newer, one(ours, "STOPPED")];
        assert_eq!(
            explain(&returned(), &history),
            Some(expected.to_owned()),
            "{history:?}"
        );
    }

    // Also when ours is not listed, because the response is older.
    assert_eq!(
        explain(&returned(), &[one("3", "SUCCESSFUL")]),
        Some(expected.to_owned())
    );
}

#[test]
fn a_deployment_that_failed_in_place_is_explained_by_its_alarm() {
    let view = failed_in_place();
    assert_eq!(
        explain(&view, &[by_alarms("2", "STOPPED", &["web-errors"])]),
        Some("the rollout failed: alarm web-errors is in ALARM".to_owned())
    );
    assert_eq!(explain(&view, &[one("2", "STOPPED")]), None);
}

#[test]
fn service_deployments_that_show_no_end_explain_nothing() {
    for history in [
        vec![],
        vec![one("2", "IN_PROGRESS")],
        vec![one("2", "STOPPED")],
        vec![one("77", "SUCCESSFUL")],
    ] {
        assert_eq!(explain(&returned(), &history), None, "{history:?}");
    }
}

#[test]
fn service_deployments_are_read_where_the_deployments_leave_the_end_open() {
    let announced = change();
    let is_read = |view: &ServiceView| is_unexplained(&goal(), &context(&announced, view));

    let mut listed = returned();
    listed
        .deployments
        .push(deployment("ecs-svc/2", NEW, false, Rollout::Failed));
    let late = steady(NEW);
    // Another revision has failed, which does not show how ours ended.
    let mut other = returned();
    other
        .deployments
        .push(deployment("ecs-svc/0", OLD, false, Rollout::Failed));

    for (view, without_alarms, with_alarms) in [
        (returned(), true, true),
        (listed, false, true),
        (failed_in_place(), false, true),
        (late, false, false),
        (other, true, true),
    ] {
        let with = ServiceView {
            deployment_alarms: true,
            ..view.clone()
        };
        assert_eq!(
            (is_read(&view), is_read(&with)),
            (without_alarms, with_alarms)
        );
    }
}

#[test]
fn a_service_that_shows_as_before_is_read_again_while_its_service_deployment_stands() {
    let announced = change();
    let after = |view: &ServiceView, secs, history: Option<&[ServiceDeploymentView]>| {
        let decided_from = DeployContext {
            was_seen: true,
            since_change: Some(Duration::from_secs(secs)),
            ..context(&announced, view)
        };
        awaited(&goal(), &decided_from, history)
    };
    let why =
        "waiting for ECS to show the deployment of web:2 again; its service deployment stands";
    let before = steady(OLD);

    for status in ["PENDING", "IN_PROGRESS", "SUCCESSFUL"] {
        for history in [
            vec![one("2", status), one("1", "STOPPED")],
            vec![one("77", status)],
            vec![],
        ] {
            let waits = after(&before, 299, Some(&history));
            assert_eq!(waits.as_deref(), Some(why), "{history:?}");
            assert_eq!(after(&before, 300, Some(&history)), None, "{history:?}");
        }
    }

    let mut listed = steady(OLD);
    listed
        .deployments
        .push(deployment("ecs-svc/2", NEW, false, Rollout::InProgress));
    for (view, history) in [
        (&before, vec![one("2", "STOPPED")]),
        (&before, vec![one("2", "ROLLBACK_IN_PROGRESS")]),
        (&before, vec![one("3", "IN_PROGRESS"), one("2", "STOPPED")]),
        (&listed, vec![one("2", "IN_PROGRESS")]),
    ] {
        assert_eq!(after(view, 0, Some(&history)), None, "{history:?}");
    }

    let unread = "waiting for ECS to show the deployment of web:2 again; its service deployments \
                  could not be read";
    assert_eq!(after(&before, 299, None).as_deref(), Some(unread));
    assert_eq!(after(&before, 300, None), None);
    assert_eq!(after(&listed, 0, None), None, "the deployment is shown");
}
