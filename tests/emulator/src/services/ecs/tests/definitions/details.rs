use super::*;

/// Changes members of a definition and of its container, and returns the refusal.
pub(super) fn refused(mut definition: Value, members: Value, of_container: Value) -> String {
    let extend = |value: &mut Value, more: &Value| {
        let more = more.as_object().expect("members").clone();
        value.as_object_mut().expect("an object").extend(more);
    };
    extend(&mut definition, &members);
    extend(&mut definition["containerDefinitions"][0], &of_container);
    World::new(1).err("RegisterTaskDefinition", definition)
}

#[test]
fn roles_are_arns_or_names() {
    for role in [
        "arn:aws:iam::<ACCOUNT_ID>:role/exec",
        "",
        "arn:aws:s3:::a",
        "a b",
    ] {
        let refused = refused(plain(), json!({ "executionRoleArn": role }), json!({}));
        assert_eq!(refused, "ClientException: Role is not valid", "{role}");
    }
    for role in ["arn:aws-cn:iam::111122223333:role/path/exec", "exec"] {
        let mut definition = plain();
        definition["taskRoleArn"] = json!(role);
        World::new(1).ok("RegisterTaskDefinition", definition);
    }
}

#[test]
fn what_a_definition_refers_to_is_in_it() {
    let mount = json!({ "mountPoints": [{ "sourceVolume": "data", "containerPath": "/data" }] });
    let refused_mount = refused(plain(), json!({}), mount);
    assert_eq!(refused_mount, "ClientException: Unknown volume 'data'.");

    let from = json!({ "volumesFrom": [{ "sourceContainer": "other" }] });
    assert!(refused(plain(), json!({}), from).contains("Unknown container 'other'"));

    let credentials = json!({ "repositoryCredentials": { "credentialsParameter": "arn" } });
    assert!(refused(plain(), json!({}), credentials).contains("repository credentials"));
}

#[test]
fn words_and_bounds_are_those_of_the_api() {
    for (members, words) in [
        (
            json!({ "pidMode": "container" }),
            "is not a valid value for pidMode",
        ),
        (
            json!({ "ipcMode": "private" }),
            "is not a valid value for ipcMode",
        ),
        (
            json!({ "requiresCompatibilities": ["FARGAT"] }),
            "Valid values",
        ),
    ] {
        let refused = refused(plain(), members, json!({}));
        assert!(refused.contains(words), "{refused}");
    }

    for of_container in [
        json!({ "logConfiguration": { "logDriver": "awslog" } }),
        json!({ "healthCheck": { "command": [] } }),
        json!({ "healthCheck": { "command": ["CMD", "true"], "interval": 1 } }),
        json!({ "healthCheck": { "command": ["CMD", "true"], "timeout": 61 } }),
    ] {
        let refused = refused(plain(), json!({}), of_container);
        assert!(refused.starts_with("ClientException: "), "{refused}");
    }
    let mut definition = plain();
    definition["containerDefinitions"][0]["healthCheck"] =
        json!({ "command": ["CMD", "true"], "interval": 300, "timeout": 60, "retries": 10 });
    World::new(1).ok("RegisterTaskDefinition", definition);

    let container = plain()["containerDefinitions"][0].clone();
    let many: Vec<Value> = (0..11)
        .map(|at| {
            let mut container = container.clone();
            container["name"] = json!(format!("app-{at}"));
            container
        })
        .collect();
    let refused = refusal(plain(), "/containerDefinitions", json!(many));
    assert!(refused.contains("The maximum is 10"), "{refused}");
}

#[test]
fn containers_share_the_size_of_the_task() {
    for (task, of_container) in [
        (json!({ "cpu": ".25 vCPU" }), json!({ "cpu": 257 })),
        (
            json!({ "memory": "1GB" }),
            json!({ "memoryReservation": 1025, "memory": null }),
        ),
    ] {
        let refused = refused(plain(), task, of_container);
        assert!(refused.contains("greater than for the task"), "{refused}");
    }
}

#[test]
fn fargate_lacks_what_belongs_to_an_instance() {
    for (members, of_container) in [
        (json!({}), json!({ "privileged": true })),
        (
            json!({}),
            json!({ "resourceRequirements": [{ "type": "GPU", "value": "1" }] }),
        ),
        (json!({ "ipcMode": "task" }), json!({})),
        (
            json!({ "volumes": [{ "name": "a", "host": { "sourcePath": "/a" } }] }),
            json!({}),
        ),
        (
            json!({ "volumes": [{ "name": "a", "dockerVolumeConfiguration": {} }] }),
            json!({}),
        ),
        (
            json!({}),
            json!({ "dockerSecurityOptions": ["no-new-privileges"] }),
        ),
        (
            json!({}),
            json!({ "linuxParameters": { "devices": [{ "hostPath": "/dev/a" }] } }),
        ),
        (json!({}), json!({ "linuxParameters": { "maxSwap": 0 } })),
    ] {
        let refused = refused(fargate(), members, of_container);
        assert!(
            refused.contains("Fargate compatible task definitions do not support"),
            "{refused}"
        );
    }
}

#[test]
fn fargate_adds_one_capability_and_has_bounds_of_times() {
    let capabilities = json!({ "add": ["SYS_PTRACE", "NET_ADMIN"] });
    let parameters = json!({ "linuxParameters": { "capabilities": capabilities } });
    for (members, of_container, words) in [
        (
            json!({}),
            parameters,
            "NET_ADMIN is not allowed on Fargate.",
        ),
        (
            json!({ "pidMode": "host" }),
            json!({}),
            "Tasks using the Fargate launch type do not support pidMode 'host'",
        ),
        (
            json!({}),
            json!({ "stopTimeout": 1 }),
            "Invalid 'stopTimeout' setting for container 'app'. The valid values for Fargate are \
             2-120 seconds.",
        ),
        (
            json!({}),
            json!({ "startTimeout": 121 }),
            "Invalid 'startTimeout' setting for container 'app'. The valid values for Fargate are \
             2-120 seconds.",
        ),
    ] {
        assert_eq!(refused(fargate(), members, of_container), client(words));
    }

    let mut definition = fargate();
    definition["containerDefinitions"][0]["stopTimeout"] = json!(120);
    World::new(1).ok("RegisterTaskDefinition", definition);
    let mut definition = plain();
    definition["containerDefinitions"][0]["stopTimeout"] = json!(1);
    World::new(1).ok("RegisterTaskDefinition", definition);
}

#[test]
fn the_container_of_a_proxy_is_in_the_task_and_the_task_has_an_interface() {
    let proxy = |name: &str| json!({ "proxyConfiguration": { "containerName": name } });
    assert_eq!(
        refused(fargate(), proxy("envoy"), json!({})),
        client("Proxy container [envoy] does not exist")
    );
    assert_eq!(
        refused(plain(), proxy("app"), json!({})),
        client("APPMESH proxy configuration is only supported in networkMode=awsvpc")
    );

    let mut definition = fargate();
    definition["proxyConfiguration"] = json!({ "containerName": "app" });
    World::new(1).ok("RegisterTaskDefinition", definition);
}

/// Only on the bridge a port of the host can be another one than the container's.
#[test]
fn without_a_network_mode_a_task_is_on_the_bridge_and_not_on_fargate() {
    let mut definition = plain();
    definition["containerDefinitions"][0]["portMappings"] =
        json!([{"containerPort": 80, "hostPort": 8080}]);
    World::new(1).ok("RegisterTaskDefinition", definition.clone());
    for mode in ["host", "awsvpc"] {
        let refused = refusal(definition.clone(), "/networkMode", json!(mode));
        assert!(refused.contains("must match"), "{mode}: {refused}");
    }

    let mut definition = fargate();
    let members = definition.as_object_mut().unwrap();
    members.shift_remove("networkMode");
    assert_eq!(
        World::new(1).err("RegisterTaskDefinition", definition),
        "ClientException: Fargate only supports network mode ‘awsvpc’."
    );
}
