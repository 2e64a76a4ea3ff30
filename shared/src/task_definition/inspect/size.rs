//! Sizes of containers within the size of their task.
//!
//! Never makes a container larger: what does not fit is left to the task.

use serde_json::{Map, Value};

use super::draft::Draft;

/// Leaves out what ECS refuses: a limit above the task's memory, and reservations that are together
/// more than the task has (docs.aws.amazon.com/AmazonECS/latest/APIReference/
/// API_ContainerDefinition.html, `cpu` and `memory`).
pub(super) fn fit(task: &Map<String, Value>, drafts: &mut [Draft]) {
    let size = |member: &str, unit: &str| number(task.get(member)?.as_str()?, unit);

    if let Some(most) = size("memory", "gb") {
        for draft in drafts.iter_mut() {
            let given = draft.get("memory").and_then(Value::as_u64);
            if let Some(given) = given.filter(|given| *given > most) {
                let reason = format!("the task has {most} MiB, which limit its containers");
                leave("memory", given, &reason, draft);
            }
        }
        share("memoryReservation", most, drafts);
    }
    if let Some(most) = size("cpu", "vcpu") {
        share("cpu", most, drafts);
    }
}

fn share(member: &'static str, most: u64, drafts: &mut [Draft]) {
    let mut sum: u64 = 0;
    for draft in drafts {
        let Some(given) = draft.get(member).and_then(Value::as_u64) else {
            continue;
        };
        let with_given = sum.saturating_add(given);
        if with_given > most {
            let reason = format!("the task has {most}, of which other containers have {sum}");
            leave(member, given, &reason, draft);
        } else {
            sum = with_given;
        }
    }
}

fn leave(member: &'static str, given: u64, reason: &str, draft: &mut Draft) {
    let field = format!("containerDefinitions.{}.{member}", draft.name);
    draft.leave(field, given.to_string(), reason);
    draft.set(member, Value::Null);
}

/// A number as it is, or 1024 times the number before its unit, such as `.5 vCPU`.
fn number(text: &str, unit: &str) -> Option<u64> {
    let text = text.to_ascii_lowercase();
    match text.strip_suffix(unit) {
        Some(number) => {
            let number = number.trim().parse::<f64>().ok()?;
            Some((number * 1024.0) as u64)
        }
        None => text.trim().parse().ok(),
    }
}
