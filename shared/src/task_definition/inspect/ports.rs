//! Exposed and published ports.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::draft::{Draft, is_empty};
use super::fields::Fields;
use super::place::Place;
use super::port::{Mapping, Ports};

/// Addresses that mean every address of the host.
const EVERY_ADDRESS: [&str; 3] = ["", "0.0.0.0", "::"];

/// What is exposed, with the ports of the host. Without one, ECS finds one.
pub(super) fn convert(
    config: &mut Fields,
    host: &mut Fields,
    draft: &mut Draft,
) -> Result<(), String> {
    let mut mappings: BTreeMap<Ports, BTreeSet<u16>> = BTreeMap::new();
    let exposed = config.at("ExposedPorts");
    for key in config.entries("ExposedPorts")?.into_keys() {
        mappings.entry(ports(&exposed, &key)?).or_default();
    }

    let published = host.at("PortBindings");
    for (key, bindings) in host.entries("PortBindings")? {
        let held = mappings.entry(ports(&published, &key)?).or_default();
        for mut binding in Fields::list(&format!("{published}.{key}"), bindings)? {
            held.extend(host_port(&mut binding, draft)?);
        }
    }
    // ECS gives every exposed port one of the host anyway.
    host.flag("PublishAllPorts")?;

    for (ports, held) in mappings {
        let field = format!("{published}.{}/{}", ports.first, ports.protocol);
        if let Some(reason) = refusal(&ports, draft) {
            draft.leave(field, ports.to_string(), reason);
        } else if ports.is_range() {
            for port in held {
                let reason = "ECS finds the ports of the instance for a range";
                draft.leave(format!("{field}.HostPort"), port.to_string(), reason);
            }
            draft.ports.push(Mapping::new(ports, None));
        } else {
            map(&ports, &held, &field, draft);
        }
    }
    Ok(())
}

/// Why ECS does not map these ports, if it does not.
fn refusal(ports: &Ports, draft: &Draft) -> Option<String> {
    if !["tcp", "udp"].contains(&ports.protocol.as_str()) {
        return Some("ECS maps ports of tcp and udp".to_owned());
    }
    if let Some(reason) = draft.place.refusal("portMappings") {
        return Some(reason);
    }
    if ports.is_range() && !draft.place.has_port_ranges() {
        let mode = draft.place.mode();
        return Some(format!("the network mode `{mode}` does not take a range"));
    }

    // One port can be published at several ports of the host, but not beside a range.
    let is_taken = |other: &Mapping| {
        (other.ports.is_range() || ports.is_range()) && other.ports.overlap(ports)
    };
    let reason = "ECS takes a port in one mapping of a container";
    draft.ports.iter().any(is_taken).then(|| reason.to_owned())
}

/// Maps one port of a container.
fn map(ports: &Ports, held: &BTreeSet<u16>, field: &str, draft: &mut Draft) {
    let plain = Mapping::new(ports.clone(), None);
    if draft.place.has_own_ports() {
        for other in held.iter().filter(|other| **other != ports.first) {
            let reason = format!(
                "in the network mode `{}` the port of a container is that of the host",
                draft.place.mode()
            );
            draft.leave(format!("{field}.HostPort"), other.to_string(), reason);
        }
        draft.ports.push(plain);
    } else if held.is_empty() {
        draft.ports.push(plain);
    } else {
        let at = |host: &u16| Mapping::new(ports.clone(), Some(*host));
        draft.ports.extend(held.iter().map(at));
    }
}

/// Gives the ports the names by which other services know them, from the mappings of the running
/// container.
pub(super) fn name(before: &[Value], draft: &mut Draft) {
    for named in before {
        let known_as: Vec<(String, Value)> = ["appProtocol", "name"]
            .into_iter()
            .filter(|member| named.get(*member).is_some_and(|it| !is_empty(it)))
            .map(|member| (member.to_owned(), named[member].clone()))
            .collect();
        if known_as.is_empty() {
            continue;
        }

        // A name is that of one mapping: ECS refuses a second one.
        let is_same = |mapping: &Mapping| mapping.known_as.is_empty() && mapping.is_of(named);
        let is_exact = |mapping: &Mapping| {
            is_same(mapping) && mapping.host.map(u64::from) == named["hostPort"].as_u64()
        };
        let exact = draft.ports.iter().position(is_exact);
        match exact.or_else(|| draft.ports.iter().position(is_same)) {
            Some(at) => draft.ports[at].known_as.extend(known_as),
            None => {
                let name = named["name"].as_str().unwrap_or("appProtocol");
                let field = format!("containerDefinitions.{}.portMappings.{name}", draft.name);
                let reason = "the file does not have its port: it is removed";
                draft.leave(field, "a name", reason);
            }
        }
    }
}

/// Leaves each port of the host to the first mapping that has it. It is the container's own where
/// those of a task share an address.
pub(super) fn share(drafts: &mut [Draft]) {
    let mut held: Vec<(Ports, String)> = Vec::new();
    for draft in drafts.iter_mut() {
        for mut mapping in std::mem::take(&mut draft.ports) {
            let Some(outside) = outside(&mapping, &draft.place) else {
                draft.ports.push(mapping);
                continue;
            };
            let holder = held.iter().find(|(other, _)| other.overlap(&outside));
            let Some((_, holder)) = holder else {
                held.push((outside, draft.name.clone()));
                draft.ports.push(mapping);
                continue;
            };

            let mode = draft.place.mode();
            let is_own = draft.place.has_own_ports();
            if is_own {
                let field = format!("{}.Config.ExposedPorts", draft.name);
                let reason = format!(
                    "in the network mode `{mode}` a port is that of one container, and `{holder}` \
                     has it"
                );
                draft.leave(field, mapping.ports.to_string(), reason);
            } else {
                let name = &draft.name;
                let field = format!("{name}.HostConfig.PortBindings.{}.HostPort", mapping.ports);
                let reason =
                    format!("a port of the instance is that of one container: `{holder}` has it");
                draft.leave(field, outside.first.to_string(), reason);
                mapping.host = None;
                draft.ports.push(mapping);
            }
        }
    }
}

/// The ports of the host that a mapping takes; none if ECS finds one.
fn outside(mapping: &Mapping, place: &Place) -> Option<Ports> {
    let of_host = |port: u16| Ports {
        first: port,
        last: port,
        ..mapping.ports.clone()
    };
    if place.has_own_ports() {
        Some(mapping.ports.clone())
    } else {
        mapping.host.map(of_host)
    }
}

/// Reads `80/tcp`, `80` or `3000-3005/udp`.
fn ports(field: &str, key: &str) -> Result<Ports, String> {
    let (numbers, protocol) = key.split_once('/').unwrap_or((key, "tcp"));
    let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));

    let number = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0);
    let is_protocol = !protocol.is_empty() && protocol.bytes().all(|b| b.is_ascii_alphanumeric());
    match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last && is_protocol => Ok(Ports {
            first,
            last,
            protocol: protocol.to_lowercase(),
        }),
        _ => Err(format!(
            "`{field}` has the port `{key}`; expected a port of 1 to 65535 with its protocol, such \
             as 80/tcp"
        )),
    }
}

/// The port of the host in a binding; none if Docker chooses it.
fn host_port(binding: &mut Fields, draft: &mut Draft) -> Result<Option<u16>, String> {
    let address = binding.text("HostIp")?;
    if !EVERY_ADDRESS.contains(&address.as_str()) {
        let reason = "ECS publishes a port at every address of the instance";
        draft.leave(binding.at("HostIp"), address, reason);
    }

    let field = binding.at("HostPort");
    let text = binding.text("HostPort")?;
    if text.is_empty() || text == "0" {
        return Ok(None);
    }
    if text.contains('-') {
        let reason = "ECS takes one port of the instance, or finds one";
        draft.leave(field, text, reason);
        return Ok(None);
    }
    text.parse::<u16>().map(Some).map_err(|_| {
        format!("`{field}` is `{text}`; expected a port of 1 to 65535, or nothing for a free one")
    })
}
