//! What files have and RegisterTaskDefinition refuses, though it means the same as an absent
//! member: empty texts and the tags that AWS keeps for itself. The rules are not taken from the
//! product.

use behaviour::account;
use serde_json::{Map, Value, json};

use super::{IMAGE, check, expectation};

/// Members that ECS refuses as empty texts: those of an enumeration's type in the model of
/// RegisterTaskDefinition (botocore 1.43.11, `data/ecs/2014-11-13/service-2.json`), the ARNs of
/// roles, the credentials of a private registry, and the paths of volumes. Names of lists stand for
/// their items.
const REFUSED: [&str; 25] = [
    "containerDefinitions.dependsOn.condition",
    "containerDefinitions.environmentFiles.type",
    "containerDefinitions.firelensConfiguration.type",
    "containerDefinitions.linuxParameters.devices.permissions",
    "containerDefinitions.logConfiguration.logDriver",
    "containerDefinitions.portMappings.appProtocol",
    "containerDefinitions.portMappings.protocol",
    "containerDefinitions.repositoryCredentials.credentialsParameter",
    "containerDefinitions.resourceRequirements.type",
    "containerDefinitions.ulimits.name",
    "containerDefinitions.versionConsistency",
    "executionRoleArn",
    "ipcMode",
    "networkMode",
    "pidMode",
    "placementConstraints.type",
    "proxyConfiguration.type",
    "requiresCompatibilities",
    "runtimePlatform.cpuArchitecture",
    "runtimePlatform.operatingSystemFamily",
    "taskRoleArn",
    "volumes.dockerVolumeConfiguration.scope",
    "volumes.efsVolumeConfiguration.authorizationConfig.iam",
    "volumes.efsVolumeConfiguration.transitEncryption",
    "volumes.host.sourcePath",
];

fn is_refused(place: &str) -> bool {
    REFUSED.contains(&place.trim_start_matches('.'))
}

/// Removes the empty texts that ECS refuses, and each object or list that has nothing else. `place`
/// is where the value is.
pub(crate) fn remove_refused(value: &mut Value, place: &str) {
    match value {
        Value::Object(members) => members.retain(|name, value| {
            let place = format!("{place}.{name}");
            if value == "" {
                return !is_refused(&place);
            }

            let was_empty = is_empty(value);
            remove_refused(value, &place);
            was_empty || !is_empty(value)
        }),
        Value::Array(items) => {
            items.retain(|item| item != "" || !is_refused(place));
            for item in items {
                remove_refused(item, place);
            }
        }
        _ => {}
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

/// Removes the tags whose keys begin with `aws:` in any case
/// (docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Tag.html), and a list of tags that is
/// empty then, which ECS refuses too.
pub(crate) fn remove_reserved_tags(definition: &mut Value) {
    let Some(Value::Array(tags)) = definition.get_mut("tags") else {
        return;
    };
    let is_reserved = |key: &str| key.to_ascii_lowercase().starts_with("aws:");
    tags.retain(|tag| !tag["key"].as_str().is_some_and(is_reserved));

    if tags.is_empty() {
        let members = definition.as_object_mut();
        members.expect("an object").shift_remove("tags");
    }
}

/// A definition with all that ECS refuses when it is empty, beside what it takes.
fn with_all() -> Value {
    json!({
        "family": "empty", "taskRoleArn": "", "executionRoleArn": "",
        "networkMode": "", "pidMode": "", "ipcMode": "", "requiresCompatibilities": ["", "EC2"],
        "runtimePlatform": {"cpuArchitecture": "", "operatingSystemFamily": ""},
        "proxyConfiguration": {"type": ""},
        "containerDefinitions": [{
            "name": "web", "image": "<IMAGE>", "memory": 64, "versionConsistency": "",
            "repositoryCredentials": {"credentialsParameter": ""},
            "portMappings": [{"containerPort": 80, "protocol": "", "appProtocol": ""}],
            "linuxParameters": {"devices": [{"hostPath": "/dev/a", "permissions": [""]}]},
            "firelensConfiguration": {"type": ""},
            "environment": [{"name": "protocol", "value": ""}],
            "dockerLabels": {"protocol": ""},
        }],
        "volumes": [
            {"name": "scratch", "dockerVolumeConfiguration": {"scope": "", "driver": "local"}},
            {"name": "files", "efsVolumeConfiguration": {
                "fileSystemId": "fs-12345678", "transitEncryption": "",
                "authorizationConfig": {"iam": ""},
            }},
            {"name": "data", "host": {"sourcePath": ""}},
        ],
        "tags": [
            {"key": "aws:cloudformation:stack-name", "value": "web"},
            {"key": "AWS:a", "value": "b"},
            {"key": "awsome", "value": ""},
        ],
    })
}

#[test]
fn all_that_ecs_refuses_when_it_is_empty_is_left_out_and_nothing_else() {
    let expected = json!({
        "family": "empty", "requiresCompatibilities": ["EC2"],
        "containerDefinitions": [{
            "name": "web", "image": IMAGE, "memory": 64,
            "portMappings": [{"containerPort": 80}],
            "linuxParameters": {"devices": [{"hostPath": "/dev/a"}]},
            "environment": [{"name": "protocol", "value": ""}],
            "dockerLabels": {"protocol": ""},
        }],
        "volumes": [
            {"name": "scratch", "dockerVolumeConfiguration": {"driver": "local"}},
            {"name": "files", "efsVolumeConfiguration": {"fileSystemId": "fs-12345678"}},
            {"name": "data"},
        ],
        "tags": [{"key": "awsome", "value": ""}],
    });
    let bytes = with_all().to_string().into_bytes();
    let (key, own) = expectation(&account(), &bytes);

    assert_eq!(own.as_ref(), Ok(&expected));
    assert_eq!(check(account(), &bytes, &key, own), Ok(()));
}

#[test]
fn a_list_of_reserved_tags_alone_is_left_out() {
    let mut definition = json!({"tags": [{"key": "aws:a", "value": "b"}]});
    remove_reserved_tags(&mut definition);
    assert_eq!(definition, json!({}));
}
