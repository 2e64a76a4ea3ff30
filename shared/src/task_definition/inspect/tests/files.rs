//! The forms of a file: containers and images, in a list or alone, in any encoding and order.

use super::*;

fn image() -> Value {
    json!({
        "Id": "sha256:85f05633ddc1", "RepoTags": ["example/api:latest", "example/api:1.0"],
        "RepoDigests": [], "Os": "linux",
        "ContainerConfig": {"Cmd": ["/bin/sh", "-c", "#(nop) CMD"]},
        "Config": {
            "Hostname": "e611e15f9c9d", "Image": "sha256:1", "Env": ["PATH=/bin", "LEVEL=info"],
            "Entrypoint": ["tini"], "Cmd": ["serve"], "WorkingDir": "/srv", "User": "app",
            "Labels": {"vendor": "a"}, "ExposedPorts": {"80/tcp": {}}, "StopSignal": "SIGQUIT",
            "OnBuild": null,
        },
    })
}

#[test]
fn an_image_is_a_container_of_its_name_with_all_that_it_has() {
    for file in [image(), json!([image()])] {
        let parsed = parse(&file, &on_instances());
        assert_eq!(
            containers(&parsed),
            [json!({
                "name": "api", "image": "example/api:1.0",
                "command": ["serve"],
                "dockerLabels": {"vendor": "a"},
                "entryPoint": ["tini"],
                "environment": [
                    {"name": "LEVEL", "value": "info"}, {"name": "PATH", "value": "/bin"},
                ],
                "memoryReservation": 512,
                "portMappings": [{"containerPort": 80, "protocol": "tcp"}],
                "user": "app",
                "workingDirectory": "/srv",
            })]
        );
        assert_eq!(
            listed(&parsed),
            [
                "containerDefinitions.web (a container): it is not in the file: it is removed",
                "api.HostConfig.Memory (0): ECS needs a number; 512 MiB are reserved",
            ]
        );
    }
}

#[test]
fn what_a_container_has_from_its_image_is_not_repeated_if_the_file_has_the_image() {
    let made = |file: Value| containers(&parse(&file, &on_instances()));
    let mut container = json!({"Name": "/web", "Config": image()["Config"], "HostConfig": {}});
    container["Config"]["Env"] = json!(["PATH=/bin", "LEVEL=debug"]);
    container["Config"]["Labels"] = json!({"vendor": "a", "team": "web"});
    container["Config"]["Image"] = json!("example/api");
    let own = json!({
        "name": "web", "image": "example/api",
        "dockerLabels": {"team": "web"},
        "environment": [{"name": "LEVEL", "value": "debug"}],
        "memory": 128,
        "portMappings": [{"containerPort": 80, "protocol": "tcp"}],
    });
    assert_eq!(
        made(json!([container, image()])),
        std::slice::from_ref(&own)
    );

    // Found by the id too, and an id is not an image that a registry knows.
    container["Config"]["Image"] = json!("85f05633ddc1");
    container["Image"] = json!("sha256:85f05633ddc1");
    let mut by_id = own;
    by_id["image"] = json!("<web>");
    assert_eq!(made(json!([image(), container])), [by_id]);

    // With an entry point of its own it does not have the command of the image.
    container["Config"]["Entrypoint"] = json!(["sh"]);
    let [web] = <[Value; 1]>::try_from(made(json!([image(), container]))).expect("one");
    assert_eq!(
        (&web["entryPoint"], &web["command"]),
        (&json!(["sh"]), &json!(["serve"]))
    );

    // Docker prints null for an entry point that was cleared: the command runs in its place.
    container["Config"]["Entrypoint"] = json!(null);
    let [web] = <[Value; 1]>::try_from(made(json!([image(), container]))).expect("one");
    assert_eq!(
        (&web["entryPoint"], &web["command"]),
        (&json!(["serve"]), &Value::Null)
    );

    let [web] = <[Value; 1]>::try_from(made(container)).expect("one");
    assert_eq!(web["environment"].as_array().map(Vec::len), Some(2));
    // Without the image nothing shows whether it has one.
    assert_eq!(
        (&web["entryPoint"], &web["command"]),
        (&Value::Null, &json!(["serve"]))
    );
}

#[test]
fn an_image_without_a_configuration_is_a_container_of_its_name() {
    for config in [json!(null), json!({})] {
        let image = json!({
            "Id": "sha256:85f05633ddc1", "RepoTags": ["example/scratch:1"], "Config": config,
            "Architecture": "amd64", "Os": "linux", "RootFS": {"Type": "layers"},
        });
        let parsed = parse(&image, &on_fargate());
        assert_eq!(
            containers(&parsed),
            [json!({"name": "scratch", "image": "example/scratch:1"})]
        );
    }
}

#[test]
fn a_container_of_docker_swarm_has_the_name_of_its_service() {
    let labels = json!({
        "com.docker.stack.namespace": "shop", "com.docker.swarm.service.name": "shop_web",
        "com.docker.swarm.task.id": "x4kq0v7", "team": "web",
    });
    let mut file = container(json!({"Labels": labels}), json!({}));
    file["Name"] = json!("/shop_web.1.x4kq0v7");
    let parsed = parse(&file, &on_fargate());

    assert_eq!(
        containers(&parsed),
        [json!({"name": "shop_web", "image": "web:2", "dockerLabels": {"team": "web"}})]
    );
    assert_eq!(
        listed(&parsed),
        [
            "containerDefinitions.web (a container): it is not in the file: it is removed",
            "shop_web.Config.Labels.com.docker.stack.* (labels: 1): Docker Swarm writes them for \
             itself",
            "shop_web.Config.Labels.com.docker.swarm.* (labels: 2): Docker Swarm writes them for \
             itself",
        ]
    );

    // A container that has only the label keeps its own name.
    file["Name"] = json!("/web");
    let names = |file: &Value| containers(&parse(file, &on_fargate()))[0]["name"].clone();
    assert_eq!(names(&file), "web");
}

#[test]
fn what_podman_prints_is_read_as_what_docker_prints() {
    let mut file = container(
        json!({
            "Entrypoint": "tini -- /entry.sh", "Cmd": ["serve"], "StopSignal": 15,
            "StopTimeout": 10, "Annotations": {"io.container.manager": "libpod"},
        }),
        json!({
            "CapAdd": ["CAP_NET_RAW"], "IpcMode": "private", "Runtime": "crun",
            "LogConfig": {"Type": "k8s-file", "Config": null, "Path": "/x", "Size": "0B"},
        }),
    );
    file["Name"] = json!("web");
    file["Path"] = json!("tini");
    file["Args"] = json!(["--", "/entry.sh", "serve"]);
    let parsed = parse(&file, &on_instances());

    assert_eq!(
        containers(&parsed),
        [json!({
            "name": "web", "image": "web:2", "memory": 128,
            "command": ["serve"],
            "entryPoint": ["tini", "--", "/entry.sh"],
            "linuxParameters": {"capabilities": {"add": ["NET_RAW"]}},
            "stopTimeout": 10,
        })]
    );
    assert_eq!(
        listed(&parsed),
        [
            "web.HostConfig.Runtime (crun): the container instance chooses the runtime",
            "web.HostConfig.LogConfig.Path (a text): ECS has no such setting",
            "web.HostConfig.LogConfig.Size (a text): ECS has no such setting",
            "web.HostConfig.LogConfig.Type (k8s-file): ECS does not take this driver here; the \
             running definition decides",
            "web.Config.Annotations (an object of 1): ECS has no such setting",
        ]
    );
}

#[test]
fn what_podman_sets_in_every_container_is_not_of_this_one() {
    let environment = json!([
        "TERM=xterm",
        "container=podman",
        "HOSTNAME=26cda334329b",
        "PORT=80",
    ]);
    let config = json!({
        "Hostname": "26cda334329b", "Env": environment,
        "Labels": {"PODMAN_SYSTEMD_UNIT": "web.service", "io.podman.compose.project": "shop"},
    });
    let mut file = container(config, json!({"NetworkMode": "bridge"}));
    file["NetworkSettings"] = json!({"Networks": {"podman": {"Aliases": ["26cda334329b"]}}});
    let parsed = parse(&file, &on_instances());

    let kept = json!([{"name": "PORT", "value": "80"}, {"name": "TERM", "value": "xterm"}]);
    assert_eq!(containers(&parsed)[0]["environment"], kept);
    assert!(containers(&parsed)[0].get("hostname").is_none());
    let labels = "web.Config.Labels";
    assert_eq!(
        listed(&parsed),
        [
            format!("{labels}.io.podman.* (labels: 1): Podman writes them for itself"),
            format!("{labels}.PODMAN_SYSTEMD_UNIT* (labels: 1): Podman writes it for systemd"),
        ]
    );
}

#[test]
fn variables_of_the_same_names_that_were_given_are_kept() {
    for (name, value) in [
        ("container", "oci"),
        ("HOSTNAME", "web"),
        ("HOSTNAME", "26cda"),
    ] {
        let config = json!({"Env": [format!("{name}={value}")]});
        let kept = json!({"environment": [{"name": name, "value": value}]});
        assert_eq!(on_bridge(config, json!({})), (kept, Vec::new()));
    }
}

#[test]
fn podman_names_limits_as_the_system_does_and_has_its_own_size_of_shared_memory() {
    let limits = json!([
        {"Name": "RLIMIT_NPROC", "Soft": 2048, "Hard": 4096},
        {"Name": "RLIMIT_NOFILE", "Soft": 1024, "Hard": -1},
        {"Name": "RLIMIT_AS", "Soft": 1, "Hard": 2},
    ]);
    let host = json!({"Ulimits": limits, "ShmSize": 65_536_000});
    let (made, listed) = on_bridge(json!({}), host);
    assert_eq!(
        made,
        json!({"ulimits": [
            {"name": "nofile", "softLimit": 1024, "hardLimit": -1},
            {"name": "nproc", "softLimit": 2048, "hardLimit": 4096},
        ]})
    );
    assert_eq!(
        listed,
        ["web.HostConfig.Ulimits.as (1:2): ECS has no such limit"]
    );
}

#[test]
fn the_health_check_that_podman_prints_beside_the_configuration_of_an_image_is_taken() {
    let check = json!({"Test": ["CMD", "true"], "Interval": 30_000_000_000_u64});
    for config in [json!({"Cmd": ["serve"]}), Value::Null] {
        let image = json!({
            "RepoTags": ["docker.io/library/web:2"], "Config": config, "Healthcheck": check,
        });
        let made = containers(&parse(&image, &on_fargate()));
        assert_eq!(
            made[0]["healthCheck"],
            json!({"command": ["CMD", "true"], "interval": 30, "timeout": 30})
        );
    }
}

#[test]
fn the_container_that_holds_the_network_of_a_pod_is_listed() {
    let mut infra = container(json!({}), json!({}));
    infra["Name"] = json!("c9e69ccc929c-infra");
    infra["IsInfra"] = json!(true);
    let mut web = container(json!({}), json!({}));
    web["IsInfra"] = json!(false);

    let parsed = parse(&json!([infra, web]), &on_instances());
    let names = containers(&parsed).into_iter().map(|it| it["name"].clone());
    assert_eq!(names.collect::<Vec<_>>(), ["web"]);
    assert_eq!(
        listed(&parsed),
        [
            "c9e69ccc929c-infra (a container): it holds network and ports of a pod or a task; the \
             running definition has those of the task"
        ]
    );
}

#[test]
fn containers_are_in_the_order_of_their_names_and_refer_to_each_other() {
    let named = |name: &str, host: Value| {
        json!({
            "Id": format!("{name}0123456789ab"), "Name": format!("/{name}"),
            "Config": {"Image": "a:1"}, "HostConfig": host,
            "Mounts": [{"Type": "volume", "Name": "d", "Destination": format!("/{name}"), "RW": true}],
        })
    };
    let front = named(
        "shop.front",
        json!({
            "Links": ["/shop_api_1:/shop.front/api", "/shop_api_1:/shop.front/shop_api_1"],
            "VolumesFrom": ["shop_api_10123456789ab:ro"],
        }),
    );
    let api = named("shop_api_1", json!({}));
    let first = parse(&json!([front, api]), &on_instances());
    let second = parse(&json!([api, front]), &on_instances());

    assert_eq!(first.definition.text(), second.definition.text());
    assert_eq!(listed(&first), listed(&second));
    let names: Vec<_> = first.definition.container_names().collect();
    assert_eq!(names, ["shop-front", "shop_api_1"]);
    let front = &containers(&first)[0];
    assert_eq!(front["links"], json!(["shop_api_1", "shop_api_1:api"]));
    assert_eq!(
        front["volumesFrom"],
        json!([{"sourceContainer": "shop_api_1", "readOnly": true}])
    );
}

#[test]
fn a_file_is_read_in_every_encoding_that_powershell_writes() {
    let text = container(json!({"Env": ["NAME=ä"]}), json!({})).to_string();
    let plain = BaseFile::parse(text.as_bytes(), &on_instances()).expect("it converts");
    let units = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes);

    for written in [
        [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        [0xff, 0xfe]
            .into_iter()
            .chain(units(u16::to_le_bytes))
            .collect(),
        [0xfe, 0xff]
            .into_iter()
            .chain(units(u16::to_be_bytes))
            .collect(),
        units(u16::to_le_bytes).collect(),
        text.replace(',', ",\r\n").into_bytes(),
    ] {
        assert_eq!(
            BaseFile::parse(&written, &on_instances()).as_ref(),
            Ok(&plain)
        );
    }
}

#[test]
fn neither_a_list_nor_debug_shows_a_secret() {
    let secret = "hush7hush7";
    let host = json!({
        "LogConfig": {"Type": "gcplogs", "Config": {"gcp-token": secret}},
        "Annotations": {"a": secret}, "StorageOpt": {"key": secret}, "NewIn2031": secret,
        "Sysctls": {"vm.a": secret}, "SecurityOpt": [format!("seccomp={secret}")],
        "Mounts": [{"Type": "volume", "Source": "data", "Target": "/data", "VolumeOptions": {
            "DriverConfig": {"Name": "nfs", "Options": {"password": secret}},
        }}],
    });
    let config = json!({
        "Env": [format!("TOKEN={secret}"), secret], "Cmd": ["--token", secret],
        "Labels": {"com.docker.compose.a": secret}, "Shell": [secret],
    });
    let mut file = container(config, host);
    file["NetworkSettings"] = json!({"Networks": {"bridge": {"DriverOpts": {"a": secret}}}});
    let parsed = parse(&file, &on_instances());

    assert_eq!(parsed.left_out.len(), 12, "{:#?}", parsed.left_out);
    let shown = format!("{parsed:?} {:?} {:?}", listed(&parsed), parsed.warning());
    assert!(!shown.contains(secret), "{shown}");
    assert!(parsed.definition.text().contains(secret));
}

#[test]
fn a_summary_names_the_first_settings_and_counts_the_others() {
    let warning = |host: Value| parse(&container(json!({}), host), &on_instances()).warning();

    assert_eq!(warning(json!({})), None);
    assert_eq!(
        warning(json!({"OomScoreAdj": 5})).as_deref(),
        Some("1 setting of docker inspect has no counterpart: web.HostConfig.OomScoreAdj")
    );
    let seven = json!({"A": 1, "B": 1, "C": 1, "D": 1, "E": 1, "F": 1, "G": 1});
    assert_eq!(
        warning(seven).as_deref(),
        Some(
            "7 settings of docker inspect have no counterpart: web.HostConfig.A, web.HostConfig.B, \
             web.HostConfig.C, web.HostConfig.D, web.HostConfig.E and 2 more"
        )
    );
}
