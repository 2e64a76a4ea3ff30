//! Event source mappings: Lambda reads the stream of a table, shard by shard, and invokes a function
//! with batches of its records. A batch that fails is sent again, and the shard waits for it.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>,
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html>,
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>

#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::{Value, json};

use super::invoke::invoke_sync;
use super::{DeadLetter, LambdaEvent, Outcome, destination, function_name, not_found};
use crate::cloudformation::items;
use crate::dynamodb::{self, SHARDS, StreamRecord};
use crate::eventbridge::{self, Pattern};
use crate::iam::{Access, Demand, evaluate};
use crate::{ApiError, Aws, Millis};

/// What the role of a function needs to read a stream, beside listing all.
const READS: [&str; 3] = [
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
];

/// The records of a batch.
const BATCH: RangeInclusive<u64> = 1..=10_000;
const DEFAULT_BATCH: u64 = 100;

/// How long it takes until a new record is read: four polls a second, and a start.
const READ_MS: RangeInclusive<u64> = 50..=1_000;

/// The longest wait for the next try doubles with each failure, so often at most.
const DOUBLINGS: u32 = 6;

/// Which stream a function gets.
#[derive(Clone, Debug)]
pub struct EventSourceMapping {
    /// The name of the function.
    pub function: String,
    /// The ARN of the stream.
    pub source: String,
    pub enabled: bool,
    batch: u64,
    /// A record that meets one of them is sent; every record without any.
    filters: Vec<Pattern>,
    longest_age: Option<Duration>,
    on_failure: Option<String>,
    reports_failures: bool,
    shards: [Progress; SHARDS],
}

/// How far a shard is read.
#[derive(Clone, Debug, Default)]
struct Progress {
    /// The place of the first record that is not done.
    next: usize,
    /// The invocation that has the batch from there.
    invocation: Option<u64>,
    is_planned: bool,
    /// How often that batch failed.
    failures: u32,
}

/// What an invocation got of a stream.
#[derive(Clone, Debug)]
pub struct Batch {
    mapping: String,
    shard: usize,
    records: Vec<StreamRecord>,
    /// The place after its last record.
    end: usize,
}

/// Makes a mapping from the properties that a template declares; returns its id.
pub fn create_mapping(aws: &mut Aws, declared: &Value) -> Result<String, ApiError> {
    let mut mapping = read(aws, declared)?;
    let next = match declared["StartingPosition"].as_str() {
        Some("LATEST") => dynamodb::next_place(aws, &mapping.source),
        Some("TRIM_HORIZON") => 0,
        _ => return Err(invalid("StartingPosition must be LATEST or TRIM_HORIZON")),
    };
    mapping
        .shards
        .iter_mut()
        .for_each(|shard| shard.next = next);

    let id = aws.uuid();
    aws.lambda.mappings.insert(id.clone(), mapping);
    wake_mappings(aws);
    Ok(id)
}

/// Changes what a mapping does; how far it has read stays.
pub fn update_mapping(aws: &mut Aws, id: &str, declared: &Value) -> Result<(), ApiError> {
    let mut mapping = read(aws, declared)?;
    if let Some(known) = aws.lambda.mappings.get(id) {
        mapping.shards = known.shards.clone();
    }
    aws.lambda.mappings.insert(id.to_owned(), mapping);
    wake_mappings(aws);
    Ok(())
}

pub fn delete_mapping(aws: &mut Aws, id: &str) {
    aws.lambda.mappings.remove(id);
}

/// Whether the role of the function of a mapping may read the stream.
pub fn check_reader(aws: &Aws, declared: &Value) -> Result<(), ApiError> {
    let name = declared["FunctionName"].as_str().unwrap_or_default();
    let function = aws.lambda.function(name);
    let function = function.ok_or_else(|| not_found(aws, name))?;
    let stream = declared["EventSourceArn"].as_str().unwrap_or_default();
    let mut demands = READS.map(|action| Demand::new(action, stream)).to_vec();
    demands.push(Demand::anywhere("dynamodb:ListStreams"));

    let role = aws.cloudformation.iam.role_by_arn(&function.role);
    let is_allowed = |demand: &Demand| {
        role.is_some_and(|role| evaluate(role.statements(), demand) == Ok(Access::Allowed))
    };
    if demands.iter().all(is_allowed) {
        return Ok(());
    }
    Err(invalid(&format!(
        "Cannot access stream {stream}. Please ensure the role can perform the GetRecords, \
         GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM."
    )))
}

fn invalid(message: &str) -> ApiError {
    ApiError::client("InvalidParameterValueException", message)
}

fn read(aws: &Aws, declared: &Value) -> Result<EventSourceMapping, ApiError> {
    let text = |member: &str| declared[member].as_str().unwrap_or_default();
    let name = text("FunctionName");
    if aws.lambda.function(name).is_none() {
        return Err(not_found(aws, name));
    }
    let source = text("EventSourceArn");
    if !dynamodb::has_both_images(aws, source) {
        let message = format!("Stream not found, or without both images: {source}");
        return Err(invalid(&message));
    }
    let batch = declared["BatchSize"].as_u64().unwrap_or(DEFAULT_BATCH);
    if !BATCH.contains(&batch) {
        return Err(invalid("BatchSize must be 1 to 10000"));
    }

    let filters = items(&declared["FilterCriteria"]["Filters"]).iter();
    let filters = filters.map(|filter| {
        let pattern = filter["Pattern"].as_str().unwrap_or_default();
        eventbridge::read_pattern(pattern)
            .map_err(|_| invalid("Invalid filter pattern definition."))
    });
    let age = declared["MaximumRecordAgeInSeconds"].as_u64();
    let on_failure = declared["DestinationConfig"]["OnFailure"]["Destination"].as_str();
    let responses = items(&declared["FunctionResponseTypes"]);
    Ok(EventSourceMapping {
        function: function_name(name).to_owned(),
        source: source.to_owned(),
        enabled: declared["Enabled"] != false,
        batch,
        filters: filters.collect::<Result<_, _>>()?,
        longest_age: age.map(Duration::from_secs),
        on_failure: on_failure.map(str::to_owned),
        reports_failures: responses.contains(&json!("ReportBatchItemFailures")),
        shards: Default::default(),
    })
}

/// Plans to read each shard that has new records and is not being read.
pub(crate) fn wake_mappings(aws: &mut Aws) {
    let mut waiting = Vec::new();
    for (id, mapping) in &aws.lambda.mappings {
        for (shard, progress) in mapping.shards.iter().enumerate() {
            let is_free = progress.invocation.is_none() && !progress.is_planned;
            if mapping.enabled && is_free && !left(aws, mapping, shard).is_empty() {
                waiting.push((id.clone(), shard));
            }
        }
    }
    for (id, shard) in waiting {
        plan(aws, &id, shard, READ_MS);
    }
}

/// The records of a shard that are not done.
fn left(aws: &Aws, mapping: &EventSourceMapping, shard: usize) -> Vec<StreamRecord> {
    dynamodb::records(aws, &mapping.source, shard, mapping.shards[shard].next)
}

fn plan(aws: &mut Aws, mapping: &str, shard: usize, millis: RangeInclusive<u64>) {
    let Some(known) = aws.lambda.mappings.get_mut(mapping) else {
        return;
    };
    known.shards[shard].is_planned = true;
    let mapping = mapping.to_owned();
    let wait = Duration::from_millis(aws.rng.u64(millis));
    aws.schedule(wait, LambdaEvent::Poll { mapping, shard });
}

/// Reads a shard and invokes the function with what passes the filters.
pub(super) fn poll(aws: &mut Aws, id: &str, shard: usize) {
    let Some(known) = aws.lambda.mappings.get_mut(id) else {
        return;
    };
    known.shards[shard].is_planned = false;
    let mapping = known.clone();
    if !mapping.enabled || mapping.shards[shard].invocation.is_some() {
        return;
    }

    let mut records = Vec::new();
    let mut end = mapping.shards[shard].next;
    for record in left(aws, &mapping, shard) {
        if records.len() as u64 == mapping.batch {
            break;
        }
        end = record.place + 1;
        if mapping.takes(&record.content) {
            records.push(record);
        }
    }
    let invocation = if records.is_empty() {
        None
    } else {
        let contents: Vec<&Value> = records.iter().map(|record| &record.content).collect();
        let payload = json!({ "Records": contents });
        invoke_sync(aws, &mapping.function, payload).ok()
    };

    let next = match invocation {
        Some(number) => {
            let mapping = id.to_owned();
            aws.lambda.invocations[number as usize].batch = Some(Batch {
                mapping,
                shard,
                records,
                end,
            });
            None
        }
        None => Some(end).filter(|_| records.is_empty()),
    };
    if let Some(known) = aws.lambda.mappings.get_mut(id) {
        let progress = &mut known.shards[shard];
        progress.invocation = invocation;
        progress.next = next.unwrap_or(progress.next);
    }
}

impl EventSourceMapping {
    /// Whether the function gets a record.
    fn takes(&self, record: &Value) -> bool {
        let mut filters = self.filters.iter();
        self.filters.is_empty() || filters.any(|filter| eventbridge::meets(filter, record))
    }

    fn is_too_old(&self, record: &StreamRecord, now: Millis) -> bool {
        self.longest_age
            .is_some_and(|age| now - record.at > age.as_millis() as Millis)
    }
}

impl Batch {
    /// The first of its records that is sent again; nothing if all are done.
    fn first_failed(&self, outcome: Option<&Outcome>, reports_failures: bool) -> Option<usize> {
        let Some(Outcome::Succeeded(response)) = outcome else {
            return Some(0);
        };
        let failures = items(&response["batchItemFailures"]);
        if !reports_failures || failures.is_empty() {
            return None;
        }
        let place = |failure: &Value| {
            let sequence = failure["itemIdentifier"].as_str()?;
            let mut records = self.records.iter();
            records.position(|record| record.sequence() == sequence)
        };
        // What names no record of the batch makes all of it a failure.
        let places: Option<Vec<usize>> = failures.iter().map(place).collect();
        places.map_or(Some(0), |places| places.into_iter().min())
    }
}

/// Goes on with a shard after the invocation that had a batch of it. A repeated delivery of the
/// batch, or one to a mapping that is gone, changes nothing.
pub(super) fn ended(aws: &mut Aws, id: u64) {
    let invocation = &aws.lambda.invocations[id as usize];
    let Some(batch) = invocation.batch.clone() else {
        return;
    };
    let last = invocation.attempts.last();
    let outcome = last.and_then(|attempt| attempt.outcome.clone());
    let Some(mapping) = aws.lambda.mappings.get(&batch.mapping).cloned() else {
        return;
    };
    let mut progress = mapping.shards[batch.shard].clone();
    if progress.invocation != Some(id) {
        return;
    }

    let failed = batch.first_failed(outcome.as_ref(), mapping.reports_failures);
    let now = aws.now;
    let kept = failed.and_then(|first| {
        let mut records = batch.records[first..].iter();
        records.find(|record| !mapping.is_too_old(record, now))
    });
    if failed.is_some_and(|first| mapping.is_too_old(&batch.records[first], now)) {
        discard(aws, id, &mapping, &batch);
    }

    progress.invocation = None;
    progress.next = kept.map_or(batch.end, |record| record.place);
    progress.failures = match failed {
        None => 0,
        Some(0) => progress.failures + 1,
        Some(_) => 1,
    };
    let failures = progress.failures;
    let is_kept = kept.is_some();
    if let Some(known) = aws.lambda.mappings.get_mut(&batch.mapping) {
        known.shards[batch.shard] = progress;
    }
    if is_kept {
        let longest = 1_000_u64 << failures.min(DOUBLINGS);
        plan(aws, &batch.mapping, batch.shard, longest / 2..=longest);
    }
    wake_mappings(aws);
}

/// Gives up the records of a batch that are too old; the destination gets where they are, and not
/// what they hold.
fn discard(aws: &mut Aws, id: u64, mapping: &EventSourceMapping, batch: &Batch) {
    const CONDITION: &str = "RecordAgeExceeded";
    let invocation = &aws.lambda.invocations[id as usize];
    let mut record = destination::record(aws, invocation, CONDITION);
    if let Some(members) = record.as_object_mut() {
        members.shift_remove("requestPayload");
        members.shift_remove("responsePayload");
    }
    let sequence = |record: Option<&StreamRecord>| record.map(|it| it.sequence().to_owned());
    record["DDBStreamBatchInfo"] = json!({
        "shardId": format!("shardId-{:020}", batch.shard),
        "startSequenceNumber": sequence(batch.records.first()),
        "endSequenceNumber": sequence(batch.records.last()),
        "batchSize": batch.records.len(),
        "streamArn": mapping.source,
    });
    aws.lambda.dead_letters.push(DeadLetter {
        at: aws.now,
        function: mapping.function.clone(),
        invocation: id,
        destination: mapping.on_failure.clone(),
        payload: Value::Null,
        condition: CONDITION,
        record,
    });
}
