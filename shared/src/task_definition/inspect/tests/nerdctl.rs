//! What nerdctl prints like Docker, with names and mounts of its own.

use super::*;

/// A container as nerdctl prints it.
fn of_nerdctl(log: Value) -> Value {
    let own = |file: &str| {
        json!({
            "Type": "bind", "Source": format!("/var/lib/nerdctl/1935db59/containers/0a/{file}"),
            "Destination": format!("/etc/{file}"), "Mode": "", "RW": true,
        })
    };
    json!([{
        "Id": "be4addd26f056028b1b5144be20da489", "Name": "web", "Platform": "linux",
        "Image": "docker.io/library/web:2",
        "Config": {
            "Image": "web:2", "Hostname": "be4addd26f05", "Env": ["HOSTNAME=be4addd26f05", "A=b"],
            "Labels": {
                "containerd.io/restart.policy": "always", "nerdctl/name": "web", "team": "web",
                "io.containerd.image.config.stop-signal": "SIGQUIT",
            },
        },
        "HostConfig": {"LogConfig": log, "Dns": null, "ShmSize": 0},
        "Mounts": [
            own("resolv.conf"), own("hosts"), own("hostname"),
            {"Type": "bind", "Source": "/srv/nerdctl/data", "Destination": "/data", "RW": true},
        ],
        "NetworkSettings": {"Networks": {"unknown-eth0": {"IPAddress": "10.4.0.3"}}},
    }])
}

#[test]
fn what_nerdctl_makes_for_each_container_is_listed_and_not_mounted() {
    let log = json!({"driver": "json-file", "address": "/run/containerd/containerd.sock"});
    let file = parse(&of_nerdctl(log), &on_instances());

    assert_eq!(
        containers(&file),
        [json!({
            "name": "web", "image": "web:2", "dockerLabels": {"team": "web"},
            "environment": [{"name": "A", "value": "b"}], "memory": 128,
            "mountPoints": [{"sourceVolume": "srv-nerdctl-data", "containerPath": "/data"}],
        })]
    );
    let labels = "nerdctl writes them for itself";
    let mounts = "nerdctl mounts it itself, and Docker does so too";
    assert_eq!(
        listed(&file),
        [
            format!("web.Config.Labels.containerd.io/restart.* (labels: 1): {labels}"),
            format!("web.Config.Labels.io.containerd.image.config.* (labels: 1): {labels}"),
            format!("web.Config.Labels.nerdctl/* (labels: 1): {labels}"),
            format!("web.Mounts[2].Destination (/etc/hostname): {mounts}"),
            format!("web.Mounts[1].Destination (/etc/hosts): {mounts}"),
            format!("web.Mounts[0].Destination (/etc/resolv.conf): {mounts}"),
        ]
    );
}

#[test]
fn the_log_driver_of_nerdctl_is_taken_with_its_options() {
    let log = json!({"driver": "fluentd", "opts": {"tag": "web"}, "address": "/run/x.sock"});
    let file = parse(&of_nerdctl(log), &on_instances());
    assert_eq!(
        containers(&file)[0]["logConfiguration"],
        json!({"logDriver": "fluentd", "options": {"tag": "web"}})
    );
}
