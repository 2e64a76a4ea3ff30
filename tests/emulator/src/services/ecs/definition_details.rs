//! What RegisterTaskDefinition refuses in the details: roles, volumes, sizes, and words that are
//! not among those of a member.

use serde_json::Value;

use crate::ApiError;

use super::client_error;
use super::definition_rules::{list, mebibytes, name, number};
use super::input::Input;

/// Containers of a task definition (Amazon ECS service quotas).
const CONTAINERS: usize = 10;

/// The launch types that a definition can name.
const COMPATIBILITIES: [&str; 4] = ["EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"];

/// The numbers of `linuxParameters` that Fargate does not take (ECS API: LinuxParameters).
const NOT_ON_FARGATE: [&str; 3] = ["maxSwap", "sharedMemorySize", "swappiness"];

/// How long Fargate waits for a container that starts or stops, in seconds (ECS API:
/// ContainerDefinition).
const FARGATE_SECONDS: std::ops::RangeInclusive<i64> = 2..=120;

/// The bounds of a health check in the ECS API: interval, timeout, retries and startPeriod.
const HEALTH_CHECK: [(&str, i64, i64); 4] = [
    ("interval", 5, 300),
    ("timeout", 2, 60),
    ("retries", 1, 10),
    ("startPeriod", 0, 300),
];

pub(super) fn check(input: &Input) -> Result<(), ApiError> {
    let containers = input.list("containerDefinitions");
    if containers.len() > CONTAINERS {
        return Err(client_error(format!(
            "Too many containers in the task definition: {}. The maximum is {CONTAINERS}.",
            containers.len()
        )));
    }

    for role in ["taskRoleArn", "executionRoleArn"] {
        if stated(input, role).is_some_and(|role| !is_role(role)) {
            return Err(client_error("Role is not valid"));
        }
    }

    check_word(input, "pidMode", &["host", "task"])?;
    check_word(input, "ipcMode", &["host", "none", "task"])?;
    for found in input.texts("requiresCompatibilities") {
        if !COMPATIBILITIES.contains(&found) {
            return Err(invalid_word("requiresCompatibilities", &COMPATIBILITIES));
        }
    }

    check_sums(input, containers)?;
    for container in containers {
        check_volumes(input, container, containers)?;
        check_health_check(container)?;
        check_credentials(input, container)?;
    }
    check_proxy(input, containers)
}

/// A text as it is given, also if it is empty.
fn stated<'a>(input: &'a Input, member: &str) -> Option<&'a str> {
    input.0.get(member)?.as_str()
}

/// A full ARN or the short name of a role.
pub(super) fn is_role(role: &str) -> bool {
    let is_path = |path: &str| {
        !path.is_empty()
            && path
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "+=,.@_-/".contains(letter))
    };

    let Some(arn) = role.strip_prefix("arn:") else {
        return is_path(role);
    };
    let parts: Vec<&str> = arn.splitn(5, ':').collect();
    let [partition, "iam", "", account, resource] = parts[..] else {
        return false;
    };
    let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    partition.starts_with("aws")
        && is_account
        && resource.strip_prefix("role/").is_some_and(is_path)
}

fn check_word(input: &Input, member: &str, words: &[&str]) -> Result<(), ApiError> {
    match stated(input, member) {
        Some(found) if !words.contains(&found) => Err(invalid_word(member, words)),
        _ => Ok(()),
    }
}

fn invalid_word(member: &str, words: &[&str]) -> ApiError {
    client_error(format!(
        "Invalid value for '{member}'. Valid values: {}.",
        words.join(", ")
    ))
}

/// What the containers reserve together is not more than the task has.
fn check_sums(input: &Input, containers: &[Value]) -> Result<(), ApiError> {
    let sum = |member: &str| {
        containers
            .iter()
            .filter_map(|container| container[member].as_i64())
            .sum::<i64>()
    };
    let cpu = input.text("cpu").and_then(|cpu| number(cpu, "vcpu"));
    let memory = input.text("memory").and_then(mebibytes);

    for (member, task) in [("cpu", cpu), ("memoryReservation", memory)] {
        if task.is_some_and(|task| sum(member) > i64::from(task)) {
            return Err(client_error(format!(
                "The sum of the '{member}' settings of the containers is greater than for the task."
            )));
        }
    }
    Ok(())
}

fn check_volumes(input: &Input, container: &Value, containers: &[Value]) -> Result<(), ApiError> {
    for mount in list(container, "mountPoints") {
        let wanted = &mount["sourceVolume"];
        let is_known = input.list("volumes").iter().any(|it| it["name"] == *wanted);
        if wanted.is_string() && !is_known {
            let wanted = wanted.as_str().unwrap_or_default();
            return Err(client_error(format!("Unknown volume '{wanted}'.")));
        }
    }
    for from in list(container, "volumesFrom") {
        let wanted = from["sourceContainer"].as_str().unwrap_or_default();
        if !containers.iter().any(|other| name(other) == wanted) {
            return Err(client_error(format!(
                "Unknown container '{wanted}' in volumesFrom."
            )));
        }
    }
    Ok(())
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

fn check_credentials(input: &Input, container: &Value) -> Result<(), ApiError> {
    if !container["repositoryCredentials"].is_null() && input.text("executionRoleArn").is_none() {
        return Err(client_error(
            "When you are specifying container repository credentials, you must also specify a \
             value for 'executionRoleArn'.",
        ));
    }
    Ok(())
}

/// The container through which the traffic of a task goes.
fn check_proxy(input: &Input, containers: &[Value]) -> Result<(), ApiError> {
    let Some(proxy) = input.get("proxyConfiguration") else {
        return Ok(());
    };

    if input.text("networkMode") != Some("awsvpc") {
        return Err(client_error(
            "APPMESH proxy configuration is only supported in networkMode=awsvpc",
        ));
    }
    let wanted = proxy["containerName"].as_str().unwrap_or_default();
    if !containers.iter().any(|container| name(container) == wanted) {
        return Err(client_error(format!(
            "Proxy container [{wanted}] does not exist"
        )));
    }
    Ok(())
}

/// What Fargate does not offer.
pub(super) fn check_fargate(input: &Input) -> Result<(), ApiError> {
    let containers = input.list("containerDefinitions");
    if let Some(what) = lacking(input, containers) {
        return Err(client_error(format!(
            "Fargate compatible task definitions do not support {what}"
        )));
    }
    if input.text("pidMode") == Some("host") {
        return Err(client_error(
            "Tasks using the Fargate launch type do not support pidMode 'host'",
        ));
    }

    for container in containers {
        let added = list(&container["linuxParameters"]["capabilities"], "add");
        let mut added = added.iter().filter_map(Value::as_str);
        if let Some(other) = added.find(|capability| *capability != "SYS_PTRACE") {
            return Err(client_error(format!("{other} is not allowed on Fargate.")));
        }

        for member in ["startTimeout", "stopTimeout"] {
            let seconds = container[member].as_i64();
            if seconds.is_some_and(|seconds| !FARGATE_SECONDS.contains(&seconds)) {
                return Err(client_error(format!(
                    "Invalid '{member}' setting for container '{}'. The valid values for Fargate \
                     are 2-120 seconds.",
                    name(container)
                )));
            }
        }
    }
    Ok(())
}

fn lacking(input: &Input, containers: &[Value]) -> Option<&'static str> {
    let any = |is: &dyn Fn(&Value) -> bool| containers.iter().any(is);
    let volumes = input.list("volumes");
    let is_gpu = |container: &Value| {
        list(container, "resourceRequirements")
            .iter()
            .any(|it| it["type"] == "GPU")
    };

    if any(&|container| container["privileged"] == true) {
        return Some("privileged");
    }
    if any(&is_gpu) {
        return Some("GPU");
    }
    if any(&|container| !list(container, "dockerSecurityOptions").is_empty()) {
        return Some("dockerSecurityOptions");
    }
    if any(&|container| !list(&container["linuxParameters"], "devices").is_empty()) {
        return Some("devices");
    }
    let number = NOT_ON_FARGATE
        .into_iter()
        .find(|member| any(&|container| container["linuxParameters"][*member].is_number()));
    if number.is_some() {
        return number;
    }

    if input.text("ipcMode").is_some() {
        Some("ipcMode")
    } else if volumes
        .iter()
        .any(|it| it["host"]["sourcePath"].is_string())
    {
        Some("host.sourcePath")
    } else if volumes
        .iter()
        .any(|it| it["dockerVolumeConfiguration"].is_object())
    {
        Some("dockerVolumeConfiguration")
    } else {
        None
    }
}
