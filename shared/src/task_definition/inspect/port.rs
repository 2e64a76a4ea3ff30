//! One port mapping of a container.

use std::fmt;

use serde_json::{Map, Value};

/// A port of a container, or a range of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ports {
    pub(super) first: u16,
    pub(super) last: u16,
    /// In lower case.
    pub(super) protocol: String,
}

impl Ports {
    pub(super) fn is_range(&self) -> bool {
        self.first < self.last
    }

    pub(super) fn overlap(&self, other: &Self) -> bool {
        self.protocol == other.protocol && self.first <= other.last && other.first <= self.last
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            first,
            last,
            protocol,
        } = self;
        if self.is_range() {
            write!(f, "{first}-{last}/{protocol}")
        } else {
            write!(f, "{first}/{protocol}")
        }
    }
}

/// Ports of a container, and the port of the host that they are published at.
#[derive(Clone, Debug)]
pub(super) struct Mapping {
    pub(super) ports: Ports,
    /// None if ECS finds one, or it is the container's.
    pub(super) host: Option<u16>,
    /// `appProtocol` and `name`, by which other services know it.
    pub(super) known_as: Map<String, Value>,
}

impl Mapping {
    pub(super) fn new(ports: Ports, host: Option<u16>) -> Self {
        Self {
            ports,
            host,
            known_as: Map::new(),
        }
    }

    /// Whether a mapping of a task definition has the same ports of the container.
    pub(super) fn is_of(&self, other: &Value) -> bool {
        let own = self.json();
        let is_same = |member: &&str| own[*member] == other[*member];
        let protocol = other["protocol"].as_str().unwrap_or("tcp");
        ["containerPort", "containerPortRange"].iter().all(is_same)
            && self.ports.protocol == protocol
    }

    /// As a task definition has it.
    pub(super) fn json(&self) -> Value {
        let ports = &self.ports;
        let mut mapping = Map::new();
        if ports.is_range() {
            let range = format!("{}-{}", ports.first, ports.last);
            mapping.insert("containerPortRange".to_owned(), Value::from(range));
        } else {
            mapping.insert("containerPort".to_owned(), Value::from(ports.first));
        }
        if let Some(host) = self.host {
            mapping.insert("hostPort".to_owned(), Value::from(host));
        }
        let protocol = Value::from(ports.protocol.as_str());
        mapping.insert("protocol".to_owned(), protocol);
        mapping.extend(self.known_as.clone());
        Value::Object(mapping)
    }
}
