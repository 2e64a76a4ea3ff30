//! Tests of the conversion, by subject, and what they share: a container `web` as Docker prints it,
//! and definitions that run.

mod files;
mod kernel;
mod merge;
mod mounts;
mod nerdctl;
mod network;
mod places;
mod process;
mod references;
mod refused;
mod resources;
mod rights;
mod size;
mod words;

use serde_json::{Value, json};

use crate::task_definition::{BaseFile, TaskDefinition};

/// What runs on an instance, on the bridge.
fn on_instances() -> TaskDefinition {
    running(json!({"family": "web", "containerDefinitions": [
        {"name": "web", "image": "web:1", "memory": 128},
    ]}))
}

/// What runs on Fargate.
fn on_fargate() -> TaskDefinition {
    running(json!({
        "family": "web", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
        "cpu": "256", "memory": "512",
        "containerDefinitions": [{"name": "web", "image": "web:1"}],
    }))
}

fn running(value: Value) -> TaskDefinition {
    TaskDefinition::from_value(value).expect("a task definition")
}

/// The same definition with these members.
fn with(definition: &TaskDefinition, members: &Value) -> TaskDefinition {
    let mut value: Value = serde_json::from_str(&definition.text()).expect("JSON");
    let all = value.as_object_mut().expect("an object");
    all.extend(members.as_object().expect("an object").clone());
    running(value)
}

/// The platform of a definition for Windows.
fn of_windows() -> Value {
    json!({"runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}})
}

/// A container `web` with these members of `Config` and `HostConfig`.
fn container(config: Value, host: Value) -> Value {
    let mut config = config;
    config["Image"] = json!("web:2");
    json!({"Id": "26cda334329b4ba5", "Name": "/web", "Config": config, "HostConfig": host})
}

fn parse(file: &Value, running: &TaskDefinition) -> BaseFile {
    BaseFile::parse(file.to_string().as_bytes(), running).expect("it converts")
}

fn containers(file: &BaseFile) -> Vec<Value> {
    file.definition.containers().cloned().collect()
}

fn listed(file: &BaseFile) -> Vec<String> {
    file.left_out.iter().map(ToString::to_string).collect()
}

/// The container `web` on an instance without name, image and memory, and what is listed.
fn on_bridge(config: Value, host: Value) -> (Value, Vec<String>) {
    on(&on_instances(), config, host)
}

fn on(running: &TaskDefinition, config: Value, host: Value) -> (Value, Vec<String>) {
    let file = parse(&container(config, host), running);
    let [mut web] = <[Value; 1]>::try_from(containers(&file)).expect("one container");
    assert_eq!(
        (&web["name"], &web["image"]),
        (&json!("web"), &json!("web:2"))
    );

    let members = web.as_object_mut().expect("an object");
    members.retain(|name, value| {
        !(["name", "image"].contains(&name.as_str()) || name == "memory" && *value == 128)
    });
    (web, listed(&file))
}

/// Checks for each row the members of the container that `Config` and `HostConfig` make on an
/// instance, and that nothing is listed.
fn check_rows(rows: &[(Value, Value, Value)]) {
    for (config, host, expected) in rows {
        let made = on_bridge(config.clone(), host.clone());
        assert_eq!(made, (expected.clone(), Vec::new()), "{config} {host}");
    }
}

/// Checks for each row that the container has nothing of `Config` and `HostConfig`, and what is
/// listed instead.
fn check_listed(rows: &[(Value, Value, &[&str])]) {
    for (config, host, expected) in rows {
        let (made, listed) = on_bridge(config.clone(), host.clone());
        assert_eq!(made, json!({}), "{config} {host}");
        assert_eq!(listed, *expected, "{config} {host}");
    }
}
