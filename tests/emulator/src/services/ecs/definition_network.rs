//! What RegisterTaskDefinition refuses because of the network mode, and ports that no two mappings
//! of a task can have.

use serde_json::{Map, Value};

use crate::ApiError;

use super::client_error;
use super::definition_rules::{list, name};
use super::input::CheckedInput;

/// Members that a task with a network interface of its own cannot have, as ECS begins to name them.
const NOT_IN_AWSVPC: [(&str, &str); 5] = [
    ("disableNetworking", "Disable Networking is"),
    ("dnsSearchDomains", "DNS search domains are"),
    ("dnsServers", "DNS servers are"),
    ("extraHosts", "Extra hosts are"),
    ("hostname", "hostname is"),
];

/// The compatibility of Amazon ECS Managed Instances.
pub(super) const MANAGED: &str = "MANAGED_INSTANCES";

/// First and last port, and the protocol.
type Ports<'a> = (i64, i64, &'a str);

pub(super) fn check(input: &CheckedInput) -> Result<(), ApiError> {
    let mode = network_mode(input.0);
    let containers = input.list("containerDefinitions");

    for container in containers {
        check_members(mode, container)?;
        check_controls(input, mode, container)?;
        check_ranges(mode, container)?;
    }
    check_names(containers)?;
    check_host_ports(mode, containers)
}

/// The network mode of a definition. Without one tasks are on the bridge of their instance, and on
/// managed instances they have an interface of their own.
pub(super) fn network_mode(members: &Map<String, Value>) -> &str {
    let required = members.get("requiresCompatibilities");
    let is_managed = required
        .and_then(Value::as_array)
        .is_some_and(|required| required.iter().any(|one| one == MANAGED));
    let stated = members.get("networkMode").and_then(Value::as_str);
    let absent = if is_managed { "awsvpc" } else { "bridge" };
    stated.filter(|mode| !mode.is_empty()).unwrap_or(absent)
}

/// What is of the host cannot be set for a container.
fn check_controls(input: &CheckedInput, mode: &str, container: &Value) -> Result<(), ApiError> {
    let controls = list(container, "systemControls");
    let names = || controls.iter().filter_map(|it| it["namespace"].as_str());
    let is_of_network = |name: &str| name.starts_with("net.");
    let is_of_ipc = |name: &str| name.starts_with("kernel.") || name.starts_with("fs.mqueue.");

    let refused = if mode == "host" && names().any(is_of_network) {
        "networkMode=host"
    } else if input.text("ipcMode") == Some("host") && names().any(is_of_ipc) {
        "ipcMode=host"
    } else {
        return Ok(());
    };
    Err(client_error(format!(
        "System controls of this namespace are not supported when {refused}."
    )))
}

fn check_members(mode: &str, container: &Value) -> Result<(), ApiError> {
    if mode != "bridge" && !list(container, "links").is_empty() {
        return Err(client_error(format!(
            "Links are not supported when networkMode={mode}."
        )));
    }
    if mode == "none" && !list(container, "portMappings").is_empty() {
        return Err(client_error(
            "Port mappings are not supported when networkMode=none.",
        ));
    }

    let refused = NOT_IN_AWSVPC
        .iter()
        .find(|(member, _)| mode == "awsvpc" && is_set(&container[*member]));
    refused.map_or(Ok(()), |(_, what)| {
        Err(client_error(format!(
            "{what} not supported on container when networkMode=awsvpc."
        )))
    })
}

fn is_set(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => *flag,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    }
}

fn check_ranges(mode: &str, container: &Value) -> Result<(), ApiError> {
    let mappings = list(container, "portMappings");
    for mapping in mappings
        .iter()
        .filter(|it| it["containerPortRange"].is_string())
    {
        if !mapping["containerPort"].is_null() || !mapping["hostPort"].is_null() {
            return Err(client_error(format!(
                "Container '{}' cannot specify both single port and port range.",
                name(container)
            )));
        }
        let is_range = inside(mapping)
            .is_some_and(|(first, last, _)| 1 <= first && first < last && last <= 65535);
        if !is_range {
            return Err(client_error(format!(
                "Invalid 'containerPortRange' setting for container '{}'.",
                name(container)
            )));
        }
        if !["awsvpc", "bridge"].contains(&mode) {
            return Err(client_error(format!(
                "containerPortRange is not supported when networkMode={mode}."
            )));
        }
    }

    let all: Vec<Ports> = mappings.iter().filter_map(inside).collect();
    for (at, ports) in all.iter().enumerate() {
        let other = all[..at].iter().find(|other| overlap(other, ports));
        if other.is_some_and(|other| other.0 < other.1 || ports.0 < ports.1) {
            return Err(client_error(
                "container port is used multiple times in task.",
            ));
        }
    }
    Ok(())
}

fn check_names(containers: &[Value]) -> Result<(), ApiError> {
    let mappings = containers.iter().flat_map(|it| list(it, "portMappings"));
    let names: Vec<&str> = mappings.filter_map(|it| it["name"].as_str()).collect();

    for (at, name) in names.iter().enumerate() {
        if names[..at].contains(name) {
            return Err(client_error(format!(
                "port mapping name is already used: '{name}'."
            )));
        }
    }
    Ok(())
}

/// Two containers cannot both have a port of the instance, or of the interface of their task.
fn check_host_ports(mode: &str, containers: &[Value]) -> Result<(), ApiError> {
    let has_own_ports = ["awsvpc", "host"].contains(&mode);
    let mappings = containers.iter().flat_map(|it| list(it, "portMappings"));
    let held: Vec<Ports> = mappings
        .filter_map(|mapping| {
            let protocol = protocol(mapping);
            match mapping["hostPort"].as_i64() {
                Some(port) if port > 0 => Some((port, port, protocol)),
                _ if has_own_ports => inside(mapping),
                _ => None,
            }
        })
        .collect();

    for (at, ports) in held.iter().enumerate() {
        if held[..at].iter().any(|other| overlap(other, ports)) {
            let (first, _, protocol) = ports;
            return Err(client_error(format!(
                "{} host port '{first}' is mapped multiple times in task.",
                protocol.to_uppercase()
            )));
        }
    }
    Ok(())
}

/// The protocol of a mapping: what is not `udp` is taken as `tcp`.
pub(super) fn protocol(mapping: &Value) -> &'static str {
    if mapping["protocol"] == "udp" {
        "udp"
    } else {
        "tcp"
    }
}

/// The ports of a mapping in its container; none if they are not ports.
fn inside(mapping: &Value) -> Option<Ports<'_>> {
    let protocol = protocol(mapping);
    let Some(range) = mapping["containerPortRange"].as_str() else {
        let port = mapping["containerPort"].as_i64()?;
        return Some((port, port, protocol));
    };
    let (first, last) = range.split_once('-')?;
    Some((first.parse().ok()?, last.parse().ok()?, protocol))
}

fn overlap(a: &Ports, b: &Ports) -> bool {
    a.2 == b.2 && a.0 <= b.1 && b.0 <= a.1
}
