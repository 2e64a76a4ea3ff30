//! Directories, volumes and memory.

use super::*;

const ANONYMOUS: &str = "53690c8e68d587308c3b8c8c76a7912aecf5abd4851f555df687229ac625112f";

/// A container `web` with these mounts and members of `HostConfig`.
fn mounting(mounts: Value, host: Value) -> Value {
    let mut file = container(json!({}), host);
    file["Mounts"] = mounts;
    file
}

/// Mount points and volumes, and what is listed.
fn on_instance(file: &Value) -> (Value, Value, Vec<String>) {
    mounted(file, &on_instances())
}

fn mounted(file: &Value, running: &TaskDefinition) -> (Value, Value, Vec<String>) {
    let parsed = parse(file, running);
    let text = parsed.definition.text();
    let definition: Value = serde_json::from_str(&text).expect("JSON");
    let points = definition["containerDefinitions"][0]["mountPoints"].clone();
    (points, definition["volumes"].clone(), listed(&parsed))
}

#[test]
fn directories_and_volumes_are_mounted_where_docker_mounts_them() {
    let mounts = json!([
        {"Type": "volume", "Name": "data", "Source": "/var/lib/docker/volumes/data/_data",
         "Destination": "/data", "Driver": "local", "Mode": "z", "RW": true, "Propagation": ""},
        {"Type": "bind", "Source": "/srv/conf.d", "Destination": "/conf", "Mode": "ro", "RW": false,
         "Propagation": "rprivate"},
        {"Type": "volume", "Name": ANONYMOUS, "Source": "/x", "Destination": "/tmp/cache",
         "Driver": "local", "Mode": "", "RW": true, "Propagation": ""},
    ]);
    // What was requested is the same again.
    let host = json!({"Binds": ["/srv/conf.d:/conf:ro", "data:/data:z"]});
    let (points, volumes, listed) = on_instance(&mounting(mounts, host));

    assert_eq!(
        points,
        json!([
            {"sourceVolume": "srv-conf-d", "containerPath": "/conf", "readOnly": true},
            {"sourceVolume": "data", "containerPath": "/data"},
            {"sourceVolume": "web-tmp-cache", "containerPath": "/tmp/cache"},
        ])
    );
    let docker = json!({"scope": "shared", "autoprovision": true, "driver": "local"});
    assert_eq!(
        volumes,
        json!([
            {"name": "data", "dockerVolumeConfiguration": docker},
            {"name": "srv-conf-d", "host": {"sourcePath": "/srv/conf.d"}},
            {"name": "web-tmp-cache", "host": {}},
        ])
    );
    assert_eq!(
        listed,
        ["web.Mounts[0].Destination (z): ECS mounts without options"]
    );
}

#[test]
fn every_way_in_which_docker_prints_a_mount_is_read() {
    let point = |volume: &str| json!([{"sourceVolume": volume, "containerPath": "/data"}]);
    let mut old = container(json!({}), json!({}));
    old["Volumes"] = json!({"/data": "/srv/a"});
    old["VolumesRW"] = json!({"/data": true});

    for (file, name) in [
        (
            mounting(json!([]), json!({"Binds": ["/srv/a:/data"]})),
            "srv-a",
        ),
        (
            mounting(json!([]), json!({"Binds": ["named:/data:rw"]})),
            "named",
        ),
        (mounting(json!([]), json!({"Binds": ["/data"]})), "web-data"),
        (
            mounting(
                json!(null),
                json!({"Mounts": [
                    {"Type": "bind", "Source": "/srv/a", "Target": "/data"},
                ]}),
            ),
            "srv-a",
        ),
        (
            mounting(
                json!([{"Source": "/srv/a", "Destination": "/data"}]),
                json!({}),
            ),
            "srv-a",
        ),
        (
            container(json!({"Volumes": {"/data": {}}}), json!({})),
            "web-data",
        ),
        (old, "srv-a"),
    ] {
        let (points, _, listed) = on_instance(&file);
        assert_eq!((points, listed), (point(name), Vec::new()), "{file}");
    }
}

#[test]
fn what_the_hosts_of_the_tasks_cannot_have_is_listed() {
    let of_windows = mounting(json!([]), json!({"Binds": ["C:\\data:/data:rw"]}));
    let (points, _, listed) = on_instance(&of_windows);
    assert_eq!(points, Value::Null);
    assert_eq!(
        listed,
        [
            "web.HostConfig.Binds./data (/data): it is a directory of Windows, and the container is \
          for Linux"
        ]
    );

    let mut on_windows = of_windows;
    on_windows["Platform"] = json!("windows");
    let (points, volumes, listed) = on_instance(&on_windows);
    assert_eq!(points[0]["sourceVolume"], "C-data");
    assert_eq!(volumes[0]["host"]["sourcePath"], "C:\\data");
    assert_eq!(listed, [""; 0]);

    let with_slashes = mounting(json!([]), json!({"Binds": ["C:/opt:/opt:rw"]}));
    let (points, _, listed) = on_instance(&with_slashes);
    assert_eq!(points, Value::Null);
    assert_eq!(
        listed,
        [
            "web.HostConfig.Binds./opt (/opt): it is a directory of Windows, and the container is \
          for Linux"
        ]
    );

    let file = mounting(json!([]), json!({"Binds": ["/srv/a:/a", "named:/b"]}));
    let (points, volumes, listed) = mounted(&file, &on_fargate());
    assert_eq!(
        points,
        json!([{"sourceVolume": "named", "containerPath": "/b"}])
    );
    assert_eq!(volumes, json!([{"name": "named", "host": {}}]));
    assert_eq!(
        listed,
        [
            "web.HostConfig.Binds./a (/a): Fargate has no directories of a host",
            "web.HostConfig.Binds./b (named): on Fargate a volume of Docker is empty and ends with \
             its task",
        ]
    );
}

#[test]
fn volumes_of_one_name_are_numbered_and_those_of_the_task_stay() {
    let mounts = json!([
        {"Type": "bind", "Source": "/srv/a", "Destination": "/1", "RW": true},
        {"Type": "bind", "Source": "/srv-a", "Destination": "/2", "RW": true},
        {"Type": "bind", "Source": "/srv/a", "Destination": "/3", "RW": true},
        {"Type": "bind", "Source": "/shared", "Destination": "/4", "RW": true},
    ]);
    let efs = json!({"name": "shared", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}});
    let running = running(json!({
        "family": "web", "memory": "512",
        "volumes": [efs, {"name": "srv-a", "host": {"sourcePath": "/old"}}],
        "containerDefinitions": [{"name": "web", "image": "web:1"}],
    }));
    let (points, volumes, listed) = mounted(&mounting(mounts, json!({})), &running);

    let names = |at: usize| points[at]["sourceVolume"].clone();
    assert_eq!(
        [0, 1, 2, 3].map(names),
        ["srv-a", "srv-a-2", "srv-a", "shared"].map(Value::from)
    );
    assert_eq!(
        volumes,
        json!([
            efs,
            {"name": "srv-a", "host": {"sourcePath": "/srv/a"}},
            {"name": "srv-a-2", "host": {"sourcePath": "/srv-a"}},
        ])
    );
    assert_eq!(
        listed,
        [
            "volumes.shared (a directory): the running definition has a volume of this name, which \
          stays"
        ]
    );
}

#[test]
fn memory_is_mounted_with_its_size_and_listed_without() {
    check_rows(&[(
        json!({}),
        json!({
            "Tmpfs": {"/run": "rw,noexec,size=64m", "/tmp": "size=65537k,mode=1777"},
            "Mounts": [{"Type": "tmpfs", "Target": "/cache", "TmpfsOptions": {
                "SizeBytes": 1_048_577, "Mode": 0o700,
            }}],
        }),
        json!({"linuxParameters": {"tmpfs": [
            {"containerPath": "/run", "size": 64, "mountOptions": ["rw", "noexec"]},
            {"containerPath": "/tmp", "size": 65, "mountOptions": ["mode=1777"]},
            {"containerPath": "/cache", "size": 2, "mountOptions": ["mode=700"]},
        ]}}),
    )]);
    let no_size = "ECS needs the size of memory; give `size`";
    let host = json!({
        "Tmpfs": {"/run": "rw", "/tmp": "size=50%"},
        "Mounts": [{"Type": "tmpfs", "Target": "/cache"}],
    });
    let (web, listed) = on_bridge(json!({}), host);
    assert_eq!(web, json!({}));
    assert_eq!(
        listed,
        [
            format!("web.HostConfig.Tmpfs./run (/run): {no_size}"),
            format!("web.HostConfig.Tmpfs./tmp (/tmp): {no_size}"),
            format!("web.HostConfig.Mounts[0].Target (/cache): {no_size}"),
        ]
    );
}

#[test]
fn a_path_is_mounted_once_however_it_ends() {
    let mounts = json!([
        {"Type": "bind", "Source": "/srv/a", "Destination": "/data", "RW": true},
        {"Type": "tmpfs", "Destination": "/cache"},
    ]);
    let host = json!({
        "Binds": ["/srv/a:/data/"],
        "Mounts": [{"Type": "tmpfs", "Target": "/cache/", "TmpfsOptions": {"SizeBytes": 1_048_576}}],
    });
    let (points, _, listed) = on_instance(&mounting(mounts, host));
    assert_eq!(
        (points, listed),
        (
            json!([{"sourceVolume": "srv-a", "containerPath": "/data"}]),
            Vec::new()
        )
    );

    let host = json!({"Binds": [r"C:\srv:C:\Data", r"C:\srv:c:\data\"]});
    let mut on_windows = mounting(json!([]), host);
    on_windows["Platform"] = json!("windows");
    let (points, _, listed) = on_instance(&on_windows);
    assert_eq!(
        (points, listed),
        (
            json!([{"sourceVolume": "C-srv", "containerPath": r"C:\Data"}]),
            Vec::new()
        )
    );
}

#[test]
fn directories_of_docker_desktop_and_of_the_ecs_agent_are_listed() {
    const DESKTOP: &str = "it is a directory of Docker Desktop, which no instance has";
    const AGENT: &str = "the ECS agent mounts it itself";
    for (source, reason) in [
        ("/host_mnt/c/Users/jane/app", DESKTOP),
        (
            "/run/desktop/mnt/host/wsl/docker-desktop-bind-mounts/Ubuntu/39d1be74",
            DESKTOP,
        ),
        ("/run/host-services/docker.proxy.sock", DESKTOP),
        ("/var/lib/ecs/data/metadata/3212e4e1/web", AGENT),
        (
            "/var/lib/ecs/data/firelens/3212e4e1/config/fluent.conf",
            AGENT,
        ),
        (
            "/var/lib/ecs/deps/execute-command/bin/3.3/amazon-ssm-agent",
            AGENT,
        ),
        ("/var/log/ecs/exec/3212e4e1/web", AGENT),
        ("/mnt/ecs/ebs/3212e4e1_vol-0a1b", AGENT),
    ] {
        let mount = json!({"Type": "bind", "Source": source, "Destination": "/app", "RW": true});
        let binds = json!({"Binds": [r"C:\Users\jane\app:/app:rw"]});
        let (points, volumes, listed) = on_instance(&mounting(json!([mount]), binds));

        assert_eq!((points, volumes), (Value::Null, Value::Null), "{source}");
        assert_eq!(
            listed,
            [format!("web.Mounts[0].Destination (/app): {reason}")]
        );
    }
}

#[test]
fn volumes_of_docker_whose_names_ecs_does_not_take_stay_apart_and_are_listed() {
    let mount = |name: &str, at: &str| json!({"Type": "volume", "Name": name, "Destination": at});
    let mounts = json!([mount("a-b", "/1"), mount("a.b", "/2"), mount("a.b", "/3")]);
    let (points, volumes, listed) = on_instance(&mounting(mounts.clone(), json!({})));

    let names = |points: &Value| [0, 1, 2].map(|at: usize| points[at]["sourceVolume"].clone());
    let apart = ["a-b", "a-b-2", "a-b-2"].map(Value::from);
    assert_eq!(names(&points), apart);
    assert_eq!(volumes.as_array().map(Vec::len), Some(2));
    let reason = "its name in ECS is `a-b-2`: Docker makes another volume of it";
    assert_eq!(
        listed,
        [
            format!("web.Mounts[1].Destination (a.b): {reason}"),
            format!("web.Mounts[2].Destination (a.b): {reason}"),
        ]
    );

    // On Fargate a volume has nothing but its name, and is listed as empty.
    let (points, volumes, _) = mounted(&mounting(mounts, json!({})), &on_fargate());
    assert_eq!(names(&points), apart);
    assert_eq!(
        volumes,
        json!([{"name": "a-b", "host": {}}, {"name": "a-b-2", "host": {}}])
    );
}
