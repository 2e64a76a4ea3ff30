//! ChangeResourceRecordSets: all changes of a batch are made, or none.

use serde_json::{Value, json};

use super::record::{ChangeAction, RecordChange, invalid_input};
use super::{HostedZone, Pending, Submitted, conflicts, identifier, operations};
use crate::{ApiError, Aws, Millis};

/// How long a change may take until every server has it, in milliseconds. Source:
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html>
const LONGEST_PROPAGATION: Millis = 60_000;

/// How long a request may be in process, in milliseconds.
const LONGEST_PROCESS: Millis = 2_000;

/// The most ResourceRecord elements of a batch, and the most characters of their values; those of
/// an UPSERT count twice. Source:
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html>
const MOST_ELEMENTS: usize = 1000;
const MOST_CHARACTERS: usize = 32_000;

pub(super) fn change(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    let zone = operations::zone(aws, &input["HostedZoneId"])?;
    let (id, busy_until) = (zone.id.clone(), zone.busy_until);
    let batch = &input["ChangeBatch"];
    let changes = read(&batch["Changes"])?;
    if aws.now < busy_until {
        return Err(ApiError::client(
            "PriorRequestNotComplete",
            "The request was rejected because Route 53 was still processing a prior request.",
        ));
    }

    let info = submit(aws, &id, &changes, batch["Comment"].as_str())?;
    let process = aws.rng.i64(0..=LONGEST_PROCESS);
    if let Some(zone) = aws.route53.zones.get_mut(&id) {
        zone.busy_until = aws.now + process;
    }
    Ok(json!({ "ChangeInfo": info }))
}

/// Makes the changes of a batch for another service, which repeats what is refused for a while.
pub(crate) fn apply(aws: &mut Aws, zone: &str, changes: &Value) -> Result<(), ApiError> {
    submit(aws, zone, &read(changes)?, None).map(drop)
}

fn read(changes: &Value) -> Result<Vec<RecordChange>, ApiError> {
    let changes = changes.as_array().map_or(&[][..], Vec::as_slice);
    if changes.is_empty() {
        return Err(invalid_input(
            "Invalid XML ; the change batch has no changes",
        ));
    }
    let read = |(at, change): (usize, &Value)| RecordChange::read(change, at + 1);
    changes.iter().enumerate().map(read).collect()
}

fn submit(
    aws: &mut Aws,
    id: &str,
    changes: &[RecordChange],
    comment: Option<&str>,
) -> Result<Value, ApiError> {
    let zone = operations::zone(aws, &json!(id))?;
    let changed = changed(aws, zone, changes)?;

    let now = aws.now;
    let in_sync_at = now + aws.rng.i64(1..=LONGEST_PROPAGATION);
    if let Some(zone) = aws.route53.zones.get_mut(id) {
        let before = std::mem::replace(&mut zone.records, changed.records);
        zone.pending.retain(|pending| now < pending.until);
        zone.pending.push(Pending {
            until: in_sync_at,
            before,
        });
    }

    let change = identifier(aws, 'C');
    let submitted = Submitted {
        at: now,
        in_sync_at,
        comment: comment.map(str::to_owned),
    };
    aws.route53.changes.insert(change.clone(), submitted);
    operations::change_info(aws, &change)
}

/// The zone after a batch; everything that is wrong with the batch is named at once.
fn changed(aws: &Aws, zone: &HostedZone, changes: &[RecordChange]) -> Result<HostedZone, ApiError> {
    let mut zone = zone.clone();
    let mut refusals = limits(changes);
    refusals.extend(conflicts::repeated(changes));
    if refusals.is_empty() {
        for change in changes {
            refusals.extend(make(&mut zone, change));
        }
        let made = changes
            .iter()
            .filter(|change| change.action != ChangeAction::Delete);
        for change in made {
            refusals.extend(conflicts::found(aws, &zone, &change.record));
        }
    }

    if refusals.is_empty() {
        return Ok(zone);
    }
    let message = format!("[{}]", refusals.join(", "));
    Err(ApiError::client("InvalidChangeBatch", message))
}

/// Makes one change, or returns why not.
fn make(zone: &mut HostedZone, change: &RecordChange) -> Option<String> {
    let record = &change.record;
    if !zone.has(&record.name) {
        return Some(format!(
            "RRSet with DNS name {} is not permitted in zone {}",
            record.name, zone.name
        ));
    }

    let identifier = record.set_identifier.as_ref();
    let identifier = identifier.map(|id| format!(", set-identifier='{id}'"));
    let set = format!(
        "resource record set [name='{}', type='{}'{}]",
        record.name,
        record.kind,
        identifier.unwrap_or_default()
    );
    let key = record.key();
    let there = zone.records.get(&key).cloned();
    let refusal = match (change.action, there) {
        (ChangeAction::Create, Some(_)) => format!("Tried to create {set} but it already exists"),
        (ChangeAction::Delete, None) => format!("Tried to delete {set} but it was not found"),
        (ChangeAction::Delete, Some(there)) if !record.matches(&there) => {
            format!("Tried to delete {set} but the values provided do not match the current values")
        }
        (ChangeAction::Delete, Some(_)) => {
            zone.records.remove(&key);
            return None;
        }
        (ChangeAction::Create | ChangeAction::Upsert, _) => {
            zone.records.insert(key, record.clone());
            return None;
        }
    };
    Some(refusal)
}

fn limits(changes: &[RecordChange]) -> Vec<String> {
    let (mut elements, mut characters) = (0, 0);
    for change in changes {
        let times = if change.action == ChangeAction::Upsert {
            2
        } else {
            1
        };
        let values = &change.record.values;
        let length: usize = values.iter().map(|value| value.chars().count()).sum();
        elements += times * values.len();
        characters += times * length;
    }

    let mut refusals = Vec::new();
    if elements > MOST_ELEMENTS {
        refusals.push(format!(
            "Number of records limit of {MOST_ELEMENTS} exceeded."
        ));
    }
    if characters > MOST_CHARACTERS {
        refusals.push(format!(
            "Number of characters limit of {MOST_CHARACTERS} exceeded."
        ));
    }
    refusals
}
