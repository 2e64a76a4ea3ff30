//! What RegisterTaskDefinition refuses, and DescribeTaskDefinition, the console or other tools
//! write: it means the same as an absent member, and is left out.
//!
//! Never leaves out what ECS accepts: an empty list can replace that of the image, and the empty
//! value of an environment variable is a value.

use serde_json::{Map, Value};

/// Members that ECS refuses when they are empty: those whose type is an enumeration in aws-sdk-ecs
/// 1.157, all of them (" is not a valid value for pidMode",
/// github.com/aws/amazon-ecs-cli/issues/667), and at the end roles ("Role is not valid",
/// github.com/fabfuel/ecs-deploy/issues/231), credentials
/// (github.com/aws-actions/amazon-ecs-deploy-task-definition/pull/52) and paths of the host
/// ("host.sourcePath should not be blank.", github.com/aws/amazon-ecs-cli/issues/11). A list on the
/// way stands for each of its items, and one at the end for words.
const REFUSED_EMPTY: [&[&str]; 25] = [
    &["networkMode"],
    &["pidMode"],
    &["ipcMode"],
    &["requiresCompatibilities"],
    &["placementConstraints", "type"],
    &["proxyConfiguration", "type"],
    &["runtimePlatform", "cpuArchitecture"],
    &["runtimePlatform", "operatingSystemFamily"],
    &["containerDefinitions", "versionConsistency"],
    &["containerDefinitions", "dependsOn", "condition"],
    &["containerDefinitions", "environmentFiles", "type"],
    &["containerDefinitions", "firelensConfiguration", "type"],
    &[
        "containerDefinitions",
        "linuxParameters",
        "devices",
        "permissions",
    ],
    &["containerDefinitions", "logConfiguration", "logDriver"],
    &["containerDefinitions", "portMappings", "appProtocol"],
    &["containerDefinitions", "portMappings", "protocol"],
    &["containerDefinitions", "resourceRequirements", "type"],
    &["containerDefinitions", "ulimits", "name"],
    &["volumes", "dockerVolumeConfiguration", "scope"],
    &["volumes", "efsVolumeConfiguration", "transitEncryption"],
    &[
        "volumes",
        "efsVolumeConfiguration",
        "authorizationConfig",
        "iam",
    ],
    &["taskRoleArn"],
    &["executionRoleArn"],
    &[
        "containerDefinitions",
        "repositoryCredentials",
        "credentialsParameter",
    ],
    &["volumes", "host", "sourcePath"],
];

/// Removes what is refused when it is empty, and the object or the list of words that is left empty
/// by that. An object that is an item of a list stays, and so does what was empty before.
pub(super) fn remove_empty(fields: &mut Map<String, Value>) {
    for path in REFUSED_EMPTY {
        remove(fields, path);
    }
}

fn remove(fields: &mut Map<String, Value>, path: &[&str]) {
    let [name, rest @ ..] = path else {
        return;
    };
    let Some(value) = fields.get_mut(*name) else {
        return;
    };

    let emptied = match value {
        Value::Array(items) => {
            let before = items.len();
            items.retain(|item| !rest.is_empty() || item != "");
            items
                .iter_mut()
                .filter_map(Value::as_object_mut)
                .for_each(|item| remove(item, rest));
            items.is_empty() && before > 0
        }
        Value::Object(members) if !rest.is_empty() => {
            let before = members.len();
            remove(members, rest);
            members.is_empty() && before > 0
        }
        Value::String(text) => rest.is_empty() && text.is_empty(),
        _ => false,
    };
    if emptied {
        fields.shift_remove(*name);
    }
}

/// Whether AWS reserves the key of a tag, case-insensitively, and refuses it from others
/// (docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Tag.html).
pub(super) fn is_reserved(key: &str) -> bool {
    key.get(..4)
        .is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:"))
}
