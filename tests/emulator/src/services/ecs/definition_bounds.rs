//! What RegisterTaskDefinition refuses in numbers and lists that have bounds.

use std::ops::RangeInclusive;

use serde_json::Value;

use crate::ApiError;

use super::client_error;
use super::definition_rules::{cpu_units, list, mebibytes, name};
use super::input::CheckedInput;

/// Containers of a task definition (Amazon ECS service quotas).
const CONTAINERS: usize = 10;

/// Environment files of a container (ECS API: EnvironmentFile).
const ENVIRONMENT_FILES: usize = 10;

/// Placement constraints of a task definition (ECS API: RegisterTaskDefinition).
const CONSTRAINTS: usize = 10;

/// Task-level CPU units of any launch type (ECS API: RegisterTaskDefinition).
const TASK_CPU: RangeInclusive<u32> = 128..=196_608;

/// Seconds after which a container can be restarted again (ECS API: ContainerRestartPolicy).
const RESTART_SECONDS: RangeInclusive<i64> = 60..=1800;

/// The bounds of a health check in the ECS API: interval, timeout, retries and startPeriod.
const HEALTH_CHECK: [(&str, i64, i64); 4] = [
    ("interval", 5, 300),
    ("timeout", 2, 60),
    ("retries", 1, 10),
    ("startPeriod", 0, 300),
];

/// The names in the ECS API: Ulimit.
const ULIMITS: [&str; 15] = [
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

pub(super) fn check(input: &CheckedInput) -> Result<(), ApiError> {
    let containers = input.list("containerDefinitions");
    if containers.len() > CONTAINERS {
        return Err(client_error("Too many containers."));
    }
    if input.list("placementConstraints").len() > CONSTRAINTS {
        return Err(client_error(format!(
            "Too many placement constraints. The maximum is {CONSTRAINTS}."
        )));
    }

    check_size(input)?;
    check_sums(input, containers)?;
    check_storage(input)?;
    for container in containers {
        check_health_check(container)?;
        check_ulimits(container)?;
        check_environment_files(container)?;
        check_restarts(container)?;
        check_tmpfs(container)?;
    }
    Ok(())
}

fn check_tmpfs(container: &Value) -> Result<(), ApiError> {
    let mounts = list(&container["linuxParameters"], "tmpfs").iter();
    let mut sizes = mounts.filter_map(|mount| mount["size"].as_i64());
    if sizes.any(|size| size <= 0) {
        return Err(client_error(
            "The container has an invalid tmpfs size value specified. It must be a non-zero, \
             non-negative integer.",
        ));
    }
    Ok(())
}

/// The size of the task has a form that ECS reads, whatever the task runs on.
fn check_size(input: &CheckedInput) -> Result<(), ApiError> {
    let cpu = input.text("cpu").map(cpu_units);
    if cpu.is_some_and(|units| units.is_none_or(|units| !TASK_CPU.contains(&units))) {
        return Err(client_error("Invalid 'cpu' setting for task."));
    }
    let memory = input.text("memory").map(mebibytes);
    if memory.is_some_and(|size| size.is_none_or(|mebibytes| mebibytes == 0)) {
        return Err(client_error("Invalid 'memory' setting for task."));
    }
    Ok(())
}

/// What the containers reserve together is not more than the task has.
fn check_sums(input: &CheckedInput, containers: &[Value]) -> Result<(), ApiError> {
    let sum = |member: &str| {
        containers
            .iter()
            .filter_map(|container| container[member].as_i64())
            .sum::<i64>()
    };
    let cpu = input.text("cpu").and_then(cpu_units);
    let memory = input.text("memory").and_then(mebibytes);

    for (member, size, of_task) in [("cpu", cpu, "cpu"), ("memoryReservation", memory, "memory")] {
        if size.is_some_and(|size| sum(member) > i64::from(size)) {
            return Err(client_error(format!(
                "The sum of all container '{member}' values cannot be greater than the value of \
                 the task '{of_task}'."
            )));
        }
    }
    Ok(())
}

fn check_storage(input: &CheckedInput) -> Result<(), ApiError> {
    let Some(storage) = input.get("ephemeralStorage") else {
        return Ok(());
    };

    let compatibilities = input.texts("requiresCompatibilities");
    if compatibilities.contains(&"EC2") && !compatibilities.contains(&"FARGATE") {
        return Err(client_error(
            "Tasks using the EC2 launch type do not support EphemeralStorage",
        ));
    }
    match storage["sizeInGiB"].as_i64() {
        Some(size) if size > 200 => {
            Err(client_error("EphemeralStorage size should be at most 200"))
        }
        Some(21..) => Ok(()),
        _ => Err(client_error("EphemeralStorage size should be at least 21")),
    }
}

fn check_health_check(container: &Value) -> Result<(), ApiError> {
    let check = &container["healthCheck"];
    if check.is_null() {
        return Ok(());
    }

    if list(check, "command").is_empty() {
        return Err(client_error(
            "healthCheck.command should not be null or empty.",
        ));
    }
    for (member, least, most) in HEALTH_CHECK {
        if check[member]
            .as_i64()
            .is_some_and(|found| !(least..=most).contains(&found))
        {
            return Err(client_error(format!(
                "Invalid healthCheck {member} for container '{}': must be between {least} and \
                 {most}.",
                name(container)
            )));
        }
    }
    Ok(())
}

fn check_ulimits(container: &Value) -> Result<(), ApiError> {
    for limit in list(container, "ulimits") {
        let of = name(limit);
        if !ULIMITS.contains(&of) {
            return Err(client_error(format!("Unrecognized ulimit name {of}")));
        }
        // A negative limit is none.
        let limits = limit["softLimit"].as_i64().zip(limit["hardLimit"].as_i64());
        if limits.is_some_and(|(soft, hard)| hard >= 0 && soft > hard) {
            return Err(client_error(format!(
                "Soft limit exceeds hard limit for ulimit {of}"
            )));
        }
    }
    Ok(())
}

fn check_environment_files(container: &Value) -> Result<(), ApiError> {
    let files = list(container, "environmentFiles");
    if files.len() > ENVIRONMENT_FILES {
        return Err(client_error(
            "The maximum number of environment files was exceeded. Specify ten or less and try \
             again.",
        ));
    }

    let is_arn = |file: &Value| {
        file["value"]
            .as_str()
            .is_some_and(|it| it.starts_with("arn:"))
    };
    if files.iter().all(is_arn) {
        Ok(())
    } else {
        Err(client_error("Invalid arn syntax."))
    }
}

fn check_restarts(container: &Value) -> Result<(), ApiError> {
    let seconds = container["restartPolicy"]["restartAttemptPeriod"].as_i64();
    if seconds.is_some_and(|seconds| !RESTART_SECONDS.contains(&seconds)) {
        return Err(client_error(format!(
            "the 'restartAttemptPeriod' setting for container '{}' must be between {} and {}",
            name(container),
            RESTART_SECONDS.start(),
            RESTART_SECONDS.end()
        )));
    }
    Ok(())
}
