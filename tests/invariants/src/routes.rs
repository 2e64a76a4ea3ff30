//! What routes the traffic of pairs, as the account shows it: rules and listeners by their ARNs,
//! and weighted records by zone, name and type, with the target groups to which they lead.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::ledger_reader::text;
use emulator::elb::Elb;
use emulator::route53::{HostedZone, RecordSet};
use emulator::{Aws, Call, Millis};

/// For how long an answer with the addresses of a load balancer is kept, in milliseconds.
const ALIAS_TTL: Millis = 60_000;

/// Target groups with their weights.
pub type Forwards = Vec<(String, i64)>;

/// Whether a call sets weights.
pub(crate) fn sets_weights(call: &Call) -> bool {
    matches!(
        call.operation.as_str(),
        "ModifyRule" | "ModifyListener" | "ChangeResourceRecordSets"
    )
}

/// The route of a pair, as the ledger has it of a release or after it.
pub(crate) fn route_of(pair: &Value) -> Option<String> {
    if let Some(rule) = text(pair, "rule").or_else(|| text(pair, "arn")) {
        return Some(rule.to_owned());
    }
    let key = |name: &str| text(pair, &format!("record.key.{name}"));
    Some(format!(
        "{}/{}/{}",
        key("zone")?,
        key("name")?,
        key("type")?
    ))
}

/// Where a route leads now.
#[must_use]
pub fn forwards(aws: &Aws, route: &str) -> Forwards {
    if route.starts_with("arn:") {
        return Elb::forwards(aws.elb.actions_of(route));
    }
    of_records(aws).remove(route).unwrap_or_default()
}

/// All routes of the account.
pub(crate) fn all(aws: &Aws) -> BTreeMap<String, Forwards> {
    let arns = aws.elb.rules.keys().chain(aws.elb.listeners.keys());
    let of_rules = arns.map(|arn| (arn.clone(), Elb::forwards(aws.elb.actions_of(arn))));
    of_rules.chain(of_records(aws)).collect()
}

/// The weighted records of the account, in the order of their set identifiers.
#[must_use]
pub fn of_records(aws: &Aws) -> BTreeMap<String, Forwards> {
    let mut all: BTreeMap<String, Forwards> = BTreeMap::new();
    for (route, _, record) in records(aws) {
        let weight = record.weight.unwrap_or(0);
        let groups = groups(aws, record).into_iter();
        let weighted = groups.map(|group| (group, weight));
        all.entry(route).or_default().extend(weighted);
    }
    all
}

/// When the last DNS answer from before the last change of a route has expired: with a rule at
/// once, with records the TTL after every server has the change.
pub(crate) fn followed_at(aws: &Aws, route: &str) -> Millis {
    let own = records(aws).filter(|(of, ..)| of == route);
    let expiries = own.map(|(_, zone, record)| {
        let ttl = record.ttl.map_or(ALIAS_TTL, |secs| secs * 1000);
        zone.in_sync_at().unwrap_or(aws.now).max(aws.now) + ttl
    });
    expiries.max().unwrap_or(aws.now)
}

/// Every weighted record with its zone and its route.
fn records(aws: &Aws) -> impl Iterator<Item = (String, &HostedZone, &RecordSet)> {
    aws.route53.zones().flat_map(|zone| {
        let weighted = zone.records().filter(|record| record.weight.is_some());
        weighted.map(move |record| {
            let route = format!("{}/{}/{}", zone.id, record.name, record.kind);
            (route, zone, record)
        })
    })
}

/// The target groups of the load balancer to which a record leads.
fn groups(aws: &Aws, record: &RecordSet) -> Vec<String> {
    let named = match &record.alias {
        Some(alias) => Some(alias.dns_name.as_str()),
        None => record.values.first().map(String::as_str),
    };
    let name = named.unwrap_or_default().trim_end_matches('.');
    let balancers = aws.elb.load_balancers.values();
    let mut named = balancers.filter(|it| it.dns_name.eq_ignore_ascii_case(name));
    let Some(balancer) = named.next() else {
        return Vec::new();
    };

    let listeners = aws.elb.listeners.values();
    let own = listeners.filter(|listener| listener.load_balancer_arn == balancer.arn);
    let forwards = own.flat_map(|listener| Elb::forwards(aws.elb.actions_of(&listener.arn)));
    forwards.map(|(group, _)| group).collect()
}
