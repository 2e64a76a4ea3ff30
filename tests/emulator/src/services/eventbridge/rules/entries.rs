//! PutEvents: what callers put on the bus. An entry can fail by itself, in a request that succeeds.
//!
//! Source: <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>,
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html>

use std::ops::RangeInclusive;

use serde_json::{Value, json};

use super::{Input, validation};
use crate::eventbridge::{new_event, put, timestamp};
use crate::validation::{Quoted, Violations};
use crate::{ApiError, Aws};

/// The entries of a request.
const ENTRIES: RangeInclusive<usize> = 1..=10;

/// All entries of a request together have fewer bytes.
const TOTAL_BYTES: usize = 256 * 1024;

/// What the time of an entry counts as, in bytes.
const TIME_BYTES: usize = 14;

/// Why an entry failed: code and message.
type Refusal = (&'static str, String);

pub(super) fn put_all(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    let entries = Input::new(input).list("Entries")?;
    let mut violations = Violations::default();
    let count = entries.len();
    violations.check_bound("entries", Quoted::Omitted, "length", count, &ENTRIES);
    if let Some(message) = violations.message() {
        return Err(validation(message));
    }
    if entries.iter().map(size).sum::<usize>() >= TOTAL_BYTES {
        return Err(validation(
            "Total size of the entries in the request is over the limit.",
        ));
    }

    let mut failed = 0;
    let mut results = Vec::new();
    for entry in entries {
        results.push(match put_one(aws, entry)? {
            Ok(id) => json!({ "EventId": id }),
            Err((code, message)) => {
                failed += 1;
                json!({"ErrorCode": code, "ErrorMessage": message})
            }
        });
    }
    Ok(json!({"FailedEntryCount": failed, "Entries": results}))
}

fn size(entry: &Value) -> usize {
    let text = |value: &Value| value.as_str().map_or(0, str::len);
    let resources = entry["Resources"].as_array().into_iter().flatten();
    let time = if entry["Time"].is_null() {
        0
    } else {
        TIME_BYTES
    };
    let named = ["Source", "DetailType", "Detail"].map(|member| text(&entry[member]));
    time + named.iter().sum::<usize>() + resources.map(text).sum::<usize>()
}

/// Puts one event on its bus; the id of the event, or why the entry failed.
fn put_one(aws: &mut Aws, entry: &Value) -> Result<Result<String, Refusal>, ApiError> {
    if aws.events.failing_entries > 0 {
        aws.events.failing_entries -= 1;
        return Ok(Err(("InternalFailure", "Unexpected error.".to_owned())));
    }

    let members = Input::new(entry);
    let mut texts = Vec::new();
    for member in ["Source", "DetailType", "Detail"] {
        match members.text(member)? {
            Some(text) => texts.push(text),
            None => {
                let message = format!(
                    "Parameter {member} is not valid. Reason: {member} is a required argument."
                );
                return Ok(Err(("InvalidArgument", message)));
            }
        }
    }
    let [source, detail_type, detail] = texts[..] else {
        unreachable!("each member is there")
    };
    let detail: Option<Value> = serde_json::from_str(detail).ok().filter(Value::is_object);
    let Some(detail) = detail else {
        return Ok(Err(("MalformedDetail", "Detail is malformed.".to_owned())));
    };
    if source.starts_with("aws.") {
        let message = "Not authorized for the source.".to_owned();
        return Ok(Err(("NotAuthorizedForSourceException", message)));
    }

    let resources = members.texts("Resources")?;
    let resources = resources.into_iter().map(str::to_owned).collect();
    let mut event = new_event(aws, source, detail_type, resources, detail);
    if let Some(time) = members.time("Time")? {
        event["time"] = json!(timestamp(time));
    }
    let id = event["id"].as_str().unwrap_or_default().to_owned();
    let bus = members.text("EventBusName")?.unwrap_or("default");
    // What is for a bus that does not exist is taken, and lost.
    if bus.rsplit('/').next() == Some("default") {
        put(aws, event);
    }
    Ok(Ok(id))
}
