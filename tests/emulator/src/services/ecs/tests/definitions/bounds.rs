use super::details::refused;
use super::*;

#[test]
fn a_health_check_has_a_command_and_bounds() {
    for check in [
        json!({ "command": [] }),
        json!({ "command": ["CMD", "true"], "interval": 1 }),
        json!({ "command": ["CMD", "true"], "timeout": 61 }),
    ] {
        let refused = refused(plain(), json!({}), json!({ "healthCheck": check }));
        assert!(refused.contains("healthCheck"), "{refused}");
    }

    let mut definition = plain();
    definition["containerDefinitions"][0]["healthCheck"] =
        json!({ "command": ["CMD", "true"], "interval": 300, "timeout": 60, "retries": 10 });
    World::new(1).ok("RegisterTaskDefinition", definition);
}

#[test]
fn a_definition_has_ten_containers_and_ten_constraints() {
    let of_number = |at: usize| json!({ "name": format!("c{at}"), "image": "a", "memory": 9 });
    let containers = |count: usize| Value::from_iter((0..count).map(of_number));
    assert_eq!(
        refusal(plain(), "/containerDefinitions", containers(11)),
        client("Too many containers.")
    );
    let constraint = json!({ "type": "memberOf", "expression": "task:group == a" });
    let constraints = Value::from(vec![constraint; 11]);
    let refused = refusal(plain(), "/placementConstraints", constraints);
    assert!(refused.contains("placement constraints"), "{refused}");

    let mut definition = plain();
    definition["containerDefinitions"] = containers(10);
    World::new(1).ok("RegisterTaskDefinition", definition);
}

#[test]
fn containers_share_the_size_of_the_task() {
    for (task, of_container, words) in [
        (
            json!({ "cpu": ".25 vCPU" }),
            json!({ "cpu": 257 }),
            "The sum of all container 'cpu' values cannot be greater than the value of the task \
             'cpu'.",
        ),
        (
            json!({ "memory": "1GB" }),
            json!({ "memoryReservation": 1025, "memory": null }),
            "The sum of all container 'memoryReservation' values cannot be greater than the value \
             of the task 'memory'.",
        ),
    ] {
        assert_eq!(refused(plain(), task, of_container), client(words));
    }
}

#[test]
fn the_size_of_a_task_is_in_units_of_ecs() {
    let unlimited = json!({ "memory": null });
    for (size, of_container, words) in [
        (
            json!({ "cpu": "127" }),
            json!({}),
            "Invalid 'cpu' setting for task.",
        ),
        (
            json!({ "cpu": "1 core" }),
            json!({}),
            "Invalid 'cpu' setting for task.",
        ),
        (
            json!({ "memory": "0" }),
            unlimited.clone(),
            "Invalid 'memory' setting for task.",
        ),
        (
            json!({ "memory": "1 TB" }),
            unlimited,
            "Invalid 'memory' setting for task.",
        ),
    ] {
        assert_eq!(refused(plain(), size, of_container), client(words));
    }
    for (cpu, memory) in [("128", "300"), (".125 vCPU", "0.5GB"), ("192 vCPU", "1 GB")] {
        let mut definition = plain();
        definition["cpu"] = json!(cpu);
        definition["memory"] = json!(memory);
        World::new(1).ok("RegisterTaskDefinition", definition);
    }
}

#[test]
fn ephemeral_storage_has_21_to_200_gib_and_is_not_of_instances() {
    let of = |gib: u32| json!({ "ephemeralStorage": { "sizeInGiB": gib } });
    for (gib, words) in [
        (20, "EphemeralStorage size should be at least 21"),
        (201, "EphemeralStorage size should be at most 200"),
    ] {
        assert_eq!(refused(fargate(), of(gib), json!({})), client(words));
    }

    let mut on_instances = plain();
    on_instances["requiresCompatibilities"] = json!(["EC2"]);
    assert_eq!(
        refused(on_instances, of(21), json!({})),
        client("Tasks using the EC2 launch type do not support EphemeralStorage")
    );
    for gib in [21, 200] {
        let mut definition = fargate();
        definition["ephemeralStorage"] = json!({ "sizeInGiB": gib });
        World::new(1).ok("RegisterTaskDefinition", definition);
    }
}

#[test]
fn a_ulimit_has_a_name_of_ecs_and_a_soft_limit_up_to_the_hard_one() {
    let limits = |name: &str, soft: i64, hard: i64| {
        let limit = json!({ "name": name, "softLimit": soft, "hardLimit": hard });
        json!({ "ulimits": [limit] })
    };
    for (of_container, words) in [
        (limits("memory", 1, 1), "Unrecognized ulimit name memory"),
        (limits("", 1, 1), "Unrecognized ulimit name "),
        (
            limits("nofile", 2, 1),
            "Soft limit exceeds hard limit for ulimit nofile",
        ),
    ] {
        assert_eq!(refused(plain(), json!({}), of_container), client(words));
    }

    let mut definition = plain();
    definition["containerDefinitions"][0]["ulimits"] = json!([
        { "name": "nofile", "softLimit": 1024, "hardLimit": 1024 },
        { "name": "memlock", "softLimit": -1, "hardLimit": -1 },
    ]);
    World::new(1).ok("RegisterTaskDefinition", definition);
}

#[test]
fn environment_files_are_ten_objects_of_s3_at_most() {
    let file = |value: &str| json!({ "type": "s3", "value": value });
    assert_eq!(
        refused(
            plain(),
            json!({}),
            json!({ "environmentFiles": [file("s3://bucket/web.env")] })
        ),
        client("Invalid arn syntax.")
    );
    let of_s3 = file("arn:aws:s3:::bucket/web.env");
    assert_eq!(
        refused(
            plain(),
            json!({}),
            json!({ "environmentFiles": vec![of_s3; 11] })
        ),
        client(
            "The maximum number of environment files was exceeded. Specify ten or less and try \
             again."
        )
    );
}

#[test]
fn a_container_is_restarted_after_one_to_thirty_minutes() {
    let policy = |seconds: u32| {
        let policy = json!({ "enabled": true, "restartAttemptPeriod": seconds });
        json!({ "restartPolicy": policy })
    };
    for seconds in [59, 1801] {
        assert_eq!(
            refused(plain(), json!({}), policy(seconds)),
            client(
                "the 'restartAttemptPeriod' setting for container 'app' must be between 60 and 1800"
            )
        );
    }
}

#[test]
fn an_image_has_up_to_255_characters() {
    let image = |length: usize| json!(format!("web:{}", "1".repeat(length - 4)));
    assert_eq!(
        refusal(plain(), "/containerDefinitions/0/image", image(256)),
        client("Container.image should be 255 characters or less")
    );

    let mut definition = plain();
    definition["containerDefinitions"][0]["image"] = image(255);
    World::new(1).ok("RegisterTaskDefinition", definition);
}

#[test]
fn a_file_system_in_memory_has_a_size() {
    let of = |size: i64| {
        json!({"linuxParameters": {"tmpfs": [
            {"containerPath": "/run", "size": 64}, {"containerPath": "/tmp", "size": size},
        ]}})
    };
    for size in [0, -1] {
        assert_eq!(
            refused(plain(), json!({}), of(size)),
            client(
                "The container has an invalid tmpfs size value specified. It must be a non-zero, \
                 non-negative integer."
            ),
            "{size}"
        );
    }

    let mut definition = plain();
    definition["containerDefinitions"][0]["linuxParameters"] = of(1)["linuxParameters"].clone();
    World::new(1).ok("RegisterTaskDefinition", definition);
}
