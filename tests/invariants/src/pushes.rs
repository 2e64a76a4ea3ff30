//! Invariants 4 and 5: a push leads to one execution or to a refusal, an older push never replaces
//! what a newer one deployed, and a rejected image never comes back by itself.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Ledger, body, execution_of};
use crate::ledger_reader::{arrivals, claim, digest, flag, ledger, pushed, text};
use emulator::codepipeline::Execution;
use emulator::{Aws, Call, Millis, Request, eventbridge};

/// A pipeline's name, and a digest that it delivers.
type Delivery = (String, String);

#[derive(Clone, Debug, Default)]
pub(super) struct Pushes {
    /// Executions that an operator started, with their digest.
    by_hand: BTreeMap<String, String>,
    /// Digests of what was pushed and cannot run.
    idle: BTreeSet<String>,
    /// What a push released and was rolled back. What an operator starts by hand is not claimed by
    /// a push, and proves nothing about the next one.
    rejected: BTreeSet<Delivery>,
    /// The execution of each that deployed it last.
    deployed: BTreeMap<Delivery, String>,
    /// What each service runs: the digest of its first container.
    runs: BTreeMap<String, String>,
}

impl Pushes {
    pub(super) fn started_by_hand(&mut self, digest: &str, execution: &str) {
        self.by_hand.insert(execution.to_owned(), digest.to_owned());
    }

    pub(super) fn cannot_run(&mut self, digest: &str) {
        self.idle.insert(digest.to_owned());
    }

    /// What cannot run was never delivered.
    pub(super) fn none_of_idle(&self, aws: &Aws) -> Result<u64, String> {
        let mut started = aws.codepipeline.executions.iter().filter_map(digest);
        match started.find(|digest| self.idle.contains(*digest)) {
            Some(digest) => Err(format!(
                "invariant 4: {digest} cannot run, and an execution was started with it"
            )),
            None => Ok(self.idle.len() as u64),
        }
    }

    /// Remembers how releases ended, each by its pipeline. What refuses a later push never expires.
    pub(super) fn note_endings(
        &mut self,
        aws: &Aws,
        before: &Ledger,
        after: &Ledger,
    ) -> Result<(), String> {
        for (execution, record) in &after.records {
            let Some(digest) =
                text(record, "digest").filter(|_| before.records.get(execution) != Some(record))
            else {
                continue;
            };
            let Some(pipeline) = text(record, "pipeline") else {
                return Err(format!(
                    "invariant 5: the record of {execution} names no pipeline"
                ));
            };
            let delivery = (pipeline.to_owned(), digest.to_owned());
            match text(record, "outcome") {
                Some("rolled-back") if self.by_hand.contains_key(execution) => {}
                // What an operator took back was not rejected.
                Some("rolled-back") if flag(record, "withdrawn") => {}
                Some("rolled-back") => {
                    keeps_refusal(aws, &delivery, execution, record)?;
                    self.rejected.insert(delivery);
                }
                Some("deployed") => drop(self.deployed.insert(delivery, execution.clone())),
                _ => {}
            }
        }
        Ok(())
    }

    /// Remembers what services run.
    pub(super) fn look(&mut self, aws: &Aws) {
        for service in aws.ecs.services.values() {
            let Some(primary) = service.primary() else {
                continue;
            };
            if let Some(digest) = digest_of(aws, &primary.task_definition)
                && self.runs.get(&service.name).map(String::as_str) != Some(digest)
            {
                self.runs.insert(service.name.clone(), digest.to_owned());
            }
        }
    }

    /// A function deployed a task definition.
    pub(super) fn deployed(
        &mut self,
        aws: &Aws,
        call: &Call,
        request: &Request,
    ) -> Result<u64, String> {
        let input = body(request);
        let service = service_of(&input);
        let new = input["taskDefinition"]
            .as_str()
            .and_then(|definition| digest_of(aws, definition))
            .map(ToOwned::to_owned);
        let old = self.runs.get(&service).cloned();
        let Some(new) = new else { return Ok(0) };
        self.runs.insert(service.clone(), new.clone());

        let execution = call.attempt.and_then(|attempt| execution_of(aws, attempt));
        let running = execution.and_then(|id| aws.codepipeline.execution(&id));
        let by_hand = running.is_some_and(|running| self.by_hand.contains_key(&running.id));
        if call.caller.ends_with("roll-back") || old.as_ref() == Some(&new) || by_hand {
            return Ok(0);
        }
        let Some(running) = running else {
            return Err(format!(
                "invariant 5: {} deployed {new} to {service} for no execution of a pipeline",
                call.caller
            ));
        };
        let delivery = |digest: &String| (running.pipeline.clone(), digest.clone());
        if self.rejected.contains(&delivery(&new)) {
            return Err(format!(
                "invariant 5: {} deployed {new} to {service}, which was rejected",
                call.caller
            ));
        }

        let why = old.and_then(|old| self.why_older(aws, running, &old, &new));
        if let Some(why) = why {
            return Err(format!(
                "invariant 5: what ran on {service} was replaced by {new}, {why}"
            ));
        }
        Ok(1)
    }

    /// Why a digest is older than the one that an execution replaces with it.
    fn why_older(&self, aws: &Aws, running: &Execution, old: &str, new: &str) -> Option<String> {
        let delivery = |digest: &str| (running.pipeline.clone(), digest.to_owned());
        let id = self.deployed.get(&delivery(old))?;
        let replaced = aws.codepipeline.execution(id)?;
        if replaced.started > running.started {
            return Some(format!("of an older execution than {id}"));
        }

        // What an operator starts by hand is in no order of pushes.
        if self.by_hand.contains_key(id) {
            return None;
        }
        let of_old = pushed_at(aws, &delivery(old), replaced.started)?;
        let of_new = pushed_at(aws, &delivery(new), running.started)?;
        (of_new < of_old).then(|| format!("pushed at {of_new}, before {of_old}"))
    }

    /// An operator changed the service: only on purpose does that bring a rejected image back.
    pub(super) fn changed_by_hand(&mut self, aws: &Aws, on_purpose: bool) -> Result<(), String> {
        let before = self.runs.clone();
        self.look(aws);

        for (service, digest) in self.runs.iter().filter(|_| !on_purpose) {
            let is_rejected = self.rejected.iter().any(|(_, rejected)| rejected == digest);
            if before.get(service) != Some(digest) && is_rejected {
                return Err(format!(
                    "invariant 5: {digest}, which was rejected, came back to {service} by a stack \
                    update"
                ));
            }
        }
        Ok(())
    }

    /// A push starts one execution, however often its event is delivered.
    pub(super) fn none_twice(&self, aws: &Aws, disturbed: &BTreeSet<u64>) -> Result<u64, String> {
        let start = |one: &&emulator::lambda::Invocation| one.function.ends_with("start-pipeline");
        let mut starts = aws
            .lambda
            .invocations
            .iter()
            .filter(start)
            .flat_map(|one| &one.attempts);
        if starts.any(|attempt| disturbed.contains(&attempt.id)) {
            return Ok(0);
        }

        let (mut delivered, mut started) = (
            BTreeMap::<Delivery, u64>::new(),
            BTreeMap::<Delivery, u64>::new(),
        );
        for delivery in pushed(aws) {
            *delivered.entry(delivery).or_default() += 1;
        }
        for execution in self.by_hand.keys() {
            let by_hand = aws.codepipeline.execution(execution);
            if let Some(delivery) = by_hand.and_then(delivery) {
                *delivered.entry(delivery).or_default() += 1;
            }
        }
        for delivery in aws.codepipeline.executions.iter().filter_map(delivery) {
            *started.entry(delivery).or_default() += 1;
        }

        for (delivery, started) in &started {
            let requested = delivered.get(delivery).unwrap_or(&0);
            if started > requested {
                return Err(format!(
                    "invariant 4: {} was pushed {requested} times and started {started} times",
                    delivery.1
                ));
            }
        }
        Ok(started.len() as u64)
    }
}

/// Every tagged image of a repository that a pipeline delivers has led to an execution or to a
/// recorded refusal.
pub(super) fn none_lost(aws: &Aws) -> Result<u64, String> {
    let (ledger, pushed) = (ledger(aws), pushed(aws));
    for (pipeline, digest) in &pushed {
        let key = format!("push#{pipeline}");
        let of_push =
            |item: &&Value| text(item, "pk") == Some(&key) && text(item, "sk") == Some(digest);
        let claim = ledger.iter().find(of_push);
        if claim
            .and_then(|claim| text(claim, "execution").or(text(claim, "refusal")))
            .is_none()
        {
            return Err(format!(
                "invariant 4: the push of {digest} led neither to an execution of {pipeline} nor \
                to a refusal"
            ));
        }
    }
    Ok(pushed.len() as u64)
}

/// The record of a rollback and the claim that led to it refuse its digest, so neither expires.
fn keeps_refusal(
    aws: &Aws,
    (pipeline, digest): &Delivery,
    execution: &str,
    record: &Value,
) -> Result<(), String> {
    let claim =
        claim(aws, pipeline, digest).filter(|claim| text(claim, "execution") == Some(execution));
    let expires = |item: &Value| item.get("expires_at").is_some();
    if expires(record) || claim.as_ref().is_some_and(expires) {
        return Err(format!(
            "invariant 5: {digest} was rolled back by {execution}, and what refuses it expires"
        ));
    }
    Ok(())
}

/// When a digest last got a tag, up to an instant: by the events of ECR, in whatever order they
/// were delivered.
fn pushed_at(aws: &Aws, (pipeline, digest): &Delivery, until: Millis) -> Option<String> {
    let until = eventbridge::timestamp(until);
    let times = arrivals(aws).into_iter().filter_map(|arrival| {
        let is_own = arrival.pipeline == *pipeline && arrival.digest == *digest;
        (is_own && arrival.time <= until).then_some(arrival.time)
    });
    times.max()
}

/// What an execution delivers that was started with a digest.
fn delivery(execution: &Execution) -> Option<Delivery> {
    Some((execution.pipeline.clone(), digest(execution)?.to_owned()))
}

/// The name of the service that a request is about, by name or by ARN.
fn service_of(input: &Value) -> String {
    input["service"]
        .as_str()
        .unwrap_or_default()
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// The digest of the image that a task definition's first container runs, if it is pinned.
fn digest_of<'a>(aws: &'a Aws, definition: &str) -> Option<&'a str> {
    let image = aws
        .ecs
        .request_of(definition)?
        .get("containerDefinitions")?
        .get(0)?
        .get("image")?
        .as_str()?;
    image.split_once('@').map(|(_, digest)| digest)
}
