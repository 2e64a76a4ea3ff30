//! Sizes of containers beside the size of their task.

use super::*;

const MIB: u64 = 1024 * 1024;

/// A task of this size with one container.
fn sized(cpu: &str, memory: &str) -> TaskDefinition {
    running(json!({
        "family": "web", "cpu": cpu, "memory": memory,
        "containerDefinitions": [{"name": "web", "image": "web:1"}],
    }))
}

#[test]
fn a_limit_above_the_memory_of_the_task_is_left_to_the_task() {
    for (memory, given, kept) in [
        ("512", 512, true),
        ("512", 513, false),
        ("0.5GB", 512, true),
        ("0.5GB", 513, false),
        ("1 GB", 1024, true),
    ] {
        let host = json!({"Memory": given * MIB});
        let made = on(&sized("256", memory), json!({}), host);
        let expected = if kept {
            (json!({"memory": given}), Vec::new())
        } else {
            (
                json!({}),
                vec![format!(
                    "containerDefinitions.web.memory ({given}): the task has 512 MiB, which limit \
                     its containers"
                )],
            )
        };
        assert_eq!(made, expected, "{memory} {given}");
    }
}

#[test]
fn reservations_are_together_within_the_task() {
    let of = |name: &str, host: Value| {
        json!({
            "Id": "", "Name": format!("/{name}"), "Config": {"Image": "a:1"}, "HostConfig": host,
        })
    };
    let file = json!([
        of(
            "a",
            json!({"CpuShares": 200, "MemoryReservation": 300 * MIB})
        ),
        of(
            "b",
            json!({"CpuShares": 100, "MemoryReservation": 300 * MIB})
        ),
        of(
            "c",
            json!({"CpuShares": 56, "MemoryReservation": 212 * MIB})
        ),
    ]);

    let parsed = parse(&file, &sized(".25 vCPU", "512"));
    assert_eq!(
        containers(&parsed),
        [
            json!({"name": "a", "image": "a:1", "cpu": 200, "memoryReservation": 300}),
            json!({"name": "b", "image": "a:1"}),
            json!({"name": "c", "image": "a:1", "cpu": 56, "memoryReservation": 212}),
        ]
    );
    assert_eq!(
        listed(&parsed)[1..],
        [
            "containerDefinitions.b.memoryReservation (300): the task has 512, of which other \
             containers have 300",
            "containerDefinitions.b.cpu (100): the task has 256, of which other containers have 200",
        ]
    );

    // Without a size of the task only the instances limit it.
    let parsed = parse(&file, &on_instances());
    assert_eq!(
        containers(&parsed)[1],
        json!({"name": "b", "image": "a:1", "cpu": 100, "memoryReservation": 300})
    );
}
