//! Tasks that came when the revision had proven itself, and what stopped before them.

use std::slice;

use aws_sdk_ecs::primitives::DateTime;
use aws_sdk_ecs::types::Task;
use serde_json::{Value, json};

use super::script::{NOW, Script, answer, run};
use super::services::{NEW, OLD, described, service, view};
use crate::aws::Services;
use crate::aws::tasks::times;

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
