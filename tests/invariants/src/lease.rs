//! Invariant 8: a lease changes hands lawfully, and only the release that holds it changes the
//! service.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::{Ledger, body, execution_of, number};
use crate::ledger_reader::text;
use emulator::elb::Elb;
use emulator::{Aws, Call, Millis, Request};

/// The function that restores what others changed.
const ROLL_BACK: &str = "roll-back";

/// What is remembered of leases beside the ledger.
#[derive(Clone, Debug, Default)]
pub(super) struct Leases {
    /// When each release was taken over, by execution.
    taken_over: BTreeMap<String, Millis>,
    /// Releases whose restoration has begun.
    restoring: Vec<String>,
    /// The fence that each attempt wrote last.
    wrote: BTreeMap<u64, u64>,
    /// Attempts that announced a change of a service, which they may make as long as they run.
    announced: BTreeMap<u64, String>,
    /// The weights that each attempt announced last, blue's and green's.
    weights: BTreeMap<u64, [Option<i64>; 2]>,
    /// The definition that a person deployed last, by service.
    by_hand: BTreeMap<String, String>,
    /// What each service ran when it was looked at last.
    runs: BTreeMap<String, String>,
}

impl Leases {
    pub(super) fn look(&mut self, aws: &Aws) {
        for service in aws.ecs.services.values() {
            if let Some(primary) = service.primary()
                && self.runs.get(&service.name) != Some(&primary.task_definition)
            {
                self.runs
                    .insert(service.name.clone(), primary.task_definition.clone());
            }
        }
    }

    /// A person changed services: what they deployed is theirs.
    pub(super) fn changed_by_hand(&mut self, aws: &Aws) {
        let before = self.runs.clone();
        self.look(aws);
        self.by_hand.extend(
            self.runs
                .iter()
                .filter(|(name, runs)| before.get(*name) != Some(runs))
                .map(|(a, b)| (a.clone(), b.clone())),
        );
    }

    /// What a person deployed while the release was open is left alone.
    fn overwritten(&mut self, call: &Call, asked: &Value, lease: &Value) -> Option<String> {
        let new = asked["taskDefinition"]
            .as_str()
            .filter(|_| call.operation == "UpdateService")?;
        let service = asked["service"].as_str()?.rsplit('/').next()?.to_owned();
        let old = self.runs.insert(service.clone(), new.to_owned())?;
        let is_theirs = self.by_hand.get(&service) == Some(&old) && old != new;
        let is_ours =
            was_running(lease, &old) || text(lease, "release.change.task_definition") == Some(&old);
        (is_theirs && !is_ours)
            .then(|| format!("it replaced {old}, which a person deployed meanwhile, by {new}"))
    }

    /// Every write raises the fence by one, takes a lease only when it is free, and never undoes a
    /// step.
    pub(super) fn written(
        &mut self,
        aws: &Aws,
        call: &Call,
        before: &Ledger,
        after: &Ledger,
    ) -> Result<u64, String> {
        let mut checked = 0;
        for (service, lease) in &after.leases {
            let was = before.leases.get(service).map(Arc::as_ref);
            let lease = lease.as_ref();
            if was == Some(lease) {
                continue;
            }

            checked += 1;
            let wrong = |what: String| {
                Err(format!(
                    "invariant 8: {} wrote the lease of {service}: {what}",
                    call.caller
                ))
            };
            let (fence, old) = (
                number(lease, "fence"),
                was.map_or(Some(0), |was| number(was, "fence")),
            );
            if fence != old.map(|old| old + 1) {
                return wrong(format!("the fence went from {old:?} to {fence:?}"));
            }

            if let (Some(attempt), Some(fence)) = (call.attempt, fence) {
                self.wrote.insert(attempt, fence);
                if was.is_some_and(|was| announces(was, lease)) {
                    self.announced.insert(attempt, service.clone());
                    self.weights.insert(attempt, announced_weights(lease));
                }
            }

            let holder = |lease: &Value| text(lease, "release.execution").map(ToOwned::to_owned);
            let writer = call.attempt.and_then(|attempt| execution_of(aws, attempt));
            let of = was.and_then(holder).or_else(|| holder(lease));
            if let (Some(writer), Some(of)) = (&writer, &of)
                && writer != of
            {
                return wrong(format!("{writer} wrote it for {of}"));
            }
            let is_taken_over =
                was.is_some_and(|was| text(was, "release.state") == Some("rolling-back"));
            if is_taken_over && !call.caller.ends_with(ROLL_BACK) {
                return wrong("its release had been taken over".to_owned());
            }

            match (was.and_then(holder), holder(lease)) {
                (Some(old), Some(new)) if old != new => {
                    return wrong(format!("{new} took it from {old}"));
                }
                (None, Some(new)) if is_closed(before, &new) => {
                    return wrong(format!("{new} is closed and took it"));
                }
                (Some(old), None) if !is_closed(after, &old) => {
                    return wrong(format!("{old} gave it back without a record of its end"));
                }
                (Some(old), None) if self.may_still_change(aws, call, service) => {
                    return wrong(format!(
                        "{old} gave it back while an attempt that announced a change still ran"
                    ));
                }
                (Some(_), Some(holder)) => {
                    if let Some(what) = was.and_then(|was| undone(was, lease)) {
                        return wrong(what.to_owned());
                    }
                    if text(lease, "release.state") == Some("rolling-back") {
                        self.taken_over.entry(holder).or_insert(aws.now);
                    }
                }
                _ => {}
            }
        }
        Ok(checked)
    }

    pub(super) fn taken_over(&self) -> usize {
        self.taken_over.len()
    }

    /// Whether another attempt that announced a change of the service still runs.
    fn may_still_change(&self, aws: &Aws, call: &Call, service: &str) -> bool {
        let announced = |id: u64| {
            self.announced.get(&id).is_some_and(|of| of == service) && call.attempt != Some(id)
        };
        let mut attempts = aws.lambda.invocations.iter().flat_map(|one| &one.attempts);
        attempts.any(|attempt| attempt.ended.is_none() && announced(attempt.id))
    }

    /// A function that changes a service holds its lease, has announced the change, and acts in
    /// time.
    pub(super) fn changed(
        &mut self,
        aws: &Aws,
        call: &Call,
        request: &Request,
        ledger: &Ledger,
        by_hand: bool,
    ) -> Result<u64, String> {
        let Some(attempt) = call.attempt else {
            return Ok(0);
        };

        let is_registration = call.operation == "RegisterTaskDefinition";
        let service = if is_registration {
            None
        } else {
            lease_key(request, ledger)
        };
        let wrong = |what: String| {
            Err(format!(
                "invariant 8: {} changed {}: {what}",
                call.caller,
                service.as_deref().unwrap_or("task definitions")
            ))
        };
        let execution = execution_of(aws, attempt);
        let lease = match &service {
            Some(service) => ledger.leases.get(service).map(Arc::as_ref),
            None => ledger.leases.values().map(Arc::as_ref).find(|lease| {
                let holder = text(lease, "release.execution");
                holder.is_some() && (execution.is_none() || holder == execution.as_deref())
            }),
        };
        let Some(holder) = lease.and_then(|lease| text(lease, "release.execution")) else {
            return wrong("no release holds it".to_owned());
        };
        let lease = lease.unwrap_or(&Value::Null);
        if execution
            .as_deref()
            .is_some_and(|execution| execution != holder)
        {
            return wrong(format!("{holder} holds it and not {execution:?}"));
        }

        // What an earlier release left unfinished is settled before the prior release can be
        // recorded.
        if call.caller.ends_with("begin-release") {
            return match text(lease, "release.change.task_definition") {
                Some(_) => {
                    wrong("the release was in progress, so its weights needed no repair".to_owned())
                }
                None => Ok(1),
            };
        }

        if text(lease, "release.prior.task_definition").is_none() {
            return wrong("no prior release is recorded".to_owned());
        }
        let (fence, wrote) = (
            number(lease, "fence").unwrap_or(0),
            self.wrote.get(&attempt).copied(),
        );
        let Some(wrote) = wrote else {
            return wrong("it was not announced".to_owned());
        };

        let asked = body(request);
        let definition = asked["taskDefinition"].as_str();
        if let Some(what) = self.overwritten(call, &asked, lease) {
            return wrong(what);
        }
        if call.caller.ends_with(ROLL_BACK) {
            self.restoring.push(holder.to_owned());
            return self
                .restores(aws, call, lease, holder, definition)
                .map_or_else(wrong, |()| Ok(1));
        }
        if self.restoring.iter().any(|restored| restored == holder) {
            return wrong("its restoration has begun".to_owned());
        }
        let is_new = definition.is_some_and(|definition| !was_running(lease, definition));
        if !is_registration && is_new && definition != text(lease, "release.change.task_definition")
        {
            return wrong(format!("{definition:?} was not announced"));
        }

        // Its own announcement counts: one that hung may set weights when another has announced
        // others since.
        let announced = self.weights.get(&attempt).copied().unwrap_or_default();
        if let Some(what) = routed(aws, call, lease, announced, by_hand) {
            return wrong(what);
        }

        // A newer fence of the same release says the same change or takes it over: then one
        // time-out is left.
        let overtaken = self.taken_over.get(holder).map(|at| aws.now - at);
        if fence != wrote && overtaken.is_some_and(|since| since > time_out(aws, call)) {
            return wrong(format!("it was taken over {overtaken:?} ms ago"));
        }
        Ok(1)
    }

    /// A restoration waits for one time-out after the release was taken over, and sets what was
    /// recorded.
    fn restores(
        &self,
        aws: &Aws,
        call: &Call,
        lease: &Value,
        holder: &str,
        definition: Option<&str>,
    ) -> Result<(), String> {
        let Some(taken_over) = self.taken_over.get(holder) else {
            return Err("the release was not taken over".to_owned());
        };

        // The take-over is decided at most one call, with its retries, before it is written.
        let waited = aws.now - taken_over;
        if waited < time_out(aws, call) - 13_000 {
            return Err(format!("only {waited} ms after the release was taken over"));
        }

        match definition {
            Some(definition) if !was_running(lease, definition) => {
                Err(format!("{definition} is not what was recorded"))
            }
            _ => Ok(()),
        }
    }
}

/// The time-out of the function that calls, in milliseconds.
fn time_out(aws: &Aws, call: &Call) -> Millis {
    aws.lambda
        .function(&call.caller)
        .map_or(60_000, |function| function.timeout.as_millis() as Millis)
}

fn is_closed(ledger: &Ledger, execution: &str) -> bool {
    ledger
        .records
        .get(execution)
        .is_some_and(|record| text(record, "state") == Some("closed"))
}

/// What a write took back of what the release had recorded.
fn undone(was: &Value, is: &Value) -> Option<&'static str> {
    let prior = |lease: &Value| lease.pointer("/release/M/prior").cloned();
    if prior(was).is_some() && prior(was) != prior(is) {
        return Some("the prior release changed");
    }
    if text(was, "release.state") == Some("rolling-back")
        && text(is, "release.state") != Some("rolling-back")
    {
        return Some("a release that was taken over is open again");
    }

    let changed = text(was, "release.change.task_definition");
    (changed.is_some() && text(is, "release.change.task_definition").is_none())
        .then_some("an announced change is gone")
}

/// Whether a definition is what the service, or a colour of the pair, ran before the release.
fn was_running(lease: &Value, definition: &str) -> bool {
    let recorded = [
        "prior.task_definition",
        "prior.pair.blue.task_definition",
        "prior.pair.green.task_definition",
    ];
    recorded
        .iter()
        .any(|path| text(lease, &format!("release.{path}")) == Some(definition))
}

/// What is wrong with the weights that a step has just set: they are what it announced, and a
/// colour that gains traffic runs what the release deploys, or what it ran before.
fn routed(
    aws: &Aws,
    call: &Call,
    lease: &Value,
    announced: [Option<i64>; 2],
    by_hand: bool,
) -> Option<String> {
    if !matches!(call.operation.as_str(), "ModifyRule" | "ModifyListener") || by_hand {
        return None;
    }

    let pair = lease.pointer("/release/M/prior/M/pair/M")?;
    let weights = Elb::forwards(aws.elb.actions_of(text(pair, "rule")?));
    let old = text(pair, "live")?;

    for (colour, announced) in ["blue", "green"].into_iter().zip(announced) {
        let group = text(pair, &format!("{colour}.target_group"))?;
        let weight = weights
            .iter()
            .find(|(of, _)| of == group)
            .map_or(0, |(_, weight)| *weight);
        if announced != Some(weight) {
            return Some(format!(
                "{colour} got weight {weight}, and {announced:?} was announced"
            ));
        }

        let name = format!("{}-{colour}", text(lease, "service")?);
        let runs = aws
            .ecs
            .services
            .values()
            .find(|service| service.name == name)?
            .primary()?
            .task_definition
            .as_str();
        if colour != old
            && weight > 0
            && Some(runs) != text(lease, "release.change.task_definition")
        {
            return Some(format!(
                "{colour} got weight {weight} and runs {runs}, which is not what is released"
            ));
        }
    }
    None
}

/// The weights of the last announced shift, blue's and green's.
fn announced_weights(lease: &Value) -> [Option<i64>; 2] {
    let weight = |colour: &str| number(lease, &format!("release.shift.to.{colour}"));
    ["blue", "green"].map(|colour| weight(colour).and_then(|weight| i64::try_from(weight).ok()))
}

/// Whether a write of a lease announces a change of the service; a registration changes none.
fn announces(was: &Value, lease: &Value) -> bool {
    let part = |lease: &Value, name: &str| lease.pointer(&format!("/{name}")).cloned();
    // Leases count in seconds, so that a size and weights may be announced at the same time.
    let is_later = part(was, "changed_at") != part(lease, "changed_at")
        || announced_weights(was) != announced_weights(lease);

    is_later && part(was, "release/M/registering") == part(lease, "release/M/registering")
}

/// The lease of the service that a request changes; a colour has the lease of its pair.
fn lease_key(request: &Request, ledger: &Ledger) -> Option<String> {
    let asked = body(request);
    let last = |member: &str| {
        asked[member]
            .as_str()
            .map(|name| name.rsplit('/').next().unwrap_or(name).to_owned())
    };
    let scaled = asked["ResourceId"]
        .as_str()
        .and_then(|id| id.strip_prefix("service/"))
        .map(ToOwned::to_owned);
    let key = match scaled {
        Some(key) => key,
        None => format!("{}/{}", last("cluster")?, last("service")?),
    };

    match key.strip_suffix("-blue").or(key.strip_suffix("-green")) {
        Some(pair) if ledger.leases.contains_key(pair) => Some(pair.to_owned()),
        _ => Some(key),
    }
}
