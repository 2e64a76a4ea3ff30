//! When a deployment that has not ended is late.

use super::*;

#[test]
fn the_deadline_is_met_to_the_second_and_a_steady_service_is_never_late() {
    let at = |view: &ServiceView, secs| after("ecs-svc/1", view, secs, None);

    let mut late = steady(NEW);
    late.running = 1;
    late.messages = vec![
        "(service web) was unable to place a task.".to_owned(),
        "an older one".to_owned(),
    ];

    assert!(matches!(at(&late, 1_799), DeployStep::Wait { .. }));

    let message = "not steady after 30m00s (deadline 30m00s): 1 of 2 tasks running; newest \
        message: (service web) was unable to place a task.";
    let failure = Failure {
        kind: FailureType::JobFailed,
        cause: None,
        message: message.to_owned(),
    };

    assert_eq!(
        at(&late, 1_800),
        DeployStep::Fail {
            failure,
            cause: StepFailureCause::Rollout,
        }
    );
    assert_eq!(
        at(&steady(NEW), 9_000),
        DeployStep::Done {
            summary: "web:2 runs 2 of 2 tasks, steady".to_owned()
        }
    );
}

/// `web:2` has everything but its completion.
fn in_place(deployment_alarms: bool, early_success: Option<u32>) -> ServiceView {
    let mut view = steady(NEW);
    view.deployments[0].rollout = Rollout::InProgress;
    view.deployment_alarms = deployment_alarms;
    view.early_success = early_success;
    view
}

#[test]
fn a_rollout_that_bakes_is_late_only_when_ecs_had_time_to_watch_its_alarms() {
    let at = |view: &ServiceView, secs| after("ecs-svc/1", view, secs, None);

    for (alarms, early, reason) in [
        (true, None, "ECS is watching its alarms"),
        (true, Some(50), "ECS is watching its alarms"),
        (false, Some(50), "ECS has not ended its bake time"),
    ] {
        let view = in_place(alarms, early);
        let DeployStep::Wait { summary, .. } = at(&view, 2_699) else {
            panic!("{alarms} {early:?}: it is not waited for")
        };
        let end = format!("; {reason}; 44m59s of 45m00s");
        assert!(summary.ends_with(&end), "{summary}");

        let late = "(deadline 45m00s): the rollout is not completed";
        fails(at(&view, 2_700), StepFailureCause::Rollout, &[late]);
    }

    // Without a bake, or with anything else missing, the deadline is as given.
    let mut unhealthy = in_place(true, None);
    unhealthy.target_groups[0].healthy = 1;
    for view in [in_place(false, None), unhealthy] {
        let DeployStep::Wait { summary, .. } = at(&view, 1_799) else {
            panic!("it is not waited for")
        };
        assert!(summary.ends_with(" running; 29m59s of 30m00s"), "{summary}");
        let late = "(deadline 30m00s): ";
        fails(at(&view, 1_800), StepFailureCause::Rollout, &[late]);
    }
}

#[test]
fn a_rollout_whose_tasks_lack_nothing_but_their_minute_is_late_a_minute_later() {
    let at = |view: &ServiceView, secs| after("ecs-svc/1", view, secs, None);
    let mut young = steady(NEW);
    young.proven = 1;
    let lack = "1 of 2 tasks have run for 1m00s";

    let DeployStep::Wait { summary, .. } = at(&young, 1_859) else {
        panic!("it is not waited for")
    };
    let end = format!("; {lack}; 30m59s of 31m00s");
    assert!(summary.ends_with(&end), "{summary}");

    let late = format!("not steady after 31m00s (deadline 31m00s): {lack}");
    fails(
        at(&young, 1_860),
        StepFailureCause::Rollout,
        &[late.as_str()],
    );

    // With anything else missing, the deadline is as given.
    let mut fewer = young;
    fewer.running = 1;
    let late = "not steady after 30m00s (deadline 30m00s): 1 of 2 tasks running";
    fails(at(&fewer, 1_800), StepFailureCause::Rollout, &[late]);
}
