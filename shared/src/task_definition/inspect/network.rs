//! The network of a container. The mode is the task's, and stays that of the running definition.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::draft::Draft;
use super::fields::Fields;
use super::left_out::{is_unset, shown};
use super::peers::Peers;

/// Networks that Docker makes itself, that of Podman, and what nerdctl prints for any.
const OWN_NETWORKS: [&str; 8] = [
    "",
    "bridge",
    "default",
    "host",
    "nat",
    "none",
    "podman",
    "unknown-eth0",
];

const OF_TASK: &str = "the running definition has the network of the task";

pub(super) fn convert(
    container: &mut Fields,
    (config, host): (&mut Fields, &mut Fields),
    peers: &Peers,
    draft: &mut Draft,
) -> Result<(), String> {
    let mode = mode(host, peers, draft)?;
    let of_networks = networks(container, &mode, peers, draft)?;

    for (name, member) in [("Dns", "dnsServers"), ("DnsSearch", "dnsSearchDomains")] {
        let field = host.at(name);
        let list = host.texts(name)?;
        let shown = list.join(", ");
        draft.put(member, list, &field, &shown);
    }
    extra_hosts(host, draft)?;
    links(host, of_networks, peers, draft)?;

    let field = config.at("NetworkDisabled");
    let is_off = config.flag("NetworkDisabled")?;
    draft.put("disableNetworking", is_off, &field, "true");
    Ok(())
}

fn mode(host: &mut Fields, peers: &Peers, draft: &mut Draft) -> Result<String, String> {
    let field = host.at("NetworkMode");
    let mode = host.text("NetworkMode")?;

    if let Some(other) = mode.strip_prefix("container:") {
        // Docker prints the id of the other container.
        let peer = peers.find(other);
        let is_shared = peer.is_some() && draft.place.has_own_ports();
        let name = peer.map_or("another one", |peer| peer.name.as_str());
        if !is_shared {
            draft.leave(field, format!("that of {name}"), OF_TASK);
        }
        return Ok(mode);
    }

    let is_default = ["", "bridge", "default", "nat"].contains(&mode.as_str());
    if !is_default && mode != draft.place.mode() {
        draft.leave(field, mode.as_str(), OF_TASK);
    }
    Ok(mode)
}

/// Further networks, and what was set in one: `NetworkSettings` has the state of the others. The
/// links in them, which Docker Compose gives there, are returned with their fields.
fn networks(
    container: &mut Fields,
    mode: &str,
    peers: &Peers,
    draft: &mut Draft,
) -> Result<Vec<(String, String)>, String> {
    let mut settings = container.object("NetworkSettings")?;
    let place = settings.at("Networks");
    let mut links = Vec::new();

    for (name, network) in settings.entries("Networks")? {
        if name != mode && !OWN_NETWORKS.contains(&name.as_str()) {
            draft.leave(format!("{place}.{name}"), "a network", OF_TASK);
        }

        let mut network = Fields::new(format!("{place}.{name}"), network)?;
        for member in ["IPAMConfig", "DriverOpts"] {
            let given = network.take(member);
            if !is_unset(&given) {
                draft.leave(network.at(member), shown(&given), OF_TASK);
            }
        }
        for link in network.texts("Links")? {
            links.push((network.at("Links"), link));
        }
        aliases(&mut network, peers, draft)?;
    }
    Ok(links)
}

/// Names by which other containers find this one, such as the service of Docker Compose; not those
/// that Docker makes of its name and its id.
fn aliases(network: &mut Fields, peers: &Peers, draft: &mut Draft) -> Result<(), String> {
    let mut given = network.texts("Aliases")?;
    given.retain(|alias| peers.find(alias).is_none_or(|peer| peer.name != draft.name));
    given.sort();
    given.dedup();
    if given.is_empty() {
        return Ok(());
    }

    let reason = if draft.place.has_own_ports() {
        "the containers of a task reach each other at localhost"
    } else {
        "ECS has links only, in the container that uses the name"
    };
    draft.leave(network.at("Aliases"), given.join(", "), reason);
    Ok(())
}

/// `host:address`, or `host=address`.
fn extra_hosts(host: &mut Fields, draft: &mut Draft) -> Result<(), String> {
    let field = host.at("ExtraHosts");
    let mut list = Vec::new();

    for entry in host.texts("ExtraHosts")? {
        let parts = entry.split_once([':', '=']);
        match parts.filter(|(name, address)| !name.is_empty() && !address.is_empty()) {
            Some((name, "host-gateway")) => {
                let reason = "ECS takes the address of a host, not the instance by this word";
                draft.leave(format!("{field}.{name}"), "host-gateway", reason);
            }
            Some((name, address)) => {
                let address = address.trim_matches(['[', ']']);
                list.push(json!({"hostname": name, "ipAddress": address}));
            }
            None => draft.leave(field.as_str(), "a text", "ECS takes a host and its address"),
        }
    }

    list.sort_by_key(Value::to_string);
    draft.put("extraHosts", list, &field, "a list");
    Ok(())
}

/// `/source:/container/alias`, or `source:alias` in a network.
fn links(
    host: &mut Fields,
    of_networks: Vec<(String, String)>,
    peers: &Peers,
    draft: &mut Draft,
) -> Result<(), String> {
    let field = host.at("Links");
    let mut all: Vec<(String, String)> = Vec::new();
    for link in host.texts("Links")? {
        all.push((field.clone(), link));
    }
    all.extend(of_networks);

    let mut made: BTreeMap<String, String> = BTreeMap::new();
    for (field, link) in all {
        let (source, alias) = link
            .split_once(':')
            .unwrap_or((link.as_str(), link.as_str()));
        let alias = alias.rsplit('/').next().unwrap_or(alias);
        let source = source.trim_start_matches('/');
        let Some(peer) = peers.find(source) else {
            draft.leave(field, source, "the file does not have this container");
            continue;
        };

        let link = if peer.name == alias {
            alias.to_owned()
        } else {
            format!("{}:{alias}", peer.name)
        };
        made.entry(link).or_insert(field);
    }

    let shown = made.keys().cloned().collect::<Vec<_>>().join(", ");
    let field = made.values().next().cloned().unwrap_or_default();
    let list: Vec<String> = made.into_keys().collect();
    draft.put("links", list, &field, &shown);
    Ok(())
}
