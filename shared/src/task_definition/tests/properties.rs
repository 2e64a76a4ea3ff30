//! What can be read from a task definition, and its copies.

use serde_json::{Value, json};

use super::{counter, definition};

/// The static host ports of a definition, each with its protocol.
fn static_ports(value: Value) -> Vec<(u64, String)> {
    let definition = definition(value);
    let ports = definition.static_host_ports().into_iter();
    ports
        .map(|(port, protocol)| (port, protocol.to_owned()))
        .collect()
}

#[test]
fn a_static_port_depends_on_the_network_mode() {
    assert_eq!(static_ports(counter()), [(80, "tcp".to_owned())]);

    let mode = |mode: &str, host: u64| {
        static_ports(
            json!({"family": "a", "networkMode": mode, "containerDefinitions": [{
                "name": "a", "image": "b",
                "portMappings": [{"containerPort": 8080, "hostPort": host}],
            }]}),
        )
    };

    assert_eq!(
        [mode("awsvpc", 8080), mode("bridge", 0), mode("host", 8080)],
        [vec![], vec![], vec![(8080, "tcp".to_owned())]]
    );
}

#[test]
fn each_static_port_of_any_container_counts_with_its_protocol() {
    let ports = |mode: Option<&str>, mappings: Value| {
        let mut value = json!({"family": "a", "containerDefinitions": [
            {"name": "a", "image": "b"},
            {"name": "b", "image": "b", "portMappings": mappings},
        ]});
        if let Some(mode) = mode {
            value["networkMode"] = json!(mode);
        }
        static_ports(value)
    };
    let tcp = |port: u64| (port, "tcp".to_owned());

    let mixed = json!([
        {"containerPort": 8080, "hostPort": 0},
        {"containerPort": 8081, "hostPort": 81, "protocol": "http"},
        {"containerPort": 8082, "hostPort": 53, "protocol": "udp"},
    ]);
    let on_bridge = vec![(53, "udp".to_owned()), tcp(81)];
    let on_host = vec![tcp(8080), tcp(8081), (8082, "udp".to_owned())];

    assert_eq!(ports(None, mixed.clone()), on_bridge);
    assert_eq!(ports(Some("bridge"), mixed.clone()), on_bridge);
    assert_eq!(ports(Some("host"), mixed.clone()), on_host);

    for none in [
        ports(Some("awsvpc"), mixed.clone()),
        ports(Some("none"), mixed),
        ports(None, json!([{"containerPort": 8080}])),
        ports(None, json!([])),
    ] {
        assert!(none.is_empty(), "{none:?}");
    }
}

#[test]
fn without_a_network_mode_a_port_is_static_on_instances_of_the_users_alone() {
    let port = |compatibilities: Value| {
        static_ports(
            json!({"family": "a", "requiresCompatibilities": compatibilities,
                "containerDefinitions": [{"name": "a", "image": "b",
                    "portMappings": [{"containerPort": 8080, "hostPort": 8080}],
                }],
            }),
        )
    };

    for instances in [json!(["EC2"]), json!(["EXTERNAL"]), json!([])] {
        assert_eq!(port(instances), [(8080, "tcp".to_owned())]);
    }
    for elsewhere in [
        json!(["FARGATE"]),
        json!(["EC2", "FARGATE"]),
        json!(["MANAGED_INSTANCES"]),
    ] {
        assert!(port(elsewhere).is_empty());
    }
}

#[test]
fn a_static_port_is_shared_if_the_other_definition_needs_any_that_is_held() {
    let on = |ports: &[u64]| {
        let mappings = ports
            .iter()
            .map(|port| json!({"containerPort": 80, "hostPort": port}));
        definition(json!({"family": "a", "containerDefinitions": [{
            "name": "a", "image": "b", "portMappings": mappings.collect::<Vec<_>>(),
        }]}))
    };
    let shares = |held: &[u64], needed: &[u64]| on(held).shares_static_port(&on(needed));

    assert!(shares(&[80], &[80]) && shares(&[80], &[79, 80]) && shares(&[79, 80], &[80]));
    assert!(!shares(&[], &[80]) && !shares(&[0], &[80]) && !shares(&[81], &[79, 80]));
    assert!(!shares(&[80], &[]));
}

#[test]
fn a_port_is_mapped_by_the_container_of_its_name() {
    let definition = definition(json!({"family": "a", "containerDefinitions": [
        {"name": "a", "image": "b"},
        {"name": "b", "image": "b", "portMappings": [
            {"containerPort": 8080, "hostPort": 80}, {"containerPort": 8081},
        ]},
        {"name": "c", "image": "b", "portMappings": [{"containerPortRange": "90-99"}]},
    ]}));

    assert!(definition.maps_port("b", 8080) && definition.maps_port("b", 8081));
    assert!(definition.maps_port("c", 80), "a range may have it");
    for (container, port) in [("a", 8080), ("b", 80), ("d", 8080)] {
        assert!(!definition.maps_port(container, port), "{container} {port}");
    }
}

#[test]
fn a_port_is_named_by_the_mapping_of_any_container() {
    let definition = definition(json!({"family": "a", "containerDefinitions": [
        {"name": "a", "image": "b"},
        {"name": "b", "image": "b", "portMappings": [
            {"containerPort": 8080}, {"containerPort": 8081, "name": "http"},
        ]},
    ]}));

    assert!(definition.names_port("http"));
    assert!(!definition.names_port("b") && !definition.names_port(""));
}

#[test]
fn the_architecture_is_that_of_the_platform_and_on_fargate_has_a_default() {
    let architecture = |more: Value| {
        let mut value =
            json!({"family": "a", "containerDefinitions": [{"name": "a", "image": "b"}]});
        let fields = value.as_object_mut().expect("an object");
        fields.extend(more.as_object().expect("an object").clone());
        definition(value).architecture()
    };
    let stated = |word: &str| architecture(json!({"runtimePlatform": {"cpuArchitecture": word}}));

    assert_eq!(stated("ARM64"), Some("arm64"));
    assert_eq!(stated("X86_64"), Some("amd64"));
    assert_eq!(stated("RISCV"), None);
    let fargate = json!({"requiresCompatibilities": ["FARGATE"]});
    assert_eq!(architecture(fargate), Some("amd64"));
    assert_eq!(architecture(json!({})), None);
}

#[test]
fn the_values_of_all_environments_are_listed() {
    let with = definition(json!({"family": "a", "containerDefinitions": [
        {"name": "a", "image": "b", "environment": [{"name": "A", "value": "one"}, {"name": "B"}]},
        {"name": "b", "image": "b", "environment": [{"name": "C", "value": "two"}]},
    ]}));

    assert_eq!(
        with.variables().map(|(_, value)| value).collect::<Vec<_>>(),
        ["one", "two"]
    );
}

#[test]
fn a_copy_takes_another_family_and_tags_only_if_it_has_none() {
    let with = |tags: Value| {
        let mut value =
            json!({"family": "a", "containerDefinitions": [{"name": "a", "image": "b"}]});
        if !tags.is_null() {
            value["tags"] = tags;
        }
        definition(value)
    };

    let none = with(json!(null));
    let empty = with(json!([]));
    let web = with(json!([{"key": "team", "value": "web"}]));
    let shop = with(json!([{"key": "team", "value": "shop"}]));

    assert!(none.clone().with_tags_of(&web) == web && empty.with_tags_of(&web) == web);
    assert!(shop.clone().with_tags_of(&web) == shop);
    assert!(none.clone().with_tags_of(&none) == none);

    let moved = none.clone().in_family("other");

    assert_eq!(
        moved.text(),
        none.text()
            .replace(r#""family":"a""#, r#""family":"other""#)
    );
}

#[test]
fn values_of_variables_are_redacted_and_names_are_kept() {
    let definition = definition(json!({
        "family": "workers", "volumes": [{"name": "scratch"}],
        "containerDefinitions": [
            {"name": "backend", "image": "example/api:1"},
            {"name": "worker", "image": "example/api:2", "environment": [
                {"name": "HOST", "value": "backend"}, {"name": "KIND", "value": "memory"},
                {"name": "DIR", "value": "scratch"}, {"name": "TOKEN", "value": "hunter22"},
            ]},
        ],
    }));

    let text = "backend: Unknown volume 'scratch', set 'memory'; failed to run --token=hunter22";
    assert_eq!(
        definition.redacted(text),
        "backend: Unknown volume 'scratch', set 'memory'; failed to run --token=***"
    );
}
