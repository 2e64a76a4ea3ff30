//! Invariant 8: a lease is passed on correctly, and only the release that holds it changes the
//! service.

mod changes;
mod shifts;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::endings::follows;
use super::{Ledger, execution_of, number};
use crate::ledger_reader::text;
use emulator::{Aws, Call, Millis};

/// The function that restores what others changed.
const ROLL_BACK: &str = "roll-back";

/// What the first change of a service records again of the prior release.
const RENEWED: [&str; 4] = ["desired_count", "percentages", "early_success", "found"];

/// Weights of a pair, blue's and green's.
pub(super) type Weights = [Option<i64>; 2];

/// What is remembered of leases beside the ledger.
#[derive(Clone, Debug, Default)]
pub(super) struct Leases {
    /// When each release was taken over, by execution.
    taken_over: BTreeMap<String, Millis>,
    /// The fence that each attempt wrote last.
    wrote: BTreeMap<u64, u64>,
    /// Attempts that announced a change of a service, which they may make as long as they run.
    announced: BTreeMap<u64, String>,
    /// The weights that each attempt announced last, blue's and green's.
    weights: BTreeMap<u64, Weights>,
    /// All weights that attempts announced, and how long they may set them.
    shifts: Vec<shifts::AnnouncedShift>,
    /// The lease that each attempt found free and wrote last, to repair the weights of its pair.
    repairs: BTreeMap<u64, Value>,
    /// The definition that an operator deployed last, by service.
    by_hand: BTreeMap<String, String>,
    /// What each service ran when it was looked at last.
    runs: BTreeMap<String, String>,
}

/// A lease before and after one write.
struct Write<'a> {
    service: &'a str,
    was: Option<&'a Value>,
    is: &'a Value,
}

impl Write<'_> {
    /// The written fence, which is one above the one before.
    fn next_fence(&self) -> Result<Option<u64>, String> {
        let fence = number(self.is, "fence");
        let old = self.was.map_or(Some(0), |was| number(was, "fence"));
        if fence == old.map(|old| old + 1) {
            Ok(fence)
        } else {
            Err(format!("the fence went from {old:?} to {fence:?}"))
        }
    }

    /// A step writes for its own execution, and not when its release was taken over.
    fn check_writer(&self, aws: &Aws, call: &Call) -> Result<(), String> {
        let writer = call.attempt.and_then(|attempt| execution_of(aws, attempt));
        let of = self.was.and_then(holder).or_else(|| holder(self.is));
        if let (Some(writer), Some(of)) = (&writer, &of)
            && writer != of
        {
            return Err(format!("{writer} wrote it for {of}"));
        }

        let is_taken_over = self
            .was
            .is_some_and(|was| text(was, "release.state") == Some("rolling-back"));
        if is_taken_over && !call.caller.ends_with(ROLL_BACK) {
            return Err("its release had been taken over".to_owned());
        }
        Ok(())
    }
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

    /// An operator changed services: what was deployed then is external.
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
            let write = Write {
                service,
                was: before.leases.get(service).map(Arc::as_ref),
                is: lease.as_ref(),
            };
            if write.was == Some(write.is) {
                continue;
            }

            checked += 1;
            self.check_write(aws, call, &write, before, after)
                .map_err(|what| {
                    format!(
                        "invariant 8: {} wrote the lease of {service}: {what}",
                        call.caller
                    )
                })?;
        }
        Ok(checked)
    }

    fn check_write(
        &mut self,
        aws: &Aws,
        call: &Call,
        write: &Write<'_>,
        before: &Ledger,
        after: &Ledger,
    ) -> Result<(), String> {
        let fence = write.next_fence()?;
        if let (Some(attempt), Some(fence)) = (call.attempt, fence) {
            self.note_write(attempt, fence, write);
        }
        self.note_shift(aws, call, write);

        write.check_writer(aws, call)?;
        self.check_holder(aws, call, write, before, after)
    }

    /// Remembers what an attempt wrote and announced.
    fn note_write(&mut self, attempt: u64, fence: u64, write: &Write<'_>) {
        self.wrote.insert(attempt, fence);
        let is_free = |lease: &Value| holder(lease).is_none();
        if write.was.is_some_and(is_free) && is_free(write.is) {
            self.repairs.insert(attempt, write.is.clone());
        } else {
            self.repairs.remove(&attempt);
        }
        if write.was.is_some_and(|was| announces(was, write.is)) {
            self.announced.insert(attempt, write.service.to_owned());
            self.weights.insert(attempt, announced_weights(write.is));
        }
    }

    /// The holder of the lease before and after a write: a release takes a free lease and gives it
    /// back closed, and while it holds it, it undoes no step.
    fn check_holder(
        &mut self,
        aws: &Aws,
        call: &Call,
        write: &Write<'_>,
        before: &Ledger,
        after: &Ledger,
    ) -> Result<(), String> {
        match (write.was.and_then(holder), holder(write.is)) {
            (Some(old), Some(new)) if old != new => Err(format!("{new} took it from {old}")),
            (None, Some(new)) if is_closed(before, &new) && !goes_on(before, after, &new) => {
                Err(format!("{new} is closed and took it"))
            }
            (Some(old), None) if !is_closed(after, &old) => {
                Err(format!("{old} gave it back without a record of its end"))
            }
            (Some(old), None) if self.may_still_change(aws, call, write.service) => Err(format!(
                "{old} gave it back while an attempt that announced a change still ran"
            )),
            (Some(_), Some(execution)) => {
                if let Some(what) = write.was.and_then(|was| undone(aws, was, write.is)) {
                    return Err(what.to_owned());
                }
                if text(write.is, "release.state") == Some("rolling-back") {
                    self.taken_over.entry(execution).or_insert(aws.now);
                }
                Ok(())
            }
            _ => Ok(()),
        }
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
}

/// The execution that holds a lease.
fn holder(lease: &Value) -> Option<String> {
    text(lease, "release.execution").map(ToOwned::to_owned)
}

fn is_closed(ledger: &Ledger, execution: &str) -> bool {
    ledger
        .records
        .get(execution)
        .is_some_and(|record| text(record, "state") == Some("closed"))
}

/// Whether an execution whose release is closed begins that of another service.
fn goes_on(before: &Ledger, after: &Ledger, execution: &str) -> bool {
    let of = |ledger: &Ledger| ledger.records.get(execution).cloned();
    of(before)
        .zip(of(after))
        .is_some_and(|(was, is)| follows(&was, &is))
}

/// What a write took back of what the release had recorded.
fn undone(aws: &Aws, was: &Value, is: &Value) -> Option<&'static str> {
    let first_change = text(was, "release.change.task_definition").is_none()
        && text(is, "release.change.task_definition").is_some();
    let is_renewed = |name: &str| {
        // The size to restore is that of the moment of the first change.
        (first_change && RENEWED.contains(&name))
            || (name == "task_definition" && was_registered_again(aws, was, is))
    };
    let prior = |lease: &Value| {
        let mut prior = lease.pointer("/release/M/prior").cloned();
        if let Some(Value::Object(fields)) = prior.as_mut().and_then(|it| it.get_mut("M")) {
            fields.retain(|name, _| !is_renewed(name));
        }
        for colour in ["/M/pair/M/blue/M", "/M/pair/M/green/M"] {
            if let Some(Value::Object(fields)) =
                prior.as_mut().and_then(|it| it.pointer_mut(colour))
            {
                fields.retain(|name, _| !first_change || name != "found");
            }
        }
        prior
    };
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

/// Whether the prior revision was deregistered, and another one is restored in its place.
fn was_registered_again(aws: &Aws, was: &Value, is: &Value) -> bool {
    let is_active = |lease: &Value| {
        text(lease, "release.prior.task_definition").is_some_and(|arn| aws.ecs.is_active(arn))
    };
    text(is, "release.state") == Some("rolling-back") && !is_active(was) && is_active(is)
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

/// Whether a definition is what a release found of the service, or of a colour, where it differs
/// from what is returned to: that of a deployment that failed.
fn was_found(lease: &Value, definition: &str) -> bool {
    ["prior", "prior.pair.blue", "prior.pair.green"]
        .iter()
        .map(|path| format!("release.{path}.found.task_definition"))
        .any(|path| text(lease, &path) == Some(definition))
}

/// The weights of the last announced shift, blue's and green's.
pub(super) fn announced_weights(lease: &Value) -> Weights {
    shift_weights(lease, "to")
}

/// The weights `from` which the last announced shift leads, or those `to` which it does.
fn shift_weights(lease: &Value, end: &str) -> Weights {
    let weight = |colour: &str| number(lease, &format!("release.shift.{end}.{colour}"));
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
