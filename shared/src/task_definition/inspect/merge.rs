//! Container definitions in the place of those of the running definition.
//!
//! Never changes what belongs to the task, and never drops what Docker has no word for: secrets,
//! dependencies and the like stay as the container of the same name has them.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::super::definition::TaskDefinition;
use super::draft::{Draft, is_empty};
use super::left_out::LeftOut;
use super::mount::place_of;
use super::volumes::Volumes;
use super::{ports, references, size};
use crate::limits::UNLIMITED_MEMORY_MIB;

/// Members that Docker has no word for.
const KEPT: [&str; 8] = [
    "credentialSpecs",
    "dependsOn",
    "environmentFiles",
    "firelensConfiguration",
    "repositoryCredentials",
    "secrets",
    "startTimeout",
    "versionConsistency",
];

/// Members that stay if the file leaves them to Docker.
const KEPT_UNLESS_SET: [&str; 5] = [
    "cpu",
    "healthCheck",
    "logConfiguration",
    "resourceRequirements",
    "stopTimeout",
];

/// Drivers that write to the machine, each of which is the default of some daemons: `journald` is
/// that of Podman, and of Docker on some distributions.
const OF_DAEMONS: [&str; 2] = ["journald", "json-file"];

const LOG_PREFIX: &str = "awslogs-stream-prefix";

const MEMORY: [&str; 2] = ["memory", "memoryReservation"];

pub(super) fn merge(
    running: &TaskDefinition,
    mut drafts: Vec<Draft>,
    volumes: Volumes,
) -> Result<(TaskDefinition, Vec<LeftOut>), String> {
    let mut members = running.0.clone();
    let names: Vec<String> = drafts.iter().map(|draft| draft.name.clone()).collect();
    let has_memory = members
        .get("memory")
        .is_some_and(|memory| !is_empty(memory));

    let others = others(&members);
    for draft in &mut drafts {
        let before = running
            .containers()
            .find(|before| before["name"] == draft.name.as_str());
        if let Some(before) = before {
            keep(before, draft);
            mount_others(before, &others, draft);
        }
        if !has_memory {
            reserve(draft);
        }
    }

    let of_task = references::prune_references(&mut members, &mut drafts);
    size::fit(&members, &mut drafts);
    ports::share(&mut drafts);
    share_namespaces(&mut members, &mut drafts);
    let containers: Vec<Value> = drafts.iter().map(Draft::container).collect();
    members.insert("containerDefinitions".to_owned(), Value::Array(containers));

    let mut left_out = removed(running, &names);
    left_out.extend(of_task);
    left_out.extend(drafts.into_iter().flat_map(|it| it.left_out));
    left_out.extend(add_volumes(&mut members, volumes));
    let definition = TaskDefinition::from_value(Value::Object(members))?;
    Ok((definition, left_out))
}

/// The running containers that the file does not have.
fn removed(running: &TaskDefinition, names: &[String]) -> Vec<LeftOut> {
    let all = running.containers().filter_map(|it| it["name"].as_str());
    all.filter(|name| names.iter().all(|it| it != name))
        .map(|name| LeftOut {
            field: format!("containerDefinitions.{name}"),
            value: "a container".to_owned(),
            reason: "it is not in the file: it is removed".to_owned(),
        })
        .collect()
}

/// Takes from the running container what the file cannot have, or does not have.
fn keep(before: &Value, draft: &mut Draft) {
    let set = |member: &str| before.get(member).filter(|value| !is_empty(value)).cloned();

    for member in KEPT {
        if let Some(value) = set(member) {
            draft.set(member, value);
        }
    }
    for member in KEPT_UNLESS_SET {
        let value = set(member).filter(|value| *value != 0 && draft.get(member).is_none());
        if let Some(value) = value {
            draft.set(member, value);
        }
    }
    if MEMORY.iter().all(|member| draft.get(member).is_none()) {
        for member in MEMORY {
            if let Some(value) = set(member) {
                draft.set(member, value);
            }
        }
    }
    if before.get("essential") == Some(&Value::Bool(false)) {
        draft.set("essential", json!(false));
    }

    prefer_log(before, draft);
    keep_log_prefix(before, draft);
    ports::name(list(before, "portMappings"), draft);
    prefer_secrets(before, draft);
}

fn list<'a>(container: &'a Value, member: &str) -> &'a [Value] {
    let list = container.get(member).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

/// Keeps where the output goes, if what the file has can be the default of a daemon.
fn prefer_log(before: &Value, draft: &mut Draft) {
    let kept = before
        .get("logConfiguration")
        .filter(|kept| !is_empty(kept));
    let (Some(kept), Some(given)) = (kept, draft.get("logConfiguration")) else {
        return;
    };

    let driver = given["logDriver"].as_str().unwrap_or_default().to_owned();
    if OF_DAEMONS.contains(&driver.as_str()) && given != kept {
        let options = given["options"].as_object().map_or(0, Map::len);
        let field = format!("{}.HostConfig.LogConfig.Type", draft.name);
        let reason = "it can be the daemon's default; the running definition decides";
        draft.leave(field, format!("{driver}, options: {options}"), reason);
        draft.set("logConfiguration", kept.clone());
    }
}

/// Keeps the beginning of the names of log streams, for which Docker has no option: the ECS agent
/// makes `awslogs-stream` of it.
fn keep_log_prefix(before: &Value, draft: &mut Draft) {
    let log = &before["logConfiguration"];
    let Some(prefix) = log["options"].get(LOG_PREFIX) else {
        return;
    };

    let given = draft.get_mut("logConfiguration");
    let of_awslogs = given.filter(|given| given["logDriver"] == "awslogs");
    let options = of_awslogs.and_then(|given| given.get_mut("options")?.as_object_mut());
    if let Some(options) = options {
        options.entry(LOG_PREFIX).or_insert_with(|| prefix.clone());
    }
}

/// The volumes of the running definition that only ECS has, such as file systems of EFS.
fn others(members: &Map<String, Value>) -> BTreeSet<String> {
    let volumes = members.get("volumes").and_then(Value::as_array);
    let is_other = |volume: &&Value| {
        !volume["host"].is_object() && !volume["dockerVolumeConfiguration"].is_object()
    };
    let others = volumes.into_iter().flatten().filter(is_other);
    others
        .filter_map(|volume| volume["name"].as_str().map(ToOwned::to_owned))
        .collect()
}

/// Mounts these volumes as the running container does, where the file mounts nothing.
fn mount_others(before: &Value, others: &BTreeSet<String>, draft: &mut Draft) {
    let place = |point: &Value| {
        let path = point["containerPath"].as_str().unwrap_or_default();
        place_of(path, draft.place.is_windows)
    };
    let given = |member: &str| draft.get(member).and_then(Value::as_array).cloned();
    let mut points = given("mountPoints").unwrap_or_default();
    let in_memory = given("tmpfs").unwrap_or_default();
    let mut taken: BTreeSet<String> = points.iter().chain(&in_memory).map(place).collect();

    for point in list(before, "mountPoints") {
        let volume = point["sourceVolume"].as_str().unwrap_or_default();
        if others.contains(volume) && taken.insert(place(point)) {
            points.push(point.clone());
        }
    }
    draft.put("mountPoints", points, "", "");
}

/// Removes the variables that the task takes from a secret: ECS refuses one that is given twice.
fn prefer_secrets(before: &Value, draft: &mut Draft) {
    let secrets: Vec<&str> = list(before, "secrets")
        .iter()
        .filter_map(|secret| secret["name"].as_str())
        .collect();
    let Some(Value::Array(variables)) = draft.get_mut("environment") else {
        return;
    };

    let mut removed = Vec::new();
    variables.retain(|variable| {
        let name = variable["name"].as_str().unwrap_or_default();
        let is_secret = secrets.contains(&name);
        removed.extend(is_secret.then(|| name.to_owned()));
        !is_secret
    });
    for name in removed {
        let field = format!("{}.Config.Env.{name}", draft.name);
        draft.leave(
            field,
            "a text",
            "the running definition takes it from a secret",
        );
    }
}

/// Memory for a container without a limit: on an instance ECS needs a number.
fn reserve(draft: &mut Draft) {
    if MEMORY.iter().all(|member| draft.get(member).is_none()) {
        draft.set("memoryReservation", json!(UNLIMITED_MEMORY_MIB));
        let field = format!("{}.HostConfig.Memory", draft.name);
        let reason = format!("ECS needs a number; {UNLIMITED_MEMORY_MIB} MiB are reserved");
        draft.leave(field, "0", reason);
    }
}

/// The namespaces of the host, if every container has them and the running definition leaves it
/// open.
fn share_namespaces(members: &mut Map<String, Value>, drafts: &mut [Draft]) {
    for member in ["ipcMode", "pidMode"] {
        let running = members.get(member).filter(|mode| !is_empty(mode));
        let is_host = running.is_some_and(|mode| mode == "host");
        let is_open = running.is_none();
        let have_all = drafts
            .iter()
            .all(|draft| draft.of_task.contains_key(member));

        if is_open && have_all {
            members.insert(member.to_owned(), json!("host"));
        } else if !is_host {
            for draft in drafts.iter_mut() {
                if let Some(field) = draft.of_task.remove(member) {
                    let reason =
                        format!("ECS has it for the task; set `{member}` in the task definition");
                    draft.leave(field, "host", reason);
                }
            }
        }
    }
}

/// Adds the volumes. One of the running definition that is not a directory of the host stays.
fn add_volumes(members: &mut Map<String, Value>, volumes: Volumes) -> Vec<LeftOut> {
    let mut all: Vec<Value> = match members.get("volumes") {
        Some(Value::Array(all)) => all.clone(),
        _ => Vec::new(),
    };

    let mut left_out = Vec::new();
    for volume in volumes.definitions() {
        let held = all.iter().position(|held| held["name"] == volume["name"]);
        match held {
            None => all.push(volume),
            Some(at) if all[at]["host"].is_object() => all[at] = volume,
            Some(_) if volume["host"]["sourcePath"].is_string() => left_out.push(LeftOut {
                field: format!("volumes.{}", volume["name"].as_str().unwrap_or_default()),
                value: "a directory".to_owned(),
                reason: "the running definition has a volume of this name, which stays".to_owned(),
            }),
            Some(_) => {}
        }
    }

    if !all.is_empty() {
        members.insert("volumes".to_owned(), Value::Array(all));
    }
    left_out
}
