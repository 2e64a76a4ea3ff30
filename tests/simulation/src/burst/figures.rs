//! What a burst came to.

use emulator::codepipeline::Execution;
use emulator::lambda::{Invocation, InvocationStatus};
use emulator::{Aws, Call, Millis};
use invariants::ledger_reader::digest;
use serde_json::{Value, json};

/// How much more memory the last hour may need than the first one, in percent.
const GROWTH: u64 = 10;

/// The figures of a burst.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// How long after the pushes each execution was started, in order.
    pub started: Vec<Millis>,
    /// When a task definition was registered, in order.
    pub registered: Vec<Millis>,
    /// When the pushes came.
    began: Millis,
    /// Calls that were refused: of RegisterTaskDefinition, of StartPipelineExecution, of other
    /// operations of ECS, and of DynamoDB.
    pub refused: [usize; 4],
    /// Most attempts of functions that ran at once.
    pub concurrent: usize,
    /// Events that were given up, and left to a sweep.
    pub dead_letters: usize,
    /// The resident memory of the process before and after the burst, in mebibytes.
    pub memory_before: Option<u64>,
    pub memory_after: Option<u64>,
    pub hours: Vec<Hour>,
}

/// An hour in which only the sweeps ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hour {
    pub sweeps: usize,
    pub failed: usize,
    pub calls: usize,
    pub concurrent: usize,
    /// In mebibytes.
    pub memory: Option<u64>,
}

impl Figures {
    /// What the account shows of a burst that came at this time.
    pub(super) fn of(aws: &Aws, began: Millis) -> Self {
        let executions = aws.codepipeline.executions.iter();
        let started = executions.filter(|execution| digest(execution).is_some());
        let mut started: Vec<Millis> = started
            .map(|execution: &Execution| execution.started - began)
            .collect();
        started.sort_unstable();

        let is_registration = |call: &&Call| call.operation == "RegisterTaskDefinition";
        let registered = aws.calls.iter().filter(is_registration);
        let registered = registered.filter(|call| call.error.is_none());
        let of_registration = |call: &Call| is_registration(&call);
        Self {
            started,
            registered: registered.map(|call| call.at).collect(),
            began,
            refused: [
                refused(aws, of_registration),
                refused(aws, |call| call.operation == "StartPipelineExecution"),
                refused(aws, |call| call.service == "ecs" && !of_registration(call)),
                refused(aws, |call| call.service == "dynamodb"),
            ],
            concurrent: concurrent(&aws.lambda.invocations),
            dead_letters: aws.lambda.dead_letters.len(),
            memory_before: None,
            memory_after: None,
            hours: Vec::new(),
        }
    }

    /// Whether the memory of the process did not grow from hour to hour.
    ///
    /// # Errors
    /// How much it grew.
    pub fn check_memory(&self) -> Result<(), String> {
        let mut memory = self.hours.iter().filter_map(|hour| hour.memory);
        let Some(first) = memory.next() else {
            return Ok(());
        };
        let last = memory.next_back().unwrap_or(first);
        if last * 100 > first * (100 + GROWTH) {
            return Err(format!(
                "the process needs {last} MiB after the last hour, and {first} MiB after the first"
            ));
        }
        Ok(())
    }

    /// The figures by name, as they are shown.
    #[must_use]
    pub fn lines(&self) -> Vec<(String, String)> {
        let secs = |millis: Millis| format!("{} s", (millis + 999) / 1_000);
        let after = |share: usize| secs(self.after(share));
        let took = self.registered.last().map_or(0, |last| last - self.began);
        let [registrations, starts, ecs, ledger] = self.refused;
        let lines = [
            ("executions started", self.started.len().to_string()),
            ("half of them after", after(50)),
            ("nine of ten after", after(90)),
            ("all of them after", after(100)),
            (
                "task definitions registered",
                self.registered.len().to_string(),
            ),
            ("all of them after", secs(took)),
            (
                "most of them in a second",
                self.most_within(1_000).to_string(),
            ),
            (
                "most of them in a minute",
                self.most_within(60_000).to_string(),
            ),
            (
                "RegisterTaskDefinition throttled",
                registrations.to_string(),
            ),
            ("StartPipelineExecution throttled", starts.to_string()),
            ("other calls of ECS throttled", ecs.to_string()),
            ("PutItem throttled", ledger.to_string()),
            ("most attempts at once", self.concurrent.to_string()),
            ("dead letters", self.dead_letters.to_string()),
            ("memory before the burst", memory(self.memory_before)),
            ("memory after the burst", memory(self.memory_after)),
        ];
        let hours = self.hours.iter();
        let hours = hours.map(|hour| ("an hour of sweeps", hour.text()));
        let named = |(name, value): (&str, String)| (name.to_owned(), value);
        lines.into_iter().chain(hours).map(named).collect()
    }

    /// The same as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "started": self.started.len(),
            "started_ms": [self.after(50), self.after(90), self.after(100)],
            "registered": self.registered.len(),
            "registered_in_a_second": self.most_within(1_000),
            "registered_in_a_minute": self.most_within(60_000),
            "refused": self.refused,
            "concurrent": self.concurrent,
            "dead_letters": self.dead_letters,
            "memory_mib": [self.memory_before, self.memory_after],
            "hours": self.hours.iter().map(Hour::json).collect::<Vec<_>>(),
        })
    }

    /// After how long so many percent were started.
    fn after(&self, percent: usize) -> Millis {
        let last = (self.started.len() * percent).div_ceil(100);
        let at = self.started.get(last.saturating_sub(1));
        at.copied().unwrap_or_default()
    }

    /// The most registrations within a time.
    fn most_within(&self, time: Millis) -> usize {
        let from = self.registered.iter().enumerate();
        let within = from.map(|(number, first)| {
            let rest = &self.registered[number..];
            rest.partition_point(|at| at - first < time)
        });
        within.max().unwrap_or_default()
    }
}

impl Hour {
    /// What the account shows since its logs were forgotten.
    pub(super) fn of(aws: &Aws, memory: Option<u64>) -> Self {
        let sweeps = aws.lambda.invocations.iter();
        let sweeps = sweeps.filter(|it| it.kind == "Scheduled Event" && !it.attempts.is_empty());
        let failed = sweeps
            .clone()
            .filter(|it| it.status == InvocationStatus::GivenUp);
        Self {
            failed: failed.count(),
            sweeps: sweeps.count(),
            calls: aws.calls.len(),
            concurrent: concurrent(&aws.lambda.invocations),
            memory,
        }
    }

    fn text(&self) -> String {
        let Self {
            sweeps,
            failed,
            calls,
            concurrent,
            ..
        } = self;
        format!(
            "{sweeps} sweeps, {failed} failed, {calls} calls, {concurrent} attempts at once, {}",
            memory(self.memory)
        )
    }

    fn json(&self) -> Value {
        json!({
            "sweeps": self.sweeps, "failed": self.failed, "calls": self.calls,
            "concurrent": self.concurrent, "memory_mib": self.memory,
        })
    }
}

fn memory(mebibytes: Option<u64>) -> String {
    mebibytes.map_or("not known".to_owned(), |it| format!("{it} MiB"))
}

fn refused(aws: &Aws, is: impl Fn(&Call) -> bool) -> usize {
    let calls = aws.calls.iter();
    calls.filter(|call| call.is_throttled() && is(call)).count()
}

/// The most attempts that ran at once.
fn concurrent(invocations: &[Invocation]) -> usize {
    let attempts = invocations.iter().flat_map(|one| &one.attempts);
    let changes = attempts.flat_map(|attempt| {
        let ended = attempt.ended.map(|at| (at, -1));
        [Some((attempt.started, 1)), ended]
    });
    let mut changes: Vec<(Millis, i64)> = changes.flatten().collect();
    changes.sort_unstable();
    let mut running = 0;
    let most = changes.into_iter().map(|(_, change)| {
        running += change;
        running
    });
    most.max().map_or(0, |most| most.unsigned_abs() as usize)
}
