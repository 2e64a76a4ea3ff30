//! What a one-off task takes from its task definition.

use serde_json::{Value, json};

use super::{TaskDefinition, definition};

const TASK: &str = "arn:aws:ecs:eu-west-1:111122223333:task/apps/0f";

fn with_logs(driver: &str, options: Value) -> TaskDefinition {
    definition(json!({
        "family": "web",
        "containerDefinitions": [
            {
                "name": "web", "image": "web:1",
                "logConfiguration": {"logDriver": driver, "options": options},
            },
            {
                "name": "proxy", "image": "proxy:1", "essential": false,
                "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "p"}},
            },
        ],
    }))
}

#[test]
fn a_container_is_essential_unless_it_is_marked_as_not() {
    let marked = with_logs("awslogs", json!({}));
    assert!(marked.essential_containers().eq(["web"]));
    let both = definition(json!({
        "family": "web",
        "containerDefinitions": [
            {"name": "a", "image": "a:1", "essential": true},
            {"name": "b", "image": "b:1"},
        ],
    }));
    assert!(both.essential_containers().eq(["a", "b"]));
}

#[test]
fn essential_containers_log_to_a_stream_with_the_id_of_the_task() {
    let logs = |driver: &str, options: Value| with_logs(driver, options).logs_of(TASK);
    let group = json!({"awslogs-group": "/ecs/web"});
    let stream = json!({"awslogs-group": "/ecs/web", "awslogs-stream-prefix": "app"});

    assert_eq!(
        logs("awslogs", stream.clone()),
        ["log group /ecs/web, stream app/web/0f"]
    );
    assert_eq!(logs("awslogs", group), ["log group /ecs/web"]);
    assert_eq!(logs("awslogs", json!({})), [""; 0]);
    assert_eq!(logs("splunk", stream), [""; 0]);
}

#[test]
fn the_secrets_of_an_overriding_command_are_redacted() {
    let words = ["migrate", "--password", "hunter2-hunter2"].map(ToOwned::to_owned);
    let text = "exec hunter2-hunter2: not found";
    let plain = with_logs("awslogs", json!({}));
    assert_eq!(plain.redacted(text), text);

    let with_command = plain.clone().with_command("web", &words);
    assert!(!with_command.redacted(text).contains("hunter2"));
    let of_other = plain
        .with_command("proxy", &[])
        .with_command("none", &words);
    assert_eq!(of_other.redacted(text), text);
}
