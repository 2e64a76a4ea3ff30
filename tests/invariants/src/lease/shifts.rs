//! The weights that attempts announced, and until when each may set them.

use serde_json::Value;

use crate::ledger_reader::text;
use emulator::{Aws, Call, Millis};

use super::changes::time_out;
use super::{Leases, Weights, Write, announced_weights, holder};

/// Weights that an attempt announced for a release.
#[derive(Clone, Debug)]
pub(super) struct Shift {
    attempt: u64,
    execution: String,
    to: Weights,
    /// When the attempt wrote the lease again, or its time-out after the announcement: one that
    /// died cannot be distinguished from one that hangs.
    until: Millis,
}

impl Leases {
    /// Remembers the weights that a write announces. They end those that the same attempt announced
    /// before, as any other of its writes does.
    pub(super) fn note_shift(&mut self, aws: &Aws, call: &Call, write: &Write<'_>) {
        let Some(attempt) = call.attempt else { return };
        let own = |shift: &&mut Shift| shift.attempt == attempt;
        for shift in self.shifts.iter_mut().filter(own) {
            shift.until = shift.until.min(aws.now);
        }

        let announces = write
            .was
            .is_some_and(|was| announces_weights(was, write.is));
        if let Some(execution) = holder(write.is).filter(|_| announces) {
            self.shifts.push(Shift {
                attempt,
                execution,
                to: announced_weights(write.is),
                until: aws.now + time_out(aws, call),
            });
        }
    }

    /// Whether an attempt that had announced these weights for a release may have set them at
    /// `since` or later.
    pub(crate) fn may_have_set(&self, execution: &str, to: Weights, since: Millis) -> bool {
        let mut shifts = self.shifts.iter();
        shifts.any(|shift| shift.execution == execution && shift.to == to && shift.until > since)
    }
}

/// Whether a write of a lease announces weights, rather than that they are set.
fn announces_weights(was: &Value, is: &Value) -> bool {
    let at = |lease| text(lease, "release.shift.at");
    let is_made = is.pointer("/release/M/shift/M/made/BOOL") == Some(&Value::Bool(true));
    let differs = announced_weights(was) != announced_weights(is) || at(was) != at(is);

    differs && !is_made
}
