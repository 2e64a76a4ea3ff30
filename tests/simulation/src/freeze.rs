//! What holds the releases of a run back: a window of time, or a line that a failed release stops
//! and an operator lets go on.

use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};
use slipway::timestamp::Timestamp;

use super::shape::Shape;
use emulator::codepipeline::{self, Lane, ReportContent};
use emulator::{Aws, Millis};
use invariants::ledger_reader::{executions, flag, record};

const MINUTE: Millis = 60_000;

/// The stage of releases of a service or a pair.
pub(super) const STAGE: &str = "Release";

/// How long an operator needs to let a stopped line go on.
pub(super) const REPAIRED: Duration = Duration::from_secs(4 * 60);

/// The freeze of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrawnFreeze {
    /// From this many minutes after the beginning of the run on, for half an hour: releases wait.
    HalfHour(i64),
    /// The same for 62 hours, as from Friday to Monday: no release can wait as long.
    Weekend(i64),
    /// A failed release stops the line.
    Line,
}

impl DrawnFreeze {
    /// In one run of eight. It is drawn by itself, so that nothing else of the run depends on it. A
    /// judged release has bakes of its own, and a copy of a template is not updated.
    pub(super) fn draw(seed: u64, shape: &Shape) -> Option<Self> {
        if shape.canary().is_some() || shape.checks.is_some() || shape.is_polled {
            return None;
        }
        let mut rng = Rng::with_seed(seed ^ 0x1d93_7c4e_a05b_62f8);
        let after = rng.i64(1..=12);
        match rng.u8(..24) {
            0 => Some(Self::HalfHour(after)),
            1 => Some(Self::Weekend(after)),
            2 => Some(Self::Line),
            _ => None,
        }
    }

    /// A word for it, for counting.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HalfHour(_) => "half an hour",
            Self::Weekend(_) => "62 hours",
            Self::Line => "a line that stops",
        }
    }

    /// How long a release may have to wait for it and go on.
    pub(super) fn wait(self) -> Duration {
        match self {
            Self::HalfHour(_) => Duration::from_secs(31 * 60),
            Self::Line => REPAIRED,
            Self::Weekend(_) => Duration::ZERO,
        }
    }

    /// From when to when nothing goes forward in a run that begins at `start`, in whole minutes as
    /// parameters have them.
    pub(super) fn window(self, start: Millis) -> Option<(Millis, Millis)> {
        let (after, minutes) = match self {
            Self::HalfHour(after) => (after, 30),
            Self::Weekend(after) => (after, 62 * 60),
            Self::Line => return None,
        };
        let from = (start / MINUTE + after) * MINUTE;
        Some((from, from + minutes * MINUTE))
    }

    /// The parameters of the pipeline's stack in a run that begins at `start`.
    pub(super) fn parameters(self, start: Millis) -> Vec<(&'static str, String)> {
        match self.window(start) {
            Some((from, to)) => vec![("FreezeWindows", format!("{}/{}", utc(from), utc(to)))],
            None => vec![("StopLine", "yes".to_owned())],
        }
    }
}

/// An instant as windows have it: `2026-01-05T09:10`.
fn utc(at: Millis) -> String {
    let at = Timestamp::from_secs(at / 1000).expect("a year of four digits");
    at.to_string().chars().take(16).collect()
}

/// Since when the transition into a stage of a pipeline is disabled, if it is.
pub(super) fn stopped(aws: &Aws, pipeline: &str, stage: &str) -> Option<Millis> {
    let pipeline = aws.codepipeline.pipelines.get(pipeline)?;
    let is_it = |lane: &&Lane| lane.stage == stage;
    let lane = pipeline.lanes.iter().find(is_it)?;
    lane.disabled_inbound
        .as_ref()
        .map(|disabled| disabled.since)
}

/// An operator lets the line go on.
pub(super) fn go_on(aws: &mut Aws, pipeline: &str, stage: &str) {
    let input = json!({"pipelineName": pipeline, "stageName": stage, "transitionType": "Inbound"});
    codepipeline::call(aws, "EnableStageTransition", &input).expect("the pipeline is there");
}

/// How many jobs waited for a freeze, how many releases ended for one, and how often the line was
/// stopped.
pub(super) fn met(aws: &Aws, pipeline: &str) -> [u64; 3] {
    let reports = aws.codepipeline.jobs.iter().flat_map(|job| &job.reports);
    let waited = reports.filter(|report| {
        matches!(&report.content, ReportContent::Success { continuation_token: Some(token), .. }
            if is_frozen(token))
    });

    let records = executions(aws, pipeline).filter_map(|execution| record(aws, &execution.id));
    let ended = records.filter(|record| flag(record, "frozen"));

    let stops = aws
        .calls
        .iter()
        .filter(|call| call.operation == "DisableStageTransition" && call.error.is_none());
    [
        waited.count() as u64,
        ended.count() as u64,
        stops.count() as u64,
    ]
}

/// Whether a continuation token is that of an action which a freeze held back.
fn is_frozen(token: &str) -> bool {
    serde_json::from_str(token).is_ok_and(|token: Value| token.get("frozen").is_some())
}
