//! Ports, names and addresses, and the network of the task.

use super::*;

#[test]
fn exposed_ports_are_mapped_and_published_ones_to_their_ports() {
    check_rows(&[
        (
            json!({"ExposedPorts": {"9000/udp": {}, "80/tcp": {}, "8080": {}, "3000-3005/tcp": {}}}),
            json!({"PortBindings": {"8080/tcp": []}, "PublishAllPorts": true}),
            json!({"portMappings": [
                {"containerPort": 80, "protocol": "tcp"},
                {"containerPortRange": "3000-3005", "protocol": "tcp"},
                {"containerPort": 8080, "protocol": "tcp"},
                {"containerPort": 9000, "protocol": "udp"},
            ]}),
        ),
        (
            json!({"ExposedPorts": {"80/tcp": {}}}),
            json!({"PortBindings": {
                "80/tcp": [
                    {"HostIp": "0.0.0.0", "HostPort": "8080"}, {"HostIp": "::", "HostPort": "8080"},
                    {"HostIp": "", "HostPort": "8081"},
                ],
                "90/tcp": [{"HostIp": "", "HostPort": ""}],
                "91/tcp": [{"HostIp": "", "HostPort": "0"}],
            }}),
            json!({"portMappings": [
                {"containerPort": 80, "hostPort": 8080, "protocol": "tcp"},
                {"containerPort": 80, "hostPort": 8081, "protocol": "tcp"},
                {"containerPort": 90, "protocol": "tcp"},
                {"containerPort": 91, "protocol": "tcp"},
            ]}),
        ),
    ]);
    check_listed(&[(
        json!({"ExposedPorts": {"36412/sctp": {}}}),
        json!({}),
        &["web.HostConfig.PortBindings.36412/sctp (36412/sctp): ECS maps ports of tcp and udp"],
    )]);
}

#[test]
fn an_address_or_a_range_of_the_host_is_listed() {
    let bindings = json!({"PortBindings": {"80/tcp": [
        {"HostIp": "127.0.0.1", "HostPort": "8000-8010"},
    ]}});
    let (web, listed) = on_bridge(json!({}), bindings);

    assert_eq!(
        web["portMappings"],
        json!([{"containerPort": 80, "protocol": "tcp"}])
    );
    assert_eq!(
        listed,
        [
            "web.HostConfig.PortBindings.80/tcp[0].HostIp (127.0.0.1): ECS publishes a port at \
             every address of the instance",
            "web.HostConfig.PortBindings.80/tcp[0].HostPort (8000-8010): ECS takes one port of the \
             instance, or finds one",
        ]
    );
}

#[test]
fn where_a_task_has_an_address_of_its_own_the_port_is_that_of_the_container() {
    let host = json!({
        "PortBindings": {"80/tcp": [{"HostPort": "8080"}], "81/tcp": [{"HostPort": "81"}]},
        "ExtraHosts": ["db:10.0.0.7"],
    });
    let (web, listed) = on(&on_fargate(), json!({"Hostname": "front"}), host);

    assert_eq!(
        web,
        json!({"portMappings": [
            {"containerPort": 80, "protocol": "tcp"}, {"containerPort": 81, "protocol": "tcp"},
        ]})
    );
    assert_eq!(
        listed,
        [
            "web.Config.Hostname (front): the network mode `awsvpc` does not take it",
            "web.HostConfig.PortBindings.80/tcp.HostPort (8080): in the network mode `awsvpc` the \
             port of a container is that of the host",
            "web.HostConfig.ExtraHosts (a list): the network mode `awsvpc` does not take it",
        ]
    );
}

#[test]
fn names_and_addresses_have_counterparts() {
    check_rows(&[(
        json!({"NetworkDisabled": true}),
        json!({
            "NetworkMode": "default", "Dns": ["10.0.0.2"], "DnsSearch": ["example.org"],
            "ExtraHosts": ["db:10.0.0.7", "cache:::1", "api=10.0.0.8"],
        }),
        json!({
            "disableNetworking": true,
            "dnsSearchDomains": ["example.org"],
            "dnsServers": ["10.0.0.2"],
            "extraHosts": [
                {"hostname": "api", "ipAddress": "10.0.0.8"},
                {"hostname": "cache", "ipAddress": "::1"},
                {"hostname": "db", "ipAddress": "10.0.0.7"},
            ],
        }),
    )]);
    check_listed(&[
        (
            json!({"MacAddress": "02:42:ac:11:00:02"}),
            json!({"NetworkMode": "shop_default", "DnsOptions": ["ndots:2"]}),
            &[
                "web.HostConfig.NetworkMode (shop_default): the running definition has the network \
                 of the task",
                "web.Config.MacAddress (a text): ECS gives addresses itself",
                "web.HostConfig.DnsOptions (a list of 1): ECS sets servers and search domains only",
            ],
        ),
        (
            json!({}),
            json!({"NetworkMode": "host", "ExtraHosts": ["up:host-gateway"]}),
            &[
                "web.HostConfig.NetworkMode (host): the running definition has the network of the \
                 task",
                "web.HostConfig.ExtraHosts.up (host-gateway): ECS takes the address of a host, not \
                 the instance by this word",
            ],
        ),
        (
            json!({}),
            json!({"Links": ["/db:/web/db"], "VolumesFrom": ["data:ro"]}),
            &[
                "web.HostConfig.VolumesFrom (data): the file does not have this container",
                "web.HostConfig.Links (db): the file does not have this container",
            ],
        ),
    ]);
}

#[test]
fn further_networks_and_fixed_addresses_are_listed() {
    let mut file = container(json!({}), json!({"NetworkMode": "shop"}));
    file["NetworkSettings"] = json!({"IPAddress": "172.17.0.2", "Networks": {
        "bridge": {"IPAMConfig": null, "IPAddress": "172.17.0.2"},
        "metrics": {"IPAMConfig": {}, "DriverOpts": null},
        "shop": {"IPAMConfig": {"IPv4Address": "10.1.0.9"}},
    }});
    let of_task = "the running definition has the network of the task";

    assert_eq!(
        listed(&parse(&file, &on_instances())),
        [
            format!("web.HostConfig.NetworkMode (shop): {of_task}"),
            format!("web.NetworkSettings.Networks.metrics (a network): {of_task}"),
            format!("web.NetworkSettings.Networks.shop.IPAMConfig (an object of 1): {of_task}"),
        ]
    );
}

#[test]
fn a_port_of_two_containers_is_that_of_the_first_where_they_share_an_address() {
    let of = |name: &str, ports: Value| {
        json!({
            "Name": format!("/{name}"),
            "Config": {"Image": "a:1", "ExposedPorts": ports},
            "HostConfig": {"Memory": 67_108_864},
        })
    };
    let file = json!([
        of(
            "web",
            json!({"80/tcp": {}, "80/udp": {}, "3000-3005/tcp": {}})
        ),
        of("api", json!({"80/tcp": {}, "3005/tcp": {}})),
        of("db", json!({"80/tcp": {}})),
    ]);

    let shared = parse(&file, &on_fargate());
    let made = containers(&shared);
    assert_eq!(made[1].get("portMappings"), None);
    assert_eq!(
        made[2]["portMappings"],
        json!([{"containerPort": 80, "protocol": "udp"}])
    );
    let reason = "in the network mode `awsvpc` a port is that of one container, and `api` has it";
    assert_eq!(
        listed(&shared),
        [
            format!("db.Config.ExposedPorts (80/tcp): {reason}"),
            format!("web.Config.ExposedPorts (80/tcp): {reason}"),
            format!("web.Config.ExposedPorts (3000-3005/tcp): {reason}"),
        ]
    );

    let bridged = parse(&file, &on_instances());
    assert_eq!(listed(&bridged), [""; 0]);
}

/// What runs on instances in a network mode.
fn in_mode(mode: &str) -> TaskDefinition {
    running(
        json!({"family": "web", "networkMode": mode, "containerDefinitions": [
            {"name": "web", "image": "web:1", "memory": 128},
        ]}),
    )
}

/// Members of `Config` and `HostConfig` that a network mode can refuse.
fn of_network() -> (Value, Value) {
    let config = json!({
        "Hostname": "front", "NetworkDisabled": true,
        "ExposedPorts": {"80/tcp": {}, "3000-3005/tcp": {}},
    });
    let host = json!({"Dns": ["10.0.0.2"], "DnsSearch": ["example.org"]});
    (config, host)
}

#[test]
fn in_the_mode_awsvpc_names_and_addresses_are_listed() {
    let (config, host) = of_network();
    let (web, listed) = on(&in_mode("awsvpc"), config, host);

    assert_eq!(
        web,
        json!({"portMappings": [
            {"containerPort": 80, "protocol": "tcp"},
            {"containerPortRange": "3000-3005", "protocol": "tcp"},
        ]})
    );
    let reason = "the network mode `awsvpc` does not take it";
    assert_eq!(
        listed,
        [
            format!("web.Config.Hostname (front): {reason}"),
            format!("web.HostConfig.Dns (10.0.0.2): {reason}"),
            format!("web.HostConfig.DnsSearch (example.org): {reason}"),
            format!("web.Config.NetworkDisabled (true): {reason}"),
        ]
    );
}

#[test]
fn in_the_modes_host_and_none_ports_are_listed_that_ecs_refuses() {
    let (config, host) = of_network();
    let others = json!({
        "disableNetworking": true, "dnsSearchDomains": ["example.org"], "dnsServers": ["10.0.0.2"],
        "hostname": "front",
    });
    let field = "web.HostConfig.PortBindings";
    let range = "3000/tcp (3000-3005/tcp)";

    let mut with_port = others.clone();
    with_port["portMappings"] = json!([{"containerPort": 80, "protocol": "tcp"}]);
    let listed = format!("{field}.{range}: the network mode `host` does not take a range");
    assert_eq!(
        on(&in_mode("host"), config.clone(), host.clone()),
        (with_port, vec![listed])
    );

    let reason = "the network mode `none` does not take it";
    let listed = vec![
        format!("{field}.80/tcp (80/tcp): {reason}"),
        format!("{field}.{range}: {reason}"),
    ];
    assert_eq!(on(&in_mode("none"), config, host), (others, listed));
}

#[test]
fn a_port_is_in_one_mapping_of_its_container_if_one_is_a_range() {
    let (web, listed) = on_bridge(
        json!({"ExposedPorts": {"80-90/tcp": {}, "85/tcp": {}, "85/udp": {}}}),
        json!({}),
    );
    assert_eq!(
        web["portMappings"],
        json!([
            {"containerPortRange": "80-90", "protocol": "tcp"},
            {"containerPort": 85, "protocol": "udp"},
        ])
    );
    assert_eq!(
        listed,
        [
            "web.HostConfig.PortBindings.85/tcp (85/tcp): ECS takes a port in one mapping of a \
             container"
        ]
    );
}

/// A container with these members of `HostConfig`, and its networks.
fn in_networks(name: &str, host: Value, networks: Value) -> Value {
    let mut host = host;
    host["Memory"] = json!(67_108_864);
    json!({
        "Id": format!("{name}0123456789ab"), "Name": format!("/shop-{name}-1"),
        "Config": {"Image": "a:1"}, "HostConfig": host,
        "NetworkSettings": {"Networks": networks},
    })
}

#[test]
fn a_port_of_the_instance_is_that_of_the_first_container() {
    let publish = |port: &str| {
        let bindings = json!([{"HostIp": "127.0.0.1", "HostPort": "8080"}]);
        json!({"PortBindings": {port: bindings}})
    };
    let file = json!([
        in_networks("web", publish("80/tcp"), json!({})),
        in_networks("api", publish("81/tcp"), json!({})),
    ]);
    let parsed = parse(&file, &on_instances());
    let made = containers(&parsed);
    assert_eq!(
        made[0]["portMappings"],
        json!([{"containerPort": 81, "hostPort": 8080, "protocol": "tcp"}])
    );
    assert_eq!(
        made[1]["portMappings"],
        json!([{"containerPort": 80, "protocol": "tcp"}])
    );
    let last = listed(&parsed).pop().expect("something is listed");
    assert_eq!(
        last,
        "shop-web-1.HostConfig.PortBindings.80/tcp.HostPort (8080): a port of the instance is that \
         of one container: `shop-api-1` has it"
    );
}

/// A file of Docker Compose: `web` with links to `db` and to a container that is gone.
fn of_compose() -> Value {
    let network = |links: Value, aliases: Value| {
        let network = json!({"Links": links, "Aliases": aliases});
        json!({"shop_default": network})
    };
    let mode = json!({"NetworkMode": "shop_default"});
    let links = json!([
        "shop-db-1:database",
        "shop-db-1:shop-db-1",
        "shop-gone-1:gone"
    ]);
    let aliases = json!(["shop-web-1", "web0123456789", "web", "web"]);
    json!([
        in_networks("web", mode.clone(), network(links, aliases)),
        in_networks("db", mode, network(json!(null), json!(["shop-db-1"]))),
    ])
}

#[test]
fn links_and_aliases_that_docker_compose_gives_in_a_network_are_read() {
    let of_task = "(shop_default): the running definition has the network of the task";
    let place = "shop-web-1.NetworkSettings.Networks.shop_default";
    let gone = format!("{place}.Links (shop-gone-1): the file does not have this container");

    let parsed = parse(&of_compose(), &on_instances());
    assert_eq!(
        containers(&parsed)[1]["links"],
        json!(["shop-db-1", "shop-db-1:database"])
    );
    assert_eq!(
        listed(&parsed)[1..],
        [
            format!("shop-db-1.HostConfig.NetworkMode {of_task}"),
            format!("shop-web-1.HostConfig.NetworkMode {of_task}"),
            format!(
                "{place}.Aliases (web): ECS has links only, in the container that uses the name"
            ),
            gone.clone(),
        ]
    );

    let parsed = parse(&of_compose(), &on_fargate());
    assert_eq!(containers(&parsed)[1].get("links"), None);
    assert_eq!(
        listed(&parsed)[3..],
        [
            format!(
                "{place}.Aliases (web): the containers of a task reach each other at localhost"
            ),
            gone,
            format!(
                "{place}.Links (shop-db-1, shop-db-1:database): the network mode `awsvpc` does not \
                 take it"
            ),
        ]
    );
}
