//! Freezes: windows in which no release goes forward, and the line that a failed release stops.
//! What goes back is never frozen.

mod canary;
mod demo;
mod in_place;
mod line;
mod refusals;
mod shifts;

use std::time::Duration;

use behaviour::pair;
use emulator::codepipeline::{self, ActionStatus, ReportContent};
use emulator::{Aws, Call, Millis};
use invariants::ledger_reader::executions;
use slipway::timestamp::Timestamp;

const MINUTE: Millis = 60_000;
/// The longest that an invocation which looked before a freeze can still act.
const GRACE: Millis = 60_000;

/// An instant as windows have it, in UTC.
fn utc(at: Millis) -> String {
    let at = Timestamp::from_secs(at / 1000).expect("in range");
    at.to_string().chars().take(16).collect()
}

/// A window of this many minutes, which begins so many whole minutes after `at`; with its begin and
/// its end.
fn window(at: Millis, after: i64, minutes: i64) -> (String, Millis, Millis) {
    let from = (at / MINUTE + after) * MINUTE;
    let to = from + minutes * MINUTE;
    (format!("{}/{}", utc(from), utc(to)), from, to)
}

/// Gives the pipeline of a stack this freeze.
fn freeze(aws: &mut Aws, stack: &str, windows: &str) {
    pair::update(aws, stack, &[("FreezeWindows", windows)]);
}

/// When calls of an operation by a function succeeded.
fn made(aws: &Aws, function: &str, operation: &str) -> Vec<Millis> {
    let is_of = |call: &&Call| {
        call.operation == operation && call.error.is_none() && call.caller.ends_with(function)
    };
    aws.calls.iter().filter(is_of).map(|call| call.at).collect()
}

/// Whether an action of the newest execution waits for a freeze.
fn waits(aws: &Aws, pipeline: &str, action: &str) -> bool {
    let newest = executions(aws, pipeline).next_back();
    let action = newest.and_then(|execution| execution.latest_action("Release", action));
    action.is_some_and(|action| {
        let summary = action.summary.as_deref().unwrap_or_default();
        action.status == ActionStatus::InProgress && summary.starts_with("frozen: ")
    })
}

/// The summaries with which jobs of an action reported that they go on.
fn summaries(aws: &Aws, execution: &str, action: &str) -> Vec<String> {
    let jobs = behaviour::jobs(aws, execution, action);
    let reports = jobs.into_iter().flat_map(|job| &job.reports);
    reports
        .filter_map(|report| match &report.content {
            ReportContent::Success { summary, .. } => summary.clone(),
            ReportContent::Failure { .. } => None,
        })
        .collect()
}

/// An operator disables the transition into the stage `Release` of a pipeline, or enables it.
fn set_transition(aws: &mut Aws, pipeline: &str, reason: Option<&str>) {
    let mut input = serde_json::json!({
        "pipelineName": pipeline, "stageName": "Release", "transitionType": "Inbound",
    });
    let operation = match reason {
        Some(reason) => {
            input["reason"] = reason.into();
            "DisableStageTransition"
        }
        None => "EnableStageTransition",
    };
    codepipeline::call(aws, operation, &input).expect("the pipeline has the stage");
}

/// Why the transition into the stage `Release` of a pipeline is disabled.
fn transition(aws: &Aws, pipeline: &str) -> Option<String> {
    let lanes = &aws.codepipeline.pipelines[pipeline].lanes;
    let lane = lanes.iter().find(|lane| lane.stage == "Release");
    let disabled = lane.expect("a stage").disabled_inbound.as_ref();
    disabled.map(|disabled| disabled.reason.clone())
}

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}
