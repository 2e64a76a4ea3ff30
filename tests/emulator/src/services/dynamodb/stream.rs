//! The stream of a table: each change of an item, with the item before and after it, for a day. Only
//! Lambda reads it, without calls.
//!
//! Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html>,
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Record.html>

use serde_json::{Value, json};

use super::attribute::{Item, item_size, item_to_json};
use super::table;
use crate::protocol::xml::instant;
use crate::{ApiError, Aws, Millis};

/// The shards of a stream. The changes of one partition are in one of them.
pub(crate) const SHARDS: usize = 2;

/// How long a record is kept.
const RETENTION: Millis = 24 * 3_600_000;

/// The sequence number of the first record.
const FIRST: u128 = 100_000_000_000_000_000_000;

#[derive(Clone, Debug)]
pub(super) struct Stream {
    pub(super) arn: String,
    pub(super) label: String,
    view: String,
    records: Vec<StreamRecord>,
}

/// A change of an item.
#[derive(Clone, Debug)]
pub(crate) struct StreamRecord {
    pub(crate) at: Millis,
    /// Its place in the stream.
    pub(crate) place: usize,
    shard: usize,
    /// As functions receive it.
    pub(crate) content: Value,
}

impl StreamRecord {
    pub(crate) fn sequence(&self) -> &str {
        let number = &self.content["dynamodb"]["SequenceNumber"];
        number.as_str().unwrap_or_default()
    }
}

impl Stream {
    /// The stream that a table's definition has.
    pub(super) fn of(table: &str, definition: &Value, now: Millis) -> Option<Self> {
        let specification = &definition["StreamSpecification"];
        if specification["StreamEnabled"] != true {
            return None;
        }
        let label = label(now);
        let view = specification["StreamViewType"].as_str();
        Some(Self {
            arn: format!("{table}/stream/{label}"),
            label,
            view: view.unwrap_or_default().to_owned(),
            records: Vec::new(),
        })
    }

    /// Adds a change, unless the item is as before.
    pub(super) fn add(
        &mut self,
        (now, bucket): (Millis, u64),
        keys: &Item,
        [old, new]: [Option<&Item>; 2],
    ) {
        if old == new {
            return;
        }
        let name = match (old, new) {
            (None, _) => "INSERT",
            (Some(_), None) => "REMOVE",
            (Some(_), Some(_)) => "MODIFY",
        };
        let place = self.records.len();
        let items = [Some(keys), old, new].into_iter().flatten();
        let bytes: usize = items.map(item_size).sum();
        let mut change = json!({
            "ApproximateCreationDateTime": now.div_euclid(1000),
            "Keys": item_to_json(keys),
            "SequenceNumber": (FIRST + place as u128).to_string(),
            "SizeBytes": bytes,
            "StreamViewType": self.view,
        });
        for (member, item) in [("OldImage", old), ("NewImage", new)] {
            let view = member.to_uppercase().replace("IMAGE", "");
            if let Some(item) = item.filter(|_| self.view.contains(&view)) {
                change[member] = item_to_json(item);
            }
        }

        let content = json!({
            "eventID": format!("{place:032x}"),
            "eventName": name,
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": self.arn.split(':').nth(3),
            "dynamodb": change,
            "eventSourceARN": self.arn,
        });
        self.records.push(StreamRecord {
            at: now,
            place,
            shard: (bucket % SHARDS as u64) as usize,
            content,
        });
    }
}

/// A stream is named by the instant at which it was made.
fn label(at: Millis) -> String {
    let fraction = at.rem_euclid(1000);
    let second = instant(at - fraction);
    let second = second.as_str().unwrap_or_default().trim_end_matches('Z');
    format!("{second}.{fraction:03}")
}

/// Turns the stream of a table on or off, as a template declares it.
pub(crate) fn set_stream(aws: &mut Aws, table: &str, declared: &Value) -> Result<(), ApiError> {
    let now = aws.now;
    let mut specification = declared.clone();
    if !declared.is_null() {
        specification["StreamEnabled"] = Value::Bool(true);
    }
    let table = table::named_itself(aws, &json!({ "TableName": table }))?;
    table.set_stream(specification, now);
    Ok(())
}

/// The ARN of the stream of a table, if it is on.
pub(crate) fn stream_arn(aws: &Aws, table: &str) -> Option<String> {
    let stream = table::known(aws, table)?.stream.as_ref()?;
    Some(stream.arn.clone())
}

/// Whether there is a stream with both images of its changes.
pub(crate) fn has_both_images(aws: &Aws, stream: &str) -> bool {
    find(aws, stream).is_some_and(|stream| stream.view == "NEW_AND_OLD_IMAGES")
}

/// The place of the next record of a stream.
pub(crate) fn next_place(aws: &Aws, stream: &str) -> usize {
    find(aws, stream).map_or(0, |stream| stream.records.len())
}

/// The records of a shard from a place on that are not older than a day.
pub(crate) fn records(aws: &Aws, stream: &str, shard: usize, from: usize) -> Vec<StreamRecord> {
    let oldest = aws.now - RETENTION;
    let records = find(aws, stream).and_then(|stream| stream.records.get(from..));
    let records = records.unwrap_or_default().iter();
    records
        .filter(|record| record.shard == shard && record.at >= oldest)
        .cloned()
        .collect()
}

fn find<'a>(aws: &'a Aws, arn: &str) -> Option<&'a Stream> {
    let mut streams = aws.dynamodb.tables.values();
    streams.find_map(|table| table.stream.as_ref().filter(|stream| stream.arn == arn))
}
