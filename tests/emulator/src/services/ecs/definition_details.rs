//! What RegisterTaskDefinition refuses in the details: roles, credentials, the proxy, and what
//! Fargate does not offer.

use serde_json::Value;

use crate::ApiError;

use super::client_error;
use super::definition_rules::{list, name};
use super::input::CheckedInput;

/// The properties that a proxy needs (ECS API: ProxyConfiguration), as ECS begins to name them.
const OF_PROXY: [(&str, &str); 3] = [
    ("AppPorts", "App ports"),
    ("ProxyEgressPort", "Egress port"),
    ("ProxyIngressPort", "Ingress port"),
];

/// What a volume cannot be on Fargate.
const VOLUMES_NOT_ON_FARGATE: [&str; 2] = [
    "dockerVolumeConfiguration",
    "fsxWindowsFileServerVolumeConfiguration",
];

/// The numbers of `linuxParameters` that Fargate does not take (ECS API: LinuxParameters).
const NOT_ON_FARGATE: [&str; 3] = ["maxSwap", "sharedMemorySize", "swappiness"];

/// How long Fargate waits for a container that starts or stops, in seconds (ECS API:
/// ContainerDefinition).
const FARGATE_SECONDS: std::ops::RangeInclusive<i64> = 2..=120;

pub(super) fn check(input: &CheckedInput) -> Result<(), ApiError> {
    let containers = input.list("containerDefinitions");
    for role in ["taskRoleArn", "executionRoleArn"] {
        if stated(input, role).is_some_and(|role| !is_role(role)) {
            return Err(client_error("Role is not valid"));
        }
    }

    if !input.list("inferenceAccelerators").is_empty() {
        return Err(client_error("Unsupported field 'inferenceAccelerators'"));
    }
    for container in containers {
        check_credentials(input, container)?;
    }
    check_proxy(input, containers)
}

/// A text as it is given, also if it is empty.
fn stated<'a>(input: &'a CheckedInput, member: &str) -> Option<&'a str> {
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

fn check_credentials(input: &CheckedInput, container: &Value) -> Result<(), ApiError> {
    if !container["repositoryCredentials"].is_null() && input.text("executionRoleArn").is_none() {
        return Err(client_error(
            "When you are specifying container repository credentials, you must also specify a \
             value for 'executionRoleArn'.",
        ));
    }
    Ok(())
}

/// The container through which the traffic of a task goes.
fn check_proxy(input: &CheckedInput, containers: &[Value]) -> Result<(), ApiError> {
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

    let is_given = |property: &str| {
        list(proxy, "properties").iter().any(|given| {
            let value = given["value"].as_str().unwrap_or_default();
            given["name"] == property && !value.is_empty()
        })
    };
    let missing = OF_PROXY.iter().find(|(property, _)| !is_given(property));
    missing.map_or(Ok(()), |(_, what)| {
        Err(client_error(format!("{what} not found")))
    })
}

/// What Fargate does not offer.
pub(super) fn check_fargate(input: &CheckedInput) -> Result<(), ApiError> {
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

fn lacking(input: &CheckedInput, containers: &[Value]) -> Option<&'static str> {
    let any = |is: &dyn Fn(&Value) -> bool| containers.iter().any(is);
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

    let volumes = input.list("volumes");
    if input.text("ipcMode").is_some() {
        Some("ipcMode")
    } else if !input.list("placementConstraints").is_empty() {
        Some("constraints")
    } else if volumes
        .iter()
        .any(|it| it["host"]["sourcePath"].is_string())
    {
        Some("sourcePath")
    } else {
        VOLUMES_NOT_ON_FARGATE
            .into_iter()
            .find(|configuration| volumes.iter().any(|it| it[*configuration].is_object()))
    }
}
