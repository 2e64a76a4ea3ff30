//! How ECS describes a task definition: what was registered, plus what ECS fills in.

use serde_json::{Map, Value, json};

use crate::Aws;

use super::definition_network::protocol;
use super::definition_rules::{cpu_units, fits_fargate, mebibytes};
use super::definitions::TaskDefinition;

pub(super) fn view(definition: &TaskDefinition) -> Value {
    let mut view = Map::new();
    view.insert(
        "taskDefinitionArn".to_owned(),
        definition.arn.clone().into(),
    );
    view.extend(definition.json.clone());

    complete_containers(&mut view, definition.network_mode());
    complete_volumes(&mut view);
    in_units(&mut view, "cpu", cpu_units);
    in_units(&mut view, "memory", mebibytes);

    let mut add = |member: &str, value: Value| _ = view.entry(member).or_insert(value);
    add("enableFaultInjection", false.into());
    add("volumes", json!([]));
    add("placementConstraints", json!([]));
    add("revision", definition.revision.into());
    add(
        "status",
        if definition.active {
            "ACTIVE"
        } else {
            "INACTIVE"
        }
        .into(),
    );
    add("compatibilities", compatibilities(&definition.json));
    add("requiresAttributes", attributes(definition));
    add("registeredAt", Aws::seconds(definition.registered_at));
    add("registeredBy", definition.registered_by.as_str().into());

    if let Some(at) = definition.deregistered_at {
        add("deregisteredAt", Aws::seconds(at));
    }
    Value::Object(view)
}

/// A size of the task, which ECS returns as a plain number whatever unit it was given in.
fn in_units(view: &mut Map<String, Value>, member: &str, units: fn(&str) -> Option<u32>) {
    if let Some(size) = view.get_mut(member)
        && let Some(number) = size.as_str().and_then(units)
    {
        *size = number.to_string().into();
    }
}

/// Members that an object gets if it is there and does not have them.
fn add_defaults<const N: usize>(value: &mut Value, defaults: [(&str, Value); N]) {
    if let Some(members) = value.as_object_mut() {
        for (name, default) in defaults {
            members.entry(name).or_insert(default);
        }
    }
}

fn complete_containers(view: &mut Map<String, Value>, network_mode: &str) {
    if let Some(containers) = view
        .get_mut("containerDefinitions")
        .and_then(Value::as_array_mut)
    {
        containers
            .iter_mut()
            .for_each(|container| complete(container, network_mode));
    }
}

fn complete_volumes(view: &mut Map<String, Value>) {
    for volume in view
        .get_mut("volumes")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if let Some(efs) = volume.get_mut("efsVolumeConfiguration") {
            add_defaults(efs, [("rootDirectory", "/".into())]);
        }
    }
}

/// Fills in what ECS returns for members that the container did not give.
fn complete(container: &mut Value, network_mode: &str) {
    let Some(members) = container.as_object_mut() else {
        return;
    };

    members.entry("cpu").or_insert(0.into());
    members.entry("essential").or_insert(true.into());

    if let Some(check) = members.get_mut("healthCheck") {
        let defaults = [("interval", 30), ("timeout", 5), ("retries", 3)];
        add_defaults(
            check,
            defaults.map(|(name, default)| (name, default.into())),
        );
    }

    for list in [
        "portMappings",
        "environment",
        "mountPoints",
        "volumesFrom",
        "systemControls",
    ] {
        members.entry(list).or_insert(json!([]));
    }
    for mapping in members
        .get_mut("portMappings")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let Some(port) = mapping.get("containerPort").cloned() else {
            continue;
        };
        let protocol = protocol(mapping);
        let Some(mapping) = mapping.as_object_mut() else {
            continue;
        };
        let host_port = if network_mode == "bridge" {
            0.into()
        } else {
            port
        };
        mapping.entry("hostPort").or_insert(host_port);
        mapping.insert("protocol".to_owned(), protocol.into());
    }
}

fn compatibilities(json: &Map<String, Value>) -> Value {
    let text = |member: &str| json.get(member).and_then(Value::as_str).unwrap_or_default();
    let mut names = vec!["EC2"];
    match text("networkMode") {
        "awsvpc" if fits_fargate(text("cpu"), text("memory")) => names.push("FARGATE"),
        "awsvpc" => {}
        _ => names.insert(0, "EXTERNAL"),
    }
    names.into()
}

fn attributes(definition: &TaskDefinition) -> Value {
    let containers = definition
        .json
        .get("containerDefinitions")
        .and_then(Value::as_array);
    let containers = || containers.into_iter().flatten();

    let mut names = Vec::new();
    for container in containers() {
        let driver = container["logConfiguration"]["logDriver"].as_str();
        names.extend(
            driver.map(|driver| format!("com.amazonaws.ecs.capability.logging-driver.{driver}")),
        );
    }
    if containers().any(|container| {
        container["image"]
            .as_str()
            .is_some_and(|image| image.contains(".dkr.ecr."))
    }) {
        names.push("com.amazonaws.ecs.capability.ecr-auth".to_owned());
    }
    if definition.json.contains_key("taskRoleArn") {
        names.push("com.amazonaws.ecs.capability.task-iam-role".to_owned());
    }
    if definition.json.contains_key("executionRoleArn") {
        names.push("ecs.capability.execution-role-ecr-pull".to_owned());
    }
    if definition.network_mode() == "awsvpc" {
        names.push("ecs.capability.task-eni".to_owned());
    }

    names.push("com.amazonaws.ecs.capability.docker-remote-api.1.18".to_owned());
    names.sort();
    names.dedup();

    names
        .into_iter()
        .map(|name| json!({"name": name}))
        .collect()
}
