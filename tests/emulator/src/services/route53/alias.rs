//! The targets of aliases.

use super::HostedZone;
use super::record::{Alias, RecordSet};
use crate::elb::{self, LoadBalancer};
use crate::{Aws, Millis};

/// How long an answer with the addresses of a balancer lasts, in milliseconds. Source:
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-choosing-alias-non-alias.html>
pub(super) const BALANCER_TTL: Millis = 60_000;

/// Zones of websites in S3 with their only names. Source:
/// <https://docs.aws.amazon.com/general/latest/gr/s3.html>
const WEBSITES: [(&str, &str); 2] = [
    ("Z3AQBSTGFYJSTF", "s3-website-us-east-1.amazonaws.com."),
    ("Z2F56UZL2M1ACD", "s3-website-us-west-1.amazonaws.com."),
];

/// What an alias refers to.
enum AliasTarget {
    /// Something that is there.
    Found,
    /// A name of the zone without what it should name.
    Absent,
    /// A name of another zone.
    Elsewhere,
}

/// The balancer that a name is of, and the place that has it: any region of any account.
pub(super) fn balancer<'a>(aws: &'a Aws, name: &str) -> Option<(&'a Aws, &'a LoadBalancer)> {
    let name = name.trim_end_matches('.');
    let name = name.strip_prefix("dualstack.").unwrap_or(name);
    let mut places = std::iter::once(aws).chain(aws.others.values());
    places.find_map(|place| {
        let mut all = place.elb.load_balancers.values();
        let found = all.find(|balancer| balancer.dns_name.eq_ignore_ascii_case(name));
        found.map(|balancer| (place, balancer))
    })
}

fn target(aws: &Aws, zone: &HostedZone, record: &RecordSet, alias: &Alias) -> AliasTarget {
    let name = alias.dns_name.as_str();
    let found = |is_there: bool| {
        if is_there {
            AliasTarget::Found
        } else {
            AliasTarget::Absent
        }
    };

    if alias.hosted_zone == zone.id && zone.has(name) {
        let named = |other: &RecordSet| other.name == name && other.kind == record.kind;
        return found(zone.records().any(named));
    }
    if elb::zone_of_name(name) == Some(alias.hosted_zone.as_str()) {
        return found(balancer(aws, name).is_some());
    }
    if WEBSITES.contains(&(alias.hosted_zone.as_str(), name)) {
        return AliasTarget::Found;
    }
    AliasTarget::Elsewhere
}

/// What is wrong with the target of a record set in a zone with these record sets.
pub(super) fn refusals(aws: &Aws, zone: &HostedZone, record: &RecordSet) -> Vec<String> {
    let Some(alias) = &record.alias else {
        return Vec::new();
    };
    let reasons: &[&str] = match target(aws, zone, record, alias) {
        AliasTarget::Found => &[],
        AliasTarget::Absent => &["but that target was not found"],
        AliasTarget::Elsewhere => &[
            "but the alias target name does not lie within the target zone",
            "but that target was not found",
        ],
    };
    let worded = |reason: &&str| {
        format!(
            "Tried to create an alias that targets {}, type {} in zone {}, {reason}",
            alias.dns_name, record.kind, alias.hosted_zone
        )
    };
    reasons.iter().map(worded).collect()
}
