//! Deployments that CloudWatch alarms fail, and those that they do not.

use super::rollouts::{deployed, update};
use super::service_deployments::{deploy, described, statuses};
use super::*;
use crate::cloudwatch::set_alarm;

const ALARM: &str = "web-errors";

/// A world whose service has completed its first deployment and has two alarms, one of them OK.
fn with_alarms(rollback: bool) -> World {
    let mut world = deployed(1, 2);
    set_alarm(&mut world.aws, ALARM, "OK");
    let alarms = json!({
        "alarmNames": [ALARM, "web-latency"], "enable": true, "rollback": rollback,
    });
    update(
        &mut world,
        "deploymentConfiguration",
        json!({ "alarms": alarms }),
    );
    world
}

/// A world whose service deploys `web:2`, of which tasks run, when the alarm goes to ALARM.
fn in_alarm(rollback: bool) -> World {
    let mut world = with_alarms(rollback);
    deploy(&mut world, "nginx:2");
    world.run(90, |_| {});
    assert_eq!(statuses(&mut world)[0], "IN_PROGRESS");

    set_alarm(&mut world.aws, ALARM, "ALARM");
    world.run(20, |_| {});
    world
}

#[test]
fn an_alarm_fails_a_deployment_and_rolls_it_back() {
    let mut world = with_alarms(true);
    let first = text(&world.service()["deployments"][0]["id"]);
    let before = described(&mut world, 0)["targetServiceRevision"]["arn"].clone();

    let mut world = in_alarm(true);
    let service = world.service();
    let (rollback, failed) = (&service["deployments"][0], &service["deployments"][1]);
    let id = text(&failed["id"]);

    assert_eq!(
        (&failed["rolloutState"], &failed["rolloutStateReason"]),
        (
            &json!("FAILED"),
            &json!("ECS deployment alarms: alarm detected.")
        )
    );
    assert!(text(&rollback["taskDefinition"]).ends_with("/web:1"));
    assert_eq!(
        rollback["rolloutStateReason"],
        json!(format!(
            "ECS deployment alarms: rolling back to deploymentId {first}."
        ))
    );
    let messages = world.messages();
    for message in [
        format!("(service web) (deployment {id}) deployment failed: alarm detected."),
        format!("(service web) rolling back to deployment {first}."),
    ] {
        assert!(messages.contains(&message), "{messages:?}");
    }

    assert_eq!(statuses(&mut world)[0], "ROLLBACK_IN_PROGRESS");
    world.run(900, |_| {});
    assert_eq!(statuses(&mut world)[0], "ROLLBACK_SUCCESSFUL");
    let ended = described(&mut world, 0);
    assert_eq!(ended["rollback"]["serviceRevisionArn"], before);
    assert_eq!(
        ended["alarms"],
        json!({
            "status": "TRIGGERED", "alarmNames": [ALARM, "web-latency"],
            "triggeredAlarmNames": [ALARM],
        })
    );
}

#[test]
fn a_rollback_by_alarms_has_no_bake_time() {
    let mut world = in_alarm(true);
    let mut in_place = 0;
    for _ in 0..900 {
        world.run(1, |_| {});
        let service = world.aws.ecs.service_named("main", "web");
        let service = service.expect("it is there");
        let primary = service.primary().expect("it has a deployment");
        if primary.rollout == RolloutState::Completed {
            break;
        }
        in_place += u32::from(crate::ecs::scheduler::is_in_place(&world.aws, service));
    }
    assert_eq!(statuses(&mut world)[0], "ROLLBACK_SUCCESSFUL");
    assert!(in_place < 60, "{in_place} s");
}

#[test]
fn without_the_rollback_option_of_the_alarms_the_deployment_fails_in_place() {
    let mut world = in_alarm(false);
    let primary = world.service()["deployments"][0].clone();
    assert_eq!(primary["rolloutState"], "FAILED");
    assert!(text(&primary["taskDefinition"]).ends_with("/web:2"));

    let ended = described(&mut world, 0);
    assert_eq!(
        (&ended["status"], &ended["alarms"]["status"]),
        (&json!("STOPPED"), &json!("TRIGGERED"))
    );
    assert!(ended.get("rollback").is_none());
}

#[test]
fn no_alarm_is_watched_when_one_is_in_alarm_as_a_deployment_begins() {
    let mut world = with_alarms(true);
    set_alarm(&mut world.aws, "web-latency", "ALARM");
    deploy(&mut world, "nginx:2");
    world.run(20, |_| {});
    set_alarm(&mut world.aws, ALARM, "ALARM");
    world.run(300, |_| {});

    let ended = described(&mut world, 0);
    assert_eq!(ended["status"], "SUCCESSFUL");
    assert_eq!(ended["alarms"], json!({"status": "DISABLED"}));
}

#[test]
fn an_alarm_after_the_bake_time_fails_nothing() {
    let mut world = with_alarms(true);
    deploy(&mut world, "nginx:2");
    world.run(900, |_| {});
    assert_eq!(statuses(&mut world)[0], "SUCCESSFUL");

    set_alarm(&mut world.aws, ALARM, "ALARM");
    world.run(60, |_| {});
    let ended = described(&mut world, 0);
    assert_eq!(
        (&ended["status"], &ended["alarms"]["status"]),
        (&json!("SUCCESSFUL"), &json!("MONITORING_COMPLETE"))
    );
}
