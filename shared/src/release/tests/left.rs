//! What a release leaves running, when the sweep looks at it, and what it finds in its place.

use super::*;
use crate::observed::fixtures::steady;
use crate::observed::service_deployment::ServiceDeploymentView;

/// A third revision, which no release deploys.
const OTHER: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:3";

fn drift(rolled_back: Option<&str>) -> Drift {
    Drift {
        task_definition: OTHER.to_owned(),
        rolled_back: rolled_back.map(ToOwned::to_owned),
        seen_at: after(60),
    }
}

fn role() -> DeployRole {
    DeployRole {
        arn: "arn:aws:iam::111122223333:role/deploy".to_owned(),
        external_id: "arn:aws:codepipeline:eu-west-1:111122223333:slipway-web".to_owned(),
        region: None,
    }
}

/// What a release leaves that ends like this: the service, its revision and its deployment.
fn leaves(lease: &Lease, outcome: Outcome) -> Option<(String, String, Option<String>)> {
    let (free, _) = closing::closed(lease, outcome, "because", after(90));
    let left = free.left?;
    let of_release = (left.execution.as_str(), left.ended_at);
    assert!([("e-1", after(90)), ("e-0", now())].contains(&of_release));
    Some((left.service, left.task_definition, left.deployment))
}

fn left(
    service: &str,
    revision: &str,
    id: Option<&str>,
) -> Option<(String, String, Option<String>)> {
    let id = id.map(ToOwned::to_owned);
    Some((service.to_owned(), revision.to_owned(), id))
}

/// What was left before the release.
fn before() -> Option<(String, String, Option<String>)> {
    left("web", OLD, Some("ecs-svc/1"))
}

fn deployed(mut change: Change) -> Change {
    change.deployment = Some("ecs-svc/2".to_owned());
    change
}

#[test]
fn a_service_is_left_with_what_was_deployed_or_with_what_it_had() {
    let open = with_target(open_service(), |target| {
        let change = target.change_mut();
        *change = change.take().map(deployed);
    });
    let back = rolling_back(of_service(service_target()));
    let unchanged = with_target(open_service(), |target| *target.change_mut() = None);
    let prior = left("web", OLD, None);

    assert_eq!(
        leaves(&open, Outcome::Deployed),
        left("web", NEW, Some("ecs-svc/2"))
    );
    assert_eq!(leaves(&unchanged, Outcome::Unchanged), prior);
    assert_eq!(leaves(&back, Outcome::RolledBack), prior);
    assert_eq!(leaves(&back, Outcome::Held), prior);
    assert_eq!(leaves(&open, Outcome::Superseded), before());
    assert_eq!(leaves(&unchanged, Outcome::Failed), before());
    assert_eq!(leaves(&beginning(), Outcome::Failed), before());
    // It may run what it had, or what the release deployed.
    assert_eq!(leaves(&open, Outcome::Failed), None);
}

#[test]
fn a_pair_is_left_with_its_live_colour() {
    let shifted = with_pair(open_pair(), |pair| {
        pair.change = pair.change.take().map(deployed)
    });
    let of_new = left("web-green", NEW, Some("ecs-svc/2"));
    assert_eq!(leaves(&shifted, Outcome::Deployed), of_new);

    let bare = with_pair(shifted, |pair| pair.shift = None);
    let of_old = left("web-blue", OLD, None);
    assert_eq!(leaves(&bare, Outcome::Deployed), of_old);
    let back = rolling_back(of_pair(pair_target()));
    assert_eq!(leaves(&back, Outcome::RolledBack), of_old);

    let named = with_pair(open_pair(), |pair| {
        pair.prior.given_services = Some(given_services());
    });
    let of_named = leaves(&named, Outcome::Deployed).expect("a service");
    assert_eq!(of_named.0, given_services().green);
}

#[test]
fn the_role_of_a_release_stays_with_what_it_left() {
    let under_role = with_release(open_service(), |release| release.deploy_role = Some(role()));
    let (free, _) = closing::closed(&under_role, Outcome::Deployed, "because", after(90));
    assert_eq!(free.left.expect("known").deploy_role, Some(role()));
}

#[test]
fn a_service_is_looked_at_once_an_hour_from_the_end_of_its_release_and_under_a_role_only() {
    let under_role = LeftRunning {
        deploy_role: Some(role()),
        ..left_running()
    };
    let due = |secs| under_role.is_due(after(secs));
    for secs in [3_600, 3_659, 7_200, 10_800 + 59] {
        assert!(due(secs), "{secs}");
    }
    for secs in [-1, 0, 59, 3_599, 3_660, 7_199] {
        assert!(!due(secs), "{secs}");
    }
    assert!(!left_running().is_due(after(3_600)));

    let lease = Lease {
        left: Some(Box::new(under_role)),
        ..free()
    };
    assert!(lease.is_drift_due(after(3_600)));
    assert!(!free().is_drift_due(after(3_600)));
}

#[test]
fn another_revision_of_the_primary_deployment_replaces_what_was_left() {
    let replaced = |runs: &str| {
        let view = steady(runs);
        let found = left_running().replaced_in(&view).cloned();
        found.map(|found| found.task_definition)
    };
    assert_eq!(replaced(OLD), None);
    assert_eq!(replaced(OTHER).as_deref(), Some(OTHER));

    // A step that was invoked by hand may have named the revision without its ARN.
    let by_name = LeftRunning {
        task_definition: "web:1".to_owned(),
        ..left_running()
    };
    assert_eq!(by_name.replaced_in(&steady(OLD)), None);
}

#[test]
fn a_drift_is_known_until_something_else_runs() {
    assert!(left_running().is_known(None));
    assert!(!left_running().is_known(Some(OTHER)));
    let drifted = LeftRunning {
        drift: Some(drift(None)),
        ..left_running()
    };
    assert!(drifted.is_known(Some(OTHER)));
    assert!(!drifted.is_known(Some(NEW)));
    assert!(!drifted.is_known(None));
}

#[test]
fn a_rollback_by_ecs_is_that_of_the_deployment_of_the_release() {
    let ended = |revision: &str, status: &str| ServiceDeploymentView {
        revision: revision.to_owned(),
        status: status.to_owned(),
        reason: format!("{status} of {revision}"),
        tripped: None,
        alarms: Vec::new(),
    };
    let seen =
        |history: &[ServiceDeploymentView]| left_running().drift_to(OTHER, history, after(60));

    let own = ended("1", "ROLLBACK_SUCCESSFUL");
    let later = ended("2", "SUCCESSFUL");
    let why = Some("ROLLBACK_SUCCESSFUL of 1");
    assert_eq!(seen(&[later.clone(), own.clone()]), drift(why));
    // Numbered in another way it is the first since the release began.
    let of_revision = ended("7", "ROLLBACK_SUCCESSFUL");
    let why = Some("ROLLBACK_SUCCESSFUL of 7");
    assert_eq!(seen(&[later.clone(), of_revision]), drift(why));

    let failed = ended("2", "ROLLBACK_SUCCESSFUL");
    assert_eq!(seen(&[failed, ended("1", "SUCCESSFUL")]), drift(None));
    assert_eq!(seen(&[]), drift(None));
    let restored = LeftRunning {
        deployment: None,
        ..left_running()
    };
    assert_eq!(restored.drift_to(OTHER, &[own], after(60)), drift(None));
}

#[test]
fn a_drift_is_shown_with_both_revisions_and_how_it_came() {
    let shown = |drift| {
        let left = LeftRunning {
            drift,
            ..left_running()
        };
        left.shown_drift()
    };
    assert_eq!(shown(None), None);
    let external = "web runs web:3, and its last release left web:1; it was deployed outside of a \
        release; seen at 2026-01-05T09:01:00Z";
    assert_eq!(shown(Some(drift(None))).as_deref(), Some(external));
    let by_ecs = "web runs web:3, and its last release left web:1; ECS rolled that back: alarm x \
        is in ALARM; seen at 2026-01-05T09:01:00Z";
    let rolled_back = drift(Some("alarm x is in ALARM"));
    assert_eq!(shown(Some(rolled_back)).as_deref(), Some(by_ecs));
}

#[test]
fn a_drift_is_noted_while_the_lease_is_free_and_ends_with_the_next_release() {
    let noted = apply(&free(), Event::DriftNoted(Some(drift(None))), after(60)).expect("free");
    let expected = LeftRunning {
        drift: Some(drift(None)),
        ..left_running()
    };
    assert_eq!(noted.left.as_deref(), Some(&expected));
    assert_eq!(noted.fence, free().fence + 1);
    assert_eq!(noted.changed_at, free().changed_at);

    let stored = serde_json::to_value(&noted).expect("serializes");
    let shown = serde_json::json!({"task_definition": OTHER, "seen_at": "2026-01-05T09:01:00Z"});
    assert_eq!(stored["left"]["drift"], shown);
    let read: Lease = serde_json::from_value(stored).expect("reads");
    assert_eq!(read, noted);

    let again = apply(&noted, Event::DriftNoted(None), after(90)).expect("free");
    assert_eq!(again.left.as_deref(), Some(&left_running()));
    let taken = apply(&noted, Event::Taken(Box::new(release())), after(90)).expect("free");
    assert_eq!(taken.left.as_deref(), Some(&left_running()));

    let unknown = Lease {
        left: None,
        ..free()
    };
    let refused = apply(&unknown, Event::DriftNoted(None), after(60)).expect_err("nothing is left");
    assert_eq!(
        refused.to_string(),
        "cannot note a drift: the lease is free"
    );
}
