//! What RegisterTaskDefinition refuses is left out, and nothing else.

use super::*;

fn sent(value: Value) -> Value {
    serde_json::from_str(&definition(value).text()).expect("JSON")
}

#[test]
fn empty_members_that_ecs_refuses_are_left_out() {
    let empty = json!({
        "family": "web", "tags": [], "pidMode": "", "ipcMode": "", "networkMode": "",
        "taskRoleArn": "", "executionRoleArn": "",
        "runtimePlatform": {"cpuArchitecture": "", "operatingSystemFamily": ""},
        "containerDefinitions": [
            {
                "name": "web", "image": "web:1", "versionConsistency": "",
                "repositoryCredentials": {"credentialsParameter": ""},
                "portMappings": [{"containerPort": 80, "appProtocol": "", "protocol": ""}],
            },
            {"name": "log", "image": "log:1", "portMappings": [{"containerPort": 24, "protocol": "udp"}]},
        ],
        "volumes": [{
            "name": "files",
            "efsVolumeConfiguration": {"fileSystemId": "fs-1", "transitEncryption": ""},
        }],
    });

    assert_eq!(
        sent(empty),
        json!({
            "family": "web",
            "containerDefinitions": [
                {"name": "web", "image": "web:1", "portMappings": [{"containerPort": 80}]},
                {"name": "log", "image": "log:1", "portMappings": [{"containerPort": 24, "protocol": "udp"}]},
            ],
            "volumes": [{"name": "files", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}],
        })
    );
}

#[test]
fn empty_words_of_proxies_and_volumes_are_left_out() {
    let with = |proxy: Value, docker: Value, files: Value| {
        json!({
            "family": "web", "containerDefinitions": [{"name": "web", "image": "web:1"}],
            "proxyConfiguration": proxy,
            "volumes": [
                {"name": "a", "dockerVolumeConfiguration": docker},
                {"name": "b", "efsVolumeConfiguration": files},
            ],
        })
    };
    let empty = with(
        json!({"type": "", "containerName": "envoy"}),
        json!({"scope": "", "driver": "local"}),
        json!({"fileSystemId": "fs-1", "authorizationConfig": {"iam": ""}}),
    );
    let kept = with(
        json!({"containerName": "envoy"}),
        json!({"driver": "local"}),
        json!({"fileSystemId": "fs-1"}),
    );
    assert_eq!(sent(empty), kept);
}

#[test]
fn empty_words_in_lists_and_of_containers_are_left_out() {
    let with = |compatibilities: Value, constraint: Value, mut container: Value| {
        container["name"] = json!("web");
        container["image"] = json!("web:1");
        json!({
            "family": "web", "requiresCompatibilities": compatibilities,
            "placementConstraints": [constraint], "containerDefinitions": [container],
        })
    };
    let empty = with(
        json!(["EC2", ""]),
        json!({"type": "", "expression": "task:group == a"}),
        json!({
            "dependsOn": [{"containerName": "log", "condition": ""}],
            "environmentFiles": [{"type": "", "value": "arn:aws:s3:::a/b.env"}],
            "firelensConfiguration": {"type": ""},
            "linuxParameters": {"devices": [{"hostPath": "/dev/a", "permissions": [""]}]},
            "logConfiguration": {"logDriver": "", "options": {}},
            "resourceRequirements": [{"type": "", "value": "1"}],
            "ulimits": [{"name": "", "softLimit": 1, "hardLimit": 1}],
        }),
    );
    let kept = with(
        json!(["EC2"]),
        json!({"expression": "task:group == a"}),
        json!({
            "dependsOn": [{"containerName": "log"}],
            "environmentFiles": [{"value": "arn:aws:s3:::a/b.env"}],
            "linuxParameters": {"devices": [{"hostPath": "/dev/a"}]},
            "logConfiguration": {"options": {}},
            "resourceRequirements": [{"value": "1"}],
            "ulimits": [{"softLimit": 1, "hardLimit": 1}],
        }),
    );
    assert_eq!(sent(empty), kept);
}

#[test]
fn a_path_of_the_host_that_is_blank_is_left_out() {
    let with = |volume: Value| {
        json!({
            "family": "web", "containerDefinitions": [{"name": "web", "image": "web:1"}],
            "volumes": [volume],
        })
    };
    let blank = with(json!({"name": "data", "host": {"sourcePath": ""}}));
    assert_eq!(sent(blank), with(json!({"name": "data"})));
    let of_docker = with(json!({"name": "data", "host": {}}));
    assert_eq!(sent(of_docker.clone()), of_docker);
}

#[test]
fn empty_members_that_mean_something_stay() {
    let kept = json!({
        "family": "web", "volumes": [], "placementConstraints": [], "newEnum": "",
        "requiresCompatibilities": [],
        "containerDefinitions": [{
            "name": "web", "image": "web:1", "command": [], "entryPoint": [], "links": [],
            "environment": [{"name": "EMPTY", "value": ""}, {"name": "pidMode", "value": ""}],
            "dockerLabels": {"pidMode": ""}, "logConfiguration": {},
        }],
        "runtimePlatform": {},
        "tags": [{"key": "empty", "value": ""}],
    });

    assert_eq!(sent(kept.clone()), kept);
}

#[test]
fn tags_that_aws_keeps_for_itself_are_left_out() {
    let mut value = counter();
    value["tags"] = json!([
        {"key": "aws:cloudformation:stack-name", "value": "web"}, {"key": "awsome", "value": "x"},
        {"key": "AWS:a", "value": "y"}, {"key": "é", "value": "z"},
    ]);

    assert_eq!(
        sent(value.clone())["tags"],
        json!([{"key": "awsome", "value": "x"}, {"key": "é", "value": "z"}])
    );

    value["tags"] = json!([{"key": "aws:cloudformation:stack-name", "value": "web"}]);

    assert_eq!(sent(value).get("tags"), None);
}
