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
fn credentials_of_a_registry_need_a_role_and_accelerators_are_gone() {
    let credentials = json!({ "repositoryCredentials": { "credentialsParameter": "arn" } });
    assert!(refused(plain(), json!({}), credentials).contains("repository credentials"));

    let accelerators = json!([{ "deviceName": "device", "deviceType": "eia2.medium" }]);
    assert_eq!(
        refused(
            plain(),
            json!({ "inferenceAccelerators": accelerators }),
            json!({})
        ),
        client("Unsupported field 'inferenceAccelerators'")
    );
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
            json!({ "volumes": [{ "name": "a", "fsxWindowsFileServerVolumeConfiguration": {} }] }),
            json!({}),
        ),
        (
            json!({ "placementConstraints": [{ "type": "memberOf", "expression": "task:a" }] }),
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
fn a_proxy_is_a_container_of_a_task_with_an_interface_and_has_ports() {
    let proxy = |name: &str, missing: &str| {
        let ports = [
            ("AppPorts", "80"),
            ("ProxyIngressPort", "15000"),
            ("ProxyEgressPort", "15001"),
        ];
        let given = ports.map(|(port, value)| {
            let value = if port == missing { "" } else { value };
            json!({ "name": port, "value": value })
        });
        json!({ "proxyConfiguration": { "containerName": name, "properties": given } })
    };
    for (definition, name, missing, words) in [
        (
            fargate(),
            "envoy",
            "",
            "Proxy container [envoy] does not exist",
        ),
        (
            plain(),
            "app",
            "",
            "APPMESH proxy configuration is only supported in networkMode=awsvpc",
        ),
        (fargate(), "app", "AppPorts", "App ports not found"),
        (
            fargate(),
            "app",
            "ProxyIngressPort",
            "Ingress port not found",
        ),
        (fargate(), "app", "ProxyEgressPort", "Egress port not found"),
    ] {
        let refused = refused(definition, proxy(name, missing), json!({}));
        assert_eq!(refused, client(words));
    }

    let mut definition = fargate();
    definition["proxyConfiguration"] = proxy("app", "")["proxyConfiguration"].clone();
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

#[test]
fn windows_has_fewer_sizes_on_fargate() {
    let windows = json!({ "operatingSystemFamily": "WINDOWS_SERVER_2022_CORE" });
    let size = |cpu: &str, memory: &str| {
        let mut members = json!({ "cpu": cpu, "memory": memory });
        members["runtimePlatform"] = windows.clone();
        members
    };
    for (cpu, memory) in [("512", "1024"), ("8192", "16384")] {
        let refused = refused(fargate(), size(cpu, memory), json!({}));
        assert!(
            refused.contains("No Fargate configuration exists for given values"),
            "{refused}"
        );
    }

    let mut definition = fargate();
    let members = definition.as_object_mut().expect("an object");
    members.extend(size("1024", "2048").as_object().expect("members").clone());
    World::new(1).ok("RegisterTaskDefinition", definition);
}
