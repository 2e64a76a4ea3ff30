//! Asynchronous invocation: a queue, a short start latency, retries after one and two minutes, and
//! dead letters.

use std::time::Duration;

use serde_json::Value;

use super::{
    Attempt, AttemptLog, DeadLetter, Invocation, InvocationStatus, LambdaEvent, Outcome,
    destination, not_found, streams,
};
use crate::{ApiError, Aws, Event, Millis, record};

/// How long Lambda waits before the second attempt and before the third.
const RETRY_DELAYS: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(120)];
/// The longest time before an event is tried again for which there was no room.
const LONGEST_REFUSAL: Duration = Duration::from_secs(300);

/// Queues an asynchronous invocation (InvocationType Event) of a function given by name or ARN;
/// returns its id.
pub fn invoke_async(aws: &mut Aws, function: &str, payload: Value) -> Result<u64, ApiError> {
    let request_id = aws.uuid();
    accept(aws, function, payload, request_id, None)
}

/// Begins a synchronous invocation (InvocationType RequestResponse); returns its id. It is tried
/// once.
pub(super) fn invoke_sync(aws: &mut Aws, function: &str, payload: Value) -> Result<u64, ApiError> {
    let id = invoke_async(aws, function, payload)?;
    aws.lambda.invocations[id as usize].synchronous = true;
    Ok(id)
}

/// Delivers an invocation's payload once more, `after` from now, whatever became of the first
/// delivery. Lambda's event queue is eventually consistent, so the repeat has the same request id.
pub fn duplicate(aws: &mut Aws, invocation: u64, after: Duration) {
    aws.schedule(after, LambdaEvent::Duplicate { invocation });
}

fn accept(
    aws: &mut Aws,
    function: &str,
    payload: Value,
    request_id: String,
    duplicate_of: Option<u64>,
) -> Result<u64, ApiError> {
    let name = aws
        .lambda
        .function(function)
        .ok_or_else(|| not_found(aws, function))?
        .name
        .clone();
    let id = aws.lambda.invocations.len() as u64;
    record::invocation(&name, &payload);
    aws.lambda.invocations.push(Invocation {
        id,
        function: name,
        kind: kind(&payload),
        payload,
        request_id,
        accepted: aws.now,
        synchronous: false,
        batch: None,
        duplicate_of,
        attempts: Vec::new(),
        status: InvocationStatus::Pending,
    });

    let latency = Duration::from_millis(aws.rng.u64(20..=200));
    aws.schedule(
        latency,
        LambdaEvent::Attempt {
            invocation: id,
            number: 1,
            refusals: 0,
        },
    );
    Ok(id)
}

fn kind(payload: &Value) -> String {
    if payload.get("CodePipeline.job").is_some() {
        return "CodePipeline.job".to_owned();
    }

    let event = payload.get("event").unwrap_or(payload);
    event
        .get("detail-type")
        .and_then(Value::as_str)
        .unwrap_or("other")
        .to_owned()
}

impl Event for LambdaEvent {
    fn run(&self, aws: &mut Aws) {
        match self {
            Self::Attempt {
                invocation,
                number,
                refusals,
            } if has_no_room(aws, *invocation) => {
                put_back(aws, *invocation, *number, *refusals);
            }
            Self::Attempt {
                invocation, number, ..
            } => make_ready(aws, *invocation, *number),
            Self::Duplicate { invocation } => repeat(aws, *invocation),
            Self::Poll { mapping, shard } => streams::poll(aws, mapping, *shard),
        }
    }
}

/// Whether as many attempts run as may run at once. Synchronous invocations are not limited.
fn has_no_room(aws: &Aws, invocation: u64) -> bool {
    let invocation = &aws.lambda.invocations[invocation as usize];
    aws.lambda.running >= aws.quotas.concurrent_attempts && !invocation.synchronous
}

/// Puts an event back into the queue: it waits for a second, then twice as long each time.
fn put_back(aws: &mut Aws, id: u64, number: u32, refusals: u32) {
    let delay = Duration::from_secs(1 << refusals.min(9)).min(LONGEST_REFUSAL);
    if is_too_old(aws, id, delay) {
        return give_up(aws, id, "EventAgeExceeded");
    }
    let again = LambdaEvent::Attempt {
        invocation: id,
        number,
        refusals: refusals + 1,
    };
    aws.schedule(delay, again);
}

fn repeat(aws: &mut Aws, invocation: u64) {
    let Some(first) = aws.lambda.invocations.get(invocation as usize).cloned() else {
        return;
    };
    // A function that is gone by now receives nothing more.
    let repeated = accept(
        aws,
        &first.function,
        first.payload,
        first.request_id,
        Some(invocation),
    );
    if let (Ok(id), Some(_)) = (repeated, first.batch) {
        aws.lambda.invocations[id as usize].synchronous = true;
    }
}

fn make_ready(aws: &mut Aws, id: u64, number: u32) {
    let now = aws.now;
    let Some(function) = aws
        .lambda
        .functions
        .get(&aws.lambda.invocations[id as usize].function)
        .cloned()
    else {
        return give_up(aws, id, "FunctionNotFound");
    };

    aws.lambda.attempts += 1;
    aws.lambda.running += 1;
    let attempt = aws.lambda.attempts;
    let invocation = &mut aws.lambda.invocations[id as usize];
    invocation.attempts.push(AttemptLog {
        id: attempt,
        number,
        started: now,
        ended: None,
        outcome: None,
    });

    let ready = Attempt {
        id: attempt,
        invocation: id,
        number,
        function: function.name,
        code: function.code,
        environment: function.environment,
        timeout: function.timeout,
        payload: invocation.payload.clone(),
        request_id: invocation.request_id.clone(),
    };
    aws.lambda.ready.push_back(ready);
}

/// Takes note of how an attempt ended; anything but success is retried while the function's
/// settings allow it.
pub fn finished(aws: &mut Aws, attempt_id: u64, outcome: Outcome) {
    let now = aws.now;
    let found = aws
        .lambda
        .invocations
        .iter_mut()
        .rev()
        .find_map(|invocation| {
            let id = invocation.id;
            invocation
                .attempts
                .iter_mut()
                .find(|attempt| attempt.id == attempt_id)
                .map(|attempt| (id, attempt))
        });
    let Some((id, attempt)) = found.filter(|(_, attempt)| attempt.ended.is_none()) else {
        return;
    };
    let succeeded = matches!(outcome, Outcome::Succeeded(_));
    let number = attempt.number;
    attempt.ended = Some(now);
    attempt.outcome = Some(outcome);
    aws.lambda.running = aws.lambda.running.saturating_sub(1);

    if succeeded {
        aws.lambda.invocations[id as usize].status = InvocationStatus::Succeeded;
    } else if aws.lambda.invocations[id as usize].synchronous {
        aws.lambda.invocations[id as usize].status = InvocationStatus::GivenUp;
    } else {
        retry(aws, id, number);
    }
    streams::ended(aws, id);
}

fn retry(aws: &mut Aws, id: u64, failed: u32) {
    let invocation = &aws.lambda.invocations[id as usize];
    let config = aws
        .lambda
        .functions
        .get(&invocation.function)
        .map(|f| f.invoke_config.clone())
        .unwrap_or_default();
    let delay = RETRY_DELAYS
        .get(failed as usize - 1)
        .filter(|_| failed <= config.maximum_retry_attempts);
    let Some(&delay) = delay else {
        return give_up(aws, id, "RetriesExhausted");
    };
    if is_too_old(aws, id, delay) {
        return give_up(aws, id, "EventAgeExceeded");
    }

    aws.schedule(
        delay,
        LambdaEvent::Attempt {
            invocation: id,
            number: failed + 1,
            refusals: 0,
        },
    );
}

/// Whether an event is older than its function allows, after this delay.
fn is_too_old(aws: &Aws, id: u64, delay: Duration) -> bool {
    let invocation = &aws.lambda.invocations[id as usize];
    let function = aws.lambda.functions.get(&invocation.function);
    let config = function.map(|function| function.invoke_config.clone());
    let age = (aws.now - invocation.accepted) + delay.as_millis() as Millis;
    age > config.unwrap_or_default().maximum_event_age.as_millis() as Millis
}

fn give_up(aws: &mut Aws, id: u64, condition: &'static str) {
    aws.lambda.invocations[id as usize].status = InvocationStatus::GivenUp;
    let invocation = &aws.lambda.invocations[id as usize];
    let function = aws.lambda.functions.get(&invocation.function);
    let on_failure = function.and_then(|function| function.invoke_config.on_failure.clone());
    let letter = DeadLetter {
        at: aws.now,
        function: invocation.function.clone(),
        invocation: id,
        destination: on_failure,
        payload: invocation.payload.clone(),
        condition,
        record: destination::record(aws, invocation, condition),
    };
    aws.lambda.dead_letters.push(letter);
}
