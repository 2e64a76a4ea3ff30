//! Lambda as the pipeline and the event bus see it: functions, who may invoke them, and
//! asynchronous invocation with its retries, and the streams that it reads. The code itself does not run here: an attempt that is
//! due waits in `ready` until the driver takes it.

mod destination;
mod iam;
mod invoke;
mod permission;
mod rest;
mod streams;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::Value;

use crate::protocol::{Protocol, Rest};
use crate::service::{Errors, Service, Wording};
use crate::{ApiError, Aws, Millis};

pub use invoke::{duplicate, finished, invoke_async};
pub use permission::{Permission, add_permission, allows, remove_permission};
pub use rest::result;
pub(crate) use streams::wake_mappings;
pub use streams::{
    Batch, EventSourceMapping, check_reader, create_mapping, delete_mapping, update_mapping,
};

pub(crate) const SERVICE: Service = Service {
    name: "lambda",
    protocol: Protocol::Rest(Rest {
        handle: rest::handle,
        read: iam::read,
    }),
    errors: Errors {
        throttled: Wording::new(429, "TooManyRequestsException", "Rate Exceeded."),
        denied: (403, "AccessDeniedException"),
        ..Errors::JSON
    },
    demands: iam::demands,
};

/// Everything Lambda knows.
#[derive(Clone, Debug, Default)]
pub struct Lambda {
    /// By name.
    pub functions: BTreeMap<String, Function>,
    /// The streams that are read, by id.
    pub mappings: BTreeMap<String, EventSourceMapping>,
    /// Every asynchronous invocation ever accepted, in order; an invocation's id is its position.
    pub invocations: Vec<Invocation>,
    /// What was given up, in order.
    pub dead_letters: Vec<DeadLetter>,
    ready: VecDeque<Attempt>,
    /// The synchronous invocation whose caller waits for the response to the request just served.
    awaited: Option<u64>,
    attempts: u64,
    /// Attempts that have not ended.
    running: usize,
}

/// A function and how it is invoked.
#[derive(Clone, Debug, Default)]
pub struct Function {
    pub name: String,
    /// Filled in by `create_function`.
    pub arn: String,
    /// The binary (crate) that the driver runs.
    pub code: String,
    pub environment: BTreeMap<String, String>,
    pub timeout: Duration,
    pub role: String,
    pub invoke_config: EventInvokeConfig,
    /// The resource policy's statements, in order.
    pub permissions: Vec<Permission>,
}

/// How asynchronous invocations are retried, and where the failed ones go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventInvokeConfig {
    pub maximum_retry_attempts: u32,
    pub maximum_event_age: Duration,
    /// The ARN of the dead-letter queue or on-failure destination.
    pub on_failure: Option<String>,
}

impl Default for EventInvokeConfig {
    fn default() -> Self {
        Self {
            maximum_retry_attempts: 2,
            maximum_event_age: Duration::from_secs(6 * 60 * 60),
            on_failure: None,
        }
    }
}

/// One delivery of a payload that is due: the driver runs the code and reports with `finished`.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub id: u64,
    pub invocation: u64,
    /// 1 to 3.
    pub number: u32,
    pub function: String,
    pub code: String,
    pub environment: BTreeMap<String, String>,
    pub timeout: Duration,
    pub payload: Value,
    /// The same for every attempt of one invocation.
    pub request_id: String,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Succeeded(Value),
    Failed(String),
    TimedOut,
    Crashed,
}

/// What happened to one accepted invocation.
#[derive(Clone, Debug)]
pub struct Invocation {
    pub id: u64,
    pub function: String,
    /// `CodePipeline.job`, an event's detail type, or `other`.
    pub kind: String,
    pub payload: Value,
    pub request_id: String,
    pub accepted: Millis,
    /// Whether the caller waits for the result: such an invocation is tried once.
    pub synchronous: bool,
    /// What it has of a stream, which is read on when it has ended.
    pub batch: Option<Batch>,
    /// The invocation whose payload this one repeats.
    pub duplicate_of: Option<u64>,
    pub attempts: Vec<AttemptLog>,
    pub status: InvocationStatus,
}

#[derive(Clone, Debug)]
pub struct AttemptLog {
    pub id: u64,
    pub number: u32,
    pub started: Millis,
    pub ended: Option<Millis>,
    pub outcome: Option<Outcome>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvocationStatus {
    Pending,
    Succeeded,
    /// Out of attempts or too old.
    GivenUp,
}

/// A payload that ran out of attempts or of age.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    pub at: Millis,
    pub function: String,
    pub invocation: u64,
    pub destination: Option<String>,
    pub payload: Value,
    pub condition: &'static str,
    /// What an on-failure destination receives.
    pub record: Value,
}

/// What Lambda does by itself.
#[derive(Clone, Debug)]
pub enum LambdaEvent {
    Attempt {
        invocation: u64,
        number: u32,
        /// How often there was no room for it.
        refusals: u32,
    },
    Duplicate {
        invocation: u64,
    },
    /// The shard of a stream is read.
    Poll {
        mapping: String,
        shard: usize,
    },
}

impl Lambda {
    /// The next attempt that is due, in the order in which they became due.
    pub fn take_ready(&mut self) -> Option<Attempt> {
        self.ready.pop_front()
    }

    /// Whether an attempt is due.
    pub fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The synchronous invocation that the last request began.
    pub fn take_awaited(&mut self) -> Option<u64> {
        self.awaited.take()
    }

    /// A function by name, ARN, or ARN with a version or alias.
    pub fn function(&self, name_or_arn: &str) -> Option<&Function> {
        self.functions.get(function_name(name_or_arn))
    }

    fn function_mut(&mut self, name_or_arn: &str) -> Option<&mut Function> {
        self.functions.get_mut(function_name(name_or_arn))
    }
}

fn function_name(name_or_arn: &str) -> &str {
    match name_or_arn.split_once(":function:") {
        Some((_, name)) => name.split(':').next().unwrap_or(name),
        None => name_or_arn,
    }
}

/// Creates a function and returns its ARN; an ARN or permissions given with it are replaced.
pub fn create_function(aws: &mut Aws, function: Function) -> Result<String, ApiError> {
    if aws.lambda.functions.contains_key(&function.name) {
        let message = format!("Function already exist: {}", function.name);
        return Err(ApiError {
            status: 409,
            ..ApiError::client("ResourceConflictException", message)
        });
    }

    let arn = aws.arn("lambda", &format!("function:{}", function.name));
    let created = Function {
        arn: arn.clone(),
        permissions: Vec::new(),
        ..function
    };
    aws.lambda.functions.insert(created.name.clone(), created);

    Ok(arn)
}

/// Replaces a function's code and settings, but not its permissions.
pub fn update_function(aws: &mut Aws, function: Function) -> Result<(), ApiError> {
    let known = aws
        .lambda
        .function(&function.name)
        .ok_or_else(|| not_found(aws, &function.name))?;
    let updated = Function {
        arn: known.arn.clone(),
        permissions: known.permissions.clone(),
        ..function
    };
    aws.lambda.functions.insert(updated.name.clone(), updated);

    Ok(())
}

pub fn delete_function(aws: &mut Aws, name_or_arn: &str) -> Result<(), ApiError> {
    let name = function_name(name_or_arn).to_owned();
    aws.lambda
        .functions
        .remove(&name)
        .map(drop)
        .ok_or_else(|| not_found(aws, &name))
}

/// Sets how a function's asynchronous invocations are retried (0–2 retries, 60 s to 6 h).
pub fn put_event_invoke_config(
    aws: &mut Aws,
    name_or_arn: &str,
    config: EventInvokeConfig,
) -> Result<(), ApiError> {
    let age = config.maximum_event_age.as_secs();
    if config.maximum_retry_attempts > 2 || !(60..=21_600).contains(&age) {
        let message = "MaximumRetryAttempts is 0 to 2, MaximumEventAgeInSeconds 60 to 21600";
        return Err(ApiError::client("InvalidParameterValueException", message));
    }

    let missing = not_found(aws, name_or_arn);
    aws.lambda
        .function_mut(name_or_arn)
        .ok_or(missing)?
        .invoke_config = config;
    Ok(())
}

/// The error for a function by its name or ARN, perhaps with a version.
fn not_found(aws: &Aws, function: &str) -> ApiError {
    let name = function.split_once(":function:");
    let name = name.map_or(function, |(_, name)| name);
    let arn = aws.arn("lambda", &format!("function:{name}"));
    ApiError {
        status: 404,
        ..ApiError::client(
            "ResourceNotFoundException",
            format!("Function not found: {arn}"),
        )
    }
}
