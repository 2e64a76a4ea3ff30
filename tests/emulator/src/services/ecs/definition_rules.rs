//! What RegisterTaskDefinition refuses, in ECS's words.

use serde_json::Value;

use crate::ApiError;

use super::input::CheckedInput;
use super::{
    client_error, definition_bounds, definition_details, definition_logs, definition_managed,
    definition_network, definition_references, definition_volumes, empty_members,
};

pub(super) fn check(input: &CheckedInput) -> Result<(), ApiError> {
    let family = input
        .text("family")
        .ok_or_else(|| client_error("Family should not be null or empty."))?;
    check_name("Family", family)?;
    let containers = input.list("containerDefinitions");
    if containers.is_empty() {
        return Err(client_error("Container list cannot be empty."));
    }

    for container in containers {
        check_container(input, container)?;
    }

    let names: Vec<&str> = containers.iter().map(name).collect();
    for (position, name) in names.iter().enumerate() {
        if names[..position].contains(name) {
            return Err(client_error(format!(
                "Container names must be unique within a task definition: '{name}'"
            )));
        }
    }

    if containers
        .iter()
        .all(|container| container["essential"] == false)
    {
        return Err(client_error(
            "TaskDefinition doesn't have any essential container",
        ));
    }

    definition_network::check(input)?;
    definition_references::check(containers)?;
    empty_members::check(input.0)?;
    check_secrets(input)?;
    definition_bounds::check(input)?;
    definition_volumes::check(input)?;
    definition_details::check(input)?;
    definition_logs::check(input)?;
    definition_managed::check(input)?;

    if input.texts("requiresCompatibilities").contains(&"FARGATE") {
        check_fargate(input)?;
        definition_logs::check_fargate(input)?;
        definition_details::check_fargate(input)
    } else {
        Ok(())
    }
}

pub(super) fn name(container: &Value) -> &str {
    container["name"].as_str().unwrap_or_default()
}

/// Refuses what is not a name of up to 255 letters, digits, hyphens and underscores.
pub(super) fn check_name(what: &str, name: &str) -> Result<(), ApiError> {
    let is_valid = name
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter));
    match (is_valid, name.len() <= 255) {
        (false, _) => Err(client_error(format!("{what} contains invalid characters."))),
        (_, false) => Err(client_error(format!(
            "{what} is too long; the maximum length is 255."
        ))),
        _ => Ok(()),
    }
}

fn check_container(input: &CheckedInput, container: &Value) -> Result<(), ApiError> {
    if name(container).is_empty() {
        return Err(client_error("Container.name should not be null or empty."));
    }

    check_name("Container.name", name(container))?;
    if container["image"].as_str().is_none_or(str::is_empty) {
        return Err(client_error("Container.image should not be null or empty."));
    }
    let image = container["image"].as_str().unwrap_or_default();
    if !is_image(image) {
        return Err(client_error("Container.image contains invalid characters."));
    }
    if image.len() > 255 {
        return Err(client_error(
            "Container.image should be 255 characters or less",
        ));
    }

    check_memory(input, container)?;
    let negative_cpu = container["cpu"].as_i64().is_some_and(|cpu| cpu < 0);
    if negative_cpu {
        return Err(client_error(format!(
            "Invalid 'cpu' setting for container '{}'.",
            name(container)
        )));
    }
    check_variables(container)?;

    list(container, "portMappings")
        .iter()
        .try_for_each(|mapping| check_ports(input, container, mapping))
}

fn check_variables(container: &Value) -> Result<(), ApiError> {
    let environment: Vec<&str> = list(container, "environment").iter().map(name).collect();
    let secrets: Vec<&str> = list(container, "secrets").iter().map(name).collect();
    if environment.contains(&"") || secrets.contains(&"") {
        return Err(client_error(
            "Environment variable name should not be null or empty.",
        ));
    }

    for (position, secret) in secrets.iter().enumerate() {
        if secrets[..position].contains(secret) {
            return Err(client_error(format!(
                "Duplicate secret names found: {secret}. Each secret name must be unique."
            )));
        }
        if environment.contains(secret) {
            return Err(client_error(format!(
                "The secret name must be unique and not shared with any new or existing \
                 environment variables set on the container, such as '{secret}'."
            )));
        }
    }
    Ok(())
}

/// Letters, numbers, hyphens, underscores, colons, periods, slashes and number signs, and what a
/// digest is set off with.
fn is_image(image: &str) -> bool {
    image
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || "-_:./#@".contains(letter))
}

fn check_memory(input: &CheckedInput, container: &Value) -> Result<(), ApiError> {
    let (hard, soft) = (
        container["memory"].as_i64(),
        container["memoryReservation"].as_i64(),
    );
    if hard.is_none() && soft.is_none() && input.get("memory").is_none() {
        let message = "At least one of 'memory' or 'memoryReservation' must be specified.";
        return Err(client_error(format!(
            "Invalid setting for container '{}'. {message}",
            name(container)
        )));
    }
    if [hard, soft]
        .into_iter()
        .flatten()
        .any(|mebibytes| mebibytes < 6)
    {
        return Err(client_error(format!(
            "Invalid 'memory' setting for container '{}'. The minimum is 6 MiB.",
            name(container)
        )));
    }
    if hard.zip(soft).is_some_and(|(hard, soft)| hard < soft) {
        let message = "'memory' must be greater than or equal to 'memoryReservation'.";
        return Err(client_error(format!(
            "Invalid setting for container '{}'. {message}",
            name(container)
        )));
    }
    let task = input.text("memory").and_then(mebibytes).map(i64::from);
    if hard.zip(task).is_some_and(|(hard, task)| hard > task) {
        return Err(client_error(format!(
            "The 'memory' setting for container '{}' is greater than for the task.",
            name(container)
        )));
    }
    Ok(())
}

fn check_ports(input: &CheckedInput, container: &Value, mapping: &Value) -> Result<(), ApiError> {
    let (inside, outside) = (
        mapping["containerPort"].as_i64(),
        mapping["hostPort"].as_i64(),
    );
    if mapping.get("containerPortRange").is_some() {
        return Ok(());
    }
    let wrong = if inside.is_none_or(|port| !(1..=65535).contains(&port)) {
        Some("containerPort")
    } else if outside.is_some_and(|port| !(0..=65535).contains(&port)) {
        Some("hostPort")
    } else {
        None
    };
    if let Some(member) = wrong {
        return Err(client_error(format!(
            "Invalid '{member}' setting for container '{}'.",
            name(container)
        )));
    }
    let mode = definition_network::network_mode(input.0);
    if ["awsvpc", "host"].contains(&mode) && outside.is_some() && outside != inside {
        return Err(client_error(format!(
            "When networkMode={mode}, the host ports and container ports in port mappings must \
             match."
        )));
    }
    Ok(())
}

fn check_secrets(input: &CheckedInput) -> Result<(), ApiError> {
    let has_secrets = |container: &Value| !list(container, "secrets").is_empty();
    if input.text("executionRoleArn").is_none()
        && input.list("containerDefinitions").iter().any(has_secrets)
    {
        return Err(client_error(
            "When you are specifying container secrets, you must also specify a value for \
             'executionRoleArn'.",
        ));
    }
    Ok(())
}

fn check_fargate(input: &CheckedInput) -> Result<(), ApiError> {
    if input.text("networkMode") != Some("awsvpc") {
        return Err(client_error("Fargate only supports network mode ‘awsvpc’."));
    }

    let cpu = input
        .text("cpu")
        .ok_or_else(|| client_error("Fargate requires that 'cpu' be defined at the task level."))?;
    let memory = input.text("memory").ok_or_else(|| {
        client_error("Fargate requires that 'memory' be defined at the task level.")
    })?;
    if !fits_fargate(cpu, memory) || !fits_system(input, cpu) {
        return Err(client_error(format!(
            "No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. See \
             the Amazon ECS documentation for the valid values."
        )));
    }

    match fargate_needs_role_for(input.list("containerDefinitions")) {
        Some(what) if input.text("executionRoleArn").is_none() => Err(client_error(format!(
            "Fargate requires task definition to have execution role ARN to support {what}."
        ))),
        _ => Ok(()),
    }
}

/// Whether the operating system runs with this CPU on Fargate: Windows has neither the smallest
/// sizes nor the largest.
fn fits_system(input: &CheckedInput, cpu: &str) -> bool {
    let platform = input.get("runtimePlatform");
    let system = platform.and_then(|platform| platform["operatingSystemFamily"].as_str());
    let is_windows = system.is_some_and(|system| system.starts_with("WINDOWS"));
    !is_windows || cpu_units(cpu).is_some_and(|units| (1024..=4096).contains(&units))
}

/// What Fargate does for the containers with the execution role.
fn fargate_needs_role_for(containers: &[Value]) -> Option<&'static str> {
    let any = |is: &dyn Fn(&Value) -> bool| containers.iter().any(is);
    let from_ecr = |container: &Value| {
        let image = container["image"].as_str().unwrap_or_default();
        image.contains(".dkr.ecr.") && image.contains(".amazonaws.")
    };

    if any(&from_ecr) {
        Some("ECR images")
    } else if any(&|container| container["logConfiguration"]["logDriver"] == "awslogs") {
        Some("log driver awslogs")
    } else {
        None
    }
}

/// Whether Fargate offers this size. CPU is in units (1024 a vCPU) or vCPU, memory in MiB or GB.
pub(super) fn fits_fargate(cpu: &str, memory: &str) -> bool {
    let (Some(cpu), Some(memory)) = (cpu_units(cpu), mebibytes(memory)) else {
        return false;
    };

    let gib = memory / 1024;
    let whole = memory % 1024 == 0;

    match cpu {
        256 => [512, 1024, 2048].contains(&memory),
        512 => whole && (1..=4).contains(&gib),
        1024 => whole && (2..=8).contains(&gib),
        2048 => whole && (4..=16).contains(&gib),
        4096 => whole && (8..=30).contains(&gib),
        8192 => whole && (16..=60).contains(&gib) && gib % 4 == 0,
        16384 => whole && (32..=120).contains(&gib) && gib % 8 == 0,
        32768 => whole && [60, 120, 244].contains(&gib),
        _ => false,
    }
}

/// A task-level memory size in MiB, from MiB or GB.
pub(super) fn mebibytes(memory: &str) -> Option<u32> {
    number(memory, "gb")
}

/// A task-level CPU size in units, from units or vCPU.
pub(super) fn cpu_units(cpu: &str) -> Option<u32> {
    number(cpu, "vcpu")
}

/// A number as it is, or 1024 times the number before its unit.
fn number(text: &str, unit: &str) -> Option<u32> {
    let text = text.to_ascii_lowercase();

    match text.strip_suffix(unit) {
        Some(number) => number
            .trim()
            .parse::<f64>()
            .ok()
            .map(|number| (number * 1024.0) as u32),
        None => text.trim().parse().ok(),
    }
}

pub(super) fn list<'a>(container: &'a Value, member: &str) -> &'a [Value] {
    container[member].as_array().map_or(&[], Vec::as_slice)
}
