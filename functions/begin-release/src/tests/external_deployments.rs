//! Deployments that were started outside Slipway, and for how long a release waits for them.

use slipway::observed::service::{DeploymentView, Rollout, ServiceView};

use super::*;
use crate::external::external_deployment;
use crate::target::tests::service;

/// Cluster and service.
const NAME: (&str, &str) = ("apps", "web");
const NEW: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:2";

fn view(deployments: &[(&str, &str, bool, Rollout)]) -> ServiceView {
    let deployment =
        |(id, task_definition, primary, rollout): &(&str, &str, bool, Rollout)| DeploymentView {
            id: (*id).to_owned(),
            primary: *primary,
            task_definition: (*task_definition).to_owned(),
            rollout: *rollout,
            reason: String::new(),
            desired: 2,
            running: 1,
            pending: 0,
            failed_tasks: 0,
        };

    ServiceView {
        deployments: deployments.iter().map(deployment).collect(),
        ..service()
    }
}

#[test]
fn an_external_deployment_is_awaited_while_a_completed_one_exists() {
    let moving = view(&[
        ("ecs-svc/2", NEW, true, Rollout::InProgress),
        ("ecs-svc/1", OLD, false, Rollout::Completed),
    ]);
    let waits = |waited| external_deployment(NAME, &moving, &job(json!({}), waited));
    let Ok(Some(JobReport::InProgress {
        summary,
        percent: 0,
        ..
    })) = waits(1_799)
    else {
        panic!("does not wait")
    };

    assert!(
        summary.contains("web:2 (ecs-svc/2)")
            && summary.ends_with(": 1 of 2 new tasks running; waited 29m59s of 30m00s"),
        "{summary}"
    );

    let refusal = waits(1_800).expect_err("long enough");
    assert_eq!(refusal, Failure::configuration(refusal.message.clone()));
    for part in [
        "web:2 (ecs-svc/2)",
        "30m00s",
        "or return to web:1: aws ecs update-service --cluster apps --service web \
         --task-definition web:1; then retry",
    ] {
        assert!(refusal.message.contains(part), "{}", refusal.message);
    }

    for other in [
        view(&[("ecs-svc/2", NEW, true, Rollout::Completed)]),
        view(&[
            ("ecs-svc/2", NEW, true, Rollout::Failed),
            ("ecs-svc/1", OLD, false, Rollout::Completed),
        ]),
        // A first deployment that never came up has nothing beside it that could serve.
        view(&[("ecs-svc/2", NEW, true, Rollout::InProgress)]),
        view(&[]),
    ] {
        assert_eq!(
            external_deployment(NAME, &other, &job(json!({}), 9)),
            Ok(None),
            "{other:?}"
        );
    }
}

#[test]
fn without_a_rollout_state_a_release_waits_for_other_tasks_and_for_those_that_lack() {
    let mut moving = view(&[
        ("ecs-svc/2", NEW, true, Rollout::Absent),
        ("ecs-svc/1", OLD, false, Rollout::Absent),
    ]);
    let waits = |view: &ServiceView, secs: i64| {
        let waits = external_deployment(NAME, view, &job(json!({}), secs));
        waits.map(|report| report.is_some()).map_err(|_| ())
    };

    for (own, running, pending, early, late) in [
        (2, 1, 0, Ok(true), Err(())),
        (2, 0, 1, Ok(true), Err(())),
        (2, 0, 0, Ok(false), Ok(false)),
        // It made room, and the new task does not run yet.
        (1, 0, 0, Ok(true), Ok(false)),
    ] {
        moving.deployments[0].running = own;
        moving.deployments[1].running = running;
        moving.deployments[1].pending = pending;
        let found = (waits(&moving, 9), waits(&moving, 1_800));
        assert_eq!(found, (early, late), "{own}, {running} and {pending}");
    }

    // Of several others, one has tasks to return to.
    moving.deployments[0].running = 1;
    moving.deployments[1].running = 0;
    let other = DeploymentView {
        running: 1,
        ..moving.deployments[1].clone()
    };
    moving.deployments.push(other);
    assert_eq!(waits(&moving, 1_800), Err(()));

    // All new tasks run: what has no tasks left is not returned to.
    moving.deployments[0].running = 2;
    assert_eq!(waits(&moving, 1_800), Err(()));
}

#[test]
fn a_release_waits_for_room_for_its_deployment_and_its_rollback() {
    let of = |older: usize, rollout, running| {
        let mut found = view(&[("ecs-svc/9", NEW, true, Rollout::InProgress)]);
        let one = view(&[("ecs-svc/1", OLD, false, rollout)]).deployments;
        for _ in 0..older {
            let running = DeploymentView {
                running,
                ..one[0].clone()
            };
            found.deployments.push(running);
        }
        found
    };
    let waits = |view: &ServiceView, secs| external_deployment(NAME, view, &job(json!({}), secs));

    for found in [of(2, Rollout::Failed, 1), of(9, Rollout::Failed, 0)] {
        assert_eq!(waits(&found, 9), Ok(None), "{found:?}");
    }
    for rollout in [Rollout::Failed, Rollout::InProgress] {
        let found = of(3, rollout, 1);
        let summary = "waiting for deployments started outside Slipway: 4 have not ended; waited \
                       29m59s of 30m00s";
        let report = JobReport::in_progress(summary, 0);
        assert_eq!(waits(&found, 1_799), Ok(Some(report)));

        let refusal = "4 deployments of `web` have not ended; expected at most 3, because Amazon \
            ECS takes no more than 5, with that of the release and its rollback; an older one \
            ends with its last task: end the protection of its tasks or stop them, then retry the \
            release";
        assert_eq!(waits(&found, 1_800), Err(Failure::configuration(refusal)));
    }

    // A deployment that was COMPLETED takes room for as long as it has tasks.
    let after_failure = |of_completed| {
        let mut found = of(2, Rollout::Failed, 1);
        found.deployments[0].rollout = Rollout::Failed;
        let mut completed = view(&[("ecs-svc/0", OLD, false, Rollout::Completed)]).deployments;
        completed[0].running = of_completed;
        found.deployments.append(&mut completed);
        found
    };
    let summary = "waiting for deployments started outside Slipway: 4 have not ended; waited 9s of \
                   30m00s";
    let report = JobReport::in_progress(summary, 0);
    assert_eq!(waits(&after_failure(1), 9), Ok(Some(report)));
    assert_eq!(waits(&after_failure(0), 9), Ok(None));
}
