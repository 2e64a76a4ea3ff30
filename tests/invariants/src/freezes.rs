//! Invariant 10: while a release is frozen, nothing goes towards its new revision.

use std::ops::Range;

use super::{Invariants, Ledger, body};
use crate::ledger_reader::text;
use emulator::{Aws, Millis, Request};

/// The line of what only runs with a freeze meet.
pub const NOTHING_WHILE_FROZEN: &str = "10 nothing goes forward while a release is frozen";

/// An invocation that looked right before a freeze can act until its time-out.
const GRACE: Millis = 60_000;

/// When nothing goes forward.
#[derive(Clone, Debug, Default)]
pub(super) struct Freezes {
    windows: Vec<Range<Millis>>,
}

impl Invariants {
    /// No release goes forward from one instant to another.
    #[must_use]
    pub fn frozen(mut self, from: Millis, to: Millis) -> Self {
        self.freezes.windows.push(from..to);
        self
    }
}

impl Freezes {
    /// What goes towards the new revision of the open release, which was not frozen when its
    /// invocation looked. Returns how much there was to look at.
    pub(super) fn allow(&self, aws: &Aws, ledger: &Ledger, what: &str) -> Result<u64, String> {
        let stopped = stopped(aws, ledger);
        let in_windows = self
            .windows
            .iter()
            .filter(|window| window.contains(&aws.now));
        let since = in_windows
            .map(|window| window.start)
            .chain(stopped.flatten())
            .min();

        if let Some(since) = since.filter(|since| aws.now - since > GRACE) {
            return Err(format!(
                "invariant 10: {what} came {} s after a freeze began",
                (aws.now - since) / 1000
            ));
        }
        Ok(u64::from(!self.windows.is_empty() || stopped.is_some()))
    }
}

/// Since when the transition into the stage of the open release is disabled; none for a release
/// that does not look at it.
fn stopped(aws: &Aws, ledger: &Ledger) -> Option<Option<Millis>> {
    let lease = ledger.open()?;
    let stage = text(lease, "release.line.stage")?;
    let pipeline = aws
        .codepipeline
        .pipelines
        .get(text(lease, "release.pipeline")?)?;
    let lane = pipeline.lanes.iter().find(|lane| lane.stage == stage)?;
    Some(
        lane.disabled_inbound
            .as_ref()
            .map(|disabled| disabled.since),
    )
}

/// Whether a request of UpdateService deploys the new revision of the open release.
pub(super) fn deploys(ledger: &Ledger, request: &Request) -> bool {
    let named = &body(request)["taskDefinition"];
    let wanted = ledger
        .open()
        .and_then(|lease| text(lease, "release.change.task_definition"));
    wanted.is_some_and(|wanted| named == wanted)
}
