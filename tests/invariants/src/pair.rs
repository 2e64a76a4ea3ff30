//! Invariants 2 and 3 for a blue/green pair: which colour has the traffic, what both run, and what
//! was recorded of both.

use std::sync::Arc;

use serde_json::Value;

use super::endings::{Observation, Routes, failed, lack, superseded};
use super::{Ledger, execution_of, number};
use crate::ledger_reader::text;
use crate::pair_services::{COLOURS, behind};
use crate::routes::{forwards, route_of};
use emulator::{Aws, Call};

/// The colours of a closed pair as the function that closed it saw them.
struct ObservedPair<'a> {
    live: &'a Observation,
    idle: Option<&'a Observation>,
    /// Names of the two.
    names: (&'a str, &'a str),
    weights: (i64, i64),
}

/// What an outcome claims of a pair was so when the attempt that recorded it looked for the last
/// time. `pair` is what was recorded of the colours before the release.
pub(super) fn check(
    aws: &Aws,
    execution: &str,
    record: &Value,
    pair: &Value,
    observations: &[Observation],
    routes: Option<&Routes>,
    by_hand: bool,
) -> Result<(), String> {
    let outcome = text(record, "outcome").unwrap_or_default();
    match outcome {
        "superseded" => return superseded(aws, execution, by_hand),
        "failed" => return failed(aws, execution, record),
        "deployed" | "unchanged" | "rolled-back" | "held" => {}
        other => {
            return Err(format!(
                "invariant 2: execution {execution} ended as {other:?}, which is not an outcome"
            ));
        }
    }

    let old = text(pair, "live").unwrap_or_default();
    let (live, claim) = match outcome {
        "deployed" => (other(old), text(record, "change.task_definition")),
        _ => (old, text(pair, &format!("{old}.task_definition"))),
    };
    let wrong = |(invariant, what): (u8, String)| {
        format!("invariant {invariant}: {execution} is {outcome}, but {what}")
    };
    let seen = seen(aws, record, pair, live, observations, routes);
    let (Some(claim), Some(seen)) = (claim, seen) else {
        return Err(wrong((
            2,
            "it was recorded without reading service and weights".to_owned(),
        )));
    };

    let lacks = match outcome {
        // No decision was taken in time, and the traffic went back.
        "rolled-back" | "held" => not_restored(aws, pair, &seen).map(|what| (3, what)),
        _ => not_live(&seen).map(|what| (2, what)),
    };
    lacks
        .or_else(|| lack(seen.live, claim).map(|what| (2, what)))
        .map_or(Ok(()), |what| Err(wrong(what)))
}

pub(super) fn other(colour: &str) -> &'static str {
    if colour == "blue" { "green" } else { "blue" }
}

fn seen<'a>(
    aws: &Aws,
    record: &Value,
    pair: &Value,
    live: &'a str,
    observations: &'a [Observation],
    routes: Option<&Routes>,
) -> Option<ObservedPair<'a>> {
    let observation = |colour: &str| {
        let group = text(pair, &format!("{colour}.target_group"));
        let service = behind(aws, record, group)?;
        observations
            .iter()
            .find(|observation| observation.service == service.name)
    };
    let routes = routes?.get(&route_of(pair)?)?;
    let weight = |colour: &str| {
        let group = text(pair, &format!("{colour}.target_group"))?;
        routes
            .iter()
            .find(|(of, _)| of == group)
            .map(|(_, weight)| *weight)
    };
    let names = (live, other(live));
    let weights = (weight(names.0)?, weight(names.1)?);

    Some(ObservedPair {
        live: observation(names.0)?,
        idle: observation(names.1),
        names,
        weights,
    })
}

/// How a restored pair differs from what was recorded.
fn not_restored(aws: &Aws, pair: &Value, seen: &ObservedPair<'_>) -> Option<String> {
    let (live, idle) = seen.names;
    let recorded = |colour: &str| {
        number(pair, &format!("{colour}.weight")).and_then(|n| i64::try_from(n).ok())
    };
    if (Some(seen.weights.0), Some(seen.weights.1)) != (recorded(live), recorded(idle)) {
        return Some(format!(
            "the weights were {live} {} and {idle} {}",
            seen.weights.0, seen.weights.1
        ));
    }

    let least = number(pair, &format!("{live}.desired_count")).unwrap_or(0) as usize;

    // Automatic scaling, once it may, takes tasks away that the load does not need.
    let is_scaled = pair.pointer(&format!("/{live}/M/suspended")).is_some();
    if seen.live.desired < least && !is_scaled {
        return Some(format!(
            "{live} had {} tasks, not {least}",
            seen.live.desired
        ));
    }

    let definition = text(pair, &format!("{idle}.task_definition"))
        .filter(|definition| aws.ecs.is_active(definition));
    let differs = |observation: &&Observation| {
        definition.is_some_and(|definition| observation.runs != definition)
    };
    seen.idle
        .filter(differs)
        .map(|observation| format!("{idle} ran {} and not {definition:?}", observation.runs))
}

/// What keeps a colour from being the live one.
fn not_live(seen: &ObservedPair<'_>) -> Option<String> {
    let ((live, idle), (of_live, of_idle)) = (seen.names, seen.weights);
    if of_live == 0 || of_idle != 0 {
        return Some(format!(
            "the weights were {live} {of_live} and {idle} {of_idle}"
        ));
    }
    (seen.live.desired == 0).then(|| format!("{live} had no tasks"))
}

/// A step that gave the new colour more traffic had seen it run what is released, with as many
/// healthy targets as it was filled with.
pub(super) fn fit(
    aws: &Aws,
    ledger: &Ledger,
    observations: &[Observation],
    routes: &Routes,
) -> Result<u64, String> {
    let Some(lease) = ledger.open() else {
        return Ok(0);
    };
    let Some(pair) = lease.pointer("/release/M/prior/M/pair/M") else {
        return Ok(0);
    };

    let new = other(text(pair, "live").unwrap_or_default());
    let (route, group) = (
        route_of(pair).unwrap_or_default(),
        text(pair, &format!("{new}.target_group")),
    );
    let of = |forwards: &[(String, i64)]| {
        forwards
            .iter()
            .find(|(of, _)| Some(of.as_str()) == group)
            .map(|(_, w)| *w)
    };
    let (before, now) = (
        routes.get(&route).and_then(|seen| of(seen)),
        of(&forwards(aws, &route)),
    );
    // A return may set more than a read from before the last shift shows.
    let goes_back = lease.pointer("/release/M/restoring").is_some();
    if now <= before || goes_back {
        return Ok(0);
    }

    let name = behind(aws, lease, group).map_or("", |service| service.name.as_str());
    check_fit(lease, observations, name, group)
        .map(|()| 1)
        .map_err(|what| {
            format!("invariant 1: {name} got weight {now:?} instead of {before:?}, but {what}")
        })
}

/// The function saw the colour run what is released, with enough healthy targets.
fn check_fit(
    lease: &Value,
    observations: &[Observation],
    colour: &str,
    group: Option<&str>,
) -> Result<(), String> {
    let Some(seen) = observations
        .iter()
        .find(|observation| observation.service == colour)
    else {
        return Err("the function that did that had not read it".to_owned());
    };
    let released = text(lease, "release.change.task_definition");
    if Some(seen.runs.as_str()) != released {
        return Err(format!(
            "it was seen to run {} and not {released:?}",
            seen.runs
        ));
    }

    let filled = number(lease, "release.change.desired_count").unwrap_or(1) as usize;
    let healthy = group.and_then(|group| seen.healthy.get(group)).copied();
    if healthy.is_none_or(|healthy| healthy < filled) {
        return Err(format!("{healthy:?} of {filled} targets were seen healthy"));
    }
    Ok(())
}

/// A judgement of the new colour reports a failure only when the old one has its recorded weights
/// again.
pub(super) fn given_back(aws: &Aws, call: &Call, ledger: &Ledger) -> Result<u64, String> {
    let execution = call.attempt.and_then(|attempt| execution_of(aws, attempt));
    let restoring = |lease: &&Value| {
        let is_it = text(lease, "release.execution") == execution.as_deref()
            && text(lease, "release.state") == Some("open");
        is_it && lease.pointer("/release/M/restoring").is_some()
    };
    let judges = call.caller.ends_with("evaluate-canary");
    let Some(lease) = ledger
        .leases
        .values()
        .map(Arc::as_ref)
        .find(restoring)
        .filter(|_| judges)
    else {
        return Ok(0);
    };
    let Some(pair) = lease.pointer("/release/M/prior/M/pair/M") else {
        return Ok(0);
    };

    let weights = forwards(aws, &route_of(pair).unwrap_or_default());
    for colour in COLOURS {
        let group = text(pair, &format!("{colour}.target_group")).unwrap_or_default();
        let weight = weights
            .iter()
            .find(|(of, _)| of == group)
            .map_or(0, |(_, weight)| *weight);
        let recorded =
            number(pair, &format!("{colour}.weight")).and_then(|n| i64::try_from(n).ok());
        if recorded != Some(weight) {
            return Err(format!(
                "invariant 3: {execution:?} failed its judgement, and {colour} has weight \
                {weight}, not {recorded:?}"
            ));
        }
    }
    Ok(1)
}
