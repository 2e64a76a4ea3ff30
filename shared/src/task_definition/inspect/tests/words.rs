//! Every word of the tables: what ECS takes, and what is a default of Docker.

use super::*;

#[test]
fn every_capability_that_ecs_knows_is_kept() {
    let mut known: Vec<&str> = "ALL AUDIT_CONTROL AUDIT_WRITE BLOCK_SUSPEND CHOWN DAC_OVERRIDE \
        DAC_READ_SEARCH FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN \
        MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE NET_BROADCAST NET_RAW SETFCAP SETGID SETPCAP \
        SETUID SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO \
        SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG SYSLOG WAKE_ALARM"
        .split_whitespace()
        .collect();
    known.sort_unstable();
    assert_eq!(known.len(), 38);
    check_rows(&[(
        json!({}),
        json!({"CapDrop": known}),
        json!({"linuxParameters": {"capabilities": {"drop": known}}}),
    )]);
}

#[test]
fn every_limit_that_ecs_knows_is_kept_up_to_the_largest_number() {
    let names = [
        "core",
        "cpu",
        "data",
        "fsize",
        "locks",
        "memlock",
        "msgqueue",
        "nice",
        "nofile",
        "nproc",
        "rss",
        "rtprio",
        "rttime",
        "sigpending",
        "stack",
    ];
    let most = 2_147_483_647;
    let given = names.map(|name| json!({"Name": name, "Soft": 1, "Hard": most}));
    let kept = names.map(|name| json!({"name": name, "softLimit": 1, "hardLimit": most}));
    check_rows(&[(
        json!({}),
        json!({"Ulimits": given}),
        json!({"ulimits": kept}),
    )]);

    check_listed(&[(
        json!({}),
        json!({"Ulimits": [{"Name": "nofile", "Soft": 2_147_483_648_u64, "Hard": -1}]}),
        &["web.HostConfig.Ulimits.nofile (2147483648:-1): ECS takes 2147483647 at most"],
    )]);
}

#[test]
fn every_parameter_of_ipc_and_of_the_network_is_kept() {
    let names = [
        "fs.mqueue.msg_max",
        "kernel.msgmax",
        "kernel.msgmnb",
        "kernel.msgmni",
        "kernel.sem",
        "kernel.shm_rmid_forced",
        "kernel.shmall",
        "kernel.shmmax",
        "kernel.shmmni",
        "net.ipv4.ip_forward",
    ];
    let given: serde_json::Map<String, Value> = names
        .iter()
        .map(|name| ((*name).to_owned(), json!("1")))
        .collect();
    let kept = names.map(|name| json!({"namespace": name, "value": "1"}));
    check_rows(&[(
        json!({}),
        json!({"Sysctls": given}),
        json!({"systemControls": kept}),
    )]);
}

#[test]
fn every_option_of_memory_that_ecs_knows_is_kept_and_others_are_listed() {
    let words: Vec<&str> = "defaults ro rw suid nosuid dev nodev exec noexec sync async dirsync \
        remount mand nomand atime noatime diratime nodiratime bind rbind unbindable runbindable \
        private rprivate shared rshared slave rslave relatime norelatime strictatime nostrictatime \
        mode=1777 uid=5 gid=5 nr_inodes=1k nr_blocks=1k mpol=local"
        .split_whitespace()
        .collect();
    assert_eq!(words.len(), 39);
    let tmpfs = json!([{"containerPath": "/run", "size": 1, "mountOptions": words}]);
    let options = format!("size=1m,{}", words.join(","));
    check_rows(&[(
        json!({}),
        json!({"Tmpfs": {"/run": options}}),
        json!({"linuxParameters": {"tmpfs": tmpfs}}),
    )]);

    let (_, listed) = on_bridge(json!({}), json!({"Tmpfs": {"/run": "size=1m,huge=always"}}));
    assert_eq!(
        listed,
        ["web.HostConfig.Tmpfs./run (huge): ECS does not take this option"]
    );
}

#[test]
fn a_size_of_memory_has_any_unit_of_docker_and_is_more_than_nothing() {
    for (size, expected) in [
        ("1048576", 1),
        ("2048k", 2),
        ("3m", 3),
        ("3M", 3),
        ("2g", 2048),
        ("1", 1),
    ] {
        let host = json!({"Tmpfs": {"/run": format!("size={size}")}});
        let tmpfs = json!([{"containerPath": "/run", "size": expected}]);
        check_rows(&[(
            json!({}),
            host,
            json!({"linuxParameters": {"tmpfs": tmpfs}}),
        )]);
    }

    for size in ["0", "1t", "m", "-1m"] {
        check_listed(&[(
            json!({}),
            json!({"Tmpfs": {"/run": format!("size={size}")}}),
            &["web.HostConfig.Tmpfs./run (/run): ECS needs the size of memory; give `size`"],
        )]);
    }
}

#[test]
fn every_log_driver_is_kept_where_ecs_has_it() {
    let group = json!({"awslogs-group": "web", "awslogs-region": "eu-west-1"});
    let mut with_prefix = group.clone();
    with_prefix["awslogs-stream-prefix"] = json!("web");
    let splunk = json!({"splunk-token": "hush", "splunk-url": "https://splunk.example.org"});
    for (running, driver, options) in [
        (on_instances(), "awslogs", group),
        (on_instances(), "fluentd", json!({"tag": "web"})),
        (on_instances(), "gelf", json!({"tag": "web"})),
        (on_instances(), "splunk", splunk.clone()),
        (on_instances(), "syslog", json!({"tag": "web"})),
        (on_fargate(), "awslogs", with_prefix),
        (on_fargate(), "splunk", splunk),
    ] {
        let host = json!({"LogConfig": {"Type": driver, "Config": options}});
        let kept = json!({"logConfiguration": {"logDriver": driver, "options": options}});
        let made = on(&running, json!({}), host);
        assert_eq!(made, (kept, Vec::new()), "{driver}");
    }

    // The driver is taken: what it lacks is a router.
    let firelens = json!({"LogConfig": {"Type": "awsfirelens", "Config": {}}});
    let lacks = "containerDefinitions.web.logConfiguration (awsfirelens): the file does not have \
                 the container that routes logs";
    for running in [on_instances(), on_fargate()] {
        let made = on(&running, json!({}), firelens.clone());
        assert_eq!(made, (json!({}), vec![lacks.to_owned()]));
    }
}

#[test]
fn the_socket_of_firelens_in_one_task_is_left_to_the_running_definition() {
    let socket = "unix:///var/lib/ecs/data/firelens/3212e4e1/socket/fluent.sock";
    let log = json!({"Type": "fluentd", "Config": {"fluentd-address": socket}});
    check_listed(&[(
        json!({}),
        json!({"LogConfig": log}),
        &[
            "web.HostConfig.LogConfig.Type (fluentd): the ECS agent sets it for FireLens; the \
             running definition decides",
            "web.HostConfig.LogConfig.Config (options: 1): they are of this driver",
        ],
    )]);
}

#[test]
fn every_option_of_awslogs_that_ecs_knows_is_kept() {
    let kept = json!({
        "awslogs-create-group": "true", "awslogs-datetime-format": "%Y", "awslogs-group": "web",
        "awslogs-multiline-pattern": "^x", "awslogs-region": "eu-west-1",
        "awslogs-stream-prefix": "web", "max-buffer-size": "25m", "mode": "non-blocking",
    });
    for creates in ["true", "True", "T", "1"] {
        let mut given = kept.clone();
        given["awslogs-create-group"] = json!(creates);
        check_rows(&[(
            json!({}),
            json!({"LogConfig": {"Type": "awslogs", "Config": given}}),
            json!({"logConfiguration": {"logDriver": "awslogs", "options": kept}}),
        )]);
    }
}

#[test]
fn labels_that_programs_write_are_listed_by_the_program() {
    let labels = json!({
        "com.amazonaws.ecs.cluster": "apps", "desktop.docker.io/binds/0/Source": "/srv",
        "com.example": "a", "team": "web",
    });
    let made = on_bridge(json!({"Labels": labels}), json!({}));
    let listed = [
        "web.Config.Labels.com.amazonaws.ecs.* (labels: 1): the ECS agent writes them itself",
        "web.Config.Labels.desktop.docker.io/* (labels: 1): Docker Desktop writes them for itself",
    ];
    assert_eq!(
        made,
        (
            json!({"dockerLabels": {"com.example": "a", "team": "web"}}),
            listed.map(ToOwned::to_owned).to_vec()
        )
    );
}

#[test]
fn what_has_no_counterpart_is_listed_with_its_own_reason() {
    let of_client = "it is of the client that started the container";
    let of_builds = "only builds of images use it";
    let config = json!({
        "AttachStderr": true, "AttachStdin": true, "OnBuild": ["RUN x"], "Shell": ["sh"],
        "StdinOnce": true,
    });
    let host = json!({
        "CgroupParent": "/x", "ConsoleSize": [50, 120], "ContainerIDFile": "/x",
        "UsernsMode": "host", "VolumeDriver": "nfs",
    });
    let expected = [
        format!("web.Config.AttachStderr (true): {of_client}"),
        format!("web.Config.AttachStdin (true): {of_client}"),
        format!("web.Config.OnBuild (a list of 1): {of_builds}"),
        format!("web.Config.Shell (a list of 1): {of_builds}"),
        format!("web.Config.StdinOnce (true): {of_client}"),
        "web.HostConfig.CgroupParent (a text): the ECS agent sets it itself".to_owned(),
        format!("web.HostConfig.ConsoleSize (a list of 2): {of_client}"),
        format!("web.HostConfig.ContainerIDFile (a text): {of_client}"),
        "web.HostConfig.UsernsMode (a text): the container instance decides it".to_owned(),
        "web.HostConfig.VolumeDriver (a text): each volume has a driver of its own".to_owned(),
    ];
    assert_eq!(on_bridge(config, host), (json!({}), expected.to_vec()));
}

#[test]
fn names_and_signals_that_docker_sets_itself_are_nothing_and_others_are_kept_or_listed() {
    check_rows(&[
        (
            json!({"Hostname": "frontend-web"}),
            json!({}),
            json!({"hostname": "frontend-web"}),
        ),
        (json!({"Hostname": "26cda3"}), json!({}), json!({})),
        (json!({"StopSignal": "15"}), json!({}), json!({})),
        (
            json!({}),
            json!({"Runtime": "io.containerd.runc.v2"}),
            json!({}),
        ),
    ]);
    check_listed(&[(
        json!({"StopSignal": 9}),
        json!({}),
        &["web.Config.StopSignal (a number): ECS sends the signal of the image's STOPSIGNAL"],
    )]);
}

#[test]
fn a_health_check_at_the_bounds_of_ecs_is_kept() {
    const SECOND: u64 = 1_000_000_000;

    for (interval, start, timeout, retries) in [(5, 0, 2, 1), (300, 300, 60, 10)] {
        let check = json!({"Healthcheck": {
            "Test": ["CMD", "true"], "Interval": interval * SECOND, "StartPeriod": start * SECOND,
            "Timeout": timeout * SECOND, "Retries": retries,
        }});
        let mut kept = json!({
            "command": ["CMD", "true"], "interval": interval, "timeout": timeout,
            "retries": retries,
        });
        if start > 0 {
            kept["startPeriod"] = json!(start);
        }
        let made = on_bridge(check, json!({}));
        assert_eq!(made, (json!({"healthCheck": kept}), Vec::new()));
    }
}

#[test]
fn sizes_are_rounded_up_so_that_nothing_gets_less() {
    const MIB: u64 = 1024 * 1024;

    check_rows(&[
        (
            json!({}),
            json!({"ShmSize": MIB + 1}),
            json!({"linuxParameters": {"sharedMemorySize": 2}}),
        ),
        (
            json!({}),
            json!({"Memory": 64 * MIB, "MemorySwap": 65 * MIB + 1}),
            json!({"memory": 64, "linuxParameters": {"maxSwap": 2}}),
        ),
        (json!({}), json!({"NanoCpus": 1}), json!({"cpu": 1})),
        (json!({}), json!({"CpuQuota": 1}), json!({"cpu": 1})),
        (json!({}), json!({"Memory": 6 * MIB}), json!({"memory": 6})),
    ]);
}
