//! What a container may write and reach: mounts, devices, options, ports and names.

use super::*;

/// The container `web` with these mounts and members of `HostConfig`: its mount points, the volumes
/// of the task, and what is listed.
fn mounted(mounts: Value, host: Value) -> (Value, Value, Vec<String>) {
    let mut file = container(json!({}), host);
    file["Mounts"] = mounts;
    of_file(&file)
}

fn of_file(file: &Value) -> (Value, Value, Vec<String>) {
    let parsed = parse(file, &on_instances());
    let definition: Value = serde_json::from_str(&parsed.definition.text()).expect("JSON");
    let web = &definition["containerDefinitions"][0];
    (
        web["mountPoints"].clone(),
        definition["volumes"].clone(),
        listed(&parsed),
    )
}

#[test]
fn a_mount_that_is_read_only_stays_so_however_docker_prints_it() {
    let bind = json!({
        "Type": "bind", "Source": "/srv/a", "Destination": "/data", "RW": false,
    });
    let requested = json!({
        "Type": "bind", "Source": "/srv/a", "Target": "/data", "ReadOnly": true,
    });
    let mut old = container(json!({}), json!({}));
    old["Volumes"] = json!({"/data": "/srv/a"});
    old["VolumesRW"] = json!({"/data": false});

    let expected = json!([
        {"sourceVolume": "srv-a", "containerPath": "/data", "readOnly": true},
    ]);
    for (points, _, listed) in [
        mounted(json!([bind]), json!({})),
        mounted(json!([]), json!({"Mounts": [requested]})),
        mounted(json!([]), json!({"Binds": ["/srv/a:/data:ro"]})),
        of_file(&old),
    ] {
        assert_eq!((&points, listed), (&expected, Vec::new()));
    }

    let (points, _, listed) = mounted(json!([]), json!({"Binds": ["/srv/a:/data:ro,z"]}));
    assert_eq!(points, expected);
    assert_eq!(
        listed,
        ["web.HostConfig.Binds./data (z): ECS mounts without options"]
    );
}

#[test]
fn memory_that_is_read_only_stays_so() {
    let mount = json!({
        "Type": "tmpfs", "Target": "/cache", "ReadOnly": true,
        "TmpfsOptions": {"SizeBytes": 1_048_576},
    });
    let tmpfs = json!([{"containerPath": "/cache", "size": 1, "mountOptions": ["ro"]}]);
    check_rows(&[(
        json!({}),
        json!({"Mounts": [mount]}),
        json!({"linuxParameters": {"tmpfs": tmpfs}}),
    )]);
}

#[test]
fn the_propagation_of_a_mount_is_listed_once() {
    let listed = |mode: &str, propagation: &str| {
        let bind = json!({
            "Type": "bind", "Source": "/srv/a", "Destination": "/data", "RW": true,
            "Mode": mode, "Propagation": propagation,
        });
        mounted(json!([bind]), json!({})).2
    };
    let expected =
        |word: &str| format!("web.Mounts[0].Destination ({word}): ECS mounts without options");

    assert_eq!(listed("", "rslave"), [expected("rslave")]);
    assert_eq!(listed("rshared", "rshared"), [expected("rshared")]);
    assert_eq!(listed("rw", "private"), [""; 0]);
}

#[test]
fn a_volume_keeps_its_driver_however_docker_prints_it() {
    let has = json!({
        "Type": "volume", "Name": "d", "Destination": "/d", "Driver": "rexray/ebs", "RW": true,
    });
    let requested = json!({
        "Type": "volume", "Source": "d", "Target": "/d",
        "VolumeOptions": {"DriverConfig": {"Name": "rexray/ebs"}},
    });
    let docker = json!({"scope": "shared", "autoprovision": true, "driver": "rexray/ebs"});
    for (_, volumes, listed) in [
        mounted(json!([has]), json!({})),
        mounted(json!([]), json!({"Mounts": [requested]})),
    ] {
        assert_eq!(
            (volumes, listed),
            (
                json!([{"name": "d", "dockerVolumeConfiguration": docker}]),
                Vec::new()
            )
        );
    }
}

#[test]
fn what_comes_from_another_container_is_not_mounted_again() {
    let volume = |name: &str, at: &str| json!({"Type": "volume", "Name": name, "Destination": at});
    let mut web = container(json!({}), json!({"VolumesFrom": ["data"]}));
    web["Mounts"] = json!([volume("shared", "/shared/"), volume("own", "/own")]);
    let data = json!({
        "Name": "/data", "Config": {"Image": "data:1"}, "HostConfig": {"Memory": 67_108_864},
        "Mounts": [volume("shared", "/shared")],
    });
    let web = &containers(&parse(&json!([data, web]), &on_instances()))[1];

    assert_eq!(web["volumesFrom"], json!([{"sourceContainer": "data"}]));
    assert_eq!(
        web["mountPoints"],
        json!([{"sourceVolume": "own", "containerPath": "/own"}])
    );
}

#[test]
fn the_root_of_a_host_and_a_long_name_have_names_that_ecs_takes() {
    let (points, volumes, _) = mounted(json!([]), json!({"Binds": ["/:/host:ro"]}));
    assert_eq!(points[0]["sourceVolume"], "root");
    assert_eq!(
        volumes,
        json!([{"name": "root", "host": {"sourcePath": "/"}}])
    );

    let mut long = container(json!({}), json!({}));
    long["Name"] = json!(format!("/{}", "a".repeat(256)));
    let made = &containers(&parse(&long, &on_fargate()))[0];
    assert_eq!(made["name"], json!("a".repeat(255)));
}

#[test]
fn every_permission_of_a_device_is_kept() {
    let device = |letters: &str| {
        json!({"Devices": [
            {"PathOnHost": "/dev/a", "PathInContainer": "/dev/a", "CgroupPermissions": letters},
        ]})
    };
    for (letters, words) in [
        ("rwm", &["read", "write", "mknod"][..]),
        ("w", &["write"][..]),
        ("r", &["read"][..]),
    ] {
        let made = json!({"hostPath": "/dev/a", "containerPath": "/dev/a", "permissions": words});
        check_rows(&[(
            json!({}),
            device(letters),
            json!({"linuxParameters": {"devices": [made]}}),
        )]);
    }
}

#[test]
fn devices_that_are_no_number_of_gpus_are_listed() {
    let field = "web.HostConfig.DeviceRequests[0].Count";
    let reason = "ECS takes a number of GPUs; give `resourceRequirements`";
    for (count, kind) in [(-1, "gpu"), (0, "gpu"), (1, "tpu")] {
        let expected = format!("{field} ({count}): {reason}");
        check_listed(&[(
            json!({}),
            json!({"DeviceRequests": [{"Count": count, "Capabilities": [[kind]]}]}),
            &[expected.as_str()],
        )]);
    }
}

#[test]
fn the_gpus_of_all_requests_are_one_number() {
    let request = |count: i64| json!({"Count": count, "Capabilities": [["gpu"]]});
    check_rows(&[(
        json!({}),
        json!({"DeviceRequests": [request(1), request(2)]}),
        json!({"resourceRequirements": [{"type": "GPU", "value": "3"}]}),
    )]);
}

#[test]
fn security_options_are_kept_in_the_form_of_ecs_and_what_turns_one_off_is_listed() {
    check_rows(&[(
        json!({}),
        json!({"SecurityOpt": [
            "no-new-privileges=true", "label=disable", "credentialspec=file://web.json",
        ]}),
        json!({"dockerSecurityOptions": [
            "credentialspec:file://web.json", "label:disable", "no-new-privileges",
        ]}),
    )]);
    check_listed(&[(
        json!({}),
        json!({"SecurityOpt": ["no-new-privileges:false"]}),
        &["web.HostConfig.SecurityOpt (no-new-privileges): ECS does not take this option"],
    )]);
}

#[test]
fn namespaces_and_hidden_paths_that_were_given_are_listed() {
    check_listed(&[
        (
            json!({}),
            json!({"IpcMode": "none", "CgroupnsMode": "host"}),
            &[
                "web.HostConfig.IpcMode (none): ECS has it for the task; set `ipcMode` in the task \
                 definition",
                "web.HostConfig.CgroupnsMode (host): the container instance decides it",
            ],
        ),
        (
            json!({}),
            json!({"MaskedPaths": ["/proc/kcore", "/etc/shadow"], "ReadonlyPaths": []}),
            &[
                "web.HostConfig.MaskedPaths (a list of 2): ECS keeps the paths of Docker",
                "web.HostConfig.ReadonlyPaths (a list of 0): ECS keeps the paths of Docker",
            ],
        ),
    ]);
}

#[test]
fn a_host_has_its_plain_address_and_one_without_is_listed() {
    check_rows(&[(
        json!({}),
        json!({"ExtraHosts": ["six:[2001:db8::1]"]}),
        json!({"extraHosts": [{"hostname": "six", "ipAddress": "2001:db8::1"}]}),
    )]);
    for entry in ["db:", ":10.0.0.7", "db"] {
        check_listed(&[(
            json!({}),
            json!({"ExtraHosts": [entry]}),
            &["web.HostConfig.ExtraHosts (a text): ECS takes a host and its address"],
        )]);
    }
}

#[test]
fn the_ports_of_a_range_are_in_order_and_those_of_its_host_are_listed() {
    let bindings = json!({"3000-3005/TCP": [{"HostPort": "8000"}]});
    let (web, listed) = on_bridge(json!({}), json!({"PortBindings": bindings}));
    assert_eq!(
        web["portMappings"],
        json!([{"containerPortRange": "3000-3005", "protocol": "tcp"}])
    );
    assert_eq!(
        listed,
        [
            "web.HostConfig.PortBindings.3000/tcp.HostPort (8000): ECS finds the ports of the \
             instance for a range"
        ]
    );

    let reversed = container(json!({"ExposedPorts": {"3005-3000/tcp": {}}}), json!({}));
    let read = BaseFile::parse(reversed.to_string().as_bytes(), &on_instances());
    let refusal = read.expect_err("refused");
    assert!(
        refusal.contains("has the port `3005-3000/tcp`"),
        "{refusal}"
    );
}

#[test]
fn a_health_check_without_a_command_is_refused() {
    for kind in ["CMD", "CMD-SHELL"] {
        let check = json!({"Healthcheck": {"Test": [kind]}});
        let file = container(check, json!({}));
        let read = BaseFile::parse(file.to_string().as_bytes(), &on_instances());
        let refusal = read.expect_err("refused");
        let expected = "`web.Config.Healthcheck.Test` has no command";
        assert!(refusal.contains(expected), "{refusal}");
    }
}

#[test]
fn what_the_build_of_an_image_left_is_not_taken_over() {
    let config = json!({
        "ArgsEscaped": true, "AttachStderr": true, "AttachStdin": true, "AttachStdout": true,
        "Domainname": "example.org", "Hostname": "front", "Image": "sha256:1",
        "MacAddress": "02:42:ac:11:00:02", "NetworkDisabled": true, "OpenStdin": true,
        "StdinOnce": true, "StopSignal": "SIGQUIT", "Tty": true, "Cmd": ["run"],
    });
    let image = json!({
        "Id": "sha256:85f05633ddc1", "RepoTags": ["example/web:1"], "RootFS": {}, "Config": config,
    });
    let parsed = parse(&image, &on_fargate());
    assert_eq!(
        containers(&parsed),
        [json!({"name": "web", "image": "example/web:1", "command": ["run"]})]
    );
    assert_eq!(listed(&parsed), [""; 0]);
}

#[test]
fn nothing_that_a_container_has_from_its_image_is_repeated_or_listed() {
    let config = json!({
        "ArgsEscaped": true, "OnBuild": ["RUN x"], "Shell": ["sh"], "StopSignal": "SIGQUIT",
        "User": "app", "WorkingDir": "/srv",
    });
    let image = json!({
        "Id": "sha256:85f05633ddc1", "RepoTags": ["web:2"], "RootFS": {}, "Config": config,
    });
    let parsed = parse(&json!([container(config, json!({})), image]), &on_fargate());
    assert_eq!(
        containers(&parsed),
        [json!({"name": "web", "image": "web:2"})]
    );
    assert_eq!(listed(&parsed), [""; 0]);
}

#[test]
fn an_image_without_a_tag_is_known_by_its_digest() {
    let reference = format!("example/api@sha256:{}", "0a".repeat(32));
    let image = json!({
        "Id": "sha256:85f05633ddc1", "RepoTags": ["<none>:<none>"], "RepoDigests": [reference],
        "RootFS": {}, "Config": {},
    });
    assert_eq!(
        containers(&parse(&image, &on_fargate())),
        [json!({"name": "api", "image": reference})]
    );
}
