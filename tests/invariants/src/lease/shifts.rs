//! The weights that attempts announced, until when each may set them, and for how long a release
//! may take them for its own.

use serde_json::Value;

use crate::ledger_reader::text;
use emulator::{Aws, Call, Millis};

use super::changes::time_out;
use super::{Leases, Weights, Write, announced_weights, holder, shift_weights};

/// For how long a read may show what was there before a change.
const STALE: Millis = 300_000;

/// The time from the instant with which a lease is dated to the end of its write: at most one call
/// with its retries, and the second to which it is dated.
const WRITE: Millis = 13_000;

/// Weights that an attempt announced for a release.
#[derive(Clone, Debug)]
pub(super) struct AnnouncedShift {
    attempt: u64,
    execution: String,
    /// The weights that they replace.
    from: Weights,
    to: Weights,
    announced: Millis,
    /// When the attempt wrote the lease again, or its time-out after the announcement: one that
    /// died cannot be distinguished from one that hangs.
    until: Millis,
    /// When the lease had the weights as set, or as submitted to Route 53.
    made: Option<Millis>,
    /// Until when the lease leaves it open that an attempt sets them: one time-out after the
    /// instant with which they are dated in it.
    late: Millis,
}

impl Leases {
    /// Remembers the weights that a write announces, and when those announced last are recorded as
    /// set. They end those that the same attempt announced before, as any other of its writes does.
    pub(super) fn note_shift(&mut self, aws: &Aws, call: &Call, write: &Write<'_>) {
        let Some(attempt) = call.attempt else { return };
        let own = |shift: &&mut AnnouncedShift| shift.attempt == attempt;
        for shift in self.shifts.iter_mut().filter(own) {
            shift.until = shift.until.min(aws.now);
        }

        let (Some(was), Some(execution)) = (write.was, holder(write.is)) else {
            return;
        };
        let until = aws.now + time_out(aws, call);
        if announces_weights(was, write.is) {
            self.shifts.push(AnnouncedShift {
                attempt,
                execution,
                from: shift_weights(write.is, "from"),
                to: announced_weights(write.is),
                announced: aws.now,
                until,
                made: None,
                late: until + WRITE,
            });
        } else if made(was) != made(write.is)
            && let Some(last) = self.last_shift(&execution)
        {
            last.made = Some(aws.now);
            last.late = until + WRITE;
        }
    }

    fn last_shift(&mut self, execution: &str) -> Option<&mut AnnouncedShift> {
        let mut shifts = self.shifts.iter_mut().rev();
        shifts.find(|shift| shift.execution == execution)
    }

    /// Whether a release may take weights for its own that an operator set at `since` and that a
    /// call replaces: if an attempt of it may have set them at that time or later, or if its lease
    /// did not show the difference when the attempt that calls announced their replacement.
    pub(crate) fn may_be_own(
        &self,
        call: &Call,
        execution: &str,
        found: Weights,
        since: Millis,
    ) -> bool {
        let of_release = self
            .shifts
            .iter()
            .filter(|shift| shift.execution == execution);
        let mut all = of_release.clone();
        if all.any(|shift| shift.to == found && shift.until > since) {
            return true;
        }

        let announced_before = of_release
            .rev()
            .skip_while(|shift| Some(shift.attempt) != call.attempt)
            .skip(1);
        is_open(announced_before, found, since)
    }
}

/// Whether weights that an operator set at `since` are among those that a release announced last,
/// or that they replaced. An attempt that announced them and died may have set them or not, and a
/// read may show those from before.
///
/// Each earlier shift counts as well if the next one was announced before the lease showed that the
/// earlier one could no longer be set: an attempt that hung may have set it last.
fn is_open<'a>(
    newest_first: impl Iterator<Item = &'a AnnouncedShift>,
    found: Weights,
    since: Millis,
) -> bool {
    let mut next: Option<&AnnouncedShift> = None;
    for shift in newest_first {
        if next.is_some_and(|next| next.announced >= shift.late) {
            return false;
        }

        let is_last = next.is_none();
        let is_from = shift.from == found
            && shift
                .made
                .is_none_or(|made| is_last && since < made + STALE);
        if shift.to == found || is_from {
            return true;
        }
        next = Some(shift);
    }
    false
}

/// Whether a lease has the announced weights as set, and the change of Route 53 that sets them.
fn made(lease: &Value) -> (bool, Option<&str>) {
    let is_made = lease.pointer("/release/M/shift/M/made/BOOL") == Some(&Value::Bool(true));
    (is_made, text(lease, "release.shift.change"))
}

/// Whether a write of a lease announces weights, rather than that they are set.
fn announces_weights(was: &Value, is: &Value) -> bool {
    let at = |lease| text(lease, "release.shift.at");
    let (is_made, _) = made(is);
    let differs = announced_weights(was) != announced_weights(is) || at(was) != at(is);

    differs && !is_made
}
