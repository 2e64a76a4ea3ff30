use super::details::refused;
use super::*;

#[test]
fn a_network_mode_refuses_what_it_has_no_use_for() {
    let ports = json!([{ "containerPort": 80 }]);
    let hosts = json!([{ "hostname": "db", "ipAddress": "10.0.0.7" }]);
    for (mode, of_container, words) in [
        (
            "awsvpc",
            json!({ "links": ["app"] }),
            "Links are not supported when networkMode=awsvpc.",
        ),
        (
            "host",
            json!({ "links": ["app"] }),
            "Links are not supported when networkMode=host.",
        ),
        (
            "none",
            json!({ "portMappings": ports }),
            "Port mappings are not supported when networkMode=none.",
        ),
        (
            "awsvpc",
            json!({ "hostname": "web" }),
            "hostname is not supported on container when networkMode=awsvpc.",
        ),
        (
            "awsvpc",
            json!({ "dnsServers": ["10.0.0.2"] }),
            "DNS servers are not supported on container when networkMode=awsvpc.",
        ),
        (
            "awsvpc",
            json!({ "dnsSearchDomains": ["example.org"] }),
            "DNS search domains are not supported on container when networkMode=awsvpc.",
        ),
        (
            "awsvpc",
            json!({ "extraHosts": hosts }),
            "Extra hosts are not supported on container when networkMode=awsvpc.",
        ),
        (
            "awsvpc",
            json!({ "disableNetworking": true }),
            "Disable Networking is not supported on container when networkMode=awsvpc.",
        ),
    ] {
        let refusal = refused(plain(), json!({ "networkMode": mode }), of_container);
        assert_eq!(refusal, client(words));
    }
}

#[test]
fn parameters_of_a_namespace_of_the_host_are_refused() {
    let of = |name: &str| json!({ "systemControls": [{ "namespace": name, "value": "1" }] });
    let words = "System controls of this namespace are not supported when";
    for (members, name, place) in [
        (
            json!({ "networkMode": "host" }),
            "net.core.somaxconn",
            "networkMode=host",
        ),
        (
            json!({ "ipcMode": "host" }),
            "kernel.msgmax",
            "ipcMode=host",
        ),
    ] {
        let refusal = refused(plain(), members, of(name));
        assert_eq!(refusal, client(&format!("{words} {place}.")));
    }

    for (members, name) in [
        (json!({ "networkMode": "host" }), "kernel.msgmax"),
        (json!({ "ipcMode": "host" }), "net.core.somaxconn"),
        (json!({ "ipcMode": "task" }), "kernel.msgmax"),
    ] {
        let mut definition = plain();
        let members = members.as_object().expect("members").clone();
        definition
            .as_object_mut()
            .expect("an object")
            .extend(members);
        definition["containerDefinitions"][0]["systemControls"] =
            of(name)["systemControls"].clone();
        World::new(1).ok("RegisterTaskDefinition", definition);
    }
}

#[test]
fn on_the_bridge_a_container_has_names_and_addresses_of_its_own() {
    let mut definition = plain();
    for (member, value) in [
        ("dnsSearchDomains", json!(["example.org"])),
        ("dnsServers", json!(["10.0.0.2"])),
        (
            "extraHosts",
            json!([{ "hostname": "db", "ipAddress": "10.0.0.7" }]),
        ),
        ("hostname", json!("web")),
    ] {
        definition["containerDefinitions"][0][member] = value;
    }
    World::new(1).ok("RegisterTaskDefinition", definition);
}

#[test]
fn a_range_of_ports_stands_alone_and_ascends() {
    let bridge = json!({});
    let host = json!({ "networkMode": "host" });
    for (members, mappings, words) in [
        (
            &bridge,
            json!([{ "containerPortRange": "80-90", "containerPort": 80 }]),
            "Container 'app' cannot specify both single port and port range.",
        ),
        (
            &bridge,
            json!([{ "containerPortRange": "90-80" }]),
            "Invalid 'containerPortRange' setting for container 'app'.",
        ),
        (
            &host,
            json!([{ "containerPortRange": "80-90" }]),
            "containerPortRange is not supported when networkMode=host.",
        ),
        (
            &bridge,
            json!([{ "containerPort": 85 }, { "containerPortRange": "80-90" }]),
            "container port is used multiple times in task.",
        ),
    ] {
        let of_container = json!({ "portMappings": mappings });
        assert_eq!(
            refused(plain(), members.clone(), of_container),
            client(words)
        );
    }
}

/// A definition of two containers with these port mappings.
fn two(mode: &str, first: Value, second: Value) -> Value {
    json!({"family": "web", "networkMode": mode, "containerDefinitions": [
        {"name": "app", "image": "nginx:1", "memory": 128, "portMappings": first},
        {"name": "db", "image": "redis:7", "memory": 128, "portMappings": second},
    ]})
}

#[test]
fn a_host_port_and_a_name_are_those_of_one_mapping() {
    let plain = json!([{ "containerPort": 80 }]);
    let published = json!([{ "containerPort": 80, "hostPort": 80 }]);
    let udp = json!([{ "containerPort": 80, "protocol": "udp" }]);
    let named = |port: u16| json!([{ "containerPort": port, "name": "http" }]);
    let host_port = "TCP host port '80' is mapped multiple times in task.";

    for (definition, words) in [
        (two("awsvpc", plain.clone(), plain.clone()), host_port),
        (two("host", plain.clone(), published.clone()), host_port),
        (two("bridge", published.clone(), published), host_port),
        (
            two("bridge", named(80), named(81)),
            "port mapping name is already used: 'http'.",
        ),
    ] {
        let refusal = World::new(1).err("RegisterTaskDefinition", definition);
        assert_eq!(refusal, client(words));
    }

    for definition in [
        two("bridge", plain.clone(), plain.clone()),
        two("awsvpc", plain, udp),
    ] {
        World::new(1).ok("RegisterTaskDefinition", definition);
    }
}

#[test]
fn a_port_is_a_port() {
    for (mapping, member) in [
        (json!({ "hostPort": 80 }), "containerPort"),
        (json!({ "containerPort": 65536 }), "containerPort"),
        (
            json!({ "containerPort": 80, "hostPort": 65536 }),
            "hostPort",
        ),
    ] {
        let of_container = json!({ "portMappings": [mapping] });
        assert_eq!(
            refused(plain(), json!({}), of_container),
            client(&format!("Invalid '{member}' setting for container 'app'."))
        );
    }
}
