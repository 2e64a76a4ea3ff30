use super::*;
use crate::observed::fixtures::{NEW, OLD, deployment, steady};

mod moving;

#[test]
fn only_the_arn_of_a_revision_names_what_a_service_runs() {
    assert_eq!(check_revision_arn(NEW), Ok(()));

    for text in [
        "",
        "web:2",
        "web",
        "arn:aws:ecs:eu-west-1:111122223333:task-definition/web",
        "arn:aws:ecs:eu-west-1:111122223333:service/web:2",
        "arn:aws:ecs:Ireland:111122223333:task-definition/web:2",
        "arn:aws:ecs:eu-west-1:1111:task-definition/web:2",
    ] {
        assert!(check_revision_arn(text).is_err(), "{text} was taken");
    }
}

type Spoil = fn(&mut ServiceView);

#[test]
fn completed_is_not_the_whole_truth() {
    assert_eq!(steady(NEW).missing(NEW, 2), Vec::<String>::new());

    let cases: Vec<(&str, Spoil)> = vec![
        ("runs web:1", |v| {
            v.deployments[0].task_definition = OLD.to_owned()
        }),
        ("not completed", |v| {
            v.deployments[0].rollout = Rollout::InProgress
        }),
        ("1 of 2 tasks running", |v| v.running = 1),
        ("desired count is 0, expected 2 or more", |v| {
            v.desired = 0;
            v.running = 0
        }),
        ("1 of 2 targets healthy in web", |v| {
            v.target_groups[0].healthy = 1
        }),
    ];

    for (expected, spoil) in cases {
        let mut view = steady(NEW);
        spoil(&mut view);
        let missing = view.missing(NEW, 2).join("; ");
        assert!(missing.contains(expected), "{missing} lacks {expected}");
    }
}

#[test]
fn a_revision_that_is_refused_is_quoted() {
    for text in [
        "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:latest",
        "arn:aws:ecs:eu-west-1:111122223333:task-definition/:2",
        "aws:ecs:eu-west-1:111122223333:task-definition/web:2",
    ] {
        let refusal = check_revision_arn(text).expect_err("not the ARN of a revision");
        assert!(
            refusal.contains(&format!("`task_definition` is `{text}`")),
            "{refusal}"
        );
        assert!(
            refusal.contains("arn:…:task-definition/<family>:<revision>"),
            "{refusal}"
        );
    }
}

#[test]
fn names_are_taken_out_of_arns() {
    assert_eq!((revision(NEW), family(NEW)), ("web:2", "web"));
    assert_eq!((revision("web:2"), family("web:2")), ("web:2", "web"));
    assert_eq!(steady(NEW).target_groups[0].name(), "web");

    let unnamed = TargetGroupView {
        arn: "web".to_owned(),
        healthy: 0,
        registered: 0,
        unreachable: 0,
        healthy_newcomers: 0,
    };
    assert_eq!(unnamed.name(), "web");
}

/// Changes of a steady service, each with what is missing afterwards.
fn missing_after() -> Vec<(&'static [&'static str], Spoil)> {
    vec![
        (&["the service has no PRIMARY deployment"], |v| {
            v.deployments.clear()
        }),
        (&["the PRIMARY deployment runs web:1"], |v| {
            v.deployments[0] = deployment("ecs-svc/1", OLD, true, Rollout::InProgress);
        }),
        (&["the rollout failed"], |v| {
            v.deployments[0].rollout = Rollout::Failed
        }),
        (&["2 of 2 tasks running, 1 pending"], |v| v.pending = 1),
        (&["3 of 2 tasks running"], |v| v.running = 3),
        (&[], |v| v.target_groups[0].healthy = 5),
        (&["desired count is 1, expected 2 or more"], |v| {
            v.desired = 1;
            v.running = 1;
            v.deployments[0].running = 1
        }),
        // A daemon service has as many tasks as instances, whatever count a release wants.
        (&[], |v| {
            v.desired = 1;
            v.running = 1;
            v.deployments[0].running = 1;
            v.scheduling = Scheduling::Daemon
        }),
        (
            &[
                "the rollout is not completed",
                "1 of 2 tasks running",
                "0 of 2 targets healthy in web",
            ],
            |v| {
                v.deployments[0].rollout = Rollout::InProgress;
                v.running = 1;
                v.target_groups[0].healthy = 0;
            },
        ),
        (&["1 of 2 targets healthy in admin"], |v| {
            let arn = "arn:…:targetgroup/admin/0123456789abcdef".to_owned();
            v.target_groups.push(TargetGroupView {
                arn,
                healthy: 1,
                registered: 2,
                unreachable: 0,
                healthy_newcomers: 0,
            });
        }),
    ]
}

#[test]
fn all_that_keeps_a_service_from_being_deployed_is_listed_by_value() {
    for (expected, spoil) in missing_after() {
        let mut view = steady(NEW);
        spoil(&mut view);
        assert_eq!(view.missing(NEW, 2), expected);
    }
}

#[test]
fn tasks_that_have_not_run_for_a_minute_are_not_deployed() {
    let missing = |proven: u32| {
        let mut view = steady(NEW);
        view.proven = proven;
        view.missing(NEW, 1)
    };

    assert_eq!(missing(1), ["1 of 2 tasks have run for 1m00s"]);
    assert_eq!(missing(2), [""; 0]);
}

/// What a service of eight tasks on these providers lacks, of which this many run, have run for a
/// minute, and are healthy.
fn missing_on(providers: &[&str], [running, proven, healthy]: [u32; 3]) -> Vec<String> {
    let mut view = steady(NEW);
    view.capacity_providers = providers.iter().map(|name| (*name).to_owned()).collect();
    view.desired = 8;
    view.running = running;
    view.pending = 8 - running;
    view.proven = proven;
    view.deployments[0].running = running;
    view.deployments[0].pending = 8 - running;
    view.target_groups[0].healthy = healthy;
    view.missing(NEW, 1)
}

#[test]
fn on_spot_three_of_four_tasks_are_enough_once_the_rollout_has_ended() {
    let spot = ["FARGATE", "FARGATE_SPOT"];
    assert_eq!(missing_on(&spot, [6, 6, 6]), [""; 0]);
    assert_eq!(missing_on(&spot, [8, 6, 7]), [""; 0]);

    let expected = ["7 of 8 tasks running, 1 pending"];
    assert_eq!(missing_on(&spot, [7, 5, 7]), expected);
    assert_eq!(missing_on(&["FARGATE"], [7, 7, 8]), expected);
    assert_eq!(
        missing_on(&spot, [8, 8, 5]),
        ["5 of 8 targets healthy in web"]
    );
    assert_eq!(
        missing_on(&spot, [8, 5, 8]),
        ["5 of 8 tasks have run for 1m00s"]
    );
}

#[test]
fn on_spot_a_rollout_that_goes_on_or_has_old_tasks_is_not_deployed() {
    let mut view = steady(NEW);
    view.capacity_providers = vec!["FARGATE_SPOT".to_owned()];
    view.running = 3;
    assert_eq!(view.missing(NEW, 1), ["3 of 2 tasks running"]);

    view.deployments[0].rollout = Rollout::InProgress;
    let expected = ["the rollout is not completed", "3 of 2 tasks running"];
    assert_eq!(view.missing(NEW, 1), expected);
}

#[test]
fn only_a_rollout_that_goes_on_bakes_whatever_the_age_of_its_tasks() {
    for (rollout, proven, bakes) in [
        (Rollout::InProgress, 2, true),
        (Rollout::InProgress, 0, true),
        (Rollout::Completed, 2, false),
        (Rollout::Completed, 0, false),
        (Rollout::Failed, 2, false),
    ] {
        let mut view = steady(NEW);
        view.deployment_alarms = true;
        view.deployments[0].rollout = rollout;
        view.proven = proven;
        assert_eq!(view.is_baking(NEW, 2), bakes, "{rollout:?}, {proven}");
    }
}

#[test]
fn the_texts_of_ecs_are_messages_and_the_reasons_of_deployments() {
    let mut view = steady(NEW);
    view.messages = vec!["an event".to_owned()];
    view.deployments[0].reason = "a reason".to_owned();

    assert_eq!(view.texts().collect::<Vec<_>>(), ["an event", "a reason"]);
}

#[test]
fn tasks_that_no_request_reaches_are_named() {
    let mut view = steady(NEW);
    view.target_groups[0].healthy = 1;
    assert!(!view.has_unreachable_tasks());

    view.target_groups[0].unreachable = 1;
    let health = "1 of 2 targets healthy in web, 1 in an Availability Zone that is not enabled for \
                  the load balancer";
    assert_eq!(view.missing(NEW, 2), [health]);
    assert_eq!(
        view.progress(NEW),
        format!("2 of 2 new tasks running, {health}")
    );
    assert!(view.has_unreachable_tasks());

    // Old tasks are healthy in place of new ones.
    view.target_groups[0].healthy = 2;
    assert_eq!(view.missing(NEW, 2), [health.replace("1 of 2", "2 of 2")]);

    view.deployments[0].running = 1;
    assert!(!view.has_unreachable_tasks(), "a task is being replaced");
}

#[test]
fn progress_counts_new_tasks_targets_and_failures() {
    let mut view = steady(OLD);
    assert_eq!(
        view.progress(NEW),
        "2 of 2 tasks running, 2 of 2 targets healthy in web"
    );

    let rolling = DeploymentView {
        running: 1,
        failed_tasks: 3,
        ..deployment("ecs-svc/2", NEW, true, Rollout::InProgress)
    };
    view.deployments.push(rolling);
    view.target_groups[0].registered = 4;
    let text = "1 of 2 new tasks running, 2 of 4 targets healthy in web, 3 failed to start";

    assert_eq!(view.progress(NEW), text);
}

#[test]
fn a_rollout_is_half_way_when_all_new_tasks_run_beside_all_old_ones() {
    let percent = |new, old, desired| {
        let mut view = steady(OLD);
        view.desired = desired;
        view.deployments[0].running = old;
        view.deployments.push(DeploymentView {
            running: new,
            ..deployment("ecs-svc/2", NEW, true, Rollout::InProgress)
        });
        view.percent(NEW)
    };

    assert_eq!(
        [
            percent(0, 2, 2),
            percent(1, 2, 2),
            percent(2, 2, 2),
            percent(2, 1, 2)
        ],
        [0, 25, 50, 75]
    );
    assert_eq!(
        [percent(2, 0, 2), percent(5, 7, 2), percent(0, 0, 0)],
        [99, 50, 0]
    );
}

/// `web:2` is PRIMARY with this many tasks beside `web:1`.
fn beside(rollout: Rollout, new: u32, old: u32) -> ServiceView {
    let mut view = steady(NEW);
    view.desired = 4;
    view.running = new + old;
    view.proven = new;
    view.target_groups[0].healthy = 4;
    view.deployments[0].rollout = rollout;
    view.deployments[0].running = new;
    view.deployments.push(DeploymentView {
        running: old,
        ..deployment("ecs-svc/0", OLD, false, Rollout::Completed)
    });
    view
}

#[test]
fn deployed_is_proven_by_the_counts_of_each_deployment() {
    // With early success criteria the rollout is COMPLETED while old tasks still serve.
    assert_eq!(
        beside(Rollout::Completed, 2, 2).missing(NEW, 1),
        ["2 of 4 tasks run web:2", "not stopped: 2 tasks of web:1"]
    );
    assert_eq!(beside(Rollout::Completed, 4, 0).missing(NEW, 1), [""; 0]);
}

#[test]
fn without_a_rollout_state_the_counts_decide() {
    let settled = beside(Rollout::Absent, 4, 0);
    assert_eq!(settled.missing(NEW, 1), [""; 0]);
    assert!(settled.is_completed(&settled.deployments[0]));

    let rolling = beside(Rollout::Absent, 3, 1);
    assert!(!rolling.is_completed(&rolling.deployments[0]));

    let stopping = beside(Rollout::Absent, 4, 1);
    assert!(!stopping.is_completed(&stopping.deployments[0]));

    let alone = beside(Rollout::Absent, 3, 0);
    assert!(!alone.is_completed(&alone.deployments[0]));
}

#[test]
fn a_service_that_is_rebalanced_takes_no_maximum_of_100_percent() {
    let planned = |maximum| Percentages {
        minimum_healthy: 50,
        maximum,
    };
    let mut view = steady(OLD);
    let checked =
        |view: &ServiceView, maximum| view.check_percentages(("apps", "web"), planned(maximum));
    assert_eq!(checked(&view, 100), Ok(()));

    view.rebalancing = true;
    assert_eq!(checked(&view, 101), Ok(()));
    assert!(!view.accepts(planned(100)) && view.accepts(planned(200)));

    let refusal = checked(&view, 100).expect_err("refused by ECS");
    for part in [
        "Availability Zone rebalancing of service `web` is ENABLED",
        "the planned maximum is 100 %; expected more than 100 %",
        "aws ecs update-service --cluster apps --service web \
         --availability-zone-rebalancing DISABLED",
    ] {
        assert!(refusal.contains(part), "{refusal}");
    }
}
