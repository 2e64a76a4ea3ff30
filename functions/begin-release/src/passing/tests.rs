use serde_json::json;
use slipway::observed::service::DeploymentView;

use super::*;
use crate::target::tests::service;

const ARN: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:1";
const OLD: &str = "arn:aws:iam::111122223333:role/old-exec";

fn with_role(role: &str) -> TaskDefinition {
    TaskDefinition::from_value(json!({
        "family": "web", "executionRoleArn": role,
        "containerDefinitions": [{"name": "app", "image": "web:1"}],
    }))
    .expect("a task definition")
}

fn running(deployments: &[(&str, bool, Rollout)]) -> ServiceView {
    let deployments = deployments
        .iter()
        .map(|(arn, primary, rollout)| DeploymentView {
            id: "ecs-svc/1".to_owned(),
            primary: *primary,
            task_definition: (*arn).to_owned(),
            rollout: *rollout,
            reason: String::new(),
            desired: 2,
            running: 2,
            pending: 0,
            failed_tasks: 0,
        });
    ServiceView {
        deployments: deployments.collect(),
        ..service()
    }
}

fn found(live: &ServiceView, role: &str, base: &str) -> Passing {
    provable(live, (ARN, &with_role(role)), &with_role(base))
}

#[test]
fn roles_that_the_base_does_not_have_are_proven_of_what_runs_alone() {
    let steady = running(&[(ARN, true, Rollout::Completed)]);
    assert_eq!(found(&steady, "", OLD), Passing::None("it has none"));
    assert_eq!(found(&steady, OLD, OLD), Passing::Registered);

    let roles = format!("`executionRoleArn` {OLD}");
    assert_eq!(
        found(&steady, OLD, "new-exec"),
        Passing::ToBeProven(roles.clone())
    );
    let unknown = Passing::Unproven(format!(
        "whether a rollback to web:1 may pass {roles} is not known: it is proven only of a \
         completed deployment without another one"
    ));
    for other in [
        running(&[(ARN, true, Rollout::InProgress)]),
        running(&[(ARN, true, Rollout::Failed)]),
        running(&[(ARN, false, Rollout::Completed)]),
        running(&[("web:2", true, Rollout::Completed)]),
        running(&[
            (ARN, true, Rollout::Completed),
            ("web:2", false, Rollout::Completed),
        ]),
        running(&[]),
    ] {
        assert_eq!(found(&other, OLD, "new-exec"), unknown, "{other:?}");
    }
}

#[test]
fn without_a_rollout_state_the_only_deployment_of_a_revision_replaces_its_tasks() {
    let replaces =
        |deployments: &[(&str, bool, Rollout)]| replaces_tasks(&running(deployments), ARN);
    assert!(replaces(&[(ARN, true, Rollout::Absent)]));
    for other in [
        &[(ARN, true, Rollout::InProgress)][..],
        &[("web:2", true, Rollout::Absent)],
        &[(ARN, false, Rollout::Absent)],
        &[
            (ARN, true, Rollout::Absent),
            ("web:2", false, Rollout::Absent),
        ],
        &[],
    ] {
        assert!(!replaces(other), "{other:?}");
    }
}

#[test]
fn what_cannot_be_proven_is_a_warning_and_nothing_else_is() {
    let unproven = Passing::Unproven(registered_again(ARN, &[("taskRoleArn", OLD)]));
    assert_eq!(
        unproven.warning(),
        Some(format!(
            "warning: whether a rollback may pass `taskRoleArn` {OLD} is not known until it \
             registers web:1 again, which is INACTIVE"
        ))
    );
    let proven = Passing::ToBeProven("`taskRoleArn` a".to_owned());
    for other in [Passing::None("it has none"), Passing::Registered, proven] {
        assert_eq!(other.warning(), None, "{other:?}");
    }
}

#[test]
fn a_dry_run_describes_what_proves_the_roles() {
    let row = |passing: &Passing| {
        let mut checks = Checks::dry_run("apps/web");
        passing.add_to(&mut checks);
        checks.tree()["checks"][0]["checks"][0].clone()
    };
    let roles =
        |state: &str, reason: &str| json!({"name": "roles", "state": state, "reason": reason});

    let none = Passing::None("it has none");
    assert_eq!(row(&none), roles("OK", "it has none"));
    assert_eq!(
        row(&Passing::Registered),
        roles(
            "SKIP",
            "the base has the same: register-task-definition passes them before the first \
             change"
        )
    );
    assert_eq!(
        row(&Passing::ToBeProven("`taskRoleArn` a".to_owned())),
        roles(
            "SKIP",
            "the base does not have `taskRoleArn` a: begin-release proves that a rollback may \
             pass them, by an UpdateService with the revision that runs, which changes nothing"
        )
    );
    let unproven = Passing::Unproven("not known".to_owned());
    assert_eq!(row(&unproven), roles("SKIP", "not known"));
}
