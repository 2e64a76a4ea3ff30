//! Invariant 8 for services that share a family of task definitions: a release deregisters no
//! revision that another service runs.

use super::{Ledger, body};
use crate::ledger_reader::text;
use emulator::{Aws, Millis, Request};

/// The line of what only services of a shared family meet.
pub const A_SHARED_FAMILY: &str = "8 what another service runs stays registered";

/// How long a task must have run so that the release has seen it, which looks before it calls.
const SEEN: Millis = 60_000;

/// A function deregistered a revision: no other service works towards it and has had tasks of it.
pub(super) fn unused(aws: &Aws, request: &Request, ledger: &Ledger) -> Result<u64, String> {
    let asked = body(request);
    let named = asked["taskDefinition"].as_str();
    let Some(definition) = named.and_then(|name| aws.ecs.definition_arn(name)) else {
        return Ok(0);
    };
    let Some(own) = released(aws, definition, ledger) else {
        return Ok(0);
    };

    let own = [
        own.to_owned(),
        format!("{own}-blue"),
        format!("{own}-green"),
    ];
    let mut checked = 0;
    for other in aws.ecs.services.values() {
        if own.contains(&other.name) {
            continue;
        }

        checked += 1;
        let works_towards = other
            .primary()
            .is_some_and(|primary| primary.task_definition == definition);
        let mut tasks = aws
            .ecs
            .tasks_of(&other.arn)
            .filter(|task| task.is_running());
        let has_run = tasks.any(|task| {
            task.task_definition == definition
                && task.started_at.is_some_and(|at| aws.now - at > SEEN)
        });
        if works_towards && has_run {
            return Err(format!(
                "invariant 8: {definition} was deregistered, and {} runs it",
                other.name
            ));
        }
    }
    Ok(checked)
}

/// The service whose release registered a revision.
fn released<'a>(aws: &Aws, definition: &str, ledger: &'a Ledger) -> Option<&'a str> {
    let mut tags = aws.ecs.tags_on(definition).iter();
    let mark = tags.find(|tag| tag["key"] == "slipway:execution")?;
    let record = ledger.records.get(mark["value"].as_str()?)?;
    text(record, "service")
}
