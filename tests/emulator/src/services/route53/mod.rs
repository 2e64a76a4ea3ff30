//! Route 53: hosted zones with their record sets, changes of them, and the answers to queries.
//!
//! A change is kept at once, and each DNS server has it by the time it is INSYNC. Hosted zones are
//! made by templates or by `create_zone`.

mod alias;
mod answers;
mod change;
mod conflicts;
mod iam;
mod list;
mod name;
mod operations;
mod record;
mod rest;
mod xml;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::protocol::{Protocol, Rest};
use crate::quotas::Bucket;
use crate::service::{Errors, Service};
use crate::{Aws, Millis};

pub use answers::{DnsAnswers, answers};
pub(crate) use change::apply;
use name::Key;
pub(crate) use name::normalized;
pub use operations::call;
pub use record::{Alias, RecordSet};

pub(crate) const SERVICE: Service = Service {
    name: "route53",
    protocol: Protocol::Rest(Rest {
        handle: rest::handle,
        read: |request| Some(rest::operation_and_input(request)),
    }),
    errors: Errors::QUERY,
    demands: iam::demands,
};

/// The most record sets of a page, and how many it has unless the request wants fewer.
const MOST_ITEMS: usize = 300;
const DEFAULT_ITEMS: usize = 100;

type Records = BTreeMap<Key, RecordSet>;

/// The hosted zones of the account and the changes that were submitted.
#[derive(Clone, Debug, Default)]
pub struct Route53 {
    /// By id.
    zones: BTreeMap<String, HostedZone>,
    /// By id.
    changes: BTreeMap<String, Submitted>,
    requests: Bucket,
}

/// A public hosted zone.
#[derive(Clone, Debug)]
pub struct HostedZone {
    pub id: String,
    /// With the dot at its end.
    pub name: String,
    comment: Option<String>,
    reference: String,
    name_servers: Vec<String>,
    records: Records,
    /// Changes that perhaps not every server has yet, oldest first.
    pending: Vec<Pending>,
    /// Until then another change of the zone is refused.
    busy_until: Millis,
}

/// What servers have that do not have a change yet.
#[derive(Clone, Debug)]
struct Pending {
    until: Millis,
    before: Records,
}

/// A change that was submitted.
#[derive(Clone, Debug)]
struct Submitted {
    at: Millis,
    in_sync_at: Millis,
    comment: Option<String>,
}

impl Route53 {
    #[must_use]
    pub fn zone(&self, id: &str) -> Option<&HostedZone> {
        self.zones.get(id)
    }

    pub fn zones(&self) -> impl Iterator<Item = &HostedZone> {
        self.zones.values()
    }

    /// The record set of a zone with the name, type and identifier of some properties.
    pub(crate) fn record(&self, zone: &str, properties: &Value) -> Option<Value> {
        let text = |name: &str| properties[name].as_str();
        let name = normalized(text("Name")?);
        let key = Key::new(&name, text("Type")?, text("SetIdentifier"));
        let record = self.zone(zone)?.records.get(&key)?;
        Some(record.written())
    }

    pub(crate) fn remove_zone(&mut self, id: &str) {
        self.zones.remove(id);
    }

    /// The zone that a name belongs to: the one with the longest name.
    fn zone_of(&self, name: &str) -> Option<&HostedZone> {
        self.zones
            .values()
            .filter(|zone| zone.has(name))
            .max_by_key(|zone| zone.name.len())
    }
}

impl HostedZone {
    /// The record sets in the order in which they are listed.
    pub fn records(&self) -> impl Iterator<Item = &RecordSet> {
        self.records.values()
    }

    /// When every server has the last change, or had it; none of a zone without one.
    #[must_use]
    pub fn in_sync_at(&self) -> Option<Millis> {
        self.pending.last().map(|pending| pending.until)
    }

    /// The name servers, which do not change.
    #[must_use]
    pub fn name_servers(&self) -> &[String] {
        &self.name_servers
    }

    /// Whether the record sets of a name belong to the zone.
    fn has(&self, name: &str) -> bool {
        name == self.name || name.ends_with(&format!(".{}", self.name))
    }
}

/// Makes a public hosted zone with its NS and SOA records; returns its id.
pub fn create_zone(aws: &mut Aws, name: &str, comment: Option<&str>) -> String {
    let id = identifier(aws, 'Z');
    let name = normalized(name);
    let name_servers: Vec<String> = ["com", "net", "org", "co.uk"]
        .into_iter()
        .enumerate()
        .map(|(at, domain)| format!("ns-{}.awsdns-{:02}.{domain}", at * 512 + 7, at * 16 + 1))
        .collect();
    let authority = format!(
        "{}. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400",
        name_servers[0]
    );
    let servers = name_servers.iter().map(|server| format!("{server}."));
    let own = [
        RecordSet::simple(&name, "NS", 172_800, servers.collect()),
        RecordSet::simple(&name, "SOA", 900, vec![authority]),
    ];

    let zone = HostedZone {
        id: id.clone(),
        name,
        comment: comment.map(str::to_owned),
        reference: aws.uuid(),
        name_servers,
        records: own.into_iter().map(|it| (it.key(), it)).collect(),
        pending: Vec::new(),
        busy_until: aws.now,
    };
    aws.route53.zones.insert(id.clone(), zone);
    id
}

/// An id as Route 53 makes them up: a letter, and capital letters and digits.
fn identifier(aws: &mut Aws, kind: char) -> String {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let random = (0..19).map(|_| char::from(digits[aws.rng.usize(0..digits.len())]));
    std::iter::once(kind).chain(random).collect()
}
