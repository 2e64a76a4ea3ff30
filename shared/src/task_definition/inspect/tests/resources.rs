//! Memory, CPU, limits and logs.

use super::*;

const MIB: u64 = 1024 * 1024;

#[test]
fn sizes_are_in_mebibytes_and_shares_in_cpu_units() {
    check_rows(&[
        (
            json!({}),
            json!({"Memory": 256 * MIB, "MemoryReservation": 64 * MIB + 1, "MemorySwap": 512 * MIB}),
            json!({"memory": 256, "memoryReservation": 65}),
        ),
        (
            json!({}),
            json!({"Memory": 256 * MIB, "MemorySwap": 256 * MIB, "MemorySwappiness": 0}),
            json!({"memory": 256, "linuxParameters": {"maxSwap": 0, "swappiness": 0}}),
        ),
        (json!({}), json!({"CpuShares": 512}), json!({"cpu": 512})),
        (
            json!({}),
            json!({"NanoCpus": 1_500_000_000}),
            json!({"cpu": 1536}),
        ),
        (json!({}), json!({"CpuQuota": 25_000}), json!({"cpu": 256})),
        (
            json!({}),
            json!({"CpuQuota": 25_000, "CpuPeriod": 50_000}),
            json!({"cpu": 512}),
        ),
        (json!({}), json!({"ShmSize": 67_108_864}), json!({})),
        (
            json!({}),
            json!({"ShmSize": 128 * MIB}),
            json!({"linuxParameters": {"sharedMemorySize": 128}}),
        ),
        (
            json!({}),
            json!({"Ulimits": [
                {"Name": "nproc", "Soft": 10, "Hard": 20}, {"Name": "nofile", "Soft": -1, "Hard": -1},
            ]}),
            json!({"ulimits": [
                {"name": "nofile", "softLimit": -1, "hardLimit": -1},
                {"name": "nproc", "softLimit": 10, "hardLimit": 20},
            ]}),
        ),
    ]);
}

#[test]
fn what_docker_prints_if_nothing_is_set_is_nothing() {
    check_rows(&[(
        json!({}),
        json!({
            "Memory": 0, "MemorySwap": 0, "MemorySwappiness": -1, "CpuShares": 0, "Ulimits": null,
            "ConsoleSize": [0, 0], "BlkioWeightDevice": [], "PidsLimit": null, "CpuQuota": -1,
            "OomKillDisable": false, "CgroupParent": "",
        }),
        json!({}),
    )]);
}

#[test]
fn what_ecs_cannot_limit_is_listed() {
    check_listed(&[
        (
            json!({}),
            json!({"MemorySwap": -1, "MemorySwappiness": 10, "PidsLimit": 100, "CpusetCpus": "0-1"}),
            &[
                "web.HostConfig.MemorySwap (-1): ECS takes an amount of swap",
                "web.HostConfig.MemorySwappiness (10): ECS takes it beside an amount of swap only",
                "web.HostConfig.CpusetCpus (a text): ECS has no such setting",
                "web.HostConfig.PidsLimit (100): ECS has no such setting",
            ],
        ),
        (
            json!({}),
            json!({"Ulimits": [
                {"Name": "rtfoo", "Soft": 1, "Hard": 2},
                {"Name": "memlock", "Soft": 1, "Hard": 68_719_476_736_u64},
            ]}),
            &[
                "web.HostConfig.Ulimits.rtfoo (1:2): ECS has no such limit",
                "web.HostConfig.Ulimits.memlock (1:68719476736): ECS takes 2147483647 at most",
            ],
        ),
    ]);

    let (web, listed) = on_bridge(
        json!({}),
        json!({"CpuShares": 2, "NanoCpus": 1, "Memory": 1024}),
    );
    assert_eq!(web, json!({"cpu": 2, "memory": 6}));
    assert_eq!(
        listed,
        [
            "web.HostConfig.Memory (1024): ECS takes 6 MiB at least, which is set",
            "web.HostConfig.NanoCpus (1): ECS takes one number of CPU units, and another one is set",
        ]
    );
}

#[test]
fn a_log_driver_is_taken_over_if_it_was_given_and_ecs_has_it() {
    let driver =
        |name: &str, options: Value| json!({"LogConfig": {"Type": name, "Config": options}});
    check_rows(&[
        (json!({}), driver("json-file", json!({})), json!({})),
        (json!({}), driver("json-file", json!(null)), json!({})),
        (
            json!({}),
            driver("json-file", json!({"max-size": "10m", "max-file": "3"})),
            json!({"logConfiguration": {
                "logDriver": "json-file", "options": {"max-file": "3", "max-size": "10m"},
            }}),
        ),
        (
            json!({}),
            driver("journald", json!({})),
            json!({"logConfiguration": {"logDriver": "journald"}}),
        ),
    ]);

    let reason = "ECS does not take this driver here; the running definition decides";
    let local = driver("local", json!({"splunk-token": "hush"}));
    let (web, listed) = on_bridge(json!({}), local);
    assert_eq!(web, json!({}));
    assert_eq!(
        listed,
        [
            format!("web.HostConfig.LogConfig.Type (local): {reason}"),
            "web.HostConfig.LogConfig.Config (options: 1): they are of this driver".to_owned(),
        ]
    );

    let options = json!({"max-size": "10m"});
    let (web, listed) = on(&on_fargate(), json!({}), driver("json-file", options));
    assert_eq!(web, json!({}));
    assert_eq!(
        listed,
        [
            format!("web.HostConfig.LogConfig.Type (json-file): {reason}"),
            "web.HostConfig.LogConfig.Config (options: 1): they are of this driver".to_owned(),
        ]
    );
}

/// What is made of a log driver with options, and what is listed.
fn logged(running: &TaskDefinition, driver: &str, options: Value) -> (Value, Vec<String>) {
    let host = json!({"LogConfig": {"Type": driver, "Config": options}});
    let (web, listed) = on(running, json!({}), host);
    (web["logConfiguration"].clone(), listed)
}

#[test]
fn options_of_awslogs_that_ecs_refuses_are_listed() {
    let options = json!({
        "awslogs-group": "web", "awslogs-region": "eu-west-1", "awslogs-create-group": "1",
        "awslogs-endpoint": "hush", "awslogs-stream": "hush", "mode": "non-blocking",
    });
    let (log, listed) = logged(&on_instances(), "awslogs", options);
    assert_eq!(
        log,
        json!({"logDriver": "awslogs", "options": {
            "awslogs-create-group": "true", "awslogs-group": "web", "awslogs-region": "eu-west-1",
            "mode": "non-blocking",
        }})
    );
    let reason = "ECS does not take this option of awslogs";
    assert_eq!(
        listed,
        [
            format!("web.HostConfig.LogConfig.Config.awslogs-endpoint (a text): {reason}"),
            format!("web.HostConfig.LogConfig.Config.awslogs-stream (a text): {reason}"),
        ]
    );

    // What Docker does without it.
    let options = json!({
        "awslogs-group": "web", "awslogs-region": "eu-west-1", "awslogs-create-group": "false",
    });
    let (log, listed) = logged(&on_instances(), "awslogs", options);
    assert_eq!(
        (&log["options"], listed),
        (
            &json!({"awslogs-group": "web", "awslogs-region": "eu-west-1"}),
            Vec::new()
        )
    );
}

#[test]
fn a_driver_without_the_options_that_ecs_needs_is_left_to_the_running_definition() {
    let group = json!({"awslogs-group": "web"});
    let both = json!({"awslogs-group": "web", "awslogs-region": "eu-west-1"});
    let splunk = json!({"splunk-token": "hush", "splunk-url": ""});
    let awslogs = ["awslogs-group", "awslogs-region"].join(", ");
    for (running, driver, options, missing, count) in [
        (on_instances(), "awslogs", json!(null), awslogs.as_str(), 0),
        (on_instances(), "awslogs", group, "awslogs-region", 1),
        (on_fargate(), "awslogs", both, "awslogs-stream-prefix", 2),
        (on_instances(), "splunk", splunk, "splunk-url", 2),
    ] {
        let mut expected = vec![format!(
            "web.HostConfig.LogConfig.Type ({driver}): ECS needs {missing} with it; the running \
             definition decides"
        )];
        if count > 0 {
            expected.push(format!(
                "web.HostConfig.LogConfig.Config (options: {count}): they are of this driver"
            ));
        }
        let made = logged(&running, driver, options);
        assert_eq!(made, (Value::Null, expected), "{driver} {missing}");
    }
}

#[test]
fn members_beside_a_driver_are_listed_whether_or_not_it_is_taken() {
    for (driver, options) in [("json-file", json!({})), ("journald", json!({}))] {
        let log = json!({"Type": driver, "Config": options, "Path": "", "Size": "0B"});
        let (_, listed) = on_bridge(json!({}), json!({"LogConfig": log}));
        assert_eq!(
            listed,
            ["web.HostConfig.LogConfig.Size (a text): ECS has no such setting"],
            "{driver}"
        );
    }
    let log = json!({"Type": "local", "Size": "0B"});
    let (_, listed) = on_bridge(json!({}), json!({"LogConfig": log}));
    assert_eq!(listed.len(), 2, "{listed:?}");
    assert_eq!(
        listed[0],
        "web.HostConfig.LogConfig.Size (a text): ECS has no such setting"
    );
}

#[test]
fn podman_prints_0_as_a_swappiness_that_is_not_set() {
    let mut host = json!({
        "Memory": 268_435_456, "MemorySwap": 402_653_184, "MemorySwappiness": 0,
    });
    let swap = |parameters: Value| json!({"memory": 256, "linuxParameters": parameters});
    let made = on_bridge(json!({}), host.clone());
    assert_eq!(made.0, swap(json!({"maxSwap": 128, "swappiness": 0})));

    host["CgroupManager"] = json!("systemd");
    let made = on_bridge(json!({}), host);
    assert_eq!(made.0, swap(json!({"maxSwap": 128})));
    let listed = "web.HostConfig.CgroupManager (a text): ECS has no such setting";
    assert_eq!(made.1, [listed]);
}
