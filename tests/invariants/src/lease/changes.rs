//! Changes of services: only the lease holder makes them, after their announcement and in time.

use std::sync::Arc;

use serde_json::Value;

use crate::ledger_reader::text;
use crate::pair_services::{COLOURS, behind, groups};
use crate::routes::{forwards, route_of, sets_weights};
use crate::{Ledger, body, execution_of, number};
use emulator::{Aws, Call, Millis, Request};

use super::{Leases, ROLL_BACK, Weights, was_found, was_running};

impl Leases {
    /// What an operator deployed while the release was open is left alone.
    fn overwritten(&mut self, call: &Call, input: &Value, lease: &Value) -> Option<String> {
        let new = input["taskDefinition"]
            .as_str()
            .filter(|_| call.operation == "UpdateService")?;
        let service = input["service"].as_str()?.rsplit('/').next()?.to_owned();
        let old = self.runs.insert(service.clone(), new.to_owned())?;
        let is_theirs = self.by_hand.get(&service) == Some(&old) && old != new;
        let is_ours = was_running(lease, &old)
            || was_found(lease, &old)
            || text(lease, "release.change.task_definition") == Some(&old);
        (is_theirs && !is_ours)
            .then(|| format!("it replaced {old}, which an operator deployed meanwhile, by {new}"))
    }

    /// A function that changes a service holds its lease, has announced the change, and acts in
    /// time.
    pub(crate) fn changed(
        &mut self,
        aws: &Aws,
        call: &Call,
        request: &Request,
        ledger: &Ledger,
        by_hand: bool,
    ) -> Result<u64, String> {
        if call.attempt.is_none() {
            return Ok(0);
        }

        let service = if is_registration(call) {
            None
        } else {
            lease_key(aws, request, ledger)
        };
        self.check_change(aws, call, request, ledger, service.as_deref(), by_hand)
            .map(|()| 1)
            .map_err(|what| {
                format!(
                    "invariant 8: {} changed {}: {what}",
                    call.caller,
                    service.as_deref().unwrap_or("task definitions")
                )
            })
    }

    fn check_change(
        &mut self,
        aws: &Aws,
        call: &Call,
        request: &Request,
        ledger: &Ledger,
        service: Option<&str>,
        by_hand: bool,
    ) -> Result<(), String> {
        if let Some(lease) = self.repair_of(call) {
            return check_free_repair(aws, lease);
        }

        let execution = call.attempt.and_then(|attempt| execution_of(aws, attempt));
        let (lease, holder) = held_lease(ledger, service, execution.as_deref())?;
        if call.caller.ends_with("begin-release") {
            return if call.operation == "UpdateService" {
                self.check_proof(aws, call, lease, &body(request))
            } else {
                check_repair(lease)
            };
        }

        if text(lease, "release.prior.task_definition").is_none() {
            return Err("no prior release is recorded".to_owned());
        }
        let wrote = call.attempt.and_then(|attempt| self.wrote.get(&attempt));
        let Some(wrote) = wrote.copied() else {
            return Err("it was not announced".to_owned());
        };

        let input = body(request);
        if let Some(what) = self.overwritten(call, &input, lease) {
            return Err(what);
        }
        if call.caller.ends_with(ROLL_BACK) {
            return self.restores(aws, call, lease, holder, &input);
        }

        self.check_announced(aws, call, lease, &input, by_hand)?;
        self.check_in_time(aws, call, lease, holder, wrote)
    }

    /// The UpdateService of begin-release was announced as a proof of roles, names what the service
    /// runs already, and starts no deployment.
    fn check_proof(
        &self,
        aws: &Aws,
        call: &Call,
        lease: &Value,
        input: &Value,
    ) -> Result<(), String> {
        let wrote = call.attempt.and_then(|attempt| self.wrote.get(&attempt));
        let proof = text(lease, "release.role_proof");
        if wrote.is_none() || !matches!(proof, Some("announced" | "made")) {
            return Err("no proof of roles was announced".to_owned());
        }
        if text(lease, "release.change.task_definition").is_some() {
            return Err("the release was in progress, so its roles needed no proof".to_owned());
        }

        let mut members = input.as_object().into_iter().flatten();
        let proves = ["cluster", "service", "taskDefinition"];
        if let Some((other, _)) = members.find(|(name, _)| !proves.contains(&name.as_str())) {
            return Err(format!("it sets {other}, which a proof of roles does not"));
        }
        let definition = input["taskDefinition"].as_str().unwrap_or_default();
        if was_running(lease, definition) && runs_already(aws, input) == Some(true) {
            Ok(())
        } else {
            Err(format!("{definition} was deployed to prove its roles"))
        }
    }

    /// The free lease of the pair whose weights a call sets, if it does that for no release.
    pub(crate) fn repair_of(&self, call: &Call) -> Option<&Value> {
        let sets_weights = sets_weights(call);
        let lease = self.repairs.get(&call.attempt?)?;
        (sets_weights && call.caller.ends_with(ROLL_BACK)).then_some(lease)
    }

    /// A step changes what it has announced: the task definition and the weights.
    fn check_announced(
        &self,
        aws: &Aws,
        call: &Call,
        lease: &Value,
        input: &Value,
        by_hand: bool,
    ) -> Result<(), String> {
        let definition = input["taskDefinition"].as_str();
        let is_new = definition.is_some_and(|definition| !was_running(lease, definition));
        let announced = text(lease, "release.change.task_definition");
        if !is_registration(call) && is_new && definition != announced {
            return Err(format!("{definition:?} was not announced"));
        }

        // Its own announcement counts: one that hung may set weights when another has announced
        // others since.
        let weights = call.attempt.and_then(|attempt| self.weights.get(&attempt));
        let weights = weights.copied().unwrap_or_default();
        routed(aws, call, lease, weights, by_hand).map_or(Ok(()), Err)
    }

    /// A newer fence of the same release has the same change or takes it over: then one time-out
    /// is left. `wrote` is the fence that the step wrote.
    fn check_in_time(
        &self,
        aws: &Aws,
        call: &Call,
        lease: &Value,
        holder: &str,
        wrote: u64,
    ) -> Result<(), String> {
        let fence = number(lease, "fence").unwrap_or(0);
        let overtaken = self.taken_over.get(holder).map(|at| aws.now - at);
        if fence != wrote && overtaken.is_some_and(|since| since > time_out(aws, call)) {
            return Err(format!("it was taken over {overtaken:?} ms ago"));
        }
        Ok(())
    }

    /// A restoration sets what was recorded. The new colour keeps its tasks for one time-out after
    /// the release was taken over, since a step may still give it traffic.
    fn restores(
        &self,
        aws: &Aws,
        call: &Call,
        lease: &Value,
        holder: &str,
        input: &Value,
    ) -> Result<(), String> {
        let Some(taken_over) = self.taken_over.get(holder) else {
            return Err("the release was not taken over".to_owned());
        };

        // The take-over is decided at most one call, with its retries, before it is written.
        let waited = aws.now - taken_over;
        let is_early = waited < time_out(aws, call) - 13_000;
        if is_early && call.operation == "UpdateService" && is_of_new_colour(aws, lease, input) {
            return Err(format!(
                "the new colour, only {waited} ms after the release was taken over"
            ));
        }

        match input["taskDefinition"].as_str() {
            Some(definition) if !was_running(lease, definition) => {
                Err(format!("{definition} is not what was recorded"))
            }
            _ => Ok(()),
        }
    }
}

/// Whether a service runs what a request has just named, by an earlier deployment.
fn runs_already(aws: &Aws, input: &Value) -> Option<bool> {
    let last = |member: &str| input[member].as_str().and_then(|it| it.rsplit('/').next());
    let (cluster, name) = (last("cluster")?, last("service")?);
    let mut services = aws.ecs.services.values();
    let service = services.find(|service| service.cluster == cluster && service.name == name)?;

    let primary = service.primary()?;
    let is_named = Some(primary.task_definition.as_str()) == input["taskDefinition"].as_str();
    Some(is_named && primary.created_at < aws.now)
}

fn is_registration(call: &Call) -> bool {
    call.operation == "RegisterTaskDefinition"
}

/// The lease of what an execution changes, which it must hold, and the execution that holds it.
fn held_lease<'a>(
    ledger: &'a Ledger,
    service: Option<&str>,
    execution: Option<&str>,
) -> Result<(&'a Value, &'a str), String> {
    let lease = lease_of(ledger, service, execution);
    let held = lease.and_then(|lease| Some((lease, text(lease, "release.execution")?)));
    let Some((lease, holder)) = held else {
        return Err("no release holds it".to_owned());
    };

    if execution.is_some_and(|execution| execution != holder) {
        return Err(format!("{holder} holds it and not {execution:?}"));
    }
    Ok((lease, holder))
}

/// The weights of a pair that no release holds are set to what the last release left.
fn check_free_repair(aws: &Aws, lease: &Value) -> Result<(), String> {
    let known = lease.pointer("/settled/M/rule/M").and_then(route_of);
    let weights = forwards(aws, &known.ok_or("its lease names no route")?);

    for colour in COLOURS {
        let group = text(lease, &format!("settled.rule.target_groups.{colour}"));
        let weight = weights
            .iter()
            .find(|(of, _)| Some(of.as_str()) == group)
            .and_then(|(_, weight)| u64::try_from(*weight).ok());
        let left = number(lease, &format!("settled.{colour}"));
        if weight != left {
            return Err(format!(
                "{colour} got weight {weight:?}, and the last release left {left:?}"
            ));
        }
    }
    Ok(())
}

/// What an earlier release left unfinished is settled before the prior release can be recorded.
fn check_repair(lease: &Value) -> Result<(), String> {
    if text(lease, "release.change.task_definition").is_some() {
        let what = "the release was in progress, so its weights needed no repair";
        return Err(what.to_owned());
    }
    Ok(())
}

/// Whether a request is about the colour that the release of a pair filled.
fn is_of_new_colour(aws: &Aws, lease: &Value, input: &Value) -> bool {
    let service = input["service"].as_str().unwrap_or_default();
    let Some(live) = text(lease, "release.prior.pair.live") else {
        return false;
    };
    let group = text(lease, &format!("release.prior.pair.{live}.target_group"));
    let old = behind(aws, lease, group).map(|service| service.name.as_str());
    service.rsplit('/').next() != old
}

/// The lease of a service, or, of no service, the one that an execution holds.
fn lease_of<'a>(
    ledger: &'a Ledger,
    service: Option<&str>,
    execution: Option<&str>,
) -> Option<&'a Value> {
    if let Some(service) = service {
        return ledger.leases.get(service).map(Arc::as_ref);
    }
    ledger.leases.values().map(Arc::as_ref).find(|lease| {
        let holder = text(lease, "release.execution");
        holder.is_some() && (execution.is_none() || holder == execution)
    })
}

/// The time-out of the function that calls, in milliseconds.
pub(super) fn time_out(aws: &Aws, call: &Call) -> Millis {
    aws.lambda
        .function(&call.caller)
        .map_or(60_000, |function| function.timeout.as_millis() as Millis)
}

/// What is wrong with the weights that a step has just set: they are what it announced, and a
/// colour that gains traffic runs what the release deploys, or what it ran before. While traffic
/// goes back, the new colour keeps for a while what the old one cannot carry yet, whatever it runs.
fn routed(
    aws: &Aws,
    call: &Call,
    lease: &Value,
    announced: Weights,
    by_hand: bool,
) -> Option<String> {
    if !sets_weights(call) || by_hand {
        return None;
    }

    let pair = lease.pointer("/release/M/prior/M/pair/M")?;
    let weights = forwards(aws, &route_of(pair)?);
    let old = text(pair, "live")?;
    let goes_back = lease.pointer("/release/M/restoring").is_some();

    for (colour, announced) in COLOURS.into_iter().zip(announced) {
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

        let service = behind(aws, lease, Some(group))?;
        let runs = service.primary()?.task_definition.as_str();
        if colour != old
            && weight > 0
            && !goes_back
            && Some(runs) != text(lease, "release.change.task_definition")
        {
            return Some(format!(
                "{colour} got weight {weight} and runs {runs}, which is not what is released"
            ));
        }
    }
    None
}

/// The lease of the service that a request changes; a colour has the lease of its pair.
fn lease_key(aws: &Aws, request: &Request, ledger: &Ledger) -> Option<String> {
    let input = body(request);
    let last = |member: &str| {
        input[member]
            .as_str()
            .map(|name| name.rsplit('/').next().unwrap_or(name).to_owned())
    };
    let scaled = input["ResourceId"]
        .as_str()
        .and_then(|id| id.strip_prefix("service/"))
        .map(ToOwned::to_owned);
    let key = match scaled {
        Some(key) => key,
        None => format!("{}/{}", last("cluster")?, last("service")?),
    };

    let is_colour_of = |lease: &Value| {
        groups(lease).into_iter().any(|group| {
            let service = behind(aws, lease, group);
            service.is_some_and(|service| format!("{}/{}", service.cluster, service.name) == key)
        })
    };
    let mut leases = ledger.leases.iter();
    let pair = leases.find(|(_, lease)| is_colour_of(lease));
    match pair {
        Some((pair, _)) => Some(pair.clone()),
        None => Some(key),
    }
}
