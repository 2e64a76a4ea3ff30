//! Invariants 3 and 7 for a blue/green pair: what protects both colours while traffic moves between
//! them. Nothing scales a colour in, the old one drains before it stops, and afterwards scale-in is
//! as it was.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Ledger, body};
use crate::ledger_reader::text;
use crate::pair_services::{COLOURS, behind, groups};
use crate::routes::{followed_at, forwards, route_of};
use emulator::autoscaling::Suspended;
use emulator::{Aws, Call, Millis, Request};

/// When the traffic left which target group, with the last DNS answer that led there, and how long
/// a colour must stay after that.
#[derive(Clone, Debug, Default)]
pub(super) struct Colours {
    pub(super) drain: Millis,
    left: BTreeMap<String, Millis>,
}

impl Colours {
    /// Something that a lease protects was changed outside the release.
    pub(super) fn changed(
        &mut self,
        aws: &Aws,
        call: &Call,
        request: &Request,
        ledger: &Ledger,
    ) -> Result<u64, String> {
        match call.operation.as_str() {
            "ModifyRule" | "ModifyListener" | "ChangeResourceRecordSets" => {
                let pair = ledger
                    .held()
                    .and_then(|lease| lease.pointer("/release/M/prior/M/pair/M"));
                self.note(aws, pair.and_then(route_of));
                Ok(0)
            }
            "UpdateService" => self.drained(aws, &body(request), ledger),
            _ => Ok(0),
        }
    }

    /// Remembers which groups of a route have no weight any more. A change to the same weights is
    /// everywhere when one of the two is.
    fn note(&mut self, aws: &Aws, route: Option<String>) {
        let Some(route) = route else { return };
        let followed = followed_at(aws, &route);
        for (group, weight) in forwards(aws, &route) {
            if weight > 0 {
                self.left.remove(&group);
                continue;
            }
            let left = self.left.entry(group).or_insert(followed);
            *left = followed.min(*left);
        }
    }

    /// A colour that lost its weight in records is not stopped, and gets no other revision, while
    /// resolvers may answer with it.
    pub(super) fn kept(
        &self,
        aws: &Aws,
        call: &Call,
        request: &Request,
        ledger: &Ledger,
    ) -> Result<u64, String> {
        let input = body(request);
        let only_grows = input["taskDefinition"].is_null() && input["desiredCount"] != 0;
        // It names the revision that the service runs.
        if only_grows || call.caller.ends_with("begin-release") {
            return Ok(0);
        }

        let Some(lease) = ledger.held().filter(|lease| has_records(lease)) else {
            return Ok(0);
        };
        let service = named(&input);
        let is_of = |group: &&str| {
            behind(aws, lease, Some(*group)).is_some_and(|found| found.name == service)
        };
        let group = groups(lease).into_iter().flatten().find(is_of);
        match group.and_then(|group| self.left.get(group)) {
            Some(left) if aws.now + 1000 < *left => Err(format!(
                "invariant 7: {service} was changed at {}, and answers may lead to it until {left}",
                aws.now
            )),
            Some(_) => Ok(1),
            None => Ok(0),
        }
    }

    /// A step that stops the old colour let its clients go first.
    fn drained(&self, aws: &Aws, input: &Value, ledger: &Ledger) -> Result<u64, String> {
        let service = named(input);
        let old = ledger.open().and_then(|lease| {
            let colour = text(lease, "release.prior.pair.live")?;
            let group = text(lease, &format!("release.prior.pair.{colour}.target_group"))?;
            let is_old = behind(aws, lease, Some(group))?.name == service;
            is_old.then_some(group)
        });
        let Some(group) = old.filter(|_| input["desiredCount"] == 0) else {
            return Ok(0);
        };

        match self.left.get(group) {
            // The ledger knows whole seconds.
            Some(left) if aws.now - left + 1000 > self.drain => Ok(1),
            left => Err(format!(
                "invariant 7: {service} was stopped at {}, and its traffic left at {left:?}; it \
                drains for {} ms",
                aws.now, self.drain
            )),
        }
    }
}

/// The service that a request names.
fn named(input: &Value) -> &str {
    let service = input["service"].as_str();
    let name = service.and_then(|service| service.rsplit('/').next());
    name.unwrap_or_default()
}

/// Whether records route the traffic of the pair that a lease is of.
fn has_records(lease: &Value) -> bool {
    let pair = lease.pointer("/release/M/prior/M/pair/M");
    pair.is_some_and(|pair| text(pair, "record.key.zone").is_some())
}

/// While the new colour gets traffic, neither policies nor scheduled actions scale either of them
/// in.
pub(super) fn is_guarded(aws: &Aws, lease: &Value) -> Result<u64, String> {
    let mut guarded = 0;
    for (_, name, suspended) in targets(aws, lease, groups(lease)) {
        if !suspended.dynamic_in || !suspended.scheduled {
            return Err(format!(
                "invariant 7: the new colour got traffic while {name} could be scaled in"
            ));
        }
        guarded += 1;
    }
    Ok(guarded)
}

/// At the end scale-in is as it was, or it is written down as owed.
pub(super) fn given_back(aws: &Aws, ledger: &Ledger) -> Result<u64, String> {
    let mut checked = 0;
    for lease in ledger.leases.values() {
        for (colour, name, suspended) in targets(aws, lease, known_groups(lease, ledger)) {
            let owed = lease
                .pointer(&format!("/settled/M/owed_{colour}"))
                .is_some();
            if (suspended.dynamic_in || suspended.scheduled) && !owed {
                return Err(format!(
                    "invariant 3: scale-in of {name} is still suspended: {suspended:?}"
                ));
            }
            checked += 1;
        }
    }
    Ok(checked)
}

/// The target groups of a lease at the end. A first release that was superseded leaves them in its
/// record alone.
fn known_groups<'a>(lease: &'a Value, ledger: &'a Ledger) -> [Option<&'a str>; 2] {
    let left = groups(lease);
    if left[0].is_some() {
        return left;
    }

    let is_of = |record: &Value| {
        let mut names = ["cluster", "service"].into_iter();
        names.all(|name| text(record, name) == text(lease, name))
            && text(record, "prior.pair.live").is_some()
    };
    let record = ledger.records.values().find(|record| is_of(record));
    record.map_or([None; 2], |record| {
        COLOURS.map(|colour| text(record, &format!("prior.pair.{colour}.target_group")))
    })
}

/// The colours that scale, by the target groups of their pair, each with its service and what is
/// suspended of its scaling.
fn targets(
    aws: &Aws,
    lease: &Value,
    groups: [Option<&str>; 2],
) -> Vec<(&'static str, String, Suspended)> {
    let found = COLOURS
        .into_iter()
        .zip(groups)
        .filter_map(|(colour, group)| {
            let service = behind(aws, lease, group)?;
            let target = aws.autoscaling.target_of(&service.cluster, &service.name)?;
            Some((colour, service.name.clone(), target.suspended))
        });
    found.collect()
}
