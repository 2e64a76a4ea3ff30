//! Why tasks stopped.

use serde_json::{Value, json};

use super::script::{Answer, Script, answer, run};
use super::services::{ARN, NEW, OLD};
use crate::aws::Services;

fn task(definition: &str, stopped: &str, containers: Value) -> Value {
    json!({"taskDefinitionArn": definition, "stoppedReason": stopped, "containers": containers})
}

fn reasons(answers: impl IntoIterator<Item = Answer>) -> (Vec<String>, Script) {
    let script = Script::new(answers);
    let reasons =
        run(Services::new(&script.sdk()).stop_reasons("apps", ARN, NEW)).expect("answered");
    assert!(script.is_played());
    (reasons, script)
}

#[test]
fn stop_reasons_are_those_of_the_new_tasks_in_the_words_of_ecs() {
    let exited =
        json!([{"name": "web", "exitCode": 1}, {"name": "log", "exitCode": 0}, {"name": "init"}]);
    let killed = json!([{"name": "web", "reason": "OutOfMemoryError", "exitCode": 137}]);
    let stopped = json!([{"name": "web", "exitCode": 143}]);
    let tasks = json!({"tasks": [
        task(OLD, "an old task", json!([])),
        task(NEW, "Essential container in task exited", exited.clone()),
        task(NEW, "Essential container in task exited", exited),
        task(NEW, "Scaling activity initiated by deployment ecs-svc/2", stopped),
        task(NEW, "Essential container in task exited", killed),
    ]});
    let (reasons, script) = reasons([answer(&json!({"taskArns": ["a", "b"]})), answer(&tasks)]);

    assert_eq!(
        reasons,
        [
            "Essential container in task exited; web exited with 1",
            "Essential container in task exited; web: OutOfMemoryError"
        ]
    );

    let sent = script.sent();
    assert_eq!(script.operations(), ["ListTasks", "DescribeTasks"]);
    assert_eq!(
        sent[0].json(),
        json!({
            "cluster": "apps", "serviceName": "web",
            "desiredStatus": "STOPPED", "maxResults": 100,
        })
    );
    assert_eq!(
        sent[1].json(),
        json!({"cluster": "apps", "tasks": ["a", "b"]})
    );
}

#[test]
fn stop_reasons_on_a_later_page_are_found() {
    let second = json!({"tasks": [task(NEW, "CannotPullContainerError", json!([]))]});
    let (reasons, script) = reasons([
        answer(&json!({"taskArns": [], "nextToken": "page-2"})),
        answer(&json!({"taskArns": ["c"]})),
        answer(&second),
    ]);

    assert_eq!(reasons, ["CannotPullContainerError"]);
    assert_eq!(script.sent()[1].json()["nextToken"], "page-2");
}

#[test]
fn ten_stop_reasons_are_enough() {
    let tasks: Vec<Value> = (1..=12)
        .map(|number| task(NEW, &format!("reason {number}"), json!([])))
        .collect();
    let page = answer(&json!({"taskArns": ["a"], "nextToken": "page-2"}));
    let (reasons, _) = reasons([page, answer(&json!({ "tasks": tasks }))]);
    assert_eq!((reasons.len(), reasons[9].as_str()), (10, "reason 10"));
}

#[test]
fn a_task_that_stopped_without_a_word_explains_nothing() {
    let tasks = json!({"tasks": [
        {"taskDefinitionArn": NEW, "containers": [{"name": "web", "exitCode": 0}]},
    ]});
    let (reasons, _) = reasons([answer(&json!({"taskArns": ["a"]})), answer(&tasks)]);
    assert_eq!(reasons, Vec::<String>::new());
}
