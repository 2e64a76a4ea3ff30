//! What happened in a run, for readers: one line for each thing, with its virtual time.

mod states;

use std::collections::BTreeMap;

use serde_json::Value;

use emulator::codepipeline::ReportContent;
use emulator::lambda::Outcome;
use emulator::{Aws, Call, Millis};

/// How much of a text a line shows.
const CHARS: usize = 200;

/// Collects lines, if requested.
#[derive(Debug)]
pub(super) struct Trace {
    lines: Vec<String>,
    writes: bool,
    start: Millis,
    calls: usize,
    events: usize,
    deliveries: usize,
    /// Attempts that began, and those that ended.
    attempts: BTreeMap<u64, bool>,
    reports: BTreeMap<String, usize>,
    states: BTreeMap<String, String>,
}

impl Trace {
    pub(super) fn new(writes: bool, aws: &Aws) -> Self {
        let mut trace = Self {
            lines: Vec::new(),
            writes,
            start: aws.now,
            calls: aws.calls.len(),
            events: aws.events.events.len(),
            deliveries: aws.events.deliveries.len(),
            attempts: BTreeMap::new(),
            reports: BTreeMap::new(),
            states: BTreeMap::new(),
        };
        trace.look(aws);
        trace.lines.clear();
        trace
    }

    pub(super) fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }

    /// Writes a line of the present.
    pub(super) fn say(&mut self, aws: &Aws, what: &str) {
        self.at(aws.now, what);
    }

    fn at(&mut self, at: Millis, what: &str) {
        if self.writes {
            let (secs, millis) = ((at - self.start) / 1000, (at - self.start) % 1000);
            let what: String = what.replace('\n', " ").chars().take(CHARS).collect();
            self.lines.push(format!(
                "{:>3}:{:02}.{millis:03}  {what}",
                secs / 60,
                secs % 60
            ));
        }
    }

    /// Writes what happened since the last look.
    pub(super) fn look(&mut self, aws: &Aws) {
        if !self.writes {
            return;
        }

        self.events(aws);
        self.attempts(aws);
        self.calls(aws);
        self.reports(aws);
        self.states(aws);
    }

    fn events(&mut self, aws: &Aws) {
        let new = aws.events.events[self.events..]
            .iter()
            .filter(|event| event["source"] != "aws.events");
        let lines: Vec<String> = new
            .filter(|event| {
                !event["detail-type"].as_str().is_some_and(|kind| {
                    kind.contains("Action Execution") || kind.contains("Stage Execution")
                })
            })
            .map(|event| {
                let detail = &event["detail"];
                let what = detail["state"]
                    .as_str()
                    .or(detail["eventName"].as_str())
                    .or(detail["image-tag"].as_str());

                format!(
                    "event {}: {}",
                    event["detail-type"].as_str().unwrap_or_default(),
                    what.unwrap_or_default()
                )
            })
            .collect();
        self.events = aws.events.events.len();
        lines.iter().for_each(|line| self.say(aws, line));

        let lost: Vec<(Millis, String)> = aws.events.deliveries[self.deliveries..]
            .iter()
            .filter(|one| {
                !matches!(
                    one.outcome,
                    emulator::eventbridge::DeliveryOutcome::Invoked(_)
                )
            })
            .map(|one| {
                (
                    one.at,
                    format!("delivery to {}: {:?}", one.target, one.outcome),
                )
            })
            .collect();
        self.deliveries = aws.events.deliveries.len();
        lost.into_iter().for_each(|(at, line)| self.at(at, &line));
    }

    fn attempts(&mut self, aws: &Aws) {
        let mut lines = Vec::new();
        for invocation in &aws.lambda.invocations {
            for attempt in &invocation.attempts {
                let known = self.attempts.get(&attempt.id).copied();
                let name = format!(
                    "{} #{}",
                    invocation.function.trim_start_matches("slipway-"),
                    attempt.id
                );

                if known.is_none() {
                    let again = if invocation.duplicate_of.is_some() {
                        ", delivered again"
                    } else {
                        ""
                    };
                    lines.push((
                        attempt.started,
                        format!("{name} begins ({}{again})", invocation.kind),
                    ));
                    self.attempts.insert(attempt.id, false);
                }
                if let (Some(ended), Some(outcome), false) =
                    (attempt.ended, &attempt.outcome, known.unwrap_or(false))
                {
                    let how = match outcome {
                        Outcome::Succeeded(Value::Null) => "ends".to_owned(),
                        Outcome::Succeeded(answer) => format!("ends: {answer}"),
                        Outcome::Failed(why) => format!("fails: {why}"),
                        Outcome::TimedOut => "runs out of time".to_owned(),
                        Outcome::Crashed => "crashes".to_owned(),
                    };
                    lines.push((ended, format!("{name} {how}")));
                    self.attempts.insert(attempt.id, true);
                }
            }
        }

        lines.sort();
        lines.into_iter().for_each(|(at, line)| self.at(at, &line));
    }

    fn calls(&mut self, aws: &Aws) {
        let is_shown = |call: &&Call| call.error.is_some() || !call.is_read();
        let new: Vec<(Millis, String)> = aws.calls[self.calls..]
            .iter()
            .filter(is_shown)
            .map(|call| (call.at, of_call(call)))
            .collect();
        self.calls = aws.calls.len();
        new.into_iter().for_each(|(at, line)| self.at(at, &line));
    }

    fn reports(&mut self, aws: &Aws) {
        let mut lines = Vec::new();
        for job in &aws.codepipeline.jobs {
            let known = self.reports.entry(job.id.clone()).or_default();
            for report in &job.reports[*known..] {
                let what = match &report.content {
                    ReportContent::Success {
                        continuation_token,
                        summary,
                        ..
                    } => {
                        let word = if continuation_token.is_some() {
                            "in-progress"
                        } else {
                            "done"
                        };
                        format!("{word}: {}", summary.as_deref().unwrap_or_default())
                    }
                    ReportContent::Failure { kind, message } => format!("{kind}: {message}"),
                };
                let refused = if report.refused.is_some() {
                    " (refused)"
                } else {
                    ""
                };
                lines.push((
                    report.at,
                    format!("  {} reports{refused} {what}", job.action),
                ));
            }
            *known = job.reports.len();
        }
        lines.into_iter().for_each(|(at, line)| self.at(at, &line));
    }

    /// States that are not as they were.
    fn states(&mut self, aws: &Aws) {
        for (what, state) in states::all(aws) {
            if self.states.get(&what) != Some(&state) {
                self.say(aws, &format!("* {what}: {state}"));
                self.states.insert(what, state);
            }
        }
    }
}

fn of_call(call: &Call) -> String {
    let attempt = call
        .attempt
        .map(|attempt| format!(" #{attempt}"))
        .unwrap_or_default();
    let error = call
        .error
        .as_ref()
        .map(|code| format!(" refused: {code}"))
        .unwrap_or_default();

    format!(
        "  {}{attempt} calls {}{error}",
        call.caller.trim_start_matches("slipway-"),
        call.operation
    )
}
