//! Which record sets exclude each other.

use super::record::{ChangeAction, RecordChange, RecordSet};
use super::{HostedZone, alias};
use crate::Aws;

/// The most weighted sets with one name and type. Source:
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html>
const MOST_WEIGHTED: usize = 100;

/// Sets that a batch names twice, other than to delete one and create it again.
pub(super) fn repeated(changes: &[RecordChange]) -> Vec<String> {
    let mut refusals = Vec::new();
    for (at, change) in changes.iter().enumerate() {
        let mut again = changes[at + 1..]
            .iter()
            .filter(|later| later.record.key() == change.record.key());
        let is_refused = |later: &RecordChange| {
            (change.action, later.action) != (ChangeAction::Delete, ChangeAction::Create)
        };
        if again.any(is_refused) {
            refusals.push(format!(
                "The request contains an invalid set of changes for a resource record set '{} {}'",
                change.record.kind, change.record.name
            ));
        }
    }
    refusals
}

/// What excludes a record set that a batch leaves in the zone.
pub(super) fn found(aws: &Aws, zone: &HostedZone, record: &RecordSet) -> Vec<String> {
    // What is not in the zone was refused before.
    if !zone.records.contains_key(&record.key()) {
        return Vec::new();
    }
    let of_others = of_other_types(zone, record).into_iter();
    of_others
        .chain(of_same_type(zone, record))
        .chain(alias::refusals(aws, zone, record))
        .chain(
            record
                .values
                .iter()
                .filter_map(|value| illegal(record, value)),
        )
        .collect()
}

fn of_other_types(zone: &HostedZone, record: &RecordSet) -> Option<String> {
    let RecordSet { name, kind, .. } = record;
    let is_cname = kind == "CNAME";
    if is_cname && *name == zone.name {
        return Some(format!(
            "RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {}",
            zone.name
        ));
    }

    let mut others = zone
        .records()
        .filter(|other| other.name == *name && other.kind != *kind);
    if is_cname {
        return others.next().map(|_| {
            format!(
                "RRSet of type CNAME with DNS name {name} is not permitted as it conflicts with \
                 other records with the same DNS name in zone {}",
                zone.name
            )
        });
    }
    others.find(|other| other.kind == "CNAME").map(|_| {
        format!(
            "RRSet of type {kind} with DNS name {name} is not permitted because a conflicting \
             RRSet of type CNAME with the same DNS name already exists in zone {}",
            zone.name
        )
    })
}

fn of_same_type(zone: &HostedZone, record: &RecordSet) -> Option<String> {
    let RecordSet { name, kind, .. } = record;
    let beside: Vec<&RecordSet> = zone
        .records()
        .filter(|other| other.is_beside(record) && other.key() != record.key())
        .collect();
    let Some(id) = &record.set_identifier else {
        return (!beside.is_empty()).then(|| {
            format!(
                "RRSet with DNS name {name}, type {kind} cannot be created as other RRSets exist \
                 with the same name and type."
            )
        });
    };

    if beside.iter().any(|other| other.weight.is_none()) {
        return Some(format!(
            "RRSet with DNS name {name}, type {kind}, SetIdentifier {id} cannot be created as a \
             non-weighted set exists with the same name and type."
        ));
    }
    let other_ttl = |other: &&RecordSet| other.ttl.is_some() && other.ttl != record.ttl;
    if record.ttl.is_some() && beside.iter().any(other_ttl) {
        return Some(format!(
            "RRSet with DNS name {name} and type {kind}, SetIdentifier {id} cannot be created as \
             weighted sets must contain the same TTL."
        ));
    }
    (beside.len() >= MOST_WEIGHTED).then(|| {
        format!(
            "RRSet with DNS name {name}, type {kind}, SetIdentifier {id} cannot be created as \
             {MOST_WEIGHTED} weighted sets exist with the same name and type."
        )
    })
}

/// A value that its type does not allow.
fn illegal(record: &RecordSet, value: &str) -> Option<String> {
    let is_legal = record.kind != "A" || value.parse::<std::net::Ipv4Addr>().is_ok();
    (!is_legal).then(|| {
        format!(
            "Invalid Resource Record: 'FATAL problem: ARRDATAIllegalIPv4Address (Value is not a \
             valid IPv4 address) encountered with '{value}''"
        )
    })
}
