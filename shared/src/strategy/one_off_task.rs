//! A one-off task of a release, such as a migration: how it is recognised, and what its state means
//! for the step that runs it.
//!
//! It never counts a task as successful that did not end by itself with exit code 0 in every
//! essential container.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use serde_with::skip_serializing_none;

use crate::hash::sha256;
use crate::job::{Failure, read_payload};
use crate::limits::TASK_STOP_DEADLINE;
use crate::observed::service::revision;
use crate::observed::task::TaskView;
use crate::strategy::http_check::CheckProgress;
use crate::timestamp::{Timestamp, readable, readable_of};

/// The stop code of a task that ended by itself
/// (docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html).
const ENDED: &str = "EssentialContainerExited";

/// Digits of the hash in a client token, of 64 characters with the number of an attempt after it
/// (docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html).
const HASH_DIGITS: usize = 40;

/// What one action of one execution runs once.
#[derive(Clone, Copy, Debug)]
pub struct OneOffTask<'a> {
    pub execution: &'a str,
    pub name: &'a str,
    /// The ARN of a revision.
    pub task_definition: &'a str,
    /// The container that gets the command, and its words.
    pub command: Option<(&'a str, &'a [String])>,
}

/// What one job of the action leaves to the next.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskProgress {
    /// The calls of RunTask that placed no task.
    #[serde(default)]
    pub attempts: u32,
    /// Why the last of them did not.
    pub not_placed: Option<String>,
    pub started: Option<StartedTask>,
    /// What the attempts of the action's HTTP checks have shown, in the order of the checks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckProgress>,
}

/// The task, once it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartedTask {
    pub arn: String,
    /// When a job first knew of it.
    pub at: Timestamp,
}

/// How long the action has taken, and how long it may.
#[derive(Clone, Copy, Debug)]
pub struct TaskTime {
    pub elapsed: Duration,
    pub limit: Duration,
}

/// What follows from the state of the task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskStep {
    Wait(String),
    Done(String),
    /// Its time is over: it is stopped, and the step fails.
    Stop(String),
    Fail(String),
}

impl OneOffTask<'_> {
    /// A hash of what the task is: it is the same in each invocation of the action.
    fn hash(&self) -> String {
        let Self {
            execution,
            name,
            task_definition,
            command,
        } = self;
        let text = json!([execution, name, task_definition, command]).to_string();

        let mut hex = sha256(&text);
        hex.truncate(HASH_DIGITS);
        hex
    }

    /// The client token of an attempt to place the task. A failed attempt needs a new one: ECS may
    /// return the same failure to the same token.
    #[must_use]
    pub fn client_token(&self, attempt: u32) -> String {
        format!("{}-{attempt}", self.hash())
    }

    /// The `startedBy` of the task, by which it is found.
    #[must_use]
    pub fn started_by(&self) -> String {
        format!("slipway/{}", self.hash())
    }
}

impl TaskProgress {
    /// Reads what the job before wrote.
    ///
    /// # Errors
    /// When it was written by another version.
    pub fn read(payload: Option<&Value>) -> Result<Self, Failure> {
        payload.map_or_else(|| Ok(Self::default()), read_payload)
    }

    #[must_use]
    pub fn payload(&self) -> Option<Value> {
        serde_json::to_value(self).ok()
    }
}

impl TaskTime {
    #[must_use]
    pub fn is_over(self) -> bool {
        self.elapsed >= self.limit
    }

    /// How much of it has passed, from 0 to 99.
    #[must_use]
    pub fn percent(self) -> u8 {
        let percent = self.elapsed.as_secs() * 100 / self.limit.as_secs().max(1);
        u8::try_from(percent.min(99)).unwrap_or(99)
    }
}

impl std::fmt::Display for TaskTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&readable_of(self.elapsed, self.limit))
    }
}

/// What follows from the state of a task, of which `essential` are the containers that decide.
#[must_use]
pub fn next_step(
    task: &OneOffTask<'_>,
    view: &TaskView,
    essential: &[&str],
    time: TaskTime,
) -> TaskStep {
    let runs = revision(task.task_definition);
    if !view.has_stopped() {
        let summary = format!("{runs} is {}", view.status);
        // What has ended by itself takes a moment until it has stopped.
        let has_time = if view.is_stopping {
            time.elapsed < time.limit + TASK_STOP_DEADLINE
        } else {
            !time.is_over()
        };
        return if has_time {
            TaskStep::Wait(format!("{summary}; {time}"))
        } else {
            let limit = readable(time.limit);
            TaskStep::Stop(format!("{summary} and did not end within {limit}"))
        };
    }

    let is_success = |name: &&str| view.exit_code(name) == Some(0);
    if view.stop_code.as_deref() == Some(ENDED) && essential.iter().all(is_success) {
        let took = readable(time.elapsed);
        return TaskStep::Done(format!("{runs} ended with exit code 0 after {took}"));
    }
    TaskStep::Fail(format!("{runs} failed: {}", causes(view, essential)))
}

/// Why a task that has stopped is not successful, in ECS's words.
fn causes(view: &TaskView, essential: &[&str]) -> String {
    let of_container = |name: &&str| {
        let found = view.containers.iter().find(|found| found.name == **name);
        let exit = match view.exit_code(name) {
            Some(code) => format!("container {name} exited with {code}"),
            None => format!("container {name} has no exit code"),
        };
        match found.and_then(|found| found.reason.as_deref()) {
            Some(reason) => format!("{exit} ({reason})"),
            None => exit,
        }
    };
    let code = view.stop_code.as_deref().unwrap_or("no stop code");
    let stopped = match &view.stopped_reason {
        Some(reason) => format!("{code}: {reason}"),
        None => code.to_owned(),
    };

    let containers = essential.iter().map(of_container);
    let all: Vec<String> = containers.chain([stopped]).collect();
    all.join("; ")
}

#[cfg(test)]
mod tests;
