//! When DynamoDB may delete an item of the ledger that nothing needs any more.
//!
//! Nothing decides by it: an item past it can still be read for days, and one without it never
//! expires.

use crate::limits::LEDGER_DAYS;
use crate::timestamp::Timestamp;

/// The end of an item that is written now, in seconds since the Unix epoch, as DynamoDB reads it.
#[must_use]
pub fn expires_at(now: Timestamp) -> i64 {
    now.secs() + LEDGER_DAYS * 24 * 3_600
}
