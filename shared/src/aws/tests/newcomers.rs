//! Tasks that came when the revision had proven itself, and what stopped before them.

use std::slice;

use aws_sdk_ecs::primitives::DateTime;
use aws_sdk_ecs::types::Task;
use serde_json::{Value, json};

use super::script::{NOW, Script, answer, run};
use super::services::{NEW, OLD, described, service, view};
use super::target_health::targets;
use crate::aws::Services;
use crate::aws::tasks::times;
use crate::limits::PAGES;

/// The newcomers of a service without target groups whose rollout has ended, one of whose two tasks
/// is young, and what was called. Stopped tasks come in these pages.
fn newcomers_of(pages: &[&[Value]]) -> (u32, Script) {
    let mut grown = service();
    grown["loadBalancers"] = json!([]);
    grown["deployments"] = json!([{
        "id": "ecs-svc/2", "status": "PRIMARY", "taskDefinition": NEW,
        "rolloutState": "COMPLETED",
        "desiredCount": 2, "runningCount": 1, "pendingCount": 1, "failedTasks": 0,
    }]);
    grown["desiredCount"] = json!(2);
    let tasks = [
        json!({
            "taskDefinitionArn": NEW, "lastStatus": "RUNNING",
            "createdAt": NOW - 300, "startedAt": NOW - 270,
        }),
        json!({"taskDefinitionArn": NEW, "lastStatus": "PENDING", "createdAt": NOW - 20}),
    ];
    let mut answers = vec![
        described(&grown),
        answer(&json!({"taskArns": ["task"]})),
        answer(&json!({"tasks": tasks})),
    ];
    for (number, page) in pages.iter().enumerate() {
        let mut listed = json!({"taskArns": ["stopped"]});
        if number + 1 < pages.len() {
            listed["nextToken"] = json!("more");
        }
        answers.push(answer(&listed));
        answers.push(answer(&json!({"tasks": page})));
    }

    let script = Script::new(answers);
    let found = run(Services::new(&script.sdk()).observe("apps", "web"))
        .expect("answered")
        .expect("there");
    assert_eq!(found.view.proven, 1);
    (found.view.newcomers, script)
}

#[test]
fn newcomers_are_counted_unless_one_may_have_taken_the_place_of_a_task_that_failed() {
    let stopped = |revision: &str, code: &str, secs: i64| {
        json!({
            "taskDefinitionArn": revision, "stopCode": code,
            "stoppedReason": "Scaling activity initiated by (deployment ecs-svc/2)",
            "stoppedAt": NOW - secs,
        })
    };
    let scaled = stopped(NEW, "ServiceSchedulerInitiated", 30);
    let exited = stopped(NEW, "EssentialContainerExited", 30);
    let long_ago = stopped(NEW, "EssentialContainerExited", 81);
    let old = stopped(OLD, "EssentialContainerExited", 30);

    let (newcomers, script) = newcomers_of(&[&[scaled.clone(), long_ago, old]]);
    assert_eq!(newcomers, 1);
    assert_eq!(
        script.operations(),
        [
            "DescribeServices",
            "ListTasks",
            "DescribeTasks",
            "ListTasks",
            "DescribeTasks"
        ]
    );
    assert_eq!(
        script.sent()[3].json(),
        json!({
            "cluster": "apps", "serviceName": "web",
            "desiredStatus": "STOPPED", "maxResults": 100,
        })
    );

    // A failure on a later page is found, and none is looked for after it.
    let scaled = slice::from_ref(&scaled);
    let pages: [&[Value]; 3] = [scaled, &[exited], scaled];
    let (newcomers, script) = newcomers_of(&pages);
    assert_eq!(newcomers, 0);
    assert_eq!(script.operations().len(), 7);
    assert!(!script.is_played());
}

#[test]
fn no_task_is_a_newcomer_while_not_all_that_stopped_are_read() {
    let scaled = json!({
        "taskDefinitionArn": NEW, "stopCode": "ServiceSchedulerInitiated",
        "stoppedReason": "Scaling activity initiated by (deployment ecs-svc/2)",
        "stoppedAt": NOW - 30,
    });
    let (newcomers, script) = newcomers_of(&[slice::from_ref(&scaled); PAGES + 1]);
    assert_eq!(newcomers, 0);
    assert!(!script.is_played());
}

/// What a service of two tasks lacks, by the health of their targets. The second is a newcomer.
fn missing(states: [&str; 2]) -> Vec<String> {
    let mut grown = service();
    grown["deployments"] = json!([{
        "id": "ecs-svc/2", "status": "PRIMARY", "taskDefinition": NEW,
        "rolloutState": "COMPLETED",
        "desiredCount": 2, "runningCount": 2, "pendingCount": 0, "failedTasks": 0,
    }]);
    grown["desiredCount"] = json!(2);
    grown["runningCount"] = json!(2);
    grown["pendingCount"] = json!(0);
    let task = |number: u32, created: i64, started: i64| {
        let address = format!("10.0.0.{number}");
        json!({
            "taskDefinitionArn": NEW, "lastStatus": "RUNNING",
            "createdAt": NOW - created, "startedAt": NOW - started,
            "containers": [{"networkInterfaces": [{"privateIpv4Address": address}]}],
        })
    };

    let script = Script::new([
        described(&grown),
        targets(&states),
        answer(&json!({"taskArns": ["settled", "newcomer"]})),
        answer(&json!({"tasks": [task(0, 300, 270), task(1, 20, 10)]})),
        answer(&json!({"taskArns": []})),
    ]);
    let found = run(Services::new(&script.sdk()).observe("apps", "web"))
        .expect("answered")
        .expect("there");
    assert_eq!((found.view.proven, found.view.newcomers), (1, 1));
    found.view.missing(NEW, 1)
}

#[test]
fn a_healthy_newcomer_does_not_prove_that_the_others_have_traffic() {
    assert_eq!(missing(["healthy", "healthy"]), [""; 0]);
    assert_eq!(missing(["healthy", "initial"]), [""; 0]);
    let expected = "1 of 2 targets healthy in web";
    assert_eq!(missing(["unhealthy", "healthy"]), [expected]);
}

#[test]
fn tasks_that_start_or_run_are_there_and_those_that_stop_are_not() {
    let count = |status: &str, started: Option<i64>| {
        let task = Task::builder()
            .task_definition_arn(NEW)
            .last_status(status)
            .set_started_at(started.map(DateTime::from_secs));
        times(&[task.build()], &view()).len()
    };

    for status in ["PROVISIONING", "PENDING", "ACTIVATING"] {
        assert_eq!(count(status, None), 1, "{status}");
        assert_eq!(count(status, Some(NOW)), 0, "{status}: it ran before");
    }
    assert_eq!(count("RUNNING", Some(NOW)), 1);
    for status in ["DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED"] {
        assert_eq!(count(status, None), 0, "{status}");
    }
}
