//! What each place does not take: Windows, Fargate, and the network modes.

use super::*;

const MIB: u64 = 1024 * 1024;

/// A container `db` that others refer to.
fn db() -> Value {
    json!({"Name": "/db", "Config": {"Image": "db:1"}, "HostConfig": {"Memory": 64 * MIB}})
}

/// The container `web` of a file that has `db` too, and what is listed of it.
fn web_beside_db(web: Value, running: &TaskDefinition) -> (Value, Vec<String>) {
    let file = parse(&json!([web, db()]), running);
    let mut of_web = listed(&file);
    of_web.retain(|line| line.starts_with("web."));
    (containers(&file)[1].clone(), of_web)
}

#[test]
fn each_member_that_windows_does_not_take_is_listed() {
    let config = json!({"User": "app", "NetworkDisabled": true});
    let host = json!({
        "Tmpfs": {"/run": "size=1m"},
        "Memory": 256 * MIB, "MemorySwap": 256 * MIB, "MemorySwappiness": 10,
        "Ulimits": [{"Name": "nofile", "Soft": 1, "Hard": 2}], "ShmSize": MIB,
        "Privileged": true, "ReadonlyRootfs": true, "Init": true, "CapAdd": ["CHOWN"],
        "Devices": [{"PathOnHost": "/dev/a", "PathInContainer": "/dev/a"}],
        "Dns": ["10.0.0.2"], "DnsSearch": ["example.org"], "ExtraHosts": ["up:10.0.0.7"],
        "Links": ["/db:/web/db"], "Sysctls": {"net.core.somaxconn": "1024"},
    });
    let mut web = container(config, host);
    web["Platform"] = json!("windows");
    let (made, listed) = web_beside_db(web, &on_instances());

    assert_eq!(
        made,
        json!({"name": "web", "image": "web:2", "memory": 256})
    );
    let reason = "ECS does not take it for Windows containers";
    let expected = [
        "Config.User (app)",
        "HostConfig.Tmpfs./run (/run)",
        "HostConfig.MemorySwap (268435456)",
        "HostConfig.MemorySwappiness (10)",
        "HostConfig.Ulimits (a list)",
        "HostConfig.ShmSize (1048576)",
        "HostConfig.Privileged (true)",
        "HostConfig.ReadonlyRootfs (true)",
        "HostConfig.Init (true)",
        "HostConfig.CapAdd (a list)",
        "HostConfig.Devices (a list)",
        "HostConfig.Sysctls (a list)",
        "HostConfig.Dns (10.0.0.2)",
        "HostConfig.DnsSearch (example.org)",
        "HostConfig.ExtraHosts (a list)",
        "HostConfig.Links (db)",
        "Config.NetworkDisabled (true)",
    ];
    assert_eq!(
        listed,
        expected.map(|field| format!("web.{field}: {reason}"))
    );
}

#[test]
fn a_container_of_which_no_system_is_stated_is_one_of_the_running_definition() {
    let task = with(&on_instances(), &of_windows());
    let made = on(&task, json!({}), json!({"Init": true}));

    let reason = "ECS does not take it for Windows containers";
    let listed = format!("web.HostConfig.Init (true): {reason}");
    assert_eq!(made, (json!({}), vec![listed]));
}

#[test]
fn managed_instances_have_fewer_log_drivers_no_bridge_and_no_volumes_of_docker() {
    let managed = json!({"requiresCompatibilities": ["MANAGED_INSTANCES"]});
    let task = with(&on_instances(), &managed);
    let host = json!({
        "Binds": ["data:/data"], "Dns": ["10.0.0.2"],
        "LogConfig": {"Type": "gelf", "Config": {}},
    });
    let (web, listed) = on(&task, json!({}), host);

    let mount = json!({"sourceVolume": "data", "containerPath": "/data"});
    assert_eq!(web, json!({"mountPoints": [mount]}));
    assert_eq!(
        listed,
        [
            "web.HostConfig.Binds./data (data): on managed instances a volume of Docker is empty \
             and ends with its task",
            "web.HostConfig.LogConfig.Type (gelf): ECS does not take this driver here; the running \
             definition decides",
            "web.HostConfig.Dns (10.0.0.2): the network mode `awsvpc` does not take it",
        ]
    );

    let log = json!({"Type": "json-file", "Config": {"max-size": "10m"}});
    let (web, listed) = on(&task, json!({}), json!({"LogConfig": log}));
    assert_eq!(web["logConfiguration"]["logDriver"], "json-file");
    assert_eq!(listed, [""; 0]);
}

#[test]
fn the_network_of_another_container_is_that_of_the_task_where_containers_share_one() {
    let id = "7c1b9a91514d".repeat(5);
    let in_that_of = |other: &str, mode: &str| {
        let host = json!({"NetworkMode": format!("container:{other}")});
        let web = container(json!({"Hostname": "db.example"}), host);
        let mut db = db();
        db["Id"] = json!(id);
        let task = with(&on_instances(), &json!({"networkMode": mode}));
        let mut of_web = listed(&parse(&json!([web, db]), &task));
        of_web.retain(|line| line.starts_with("web."));
        of_web
    };
    let of_task = "the running definition has the network of the task";
    let hostname = "web.Config.Hostname (db.example): in the network of another container it is \
                    that one's";

    for mode in ["awsvpc", "host"] {
        assert_eq!(in_that_of(&id, mode), [hostname], "{mode}");
    }
    let listed = format!("web.HostConfig.NetworkMode (that of db): {of_task}");
    assert_eq!(in_that_of(&id, "bridge"), [hostname, listed.as_str()]);
    let listed = format!("web.HostConfig.NetworkMode (that of another one): {of_task}");
    assert_eq!(
        in_that_of("0a1b2c3d4e5f", "awsvpc"),
        [hostname, listed.as_str()]
    );
}

#[test]
fn parameters_of_a_namespace_of_the_host_are_listed() {
    let host = json!({"Sysctls": {"kernel.msgmax": "1", "net.core.somaxconn": "1024"}});
    for (members, kept, expected) in [
        (
            json!({"networkMode": "host"}),
            "kernel.msgmax",
            "net.core.somaxconn (a text): in the network mode `host` it is the instance's",
        ),
        (
            json!({"ipcMode": "host"}),
            "net.core.somaxconn",
            "kernel.msgmax (a text): with the `ipcMode` of the running definition it is the \
             instance's",
        ),
    ] {
        let task = with(&on_instances(), &members);
        let (web, listed) = on(&task, json!({}), host.clone());

        let controls = web["systemControls"].as_array().expect("a list");
        let names: Vec<&Value> = controls.iter().map(|it| &it["namespace"]).collect();
        assert_eq!(names, [kept], "{members}");
        assert_eq!(listed, [format!("web.HostConfig.Sysctls.{expected}")]);
    }
}

#[test]
fn each_member_that_fargate_does_not_take_is_listed() {
    let host = json!({
        "Memory": 256 * MIB, "MemorySwap": 256 * MIB, "MemorySwappiness": 10,
        "Devices": [{"PathOnHost": "/dev/a", "PathInContainer": "/dev/a"}],
        "DeviceRequests": [{"Count": 2, "Capabilities": [["gpu"]]}],
    });
    let (web, listed) = on(&on_fargate(), json!({}), host);

    assert_eq!(web, json!({"memory": 256}));
    let expected = [
        "MemorySwap (268435456)",
        "MemorySwappiness (10)",
        "Devices (a list)",
        "DeviceRequests[0].Count (2)",
    ];
    assert_eq!(
        listed,
        expected.map(|field| format!("web.HostConfig.{field}: Fargate does not take it"))
    );
}

#[test]
fn links_are_of_the_bridge_alone() {
    for mode in ["awsvpc", "host", "none"] {
        let task = running(json!({
            "family": "web", "networkMode": mode, "containerDefinitions": [
                {"name": "web", "image": "web:1", "memory": 128},
            ],
        }));
        let web = container(json!({}), json!({"Links": ["/db:/web/db"]}));
        let (made, listed) = web_beside_db(web, &task);

        assert_eq!(made.get("links"), None, "{mode}");
        let reason = format!("the network mode `{mode}` does not take it");
        assert_eq!(listed, [format!("web.HostConfig.Links (db): {reason}")]);
    }
}

#[test]
fn on_fargate_every_capability_is_dropped_and_one_is_added() {
    let host = json!({"CapAdd": ["cap_sys_ptrace", "CHOWN"], "CapDrop": ["NET_RAW", "chown"]});
    let made = on(&on_fargate(), json!({}), host);

    let capabilities = json!({"add": ["SYS_PTRACE"], "drop": ["CHOWN", "NET_RAW"]});
    let listed = "web.HostConfig.CapAdd (CHOWN): Fargate adds SYS_PTRACE only".to_owned();
    assert_eq!(
        made,
        (
            json!({"linuxParameters": {"capabilities": capabilities}}),
            vec![listed]
        )
    );
}

#[test]
fn what_only_ecs_has_stays_unless_the_file_has_it() {
    let kept = json!({
        "cpu": 256, "stopTimeout": 60, "credentialSpecs": ["credentialspec:file://web.json"],
        "resourceRequirements": [{"type": "GPU", "value": "1"}],
    });
    let mut before = kept.clone();
    before["name"] = json!("web");
    before["image"] = json!("web:1");
    before["memory"] = json!(128);
    let task = running(json!({"family": "web", "containerDefinitions": [before]}));

    assert_eq!(on(&task, json!({}), json!({})), (kept.clone(), Vec::new()));

    let mut changed = kept;
    changed["cpu"] = json!(512);
    changed["stopTimeout"] = json!(90);
    let made = on(&task, json!({"StopTimeout": 90}), json!({"CpuShares": 512}));
    assert_eq!(made, (changed, Vec::new()));
}
