//! What stays of the running definition.

use super::*;

#[test]
fn all_but_the_containers_stays_as_it_runs() {
    let task = json!({
        "family": "web", "networkMode": "awsvpc", "taskRoleArn": "web", "executionRoleArn": "start",
        "cpu": "512", "memory": "1024", "requiresCompatibilities": ["FARGATE"],
        "someFieldOf2031": {"kept": [1, null]}, "volumes": [],
        "containerDefinitions": [{"name": "old", "image": "old:1"}],
        "tags": [{"key": "team", "value": "web"}],
    });
    let file = parse(
        &container(json!({"Cmd": ["run"]}), json!({})),
        &running(task.clone()),
    );

    let mut expected = task;
    expected["containerDefinitions"] =
        json!([{"name": "web", "image": "web:2", "command": ["run"]}]);
    assert_eq!(file.definition.text(), expected.to_string());
    assert_eq!(
        listed(&file),
        ["containerDefinitions.old (a container): it is not in the file: it is removed"]
    );
}

/// The running container with these members, and others that the file decides.
fn with_others(kept: &Value) -> Value {
    let mut before = kept.clone();
    for (member, value) in [
        ("name", json!("web")),
        ("image", json!("web:1")),
        ("command", json!(["old"])),
        ("cpu", json!(0)),
        ("memoryReservation", json!(64)),
        ("mountPoints", json!([])),
        (
            "dependsOn",
            json!([{"containerName": "gone", "condition": "START"}]),
        ),
        (
            "portMappings",
            json!([
                {"containerPort": 80, "hostPort": 80, "protocol": "tcp", "name": "http",
                 "appProtocol": "http"},
            ]),
        ),
    ] {
        before[member] = value;
    }
    before
}

#[test]
fn a_container_keeps_what_docker_has_no_word_for_and_what_the_file_leaves_open() {
    let log = json!({"logDriver": "awslogs", "options": {"awslogs-group": "web"}});
    let kept = json!({
        "environmentFiles": [{"value": "arn:aws:s3:::env/web.env", "type": "s3"}],
        "logConfiguration": log,
        "repositoryCredentials": {"credentialsParameter": "arn:aws:secretsmanager:a"},
        "secrets": [{"name": "TOKEN", "valueFrom": "arn:aws:ssm:token"}],
        "startTimeout": 60,
        "versionConsistency": "disabled",
    });
    let before = with_others(&kept);
    let running = running(json!({"family": "web", "containerDefinitions": [before]}));
    let config = json!({"Env": ["TOKEN=hush", "LEVEL=info"], "ExposedPorts": {"80/tcp": {}}});
    let (web, listed) = on(&running, config.clone(), json!({}));

    let mut expected = kept;
    expected["environment"] = json!([{"name": "LEVEL", "value": "info"}]);
    expected["memoryReservation"] = json!(64);
    expected["portMappings"] = json!([
        {"containerPort": 80, "protocol": "tcp", "appProtocol": "http", "name": "http"},
    ]);
    assert_eq!(web, expected);
    assert_eq!(
        listed,
        [
            "web.Config.Env.TOKEN (a text): the running definition takes it from a secret",
            "containerDefinitions.web.dependsOn.gone (START): the file does not have this container",
        ]
    );

    // The file wins where it sets something.
    let host = json!({"Memory": 67_108_864, "LogConfig": {"Type": "syslog", "Config": {}}});
    let (web, _) = on(&running, config, host);
    assert_eq!(web["logConfiguration"], json!({"logDriver": "syslog"}));
    assert_eq!(
        (&web["memory"], &web["memoryReservation"]),
        (&json!(64), &Value::Null)
    );
}

#[test]
fn a_dependency_on_a_container_of_the_file_stays() {
    let needs = json!([{"containerName": "db", "condition": "START"}]);
    let running = running(json!({"family": "web", "containerDefinitions": [
        {"name": "web", "image": "web:1", "memory": 64, "dependsOn": needs},
    ]}));
    let db = json!({"Name": "/db", "Config": {"Image": "db:1"}, "HostConfig": {}});
    let file = parse(&json!([container(json!({}), json!({})), db]), &running);
    assert_eq!(containers(&file)[1]["dependsOn"], needs);
}

#[test]
fn the_same_file_on_its_own_result_changes_nothing() {
    let host = json!({
        "Binds": ["/srv/a:/a", "data:/b", "/c"], "PidMode": "host", "NanoCpus": 500_000_000,
    });
    let file = container(json!({"ExposedPorts": {"80/tcp": {}}}), host);
    let first = parse(
        &file,
        &running(json!({"family": "web", "containerDefinitions": [
            {"name": "other", "image": "other:1", "memory": 64},
        ]})),
    );
    let second = parse(&file, &first.definition);

    assert_eq!(first.definition.text(), second.definition.text());
}

#[test]
fn a_namespace_of_one_container_is_not_that_of_the_task() {
    let db = json!({"Name": "/db", "Config": {"Image": "db:1"}, "HostConfig": {}});
    let web = container(json!({}), json!({"IpcMode": "host", "Memory": 67_108_864}));
    let mut small = db;
    small["HostConfig"]["Memory"] = json!(67_108_864);
    let file = parse(&json!([web, small]), &on_instances());

    assert!(!file.definition.text().contains("ipcMode"));
    assert_eq!(
        listed(&file),
        [
            "web.HostConfig.IpcMode (host): ECS has it for the task; set `ipcMode` in the task \
          definition"
        ]
    );
}

#[test]
fn a_health_check_stays_unless_the_file_has_one_or_none() {
    let before = json!({"command": ["CMD", "before"]});
    let running = running(json!({"family": "web", "containerDefinitions": [
        {"name": "web", "image": "web:1", "memory": 128, "healthCheck": before},
    ]}));

    for (config, expected) in [
        (json!({}), json!({"healthCheck": before})),
        (
            json!({"Healthcheck": {"Test": []}}),
            json!({"healthCheck": before}),
        ),
        (json!({"Healthcheck": {"Test": ["NONE"]}}), json!({})),
        (
            json!({"Healthcheck": {"Test": ["CMD", "true"]}}),
            json!({"healthCheck": {"command": ["CMD", "true"], "timeout": 30}}),
        ),
    ] {
        let made = on(&running, config.clone(), json!({}));
        assert_eq!(made, (expected, Vec::new()), "{config}");
    }
}

#[test]
fn volumes_that_only_ecs_has_stay_mounted_where_the_file_mounts_nothing() {
    let running = running(json!({
        "family": "web",
        "volumes": [
            {"name": "files", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}},
            {"name": "disk", "configuredAtLaunch": true},
            {"name": "host", "host": {"sourcePath": "/srv"}},
            {"name": "docker", "dockerVolumeConfiguration": {"scope": "shared"}},
        ],
        "containerDefinitions": [{"name": "web", "image": "web:1", "memory": 128, "mountPoints": [
            {"sourceVolume": "files", "containerPath": "/files", "readOnly": true},
            {"sourceVolume": "files", "containerPath": "/cache"},
            {"sourceVolume": "disk", "containerPath": "/disk"},
            {"sourceVolume": "disk", "containerPath": "/data/"},
            {"sourceVolume": "host", "containerPath": "/host"},
            {"sourceVolume": "docker", "containerPath": "/docker"},
        ]}],
    }));
    let host = json!({"Binds": ["/srv/data:/data"], "Tmpfs": {"/cache": "size=1m"}});
    let (web, listed) = on(&running, json!({}), host);

    assert_eq!(
        web["mountPoints"],
        json!([
            {"sourceVolume": "srv-data", "containerPath": "/data"},
            {"sourceVolume": "files", "containerPath": "/files", "readOnly": true},
            {"sourceVolume": "disk", "containerPath": "/disk"},
        ])
    );
    assert_eq!(listed, [""; 0]);
}

#[test]
fn a_default_of_the_docker_daemon_never_replaces_where_the_output_goes() {
    let log = json!({"logDriver": "awslogs", "options": {"awslogs-group": "web"}});
    let running = running(json!({"family": "web", "containerDefinitions": [
        {"name": "web", "image": "web:1", "memory": 128, "logConfiguration": log},
    ]}));
    for (driver, options, count) in [
        ("json-file", json!({"max-size": "10m"}), 1),
        ("journald", Value::Null, 0),
    ] {
        let host = json!({"LogConfig": {"Type": driver, "Config": options}});
        let made = on(&running, json!({}), host);

        let listed = format!(
            "web.HostConfig.LogConfig.Type ({driver}, options: {count}): it can be the daemon's \
             default; the running definition decides"
        );
        assert_eq!(made, (json!({"logConfiguration": log}), vec![listed]));
    }
}

#[test]
fn a_container_that_ecs_started_is_the_one_of_its_definition_with_its_secrets() {
    let running = running(json!({
        "family": "web", "networkMode": "awsvpc", "containerDefinitions": [{
            "name": "web", "image": "web:1", "memory": 128,
            "secrets": [{"name": "DB_PASSWORD", "valueFrom": "/prod/db"}],
        }],
    }));
    let started = |name: &str, docker_name: &str, env: Value| {
        let labels = json!({
            "com.amazonaws.ecs.container-name": name, "com.amazonaws.ecs.cluster": "apps",
        });
        let mut file = container(json!({"Env": env, "Labels": labels}), json!({}));
        file["Name"] = json!(docker_name);
        file
    };
    let env = json!([
        "DB_PASSWORD=hush7hush7",
        "LEVEL=debug",
        "ECS_AGENT_URI=http://169.254.170.2/api/0a",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/credentials/0a",
        "ECS_CONTAINER_METADATA_URI_V4=http://169.254.170.2/v4/0a",
    ]);
    let web = started("web", "/ecs-web-7-web-acc699c0cbf2d6d11700", env.clone());
    let pause = started("~internal~ecs~pause", "/ecs-web-7-pause-0a", json!([]));
    let file = parse(&json!([pause, web]), &running);

    let [made] = <[Value; 1]>::try_from(containers(&file)).expect("one container");
    assert_eq!(made["name"], "web");
    let level = json!([{"name": "LEVEL", "value": "debug"}]);
    assert_eq!(made["environment"], level);
    assert_eq!(made["secrets"][0]["name"], "DB_PASSWORD");
    assert_eq!(
        listed(&file),
        [
            "web.Config.Labels.com.amazonaws.ecs.* (labels: 2): the ECS agent writes them itself",
            "web.Config.Env.DB_PASSWORD (a text): the running definition takes it from a secret",
            "internal-ecs-pause (a container): it holds network and ports of a pod or a task; the \
             running definition has those of the task",
        ]
    );

    // Without the label such a variable is like any other.
    let (made, _) = on(&running, json!({ "Env": env }), json!({}));
    assert_eq!(made["environment"].as_array().map(Vec::len), Some(4));
}

#[test]
fn the_beginning_of_the_names_of_log_streams_stays_since_docker_has_no_option_for_it() {
    let log = |options: Value| json!({"logDriver": "awslogs", "options": options});
    let before = json!({
        "awslogs-group": "web", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "ecs",
    });
    let running = running(json!({"family": "web", "containerDefinitions": [
        {"name": "web", "image": "web:1", "memory": 128, "logConfiguration": log(before)},
    ]}));
    let given = json!({
        "awslogs-group": "web-2", "awslogs-region": "eu-west-1", "awslogs-stream": "ecs/web/0a1b",
    });
    let host = json!({"LogConfig": {"Type": "awslogs", "Config": given}});
    let (web, listed) = on(&running, json!({}), host);

    let made = json!({
        "awslogs-group": "web-2", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "ecs",
    });
    assert_eq!(web["logConfiguration"], log(made));
    let reason = "ECS does not take this option of awslogs";
    let option = "web.HostConfig.LogConfig.Config.awslogs-stream";
    assert_eq!(listed, [format!("{option} (a text): {reason}")]);

    let host = json!({"LogConfig": {"Type": "syslog", "Config": {"tag": "web"}}});
    let (web, _) = on(&running, json!({}), host);
    assert_eq!(web["logConfiguration"]["options"], json!({"tag": "web"}));
}
