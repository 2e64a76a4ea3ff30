//! What runs in a container: `Config` and the policy for its end
//! (docs.docker.com/reference/api/engine, ContainerConfig and RestartPolicy).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::draft::Draft;
use super::fields::Fields;
use super::item::InspectedItem;
use super::left_out::shown;

/// Labels that a program writes about its own containers, by how they begin.
const OF_PROGRAMS: [(&str, &str); 10] = [
    ("com.amazonaws.ecs.", "the ECS agent writes them itself"),
    (
        "com.docker.compose.",
        "Docker Compose writes them for itself",
    ),
    ("com.docker.stack.", "Docker Swarm writes them for itself"),
    ("com.docker.swarm.", "Docker Swarm writes them for itself"),
    ("containerd.io/restart.", "nerdctl writes them for itself"),
    (
        "desktop.docker.io/",
        "Docker Desktop writes them for itself",
    ),
    (
        "io.containerd.image.config.",
        "nerdctl writes them for itself",
    ),
    ("io.podman.", "Podman writes them for itself"),
    ("nerdctl/", "nerdctl writes them for itself"),
    ("PODMAN_SYSTEMD_UNIT", "Podman writes it for systemd"),
];

/// Variables that the agent of ECS sets in every container that it starts
/// (docs.aws.amazon.com/AmazonECS/latest/developerguide: `task-metadata-endpoint`,
/// `task-scale-in-protection-endpoint` and `task-iam-roles`).
const OF_AGENT: [&str; 6] = [
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_EXECUTION_ENV",
    "ECS_AGENT_URI",
    "ECS_CONTAINER_METADATA_FILE",
    "ECS_CONTAINER_METADATA_URI",
    "ECS_CONTAINER_METADATA_URI_V4",
];

/// Fewest characters of an id from which a host name is made.
const ID_CHARS: usize = 12;

/// Shortest and longest time to stop on Fargate, in seconds (ECS API: ContainerDefinition,
/// `stopTimeout`).
const FARGATE_STOP_SECONDS: (u64, u64) = (2, 120);

/// Command, environment, labels, and what else belongs to the process.
pub(super) fn convert(
    config: &mut Fields,
    draft: &mut Draft,
    item: &InspectedItem,
) -> Result<(), String> {
    let at = |name: &str| config.at(name);
    let (user, tty) = (at("User"), at("Tty"));
    let (directory, stdin) = (at("WorkingDir"), at("OpenStdin"));

    words(config, draft, item)?;
    draft.put(
        "workingDirectory",
        config.text("WorkingDir")?,
        &directory,
        "a text",
    );
    let name = config.text("User")?;
    draft.put("user", name.as_str(), &user, &name);
    draft.put("pseudoTerminal", config.flag("Tty")?, &tty, "true");
    draft.put("interactive", config.flag("OpenStdin")?, &stdin, "true");

    environment(config, draft, item)?;
    labels(config, draft)?;
    hostname(config, draft, item)?;
    stop(config, draft);

    // Docker escapes the command on Windows only.
    let is_escaped = config.flag("ArgsEscaped")?;
    if is_escaped && draft.place.is_windows {
        let reason = "ECS passes the words of a command as they are";
        draft.leave(config.at("ArgsEscaped"), "true", reason);
    }
    Ok(())
}

/// Command and entry point. An empty list clears the entry point of the image, which ECS cannot:
/// the command in its place runs the same, because Docker joins both.
fn words(config: &mut Fields, draft: &mut Draft, item: &InspectedItem) -> Result<(), String> {
    let is_cleared = !item.is_image && config.has_empty_list("Entrypoint");
    let command = config.texts("Cmd")?;
    let mut entry_point = config.texts("Entrypoint")?;
    if is_cleared {
        draft.put("entryPoint", command, "", "");
        return Ok(());
    }

    // Podman before 5 prints the words of an entry point as one
    // (github.com/containers/podman/issues/13803).
    let started = item.started();
    if let Some(own) = started.strip_suffix(&command[..])
        && entry_point == [own.join(" ")]
    {
        entry_point = own.to_vec();
    }
    draft.put("command", command, "", "");
    draft.put("entryPoint", entry_point, "", "");
    Ok(())
}

/// The variables by their names. Of two with one name the last counts, as in Docker.
fn environment(config: &mut Fields, draft: &mut Draft, item: &InspectedItem) -> Result<(), String> {
    let mut variables = BTreeMap::new();
    for (at, variable) in config.texts("Env")?.into_iter().enumerate() {
        match variable.split_once('=') {
            Some((name, value)) if is_of_podman(name, value, item) => {}
            Some((name, _)) if item.is_of_ecs && OF_AGENT.contains(&name) => {}
            Some((name, value)) if !name.is_empty() => {
                variables.insert(name.to_owned(), value.to_owned());
            }
            _ => {
                let field = format!("{}[{at}]", config.at("Env"));
                draft.leave(field, "a text", "a variable of ECS has a name and a value");
            }
        }
    }

    let list: Vec<Value> = variables
        .iter()
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    draft.put("environment", list, "", "");
    Ok(())
}

/// Whether a variable is one that Podman sets in every container and prints with the others: its
/// own name, and the host name that it made of the id or that the machine has
/// (github.com/containers/podman, libpod/container_inspect.go and container_internal_linux.go).
fn is_of_podman(name: &str, value: &str, item: &InspectedItem) -> bool {
    let is_made = value.len() >= ID_CHARS && item.peer.id.starts_with(value);
    match name {
        "container" => value == "podman",
        "HOSTNAME" => is_made || item.is_in_network_of_host() && item.has_hostname(value),
        _ => false,
    }
}

fn labels(config: &mut Fields, draft: &mut Draft) -> Result<(), String> {
    let place = config.at("Labels");
    let mut labels = config.options("Labels")?;

    for (start, reason) in OF_PROGRAMS {
        let before = labels.len();
        labels.retain(|name, _| !name.starts_with(start));
        let removed = before - labels.len();
        if removed > 0 {
            draft.leave(
                format!("{place}.{start}*"),
                format!("labels: {removed}"),
                reason,
            );
        }
    }
    draft.put("dockerLabels", json!(labels), "", "");
    Ok(())
}

/// A host name that was given. The one that Docker makes is the beginning of the container's id, or
/// in the network of the machine the machine's own.
fn hostname(config: &mut Fields, draft: &mut Draft, item: &InspectedItem) -> Result<(), String> {
    let field = config.at("Hostname");
    let name = config.text("Hostname")?;
    let is_made = name.len() == 12 && name.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_made && !item.peer.id.starts_with(&name) {
        if let Some(reason) = item.shared_hostname() {
            draft.leave(field, name, reason);
            return Ok(());
        }
        draft.put("hostname", name.as_str(), &field, &name);
    }
    Ok(())
}

fn stop(config: &mut Fields, draft: &mut Draft) {
    let signal = config.at("StopSignal");
    let given = config.take("StopSignal");
    // Docker takes the number of a signal too, and prints it as it was given.
    let is_default = ["", "15", "SIGTERM"].contains(&given.as_str().unwrap_or_default());
    if !is_default || given.is_number() && given != 15 {
        let reason = "ECS sends the signal of the image's STOPSIGNAL";
        draft.leave(signal, given.as_str().unwrap_or("a number"), reason);
    }

    let field = config.at("StopTimeout");
    let given = config.take("StopTimeout");
    let Some(seconds) = given.as_u64() else {
        // Docker waits without an end if the time is negative.
        if !given.is_null() {
            draft.leave(field, shown(&given), "ECS ends a container after a time");
        }
        return;
    };

    let (least, most) = if draft.place.is_fargate {
        FARGATE_STOP_SECONDS
    } else {
        (0, u64::from(i32::MAX.unsigned_abs()))
    };
    let taken = seconds.clamp(least, most);
    if taken != seconds {
        let reason = format!("ECS takes {least} to {most} s; {taken} is set");
        draft.leave(field, seconds.to_string(), reason);
    }
    draft.set("stopTimeout", json!(taken));
}

/// `RestartPolicy`. ECS restarts a container that has run for some minutes, without an end.
pub(super) fn restarts(host: &mut Fields, draft: &mut Draft) -> Result<(), String> {
    let mut policy = host.object("RestartPolicy")?;
    let attempts = policy.count("MaximumRetryCount")?;
    let name = policy.text("Name")?;
    let field = policy.at("Name");

    let made = match name.as_str() {
        "" | "no" => Value::Null,
        "always" | "unless-stopped" => json!({"enabled": true}),
        "on-failure" => json!({"enabled": true, "ignoredExitCodes": [0]}),
        other => {
            return Err(format!(
                "`{field}` is `{other}`; expected no, always, unless-stopped or on-failure"
            ));
        }
    };
    draft.put("restartPolicy", made, &field, &name);

    if attempts > 0 {
        let field = policy.at("MaximumRetryCount");
        draft.leave(field, attempts.to_string(), "ECS does not count restarts");
    }
    draft.leave_rest(&mut policy);
    Ok(())
}
