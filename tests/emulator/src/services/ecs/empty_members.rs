//! Members of a task definition that are empty, or not one of the words of their enumeration, where
//! ECS refuses it.

use serde_json::{Map, Value};

use crate::ApiError;

use super::client_error;

/// Every member of RegisterTaskDefinition whose type is an enumeration (aws-sdk-ecs 1.157), with
/// its words, except for the protocol of a port mapping and the name of a ulimit, for which ECS has
/// rules of their own. A list on the way stands for each of its items.
const WORDS: [(&[&str], &[&str]); 19] = [
    (&["networkMode"], &["bridge", "host", "awsvpc", "none"]),
    (&["pidMode"], &["task", "host"]),
    (&["ipcMode"], &["task", "host", "none"]),
    (
        &["requiresCompatibilities"],
        &["EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"],
    ),
    (&["placementConstraints", "type"], &["memberOf"]),
    (
        &["runtimePlatform", "cpuArchitecture"],
        &["X86_64", "ARM64"],
    ),
    (
        &["runtimePlatform", "operatingSystemFamily"],
        &[
            "WINDOWS_SERVER_2019_FULL",
            "WINDOWS_SERVER_2019_CORE",
            "WINDOWS_SERVER_2016_FULL",
            "WINDOWS_SERVER_2004_CORE",
            "WINDOWS_SERVER_2022_CORE",
            "WINDOWS_SERVER_2022_FULL",
            "WINDOWS_SERVER_2025_CORE",
            "WINDOWS_SERVER_2025_FULL",
            "WINDOWS_SERVER_20H2_CORE",
            "LINUX",
        ],
    ),
    (&["proxyConfiguration", "type"], &["APPMESH"]),
    (
        &["containerDefinitions", "versionConsistency"],
        &["enabled", "disabled"],
    ),
    (
        &["containerDefinitions", "portMappings", "appProtocol"],
        &["http", "http2", "grpc"],
    ),
    (
        &["containerDefinitions", "dependsOn", "condition"],
        &["START", "COMPLETE", "SUCCESS", "HEALTHY"],
    ),
    (
        &["containerDefinitions", "environmentFiles", "type"],
        &["s3"],
    ),
    (
        &["containerDefinitions", "firelensConfiguration", "type"],
        &["fluentd", "fluentbit"],
    ),
    (
        &[
            "containerDefinitions",
            "linuxParameters",
            "devices",
            "permissions",
        ],
        &["read", "write", "mknod"],
    ),
    (
        &["containerDefinitions", "logConfiguration", "logDriver"],
        &[
            "json-file",
            "syslog",
            "journald",
            "gelf",
            "fluentd",
            "awslogs",
            "splunk",
            "awsfirelens",
        ],
    ),
    (
        &["containerDefinitions", "resourceRequirements", "type"],
        &["GPU", "InferenceAccelerator", "NeuronDevice"],
    ),
    (
        &["volumes", "dockerVolumeConfiguration", "scope"],
        &["task", "shared"],
    ),
    (
        &["volumes", "efsVolumeConfiguration", "transitEncryption"],
        &["ENABLED", "DISABLED"],
    ),
    (
        &[
            "volumes",
            "efsVolumeConfiguration",
            "authorizationConfig",
            "iam",
        ],
        &["ENABLED", "DISABLED"],
    ),
];

const CREDENTIALS: [&str; 3] = [
    "containerDefinitions",
    "repositoryCredentials",
    "credentialsParameter",
];

pub(super) fn check(request: &Map<String, Value>) -> Result<(), ApiError> {
    if request
        .get("tags")
        .and_then(Value::as_array)
        .is_some_and(Vec::is_empty)
    {
        return Err(client_error("Tags can not be empty."));
    }

    for role in ["taskRoleArn", "executionRoleArn"] {
        if request.get(role).is_some_and(|role| role == "") {
            return Err(client_error("Role is not valid"));
        }
    }

    if texts_at(request, &CREDENTIALS).contains(&"") {
        return Err(client_error("Credentials parameter can not be blank."));
    }

    for (path, words) in WORDS {
        let found = texts_at(request, path);
        if let Some(wrong) = found.iter().find(|text| !words.contains(text)) {
            let member = path.last().copied().unwrap_or_default();
            return Err(client_error(format!(
                "{wrong} is not a valid value for {member}. The value must be one of [{}]",
                words.join(",")
            )));
        }
    }
    Ok(())
}

fn texts_at<'a>(members: &'a Map<String, Value>, path: &[&str]) -> Vec<&'a str> {
    let [name, rest @ ..] = path else {
        return Vec::new();
    };
    let inside = |value: &'a Value| match value {
        Value::String(text) if rest.is_empty() => vec![text.as_str()],
        Value::Object(members) => texts_at(members, rest),
        _ => Vec::new(),
    };

    match members.get(*name) {
        Some(Value::Array(items)) => items.iter().flat_map(inside).collect(),
        Some(value) => inside(value),
        None => Vec::new(),
    }
}
